"""`kulanz run`: one decision run."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from kulanz.cli.output import console, print_json
from kulanz.cli.scoped import for_creditor
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.law.vetoes import sentence
from kulanz.strategy.runs import RunResult
from kulanz.strategy.runs import run as decision_run


def run(
    creditor: Annotated[str, typer.Option(help="Short name of the creditor.")],
    at: Annotated[
        str, typer.Option(help="ISO time to decide at, in the creditor's zone; default: now.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide, but store and queue nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Decide channel, moment, tone and offer for every case that is due."""
    with for_creditor(creditor) as found:
        moment = _moment(at, found.timezone) if at else clock.now()
        result = decision_run(moment, seed=seed, dry_run=dry_run)
    if as_json:
        print_json(asdict(result))
    else:
        _show(result)


def _show(result: RunResult) -> None:
    verb = "would be" if result.run_id is None else "were"
    console.print(
        f"{result.cases:,} cases {verb} decided: {result.messages:,} messages, "
        f"{result.cases - result.messages:,} wait, {result.handed_over:,} handed over."
    )
    if result.vetoes:
        table = Table("veto", "cases", title="What the gate took away")
        for code, cases in sorted(result.vetoes.items(), key=lambda item: -item[1]):
            table.add_row(sentence(code, "en"), f"{cases:,}")
        console.print(table)


def _moment(text: str, timezone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not an ISO time such as 2026-03-03T09:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))
