"""What a customer in need decides: everything rests for a while, and a person is asked to help."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from kulanz.claims.holds import place_hold
from kulanz.claims.models import Hold
from kulanz.events.log import record
from kulanz.events.models import Event
from kulanz.kernel import clock
from kulanz.portal.hardship.rules import Way
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

RESTS = 3
"""So many long rests are given in `RESTS_WITHIN` without a talk."""
RESTS_WITHIN = timedelta(days=365)
SHORT_REST = 7


def rest_days() -> int:
    """For how many days the creditor in scope lets a case rest without asking anybody."""
    return int(Creditor.objects.values_list("hardship_days", flat=True).get(id=creditor_id()))


def rest(case_id: int, timezone: str, wish: Way, summary: str) -> datetime:
    """Contact, interest and fees rest until the end of the last day; a person sees the case.

    `summary` is what the customer allowed to be kept, empty where that is nothing. Figures of a budget never reach the
    event. Asked again, the rest is longer and not doubled; asked often, it is short until a person has talked.
    """
    days = SHORT_REST if _asked_of_late(case_id) >= RESTS else rest_days()
    last = clock.today(timezone) + timedelta(days=days)
    until = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(timezone))
    with transaction.atomic():
        note = " ".join(filter(None, [f"[{wish}]", summary]))
        place_hold(case_id, Hold.Reason.HARDSHIP, by="customer", until=until, note=note)
        record("help.asked", case_id, {"wish": wish})
    return until


def _asked_of_late(case_id: int) -> int:
    since = clock.now() - RESTS_WITHIN
    return Event.objects.filter(type="help.asked", subject_id=case_id, at__gt=since).count()
