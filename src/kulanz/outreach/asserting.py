"""Whether a message is the first in which a claim is asserted."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Max

from kulanz.claims.models import Journal, Posting
from kulanz.contact.models import Channel, ContactLog
from kulanz.outreach.models import DeliveryEvent
from kulanz.outreach.reading import CaseView


def is_first(case_id: int, case: CaseView, today: date, zone: ZoneInfo) -> bool:
    """Whether some claim that is demanded now was not demanded in text form since it was booked and due.

    In doubt yes: what has to be told with the first assertion may be told twice.
    """
    last = _last_demand(case_id)
    if last is None:
        return True
    day = last.astimezone(zone).date()
    if any(day < claim.due_date <= today for claim in case.owed):
        return True
    opened = Posting.objects.filter(case_id=case_id, journal__kind=Journal.Kind.OPENED)
    return bool(opened.filter(journal__booked_at__gt=last).exists())


def _last_demand(case_id: int) -> datetime | None:
    """When the newest written demand that did not come back left."""
    bounced = DeliveryEvent.objects.filter(message__case_id=case_id, kind=DeliveryEvent.Kind.BOUNCED)
    written = ContactLog.objects.filter(case_id=case_id, demanding=True).exclude(channel=Channel.CALL)
    last: datetime | None = written.exclude(message_id__in=bounced.values("message_id")).aggregate(
        last=Max("at")
    )["last"]
    return last
