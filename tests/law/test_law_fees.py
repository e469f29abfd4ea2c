"""What a delay may cost: schedule rows, caps, dates on which they changed, and nothing where no rule allows it."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.kernel.errors import InputError
from kulanz.law import fees
from kulanz.law.fees import Difficulty, FeeKind
from kulanz.law.figures.interest import Party
from kulanz.law.packs import NoRate, jurisdictions, load

DE, AT = load("DE"), load("AT")
NEW, OLD = date(2025, 6, 1), date(2025, 5, 31)


def full(euros: float, on: date) -> int:
    return fees.full_fee(DE.in_force(DE.fee_schedules, on, "fee_schedules"), round(euros * 100))


@pytest.mark.parametrize(
    ("value", "new", "old"),
    [
        (500, 5150, 4900),
        (1_000, 9300, 8800),
        (2_000, 17600, 16600),
        (5_000, 35450, 33400),
        (10_000, 65200, 61400),
        (25_000, 92700, 87400),
        (50_000, 135700, 127900),
    ],
)
def test_the_full_fee_is_that_of_the_published_table(value: int, new: int, old: int) -> None:
    assert (full(value, NEW), full(value, OLD)) == (new, old)
    assert full(value, date(2021, 1, 1)) == old


def test_each_step_begins_with_its_first_cent() -> None:
    """From 500.01 one step of 41.50, from 2,000.01 one of 59.50; far above 500,000 each 50,000 begun adds 175."""
    assert full(0.01, NEW) == 5150
    assert full(500.01, NEW) == full(1_000, NEW) == 9300
    assert full(1_000.01, NEW) == 13450
    assert full(2_000.01, NEW) == full(3_000, NEW) == 17600 + 5950
    assert full(10_000.01, NEW) == 65200 + 5500
    assert full(25_000.01, NEW) == 92700 + 8600
    assert full(50_000.01, NEW) == 135700 + 9950
    assert full(200_000, NEW) == 135700 + 10 * 9950
    assert full(200_000.01, NEW) == 135700 + 10 * 9950 + 14000
    assert full(500_000, NEW) == 135700 + 10 * 9950 + 10 * 14000
    assert full(500_000.01, NEW) == full(550_000, NEW) == full(500_000, NEW) + 17500
    assert full(600_000, NEW) == full(500_000, NEW) + 2 * 17500
    with pytest.raises(InputError, match="above zero"):
        full(0, NEW)


def test_before_the_first_schedule_there_is_no_fee_to_be_guessed() -> None:
    with pytest.raises(NoRate, match="fee_schedules"):
        fees.collection(DE, 50_000, date(2020, 12, 31))
    with pytest.raises(NoRate, match="collection_rules"):
        fees.collection(DE, 50_000, date(2021, 9, 30))
    with pytest.raises(NoRate):
        fees.collection(load("US"), 50_000, NEW)


@pytest.mark.parametrize(
    ("difficulty", "amount"),
    [(Difficulty.PROMPT, 2575), (Difficulty.AVERAGE, 4635), (Difficulty.DIFFICULT, 6695)],
)
def test_a_collectors_factors_on_500_euros(difficulty: Difficulty, amount: int) -> None:
    """0.5, 0.9 and 1.3 of 51.50."""
    found = fees.collection(DE, 50_000, NEW, difficulty)
    assert (found.amount, found.cap, found.kind) == (amount, amount, FeeKind.COLLECTION)
    assert found.formula.endswith("x 51.50")
    assert dict(found.inputs)["value"] == "500.00"
    assert found.caveats == ()


def test_a_small_undisputed_claim_has_one_fee_for_everything() -> None:
    assert [fees.collection(DE, 5_000, NEW, each).amount for each in Difficulty] == [3050] * 3
    assert fees.collection(DE, 5_000, OLD).amount == 3000
    assert fees.collection(DE, 5_000, OLD).caveats == ()
    assert "31.50" in fees.collection(DE, 1, NEW).caveats[0].source
    assert fees.collection(DE, 5_001, NEW).amount == 4635
    with pytest.raises(InputError, match="above zero"):
        fees.collection(DE, 0, NEW)


def test_a_disputed_claim_has_a_frame() -> None:
    assert fees.collection_disputed(DE, 50_000, NEW, Decimal("0.5")).amount == 2575
    found = fees.collection_disputed(DE, 50_000, NEW, Decimal("2.5"))
    assert (found.amount, found.cap) == (12875, 12875)
    assert fees.collection_disputed(DE, 50_000, NEW, Decimal("1")).cap == 12875
    for factor in ("0.49", "2.51"):
        with pytest.raises(InputError, match=r"between 0\.5 and 2\.5"):
            fees.collection_disputed(DE, 50_000, NEW, Decimal(factor))


def test_expenses_are_a_fifth_of_the_fee_and_twenty_euros_at_most() -> None:
    assert fees.expenses(DE, fees.collection(DE, 50_000, NEW), NEW).amount == 927
    large = fees.expenses(DE, fees.collection(DE, 1_000_000, NEW), NEW)
    assert (large.amount, large.kind) == (2000, FeeKind.EXPENSES)
    edge = fees.Fee(FeeKind.COLLECTION, 10_000, "", (), "")
    assert fees.expenses(DE, edge, NEW).amount == 2000
    assert fees.expenses(DE, fees.Fee(FeeKind.COLLECTION, 9_997, "", (), ""), NEW).amount == 1999


def test_an_instalment_deal_counts_half_of_the_claim() -> None:
    """1,000.00: half is 500.00, its full fee 51.50, times 0.7 = 36.05; until September 2021 a fifth: 49.00 x 0.7."""
    found = fees.settlement(DE, 100_000, NEW)
    assert (found.amount, found.kind) == (3605, FeeKind.SETTLEMENT)
    assert dict(found.inputs) == {
        "claim": "1000.00",
        "share": "50 %",
        "value": "500.00",
        "full fee": "51.50",
        "factor": "0.7",
    }
    assert fees.settlement(DE, 100_000, date(2021, 9, 30)).amount == 3430
    assert fees.settlement(DE, 250_000, date(2021, 9, 30)).amount == 3430
    assert fees.settlement(DE, 250_000, date(2021, 10, 1)).amount == round(0.7 * 12700)


def test_forty_euros_are_owed_by_businesses_and_since_july_2014() -> None:
    assert fees.lump_sum(DE, Party.BUSINESS, date(2014, 7, 29)).amount == 4000
    assert fees.lump_sum(DE, Party.BUSINESS, date(2014, 7, 28)).amount == 0
    assert fees.lump_sum(DE, Party.BUSINESS, date(2010, 1, 1), date(2016, 6, 30)).amount == 0
    assert fees.lump_sum(DE, Party.BUSINESS, date(2010, 1, 1), date(2016, 7, 1)).amount == 4000
    assert fees.lump_sum(DE, Party.CONSUMER, date(2024, 1, 1)).amount == 0
    assert "no rule" in fees.lump_sum(load("CH"), Party.BUSINESS, date(2024, 1, 1)).source


def test_the_lump_sum_is_credited_against_legal_cost() -> None:
    found = fees.credited(fees.collection(DE, 50_000, NEW), 4000)
    assert found.amount == 635
    assert found.formula == "0.9 x 51.50 - lump sum 40.00"
    assert fees.credited(fees.collection(DE, 5_000, NEW), 4000).amount == 0
    with pytest.raises(InputError, match="not below zero"):
        fees.credited(found, -1)


def test_a_letter_costs_what_it_cost_and_nothing_the_first_time() -> None:
    assert fees.reminder(DE, NEW, digital=False, documented=76).amount == 76
    assert fees.reminder(DE, NEW, digital=False, documented=76, causes_default=True).amount == 0
    assert fees.reminder(DE, NEW, digital=False, documented=249).cap == 249
    for wrong in (250, 300):
        with pytest.raises(InputError, match=r"about 0\.76"):
            fees.reminder(DE, NEW, digital=False, documented=wrong)
    with pytest.raises(InputError, match="not below zero"):
        fees.reminder(DE, NEW, digital=False, documented=-1)
    assert fees.reminder(load("US"), NEW, digital=False, documented=76).amount == 0


@given(
    st.sampled_from(jurisdictions()),
    st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    st.integers(0, 10**6),
    st.booleans(),
)
def test_a_digital_reminder_is_free_everywhere_and_always(code, on, documented, causes) -> None:
    found = fees.reminder(load(code), on, digital=True, documented=documented, causes_default=causes)
    assert (found.amount, found.cap) == (0, 0)


@pytest.mark.parametrize(
    ("principal", "first", "further"),
    [
        (1_800, 436, 509),
        (1_801, 727, 945),
        (7_300, 727, 945),
        (7_301, 1453, 1744),
        (36_300, 1453, 1744),
        (72_700, 2471, 2762),
        (72_701, 5087, 5814),
        (10**9, 5087, 5814),
    ],
)
def test_austrias_ordinance_goes_by_the_size_of_the_claim(principal: int, first: int, further: int) -> None:
    found = fees.ordinance(AT, principal, NEW, further=False)
    assert found.amount == found.cap == first
    assert fees.ordinance(AT, principal, NEW, further=True).amount == further
    assert found.caveats


def test_other_countries_have_no_ordinance() -> None:
    with pytest.raises(NoRate, match="ordinance"):
        fees.ordinance(DE, 1_800, NEW, further=False)
    with pytest.raises(NoRate, match="ordinance"):
        fees.ordinance(AT, 1_800, date(1996, 3, 31), further=False)
    with pytest.raises(InputError, match="above zero"):
        fees.ordinance(AT, 0, NEW, further=False)


def test_a_returned_debit_costs_what_the_bank_charged() -> None:
    assert fees.returned(300).amount == 300
    with pytest.raises(InputError, match="not below zero"):
        fees.returned(-1)


def test_a_threat_is_no_fee() -> None:
    threat = fees.Quote(
        fees.collection(DE, 50_000, NEW), NEW, "Zahlen Sie bis dahin nicht", "If you do not pay by then"
    )
    assert threat.condition("de-AT") == "Zahlen Sie bis dahin nicht"
    assert threat.condition("tr") == "If you do not pay by then"
    assert not hasattr(threat, "amount")


@given(
    st.integers(5_001, 10**9), st.integers(0, 10**8), st.sampled_from(Difficulty), st.sampled_from([OLD, NEW])
)
def test_a_larger_claim_never_costs_less_and_no_fee_exceeds_its_cap(value, more, difficulty, on) -> None:
    small, large = (fees.collection(DE, v, on, difficulty) for v in (value, value + more))
    assert small.amount <= large.amount
    assert small.amount <= (small.cap or 0)
    assert fees.settlement(DE, value, on).amount <= fees.settlement(DE, value + more, on).amount
