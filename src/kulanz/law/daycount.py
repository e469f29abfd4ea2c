"""Day counts as whole-number weights: a period's share of a year is the sum of its days' weights over one number."""

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from kulanz.law.figures.interest import DayCount

_COMMON_YEAR, _LEAP_YEAR = 365, 366
DENOMINATOR = {DayCount.ACT_ACT: _COMMON_YEAR * _LEAP_YEAR, DayCount.ACT_365: 365, DayCount.THIRTY_360: 360}
"""A day weighs weight / denominator of a year."""
_DAY = timedelta(days=1)


def days(start: date, end: date, day_count: DayCount) -> int:
    """Interest days from `start` to `end`, both included; 0 where `end` is before `start`."""
    if end < start:
        return 0
    if day_count is DayCount.THIRTY_360:
        return _months(end + _DAY) - _months(start)
    return (end - start).days + 1


def weight(start: date, end: date, day_count: DayCount) -> int:
    """The weight of the days from `start` to `end`, both in one calendar year where the count is act/act."""
    whole = days(start, end, day_count)
    if day_count is not DayCount.ACT_ACT:
        return whole
    return whole * (_COMMON_YEAR if is_leap(start.year) else _LEAP_YEAR)


def weights(first: date, n: int, day_count: DayCount) -> NDArray[np.int64]:
    """The weight of each of `n` days from `first` on, int64[n]."""
    if day_count is DayCount.ACT_365:
        return np.ones(n, np.int64)
    dates = np.datetime64(first, "D") + np.arange(n + 1)
    if day_count is DayCount.THIRTY_360:
        months = dates.astype("datetime64[M]")
        day = (dates - months).astype(np.int64) + 1
        steps: NDArray[np.int64] = np.diff(30 * months.astype(np.int64) + np.minimum(day, 30))
        return steps
    year = dates[:n].astype("datetime64[Y]").astype(np.int64) + 1970
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return np.where(leap, _COMMON_YEAR, _LEAP_YEAR)


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _months(day: date) -> int:
    """Days since year 0 where each month has 30."""
    return 360 * day.year + 30 * day.month + min(day.day, 30)
