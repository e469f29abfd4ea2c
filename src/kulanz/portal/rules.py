"""What a customer's page shows and allows, decided over plain values."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from kulanz.claims.queries import ClaimLine, HoldLine
from kulanz.claims.rules import ClaimState
from kulanz.payments.offers.rules import PROMISE_DAYS, PROMISES

PAID_REST_DAYS = 5
"""Reminders rest this long after 'I have paid already': two banking days, a weekend, one to match."""
PAID_BACK_DAYS = 60


class Situation(StrEnum):
    """Which message comes first."""

    PAID = "paid"
    HANDED_OVER = "handed_over"
    WRITTEN_OFF = "written_off"
    BARRED = "barred"
    CARED = "cared"
    DISPUTED = "disputed"
    ASKED = "asked"
    HELPED = "helped"
    PAUSED = "paused"
    PENDING = "pending"
    PLANNED = "planned"
    PROMISED = "promised"
    OPEN = "open"


_BY_REASON = {
    "vulnerable": Situation.CARED,
    "dispute": Situation.DISPUTED,
    "question": Situation.ASKED,
    "hardship": Situation.HELPED,
    "payment_pending": Situation.PENDING,
    "plan": Situation.PLANNED,
    "promise": Situation.PROMISED,
}
_ORDER = (
    Situation.CARED,
    Situation.DISPUTED,
    Situation.HELPED,
    Situation.PAUSED,
    Situation.PENDING,
    Situation.PLANNED,
    Situation.PROMISED,
    Situation.ASKED,
)


def situation(
    open_amount: int, holds: Collection[HoldLine], claims: Collection[ClaimLine]
) -> tuple[Situation, datetime | None]:
    """The message that matters most and until when it holds; nothing owed here beats every hold.

    What is time-barred with everything that is open is not demanded, whatever else rests.
    """
    if open_amount <= 0:
        return _settled({claim.state for claim in claims}), None
    found = {_BY_REASON.get(hold.reason, Situation.PAUSED): hold.until_at for hold in holds}
    owing = [claim.barred for claim in claims if claim.open_amount > 0]
    if owing and all(owing) and Situation.CARED not in found:
        return Situation.BARRED, None
    first = next((each for each in _ORDER if each in found), Situation.OPEN)
    return first, found.get(first)


def _settled(states: Collection[ClaimState]) -> Situation:
    """Why nothing is owed here: another asks for it now, nobody does, or it was paid."""
    if ClaimState.HANDED_OVER in states:
        return Situation.HANDED_OVER
    return Situation.WRITTEN_OFF if ClaimState.WRITTEN_OFF in states else Situation.PAID


@dataclass(frozen=True, slots=True)
class Window:
    """The days that may be promised, both included; None for `last` where no promise is taken any more."""

    first: date
    last: date | None


def promise_window(today: date, promised_on: date | None, promises: int) -> Window:
    """`promised_on` is when the promise in force was given, `promises` how many were given of late."""
    tomorrow = today + timedelta(days=1)
    if promised_on is None and promises >= PROMISES:
        return Window(tomorrow, None)
    last = (promised_on or today) + timedelta(days=PROMISE_DAYS)
    return Window(tomorrow, last if last >= tomorrow else None)


def suggestions(window: Window) -> tuple[date, ...]:
    """Up to three days to choose from: in one week, in two weeks, and the first of the next month."""
    if window.last is None:
        return ()
    today = window.first - timedelta(days=1)
    month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    days = {today + timedelta(days=7), today + timedelta(days=14), month}
    return tuple(sorted(day for day in days if window.first <= day <= window.last))


def masked(number: str) -> str:
    """A customer number that its owner knows again; what is left hidden may be asked for at the account's door."""
    shown = number[-3:] if len(number) > 7 else number[-1:]
    return f"•••{shown}"


def masked_point(value: str) -> str:
    """An e-mail address or telephone number in the same way."""
    name, at, host = value.partition("@")
    return f"{name[:1]}•••@{host}" if at else f"•••{value[-3:]}"
