"""From a file to the ledger, all or nothing."""

from datetime import date
from pathlib import Path

import pytest
from django.db import transaction

from kulanz.claims.checks import check_ledger
from kulanz.claims.models import Case, Claim, Customer, Journal
from kulanz.claims.queries import open_amount, statement
from kulanz.contact.models import ContactPoint
from kulanz.events.models import Event
from kulanz.intake.actions import MappingNeededError, Options, check_file, import_file, store
from kulanz.intake.mapping import Mapping, load, parse
from kulanz.intake.models import ImportedFile
from kulanz.intake.report import Report
from kulanz.kernel.errors import InputError
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

HEADER = "Rechnungsnummer;Kundennummer;Kundenname;E-Mail;PLZ;Betrag;Rechnungsdatum;Fälligkeit"
ANNA = "R1;K1;Anna Muster;anna@mail.example;10115;1.250,00;17.02.2026;03.03.2026"
BEN = "R2;K2;Ben Beispiel;;20095;80,50;18.02.2026;04.03.2026"
ANNA_AGAIN = "R3;K1;Anna Muster;anna@mail.example;10115;49,50;20.02.2026;06.03.2026"


@pytest.fixture(autouse=True)
def _scoped(creditor: Creditor) -> None:
    """Every story here belongs to one German creditor."""


def put(folder: Path, *rows: str, header: str = HEADER, name: str = "invoices.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((header, *rows)) + "\n", "utf-8")
    return path


def bring(folder: Path, *rows: str, header: str = HEADER, **options: object) -> Report:
    return import_file(put(folder, *rows, header=header), Options(**options))  # type: ignore[arg-type]


def errors(report: Report) -> list[tuple[int, str]]:
    return [(problem.row, problem.field) for problem in report.errors]


def nothing_is_stored() -> bool:
    tables = (Customer, Case, Claim, Journal, ContactPoint, ImportedFile)
    opened = Event.objects.filter(type="claim.opened")
    return not opened.exists() and not any(model.objects.exists() for model in tables)


def test_three_invoices_of_two_customers_become_two_cases(tmp_path: Path) -> None:
    report = bring(tmp_path, ANNA, BEN, ANNA_AGAIN)
    assert (report.rows, report.imported, report.rejected, report.stored) == (3, 3, 0, True)
    anna = Case.objects.get(customer__number="K1")
    assert open_amount(anna.id) == 125_000 + 4_950
    shown = statement(anna.id)
    assert (shown.customer_name, shown.currency) == ("Anna Muster", "EUR")
    assert [(line.number, line.contract_date, line.due_date) for line in shown.claims] == [
        ("R1", date(2026, 2, 17), date(2026, 3, 3)),
        ("R3", date(2026, 2, 20), date(2026, 3, 6)),
    ]
    assert Event.objects.filter(type="claim.opened").count() == 3
    check = check_ledger()
    assert (check.journals, check.postings, check.imbalances, check.differences) == (3, 6, 0, 0)


def test_what_the_creditor_says_fills_what_the_file_leaves_out(tmp_path: Path) -> None:
    bring(tmp_path, ANNA)
    customer = Customer.objects.get()
    assert (customer.kind, customer.language, customer.country, customer.postal_code) == (
        "person",
        "de",
        "DE",
        "10115",
    )
    assert Claim.objects.get().jurisdiction == "DE"
    assert not customer.synthetic


def test_only_customers_with_an_address_get_a_contact_point(tmp_path: Path) -> None:
    bring(tmp_path, ANNA, BEN, ANNA_AGAIN)
    point = ContactPoint.objects.get()
    assert (point.customer.number, point.channel, point.value, point.source) == (
        "K1", "email", "anna@mail.example", "import",
    )  # fmt: skip


def test_a_later_file_completes_an_address_but_never_replaces_one(tmp_path: Path) -> None:
    bring(tmp_path, ANNA, BEN)
    bring(
        tmp_path,
        "R8;K1;Anna Muster;other@mail.example;10115;10,00;17.02.2026;13.03.2026",
        "R9;K2;Ben Beispiel;ben@mail.example;20095;10,00;17.02.2026;13.03.2026",
    )
    assert set(ContactPoint.objects.values_list("customer__number", "value")) == {
        ("K1", "anna@mail.example"),
        ("K2", "ben@mail.example"),
    }


def test_the_same_file_twice_adds_nothing(tmp_path: Path) -> None:
    bring(tmp_path, ANNA, BEN)
    before = (
        Claim.objects.count(),
        Journal.objects.count(),
        Event.objects.count(),
        ImportedFile.objects.count(),
    )
    report = bring(tmp_path, ANNA, BEN)
    assert (report.imported, report.existing, report.rejected) == (0, 2, 0)
    assert before == (
        Claim.objects.count(),
        Journal.objects.count(),
        Event.objects.count(),
        ImportedFile.objects.count(),
    )


def test_a_longer_file_adds_only_what_is_new(tmp_path: Path) -> None:
    bring(tmp_path, ANNA)
    report = bring(tmp_path, ANNA, BEN)
    assert (report.imported, report.existing) == (1, 1)


def test_a_stored_number_with_another_amount_is_a_conflict_and_stores_nothing_else(tmp_path: Path) -> None:
    bring(tmp_path, ANNA)
    report = bring(tmp_path, ANNA.replace("1.250,00", "1.300,00"), BEN)
    assert (report.imported, errors(report), report.stored) == (0, [(2, "number")], False)
    assert "stored with another" in report.errors[0].message
    assert open_amount(Case.objects.get().id) == 125_000


def test_another_creditor_has_its_own_numbers(tmp_path: Path, other_creditor: Creditor) -> None:
    bring(tmp_path, ANNA)
    with scope(other_creditor.id):
        report = bring(tmp_path, ANNA.replace("1.250,00", "7,00"), BEN)
        assert (report.imported, report.existing, report.rejected) == (2, 0, 0)
    assert Claim.objects.count() == 1


def test_one_bad_row_stops_the_whole_file(tmp_path: Path) -> None:
    report = bring(tmp_path, ANNA, BEN.replace("80,50", "many"))
    assert (report.imported, report.rejected, errors(report), report.stored) == (0, 1, [(3, "amount")], False)
    assert nothing_is_stored()


def test_bad_rows_are_left_out_when_asked(tmp_path: Path) -> None:
    report = bring(tmp_path, ANNA, BEN.replace("80,50", "many"), ANNA_AGAIN, skip_bad=True)
    assert (report.imported, report.rejected, report.stored) == (2, 1, True)
    assert set(Claim.objects.values_list("number", flat=True)) == {"R1", "R3"}
    assert ImportedFile.objects.get().rejected == 1


def test_a_dry_run_counts_and_stores_nothing(tmp_path: Path) -> None:
    report = bring(tmp_path, ANNA, BEN, dry_run=True)
    assert (report.imported, report.stored) == (2, False)
    assert nothing_is_stored()


def test_every_error_names_its_row_and_field(tmp_path: Path) -> None:
    report = bring(
        tmp_path,
        ANNA,
        "R4;;Carla;;1;10,00;17.02.2026;03.03.2026",
        "R5;K5;;;1;10,00;17.02.2026;03.03.2026",
        "R6;K6;Dora;not an address;1;10,00;17.02.2026;31.02.2026",
        "R7;K7;Emil;;1;0,00;17.02.2026;03.03.2026",
        ";K8;Fritz;;1;1,234;17.02.2026;03.03.2026",
        "R9;K9;Gabi;;1234567890123;10,00;17.02.2026",
        "1,2E+09;K9;Gabi;;1;10,00;17.02.2026;03.03.2026",
    )
    assert sorted(errors(report)) == [
        (3, "customer_number"), (4, "name"), (5, "due_date"), (5, "email"), (6, "amount"), (7, "amount"), (7, "number"),
        (8, ""), (9, "number"),
    ]  # fmt: skip
    assert report.rejected == 7
    assert nothing_is_stored()


def test_a_negative_amount_is_a_credit_note_that_lowers_what_is_owed(tmp_path: Path) -> None:
    bring(tmp_path, ANNA, "G1;K1;Anna Muster;;10115;-250,00;18.02.2026;18.02.2026")
    assert Claim.objects.get(number="G1").kind == "credit_note"
    assert open_amount(Case.objects.get().id) == 100_000
    assert check_ledger().imbalances == 0


def test_a_column_of_kinds_makes_credit_notes_of_positive_amounts(tmp_path: Path) -> None:
    header = HEADER + ";Belegart"
    bring(
        tmp_path,
        ANNA + ";Rechnung",
        "G1;K1;Anna Muster;;1;250,00;18.02.2026;18.02.2026;Gutschrift",
        header=header,
    )
    assert open_amount(Case.objects.get().id) == 100_000
    report = bring(tmp_path, BEN + ";Schuldschein", header=header)
    assert errors(report) == [(2, "kind")]


def test_a_repeated_row_counts_once(tmp_path: Path) -> None:
    report = bring(tmp_path, ANNA, BEN, ANNA)
    assert (report.imported, report.duplicates, report.rejected) == (2, 1, 0)


def test_one_number_with_two_contents_is_an_error_in_both_rows(tmp_path: Path) -> None:
    report = bring(tmp_path, ANNA, BEN, ANNA.replace("1.250,00", "1.300,00"), skip_bad=True)
    assert (report.imported, report.rejected, errors(report)) == (1, 2, [(2, "number"), (4, "number")])
    assert Claim.objects.get().number == "R2"


def test_oddities_are_stored_and_shown(tmp_path: Path) -> None:
    report = bring(
        tmp_path, ANNA, ANNA_AGAIN.replace("Anna Muster", "Anna Neu").replace("06.03.2026", "01.01.2026")
    )
    assert (report.imported, report.rejected) == (2, 0)
    assert [(problem.row, problem.field) for problem in report.warnings] == [(3, "due_date"), (3, "name")]
    assert Customer.objects.get().name == "Anna Muster"


def test_currencies_and_countries_by_row(tmp_path: Path) -> None:
    header = "invoice number,customer number,name,amount,due date,currency,country,language,jurisdiction"
    bring(
        tmp_path,
        'A1,C1,Ann,"1,200.50",2026-03-31,GBP,United Kingdom,en-GB,UK',
        'A2,C1,Ann,"3,000",2026-03-31,JPY,Japan,English,UK',
        "A3,C2,Urs,12.05,2026-03-31,CHF,Schweiz,Deutsch,CH",
        header=header,
    )
    assert sorted(Case.objects.values_list("customer__number", "currency")) == [
        ("C1", "GBP"), ("C1", "JPY"), ("C2", "CHF"),
    ]  # fmt: skip
    assert open_amount(Case.objects.get(currency="JPY").id) == 3_000
    assert open_amount(Case.objects.get(currency="GBP").id) == 120_050
    assert Customer.objects.get(number="C2").country == "CH"
    report = bring(tmp_path, "A9,C9,Ann,5.00,2026-03-31,XYZ,Atlantis,tlh,MARS", header=header)
    assert sorted(field for _, field in errors(report)) == ["country", "currency", "jurisdiction", "language"]


def test_options_set_currency_and_jurisdiction(tmp_path: Path) -> None:
    bring(tmp_path, ANNA, currency="CHF", jurisdiction="CH")
    assert (Case.objects.get().currency, Claim.objects.get().jurisdiction) == ("CHF", "CH")
    with pytest.raises(InputError, match="'XX' is not a jurisdiction"):
        bring(tmp_path, BEN, jurisdiction="XX")
    with pytest.raises(InputError, match="'BTC' is not a currency"):
        bring(tmp_path, BEN, currency="BTC")


def test_a_mapping_names_columns_that_no_one_could_guess(tmp_path: Path) -> None:
    mapping = parse(
        'decimal_mark = ","\ndate_format = "mm/dd/yyyy"\ncustomer_kind = "business"\n[columns]\nnumber = "A"\n'
        'customer_number = "B"\nname = ["C", "D"]\namount = "E"\ndue_date = "F"\n'
    )
    bring(tmp_path, "1;2;Max;Muster;1.234;03/04/2026", header="A;B;C;D;E;F", mapping=mapping)
    claim = Claim.objects.get()
    assert (claim.due_date, claim.contract_date) == (date(2026, 3, 4), date(2026, 3, 4))
    assert open_amount(claim.case_id) == 123_400
    assert (claim.case.customer.name, claim.case.customer.kind) == ("Max Muster", "business")


def test_without_certainty_nothing_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(MappingNeededError, match="amount"):
        bring(tmp_path, ANNA, header=HEADER.replace("PLZ", "Betrag offen"))
    assert nothing_is_stored()


def test_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column for customer_number, amount, due_date, name"):
        bring(tmp_path, ANNA, mapping=Mapping({"number": ("Rechnungsnummer",)}))
    columns = {
        "customer_number": "Kundennummer",
        "name": "Kundenname",
        "amount": "Betrag",
        "due_date": "Fälligkeit",
    }
    mapping = Mapping({"number": ("Nr",)} | {field: (column,) for field, column in columns.items()})
    with pytest.raises(InputError, match="'Nr', which the file does not have"):
        bring(tmp_path, ANNA, mapping=mapping)


def test_a_column_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    mapping = parse('[columns]\nnumber="N"\ncustomer_number="K"\nname="K"\namount="B"\ndue_date="F"')
    with pytest.raises(InputError, match=r"'B' .* positions 3 and 4"):
        bring(tmp_path, "1;2;3,00;4,00;13.01.2026", header="N;K;B;B;F", mapping=mapping)


def test_customers_without_names_are_made_up_and_marked(tmp_path: Path) -> None:
    header = ",".join(load(Path("ibm")).header)
    bring(
        tmp_path,
        "391,0379-NEVHP,4/6/2013,0000611365,1/2/2013,2/1/2013,55.94,No,1/15/2013,Paper,13,0",
        "406,8976/X,3/3/2012,0007900770,1/26/2013,2/25/2013,61.74,Yes,3/3/2013,Electronic,36,6",
        header=header,
    )
    customer = Customer.objects.get(number="0379-NEVHP")
    assert (customer.name, customer.synthetic, customer.kind, customer.language, customer.country) == (
        "Customer 0379-NEVHP", True, "business", "en", "US",
    )  # fmt: skip
    point = ContactPoint.objects.get(customer=customer)
    assert (point.value, point.source) == ("0379-nevhp@customers.example", "synthetic")
    assert ContactPoint.objects.get(customer__number="8976/X").value.endswith("@customers.example")
    claim = Claim.objects.get(number="0000611365")
    assert (claim.jurisdiction, claim.case.currency, claim.due_date) == ("US", "USD", date(2013, 2, 1))
    assert open_amount(claim.case_id) == 5_594
    assert set(Journal.objects.values_list("kind", flat=True)) == {"opened"}


def test_a_checked_file_can_be_stored_in_parts(tmp_path: Path) -> None:
    checked = check_file(put(tmp_path, ANNA, BEN.replace("80,50", "many"), ANNA_AGAIN), Options())
    assert nothing_is_stored()
    assert checked.problems.bad_rows == {3}
    with transaction.atomic():
        store(checked.frame.filter(checked.frame["number"] == "R3"), checked.mapping)
    assert Claim.objects.get().number == "R3"
    assert ContactPoint.objects.get().value == "anna@mail.example"
