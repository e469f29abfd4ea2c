"""GiroCode against the guideline's own examples (EPC069-12)."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kulanz.documents.qr import Transfer, payload, svg
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import Money, to_minor

GOOD = Transfer(
    "Lindenhof Versand GmbH", "DE89 3704 0044 0532 0130 00", Money(1050, "EUR"), "RF18 5390 0754 7034"
)


def test_the_guidelines_examples(data_dir: Path) -> None:
    examples = json.loads((data_dir / "epc-qr" / "guideline_examples.json").read_text())
    assert len(examples) == 2
    for example in examples:
        given, expected = example["input"], example["expect"]
        transfer = Transfer(
            given["name"],
            given["iban"],
            Money(to_minor(given["amount"], "EUR"), "EUR"),
            reference=given.get("reference", ""),
            text=given.get("text", ""),
            bic=given.get("bic", ""),
            purpose=given.get("purpose", ""),
        )
        lines = payload(transfer, expected["charset"]).decode(expected["charset"]).split("\n")
        assert _numeric(lines) == _numeric(expected["lines"]), example["id"]
        size = len(payload(transfer, expected["charset"]))
        assert size == expected["byte_length"] + 1, "EUR12.30 is one character longer than EUR12.3"


def _numeric(lines: list[str]) -> list[Any]:
    return [*lines[:7], Decimal(lines[7].removeprefix("EUR")), *lines[8:]]


def test_a_transfer_line_by_line() -> None:
    assert payload(GOOD).decode().split("\n") == [
        "BCD", "002", "1", "SCT", "", "Lindenhof Versand GmbH", "DE89370400440532013000", "EUR10.50", "",
        "RF18539007547034",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iban": "DE89 3704 0044 0532 0130 01"}, "IBAN"),
        ({"iban": ""}, "IBAN"),
        ({"bic": "NOPE"}, "BIC"),
        ({"name": ""}, "1 to 70"),
        ({"name": "x" * 71}, "1 to 70"),
        ({"name": "A\nB"}, "one line"),
        ({"amount": Money(0, "EUR")}, "0.01"),
        ({"amount": Money(-100, "EUR")}, "0.01"),
        ({"amount": Money(100_000_000_000, "EUR")}, "999,999,999.99"),
        ({"amount": Money(1000, "USD")}, "euros only"),
        ({"reference": "RF19539007547034"}, "creditor reference"),
        ({"text": "Rechnung 1"}, "not both"),
        ({"reference": "", "text": "x" * 141}, "140"),
        ({"reference": "", "text": "ä" * 140, "name": "ß" * 70}, "331"),
        ({"purpose": "TOOLONG"}, "purpose"),
    ],
)
def test_what_the_guideline_forbids_is_refused(change: dict[str, Any], reason: str) -> None:
    fields = {name: getattr(GOOD, name) for name in Transfer.__dataclass_fields__}
    with pytest.raises(InputError, match=re.escape(reason)):
        payload(Transfer(**(fields | change)))


def test_the_largest_amount_fits() -> None:
    transfer = Transfer("A", GOOD.iban, Money(99_999_999_999, "EUR"))
    assert payload(transfer).decode().split("\n")[7:] == ["EUR999999999.99"]


def test_the_picture_is_an_svg_with_quiet_zone_and_title() -> None:
    picture = svg(GOOD, title="GiroCode <10,50 €>")
    assert picture.startswith("<svg")
    assert "<title>GiroCode &lt;10,50 €&gt;</title>" in picture
    size = int(re.search(r'viewBox="0 0 (\d+) \1"', picture)[1])  # type: ignore[index]
    assert (size - 8 - 17) % 4 == 0, "17 + 4 x version modules and 4 of quiet zone on each side"
    assert (size - 8 - 17) // 4 <= 13
    assert "M4 4.5h7" in picture, "the finder pattern begins after the quiet zone"
