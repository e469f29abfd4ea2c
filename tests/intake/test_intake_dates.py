"""Dates as people and programs write them."""

from datetime import date

import pytest
from babel.dates import format_date
from hypothesis import example, given
from hypothesis import strategies as st

from kulanz.intake.dates import Dates, date_order, parse_dates
from kulanz.kernel.errors import InputError

DAYS = st.dates(date(1950, 1, 1), date(2090, 12, 31))


def read(*values: str, order: str = "") -> Dates:
    return parse_dates(values, rows=range(2, len(values) + 2), column="Fällig", order=order)


def days(*values: str, order: str = "") -> list[date]:
    result = read(*values, order=order)
    assert not result.faults
    return [day.item() for day in result.days]


def test_one_day_beyond_the_twelfth_decides_for_its_column() -> None:
    assert days("1/2/2024", "13/2/2024") == [date(2024, 2, 1), date(2024, 2, 13)]
    assert days("1/2/2024", "2/13/2024") == [date(2024, 1, 2), date(2024, 2, 13)]


def test_a_column_that_never_tells_is_refused_with_the_way_out() -> None:
    with pytest.raises(InputError, match=r"'1/2/2024' \(row 3\).*date_format"):
        read("3/3/2024", "1/2/2024")


def test_the_mapping_decides_what_the_column_leaves_open() -> None:
    assert days("1/2/2024", order=date_order("mm/dd/yyyy")) == [date(2024, 1, 2)]
    assert days("1/2/2024", order=date_order("TT/MM/JJJJ")) == [date(2024, 2, 1)]
    assert days("24-01-02", order=date_order("%y-%m-%d")) == [date(2024, 1, 2)]


def test_a_column_with_both_orders_is_refused_naming_a_row_of_each() -> None:
    with pytest.raises(InputError, match=r"'13/1/2024' \(row 3\), '1/13/2024' \(row 2\)"):
        read("1/13/2024", "13/1/2024")


def test_forms_that_say_their_order_themselves() -> None:
    expected = date(2024, 2, 1)
    for written in (
        "2024-02-01", "2024/02/01", "20240201", "01.02.2024", "1.2.24", "1. Februar 2024", "01-Feb-2024", "1 Feb 24",
        "Feb 1, 2024", "February 1 2024", "2024-02-01T23:59:59Z", "01.02.2024 08:15",
    ):  # fmt: skip
        assert days(written) == [expected], written


def test_the_same_day_and_month_needs_no_order() -> None:
    assert days("3/3/2024") == [date(2024, 3, 3)]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "30.02.2024",
        "29.02.2023",
        "00.01.2024",
        "32.01.2024",
        "13.13.2024",
        "1.2.202",
        "45323",
        "24-02-13",
        "01.02",
    ],
)
def test_what_is_no_date_is_an_error_of_its_row(value: str) -> None:
    assert list(read("13.01.2024", "01.02.2024", value).faults) == [2]


def test_a_spreadsheets_day_number_is_recognised() -> None:
    assert "spreadsheet" in read("13.01.2024", "45323").faults[1]


def test_a_leap_day() -> None:
    assert days("29.02.2024") == [date(2024, 2, 29)]


def test_a_format_that_is_none() -> None:
    with pytest.raises(InputError, match=r"dd\.mm\.yyyy"):
        date_order("whenever")


@given(st.lists(DAYS, min_size=1, max_size=20), st.sampled_from(["de", "en_GB", "en", "de_CH"]))
def test_what_babel_writes_is_read_back_or_refused(written: list[date], locale: str) -> None:
    pattern = {"de": "d.M.y", "en_GB": "dd/MM/y", "en": "M/d/y", "de_CH": "dd.MM.y"}[locale]
    values = [format_date(day, pattern, locale=locale) for day in written]
    plain = (
        "." in values[0]
        or any(day.day > 12 for day in written)
        or all(day.day == day.month for day in written)
    )
    if not plain:
        with pytest.raises(InputError, match="two ways"):
            read(*values)
    else:
        assert days(*values) == written


@given(
    st.lists(DAYS, min_size=1, max_size=5),
    st.sampled_from(["d. MMMM y", "d MMM y"]),
    st.sampled_from(["de", "en"]),
)
def test_months_by_name_are_read_back(written: list[date], pattern: str, locale: str) -> None:
    assert days(*(format_date(day, pattern, locale=locale) for day in written)) == written


@example("²")  # a digit to str.isdigit, no number to int
@given(st.text(max_size=12))
def test_any_text_is_read_or_reported_but_never_crashes(text: str) -> None:
    result = read(text, order="dmy")
    assert bool(result.faults) == any(str(day) == "NaT" for day in result.days)
