"""The made-up portfolio is a file like any other."""

import csv
import io
from datetime import date

from kulanz.demo.portfolio import Size, generate

DAY = date(2026, 1, 5)


def test_every_customer_has_an_invoice_and_numbers_are_unique() -> None:
    rows = list(csv.DictReader(io.StringIO(generate(3, DAY, Size(50, 80, 20))), delimiter=";"))
    assert len(rows) == 80
    assert len({row["Rechnungsnummer"] for row in rows}) == 80
    assert len({row["Kundennummer"] for row in rows}) == 50
    assert all(row["E-Mail"].endswith("@customers.example") for row in rows)


def test_a_seed_gives_one_portfolio() -> None:
    size = Size(50, 80, 20)
    assert generate(3, DAY, size) == generate(3, DAY, size)
    assert generate(3, DAY, size) != generate(4, DAY, size)
