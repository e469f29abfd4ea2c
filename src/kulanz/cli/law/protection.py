"""`kulanz law protection`: what of an income is out of reach."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.table import Table

from kulanz.cli.law import words
from kulanz.cli.output import console, print_json
from kulanz.kernel.money import Money, to_minor
from kulanz.law.protection import protection


def protection_(
    income: Annotated[str, typer.Option(help="Net income a month, with a decimal point.")],
    maintained: Annotated[int, typer.Option(help="How many people are supported by law.")] = 0,
    jurisdiction: Annotated[str, typer.Option(help="DE or US; other packs have no figure yet.")] = "DE",
    on: Annotated[str, typer.Option(help="ISO date. Default: today.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """The protected and the seizable part of a net income a month. An aid, not legal advice."""
    pack = words.pack_of(jurisdiction)
    minor = words.amount(income, pack.currency, "--income")
    day = words.optional_day(on, "--on") or words.today()
    found = protection(pack, day, Decimal(words.decimal(minor, pack.currency)), maintained)
    if as_json:
        print_json(
            {
                "on": day,
                "currency": pack.currency,
                "income": found.income,
                "protected": found.protected,
                "seizable": found.seizable,
                "source": found.source,
                "caveats": words.caveats_json(found.caveats),
            }
        )
        return
    table = Table("Income", "Protected", "Seizable", "Source")
    amounts = (to_minor(str(each), pack.currency) for each in (found.income, found.protected, found.seizable))
    table.add_row(*(Money(minor, pack.currency).format("en") for minor in amounts), found.source)
    console.print(table)
    words.say_caveats(found.caveats)
