"""How a plan stands: what of each rate is paid, derived from the money that came in since it was agreed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

NOTICE_AFTER = timedelta(days=2)
"""A transfer of the due day is on the account by then; nobody is told of a missed rate before."""


class RateState(StrEnum):
    """Where one rate is."""

    PAID = "paid"
    UPCOMING = "upcoming"
    DUE = "due"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Money:
    """What came in (> 0) or went back (< 0) on a value date, minor units."""

    day: date
    amount: int


@dataclass(frozen=True, slots=True)
class RateFacts:
    """A stored rate; `told_on`: the day on which the customer was told that it is missing."""

    number: int
    due_on: date
    amount: int
    told_on: date | None = None


@dataclass(frozen=True, slots=True)
class RateStanding:
    """One rate as it stands. `paid_on`: value date that completed it; `grace_until`: pay by then and all is well."""

    number: int
    due_on: date
    amount: int
    paid: int
    state: RateState
    paid_on: date | None
    grace_until: date
    told_on: date | None

    @property
    def rest(self) -> int:
        return self.amount - self.paid


@dataclass(frozen=True, slots=True)
class Standing:
    """`rest`: still to pay under the plan; `relief`: owed less for other reasons than payments, off the last rates."""

    rates: tuple[RateStanding, ...]
    paid: int
    rest: int
    relief: int

    @property
    def next(self) -> RateStanding | None:
        """The first rate that is not fully paid."""
        return next((rate for rate in self.rates if rate.state is not RateState.PAID), None)

    @property
    def overdue(self) -> tuple[RateStanding, ...]:
        return tuple(rate for rate in self.rates if rate.state is RateState.OVERDUE)


def stand(
    rates: Sequence[RateFacts], money: Sequence[Money], open_amount: int, today: date, grace_days: int
) -> Standing:
    """Spread what came in over the rates in their order, money in the order of its value dates.

    `open_amount`: what the case owes now. Where it is less than the plan's rest, a credit note or waiver has lowered
    the debt, and the last rates shrink.
    """
    total = sum(rate.amount for rate in rates)
    received = min(total, max(0, sum(each.amount for each in money)))
    rest = min(total - received, max(0, open_amount))
    relief = total - received - rest
    arrived = sorted(money, key=lambda each: each.day)
    found, before = [], 0
    for rate, amount in zip(rates, _relieved(rates, relief), strict=True):
        paid = max(0, min(amount, received - before))
        before += amount
        done = paid >= amount
        found.append(
            RateStanding(
                number=rate.number,
                due_on=rate.due_on,
                amount=amount,
                paid=paid,
                state=RateState.PAID if done else _state(rate.due_on, today),
                paid_on=_covered_on(arrived, before) if done and amount else None,
                grace_until=max(rate.due_on, rate.told_on or rate.due_on + NOTICE_AFTER)
                + timedelta(days=grace_days),
                told_on=rate.told_on,
            )
        )
    return Standing(tuple(found), received, rest, relief)


def to_tell(standing: Standing, today: date, *, at_once: bool = False) -> tuple[RateStanding, ...]:
    """Missed rates that the customer has not been told of; `at_once`: money went back, so waiting has no sense."""
    return tuple(
        rate
        for rate in standing.overdue
        if rate.told_on is None and (at_once or today > rate.due_on + NOTICE_AFTER)
    )


def is_broken(standing: Standing, today: date) -> bool:
    """Whether a rate that the customer was told of is still missing after its grace."""
    return any(rate.told_on is not None and today > rate.grace_until for rate in standing.overdue)


def _state(due_on: date, today: date) -> RateState:
    if due_on < today:
        return RateState.OVERDUE
    return RateState.DUE if due_on == today else RateState.UPCOMING


def _relieved(rates: Sequence[RateFacts], relief: int) -> list[int]:
    """The amounts with the relief taken off from the end."""
    amounts = [rate.amount for rate in rates]
    for place in range(len(amounts) - 1, -1, -1):
        off = min(relief, amounts[place])
        amounts[place] -= off
        relief -= off
    return amounts


def _covered_on(arrived: Sequence[Money], amount: int) -> date | None:
    """The day from which on at least `amount` was there for good."""
    day, total = None, 0
    for each in arrived:
        before, total = total, total + each.amount
        if before < amount <= total:
            day = each.day
    return day
