"""How rows are read, when a table of base rates is whole, and how a doubt is worded."""

from dataclasses import make_dataclass
from datetime import date

import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.caveats import Caveat
from kulanz.law.figures.interest import BaseRate
from kulanz.law.reading import TABLES, row_of


def test_a_doubt_is_worded_in_both_languages() -> None:
    known = Caveat("base rate", date(2026, 1, 1), "a table")
    assert known.text("de-AT") == "Nicht geprüft: Basiszinssatz ab 2026-01-01 (a table)."
    assert known.text("DE") == known.text("de")
    assert known.text("tr") == "Unverified: base rate from 2026-01-01 (a table)."
    unknown = Caveat("tea", date(2026, 1, 1), "a cup")
    assert unknown.text("de") == "Nicht geprüft: tea ab 2026-01-01 (a cup)."


def base_rates(*days: str) -> list[BaseRate]:
    rows = [{"valid_from": day, "percent": "1.27", "source": "x", "verified": True} for day in days]
    return TABLES["base_rates"].read("DE base_rates", rows)


@pytest.mark.parametrize(
    ("days", "until", "begins"),
    [
        (["2025-07-01", "2026-01-01", "2026-07-01"], date(2026, 12, 31), ""),
        (["2025-07-01", "2026-07-01"], date(2026, 12, 31), "2026-01-01 has no row"),
        (["2025-07-01", "2026-01-01"], date(2026, 7, 1), "2026-07-01 has no row"),
        (["2025-07-01", "2026-01-01"], date(2026, 6, 30), ""),
        (["2026-01-01", "2026-07-01", "2027-07-01"], date(2026, 1, 1), "2027-01-01 has no row"),
        (["2026-01-01", "2026-06-01"], date(2026, 6, 30), "2026-06-01: the base rate changes on 1 January"),
        ([], date(2026, 6, 30), ""),
    ],
)
def test_each_half_year_of_germany_has_its_own_base_rate(days: list[str], until: date, begins: str) -> None:
    fault = TABLES["base_rates"].whole("DE", base_rates(*days), until)
    assert fault.startswith(begins)
    assert bool(fault) == bool(begins)
    assert TABLES["base_rates"].whole("AT", base_rates(*days), until) == ""


def test_any_dated_row_can_be_read() -> None:
    columns = [("valid_from", date), ("minutes", int), ("source", str), ("verified", bool)]
    tea = make_dataclass("tea", columns, frozen=True)
    raw = {"valid_from": "2026-01-01", "minutes": 4, "source": "a cup", "verified": True}
    for _ in range(2):
        assert row_of(tea, raw, "tea") == tea(date(2026, 1, 1), 4, "a cup", verified=True)
    with pytest.raises(InputError, match=r"\(tea\): minutes: "):
        row_of(tea, raw | {"minutes": "long"}, "tea")
