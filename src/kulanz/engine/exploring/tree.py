"""One case's decision as a tree: wait or act, then channel, then slot, then tone and offer.

The value of a branch is its best allowed leaf, so the best combination is exact without listing combinations,
and the product of the branch probabilities is the exact propensity of the leaf.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from kulanz.engine.actions import WAIT, ActionSpace, Allowed, Decisions
from kulanz.engine.arrays import Bools, Codes, Floats, Ints, Singles
from kulanz.engine.draws import Stream
from kulanz.engine.exploring.deciders import (
    PRODUCT,
    By,
    Chosen,
    Kernel,
    Stage,
    blocks,
    new_kernel,
    open_one,
    padded,
    rows_of_block,
    trimmed,
    turn,
    turn_back,
)
from kulanz.engine.exploring.explore import Bits, Explorer, check
from kulanz.engine.exploring.options import Options
from kulanz.engine.exploring.scratch import Scratch
from kulanz.kernel.errors import InputError

STAGES = 4
Load = Callable[[slice], Singles]
"""Rows of the call -> their score tables float32[columns, B]."""

RESULTS = tuple(field.name for field in fields(Decisions) if field.name != "scores")
_TINY = np.float32(1e-30)


@dataclass(frozen=True, slots=True)
class TreeTables:
    """Waiting scores [1, x] @ (first column), an action [1, x] @ (its column of T + its column of O).

    matrix float32[d + 1, 1 + C*S + C*T*O], row 0 the bias: wait, T (channel x slot), O (channel x tone x
    offer). Variances above zero, averaged over contexts: wait, when float32[C*S], how float32[C*T*O]; those
    of an action's two columns add up.
    """

    matrix: Singles
    wait_variance: float
    when_variance: Singles
    how_variance: Singles

    def __post_init__(self) -> None:
        wanted = 1 + len(self.when_variance) + len(self.how_variance)
        if self.matrix.dtype != np.float32 or self.matrix.ndim != 2 or self.matrix.shape[1] != wanted:
            raise InputError(f"The tree's matrix must be float32[d + 1, {wanted}].")
        variances = np.concatenate([[self.wait_variance], self.when_variance, self.how_variance])
        if not (np.isfinite(self.matrix).all() and np.isfinite(variances).all() and (variances > 0).all()):
            raise InputError("The tree's tables must be finite, variances above zero; refit the policy.")


@dataclass(frozen=True, slots=True)
class _Channels:
    """The channels of a block: score tables float32[C, cells, B] of both kinds and what is allowed of them,
    and each channel's best leaf: value, variance float32[C, B], may uint8[C, B].
    """

    when: Singles
    how: Singles
    may_when: Bits
    may_how: Bits
    value: Singles
    variance: Singles
    may: Bits


@dataclass(frozen=True, slots=True)
class _Root:
    """Waiting and acting: means, variances float32[2, B], may uint8[2, B]; vetoed_all bool[B], where waiting
    stands open all the same.
    """

    means: Singles
    variances: Singles
    may: Bits
    vetoed_all: Bools


class TreeDecider:
    """Decides over the factored space with exact propensities, drawn from the float32 scores.

    Stored scores replay bit for bit. Each stage keeps the explorer's floor; its cap holds for the whole
    decision.
    """

    def __init__(
        self,
        space: ActionSpace,
        tables: TreeTables,
        explorer: Explorer,
        *,
        kernel: Literal["numpy", "compiled"] = "numpy",
    ) -> None:
        new_kernel(kernel)
        if tables.matrix.shape[1] != space.score_columns:
            raise InputError("The tree's tables do not fit its action space.")
        self.space, self.tables, self.explorer, self.kernel = space, tables, explorer, kernel
        self._rows = rows_of_block(max(space.slots, space.tone_offers))
        self._matrix = np.ascontiguousarray(tables.matrix.T)
        channels = len(space.channels)
        self._when_variance = tables.when_variance.astype(np.float32).reshape(channels, -1)
        self._how_variance = tables.how_variance.astype(np.float32).reshape(channels, -1)

    def scores(self, contexts: Singles) -> Singles:
        """float32[n, 1 + C*S + C*T*O]: waiting, then the tables T and O."""
        contexts = self._checked(contexts)
        out = np.empty((len(contexts), self.space.score_columns), dtype=np.float32)
        scratch = Scratch()
        for part in blocks(len(contexts), self._rows):
            self._products(contexts[part], out[part], scratch)
        return out

    def decide(
        self, contexts: Singles, allowed: Allowed, seed: int, ids: Ints, *, keep_scores: bool = True
    ) -> Decisions:
        """One decision per row of contexts float32[n, d]; ids int64[n] key the draw together with `seed`.

        Without keep_scores, the decisions' scores are float32[n, 0]. Raises InputError when shapes disagree,
        ProbabilityError when a score is not finite (which a context that is not finite leads to).
        """
        contexts = self._checked(contexts)
        kept = np.empty((len(contexts), self.space.score_columns if keep_scores else 0), dtype=np.float32)
        scratch = Scratch()

        def load(part: slice) -> Singles:
            return self._products(contexts[part], kept[part] if keep_scores else None, scratch)

        return self._decide(load, kept, allowed, seed, ids)

    def replay(self, scores: Singles, allowed: Allowed, seed: int, ids: Ints) -> Decisions:
        """The decisions that these scores led to, bit for bit, for the same seed and ids."""
        self._check_scores(scores)
        scratch = Scratch()
        return self._decide(lambda part: _tables(scores[part], scratch), scores, allowed, seed, ids)

    def propensity_of(self, scores: Singles, allowed: Allowed, actions: Codes) -> Floats:
        """Probability float64[n] of `actions` int16[n, 4]: 0 where vetoed, 1 for waiting where all is vetoed."""
        self._check_scores(scores)
        self._check_allowed(allowed, len(scores))
        permitted = allowed.permits(actions, self.space)
        acts = permitted & (actions[:, 0] != WAIT)
        pair = actions[:, 2] * len(self.space.offers) + actions[:, 3]
        branches = np.where(acts, np.stack([acts, actions[:, 0], actions[:, 1], pair]), 0).astype(np.intp)
        kernel, scratch = new_kernel(self.kernel), Scratch()
        out = np.empty(len(scores))
        for part in blocks(len(scores), self._rows):
            rows = part.stop - part.start
            taken = np.zeros((STAGES, padded(rows)), dtype=np.intp)
            taken[:, :rows] = branches[:, part]
            walked = self._walk(_tables(scores[part], scratch), allowed.rows(part), taken, kernel, scratch)
            out[part] = walked.propensity[:rows]
        return np.where(permitted, out, 0.0)

    def options(self, scores: Singles, allowed: Allowed) -> Options:
        """Waiting, and each channel at its best allowed leaf."""
        self._check_scores(scores)
        self._check_allowed(allowed, len(scores))
        kernel, scratch = new_kernel(self.kernel), Scratch()
        value = np.empty((len(scores), 1 + len(self.space.channels)), dtype=np.float32)
        variance = np.full_like(value, self.tables.wait_variance)
        value[:, 0] = np.where(allowed.wait, scores[:, 0], -np.inf)
        for part in blocks(len(scores), self._rows):
            rows = part.stop - part.start
            found = self._channels(_tables(scores[part], scratch), allowed.rows(part), kernel, scratch)
            value[part, 1:] = np.where(found.may, found.value, -np.inf)[:, :rows].T
            variance[part, 1:] = found.variance[:, :rows].T
        return Options(value, variance, self.explorer)

    def _decide(self, load: Load, scores: Singles, allowed: Allowed, seed: int, ids: Ints) -> Decisions:
        n = len(scores)
        self._check_allowed(allowed, n)
        ids = np.asarray(ids, dtype=np.int64)
        if ids.shape != (n,):
            raise InputError(f"{n} cases need as many ids, not {ids.shape}.")
        kernel, scratch, out = new_kernel(self.kernel), Scratch(), _blank(n, scores)
        uniform = kernel.singles(seed, ids, Stream.DECISION, STAGES)
        for part in blocks(n, self._rows):
            tables, rows = load(part), part.stop - part.start
            by = np.ones((STAGES, tables.shape[1]), dtype=np.float32)
            by[:, :rows] = uniform[:, part]
            walked = self._walk(tables, allowed.rows(part), by, kernel, scratch)
            for name in RESULTS:
                getattr(out, name)[part] = getattr(walked, name)[:rows]
        return out

    def _walk(self, tables: Singles, allowed: Allowed, by: By, kernel: Kernel, scratch: Scratch) -> Decisions:
        """One block with its padding, by numbers float32[4, B] or by the branches taken intp[4, B]."""
        found = self._channels(tables, allowed, kernel, scratch)
        root = self._root(tables[0], allowed.wait, found)
        first, second, third, fourth = self._descend(root, found, by, kernel)
        acts = first.choice == 1
        path = second.propensity.astype(np.float64) * third.propensity * fourth.propensity
        channel, slot, pair = second.choice, third.choice, fourth.choice
        codes = np.stack([channel, slot, *np.divmod(pair, len(self.space.offers))], axis=1)
        variance = self._when_variance[channel, slot] + self._how_variance[channel, pair]
        best = (root.means == first.best_score) & root.may.view(np.bool_)
        return Decisions(
            actions=np.where(acts[:, None], codes, WAIT).astype(np.int16),
            wait=~acts,
            propensity=np.where(acts, path, 1.0) * first.propensity,
            score=np.where(acts, third.score + fourth.score, tables[0]),
            spread=np.sqrt(np.where(acts, variance, root.variances[0])),
            best_score=first.best_score,
            best_spread=np.sqrt(np.where(best, root.variances, 0).max(axis=0)),
            scores=tables[:0].T,
            vetoed_all=root.vetoed_all,
        )

    def _descend(self, root: _Root, found: _Channels, by: By, kernel: Kernel) -> tuple[Chosen, ...]:
        """The choices of all four stages; those below are of no meaning for cases that wait."""
        explorer = self.explorer
        budget = _Budget(explorer.cap, root.means.shape[1])
        first = kernel.choose(
            self._stage(root.means, root.variances, root.may), explorer, by[0], budget.share(4)
        )
        budget.spend(first.loss, np.where(first.choice == 1, first.propensity, 1 - first.propensity))
        channels = self._stage(found.value, found.variance, found.may)
        second = kernel.choose(channels, explorer, by[1], budget.share(3))
        budget.spend(second.loss)
        slots = self._stage(*kernel.below(found.when, self._when_variance, found.may_when, second.choice))
        third = kernel.choose(slots, explorer, by[2], budget.share(2))
        budget.spend(third.loss)
        pairs = self._stage(*kernel.below(found.how, self._how_variance, found.may_how, second.choice))
        return first, second, third, kernel.choose(pairs, explorer, by[3], budget.share(1))

    def _channels(self, tables: Singles, allowed: Allowed, kernel: Kernel, scratch: Scratch) -> _Channels:
        channels, width, edge = len(self.space.channels), tables.shape[1], 1 + self.space.channel_slots
        check(tables, None)
        when, how = tables[1:edge].reshape(channels, -1, width), tables[edge:].reshape(channels, -1, width)
        may_when = _may(allowed.channel_slot, when.shape, "may_when", scratch)
        may_how = _may(allowed.channel_tone_offer, how.shape, "may_how", scratch)
        value, variance = kernel.best(when, self._when_variance, may_when)
        more, variance_more = kernel.best(how, self._how_variance, may_how)
        value += more
        variance += variance_more
        return _Channels(when, how, may_when, may_how, value, variance, (value > -np.inf).view(np.uint8))

    def _root(self, wait: Singles, may_wait: Bools, found: _Channels) -> _Root:
        top = found.value.max(axis=0)
        top_variance = np.where(found.value == top, found.variance, 0).max(axis=0)
        may = np.ones((2, len(wait)), dtype=np.uint8)
        may[0, : len(may_wait)] = may_wait
        may[1] = top > -np.inf
        vetoed_all = open_one(may)
        np.copyto(found.value, 0.0, where=found.may == 0)
        open_one(found.may)
        variances = np.stack([np.full_like(top, self.tables.wait_variance), top_variance])
        return _Root(np.stack([wait, np.where(may[1], top, 0)]), variances, may, vetoed_all)

    def _stage(self, means: Singles, variances: Singles, may: Bits) -> Stage:
        return Stage(means, np.sqrt(variances) if self.explorer.needs_spreads else None, may)

    def _products(self, contexts: Singles, kept: Singles | None, scratch: Scratch) -> Singles:
        """Score tables float32[columns, B] of a block; `kept` float32[rows, columns] takes the scores.

        The product is padded, so that a row gets the same bits in any block. Checked later: all finite.
        """
        rows, d = contexts.shape
        columns = padded(rows, PRODUCT)
        inputs = scratch("inputs", (d + 1, columns))
        inputs[0] = 1.0
        inputs[1:, :rows] = contexts.T
        inputs[1:, rows:] = 0.0
        tables: Singles = scratch("tables", (len(self._matrix), columns))
        with np.errstate(over="ignore", invalid="ignore"):
            np.matmul(self._matrix, inputs, out=tables)
        if kept is not None:
            turn_back(tables, kept)
        return trimmed(tables, padded(rows))

    def _checked(self, contexts: Singles) -> Singles:
        d = len(self.tables.matrix) - 1
        if contexts.ndim != 2 or contexts.shape[1] != d:
            raise InputError(f"Contexts need the shape [n, {d}], not {list(contexts.shape)}.")
        return np.asarray(contexts, dtype=np.float32)

    def _check_scores(self, scores: Singles) -> None:
        columns = self.space.score_columns
        if scores.ndim != 2 or scores.shape[1] != columns or scores.dtype != np.float32:
            raise InputError(f"Scores need float32[n, {columns}], not {scores.dtype}{list(scores.shape)}.")

    def _check_allowed(self, allowed: Allowed, n: int) -> None:
        allowed.check(self.space)
        if len(allowed) != n:
            raise InputError(f"{n} cases need as many rows of allowed tables, not {len(allowed)}.")


class _Budget:
    """What is left of a cap on the expected loss, case by case, for the stages still to come.

    Losses of the stages add up along the path: a leaf's distance to the best leaf is the sum of the distances
    to the best branch at each stage.
    """

    def __init__(self, cap: float | None, width: int) -> None:
        self.left: Singles | None = None if cap is None else np.full(width, cap, dtype=np.float32)

    def share(self, stages: int) -> Singles | None:
        return None if self.left is None else (np.maximum(self.left, 0) / stages).astype(np.float32)

    def spend(self, loss: Singles | None, chance: Singles | None = None) -> None:
        """`loss` is gone; the rest is for the branch taken, which is reached with this chance."""
        if self.left is not None and loss is not None:
            rest = self.left - loss
            self.left = rest if chance is None else (rest / np.maximum(chance, _TINY)).astype(np.float32)


def _may(mask: Bools, shape: tuple[int, ...], name: str, scratch: Scratch) -> Bits:
    may: Bits = scratch(name, shape, np.uint8)
    may[..., len(mask) :] = 1
    turn(mask.view(np.uint8), may.reshape(-1, shape[-1]))
    return may


def _tables(scores: Singles, scratch: Scratch) -> Singles:
    tables: Singles = scratch("tables", (scores.shape[1], padded(len(scores))))
    turn(scores, tables)
    tables[:, len(scores) :] = 1.0
    return tables


def _blank(n: int, scores: Singles) -> Decisions:
    score, spread, best_score, best_spread = np.empty((4, n), dtype=np.float32)
    wait, vetoed_all = np.empty((2, n), dtype=np.bool_)
    actions, propensity = np.empty((n, 4), dtype=np.int16), np.empty(n)
    return Decisions(actions, wait, propensity, score, spread, best_score, best_spread, scores, vetoed_all)
