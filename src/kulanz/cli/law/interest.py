"""`kulanz law interest`: default interest, row by row."""

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from rich.table import Table

from kulanz.cli.law import words
from kulanz.cli.output import console, print_json
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import digits
from kulanz.law.figures.interest import Party
from kulanz.law.interest import Accrual, Inclusive, InterestRow, Movement, accrue
from kulanz.law.rates import Overrides, Terms, named_day_count


def interest(
    principal: Annotated[str, typer.Option(help="With a decimal point, e.g. 1500 or 49.90.")],
    start: Annotated[str, typer.Option("--from", help="First day of default (ISO date).")],
    end: Annotated[str, typer.Option("--to", help="Last day (ISO date).")],
    contract_date: Annotated[str, typer.Option(help="The day the debt arose: decides on the rate.")],
    party: Annotated[
        Party, typer.Option(help="Who owes; consumer where either side is one.")
    ] = Party.CONSUMER,
    jurisdiction: Annotated[str, typer.Option(help="DE, AT, CH, UK or US.")] = "DE",
    inclusive: Annotated[Inclusive, typer.Option(help="Which ends bear interest.")] = Inclusive.BOTH,
    performed_on: Annotated[str, typer.Option(help="Day of performance, for continuing contracts.")] = "",
    day_count: Annotated[
        str, typer.Option(help="act/act, act/365 or 30/360; default: the jurisdiction's.")
    ] = "",
    max_rate: Annotated[str, typer.Option(help="A creditor's lower rate, percent a year.")] = "",
    movement: Annotated[
        list[str] | None, typer.Option(help="DATE=AMOUNT, e.g. 2026-03-01=-20.00; may be repeated.")
    ] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217; default: the jurisdiction's.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Default interest on a principal, with every rate, its source and the day count. An aid, not legal advice."""
    unit = words.currency_of(jurisdiction, currency)
    first, owed = words.day(start, "--from"), words.amount(principal, unit, "--principal")
    if owed <= 0:
        raise InputError("--principal: an amount above zero is needed; payments are given with --movement.")
    moves = [Movement(first, owed)]
    moves += [_movement(text, unit) for text in movement or []]
    terms = Terms(
        party,
        words.day(contract_date, "--contract-date"),
        words.optional_day(performed_on, "--performed-on"),
        named_day_count(day_count),
        Overrides(_percent(max_rate) if max_rate else None),
    )
    found = accrue(
        moves, first, words.day(end, "--to"), words.pack_of(jurisdiction), terms, inclusive=inclusive
    )
    if as_json:
        print_json({"inclusive": inclusive, **_document(found, unit)})
    else:
        _show(found, unit, inclusive)


def _movement(text: str, currency: str) -> Movement:
    on, equals, moved = text.partition("=")
    if not equals:
        raise InputError(f"--movement: {text!r} is not written like 2026-03-01=-20.00.")
    return Movement(words.day(on, "--movement"), words.amount(moved, currency, "--movement"))


def _percent(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InputError(f"--max-rate: {text!r} is not a percentage such as 4.5.") from None


def _document(found: Accrual, currency: str) -> dict[str, Any]:
    return {
        "total": words.decimal(found.total, currency),
        "currency": currency,
        "day_count": found.day_count,
        "rule": {
            k: v for k, v in asdict(found.rule).items() if k in ("paragraph", "percent", "source", "verified")
        },
        "rows": [_row(row, currency) for row in found.rows],
        "caveats": words.caveats_json(found.caveats),
    }


def _row(row: InterestRow, currency: str) -> dict[str, Any]:
    return {
        "from": row.start,
        "to": row.end,
        "days": row.days,
        "principal": words.decimal(row.principal, currency),
        "base": row.base,
        "rate": row.rate,
        "amount": _unrounded(row, currency),
    }


def _unrounded(row: InterestRow, currency: str) -> str:
    """Two decimals more than the currency has, as calculators print it."""
    places = digits(currency)
    exact = Decimal(row.amount.numerator) / Decimal(row.amount.denominator)
    return f"{exact.scaleb(-places):.{places + 2}f}"


_ENDS = {
    Inclusive.BOTH: "both days included",
    Inclusive.START: "the last day left out",
    Inclusive.END: "the first day left out",
    Inclusive.NONE: "first and last day left out",
}


def _show(found: Accrual, currency: str, inclusive: Inclusive) -> None:
    table = Table("From", "To", "Days", "Principal", "Base", "Rate", "Interest")
    for column in table.columns[2:]:
        column.justify = "right"
    for row in found.rows:
        table.add_row(
            str(row.start),
            str(row.end),
            str(row.days),
            words.decimal(row.principal, currency),
            words.rate(row.base),
            words.rate(row.rate),
            _unrounded(row, currency),
        )
    console.print(table)
    console.print(
        f"Total: [bold]{words.decimal(found.total, currency)} {currency}[/bold], {_ENDS[inclusive]}; "
        "rounded once, half up."
    )
    console.print(
        f"{found.rule.paragraph} ({found.rule.source}); day count {found.day_count.value}.", soft_wrap=True
    )
    words.say_caveats(found.caveats)
