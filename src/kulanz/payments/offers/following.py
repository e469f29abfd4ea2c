"""What follows from events for the offers of a case: money that settles, plans, promises, and the fate of messages.

Money decides by itself: a discount is given when enough came in time, by whatever way, and taken back when it went.
"""

from collections.abc import Sequence
from datetime import date

from kulanz.claims import adjusting
from kulanz.claims.adjusting import Cause
from kulanz.claims.models import Hold, Journal
from kulanz.claims.queries import open_amount
from kulanz.events.log import Happened, record
from kulanz.payments.offers import queries
from kulanz.payments.offers.actions import accept, end
from kulanz.payments.offers.models import Offer
from kulanz.payments.offers.queries import LIVE, creditor_today
from kulanz.payments.offers.rules import Kind

State = Offer.State
BY = "payments"
MONEY_EVENTS = (
    "payment.booked",
    "payment.returned",
    "claim.credited",
    "claim.waived",
    "claim.written_off",
    "claim.transferred",
)
PLAN_EVENTS = ("plan.agreed", "plan.changed")
MESSAGE_EVENTS = ("message.sent", "message.stopped", "message.failed")
PROMISED = "hold.placed"
_MAY_COUNT = (*LIVE, State.EXPIRED, State.USED)


def follow_money(events: Sequence[Happened]) -> None:
    """In the transaction of a booking: give or take back discounts, and end what nothing is left for."""
    cases = {event.subject_id for event in events}
    if not queries.any_made(cases):
        return
    found = list(Offer.objects.filter(case_id__in=cases, state__in=_MAY_COUNT).order_by("-id"))
    discounts = {o.case_id: o for o in reversed(found) if o.kind == Kind.DISCOUNT and o.told_at is not None}
    for offer in discounts.values():
        _settle(offer)
    for offer in found:
        if offer.state in LIVE and offer.kind != Kind.DISCOUNT and not open_amount(offer.case_id):
            end(offer, State.WITHDRAWN, "settled")


def follow_plans(events: Sequence[Happened]) -> None:
    """An agreed plan is what the offered one was for; it takes the place of every other offer."""
    for offer in Offer.objects.filter(case_id__in={e.subject_id for e in events}, state__in=LIVE):
        if offer.kind == Kind.PLAN and offer.told_at is not None:
            accept(offer)
            end(offer, State.USED, "plan")
        else:
            end(offer, State.WITHDRAWN, "plan")


def follow_promises(events: Sequence[Happened]) -> None:
    """A promised day is what the offered one was for."""
    cases = {e.subject_id for e in events if e.payload["reason"] == Hold.Reason.PROMISE}
    told = Offer.objects.filter(case_id__in=cases, kind=Kind.LATER, state__in=LIVE).exclude(told_at=None)
    for offer in told:
        accept(offer)
        end(offer, State.USED, "promise")


def follow_messages(events: Sequence[Happened]) -> None:
    """An offer counts from the moment its message left; where that never does, it was never made to anybody.

    One of the same kind that the customer knows gives way to the newer one; a discount never does.
    """
    for event in events:
        if event.payload.get("offer", "none") == "none":
            continue
        offer: Offer | None = Offer.objects.filter(message_id=event.subject_id, told_at=None).first()
        if offer is None or offer.state not in LIVE:
            continue
        if event.type != "message.sent":
            end(offer, State.WITHDRAWN, "not_sent")
            continue
        offer.told_at = event.at
        offer.save(update_fields=["told_at"])
        before = Offer.objects.filter(case_id=offer.case_id, kind=offer.kind, state__in=LIVE, id__lt=offer.id)
        for older in before.exclude(kind=Kind.DISCOUNT):
            end(older, State.WITHDRAWN, "newer")


def _settle(offer: Offer) -> None:
    """Bring a discount to where its money puts it."""
    now = queries.standing(offer)
    if not now.rest:
        _give(offer, now.give_up, _money_moved_on(offer))
    elif offer.state == State.USED:
        _take_back(offer, _money_moved_on(offer))


def _give(offer: Offer, amount: int, day: date) -> None:
    """Give up the rest, or what a small return has left of it open again; who paid everything gave nothing up."""
    if not amount:
        return
    cause = Cause(f"offer:{offer.id}:discount:{offer.discounted + 1}", day, BY)
    adjusting.discount(offer.case_id, cause, claims=offer.claims, most=amount)
    offer.discounted += 1
    offer.save(update_fields=["discounted"])
    if offer.state != State.USED:
        accept(offer)
        end(offer, State.USED, "paid")


def _take_back(offer: Offer, day: date) -> None:
    """The money went back: all is owed as before, and the offer stands again if its time is not over."""
    if queries.given_up(offer):
        cause = Cause(f"offer:{offer.id}:revoked:{offer.discounted}", day, BY)
        adjusting.revoke_discount(offer.case_id, offer.claims, cause)
    over = offer.until < creditor_today()
    offer.state, offer.ended_at = (State.EXPIRED, offer.ended_at) if over else (State.ACCEPTED, None)
    offer.save(update_fields=["state", "ended_at"])
    record("offer.reopened", offer.case_id, {"offer": offer.id, "kind": offer.kind, "why": "returned"})


def _money_moved_on(offer: Offer) -> date:
    """The newest value date on which money came in or went back since the offer was made."""
    rows = Journal.objects.filter(case_id=offer.case_id, id__gt=offer.after_journal)
    rows = rows.filter(kind__in=[Journal.Kind.PAYMENT, Journal.Kind.PAYMENT_RETURN])
    return max(rows.values_list("value_date", flat=True), default=creditor_today())
