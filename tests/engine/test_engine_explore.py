"""Probabilities of one choice: closed forms, limits, ties, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import norm

from kulanz.engine.exploring.deciders import NumpyKernel, Stage
from kulanz.engine.exploring.explore import KINDS, Explorer, ProbabilityError, draw
from kulanz.engine.exploring.normal import bell, upper_tail
from kulanz.engine.exploring.scratch import Scratch
from kulanz.kernel.errors import InputError


def stage_of(means, spreads=None, allowed=None):
    means = np.asarray(means, np.float32)
    may = np.ones(means.shape, np.uint8) if allowed is None else np.asarray(allowed).astype(np.uint8)
    wide = None if spreads is None else np.ascontiguousarray(np.asarray(spreads, np.float32).T)
    return Stage(np.ascontiguousarray(means.T), wide, np.ascontiguousarray(may.T))


def weigh(kind, means, spreads=None, allowed=None, **settings):
    """float64[n, K] for means [n, K]."""
    explorer = Explorer(kind, **settings)
    return NumpyKernel().probabilities(stage_of(means, spreads, allowed), explorer).T.astype(np.float64)


def by_the_book(kind, means, spreads, gamma):
    """One row of allowed actions in double precision, straight from the definitions."""
    best, count = means.max(), len(means)
    ties = means == best
    if kind == "uniform" or (kind == "inverse_gap" and gamma == 0):
        return np.full(count, 1 / count)
    if kind == "greedy":
        return ties / ties.sum()
    if kind == "inverse_gap":
        p = np.where(ties, 0, 1 / (count + gamma * (best - means)))
        return np.where(ties, (1 - p.sum()) / ties.sum(), p)
    beats = ndtr((means - best) / np.hypot(spreads, spreads[ties].max()))
    odds = beats / (1 - beats)
    return odds / odds.sum()


def test_inverse_gap_by_hand():
    p = weigh("inverse_gap", [[0.1, 0.4, 0.35, -0.2]], gamma=30.0)
    others = [1 / 13, 1 / 5.5, 1 / 22]
    assert p[0] == pytest.approx([others[0], 1 - sum(others), others[1], others[2]], abs=1e-6)


def test_two_actions_under_gaussian_gap_are_thompson_sampling():
    p = weigh("gaussian_gap", [[0.2, 0.3]], [[0.3, 0.4]])
    assert p[0] == pytest.approx([0.42074029, 0.57925971], abs=1e-6)
    assert weigh("thompson", [[0.2, 0.3]], [[0.3, 0.4]])[0] == pytest.approx(p[0], abs=1e-6)


def test_gaussian_gap_by_hand_with_three_actions():
    p = weigh("gaussian_gap", [[0.0, 1.0, 0.5]], np.full((1, 3), 0.5))
    q = norm.cdf(-np.array([1.0, 0.5]) / np.sqrt(0.5))
    odds = np.array([q[0] / (1 - q[0]), 1.0, q[1] / (1 - q[1])])
    assert p[0] == pytest.approx(odds / odds.sum(), abs=1e-6)


def test_two_actions_under_thompson_have_the_closed_form_however_unlike_their_spreads():
    means = np.random.default_rng(1).normal(size=(500, 2))
    for narrow in (1.0, 0.1, 0.01, 0.001):
        spreads = np.tile([1.0, narrow], (500, 1))
        expected = ndtr((means[:, 0] - means[:, 1]) / np.hypot(1.0, narrow))
        assert weigh("thompson", means, spreads)[:, 0] == pytest.approx(expected, abs=1e-5)


def test_thompson_gives_each_action_its_chance_of_being_the_best():
    means, spreads = np.array([0.3, 0.25, -0.1, 0.0]), np.array([0.02, 0.1, 0.5, 0.004])

    def density(x, a):
        others = np.delete(np.arange(4), a)
        return norm.pdf(x, means[a], spreads[a]) * ndtr((x - means[others]) / spreads[others]).prod()

    edges = np.sort((means + np.arange(-8, 9)[:, None] * spreads).ravel())
    pieces = list(pairwise(edges))
    expected = [sum(quad(density, low, high, args=(a,))[0] for low, high in pieces) for a in range(4)]
    assert sum(expected) == pytest.approx(1, abs=1e-6)
    assert weigh("thompson", means[None, :], spreads[None, :])[0] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_best_of_a_tie_share_equally(kind):
    allowed = [[True, True, True, False]]
    p = weigh(kind, [[0.5, 0.1, 0.5, 0.5]], np.full((1, 4), 0.2), allowed, gamma=50.0)[0]
    assert p[0] == p[2] >= p[1]
    assert p[3] == 0
    assert p.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_hundreds_of_equal_actions_have_equal_chances(kind):
    p = weigh(kind, np.zeros((3, 600)), np.full((3, 600), 0.3), gamma=9.0)
    assert (p == p[0, 0]).all()
    assert p[0, 0] == pytest.approx(1 / 600, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_action_is_certain(kind):
    assert weigh(kind, [[-7.0]], [[2.0]], gamma=3.0, floor=0.1, cap=0.2)[0, 0] == pytest.approx(1, abs=1e-6)


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    k=st.integers(1, 40),
    gamma=st.sampled_from([0.0, 1e-9, 3.0, 1e3, 1e9]),
    kind=st.sampled_from(["gaussian_gap", "inverse_gap", "greedy", "uniform"]),
    coarse=st.booleans(),
)
def test_single_precision_follows_the_definitions_vetoes_are_zero_and_order_does_not_matter(
    seed, k, gamma, kind, coarse
):
    rng = np.random.default_rng(seed)
    means = np.round(rng.normal(size=(5, k)), 0 if coarse else 9).astype(np.float32)
    spreads = rng.uniform(0.01, 1, size=(5, k)).astype(np.float32)
    allowed = rng.random((5, k)) < 0.6
    allowed[~allowed.any(axis=1), 0] = True
    p = weigh(kind, means, spreads, allowed, gamma=gamma)
    for row in range(5):
        open_to = allowed[row]
        wide = (table[row, open_to].astype(np.float64) for table in (means, spreads))
        assert p[row, open_to] == pytest.approx(by_the_book(kind, *wide, gamma), abs=3e-6)
    assert (p[~allowed] == 0).all()
    assert np.abs(p.sum(axis=1) - 1).max() < 1e-6
    turn = rng.permutation(k)
    turned = weigh(kind, means[:, turn], spreads[:, turn], allowed[:, turn], gamma=gamma)
    assert turned == pytest.approx(p[:, turn], abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 9), kind=st.sampled_from(KINDS))
def test_every_allowed_action_keeps_the_floor_and_the_cap_holds_above_it(seed, k, kind):
    rng = np.random.default_rng(seed)
    means, spreads = rng.normal(size=(6, k)), rng.uniform(0.1, 2, size=(6, k))
    allowed = rng.random((6, k)) < 0.7
    allowed[~allowed.any(axis=1), 0] = True
    floor, cap = rng.uniform(0, 0.3), rng.uniform(0, 0.3)
    p = weigh(kind, means, spreads, allowed, gamma=2.0, floor=floor, cap=cap)
    count = allowed.sum(axis=1)
    assert (p[~allowed] == 0).all()
    assert np.abs(p.sum(axis=1) - 1).max() < 1e-6
    assert (p >= np.where(allowed, floor / count[:, None], 0) - 1e-7).all()
    gaps = np.where(allowed, np.where(allowed, means, -np.inf).max(axis=1)[:, None] - means, 0)
    unavoidable = floor * gaps.sum(axis=1) / count
    assert ((p * gaps).sum(axis=1) <= np.maximum(cap, unavoidable) + 1e-6).all()


def test_a_cap_takes_away_just_enough():
    free = weigh("gaussian_gap", [[0.2, 0.3]], [[0.3, 0.4]])[0]
    assert 0.1 * free[0] == pytest.approx(0.042074, abs=1e-6)
    assert weigh("gaussian_gap", [[0.2, 0.3]], [[0.3, 0.4]], cap=0.05)[0] == pytest.approx(free, abs=1e-6)
    held = weigh("gaussian_gap", [[0.2, 0.3]], [[0.3, 0.4]], cap=0.021)[0]
    assert held == pytest.approx([0.21, 0.79], abs=1e-6)
    assert weigh("gaussian_gap", [[0.2, 0.3]], [[0.3, 0.4]], cap=0.0)[0] == pytest.approx([0, 1], abs=1e-6)


def test_where_floor_and_cap_collide_the_floor_stays():
    p = weigh("inverse_gap", [[0.0, 1.0]], gamma=1.0, floor=0.2, cap=0.01)[0]
    assert p == pytest.approx([0.1, 0.9], abs=1e-6)
    within = weigh("inverse_gap", [[0.0, 1.0]], gamma=1.0, floor=0.2, cap=0.15)[0]
    assert within == pytest.approx([0.15, 0.85], abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_does_not_depend_on_its_neighbours_to_the_last_bit(kind):
    rng = np.random.default_rng(4)
    means, spreads = rng.normal(size=(64, 37)), rng.uniform(0.1, 1, size=(64, 37))
    allowed = rng.random((64, 37)) < 0.8
    together = weigh(kind, means, spreads, allowed, gamma=20.0, floor=0.03, cap=0.2)
    for order in (np.arange(64)[::-1], np.arange(16), rng.permutation(64)[:48]):
        some = weigh(kind, means[order], spreads[order], allowed[order], gamma=20.0, floor=0.03, cap=0.2)
        assert (some == together[order]).all()


def test_the_draw_never_lands_on_a_veto():
    p = np.array([0.0, 0.5, 0.0, 0.5, 0.0], np.float32)[:, None].repeat(4, axis=1)
    edges = np.array([2.0**-33, 0.5, np.nextafter(np.float32(0.5), np.float32(1)), 1.0], np.float32)
    assert draw(p, edges, Scratch()).tolist() == [1, 1, 3, 3]
    with pytest.raises(ProbabilityError, match="sum to 1"):
        draw(p * np.float32(0.9), edges, Scratch())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("allowed", [True, False])
def test_scores_that_are_not_finite_are_refused_even_for_vetoed_actions(bad, allowed):
    with pytest.raises(ProbabilityError, match="not finite"):
        weigh("inverse_gap", [[bad, 1.0, 0.0]], allowed=[[allowed, True, True]], gamma=1.0)
    with pytest.raises(ProbabilityError, match="not finite"):
        weigh("gaussian_gap", [[0.0, 1.0]], [[bad, 1.0]], [[allowed, True]])


def test_huge_scores_are_fine_and_spreads_of_zero_or_none_are_refused():
    huge = [[3e38, 2e38, -3e38]]
    assert weigh("gaussian_gap", huge, np.ones((1, 3)))[0].tolist() == [1.0, 0.0, 0.0]
    assert weigh("inverse_gap", huge, gamma=5.0)[0].tolist() == [1.0, 0.0, 0.0]
    with pytest.raises(ProbabilityError, match="spread"):
        weigh("gaussian_gap", np.zeros((1, 3)), [[0.0, 1.0, 1.0]])
    with pytest.raises(InputError, match="needs the spread"):
        weigh("gaussian_gap", np.zeros((1, 3)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "boldly"},
        {"floor": -0.1},
        {"floor": np.nan},
        {"cap": -1.0},
        {"cap": np.nan},
        {"gamma": np.inf},
    ],
)
def test_an_explorer_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError):
        Explorer(**wrong)


def test_the_normal_tail_is_right_to_single_precision_far_out():
    z = np.linspace(0, 12, 100_001, dtype=np.float32)
    expected = ndtr(-z.astype(np.float64))
    far = expected > 1e-30
    tail = upper_tail(z.copy(), Scratch()).astype(np.float64)
    assert np.abs(tail / expected - 1)[far].max() < 1e-5
    assert np.abs(tail - expected).max() < 3e-7
    heights = bell(z, Scratch()).astype(np.float64)
    assert np.abs(heights / np.exp(-0.5 * z.astype(np.float64) ** 2) - 1)[far].max() < 1e-5
    assert upper_tail(np.array([np.inf], np.float32), Scratch())[0] == 0
