"""`kulanz law allocate`: what a payment settles first."""

from datetime import date
from typing import Annotated

import typer
from rich.table import Table

from kulanz.cli.law import words
from kulanz.cli.output import console, print_json
from kulanz.kernel.errors import InputError
from kulanz.law.allocation import OpenItem, allocate, order_of, order_row
from kulanz.law.caveats import caveats

_PARTS = ("cost", "interest", "principal")
_FORM = "NAME;DUE;principal=80;interest=2;cost=5"


def allocate_(
    amount: Annotated[str, typer.Option(help="The payment, with a decimal point.")],
    claim: Annotated[list[str], typer.Option(help=f"{_FORM}; may be repeated.")],
    jurisdiction: Annotated[str, typer.Option(help="DE, AT, CH, UK or US.")] = "DE",
    designated: Annotated[str, typer.Option(help="The claim that the payer named.")] = "",
    consumer_loan: Annotated[bool, typer.Option(help="A consumer's loan has an order of its own.")] = False,
    on: Annotated[str, typer.Option(help="Day of the payment (ISO); default: today.")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217; default: the jurisdiction's.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Spread a payment over claims as the law orders. An aid, not legal advice."""
    unit = words.currency_of(jurisdiction, currency)
    day = words.optional_day(on, "--on") or words.today()
    pack = words.pack_of(jurisdiction)
    row = order_row(pack, day, consumer_loan=consumer_loan)
    spread = allocate(
        words.amount(amount, unit, "--amount"),
        [_item(text, unit) for text in claim],
        order_of(pack, day, consumer_loan=consumer_loan),
        designated or None,
        day,
    )
    unverified = caveats("order of allocation", [row])
    if as_json:
        print_json(
            {
                "rows": [
                    {
                        "claim": each.claim_id,
                        "account": each.account,
                        "amount": words.decimal(each.amount, unit),
                    }
                    for each in spread.rows
                ],
                "credit": words.decimal(spread.rest, unit),
                "source": row.source,
                "caveats": words.caveats_json(unverified),
            }
        )
        return
    table = Table("Claim", "Part", f"Settled ({unit})")
    table.columns[2].justify = "right"
    for each in spread.rows:
        table.add_row(each.claim_id, each.account.value, words.decimal(each.amount, unit))
    console.print(table)
    console.print(f"Left as credit: {words.decimal(spread.rest, unit)} {unit}. {row.source}.")
    words.say_caveats(unverified)


def _item(text: str, currency: str) -> OpenItem[str]:
    name, *rest = text.split(";")
    try:
        due, *parts = rest
        amounts = dict(part.split("=", maxsplit=1) for part in parts)
    except ValueError:
        raise InputError(f"--claim: {text!r} is not written like {_FORM}.") from None
    if not name or amounts.keys() - set(_PARTS):
        raise InputError(f"--claim: {text!r} is not written like {_FORM}.")
    cost, interest, principal = (words.amount(amounts.get(part, "0"), currency, "--claim") for part in _PARTS)
    return OpenItem(name, _due(due), cost, interest, principal)


def _due(text: str) -> date:
    return words.day(text, "--claim")
