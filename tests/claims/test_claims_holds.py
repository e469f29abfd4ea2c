"""Holds: what each reason stops, from when, until when, by whom, and that none is doubled."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.claims.holds import Ended, expired, lift_hold, place_hold, stops
from kulanz.claims.models import Case, Hold
from kulanz.claims.queries import active_holds
from kulanz.events.models import Event
from kulanz.kernel.clock import VirtualClock
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.law.holds import REACHES_BACK, HoldEffects, effects_of
from kulanz.law.vetoes import HoldReason
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

NOW = datetime(2026, 3, 3, 8, tzinfo=UTC)
ALL = (True, True, True)
WAITING = (True, False, True)
STOPS = {
    "dispute": WAITING,
    "hardship": ALL,
    "insolvency": ALL,
    "represented": WAITING,
    "deceased": ALL,
    "minor": ALL,
    "moratorium": ALL,
    "vulnerable": ALL,
    "question": WAITING,
    "promise": WAITING,
    "plan": WAITING,
    "payment_pending": WAITING,
    "manual": WAITING,
}
"""Contact, interest, fees."""


@pytest.fixture
def case(creditor: Creditor, make_case: Callable[..., Case]) -> Case:
    return make_case()


def flags(hold: Hold) -> tuple[bool, bool, bool]:
    return hold.stops_contact, hold.stops_interest, hold.stops_fees


def test_what_each_reason_stops_is_decided_for_all_of_them() -> None:
    assert set(STOPS) == set(Hold.Reason.values) == {reason.value for reason in HoldReason}
    found = {reason: effects_of(reason) for reason in STOPS}
    assert {r: (e.contact, e.interest, e.fees) for r, e in found.items()} == STOPS
    assert all(effects.source for effects in found.values())
    assert not effects_of("insolvency").verified
    assert effects_of("moratorium").verified


@pytest.mark.parametrize("reason", sorted(STOPS))
def test_a_hold_is_stored_with_what_it_stops(case: Case, reason: str) -> None:
    hold = Hold.objects.get(id=place_hold(case.id, reason, by="agent:1").id)
    assert flags(hold) == STOPS[reason]
    assert stops(hold) == HoldEffects(*STOPS[reason])
    assert (hold.from_at, hold.until_at, hold.lifted_at, hold.placed_by) == (NOW, None, None, "agent:1")


def test_the_creditor_may_stop_something_else(case: Case) -> None:
    hold = place_hold(case.id, "manual", by="agent:1", effects=HoldEffects(False, True, False))
    assert flags(hold) == (False, True, False)


def test_a_longer_hold_of_the_same_reason_stops_what_either_stopped(case: Case) -> None:
    week, fortnight = NOW + timedelta(days=7), NOW + timedelta(days=14)
    first = place_hold(case.id, "promise", by="customer", until=fortnight, note="a")
    again = place_hold(
        case.id, "promise", by="agent:2", until=week, effects=HoldEffects(False, True, False), note="b"
    )
    assert (again.id, flags(again), again.until_at) == (first.id, ALL, fortnight)
    assert (again.placed_by, again.note) == ("agent:2", "a\nb")
    assert place_hold(case.id, "promise", by="agent:2").until_at is None
    assert place_hold(case.id, "promise", by="agent:2", until=week).until_at is None


@pytest.mark.parametrize("reason", sorted(STOPS))
def test_only_what_the_law_dates_back_reaches_back(case: Case, reason: str) -> None:
    begins = NOW - timedelta(days=20)
    if reason in REACHES_BACK:
        assert place_hold(case.id, reason, by="agent:1", from_at=begins).from_at == begins
    else:
        with pytest.raises(InputError, match="begins now"):
            place_hold(case.id, reason, by="agent:1", from_at=begins)


def test_what_reaches_back_is_the_moratorium_the_insolvency_and_the_death() -> None:
    assert {"moratorium", "insolvency", "deceased"} == REACHES_BACK


def test_a_hold_that_reaches_back_moves_the_one_there_is(case: Case) -> None:
    first = place_hold(case.id, "moratorium", by="agent:1")
    earlier = NOW - timedelta(days=20)
    again = place_hold(case.id, "moratorium", by="agent:1", from_at=earlier)
    assert (again.id, again.from_at) == (first.id, earlier)
    later = place_hold(case.id, "moratorium", by="agent:1", from_at=NOW - timedelta(days=3))
    assert later.from_at == earlier


def test_a_moratorium_may_be_over_when_it_becomes_known(case: Case) -> None:
    begins, ends = NOW - timedelta(days=70), NOW - timedelta(days=10)
    place_hold(case.id, "moratorium", by="agent:1", from_at=begins, until=ends)
    assert active_holds(case.id) == ()
    with pytest.raises(InputError, match="after it began"):
        place_hold(case.id, "moratorium", by="agent:1", from_at=begins, until=begins)


@pytest.mark.parametrize(
    ("reason", "times", "told"),
    [
        ("tired", {}, "not a reason"),
        ("dispute", {"until": NOW}, "end in the future"),
        ("dispute", {"until": NOW - timedelta(days=1)}, "end in the future"),
        ("moratorium", {"from_at": NOW + timedelta(seconds=1)}, "begins now"),
    ],
)
def test_what_makes_no_sense_is_refused(
    case: Case, reason: str, times: dict[str, datetime], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        place_hold(case.id, reason, by="customer", **times)
    assert not Hold.objects.exists()


def test_who_lifted_it_is_kept_once(case: Case, clock: VirtualClock) -> None:
    hold = place_hold(case.id, "dispute", by="customer")
    clock.advance(timedelta(hours=5))
    lift_hold(hold.id, by="agent:7")
    clock.advance(timedelta(hours=5))
    lift_hold(hold.id, by="agent:8")
    found = Hold.objects.get(id=hold.id)
    assert (found.lifted_by, found.lifted_at) == ("agent:7", NOW + timedelta(hours=5))
    told = list(Event.objects.filter(type__startswith="hold.").values_list("type", "subject_id", "payload"))
    assert told == [
        ("hold.placed", case.id, {"hold": hold.id, "reason": "dispute", "by": "customer"}),
        ("hold.lifted", case.id, {"hold": hold.id, "reason": "dispute", "by": "agent"}),
    ]


def test_after_one_was_lifted_the_next_is_another(case: Case) -> None:
    first = place_hold(case.id, "dispute", by="customer")
    lift_hold(first.id, by="agent:7")
    assert place_hold(case.id, "dispute", by="customer").id != first.id


def test_two_reasons_are_two_holds(case: Case) -> None:
    place_hold(case.id, "dispute", by="customer")
    place_hold(case.id, "promise", by="customer", until=NOW + timedelta(days=3))
    assert [hold.reason for hold in active_holds(case.id)] == ["dispute", "promise"]


class TestEnded:
    def test_holds_end_by_time_or_by_hand(
        self, case: Case, make_case: Callable[..., Case], clock: VirtualClock
    ) -> None:
        other = make_case("K2")
        promise = place_hold(case.id, "promise", by="customer", until=NOW + timedelta(days=3))
        dispute = place_hold(other.id, "dispute", by="customer", until=NOW + timedelta(days=9))
        place_hold(other.id, "manual", by="agent:1")
        clock.advance(timedelta(days=2))
        lift_hold(dispute.id, by="agent:1")
        found = expired(NOW, NOW + timedelta(days=3))
        assert found == [
            Ended(dispute.id, other.id, "dispute", NOW + timedelta(days=2), lifted=True),
            Ended(promise.id, case.id, "promise", NOW + timedelta(days=3), lifted=False),
        ]

    def test_each_end_lies_in_one_window(self, case: Case) -> None:
        ends = NOW + timedelta(days=3)
        place_hold(case.id, "promise", by="customer", until=ends)
        assert expired(NOW, ends - timedelta(seconds=1)) == []
        assert len(expired(ends - timedelta(seconds=1), ends)) == 1
        assert expired(ends, ends + timedelta(days=1)) == []

    def test_what_had_run_out_is_not_ended_again(self, case: Case, clock: VirtualClock) -> None:
        hold = place_hold(case.id, "promise", by="customer", until=NOW + timedelta(days=1))
        clock.advance(timedelta(days=2))
        lift_hold(hold.id, by="agent:1")
        assert expired(NOW, NOW + timedelta(days=3)) == [
            Ended(hold.id, case.id, "promise", NOW + timedelta(days=1), lifted=False)
        ]


def test_another_creditors_hold_does_not_exist(case: Case, other_creditor: Creditor) -> None:
    hold = place_hold(case.id, "dispute", by="customer")
    with scope(other_creditor.id):
        with pytest.raises(NotFoundError):
            lift_hold(hold.id, by="agent:1")
        with pytest.raises(NotFoundError):
            place_hold(case.id, "dispute", by="customer")
        assert expired(NOW, NOW + timedelta(days=30)) == []
