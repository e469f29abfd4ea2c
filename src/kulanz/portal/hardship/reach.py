"""What the law packs say for the creditor in scope: protected income, and who advises free of charge."""

from dataclasses import dataclass
from datetime import date

from kulanz.kernel.money import Money, to_minor
from kulanz.law.figures.protection import DebtAdvice
from kulanz.law.packs import NoRate, Pack
from kulanz.law.protection import debt_advice, protection
from kulanz.portal.hardship.rules import Budget
from kulanz.tenancy.law import pack
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id


@dataclass(frozen=True, slots=True)
class Reach:
    """Protected and seizable income, minor units a month, with the law and the warnings of unverified figures."""

    protected: int
    seizable: int
    source: str
    warnings: tuple[str, ...]


def reach(budget: Budget, currency: str, language: str, on: date) -> Reach | None:
    """None where no figure is known for the day, or none in this currency."""
    figures = _pack()
    if figures.currency != currency:
        return None
    try:
        found = protection(figures, on, Money(budget.income, currency).decimal, budget.maintained)
    except NoRate:
        return None
    return Reach(
        to_minor(str(found.protected), currency),
        to_minor(str(found.seizable), currency),
        found.source,
        tuple(caveat.text(language) for caveat in found.caveats),
    )


def advisers(on: date) -> tuple[DebtAdvice, ...]:
    """Those of the creditor's country."""
    return debt_advice(_pack(), on)


def _pack() -> Pack:
    return pack(Creditor.objects.values_list("jurisdiction", flat=True).get(id=creditor_id()))
