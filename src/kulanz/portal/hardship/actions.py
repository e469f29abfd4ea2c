"""What a customer in need decides: everything rests for a while, and a person is asked to help."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from kulanz.claims.actions import lock_case
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
"""Days."""


def last_day(case_id: int, timezone: str) -> date:
    """The last day of a rest that is asked for now: as long as the creditor lets cases rest without asking anybody.

    Who asked often has a short one until a person has talked.
    """
    days: int = Creditor.objects.values_list("hardship_days", flat=True).get(id=creditor_id())
    since = clock.now() - RESTS_WITHIN
    asked = Event.objects.filter(type="help.asked", subject_id=case_id, at__gt=since).count()
    return clock.today(timezone) + timedelta(days=SHORT_REST if asked >= RESTS else days)


def rest(case_id: int, timezone: str, wish: Way, summary: str) -> None:
    """Contact, interest and fees rest until the end of the `last_day`; a person sees the case.

    `summary` is what the customer allowed to be kept, empty where that is nothing. Figures of a budget never reach the
    event. Asked again, the rest is longer and not doubled.
    """
    with transaction.atomic():
        lock_case(case_id)
        after = last_day(case_id, timezone) + timedelta(days=1)
        until = datetime.combine(after, time(), ZoneInfo(timezone))
        note = " ".join(filter(None, [f"[{wish}]", summary]))
        place_hold(case_id, Hold.Reason.HARDSHIP, by="customer", until=until, note=note)
        record("help.asked", case_id, {"wish": wish})
