"""What an explanation says is checked against the scores themselves: change the case, and score again."""

from dataclasses import replace

import numpy as np
import pytest

from kulanz.engine import ActionSpace, Allowed, Decisions, Feature, FeatureSpec, Policy
from kulanz.engine.design import Design
from kulanz.engine.explain import Parts, explain_parts, factored_parts, feature_parts, flat_parts
from kulanz.kernel.errors import InputError

SPACE = ActionSpace(
    ("email", "sms"),
    ("friendly", "factual", "firm"),
    ("none", "plan"),
    bands=("08-10", "10-12"),
    weekdays=("Mon", "Tue", "Wed"),
)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FEATURES = FeatureSpec(
    (
        Feature("open amount", "EUR", 0, 5000, unknown=True),
        Feature("days past due", "days", kind="bucket", edges=(0, 8, 15)),
        Feature("business", kind="flag"),
        Feature("country", kind="category", levels=("DE", "AT", "CH"), unknown=True),
        Feature("weekday", kind="cyclical", period=7, levels=WEEKDAYS),
    )
)


def cases(n, seed):
    rng = np.random.default_rng(seed)
    return {
        "open amount": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(5, 1, n)),
        "days past due": rng.integers(-5, 30, n).astype(float),
        "business": rng.random(n) < 0.3,
        "country": rng.choice(np.array(["DE", "AT", "CH", "FR"]), n, p=[0.6, 0.2, 0.1, 0.1]),
        "weekday": rng.integers(0, 7, n),
    }


def some_allowed(n, seed, share=0.7):
    rng = np.random.default_rng(seed)
    return Allowed(rng.random(n) < share, rng.random((n, 12)) < share, rng.random((n, 12)) < share)


@pytest.fixture(scope="module")
def taught():
    """A policy that has found out that Austria, Mondays and the firm tone matter, and the cases it knows."""
    raw = cases(6_000, 1)
    spec = FEATURES.fitted(raw)
    policy = Policy(SPACE, spec)
    rng = np.random.default_rng(2)
    actions = np.stack([rng.integers(0, k, 6_000) for k in (2, 6, 3, 2)], axis=1).astype(np.int16)
    actions[rng.random(6_000) < 0.1] = -1
    chance = 0.25 + 0.2 * ((raw["country"] == "AT") & (actions[:, 0] == 1)) - 0.1 * (actions[:, 2] == 2)
    chance += 0.1 * np.cos(2 * np.pi * raw["weekday"] / 7) * (actions[:, 2] == 0)
    chance += 0.1 * (raw["days past due"] < 8) * (actions[:, 1] % 2 == 1)
    policy.learn(spec.transform(raw), actions, (rng.random(6_000) < chance).astype(float))
    return policy


def score_of(policy, context, action):
    scores = policy.scores(context[None, :])[0]
    if action[0] < 0:
        return float(scores[0])
    channel, slot, tone, offer = (int(code) for code in action)
    return float(scores[1 + channel * 6 + slot] + scores[13 + (channel * 3 + tone) * 2 + offer])


def explained(policy, n, seed):
    contexts = policy.features.transform(cases(n, seed))
    allowed = some_allowed(n, seed)
    decisions = policy.decide(contexts, allowed, seed=seed, ids=np.arange(n))
    for row in np.flatnonzero(~decisions.vetoed_all):
        why = policy.explain(contexts[row], allowed.rows([row]), decisions.rows([row]))
        yield contexts[row], decisions.actions[row], why


def test_the_feature_named_first_changes_the_score_as_said(taught):
    """1,000 decisions: put the feature with the largest effect at its centre and score again."""
    spans = dict(zip(taught.features.names, taught.features.spans, strict=True))
    right = moved = count = 0
    for context, action, why in explained(taught, 1_080, 3):
        named = [part for part in why.contributions if part.name in spans]
        if count == 1_000 or not named:
            continue
        at_centre = context.copy()
        at_centre[spans[named[0].name]] = 0.0
        change = why.score - score_of(taught, at_centre, action)
        same_sign = np.sign(change) == np.sign(named[0].effect) or abs(named[0].effect) < 1e-6
        right += same_sign and abs(change - named[0].effect) <= 1e-5 + 1e-3 * abs(named[0].effect)
        moved += abs(change) > 0.01
        count += 1
    assert count == 1_000
    assert right >= 950
    assert moved > 500


def test_another_tone_changes_the_score_by_what_the_parts_say():
    """At the centre of all features the parts that name the tone are all that a change of tone moves."""
    rng = np.random.default_rng(8)
    design = Design(SPACE, len(FEATURES))
    weights = rng.normal(size=design.columns)
    when, how = design.fold(weights, design.when_cells), design.fold(weights, design.how_cells)
    for context in (np.zeros(len(FEATURES), np.float32), rng.normal(size=len(FEATURES)).astype(np.float32)):
        one = np.append(1.0, context)
        for channel, slot, tone, offer in np.ndindex(2, 6, 3, 2):
            found = []
            for each in (tone, (tone + 1) % 3):
                action = np.array([channel, slot, each, offer], np.int16)
                parts = factored_parts(design, FEATURES, weights, context, action)
                cell = (channel * 3 + each) * 2 + offer
                score = one @ when[:, channel * 6 + slot] + one @ how[:, cell]
                assert parts.score == pytest.approx(score)
                said = sum(part.effect for part in parts.contributions if "tone" in part.name)
                found.append((score, said))
            if not context.any():
                assert found[0][0] - found[1][0] == pytest.approx(found[0][1] - found[1][1])


def test_base_contributions_and_rest_add_up_to_the_score(taught):
    for context, action, why in explained(taught, 60, 4):
        total = why.base + sum(part.effect for part in why.contributions) + why.rest
        assert total == pytest.approx(score_of(taught, context, action), abs=1e-5)


def test_a_level_an_interval_and_a_day_are_said_in_words(taught):
    raw = {"open amount": [np.nan], "days past due": [9], "business": [1], "country": ["AT"], "weekday": [0]}
    context = taught.features.transform(raw)[0]
    parts = feature_parts(taught.features, context, np.ones(len(context)))
    assert [(part.name, part.value, part.unit) for part in parts] == [
        ("open amount", "unknown", "EUR"),
        ("days past due", "8 to 14", "days"),
        ("business", "yes", ""),
        ("country", "AT", ""),
        ("weekday", "Mon", ""),
    ]
    assert sum(part.effect for part in parts) == pytest.approx(float(context.sum()), abs=1e-5)


def test_what_was_taught_is_what_is_named(taught):
    raw = {"open amount": [150.0], "days past due": [20], "business": [0], "country": ["AT"], "weekday": [2]}
    context = taught.features.transform(raw)
    allowed = Allowed.everything(SPACE, 1)
    allowed.wait[:] = False
    allowed.channel_slot[:, :6] = False
    decision = taught.decide(context, allowed, seed=1, ids=np.array([1]))
    named = [part for part in taught.explain(context[0], allowed, decision).contributions if part.value]
    assert (named[0].name, named[0].value) == ("country", "AT")
    assert named[0].effect > 0.08


def flat_case(allowed, chosen, scores):
    """A flat set of three letters, without waiting, decided by hand."""
    space = ActionSpace(("plain", "warm", "short"), bands=("any",), weekdays=("any",), waits=False)
    score = np.array([scores[chosen]], np.float32)
    decision = Decisions(
        actions=np.array([[chosen, 0, 0, 0]], np.int16),
        wait=np.zeros(1, bool),
        propensity=np.array([0.25]),
        score=score,
        spread=score * 0,
        best_score=score,
        best_spread=score * 0,
        scores=np.array([scores], np.float32),
        vetoed_all=np.zeros(1, bool),
    )
    mask = np.array([allowed])
    return space, Allowed(np.zeros(1, bool), mask, np.ones_like(mask)), decision


def test_a_flat_set_is_explained_by_hand():
    features = FeatureSpec((Feature("days", "days", centre=10, scale=5), Feature("business", kind="flag")))
    weights = np.array([[0.10, 0.30, 0.20], [0.01, 0.02, -0.05], [0.0, 0.04, 0.5]])
    context = np.array([2.0, 1.0], np.float32)
    scores = (weights[0] + context @ weights[1:]).tolist()
    parts = flat_parts(features, weights, context, 1, "warm")
    assert parts.base == pytest.approx(0.2)
    assert [(part.name, part.value, part.unit) for part in parts.contributions] == [
        ("warm", None, ""),
        ("days", 20.0, "days"),
        ("business", "yes", ""),
    ]
    assert [part.effect for part in parts.contributions] == pytest.approx([0.1, 0.04, 0.04])
    assert parts.score == pytest.approx(scores[1])
    why = explain_parts(parts, *flat_case([True, True, False], 1, scores))
    assert why.alternative[0] == "plain"
    assert why.gap == pytest.approx(scores[1] - scores[0])
    assert [(veto.factor, veto.names[0]) for veto in why.vetoes] == [("channel_slot", "short")]
    assert why.vetoes[0].gain == pytest.approx(scores[2] - scores[1])
    tables = [0.0, *scores, 0.0, 0.0, 0.0]
    space, allowed, decision = flat_case([True, True, False], 1, tables)
    assert explain_parts(parts, space, allowed, decision).vetoes == why.vetoes


def test_where_only_one_flat_action_was_allowed_there_is_no_alternative():
    parts = Parts(0.1, ())
    why = explain_parts(parts, *flat_case([True, False, False], 0, [0.1, 0.0, 0.05]))
    assert (why.alternative, why.gap, why.vetoes) == (None, None, ())
    assert why.score == pytest.approx(0.1)


def test_a_decision_without_its_scores_cannot_be_explained():
    space, allowed, decision = flat_case([True, True, True], 0, [0.1, 0.0, 0.05])
    without = replace(decision, scores=decision.scores[:, :0])
    with pytest.raises(InputError, match="keeping its scores"):
        explain_parts(Parts(0.1, ()), space, allowed, without)


def test_two_cases_at_once_are_refused(taught):
    contexts = taught.features.transform(cases(2, 9))
    allowed = some_allowed(2, 9)
    decisions = taught.decide(contexts, allowed, seed=1, ids=np.arange(2))
    with pytest.raises(InputError, match="one case"):
        taught.explain(contexts[0], allowed, decisions)


def test_the_best_alternative_and_the_vetoes_are_those_of_a_full_list(taught):
    """Against all 73 choices, listed one by one."""
    every = [np.full(4, -1, np.int16), *(np.array(each, np.int16) for each in np.ndindex(2, 6, 3, 2))]
    contexts, allowed = taught.features.transform(cases(30, 5)), some_allowed(30, 6, share=0.6)
    decisions = taught.decide(contexts, allowed, seed=2, ids=np.arange(30))
    for row in np.flatnonzero(~decisions.vetoed_all):
        may, action = allowed.rows([row]), decisions.actions[row]
        why = taught.explain(contexts[row], may, decisions.rows([row]))
        scores = {tuple(each): score_of(taught, contexts[row], each) for each in every}
        open_to = [each for each in every if may.permits(each[None, :], SPACE)[0]]
        others = [scores[tuple(each)] for each in open_to if (each != action).any()]
        if others:
            assert why.gap == pytest.approx(scores[tuple(action)] - max(others), abs=1e-5)
        best = max(scores[tuple(each)] for each in open_to)
        gains = [veto.gain for veto in why.vetoes]
        assert gains == sorted(gains, reverse=True)
        assert all(0 < gain <= max(scores.values()) - best + 1e-5 for gain in gains)
