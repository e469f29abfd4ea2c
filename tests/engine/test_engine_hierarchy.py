import numpy as np
import pytest
from scipy.stats import multivariate_normal

from kulanz.engine import hierarchy
from kulanz.engine.arms import ArmSums
from kulanz.engine.hierarchy import fit_arms
from kulanz.kernel.errors import InputError

STEP = 2.0**-10


def some_rows(n, arms, d, seed, *, effect=0.0, own=0.0):
    """Contexts on the grid of fixed-point numbers, arms and rewards; `effect` is shared, `own` belongs to arm 1."""
    draw = np.random.default_rng(seed)
    contexts = (np.round(draw.normal(size=(n, d)) / STEP) * STEP).astype(np.float32)
    taken = draw.integers(0, arms, n).astype(np.int16)
    rewards = 0.2 * taken + effect * contexts[:, 0] + own * (taken == 1) * contexts[:, 1]
    rewards = np.round((rewards + 0.3 * draw.normal(size=n)) * 2**14) / 2**14
    return contexts, taken, rewards


def sums_of(contexts, taken, rewards, arms, weights=1.0):
    sums = ArmSums.empty(arms, contexts.shape[1])
    sums.add(contexts, taken, rewards, weights)
    return sums


def by_enumeration(contexts, taken, rewards, arms, noise):
    """Weights float64[d + 1, K] from dense normal distributions over all rows, one per point of the grid."""
    n, d = contexts.shape
    x = contexts.astype(float)
    centre = np.array([x[taken == arm].mean(axis=0) for arm in range(arms)])
    mean = np.array([rewards[taken == arm].mean() for arm in range(arms)])
    away, aim = x - centre[taken], rewards - mean[taken]
    within = np.eye(n) - np.equal.outer(taken, taken) / np.bincount(taken)[taken]
    basis = np.linalg.svd(within)[0][:, : n - arms]
    unit = noise / (np.square(away).sum() / n)
    rows = np.zeros((n, d * (arms + 1)))
    rows[:, :d] = away
    for arm in range(arms):
        rows[taken == arm, d * (arm + 1) : d * (arm + 2)] = away[taken == arm]
    log, means = [], []
    size = arms * d
    for own in hierarchy._OWN:
        for shared in hierarchy._SHARED:
            prior = unit * np.concatenate([np.full(d, shared), np.full(size, own)])
            cover = (rows * prior) @ rows.T + noise * np.eye(n)
            log.append(
                multivariate_normal(np.zeros(n - arms), basis.T @ cover @ basis).logpdf(basis.T @ aim)
                + min(40, 0.1 * size) * size / (size + n) * np.log10(own)
            )
            means.append(prior * (rows.T @ np.linalg.solve(cover, aim)))
    share = np.exp(np.array(log) - max(log))
    found = (share / share.sum()) @ np.array(means)
    return found[:d] + found[d:].reshape(arms, d)


def test_the_posterior_is_that_of_dense_normal_distributions_over_all_rows():
    contexts, taken, rewards = some_rows(330, 3, 2, 5, effect=0.1, own=0.2)
    found = fit_arms(sums_of(contexts, taken, rewards, 3), prior_sd=0.3, noise=0.09)
    wanted = by_enumeration(contexts, taken, rewards, 3, 0.09)
    assert pytest.approx(wanted, abs=1e-9) == found.weights[1:].T


def test_context_that_does_not_help_leaves_the_plain_means():
    contexts, taken, rewards = some_rows(20_000, 3, 6, 1)
    found = fit_arms(sums_of(contexts, taken, rewards, 3), prior_sd=0.3)
    ridge = np.linalg.lstsq(contexts[taken == 1].astype(float), rewards[taken == 1] - 0.2, rcond=None)[0]
    assert np.abs(found.weights[1:, 1]).max() < 0.5 * np.abs(ridge).max()
    assert found.shares[: len(found.shares) // 2].sum() > 0.9
    assert found.weights[0] == pytest.approx([0.0, 0.2, 0.4], abs=0.01)


def test_context_that_helps_one_action_is_found_and_left_out_of_the_others():
    contexts, taken, rewards = some_rows(20_000, 3, 6, 1, effect=0.1, own=0.3)
    found = fit_arms(sums_of(contexts, taken, rewards, 3), prior_sd=0.3)
    wanted = np.zeros((6, 3))
    wanted[0] = 0.1
    wanted[1, 1] = 0.3
    assert found.weights[1:] == pytest.approx(wanted, abs=0.012)


def test_awaited_outcomes_narrow_the_spread_and_leave_the_mean():
    contexts, taken, rewards = some_rows(2000, 2, 3, 2)
    sums = sums_of(contexts, taken, rewards, 2)
    waiting = sums_of(contexts[:500], np.zeros(500, np.int16), np.zeros(500), 2)
    before = fit_arms(sums, prior_sd=0.3)
    after = fit_arms(sums, prior_sd=0.3, pending=waiting)
    assert (after.weights == before.weights).all()
    assert after.mean_variance[0] < 0.7 * before.mean_variance[0]
    assert after.mean_variance[1] == before.mean_variance[1]


def test_an_untried_action_stands_at_the_mean_of_all_with_the_widest_spread():
    contexts, taken, rewards = some_rows(900, 2, 3, 2)
    found = fit_arms(sums_of(contexts, taken, rewards, 3), prior_sd=0.3)
    assert found.weights[0, 2] == pytest.approx(rewards.mean(), abs=0.02)
    assert found.mean_variance.argmax() == 2
    assert np.isfinite(found.weights).all()


def test_ten_million_updates_add_up_like_whole_numbers():
    contexts, taken, rewards = some_rows(100_000, 3, 2, 3)
    sums = ArmSums.empty(3, 2)
    for _ in range(100):
        sums.add(contexts, taken, rewards, 1.0)
    z = np.concatenate([np.ones((len(taken), 1)), contexts, rewards[:, None]], axis=1)
    whole = np.round(z * [1, 2**10, 2**10, 2**14]).astype(np.int64)
    scale = np.array([1, 2.0**10, 2.0**10, 2.0**14])
    for arm in range(3):
        rows = whole[taken == arm]
        assert (sums.products[arm] * np.outer(scale, scale) == 100 * (rows.T @ rows)).all()
    fresh = sums_of(contexts[:1000], taken[:1000], rewards[:1000], 3)
    for _ in range(99):
        sums.add(contexts, taken, rewards, -1.0)
    sums.add(contexts[1000:], taken[1000:], rewards[1000:], -1.0)
    assert (sums.products == fresh.products).all()


def test_one_row_at_a_time_or_all_at_once_gives_the_same_bits():
    contexts, taken, rewards = some_rows(300, 4, 5, 8)
    once = sums_of(contexts, taken, rewards, 4)
    single = ArmSums.empty(4, 5)
    for at in range(300):
        single.add(contexts[at : at + 1], taken[at : at + 1], rewards[at : at + 1], 1.0)
    assert (single.products == once.products).all()


def test_nothing_is_taken_out_that_was_never_learned():
    contexts, taken, rewards = some_rows(30, 2, 2, 1)
    sums = sums_of(contexts, taken, rewards, 2)
    with pytest.raises(InputError, match="taken out"):
        sums.add(
            np.concatenate([contexts] * 2), np.concatenate([taken] * 2), np.concatenate([rewards] * 2), -1.0
        )
    with pytest.raises(InputError, match="without an action"):
        sums.add(contexts, np.full(30, -1, np.int16), rewards, 1.0)
    assert (sums.products == sums_of(contexts, taken, rewards, 2).products).all()


def test_contexts_that_never_vary_and_a_single_action_are_no_trouble():
    taken = np.zeros(50, np.int16)
    found = fit_arms(sums_of(np.ones((50, 3), np.float32), taken, np.full(50, 0.5), 1), prior_sd=0.3)
    assert np.isfinite(found.weights).all()
    assert found.predict(np.ones((1, 3), np.float32), taken[:1])[0] == pytest.approx(0.5)
    empty = fit_arms(ArmSums.empty(2, 3), prior_sd=0.3)
    assert (empty.mean_variance > 0).all()
    assert (empty.weights == 0).all()
