"""What became of the invoices of a file with a known past. Never imported: only simulated customers follow it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kulanz.intake.columns import chosen_columns
from kulanz.intake.dates import parse_dates
from kulanz.intake.mapping import recognised
from kulanz.intake.reading import read_file
from kulanz.kernel.errors import InputError

_TRUE = frozenset({"yes", "true", "1", "y", "ja"})


@dataclass(frozen=True, slots=True)
class Settlements:
    """One row per invoice: dates as datetime64[D], `settled_on` NaT where it was not settled."""

    numbers: list[str]
    customer_numbers: list[str]
    invoiced_on: NDArray[np.datetime64]
    due_on: NDArray[np.datetime64]
    settled_on: NDArray[np.datetime64]
    disputed: NDArray[np.bool_]


def read(path: Path) -> Settlements | None:
    """The past of a file that a built-in mapping knows; None for any other file. Raises InputError for bad rows."""
    table = read_file(path)
    mapping = recognised(table.header)
    if mapping is None or not mapping.history:
        return None
    texts = chosen_columns(table, {**mapping.columns, **mapping.history})
    dates: dict[str, NDArray[np.datetime64]] = {}
    for field in ("contract_date", "due_date", "settled_on"):
        values = texts.get(field)
        parsed = parse_dates(values, rows=texts.rows, column=texts.columns[field])
        for index in (index for index in parsed.faults if values[index]):
            raise InputError(f"Row {texts.rows[index]}, {texts.columns[field]}: {parsed.faults[index]}.")
        dates[field] = parsed.days
    return Settlements(
        numbers=texts.get("number"),
        customer_numbers=texts.get("customer_number"),
        invoiced_on=dates["contract_date"],
        due_on=dates["due_date"],
        settled_on=dates["settled_on"],
        disputed=np.array([value.lower() in _TRUE for value in texts.get("disputed")], np.bool_),
    )
