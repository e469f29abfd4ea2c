import math

import numpy as np
import pytest

from kulanz.engine.evaluation.intervals import empirical_bernstein, mean_interval, mean_limits
from kulanz.kernel.errors import InputError

RUNS, PEEKS = 400, 50
ALLOWED = 0.05 + 2 * math.sqrt(0.05 * 0.95 / RUNS)


def missed(runs, means, rows, **options):
    """Share of runs in which one of 50 looks shows an interval without the mean that holds by then."""
    looks = np.linspace(rows / PEEKS, rows, PEEKS).astype(int)
    wrong = 0
    for values, mean in zip(runs, means, strict=True):
        limits = mean_limits(values, looks, **options)
        truth = mean[looks - 1]
        wrong += bool(((limits[:, 0] > truth) | (limits[:, 1] < truth)).any())
    return wrong / len(runs)


def test_a_limit_is_where_the_bettors_wealth_reaches_forty_to_one():
    values = [0.1, 0.9, 0.4, 1.0, 0.7, 0.8, 0.9, 1.0, 0.6, 0.9]
    shares = {k: 1 / (1 + ((k + 3) / 2.5) ** 2) for k in range(-12, 6)}

    def wealth(rows, mean):
        won = 0.0
        for k, share in shares.items():
            product = math.prod((1 + 2.0**k * x) / (1 + 2.0**k * mean) for x in rows)
            won += share / sum(shares.values()) * product
        return won

    low, high = mean_interval(np.array(values))
    assert 0 < low < np.mean(values) < high < 1
    assert wealth(values, low) == pytest.approx(40, rel=1e-6)
    assert wealth([1 - x for x in values], 1 - high) == pytest.approx(40, rel=1e-6)


@pytest.mark.parametrize("mean", [0.02, 0.5, 0.9])
def test_an_interval_that_is_looked_at_all_the_time_keeps_its_promise(mean):
    rng = np.random.default_rng(1)
    runs = (rng.random((RUNS, 1000)) < mean).astype(float)
    assert missed(runs, np.full((RUNS, 1000), mean), 1000) <= ALLOWED


def test_the_promise_is_not_bought_with_intervals_that_never_err():
    """At a level of .5 the runs do err, so the checks above can fail."""
    rng = np.random.default_rng(2)
    runs = (rng.random((RUNS, 1000)) < 0.5).astype(float)
    assert 0.05 < missed(runs, np.full((RUNS, 1000), 0.5), 1000, level=0.5) <= 0.5


def test_expectations_may_drift():
    rng = np.random.default_rng(3)
    trend = np.linspace(0.1, 0.8, 1000)
    runs = (rng.random((RUNS, 1000)) < trend).astype(float)
    average = np.cumsum(trend) / np.arange(1, 1001)
    assert missed(runs, np.tile(average, (RUNS, 1)), 1000) <= ALLOWED


def test_expectations_may_follow_from_what_came_before():
    rng = np.random.default_rng(4)
    runs, expected = np.zeros((RUNS, 500)), np.full((RUNS, 500), 0.2)
    for t in range(500):
        if t:
            expected[:, t] = 0.2 + 0.6 * runs[:, t - 1]
        runs[:, t] = rng.random(RUNS) < expected[:, t]
    averages = np.cumsum(expected, axis=1) / np.arange(1, 501)
    assert missed(runs, averages, 500) <= ALLOWED


def test_heavy_weights_leave_the_low_limit_standing():
    """Inverse propensities up to 2,000: the high end is unknown, the rewards' mean is .1."""
    rng = np.random.default_rng(5)
    logged = rng.choice([0.5, 0.05, 0.005, 0.0005], (RUNS, 2000))
    runs = (rng.random((RUNS, 2000)) < logged) / logged * (rng.random((RUNS, 2000)) < 0.1)
    assert missed(runs, np.full((RUNS, 2000), 0.1), 2000, high=np.inf) <= ALLOWED
    lights = np.where(rng.random(5000) < 0.5, 2.0, 0.0) * (rng.random(5000) < 0.1)
    low, high = mean_interval(lights, high=np.inf)
    assert 0.07 < low < 0.1
    assert high == np.inf


def test_the_range_may_be_any():
    rng = np.random.default_rng(6)
    values = rng.random(300)
    low, high = mean_interval(values)
    assert mean_interval(values * 12 - 7, low=-7, high=5) == pytest.approx((low * 12 - 7, high * 12 - 7))


def test_each_look_of_many_equals_a_look_of_its_own():
    values = np.random.default_rng(7).random(200)
    limits = mean_limits(values, np.array([0, 1, 70, 200]))
    assert limits[0].tolist() == [0, 1]
    assert tuple(limits[2]) == pytest.approx(mean_interval(values[:70]))
    assert tuple(limits[3]) == pytest.approx(mean_interval(values[::-1]))


def test_the_formula_of_empirical_bernstein_by_hand():
    """Two rows 1 and 0: stakes capped at .5, psi = log 2 - .5; the second row is away from the mean (.5 + 1)
    / 2.
    """
    psi = math.log(2) - 0.5
    half = (math.log(40) + psi * (0.5**2 + 0.75**2)) / (0.5 + 0.5)
    assert empirical_bernstein(np.array([1.0, 0.0])) == (0.0, 1.0)
    assert half > 1
    many = np.tile([1.0, 0.0], 10)
    low, high = empirical_bernstein(many)
    t = np.arange(1, 21)
    sums, squares, stakes, cost = 0.5, 0.25, [], 0.0
    for i, x in enumerate(many):
        stakes.append(min(0.5, math.sqrt(2 * math.log(40) / (squares / t[i] * t[i] * math.log(1 + t[i])))))
        cost += (x - sums / t[i]) ** 2 * (-math.log(1 - stakes[-1]) - stakes[-1])
        sums += x
        squares += (x - sums / (t[i] + 1)) ** 2
    half = (math.log(40) + cost) / sum(stakes)
    centre = float(np.dot(stakes, many)) / sum(stakes)
    assert (low, high) == pytest.approx((max(centre - half, 0), min(centre + half, 1)))


@pytest.mark.parametrize("rows", [100, 2000, 10_000])
def test_betting_is_narrower_than_empirical_bernstein(rows):
    rng = np.random.default_rng(8)
    for values in (rng.random(rows), rng.beta(8, 2, rows), (rng.random(rows) < 0.5).astype(float)):
        assert np.diff(mean_interval(values)) < np.diff(empirical_bernstein(values))


def test_few_rows_say_little_and_what_cannot_be_an_outcome_is_refused():
    assert mean_interval(np.zeros(0)) == (0, 1)
    assert mean_interval(np.array([0.7])) == (0, 1)
    assert empirical_bernstein(np.zeros(0), low=-1, high=2) == (-1, 2)
    with pytest.raises(InputError, match="within 0 and 1"):
        mean_interval(np.array([1.2]))
    with pytest.raises(InputError, match="finite"):
        mean_interval(np.array([np.nan]))
    with pytest.raises(InputError, match="not below"):
        mean_interval(np.array([0.5]), low=1, high=1)
    with pytest.raises(InputError, match="more rows"):
        mean_limits(np.array([0.5]), np.array([2]))
    with pytest.raises(InputError, match="level"):
        mean_interval(np.array([0.5]), level=1.0)
