"""What a delay may cost: schedule rows, caps, dates on which they changed, and nothing where no rule allows it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.kernel.errors import InputError
from kulanz.law import fees
from kulanz.law.fees import Difficulty, FeeKind
from kulanz.law.figures.interest import Party
from kulanz.law.packs import AddedRow, NoRate, jurisdictions, load, merged

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
    with pytest.raises(NoRate, match="settlement_rules"):
        fees.settlement(DE, 50_000, date(2020, 12, 31))
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
    assert found.currency == "EUR"
    assert [caveat.what for caveat in found.caveats] == ["collection cost"]
    assert "principal alone" in found.caveats[0].source


def test_a_small_undisputed_claim_has_one_fee_for_everything() -> None:
    assert [fees.collection(DE, 5_000, NEW, each).amount for each in Difficulty] == [3050] * 3
    assert fees.collection(DE, 5_000, OLD).amount == 3000
    assert [c.valid_from for c in fees.collection(DE, 5_000, OLD).caveats] == [date(2021, 10, 1)]
    newest = fees.collection(DE, 1, NEW)
    assert "31.50" in newest.caveats[1].source
    assert (newest.cap, newest.source[:10]) == (3050, "RVG VV 230")
    assert newest.inputs == (("value", "0.01"), ("small claim up to", "50.00"))
    assert fees.collection(DE, 5_001, NEW).amount == 4635
    with pytest.raises(InputError, match="above zero"):
        fees.collection(DE, 0, NEW)


def test_before_there_was_a_small_claims_fee_the_schedule_held_for_all() -> None:
    """0.9 x 49.00 = 44.10; 0.9 x 51.50 = 46.35."""
    later = replace(DE, small_claim_fees=DE.small_claim_fees[1:])
    assert fees.collection(later, 5_000, OLD).amount == 4410
    assert fees.collection(later, 5_000, NEW).amount == 3050
    assert fees.collection(replace(DE, small_claim_fees=()), 5_000, NEW).amount == 4635


def test_a_disputed_claim_has_a_frame() -> None:
    assert fees.collection_disputed(DE, 50_000, NEW, Decimal("0.5")).amount == 2575
    with pytest.raises(InputError, match="above zero"):
        fees.collection_disputed(DE, 0, NEW, Decimal(1))
    found = fees.collection_disputed(DE, 50_000, NEW, Decimal("2.5"))
    assert found.inputs == (("value", "500.00"), ("full fee", "51.50"), ("factor", "2.5"))
    assert found.caveats == fees.collection(DE, 50_000, NEW).caveats
    assert (found.amount, found.cap) == (12875, 12875)
    assert fees.collection_disputed(DE, 50_000, NEW, Decimal("1")).cap == 12875
    for factor in ("0.49", "2.51"):
        with pytest.raises(InputError, match=r"between 0\.5 and 2\.5"):
            fees.collection_disputed(DE, 50_000, NEW, Decimal(factor))


def test_expenses_are_a_fifth_of_the_fee_and_twenty_euros_at_most() -> None:
    assert fees.expenses(DE, fees.collection(DE, 50_000, NEW), NEW).amount == 927
    large = fees.expenses(DE, fees.collection(DE, 1_000_000, NEW), NEW)
    assert (large.amount, large.kind) == (2000, FeeKind.EXPENSES)
    assert large.formula == "min(20 % x 586.80, 20.00)"
    assert large.inputs == (("fee", "586.80"), ("share", "20 %"), ("at most", "20.00"))
    assert large.cap == 2000
    assert large.source == "RDG section 13e with RVG VV 2300 and VV 7002"


@pytest.mark.parametrize(
    ("fee", "amount"), [(10_003, 2000), (10_000, 2000), (9_998, 2000), (9_997, 1999), (3, 1), (2, 0)]
)
def test_a_fifth_is_rounded_half_up(fee: int, amount: int) -> None:
    """9,998 / 5 = 1,999.6; 9,997 / 5 = 1,999.4; 3 / 5 = 0.6; 2 / 5 = 0.4."""
    made = fees.Fee(FeeKind.COLLECTION, fee, "EUR", "", (), "")
    assert fees.expenses(DE, made, NEW).amount == amount


def test_expenses_carry_the_doubts_of_their_fee() -> None:
    fee = fees.collection(DE, 5_000, NEW)
    assert fees.expenses(DE, fee, NEW).caveats == fee.caveats
    assert len(fee.caveats) == 2


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
    assert (found.cap, found.caveats, found.formula) == (3605, (), "0.7 x 51.50")
    assert [fees.settlement(DE, cents, NEW).amount for cents in (1, 2, 100_000, 100_001)] == [
        3605,
        3605,
        3605,
        6510,
    ]
    with pytest.raises(InputError, match="above zero"):
        fees.settlement(DE, 0, NEW)
    assert fees.settlement(DE, 100_000, date(2021, 9, 30)).amount == 3430
    assert fees.settlement(DE, 250_000, date(2021, 9, 30)).amount == 3430
    assert fees.settlement(DE, 250_000, date(2021, 10, 1)).amount == round(0.7 * 12700)


def test_forty_euros_are_owed_by_businesses_and_since_july_2014() -> None:
    assert fees.lump_sum(DE, Party.BUSINESS, date(2014, 7, 29)).amount == 4000
    assert fees.lump_sum(DE, Party.BUSINESS, date(2014, 7, 28)).amount == 0
    assert fees.lump_sum(DE, Party.BUSINESS, date(2010, 1, 1), date(2016, 6, 30)).amount == 0
    found = fees.lump_sum(DE, Party.BUSINESS, date(2010, 1, 1), date(2016, 7, 1))
    assert (found.amount, found.cap, found.formula, found.kind) == (4000, 4000, "40.00", FeeKind.LUMP_SUM)
    assert "Art. 229 section 34 EGBGB" in found.source
    assert [caveat.what for caveat in found.caveats] == ["lump sum"]
    for pack in (DE, replace(DE, lump_sums=DE.lump_sums[::-1])):
        newer = fees.lump_sum(pack, Party.BUSINESS, date(2014, 7, 29), date(2016, 7, 1))
        assert (newer.source, newer.caveats) == ("BGB section 288(5)", ())
    older = fees.lump_sum(DE, Party.BUSINESS, date(2010, 1, 1))
    assert (older.formula, older.cap) == ("0 (the debt is older than the rule)", 0)
    assert older.source.startswith("BGB section 288(5)")


def test_consumers_owe_no_lump_sum_and_some_countries_know_none() -> None:
    consumer = fees.lump_sum(DE, Party.CONSUMER, date(2024, 1, 1))
    assert (consumer.amount, consumer.cap, consumer.formula) == (0, 0, "0 (consumers owe none)")
    assert consumer.source.startswith("BGB section 288(5)")
    for code, unit in (("AT", "EUR"), ("CH", "CHF"), ("UK", "GBP"), ("US", "USD")):
        found = fees.lump_sum(load(code), Party.BUSINESS, date(2024, 1, 1))
        assert (found.amount, found.currency) == (0, unit)
        assert found.source == f"The pack of {code} has no rule on a lump sum"


def test_past_the_end_of_a_table_no_lump_sum_is_guessed() -> None:
    last = date(2030, 12, 31)
    assert fees.lump_sum(DE, Party.BUSINESS, last).amount == 4000
    with pytest.raises(NoRate, match="lump_sums rule of DE") as missing:
        fees.lump_sum(DE, Party.BUSINESS, last + timedelta(days=1))
    assert missing.value.on == date(2031, 1, 1)


def test_a_later_lump_sum_leaves_older_debts_alone() -> None:
    row = {"valid_from": "2027-01-01", "amount": 5000, "source": "a later law", "verified": False}
    later = merged(DE, [AddedRow("lump_sums", row)])
    new = fees.lump_sum(later, Party.BUSINESS, date(2027, 1, 1))
    assert (new.amount, [caveat.what for caveat in new.caveats]) == (5000, ["lump sum"])
    old = fees.lump_sum(later, Party.BUSINESS, date(2026, 12, 31))
    assert (old.amount, old.caveats) == (4000, ())


def test_the_lump_sum_is_credited_against_legal_cost() -> None:
    """46.35 - 40.00 = 6.35; of 30.50 nothing is left."""
    whole = fees.collection(DE, 50_000, NEW)
    found = fees.credited(whole, 4000)
    assert (found.amount, found.credited, found.cap) == (635, 4000, 4635)
    assert found.formula == "0.9 x 51.50 - 40.00"
    assert found.inputs == (*whole.inputs, ("credited", "40.00"))
    none = fees.credited(fees.collection(DE, 5_000, NEW), 4000)
    assert (none.amount, none.credited, none.formula) == (0, 3050, "30.50 - 30.50")
    assert fees.credited(fees.credited(whole, 1), 2).credited == 3
    assert fees.credited(whole, 0) == whole
    with pytest.raises(InputError, match="not below zero"):
        fees.credited(found, -1)


def test_a_letter_costs_what_it_cost_and_nothing_the_first_time() -> None:
    found = fees.reminder(DE, NEW, digital=False, documented=76)
    assert (found.amount, found.cap, found.formula, found.kind) == (76, 76, "0.76", FeeKind.REMINDER)
    assert found.inputs == (("documented", "0.76"),)
    assert "VIII ZR 95/18" in found.source
    assert fees.reminder(DE, NEW, digital=False).amount == 0
    first = fees.reminder(DE, NEW, digital=False, documented=76, causes_default=True)
    assert (first.amount, first.formula) == (0, "0 (the reminder that first creates default)")
    assert "VIII ZR 95/18" in first.source
    assert fees.reminder(DE, NEW, digital=False, documented=249).cap == 249
    for wrong in (250, 300):
        with pytest.raises(InputError, match=r"more than courts accept \(about 0\.76\)"):
            fees.reminder(DE, NEW, digital=False, documented=wrong)
    with pytest.raises(InputError, match="not below zero"):
        fees.reminder(DE, NEW, digital=False, documented=-1)
    with pytest.raises(NoRate):
        fees.reminder(DE, date(2031, 1, 1), digital=False, documented=76)


@pytest.mark.parametrize("code", ["AT", "CH", "UK", "US"])
def test_where_no_rule_is_known_reminders_and_returned_debits_cost_nothing(code: str) -> None:
    for found in (
        fees.reminder(load(code), NEW, digital=False, documented=76),
        fees.returned(load(code), NEW, 300),
    ):
        assert (found.amount, found.cap, found.formula) == (0, 0, "0 (no rule allows a charge)")
        assert "has no rule on" in found.source
        assert found.currency == load(code).currency


def test_a_rule_may_forbid_any_charge_for_letters() -> None:
    row = {"valid_from": "2026-01-01", "letter": "none", "source": "a later law", "verified": False}
    found = fees.reminder(
        merged(DE, [AddedRow("reminder_costs", row)]), date(2026, 1, 1), digital=False, documented=76
    )
    assert (found.amount, found.cap, found.source) == (0, 0, "a later law")
    assert [(caveat.what, caveat.source) for caveat in found.caveats] == [("reminder cost", "a later law")]


@given(
    st.sampled_from(jurisdictions()),
    st.dates(date(1950, 1, 1), date(2080, 1, 1)),
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


def test_a_later_ordinance_replaces_all_bands_of_the_older_one() -> None:
    """A table of two bands: what the older one said of 18 euros holds until the day before."""
    rows = [
        {"valid_from": "2027-01-01", "up_to": 10000, "first": 600, "further": 700},
        {"valid_from": "2027-01-01", "first": 6000, "further": 7000},
    ]
    later = merged(
        AT, [AddedRow("ordinance_bands", {**row, "source": "x", "verified": True}) for row in rows]
    )
    day = date(2027, 1, 1)
    assert fees.ordinance(later, 1_800, day, further=False).amount == 600
    assert fees.ordinance(later, 1_800, day, further=False).caveats == ()
    assert fees.ordinance(later, 10_000, day, further=True).amount == 700
    assert fees.ordinance(later, 10_001, day, further=True).amount == 7000
    assert fees.ordinance(later, 1_800, date(2026, 12, 31), further=False).amount == 436
    with pytest.raises(NoRate):
        fees.ordinance(AT, 1_800, date(2031, 1, 1), further=False)
    only = merged(AT, [AddedRow("ordinance_bands", {**rows[0], "source": "x", "verified": True})])
    with pytest.raises(NoRate, match=r"of AT for 100\.01"):
        fees.ordinance(only, 10_001, day, further=False)


def test_a_returned_debit_costs_what_the_bank_charged() -> None:
    found = fees.returned(DE, NEW, 300)
    assert (found.amount, found.cap, found.formula, found.kind) == (300, 300, "3.00", FeeKind.RETURN)
    assert found.inputs == (("documented", "3.00"),)
    assert [caveat.what for caveat in found.caveats] == ["return cost"]
    assert fees.returned(DE, NEW, 0).amount == 0
    with pytest.raises(InputError, match="not below zero"):
        fees.returned(DE, NEW, -1)


def test_a_threat_is_no_fee() -> None:
    fee = fees.collection(DE, 50_000, NEW)
    threat = fees.unless_paid_by(fee, date(2025, 5, 31))
    assert (threat.fee, threat.from_day) == (fee, date(2025, 6, 1))
    assert threat.condition("de-AT") == "Nur wenn bis zum 31.05.2025 nicht gezahlt ist."
    assert threat.condition("tr") == "Only if nothing has been paid by 2025-05-31."
    assert not hasattr(threat, "amount")


def test_a_fee_says_why_and_how_much_in_the_customers_language() -> None:
    fee = fees.collection(DE, 50_000, NEW)
    assert fees.explained(DE, fee, "DE-at") == (
        "Kosten eines registrierten Inkassodienstes, höchstens nach dem gesetzlichen Satz. "
        "0,9 x 51,50 = 46,35 EUR (§§ 280, 286 BGB, § 13e RDG)."
    )
    assert "min(20 % x 46,35; 20,00) = 9,27 EUR" in fees.explained(DE, fees.expenses(DE, fee, NEW), "de")
    assert "min(20 % x 46.35, 20.00) = 9.27 EUR" in fees.explained(DE, fees.expenses(DE, fee, NEW), "en")
    lump = fees.lump_sum(DE, Party.BUSINESS, NEW)
    assert (
        fees.explained(DE, lump, "en")
        == "Lump sum for late payment by a business. 40.00 EUR (§ 288 Abs. 5 BGB)."
    )
    free = fees.reminder(DE, NEW, digital=True)
    assert fees.explained(DE, free, "de") == "Dafür zahlen Sie nichts."
    assert fees.explained(DE, free, "en") == "You pay nothing for this."


@given(
    st.integers(5_001, 10**9), st.integers(0, 10**8), st.sampled_from(Difficulty), st.sampled_from([OLD, NEW])
)
def test_a_larger_claim_never_costs_less_and_no_fee_exceeds_its_cap(value, more, difficulty, on) -> None:
    small, large = (fees.collection(DE, v, on, difficulty) for v in (value, value + more))
    assert small.amount <= large.amount
    assert small.amount <= (small.cap or 0)
    assert fees.settlement(DE, value, on).amount <= fees.settlement(DE, value + more, on).amount
