"""How often a customer may be contacted, for one and for a hundred thousand."""

from datetime import UTC, datetime, timedelta
from time import perf_counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kulanz.law.contact import call_ok, cap_code, cap_ok, cap_veto, slot_starts
from kulanz.law.packs import ContactLimits, load
from kulanz.law.vetoes import VetoCode

NOW = datetime(2026, 6, 3, 6, tzinfo=UTC)
BANDS = ((8, 10), (10, 12), (12, 14), (14, 16), (16, 18), (18, 20))
HOUR = 3600


def last(*hours_ago: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([int(NOW.timestamp() - hours * HOUR) for hours in hours_ago], dtype=np.int64)


def counts(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.array(numbers, dtype=np.int16)


def at(hours: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([int(NOW.timestamp() + hours * HOUR)], dtype=np.int64)


def test_48_hours_must_have_passed() -> None:
    ok = cap_ok(load("DE"), last(48, 47.999, 0), counts(1, 1, 1), at(0))
    assert ok[:, 0].tolist() == [True, False, False]
    assert cap_ok(load("DE"), last(0), counts(1), at(48)).all()


def test_48_hours_are_hours_and_not_days_when_the_clocks_change() -> None:
    saturday_noon = datetime(2026, 3, 28, 11, tzinfo=UTC)  # 12:00 in Berlin; Monday 12:00 is 47 hours later
    monday_noon = datetime(2026, 3, 30, 10, tzinfo=UTC)
    veto = cap_veto(load("DE"), saturday_noon, 1, monday_noon)
    assert veto is not None
    assert veto.code is VetoCode.TOO_SOON
    assert cap_veto(load("DE"), saturday_noon, 1, monday_noon + timedelta(hours=1)) is None


def test_a_third_contact_within_seven_days_is_too_many() -> None:
    ok = cap_ok(load("DE"), last(100, 100, 100), counts(1, 2, 3), at(0))
    assert ok[:, 0].tolist() == [True, False, False]


def test_who_was_never_contacted_may_be() -> None:
    assert cap_ok(load("DE"), np.zeros(1, np.int64), counts(0), at(0)).all()
    assert cap_veto(load("DE"), None, 0, NOW) is None


def test_the_reasons_say_which_cap() -> None:
    code = cap_code(load("DE"), last(100, 1, 1), counts(1, 1, 2), at(0))[:, 0]
    assert code.dtype == np.int8
    assert [VetoCode.numbered(int(number)) for number in code] == [None, VetoCode.TOO_SOON, VetoCode.TOO_MANY]
    veto = cap_veto(load("DE"), NOW - timedelta(hours=1), 2, NOW)
    assert veto is not None
    assert "2 contacts within the last 7 days" in veto.sentence("en")
    assert veto.source.startswith("House rule")


def test_a_creditors_stricter_caps_count() -> None:
    pack = load("DE").tightened(ContactLimits(hours_between=96, per_7_days=1))
    assert not cap_ok(pack, last(95), counts(0), at(0)).any()
    assert cap_ok(pack, last(96), counts(0), at(0)).all()
    assert not cap_ok(pack, last(96), counts(1), at(0)).any()
    veto = cap_veto(pack, NOW - timedelta(hours=95), 0, NOW)
    assert veto is not None
    assert "weniger als 96 Stunden" in veto.sentence("de")


def test_regulation_f_counts_calls_and_talks() -> None:
    calls = call_ok(load("US"), last(7 * 24, 7 * 24 - 1, 500), counts(0, 0, 7), at(0))
    assert calls[:, 0].tolist() == [True, False, False]
    assert call_ok(load("US"), np.zeros(1, np.int64), counts(6), at(0)).all()
    assert call_ok(load("DE"), last(1), counts(30), at(0)).all(), "no statute of its own"


@given(
    rows=st.lists(st.tuples(st.integers(0, 14 * 24 * HOUR) | st.none(), st.integers(0, 4)), min_size=1),
)
def test_codes_and_booleans_agree_with_the_rule_written_out(rows: list[tuple[int | None, int]]) -> None:
    pack, starts = load("DE"), slot_starts(NOW, "Europe/Berlin", BANDS)
    now = int(NOW.timestamp())
    contacts = np.array([0 if ago is None else now - ago for ago, _ in rows], dtype=np.int64)
    number = np.array([count for _, count in rows], dtype=np.int16)
    ok = cap_ok(pack, contacts, number, starts)
    assert ((cap_code(pack, contacts, number, starts) == 0) == ok).all()
    for i, (ago, count) in enumerate(rows):
        for j, start in enumerate(starts):
            assert ok[i, j] == (count < 2 and (ago is None or start - (now - ago) >= 172_800))


def test_a_hundred_thousand_customers_take_less_than_50_milliseconds() -> None:
    random = np.random.Generator(np.random.Philox(1))
    contacts = random.integers(int(NOW.timestamp()) - 10 * 86400, int(NOW.timestamp()), 100_000)
    number = random.integers(0, 4, 100_000).astype(np.int16)
    starts = slot_starts(NOW, "Europe/Berlin", BANDS)
    pack = load("DE")

    def seconds() -> float:
        begin = perf_counter()
        assert cap_ok(pack, contacts, number, starts).shape == (100_000, 42)
        return perf_counter() - begin

    assert min(seconds() for _ in range(7)) < 0.05
