"""`kulanz law rows`: dated figures that the operator adds, such as the next half-year's base rate."""

import getpass
import json
from typing import Annotated

import typer
from rich.table import Table

from kulanz.cli.law import words
from kulanz.cli.output import console, print_json
from kulanz.kernel.errors import InputError
from kulanz.law.packs import AddedRow
from kulanz.tenancy.law import add_row, rows

app = typer.Typer(help="Dated figures that this installation adds to the law packs.", no_args_is_help=True)


@app.command()
def add(
    jurisdiction: Annotated[str, typer.Option(help="DE, AT, CH, UK or US.")],
    table: Annotated[str, typer.Option(help="Table of the pack, e.g. base_rates.")],
    row: Annotated[
        str,
        typer.Option(
            help="JSON: fields as in the pack, e.g. "
            '{"valid_from":"2027-01-01","percent":"1.77","source":"Bundesbank","verified":true}'
        ),
    ],
    known_until: Annotated[str, typer.Option(help="The day until which the table is complete now.")] = "",
) -> None:
    """Add one row; it holds from its date on for every creditor."""
    try:
        fields = json.loads(row)
    except ValueError:
        raise InputError("--row is not JSON.") from None
    if not isinstance(fields, dict):
        raise InputError("--row is not a JSON object.")
    added = AddedRow(table, fields, words.optional_day(known_until, "--known-until"))
    add_row(jurisdiction, added, by=getpass.getuser()[:40])
    console.print(f"Added to {table} of {jurisdiction.upper()}.")


@app.command("list")
def list_(
    jurisdiction: Annotated[str, typer.Option(help="DE, AT, CH, UK or US.")] = "DE",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """The rows that were added here."""
    found = rows(jurisdiction)
    if as_json:
        print_json(
            [
                {"table": each.table, "row": each.row, "by": each.added_by, "at": each.added_at}
                for each in found
            ]
        )
        return
    table = Table("Table", "Row", "By", "At")
    for each in found:
        table.add_row(
            each.table, json.dumps(each.row, ensure_ascii=False), each.added_by, f"{each.added_at:%Y-%m-%d}"
        )
    console.print(table if found else f"Nothing was added to the pack of {jurisdiction.upper()}.")
