"""Dual prices of limits over a whole batch, however many the cases.

The best plan is a linear program: maximise sum_ia x_ia value_ia with sum_a x_ia = 1 per case and
sum_ia x_ia use_iar <= limit_r. Its dual D(price) = price'limit + sum_i max_a (value_ia - price'use_ia) is
convex and piecewise linear in one price per resource. It is minimised by cutting planes (Kelley 1960), seen
from the other side: column generation (Dantzig and Wolfe 1960). A column is what all cases choose at one
price vector; the master program mixes at most R + 1 of them into the optimal plan.

An option that uses nothing is free; a case's fallback is the best of its free options.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from kulanz.engine.arrays import Floats, Indices, Ints, Small
from kulanz.kernel.errors import InputError

FALLBACK = -1
_BLOCK = 16384
_GAP = 1e-6
_EVALUATIONS = 200
_MOST_OPTIONS = 127


@dataclass(frozen=True, slots=True)
class Prices:
    """Dual prices float64[R] (value per unit of each resource) and the mix of price vectors that is the plan.

    A share shares[k] of the cases chooses at mix[k] (float64[K, R], K <= R + 1), the rest falls back. `bound`
    is the dual's value: no plan gains more over the fallbacks; `gap` is how far the mix may be below it.
    """

    dual: Floats
    mix: Floats
    shares: Floats
    bound: float
    gap: float


def prices(values: NDArray[Any], use: NDArray[Any], limits: NDArray[Any]) -> Prices:
    """Prices at which what all cases want, summed up, meets the limits; zero where a limit does not bind.

    values float[n, A] (-inf: not allowed), use float[A, R] or float[n, A, R] (>= 0), limits float[R] (>= 0,
    inf: none). An option that breaks a limit on its own counts as not allowed. A case without a free option
    that gets nothing counts as the least of all values less their range, so it comes before the others.
    Raises InputError for NaN, infinite or negative numbers and for shapes that disagree.
    """
    return _solve(Problem.of(values, use, limits))


def fallbacks(values: Floats, use: Floats) -> tuple[Ints, Floats]:
    """The best free option int64[n] (-1 without any) and its value float64[n] (see `prices` for -1)."""
    free = np.where((use == 0).all(axis=-1), values, -np.inf)
    best = free.argmax(axis=1).astype(np.int64)
    base = free[np.arange(len(values)), best]
    finite = values[np.isfinite(values)]
    least, most = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    nothing = np.isneginf(base)
    return np.where(nothing, FALLBACK, best), np.where(nothing, least - (most - least or 1.0), base)


def checked(values: NDArray[Any], use: NDArray[Any], limits: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """The three as float64; raises InputError."""
    worth, spent, most = (np.asarray(array, dtype=np.float64) for array in (values, use, limits))
    if worth.ndim != 2 or not 1 <= worth.shape[1] <= _MOST_OPTIONS or most.ndim != 1:
        raise InputError(
            f"Values need the shape [cases, options], up to {_MOST_OPTIONS}, limits one dimension."
        )
    if spent.shape not in ((worth.shape[1], len(most)), (*worth.shape, len(most))):
        raise InputError(
            f"Use has the shape {list(spent.shape)}; {list(worth.shape)} values and {len(most)} limits need "
            f"{[worth.shape[1], len(most)]} or {[*worth.shape, len(most)]}."
        )
    if np.isnan(worth).any() or np.isposinf(worth).any():
        raise InputError("A value is NaN or infinite; use -inf for an option that is not allowed.")
    if not (np.isfinite(spent).all() and (spent >= 0).all()):
        raise InputError("What an option uses must be a finite number of at least zero.")
    if not (most >= 0).all():
        raise InputError("A limit must be a number of at least zero (inf: no limit).")
    return worth, spent, most


@dataclass(frozen=True, slots=True)
class Problem:
    """What is left to decide: cases that would gain from a costly option, m of n, and costly options, B of A.

    gains float64[B, m] over the fallback (-inf: not allowed), use float64[B, R] or float64[B, R, m];
    rows[m], options[B], fallback[n] in the caller's numbers; floor float64[R]: prices that close what has a
    limit of zero.
    """

    gains: Floats
    use: Floats
    limits: Floats
    rows: Indices
    options: Ints
    fallback: Ints
    floor: Floats

    @classmethod
    def of(cls, values: NDArray[Any], use: NDArray[Any], limits: NDArray[Any]) -> Self:
        worth, spent, most = checked(values, use, limits)
        fallback, base = fallbacks(worth, spent)
        shared = spent.ndim == 2
        each = spent[:, :, None] if shared else np.moveaxis(spent, 0, -1)
        options = np.flatnonzero((each > 0).any(axis=(1, 2)))
        each = each[options]
        gains = worth.T[options] - base
        gains[np.broadcast_to((each == 0).all(axis=1), gains.shape)] = -np.inf
        floor = _closing(gains, each, most)
        gains[np.broadcast_to((each > most[:, None]).any(axis=1), gains.shape)] = -np.inf
        rows = np.flatnonzero((gains > 0).any(axis=0))
        left = each[:, :, 0] if shared else np.ascontiguousarray(each[:, :, rows])
        return cls(np.ascontiguousarray(gains[:, rows]), left, most, rows, options, fallback, floor)

    def at(self, dual: Floats) -> Iterator[tuple[slice, Small, Floats]]:
        """Block by block: the cases, what each picks at these prices int8 (-1: fallback), its priced gain."""
        for first in range(0, len(self.rows), _BLOCK):
            part = slice(first, first + _BLOCK)
            charge = self.use @ dual if self.use.ndim == 2 else dual @ self.use[:, :, part]
            best = np.zeros(self.gains[:, part].shape[1])
            pick = np.full(len(best), FALLBACK, dtype=np.int8)
            for option, gain in enumerate(self.gains[:, part]):
                priced = gain - charge[option]
                pick[priced > best] = option
                np.maximum(best, priced, out=best)
            yield part, pick, best

    def column(self, dual: Floats) -> tuple[float, Floats]:
        """What all cases gain (priced) and use in total, float64[R], when each picks at these prices."""
        gain, total = 0.0, np.zeros(len(self.limits))
        for part, pick, best in self.at(dual):
            gain += float(best.sum())
            if self.use.ndim == 2:
                total += np.bincount(pick + 1, minlength=len(self.use) + 1)[1:] @ self.use
            else:
                for option, use in enumerate(self.use[:, :, part]):
                    total += use @ (pick == option)
        return gain, total

    def spent(self, picks: Small, rows: Indices | None = None) -> Floats:
        """float64[rows, R]: what these cases (default: all) use with these picks."""
        rows = np.arange(len(picks)) if rows is None else rows
        found = self.use[picks] if self.use.ndim == 2 else self.use[picks, :, rows]
        return np.where((picks >= 0)[:, None], found, 0.0)

    def gained(self, picks: Small, rows: Indices | None = None) -> Floats:
        """float64[rows]: what these picks gain over the fallback."""
        rows = np.arange(len(picks)) if rows is None else rows
        return np.where(picks >= 0, self.gains[picks, rows], 0.0)

    def only(self, rows: Indices) -> "Problem":
        """The same for some of its cases."""
        use = self.use if self.use.ndim == 2 else self.use[:, :, rows]
        return replace(self, gains=self.gains[:, rows], use=use, rows=self.rows[rows])


def _closing(gains: Floats, use: Floats, limits: Floats) -> Floats:
    """The least price float64[R] at which nobody wants what has a limit of zero."""
    floor = np.zeros(len(limits))
    for resource in np.flatnonzero(limits == 0):
        with np.errstate(divide="ignore", invalid="ignore"):
            worth = np.where(use[:, resource] > 0, gains / use[:, resource], 0.0)
        floor[resource] = max(float(worth.max(initial=0.0)), 0.0)
    return floor


def _solve(problem: Problem) -> Prices:
    tight = np.isfinite(problem.limits) & (problem.limits > 0)
    limits = problem.limits[tight]
    tried, gained, used = [problem.floor], [], []
    dual, bound, value, shares = problem.floor, math.inf, 0.0, np.ones(1)
    for _ in range(_EVALUATIONS):
        point = tried[-1]
        priced, use = problem.column(point)
        if (total := priced + float(point[tight] @ limits)) < bound:
            dual, bound = point, total
        gained.append(priced + float(point @ use))
        used.append(use[tight] / limits)
        value, shares, rates = _master(np.array(gained), np.array(used), bound)
        if bound - value <= _GAP * bound:
            break
        following = problem.floor.copy()
        following[tight] += rates / limits
        tried.append(following)
    kept = np.flatnonzero(shares > 0)
    return Prices(dual, np.array(tried)[kept], shares[kept], bound, max(bound - value, 0.0))


def _master(gained: Floats, used: Floats, bound: float) -> tuple[float, Floats, Floats]:
    """The best mix of columns: its gain, the shares float64[K], and the price of each whole limit."""
    scale = bound if bound > 0 else 1.0
    rows = np.vstack([used.T, np.ones(len(gained))])
    found = linprog(-gained / scale, A_ub=rows, b_ub=np.ones(len(rows)), method="highs-ds")
    assert found.fun is not None
    rates = np.maximum(-found.ineqlin.marginals[:-1], 0.0) * scale
    return -float(found.fun) * scale, np.asarray(found.x), np.asarray(rates)
