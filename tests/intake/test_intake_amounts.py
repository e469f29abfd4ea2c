"""Amounts as people and programs write them."""

from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import assume, given
from hypothesis import strategies as st

from kulanz.intake.amounts import Amounts, parse_amounts
from kulanz.kernel.errors import InputError

CENTS = st.integers(-(10**12), 10**12)


def read(*values: str, currency: str = "EUR", digits: int = 2, mark: str = "") -> Amounts:
    n = len(values)
    return parse_amounts(
        values, [currency] * n, [digits] * n, rows=range(2, n + 2), column="Betrag", decimal_mark=mark
    )


def minor(*values: str, **options: object) -> list[int]:
    read_in = read(*values, **options)  # type: ignore[arg-type]
    assert not read_in.faults
    return [int(value) for value in read_in.minor]


def test_a_german_column() -> None:
    assert minor("1.234,50", "12", "-7,5", "0,01", "1.000") == [123450, 1200, -750, 1, 100000]


def test_an_english_column() -> None:
    assert minor("1,234.50", "12", "-7.5", "0.01", "1,000") == [123450, 1200, -750, 1, 100000]


def test_swiss_and_french_thousands() -> None:
    assert minor("1'234.50", "1’234.50", "1 234.50", "1\u202f234.50") == [123450] * 4


def test_signs_stand_before_or_after_or_as_brackets() -> None:
    assert minor("-12.50", "12.50-", "(12.50)", "\u221212.50", "+12.50") == [-1250, -1250, -1250, -1250, 1250]


def test_currency_signs_on_either_side() -> None:
    assert minor("12,50 €", "€ 12,50", "EUR 12,50", "12,50EUR", "-€12,50", "12,- €") == [
        1250, 1250, 1250, 1250, -1250, 1200,
    ]  # fmt: skip


def test_another_currencys_sign_is_an_error_of_its_row() -> None:
    result = read("12,50 €", "$ 12,50")
    assert list(result.faults) == [1]
    assert "EUR" in result.faults[1]


def test_a_column_that_never_shows_its_decimal_mark_is_refused_with_the_way_out() -> None:
    with pytest.raises(InputError, match=r"'1\.234' \(row 3\).*decimal_mark"):
        read("12", "1.234", "5.678")


def test_the_mapping_decides_what_the_column_leaves_open() -> None:
    assert minor("1.234", mark=",") == [123400]
    assert minor("1.23", mark=".") == [123]


def test_a_column_with_both_marks_is_refused_naming_a_row_of_each() -> None:
    with pytest.raises(InputError, match=r"'12\.50' \(row 2\), '12,50' \(row 3\)"):
        read("12.50", "12,50")


def test_one_stray_value_in_a_long_column_is_an_error_of_its_row_only() -> None:
    result = read(*["12,50"] * 40, "12.50")
    assert list(result.faults) == [40]
    assert "decimal comma" in result.faults[40]


def test_more_decimals_than_the_currency_has() -> None:
    assert "more decimals than EUR" in read("12.345", "1.50").faults[0]
    assert minor("12.500", "1.50") == [1250, 150]
    assert minor("1.234", "0.5", currency="KWD", digits=3) == [1234, 500]
    assert "more decimals than JPY" in read("12.5", currency="JPY", digits=0).faults[0]


def test_yen_without_decimals_has_one_reading_for_its_thousands() -> None:
    assert minor("1,234", "1,234,567", currency="JPY", digits=0) == [1234, 1234567]


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "n/a",
        "-",
        "€",
        "12abc",
        "1e3",
        "NaN",
        "inf",
        "1.23.45",
        "12,34,5",
        "--5",
        "(5",
        "1 2",
        "0x10",
        "٣",
        "#REF!",
    ],
)
def test_what_is_no_amount_is_an_error_and_never_zero(value: str) -> None:
    assert list(read("1.50", "2.50", value).faults) == [2]


def test_an_amount_beyond_all_bounds() -> None:
    assert "larger" in read("9" * 17).faults[0]
    assert "larger" in read("9" * 5_000 + ".00").faults[0]


@given(st.lists(CENTS, min_size=1, max_size=20), st.sampled_from(["de", "en", "de_CH", "fr", "da", "en_GB"]))
def test_what_babel_writes_is_read_back(cents: list[int], locale: str) -> None:
    values = [format_decimal(Decimal(c) / 100, "#,##0.00", locale=locale) for c in cents]
    assert minor(*values) == cents


@given(st.lists(st.integers(1, 999_999), min_size=1, max_size=10))
def test_whole_thousands_alone_are_never_guessed(values: list[int]) -> None:
    written = [f"{value:,}" for value in values]
    assume(any(value >= 1_000 for value in values))
    with pytest.raises(InputError, match="two ways"):
        read(*written)


@given(st.text(max_size=12))
def test_any_text_is_read_or_reported_but_never_crashes(text: str) -> None:
    try:
        result = read(text, mark=".")
    except InputError:
        return
    if not result.faults:
        assert any(char in "0123456789" for char in text)
