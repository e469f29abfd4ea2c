import math
from itertools import product

import numpy as np
import pytest

from kulanz.engine.evaluation.intervals import mean_interval
from kulanz.engine.evaluation.lift import lift, lift_limits
from kulanz.kernel.errors import InputError


def peeks(held_out, batches):
    ends = np.linspace(len(held_out) / batches, len(held_out), batches).astype(int) - 1
    return np.column_stack([np.cumsum(~held_out), np.cumsum(held_out)])[ends]


def allowed(runs):
    return 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_two_equal_groups_are_rarely_told_apart_though_looked_at_after_every_batch():
    """Rare outcomes and a small holdout, 400 runs of 50 looks."""
    rng, alarms = np.random.default_rng(1), 0
    for _ in range(400):
        outcomes, held_out = (rng.random(1000) < 0.02).astype(float), rng.random(1000) < 0.1
        limits = lift_limits(outcomes[~held_out], outcomes[held_out], peeks(held_out, 50), share=0.1)
        alarms += bool(((limits[:, 0] > 0) | (limits[:, 1] < 0)).any())
    assert alarms / 400 <= allowed(400)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_equal_groups_of_shares_realised_are_rarely_told_apart(share):
    rng, alarms = np.random.default_rng(2), 0
    for _ in range(100):
        outcomes, held_out = np.round(rng.beta(0.4, 0.2, 1000), 1), rng.random(1000) < share
        limits = lift_limits(outcomes[~held_out], outcomes[held_out], peeks(held_out, 25), share=share)
        alarms += bool(((limits[:, 0] > 0) | (limits[:, 1] < 0)).any())
    assert alarms / 100 <= allowed(100)


def test_a_policy_that_learns_while_it_is_measured_is_covered():
    """The policy's expectation rises from the holdout's .4 to .7: its average so far is what the interval
    holds.
    """
    rng, wrong = np.random.default_rng(3), 0
    chance = np.linspace(0.4, 0.7, 1000)
    for _ in range(100):
        held_out = rng.random(1000) < 0.2
        outcomes = (rng.random(1000) < np.where(held_out, 0.4, chance)).astype(float)
        looks = peeks(held_out, 25)
        limits = lift_limits(outcomes[~held_out], outcomes[held_out], looks, share=0.2)
        policy = np.cumsum(chance[~held_out])[looks[:, 0] - 1] / looks[:, 0]
        wrong += bool(((limits[:, 0] > policy - 0.4) | (limits[:, 1] < policy - 0.4)).any())
    assert wrong / 100 <= allowed(100)


def test_at_a_level_of_a_half_equal_groups_are_told_apart_now_and_then():
    """So the checks above can fail."""
    rng, alarms = np.random.default_rng(4), 0
    for _ in range(100):
        outcomes, held_out = (rng.random(1000) < 0.5).astype(float), rng.random(1000) < 0.5
        limits = lift_limits(
            outcomes[~held_out], outcomes[held_out], peeks(held_out, 10), level=0.5, share=0.5
        )
        alarms += bool(((limits[:, 0] > 0) | (limits[:, 1] < 0)).any())
    assert 0.05 < alarms / 100 <= 0.5


def test_the_limits_are_the_least_and_the_largest_difference_that_the_bettor_leaves():
    """By search over a grid of both means in steps of .004, with the wealth written out as products."""
    policy, holdout = [1.0, 0.9, 1.0, 0.8, 1.0, 1.0, 0.7, 1.0, 0.9, 1.0], [0.0, 0.2, 0.0, 0.1, 0.3]
    grid = np.linspace(0, 1, 251)
    one, other = np.meshgrid(grid, grid, indexing="ij")

    def least(first, second, ratio):
        wealth, whole = np.zeros_like(one), 0.0
        for k, j in product(range(-12, 6), repeat=2):
            away = j - k - math.log2(ratio)
            if abs(away) <= 3:
                prior = 1 / (1 + ((max(k, j) + 2) / 2.5) ** 2) / (1 + away**2)
                won = math.prod(1 + 2.0**k * y for y in first) * math.prod(
                    1 + 2.0**j * (1 - y) for y in second
                )
                lost = (1 + 2.0**k * one) ** len(first) * (1 + 2.0**j * other) ** len(second)
                wealth += prior * won / lost
                whole += prior
        return (one + other)[wealth / whole < 40].min() - 1

    found = lift(np.array(policy), np.array(holdout), share=1 / 3)
    assert found.low == pytest.approx(least(policy, holdout, 2.0), abs=0.008)
    turned = [1 - y for y in policy], [1 - y for y in holdout]
    assert found.high == pytest.approx(-least(*turned, 2.0), abs=0.008)
    assert found.low > 0


@pytest.mark.parametrize(("rows", "at_most"), [(500, 0.95), (5000, 0.85)])
def test_one_interval_for_the_difference_is_much_narrower_than_two_put_together(rows, at_most):
    rng = np.random.default_rng(5)
    held_out = rng.random(rows) < 0.1
    for outcomes in (rng.beta(8, 2, rows), (rng.random(rows) < 0.5).astype(float), rng.random(rows)):
        found = lift(outcomes[~held_out], outcomes[held_out], share=0.1)
        apart = [mean_interval(outcomes[side], level=0.975) for side in (~held_out, held_out)]
        assert found.high - found.low < at_most * sum(high - low for low, high in apart)
        assert found.low < found.difference < found.high


def test_few_customers_give_a_wide_interval_and_many_a_narrow_one():
    rng = np.random.default_rng(6)
    few = lift(rng.beta(8, 2, 90), rng.beta(8, 2, 10))
    many = lift(rng.beta(8, 2, 4500), rng.beta(7, 3, 500))
    assert few.low < -0.15 < 0.15 < few.high
    assert 0 < many.low < 0.1 < many.high
    assert many.high - many.low < 0.06


def test_the_planned_share_makes_the_interval_narrow_and_any_share_leaves_it_true():
    rng = np.random.default_rng(7)
    policy, holdout = (rng.random(2700) < 0.6).astype(float), (rng.random(300) < 0.5).astype(float)
    planned, guessed, none = (lift(policy, holdout, share=share) for share in (0.1, 0.5, 0.0))
    assert planned.high - planned.low < guessed.high - guessed.low
    for found in (planned, guessed, none):
        assert found.low < 0.1 < found.high


def test_one_look_equals_the_last_of_many():
    rng = np.random.default_rng(8)
    policy, holdout = rng.random(80), rng.random(20)
    limits = lift_limits(policy, holdout, np.array([[10, 5], [80, 20]]))
    found = lift(policy, holdout)
    assert (found.low, found.high) == pytest.approx(tuple(limits[1]))


def test_no_outcome_says_nothing():
    for found in (lift(np.array([0.4]), np.zeros(0)), lift(np.zeros(0), np.zeros(0))):
        assert (found.holdout, found.difference, found.low, found.high) == (None, None, -1, 1)
    certain = lift(np.ones(100_000), np.zeros(10))
    assert 0 < certain.low < certain.difference == certain.high == 1
    with pytest.raises(InputError, match="within 0 and 1"):
        lift(np.array([1.2]), np.zeros(0))
    with pytest.raises(InputError, match="share"):
        lift(np.ones(1), np.ones(1), share=1.5)
