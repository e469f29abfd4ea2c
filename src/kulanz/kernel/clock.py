"""The one source of time. Real by default; a virtual clock drives tests and the time-lapse."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo


@dataclass(slots=True)
class VirtualClock:
    """A clock that moves only when told to. `at` is aware, in UTC."""

    at: datetime

    def advance_to(self, at: datetime) -> None:
        """Move forward to `at`; raises ValueError when that would turn time back."""
        if at < self.at:
            raise ValueError(f"a clock does not run backwards: {at} is before {self.at}")
        self.at = at

    def advance(self, by: timedelta) -> None:
        self.advance_to(self.at + by)


_lock = Lock()
_virtual: VirtualClock | None = None
_ahead = timedelta(0)


def now() -> datetime:
    """The current instant, aware, in UTC."""
    virtual = _virtual
    return datetime.now(UTC) + _ahead if virtual is None else virtual.at


def begin_at(instant: datetime) -> None:
    """Let this process's time run on from the aware `instant`: how a finished time-lapse stays usable."""
    global _ahead  # noqa: PLW0603 - time is process-wide
    _ahead = instant.astimezone(UTC) - datetime.now(UTC)


def today(timezone: str) -> date:
    """The calendar day in the IANA time zone `timezone`."""
    return now().astimezone(ZoneInfo(timezone)).date()


@contextmanager
def virtual(start: datetime) -> Iterator[VirtualClock]:
    """Replace the clock of the whole process by a virtual one that starts at the aware instant `start`."""
    global _virtual  # noqa: PLW0603 - time is process-wide: server threads of the time-lapse share it
    if start.tzinfo is None:
        raise ValueError("a virtual clock starts at an aware instant")
    clock = VirtualClock(start.astimezone(UTC))
    with _lock:
        previous, _virtual = _virtual, clock
    try:
        yield clock
    finally:
        with _lock:
            _virtual = previous
