from dataclasses import fields
from itertools import product

import numpy as np
import pytest
from scipy.stats import chisquare

from kulanz.engine import (
    ActionSpace,
    Allowed,
    Decisions,
    Feature,
    FeatureSpec,
    Policy,
    PolicyFileError,
    ProbabilityError,
    Settings,
)
from kulanz.kernel.errors import InputError

SPACE = ActionSpace(
    ("email", "sms"),
    ("friendly", "factual", "firm"),
    ("none", "plan"),
    bands=("08-10", "10-12"),
    weekdays=("Mon", "Tue", "Wed"),
)
FEATURES = FeatureSpec(
    (
        Feature("open amount", "EUR", 0, 1000, 0, 100, 50),
        Feature("days past due", "days", -30, 90, 0, 10, 5),
        Feature("read before", "share", 0, 1, 0.5, 0.5, 0.5),
    )
)
EVERY = np.array([[-1, -1, -1, -1], *product(range(2), range(6), range(3), range(2))], dtype=np.int16)


def some_allowed(n, seed, share=0.7):
    rng = np.random.default_rng(seed)
    return Allowed(
        rng.random(n) < share, rng.random((n, SPACE.channel_slots)) < share, rng.random((n, 12)) < share
    )


def experience(n, seed):
    rng = np.random.default_rng(seed)
    actions = EVERY[rng.integers(0, len(EVERY), n)]
    chance = 0.2 + 0.1 * (actions[:, 1] % 2 == 1) - 0.1 * (actions[:, 0] == -1)
    contexts = rng.normal(size=(n, 3)).astype(np.float32)
    return contexts, actions, (rng.random(n) < chance).astype(float)


def taught(n=3000, seed=1, **settings):
    policy = Policy(SPACE, FEATURES, settings=Settings(**settings))
    policy.learn(*experience(n, seed))
    return policy


def same(one: Decisions, other: Decisions) -> bool:
    return all((getattr(one, f.name) == getattr(other, f.name)).all() for f in fields(Decisions))


@pytest.mark.parametrize("explorer", ["inverse_gap", "gaussian_gap"])
def test_the_chances_of_all_actions_sum_to_one_and_vetoed_ones_have_none(explorer):
    policy = taught(explorer=explorer)
    allowed = some_allowed(40, 3)
    scores = policy.scores(experience(40, 5)[0])
    chances = np.stack(
        [policy.propensity_of(scores, allowed, np.tile(action, (40, 1))) for action in EVERY], axis=1
    )
    permitted = np.stack([allowed.permits(np.tile(action, (40, 1)), SPACE) for action in EVERY], axis=1)
    assert chances.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert ((chances > 0) == permitted).all()


@pytest.mark.parametrize("explorer", ["inverse_gap", "gaussian_gap"])
def test_draws_come_as_often_as_their_propensity_says(explorer):
    policy = taught(explorer=explorer, boldness=3.0)
    n = 40_000
    contexts = np.repeat(experience(1, 9)[0], n, axis=0)
    one = some_allowed(1, 4, share=0.8)
    allowed = one.rows(np.zeros(n, dtype=int))
    decisions = policy.decide(contexts, allowed, seed=11, ids=np.arange(n))
    expected = np.array([policy.propensity_of(decisions.scores[:1], one, a[None, :])[0] for a in EVERY])
    code = (EVERY[:, None, :] == decisions.actions[None, :2000, :]).all(axis=2)
    assert decisions.propensity[:2000] == pytest.approx(expected[code.argmax(axis=0)], abs=1e-6)
    keys, seen = np.unique(decisions.actions, axis=0, return_counts=True)
    counts = np.zeros(len(EVERY))
    for key, count in zip(keys, seen, strict=True):
        counts[(key == EVERY).all(axis=1)] = count
    assert counts[expected == 0].sum() == 0
    common = expected * n > 5
    observed = np.append(counts[common], counts[~common].sum())
    wanted = np.append(expected[common], expected[~common].sum()) * n
    wanted *= n / wanted.sum()
    keep = wanted > 0
    assert chisquare(observed[keep], wanted[keep]).pvalue > 1e-3


def test_an_untaught_policy_draws_equal_actions_equally_often():
    policy = Policy(SPACE, FEATURES)
    n = 36_000
    allowed = Allowed(np.zeros(n, bool), *[np.ones((n, 12), bool)] * 2)
    decisions = policy.decide(np.zeros((n, 3), np.float32), allowed, seed=2, ids=np.arange(n))
    _, counts = np.unique(decisions.actions, axis=0, return_counts=True)
    assert len(counts) == 72
    assert chisquare(counts).pvalue > 1e-3


def test_a_vetoed_action_is_never_drawn():
    policy = taught()
    allowed = some_allowed(30_000, 8, share=0.3)
    contexts = np.random.default_rng(1).normal(size=(30_000, 3)).astype(np.float32)
    decisions = policy.decide(contexts, allowed, seed=1, ids=np.arange(30_000))
    assert allowed.permits(decisions.actions, SPACE).all()
    assert (decisions.propensity > 0).all()
    assert decisions.best_score == pytest.approx(best_by_enumeration(decisions.scores, allowed), abs=1e-6)


def best_by_enumeration(scores, allowed):
    best = np.where(allowed.wait, scores[:, 0], -np.inf)
    for action in EVERY[1:]:
        channel, slot, tone, offer = (int(code) for code in action)
        score = scores[:, 1 + channel * 6 + slot] + scores[:, 13 + (channel * 3 + tone) * 2 + offer]
        may = allowed.permits(np.tile(action, (len(scores), 1)), SPACE)
        best = np.where(may, np.maximum(best, score), best)
    return np.where(np.isinf(best), scores[:, 0], best)


def test_where_nothing_is_allowed_it_waits_for_certain():
    policy = taught()
    nothing = Allowed(np.zeros(2, bool), np.zeros((2, 12), bool), np.ones((2, 12), bool))
    decisions = policy.decide(np.zeros((2, 3), np.float32), nothing, seed=1, ids=np.arange(2))
    assert decisions.vetoed_all.all()
    assert decisions.wait.all()
    assert decisions.propensity.tolist() == [1.0, 1.0]
    assert (decisions.actions == -1).all()


@pytest.mark.parametrize("explorer", ["inverse_gap", "gaussian_gap"])
def test_stored_scores_replay_bit_for_bit_in_any_order_and_after_loading(explorer):
    policy = taught(explorer=explorer)
    n = 20_000
    contexts, allowed = experience(n, 6)[0], some_allowed(n, 7)
    ids = np.arange(n) * 977 - 5
    decisions = policy.decide(contexts, allowed, seed=3, ids=ids)
    loaded = Policy.from_bytes(policy.to_bytes())
    assert same(decisions, loaded.replay(decisions.scores, allowed, seed=3, ids=ids))
    order = np.random.default_rng(0).permutation(n)[:333]
    few = policy.decide(contexts[order], allowed.rows(order), seed=3, ids=ids[order])
    assert same(few, decisions.rows(order))
    single = policy.decide(contexts[7:8], allowed.rows(slice(7, 8)), seed=3, ids=ids[7:8])
    assert same(single, decisions.rows(slice(7, 8)))


def test_reversed_rows_leave_no_trace():
    policy, never = taught(2000), taught(2000)
    extra = experience(700, 9)
    policy.learn(*extra)
    assert policy.version != never.version
    policy.learn(*extra, weight=-1.0)
    assert policy.version == never.version
    assert policy.to_bytes() == never.to_bytes()


def test_the_order_of_learning_does_not_matter():
    contexts, actions, rewards = experience(5000, 2)
    one, other = Policy(SPACE, FEATURES), Policy(SPACE, FEATURES)
    one.learn(contexts, actions, rewards)
    turn = np.random.default_rng(3).permutation(5000)
    for part in np.array_split(turn, 13):
        other.learn(contexts[part], actions[part], rewards[part])
    assert one.version == other.version


def test_more_cannot_be_taken_out_than_was_learned():
    policy = taught(100)
    before = policy.version
    with pytest.raises(InputError, match="taken out"):
        policy.learn(*experience(101, 1), weight=-1.0)
    assert policy.version == before


def test_damaged_foreign_and_newer_files_are_refused(monkeypatch):
    blob = taught(200).to_bytes()
    with pytest.raises(PolicyFileError, match="damaged"):
        Policy.from_bytes(blob[:-3])
    with pytest.raises(PolicyFileError, match="damaged"):
        Policy.from_bytes(blob[:200] + bytes([blob[200] ^ 1]) + blob[201:])
    with pytest.raises(PolicyFileError, match="no"):
        Policy.from_bytes(b"PK\x03\x04")
    monkeypatch.setattr("kulanz.engine.store.FORMAT", 99)
    newer = taught(200).to_bytes()
    monkeypatch.undo()
    with pytest.raises(PolicyFileError, match="update Kulanz"):
        Policy.from_bytes(newer)


def test_odd_input_has_a_defined_result_or_a_clear_error():
    policy = taught(200)
    empty = policy.decide(np.zeros((0, 3), np.float32), some_allowed(0, 1), seed=1, ids=np.zeros(0, int))
    assert len(empty) == 0
    assert empty.scores.shape == (0, 25)
    policy.learn(np.zeros((0, 3), np.float32), np.zeros((0, 4), np.int16), np.zeros(0))
    with pytest.raises(InputError, match="finite"):
        policy.decide(np.full((1, 3), np.nan, np.float32), some_allowed(1, 1), seed=1, ids=np.zeros(1, int))
    with pytest.raises(InputError, match="no action"):
        policy.learn(np.zeros((1, 3), np.float32), np.array([[0, 6, 0, 0]], np.int16), np.zeros(1))
    with pytest.raises(InputError, match="columns"):
        Allowed(np.ones(1, bool), np.ones((1, 3), bool), np.ones((1, 12), bool)).check(SPACE)
    bad = np.zeros((1, 25), np.float32)
    bad[0, 3] = np.inf
    with pytest.raises(ProbabilityError):
        policy.replay(bad, Allowed.everything(SPACE, 1), seed=1, ids=np.zeros(1, int))


def test_an_action_space_of_one_action_works():
    space = ActionSpace(("email",), bands=("any",), weekdays=("any",))
    policy = Policy(space, FeatureSpec(()), settings=Settings(explorer="gaussian_gap"))
    policy.learn(np.zeros((5, 0), np.float32), np.zeros((5, 4), np.int16), np.ones(5))
    one = Allowed(np.zeros(1, bool), np.ones((1, 1), bool), np.ones((1, 1), bool))
    decisions = policy.decide(np.zeros((1, 0), np.float32), one, seed=1, ids=np.zeros(1, int))
    assert decisions.propensity[0] == 1.0
    assert decisions.actions[0].tolist() == [0, 0, 0, 0]


def test_an_explanation_adds_up_and_says_what_a_feature_changes():
    policy = taught(4000)
    contexts, allowed = experience(50, 12)[0], some_allowed(50, 13)
    decisions = policy.decide(contexts, allowed, seed=1, ids=np.arange(50))
    for row in np.flatnonzero(~decisions.vetoed_all):
        why = policy.explain(contexts[row], allowed.rows([row]), decisions.rows([row]))
        total = why.base + sum(part.effect for part in why.contributions) + why.rest
        assert total == pytest.approx(why.score, abs=1e-5)
        for part in why.contributions:
            if part.value is None:
                continue
            at = FEATURES.names.index(part.name)
            without = contexts[row].copy()
            without[at] = 0.0
            changed = policy.decide(without[None, :], allowed.rows([row]), seed=1, ids=np.array([row]))
            action = decisions.actions[row]
            assert score_of(decisions.scores[row], action) - score_of(
                changed.scores[0], action
            ) == pytest.approx(part.effect, abs=1e-5)
            centre, scale = [(100, 50), (10, 5), (0.5, 0.5)][at]
            assert part.value == pytest.approx(centre + scale * contexts[row][at], rel=1e-4, abs=1e-4)


def score_of(scores, action):
    if action[0] < 0:
        return scores[0]
    return scores[1 + action[0] * 6 + action[1]] + scores[13 + (action[0] * 3 + action[2]) * 2 + action[3]]


def test_an_explanation_names_the_alternative_and_the_veto_that_mattered():
    policy = taught(4000)
    allowed = Allowed.everything(SPACE, 1)
    context = np.zeros(3, np.float32)
    free = policy.decide(context[None, :], allowed, seed=1, ids=np.array([1]))
    best = EVERY[1:][np.argmax([score_of(free.scores[0], action) for action in EVERY[1:]])]
    allowed.channel_slot[0, best[0] * 6 + best[1]] = False
    decided = policy.decide(context[None, :], allowed, seed=1, ids=np.array([1]))
    why = policy.explain(context, allowed, decided)
    assert why.vetoes[0].factor == "channel_slot"
    assert why.vetoes[0].names == SPACE.label(best)[:3]
    others = [a for a in EVERY if allowed.permits(a[None, :], SPACE)[0] and (a != decided.actions[0]).any()]
    expected = max(score_of(decided.scores[0], action) for action in others)
    assert why.gap == pytest.approx(why.score - expected, abs=1e-6)
