"""Replays, reasons in words, and the figures that insights shows."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from kulanz.claims.actions import book_payment
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Case
from kulanz.kernel.clock import VirtualClock
from kulanz.kernel.errors import NotFoundError
from kulanz.strategy import learning, queries, rewards, runs
from kulanz.strategy.models import Decision, Journey
from kulanz.strategy.reasons import reasons
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

MakeCase = Callable[..., Case]
Wait = Callable[[float], None]
LATE = date(2026, 2, 25)


@pytest.fixture
def decided(
    creditor: Creditor,
    journey: Journey,
    make_case: MakeCase,
    deliver: Callable[[], object],
    clock: VirtualClock,
) -> list[Decision]:
    """Two runs of 30 cases with a fifth held out; the second run's policy has learned from the first."""
    creditor.holdout_share = 0.2
    creditor.save()
    cases = [make_case(f"K{at}", due=LATE) for at in range(30)]
    learning.learn()
    runs.run(seed=11)
    deliver()
    for case in cases[::3]:
        book_payment(case.id, 10000, value_date=date(2026, 3, 6), key=f"p{case.id}", method="transfer")
    clock.advance(timedelta(days=8))
    rewards.credit()
    learning.learn()
    runs.run(seed=12)
    return list(Decision.objects.order_by("id"))


def test_every_decision_replays_bit_for_bit(decided: list[Decision]) -> None:
    assert {d.actor for d in decided} == {"policy", "holdout"}
    for decision in decided:
        made = queries.replay(decision.id)
        assert made.same
        assert made.propensity == decision.propensity


def test_a_changed_score_is_found_by_the_replay(decided: list[Decision]) -> None:
    decision = next(d for d in decided if d.actor == "policy")
    flipped = bytearray(decision.scores)
    flipped[2] ^= 0x40
    Decision.objects.filter(id=decision.id).update(scores=bytes(flipped))
    assert not queries.replay(decision.id).same


def test_reasons_are_sentences_in_both_languages(decided: list[Decision]) -> None:
    chosen = [d for d in decided if d.actor == "policy"]
    most = max(chosen, key=lambda d: len(reasons(d.id, "en").why))
    english, german = reasons(most.id, "en"), reasons(most.id, "de")
    assert english.action == german.action
    assert any("probability" in sentence for sentence in english.why)
    assert any("Wahrscheinlichkeit" in sentence for sentence in german.why)
    assert len(english.why) > 1
    assert not any("{" in text for found in (english, german) for text in (*found.why, *found.vetoes))
    held = next(d for d in decided if d.actor == "holdout")
    assert "comparison group" in reasons(held.id, "en").why[0]
    assert "Vergleichsgruppe" in reasons(held.id, "de").why[0]


def test_vetoes_are_told_with_the_reason_of_the_hold(journey: Journey, make_case: MakeCase) -> None:
    case = make_case(due=LATE)
    place_hold(case.id, "payment_pending", by="portal")
    runs.run(seed=1)
    found = reasons(Decision.objects.get().id, "en")
    assert found.vetoes == ("The case is on hold: payment on its way.",)
    assert found.action == ("wait",)


def test_another_creditors_decision_does_not_exist(decided: list[Decision], other_creditor: Creditor) -> None:
    with scope(other_creditor.id):
        for read in (queries.replay, lambda each: reasons(each, "en")):
            with pytest.raises(NotFoundError):
                read(decided[0].id)
        assert queries.last_decisions() == ()
        assert queries.counts().decisions == 0


def test_lift_inputs_hold_each_customers_realised_share(
    decided: list[Decision], creditor: Creditor, make_case: MakeCase, clock: VirtualClock
) -> None:
    found = queries.lift_inputs(since=LATE)
    held = {d.case_id for d in decided if d.actor == "holdout"}
    paid = set(Case.objects.filter(journals__kind="payment").values_list("id", flat=True))
    assert len(found.holdout) == len(held)
    assert len(found.policy) == 30 - len(held)
    assert found.holdout.sum() == len(paid & held)
    assert found.policy.sum() == len(paid - held) == 10 - len(paid & held)
    assert len(queries.lift_inputs().policy) == 0, "claims due before learning began do not count"


def test_part_payments_count_in_part(journey: Journey, make_case: MakeCase) -> None:
    case = make_case(due=LATE, amount=10000)
    make_case("K1", due=date(2026, 5, 1), amount=7000, claim="R-later")
    runs.run(seed=1)
    book_payment(case.id, 2500, value_date=LATE, key="p", method="transfer")
    learning.learn()
    assert queries.lift_inputs(since=LATE).policy.tolist() == [0.25]


def test_counts_and_lines_agree_with_the_decisions(decided: list[Decision]) -> None:
    found = queries.counts()
    assert found.decisions == len(decided) == sum(found.stages.values())
    assert found.waits == sum(d.channel < 0 for d in decided)
    assert found.channels == {"email": len(decided) - found.waits}
    assert sum(found.bands.values()) == sum(found.tones.values()) == len(decided) - found.waits
    lines = queries.last_decisions(5)
    assert [line.id for line in lines] == [d.id for d in reversed(decided[-5:])]
    assert all(line.stage in {"reminder_1", "reminder_2"} for line in lines)
