"""From a header to fields: the guess, when it is certain, and mapping files."""

from pathlib import Path

import pytest

from kulanz.intake.guessing import Guess, guess
from kulanz.intake.mapping import Mapping, dump, load, parse
from kulanz.intake.words import meanings
from kulanz.kernel.errors import InputError, NotFoundError

SURE = ("Rechnungsnummer", "Kundennummer", "Kundenname", "Betrag", "Fälligkeit")


def fields(found: Guess) -> dict[str, str]:
    return {field: "+".join(columns) for field, columns in found.mapping.columns.items()}


def test_a_german_header_is_certain() -> None:
    found = guess(
        (
            "RE-Nr.",
            "Kd.-Nr.",
            "Firma",
            "Rechnungsbetrag",
            "zahlbar bis",
            "Rechnungsdatum",
            "Währung",
            "PLZ",
            "Notiz",
        )
    )
    assert found.certain
    assert fields(found) == {
        "number": "RE-Nr.", "customer_number": "Kd.-Nr.", "name": "Firma", "amount": "Rechnungsbetrag",
        "due_date": "zahlbar bis", "contract_date": "Rechnungsdatum", "currency": "Währung", "postal_code": "PLZ",
    }  # fmt: skip


def test_an_english_header_in_camel_and_snake_case_is_certain() -> None:
    found = guess(("invoiceNumber", "customer_id", "Full Name", "AMOUNT DUE", "dueDate", "email"))
    assert found.certain
    assert fields(found)["amount"] == "AMOUNT DUE"


def test_first_and_last_name_are_joined() -> None:
    assert (
        fields(guess(("Rechnungsnr", "Kundennr", "Vorname", "Nachname", "Betrag", "fällig am")))["name"]
        == "Vorname+Nachname"
    )
    assert (
        fields(guess(("Rechnungsnr", "Kundennr", "Vorname", "Name", "Betrag", "fällig am")))["name"]
        == "Vorname+Name"
    )


def test_two_columns_for_one_field_are_not_certain() -> None:
    found = guess((*SURE, "Betrag offen"))
    assert not found.certain
    assert found.open_fields == {"amount": ("Betrag offen", "Betrag")}


def test_a_column_that_only_resembles_a_field_is_suggested_but_not_certain() -> None:
    found = guess(("Rechnungsnummer extern", *SURE[1:]))
    assert found.open_fields == {"number": ("Rechnungsnummer extern",)}


def test_a_file_about_something_else_is_not_certain() -> None:
    found = guess(("ID", "LIMIT_BAL", "SEX", "AGE"))
    assert set(found.open_fields) >= {"number", "customer_number", "amount", "due_date", "name"}


def test_what_is_printed_can_be_completed_and_read_again() -> None:
    header = ("Nr", "Kundennummer", "Kundenname", 'Wert "netto"', "Fälligkeit", "Bemerkung")
    found = guess(header)
    text = dump(found.mapping, header, found.open_fields)
    assert "# number: please choose" in text
    assert "'Bemerkung'" in text
    edited = text.replace('# number = ""', 'number = "Nr"').replace(
        '# amount = ""', r'amount = "Wert \"netto\""'
    )
    mapping = parse(edited)
    assert mapping.columns["number"] == ("Nr",)
    assert mapping.columns["amount"] == ('Wert "netto"',)
    assert mapping.columns["due_date"] == ("Fälligkeit",)


def test_every_setting_survives_writing_and_reading() -> None:
    mapping = Mapping(
        {"number": ("Nr",), "name": ("Vor", "Nach")}, currency="CHF", jurisdiction="CH", date_format="dd.mm.yyyy",
        decimal_mark=",", delimiter="\t", encoding="cp1252", language="fr", customer_kind="business", product="Strom",
    )  # fmt: skip
    assert parse(dump(mapping, ("Nr", "Vor", "Nach"))) == mapping


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[columns", "not valid TOML"),
        ("colour = 'x'", "unknown key 'colour'"),
        ("[columns]\nbalance = 'x'", "unknown field 'balance'"),
        ("[columns]\namount = 3", "name of a column"),
        ("columns = 'x'", "must be a table"),
        ("date_format = 'whenever'", r"dd\.mm\.yyyy"),
        ("decimal_mark = 'point'", "decimal_mark is"),
        ("delimiter = ';;'", "delimiter is one of"),
        ("currency = 3", "must be text"),
        ("synthetic_customers = 'yes'", "true or false"),
        ("synthetic_customers = true\n[columns]\nname = 'x'", "take out the columns"),
        ("header = 'x'", "list of column names"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_which_key(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=words):
        load(path)


def test_mapping_files_that_are_missing_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="ibm"):
        load(tmp_path / "none.toml")
    path = tmp_path / "map.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        load(path)


def test_a_built_in_mapping_goes_by_its_name_and_its_header() -> None:
    mapping = load(Path("ibm"))
    assert mapping.synthetic_customers
    assert guess(mapping.header).mapping is mapping
    assert guess(mapping.header[:-1]).mapping is not mapping


def test_words_of_both_languages() -> None:
    assert meanings("country")["oesterreich"] == "AT"
    assert meanings("country")["austria"] == "AT"
    assert meanings("language")["deutsch"] == "de"
    assert meanings("currency")["€"] == "EUR"
    assert meanings("kind")["gutschrift"] == "credit_note"
