"""Days on which banks of the euro area settle: those of TARGET2, no Saturdays, no Sundays."""

from datetime import date, timedelta
from functools import lru_cache

import holidays

_DAY = timedelta(days=1)
_SATURDAY = 5


def banking_day(day: date) -> date:
    """The day itself or the next one on which TARGET2 is open: a debit due on a closed day is collected then."""
    while day.weekday() >= _SATURDAY or day in _closed(day.year):
        day += _DAY
    return day


@lru_cache(maxsize=64)
def _closed(year: int) -> frozenset[date]:
    return frozenset(holidays.financial_holidays("ECB", years=year))
