"""The event log: sequence without gaps, a chain that shows tampering, subscribers that see each event once."""

from collections.abc import Sequence

import pytest
from django.db import connection, transaction

from kulanz.events import registry
from kulanz.events.delivery import deliver
from kulanz.events.guards import EVENT_GUARDS
from kulanz.events.log import Happened, record, record_many
from kulanz.events.models import Event
from kulanz.events.sealer import broken_links, seal
from kulanz.tenancy.actions import add_user
from kulanz.tenancy.models import Creditor, Role
from kulanz.tenancy.scope import scope


@pytest.fixture
def subscribers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_subscribers", {})


def test_each_creditor_has_its_own_sequence_without_gaps(
    creditor: Creditor, other_creditor: Creditor
) -> None:
    for index in range(3):
        record("x", index)
        with scope(other_creditor.id):
            record("y", index)
    for each in (creditor, other_creditor):
        with scope(each.id):
            assert seal(limit=2) == 2
            assert seal() == 3
            assert seal() == 0
            rows = Event.objects.order_by("sequence").values_list("sequence", "type")
            name = "x" if each is creditor else "y"
            assert list(rows) == [
                (1, "creditor.added"),
                (2, "brand.added"),
                (3, name),
                (4, name),
                (5, name),
            ]
            assert broken_links() == []


def test_a_changed_event_breaks_the_chain(creditor: Creditor) -> None:
    record_many("x", [1, 2], [{"amount": 5}] * 2)
    seal()
    EVENT_GUARDS.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_event SET subject_id = 9 WHERE sequence = 3")
    EVENT_GUARDS.install(connection)
    assert broken_links() == [3]


def test_a_task_subscriber_sees_each_event_once_and_in_order(creditor: Creditor, subscribers: None) -> None:
    seen: list[int] = []

    def handler(events: Sequence[Happened]) -> None:
        seen.extend(event.sequence for event in events)

    registry.subscribe("test", ["x"], handler, in_transaction=False)
    record_many("x", [1, 2], [{}, {}])
    record("other", 3)
    assert deliver() == 2
    record("x", 4)
    assert deliver() == 1
    assert deliver() == 0
    assert seen == [3, 4, 6]


def test_a_failing_subscriber_sees_the_events_again(creditor: Creditor, subscribers: None) -> None:
    calls: list[int] = []

    def handler(events: Sequence[Happened]) -> None:
        calls.append(len(events))
        if len(calls) == 1:
            raise RuntimeError("the first try fails")

    registry.subscribe("test", ["x"], handler, in_transaction=False)
    record("x", 1)
    with pytest.raises(RuntimeError), transaction.atomic():
        deliver()
    assert deliver() == 1
    assert calls == [1, 1]


def test_a_subscriber_in_the_transaction_can_undo_the_cause(creditor: Creditor, subscribers: None) -> None:
    def handler(events: Sequence[Happened]) -> None:
        raise ValueError("refused")

    registry.subscribe("test", ["x"], handler, in_transaction=True)
    with pytest.raises(ValueError, match="refused"), transaction.atomic():
        record("x", 1)
    assert not Event.objects.filter(type="x").exists()


def test_changes_of_creditors_and_staff_leave_events(creditor: Creditor) -> None:
    add_user("mira", "a-long-password", creditor, Role.AGENT)
    creditor.save()
    kinds = Event.objects.order_by("id").values_list("type", flat=True)
    assert list(kinds) == ["creditor.added", "brand.added", "membership.added", "creditor.changed"]
