"""Why one decision came out as it did, in the features' own words and units."""

from dataclasses import dataclass

import numpy as np

from kulanz.engine.actions import WAIT, ActionSpace, Allowed, Decisions
from kulanz.engine.arrays import Bools, Codes, Floats, Indices, Singles
from kulanz.engine.design import Design
from kulanz.engine.features import FeatureSpec
from kulanz.kernel.errors import InputError

MOST = 5


@dataclass(frozen=True, slots=True)
class Contribution:
    """One additive part of the score. `value` is the feature's raw value in `unit`; None for a part of the
    action.

    `effect` is in reward units: what the score would lose if the part were absent (a feature at its centre).
    """

    name: str
    value: float | None
    unit: str
    effect: float


@dataclass(frozen=True, slots=True)
class Veto:
    """A forbidden choice that would have scored higher, in the table `factor` of Allowed."""

    factor: str
    names: tuple[str, ...]
    gain: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """score = base + the sum of all contributions. Of these the largest are listed first, `rest` sums up the
    others.

    `alternative` is the best allowed other action (None if there was none); `gap` = score - its score,
    negative when the decision was an exploring one.
    """

    action: tuple[str, ...]
    score: float
    propensity: float
    base: float
    contributions: tuple[Contribution, ...]
    rest: float
    alternative: tuple[str, ...] | None
    gap: float | None
    vetoes: tuple[Veto, ...]


def explain(
    design: Design,
    features: FeatureSpec,
    weights: Floats,
    context: Singles,
    allowed: Allowed,
    decision: Decisions,
) -> Explanation:
    """For one case: context float32[d], `allowed` and `decision` of one row."""
    if len(allowed) != 1 or len(decision) != 1:
        raise InputError("An explanation needs one case: one row of allowed actions and one decision.")
    space = design.space
    action = decision.actions[0]
    base = float(weights[0])
    parts = sorted(
        _contributions(design, features, weights, context, action), key=lambda part: -abs(part.effect)
    )
    table = _Leaves(space, decision.scores[0], allowed)
    other = table.best_but(action)
    score = float(decision.score[0])
    return Explanation(
        action=space.label(action),
        score=score,
        propensity=float(decision.propensity[0]),
        base=base,
        contributions=tuple(parts[:MOST]),
        rest=sum(part.effect for part in parts[MOST:]),
        alternative=None if other is None else space.label(other[0]),
        gap=None if other is None else score - other[1],
        vetoes=table.vetoes(),
    )


def _contributions(
    design: Design, features: FeatureSpec, weights: Floats, context: Singles, action: Codes
) -> list[Contribution]:
    row = design.rows(context.astype(np.float64)[None, :], action[None, :])[0]
    names = design.space.label(action)
    words = dict(zip(("channel", "weekday", "band", "tone", "offer"), names, strict=False))
    codes = design.codes(action[None, :])
    out = []
    for term in design.bias_terms[1:]:
        column = int(design.level(term, codes)[0])
        if row[column]:
            name = ", ".join(f"{factor} {words[factor]}" for factor in term.factors) or "wait"
            out.append(Contribution(name, None, "", float(weights[column])))
    if not design.context_levels:
        return out
    shape = design.context_levels, design.d
    effects = (row[design.biases :] * weights[design.biases :]).reshape(shape).sum(axis=0)
    for feature, entry, effect in zip(features.features, context, effects, strict=True):
        out.append(Contribution(feature.name, feature.raw(float(entry)), feature.unit, float(effect)))
    return out


class _Leaves:
    """All combinations of one case with their scores: small enough for one row, never done for many."""

    def __init__(self, space: ActionSpace, scores: Singles, allowed: Allowed) -> None:
        edge = 1 + space.channel_slots
        channels = len(space.channels)
        self.space = space
        self.wait = float(scores[0])
        self.may_wait = bool(allowed.wait[0])
        self.when = scores[1:edge].reshape(channels, -1)
        self.how = scores[edge:].reshape(channels, -1)
        self.may_when: Bools = allowed.channel_slot[0].reshape(self.when.shape)
        self.may_how: Bools = allowed.channel_tone_offer[0].reshape(self.how.shape)
        total = self.when[:, :, None] + self.how[:, None, :]
        self.leaves = np.where(self.may_when[:, :, None] & self.may_how[:, None, :], total, -np.inf)

    def best_but(self, action: Codes) -> tuple[Codes, float] | None:
        """The best allowed action apart from `action`, and its score."""
        leaves = self.leaves.copy()
        waits = action[0] == WAIT
        if not waits:
            channel, slot, tone, offer = (int(code) for code in action)
            leaves[channel, slot, tone * len(self.space.offers) + offer] = -np.inf
        best = np.unravel_index(int(leaves.argmax()), leaves.shape)
        if not waits and self.may_wait and self.wait >= leaves[best]:
            return np.full(4, WAIT, dtype=np.int16), self.wait
        if leaves[best] == -np.inf:
            return None
        return self._action(best), float(leaves[best])

    def vetoes(self) -> tuple[Veto, ...]:
        """Up to three forbidden cells whose best combination beats everything that was allowed."""
        best = max(float(self.leaves.max()), self.wait if self.may_wait else -np.inf)
        if best == -np.inf:
            return ()
        found = [] if self.may_wait else [Veto("wait", ("wait",), self.wait - best)]
        how = self._best(self.how, self.may_how)
        when = self._best(self.when, self.may_when)
        for channel, cell in zip(*np.nonzero(~self.may_when), strict=True):
            names = self.space.label(self._action((channel, cell, 0)))[:3]
            found.append(Veto("channel_slot", names, float(self.when[channel, cell] + how[channel]) - best))
        for channel, cell in zip(*np.nonzero(~self.may_how), strict=True):
            label = self.space.label(self._action((channel, 0, cell)))
            gain = float(self.how[channel, cell] + when[channel]) - best
            found.append(Veto("channel_tone_offer", (label[0], *label[3:]), gain))
        mattered = [veto for veto in found if veto.gain > 0]
        return tuple(sorted(mattered, key=lambda veto: -veto.gain)[:3])

    @staticmethod
    def _best(table: Singles, may: Bools) -> Singles:
        """Best allowed entry per channel, or the best of all where none is allowed."""
        open_to = may | ~np.any(may, axis=1, keepdims=True)
        return np.asarray(np.where(open_to, table, -np.inf).max(axis=1))

    def _action(self, leaf: "tuple[int | np.intp | Indices, ...]") -> Codes:
        channel, slot, pair = leaf
        tone, offer = np.divmod(pair, len(self.space.offers))
        return np.array([channel, slot, tone, offer], dtype=np.int16)
