"""Intervals for a mean or a difference of two by drawing rows again: for one look, when all rows are in."""

from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from kulanz.engine.arrays import Floats
from kulanz.engine.evaluation.intervals import chance_to_err, checked
from kulanz.kernel.errors import InputError

_AT_ONCE = 1 << 22


def bootstrap_interval(
    values: Floats,
    other: Floats | None = None,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    method: Literal["percentile", "bca"] = "bca",
) -> tuple[float, float]:
    """Interval for the mean of float64[n], or for that mean less the mean of `other` float64[m], drawn apart.

    Efron 1987: BCa corrects for bias and skewness, percentile does not. The same seed gives the same
    interval. Neither may be looked at again and again (use `mean_interval`), and neither sees an outcome that
    no row has had. Costs draws * n random numbers. Raises InputError for fewer than two rows.
    """
    groups = [checked(group, -np.inf, np.inf) for group in (values, other) if group is not None]
    if min(len(group) for group in groups) < 2:
        raise InputError("A bootstrap needs at least two rows in every group.")
    rng = np.random.Generator(np.random.Philox(seed))
    found = [_means(group, draws, rng) for group in groups]
    signs = (1.0, -1.0)[: len(groups)]
    means = sum(sign * mean for sign, mean in zip(signs, found, strict=True))
    seen = sum(sign * group.mean() for sign, group in zip(signs, groups, strict=True))
    alpha = chance_to_err(level)
    tails = np.array([alpha / 2.0, 1.0 - alpha / 2.0])
    if method == "bca":
        tails = _corrected(tails, np.asarray(means), float(seen), _acceleration(groups))
    low, high = np.quantile(means, tails)
    return float(low), float(high)


def _means(values: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """float64[draws]: the mean of n rows drawn with replacement, each time anew."""
    n, found = len(values), np.empty(draws)
    block = max(1, _AT_ONCE // n)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        found[start : start + size] = values[rng.integers(n, size=(size, n))].mean(axis=1)
    return found


def _corrected(tails: Floats, means: Floats, seen: float, acceleration: float) -> Floats:
    """Tails moved by the draws' bias against what was seen and by the acceleration."""
    below = ((means < seen).mean() + (means <= seen).mean()) / 2.0
    bias = ndtri(np.clip(below, 0.5 / len(means), 1.0 - 0.5 / len(means)))
    shifted = bias + ndtri(tails)
    return np.asarray(ndtr(bias + shifted / (1.0 - acceleration * shifted)))


def _acceleration(groups: list[Floats]) -> float:
    """From the jackknife, which for means is the centred rows (Efron and Tibshirani 1993)."""
    centred = [sign * (group - group.mean()) for sign, group in zip((1.0, -1.0), groups, strict=False)]
    cubes = sum(float((rows**3).sum()) / len(rows) ** 3 for rows in centred)
    squares = sum(float((rows**2).sum()) / len(rows) ** 2 for rows in centred)
    return cubes / (6.0 * squares**1.5) if squares > 0 else 0.0
