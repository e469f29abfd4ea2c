"""A column of dates as written by people and programs -> days.

Whether 3/4/2024 is in March or April is decided once per column from all its values. A column that never tells is
refused, never guessed. A year first (ISO 8601) and dots (day.month.year wherever dots are written) do tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kulanz.intake.problems import MAX_STRAY_SHARE, shown
from kulanz.kernel.errors import InputError

MIN_YEAR, MAX_YEAR = 1900, 2199
CENTURY = 2000
"""Two-digit years lie in this century."""
MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan january januar jänner",
            "feb february februar",
            "mar march mär mrz märz",
            "apr april",
            "may mai",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct okt october oktober",
            "nov november",
            "dec dez december dezember",
        ),
        start=1,
    )
    for name in names.split()
}
_TIME = (
    r"[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)? ?(?:[AaPp][Mm])?(?:Z|[+-][0-9]{2}:?[0-9]{2})?$"
)
_COMPACT = r"^((?:19|20|21)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])$"
_NUMBERS = r"^([0-9]{1,4})([./-]) ?([0-9]{1,2})[./-] ?([0-9]{1,4})$"
_DAY_AND_NAME = r"^(?P<day>[0-9]{1,2})[. -]+(?P<name>\p{L}{3,9})\.?[ ,-]+(?P<year>[0-9]{4}|[0-9]{2})$"
_NAME_AND_DAY = r"^(?P<name>\p{L}{3,9})\.? (?P<day>[0-9]{1,2}),? (?P<year>[0-9]{4})$"
_PARTS = ["first", "separator", "second", "third"]
_LETTERS = {"t": "d", "j": "y", "d": "d", "m": "m", "y": "y"}


@dataclass(frozen=True, slots=True)
class Dates:
    """`days` datetime64[D] of n rows, NaT where not readable; `faults` says by index why."""

    days: NDArray[np.datetime64]
    faults: dict[int, str]


def date_order(written: str) -> str:
    """`dmy`, `mdy` or `ymd` for a format such as `dd.mm.yyyy`, `TT.MM.JJJJ`, `%m/%d/%Y` or `mdy`."""
    letters = (_LETTERS[char] for char in written.lower() if char in _LETTERS)
    order = "".join(dict.fromkeys(letters))
    if order not in ("dmy", "mdy", "ymd"):
        raise InputError(f"{written!r} is not a date format. Write dd.mm.yyyy, mm/dd/yyyy or yyyy-mm-dd.")
    return order


def parse_dates(
    values: Sequence[str], *, rows: Sequence[int], column: str = "date", order: str = ""
) -> Dates:
    """Read a column; `order` is `dmy`, `mdy`, `ymd` or empty, `rows` name the lines in messages.

    Raises InputError when the order cannot be decided and is not given.
    """
    parts = _taken_apart(values)
    used = order or _decide(parts, values, rows, column)
    days = _days(parts, used, short_years_are_plain=bool(order))
    bad = np.flatnonzero(np.isnat(days)).tolist()
    return Dates(days, {index: _reason(values[index], used) for index in bad})


def _taken_apart(values: Sequence[str]) -> pl.DataFrame:
    """The three numbers as written; `year_first` where the order is plain from the value itself."""
    text = pl.Series("text", values, dtype=pl.String).str.strip_chars().str.replace(_TIME, "")
    text = text.str.replace(_COMPACT, "$1-$2-$3")
    if text.str.contains(r"\p{L}").any():
        text = _months_as_numbers(text)
    parts = text.str.extract_groups(_NUMBERS).struct.unnest()
    parts.columns = _PARTS
    return parts.with_columns(
        pl.col("first", "second", "third").cast(pl.Int32),
        year_first=pl.col("first").str.len_chars() == 4,
        year_length=pl.col("third").str.len_chars(),
    )


def _months_as_numbers(text: pl.Series) -> pl.Series:
    """`31 Jan 2024`, `31. Januar 2024` and `Jan 31, 2024` as 2024-01-31."""
    for pattern in (_DAY_AND_NAME, _NAME_AND_DAY):
        month = pl.col("name").str.to_lowercase().replace_strict(MONTHS, default=None, return_dtype=pl.Int64)
        short = (
            pl.when(pl.col("year").str.len_chars() == 2)
            .then(pl.lit(str(CENTURY // 100)))
            .otherwise(pl.lit(""))
        )
        iso = pl.concat_str(short, "year", pl.lit("-"), month, pl.lit("-"), "day")
        named = text.str.extract_groups(pattern).struct.unnest().select(iso=iso)["iso"]
        text = pl.select(pl.coalesce(named, text)).to_series()
    return text


def _decide(parts: pl.DataFrame, values: Sequence[str], rows: Sequence[int], column: str) -> str:
    open_order = parts["year_first"].not_().fill_null(False)
    large_first, large_second = (parts[name] > 12 for name in ("first", "second"))
    day_first = (open_order & large_first & ~large_second).fill_null(False).to_numpy()
    month_first = (open_order & large_second & ~large_first).fill_null(False).to_numpy()
    either = open_order & ~large_first & ~large_second & (parts["first"] != parts["second"])
    unsure = (either & (parts["separator"] != ".")).fill_null(False).to_numpy()
    counts = {"dmy": int(day_first.sum()), "mdy": int(month_first.sum())}
    hint = 'Set date_format = "dd/mm/yyyy" or date_format = "mm/dd/yyyy" in the mapping.'

    def example(mask: NDArray[np.bool_]) -> str:
        first = int(np.argmax(mask))
        return f"{shown(values[first])!r} (row {rows[first]})"

    if min(counts.values()) > MAX_STRAY_SHARE * max(counts.values()):
        raise InputError(
            f"The column {column!r} mixes day first and month first: {example(day_first)}, "
            f"{example(month_first)}. {hint}"
        )
    if max(counts.values()) == 0 and unsure.any():
        raise InputError(
            f"The column {column!r} can be read in two ways: {example(unsure)} may begin with the day or the month, "
            f"and no other value tells. {hint}"
        )
    return "dmy" if counts["dmy"] >= counts["mdy"] else "mdy"


def _days(parts: pl.DataFrame, order: str, *, short_years_are_plain: bool) -> NDArray[np.datetime64]:
    """A short year between hyphens may stand at either end, so it counts only in an order that was given."""
    place = dict(zip(order, ("first", "second", "third"), strict=True))
    iso = pl.col("year_first")
    year_fits = pl.col("year_length").is_in([2, 4]) & (pl.lit(order != "ymd") | (pl.col("year_length") <= 2))
    short = pl.col(place["y"]) < 100
    plain = pl.lit(short_years_are_plain) | (pl.col("separator") != "-")
    frame = parts.with_columns(
        valid=pl.when(iso).then(pl.col("year_length") <= 2).otherwise(year_fits & (~short | plain)),
        year=pl.when(iso).then("first").otherwise(pl.col(place["y"]) + short.cast(pl.Int32) * CENTURY),
        month=pl.when(iso).then("second").otherwise(pl.col(place["m"])),
        day=pl.when(iso).then("third").otherwise(pl.col(place["d"])),
    ).with_columns(valid=pl.col("valid") & pl.col("year").is_between(MIN_YEAR, MAX_YEAR))
    text = pl.concat_str(
        "year", *(pl.col(part).cast(pl.String).str.zfill(2) for part in ("month", "day")), separator="-"
    )
    days = frame.select(pl.when("valid").then(text.str.to_date("%Y-%m-%d", strict=False))).to_series()
    found: NDArray[np.datetime64] = days.to_numpy().astype("datetime64[D]")
    return found


def _reason(value: str, order: str) -> str:
    text = value.strip()
    if not text:
        return "the date is empty"
    if text.isdecimal() and 20_000 < int(text) < 80_000:
        return f"{text} looks like a day number of a spreadsheet; format the column as a date before saving"
    if text.count("-") == 2 and len(text) == 8:
        return f"{text!r} has a year of two digits; set date_format in the mapping"
    written = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}[order]
    return f"{shown(value)!r} is not a date in the order {written}"
