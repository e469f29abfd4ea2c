"""What helps a household with this budget, decided over plain values. Amounts are minor units a month."""

from dataclasses import dataclass
from enum import StrEnum

ROUND = 500
"""Rates are proposed in steps of this."""
SHARE = 2
"""At most one part in so many of what is left goes into a rate: life is not planned to the last coin."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`maintained`: people whom the customer supports by law; `debts`: what is paid on other debts."""

    maintained: int
    income: int
    housing: int
    living: int
    debts: int

    @property
    def left(self) -> int:
        """May be below 0."""
        return self.income - self.housing - self.living - self.debts


class Way(StrEnum):
    """What is proposed first."""

    REST = "rest"
    SMALL_RATE = "small_rate"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Advice:
    """`rate`: what could be paid a month without need; 0 for rest."""

    way: Way
    rate: int


def advise(budget: Budget, seizable: int | None, least_rate: int, owed: int) -> Advice:
    """Rest where nothing is left or nothing may be taken; else a rate of at most half of what is.

    `seizable` None: no figure of protected income is known, and what is left decides alone. A rate below the creditor's
    `least_rate` needs a person.
    """
    spare = budget.left if seizable is None else min(budget.left, seizable)
    rate = max(0, spare) // SHARE // ROUND * ROUND
    if rate == 0:
        return Advice(Way.REST, 0)
    rate = min(rate, owed)
    return Advice(Way.SMALL_RATE if rate >= min(least_rate, owed) else Way.PERSON, rate)
