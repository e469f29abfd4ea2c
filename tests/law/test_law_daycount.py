"""Day counts by name; expected values are counted on the calendar or by the rule of the month written out."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.law.daycount import DENOMINATOR, days, is_leap, weight, weights
from kulanz.law.figures.interest import DayCount

ACT_ACT, ACT_365, THIRTY = DayCount.ACT_ACT, DayCount.ACT_365, DayCount.THIRTY_360


def share(start: date, end: date, count: DayCount) -> Fraction:
    return Fraction(weight(start, end, count), DENOMINATOR[count])


@pytest.mark.parametrize(
    ("start", "end", "actual", "thirty"),
    [
        (date(2024, 1, 1), date(2024, 1, 1), 1, 1),
        (date(2024, 1, 1), date(2024, 1, 30), 30, 29),
        (date(2024, 1, 1), date(2024, 1, 31), 31, 30),
        (date(2024, 1, 31), date(2024, 1, 31), 1, 1),
        (date(2024, 1, 30), date(2024, 1, 30), 1, 0),
        (date(2024, 2, 1), date(2024, 2, 29), 29, 30),
        (date(2023, 2, 1), date(2023, 2, 28), 28, 30),
        (date(2023, 2, 28), date(2023, 2, 28), 1, 3),
        (date(2024, 1, 1), date(2024, 12, 31), 366, 360),
        (date(2023, 1, 1), date(2023, 12, 31), 365, 360),
    ],
)
def test_days_of_a_period_with_both_ends(start: date, end: date, actual: int, thirty: int) -> None:
    """30E/360 reads [start, end] as from start to the day after end, each 31st taken as the 30th."""
    assert days(start, end, ACT_ACT) == days(start, end, ACT_365) == actual
    assert days(start, end, THIRTY) == thirty


def test_the_31st_counts_as_the_30th() -> None:
    """From 30 January up to 31 January no day passes, and from 31 January up to 1 February one does."""
    assert days(date(2024, 1, 30), date(2024, 1, 31), THIRTY) == 1
    assert days(date(2024, 1, 31), date(2024, 2, 29), THIRTY) == 31
    assert days(date(2024, 1, 31), date(2024, 3, 30), THIRTY) == 60


def test_no_days_before_the_start() -> None:
    for count in DayCount:
        assert days(date(2024, 1, 2), date(2024, 1, 1), count) == 0
        assert weight(date(2024, 1, 2), date(2024, 1, 1), count) == 0


def test_a_whole_year_is_one_year_where_the_count_says_so() -> None:
    assert share(date(2023, 1, 1), date(2023, 12, 31), ACT_ACT) == 1
    assert share(date(2024, 1, 1), date(2024, 12, 31), ACT_ACT) == 1
    assert share(date(2023, 1, 1), date(2023, 12, 31), ACT_365) == 1
    assert share(date(2024, 1, 1), date(2024, 12, 31), ACT_365) == Fraction(366, 365)
    assert share(date(2024, 1, 1), date(2024, 12, 31), THIRTY) == 1


def test_a_day_of_a_leap_year_weighs_less() -> None:
    assert share(date(2024, 6, 1), date(2024, 6, 1), ACT_ACT) == Fraction(1, 366)
    assert share(date(2023, 6, 1), date(2023, 6, 1), ACT_ACT) == Fraction(1, 365)
    assert share(date(2024, 6, 1), date(2024, 6, 1), ACT_365) == Fraction(1, 365)
    assert share(date(2024, 6, 1), date(2024, 6, 1), THIRTY) == Fraction(1, 360)
    assert {ACT_ACT: 365 * 366, ACT_365: 365, THIRTY: 360} == DENOMINATOR


@pytest.mark.parametrize(
    ("year", "leap"), [(2023, False), (2024, True), (2000, True), (2100, False), (2400, True), (1900, False)]
)
def test_leap_years_are_those_of_the_gregorian_calendar(year: int, leap: bool) -> None:
    assert is_leap(year) is leap
    in_year = 366 if leap else 365
    assert len(weights(date(year, 1, 1), in_year, ACT_ACT)) == in_year
    assert set(weights(date(year, 1, 1), in_year, ACT_ACT).tolist()) == {365 if leap else 366}


def test_the_weights_of_a_leap_days_week_by_hand() -> None:
    """28 February to 2 March 2024: in 30E/360 the 28th and 29th are one day and two, so that March begins on time."""
    assert weights(date(2024, 2, 28), 4, THIRTY).tolist() == [1, 2, 1, 1]
    assert weights(date(2024, 1, 29), 4, THIRTY).tolist() == [1, 0, 1, 1]
    assert weights(date(2023, 12, 30), 4, ACT_ACT).tolist() == [366, 366, 365, 365]
    assert weights(date(2023, 12, 30), 4, ACT_365).tolist() == [1, 1, 1, 1]


@given(
    start=st.dates(date(1990, 1, 1), date(2099, 1, 1)),
    n=st.integers(0, 4000),
    count=st.sampled_from(DayCount),
)
@settings(max_examples=200, deadline=None)
def test_periods_that_meet_add_up(start: date, n: int, count: DayCount) -> None:
    """Where a period is cut makes no difference; for act/act it may be cut anywhere within a year."""
    end = start + timedelta(days=n)
    middle = start + timedelta(days=n // 3)
    after = middle + timedelta(days=1)
    assert days(start, middle, count) + days(after, end, count) == days(start, end, count)
    if start.year == end.year:
        assert weight(start, middle, count) + weight(after, end, count) == weight(start, end, count)
