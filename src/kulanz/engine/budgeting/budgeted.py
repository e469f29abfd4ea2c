"""Deciding a whole batch within a budget: prices on what is scarce, a draw at these prices, and a last cut."""

from dataclasses import dataclass, replace

import numpy as np

from kulanz.engine.actions import ActionSpace, Allowed, Decisions
from kulanz.engine.arrays import Bools, Floats, Ints, Singles
from kulanz.engine.budgeting.budgets import Budget, BudgetPlan, plan, within
from kulanz.engine.draws import Stream, uniforms
from kulanz.engine.learners import Decider

_MARGIN = 1.0
"""Standard deviations kept back for the luck of the draw: what oversteps a limit is cut, a few rows at most."""


@dataclass(frozen=True, slots=True)
class Budgeted:
    """`decisions` as drawn; where kept bool[n] is false there was no room, and the case waits for a later batch.

    Propensities are those of the draw: `decisions.scores` (prices taken off) with `allowed` (shortlist taken in)
    replay it. Leave the other rows out of learning, which does not mind; importance weighting over the kept rows
    is off by the share that was cut.
    """

    decisions: Decisions
    kept: Bools
    allowed: Allowed
    plan: BudgetPlan

    @property
    def waits(self) -> Bools:
        """bool[n]: nothing is done, by choice or for want of room."""
        return self.decisions.wait | ~self.kept


def decide_within(
    decider: Decider,
    space: ActionSpace,
    scores: Singles,
    allowed: Allowed,
    budget: Budget,
    *,
    seed: int,
    ids: Ints,
) -> Budgeted:
    """The total use of the kept rows is within every limit of `budget`, without exception."""
    use = budget.matrix(space)
    options = decider.options(scores, allowed)
    found = plan(
        lambda dual, opened, rows: options.chances(use @ dual, opened, rows),
        options.value,
        use,
        budget.amounts,
        margin=_MARGIN,
        ties=uniforms(seed, ids, Stream.BUDGET, 1)[:, 0],
    )
    priced = _priced(space, scores, use @ found.dual)
    shortlisted = _shortlisted(space, allowed, found.open)
    made = decider.replay(priced, shortlisted, seed, ids)
    option = np.maximum(made.actions[:, 0].astype(np.intp) + 1, 0)
    row = np.arange(len(scores))
    fallback = np.where(np.isfinite(options.value[:, 0]), options.value[:, 0], 0.0)
    gain = np.where(option > 0, options.value[row, option] - fallback, 0.0)
    kept = within(np.where(np.isfinite(gain), gain, 0.0), use[option], budget.amounts)
    return Budgeted(made, kept, shortlisted, found)


def _priced(space: ActionSpace, scores: Singles, price: Floats) -> Singles:
    """Scores with each channel's price taken off once."""
    out = scores.copy()
    channels = price[1:].astype(np.float32)
    if space.is_flat:
        out[:, : len(channels)] -= channels
    else:
        out[:, 1 : 1 + space.channel_slots] -= np.repeat(channels, space.slots)
    return out


def _shortlisted(space: ActionSpace, allowed: Allowed, opened: Bools) -> Allowed:
    when = allowed.channel_slot & np.repeat(opened[:, 1:], space.slots, axis=1)
    return replace(allowed, wait=allowed.wait & opened[:, 0], channel_slot=when)
