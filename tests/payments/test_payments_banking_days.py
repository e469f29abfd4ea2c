"""Days of TARGET2, from the calendar that the European Central Bank publishes."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.payments.plans.banking_days import banking_day


@pytest.mark.parametrize(
    ("day", "settles"),
    [
        (date(2026, 4, 1), date(2026, 4, 1)),
        (date(2026, 4, 3), date(2026, 4, 7)),  # Good Friday to the Tuesday after Easter
        (date(2026, 5, 1), date(2026, 5, 4)),  # Labour Day, a Friday
        (date(2026, 12, 25), date(2026, 12, 28)),
        (date(2027, 1, 1), date(2027, 1, 4)),
        (date(2026, 10, 3), date(2026, 10, 5)),  # a Saturday
        (date(2028, 10, 3), date(2028, 10, 3)),  # a German holiday on which TARGET2 is open
        (date(2026, 5, 14), date(2026, 5, 14)),  # Ascension Day too
    ],
)
def test_a_closed_day_moves_to_the_next_open_one(day, settles) -> None:
    assert banking_day(day) == settles


@given(st.dates(date(2020, 1, 1), date(2080, 12, 31)))
def test_it_is_never_earlier_soon_and_stays_where_it_is(day) -> None:
    found = banking_day(day)
    assert timedelta(0) <= found - day <= timedelta(days=5)
    assert found.weekday() < 5
    assert banking_day(found) == found
