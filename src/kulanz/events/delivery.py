"""Hands sealed events to the subscribers that run as tasks."""

from django.db import connection, transaction
from django.db.models import Max

from kulanz.events import registry
from kulanz.events.log import Happened
from kulanz.events.models import Cursor, Event
from kulanz.events.sealer import seal
from kulanz.tenancy.scope import creditor_id

BLOCK = 2000


def deliver() -> int:
    """Seal and deliver everything the current creditor's task subscribers have not seen; returns handled events."""
    while seal():
        pass
    newest = Event.objects.aggregate(x=Max("sequence"))["x"] or 0
    seen = dict(Cursor.objects.values_list("subscriber", "sequence"))
    handled = 0
    for subscriber in registry.as_task():
        if subscriber.name not in seen:
            Cursor.objects.get_or_create(creditor_id=creditor_id(), subscriber=subscriber.name)
        at = seen.get(subscriber.name, 0)
        while at < newest:
            at, count = _deliver_block(subscriber, newest)
            handled += count
    return handled


def _deliver_block(subscriber: registry.Subscriber, newest: int) -> tuple[int, int]:
    """Where the cursor stands afterwards, and how many events were handled."""
    with transaction.atomic():
        lock = Cursor.objects.filter(subscriber=subscriber.name)
        if connection.features.has_select_for_update:
            lock = lock.select_for_update()
        cursor = lock.get()
        rows = list(
            Event.objects.filter(
                sequence__gt=cursor.sequence, sequence__lte=newest, type__in=subscriber.types
            )
            .order_by("sequence")
            .values_list("type", "subject_id", "payload", "at", "sequence")[:BLOCK]
        )
        if rows:
            creditor = creditor_id()
            subscriber.handler([Happened(t, s, p, at, creditor, n) for t, s, p, at, n in rows])
        cursor.sequence = rows[-1][4] if len(rows) == BLOCK else max(newest, cursor.sequence)
        cursor.save(update_fields=["sequence"])
    return cursor.sequence, len(rows)
