"""What a policy adds over its holdout, with one interval for the difference that is valid at any time.

Two intervals, one for each group, would each pay for their own error and add up. Here one bettor stakes on
both groups at once, so that only the difference is at stake: with u the mean of y over one group, v the mean
of 1 - y over the other, and stakes L, M,

    W(u, v) = prod (1 + L y_i) / (1 + L u)^n  *  prod (1 + M (1 - y_j)) / (1 + M v)^m

averaged over stakes is below 1/alpha at all times with a chance of 1 - alpha at least, for the reason given
in `intervals`. The set of (u, v) below it is convex; the least u + v - 1 in it bounds the difference of the
means from below. Stakes near M / L = n / m make W depend on (u, v) through u + v alone, to first order.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from kulanz.engine.arrays import Floats, Ints
from kulanz.engine.evaluation.intervals import chance_to_err, checked, gains, log_prior, stakes
from kulanz.kernel.errors import InputError

_RATIOS = 3
_LEAST_SHARE = 1e-3
_HALVINGS = 11
_MOST_STEPS = 40
_EXACT = 1e-9
_STEEP = 1e12


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


def lift(policy: Floats, holdout: Floats, level: float = 0.95, *, share: float = 0.2) -> Lift:
    """Difference of mean outcomes (one value within [0, 1] per customer), valid at all times together.

    `share` is about what share of customers the holdout was planned to have: the nearer, the narrower the
    interval, and valid whatever it is. The means are the averages of each customer's expectation given those
    before, so a policy that learns while it is measured is covered. A group without customers leaves the
    difference open.
    """
    policy, holdout = checked(policy, 0.0, 1.0), checked(holdout, 0.0, 1.0)
    sizes = np.array([[len(policy), len(holdout)]])
    low, high = lift_limits(policy, holdout, sizes, level=level, share=share)[0]
    means = [float(side.mean()) if len(side) else None for side in (policy, holdout)]
    return Lift(
        policy=means[0],
        holdout=means[1],
        difference=None if means[0] is None or means[1] is None else means[0] - means[1],
        low=float(low),
        high=float(high),
        policy_count=len(policy),
        holdout_count=len(holdout),
        level=level,
    )


def lift_limits(
    policy: Floats, holdout: Floats, looks: Ints, *, level: float = 0.95, share: float = 0.2
) -> Floats:
    """float64[b, 2]: the interval when the first `looks[b, 0]` and `looks[b, 1]` customers had come."""
    if not 0.0 <= share <= 1.0:
        raise InputError(f"The holdout's share must lie within 0 and 1, not be {share:g}.")
    policy, holdout = checked(policy, 0.0, 1.0), checked(holdout, 0.0, 1.0)
    (n, m), alpha = looks.T, chance_to_err(level) / 2.0
    planned = min(max(share, _LEAST_SHARE), 1.0 - _LEAST_SHARE)
    ratio = (1.0 - planned) / planned
    more = _least_sum(gains(policy, n), gains(1.0 - holdout, m), looks, ratio, alpha)
    less = _least_sum(gains(1.0 - policy, n), gains(holdout, m), looks, ratio, alpha)
    return np.column_stack([more - 1.0, 1.0 - less])


def _least_sum(one: Floats, other: Floats, looks: Ints, ratio: float, alpha: float) -> Floats:
    """float64[b]: the least u + v, both within [0, 1], whose wealth stays below 1/alpha.

    Halves the range of v, then takes the sum where the tangents of the edge at its two ends meet: the edge
    u(v) of a convex set lies above them, so the sum found is never too large.
    """
    edge = _edge(one, other, looks, ratio, alpha)
    low, high = np.zeros(len(looks)), np.ones(len(looks))
    v, u, slope = low, low, low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        u, slope = edge.at(middle, u + slope * (middle - v))
        v, steep = middle, slope < -1.0
        low, high = np.where(steep, v, low), np.where(steep, high, v)
    u_low, slope_low = edge.at(low, u + slope * (low - v))
    u_high, slope_high = edge.at(high, u + slope * (high - v))
    bend = np.maximum(slope_high - slope_low, _EXACT)
    meet = low + np.clip((u_low - u_high + slope_high * (high - low)) / bend, 0.0, high - low)
    least = np.where(slope_high < -1.0, u_high + high, u_high + slope_high * (meet - high) + meet)
    return np.where(slope_low >= -1.0, u_low + low, least)


@dataclass(frozen=True, slots=True)
class _Edge:
    """Where the mixed wealth of b looks is 1/alpha, for k first stakes with r second stakes each.

    `won` float64[b, k, r], minus infinity without such a pair; `second` int64[k, r]: columns of `stakes`.
    """

    won: Floats
    second: Ints
    looks: Ints

    def at(self, v: Floats, u: Floats) -> tuple[Floats, Floats]:
        """The edge u(v), sought from about u, and its slope; very steep where all of [0, 1] lies below it."""
        n, stake, u = self.looks[:, :1], stakes(), np.clip(u, 0.0, 1.0)
        paid, paid_slope = _price(stake, v, self.looks[:, 1:])
        won = self.won - paid[:, self.second]
        for _ in range(_MOST_STEPS):
            price, price_slope = _price(stake, u, n)
            left = won - price[:, :, None]
            top = left.max(axis=(1, 2), keepdims=True)
            part = np.exp(left - top)
            by_stake = part.sum(axis=2)
            slope = (by_stake * price_slope).sum(axis=1)
            whole = by_stake.sum(axis=1)
            excess = top[:, 0, 0] + np.log(whole)
            step = np.clip(excess * whole / np.where(slope > 0, slope, np.inf), -u, 1.0 - u)
            u = u + step
            if np.abs(step).max(initial=0.0) <= _EXACT:
                break
        falls = (part * paid_slope[:, self.second]).sum(axis=(1, 2)) / np.where(slope > 0, slope, 1.0)
        falls = np.where((u <= 0) & (excess < 0), 0.0, falls)
        return u, -np.where((u >= 1) & (excess > 0) | (slope <= 0) & (excess > 0), _STEEP, falls)


def _edge(one: Floats, other: Floats, looks: Ints, ratio: float, alpha: float) -> _Edge:
    """Pairs of stakes whose ratio is near `ratio`, and the log share of the bettor's 1 on each."""
    near = np.arange(np.ceil(np.log2(ratio)) - _RATIOS, np.floor(np.log2(ratio)) + _RATIOS + 1)
    first, count = np.arange(len(stakes()))[:, None], len(stakes())
    second = (first + near).astype(np.int64)
    there, second = (second >= 0) & (second < count), np.clip(second, 0, count - 1)
    prior = log_prior(-2)[np.maximum(first, second)] - np.log1p((near - np.log2(ratio)) ** 2)
    prior = np.where(there, prior, -np.inf)
    won = prior - logsumexp(prior) + one[:, :, None] + other[:, second] + np.log(alpha)
    return _Edge(won, second, looks)


def _price(stake: Floats, mean: Floats, rows: Ints) -> tuple[Floats, Floats]:
    """float64[b, k]: log wealth lost if the rows have this mean, rows * log(1 + L mean), and its slope."""
    staked = 1.0 + stake * mean[:, None]
    return np.asarray(rows * np.log(staked)), np.asarray(rows * stake / staked)
