"""Edges of bands and caps, whatever time zone the server's own clock is set to."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.contact import call_ok, cap_code, cap_veto, may_send, slot_hours_ok, slot_starts
from kulanz.law.packs import ContactLimits, Pack, load
from kulanz.law.regions import region_of_postal_code
from kulanz.law.vetoes import VetoCode

BERLIN = "Europe/Berlin"
LATE = datetime(2026, 6, 3, 23, 30, tzinfo=UTC)


@pytest.fixture
def server_far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server whose own clock is 14 hours ahead of UTC: there it is 4 June already."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Kiritimati")
        time.tzset()
        yield
    time.tzset()


def stricter_from_4_june(pack: Pack) -> Pack:
    (rule,) = pack.contact
    later = replace(rule, valid_from=date(2026, 6, 4), limits=ContactLimits(96, 1))
    return replace(pack, contact=(rule, later))


def epoch(at: datetime) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([int(at.timestamp())], dtype=np.int64)


@pytest.mark.usefixtures("server_far_east")
def test_caps_change_at_midnight_utc_wherever_the_server_stands() -> None:
    pack, count = stricter_from_4_june(load("DE")), np.array([1], dtype=np.int16)
    before = LATE - timedelta(hours=50)
    assert cap_veto(pack, before, 1, LATE) is None
    assert cap_code(pack, epoch(before), count, epoch(LATE)).tolist() == [[0]]
    after = LATE + timedelta(minutes=30)
    veto = cap_veto(pack, before, 0, after)
    assert veto is not None
    assert veto.sentence("en") == "The last contact was less than 96 hours ago."
    many = cap_veto(pack, before - timedelta(days=5), 1, after)
    assert many is not None
    assert many.sentence("en").startswith("There were 1 contacts within the last 7 days")
    today = cap_veto(pack, LATE - timedelta(hours=1), 0, LATE)
    assert today is not None
    assert today.sentence("en") == "The last contact was less than 48 hours ago."


@pytest.mark.usefixtures("server_far_east")
def test_regulation_f_begins_with_its_first_day() -> None:
    us, seven = load("US"), np.array([7], dtype=np.int16)
    never = np.zeros(1, dtype=np.int64)
    evening = datetime(2021, 11, 29, 23, 30, tzinfo=UTC)
    assert call_ok(us, never, seven, epoch(evening)).all()
    assert not call_ok(us, never, seven, epoch(evening + timedelta(minutes=30))).any()
    assert us.calls_on(date(2021, 11, 29)) is None
    rule = us.calls_on(date(2021, 11, 30))
    assert rule is not None
    assert (rule.per_7_days, rule.days_after_talk) == (7, 7)


def test_tonight_is_still_today_where_the_customer_lives() -> None:
    """Wednesday 21:00 in New York is Thursday in London."""
    zone = ZoneInfo("America/New_York")
    now = datetime(2026, 6, 3, 21, tzinfo=zone)
    starts = slot_starts(now, "America/New_York", ((22, 24),))
    assert datetime.fromtimestamp(int(starts[2]), zone) == datetime(2026, 6, 3, 22, tzinfo=zone)


def test_bands_fill_the_day_and_no_more() -> None:
    assert len(slot_starts(LATE, BERLIN, ((0, 1), (23, 24), (0, 24)))) == 21
    for wrong in ((-1, 2), (8, 8), (9, 8), (20, 25)):
        with pytest.raises(InputError) as refused:
            slot_starts(LATE, BERLIN, ((8, 10), wrong))
        assert str(refused.value) == ("A band is a pair of hours (start, end) with 0 <= start < end <= 24.")


def test_an_instant_without_a_zone_is_refused_in_a_sentence() -> None:
    naive = datetime(2026, 6, 3, 10)  # noqa: DTZ001
    with pytest.raises(InputError) as refused:
        slot_starts(naive, BERLIN, ((8, 10),))
    assert str(refused.value) == "Slots need an instant with a time zone."
    with pytest.raises(InputError) as refused:
        may_send(load("DE"), naive, BERLIN)
    assert str(refused.value) == "Sending needs an instant with a time zone."


def test_slots_know_the_customers_own_holidays() -> None:
    """Reformation Day 2028, a Tuesday: open in Bavaria, closed in Saxony and where the state is unknown."""
    noon = epoch(datetime(2028, 10, 31, 11, tzinfo=UTC))
    closed = {
        region: int(slot_hours_ok(load("DE"), noon, BERLIN, region).code[0])
        for region in ("DE-BY", "DE-SN", None)
    }
    holiday = VetoCode.PUBLIC_HOLIDAY.number
    assert closed == {"DE-BY": 0, "DE-SN": holiday, None: holiday}


def test_a_holiday_and_an_hour_have_sources_of_their_own() -> None:
    pack = load("DE")
    for text, source in (
        ("2026-06-07T12:00:00", pack.holidays.source),
        ("2026-04-03T12:00:00", pack.holidays.source),
        ("2026-06-03T21:00:00", pack.contact[0].source),
    ):
        veto = may_send(pack, datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)), BERLIN, "DE-BE")
        assert veto is not None
        assert veto.source == source


def test_the_limits_of_a_creditor_narrow_the_hours_shown() -> None:
    limits = load("DE").tightened(ContactLimits(48, 2, earliest=10, latest=18)).limits
    assert (limits.earliest, limits.latest) == (10, 18)


@pytest.mark.parametrize("code", ["1011a", "101-5", "１０１１５"])
def test_what_is_no_number_is_no_postal_code(code: str) -> None:
    assert region_of_postal_code("DE", code) is None
    assert region_of_postal_code("DE", " 10115 ") == "BE"
