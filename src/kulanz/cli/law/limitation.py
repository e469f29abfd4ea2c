"""`kulanz law limitation`: when a claim becomes time-barred."""

from typing import Annotated

import typer
from rich.table import Table

from kulanz.cli.law import words
from kulanz.cli.output import console, print_json
from kulanz.kernel.errors import InputError
from kulanz.law.limitation import Facts, Suspended, Suspension, limitation

_SPAN = "FROM..UNTIL, UNTIL empty while it lasts; may be repeated."


def limitation_(
    arose: Annotated[str, typer.Option(help="The day the claim fell due (ISO date).")],
    jurisdiction: Annotated[str, typer.Option(help="DE; other packs have no rule yet.")] = "DE",
    part_payment: Annotated[
        list[str] | None, typer.Option(help="Day of a part payment or acknowledgement; may be repeated.")
    ] = None,
    payment_order: Annotated[list[str] | None, typer.Option(help=_SPAN)] = None,
    negotiation: Annotated[list[str] | None, typer.Option(help=_SPAN)] = None,
    titled_on: Annotated[str, typer.Option(help="Day of an enforceable title.")] = "",
    on: Annotated[str, typer.Option(help="Barred on this day? Default: today.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """The last day before limitation, and every step that leads there. An aid, not legal advice."""
    spans = [(Suspension.PAYMENT_ORDER, payment_order), (Suspension.NEGOTIATION, negotiation)]
    facts = Facts(
        arose=words.day(arose, "--arose"),
        restarts=tuple(words.day(text, "--part-payment") for text in part_payment or []),
        suspensions=tuple(_suspended(kind, text) for kind, texts in spans for text in texts or []),
        titled=words.optional_day(titled_on, "--titled-on"),
    )
    found = limitation(words.pack_of(jurisdiction), facts)
    day = words.optional_day(on, "--on") or words.today()
    if as_json:
        print_json(
            {
                "last_day": found.last,
                "barred": found.barred(day),
                "on": day,
                "steps": [
                    {
                        "on": s.on,
                        "last_day": s.last,
                        "text_de": s.text_de,
                        "text_en": s.text_en,
                        "source": s.source,
                    }
                    for s in found.steps
                ],
                "caveats": words.caveats_json(found.caveats),
            }
        )
        return
    table = Table("On", "What", "Last day", "Source")
    for step in found.steps:
        table.add_row(str(step.on), step.text("en"), str(step.last or "suspended"), step.source)
    console.print(table)
    state = "time-barred" if found.barred(day) else "not time-barred"
    console.print(f"On {day}: [bold]{state}[/bold].")
    words.say_caveats(found.caveats)


def _suspended(kind: Suspension, text: str) -> Suspended:
    option = "--" + kind.value.replace("_", "-")
    start, dots, until = text.partition("..")
    if not dots:
        raise InputError(f"{option}: {text!r} is not written like 2026-01-01..2026-02-01.")
    return Suspended(kind, words.day(start, option), words.optional_day(until, option))
