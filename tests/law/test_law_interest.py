"""Default interest to the cent, against published calculations and arithmetic by hand."""

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.kernel.errors import InputError
from kulanz.law.accrual import accrue_block, rate_index
from kulanz.law.daycount import days, weight, weights
from kulanz.law.figures.interest import DayCount, Party
from kulanz.law.interest import Accrual, Inclusive, Movement, accrue, half_up
from kulanz.law.packs import NoRate, load
from kulanz.law.rates import Overrides, Terms, base_on, default_rate, named_day_count

DE = load("DE")
BUSINESS_2009 = Terms(Party.BUSINESS, date(2009, 8, 1))
CONSUMER_2024 = Terms(Party.CONSUMER, date(2024, 1, 15))


def one(principal: int, start: date, end: date, terms: Terms, **more: object) -> Accrual:
    return accrue([Movement(start, principal)], start, end, DE, terms, **more)  # type: ignore[arg-type]


def test_the_published_calculation_comes_out_row_by_row() -> None:
    found = one(150_000, date(2009, 9, 15), date(2012, 2, 17), BUSINESS_2009)
    assert found.total == 29_750
    assert [(row.start, row.end, row.days, row.rate) for row in found.rows] == [
        (date(2009, 9, 15), date(2009, 12, 31), 108, Decimal("8.12")),
        (date(2010, 1, 1), date(2010, 6, 30), 181, Decimal("8.12")),
        (date(2010, 7, 1), date(2010, 12, 31), 184, Decimal("8.12")),
        (date(2011, 1, 1), date(2011, 6, 30), 181, Decimal("8.12")),
        (date(2011, 7, 1), date(2011, 12, 31), 184, Decimal("8.37")),
        (date(2012, 1, 1), date(2012, 2, 17), 48, Decimal("8.12")),
    ]
    published = ["36.0395", "60.3995", "61.4005", "60.3995", "63.2910", "15.9738"]
    assert [f"{float(row.amount / 100):.4f}" for row in found.rows] == published
    assert found.day_count is DayCount.ACT_ACT
    assert [row.base for row in found.rows][4] == Decimal("0.37")


def test_the_peers_worked_cases_agree(data_dir) -> None:
    cases = json.loads((data_dir / "interest" / "worked_cases.json").read_text("utf-8"))
    for case in cases:
        given_, expected = case["input"], case["peer_result"]
        start, end = date.fromisoformat(given_["first_day"]), date.fromisoformat(given_["last_day"])
        found = one(int(Decimal(given_["principal"]) * 100), start, end, BUSINESS_2009)
        assert Decimal(found.total) / 100 == Decimal(expected["total"])
        rows = [(r.start.isoformat(), r.end.isoformat(), r.days, str(r.rate)) for r in found.rows]
        assert rows == [tuple(row[:4]) for row in expected["rows"]]


def test_the_base_rates_are_those_of_two_public_tables(data_dir) -> None:
    table = json.loads((data_dir / "interest" / "basiszinssatz.json").read_text("utf-8"))
    for day, percent in table["consensus_changes"].items():
        assert base_on(DE, date.fromisoformat(day)).percent == Decimal(percent)
    assert base_on(DE, date(2026, 6, 30)).percent == Decimal("1.27")


def test_the_base_rate_changes_on_two_days_of_the_year_only() -> None:
    days_of_year = {(row.valid_from.month, row.valid_from.day) for row in DE.base_rates}
    assert days_of_year == {(1, 1), (7, 1)}
    assert len(DE.base_rates) == 2 * 25
    assert [row.valid_from for row in DE.base_rates if not row.verified] == [
        date(2026, 1, 1),
        date(2026, 7, 1),
    ]


def test_day_counts_differ_and_name_themselves() -> None:
    """1,000.00 at 5 + 3.62 = 8.62 % over the leap year's February 2024: 29 days of 366, 29 of 365, 30 of 360."""
    start, end = date(2024, 2, 1), date(2024, 2, 29)
    by_name = {}
    for count in DayCount:
        found = one(100_000, start, end, Terms(Party.CONSUMER, date(2024, 1, 15), day_count=count))
        by_name[found.day_count.value] = found.total
    assert by_name == {
        "act/act": half_up(Fraction(100_000 * 862 * 29, 10_000 * 366)),
        "act/365": half_up(Fraction(100_000 * 862 * 29, 10_000 * 365)),
        "30/360": half_up(Fraction(100_000 * 862 * 30, 10_000 * 360)),
    }
    assert by_name == {"act/act": 683, "act/365": 685, "30/360": 718}


def test_a_part_payment_stops_the_interest_on_what_was_paid() -> None:
    """1,000.00 from 1 to 10 March, 400.00 from 11 to 31 March 2024 at 8.62 %: 2.3552 + 1.9784 = 4.33."""
    moves = [Movement(date(2024, 2, 1), 100_000), Movement(date(2024, 3, 11), -60_000)]
    found = accrue(moves, date(2024, 3, 1), date(2024, 3, 31), DE, CONSUMER_2024)
    assert [(row.days, row.principal) for row in found.rows] == [(10, 100_000), (21, 40_000)]
    assert found.total == 433


def test_both_ends_count_unless_the_caller_says_otherwise() -> None:
    start, end = date(2024, 3, 1), date(2024, 3, 10)
    counted = {
        rule: sum(row.days for row in one(100_000, start, end, CONSUMER_2024, inclusive=rule).rows)
        for rule in Inclusive
    }
    assert counted == {Inclusive.BOTH: 10, Inclusive.START: 9, Inclusive.END: 9, Inclusive.NONE: 8}
    assert one(100_000, start, start, CONSUMER_2024, inclusive=Inclusive.NONE).total == 0
    assert one(100_000, start, start, CONSUMER_2024).rows[0].days == 1


def test_what_is_overpaid_bears_no_interest_and_interest_bears_none() -> None:
    moves = [Movement(date(2024, 1, 1), 10_000), Movement(date(2024, 2, 1), -15_000)]
    found = accrue(moves, date(2024, 1, 1), date(2024, 12, 31), DE, CONSUMER_2024)
    assert [(row.start, row.end) for row in found.rows] == [(date(2024, 1, 1), date(2024, 1, 31))]
    two_years = one(100_000, date(2022, 1, 1), date(2023, 12, 31), Terms(Party.CONSUMER, date(2021, 1, 1)))
    each = [
        one(100_000, date(y, 1, 1), date(y, 12, 31), Terms(Party.CONSUMER, date(2021, 1, 1)))
        for y in (2022, 2023)
    ]
    assert {row.principal for row in two_years.rows} == {100_000}
    assert abs(two_years.total - sum(part.total for part in each)) <= 1


@pytest.mark.parametrize(
    ("contract", "performed", "points"),
    [
        (date(2014, 7, 28), None, 8),
        (date(2014, 7, 29), None, 9),
        (date(2010, 1, 1), date(2016, 6, 30), 8),
        (date(2010, 1, 1), date(2016, 7, 1), 9),
    ],
)
def test_between_businesses_the_points_follow_contract_and_performance(contract, performed, points) -> None:
    assert default_rate(DE, Terms(Party.BUSINESS, contract, performed)).percent == points
    assert default_rate(DE, Terms(Party.CONSUMER, contract, performed)).percent == 5


def test_a_creditor_may_only_lower_the_rate() -> None:
    start, end = date(2024, 1, 1), date(2024, 6, 30)
    capped = Terms(Party.CONSUMER, date(2024, 1, 15), overrides=Overrides(Decimal("4.000")))
    free = Terms(Party.CONSUMER, date(2024, 1, 15), overrides=Overrides(Decimal("99")))
    assert {row.rate for row in one(100_000, start, end, capped).rows} == {Decimal(4)}
    assert one(100_000, start, end, free).total == one(100_000, start, end, CONSUMER_2024).total
    with pytest.raises(InputError, match="below zero"):
        Overrides(Decimal("-1"))


def test_where_no_rate_is_known_there_is_none() -> None:
    for start, end in ((date(2026, 12, 1), date(2027, 1, 1)), (date(2001, 12, 31), date(2002, 1, 5))):
        with pytest.raises(NoRate, match="base_rates"):
            one(10_000, start, end, CONSUMER_2024)
    assert one(10_000, date(2026, 12, 1), date(2026, 12, 31), CONSUMER_2024).total > 0
    with pytest.raises(NoRate, match="default interest of DE"):
        one(10_000, date(2002, 1, 1), date(2002, 1, 2), Terms(Party.CONSUMER, date(2001, 12, 31)))
    with pytest.raises(NoRate, match="default interest of US for a consumer"):
        accrue([], date(2024, 1, 1), date(2024, 1, 2), load("US"), CONSUMER_2024)
    with pytest.raises(NoRate, match="base_rates"):
        moves = [Movement(date(2024, 1, 1), 1)]
        accrue(moves, date(2024, 1, 1), date(2024, 1, 2), load("UK"), Terms(Party.BUSINESS, date(2024, 1, 1)))


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InputError, match="before it begins"):
        one(10_000, date(2024, 1, 2), date(2024, 1, 1), CONSUMER_2024)


def test_unverified_figures_are_named_in_the_result() -> None:
    july = one(10_000, date(2026, 7, 1), date(2026, 7, 31), CONSUMER_2024)
    assert [c.what for c in july.caveats] == ["base rate", "day count"]
    assert july.caveats[0].valid_from == date(2026, 7, 1)
    assert "2026-07-01" in july.caveats[0].text("en")
    assert july.caveats[0].text("de").startswith("Nicht geprüft")
    agreed = Terms(Party.CONSUMER, date(2024, 1, 15), day_count=DayCount.ACT_365)
    assert one(10_000, date(2025, 7, 1), date(2025, 7, 31), agreed).caveats == ()


def test_fixed_rates_need_no_base_rate() -> None:
    """1,000.00 CHF for the 365 days of 2023 at 5 % are 50.00; at Austria's 4 % 40.00."""
    moves, first, last = [Movement(date(2023, 1, 1), 100_000)], date(2023, 1, 1), date(2023, 12, 31)
    consumer = Terms(Party.CONSUMER, date(2022, 1, 1))
    assert accrue(moves, first, last, load("CH"), consumer).total == 5_000
    assert accrue(moves, first, last, load("AT"), consumer).total == 4_000
    assert accrue(moves, first, last, load("CH"), consumer).rows[0].base is None


def test_halves_round_up_and_only_the_total_rounds() -> None:
    assert [half_up(Fraction(n, 2)) for n in (1, 3, -1, -3, 4)] == [1, 2, -1, -2, 2]
    assert half_up(Fraction(49, 100)) == 0


def test_names_of_day_counts() -> None:
    assert named_day_count("") is None
    assert named_day_count("30/360") is DayCount.THIRTY_360
    with pytest.raises(InputError, match=r"act/act, act/365, 30/360"):
        named_day_count("act/360")


@given(
    start=st.dates(date(2003, 1, 1), date(2026, 6, 30)),
    n=st.integers(0, 800),
    count=st.sampled_from(DayCount),
)
@settings(max_examples=150, deadline=None)
def test_the_weights_of_days_add_up_to_the_weight_of_their_period(start, n, count) -> None:
    end = start + timedelta(days=n)
    single = [start + timedelta(days=k) for k in range(n + 1)]
    assert sum(weight(day, day, count) for day in single) == int(weights(start, n + 1, count).sum())
    assert sum(days(day, day, count) for day in single) == days(start, end, count)


portfolio = st.lists(
    st.tuples(
        st.integers(1, 10**9),
        st.dates(date(2003, 1, 1), date(2025, 1, 1)),
        st.integers(0, 900),
        st.integers(0, 700),
        st.lists(st.tuples(st.integers(-200, 900), st.floats(0, 1)), max_size=4),
    ),
    min_size=1,
    max_size=12,
)


@given(
    claims=portfolio,
    party=st.sampled_from(Party),
    count=st.sampled_from(DayCount),
    cap=st.sampled_from([None, Decimal("4.125")]),
)
@settings(max_examples=120, deadline=None)
def test_the_block_form_equals_the_scalar_form_to_the_cent(claims, party, count, cap) -> None:
    terms = Terms(party, date(2003, 1, 1), day_count=count, overrides=Overrides(cap))
    scalar, rows, starts, ends = [], [], [], []
    for place, (principal, opened, wait, length, repaid) in enumerate(claims):
        start = opened + timedelta(days=wait)
        end = min(start + timedelta(days=length), date(2026, 12, 31))
        moves, left = [Movement(opened, principal)], principal
        for offset, share in repaid:
            part = int(left * share)
            left -= part
            moves.append(Movement(max(opened, start + timedelta(days=offset)), -part))
        start = min(start, end)
        scalar.append(accrue(moves, start, end, DE, terms).total)
        rows += [(place, move.day.toordinal() - EPOCH, move.amount) for move in moves]
        starts.append(start.toordinal() - EPOCH)
        ends.append(end.toordinal() - EPOCH)
    claim, day, amount = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    index = rate_index(DE, default_rate(DE, terms), count, terms.overrides)
    block = accrue_block(index, claim, day, amount, np.array(starts), np.array(ends))
    assert block.tolist() == scalar


EPOCH = date(1970, 1, 1).toordinal()


def _block(amount: int, start: date, end: date) -> int:
    index = rate_index(DE, default_rate(DE, CONSUMER_2024), DayCount.ACT_ACT)
    ints = [np.array([v], np.int64) for v in (0, start.toordinal() - EPOCH, amount)]
    ends = [np.array([d.toordinal() - EPOCH], np.int64) for d in (start, end)]
    return int(accrue_block(index, *ints, *ends)[0])


def test_sums_beyond_64_bits_stay_exact() -> None:
    amount, start, end = 10**15, date(2004, 1, 1), date(2025, 12, 31)
    terms = Terms(Party.CONSUMER, date(2004, 1, 1))
    assert _block(amount, start, end) == one(amount, start, end, terms).total


def test_a_block_refuses_what_it_cannot_work_out() -> None:
    with pytest.raises(NoRate, match="2027-01-01"):
        _block(100, date(2026, 12, 1), date(2027, 1, 1))
    with pytest.raises(NoRate, match="2001-12-31"):
        _block(100, date(2001, 12, 31), date(2002, 1, 1))
    assert _block(100_000, date(2026, 12, 1), date(2026, 12, 31)) > 0
    index = rate_index(DE, default_rate(DE, CONSUMER_2024), DayCount.ACT_ACT)
    start, end = np.array([19_800]), np.array([19_900])
    with pytest.raises(InputError, match="below zero"):
        accrue_block(index, np.array([0, 0]), np.array([19_700, 19_850]), np.array([100, -101]), start, end)
    with pytest.raises(InputError, match="in the order"):
        accrue_block(index, np.array([1, 0]), np.array([19_700, 19_700]), np.array([1, 1]), start, end)
    nothing = accrue_block(
        index, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), start, end
    )
    assert nothing.tolist() == [0]
