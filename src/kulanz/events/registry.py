"""Who listens to which event. Each subscriber lives in its own room and registers in that room's `apps.py`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kulanz.events.log import Happened

Handler = Callable[[Sequence["Happened"]], None]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """`name` is stable: it keys the cursor of a task subscriber."""

    name: str
    types: frozenset[str]
    handler: Handler
    in_transaction: bool


_subscribers: dict[str, Subscriber] = {}


def subscribe(name: str, types: Sequence[str], handler: Handler, *, in_transaction: bool) -> None:
    """Register `handler` for event `types`.

    In the transaction: called with the events as they are written; an error undoes the cause as well.
    As a task: called later, with blocks of sealed events in sequence, in a transaction of its own that also moves
    the cursor, so that each event has its effect in the database exactly once.
    """
    found = _subscribers.get(name)
    if found is not None and found.handler is not handler:
        raise ValueError(f"two subscribers are called {name!r}")
    _subscribers[name] = Subscriber(name, frozenset(types), handler, in_transaction)


def in_transaction(event_type: str) -> list[Handler]:
    return [s.handler for s in _subscribers.values() if s.in_transaction and event_type in s.types]


def as_task() -> list[Subscriber]:
    return [s for s in _subscribers.values() if not s.in_transaction]
