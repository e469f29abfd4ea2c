"""Default interest for columns of claims: the same totals as `interest.accrue`, to the minor unit.

Simple interest is linear in each movement of the principal, so a claim's total is a sum over its movements of
amount x (index at the end - index before it began), where the index counts rate x day weight in whole numbers over one
denominator. Nothing is rounded before the end; sums that would not fit into 64 bits are worked out in Python's own
whole numbers.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kulanz.kernel.errors import InputError
from kulanz.law.daycount import DENOMINATOR, weights
from kulanz.law.figures.interest import DayCount, DefaultRate
from kulanz.law.packs import NoRate, Pack
from kulanz.law.rates import NO_OVERRIDES, Overrides, check_known, known_days

Ints = NDArray[np.int64]
RATE = 1000
"""Rates are whole thousandths of a percent."""
_EPOCH = date(1970, 1, 1)
_ROOM = 2.0**62
"""Half of what 64 bits hold: the bound is itself worked out in floats."""


@dataclass(frozen=True, slots=True)
class RateIndex:
    """Rate x weight summed up to each day from `first` on, int64; entry k is before day `first` + k.

    `denominator` turns amount x index into minor units.
    """

    first: date
    known_until: date
    sums: Ints
    denominator: int

    def at(self, day: Ints) -> Ints:
        """The index before each epoch day; raises NoRate outside of what is known."""
        place = day - (self.first - _EPOCH).days
        if len(place) and place.min() < 0:
            raise NoRate(_date(int(day.min())), "rate of default interest")
        if len(place) and place.max() >= len(self.sums):
            raise NoRate(_date(int(day.max()) - 1), "rate of default interest")
        found: Ints = self.sums[place]
        return found


@lru_cache(maxsize=256)
def rate_index(
    pack: Pack, rule: DefaultRate, day_count: DayCount, overrides: Overrides = NO_OVERRIDES
) -> RateIndex:
    """The index of one rule under one day count; raises NoRate where the rule has no rate on any day."""
    rows = pack.base_rates if rule.over == "base" else ()
    first, until = known_days(pack, rule)
    if until < first:
        check_known(pack, rule, rule.valid_from, rule.valid_from)
    n = (until - first).days + 1
    rates = np.empty(n, np.int64)
    if not rows:
        rates[:] = _thousandths(overrides, rule)
    for row in rows:
        rates[(row.valid_from - first).days :] = _thousandths(overrides, rule, row.percent)
    steps = rates * weights(first, n, day_count)
    return RateIndex(
        first, until, np.concatenate([[0], np.cumsum(steps)]), 100 * RATE * DENOMINATOR[day_count]
    )


def accrue_block(index: RateIndex, claim: Ints, day: Ints, amount: Ints, start: Ints, end: Ints) -> Ints:
    """Interest of n claims from `start` to `end` (epoch days, both included, int64[n]), int64[n] minor units.

    `claim` int64[m] ascending, `day` and `amount` int64[m]: the movements of the principal of each claim by its place.
    A claim whose period ends before it begins has none. The principal must not fall below zero: raises InputError;
    raises NoRate where a rate is missing for any day of a period.
    """
    if len(claim) and (np.diff(claim) < 0).any():
        raise InputError("Movements come in the order of their claims.")
    _check_never_negative(claim, day, amount)
    totals = np.zeros(len(start), np.int64)
    runs = end >= start
    until, begin = end[claim] + 1, np.maximum(start[claim], day)
    counts = runs[claim] & (begin < until)
    if not counts.any():
        return totals
    claim, amount = claim[counts], amount[counts]
    span = index.at(until[counts]) - index.at(begin[counts])
    first = np.flatnonzero(np.r_[True, np.diff(claim) > 0])
    largest = float(np.add.reduceat(np.abs(amount.astype(np.float64)), first).max()) * float(span.max())
    if 2 * largest + index.denominator < _ROOM:
        sums = np.add.reduceat(amount * span, first)
        totals[claim[first]] = (2 * sums + index.denominator) // (2 * index.denominator)
    else:
        exact = np.add.reduceat(amount.astype(object) * span.astype(object), first)
        rounded = [(2 * int(s) + index.denominator) // (2 * index.denominator) for s in exact]
        totals[claim[first]] = np.array(rounded, np.int64)
    return totals


def _check_never_negative(claim: Ints, day: Ints, amount: Ints) -> None:
    if not len(amount) or amount.min() >= 0:
        return
    order = np.lexsort((day, claim))
    running = np.cumsum(amount[order])
    ordered = claim[order]
    starts = np.flatnonzero(np.r_[True, np.diff(ordered) > 0])
    before = np.r_[0, running[starts[1:] - 1]]
    of_claim = running - np.repeat(before, np.diff(np.r_[starts, len(ordered)]))
    day_ends = np.r_[(np.diff(ordered) > 0) | (np.diff(day[order]) > 0), True]
    if (of_claim[day_ends] < 0).any():
        raise InputError(
            "The principal of a claim falls below zero; set its credit off before accruing interest."
        )


def _thousandths(overrides: Overrides, rule: DefaultRate, base: Decimal = Decimal(0)) -> int:
    exact = overrides.of(rule.percent + base) * RATE
    if exact != int(exact):
        raise InputError(f"A rate has at most three decimals; {exact / RATE} percent has more.")
    return int(exact)


def _date(epoch_day: int) -> date:
    return _EPOCH + timedelta(days=epoch_day)
