"""Which rows of a table are claims that can be stored, and what is wrong with the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from kulanz.intake import synthetic
from kulanz.intake.amounts import parse_amounts
from kulanz.intake.columns import Texts
from kulanz.intake.dates import date_order, parse_dates
from kulanz.intake.fields import LENGTHS, check_texts, read_codes
from kulanz.intake.mapping import DATES, Mapping
from kulanz.intake.problems import Problems
from kulanz.kernel.money import digits

CONTENT = ("customer_number", "due_date", "currency", "amount")
"""What makes two rows of one claim number the same claim."""
Column = Sequence[object] | pl.Series
_COUNTRY_OF = {"UK": "GB"}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What stands in for a value that neither the row nor the mapping has."""

    currency: str
    jurisdiction: str
    language: str


@dataclass(frozen=True, slots=True)
class Checked:
    """`frame` has one row per claim to store: row, number, customer_number, name, customer_kind, language, country,
    postal_code, email, currency, jurisdiction, product (text), amount (minor units, negative: credit note),
    due_date, contract_date. `duplicates` counts rows that repeat an earlier one and are left out."""

    frame: pl.DataFrame
    duplicates: int
    warnings: Problems


def check(texts: Texts, mapping: Mapping, defaults: Defaults, problems: Problems) -> Checked:
    """Read every row; what is wrong goes to `problems`. Raises InputError for what concerns the whole file."""
    columns = _codes(texts, mapping, defaults, problems) | _texts(texts, mapping, problems)
    columns |= _dates(texts, mapping, problems)
    columns["amount"] = _amounts(texts, mapping, columns["currency"], columns.pop("kind"), problems)
    frame = pl.DataFrame({"row": texts.rows} | columns)
    good = frame.filter(~pl.col("row").is_in(list(problems.bad_rows)))
    once, duplicates = _each_number_once(good, problems)
    return Checked(once, duplicates, _warnings(once))


def _codes(texts: Texts, mapping: Mapping, defaults: Defaults, problems: Problems) -> dict[str, Column]:
    jurisdiction = mapping.jurisdiction or defaults.jurisdiction
    standard = {
        "currency": mapping.currency or defaults.currency,
        "jurisdiction": jurisdiction,
        "kind": mapping.kind,
        "customer_kind": mapping.customer_kind or "person",
        "language": mapping.language or defaults.language,
        "country": mapping.country or _COUNTRY_OF.get(jurisdiction, jurisdiction),
    }
    return {
        field: read_codes(field, texts.get(field), value, texts.rows, problems)
        for field, value in standard.items()
    }


def _texts(texts: Texts, mapping: Mapping, problems: Problems) -> dict[str, Column]:
    columns = {field: texts.get(field) for field in LENGTHS}
    columns["product"] = [value or mapping.product for value in columns["product"]]
    if mapping.synthetic_customers:
        made_up = {number: synthetic.address(number) for number in set(columns["customer_number"])}
        columns["name"] = [synthetic.name(number) for number in columns["customer_number"]]
        columns["email"] = [made_up[number] for number in columns["customer_number"]]
    for field, values in columns.items():
        check_texts(field, values, texts.rows, problems)
    return dict(columns)


def _amounts(texts: Texts, mapping: Mapping, currencies: Column, kinds: Column, problems: Problems) -> Column:
    values, codes = texts.get("amount"), [str(code) for code in currencies]
    decimals = {code: digits(code) if code else 2 for code in set(codes)}
    parsed = parse_amounts(
        values,
        codes,
        [decimals[code] for code in codes],
        rows=texts.rows,
        column=texts.columns["amount"],
        decimal_mark=mapping.decimal_mark,
    )
    credit = np.array([kind == "credit_note" for kind in kinds], np.bool_)
    minor = np.where(credit, -np.abs(parsed.minor), parsed.minor)
    zero = {int(index): "the amount is 0; nothing is owed" for index in np.flatnonzero(minor == 0)}
    problems.add_faults("amount", texts.rows, values, zero | parsed.faults)
    return pl.Series(minor)


def _dates(texts: Texts, mapping: Mapping, problems: Problems) -> dict[str, Column]:
    """Without a column of its own the contract date is the due date: nothing runs from before it then."""
    order = date_order(mapping.date_format) if mapping.date_format else ""
    columns: dict[str, Column] = {}
    for field in DATES:
        if field in texts.values:
            values = texts.get(field)
            parsed = parse_dates(values, rows=texts.rows, column=texts.columns[field], order=order)
            problems.add_faults(field, texts.rows, values, parsed.faults)
            columns[field] = pl.Series(parsed.days)
    return {"contract_date": columns["due_date"]} | columns


def _each_number_once(frame: pl.DataFrame, problems: Problems) -> tuple[pl.DataFrame, int]:
    """Rows that repeat a claim are left out; rows that give one number two contents are all errors."""
    repeated = frame.filter(pl.col("number").is_duplicated()).with_columns(
        unlike=pl.struct(CONTENT).n_unique().over("number") > 1,
        first=pl.col("row").min().over("number"),
        last=pl.col("row").max().over("number"),
    )
    for row, number, first, last in (
        repeated.filter("unlike").select("row", "number", "first", "last").iter_rows()
    ):
        other = last if row == first else first
        problems.add(
            row, "number", number, f"row {other} has this number with other content; keep the right one"
        )
    again = repeated.filter(pl.col("row") > pl.col("first"))
    dropped = set(again["row"]) | set(repeated.filter("unlike")["row"])
    return (frame.filter(~pl.col("row").is_in(list(dropped))) if dropped else frame), again.height


def _warnings(frame: pl.DataFrame) -> Problems:
    """What is odd but stored as it stands."""
    warnings = Problems()
    for row, due in (
        frame.filter(pl.col("due_date") < pl.col("contract_date")).select("row", "due_date").iter_rows()
    ):
        warnings.add(row, "due_date", str(due), "the claim is due before its own date")
    first = pl.col("name").first().over("customer_number")
    renamed = frame.with_columns(first=first).filter(pl.col("name") != pl.col("first"))
    for row, name, kept in renamed.select("row", "name", "first").iter_rows():
        warnings.add(
            row, "name", name, f"the customer has another name in an earlier row, which is kept: {kept}"
        )
    return warnings
