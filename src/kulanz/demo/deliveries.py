"""What the creditor hands over: the whole file is checked at once, then delivered day by day as it is dated."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from django.db import transaction

from kulanz.intake import settlements
from kulanz.intake.actions import CheckedFile, Options, check_file, store
from kulanz.kernel.errors import InputError


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A checked file. `customers` are its customer numbers in order: their places are rows of the population."""

    file: CheckedFile
    customers: tuple[str, ...]
    first_day: date
    last_day: date
    settled_on: dict[str, date]

    @property
    def imported(self) -> int:
        return int(self.file.frame.height)

    @property
    def rejected(self) -> int:
        return len(self.file.problems.bad_rows)

    @property
    def business(self) -> bool:
        """Whether most of the claims are against businesses."""
        kinds = self.file.frame["customer_kind"]
        return bool((kinds == "business").sum() * 2 > len(kinds))

    def deliver(self, day: date) -> pl.DataFrame:
        """Import the claims that are dated on `day` and return their rows."""
        rows: pl.DataFrame = self.file.frame.filter(pl.col("contract_date") == day)
        if rows.height:
            with transaction.atomic():
                store(rows, self.file.mapping)
        return rows


def read(path: Path, options: Options) -> Portfolio:
    """Check a file; bad rows are left out and counted. Raises InputError when nothing in it can be played."""
    checked = check_file(path, options)
    frame = checked.frame
    if frame.is_empty():
        raise InputError(f"{path.name} has no invoice that can be played.")
    settled = _settled(path)
    dates = [*frame["due_date"].to_list(), *settled.values()]
    return Portfolio(
        file=checked,
        customers=tuple(sorted(set(frame["customer_number"].to_list()))),
        first_day=min(frame["contract_date"].to_list()),
        last_day=max(dates),
        settled_on=settled,
    )


def _settled(path: Path) -> dict[str, date]:
    """Invoice number to the day on which it was settled, for files with a known past."""
    past = settlements.read(path)
    if past is None:
        return {}
    known = ~np.isnat(past.settled_on)
    numbers = np.array(past.numbers, object)[known].tolist()
    return dict(zip(numbers, past.settled_on[known].tolist(), strict=True))
