import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.engine import ActionSpace, Feature, FeatureSpec, Policy, RewardSettings
from kulanz.engine.delay import Credit, Hazard, corrections
from kulanz.engine.reward import reward, worth
from kulanz.kernel.errors import InputError

NONE = np.nan
SPACE = ActionSpace(("email", "sms"), ("friendly", "firm"), bands=("08-10", "10-12"), weekdays=("Mon", "Tue"))
FEATURES = FeatureSpec((Feature("open amount", "EUR"), Feature("days past due", "days")))


def learned(rows, steps, **options):
    """Rows of (group, step of payment, steps watched)."""
    hazard = Hazard.empty(1 + max(row[0] for row in rows), steps, **options)
    hazard.learn(*(np.array(column) for column in zip(*rows, strict=True)))
    return hazard


def decisions(n, seed):
    rng = np.random.default_rng(seed)
    limits = (2, 4, 2, 1)
    actions = np.stack([rng.integers(0, limit, n) for limit in limits], axis=1).astype(np.int16)
    return rng.normal(size=(n, 2)).astype(np.float32), actions


def test_the_survival_curve_is_kaplan_meiers_by_hand():
    """Ten rows: payments on steps 0, 1, 1, 3; two left after step 0, one after step 2, three watched to the end.

    At risk: 10, 7, 5, 4 -> survival 9/10, 9/10 5/7, 9/10 5/7, 9/10 5/7 3/4.
    """
    paid = [(0, 0, 4), (0, 1, 4), (0, 1, 4), (0, 3, 4)]
    unpaid = [(0, NONE, 1), (0, NONE, 1), (0, NONE, 3), *[(0, NONE, 4)] * 3]
    hazard = learned(paid + unpaid, 4, prior_rows=0)
    assert hazard.at_risk.tolist() == [[10, 7, 5, 4]]
    by_hand = np.cumprod([9 / 10, 5 / 7, 1, 3 / 4])
    assert hazard.survival()[0] == pytest.approx(by_hand)


def test_a_constant_hazard_has_its_closed_form():
    """1,000 rows, a tenth of those left pays in each of three steps; worth 1, .9, .8."""
    rows = [(0, 0, 3)] * 100 + [(0, 1, 3)] * 90 + [(0, 2, 3)] * 81 + [(0, NONE, 3)] * 729
    hazard = learned(rows, 3, prior_rows=0)
    assert hazard.rates()[0] == pytest.approx([0.1] * 3)
    value = np.array([1.0, 0.9, 0.8])
    last, second = 0.1 * 0.8, 0.1 * 0.9 + 0.9 * 0.1 * 0.8
    ahead = [0.1 + 0.9 * second, second, last, 0.0]
    assert hazard.to_come(value)[0] == pytest.approx(ahead)
    credit = hazard.partial(
        np.zeros(6, int),
        np.array([NONE, NONE, NONE, NONE, 1.0, 2.0]),
        np.array([0.0, 1.0, 2.0, 3.0, 2.0, 99.0]),
        value,
    )
    assert credit.reward == pytest.approx([*ahead, 0.9, 0.8])
    # half a step gone without payment: .05 / .95 of those left pay in its other half
    begun = hazard.partial(np.zeros(1, int), np.array([NONE]), np.array([1.5]), value)
    assert begun.reward[0] == pytest.approx(0.05 / 0.95 * 0.9 + 0.9 / 0.95 * last)


def test_what_is_known_about_the_variance_by_hand():
    """One coin of chance 1/2 in each of two steps, worth 1: final worth 1 with 3/4, variance 3/16.

    After one step: 1 with chance 1/2, else 1/2 expected; variance of that 1/16.
    """
    hazard = learned([(0, 0, 2)] * 2 + [(0, 1, 2)] + [(0, NONE, 2)], 2, prior_rows=0)
    assert hazard.information(np.ones(2))[0] == pytest.approx([0, 1 / 3, 1])
    nobody_pays = learned([(0, NONE, 2)] * 5, 2)
    assert nobody_pays.information(np.ones(2)).tolist() == [[0, 0, 1]]


def simulated(n, seed):
    """Two groups with known hazards over five steps, each row watched for a random time."""
    rng = np.random.default_rng(seed)
    chance = np.array([[0.20, 0.10, 0.05, 0.05, 0.02], [0.02, 0.02, 0.10, 0.20, 0.10]])
    group = rng.integers(0, 2, n)
    pays = rng.random((n, 5)) < chance[group]
    paid = np.where(pays.any(axis=1), pays.argmax(axis=1), NONE)
    watched = rng.integers(0, 6, n).astype(float)
    seen = np.where(paid < watched, paid, NONE)
    return chance, group, paid, watched, seen


def test_partial_credit_has_the_mean_of_the_final_reward_although_most_rows_are_cut_short():
    value = np.array([1.0, 0.9, 0.8, 0.7, 0.6])
    chance, group, paid, watched, seen = simulated(60_000, 1)
    hazard = Hazard.empty(2, 5)
    hazard.learn(group, seen, watched)
    assert hazard.rates() == pytest.approx(chance, abs=0.01)
    final = np.where(np.isnan(paid), 0.0, value[np.nan_to_num(paid).astype(int)])
    credit = hazard.partial(group, seen, watched, value).reward
    for at in range(6):
        for which in (0, 1):
            rows = (watched == at) & (group == which)
            error = (credit - final)[rows]
            assert abs(error.mean()) < 3.5 * final[rows].std() / np.sqrt(rows.sum()) + 0.002
    waiting_only = np.where(np.isnan(seen), 0.0, final)
    assert (waiting_only - final).mean() < -0.08


def test_a_group_with_few_rows_leans_on_all_and_one_with_many_stands_alone():
    def rows(group, n, payers):
        return [(group, 0, 1)] * payers + [(group, NONE, 1)] * (n - payers)

    hazard = learned(rows(0, 2000, 200) + rows(1, 2000, 800) + rows(2, 4, 4), 1)
    pooled = 1004 / 4004
    first, second, third = hazard.rates()[:, 0]
    assert first == pytest.approx(0.1, abs=0.01)
    assert second == pytest.approx(0.4, abs=0.01)
    assert pooled < third < 0.9
    alike = learned(rows(0, 500, 50) + rows(1, 500, 55) + rows(2, 4, 4), 1).rates()[:, 0]
    assert abs(alike[0] - alike[1]) < 0.008
    assert alike[2] < third


def test_without_any_payment_nothing_is_expected_and_an_unseen_step_has_the_mean_hazard():
    assert Hazard.empty(2, 3).to_come(np.ones(3)).tolist() == [[0] * 4] * 2
    young = learned([(0, 0, 1)] * 20 + [(0, NONE, 1)] * 80, 3)
    assert young.rates()[0] == pytest.approx([0.2] * 3)


def test_a_payment_in_a_step_that_is_not_over_teaches_nothing_about_it():
    hazard = learned([(0, 2.0, 2.6), (0, NONE, 2.6)], 4)
    assert hazard.at_risk.tolist() == [[2, 2, 0, 0]]
    assert hazard.events.sum() == 0
    credit = hazard.partial(np.zeros(1, int), np.array([2.0]), np.array([2.6]), np.array([1, 0.9, 0.8, 0.7]))
    assert credit.reward.tolist() == [0.8]


def test_an_amount_paid_in_parts_counts_by_its_shares():
    """40 % in step 0, 60 % in step 1 of one amount; another is never paid."""
    hazard = Hazard.empty(1, 2, prior_rows=0)
    hazard.learn(np.zeros(3, int), np.array([0, 1, NONE]), np.full(3, 2.0), weight=np.array([0.4, 0.6, 1.0]))
    assert hazard.at_risk[0] == pytest.approx([2, 1.6])
    assert hazard.rates()[0] == pytest.approx([0.4 / 2, 0.6 / 1.6])


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 300), st.integers(0, 300))
def test_rows_taken_out_leave_no_trace_in_the_hazard(seed, kept, gone):
    _, group, _, watched, seen = simulated(kept + gone, seed)
    weight = np.random.default_rng(seed).integers(1, 17, kept + gone) / 16
    there, never = Hazard.empty(2, 5), Hazard.empty(2, 5)
    first, last = slice(0, kept), slice(kept, None)
    never.learn(group[first], seen[first], watched[first], weight=weight[first])
    there.learn(group[last], seen[last], watched[last], weight=weight[last])
    there.learn(group[first], seen[first], watched[first], weight=weight[first])
    there.learn(group[last], seen[last], watched[last], weight=-weight[last])
    assert there.to_json() == never.to_json()
    again = Hazard.from_json(json.loads(json.dumps(there.to_json())))
    assert (again.rates() == never.rates()).all()


def test_forgotten_rows_weigh_less_and_can_still_be_taken_out():
    hazard = learned([(0, 0, 1)] * 50 + [(0, NONE, 1)] * 50, 1)
    hazard.forget(0.1)
    hazard.learn(np.zeros(90, int), np.full(90, NONE), np.ones(90))
    assert hazard.rates()[0, 0] == pytest.approx(5 / 100)
    hazard.learn(np.zeros(50, int), np.zeros(50), np.ones(50), weight=-0.1)
    assert hazard.rates()[0, 0] == pytest.approx(0, abs=1e-12)
    with pytest.raises(InputError, match="kept"):
        hazard.forget(1.5)


def test_wrong_rows_are_refused_and_nothing_is_learned():
    hazard = learned([(0, 0, 2), (1, NONE, 2)], 2)
    before = hazard.to_json()
    for group, paid, watched, said in (
        ([2], [0.0], [1.0], "Groups"),
        ([0], [3.0], [2.0], "after"),
        ([0], [-1.0], [2.0], "negative"),
        ([0], [0.0], [NONE], "negative"),
        ([0, 1], [0.0], [1.0], "Each row"),
    ):
        with pytest.raises(InputError, match=said):
            hazard.learn(np.array(group), np.array(paid), np.array(watched))
    with pytest.raises(InputError, match="taken out"):
        hazard.learn(np.zeros(2, int), np.zeros(2), np.full(2, 2.0), weight=-1.0)
    for weight in (NONE, np.ones(3)):
        with pytest.raises(InputError, match="weight"):
            hazard.learn(np.zeros(2, int), np.zeros(2), np.full(2, 2.0), weight=weight)
    with pytest.raises(InputError, match="Worth"):
        hazard.to_come(np.ones(3))
    with pytest.raises(InputError, match="group"):
        Hazard.empty(0, 3)
    assert hazard.to_json() == before
    none = np.zeros(0)
    hazard.learn(none.astype(int), none, none)
    assert len(hazard.partial(none.astype(int), none, none, np.ones(2))) == 0


def test_the_plan_takes_out_what_was_learned_and_learns_what_is_new():
    old = Credit(np.array([NONE, 0.2, 0.2, 0.2, 0.2, NONE]), np.array([1, 0.5, 0.5, 1, 1, 1]))
    new = Credit(np.array([0.1, 0.2, 0.2, 0.3, NONE, NONE]), np.array([1, 0.5, 1, 1, 1, 1]))
    plan = corrections(old, new)
    assert plan.take_out.tolist() == [2, 3, 4]
    assert plan.learn.tolist() == [0, 2, 3]
    assert plan.counted.reward == pytest.approx(new.reward, nan_ok=True)
    small = corrections(
        Credit.certain(np.array([0.2, 0.2])), Credit.certain(np.array([0.205, 0.3])), least=0.01
    )
    assert (small.take_out.tolist(), small.learn.tolist()) == ([1], [1])
    assert small.counted.reward.tolist() == [0.2, 0.3]
    nothing = Credit(np.array([0.4]), np.zeros(1))
    assert len(corrections(nothing, Credit.none(1)).take_out) == 0
    with pytest.raises(InputError, match="one old and one new"):
        corrections(Credit.none(1), Credit.none(2))
    with pytest.raises(InputError, match="finite"):
        Credit.certain(np.array([np.inf]))
    with pytest.raises(InputError, match="weight"):
        Credit(np.ones(1), np.full(1, 1.5))


def follow(policy, contexts, actions, old, new):
    """Bring a policy from one credit to the next, as a caller does."""
    plan = corrections(old, new)
    for rows, credit, sign in ((plan.take_out, old, -1.0), (plan.learn, new, 1.0)):
        for weight in np.unique(credit.weight[rows]):
            part = rows[credit.weight[rows] == weight]
            policy.learn(contexts[part], actions[part], credit.reward[part], weight=sign * float(weight))
    return plan.counted


@pytest.mark.parametrize("weighted", [False, True])
def test_credit_day_by_day_ends_where_the_final_rewards_alone_would_have_led(weighted):
    value = worth(np.arange(5), settings=RewardSettings(horizon_days=4, discount_per_day=0.1))
    assert value.tolist() == pytest.approx([1, 0.9, 0.8, 0.7, 0.6])
    n = 400
    _, group, paid, _, _ = simulated(n, 3)
    contexts, actions = decisions(n, 4)
    hazard = Hazard.empty(2, 5)
    policy, waiting = Policy(SPACE, FEATURES), Policy(SPACE, FEATURES)
    counted = Credit.none(n)
    for day in range(6):
        seen = np.where(paid < day, paid, NONE)
        hazard.learn(group[:50], seen[:50], np.full(50, float(day)))
        credit = hazard.partial(group, seen, np.full(n, float(day)), value)
        now = credit if weighted else Credit.certain(credit.reward)
        counted = follow(policy, contexts, actions, counted, now)
    final = np.where(np.isnan(paid), 0.0, value[np.nan_to_num(paid).astype(int)])
    assert counted.reward == pytest.approx(final)
    waiting.learn(contexts, actions, final)
    assert policy.to_bytes() == waiting.to_bytes()


def test_a_returned_payment_takes_back_exactly_what_it_gave():
    contexts, actions = decisions(300, 5)
    gain = reward(
        np.full(300, 80.0), np.full(300, 100.0), np.full(300, 3.0), *(np.zeros(300) for _ in range(4))
    )
    policy, never = Policy(SPACE, FEATURES), Policy(SPACE, FEATURES)
    counted = follow(policy, contexts, actions, Credit.none(300), Credit.certain(gain))
    returned = np.where(np.arange(300) < 100, NONE, gain)
    follow(policy, contexts, actions, counted, Credit.certain(returned))
    never.learn(contexts[100:], actions[100:], gain[100:])
    assert policy.to_bytes() == never.to_bytes()


def test_a_reward_needs_finite_amounts_and_payments_after_the_horizon_are_worth_nothing():
    for wrong in ({"paid": [NONE]}, {"contact_cost_minor": [np.inf]}, {"open": [np.inf]}, {"days": [NONE]}):
        fine = {name: [1.0] for name in ("paid", "open", "days", "contact_cost_minor")}
        with pytest.raises(InputError):
            reward(**{**fine, **wrong}, complaint=[0], opt_out=[0], dispute=[0])
    assert worth([0, 14, 14.1]).tolist() == pytest.approx([1, 0.72, 0])
