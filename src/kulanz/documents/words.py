"""The words that staff read for the codes that the rooms store."""

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

CHANNELS: dict[str, Promise] = {
    "email": _("E-mail"),
    "sms": _("SMS"),
    "whatsapp": _("WhatsApp"),
    "letter": _("Letter"),
    "call": _("Call"),
    "portal": _("Portal"),
}
TONES: dict[str, Promise] = {
    "friendly": _("Friendly"),
    "factual": _("Factual"),
    "firm": _("Firm"),
    "neutral": _("Neutral"),
}
OFFERS: dict[str, Promise] = {
    "none": _("no offer"),
    "later": _("a later day"),
    "plan": _("instalments"),
    "discount": _("settlement discount"),
}
OFFER_STATES: dict[str, Promise] = {
    "made": _("open"),
    "shown": _("seen"),
    "accepted": _("accepted"),
    "used": _("taken"),
    "expired": _("expired"),
    "withdrawn": _("withdrawn"),
}
STAGES: dict[str, Promise] = {
    "pre_due": _("Before the due date"),
    "due_day": _("Due day"),
    "reminder_1": _("1st reminder"),
    "reminder_2": _("2nd reminder"),
    "dunning_1": _("1st dunning notice"),
    "dunning_2": _("2nd dunning notice"),
    "final_notice": _("Final notice"),
    "hand_over": _("Hand-over"),
}
METHODS: dict[str, Promise] = {
    "transfer": _("Bank transfer"),
    "psp": _("Online payment"),
    "online": _("Online payment"),
    "card": _("Card"),
}
HOLDS: dict[str, Promise] = {
    "dispute": _("Objection under review"),
    "hardship": _("Financial hardship"),
    "insolvency": _("Insolvency proceedings"),
    "represented": _("Represented by somebody"),
    "deceased": _("The customer has died"),
    "minor": _("The customer is a minor"),
    "moratorium": _("Statutory breathing space"),
    "vulnerable": _("Needs care"),
    "question": _("Waits for our answer"),
    "promise": _("Payment promised"),
    "plan": _("Instalment plan running"),
    "payment_pending": _("Payment on its way"),
    "manual": _("Held by hand"),
}
SIGNS: dict[str, Promise] = {
    "danger": _("danger: look today"),
    "bereavement": _("bereavement"),
    "health": _("illness"),
    "livelihood": _("livelihood"),
    "care": _("care for others"),
    "minor": _("a minor"),
    "represented": _("debt advice or a representative"),
}
CLAIM_STATES: dict[str, Promise] = {
    "open": _("Open"),
    "part_paid": _("Partly paid"),
    "paid": _("Paid"),
    "credited": _("Credited"),
    "disputed": _("Disputed"),
    "on_plan": _("On a plan"),
    "on_hold": _("On hold"),
    "handed_over": _("Handed over"),
    "written_off": _("Written off"),
    "time_barred": _("Time-barred"),
    "reopened": _("Open again"),
}
CLAIM_KINDS: dict[str, Promise] = {
    "invoice": _("Invoice"),
    "credit_note": _("Credit note"),
    "loan": _("Loan"),
    "instalment": _("Instalment"),
}
MESSAGE_STATES: dict[str, Promise] = {
    "queued": _("Planned"),
    "sending": _("On its way"),
    "sent": _("Sent"),
    "stopped": _("Stopped"),
    "failed": _("Failed"),
    "unknown": _("Unclear"),
}
MESSAGE_KINDS: dict[str, Promise] = {
    "demanding": _("Reminder"),
    "service": _("Service message"),
    "statutory": _("Statutory notice"),
}
DELIVERY: dict[str, Promise] = {
    "sent": _("handed over"),
    "opened": _("opened"),
    "clicked": _("followed the link"),
    "bounced": _("came back"),
    "complained": _("complained"),
    "unsubscribed": _("opted out"),
}
JOURNALS: dict[str, Promise] = {
    "opened": _("Invoiced"),
    "credit_note": _("Credited"),
    "offset": _("Set off"),
    "interest": _("Interest"),
    "cost": _("Cost"),
    "payment": _("Payment"),
    "payment_return": _("Payment returned"),
    "refund": _("Paid back"),
    "waiver": _("Waived"),
    "discount": _("Discount"),
    "write_off": _("Written off"),
    "recovery": _("Received after write-off"),
    "transfer": _("Handed over"),
    "reallocation": _("Spread anew"),
    "correction": _("Corrected"),
}
ACCOUNTS: dict[str, Promise] = {
    "principal": _("principal"),
    "interest": _("interest"),
    "cost": _("cost"),
    "cost_reminder": _("cost of reminders"),
    "cost_lump_sum": _("lump sum"),
    "cost_collection": _("cost of collection"),
    "cost_return": _("cost of a returned payment"),
    "cost_court": _("court cost"),
    "cost_plan": _("cost of the plan"),
    "credit": _("credit"),
    "invoiced": _("invoiced"),
    "received": _("received"),
    "earned": _("earned"),
    "waived": _("waived"),
    "discounted": _("discounted"),
    "transferred": _("passed on"),
    "written_off": _("written off"),
    "suspense": _("suspense"),
}
ACTORS: dict[str, Promise] = {
    "policy": _("Learned policy"),
    "ladder": _("Plain ladder"),
    "holdout": _("Comparison group"),
}
POINT_STATES: dict[str, Promise] = {
    "ok": _("in use"),
    "bounced": _("came back"),
    "revoked": _("revoked"),
}
ROLES: dict[str, Promise] = {
    "owner": _("Owner"),
    "manager": _("Manager"),
    "agent": _("Agent"),
    "viewer": _("Viewer"),
}
WEEKDAYS: dict[str, Promise] = {
    "Mon": _("Monday"),
    "Tue": _("Tuesday"),
    "Wed": _("Wednesday"),
    "Thu": _("Thursday"),
    "Fri": _("Friday"),
    "Sat": _("Saturday"),
    "Sun": _("Sunday"),
}

VOCABULARIES = {
    "channel": CHANNELS,
    "tone": TONES,
    "offer": OFFERS,
    "offer_state": OFFER_STATES,
    "stage": STAGES,
    "method": METHODS,
    "hold": HOLDS,
    "claim_state": CLAIM_STATES,
    "sign": SIGNS,
    "claim_kind": CLAIM_KINDS,
    "message_state": MESSAGE_STATES,
    "message_kind": MESSAGE_KINDS,
    "delivery": DELIVERY,
    "journal": JOURNALS,
    "account": ACCOUNTS,
    "actor": ACTORS,
    "point_state": POINT_STATES,
    "role": ROLES,
    "weekday": WEEKDAYS,
}


def word(vocabulary: str, code: str) -> str:
    """The text for a code in the language of the page; a code of one's own journey reads with spaces."""
    found = VOCABULARIES[vocabulary].get(code)
    return str(found) if found is not None else code.replace("_", " ").capitalize()


def action_words(action: Sequence[str]) -> str:
    """An action's label in one line: ("wait",) or channel, weekday, band such as "10-12", tone and offer."""
    if len(action) < 5:
        return gettext("Wait")
    channel, weekday, band, tone, offer = action[:5]
    parts = [
        word("channel", channel),
        gettext("%(day)s %(hours)s h") % {"day": word("weekday", weekday), "hours": band.replace("-", "–")},
        word("tone", tone).lower(),
    ]
    return ", ".join(parts if offer == "none" else [*parts, word("offer", offer)])
