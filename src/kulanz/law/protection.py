"""Protected income: how much of a person's net income a month is out of a creditor's reach.

Germany: section 850c ZPO with the yearly notice of its figures; United States: 15 U.S.C. 1673(a). The other packs hold
no figure; neither do these past their `known_until`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from kulanz.kernel.errors import InputError
from kulanz.law.caveats import Caveat, caveats
from kulanz.law.figures.protection import DebtAdvice, ProtectedIncome
from kulanz.law.packs import Pack

_CENT = Decimal("0.01")
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Protection:
    """Amounts a month in the pack's currency; `protected` + `seizable` = `income`."""

    income: Decimal
    protected: Decimal
    seizable: Decimal
    source: str
    caveats: tuple[Caveat, ...]


def protection(pack: Pack, on: date, income: Decimal, maintained: int) -> Protection:
    """What of a net income is protected where the person maintains so many others.

    Raises NoRate where the pack has no figure for the day, InputError for a negative income or number.
    """
    if income < 0 or maintained < 0:
        raise InputError("Income and the number of people maintained are 0 or more.")
    row: ProtectedIncome = pack.in_force(pack.protected_income, on, "protected_income")
    seizable = min(_above(row, income, min(maintained, row.persons)), (1 - row.least_share) * income)
    seizable = max(_NOTHING, seizable).quantize(_CENT, ROUND_HALF_UP)
    return Protection(income, income - seizable, seizable, row.source, caveats("protected income", [row]))


def debt_advice(pack: Pack, on: date) -> tuple[DebtAdvice, ...]:
    """Who advises free of charge on a day; empty where the pack knows nobody."""
    if on > pack.end_of("debt_advice"):
        return ()
    return tuple(row for row in pack.debt_advice if row.valid_from <= on)


def _above(row: ProtectedIncome, income: Decimal, maintained: int) -> Decimal:
    """The part of the income above the protected sum that may be taken."""
    free, kept = row.base, row.keep
    if maintained:
        free += row.first + (maintained - 1) * row.further
        kept += row.keep_first + (maintained - 1) * row.keep_further
    limit = income if row.everything_above is None else min(income, row.everything_above)
    whole = limit if row.step is None else limit // row.step * row.step
    return max(_NOTHING, whole - free) * (1 - kept) + (income - limit)
