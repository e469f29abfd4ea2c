"""Default interest at its edges: first and last days, single cents, halves, ends of years, sums that do not fit."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.accrual import RateIndex, accrue_block, rate_index
from kulanz.law.figures.interest import DayCount, Party
from kulanz.law.interest import Movement, accrue, half_up
from kulanz.law.packs import NoRate, load
from kulanz.law.rates import NO_OVERRIDES, Overrides, Terms, check_known, default_rate

DE, AT, CH = load("DE"), load("AT"), load("CH")
EPOCH = date(1970, 1, 1)
CONSUMER = Terms(Party.CONSUMER, date(2022, 1, 1))


def epoch(*days: date) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([(day - EPOCH).days for day in days], np.int64)


def ints(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def fresh_index(overrides: Overrides = NO_OVERRIDES, count: DayCount = DayCount.ACT_ACT) -> RateIndex:
    """Worked out anew: what another test left behind must not answer."""
    return rate_index.__wrapped__(DE, default_rate(DE, CONSUMER), count, overrides)


def percent(denominator: int) -> RateIndex:
    """1 minor unit for each `denominator` of amount x days."""
    return RateIndex(EPOCH, date(1970, 4, 10), np.arange(101), denominator)


def test_the_index_counts_rate_times_weight_day_by_day() -> None:
    """2002 begins with 2.57 + 5 = 7.570 %: 7,570 thousandths x 366 parts of a year of 365 days."""
    index = fresh_index()
    assert (index.first, index.known_until) == (date(2002, 1, 1), date(2026, 12, 31))
    assert index.sums[:3].tolist() == [0, 7570 * 366, 2 * 7570 * 366]
    assert len(index.sums) == (date(2026, 12, 31) - date(2002, 1, 1)).days + 2
    assert index.denominator == 100 * 1000 * 365 * 366
    july = (date(2026, 7, 1) - date(2002, 1, 1)).days
    assert int(index.sums[july + 1] - index.sums[july]) == 6520 * 366
    assert int(index.sums[july] - index.sums[july - 1]) == 6270 * 366
    assert int(index.sums[-1] - index.sums[-2]) == 6520 * 366
    leap = (date(2024, 2, 29) - date(2002, 1, 1)).days
    assert int(index.sums[leap + 1] - index.sums[leap]) == 8620 * 365


def test_the_index_of_a_lower_rate_never_goes_above_it() -> None:
    steps = np.diff(fresh_index(Overrides(Decimal("4.125")), DayCount.ACT_365).sums)
    assert set(steps.tolist()) == {4125, 4120}, "4.12 = 5 - 0.88 is lower still"
    assert set(np.diff(fresh_index(Overrides(Decimal(0)), DayCount.ACT_365).sums).tolist()) == {0}


def test_a_rate_with_four_decimals_is_refused_for_columns() -> None:
    with pytest.raises(InputError, match=r"at most three decimals; 1\.2345 percent has more"):
        fresh_index(Overrides(Decimal("1.2345")))


def test_a_fixed_rate_has_an_index_from_its_first_day() -> None:
    rule = default_rate(CH, CONSUMER)
    index = rate_index.__wrapped__(CH, rule, DayCount.ACT_365, NO_OVERRIDES)
    assert (index.first, index.known_until) == (date(1912, 1, 1), date(2030, 12, 31))
    assert set(np.diff(index.sums).tolist()) == {5000}


def test_halves_of_a_cent_round_up_in_columns_as_in_rows() -> None:
    """Over a denominator of 4: 1 x 1 day is a quarter, 2 a half, 3 three quarters, 6 one and a half."""
    totals = [
        int(accrue_block(percent(4), ints(0), ints(0), ints(amount), ints(0), ints(0))[0])
        for amount in (1, 2, 3, 4, 5, 6)
    ]
    assert totals == [0, 1, 1, 1, 1, 2]
    assert totals == [half_up(Fraction(amount, 4)) for amount in (1, 2, 3, 4, 5, 6)]


def test_a_movement_counts_from_its_own_day_to_the_last_included() -> None:
    index = percent(1)
    one = lambda day, start, end: int(  # noqa: E731
        accrue_block(index, ints(0), ints(day), ints(1), ints(start), ints(end))[0]
    )
    assert one(0, 10, 10) == 1
    assert one(10, 10, 12) == 3
    assert one(12, 10, 12) == 1
    assert one(13, 10, 12) == 0
    assert one(10, 12, 10) == 0
    assert one(0, 0, 99) == 100, "the first and the last day that the index knows"
    for start, end, missing in ((-1, 5, "1969-12-31"), (5, 100, "1970-04-11")):
        with pytest.raises(NoRate, match=f"no rate of default interest for {missing}"):
            one(-5, start, end)


def test_a_claim_without_days_does_not_ask_for_a_rate() -> None:
    found = accrue_block(percent(1), ints(0, 1), ints(0, 500), ints(7, 7), ints(1, 500), ints(2, 499))
    assert found.tolist() == [14, 0]
    assert found.dtype == np.int64


def test_sums_just_below_and_above_what_fits_are_the_same_exact_ones() -> None:
    """With a denominator of 3, amount x span grows through 2**61 and 2**62, where the sums leave 64 bits."""
    for amount in (2**60 - 1, 2**60, 2**61 - 2, 2**61 - 1, 2**61):
        index = RateIndex(EPOCH, date(1970, 1, 4), ints(0, 1, 2, 3), 3)
        found = accrue_block(index, ints(0), ints(0), ints(amount), ints(0), ints(2))
        assert found.tolist() == [amount]
        assert found.dtype == np.int64


def test_claims_in_columns_do_not_see_each_others_movements() -> None:
    claim, day = ints(0, 0, 2, 2, 2, 3), ints(0, 2, 0, 1, 3, 0)
    amount = ints(10, -10, 5, 5, -9, 8)
    start, end = ints(0, 0, 0, 0), ints(4, 4, 4, 4)
    found = accrue_block(percent(1), claim, day, amount, start, end)
    assert found.tolist() == [10 * 2, 0, 5 + 10 + 10 + 1 + 1, 8 * 5]


@pytest.mark.parametrize(
    ("claim", "day", "amount", "fits"),
    [
        ((0, 0), (0, 1), (5, -5), True),
        ((0, 0), (0, 1), (5, -6), False),
        ((0, 0), (1, 0), (5, -5), False),
        ((0, 0), (1, 1), (-5, 5), True),
        ((0, 0, 0), (0, 1, 1), (5, -6, 1), True),
        ((0, 0, 0), (0, 1, 2), (5, -6, 1), False),
        ((0, 1, 1), (0, 0, 1), (9, 5, -6), False),
        ((0, 1, 1), (0, 0, 1), (9, 5, -5), True),
        ((0, 2, 2), (5, 0, 0), (9, -1, 1), True),
        ((0, 1, 1, 2), (0, 0, 1, 1), (9, 5, -6, 9), False),
        ((0, 0, 1), (0, 3, 3), (5, -6, 9), False),
        ((0, 0, 2), (0, 3, 3), (5, -5, 9), True),
        ((0, 0, 1, 1), (0, 3, 1, 2), (5, -6, 9, -9), False),
    ],
)
def test_no_principal_is_below_zero_at_the_end_of_a_day(claim, day, amount, fits: bool) -> None:
    """What is booked and taken back on one day does not matter, in whatever order it stands."""
    start, end = np.zeros(3, np.int64), np.full(3, 9)
    if fits:
        accrue_block(percent(1), ints(*claim), ints(*day), ints(*amount), start, end)
        return
    with pytest.raises(InputError, match=r"^The principal of a claim falls below zero; set its credit off"):
        accrue_block(percent(1), ints(*claim), ints(*day), ints(*amount), start, end)


def test_movements_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match=r"^Movements come in the order of their claims\.$"):
        accrue_block(percent(1), ints(1, 0), ints(0, 0), ints(1, 1), ints(0, 0), ints(1, 1))


def test_one_cent_bears_interest_and_nothing_does_not() -> None:
    first, last = date(2023, 1, 1), date(2023, 1, 31)
    assert [row.principal for row in accrue([Movement(first, 1)], first, last, DE, CONSUMER).rows] == [1]
    assert accrue([Movement(first, 0)], first, last, DE, CONSUMER).rows == ()
    assert accrue([], first, last, DE, CONSUMER).total == 0


def test_a_payment_on_the_last_day_is_a_row_of_its_own_and_one_on_the_first_none() -> None:
    first, last = date(2023, 1, 1), date(2023, 1, 31)
    paid = [Movement(first, 1000), Movement(last, -400)]
    rows = accrue(paid, first, last, DE, CONSUMER).rows
    assert [(row.start, row.end, row.days, row.principal) for row in rows] == [
        (first, date(2023, 1, 30), 30, 1000),
        (last, last, 1, 600),
    ]
    late = accrue(
        [Movement(first, 1000), Movement(last + timedelta(days=1), -400)], first, last, DE, CONSUMER
    )
    assert [row.days for row in late.rows] == [31]
    early = accrue([Movement(first, 1000), Movement(first, -400)], first, last, DE, CONSUMER)
    assert [(row.days, row.principal) for row in early.rows] == [(31, 600)]


def test_act_act_splits_at_every_new_year_though_the_rate_stays() -> None:
    """Austria's 4 % on 100,000.00: half of December 2023, all of 2024, January 2025; 4,000.00 for the leap year."""
    first, last = date(2023, 12, 17), date(2025, 1, 31)
    found = accrue([Movement(first, 10_000_000)], first, last, AT, CONSUMER)
    assert [(row.start, row.end, row.days) for row in found.rows] == [
        (date(2023, 12, 17), date(2023, 12, 31), 15),
        (date(2024, 1, 1), date(2024, 12, 31), 366),
        (date(2025, 1, 1), date(2025, 1, 31), 31),
    ]
    assert [row.amount for row in found.rows] == [
        Fraction(400_000 * 15, 365),
        400_000,
        Fraction(400_000 * 31, 365),
    ]


def test_a_rate_that_changes_on_the_last_day_is_a_row_of_its_own() -> None:
    first, last = date(2023, 6, 30), date(2023, 7, 1)
    found = accrue([Movement(first, 1000)], first, last, DE, CONSUMER)
    assert [(row.days, row.rate) for row in found.rows] == [(1, Decimal("6.62")), (1, Decimal("8.12"))]
    assert [row.days for row in accrue([Movement(last, 1000)], last, last, DE, CONSUMER).rows] == [1]


def test_rows_count_their_days_as_the_day_count_does() -> None:
    terms = replace(CONSUMER, day_count=DayCount.THIRTY_360)
    first, last = date(2023, 1, 1), date(2023, 2, 28)
    found = accrue([Movement(first, 36_000)], first, last, DE, terms)
    assert [(row.days, row.amount) for row in found.rows] == [(60, Fraction(36_000 * 662 * 60, 10_000 * 360))]
    assert found.total == 397  # 397.2


def test_the_result_carries_its_rule_and_names_what_was_not_seen() -> None:
    """The nine points for a continuing contract of 2010 rest on a transitional rule that was not seen."""
    terms = Terms(Party.BUSINESS, date(2010, 1, 1), date(2016, 7, 1), DayCount.ACT_ACT)
    first = date(2023, 1, 1)
    found = accrue([Movement(first, 1000)], first, first, DE, terms)
    assert found.rule == default_rate(DE, terms)
    assert [(c.what, c.valid_from) for c in found.caveats] == [("default interest rate", date(2014, 7, 29))]


def test_a_single_day_without_a_rate_has_none() -> None:
    for day in (date(2027, 1, 1), date(2001, 12, 31)):
        with pytest.raises(NoRate):
            accrue([Movement(day, 1000)], day, day, DE, CONSUMER)
        with pytest.raises(NoRate):
            check_known(DE, default_rate(DE, CONSUMER), day, day)
    after = date(2031, 1, 1)
    with pytest.raises(NoRate, match="default_rates rule of CH for 2031-01-01"):
        accrue([Movement(after, 1000)], after, after, CH, CONSUMER)


def test_a_debt_may_arise_on_the_last_known_day_and_not_after() -> None:
    assert default_rate(CH, Terms(Party.CONSUMER, date(2030, 12, 31))).percent == 5
    with pytest.raises(NoRate) as caught:
        default_rate(CH, Terms(Party.CONSUMER, date(2031, 1, 1)))
    assert str(caught.value) == (
        "The law packs hold no default interest of CH for a consumer for 2031-01-01. "
        "Add a dated, sourced row before going on: kulanz law rows add."
    )


def test_a_creditor_may_ask_for_no_interest_at_all() -> None:
    first, last = date(2023, 1, 1), date(2023, 12, 31)
    free = replace(CONSUMER, overrides=Overrides(Decimal(0)))
    assert accrue([Movement(first, 100_000)], first, last, DE, free).total == 0
    half = replace(CONSUMER, overrides=Overrides(Decimal("0.5")))
    assert accrue([Movement(first, 100_000)], first, last, DE, half).total == 500
    for wrong in ("-0.001", "NaN", "Infinity"):
        with pytest.raises(InputError, match=r"^The highest interest rate is a percentage such as 4\.5"):
            Overrides(Decimal(wrong))
