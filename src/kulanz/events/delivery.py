"""Hands sealed events to the subscribers that run as tasks."""

from django.db import connection, transaction

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
    handled = 0
    for subscriber in registry.as_task():
        while count := _deliver_block(subscriber):
            handled += count
    return handled


def _deliver_block(subscriber: registry.Subscriber) -> int:
    creditor = creditor_id()
    Cursor.objects.get_or_create(creditor_id=creditor, subscriber=subscriber.name)
    with transaction.atomic():
        lock = Cursor.objects.filter(subscriber=subscriber.name)
        if connection.features.has_select_for_update:
            lock = lock.select_for_update()
        cursor = lock.get()
        rows = list(
            Event.objects.filter(sequence__gt=cursor.sequence, type__in=subscriber.types)
            .order_by("sequence")
            .values_list("type", "subject_id", "payload", "at", "sequence")[:BLOCK]
        )
        if not rows:
            return 0
        subscriber.handler([Happened(t, s, p, at, creditor, n) for t, s, p, at, n in rows])
        cursor.sequence = rows[-1][4]
        cursor.save(update_fields=["sequence"])
    return len(rows)
