"""The gate as a pure function: what it takes away, and that one row is judged as a block is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.contact.facts import HOLDS, CaseFacts, CreditorRules, StageSet
from kulanz.contact.gate import check, gate
from kulanz.engine import ActionSpace
from kulanz.kernel.errors import InputError
from kulanz.law.packs import ContactLimits, load
from kulanz.law.vetoes import HoldReason, VetoCode

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAY = datetime(2026, 3, 3, 7, 0, tzinfo=BERLIN)
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
EMAIL, SMS = 0, 1


def slots(allowed: Any, space: ActionSpace, row: int = 0, channel: int = EMAIL) -> set[tuple[int, int]]:
    """(weekday, band) pairs that are open."""
    table = allowed.channel_slot[row].reshape(len(space.channels), 7, 6)[channel]
    return {(int(day), int(band)) for day, band in zip(*np.nonzero(table), strict=True)}


def first(n: int = 1) -> Any:
    return np.zeros(n, np.int16)


def test_a_case_without_obstacles_may_be_written_to_within_the_window_and_only_as_the_stage_says(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    gated = gate(make_facts(), [stage], first(), space, rules, TUESDAY)
    # 72 hours from Tuesday 7:00 end on Friday 7:00: three days with bands 8-10 .. 18-20
    assert slots(gated.allowed, space) == {(day, band) for day in (TUE, WED, THU) for band in range(6)}
    how = gated.allowed.channel_tone_offer.reshape(2, 3, 2)
    assert how[EMAIL].tolist() == [[True, False], [True, False], [False, False]]
    assert gated.allowed.wait.all()
    assert gated.vetoes == {}


def test_a_window_of_five_hours_leaves_the_bands_that_start_in_it(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    gated = gate(make_facts(), [replace(stage, window_hours=5)], first(), space, rules, TUESDAY)
    assert slots(gated.allowed, space) == {(TUE, 0), (TUE, 1), (TUE, 2)}  # 8:00, 10:00 and, just so, 12:00


def test_a_window_in_which_nothing_starts_is_not_in_the_stage(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    night = TUESDAY.replace(hour=20)
    gated = gate(make_facts(), [replace(stage, window_hours=2)], first(), space, rules, night)
    assert set(gated.vetoes) == {VetoCode.NOT_IN_STAGE}
    assert gated.allowed.wait.all()
    assert not gated.allowed.channel_slot.any()
    assert not gated.allowed.channel_tone_offer.any()


def test_a_case_in_no_stage_waits(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    gated = gate(make_facts(2), [stage], np.array([-1, 0], np.int16), space, rules, TUESDAY)
    assert gated.vetoes[VetoCode.NOT_IN_STAGE].tolist() == [True, False]
    assert gated.allowed.channel_slot.any(axis=1).tolist() == [False, True]


WHOLE_CASE: list[tuple[str, dict[str, Any], VetoCode]] = [
    ("everything was paid", {"open_amount": [0]}, VetoCode.NOTHING_OPEN),
    ("less is open than the stage pursues", {"open_amount": [99]}, VetoCode.AMOUNT_TOO_SMALL),
    ("the customer is a minor", {"minor": [True]}, VetoCode.MINOR),
    ("a message is on its way", {"pending": [True]}, VetoCode.MESSAGE_PENDING),
    ("both channels were refused", {"opted_out": [[True, True]]}, VetoCode.OPTED_OUT),
    ("both channels lack consent", {"no_consent": [[True, True]]}, VetoCode.NO_CONSENT),
    ("no address is known", {"has_point": [[False, False]]}, VetoCode.NO_CONTACT_POINT),
    ("everything bounced", {"bounced": [[True, True]]}, VetoCode.BOUNCED),
    ("two contacts in seven days", {"contacts_7d": [2]}, VetoCode.TOO_MANY),
]
HOLD_CODES = {
    HoldReason.DISPUTE: VetoCode.DISPUTED,
    HoldReason.INSOLVENCY: VetoCode.INSOLVENCY,
    HoldReason.REPRESENTED: VetoCode.REPRESENTED,
    HoldReason.DECEASED: VetoCode.DECEASED,
    HoldReason.MINOR: VetoCode.MINOR,
}
WHOLE_CASE += [
    (f"held for {reason}", {"hold": [HOLDS.index(reason)]}, HOLD_CODES.get(reason, VetoCode.ON_HOLD))
    for reason in HoldReason
]


@pytest.mark.parametrize(
    ("changes", "code"), [story[1:] for story in WHOLE_CASE], ids=[s[0] for s in WHOLE_CASE]
)
def test_nothing_is_allowed_but_waiting(
    changes: dict[str, Any],
    code: VetoCode,
    space: ActionSpace,
    stage: StageSet,
    rules: CreditorRules,
    make_facts: Any,
) -> None:
    facts = make_facts(**changes)
    gated = gate(facts, [stage], first(), space, rules, TUESDAY)
    assert not gated.allowed.channel_slot.any()
    assert gated.allowed.wait.all()
    assert {found for found, rows in gated.vetoes.items() if rows[0]} == {code}
    veto = check(one(facts, 0, EMAIL), "email", stage, rules, TUESDAY.replace(hour=10))
    assert veto is not None
    assert veto.code is code
    assert veto.sentence("de") != veto.sentence("en")
    assert veto.source


def test_a_hold_is_named_in_the_reason(stage: StageSet, rules: CreditorRules, make_facts: Any) -> None:
    held = make_facts(hold=[HOLDS.index(HoldReason.PROMISE)])
    veto = check(one(held, 0, EMAIL), "email", stage, rules, TUESDAY)
    assert veto is not None
    assert veto.sentence("de") == "Der Fall ruht: Zahlung zugesagt."
    assert veto.sentence("en") == "The case is on hold: payment promised."


def test_one_refused_channel_leaves_the_other(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    gated = gate(make_facts(opted_out=[[True, False]]), [stage], first(), space, rules, TUESDAY)
    assert slots(gated.allowed, space, channel=EMAIL) == set()
    assert slots(gated.allowed, space, channel=SMS)
    assert gated.vetoes[VetoCode.OPTED_OUT].tolist() == [True]
    assert not gated.allowed.channel_tone_offer.reshape(2, 6)[EMAIL].any()


def test_a_channel_that_is_switched_off_is_left_out(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    only_email = replace(rules, channels_on=frozenset({"email"}))
    gated = gate(make_facts(), [stage], first(), space, only_email, TUESDAY)
    assert slots(gated.allowed, space, channel=SMS) == set()
    assert set(gated.vetoes) == {VetoCode.CHANNEL_OFF}
    veto = check(one(make_facts(), 0, SMS), "sms", stage, only_email, TUESDAY.replace(hour=9))
    assert veto is not None
    assert veto.code is VetoCode.CHANNEL_OFF


def test_forty_eight_hours_after_the_last_contact_the_next_may_leave(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    monday_noon = int(datetime(2026, 3, 2, 12, 0, tzinfo=BERLIN).timestamp())
    gated = gate(make_facts(last_contact=[monday_noon]), [stage], first(), space, rules, TUESDAY)
    # Wednesday 12:00 is the first moment: bands 12-14 and later on Wednesday, all of Thursday
    assert slots(gated.allowed, space) == {(WED, band) for band in range(2, 6)} | {(THU, b) for b in range(6)}
    assert set(gated.vetoes) == {VetoCode.TOO_SOON}


def test_a_creditor_may_want_longer_pauses_but_not_shorter_ones(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    monday_noon = int(datetime(2026, 3, 2, 12, 0, tzinfo=BERLIN).timestamp())
    facts = make_facts(last_contact=[monday_noon])
    patient = replace(rules, limits=ContactLimits(hours_between=72, per_7_days=1))
    gated = gate(facts, [stage], first(), space, patient, TUESDAY)
    assert slots(gated.allowed, space) == {(THU, band) for band in range(2, 6)}
    hasty = replace(rules, limits=ContactLimits(hours_between=24))
    with pytest.raises(InputError, match="tighten"):
        gate(facts, [stage], first(), space, hasty, TUESDAY)


def test_weekends_and_holidays_are_left_out_where_the_customer_lives(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    # Thursday 2 April 2026, 21:00: Good Friday (3 April) everywhere, then Saturday 9-18 and Easter Sunday
    before_easter = datetime(2026, 4, 2, 21, 0, tzinfo=BERLIN)
    gated = gate(make_facts(), [stage], first(), space, rules, before_easter)
    assert slots(gated.allowed, space) == {(SAT, band) for band in range(1, 5)}  # 10:00 to 16:00
    assert set(gated.vetoes) == {VetoCode.PUBLIC_HOLIDAY, VetoCode.OUTSIDE_HOURS, VetoCode.SUNDAY}


def test_reformation_day_stops_brandenburg_and_not_berlin(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    friday = datetime(2025, 10, 30, 21, 0, tzinfo=BERLIN)  # 31 October 2025 is a Friday
    facts = make_facts(3, region=["DE-BB", "DE-BE", "DE"])
    gated = gate(facts, [replace(stage, window_hours=24)], first(3), space, rules, friday)
    assert [bool(slots(gated.allowed, space, row)) for row in range(3)] == [False, True, False]
    assert gated.vetoes[VetoCode.PUBLIC_HOLIDAY].tolist() == [True, False, True]


def test_the_first_band_starts_at_eight_local_time_on_both_sides_of_the_clock_change(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    # Summer time begins on Sunday 29 March 2026. From Saturday 9:00 (8:00 UTC), Monday 8:00 is 46 hours away, not 47.
    saturday = datetime(2026, 3, 28, 9, 0, tzinfo=BERLIN)
    for hours, reached in ((46, True), (45, False)):
        gated = gate(make_facts(), [replace(stage, window_hours=hours)], first(), space, rules, saturday)
        assert ((MON, 0) in slots(gated.allowed, space)) is reached
    # and it ends on Sunday 25 October 2026: 48 hours
    autumn = datetime(2026, 10, 24, 9, 0, tzinfo=BERLIN)
    for hours, reached in ((48, True), (47, False)):
        gated = gate(make_facts(), [replace(stage, window_hours=hours)], first(), space, rules, autumn)
        assert ((MON, 0) in slots(gated.allowed, space)) is reached


def test_two_cases_of_one_customer_are_never_both_contacted(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    facts = make_facts(4, customer_id=[7, 8, 7, 7], open_amount=[5_000, 100, 9_000, 9_000])
    gated = gate(facts, [stage], first(4), space, rules, TUESDAY)
    assert gated.allowed.channel_slot.any(axis=1).tolist() == [False, True, True, False]
    assert gated.vetoes[VetoCode.CUSTOMER_CONTACTED].tolist() == [True, False, False, True]


def test_a_case_that_is_held_does_not_keep_another_case_of_the_customer_back(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    hold = [HOLDS.index(HoldReason.DISPUTE), -1]
    facts = make_facts(2, customer_id=[7, 7], open_amount=[9_000, 5_000], hold=hold)
    gated = gate(facts, [stage], first(2), space, rules, TUESDAY)
    assert gated.allowed.channel_slot.any(axis=1).tolist() == [False, True]
    assert VetoCode.CUSTOMER_CONTACTED not in gated.vetoes


def test_an_overdue_case_goes_before_a_larger_one_that_is_not_due(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    notice = replace(stage, stage="pre_due", demanding=False)
    facts = make_facts(2, customer_id=[7, 7], open_amount=[9_000, 5_000])
    gated = gate(facts, [notice, stage], np.array([0, 1], np.int16), space, rules, TUESDAY)
    assert gated.allowed.channel_slot.any(axis=1).tolist() == [False, True]


def test_an_empty_block_passes(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    gated = gate(make_facts(0), [stage], first(0), space, rules, TUESDAY)
    gated.allowed.check(space)
    assert len(gated.allowed) == 0


def test_facts_of_other_channels_and_unknown_stages_are_refused(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    with pytest.raises(InputError, match="channels"):
        gate(make_facts(), [stage], first(), ActionSpace(channels=("email",)), rules, TUESDAY)
    with pytest.raises(InputError, match="stages"):
        gate(make_facts(), [stage], np.array([1], np.int16), space, rules, TUESDAY)


def test_a_stage_survives_as_data(stage: StageSet) -> None:
    data = stage.to_data()
    assert data["channels"] == ["email", "sms"]
    assert StageSet.from_data(data) == stage
    with pytest.raises(InputError, match="allowed set"):
        StageSet.from_data({"stage": "x"})


def one(facts: CaseFacts, row: int, channel: int) -> CaseFacts:
    """One case and one channel of a block, as the sending transaction reads them."""
    columns = {name: getattr(facts, name)[row : row + 1] for name in facts.__slots__}
    return CaseFacts(
        **{name: v[:, channel : channel + 1] if v.ndim == 2 else v for name, v in columns.items()}
    )


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, Any]:
    """Columns of three customers, with obstacles rare enough that most blocks leave something open."""
    n = 3
    rarely = st.sampled_from([False] * 7 + [True])

    def table(flag: st.SearchStrategy[bool]) -> Any:
        return st.lists(st.tuples(flag, flag), min_size=n, max_size=n)

    def column(values: st.SearchStrategy[Any]) -> Any:
        return st.lists(values, min_size=n, max_size=n)

    hours_ago = draw(column(st.sampled_from([None, 0, 1, 24, 47, 48, 49, 100, 400])))
    return {
        "open_amount": draw(column(st.sampled_from([0, 1, 99, 100, 101, 10_000]))),
        "minor": draw(column(rarely)),
        "has_point": draw(table(st.sampled_from([True] * 5 + [False]))),
        "bounced": draw(table(rarely)),
        "opted_out": draw(table(rarely)),
        "no_consent": draw(table(rarely)),
        "hold": draw(column(st.sampled_from([-1] * 12 + list(range(len(HOLDS)))))),
        "last_contact": [
            0 if h is None else int((TUESDAY - timedelta(hours=h)).timestamp()) for h in hours_ago
        ],
        "contacts_7d": draw(column(st.sampled_from([0, 0, 1, 1, 2, 3]))),
        "pending": draw(column(rarely)),
        "region": draw(column(st.sampled_from(["DE-BE", "DE-BY", "DE", "AT", None]))),
    }


@settings(max_examples=60, deadline=None)
@given(
    columns=blocks(),
    day=st.integers(0, 400),
    hour=st.integers(0, 23),
    window=st.sampled_from([1, 24, 72, 200]),
    index=st.lists(st.integers(-1, 1), min_size=3, max_size=3),
)
def test_one_row_is_judged_as_the_block_was(
    columns: dict[str, Any],
    day: int,
    hour: int,
    window: int,
    index: list[int],
    space: ActionSpace,
    stage: StageSet,
    make_facts: Any,
) -> None:
    """For every case, channel and slot: what the gate opens may be sent when the slot starts, and nothing else may."""
    at = (TUESDAY + timedelta(days=day)).replace(hour=hour)
    rules = CreditorRules(load("DE"), "Europe/Berlin", ContactLimits(), frozenset({"email"}))
    both = replace(rules, channels_on=frozenset({"email", "sms"}))
    rules = both if window == 24 else rules
    stages = [
        replace(stage, window_hours=window),
        StageSet("notice", False, ("email",), ("friendly",), ("none",), window, 0),
    ]
    facts = make_facts(3, **columns)
    gated = gate(facts, stages, np.array(index, np.int16), space, rules, at)
    gated.allowed.check(space)
    opened = gated.allowed.channel_slot.reshape(3, 2, 42)
    for row, position in enumerate(index):
        if position == -1:
            assert not opened[row].any()
            continue
        for channel, name in enumerate(space.channels):
            single = one(facts, row, channel)
            for slot, start in slot_instants(at).items():
                veto = check(single, name, stages[position], rules, start)
                in_window = start <= at + timedelta(hours=window)
                assert opened[row, channel, slot] == (veto is None and in_window), (row, name, start, veto)
                if veto is not None and in_window and name in stages[position].channels:
                    assert gated.vetoes[veto.code][row], (row, name, start, veto)


def slot_instants(at: datetime) -> dict[int, datetime]:
    """Next start of each slot in UTC, written out by calendar days."""
    found: dict[int, datetime] = {}
    for ahead in range(8):
        day = (at + timedelta(days=ahead)).date()
        for band in range(6):
            local = datetime(day.year, day.month, day.day, 8 + 2 * band, tzinfo=BERLIN)
            start = local.astimezone(UTC)
            if start > at:
                found.setdefault(day.weekday() * 6 + band, start)
    return found


def test_a_demand_waits_for_the_hour_at_which_a_case_comes_back(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    back = int((TUESDAY + timedelta(hours=24)).timestamp())
    gated = gate(make_facts(returns_at=[back]), [stage], first(), space, rules, TUESDAY)
    assert slots(gated.allowed, space) == {(day, band) for day in (WED, THU) for band in range(6)}
    assert set(gated.vetoes) == {VetoCode.RETURNING}
    polite = gate(
        make_facts(returns_at=[back]), [replace(stage, demanding=False)], first(), space, rules, TUESDAY
    )
    assert (TUE, 0) in slots(polite.allowed, space)
    assert check(make_facts(returns_at=[back]), "email", stage, rules, TUESDAY).code is VetoCode.RETURNING
    later = TUESDAY + timedelta(hours=25)
    assert check(make_facts(returns_at=[back]), "email", stage, rules, later) is None


def test_time_barred_claims_get_no_demand_and_a_polite_word_only_where_the_creditor_wants_it(
    space: ActionSpace, stage: StageSet, rules: CreditorRules, make_facts: Any
) -> None:
    barred, quiet = make_facts(barred=[True]), replace(stage, demanding=False)
    polite = replace(rules, polite_when_barred=True)
    for asked, under, code in (
        (stage, rules, VetoCode.TIME_BARRED),
        (quiet, rules, VetoCode.TIME_BARRED),
        (stage, polite, VetoCode.TIME_BARRED),
        (quiet, polite, None),
    ):
        gated = gate(barred, [asked], first(), space, under, TUESDAY)
        assert set(gated.vetoes) == ({code} if code else set())
        assert gated.allowed.channel_slot.any() == (code is None)


US = CreditorRules(load("US"), "America/New_York", ContactLimits(), frozenset({"email", "call"}))
PHONE = ActionSpace(channels=("email", "call"), tones=("friendly",), offers=("none",))


def test_calls_end_with_seven_in_seven_days_and_after_a_talk(stage: StageSet, make_facts: Any) -> None:
    asks = replace(stage, channels=("email", "call"))
    at = datetime(2026, 3, 3, 7, tzinfo=ZoneInfo("America/New_York"))
    talked = int((at - timedelta(days=5)).timestamp())
    for changes, calls in (({"calls_7d": [6]}, True), ({"calls_7d": [7]}, False), ({}, True)):
        gated = gate(make_facts(region=[None], **changes), [asks], first(), PHONE, US, at)
        assert bool(slots(gated.allowed, PHONE, channel=1)) is calls
        assert slots(gated.allowed, PHONE, channel=0)
        assert (VetoCode.CALLED_ENOUGH in gated.vetoes) is not calls
        veto = check(
            replace(make_facts(region=[None], **changes), **_one_channel()),
            "call",
            asks,
            US,
            at.replace(hour=9),
        )
        assert (veto is None) is calls
    gated = gate(make_facts(region=[None], last_talk=[talked]), [asks], first(), PHONE, US, at)
    assert slots(gated.allowed, PHONE, channel=1) == {
        (day, band) for day, band in slots(gated.allowed, PHONE) if day == THU
    }


def _one_channel() -> dict[str, Any]:
    return {
        name: np.array([[name == "has_point"]])
        for name in ("has_point", "bounced", "opted_out", "no_consent")
    }


def test_an_offer_outside_the_creditors_limits_is_cut_for_its_case_alone(
    space, stage, rules, make_facts
) -> None:
    both = replace(stage, offers=("none", "later"))
    found = gate(
        make_facts(2),
        [both],
        np.zeros(2, np.int16),
        space,
        rules,
        TUESDAY,
        np.array([[True, True], [True, False]]),
    )
    table = found.allowed.channel_tone_offer.reshape(2, 2, 3, 2)
    assert table[0, :, :2].all()
    assert table[1, :, :2, 0].all()
    assert not table[1, :, :, 1].any()
    assert {code: rows.tolist() for code, rows in found.vetoes.items()}["offer_limits"] == [False, True]


def test_a_case_that_loses_its_only_offer_is_not_written_to(space, stage, rules, make_facts) -> None:
    only_later = replace(stage, offers=("later",))
    offers = np.array([[True, True], [True, False]])
    found = gate(make_facts(2), [only_later], np.zeros(2, np.int16), space, rules, TUESDAY, offers)
    assert found.allowed.channel_slot.any(axis=1).tolist() == [True, False]
    assert found.vetoes["offer_limits"].tolist() == [False, True]
