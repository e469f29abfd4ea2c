"""Stories of runs: who gets which message, who decides, and what is never done."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from kulanz.claims.actions import book_payment
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Case, Customer
from kulanz.contact.profiling import object_to_profiling, take_objection_back
from kulanz.events.models import Event
from kulanz.kernel.clock import VirtualClock
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.outreach.models import Message
from kulanz.payments.models import PaymentLink
from kulanz.strategy import journeys, learning, runs
from kulanz.strategy.models import Decision, Journey, Run
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

MakeCase = Callable[..., Case]
Deliver = Callable[[], list[Message]]
Wait = Callable[[float], None]
TODAY = date(2026, 3, 3)


def overdue(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_a_run_needs_a_journey_and_an_instant(creditor: Creditor) -> None:
    with pytest.raises(NotFoundError, match="install one"):
        runs.run(seed=1)
    journeys.install(creditor, "standard")
    with pytest.raises(InputError, match="time zone"):
        runs.run(datetime(2026, 3, 3, 9), seed=1)  # noqa: DTZ001 - what is refused


def test_without_a_policy_the_ladder_writes_at_the_stages_own_hour(
    journey: Journey, make_case: MakeCase
) -> None:
    case = make_case(due=overdue(6))
    result = runs.run(seed=1)
    assert (result.cases, result.messages, result.actors["ladder"]) == (1, 1, 1)
    message = Message.objects.get()
    assert (message.case_id, message.stage, message.tone, message.offer) == (
        case.id,
        "reminder_1",
        "friendly",
        "none",
    )
    assert message.not_before == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert message.expires_at == datetime(2026, 3, 3, 11, tzinfo=UTC)
    decision = Decision.objects.get()
    assert message.decision_id == decision.id
    assert (decision.actor, decision.propensity, decision.score) == ("ladder", 1.0, None)
    assert decision.matures_at == datetime(2026, 3, 7, 9, tzinfo=UTC)
    assert PaymentLink.objects.get().id == message.link_id


def test_a_case_before_its_first_stage_is_left_alone(journey: Journey, make_case: MakeCase) -> None:
    make_case(due=TODAY + timedelta(days=4))
    assert runs.run(seed=1).cases == 0
    assert not Decision.objects.exists()


def test_one_customer_walks_the_whole_ladder_to_the_hand_over(
    journey: Journey, make_case: MakeCase, deliver: Deliver, clock: VirtualClock
) -> None:
    make_case(due=date(2026, 3, 6))
    sent = []
    for _ in range(75):
        runs.run(seed=1)
        sent += [(m.stage, (m.sent_at.date() - date(2026, 3, 6)).days) for m in deliver() if m.sent_at]
        clock.advance_to(max(clock.at, clock.at.replace(hour=5)) + timedelta(days=1))
        clock.at = clock.at.replace(hour=5)
    assert [stage for stage, _ in sent] == [
        "pre_due",
        "due_day",
        "reminder_1",
        "reminder_2",
        "dunning_1",
        "dunning_2",
        "final_notice",
    ]
    earliest = [-3, 0, 5, 12, 21, 31, 42]
    assert all(first <= day <= first + 4 for (_, day), first in zip(sent, earliest, strict=True))
    assert Event.objects.filter(type="handover.due").count() == 1
    assert Decision.objects.filter(stage="hand_over").count() == 1


def test_a_case_is_decided_again_only_after_its_outcome_was_awaited(
    journey: Journey, make_case: MakeCase, wait_days: Wait
) -> None:
    make_case(due=overdue(6), email=None)
    first = runs.run(seed=1)
    assert (first.cases, first.messages, first.vetoes) == (1, 0, {"no_contact_point": 1})
    wait_days(3.9)
    assert runs.run(seed=2).cases == 0
    wait_days(0.2)
    assert runs.run(seed=3).cases == 1
    waits = Decision.objects.order_by("id")
    assert [d.matures_at - d.run.at for d in waits] == [timedelta(days=4)] * 2


def test_a_stage_writes_once(
    journey: Journey, make_case: MakeCase, deliver: Deliver, wait_days: Wait
) -> None:
    make_case(due=overdue(5))
    runs.run(seed=1)
    deliver()
    wait_days(5)
    assert runs.run(seed=2).cases == 0


def test_a_stopped_message_does_not_count_as_the_stages_contact(
    journey: Journey, make_case: MakeCase, wait_days: Wait
) -> None:
    make_case(due=overdue(5))
    runs.run(seed=1)
    Message.objects.update(state="stopped")
    wait_days(5)
    assert runs.run(seed=2).messages == 1


def test_a_legal_step_that_was_not_delivered_is_not_skipped(
    journey: Journey, make_case: MakeCase, deliver: Deliver, wait_days: Wait
) -> None:
    make_case(due=overdue(40))
    stages = []
    for seed in range(3):
        runs.run(seed=seed)
        stages += [message.stage for message in deliver()]
        wait_days(8)
    assert stages == ["reminder_2", "dunning_1", "dunning_2"]


def test_a_paid_case_is_not_decided(journey: Journey, make_case: MakeCase) -> None:
    case = make_case(due=overdue(6), amount=5000)
    book_payment(case.id, 5000, value_date=TODAY, key="p1", method="transfer")
    assert runs.run(seed=1).cases == 0


def test_a_disputed_case_waits_and_says_why(journey: Journey, make_case: MakeCase) -> None:
    case = make_case(due=overdue(6))
    place_hold(case.id, "dispute", by="customer")
    result = runs.run(seed=1)
    assert (result.cases, result.messages) == (1, 0)
    assert "disputed" in Decision.objects.get().vetoes.split(",")


def test_a_held_case_is_not_handed_over(
    journey: Journey, make_case: MakeCase, deliver: Deliver, clock: VirtualClock, wait_days: Wait
) -> None:
    case = make_case(due=overdue(12))
    for seed in range(4):
        runs.run(seed=seed)
        deliver()
        wait_days(14)
    hold = place_hold(case.id, "hardship", by="customer", until=clock.at + timedelta(days=2))
    runs.run(seed=9)
    assert hold.reason == "hardship"
    assert not Event.objects.filter(type="handover.due").exists()
    wait_days(3)
    assert runs.run(seed=10).handed_over == 1


def test_two_cases_of_one_customer_give_one_demand(
    journey: Journey, make_case: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_case("K1", due=overdue(6), amount=2000)
    larger = make_case("K1", due=overdue(6), amount=9000, currency="CHF", claim="R-2")
    result = runs.run(seed=1)
    assert (result.cases, result.messages) == (2, 1)
    assert Message.objects.get().case_id == larger.id
    assert result.vetoes["customer_contacted"] == 1


@pytest.mark.parametrize("dry_run", [False, True])
def test_two_cases_of_one_customer_in_different_blocks_give_one_demand(
    journey: Journey, make_case: MakeCase, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    monkeypatch.setattr(runs, "BLOCK", 1)
    make_case("K1", due=overdue(6))
    make_case("K1", due=overdue(6), currency="CHF", claim="R-2")
    result = runs.run(seed=1, dry_run=dry_run)
    assert (result.cases, result.messages, result.vetoes) == (2, 1, {"message_pending": 1})


def test_the_size_of_blocks_changes_no_decision(
    journey: Journey, make_case: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(7):
        make_case(f"K{at}", due=overdue(6 + at))
    learning.learn()
    whole = runs.run(seed=5, dry_run=True)
    monkeypatch.setattr(runs, "BLOCK", 2)
    blocks = runs.run(seed=5, dry_run=True)
    assert (blocks.cases, blocks.messages, blocks.actors) == (whole.cases, whole.messages, whole.actors)


def test_a_dry_run_computes_the_same_and_stores_nothing(journey: Journey, make_case: MakeCase) -> None:
    for at in range(20):
        make_case(f"K{at}", due=overdue(6))
    learning.learn()
    before = Event.objects.count()
    dry = runs.run(seed=7, dry_run=True)
    assert dry.run_id is None
    stored = [model.objects.count() for model in (Run, Decision, Message, PaymentLink)]
    assert stored == [0, 0, 0, 0]
    assert Event.objects.count() == before
    real = runs.run(seed=7)
    assert (dry.cases, dry.messages, dry.vetoes) == (real.cases, real.messages, real.vetoes)


def test_at_most_limit_cases_are_decided(journey: Journey, make_case: MakeCase) -> None:
    for at in range(5):
        make_case(f"K{at}", due=overdue(6))
    assert runs.run(seed=1, limit=2).cases == 2
    assert runs.run(seed=1).cases == 3


def test_a_broken_off_run_is_taken_up_where_it_stopped(
    journey: Journey, make_case: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BLOCK", 2)
    for at in range(5):
        make_case(f"K{at}", due=overdue(6))
    write = runs.writing.write_decisions

    def breaks_in_the_third_block(*args: Any) -> Any:
        if Decision.objects.count() == 4:
            raise ConnectionError
        return write(*args)

    monkeypatch.setattr(runs.writing, "write_decisions", breaks_in_the_third_block)
    with pytest.raises(ConnectionError):
        runs.run(seed=1)
    assert Run.objects.get().cases == Decision.objects.count() == Message.objects.count() == 4
    monkeypatch.setattr(runs.writing, "write_decisions", write)
    assert runs.run(seed=1).cases == 1


def test_the_holdout_stays_on_the_ladder_for_ever(
    creditor: Creditor, journey: Journey, make_case: MakeCase, wait_days: Wait
) -> None:
    creditor.holdout_share = 0.4
    creditor.save()
    for at in range(60):
        make_case(f"K{at}", due=overdue(12))
    learning.learn()
    chosen = []
    for seed in range(3):
        runs.run(seed=seed)
        rows = Decision.objects.filter(run__seed=seed)
        chosen.append({d.case.customer_id for d in rows.select_related("case") if d.actor == "holdout"})
        Message.objects.update(state="stopped")
        wait_days(8)
    assert 12 < len(chosen[0]) < 36
    assert chosen[0] == chosen[1] == chosen[2]
    held = Decision.objects.filter(actor="holdout")
    assert {(d.channel, d.slot % 6, d.propensity, bytes(d.scores)) for d in held} == {(0, 1, 1.0, b"")}
    slots = {d.slot for d in Decision.objects.filter(actor="policy")}
    assert len(slots) > 8


def test_who_objected_to_profiling_gets_the_ladder_and_leaves_no_features(
    creditor: Creditor, journey: Journey, make_case: MakeCase
) -> None:
    creditor.holdout_share = 1.0
    creditor.save()
    make_case("K1", due=overdue(6))
    Customer.objects.update(ladder_only=True)
    learning.learn()
    runs.run(seed=1)
    decision = Decision.objects.get()
    assert (decision.actor, bytes(decision.features), bytes(decision.scores)) == ("ladder", b"", b"")


def test_the_policy_keeps_within_the_stage_and_may_wait(
    journey: Journey, make_case: MakeCase, clock: VirtualClock
) -> None:
    days = {"pre_due": -2, "due_day": 1, "reminder_1": 6, "reminder_2": 13}
    for stage, late in days.items():
        for at in range(40):
            make_case(f"{stage}{at}", due=overdue(late))
    learning.learn()
    result = runs.run(seed=3)
    spec = journeys.spec_of(journey)
    assert result.actors["policy"] == 160
    messages = list(Message.objects.all())
    assert len(messages) == result.messages
    assert 40 < result.messages < 160
    for message in messages:
        stage = spec.stage(message.stage)
        assert message.tone in stage.tones
        assert message.offer in stage.offers
        assert clock.at < message.not_before <= clock.at + timedelta(hours=stage.window_hours)
        assert message.not_before.astimezone().weekday() != 6
    assert {m.tone for m in messages if m.stage == "reminder_2"} == {"friendly", "factual", "firm"}
    assert {m.tone for m in messages if m.stage == "pre_due"} == {"friendly"}
    chances = np.array(Decision.objects.values_list("propensity", flat=True))
    assert ((chances > 0) & (chances < 1)).all()


def test_other_creditors_cases_stay_out_of_the_run(
    journey: Journey, other_creditor: Creditor, make_case: MakeCase
) -> None:
    mine = make_case("K1", due=overdue(6))
    with scope(other_creditor.id):
        journeys.install(other_creditor, "vexcash")
        make_case("K1", due=overdue(6))
    make_case("K2", due=overdue(6))
    runs.run(seed=1)
    assert {d.case_id for d in Decision.objects.all()} == {
        mine.id,
        Case.objects.get(customer__number="K2").id,
    }
    with scope(other_creditor.id):
        assert not Decision.objects.exists()


def test_an_unchanged_journey_keeps_its_version_and_only_one_is_active(creditor: Creditor) -> None:
    first = journeys.install(creditor, "standard")
    assert journeys.install(creditor, "standard").id == first.id
    journeys.install(creditor, "vexcash")
    assert journeys.active().slug == "vexcash"
    assert journeys.install(creditor, "standard").id == first.id
    assert Journey.objects.filter(active=True).count() == 1


def test_an_objection_stops_what_the_policy_chose_and_only_that(
    journey: Journey, make_case: MakeCase, wait_days: Wait
) -> None:
    for at in range(20):
        make_case(f"K{at}", due=overdue(6))
    make_case("L1", due=overdue(6))
    Customer.objects.filter(number="L1").update(ladder_only=True)
    learning.learn()
    runs.run(seed=1)
    queued = list(Message.objects.exclude(customer__number="L1"))
    mine, others = queued[0], queued[1:]
    ladders = Message.objects.get(customer__number="L1")
    assert object_to_profiling(mine.customer_id, proof="preferences page")
    assert not object_to_profiling(mine.customer_id, proof="preferences page")
    object_to_profiling(ladders.customer_id, proof="preferences page")
    mine.refresh_from_db()
    assert (mine.state, mine.outcome) == ("stopped", "objected_to_profiling")
    assert Event.objects.filter(type="message.stopped", subject_id=mine.id).count() == 1
    still = {ladders.id, *(message.id for message in others)}
    assert set(Message.objects.filter(state="queued").values_list("id", flat=True)) == still
    Message.objects.filter(state="queued").update(state="stopped")
    wait_days(8)
    runs.run(seed=2)
    again = Decision.objects.filter(run__seed=2, case__customer_id=mine.customer_id).get()
    assert (again.actor, bytes(again.features)) == ("ladder", b"")
    assert take_objection_back(mine.customer_id, proof="preferences page")
    assert not take_objection_back(mine.customer_id, proof="preferences page")
    Message.objects.filter(state="queued").update(state="stopped")
    wait_days(8)
    runs.run(seed=3)
    assert Decision.objects.get(run__seed=3, case_id=again.case_id).actor == "policy"
