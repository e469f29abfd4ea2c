import math

import numpy as np
import pytest

from kulanz.engine.evaluation.estimators import dr
from kulanz.engine.evaluation.evidence import Groups, Terms
from kulanz.engine.evaluation.gate import GateSettings, Guardrail, Outcome, State, gate, watch
from kulanz.engine.evaluation.lift import lift
from kulanz.kernel.errors import InputError


def groups(rng, n, champion, challenger, share=0.5):
    """Customers of whom about `share` met the challenger; what is harmed or gained happens with these
    chances.
    """
    first = rng.random(n) < share
    return Groups((rng.random(n) < np.where(first, challenger, champion)).astype(float), first, share)


def test_a_better_challenger_takes_the_champions_place():
    found = gate(groups(np.random.default_rng(1), 6000, 0.5, 0.6))
    assert found.outcome is Outcome.PROMOTE
    assert 0 < found.low < 0.1 < found.high
    assert found.needed == found.rows == 6000


def test_a_worse_challenger_leaves_the_champion_in_place():
    found = gate(groups(np.random.default_rng(2), 6000, 0.6, 0.5))
    assert found.outcome is Outcome.KEEP
    assert found.low < -0.1 < found.high < 0


def test_few_rows_decide_nothing_and_the_gate_says_about_how_many_will():
    """Every second customer meets the challenger, six in ten pay there, five in ten elsewhere, for ever."""

    def steady(rows):
        turn, first = np.arange(rows) // 2 * 7 % 10, np.arange(rows) % 2 == 0
        return gate(Groups((turn < np.where(first, 6, 5)).astype(float), first, 0.5))

    early = steady(300)
    assert (early.outcome, round(early.value, 9)) == (Outcome.NEED_MORE_DATA, 0.1)
    assert early.needed > 600
    assert steady(int(early.needed * 0.8)).outcome is Outcome.NEED_MORE_DATA
    assert steady(int(early.needed * 1.2)).outcome is Outcome.PROMOTE


def test_two_equal_policies_are_rarely_exchanged_though_asked_after_every_batch():
    rng, promoted, runs = np.random.default_rng(4), 0, 150
    for _ in range(runs):
        logged, rewards = np.full(2000, 0.5), (rng.random(2000) < 0.3).astype(float)
        target = np.where(rng.random(2000) < 0.5, 0.9, 0.1)
        challenger = dr(rewards, logged, target, np.full(2000, 0.4), np.full(2000, 0.4))
        champion = dr(rewards, logged, 1 - target, np.full(2000, 0.4), np.full(2000, 0.4))
        terms = Terms(challenger.terms - champion.terms, low=-1.0, high=1.0)
        asked = [gate(terms.within(np.arange(2000) < n)).outcome for n in range(125, 2001, 125)]
        promoted += Outcome.PROMOTE in asked
    assert promoted / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_a_slice_that_is_harmed_keeps_the_champion_though_the_whole_gains():
    rng = np.random.default_rng(5)
    older = rng.random(20_000) < 0.2
    first = rng.random(20_000) < 0.5
    chance = np.where(first, np.where(older, 0.4, 0.7), 0.5)
    both = Groups((rng.random(20_000) < chance).astype(float), first, 0.5)
    found = gate(both, slices={"older": older, "younger": ~older})
    assert [finding.state for finding in found.findings] == [State.PASSED, State.FAILED, State.PASSED]
    assert found.outcome is Outcome.KEEP
    assert any("older failed: -0.1" in reason for reason in found.reasons)


def test_a_small_slice_that_may_be_harmed_asks_for_more_data():
    rng = np.random.default_rng(6)
    both = groups(rng, 10_000, 0.5, 0.6)
    rare = np.arange(10_000) % 200 == 0
    found = gate(both, slices={"rare": rare})
    assert found.findings[0].state is State.PASSED
    assert found.outcome is Outcome.NEED_MORE_DATA
    assert found.findings[1].rows == 50
    assert gate(both, slices={"rare": rare}, settings=GateSettings(tolerance=0.9)).outcome is Outcome.PROMOTE
    empty = gate(both, slices={"nobody": np.zeros(10_000, dtype=bool)})
    assert (empty.outcome, empty.needed) == (Outcome.NEED_MORE_DATA, None)


def test_groups_of_any_share_and_range_are_compared_like_a_lift():
    both = groups(np.random.default_rng(12), 2000, 0.5, 0.6, share=0.9)
    found = gate(both)
    same = lift(both.outcomes[both.first], both.outcomes[~both.first], share=0.1)
    assert (found.value, found.low, found.high) == pytest.approx((same.difference, same.low, same.high))
    wide = gate(Groups(both.outcomes * 3 - 1, both.first, 0.9, low=-1.0, high=2.0))
    assert (wide.value, wide.low, wide.high) == pytest.approx(
        tuple(3 * x for x in (found.value, found.low, found.high))
    )


def test_many_slices_widen_each_others_intervals():
    rng = np.random.default_rng(7)
    both, half = groups(rng, 4000, 0.5, 0.5), np.arange(4000) % 2 == 0
    alone = gate(both, slices={"half": half}).findings[1]
    among = gate(both, slices={"half": half} | {f"slice {k}": ~half for k in range(19)}).findings[1]
    assert among.high - among.low > alone.high - alone.low
    assert gate(both).findings[0] == gate(both, slices={"half": half}).findings[0]


def test_complaints_keep_a_challenger_out_that_brings_in_more():
    rng = np.random.default_rng(8)
    gain = groups(rng, 8000, 0.5, 0.6)
    loud = Guardrail(groups(rng, 8000, 0.01, 0.06), limit=0.005)
    quiet = Guardrail(groups(rng, 8000, 0.01, 0.01), limit=0.02)
    assert gate(gain, guardrails={"complaints": loud}).outcome is Outcome.KEEP
    assert gate(gain, guardrails={"complaints": quiet}).outcome is Outcome.PROMOTE


def test_a_champion_that_draws_complaints_is_rolled_back():
    rng = np.random.default_rng(9)
    harms = {
        "complaints": Guardrail(Terms((rng.random(3000) < 0.05).astype(float), 0.0, 1.0), limit=0.02),
        "opt-outs": Guardrail(groups(rng, 3000, 0.02, 0.02), limit=0.02),
    }
    found = watch(harms)
    assert found.outcome is Outcome.ROLL_BACK
    assert (found.value, found.low > 0.02) == (found.findings[0].value, True)
    assert found.reasons[0].startswith(f"complaints failed: {found.value:+.4f}, from")


def test_bad_luck_rolls_nothing_back_however_often_one_looks():
    rng, rolled, runs = np.random.default_rng(10), 0, 150
    for _ in range(runs):
        harm = Terms((rng.random(1000) < 0.02).astype(float), 0.0, 1.0)
        looks = (harm.within(np.arange(1000) < n) for n in range(40, 1001, 40))
        rolled += any(
            watch({"complaints": Guardrail(each, 0.02)}).outcome is Outcome.ROLL_BACK for each in looks
        )
    assert rolled / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_an_end_that_nobody_knows_is_never_taken_for_known():
    """Weights without a known bound: less the champion's own reward, no term falls below -1."""
    rng = np.random.default_rng(11)
    logged, rewards = rng.choice([0.5, 0.1], 4000), (rng.random(4000) < 0.5).astype(float)
    for target, outcome in ((0.9, Outcome.PROMOTE), (0.001, Outcome.NEED_MORE_DATA)):
        found = gate(Terms((target / logged - 1) * rewards, low=-1.0))
        assert found.outcome is outcome
        assert found.high == math.inf
    blind = gate(Terms(np.ones(4000)))
    assert (blind.outcome, blind.low, blind.needed) == (Outcome.NEED_MORE_DATA, -math.inf, None)


def test_what_is_asked_wrongly_is_refused():
    one = Terms(np.ones(3), 0.0, 1.0)
    with pytest.raises(InputError, match="rows"):
        gate(one, slices={"short": np.ones(2, dtype=bool)})
    with pytest.raises(InputError, match="at least one guardrail"):
        watch({})
    with pytest.raises(InputError, match="level"):
        gate(one, settings=GateSettings(level=1.0))
    with pytest.raises(InputError, match="which group"):
        Groups(np.ones(3), np.ones(2, dtype=bool), 0.5)
    assert gate(Terms(np.zeros(0), 0.0, 1.0)).outcome is Outcome.NEED_MORE_DATA
