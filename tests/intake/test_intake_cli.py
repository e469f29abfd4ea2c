"""`kulanz import` as a person and as a program use it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from kulanz.claims.models import Claim
from kulanz.cli.intake import import_
from kulanz.intake.actions import MappingNeededError
from kulanz.kernel.errors import NotFoundError
from kulanz.tenancy.models import Creditor

SURE = "Rechnungsnummer;Kundennummer;Kundenname;Betrag;Fälligkeit\n"
GOOD = SURE + "R1;K1;Anna [b]Muster[/b];12,50;13.03.2026\n"
BAD = GOOD + "R2;K2;Ben;viel;13.03.2026\n"
UNSURE = "Nr;Kundennummer;Kundenname;Betrag;Fälligkeit\nR1;K1;Anna;12,50;13.03.2026\n"

app = typer.Typer()
app.command("import")(import_)


@pytest.fixture
def invoices(tmp_path: Path, creditor: Creditor) -> Path:
    return tmp_path / "invoices.csv"


def run(path: Path, text: str, *options: str) -> Result:
    path.write_text(text, "utf-8")
    return CliRunner().invoke(app, [str(path), "--creditor", "lindenhof", *options])


def test_a_person_sees_the_mapping_and_the_result(invoices: Path) -> None:
    result = run(invoices, GOOD)
    assert result.exit_code == 0
    assert "Kundennummer" in result.stderr
    assert "1 imported" in result.stdout
    assert Claim.objects.get().number == "R1"


def test_a_program_gets_one_document(invoices: Path) -> None:
    result = run(invoices, GOOD, "--json")
    document = json.loads(result.stdout)
    assert result.stderr == ""
    assert {key: document[key] for key in ("imported", "existing", "rejected", "duplicates", "errors")} == {
        "imported": 1, "existing": 0, "rejected": 0, "duplicates": 0, "errors": [],
    }  # fmt: skip
    assert document["mapping"]["columns"]["amount"] == "Betrag"


def test_bad_rows_end_with_their_list_and_nothing_stored(invoices: Path) -> None:
    result = run(invoices, BAD, "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert document["errors"] == [
        {"row": 3, "field": "amount", "value": "viel", "message": "'viel' is not an amount"}
    ]
    assert (document["imported"], document["rejected"]) == (0, 1)
    assert not Claim.objects.exists()
    spoken = run(invoices, BAD)
    assert spoken.exit_code == 2
    assert "--skip-bad" in spoken.stdout
    assert "'viel' is not an amount" in spoken.stdout


def test_the_good_rows_alone_when_asked(invoices: Path) -> None:
    result = run(invoices, BAD, "--skip-bad")
    assert result.exit_code == 0
    assert "1 imported" in result.stdout
    assert "1 with errors" in result.stdout


def test_a_dry_run_says_so(invoices: Path) -> None:
    assert "1 would be imported" in run(invoices, GOOD, "--dry-run").stdout
    assert json.loads(run(invoices, GOOD, "--dry-run", "--json").stdout)["dry_run"] is True
    assert not Claim.objects.exists()


def test_without_a_terminal_an_uncertain_guess_is_printed_to_be_edited(
    invoices: Path, tmp_path: Path
) -> None:
    result = run(invoices, UNSURE)
    assert isinstance(result.exception, MappingNeededError)
    assert not Claim.objects.exists()
    mapping = tmp_path / "map.toml"
    mapping.write_text(result.stdout.replace('# number = ""', 'number = "Nr"'), "utf-8")
    assert run(invoices, UNSURE, "--map", str(mapping)).exit_code == 0
    assert Claim.objects.get().number == "R1"


def test_a_program_gets_the_uncertain_guess_as_a_document(invoices: Path) -> None:
    result = run(invoices, UNSURE, "--json")
    document = json.loads(result.stdout)
    assert document["error"] == "mapping_needed"
    assert document["open"] == {"number": []}
    assert "Betrag" in document["mapping_toml"]


def test_an_unknown_creditor(invoices: Path) -> None:
    invoices.write_text(GOOD, "utf-8")
    result = CliRunner().invoke(app, [str(invoices), "--creditor", "nobody"])
    assert isinstance(result.exception, NotFoundError)
    assert "lindenhof" in str(result.exception)
