"""`kulanz ledger`: replay and compare."""

from dataclasses import asdict
from typing import Annotated

import typer

from kulanz.claims.checks import LedgerCheck, check_ledger
from kulanz.cli.output import console, print_json
from kulanz.cli.scoped import creditor as find_creditor
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

app = typer.Typer(help="The double-entry ledger.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The double-entry ledger."""


@app.command()
def check(
    creditor: Annotated[str, typer.Option(help="Only this creditor; default: all.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Replay every journal and compare it with all derived figures; exit 1 when anything differs."""
    checked = [find_creditor(creditor)] if creditor else Creditor.objects.order_by("id")
    total = LedgerCheck(0, 0, 0, 0)
    for each in checked:
        with scope(each.id):
            total += check_ledger()
    if as_json:
        print_json(asdict(total))
    else:
        console.print(
            f"{total.journals} journals with {total.postings} postings: "
            f"{total.imbalances} imbalances, {total.differences} differences."
        )
    if total.imbalances or total.differences:
        raise typer.Exit(1)
