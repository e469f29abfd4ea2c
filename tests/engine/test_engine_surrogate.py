import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.engine import ActionSpace, Allowed, Feature, FeatureSpec, Policy
from kulanz.engine.delay import Credit, corrections
from kulanz.engine.surrogate import Surrogate
from kulanz.kernel.errors import InputError

BANDS = ("08-10", "10-12", "12-14", "14-16")
SPACE = ActionSpace(("email", "sms"), ("friendly", "factual", "firm"), bands=BANDS, weekdays=("any",))
FEATURES = FeatureSpec((Feature("days past due", "days"), Feature("share late")))
SIGNS = ("opened", "clicked")
# Chance of payment after nothing, after opening, after clicking.
PAYS = np.array([0.08, 0.15, 0.45])


def taught(cells, **options):
    """From {(signs): rewards}, all at time 0."""
    surrogate = Surrogate.empty(SIGNS, (0.0,), **options)
    for signs, rewards in cells.items():
        rows = np.tile(np.array(signs, bool), (len(rewards), 1))
        surrogate.learn(rows, np.zeros(len(rewards)), np.array(rewards, float))
    return surrogate


def outcomes(n, seed, *, past_signs=0.0):
    """Signs of two channels (the second is opened more often) and what was paid in the end."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, n)
    opened = rng.random(n) < np.where(arm == 1, 0.6, 0.3)
    clicked = opened & (rng.random(n) < 0.4)
    chance = PAYS[opened.astype(int) + clicked] + past_signs * np.where(arm == 1, 1.0, -1.0)
    return np.stack([opened, clicked], axis=1), (rng.random(n) < chance).astype(float), arm


def test_credibility_by_hand():
    """Two patterns of four rows, means .25 and .75; all rows .5.

    Within: (.75 + .75 + 2 / 7) / (8 - 2 + 1); between: (8 x .0625 - within) / (8 - 32 / 8).
    """
    within = (1.5 + 2 / 7) / 7
    between = (0.5 - within) / 4
    share = 4 * between / (4 * between + within)
    surrogate = taught({(False, False): [0, 0, 0, 1], (True, False): [1, 1, 1, 0]})
    pulled = 0.25 * share
    assert surrogate.means()[0] == pytest.approx([0.5 - pulled, 0.5 + pulled, 0.5, 0.5])


def test_the_explained_share_is_omega_squared_by_hand():
    """Sums of squares: between .5, within 1.5, all 2; the noise has one more degree of freedom at 2 / 7."""
    noise = (1.5 + 2 / 7) / 7
    surrogate = taught({(False, False): [0, 0, 0, 1], (True, False): [1, 1, 1, 0]})
    assert surrogate.explained() == pytest.approx([(0.5 - noise) / (2 + noise)])


def test_with_many_rows_the_expected_reward_is_the_true_chance():
    surrogate = Surrogate.empty(SIGNS, (0.0,))
    signs, paid, _ = outcomes(40_000, 1)
    surrogate.learn(signs, np.zeros(40_000), paid)
    asked = np.array([[False, False], [True, False], [True, True]])
    found = surrogate.predict(asked, np.zeros(3))
    assert found.reward == pytest.approx(PAYS, abs=0.012)
    explained = np.var(PAYS[signs.sum(axis=1)]) / np.var(paid)
    assert surrogate.explained()[0] == pytest.approx(explained, abs=0.01)


def test_signs_that_say_nothing_have_no_weight():
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(50):
        surrogate = Surrogate.empty(SIGNS, (0.0,))
        surrogate.learn(rng.random((400, 2)) < 0.5, np.zeros(400), (rng.random(400) < 0.3).astype(float))
        shares.append(surrogate.explained()[0])
    assert np.mean(shares) < 0.01


def test_expected_rewards_have_the_mean_of_the_real_ones_at_every_time():
    rng = np.random.default_rng(3)
    surrogate = Surrogate.empty(SIGNS, (0.0, 1.0, 3.0))
    signs, paid, _ = outcomes(900, 4)
    shown = rng.integers(0, 6, (900, 2))
    for moment in (0.0, 1.0, 2.0, 5.0):
        rows = rng.random(900) < 0.7
        surrogate.learn((signs & (shown <= moment))[rows], np.full(rows.sum(), moment), paid[rows])
    means, count = surrogate.means(), surrogate.count.sum(axis=1)
    real = surrogate.total.sum(axis=(1, 2)) / count.sum(axis=1)
    assert (count * means).sum(axis=1) / count.sum(axis=1) == pytest.approx(real)
    later = surrogate.predict(np.array([[False, False]] * 2), np.array([0.0, 99.0])).reward
    assert later[1] < later[0]


def test_how_far_rows_count_depends_on_what_the_signs_do_not_show():
    weights = {}
    for past_signs in (0.0, 0.07):
        surrogate = Surrogate.empty(SIGNS, (0.0,), arms=2)
        signs, paid, arm = outcomes(8_000, 5, past_signs=past_signs)
        surrogate.learn(signs, np.zeros(8_000), paid, arms=arm)
        weights[past_signs] = [surrogate.trust(waiting)[0] for waiting in (10, 1_000, 10_000)]
    assert weights[0.0][0] == 1
    assert min(weights[0.0]) > 0.3
    assert weights[0.07][2] < 0.05
    assert weights[0.07] == sorted(weights[0.07], reverse=True)


def test_the_variance_of_effects_past_the_signs_by_hand():
    """One pattern, two arms of 100 rows with means .4 and .6: effects -.1 and .1 past the signs.

    Between: 200 x .01 = 2. Within: 24 + 24; noise (48 + 50 / 199) / 199. Variance of effects: (2 - noise) / 100,
    plus a standard error of sqrt(2) noise / 100. No spread of predictions; variance of rewards .25.
    """
    surrogate = Surrogate.empty(SIGNS, (0.0,), arms=2)
    for arm, paid in ((0, 40), (1, 60)):
        rewards = np.array([1.0] * paid + [0.0] * (100 - paid))
        surrogate.learn(np.zeros((100, 2), bool), np.zeros(100), rewards, arms=arm)
    noise = (48 + 50 / 199) / 199
    effects = (2 - noise + np.sqrt(2) * noise) / 100
    assert surrogate.trust(1_000) == pytest.approx([0.25 / (500 * effects)])


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 200), st.integers(0, 200))
def test_rows_taken_out_leave_no_trace_in_the_surrogate(seed, kept, gone):
    signs, paid, arm = outcomes(kept + gone, seed)
    value = paid * np.random.default_rng(seed).random(kept + gone)
    when = np.arange(kept + gone) % 4.0
    there, never = (Surrogate.empty(SIGNS, (0.0, 2.0), arms=2) for _ in range(2))
    first, last = slice(0, kept), slice(kept, None)
    for part, weight in ((last, 1.0), (first, 1.0), (last, -1.0)):
        there.learn(signs[part], when[part], value[part], arms=arm[part], weight=weight)
    never.learn(signs[first], when[first], value[first], arms=arm[first])
    assert there.to_json() == never.to_json()
    again = Surrogate.from_json(json.loads(json.dumps(there.to_json())))
    assert (again.means() == never.means()).all()


def test_before_anything_matured_there_is_no_credit_and_one_row_is_no_certainty():
    surrogate = Surrogate.empty(SIGNS, (0.0,), arms=3)
    found = surrogate.predict(np.ones((2, 2), bool), np.zeros(2))
    assert np.isnan(found.reward).all()
    assert not found.counts.any()
    surrogate.learn(np.array([[True, True]]), np.zeros(1), np.ones(1))
    surrogate.learn(np.array([[False, True]]), np.zeros(1), np.zeros(1), arms=2)
    found = surrogate.predict(np.array([[True, True]]), np.zeros(1))
    assert found.reward[0] == pytest.approx(0.5)
    assert surrogate.explained()[0] == 0
    assert len(surrogate.predict(np.zeros((0, 2), bool), np.zeros(0))) == 0


def test_wrong_rows_are_refused_and_nothing_is_learned():
    surrogate = taught({(True, True): [1.0, 0.5]})
    before = surrogate.to_json()
    good = {"signs": np.ones((1, 2), bool), "elapsed": np.zeros(1), "rewards": np.zeros(1)}
    for wrong, said in (
        ({"signs": np.ones((1, 2))}, "truth values"),
        ({"signs": np.ones((1, 3), bool)}, "truth values"),
        ({"elapsed": np.full(1, -1.0)}, "before the time"),
        ({"elapsed": np.full(1, np.nan)}, "before the time"),
        ({"rewards": np.full(1, np.nan)}, "finite"),
        ({"arms": np.ones(1, int)}, "Arms"),
        ({"weight": -3.0}, "taken out"),
        ({"weight": np.nan}, "finite weight"),
    ):
        with pytest.raises(InputError, match=said):
            surrogate.learn(**{**good, **wrong})
    assert surrogate.to_json() == before
    for signs, times, arms in (
        ((), (0.0,), 1),
        (("a", "a"), (0.0,), 1),
        (SIGNS, (1.0, 1.0), 1),
        (SIGNS, (0.0,), 0),
    ):
        with pytest.raises(InputError):
            Surrogate.empty(signs, times, arms=arms)


def follow(policy, contexts, actions, old, new):
    """Bring a policy from one credit to the next, as a caller does."""
    plan = corrections(old, new)
    for rows, credit, sign in ((plan.take_out, old, -1.0), (plan.learn, new, 1.0)):
        for weight in np.unique(credit.weight[rows]):
            part = rows[credit.weight[rows] == weight]
            policy.learn(contexts[part], actions[part], credit.reward[part], weight=sign * float(weight))
    return plan.counted


def test_nothing_is_paid_twice_once_the_real_outcomes_are_there():
    n = 600
    signs, paid, _ = outcomes(n, 7)
    rng = np.random.default_rng(8)
    actions = np.stack([rng.integers(0, k, n) for k in (2, 4, 3, 1)], axis=1).astype(np.int16)
    contexts = rng.normal(size=(n, 2)).astype(np.float32)
    surrogate = Surrogate.empty(SIGNS, (0.0,), arms=2)
    surrogate.learn(signs[:200], np.zeros(200), paid[:200], arms=actions[:200, 0])
    policy, never = Policy(SPACE, FEATURES), Policy(SPACE, FEATURES)
    expected = surrogate.predict(signs, np.zeros(n))
    assert 0 < expected.weight[0] <= 1
    counted = follow(policy, contexts, actions, Credit.none(n), expected)
    assert policy.learned == pytest.approx(expected.weight.sum())
    half = Credit(
        np.where(np.arange(n) < 300, paid, counted.reward), np.where(np.arange(n) < 300, 1, counted.weight)
    )
    counted = follow(policy, contexts, actions, counted, half)
    follow(policy, contexts, actions, counted, Credit.certain(paid))
    never.learn(contexts, actions, paid)
    assert policy.to_bytes() == never.to_bytes()
    assert policy.version == never.version


def chances(contexts, actions):
    """Of opening, of clicking once opened, and what the tone adds past both."""
    sms, band, tone = actions[:, 0] == 1, actions[:, 1], actions[:, 2]
    opens = (
        0.25 + 0.15 * (band == 2) + 0.10 * (sms & (contexts[:, 0] > 0)) + 0.05 * contexts[:, 1] * (band == 1)
    )
    clicks = np.array([0.30, 0.45, 0.20])[tone]
    return np.clip(opens, 0.02, 0.95), clicks, np.array([0.0, 0.03, -0.03])[tone]


def late_outcomes(seed, early, *, n=15_000, delay=10_000, batch=1_000):
    """Mean true chance of payment under what was chosen once the first outcomes were there."""
    rng = np.random.default_rng(seed)
    contexts, luck = rng.normal(size=(n, 2)).astype(np.float32), rng.random((n, 3))
    actions, signs = np.zeros((n, 4), np.int16), np.zeros((n, 2), bool)
    paid, value, arm = np.zeros(n), np.zeros(n), np.zeros(n, int)
    policy, surrogate = Policy(SPACE, FEATURES), Surrogate.empty(SIGNS, (0.0,), arms=24)
    allowed = Allowed.everything(SPACE, batch)
    allowed.wait[:] = False
    counted = Credit.none(n)
    for first in range(0, n, batch):
        now, end = slice(first, first + batch), first + batch
        actions[now] = policy.decide(contexts[now], allowed, seed=seed, ids=np.arange(n)[now]).actions
        arm[now] = actions[now] @ np.array([12, 3, 1, 0])
        opens, clicks, past = chances(contexts[now], actions[now])
        signs[now, 0] = luck[now, 0] < opens
        signs[now, 1] = signs[now, 0] & (luck[now, 1] < clicks)
        paid[now] = luck[now, 2] < PAYS[signs[now].sum(axis=1)] + past
        value[now] = PAYS[0] + opens * (PAYS[1] - PAYS[0] + clicks * (PAYS[2] - PAYS[1])) + past
        ripe = max(end - delay, 0)
        known = Credit.certain(np.where(np.arange(n) < ripe, paid, np.nan))
        if early and ripe:
            new, waits = slice(ripe - batch, ripe), slice(ripe, end)
            surrogate.learn(signs[new], np.zeros(batch), paid[new], arms=arm[new])
            expected = surrogate.predict(signs[waits], np.zeros(end - ripe))
            known.reward[waits], known.weight[waits] = expected.reward, expected.weight
        counted = follow(policy, contexts, actions, counted, known)
    return value[delay + batch :].mean()


def test_with_outcomes_ten_thousand_rows_late_early_signs_lead_to_better_choices():
    gains = [late_outcomes(seed, early=True) - late_outcomes(seed, early=False) for seed in range(6)]
    error = np.std(gains, ddof=1) / np.sqrt(len(gains))
    assert np.mean(gains) > 2.5 * error
    assert np.mean(gains) > 0.004
