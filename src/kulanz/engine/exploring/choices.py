"""A decider over a flat set of actions in the shape in which every policy decides."""

import numpy as np

from kulanz.engine.actions import WAIT, Allowed, Decisions
from kulanz.engine.arrays import Codes, Floats, Ints, Singles
from kulanz.engine.exploring.flat import FlatDecider, FlatDecisions
from kulanz.engine.exploring.options import Options


class FlatChoices:
    """An action is its channel; slot, tone and offer are 0. Where all is vetoed, nothing is done (-1)."""

    def __init__(self, decider: FlatDecider) -> None:
        self._decider = decider

    def scores(self, contexts: Singles) -> Singles:
        return self._decider.scores(contexts)

    def decide(
        self, contexts: Singles, allowed: Allowed, seed: int, ids: Ints, *, keep_scores: bool = True
    ) -> Decisions:
        return _shaped(self._decider.decide(contexts, allowed.mask, seed, ids, keep_scores=keep_scores))

    def replay(self, scores: Singles, allowed: Allowed, seed: int, ids: Ints) -> Decisions:
        return _shaped(self._decider.replay(scores, allowed.mask, seed, ids))

    def options(self, scores: Singles, allowed: Allowed) -> Options:
        """Waiting is none of them."""
        arms = self._decider.actions
        value = np.full((len(scores), 1 + arms), -np.inf, dtype=np.float32)
        value[:, 1:] = np.where(allowed.mask, scores[:, :arms], -np.inf)
        variance = np.ones_like(value)
        if self._decider.explorer.needs_spreads:
            variance[:, 1:] = np.square(scores[:, arms:])
        return Options(value, variance, self._decider.explorer)

    def propensity_of(self, scores: Singles, allowed: Allowed, actions: Codes) -> Floats:
        return self._decider.propensity_of(scores, allowed.mask, actions[:, 0])


def _shaped(found: FlatDecisions) -> Decisions:
    actions = np.zeros((len(found), 4), dtype=np.int16)
    actions[:, 0] = found.choice
    if found.vetoed_all.any():
        actions[found.vetoed_all] = WAIT
    scores = np.empty((len(found), 0), dtype=np.float32) if found.scores is None else found.scores
    return Decisions(
        actions=actions,
        wait=found.vetoed_all,
        propensity=found.propensity,
        score=found.score,
        spread=found.spread,
        best_score=found.best_score,
        best_spread=found.best_spread,
        scores=scores,
        vetoed_all=found.vetoed_all,
    )
