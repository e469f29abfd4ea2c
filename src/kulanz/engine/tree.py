"""One case's decision as a tree: wait or act, then channel, then slot, then tone and offer.

The value of a branch is its best allowed leaf, so the best combination is exact without listing combinations,
and the product of the branch probabilities is the exact propensity of the leaf.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.actions import WAIT, ActionSpace, Allowed, Decisions
from kulanz.engine.arrays import Bools, Codes, Floats, Indices, Singles
from kulanz.engine.explore import gaussian_gap, inverse_gap, with_floor

STAGES = 4

Choose = Callable[[int, Indices, Floats], Indices]
"""(stage 0-3, rows, probabilities float64[rows, K]) -> the branch taken by each row."""


@dataclass(frozen=True, slots=True)
class Explorer:
    """How scores become probabilities, with the spreads of every cell (float32, per table; variances)."""

    kind: str
    gamma: float
    floor: float
    wait_variance: float
    when_variance: Singles
    how_variance: Singles

    def probabilities(self, means: NDArray[Any], variances: NDArray[Any], allowed: Bools) -> Floats:
        if self.kind == "gaussian_gap":
            return with_floor(gaussian_gap(means, np.sqrt(variances), allowed), allowed, self.floor)
        return with_floor(inverse_gap(means, allowed, self.gamma), allowed, self.floor)


@dataclass(frozen=True, slots=True)
class _Block:
    """Score tables of a block and the best leaf per channel."""

    wait: Singles
    when: Singles
    how: Singles
    may_when: Bools
    may_how: Bools
    best_when: Indices
    best_how: Indices
    value: Singles
    variance: Singles
    may_channel: Bools


def walk(
    scores: Singles, allowed: Allowed, space: ActionSpace, explorer: Explorer, choose: Choose
) -> Decisions:
    """Decide one block of cases; each row's result depends on that row alone."""
    block = _block(scores, allowed, space, explorer)
    everyone = np.arange(len(scores))
    may_act = block.may_channel.any(axis=1)
    vetoed_all = ~allowed.wait & ~may_act
    top = block.value.argmax(axis=1)
    arms = np.stack([block.wait, block.value[everyone, top]], axis=1)
    spreads = np.stack(
        [np.full(len(scores), explorer.wait_variance, dtype=np.float32), block.variance[everyone, top]],
        axis=1,
    )
    may = np.stack([allowed.wait | vetoed_all, may_act], axis=1)
    first = explorer.probabilities(arms, spreads, may)
    acts = choose(0, everyone, first) == 1
    propensity = first[everyone, acts.astype(np.intp)]
    actions = np.full((len(scores), 4), WAIT, dtype=np.int16)
    rows = np.flatnonzero(acts & may_act)
    actions[rows], below = _descend(block, rows, space, explorer, choose)
    propensity[rows] *= below
    score, variance = _chosen(block, actions, len(space.offers), explorer)
    lead = np.where(may, arms, -np.inf).argmax(axis=1)
    return Decisions(
        actions=actions,
        wait=~acts,
        propensity=propensity,
        score=score,
        spread=np.sqrt(variance),
        best_score=arms[everyone, lead],
        best_spread=np.sqrt(spreads[everyone, lead]),
        scores=scores,
        vetoed_all=vetoed_all,
    )


def _block(scores: Singles, allowed: Allowed, space: ActionSpace, explorer: Explorer) -> _Block:
    n, channels = len(scores), len(space.channels)
    edge = 1 + space.channel_slots
    when = scores[:, 1:edge].reshape(n, channels, space.slots)
    how = scores[:, edge:].reshape(n, channels, space.tone_offers)
    may_when = allowed.channel_slot.reshape(when.shape)
    may_how = allowed.channel_tone_offer.reshape(how.shape)
    may_channel = np.asarray(np.any(may_when, axis=2) & np.any(may_how, axis=2))
    best_when = np.where(may_when, when, -np.inf).argmax(axis=2)
    best_how = np.where(may_how, how, -np.inf).argmax(axis=2)
    value = _at(when, best_when) + _at(how, best_how)
    every = np.arange(channels)[None, :]
    variance = explorer.when_variance.reshape(channels, -1)[every, best_when]
    variance = variance + explorer.how_variance.reshape(channels, -1)[every, best_how]
    value = np.where(may_channel, value, -np.inf).astype(np.float32)
    return _Block(
        scores[:, 0], when, how, may_when, may_how, best_when, best_how, value, variance, may_channel
    )  # fmt: skip


def _at(table: Singles, index: Indices) -> Singles:
    return np.take_along_axis(table, index[:, :, None], axis=2)[:, :, 0]


def _descend(
    block: _Block, rows: Indices, space: ActionSpace, explorer: Explorer, choose: Choose
) -> tuple[Codes, Floats]:
    """Channel, slot, tone and offer of `rows`, and the probability of that path below "act"."""
    channels = len(space.channels)
    at = np.arange(len(rows))
    chances = explorer.probabilities(block.value[rows], block.variance[rows], block.may_channel[rows])
    channel = choose(1, rows, chances)
    propensity = chances[at, channel]
    spread = explorer.when_variance.reshape(channels, -1)[channel]
    chances = explorer.probabilities(block.when[rows, channel], spread, block.may_when[rows, channel])
    slot = choose(2, rows, chances)
    propensity = propensity * chances[at, slot]
    spread = explorer.how_variance.reshape(channels, -1)[channel]
    chances = explorer.probabilities(block.how[rows, channel], spread, block.may_how[rows, channel])
    pair = choose(3, rows, chances)
    tone, offer = np.divmod(pair, len(space.offers))
    return np.stack([channel, slot, tone, offer], axis=1).astype(np.int16), propensity * chances[at, pair]


def _chosen(block: _Block, actions: Codes, offers: int, explorer: Explorer) -> tuple[Singles, Singles]:
    score = block.wait.copy()
    variance = np.full(len(actions), explorer.wait_variance, dtype=np.float32)
    rows = np.flatnonzero(actions[:, 0] != WAIT)
    if not len(rows):
        return score, variance
    channel, slot, tone, offer = actions[rows].astype(np.intp).T
    pair = tone * offers + offer
    score[rows] = block.when[rows, channel, slot] + block.how[rows, channel, pair]
    shape = block.when.shape[1], -1
    variance[rows] = explorer.when_variance.reshape(shape)[channel, slot]
    variance[rows] += explorer.how_variance.reshape(shape)[channel, pair]
    return score, variance
