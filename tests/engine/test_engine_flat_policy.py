"""Policies over flat sets of actions, and what is the same for every policy: forgetting, awaiting, log-odds."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from kulanz.engine import (
    ActionSpace,
    Allowed,
    Feature,
    FeatureSpec,
    Policy,
    PolicyFileError,
    Reference,
    Settings,
    drift,
)
from kulanz.kernel.errors import InputError

SPACE = ActionSpace.flat(["call", "mail", "letter", "nothing"])
FEATURES = FeatureSpec((Feature("amount", "EUR"), Feature("late", "days"), Feature("read", "share")))


def acts(arms):
    out = np.zeros((len(arms), 4), np.int16)
    out[:, 0] = arms
    return out


def experience(n, seed):
    draw = np.random.default_rng(seed)
    contexts = draw.normal(size=(n, 3)).astype(np.float32)
    arms = draw.integers(0, 4, n)
    chance = np.clip(0.3 + 0.1 * (arms == 2) + 0.15 * contexts[:, 0] * (arms == 1), 0, 1)
    return contexts, acts(arms), (draw.random(n) < chance).astype(float)


def taught(n=3000, seed=1, **settings):
    policy = Policy(SPACE, FEATURES, settings=Settings(**settings))
    policy.learn(*experience(n, seed))
    return policy


@pytest.mark.parametrize("explorer", ["gaussian_gap", "inverse_gap", "thompson", "greedy", "uniform"])
def test_a_flat_policy_draws_what_its_propensities_say(explorer):
    policy = taught(explorer=explorer)
    n = 20_000
    mask = np.tile([True, True, True, False], (n, 1))
    context = np.tile(experience(1, 9)[0], (n, 1))
    made = policy.decide(context, Allowed.flat(mask), seed=4, ids=np.arange(n))
    every = acts(np.arange(4))
    row = Allowed.flat(mask[:4])
    chance = policy.propensity_of(policy.scores(context[:4]), row, every)
    assert chance.sum() == pytest.approx(1, abs=1e-6)
    assert chance[3] == 0
    seen = np.bincount(made.actions[:, 0], minlength=4) / n
    assert seen == pytest.approx(chance, abs=4 * np.sqrt(0.25 / n))
    assert made.propensity == pytest.approx(chance[made.actions[:, 0]], abs=1e-6)


def test_a_flat_policy_is_one_file_and_replays_from_stored_scores():
    policy = taught()
    contexts = experience(500, 3)[0]
    allowed = Allowed.flat(np.random.default_rng(1).random((500, 4)) < 0.8)
    made = policy.decide(contexts, allowed, seed=8, ids=np.arange(500))
    loaded = Policy.from_bytes(policy.to_bytes())
    assert loaded.version == policy.version
    again = loaded.replay(made.scores, allowed, seed=8, ids=np.arange(500))
    assert (again.actions == made.actions).all()
    assert (again.propensity == made.propensity).all()
    assert made.vetoed_all.sum() == (~allowed.channel_slot.any(axis=1)).sum()
    assert (made.actions[made.vetoed_all] == -1).all()
    without = policy.decide(contexts, allowed, seed=8, ids=np.arange(500), keep_scores=False)
    assert (without.actions == made.actions).all()
    assert without.scores.size == 0


def test_reversed_rows_leave_no_trace_in_a_flat_policy():
    policy, never = taught(2000), taught(2000)
    extra = experience(700, 9)
    policy.learn(*extra)
    policy.learn(*extra, weight=-1.0)
    assert policy.to_bytes() == never.to_bytes()


def test_an_explanation_of_a_flat_action_adds_up():
    policy = taught()
    context = np.array([1.5, -0.5, 0.2], np.float32)
    allowed = Allowed.flat(np.ones((1, 4), bool))
    made = policy.decide(context[None, :], allowed, seed=1, ids=np.array([3]))
    why = policy.explain(context, allowed, made)
    assert why.base + sum(part.effect for part in why.contributions) + why.rest == pytest.approx(
        why.score, abs=1e-5
    )
    assert why.alternative is not None
    assert why.alternative[0] != why.action[0]


def test_where_all_was_vetoed_nothing_is_predicted_or_explained():
    policy = taught(200)
    nothing = Allowed.flat(np.zeros((1, 4), bool))
    context = np.zeros((1, 3), np.float32)
    made = policy.decide(context, nothing, seed=1, ids=np.zeros(1, np.int64))
    with pytest.raises(InputError, match="no action was taken"):
        policy.predict(context, made.actions)
    with pytest.raises(InputError, match="no action was taken"):
        policy.explain(context[0], nothing, made)


def test_decisions_that_await_their_outcome_make_a_policy_surer_where_it_tried():
    policy = taught(400)
    probe = np.zeros((1, 3), np.float32)
    before = policy.scores(probe)
    contexts, _, _ = experience(2000, 5)
    policy.pend(contexts, acts(np.full(2000, 1)))
    after = policy.scores(probe)
    assert (after[0, :4] == before[0, :4]).all()
    assert after[0, 5] < 0.6 * before[0, 5]
    policy.pend(contexts, acts(np.full(2000, 1)), weight=-1.0)
    assert policy.scores(probe) == pytest.approx(before, abs=1e-7)
    policy.clear_pending()
    assert policy.to_bytes() == taught(400).to_bytes()


def test_what_is_a_half_life_old_counts_half():
    forgetful = Policy(SPACE, FEATURES, settings=Settings(half_life_days=10.0))
    contexts, _, _ = experience(100, 1)
    forgetful.learn(contexts, acts(np.zeros(100, int)), np.zeros(100), at=0.0)
    forgetful.learn(contexts, acts(np.zeros(100, int)), np.ones(100), at=10.0)
    assert forgetful.learned == pytest.approx(150)
    expected = (0.5 * 0 + 1.0 * 100) / 150
    found = forgetful.predict(np.zeros((1, 3), np.float32), acts([0]))[0]
    assert found == pytest.approx(expected, abs=0.01)


def test_a_forgetful_policy_takes_rows_out_as_if_it_had_never_seen_them():
    one, other = (Policy(SPACE, FEATURES, settings=Settings(half_life_days=7.0)) for _ in range(2))
    extra = experience(300, 4)
    for day in range(0, 400, 5):
        rows = experience(100, day)
        for policy in (one, other):
            policy.learn(*rows, at=float(day))
        if day == 380:
            one.learn(*extra, at=380.0)
    one.learn(*extra, at=380.0, weight=-1.0)
    probe = experience(50, 77)
    assert one.predict(*probe[:2]) == pytest.approx(other.predict(*probe[:2]), abs=1e-9)
    with pytest.raises(InputError, match="day"):
        one.learn(*extra)


def test_a_forgetful_policy_follows_a_change_that_a_faithful_one_averages():
    rows = [experience(500, day) for day in range(60)]
    policies = [
        taught(10, half_life_days=None),
        Policy(SPACE, FEATURES, settings=Settings(half_life_days=5.0)),
    ]
    for day, (contexts, actions, _) in enumerate(rows):
        rewards = ((actions[:, 0] == 0) == (day < 40)).astype(float)
        for policy in policies:
            policy.learn(contexts, actions, rewards, at=float(day))
    faithful, forgetful = (p.predict(np.zeros((1, 3), np.float32), acts([0]))[0] for p in policies)
    assert faithful > 0.6
    assert forgetful < 0.15


def test_log_odds_come_out_as_a_batch_solution_of_the_logistic_likelihood_says():
    contexts, actions, rewards = experience(8000, 11)
    policy = Policy(SPACE, FEATURES, settings=Settings(likelihood="logistic"))
    around = np.zeros(8000)
    policy.learn(contexts, actions, rewards, around=around)
    for _ in range(2):
        closer = logit(policy.predict(contexts, actions))
        policy.learn(contexts, actions, rewards, weight=-1.0, around=around)
        policy.learn(contexts, actions, rewards, around=closer)
        around = closer
    arm = actions[:, 0] == 1
    rows = np.concatenate([np.ones((arm.sum(), 1)), contexts[arm]], axis=1)

    def loss(weights):
        odds = rows @ weights
        return np.sum(np.logaddexp(0, odds) - rewards[arm] * odds)

    solved = minimize(loss, np.zeros(4)).x
    probe = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 0, 0]], np.float32)
    wanted = expit(solved[0] + probe @ solved[1:])
    assert policy.predict(probe, acts([1, 1, 1])) == pytest.approx(wanted, abs=0.02)


def test_rows_of_a_logistic_policy_are_taken_out_where_they_were_linearised():
    policy, never = (taught(1000, likelihood="logistic") for _ in range(2))
    extra = experience(200, 6)
    around = np.full(200, -0.7)
    policy.learn(*extra, around=around)
    policy.learn(*extra, around=around, weight=-1.0)
    probe = experience(20, 8)
    assert policy.predict(*probe[:2]) == pytest.approx(never.predict(*probe[:2]), abs=1e-9)
    with pytest.raises(InputError, match="within 0 and 1"):
        policy.learn(extra[0], extra[1], np.full(200, 2.0))


def test_a_policy_keeps_what_its_features_looked_like(tmp_path):
    policy = taught(100)
    columns = {name: np.linspace(0, 1, 50) for name in FEATURES.names}
    policy.reference = Reference.of(FEATURES, columns)
    loaded = Policy.load(policy.save(tmp_path))
    assert loaded.version == policy.version
    assert loaded.reference is not None
    assert [found.psi for found in drift(loaded.reference, columns)] == [0.0, 0.0, 0.0]
    moved = columns | {"late": columns["late"] + 0.9}
    assert [found.verdict for found in drift(loaded.reference, moved)] == ["stable", "drifted", "stable"]


def test_a_file_of_another_shape_is_refused():
    flat, factored = taught(50), Policy(ActionSpace(("mail",)), FEATURES)
    assert Policy.from_bytes(factored.to_bytes()).space == factored.space
    broken = flat.to_bytes()[:-20]
    with pytest.raises(PolicyFileError):
        Policy.from_bytes(broken)
