"""Payments as they happen, read from the event log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from kulanz.claims.models import Case
from kulanz.events.models import Event

TYPES = ("payment.booked", "payment.returned")
SHOWN = 7
LOOK_BACK = 10.0
"""Seconds for which an id below the highest one seen may still appear: writers commit in their own order."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Money that came in, or went back (`amount` < 0), in minor units."""

    id: int
    case_id: int
    amount: int
    currency: str
    method: str
    customer: str
    number: str
    at: datetime


def latest(limit: int = SHOWN) -> tuple[Arrival, ...]:
    """The newest arrivals of the creditor in scope, newest first."""
    rows = Event.objects.filter(type__in=TYPES).order_by("-id")[:limit]
    return _arrivals(list(rows))


def newest_id() -> int:
    """The highest event id of the creditor in scope; 0 before the first."""
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


@dataclass(slots=True)
class Follower:
    """Reads each arrival after event id `after` once, also those committed after one with a higher id."""

    after: int
    _seen: dict[int, float] = field(default_factory=dict)

    def poll(self) -> tuple[Arrival, ...]:
        """What is new, oldest first, at most SHOWN; older ones beyond that are skipped."""
        rows = list(Event.objects.filter(type__in=TYPES, id__gt=self.after).order_by("-id")[: 4 * SHOWN])
        if len(rows) == 4 * SHOWN:
            self.after = max(self.after, rows[-1].id - 1)
        fresh = [row for row in rows if row.id not in self._seen]
        now = monotonic()
        self._seen |= {row.id: now for row in fresh}
        settled = [event for event, at in self._seen.items() if at < now - LOOK_BACK]
        if settled:
            self.after = max(self.after, *settled)
            self._seen = {event: at for event, at in self._seen.items() if event > self.after}
        return tuple(reversed(_arrivals(fresh[:SHOWN])))


def _arrivals(events: Sequence[Event]) -> tuple[Arrival, ...]:
    ids = {event.subject_id for event in events}
    cases = {c.id: c for c in Case.objects.select_related("customer").filter(id__in=ids)} if ids else {}
    return tuple(
        Arrival(
            id=event.id,
            case_id=event.subject_id,
            amount=event.payload["amount"]
            if event.type == "payment.booked"
            else -abs(event.payload["amount"]),
            currency=event.payload["currency"],
            method=event.payload.get("method", ""),
            customer=cases[event.subject_id].customer.name,
            number=cases[event.subject_id].customer.number,
            at=event.at,
        )
        for event in events
    )
