"""Numbers events in commit order and chains them, so that writers never queue behind one lock."""

from collections.abc import Iterable

from django.db import connection, transaction

from kulanz.events.models import Event
from kulanz.kernel import chain
from kulanz.tenancy.scope import creditor_id

BLOCK = 5000
_LOCK = 0x6B756C61


def seal(limit: int = BLOCK) -> int:
    """Seal up to `limit` of the current creditor's committed events; returns how many. Call until it returns 0.

    Each event's digest is SHA-256 over the one before it and its own content.
    """
    creditor = creditor_id()
    with transaction.atomic():
        chain.only_sealer(_LOCK, creditor)
        last = (
            Event.objects.exclude(sequence=None)
            .order_by("-sequence")
            .values_list("sequence", "digest")
            .first()
        )
        sequence, digest = (last[0], bytes(last[1])) if last else (0, b"")
        rows = Event.objects.filter(sequence=None).order_by("id")[:limit]
        sealed = []
        for event in rows.values_list("id", "type", "subject_id", "payload", "at"):
            sequence += 1
            digest = _digest(digest, sequence, event[1:])
            sealed.append((sequence, digest, event[0]))
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE events_event SET sequence = %s, digest = %s WHERE id = %s", sealed)
    return len(sealed)


def broken_links() -> list[int]:
    """Sequences of the current creditor's events whose number or digest does not follow from the one before."""
    broken = []
    digest, expected = b"", 0
    rows = Event.objects.exclude(sequence=None).order_by("sequence")
    for row in rows.values_list("sequence", "digest", "type", "subject_id", "payload", "at").iterator(BLOCK):
        expected += 1
        digest = _digest(digest, row[0], row[2:])
        if row[0] != expected or digest != bytes(row[1]):
            broken.append(row[0])
            expected, digest = row[0], bytes(row[1])
    return broken


def _digest(previous: bytes, sequence: int, content: Iterable[object]) -> bytes:
    event_type, subject, payload, at = content
    return chain.link(previous, [sequence, event_type, subject, payload, str(at)])
