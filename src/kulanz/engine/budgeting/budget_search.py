"""Prices for a policy that draws: expected use and a margin for the luck of the draw within every limit."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.arrays import Floats
from kulanz.engine.budgeting.duals import checked, prices
from kulanz.kernel.errors import InputError

_SAMPLE = 20_000
_FEW = 4
_STEPS = 40
_SLACK = 0.01
_FIRST = 0.1
_AGAIN = 0.3
_MOST = 1e3
_FALL, _RISE = 0.05, 5.0
_TINY = 1e-300
_FAR = 100.0
_UNMOVED = 1e-4

Probabilities = Callable[[Floats, slice], Floats]
"""(prices float64[R], rows of the batch) -> float64[rows, A]: with what probability each option is drawn."""


@dataclass(frozen=True, slots=True)
class StochasticPrices:
    """Prices float64[R], and at these the expected use of the batch and its standard deviation float64[R].

    `met`: expected use plus margin is within every limit. If not, no prices were found for that: the least
    probabilities alone use too much (see `shortlist`).
    """

    dual: Floats
    expected: Floats
    spread: Floats
    met: bool


def stochastic_prices(
    probabilities_of: Probabilities,
    values: NDArray[Any],
    use: NDArray[Any],
    limits: NDArray[Any],
    *,
    margin: float = 3.0,
    start: Floats | None = None,
) -> StochasticPrices:
    """Prices at which expected use plus `margin` standard deviations of the drawn use meets the limits.

    values float[n, A], use float[A, R] or float[n, A, R], limits float[R] as in `prices`. A resource with a
    price above zero is planned to within 1 % of its limit where that can be reached. Begins at `start`, by
    default the dual prices of the best plan, and steps by Broyden's method, first on a sample of a large
    batch; the callable is asked up to 80 times, commonly 5 to 10. Raises InputError as `prices` does.
    """
    worth, spent, most = checked(values, use, limits)
    if not margin >= 0:
        raise InputError("The margin must be a number of standard deviations of at least zero.")
    search = _Search(probabilities_of, worth, spent, most, margin, _units(worth, spent))
    dual = prices(worth, spent, most).dual if start is None else start
    every = len(worth) // _SAMPLE
    if every > _FEW:
        dual = search.settle(dual, slice(None, None, every)).dual
    return search.settle(dual, slice(None))


@dataclass(frozen=True, slots=True)
class _Search:
    """The batch whose expected use is to meet the limits; units float64[R]: the size a price may have."""

    probabilities_of: Probabilities
    values: Floats
    use: Floats
    limits: Floats
    margin: float
    units: Floats

    def settle(self, start: Floats, rows: slice) -> StochasticPrices:
        """Steps from `start` until every limit is met and none that has a price is left unused."""
        dual, last = start / self.units, start / self.units
        found, best, before = None, (False, -math.inf), np.full(len(start), math.inf)
        secant = _Secant(len(start))
        for _ in range(_STEPS):
            point, worth, excess = self._at(dual * self.units, rows)
            rank = point.met, worth if point.met else -float(excess.max(initial=-_FAR))
            if found is None or rank > best:
                found, best = point, rank
            priced = (dual > 0) | (excess > 0)
            done = point.met and bool((excess[priced] >= -_SLACK).all())
            if done or (dual > _MOST).any() or (np.abs(excess - before) < _UNMOVED).all():
                break
            before = excess
            last = np.where(dual > 0, dual, last)
            again = np.where(last > 0, _AGAIN * last, _FIRST)
            dual = np.where(dual > 0, secant.step(dual, excess), np.where(excess > 0, again, 0.0))
        assert found is not None
        return found

    def _at(self, dual: Floats, rows: slice) -> tuple[StochasticPrices, float, Floats]:
        """Where these prices lead to, the expected value per case, log(planned use / limit) float64[R]."""
        chance = np.asarray(self.probabilities_of(dual, rows), dtype=np.float64)
        values = self.values[rows]
        if chance.shape != values.shape or not np.isfinite(chance).all():
            raise InputError(f"One finite probability per case and option is needed, {list(values.shape)}.")
        if self.use.ndim == 2:
            each, squares = chance @ self.use, (chance @ np.square(self.use)).sum(axis=0)
        else:
            each = np.einsum("ia,iar->ir", chance, self.use[rows])
            squares = np.einsum("ia,iar,iar->r", chance, self.use[rows], self.use[rows])
        variance = squares - np.square(each).sum(axis=0)
        share = len(values) / max(len(self.values), 1) or 1.0
        expected, spread = each.sum(axis=0) / share, np.sqrt(np.maximum(variance, 0.0) / share)
        planned = np.maximum(expected + self.margin * spread, _TINY)
        excess = np.maximum(np.log(planned) - np.log(np.maximum(self.limits, _TINY)), -_FAR)
        worth = float((chance * np.where(np.isfinite(values), values, 0.0)).sum())
        return StochasticPrices(dual, expected, spread, bool((excess <= 0).all())), worth, excess


class _Secant:
    """Broyden's method (1965) on the change of log use per change of price, float64[R, R]."""

    def __init__(self, resources: int) -> None:
        self.slopes = np.zeros((resources, resources))
        self.before: tuple[Floats, Floats] | None = None

    def step(self, dual: Floats, excess: Floats) -> Floats:
        """Prices that leave half the slack, by a factor within bounds; 0 where that is below zero.

        To begin with, use is taken to fall with the square of its own price.
        """
        live = np.flatnonzero(dual > 0)
        self._learn(dual, excess)
        new = live[self.slopes[live, live] >= 0]
        self.slopes[new, new] = -2.0 / dual[new]
        aim = dual.copy()
        aim[live] -= np.linalg.lstsq(self.slopes[np.ix_(live, live)], excess[live] + _SLACK / 2.0)[0]
        return np.where((aim <= 0) & (excess < 0), 0.0, np.clip(aim, dual * _FALL, dual * _RISE))

    def _learn(self, dual: Floats, excess: Floats) -> None:
        if self.before is not None:
            run, rise = dual - self.before[0], excess - self.before[1]
            if (square := float(run @ run)) > 0:
                self.slopes += np.outer(rise - self.slopes @ run, run) / square
        self.before = dual, excess


def _units(values: Floats, use: Floats) -> Floats:
    """Mean distance between the best and the least option of a case, per mean use, float64[R]."""
    allowed = np.isfinite(values)
    range_ = np.where(allowed, values, -np.inf).max(axis=1) - np.where(allowed, values, np.inf).min(axis=1)
    distance = float(range_[allowed.any(axis=1)].mean()) if allowed.any() else 0.0
    flat = use.reshape(-1, use.shape[-1])
    counts = np.maximum((flat > 0).sum(axis=0), 1)
    mean = flat.sum(axis=0) / counts
    return np.asarray((distance or 1.0) / np.where(mean > 0, mean, 1.0))
