"""The schedule of fees by value: a slow table built step by step, rates that changed in June 2025, and its edges."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.law import fees
from kulanz.law.fees import Difficulty
from kulanz.law.packs import NoRate, load

DE = load("DE")
NEW, OLD = date(2025, 6, 1), date(2025, 5, 31)
WIDTHS = [
    (500, 2_000),
    (1_000, 10_000),
    (3_000, 25_000),
    (5_000, 50_000),
    (15_000, 200_000),
    (30_000, 500_000),
]
EUROS = {
    NEW: ("51.50", ["41.50", "59.50", "55", "86", "99.50", "140", "175"]),
    OLD: ("49", ["39", "56", "52", "81", "94", "132", "165"]),
}


def table(on: date, up_to: int) -> list[tuple[int, int]]:
    """(upper end in euros, fee in cents) of every step, added up one by one as the annex prints them."""
    first, more = EUROS[on]
    fee, end = Decimal(first), 500
    rows = [(end, int(fee * 100))]
    while end < up_to:
        place = next((i for i, (_, top) in enumerate(WIDTHS) if end < top), len(WIDTHS))
        end += WIDTHS[place][0] if place < len(WIDTHS) else 50_000
        fee += Decimal(more[place])
        rows.append((end, int(fee * 100)))
    return rows


def full(cents: int, on: date) -> int:
    return fees.full_fee(DE.in_force(DE.fee_schedules, on, "fee_schedules"), cents)


@pytest.mark.parametrize("on", [NEW, OLD])
def test_every_step_up_to_a_million_begins_and_ends_to_the_cent(on: date) -> None:
    rows = table(on, 1_000_000)
    assert len(rows) == 1 + 3 + 8 + 5 + 5 + 10 + 10 + 10
    for (end, fee), (_, following) in pairwise(rows):
        assert full(end * 100, on) == fee
        assert full(end * 100 - 1, on) == fee
        assert full(end * 100 + 1, on) == following


@pytest.mark.parametrize(
    ("on", "unit", "small"),
    [
        (date(2021, 10, 1), 4900, 3000),
        (OLD, 4900, 3000),
        (NEW, 5150, 3050),
        (date(2030, 12, 31), 5150, 3050),
    ],
)
def test_the_day_of_the_order_decides_which_schedule_holds(on: date, unit: int, small: int) -> None:
    assert full(1, on) == unit
    assert fees.collection(DE, 5_000, on).amount == small
    assert fees.collection(DE, 5_001, on, Difficulty.DIFFICULT).amount == unit * 13 // 10


@pytest.mark.parametrize("on", [date(2020, 12, 31), date(2031, 1, 1)])
def test_outside_of_the_known_time_there_is_no_fee(on: date) -> None:
    for ask in (
        lambda: fees.collection(DE, 5_000, on),
        lambda: fees.collection(DE, 50_000, on),
        lambda: fees.collection_disputed(DE, 50_000, on, Decimal(1)),
        lambda: fees.settlement(DE, 50_000, on),
    ):
        with pytest.raises(NoRate) as missing:
            ask()
        assert missing.value.on == on


def test_a_half_cent_is_rounded_up_once() -> None:
    """0.5 x 354.50 = 177.25; 1.3 x 354.50 = 460.85; 0.35 lies in no frame, 0.55 x 51.50 = 28.325 does: 28.33."""
    assert fees.collection(DE, 500_000, NEW, Difficulty.PROMPT).amount == 17725
    assert fees.collection(DE, 500_000, NEW, Difficulty.DIFFICULT).amount == 46085
    assert fees.collection_disputed(DE, 50_000, NEW, Decimal("0.55")).amount == 2833
    assert fees.collection_disputed(DE, 50_000, NEW, Decimal("0.5499")).amount == 2832


@given(st.integers(1, 10**10), st.integers(0, 10**10), st.sampled_from([OLD, NEW]))
def test_a_larger_value_never_has_a_smaller_fee(value: int, more: int, on: date) -> None:
    assert full(value, on) <= full(value + more, on)
    assert full(value, OLD) < full(value, NEW)


@given(st.integers(1, 10**10), st.decimals("0.5", "2.5", places=2), st.sampled_from([OLD, NEW]))
def test_no_fee_exceeds_its_cap_and_every_fee_is_explained(value: int, factor: Decimal, on: date) -> None:
    undisputed = [fees.collection(DE, value, on, each) for each in Difficulty]
    found = [*undisputed, fees.collection_disputed(DE, value, on, factor), fees.settlement(DE, value, on)]
    found += [fees.expenses(DE, fee, on) for fee in found]
    for fee in found:
        assert 0 <= fee.amount <= (fee.cap or 0)
        assert fee.formula
        assert fee.inputs
        assert fee.source
    assert [fee.amount for fee in undisputed] == sorted(fee.amount for fee in undisputed)
    assert all(fee.amount <= 2000 for fee in found[-5:])
