"""Money keeps minor units, time comes from one clock."""

from datetime import UTC, datetime, timedelta

import pytest

from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import Money, digits, to_minor


@pytest.mark.parametrize(("currency", "expected"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_each_currency_has_its_own_decimals(currency: str, expected: int) -> None:
    assert digits(currency) == expected


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.50", "EUR", 1250), ("12.5", "EUR", 1250), ("7", "JPY", 7), ("-0.005", "KWD", -5)],
)
def test_decimal_amounts_become_minor_units(text: str, currency: str, minor: int) -> None:
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [("12.505", "EUR"), ("1.5", "JPY"), ("abc", "EUR"), ("NaN", "EUR"), ("Infinity", "EUR")],
)
def test_what_is_no_amount_of_that_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(InputError):
        to_minor(text, currency)


def test_currencies_never_mix() -> None:
    with pytest.raises(InputError, match="different currencies"):
        Money(1, "EUR") + Money(1, "USD")


def test_people_read_amounts_in_their_own_language() -> None:
    assert Money(123456, "EUR").format("de") == "1.234,56\xa0€"
    assert Money(123456, "EUR").format("en") == "€1,234.56"


def test_a_virtual_clock_moves_only_when_told_and_never_back() -> None:
    start = datetime(2026, 1, 5, 7, tzinfo=UTC)
    with clock.virtual(start) as virtual:
        assert clock.now() == start
        virtual.advance(timedelta(hours=17, minutes=30))
        assert clock.today("Europe/Berlin").isoformat() == "2026-01-06"
        with pytest.raises(ValueError, match="backwards"):
            virtual.advance_to(start)
    assert clock.now() > start
