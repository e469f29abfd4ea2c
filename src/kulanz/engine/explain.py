"""Why one decision came out as it did, in the features' own words and units.

A model says what a score is made of (`Parts`); the rest (the best alternative, the vetoes that mattered) is the
same for every model.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kulanz.engine.actions import WAIT, ActionSpace, Allowed, Decisions
from kulanz.engine.arrays import Bools, Codes, Floats, Indices, Singles
from kulanz.engine.design import Design
from kulanz.engine.features import FeatureSpec, Value
from kulanz.kernel.errors import InputError

MOST = 5


@dataclass(frozen=True, slots=True)
class Contribution:
    """One additive part of the score, in reward units: what the score would lose if the part were absent.

    For a feature: if all its context entries were zero, which is its centre. `value` is its raw value, a number
    in `unit` or words (a level, an interval, "unknown"); None where it was missing, and for a part of the
    action.
    """

    name: str
    value: Value
    unit: str
    effect: float


@dataclass(frozen=True, slots=True)
class Parts:
    """What a model says about one score: score = base + the sum of all effects."""

    base: float
    contributions: tuple[Contribution, ...]

    @property
    def score(self) -> float:
        return self.base + sum(part.effect for part in self.contributions)


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


def explain_parts(parts: Parts, space: ActionSpace, allowed: Allowed, decision: Decisions) -> Explanation:
    """For one case: `allowed` and `decision` of one row, and what its chosen score is made of."""
    if len(allowed) != 1 or len(decision) != 1:
        raise InputError("An explanation needs one case: one row of allowed actions and one decision.")
    action = decision.actions[0]
    largest_first = sorted(parts.contributions, key=lambda part: -abs(part.effect))
    table = _Leaves(space, decision.scores[0], allowed)
    other = table.best_but(action)
    score = float(decision.score[0])
    return Explanation(
        action=space.label(action),
        score=score,
        propensity=float(decision.propensity[0]),
        base=parts.base,
        contributions=tuple(largest_first[:MOST]),
        rest=sum(part.effect for part in largest_first[MOST:]),
        alternative=None if other is None else space.label(other[0]),
        gap=None if other is None else score - other[1],
        vetoes=table.vetoes(),
    )


def feature_parts(features: FeatureSpec, context: Singles, slopes: Floats) -> tuple[Contribution, ...]:
    """One contribution per feature (its columns together): context float32[d], slopes float64[d]."""
    effects = context.astype(np.float64) * slopes
    return tuple(
        Contribution(reading.name, reading.value, reading.unit, float(effects[reading.entries].sum()))
        for reading in features.readings(context)
    )


def factored_parts(
    design: Design, features: FeatureSpec, weights: Floats, context: Singles, action: Codes
) -> Parts:
    """Of wait or of channel, slot, tone and offer int16[4]: the biases that it switches on, and the features."""
    row = design.rows(np.ones((1, design.d)), action[None, :])[0] * weights
    found = [
        Contribution(name, None, "", float(row[column])) for name, column in _switched_on(design, action)
    ]
    slopes = row[design.biases :].reshape(design.context_levels, design.d).sum(axis=0)
    return Parts(float(weights[0]), (*found, *feature_parts(features, context, slopes)))


def flat_parts(features: FeatureSpec, weights: Floats, context: Singles, code: int, name: str) -> Parts:
    """Of action `code` of a flat set; weights float64[d + 1, K], row 0 the biases: score = bias + context'w.

    The base is the mean bias of all actions; the action's own part is how far it stands out.
    """
    base = float(weights[0].mean())
    own = Contribution(name, None, "", float(weights[0, code]) - base)
    return Parts(base, (own, *feature_parts(features, context, weights[1:, code])))


def _switched_on(design: Design, action: Codes) -> Iterable[tuple[str, int]]:
    """Name and column of each bias of the action, the intercept apart."""
    words = dict(
        zip(("channel", "weekday", "band", "tone", "offer"), design.space.label(action), strict=False)
    )
    codes = design.codes(action[None, :])
    active = design.rows(np.zeros((1, design.d)), action[None, :])[0]
    for term in design.bias_terms[1:]:
        column = int(design.level(term, codes)[0])
        if active[column]:
            yield ", ".join(f"{factor} {words[factor]}" for factor in term.factors) or "wait", column


class _Leaves:
    """All combinations of one case with their scores: small enough for one row, never done for many.

    A flat set of K actions comes with K means, perhaps K spreads behind them, instead of the two tables.
    """

    def __init__(self, space: ActionSpace, scores: Singles, allowed: Allowed) -> None:
        channels = len(space.channels)
        if space.is_flat and len(scores) in (channels, 2 * channels):
            nothing = np.zeros(channels, np.float32)
            scores = np.concatenate([nothing[:1], scores[:channels], nothing])
        if len(scores) != space.score_columns:
            raise InputError("This decision was made without keeping its scores; decide again and keep them.")
        edge = 1 + space.channel_slots
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
        must_act = self.space.waits and not self.may_wait
        found = [Veto("wait", ("wait",), self.wait - best)] if must_act else []
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
