import numpy as np
import pytest

from kulanz.engine import RewardSettings, ips, lift, mean_interval, reward, snips
from kulanz.kernel.errors import InputError


def test_a_reward_by_hand():
    got = reward(
        paid=[10_000, 5_000, 0, 10_000, 10_000],
        open=[10_000, 10_000, 1_000, 10_000, 10_000],
        days=[0, 5, 0, 20, 10],
        contact_cost_minor=[0, 100, 80, 0, 0],
        complaint=[0, 0, 1, 0, 0],
        opt_out=[0, 0, 0, 1, 0],
        dispute=[0, 0, 0, 0, 1],
        settings=RewardSettings(),
    )
    assert got == pytest.approx([1.0, 0.5 * 0.9 - 0.01, -0.08 - 0.5, -0.3, 0.8 - 0.1])


def test_a_reward_needs_something_open():
    with pytest.raises(InputError, match="open amount"):
        reward([0], [0], [0], [0], [0], [0], [0])


def test_inverse_propensity_by_hand():
    rewards, logged, target = (
        np.array([1.0, 0.0, 1.0]),
        np.array([0.5, 0.25, 0.5]),
        np.array([0.25, 0.5, 1.0]),
    )
    assert ips(rewards, logged, target).value == pytest.approx((0.5 + 0 + 2) / 3)
    assert snips(rewards, logged, target).value == pytest.approx(2.5 / 4.5)
    assert ips(rewards, logged, target).error == pytest.approx(np.std([0.5, 0, 2], ddof=1) / np.sqrt(3))


@pytest.mark.parametrize("mean", [0.1, 0.5, 0.9])
def test_an_interval_that_is_looked_at_all_the_time_keeps_its_promise(mean):
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(150):
        values = (rng.random(300) < mean).astype(float)
        looks = [mean_interval(values[:n]) for n in (2, 5, 10, 20, 50, 100, 200, 300)]
        missed += any(not low <= mean <= high for low, high in looks)
    assert missed / 150 <= 0.06


def test_few_customers_give_a_wide_interval_and_many_a_narrow_one():
    rng = np.random.default_rng(2)
    few = lift(rng.beta(8, 2, 90), rng.beta(8, 2, 10))
    many = lift(rng.beta(8, 2, 4500), rng.beta(7, 3, 500))
    assert few.low < -0.2 < 0.2 < few.high
    assert many.low < 0.1 < many.high
    assert many.low > 0
    assert many.high - many.low < 0.15


def test_no_outcome_says_nothing():
    empty = lift(np.array([0.4]), np.zeros(0))
    assert (empty.holdout, empty.difference) == (None, None)
    assert empty.high - empty.low > 1.5
    with pytest.raises(InputError, match="within 0 and 1"):
        lift(np.array([1.2]), np.zeros(0))


def test_two_equal_groups_are_rarely_told_apart():
    rng = np.random.default_rng(3)
    found = [lift(rng.random(400), rng.random(60)) for _ in range(60)]
    assert sum(not one.low <= 0 <= one.high for one in found) <= 3
