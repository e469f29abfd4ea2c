"""What a policy is worth: off-policy estimates, and the lift over the holdout with an interval that may be
peeked at.
"""

from dataclasses import dataclass

import numpy as np

from kulanz.engine.arrays import Floats
from kulanz.kernel.errors import InputError

_GRID = 1001
_ROWS = 512
_LARGEST_BET = 0.5


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean reward and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Lift:
    """Mean outcome of policy and holdout (None without any), the difference and its interval."""

    policy: float | None
    holdout: float | None
    difference: float | None
    low: float
    high: float
    policy_count: int
    holdout_count: int
    level: float


def ips(rewards: Floats, logged: Floats, target: Floats) -> Estimate:
    """Inverse propensity scoring: unbiased for the policy that takes the logged actions with chance `target`.

    All float64[n]; `logged` are the propensities the actions were drawn with, above zero.
    """
    weights = _weights(rewards, logged, target)
    return Estimate(float(np.mean(weights * rewards)), _standard_error(weights * rewards))


def snips(rewards: Floats, logged: Floats, target: Floats) -> Estimate:
    """Self-normalised IPS: a little biased, far less noisy; the error is the delta method's."""
    weights = _weights(rewards, logged, target)
    if not weights.sum() > 0:
        raise InputError("The target policy takes none of the logged actions; nothing can be estimated.")
    value = float(weights @ rewards / weights.sum())
    return Estimate(value, _standard_error(weights * (rewards - value) / weights.mean()))


def mean_interval(values: Floats, *, level: float = 0.95) -> tuple[float, float]:
    """Interval for the mean of values within [0, 1], valid at every sample size and under peeking.

    Hedged betting (Waudby-Smith and Ramdas 2024, predictable plug-in bets); rows count in their order of
    arrival.
    """
    if not len(values):
        return 0.0, 1.0
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise InputError("An interval needs outcomes within 0 and 1; scale them before.")
    candidates = np.linspace(0.0, 1.0, _GRID)
    bets = _bets(values, 1.0 - level)
    up, down = np.zeros(_GRID), np.zeros(_GRID)
    with np.errstate(divide="ignore"):
        most_up, most_down = _LARGEST_BET / candidates, _LARGEST_BET / (1.0 - candidates)
    for first in range(0, len(values), _ROWS):
        part = slice(first, first + _ROWS)
        away = values[part, None] - candidates
        up += np.log1p(np.minimum(bets[part, None], most_up) * away).sum(axis=0)
        down += np.log1p(-np.minimum(bets[part, None], most_down) * away).sum(axis=0)
    kept = np.flatnonzero(np.maximum(up, down) + np.log(0.5) < -np.log(1.0 - level))
    if not len(kept):
        centre = round(float(values.mean()) * (_GRID - 1))
        kept = np.array([centre])
    return float(candidates[max(kept[0] - 1, 0)]), float(candidates[min(kept[-1] + 1, _GRID - 1)])


def lift(policy: Floats, holdout: Floats, level: float = 0.95) -> Lift:
    """Difference of mean outcomes (one value within [0, 1] per customer) with an always-valid interval.

    Each side's interval holds with (1 + level) / 2, so both hold together with `level`: honest for the
    smallest groups, somewhat wide for large ones.
    """
    policy, holdout = np.asarray(policy, dtype=np.float64), np.asarray(holdout, dtype=np.float64)
    each = (1.0 + level) / 2.0
    one, other = mean_interval(policy, level=each), mean_interval(holdout, level=each)
    means = [float(side.mean()) if len(side) else None for side in (policy, holdout)]
    difference = None if means[0] is None or means[1] is None else means[0] - means[1]
    return Lift(
        policy=means[0],
        holdout=means[1],
        difference=difference,
        low=one[0] - other[1],
        high=one[1] - other[0],
        policy_count=len(policy),
        holdout_count=len(holdout),
        level=level,
    )


def _bets(values: Floats, alpha: float) -> Floats:
    """Stakes float64[n]; each depends only on the values before it."""
    t = np.arange(1, len(values) + 1)
    mean = (0.5 + np.cumsum(values)) / (t + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], variance[:-1]])
    return np.asarray(np.sqrt(2.0 * np.log(2.0 / alpha) / (before * t * np.log(1.0 + t))))


def _weights(rewards: Floats, logged: Floats, target: Floats) -> Floats:
    if not len(rewards) or not len(rewards) == len(logged) == len(target):
        raise InputError("An estimate needs rewards and both propensities for the same rows, at least one.")
    if not (logged > 0).all():
        raise InputError("A logged propensity is not above zero: this row cannot have been drawn.")
    return np.asarray(target / logged)


def _standard_error(values: Floats) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")
