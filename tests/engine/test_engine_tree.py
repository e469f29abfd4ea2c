"""The factored space: a tree of choices with exact product propensities."""

from itertools import product

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import chisquare

from kulanz.engine.actions import ActionSpace, Allowed
from kulanz.engine.exploring.explore import KINDS, Explorer, ProbabilityError
from kulanz.engine.exploring.tree import TreeDecider, TreeTables
from kulanz.kernel.errors import InputError

SPACE = ActionSpace(
    ("email", "sms", "letter"),
    ("friendly", "firm"),
    ("none", "plan"),
    bands=("08-10", "10-12"),
    weekdays=("Mon", "Tue"),
)
C, S, P, D = 3, 4, 4, 4
EVERY = np.array([[-1, -1, -1, -1], *product(range(C), range(S), range(2), range(2))], dtype=np.int16)


def tables(seed=1, scale=0.4, space=SPACE, d=D):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(d + 1, space.score_columns)) * scale
    when = rng.uniform(0.01, 0.2, space.channel_slots)
    how = rng.uniform(0.01, 0.2, space.channel_tone_offers)
    return TreeTables(matrix.astype(np.float32), 0.05, when.astype(np.float32), how.astype(np.float32))


def scene(n, seed=2, share=0.7, space=SPACE):
    rng = np.random.default_rng(seed)
    allowed = Allowed(
        rng.random(n) < share,
        rng.random((n, space.channel_slots)) < share,
        rng.random((n, space.channel_tone_offers)) < share,
    )
    return rng.normal(size=(n, D)).astype(np.float32), allowed, rng.integers(-(2**62), 2**62, n)


def same(one, other):
    return all(np.array_equal(getattr(one, f), getattr(other, f)) for f in one.__dataclass_fields__)


def chances(decider, scores, allowed):
    """float64[n, actions] of every action."""
    n = len(scores)
    columns = [decider.propensity_of(scores, allowed, np.tile(action, (n, 1))) for action in EVERY]
    return np.stack(columns, axis=1)


def one_choice(kind, means, variances, allowed, gamma, floor):
    p = np.zeros(len(means))
    if not allowed.any():
        return p
    open_to = np.flatnonzero(allowed)
    means, spreads, count = means[open_to], np.sqrt(variances[open_to]), len(open_to)
    best = means.max()
    ties = means == best
    if kind == "inverse_gap":
        share = np.where(ties, 0, 1 / (count + gamma * (best - means)))
        share = np.where(ties, (1 - share.sum()) / ties.sum(), share)
    else:
        beats = ndtr((means - best) / np.hypot(spreads, spreads[ties].max()))
        share = beats / (1 - beats) / (beats / (1 - beats)).sum()
    p[open_to] = (1 - floor) * share + floor / count
    return p


def by_the_book(kind, scores, found, allowed, gamma, floor):
    """One case in double precision: chances float64[actions] in the order of EVERY."""
    scores = scores.astype(np.float64)
    when, how = scores[1 : 1 + C * S].reshape(C, S), scores[1 + C * S :].reshape(C, P)
    var_when, var_how = found.when_variance.reshape(C, S), found.how_variance.reshape(C, P)
    may_when, may_how = allowed.channel_slot[0].reshape(C, S), allowed.channel_tone_offer[0].reshape(C, P)
    may = may_when.any(axis=1) & may_how.any(axis=1)
    value, variance = np.zeros(C), np.ones(C)
    for c in np.flatnonzero(may):
        s = np.flatnonzero(may_when[c])[when[c, may_when[c]].argmax()]
        p = np.flatnonzero(may_how[c])[how[c, may_how[c]].argmax()]
        value[c], variance[c] = when[c, s] + how[c, p], float(var_when[c, s]) + float(var_how[c, p])
    out = np.zeros(len(EVERY))
    if not may.any():
        out[0] = 1.0
        return out
    top = np.flatnonzero(may)[value[may].argmax()]
    root = one_choice(
        kind,
        np.array([scores[0], value[top]]),
        np.array([found.wait_variance, variance[top]]),
        np.array([allowed.wait[0], True]),
        gamma,
        floor,
    )
    channels = one_choice(kind, value, variance, may, gamma, floor)
    out[0] = root[0]
    for c in np.flatnonzero(may):
        slots = one_choice(kind, when[c], var_when[c], may_when[c], gamma, floor)
        pairs = one_choice(kind, how[c], var_how[c], may_how[c], gamma, floor)
        out[1 + c * S * P : 1 + (c + 1) * S * P] = root[1] * channels[c] * np.outer(slots, pairs).ravel()
    return out


@pytest.mark.parametrize("kind", ["gaussian_gap", "inverse_gap"])
def test_propensities_are_those_of_the_tree_in_double_precision(kind):
    found = tables()
    decider = TreeDecider(SPACE, found, Explorer(kind, gamma=6.0, floor=0.03))
    contexts, allowed, _ = scene(60, share=0.6)
    scores = decider.scores(contexts)
    expected = [by_the_book(kind, scores[i], found, allowed.rows([i]), 6.0, 0.03) for i in range(60)]
    assert chances(decider, scores, allowed) == pytest.approx(np.array(expected), abs=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_all_chances_sum_to_one_and_vetoed_actions_have_none(kind):
    decider = TreeDecider(SPACE, tables(), Explorer(kind, gamma=6.0, floor=0.02, cap=0.3))
    contexts, allowed, _ = scene(80, share=0.5)
    p = chances(decider, decider.scores(contexts), allowed)
    permitted = np.stack([allowed.permits(np.tile(a, (80, 1)), SPACE) for a in EVERY], axis=1)
    assert p.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert ((p > 0) == permitted).all()


def test_scores_are_the_product_and_the_best_combination_is_exact():
    found = tables()
    decider = TreeDecider(SPACE, found, Explorer())
    contexts, allowed, ids = scene(400)
    made = decider.decide(contexts, allowed, 1, ids)
    expected = np.hstack([np.ones((400, 1)), contexts]).astype(np.float64) @ found.matrix.astype(np.float64)
    assert made.scores == pytest.approx(expected, abs=1e-5)
    best = np.full(400, -np.inf)
    for action in EVERY:
        permitted = allowed.permits(np.tile(action, (400, 1)), SPACE)
        best = np.where(permitted, np.maximum(best, score_of(made.scores, action)), best)
    assert made.best_score == pytest.approx(best, abs=1e-6)
    chosen = [score_of(made.scores[i : i + 1], made.actions[i])[0] for i in range(400)]
    assert made.score == pytest.approx(chosen, abs=1e-6)
    assert (made.score <= made.best_score + 1e-6).all()


def score_of(scores, action):
    if action[0] < 0:
        return scores[:, 0]
    channel, slot, tone, offer = (int(code) for code in action)
    return scores[:, 1 + channel * S + slot] + scores[:, 1 + C * S + channel * P + tone * 2 + offer]


@pytest.mark.parametrize("kind", KINDS)
def test_decisions_replay_from_stored_scores_in_any_order_and_block_to_the_last_bit(kind):
    decider = TreeDecider(SPACE, tables(), Explorer(kind, gamma=6.0, floor=0.02, cap=0.4))
    n = 300 if kind == "thompson" else 12_000
    contexts, allowed, ids = scene(n)
    made = decider.decide(contexts, allowed, 3, ids)
    assert same(made, decider.replay(made.scores, allowed, 3, ids))
    assert (decider.propensity_of(made.scores, allowed, made.actions) == made.propensity).all()
    for order in (np.arange(n)[::-1][:200], np.array([n - 1]), np.arange(17, 80)):
        again = decider.decide(contexts[order], allowed.rows(order), 3, ids[order])
        assert same(again, made.rows(order))
    lean = decider.decide(contexts, allowed, 3, ids, keep_scores=False)
    assert lean.scores.shape == (n, 0)
    assert (lean.actions == made.actions).all()
    assert (lean.propensity == made.propensity).all()


@pytest.mark.parametrize("kind", ["gaussian_gap", "inverse_gap"])
def test_draws_come_as_often_as_their_propensities_say(kind):
    n = 60_000
    decider = TreeDecider(SPACE, tables(scale=0.1), Explorer(kind, gamma=6.0))
    contexts, allowed, _ = scene(1, seed=5)
    rows = np.zeros(n, dtype=int)
    made = decider.decide(contexts[rows], allowed.rows(rows), 11, np.arange(n), keep_scores=False)
    expected = chances(decider, decider.scores(contexts), allowed)[0] * n
    code = 1 + (made.actions[:, 0] * S + made.actions[:, 1]) * P + made.actions[:, 2] * 2 + made.actions[:, 3]
    seen = np.bincount(np.where(made.wait, 0, code), minlength=len(EVERY))
    assert seen[expected == 0].sum() == 0
    common = expected > 5
    observed, wanted = np.append(seen[common], seen[~common].sum()), expected[common]
    assert chisquare(observed, np.append(wanted, n - wanted.sum())).pvalue > 1e-3


def test_vetoed_actions_are_never_drawn():
    decider = TreeDecider(SPACE, tables(), Explorer(floor=0.1))
    contexts, allowed, ids = scene(200_000, share=0.3)
    made = decider.decide(contexts, allowed, 8, ids, keep_scores=False)
    assert allowed.permits(made.actions, SPACE).all()
    assert (made.propensity > 0).all()
    nothing = ~allowed.wait & ~allowed.may_act(SPACE)
    assert (made.vetoed_all == nothing).all()
    assert (made.wait[nothing] & (made.propensity[nothing] == 1)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cap", [0.0, 0.02, 0.3])
def test_the_cap_holds_for_a_decision_as_a_whole(kind, cap):
    decider = TreeDecider(SPACE, tables(), Explorer(kind, gamma=0.5, cap=cap))
    contexts, allowed, _ = scene(100)
    scores = decider.scores(contexts)
    p = chances(decider, scores, allowed)
    values = np.stack([score_of(scores, action) for action in EVERY], axis=1).astype(np.float64)
    best = np.where(p > 0, values, -np.inf).max(axis=1)
    loss = np.where(p > 0, p * (best[:, None] - values), 0).sum(axis=1)
    assert loss.max() <= cap + 1e-5
    if 0 < cap < 0.1 and kind == "uniform":
        assert np.median(loss) > 0.4 * cap


def test_equal_branches_are_drawn_equally_often():
    blank = TreeTables(
        np.zeros((1, SPACE.score_columns), np.float32),
        0.1,
        np.full(C * S, 0.1, np.float32),
        np.full(C * P, 0.1, np.float32),
    )
    n = 48_000
    for kind in ("gaussian_gap", "inverse_gap"):
        decider = TreeDecider(SPACE, blank, Explorer(kind, gamma=100.0))
        allowed = Allowed(np.zeros(n, bool), np.ones((n, C * S), bool), np.ones((n, C * P), bool))
        made = decider.decide(np.zeros((n, 0), np.float32), allowed, 2, np.arange(n))
        _, counts = np.unique(made.actions, axis=0, return_counts=True)
        assert len(counts) == C * S * P
        assert chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("kind", ["gaussian_gap", "inverse_gap"])
def test_renaming_channels_changes_nothing_but_their_places(kind):
    found, turn = tables(), np.array([2, 0, 1])
    when = (turn[:, None] * S + np.arange(S)).ravel()
    how = (turn[:, None] * P + np.arange(P)).ravel()
    columns = np.concatenate([[0], 1 + when, 1 + C * S + how])
    turned = TreeTables(
        np.ascontiguousarray(found.matrix[:, columns]),
        0.05,
        found.when_variance[when],
        found.how_variance[how],
    )
    contexts, allowed, _ = scene(50)
    moved = Allowed(allowed.wait, allowed.channel_slot[:, when], allowed.channel_tone_offer[:, how])
    explorer = Explorer(kind, gamma=6.0, floor=0.01)
    p = chances(
        TreeDecider(SPACE, found, explorer), TreeDecider(SPACE, found, explorer).scores(contexts), allowed
    )
    other = TreeDecider(SPACE, turned, explorer)
    q = chances(other, other.scores(contexts), moved)
    blocks = q[:, 1:].reshape(50, C, S * P)
    assert blocks == pytest.approx(p[:, 1:].reshape(50, C, S * P)[:, turn], abs=1e-6)
    assert q[:, 0] == pytest.approx(p[:, 0], abs=1e-6)


def test_one_combination_and_no_rows_at_all():
    space = ActionSpace(("email",), bands=("any",), weekdays=("any",))
    decider = TreeDecider(space, tables(space=space), Explorer(floor=0.1))
    one = Allowed(np.zeros(3, bool), np.ones((3, 1), bool), np.ones((3, 1), bool))
    made = decider.decide(np.ones((3, D), np.float32), one, 1, np.arange(3))
    assert made.propensity.tolist() == [1.0, 1.0, 1.0]
    assert (made.actions == 0).all()
    none = decider.decide(np.ones((0, D), np.float32), one.rows(slice(0, 0)), 1, np.arange(0))
    assert len(none) == 0
    assert none.scores.shape == (0, 3)


def test_what_is_not_finite_or_does_not_fit_is_refused():
    decider = TreeDecider(SPACE, tables(), Explorer())
    contexts, allowed, ids = scene(40)
    scores = decider.scores(contexts)
    for column in (0, 1, 20):
        bad = scores.copy()
        bad[7, column] = np.inf
        with pytest.raises(ProbabilityError):
            decider.replay(bad, allowed, 1, ids)
    contexts[3, 1] = np.nan
    with pytest.raises(ProbabilityError, match="not finite"):
        decider.decide(contexts, allowed, 1, ids)
    with pytest.raises(InputError, match="Contexts"):
        decider.decide(contexts[:, 1:], allowed, 1, ids)
    with pytest.raises(InputError, match="ids"):
        decider.replay(scores, allowed, 1, ids[1:])
    with pytest.raises(InputError, match="allowed"):
        decider.replay(scores[1:], allowed, 1, ids[1:])
    with pytest.raises(InputError, match="Scores"):
        decider.replay(scores[:, 1:], allowed, 1, ids)
    found = tables()
    with pytest.raises(InputError, match="fit"):
        TreeDecider(ActionSpace(("email",)), found, Explorer())
    with pytest.raises(InputError, match="above zero"):
        TreeTables(found.matrix, 0.0, found.when_variance, found.how_variance)
    with pytest.raises(InputError, match="matrix"):
        TreeTables(found.matrix[:, 1:], 0.1, found.when_variance, found.how_variance)
