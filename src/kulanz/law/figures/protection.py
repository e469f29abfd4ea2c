"""Rows of protection: the income that nobody may take, and who advises people in debt free of charge."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ProtectedIncome:
    """Net income a month that is out of reach, in the pack's currency.

    `base` alone, `first` and `further` more for people maintained, of whom `persons` count. Of income above that the
    shares `keep`, `keep_first` and `keep_further` stay as well, up to `everything_above`, past which nothing does; it
    is rounded down to whole `step`. `least_share` of all income stays in any case.
    """

    valid_from: date
    base: Decimal
    source: str
    verified: bool
    first: Decimal = Decimal(0)
    further: Decimal = Decimal(0)
    persons: int = 0
    keep: Decimal = Decimal(0)
    keep_first: Decimal = Decimal(0)
    keep_further: Decimal = Decimal(0)
    everything_above: Decimal | None = None
    step: Decimal | None = None
    least_share: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class DebtAdvice:
    """Who advises free of charge. `phone` may be empty."""

    valid_from: date
    name: str
    url: str
    phone: str
    source: str
    verified: bool
