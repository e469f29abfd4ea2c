"""Deciding among a plain set of K actions: scores as products, probabilities in closed form, the draw."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.arrays import Bools, Codes, Floats, Ints, Singles
from kulanz.engine.draws import Stream
from kulanz.engine.exploring.deciders import (
    PRODUCT,
    Chosen,
    Stage,
    blocks,
    may_of,
    new_kernel,
    padded,
    rows_of_block,
    trimmed,
    turn,
    turn_back,
    widened,
)
from kulanz.engine.exploring.explore import Explorer
from kulanz.engine.exploring.scratch import Scratch
from kulanz.kernel.errors import InputError

NONE = -1
Load = Callable[[slice], Singles]
"""Rows of the call -> their scores."""


@dataclass(frozen=True, slots=True)
class FlatTables:
    """d features, K actions: means [1, x] @ means, variances max([1, x, (x @ axes)^2] @ spread, least).

    means float32[d + 1, K] (row 0: bias), axes float32[d, d], spread float32[2 d + 1, K], least float32[K]
    above zero. Squares along d shared directions stand for the d (d + 1) / 2 products of a quadratic form.
    """

    means: Singles
    axes: Singles
    spread: Singles
    least: Singles

    def __post_init__(self) -> None:
        d, k = len(self.means) - 1, self.means.shape[-1]
        shapes = {"means": (d + 1, k), "axes": (d, d), "spread": (2 * d + 1, k), "least": (k,)}
        for name, shape in shapes.items():
            table = getattr(self, name)
            if table.shape != shape or table.dtype != np.float32 or d < 0 or k < 1:
                raise InputError(
                    f"The table {name} must be float32{list(shape)}, not {table.dtype}{list(table.shape)}."
                )
            if not np.isfinite(table).all():
                raise InputError(f"The table {name} is not finite; refit the policy before deciding.")
        if not (self.least > 0).all():
            raise InputError("Every action needs a least variance above zero.")


@dataclass(frozen=True, slots=True)
class FlatDecisions:
    """choice int16[n] (-1 where all was vetoed), propensity float64[n], mean and spread of the chosen and of
    the best allowed action float32[n], scores float32[n, K] (means) or float32[n, 2 K] (means, spreads)
    unless they were not kept, vetoed_all bool[n]. Spreads are NaN where the explorer uses none; for rows
    where all was vetoed the propensity is 1 and the four scores are NaN.
    """

    choice: Codes
    propensity: Floats
    score: Singles
    spread: Singles
    best_score: Singles
    best_spread: Singles
    scores: Singles | None
    vetoed_all: Bools

    def __len__(self) -> int:
        return len(self.choice)

    @classmethod
    def blank(cls, n: int, scores: Singles | None, *, spreads: bool) -> "FlatDecisions":
        score, best = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
        if spreads:
            spread, best_spread = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
        else:
            spread = best_spread = np.broadcast_to(np.float32(np.nan), n)
        choice, propensity = np.empty(n, dtype=np.int16), np.empty(n)
        return cls(choice, propensity, score, spread, best, best_spread, scores, np.empty(n, dtype=np.bool_))

    def put(self, part: slice, chosen: Chosen, nothing: Bools) -> None:
        """The results of a block, whose padding is dropped; `nothing` was allowed in some rows."""
        rows = len(nothing)
        numbers = [(self.score, chosen.score), (self.best_score, chosen.best_score)]
        if chosen.spread is not None and chosen.best_spread is not None:
            numbers += [(self.spread, chosen.spread), (self.best_spread, chosen.best_spread)]
        for out, found in numbers:
            out[part] = found[:rows]
        self.choice[part] = chosen.choice[:rows]
        self.propensity[part] = chosen.propensity[:rows]
        self.vetoed_all[part] = nothing
        if nothing.any():
            self.choice[part][nothing] = NONE
            self.propensity[part][nothing] = 1.0
            for out, _ in numbers:
                out[part][nothing] = np.nan


class FlatDecider:
    """Decides with exact propensities, drawn from the float32 scores: stored scores replay bit for bit.

    `kernel`: "compiled" needs numba and gives the same bits sooner.
    """

    def __init__(
        self, tables: FlatTables, explorer: Explorer, *, kernel: Literal["numpy", "compiled"] = "numpy"
    ) -> None:
        new_kernel(kernel)
        self.tables = tables
        self.explorer = explorer
        self.kernel = kernel
        self.actions = tables.means.shape[1]
        self.columns = self.actions * (2 if explorer.needs_spreads else 1)
        self._rows = rows_of_block(self.actions)
        self._weights = np.ascontiguousarray(tables.means[1:])
        self._mean_rows, self._axes, self._spread_rows = (
            np.ascontiguousarray(table.T) for table in (tables.means, tables.axes, tables.spread)
        )

    def scores(self, contexts: Singles) -> Singles:
        """Means float32[n, K], or means and spreads (standard deviations) float32[n, 2 K]."""
        contexts = self._checked(contexts)
        out = np.empty((len(contexts), self.columns), dtype=np.float32)
        scratch = Scratch()
        for part in blocks(len(contexts), self._rows):
            self._products(contexts[part], out[part], scratch)
        return out

    def decide(
        self, contexts: Singles, mask: Bools, seed: int, ids: Ints, *, keep_scores: bool = True
    ) -> FlatDecisions:
        """One decision per row of contexts float32[n, d] among those that mask bool[n, K] allows.

        ids int64[n] key the draw together with `seed`. Raises InputError when shapes disagree,
        ProbabilityError when a score is not finite (which a context that is not finite leads to).
        """
        contexts = self._checked(contexts)
        n = len(contexts)
        kept = np.empty((n, self.columns), dtype=np.float32) if keep_scores else None
        scratch = Scratch()

        def load(part: slice) -> Singles:
            return self._products(contexts[part], None if kept is None else kept[part], scratch)

        return self._decide(load, kept, mask, seed, ids, n)

    def replay(self, scores: Singles, mask: Bools, seed: int, ids: Ints) -> FlatDecisions:
        """The decisions that these scores led to, bit for bit, for the same seed and ids."""
        self._check_scores(scores)
        scratch = Scratch()
        return self._decide(lambda part: _tables(scores[part], scratch), scores, mask, seed, ids, len(scores))

    def probabilities(self, scores: Singles, mask: Bools) -> Floats:
        """float64[n, K]; a row in which all is vetoed is zero throughout."""
        out = np.zeros((len(scores), self.actions))
        for part, p, nothing in self._each(scores, mask):
            out[part] = np.where(nothing[:, None], 0.0, p.T[: len(nothing)])
        return out

    def propensity_of(self, scores: Singles, mask: Bools, actions: NDArray[np.integer]) -> Floats:
        """Probability float64[n] of taking `actions` int[n]: 0 where vetoed, 1 for -1 where all is vetoed."""
        actions = np.asarray(actions)
        if actions.shape != (len(scores),) or not ((actions >= NONE) & (actions < self.actions)).all():
            raise InputError(f"{len(scores)} rows need as many actions, each within -1..{self.actions - 1}.")
        out = np.empty(len(scores))
        for part, p, nothing in self._each(scores, mask):
            action = actions[part].astype(np.intp)
            taken = p[np.maximum(action, 0), np.arange(len(action))]
            out[part] = np.where(action == NONE, nothing, np.where(nothing, 0.0, taken))
        return out

    def _decide(
        self, load: Load, scores: Singles | None, mask: Bools, seed: int, ids: Ints, n: int
    ) -> FlatDecisions:
        self._check_mask(mask, n)
        ids = np.asarray(ids, dtype=np.int64)
        if ids.shape != (n,):
            raise InputError(f"{n} cases need as many ids, not {ids.shape}.")
        out = FlatDecisions.blank(n, scores, spreads=self.explorer.needs_spreads)
        kernel, scratch = new_kernel(self.kernel), Scratch()
        uniform = kernel.singles(seed, ids, Stream.DECISION, 1)[0]
        for part in blocks(n, self._rows):
            stage, nothing = self._stage(load(part), mask[part], scratch)
            chance = widened(uniform[part], stage.means.shape[1], 1.0)
            out.put(part, kernel.choose(stage, self.explorer, chance), nothing)
        return out

    def _each(self, scores: Singles, mask: Bools) -> Iterator[tuple[slice, Singles, Bools]]:
        """(rows, probabilities float32[K, columns], nothing allowed bool[rows]) of every block."""
        self._check_scores(scores)
        self._check_mask(mask, len(scores))
        kernel, scratch = new_kernel(self.kernel), Scratch()
        for part in blocks(len(scores), self._rows):
            stage, nothing = self._stage(_tables(scores[part], scratch), mask[part], scratch)
            yield part, kernel.probabilities(stage, self.explorer), nothing

    def _stage(self, tables: Singles, mask: Bools, scratch: Scratch) -> tuple[Stage, Bools]:
        may, nothing = may_of(mask, tables.shape[1], scratch)
        spreads = tables[self.actions :] if self.explorer.needs_spreads else None
        return Stage(tables[: self.actions], spreads, may), nothing

    def _products(self, contexts: Singles, kept: Singles | None, scratch: Scratch) -> Singles:
        """Tables float32[columns, B] of a block, with the scores in `kept` float32[rows, columns] if wanted.

        Products are padded, so that a row gets the same bits in any block. Checked later: all finite.
        """
        rows = len(contexts)
        if not self.explorer.needs_spreads:
            return self._means(contexts, kept, scratch)
        with np.errstate(over="ignore", invalid="ignore"):
            tables = self._means_and_spreads(contexts, scratch)
        if kept is not None:
            turn_back(tables, kept)
        return trimmed(tables, padded(rows))

    def _means(self, contexts: Singles, kept: Singles | None, scratch: Scratch) -> Singles:
        scores = scratch("scores", (len(contexts), self.actions)) if kept is None else kept
        with np.errstate(over="ignore", invalid="ignore"):
            if padded(len(contexts), PRODUCT) == len(contexts):
                np.matmul(np.ascontiguousarray(contexts), self._weights, out=scores)
            else:
                scores[...] = np.matmul(_heightened(contexts), self._weights)[: len(contexts)]
            if kept is not None:
                np.add(kept, self.tables.means[0], out=kept)
                return _tables(kept, scratch)
            tables = _tables(scores, scratch)
            np.add(tables, self.tables.means[0][:, None], out=tables)
        return tables

    def _means_and_spreads(self, contexts: Singles, scratch: Scratch) -> Singles:
        """float32[2 K, columns]: here the cases stand side by side from the start, for the sake of the roots."""
        (rows, d), k = contexts.shape, self.actions
        columns = padded(rows, PRODUCT)
        inputs = scratch("inputs", (2 * d + 1, columns))
        inputs[0] = 1.0
        inputs[1 : d + 1, :rows] = contexts.T
        inputs[1 : d + 1, rows:] = 0.0
        turned = np.matmul(self._axes, inputs[1 : d + 1], out=inputs[d + 1 :])
        np.square(turned, out=turned)
        tables = scratch("tables", (2 * k, columns))
        np.matmul(self._mean_rows, inputs[: d + 1], out=tables[:k])
        variances = np.matmul(self._spread_rows, inputs, out=tables[k:])
        np.maximum(variances, self.tables.least[:, None], out=variances)
        np.sqrt(variances, out=variances)
        return tables

    def _checked(self, contexts: Singles) -> Singles:
        d = len(self.tables.axes)
        if contexts.ndim != 2 or contexts.shape[1] != d:
            raise InputError(f"Contexts need the shape [n, {d}], not {list(contexts.shape)}.")
        return np.asarray(contexts, dtype=np.float32)

    def _check_scores(self, scores: Singles) -> None:
        if scores.ndim != 2 or scores.shape[1] != self.columns or scores.dtype != np.float32:
            raise InputError(
                f"Scores need float32[n, {self.columns}], not {scores.dtype}{list(scores.shape)}."
            )

    def _check_mask(self, mask: Bools, n: int) -> None:
        if mask.shape != (n, self.actions) or mask.dtype != np.bool_:
            raise InputError(
                f"The mask must be bool[{n}, {self.actions}], not {mask.dtype}{list(mask.shape)}."
            )


def _heightened(contexts: Singles) -> Singles:
    """With rows of zeros below, for products of full height."""
    rows, d = contexts.shape
    out = np.zeros((padded(rows, PRODUCT), d), dtype=np.float32)
    out[:rows] = contexts
    return out


def _tables(scores: Singles, scratch: Scratch) -> Singles:
    """Scores float32[rows, columns] of a block turned into float32[columns, B], padded with ones."""
    rows, columns = scores.shape
    tables = scratch("tables", (columns, padded(rows)))
    turn(scores, tables)
    tables[:, rows:] = 1.0
    return tables
