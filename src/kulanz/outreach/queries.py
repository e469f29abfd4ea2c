"""Reads of the outbox and its archive."""

from datetime import datetime

from kulanz.kernel.errors import NotFoundError
from kulanz.outreach.compose import Archived, unpack
from kulanz.outreach.models import ArchivedMessage, Message


def archived(message_id: int) -> Archived:
    """A message as it was written; raises NotFoundError where none was, or for another creditor's."""
    found = ArchivedMessage.objects.select_related("layout").filter(message_id=message_id).first()
    if found is None:
        raise NotFoundError("No text of this message is kept.")
    return unpack(found)


def due(at: datetime, limit: int) -> list[int]:
    """Ids of the creditor's queued messages that may leave by `at`, longest waiting first."""
    rows = Message.objects.filter(state=Message.State.QUEUED, not_before__lte=at)
    return list(rows.order_by("not_before", "id").values_list("id", flat=True)[:limit])


def leftovers(at: datetime, limit: int) -> list[int]:
    """Ids of messages that were being sent when their process ended."""
    rows = Message.objects.filter(state=Message.State.SENDING, lease_until__lte=at)
    return list(rows.order_by("id").values_list("id", flat=True)[:limit])


def unknown(limit: int) -> list[tuple[int, str, str]]:
    """(id, channel, wire id) of messages of which nobody knows whether they arrived: for `settling.settle`."""
    rows = ArchivedMessage.objects.filter(message__state=Message.State.UNKNOWN).order_by("message_id")
    return list(rows.values_list("message_id", "message__channel", "wire_id")[:limit])
