"""What will happen in the time-lapse, in order of time."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    at: datetime
    order: int
    act: Callable[[], None] = field(compare=False)


class Agenda:
    """A queue of things to do at virtual times; what is noted first comes first among those of one moment."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._numbers = itertools.count()

    def note(self, at: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._entries, _Entry(at, next(self._numbers), act))

    def due(self, until: datetime) -> tuple[datetime, Callable[[], None]] | None:
        """Take the next thing that happens before or at `until`; None when there is none."""
        if self._entries and self._entries[0].at <= until:
            entry = heapq.heappop(self._entries)
            return entry.at, entry.act
        return None
