"""Flat action sets: scores, draws and replays over contexts."""

import numpy as np
import pytest
from scipy.stats import chisquare

from kulanz.engine.exploring.explore import KINDS, Explorer, ProbabilityError
from kulanz.engine.exploring.flat import FlatDecider, FlatTables
from kulanz.kernel.errors import InputError

D, K = 5, 7


def tables(d=D, k=K, seed=1, scale=0.3):
    rng = np.random.default_rng(seed)
    own = np.abs(rng.normal(size=(2 * d + 1, k))) * 0.02
    own[1 : d + 1] = rng.normal(size=(d, k)) * 0.01
    axes = np.linalg.qr(rng.normal(size=(d, d)))[0]
    arrays = (rng.normal(size=(d + 1, k)) * scale, axes, own, np.full(k, 0.01))
    return FlatTables(*(array.astype(np.float32) for array in arrays))


def scene(n, seed=2, d=D, k=K, share=0.8):
    rng = np.random.default_rng(seed)
    contexts = rng.normal(size=(n, d)).astype(np.float32)
    return contexts, rng.random((n, k)) < share, rng.integers(-(2**62), 2**62, n)


def same(one, other):
    return all(
        np.array_equal(
            getattr(one, name), getattr(other, name), equal_nan=name not in ("choice", "vetoed_all")
        )
        for name in one.__dataclass_fields__
    )


def some(decisions, index):
    return type(decisions)(*(getattr(decisions, name)[index] for name in decisions.__dataclass_fields__))


def test_scores_are_the_products_that_the_tables_say():
    found, x = tables(), scene(700)[0].astype(np.float64)
    one = np.ones((700, 1))
    means = np.hstack([one, x]) @ found.means.astype(np.float64)
    squares = (x @ found.axes.astype(np.float64)) ** 2
    variance = np.maximum(np.hstack([one, x, squares]) @ found.spread.astype(np.float64), 0.01)
    scores = FlatDecider(found, Explorer()).scores(scene(700)[0])
    assert scores[:, :K] == pytest.approx(means, abs=1e-5)
    assert scores[:, K:] == pytest.approx(np.sqrt(variance), abs=1e-5)
    plain = FlatDecider(found, Explorer("inverse_gap", gamma=1.0)).scores(scene(700)[0])
    assert plain == pytest.approx(means, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_decisions_replay_from_stored_scores_in_any_order_and_block_to_the_last_bit(kind):
    decider = FlatDecider(tables(), Explorer(kind, gamma=20.0, floor=0.02, cap=0.3))
    n = 600 if kind == "thompson" else 20_000
    contexts, mask, ids = scene(n)
    made = decider.decide(contexts, mask, 3, ids)
    assert same(made, decider.replay(made.scores, mask, 3, ids))
    assert (decider.scores(contexts) == made.scores).all()
    for order in (np.arange(n)[::-1][:333], np.array([n - 1]), np.arange(17, 80)):
        again = decider.decide(contexts[order], mask[order], 3, ids[order])
        assert same(again, some(made, order))
    lean = decider.decide(contexts, mask, 3, ids, keep_scores=False)
    assert lean.scores is None
    assert (lean.choice == made.choice).all()
    assert (lean.propensity == made.propensity).all()
    other = decider.decide(contexts, mask, 4, ids)
    assert kind == "greedy" or (other.choice != made.choice).any()


@pytest.mark.parametrize("kind", KINDS)
def test_propensities_are_the_probabilities_of_what_was_chosen(kind):
    decider = FlatDecider(tables(), Explorer(kind, gamma=20.0, floor=0.05))
    contexts, mask, ids = scene(500, share=0.5)
    made = decider.decide(contexts, mask, 9, ids)
    p = decider.probabilities(made.scores, mask)
    drawn = ~made.vetoed_all
    assert made.vetoed_all.sum() == (~mask.any(axis=1)).sum() > 0
    assert p[drawn].sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert (p[~mask] == 0).all()
    assert (made.propensity[drawn] == p[drawn, made.choice[drawn]]).all()
    assert (decider.propensity_of(made.scores, mask, made.choice) == made.propensity).all()
    everything = np.stack(
        [decider.propensity_of(made.scores, mask, np.full(500, a)) for a in range(K)], axis=1
    )
    assert (everything == p).all()
    assert (decider.propensity_of(made.scores, mask, np.full(500, -1)) == made.vetoed_all).all()


def test_where_all_is_vetoed_nothing_is_chosen_and_that_is_certain():
    decider = FlatDecider(tables(), Explorer())
    contexts, mask, ids = scene(100)
    mask[::3] = False
    made = decider.decide(contexts, mask, 1, ids)
    assert (made.choice[::3] == -1).all()
    assert (made.propensity[::3] == 1).all()
    assert made.vetoed_all[::3].all()
    assert np.isnan(made.score[::3]).all()
    assert not np.isnan(np.delete(made.score, np.s_[::3])).any()


@pytest.mark.parametrize("kind", ["gaussian_gap", "inverse_gap"])
def test_vetoed_actions_are_never_drawn_in_a_million_draws(kind):
    decider = FlatDecider(tables(), Explorer(kind, gamma=10.0))
    contexts, mask, ids = scene(1_000_000, share=0.4)
    made = decider.decide(contexts, mask, 5, ids, keep_scores=False)
    drawn = np.flatnonzero(~made.vetoed_all)
    assert mask[drawn, made.choice[drawn]].all()
    assert (made.choice[made.vetoed_all] == -1).all()
    assert ((made.propensity > 0) & (made.propensity <= 1 + 1e-6)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_actions_come_as_often_as_their_propensities_say(kind):
    n = 40_000
    decider = FlatDecider(tables(scale=0.1), Explorer(kind, gamma=15.0, floor=0.02))
    contexts = np.repeat(scene(1)[0], n, axis=0)
    mask = np.tile(np.arange(K) != 4, (n, 1))
    if kind == "thompson":
        scores = np.repeat(decider.scores(contexts[:1]), n, axis=0)
        contexts, mask, scores = contexts[: n // 10], mask[: n // 10], scores[: n // 10]
    made = decider.decide(contexts, mask, 21, np.arange(len(mask)))
    expected = decider.probabilities(made.scores[:1], mask[:1])[0] * len(mask)
    seen = np.bincount(made.choice, minlength=K)
    assert seen[expected == 0].sum() == 0
    assert chisquare(seen[expected > 0], expected[expected > 0], sum_check=False).pvalue > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_equal_actions_are_drawn_equally_often_over_seeds(kind):
    blank = FlatTables(
        np.zeros((3, 8), np.float32),
        np.eye(2, dtype=np.float32),
        np.full((5, 8), 0.1, np.float32),
        np.full(8, 0.1, np.float32),
    )
    decider = FlatDecider(blank, Explorer(kind, gamma=50.0))
    n = 200 if kind == "thompson" else 2000
    contexts, mask, _ = scene(n, d=2, k=8, share=2.0)
    counts = sum(
        np.bincount(decider.decide(contexts, mask, seed, np.arange(n)).choice, minlength=8)
        for seed in range(30)
    )
    assert chisquare(counts).pvalue > 1e-3


def test_best_score_and_spread_are_those_of_the_best_allowed_action():
    decider = FlatDecider(tables(), Explorer())
    contexts, mask, ids = scene(800, share=0.6)
    made = decider.decide(contexts, mask, 2, ids)
    drawn = ~made.vetoed_all
    means = np.where(mask, made.scores[:, :K], -np.inf)[drawn]
    best = means.argmax(axis=1)
    assert (made.best_score[drawn] == means.max(axis=1)).all()
    assert (made.best_spread[drawn] == made.scores[drawn, K + best]).all()
    rows, choice = np.flatnonzero(drawn), made.choice[drawn]
    assert (made.score[drawn] == made.scores[rows, choice]).all()
    assert (made.spread[drawn] == made.scores[rows, K + choice]).all()


@pytest.mark.parametrize("k", [1, 2, 16, 17, 300])
def test_any_number_of_actions_and_no_features_at_all(k):
    decider = FlatDecider(tables(d=0, k=k), Explorer(floor=0.1))
    made = decider.decide(np.zeros((50, 0), np.float32), np.ones((50, k), bool), 1, np.arange(50))
    p = decider.probabilities(made.scores, np.ones((50, k), bool))
    assert p.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert (made.propensity == p[np.arange(50), made.choice]).all()


def test_nothing_to_decide_is_no_decision():
    decider = FlatDecider(tables(), Explorer())
    made = decider.decide(np.zeros((0, D), np.float32), np.zeros((0, K), bool), 1, np.zeros(0, int))
    assert len(made) == 0
    assert made.scores.shape == (0, 2 * K)
    assert decider.probabilities(made.scores, np.zeros((0, K), bool)).shape == (0, K)


def test_contexts_that_are_not_finite_lead_to_an_error_and_no_draw():
    decider = FlatDecider(tables(), Explorer())
    contexts, mask, ids = scene(2000)
    for bad in (np.nan, np.inf):
        contexts[1234, 2] = bad
        with pytest.raises(ProbabilityError, match="not finite"):
            decider.decide(contexts, mask, 1, ids)


def test_arrays_that_do_not_fit_are_refused_by_name():
    decider = FlatDecider(tables(), Explorer())
    contexts, mask, ids = scene(10)
    with pytest.raises(InputError, match="Contexts"):
        decider.decide(contexts[:, :3], mask, 1, ids)
    with pytest.raises(InputError, match="mask"):
        decider.decide(contexts, mask[:, :3], 1, ids)
    with pytest.raises(InputError, match="mask"):
        decider.decide(contexts, mask.astype(int), 1, ids)
    with pytest.raises(InputError, match="ids"):
        decider.decide(contexts, mask, 1, ids[:4])
    with pytest.raises(InputError, match="Scores"):
        decider.replay(np.zeros((10, K), np.float32), mask, 1, ids)
    with pytest.raises(InputError, match="actions"):
        decider.propensity_of(decider.scores(contexts), mask, np.full(10, K))
    good = tables()
    with pytest.raises(InputError, match="axes"):
        FlatTables(good.means, good.axes[:2], good.spread, good.least)
    with pytest.raises(InputError, match="finite"):
        FlatTables(good.means * np.float32(np.nan), good.axes, good.spread, good.least)
    with pytest.raises(InputError, match="least variance"):
        FlatTables(good.means, good.axes, good.spread, good.least * 0)
    with pytest.raises(InputError, match="kernel"):
        FlatDecider(good, Explorer(), kernel="abacus")
