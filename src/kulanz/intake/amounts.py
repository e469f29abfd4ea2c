"""A column of amounts as written by people and programs -> integer minor units.

Which of point and comma is the decimal mark is decided once per column from all its values. `1.234` alone says
nothing (1,234 or 1.234?): a column of nothing else is refused, never guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kulanz.intake.problems import MAX_STRAY_SHARE, shown
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import MAX_MINOR

UNITS = {
    "€": ("EUR",),
    "£": ("GBP",),
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"),
    "US$": ("USD",),
    "¥": ("JPY", "CNY"),
    "zł": ("PLN",),
    "Kč": ("CZK",),
    "Ft": ("HUF",),
    "kr": ("SEK", "NOK", "DKK"),
    "kr.": ("SEK", "NOK", "DKK"),
    "Fr": ("CHF",),
    "Fr.": ("CHF",),
    "SFr.": ("CHF",),
}
"""Signs that may stand beside an amount, and the currencies they can mean."""

_UNIT = r"([^0-9.,'\s()+-]{1,4}\.?)?"
_SIGN = r"([+-])?"
_WRITTEN = (
    rf"^(\()?\s*{_SIGN}\s*{_UNIT}\s*{_SIGN}\s*"
    r"([0-9][0-9.,' ]*[0-9]|[0-9]|[.,][0-9]+)(?:[.,]--?)?"
    rf"\s*{_SIGN}\s*{_UNIT}\s*{_SIGN}\s*(\))?$"
)
_PARTS = ("open", "sign1", "unit1", "sign2", "number", "sign3", "unit2", "sign4", "close")
_EITHER = r"^[1-9][0-9]{0,2}[.,][0-9]{3}$"
_POINT = r"^[^.]*\.[0-9]*$|^[0-9]{1,3}(?:,[0-9]{3}){2,}$"
_COMMA = r"^[^,]*,[0-9]*$|^[0-9]{1,3}(?:\.[0-9]{3}){2,}$"
_NAMES = {".": "point", ",": "comma"}


@dataclass(frozen=True, slots=True)
class Amounts:
    """`minor` int64[n] in minor units of each row's currency; `faults` says by index what could not be read."""

    minor: NDArray[np.int64]
    faults: dict[int, str]


def parse_amounts(
    values: Sequence[str],
    currencies: Sequence[str],
    digits: Sequence[int],
    *,
    rows: Sequence[int],
    column: str = "amount",
    decimal_mark: str = "",
) -> Amounts:
    """Read a column; `digits` are the decimals of each row's currency, `rows` name the lines in messages.

    Raises InputError when the decimal mark cannot be decided and `decimal_mark` ("." or ",") is not given.
    """
    frame = _taken_apart(values, digits)
    mark = decimal_mark or _decide(frame, values, rows, column)
    frame = _converted(frame, mark)
    minor: NDArray[np.int64] = frame["minor"].fill_null(0).to_numpy().astype(np.int64)
    return Amounts(minor, _faults(frame, values, currencies, mark))


def _taken_apart(values: Sequence[str], digits: Sequence[int]) -> pl.DataFrame:
    """Signs, units and the bare number of each value; `number` is null where it is none."""
    text = (
        pl.Series("text", values, dtype=pl.String)
        .str.replace_all("[\u00a0\u2007\u2009\u202f]", " ")
        .str.replace_all("[\u2019\u02bc`´]", "'")
        .str.replace_all("[\u2212\u2013]", "-")
        .str.strip_chars()
    )
    parts = text.str.extract_groups(_WRITTEN).struct.unnest()
    parts.columns = list(_PARTS)
    minus = pl.sum_horizontal(
        [(pl.col(f"sign{i}") == "-").fill_null(False).cast(pl.Int8) for i in range(1, 5)]
    )
    closed = pl.col("open").is_not_null() & pl.col("close").is_not_null()
    half_open = pl.col("open").is_null() != pl.col("close").is_null()
    minus_count = minus + closed.cast(pl.Int8)
    return (
        parts.with_columns(text=text, digits=pl.Series(digits, dtype=pl.Int64))
        .with_columns(
            unit=pl.coalesce("unit1", "unit2"),
            negative=minus_count == 1,
            number=pl.when((minus_count <= 1) & ~half_open).then(pl.col("number")),
        )
        .with_columns(
            # A currency without decimals leaves one reading of 1,234.
            number=pl.when((pl.col("digits") == 0) & pl.col("number").str.contains(_EITHER))
            .then(pl.col("number").str.replace_all("[.,]", ""))
            .otherwise(pl.col("number"))
        )
    )


def _decide(frame: pl.DataFrame, values: Sequence[str], rows: Sequence[int], column: str) -> str:
    number = frame["number"]
    either = number.str.contains(_EITHER).fill_null(False)
    point = (number.str.contains(_POINT).fill_null(False) & ~either).to_numpy()
    comma = (number.str.contains(_COMMA).fill_null(False) & ~either).to_numpy()
    counts = {".": int(point.sum()), ",": int(comma.sum())}
    hint = 'Set decimal_mark = "," or decimal_mark = "." in the mapping.'

    def example(mask: NDArray[np.bool_]) -> str:
        first = int(np.argmax(mask))
        return f"{shown(values[first])!r} (row {rows[first]})"

    if min(counts.values()) > MAX_STRAY_SHARE * max(counts.values()):
        raise InputError(
            f"The column {column!r} mixes decimal points and commas: {example(point)}, {example(comma)}. {hint}"
        )
    if max(counts.values()) == 0 and either.any():
        raise InputError(
            f"The column {column!r} can be read in two ways: {example(either.to_numpy())} may mean thousands or "
            f"decimals, and no other value tells. {hint}"
        )
    return "." if counts["."] >= counts[","] else ","


def _converted(frame: pl.DataFrame, mark: str) -> pl.DataFrame:
    d, other = re.escape(mark), re.escape("," if mark == "." else ".")
    grouped = "|".join(rf"[0-9]{{1,3}}(?:{sep}[0-9]{{3}})+" for sep in (other, "'", " "))
    well_formed = pl.col("number").str.contains(rf"^(?:[0-9]+|{grouped})?(?:{d}[0-9]+)?$")
    fraction = pl.col("number").str.extract(rf"{d}([0-9]+)$").fill_null("").str.strip_chars_end("0")
    whole = (
        pl.col("number")
        .str.replace(rf"{d}[0-9]+$", "")
        .str.replace_all("[^0-9]", "")
        .str.strip_chars_start("0")
    )
    return (
        frame.with_columns(well_formed=well_formed.fill_null(False), fraction=fraction, whole=whole)
        .with_columns(
            exact=pl.col("fraction").str.len_chars() <= pl.col("digits"),
            padded=pl.col("whole") + pl.col("fraction").str.pad_end(4, "0").str.slice(0, pl.col("digits")),
        )
        .with_columns(size=pl.col("padded").str.len_chars() <= len(str(MAX_MINOR)) - 1)
        .with_columns(
            minor=pl.when(pl.col("well_formed") & pl.col("exact") & pl.col("size"))
            .then(pl.when(pl.col("padded") == "").then(pl.lit("0")).otherwise(pl.col("padded")))
            .cast(pl.Int64)
            * pl.when("negative").then(-1).otherwise(1)
        )
    )


def _faults(
    frame: pl.DataFrame, values: Sequence[str], currencies: Sequence[str], mark: str
) -> dict[int, str]:
    faults = _wrong_units(frame, currencies)
    bad = np.flatnonzero(frame["minor"].is_null().to_numpy())
    for index in bad.tolist():
        faults[index] = _reason(frame.row(index, named=True), values[index], currencies[index], mark)
    return faults


def _reason(row: dict[str, object], value: str, currency: str, mark: str) -> str:
    if not value.strip():
        return "the amount is empty"
    if row["number"] is None:
        return f"{shown(value)!r} is not an amount"
    if not row["well_formed"]:
        return f"{shown(value)!r} is not an amount with a decimal {_NAMES[mark]}, which this column uses"
    if not row["exact"]:
        return f"{shown(value)} has more decimals than {currency} knows ({row['digits']})"
    return f"{shown(value)} is larger than any amount handled"


def _wrong_units(frame: pl.DataFrame, currencies: Sequence[str]) -> dict[int, str]:
    """A sign or code beside the number must mean the row's currency, and there may be only one."""
    faults: dict[int, str] = {}
    with_unit = frame["unit"].is_not_null() & frame["number"].is_not_null()
    twice = (frame["unit1"].is_not_null() & frame["unit2"].is_not_null()).to_numpy()
    units = frame["unit"].to_list()
    for index in np.flatnonzero(with_unit.to_numpy()).tolist():
        unit, currency = units[index], currencies[index]
        if twice[index]:
            faults[index] = "two currency signs stand beside the amount"
        elif currency not in UNITS.get(unit, (unit.upper(),)):
            faults[index] = f"the amount is marked {unit!r}, but the row's currency is {currency}"
    return faults
