import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from kulanz.engine.explore import ProbabilityError, gaussian_gap, inverse_gap, pick, with_floor

ALL3 = np.ones((1, 3), dtype=bool)


def test_inverse_gap_solves_the_defining_equation():
    means, gamma = np.array([[0.1, 0.4, 0.35, -0.2]]), 30.0
    gaps = gamma * 2.0 * (0.4 - means[0])
    level = brentq(lambda x: (1 / (x + gaps)).sum() - 1, 1.0, 4.0, xtol=1e-13)
    assert inverse_gap(means, np.ones((1, 4), dtype=bool), gamma)[0] == pytest.approx(1 / (level + gaps))


def test_two_actions_under_gaussian_gap_are_thompson_sampling():
    p = gaussian_gap(np.array([[0.2, 0.3]]), np.array([[0.3, 0.4]]), np.ones((1, 2), dtype=bool))
    assert p[0] == pytest.approx([norm.cdf(-0.1 / 0.5), norm.cdf(0.1 / 0.5)])
    assert p[0, 0] == pytest.approx(0.42074029)


def test_gaussian_gap_by_hand_with_three_actions():
    sd = np.full((1, 3), 0.5)
    p = gaussian_gap(np.array([[0.0, 1.0, 0.5]]), sd, ALL3)
    q = norm.cdf(-np.array([1.0, 0.5]) / np.sqrt(0.5))
    assert p[0] == pytest.approx([q[0], 1 - q.sum(), q[1]])


@pytest.mark.parametrize("kind", ["inverse", "gaussian"])
def test_the_best_of_a_tie_share_equally(kind):
    means = np.array([[0.5, 0.1, 0.5, 0.5]])
    allowed = np.array([[True, True, True, False]])
    p = (
        inverse_gap(means, allowed, 50.0)
        if kind == "inverse"
        else gaussian_gap(means, np.full((1, 4), 0.2), allowed)
    )
    assert p[0, 0] == p[0, 2] > p[0, 1] > 0
    assert p[0, 3] == 0
    assert p.sum() == pytest.approx(1, abs=1e-12)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), k=st.integers(1, 12), gamma=st.floats(0, 1e6))
def test_rows_sum_to_one_vetoes_are_zero_and_order_does_not_matter(data, k, gamma):
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    means, spreads = rng.normal(size=(5, k)), rng.uniform(0.01, 1, size=(5, k))
    allowed = rng.random((5, k)) < 0.6
    allowed[~allowed.any(axis=1), 0] = True
    turn = rng.permutation(k)
    for p, turned in (
        (inverse_gap(means, allowed, gamma), inverse_gap(means[:, turn], allowed[:, turn], gamma)),
        (
            gaussian_gap(means, spreads, allowed),
            gaussian_gap(means[:, turn], spreads[:, turn], allowed[:, turn]),
        ),
    ):
        floored = with_floor(p, allowed, 0.05)
        assert np.abs(p.sum(axis=1) - 1).max() < 1e-9
        assert (p[~allowed] == 0).all()
        assert (floored[~allowed] == 0).all()
        least = 0.05 / allowed.sum(axis=1)
        assert (floored[allowed] >= (np.broadcast_to(least[:, None], p.shape) - 1e-12)[allowed]).all()
        assert turned == pytest.approx(p[:, turn], abs=1e-9)


def test_the_draw_never_lands_on_a_veto():
    p = np.array([[0.0, 0.5, 0.0, 0.5, 0.0]]).repeat(3, axis=0)
    assert pick(p, np.array([1e-12, 0.5, 1 - 1e-12])).tolist() == [1, 3, 3]


def test_scores_that_are_not_finite_and_spreads_of_zero_are_refused():
    with pytest.raises(ProbabilityError, match="not finite"):
        inverse_gap(np.array([[np.nan, 1.0, 0.0]]), ALL3, 1.0)
    with pytest.raises(ProbabilityError, match="spread"):
        gaussian_gap(np.zeros((1, 3)), np.array([[0.0, 1.0, 1.0]]), ALL3)
