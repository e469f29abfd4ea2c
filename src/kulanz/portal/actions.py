"""What customers tell on their page. Each stops what it has to stop in the transaction that stores it."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from kulanz.claims.actions import lock_case
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Customer, Hold
from kulanz.claims.queries import holds_at
from kulanz.contact.actions import give, withdraw
from kulanz.contact.models import Consent
from kulanz.contact.vulnerability.actions import look_after
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.payments.offers.rules import PROMISES_WITHIN
from kulanz.portal import rules

BY = "customer"
COMPLAINT = "complaint"


def window(case_id: int, timezone: str) -> rules.Window:
    """The days that may be promised for a case now."""
    now, zone = clock.now(), ZoneInfo(timezone)
    since = now - PROMISES_WITHIN
    given = Hold.objects.filter(case_id=case_id, reason=Hold.Reason.PROMISE, from_at__gt=since).count()
    rows = holds_at(now).filter(case_id=case_id, reason=Hold.Reason.PROMISE)
    current: datetime | None = rows.values_list("from_at", flat=True).first()
    promised_on = None if current is None else current.astimezone(zone).date()
    return rules.promise_window(now.astimezone(zone).date(), promised_on, given)


def promise(case_id: int, day: date, timezone: str) -> datetime:
    """Rest until the end of the promised day; raises InputError for a day outside the window."""
    with transaction.atomic():
        lock_case(case_id)
        allowed = window(case_id, timezone)
        if allowed.last is None or not allowed.first <= day <= allowed.last:
            raise InputError("This day cannot be chosen.")
        until = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))
        place_hold(case_id, Hold.Reason.PROMISE, by=BY, until=until)
    return until


def paid_already(case_id: int, paid_on: date | None, note: str) -> datetime:
    """Rest for a few days until the money shows on the account."""
    until = clock.now() + timedelta(days=rules.PAID_REST_DAYS)
    words = " ".join(filter(None, [paid_on.isoformat() if paid_on else "", note]))
    with transaction.atomic():
        place_hold(case_id, Hold.Reason.PAYMENT_PENDING, by=BY, until=until, note=words)
        look_after(case_id, note, "paid")
    return until


def dispute(case_id: int, kind: str, text: str) -> None:
    """Everything stops until a person has looked; a complaint about the contact itself is recorded as one."""
    with transaction.atomic():
        place_hold(case_id, Hold.Reason.DISPUTE, by=BY, note=f"[{kind}] {text}".strip())
        look_after(case_id, text, "dispute")
        if kind == COMPLAINT:
            record("complaint.made", case_id)


def prefer(customer_id: int, wanted: dict[str, bool], language: str, proof: str) -> None:
    """Keep which channels may be used for reminders and the customer's language."""
    with transaction.atomic():
        refused = refused_channels(customer_id)
        for channel, allowed in wanted.items():
            if allowed and channel in refused:
                give(customer_id, channel, proof=proof)
            elif not allowed and channel not in refused:
                withdraw(customer_id, channel, proof=proof)
        Customer.objects.filter(id=customer_id).exclude(language=language).update(language=language)


def refused_channels(customer_id: int) -> frozenset[str]:
    """Channels on which the customer wants no reminders."""
    rows = Consent.objects.filter(customer_id=customer_id, purpose=Consent.Purpose.REMINDERS)
    return frozenset(rows.exclude(withdrawn_at=None).values_list("channel", flat=True))
