"""The interest that runs while a plan is paid, worked out before it is agreed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from kulanz.claims.interest import charging, in_default
from kulanz.claims.queries import open_items
from kulanz.law.packs import NoRate
from kulanz.payments.plans.rules import Cost, Proposal, RateDue, schedule

_ROUNDS = 20
"""Interest is paid in rates as well: so often, at most, the schedule is drawn up anew until both agree."""
Moves = list[tuple[date, int]]


def expected_interest(case_id: int, cost: Cost, proposal: Proposal, today: date) -> int | None:
    """Interest from today to the last rate if each is paid on its day, minor units.

    Rates are taken to settle cost and interest before principal, and claims in the order of their due dates, so that
    no order of the law costs more. None where the law's tables hold no rate for some day: what a plan costs has to be
    told beforehand.
    """
    own = charging()
    owing = [(item.claim_id, item.principal) for item in open_items(case_id) if item.principal]
    bearing = [claim for claim in in_default(case_id) if claim.claim_id in dict(owing)]
    if not own.charges or not bearing:
        return 0
    principal, expected = sum(amount for _, amount in owing), 0
    for _ in range(_ROUNDS):
        rates = schedule(replace(cost, interest=expected).total, proposal)
        moves = _moves(owing, rates, cost.total + expected - principal, today)
        try:
            found = sum(claim.total(moves[claim.claim_id], [], rates[-1].due_on, own) for claim in bearing)
        except NoRate:
            return None
        if found <= expected:
            break
        expected = found
    return expected


def _moves(
    owing: Iterable[tuple[int, int]], rates: Sequence[RateDue], first: int, today: date
) -> dict[int, Moves]:
    """The principal of each claim from today on: `first` minor units of the rates settle something else."""
    left = [(rate.due_on, rate.amount) for rate in rates]
    _, left = _taken(left, max(0, first))
    found: dict[int, Moves] = {}
    for claim, amount in owing:
        parts, left = _taken(left, amount)
        found[claim] = [(today, amount), *((day, -part) for day, part in parts)]
    return found


def _taken(money: Moves, amount: int) -> tuple[Moves, Moves]:
    """The first `amount` of some money, and the rest of it."""
    parts: Moves = []
    rest: Moves = []
    for day, each in money:
        part = min(each, amount)
        amount -= part
        if part:
            parts.append((day, part))
        if each > part:
            rest.append((day, each - part))
    return parts, rest
