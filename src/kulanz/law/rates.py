"""Which default rate holds for a debt, and which on a day."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from kulanz.kernel.errors import InputError
from kulanz.law.figures.interest import BaseRate, DayCount, DayCountRule, DefaultRate, Party, RoundingRule
from kulanz.law.packs import NoRate, Pack


@dataclass(frozen=True, slots=True)
class Overrides:
    """A creditor's own terms, only ever in the customer's favour: a highest rate, percent a year."""

    max_rate: Decimal | None = None

    def __post_init__(self) -> None:
        if self.max_rate is not None and not (self.max_rate.is_finite() and self.max_rate >= 0):
            raise InputError("The highest interest rate is a percentage such as 4.5, not below zero.")

    def of(self, rate: Decimal) -> Decimal:
        return rate if self.max_rate is None else min(rate, self.max_rate)


NO_OVERRIDES = Overrides()


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides on the interest of a debt: who owes, when it arose and was performed, and how it is counted.

    `performed_on` None: on the contract date. `day_count` None: the jurisdiction's own.
    """

    party: Party
    contract_date: date
    performed_on: date | None = None
    day_count: DayCount | None = None
    overrides: Overrides = NO_OVERRIDES


def default_rate(pack: Pack, terms: Terms) -> DefaultRate:
    """The row that governs a debt: the newest that covers the day it arose or, for older continuing contracts, the day
    of performance. Raises NoRate where the pack has none, or none for so old a debt."""
    arose = terms.contract_date
    rows = [r for r in pack.default_rates if r.covers(terms.party, arose, terms.performed_on or arose)]
    if not rows or arose > pack.end_of("default_rates"):
        raise NoRate(arose, f"default interest of {pack.jurisdiction} for a {terms.party.value}")
    return rows[-1]


def known_days(pack: Pack, rule: DefaultRate) -> tuple[date, date]:
    """The first and last day for which a rule has a rate; the last is before the first where it has none."""
    if rule.over == "nothing":
        return rule.valid_from, pack.end_of("default_rates")
    first = pack.base_rates[0].valid_from if pack.base_rates else date.max
    return first, min(pack.end_of("base_rates"), pack.end_of("default_rates"))


def check_known(pack: Pack, rule: DefaultRate, first: date, last: date) -> None:
    """Raises NoRate with a day from `first` to `last` for which a rule has no rate."""
    begins, ends = known_days(pack, rule)
    what = f"{'base_rates' if rule.over == 'base' else 'default_rates'} rule of {pack.jurisdiction}"
    if first < begins:
        raise NoRate(first, what)
    if last > ends:
        raise NoRate(max(first, ends + timedelta(days=1)), what)


def base_on(pack: Pack, day: date) -> BaseRate:
    """The base rate of a day; raises NoRate outside of the table."""
    return pack.in_force(pack.base_rates, day, "base_rates")


def day_count_rule(pack: Pack, terms: Terms) -> DayCountRule:
    """The jurisdiction's own day count for a debt of the terms' contract date."""
    return pack.in_force(pack.day_counts, terms.contract_date, "day_counts")


def day_count_of(pack: Pack, terms: Terms) -> DayCount:
    """The day count of the terms, else the jurisdiction's own."""
    return terms.day_count or day_count_rule(pack, terms).day_count


def rounding_of(pack: Pack, terms: Terms) -> RoundingRule:
    """How the totals of a debt of the terms' contract date are rounded."""
    return pack.in_force(pack.rounding, terms.contract_date, "rounding")


def named_day_count(name: str) -> DayCount | None:
    """The day count of this name; None for an empty one. Raises InputError for an unknown one."""
    try:
        return DayCount(name) if name else None
    except ValueError:
        known = ", ".join(each.value for each in DayCount)
        raise InputError(f"{name!r} is no day count; choose one of {known}.") from None
