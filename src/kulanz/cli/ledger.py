"""`kulanz ledger`: replay and compare."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer
from rich.table import Table

from kulanz.claims import accrual
from kulanz.claims.checks import LedgerCheck, check_ledger
from kulanz.cli.output import console, print_json
from kulanz.cli.scoped import creditor as find_creditor
from kulanz.cli.scoped import for_creditor
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import Money
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
    """Replay every journal, follow the hash chain, compare with all derived figures; exit 1 when anything differs."""
    checked = [find_creditor(creditor)] if creditor else list(Creditor.objects.order_by("id"))
    found: dict[str, LedgerCheck] = {}
    for each in checked:
        with scope(each.id):
            found[each.slug] = check_ledger()
    if as_json:
        figures = {name: sum(asdict(each)[name] for each in found.values()) for name in asdict(LedgerCheck())}
        figures["first_broken"] = next((each.first_broken for each in found.values() if each.first_broken), 0)
        print_json(figures | {"creditors": {slug: asdict(each) for slug, each in found.items()}})
    elif found:
        _show(found)
    else:
        console.print("There is no creditor yet: kulanz creditor add.")
    if not all(each.clean for each in found.values()):
        raise typer.Exit(1)


def _show(found: dict[str, LedgerCheck]) -> None:
    names = ("journals", "postings", "imbalances", "differences", "sealed", "unsealed", "broken")
    table = Table("Creditor", *(name.capitalize() for name in names))
    for column in table.columns[1:]:
        column.justify = "right"
    for slug, each in found.items():
        table.add_row(slug, *(str(asdict(each)[name]) for name in names))
    console.print(table)
    for slug, each in found.items():
        if each.broken:
            where = (
                f"from number {each.first_broken} on"
                if each.first_broken
                else "at its end: journals are missing"
            )
            console.print(f"[red]{slug}: the chain does not follow {where}. Compare with a backup.[/red]")
        if each.broken_events:
            console.print(f"[red]{slug}: the event log was changed in {each.broken_events} places.[/red]")
    console.print(
        "Everything fits." if all(each.clean for each in found.values()) else "[red]Something differs.[/red]"
    )


@app.command()
def accrue(
    creditor: Annotated[str, typer.Option(help="Short name of the creditor.")],
    day: Annotated[str, typer.Option(help="Day as YYYY-MM-DD; default: today.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be posted.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Charge default interest for the days before a day; the same day twice posts nothing the second time."""
    with for_creditor(creditor) as found:
        on = _day(day) if day else clock.today(found.timezone)
        done = accrual.accrue(on, dry_run=dry_run)
        amounts = {currency: str(Money(total, currency).decimal) for currency, total in done.totals}
        if as_json:
            caveats = [caveat.text("en") for caveat in done.caveats]
            rest = {"total": amounts, "without_rate": done.without_rate, "caveats": caveats}
            print_json({"day": on, "claims": done.claims, "posted": done.posted, **rest})
            return
        console.print(
            f"{done.claims} claims in default on {on}: {done.posted} "
            f"{'would get' if dry_run else 'got'} a posting, "
            f"{', '.join(f'{amount} {currency}' for currency, amount in amounts.items()) or 'nothing'} in all."
        )
        if done.without_rate:
            console.print(f"{done.without_rate} claims have no rate: the law's tables end before {on}.")
        for caveat in done.caveats:
            console.print(caveat.text("en"))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no day; write it as YYYY-MM-DD.") from None
