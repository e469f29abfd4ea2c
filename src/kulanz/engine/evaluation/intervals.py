"""Intervals for a mean that may be looked at after every row and still keep their promise.

A bettor starts with 1 and stakes L > 0 on rows being larger than m (values counted from the low end of their
range):

    W_n(m) = prod (1 + L x_i) / (1 + L m)^n

Let m_n be the average of what each row's expectation was given the rows before it. As prod (1 + L E x_i) is
at most (1 + L m_n)^n, W_n(m_n) never exceeds a martingale that starts at 1, so it ever reaches 1/alpha with a
chance of alpha at most (Ville), however the expectations move. The same holds for an average over stakes; it
needs no bet to be tuned, and the limits depend on which rows have come, not on their order. The low limit is
the least m whose wealth stays below 1/alpha, the high limit the mirror image.
"""

import numpy as np

from kulanz.engine.arrays import Floats, Ints
from kulanz.kernel.errors import InputError

_OCTAVES = np.arange(-12, 6)
_CENTRE, _SPREAD = -3, 2.5
_MOST_STEPS = 100
_EXACT = 1e-12


def mean_interval(
    values: Floats, *, low: float = 0.0, high: float = 1.0, level: float = 0.95
) -> tuple[float, float]:
    """Interval for the mean of float64[n] within [low, high], valid at every n and under peeking.

    Betting (Waudby-Smith and Ramdas 2024) with a mixture of constant stakes. The mean is the average of the
    rows' expectations given their past, which need not be equal. No rows: (low, high). The sample mean always
    lies inside. An end of the range may be infinite: importance-weighted rewards w r >= 0 have a low limit
    however heavy the weights (Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro 2022), and no high one.
    Values should then be about 1.
    """
    limits = mean_limits(values, np.array([len(values)]), low=low, high=high, level=level)
    return float(limits[0, 0]), float(limits[0, 1])


def mean_limits(
    values: Floats, looks: Ints, *, low: float = 0.0, high: float = 1.0, level: float = 0.95
) -> Floats:
    """float64[b, 2]: the `mean_interval` of the first `looks[b]` rows each, at one `level` for all."""
    values, looks = checked(values, low, high), np.asarray(looks)
    if looks.min(initial=0) < 0 or looks.max(initial=0) > len(values):
        raise InputError("A look asks for more rows than have come.")
    width, alpha = high - low if np.isfinite(high - low) else 1.0, chance_to_err(level) / 2.0
    limits = np.tile([float(low), float(high)], (len(looks), 1))
    if np.isfinite(low):
        limits[:, 0] += width * least_mean(gains((values - low) / width, looks), looks, alpha)
    if np.isfinite(high):
        limits[:, 1] -= width * least_mean(gains((high - values) / width, looks), looks, alpha)
    return limits


def empirical_bernstein(
    values: Floats, *, low: float = 0.0, high: float = 1.0, level: float = 0.95
) -> tuple[float, float]:
    """Predictable plug-in empirical Bernstein interval (Waudby-Smith and Ramdas 2024, theorem 2), in closed
    form.

    For float64[n] within [low, high] whose expectation stays the same; rows count in their order of arrival.
    Usually wider than `mean_interval`, up to 1.7 times at 50,000 rows; its formula is closed.
    """
    x = (checked(values, low, high) - low) / (high - low)
    if not len(x):
        return low, high
    t, alpha = np.arange(1, len(x) + 1), chance_to_err(level)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    before, spread = np.append(0.5, mean[:-1]), np.append(0.25, variance[:-1])
    stake = np.minimum(np.sqrt(2.0 * np.log(2.0 / alpha) / (spread * t * np.log1p(t))), 0.5)
    cost = (x - before) ** 2 @ (-np.log1p(-stake) - stake)
    centre, half = stake @ x / stake.sum(), (np.log(2.0 / alpha) + cost) / stake.sum()
    ends = np.clip([centre - half, centre + half], 0.0, 1.0)
    return float(low + (high - low) * ends[0]), float(low + (high - low) * ends[1])


def checked(values: Floats, low: float, high: float) -> Floats:
    """The values as float64[n]; InputError for a gap, an infinite value or one outside the range."""
    values = np.asarray(values, dtype=np.float64)
    if not low < high:
        raise InputError(f"An interval needs a range: {low:g} is not below {high:g}.")
    if not np.isfinite(values).all():
        raise InputError("An interval needs a finite number in every row; leave rows without an outcome out.")
    if len(values) and not (values.min() >= low and values.max() <= high):
        raise InputError(f"An interval needs outcomes within {low:g} and {high:g}; scale them before.")
    return values


def chance_to_err(level: float) -> float:
    """1 - level; InputError unless the level lies strictly between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise InputError(f"An interval's level lies between 0 and 1, such as 0.95; {level:g} does not.")
    return 1.0 - level


def stakes() -> Floats:
    """float64[k]: stakes in octaves, for values that count from 0 and are 1 at most or about."""
    return np.asarray(2.0**_OCTAVES)


def log_prior(centre: float = _CENTRE) -> Floats:
    """float64[k]: what share of the bettor's 1 goes on each stake; most on those that some thousand rows
    need.
    """
    weights = 1.0 / (1.0 + ((_OCTAVES - centre) / _SPREAD) ** 2)
    return np.asarray(np.log(weights / weights.sum()))


def gains(values: Floats, looks: Ints) -> Floats:
    """float64[b, k]: sum of log(1 + L x) over the first `looks[b]` rows, for every stake L."""
    found = np.zeros((len(looks), len(_OCTAVES)))
    for column, stake in enumerate(stakes()):
        sums = np.append(0.0, np.cumsum(np.log1p(stake * values)))
        found[:, column] = sums[looks]
    return found


def least_mean(gained: Floats, looks: Ints, alpha: float) -> Floats:
    """float64[b]: the least m >= 0 whose mixed wealth stays below 1/alpha. Newton's method on a convex
    function.
    """
    rows, stake = np.asarray(looks, dtype=np.float64)[:, None], stakes()
    won = log_prior() + gained + np.log(alpha)
    mean = np.maximum(np.expm1(won / np.maximum(rows, 1.0)) / stake, 0.0).max(axis=1)
    for _ in range(_MOST_STEPS):
        staked = 1.0 + stake * mean[:, None]
        left = won - rows * np.log(staked)
        top = left.max(axis=1, keepdims=True)
        part = np.exp(left - top)
        whole = part.sum(axis=1)
        slope = (part * rows * stake / staked).sum(axis=1)
        step = np.maximum(top[:, 0] + np.log(whole), 0.0) * whole / np.where(slope > 0, slope, np.inf)
        mean += step
        if step.max(initial=0.0) <= _EXACT:
            break
    return np.asarray(mean)
