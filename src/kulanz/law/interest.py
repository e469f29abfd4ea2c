"""Default interest, worked out row by row: exact fractions throughout, rounded once at the end.

Interest is simple: only movements of the principal go in, so interest bears none (section 289 BGB). The principal of a
day is what is open at its end: the day on which a payment counts bears no interest on what was paid. `accrue_block`
in `accrual` gives the same totals for whole columns of claims.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from kulanz.kernel.errors import InputError
from kulanz.law.caveats import Caveat, caveats
from kulanz.law.daycount import DENOMINATOR, days, weight
from kulanz.law.figures.interest import DayCount, DefaultRate, RoundingRule
from kulanz.law.packs import Pack
from kulanz.law.rates import (
    Terms,
    base_on,
    check_known,
    day_count_of,
    day_count_rule,
    default_rate,
    rounding_of,
)

_DAY = timedelta(days=1)


class Inclusive(StrEnum):
    """Which ends of a period bear interest themselves."""

    BOTH = "both"
    START = "start"
    END = "end"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Movement:
    """The principal changes by `amount` minor units on a day, before that day's interest."""

    day: date
    amount: int


@dataclass(frozen=True, slots=True)
class InterestRow:
    """A stretch with one principal and one rate, both ends included.

    `principal` minor units; `base`, None for a fixed rate, and `rate` percent a year; `amount` minor units, unrounded.
    """

    start: date
    end: date
    days: int
    principal: int
    base: Decimal | None
    rate: Decimal
    amount: Fraction


@dataclass(frozen=True, slots=True)
class Accrual:
    """`total` minor units: the sum of the unrounded rows, rounded once as `rounding` says, half up.

    `rule` is the row of law behind the rate.
    """

    rows: tuple[InterestRow, ...]
    total: int
    day_count: DayCount
    rule: DefaultRate
    rounding: RoundingRule
    caveats: tuple[Caveat, ...]


def accrue(
    movements: Sequence[Movement],
    start: date,
    end: date,
    pack: Pack,
    terms: Terms,
    *,
    inclusive: Inclusive = Inclusive.BOTH,
) -> Accrual:
    """Default interest on a principal from `start` to `end`.

    `start` is the first day of default, the day after the one that started it (section 187(1) BGB); `inclusive` says
    whether both ends bear interest. A principal below zero bears none. A total rate is not floored at zero: with the
    points of section 288 BGB on top, no base rate of the table brings it there. Raises NoRate where a rate is missing
    for any day, InputError where the period ends before it begins.
    """
    if end < start:
        raise InputError(f"The period ends on {end.isoformat()}, before it begins on {start.isoformat()}.")
    first = start if inclusive in (Inclusive.BOTH, Inclusive.START) else start + _DAY
    last = end if inclusive in (Inclusive.BOTH, Inclusive.END) else end - _DAY
    rule, day_count = default_rate(pack, terms), day_count_of(pack, terms)
    if first <= last:
        check_known(pack, rule, first, last)
    rows = tuple(
        InterestRow(
            begin,
            until,
            days(begin, until, day_count),
            principal,
            base,
            rate,
            principal
            * Fraction(rate)
            / 100
            * Fraction(weight(begin, until, day_count), DENOMINATOR[day_count]),
        )
        for begin, until, principal, base, rate in _stretches(movements, first, last, pack, rule, terms)
    )
    total = half_up(sum((row.amount for row in rows), Fraction(0)))
    open_questions = _open_questions(pack, rule, rows, terms)
    return Accrual(rows, total, day_count, rule, rounding_of(pack, terms), open_questions)


def half_up(amount: Fraction) -> int:
    """Rounded to a whole number of minor units, halves away from zero."""
    rounded = (2 * abs(amount.numerator) + amount.denominator) // (2 * amount.denominator)
    return rounded if amount >= 0 else -rounded


_Stretch = tuple[date, date, int, Decimal | None, Decimal]


def _stretches(
    movements: Sequence[Movement], first: date, last: date, pack: Pack, rule: DefaultRate, terms: Terms
) -> Iterator[_Stretch]:
    """(first day, last day, principal, base rate, rate) wherever something is owed."""
    for begin, after in pairwise(_cuts(movements, first, last, pack, rule)):
        until = after - _DAY
        base = base_on(pack, begin).percent if rule.over == "base" else None
        principal = sum(move.amount for move in movements if move.day <= begin)
        if principal > 0:
            yield begin, until, principal, base, terms.overrides.of((base or Decimal(0)) + rule.percent)


def _cuts(
    movements: Sequence[Movement], first: date, last: date, pack: Pack, rule: DefaultRate
) -> list[date]:
    """The days on which something changes, and the day after the last."""
    if last < first:
        return []
    cuts = {first, last + _DAY}
    cuts |= {move.day for move in movements if first < move.day <= last}
    cuts |= {date(year, 1, 1) for year in range(first.year + 1, last.year + 1)}
    if rule.over == "base":
        cuts |= {row.valid_from for row in pack.base_rates if first < row.valid_from <= last}
    return sorted(cuts)


def _open_questions(
    pack: Pack, rule: DefaultRate, rows: Sequence[InterestRow], terms: Terms
) -> tuple[Caveat, ...]:
    used = {base_on(pack, row.start).valid_from for row in rows} if rule.over == "base" else set()
    bases = [row for row in pack.base_rates if row.valid_from in used]
    counts = [day_count_rule(pack, terms)] if terms.day_count is None else []
    return (
        *caveats("default interest rate", [rule]),
        *caveats("base rate", bases),
        *caveats("day count", counts),
    )
