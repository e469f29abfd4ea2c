"""Contact hours, Sundays and holidays. Days of 2026 are checked against a printed calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.kernel.errors import InputError
from kulanz.law.contact import may_send, region_of_postal_code, slot_hours_ok, slot_starts
from kulanz.law.packs import NoRate, load
from kulanz.law.regions import is_public_holiday
from kulanz.law.vetoes import VetoCode

BANDS = ((8, 10), (10, 12), (12, 14), (14, 16), (16, 18), (18, 20))
BERLIN = "Europe/Berlin"
STATES = ("BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH")
INSTANTS = st.integers(1_325_376_000, 1_893_456_000).map(
    lambda epoch: datetime.fromtimestamp(epoch, UTC)
)  # 2012-2030


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN))


def sent(at: str, region: str | None = "DE-BE") -> VetoCode | None:
    veto = may_send(load("DE"), berlin(at), BERLIN, region)
    return None if veto is None else veto.code


def test_the_next_slot_is_later_today_or_next_week() -> None:
    starts = slot_starts(berlin("2026-06-03T10:00:00"), BERLIN, BANDS)  # a Wednesday
    local = [datetime.fromtimestamp(int(start), ZoneInfo(BERLIN)) for start in starts]
    assert starts.dtype == np.int64
    assert len(starts) == 42
    assert local[2 * 6 + 0] == berlin("2026-06-10T08:00:00")
    assert local[2 * 6 + 1] == berlin("2026-06-10T10:00:00"), "strictly after now"
    assert local[2 * 6 + 2] == berlin("2026-06-03T12:00:00")
    assert local[1 * 6 + 5] == berlin("2026-06-09T18:00:00")


@given(
    now=INSTANTS,
    timezone=st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Europe/London", "UTC"]),
)
def test_each_slot_is_its_weekday_and_hour_within_the_next_week(now: datetime, timezone: str) -> None:
    zone = ZoneInfo(timezone)
    for index, start in enumerate(slot_starts(now, timezone, BANDS)):
        local = datetime.fromtimestamp(int(start), zone)
        assert (local.weekday(), local.hour, local.minute) == (index // 6, BANDS[index % 6][0], 0)
        assert 0 < start - now.timestamp() <= 7 * 86400 + 3600


def test_clocks_that_go_forward_skip_an_hour() -> None:
    starts = slot_starts(berlin("2026-03-28T12:00:00"), BERLIN, ((2, 4), (8, 10)))
    assert datetime.fromtimestamp(int(starts[12]), UTC) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(int(starts[13]), UTC) == datetime(2026, 3, 29, 6, tzinfo=UTC)
    monday, saturday = starts[1], starts[11]
    assert datetime.fromtimestamp(int(monday), UTC).hour == 6, "summer time"
    assert datetime.fromtimestamp(int(saturday), UTC) == datetime(2026, 4, 4, 6, tzinfo=UTC)


def test_clocks_that_go_back_repeat_an_hour() -> None:
    starts = slot_starts(berlin("2026-10-24T12:00:00"), BERLIN, ((2, 4), (8, 10)))
    assert datetime.fromtimestamp(int(starts[12]), UTC) == datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert datetime.fromtimestamp(int(starts[13]), UTC) == datetime(2026, 10, 25, 7, tzinfo=UTC)
    between = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert slot_starts(between, BERLIN, ((2, 4),))[6] == int(datetime(2026, 11, 1, 1, tzinfo=UTC).timestamp())


def test_the_leap_day_is_a_day() -> None:
    starts = slot_starts(berlin("2028-02-28T12:00:00"), BERLIN, BANDS)  # a Monday
    assert datetime.fromtimestamp(int(starts[6]), ZoneInfo(BERLIN)) == berlin("2028-02-29T08:00:00")
    assert sent("2028-02-29T08:00:00") is None


def test_hours_on_weekdays_and_saturdays() -> None:
    expected = {
        "2026-06-03T07:59:59": VetoCode.OUTSIDE_HOURS,
        "2026-06-03T08:00:00": None,
        "2026-06-03T19:59:59": None,
        "2026-06-03T20:00:00": VetoCode.OUTSIDE_HOURS,
        "2026-06-06T08:59:59": VetoCode.OUTSIDE_HOURS,
        "2026-06-06T09:00:00": None,
        "2026-06-06T18:00:00": VetoCode.OUTSIDE_HOURS,
        "2026-06-07T12:00:00": VetoCode.SUNDAY,
    }
    assert {at: sent(at) for at in expected} == expected


def test_the_customers_clock_counts_not_the_senders() -> None:
    at = datetime(2026, 6, 3, 13, 30, tzinfo=UTC)
    pack = load("US")
    assert may_send(pack, at, "America/New_York", "US-NY") is None  # 9:30
    veto = may_send(pack, at - timedelta(hours=2), "America/New_York", "US-NY")  # 7:30
    assert veto is not None
    assert (veto.code, "1692c" in veto.source) == (VetoCode.OUTSIDE_HOURS, True)
    assert may_send(pack, at, "America/Los_Angeles", "US-CA") is not None  # 6:30


def test_american_evenings_end_at_nine() -> None:
    zone = ZoneInfo("America/Chicago")
    assert may_send(load("US"), datetime(2026, 6, 3, 20, 59, tzinfo=zone), "America/Chicago") is None
    assert may_send(load("US"), datetime(2026, 6, 3, 21, 0, tzinfo=zone), "America/Chicago") is not None


def test_good_friday_is_a_holiday_in_all_of_germany() -> None:
    assert all(is_public_holiday(load("DE"), date(2026, 4, 3), f"DE-{state}") for state in STATES)
    assert sent("2026-04-03T12:00:00") is VetoCode.PUBLIC_HOLIDAY
    assert sent("2026-04-02T12:00:00") is None


def test_reformation_day_is_a_holiday_in_nine_states() -> None:
    day = date(2028, 10, 31)  # a Tuesday
    with_holiday = {state for state in STATES if is_public_holiday(load("DE"), day, f"DE-{state}")}
    assert with_holiday == {"BB", "HB", "HH", "MV", "NI", "SH", "SN", "ST", "TH"}


def test_an_unknown_region_takes_a_holiday_of_any_state() -> None:
    reformation = "2028-10-31T12:00:00"
    assert sent(reformation, "DE-BY") is None
    assert sent(reformation, None) is VetoCode.PUBLIC_HOLIDAY
    assert sent(reformation, "DE") is VetoCode.PUBLIC_HOLIDAY
    assert sent("2028-08-15T12:00:00", "DE-BY") is VetoCode.PUBLIC_HOLIDAY, "Assumption, most of Bavaria"
    assert sent("2028-08-08T12:00:00", None) is VetoCode.PUBLIC_HOLIDAY, "Peace Festival, Augsburg only"


def test_an_unknown_american_state_takes_federal_holidays_only() -> None:
    assert is_public_holiday(load("US"), date(2026, 11, 26), None)
    patriots_day = date(2026, 4, 20)
    assert not is_public_holiday(load("US"), patriots_day, None)
    assert is_public_holiday(load("US"), patriots_day, "US-MA")


def test_a_customer_abroad_keeps_the_holidays_of_that_country() -> None:
    national_day = date(2026, 10, 26)
    assert is_public_holiday(load("DE"), national_day, "AT-9")
    assert not is_public_holiday(load("DE"), national_day, "DE-BE")
    assert is_public_holiday(load("DE"), date(2026, 11, 30), "UK-SCT"), "St Andrew's Day"


def test_slots_carry_the_reason_they_are_closed() -> None:
    starts = slot_starts(berlin("2026-04-01T21:00:00"), BERLIN, BANDS)  # Wednesday before Easter
    hours = slot_hours_ok(load("DE"), starts, BERLIN, "DE-BE")
    codes = hours.code.reshape(7, 6)
    assert hours.code.dtype == np.int8
    assert (hours.ok == (hours.code == 0)).all()
    assert (codes[0] == VetoCode.PUBLIC_HOLIDAY.number).all(), "Easter Monday"
    assert (codes[4] == VetoCode.PUBLIC_HOLIDAY.number).all(), "Good Friday"
    assert (codes[6] == VetoCode.SUNDAY.number).all()
    outside = VetoCode.OUTSIDE_HOURS.number
    assert codes[5].tolist() == [outside, 0, 0, 0, 0, outside], "Saturday: 8 and 18 o'clock"
    assert not codes[1:4].any()


@given(at=INSTANTS)
def test_one_instant_and_a_block_give_the_same_answer(at: datetime) -> None:
    one = may_send(load("DE"), at, BERLIN, None)
    block = slot_hours_ok(load("DE"), np.array([int(at.timestamp())]), BERLIN, None)
    assert VetoCode.numbered(int(block.code[0])) == (None if one is None else one.code)


def test_postal_codes_know_their_state_or_say_nothing() -> None:
    expected = {
        "10115": "BE",
        "80331": "BY",
        "50667": "NW",
        "01067": "SN",
        "03046": "BB",
        "20095": "HH",
        "99084": "TH",
        "66111": "SL",
        "28195": "HB",
        "60311": "HE",
        "19273": None,  # Amt Neuhaus: Lower Saxony and Mecklenburg
        "21039": None,  # Hamburg and Schleswig-Holstein
        "12529": None,  # Schönefeld, Brandenburg, among Berlin's codes
        "86150": None,  # Augsburg has a holiday of its own
        "87567": None,  # Kleinwalsertal, Austria
        "00000": None,
        "1011": None,
        "D-10115": None,
        "": None,
    }
    assert {code: region_of_postal_code("DE", code) for code in expected} == expected
    assert region_of_postal_code("AT", "1010") is None
    assert region_of_postal_code("FR", "75001") is None


def test_what_cannot_be_decided_is_refused_with_a_word_of_help() -> None:
    pack, at = load("DE"), berlin("2026-06-03T10:00:00")
    with pytest.raises(InputError, match="no time zone"):
        may_send(pack, at, "Europe/Atlantis")
    with pytest.raises(InputError, match="no holiday calendar for 'DE-XX'"):
        may_send(pack, at, BERLIN, "DE-XX")
    with pytest.raises(InputError, match="instant with a time zone"):
        may_send(pack, at.replace(tzinfo=None), BERLIN)
    with pytest.raises(InputError, match="instant with a time zone"):
        slot_starts(at.replace(tzinfo=None), BERLIN, BANDS)
    with pytest.raises(InputError, match="pair of hours"):
        slot_starts(at, BERLIN, ((10, 8),))
    with pytest.raises(NoRate):
        may_send(pack, berlin("2031-01-02T10:00:00"), BERLIN)
