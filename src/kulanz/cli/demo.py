"""`kulanz demo`: the time-lapse of the whole circle, then its pages."""

import gc
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from kulanz.cli.demo_pages import serve_demo
from kulanz.cli.output import console, errors, print_json
from kulanz.demo.play import Played, Wish, play
from kulanz.kernel.money import Money
from kulanz.kernel.settings import settings


def demo(
    invoices: Annotated[
        Path | None, typer.Option(help="CSV file of invoices; default: a made-up portfolio.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3660, help="Days to play.")] = None,
    seed: Annotated[int, typer.Option(help="Two runs with one seed are alike.")] = 1,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="TOML file: which column of the file is which field.")
    ] = None,
    currency: Annotated[str, typer.Option(help="Of a file without a currency column.")] = "",
    jurisdiction: Annotated[str, typer.Option(help="DE, AT, CH, UK or US.")] = "",
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the pages afterwards.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document and nothing else; ends.")
    ] = False,
) -> None:
    """Play invoices, messages, payments and learning in time-lapse, on a database of its own (var/demo.db)."""
    gc.freeze()
    gc.set_threshold(
        50_000, 20, 50
    )  # the time-lapse makes millions of short-lived objects and no cycles worth a look
    wish = Wish(invoices, days, seed, currency.upper(), jurisdiction.upper(), mapping)
    played = _play(wish)
    if as_json:
        print_json(played.document)
        return
    _show(played)
    if serve:
        _serve(played)


def _play(wish: Wish) -> Played:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} days"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    ) as bar:
        task = bar.add_task("Getting ready", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        return play(wish, progress)


def _show(played: Played) -> None:
    found = played.document
    table = Table(title="Time-lapse (all customers and payments are simulated)", show_header=False)
    for name, value in _lines(found):
        table.add_row(name, value)
    console.print(table)
    console.print(f"Ready after {found['seconds']} s; virtual time: {played.ends_at:%d %b %Y, %H:%M} UTC.")


def _lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    lift, hour, ledger = found["lift"], found["hour"], found["ledger"]
    recovered = ", ".join(Money(minor, code).format("en") for code, minor in found["recovered"].items())
    messages = found["messages"]
    return [
        (
            "Invoices",
            f"{found['invoices']['imported']:,} imported, {found['invoices']['rejected']:,} rejected",
        ),
        ("Cases / decisions", f"{found['cases']:,} / {found['decisions']:,}"),
        ("Messages", f"{messages['total']:,} asking for payment, {messages['service']:,} others"),
        ("Offers told / taken", _offers(found["offers"])),
        ("Payments", f"{found['payments']:,}: {recovered or 'nothing yet'}"),
        ("Share realised, policy", _percent(lift["policy"])),
        ("Share realised, holdout", _percent(lift["holdout"])),
        (
            "Difference (95 %)",
            f"{_percent(lift['difference'])}, from {_percent(lift['low'])} to {_percent(lift['high'])}",
        ),
        (
            f"Sent {hour['planted_best']} (planted as best)",
            f"first quarter {_percent(hour['share_first_quarter'])}, last {_percent(hour['share_last_quarter'])}",
        ),
        (
            "Ledger",
            f"{ledger['journals']:,} journals, {ledger['postings']:,} postings, "
            f"{ledger['imbalances']} imbalances, {ledger['differences']} differences",
        ),
    ]


def _offers(found: dict[str, dict[str, int]]) -> str:
    lines = (f"{kind} {n['told']:,} / {n['taken']:,}" for kind, n in found.items())
    return ", ".join(lines) or "none"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _serve(played: Played) -> None:
    site, slug = settings().public_url, played.creditor.slug
    console.print(
        f"\nSign in at {site}/desk/ as [bold]{played.login.username}[/] with [bold]{played.login.password}[/]"
    )
    console.print(f"Dashboard {site}/insights/{slug}/   mailbox of the customers {site}/mailbox/{slug}/")
    console.print("Stop with Ctrl+C.")
    serve_demo(played.provider, played.webhooks, played.ends_at)
