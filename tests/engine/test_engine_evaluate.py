from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from kulanz.engine import RewardSettings, reward
from kulanz.engine.evaluation.bootstrap import bootstrap_interval
from kulanz.engine.evaluation.episodes import sequential_dr
from kulanz.engine.evaluation.estimators import (
    cut_predictions,
    dm,
    dr,
    ips,
    snips,
    switch_dr,
    switch_threshold,
)
from kulanz.kernel.errors import InputError

CONTEXTS = np.array([0.3, 0.7])
LOGGED = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
TARGET = np.array([[0.0, 0.5, 0.5], [0.6, 0.3, 0.1]])
CHANCE = np.array([[0.2, 0.9, 0.4], [0.5, 0.1, 0.7]])
WRONG = np.array([[0.6, 0.1, 0.3], [0.2, 0.9, 0.5]])
TRUTH = 0.3 * (0.5 * 0.9 + 0.5 * 0.4) + 0.7 * (0.6 * 0.5 + 0.3 * 0.1 + 0.1 * 0.7)


def world():
    """Every context, action and reward that a log may hold, and its chance."""
    x, a, r = (np.array(column) for column in zip(*product((0, 1), (0, 1, 2), (0, 1)), strict=True))
    chance = CONTEXTS[x] * LOGGED[x, a] * np.where(r == 1, CHANCE[x, a], 1 - CHANCE[x, a])
    return x, a, r.astype(float), chance


def sample(rng, n):
    x = (rng.random(n) < 0.7).astype(int)
    a = (rng.random(n)[:, None] > np.cumsum(LOGGED[x], axis=1)).sum(axis=1)
    return x, a, (rng.random(n) < CHANCE[x, a]).astype(float)


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
    away = np.array([0.5 * (1 - 5 / 9), 2 * (0 - 5 / 9), 2 * (1 - 5 / 9)]) / 1.5
    assert snips(rewards, logged, target).error == pytest.approx(np.std(away, ddof=1) / np.sqrt(3))
    assert snips(rewards, logged, target).terms.mean() == pytest.approx(5 / 9)


@pytest.mark.parametrize("model", [CHANCE, WRONG])
def test_over_all_possible_logs_the_estimates_are_right_on_average(model):
    x, a, r, chance = world()
    columns = r, LOGGED[x, a], TARGET[x, a]
    v_hat = (TARGET * model).sum(axis=1)[x]
    assert chance @ ips(*columns).terms == pytest.approx(TRUTH)
    assert chance @ dr(*columns, model[x, a], v_hat).terms == pytest.approx(TRUTH)
    assert bool(chance @ dm(v_hat).terms == pytest.approx(TRUTH)) is (model is CHANCE)


def test_a_perfect_model_leaves_doubly_robust_nothing_to_correct():
    x, a, _, _ = world()
    v_hat = (TARGET * CHANCE).sum(axis=1)[x]
    found = dr(CHANCE[x, a], LOGGED[x, a], TARGET[x, a], CHANCE[x, a], v_hat)
    assert found.terms.tolist() == v_hat.tolist()


def test_doubly_robust_and_its_error_cover_the_truth_as_promised():
    rng, held = np.random.default_rng(11), 0
    v_hat = (TARGET * WRONG).sum(axis=1)
    for _ in range(400):
        x, a, r = sample(rng, 400)
        found = dr(r, LOGGED[x, a], TARGET[x, a], WRONG[x, a], v_hat[x])
        held += abs(found.value - TRUTH) <= 1.96 * found.error
    assert held / 400 >= 0.95 * 0.95


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 1), st.floats(0.01, 1)), min_size=1, max_size=30))
def test_a_self_normalised_estimate_never_leaves_the_range_of_the_rewards(rows):
    rewards, logged, target = (np.array(column) for column in zip(*rows, strict=True))
    assert rewards.min() - 1e-9 <= snips(rewards, logged, target).value <= rewards.max() + 1e-9


def test_switch_at_its_ends_is_doubly_robust_and_the_direct_method():
    x, a, r, _ = world()
    columns = r, LOGGED[x, a], TARGET[x, a], WRONG[x, a], (TARGET * WRONG).sum(axis=1)[x]
    assert switch_dr(*columns, threshold=np.inf) == dr(*columns)
    assert switch_dr(*columns, threshold=-1.0) == dm(columns[-1])
    assert switch_dr(*columns, threshold=1.0).terms[0] == pytest.approx(columns[-1][0])


def test_the_threshold_of_switch_by_hand():
    rewards, q_hat, v_hat = np.array([1.0, 0.0, 1.0, 0.0]), np.full(4, 0.5), np.full(4, 0.5)
    logged, target = np.array([0.5, 0.5, 0.25, 0.01]), np.array([0.5, 0.5, 0.5, 0.5])
    squared_errors = {  # corrections 1 * .5, 1 * -.5, 2 * .5, 50 * -.5; weights within: 0, 2/4, 4/4, 54/4
        -1.0: 0.0 / 4 + (0.5 * 1.0) ** 2,
        1.0: np.var([0.5, -0.5, 0, 0]) / 4 + (0.5 * 0.5) ** 2,
        2.0: np.var([0.5, -0.5, 1.0, 0]) / 4,
        50.0: np.var([0.5, -0.5, 1.0, -25.0]) / 4,
    }
    best = min(squared_errors, key=lambda threshold: squared_errors[threshold])
    assert best == 2.0
    assert switch_threshold(rewards, logged, target, q_hat, v_hat) == best
    assert switch_threshold(rewards, logged, target, q_hat, v_hat, largest=0.1) == -1.0


def test_with_heavy_weights_switch_errs_less_than_doubly_robust():
    rng = np.random.default_rng(12)
    logged = np.array([0.0005, 0.4995, 0.5])
    target = np.array([0.2, 0.4, 0.4])
    chance, model = np.array([0.5, 0.6, 0.2]), np.array([0.45, 0.6, 0.25])
    errors = []
    for _ in range(300):
        a = rng.choice(3, size=300, p=logged)
        r = (rng.random(300) < chance[a]).astype(float)
        columns = r, logged[a], target[a], model[a], np.full(300, target @ model)
        errors.append([switch_dr(*columns).value - target @ chance, dr(*columns).value - target @ chance])
    switched, plain = (np.array(errors) ** 2).mean(axis=0)
    assert switched < plain / 2


def test_a_model_cut_where_weights_are_heavy_stays_unbiased_and_bounded_below():
    x, a, r, chance = world()
    model = cut_predictions(WRONG, TARGET / LOGGED, most=0.5)
    found = dr(r, LOGGED[x, a], TARGET[x, a], model[x, a], (TARGET * model).sum(axis=1)[x])
    assert chance @ found.terms == pytest.approx(TRUTH)
    whole = dr(r, LOGGED[x, a], TARGET[x, a], WRONG[x, a], (TARGET * WRONG).sum(axis=1)[x])
    assert whole.terms.min() < -0.5 <= found.terms.min()


def test_one_episode_by_hand():
    found = sequential_dr(
        episodes=np.array([7, 7]),
        steps=np.array([1, 0]),
        rewards=np.array([3.0, 1.0]),
        logged=np.array([0.25, 0.5]),
        target=np.array([0.5, 1.0]),
        q_hat=np.array([2.0, 2.0]),
        v_hat=np.array([2.5, 1.5]),
        discount=0.5,
    )
    last = 2.5 + 2 * (3.0 - 2.0)
    assert found.value == pytest.approx(1.5 + 2 * (1.0 + 0.5 * last - 2.0)) == 4.0


def test_a_wait_between_two_steps_is_discounted_and_episodes_stay_apart():
    columns = [
        np.array(column, dtype=float) for column in ([1, 1, 5], [1, 1, 1], [1, 1, 1], [0] * 3, [0] * 3)
    ]
    found = sequential_dr(np.array([1, 1, 2]), np.array([0, 3, 0]), *columns, discount=0.5)
    assert found.terms.tolist() == [1 + 0.5**3, 5]
    with pytest.raises(InputError, match="same step twice"):
        sequential_dr(np.array([1, 1, 2]), np.array([3, 3, 0]), *columns)


def test_over_all_episodes_of_a_small_world_the_sequential_estimate_is_right_on_average():
    """Two decisions; the first action leads to the good state with .8 or .3, where action 1 pays 2, elsewhere
    1.
    """
    good, pays = np.array([0.3, 0.8]), np.array([[0.0, 1.0], [0.5, 2.0]])
    logged, target = np.array([0.7, 0.3]), np.array([0.2, 0.8])
    after = pays @ target
    truth = target @ (np.array([0.1, 0.0]) + 0.9 * (good * after[1] + (1 - good) * after[0]))
    first, state, second = (np.array(c) for c in zip(*product((0, 1), (0, 1), (0, 1)), strict=True))
    chance = logged[first] * np.where(state == 1, good[first], 1 - good[first]) * logged[second]
    model = np.array(
        [[0.7, -0.4], [1.5, 0.2], [0.3, 0.9]]
    )  # wrong on purpose: first step, bad state, good state
    place = np.concatenate([np.zeros(8, dtype=int), 1 + state])
    action = np.concatenate([first, second])
    shuffled = np.random.default_rng(3).permutation(16)
    columns = (
        np.tile(np.arange(8), 2),
        np.repeat([0, 1], 8),
        np.concatenate([np.where(first == 0, 0.1, 0.0), pays[state, second]]),
        logged[action],
        target[action],
        model[place, action],
        (model @ target)[place],
    )
    found = sequential_dr(*(column[shuffled] for column in columns), discount=0.9)
    assert chance @ found.terms == pytest.approx(truth)


def test_a_single_decision_is_an_episode_of_one_step():
    x, a, r, _ = world()
    columns = r, LOGGED[x, a], TARGET[x, a], WRONG[x, a], (TARGET * WRONG).sum(axis=1)[x]
    assert sequential_dr(np.arange(12), np.zeros(12, dtype=int), *columns).terms == pytest.approx(
        dr(*columns).terms
    )


def test_what_cannot_be_estimated_says_so():
    one = np.array([1.0])
    assert ips(one, one, one).error == np.inf
    with pytest.raises(InputError, match="at least one"):
        ips(one[:0], one[:0], one[:0])
    with pytest.raises(InputError, match="finite"):
        ips(np.array([np.nan]), one, one)
    with pytest.raises(InputError, match="not above zero"):
        ips(one, 0 * one, one)
    with pytest.raises(InputError, match="below zero"):
        ips(one, one, -one)
    with pytest.raises(InputError, match="none of the logged"):
        snips(one, one, 0 * one)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_a_bootstrap_agrees_with_scipys(method):
    rng = np.random.default_rng(13)
    one, other = rng.exponential(1, 200), rng.exponential(1, 150) ** 2

    def means(a, b, axis=-1):
        return a.mean(axis=axis) - b.mean(axis=axis)

    for data, statistic in (((one,), np.mean), ((one, other), means)):
        ours = bootstrap_interval(*data, draws=9999, method=method)
        theirs = scipy.stats.bootstrap(data, statistic, n_resamples=9999, method=method, rng=rng)
        width = theirs.confidence_interval.high - theirs.confidence_interval.low
        assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.04 * width)


def test_a_bootstrap_covers_a_skewed_mean_and_repeats_itself():
    rng, held = np.random.default_rng(14), 0
    for run in range(300):
        low, high = bootstrap_interval(rng.exponential(1, 100), draws=1000, seed=run)
        held += low <= 1 <= high
    assert held / 300 >= 0.95 * 0.95
    values = rng.random(50)
    assert bootstrap_interval(values, seed=4) == bootstrap_interval(values, seed=4)
    assert bootstrap_interval(values, seed=4) != bootstrap_interval(values, seed=5)
    assert bootstrap_interval(np.full(9, 0.25)) == (0.25, 0.25)
    with pytest.raises(InputError, match="two rows"):
        bootstrap_interval(np.array([1.0]))
