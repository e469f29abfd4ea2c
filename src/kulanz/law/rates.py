"""Which default rate holds for a debt, and which on a day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kulanz.kernel.errors import InputError
from kulanz.law.figures.interest import BaseRate, DayCount, DefaultRate, Party
from kulanz.law.packs import NoRate, Pack


@dataclass(frozen=True, slots=True)
class Overrides:
    """A creditor's own terms, only ever in the customer's favour: a highest rate, percent a year."""

    max_rate: Decimal | None = None

    def __post_init__(self) -> None:
        if self.max_rate is not None and self.max_rate < 0:
            raise InputError("The highest interest rate is not below zero.")

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
    if not rows or arose > dict(pack.known_until)["default_rates"]:
        raise NoRate(arose, f"default interest of {pack.jurisdiction} for a {terms.party.value}")
    return rows[-1]


def base_on(pack: Pack, day: date) -> BaseRate:
    """The base rate of a day; raises NoRate outside of the table."""
    return pack.in_force(pack.base_rates, day, "base_rates")


def day_count_of(pack: Pack, terms: Terms) -> DayCount:
    """The day count of the terms, else the jurisdiction's own."""
    return terms.day_count or pack.day_counts[-1].day_count


def named_day_count(name: str) -> DayCount | None:
    """The day count of this name; None for an empty one. Raises InputError for an unknown one."""
    try:
        return DayCount(name) if name else None
    except ValueError:
        known = ", ".join(each.value for each in DayCount)
        raise InputError(f"{name!r} is no day count; choose one of {known}.") from None
