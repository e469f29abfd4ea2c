"""In which stage a case is, and what the plain ladder does there."""

import numpy as np
import pytest

from kulanz.engine import WAIT, Allowed
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.strategy import journeys, rules
from kulanz.strategy.journeys import Default, JourneySpec, Stage

HOUR = 3600


def stages_of(spec: JourneySpec, rows: list[tuple[int, int, tuple[str, ...]]]) -> list[str]:
    """Rows: days past due, contacts delivered since, stages among them."""
    days, contacts, sent = zip(*rows, strict=True)
    delivered = np.array([[name in names for name in spec.names] for names in sent])
    found = rules.stage_of(spec.stages, np.array(days), np.array(contacts), delivered)
    return [spec.names[at] if at >= 0 else "-" for at in found.tolist()]


def test_days_past_due_lead_through_the_standard_journey(standard: JourneySpec) -> None:
    all_legal = ("dunning_1", "dunning_2", "final_notice")
    days = [-4, -3, -1, 0, 4, 5, 11, 12, 20, 21, 30, 31, 41, 42, 55, 56, 400]
    expected = ["-", "pre_due", "pre_due", "due_day", "due_day", "reminder_1", "reminder_1", "reminder_2"]
    expected += [
        "reminder_2",
        "dunning_1",
        "dunning_1",
        "dunning_2",
        "dunning_2",
        "final_notice",
        "final_notice",
    ]
    expected += ["hand_over", "hand_over"]
    assert stages_of(standard, [(day, 6, all_legal) for day in days]) == expected


def test_an_undelivered_legal_step_holds_the_case_however_late_it_is(standard: JourneySpec) -> None:
    assert stages_of(
        standard,
        [
            (90, 0, ()),
            (90, 5, ()),
            (90, 5, ("dunning_1",)),
            (90, 5, ("dunning_2", "final_notice")),
            (90, 5, ("dunning_1", "dunning_2")),
            (90, 5, ("dunning_1", "dunning_2", "final_notice")),
            (90, 3, ("dunning_1", "dunning_2", "final_notice")),
        ],
    ) == ["reminder_2", "dunning_1", "dunning_2", "dunning_1", "final_notice", "hand_over", "final_notice"]


def test_vexcash_has_four_digital_steps_and_two_dunning_levels() -> None:
    spec = journeys.built_in("vexcash", ("email", "sms", "letter"))
    assert [stage.name for stage in spec.stages if stage.legal_step] == ["dunning_1", "dunning_2"]
    digital = [stage for stage in spec.stages if not stage.legal_step and not stage.hand_over]
    assert len(digital) == 4
    assert all("letter" not in stage.channels for stage in digital)
    assert spec.space.channels == ("email", "sms", "letter")


def test_a_journey_keeps_to_the_channels_that_are_on(standard: JourneySpec) -> None:
    assert standard.space.channels == ("email", "letter")
    assert standard.space.channel_costs == (1, 95)
    assert standard.space.tones == ("friendly", "factual", "firm")
    with pytest.raises(InputError, match="switch one on"):
        journeys.built_in("standard", ("fax",))
    with pytest.raises(NotFoundError, match="standard, vexcash"):
        journeys.built_in("harsh", ("email",))


def test_a_journey_survives_the_way_through_the_database(standard: JourneySpec) -> None:
    assert JourneySpec.from_data("standard", standard.to_data()) == standard


def test_broken_stages_are_refused() -> None:
    default = Default("email", "10-12", "firm", "none")
    with pytest.raises(InputError, match="not among what the stage allows"):
        Stage("x", 1, channels=("email",), tones=("friendly",), offers=("none",), ladder=default)
    with pytest.raises(InputError, match="1 to 72"):
        Stage("x", 1, hand_over=True, window_hours=96)
    with pytest.raises(InputError, match="ladder default"):
        Stage("x", 1)


class TestPlainLadder:
    """reminder_1's default: e-mail, 10-12, friendly, no offer. Slot = weekday * 6 + band; band 1 is 10-12."""

    @pytest.fixture
    def slots(self, standard: JourneySpec) -> rules.LadderSlots:
        """As on a Sunday at midnight: slot k begins after its weekday and its band's hours."""
        starts = [day * 24 * HOUR + (8 + 2 * band) * HOUR for day in range(7) for band in range(6)]
        return rules.LadderSlots(standard.space, np.array(starts, dtype=np.int64))

    def decide(self, spec: JourneySpec, slots: rules.LadderSlots, allowed: Allowed) -> list[list[int]]:
        stage = np.full(len(allowed), spec.names.index("reminder_1"), dtype=np.int16)
        return rules.ladder_actions(spec.stages, stage, allowed, slots).tolist()

    def test_takes_the_earliest_day_of_the_default_band(
        self, standard: JourneySpec, slots: rules.LadderSlots
    ) -> None:
        allowed = Allowed.everything(standard.space, 2)
        allowed.channel_slot[1, :6] = False
        assert self.decide(standard, slots, allowed) == [[0, 1, 0, 0], [0, 7, 0, 0]]

    def test_takes_another_band_only_where_its_own_is_closed(
        self, standard: JourneySpec, slots: rules.LadderSlots
    ) -> None:
        allowed = Allowed.everything(standard.space, 1)
        allowed.channel_slot[:, np.arange(84) % 6 == 1] = False
        allowed.channel_slot[:, 0] = False
        assert self.decide(standard, slots, allowed) == [[0, 2, 0, 0]]

    def test_waits_rather_than_change_tone_channel_beyond_the_stage_or_law(
        self, standard: JourneySpec, slots: rules.LadderSlots
    ) -> None:
        no_email = Allowed.everything(standard.space, 1)
        no_email.channel_slot[:, :42] = False
        no_tone = Allowed.everything(standard.space, 1)
        no_tone.channel_tone_offer[:, 0] = False
        wait = [WAIT] * 4
        assert self.decide(standard, slots, no_email) == [wait]
        assert self.decide(standard, slots, no_tone) == [wait]

    def test_a_formal_step_goes_by_letter_where_mail_is_closed(
        self, standard: JourneySpec, slots: rules.LadderSlots
    ) -> None:
        allowed = Allowed.everything(standard.space, 1)
        allowed.channel_slot[:, :42] = False
        stage = np.array([standard.names.index("dunning_1")], dtype=np.int16)
        assert rules.ladder_actions(standard.stages, stage, allowed, slots).tolist() == [[1, 1, 1, 0]]
