"""Instalment plans, decided without touching anything: the schedule, the creditor's rules, the nearest offer.

Amounts are minor units of the case's currency.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import count as numbers

from kulanz.kernel.errors import InputError

MOST_RATES = 600
"""No schedule is longer, whatever the creditor's rules say."""


class Rhythm(StrEnum):
    """How often a rate falls due. Salary day: on one day of each month, the first of them not before the start."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    SALARY_DAY = "salary_day"


_STEP = {Rhythm.WEEKLY: timedelta(days=7), Rhythm.FORTNIGHTLY: timedelta(days=14)}


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What a creditor agrees to without asking a person; `max_months` from the first rate to the last."""

    min_rate: int = 2000
    max_months: int = 12
    start_within_days: int = 31
    rhythms: tuple[Rhythm, ...] = tuple(Rhythm)
    fee: int = 0
    interest_during: bool = False
    grace_days: int = 7
    replans: int = 1
    pauses: int = 1
    max_amount: int = 500_000
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a customer proposes: exactly one of `rate` (minor units) and `count` (number of rates).

    `pay_day`: day of the month, 1 to 31, for salary day alone; in shorter months the last day.
    """

    rhythm: Rhythm
    first_on: date
    rate: int | None = None
    count: int | None = None
    pay_day: int | None = None


@dataclass(frozen=True, slots=True)
class RateDue:
    """One rate; numbers begin at 1."""

    number: int
    due_on: date
    amount: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a plan costs, told before it is agreed. `debt`: owed now; `interest`: expected while the plan runs."""

    debt: int
    fee: int = 0
    interest: int = 0

    @property
    def plan(self) -> int:
        """What the plan adds to the debt."""
        return self.fee + self.interest

    @property
    def total(self) -> int:
        return self.debt + self.plan


class Reason(StrEnum):
    """Why a proposal was accepted or not."""

    ACCEPTED = "accepted"
    NOT_OFFERED = "not_offered"
    NOTHING_OWED = "nothing_owed"
    NEEDS_PERSON = "needs_person"
    RHYTHM = "rhythm"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    RATE_TOO_SMALL = "rate_too_small"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Decision:
    """`nearest`: what would be accepted and is closest to what was proposed; None where only a person can help."""

    reason: Reason
    nearest: Proposal | None = None

    @property
    def accepted(self) -> bool:
        return self.reason is Reason.ACCEPTED


def schedule(total: int, proposal: Proposal) -> tuple[RateDue, ...]:
    """The rates of a total; their sum is exactly the total, and the last takes the rest.

    Raises InputError for a total of nothing and a proposal that cannot be spread.
    """
    if total <= 0:
        raise InputError("Nothing is owed that could be paid in rates.")
    amounts = _by_rate(total, proposal.rate) if proposal.rate is not None else _by_count(total, proposal)
    days = due_days(proposal)
    return tuple(RateDue(n, next(days), amount) for n, amount in enumerate(amounts, start=1))


def due_days(proposal: Proposal) -> Iterator[date]:
    """The days on which rates fall due, without end."""
    step = _STEP.get(proposal.rhythm)
    if step is not None:
        return (proposal.first_on + n * step for n in numbers())
    anchor = anchor_day(proposal)
    begin = proposal.first_on.replace(day=1)
    if _in_month(begin, anchor) < proposal.first_on:
        begin = _months_later(begin, 1)
    return (_in_month(_months_later(begin, n), anchor) for n in numbers())


def anchor_day(proposal: Proposal) -> int:
    """The day of the month on which rates fall due."""
    if proposal.rhythm is not Rhythm.SALARY_DAY:
        return proposal.first_on.day
    if proposal.pay_day is None or not 1 <= proposal.pay_day <= 31:
        raise InputError("A salary day is a day of the month, 1 to 31.")
    return proposal.pay_day


def put_off(day: date, rhythm: Rhythm, anchor: int) -> date:
    """A rate's day after a pause: a month later, or four weeks where rates are weekly or fortnightly."""
    if rhythm in _STEP:
        return day + timedelta(weeks=4)
    return months_later(day, 1, anchor)


def months_later(day: date, months: int, anchor: int | None = None) -> date:
    """The same day of a later month, or day `anchor` of it; the last day where the month is shorter."""
    return _in_month(_months_later(day.replace(day=1), months), anchor or day.day)


def decide(
    proposal: Proposal, terms: PlanTerms, today: date, open_amount: int, total: int | None = None
) -> Decision:
    """Whether a creditor's rules accept a proposal, at once, with the reason and the nearest acceptable one.

    `total`: what is spread, the open amount with the plan's cost; the open amount alone decides who decides.
    """
    total = open_amount if total is None else total
    if open_amount <= 0:
        return Decision(Reason.NOTHING_OWED)
    if not terms.offered or not terms.rhythms:
        return Decision(Reason.NOT_OFFERED)
    if open_amount > terms.max_amount:
        return Decision(Reason.NEEDS_PERSON)
    reason = _refused(proposal, terms, today, total)
    if reason is None:
        return Decision(Reason.ACCEPTED)
    return Decision(reason, nearest(proposal, terms, today, total))


def nearest(proposal: Proposal, terms: PlanTerms, today: date, total: int) -> Proposal:
    """The closest proposal that the rules accept; the customer's rhythm and day stay where they may."""
    usual = Rhythm.MONTHLY if Rhythm.MONTHLY in terms.rhythms else terms.rhythms[0]
    rhythm = proposal.rhythm if proposal.rhythm in terms.rhythms else usual
    first, last = start_window(terms, today)
    start = min(max(proposal.first_on, first), last)
    pay_day = (proposal.pay_day or start.day) if rhythm is Rhythm.SALARY_DAY else None
    found = replace(proposal, rhythm=rhythm, first_on=start, pay_day=pay_day)
    most = most_rates(found, terms)
    smallest = _smallest(terms, total)
    if proposal.rate is not None:
        return replace(found, rate=min(total, max(proposal.rate, smallest, -(-total // most))))
    return replace(found, count=max(1, min(proposal.count or 1, most, total // smallest)))


def start_window(terms: PlanTerms, today: date) -> tuple[date, date]:
    """First and last day on which a plan may start."""
    tomorrow = today + timedelta(days=1)
    return tomorrow, max(tomorrow, today + timedelta(days=terms.start_within_days))


def most_rates(proposal: Proposal, terms: PlanTerms) -> int:
    """How many rates fit into the creditor's longest plan, at least one."""
    days = due_days(proposal)
    first = next(days)
    end = months_later(first, max(1, terms.max_months))
    found = 1
    while found < MOST_RATES and next(days) < end:
        found += 1
    return found


def _refused(proposal: Proposal, terms: PlanTerms, today: date, total: int) -> Reason | None:
    if proposal.rhythm not in terms.rhythms:
        return Reason.RHYTHM
    first, last = start_window(terms, today)
    if not first <= proposal.first_on <= last:
        return Reason.TOO_EARLY if proposal.first_on < first else Reason.TOO_LATE
    asked = proposal.rate if proposal.rate is not None else total // max(1, proposal.count or 1)
    if asked < _smallest(terms, total):
        return Reason.RATE_TOO_SMALL
    length = proposal.count if proposal.rate is None else -(-total // proposal.rate)
    return Reason.TOO_LONG if (length or 1) > most_rates(proposal, terms) else None


def _smallest(terms: PlanTerms, total: int) -> int:
    """The least of a rate; all of a small debt is never too little."""
    return max(1, min(terms.min_rate, total))


def _by_rate(total: int, rate: int) -> list[int]:
    if rate <= 0:
        raise InputError("A rate is more than zero.")
    full, rest = divmod(total, rate)
    _not_too_many(full)
    return [rate] * full + ([rest] if rest else [])


def _by_count(total: int, proposal: Proposal) -> list[int]:
    count = proposal.count or 0
    _not_too_many(count)
    if not 1 <= count <= total:
        raise InputError("A plan has at least one rate, and each rate is more than zero.")
    each = total // count
    return [each] * (count - 1) + [total - each * (count - 1)]


def _not_too_many(count: int) -> None:
    if count > MOST_RATES:
        raise InputError(f"A plan has at most {MOST_RATES} rates.")


def _months_later(first_of_month: date, months: int) -> date:
    month = first_of_month.month - 1 + months
    return date(first_of_month.year + month // 12, month % 12 + 1, 1)


def _in_month(first_of_month: date, day: int) -> date:
    """A day of a month, the last where the month is shorter."""
    return first_of_month.replace(day=min(day, monthrange(first_of_month.year, first_of_month.month)[1]))
