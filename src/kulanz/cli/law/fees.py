"""`kulanz law fees`: what a delay may cost, with the arithmetic."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from rich.table import Table

from kulanz.cli.law import words
from kulanz.cli.output import console, print_json
from kulanz.kernel.errors import InputError
from kulanz.law import fees as law
from kulanz.law.fees import Difficulty, Fee, FeeKind
from kulanz.law.figures.interest import Party
from kulanz.law.packs import Pack
from kulanz.tenancy.models import LegalRole


@dataclass(frozen=True, slots=True)
class _Asked:
    pack: Pack
    principal: int
    on: date
    party: Party
    contract: date
    performed: date | None


def fees(
    principal: Annotated[str, typer.Option(help="Principal alone, with a decimal point.")],
    on: Annotated[str, typer.Option(help="The day of the reminder or order (ISO date).")],
    jurisdiction: Annotated[str, typer.Option(help="DE, AT, CH, UK or US.")] = "DE",
    role: Annotated[
        LegalRole, typer.Option(help="Own dunning, or a registered collector.")
    ] = LegalRole.CREDITOR,
    party: Annotated[Party, typer.Option(help="Who owes.")] = Party.CONSUMER,
    contract_date: Annotated[str, typer.Option(help="The day the debt arose; default: --on.")] = "",
    performed_on: Annotated[str, typer.Option(help="Day of performance, for continuing contracts.")] = "",
    disputed: Annotated[str, typer.Option(help="Factor of a disputed claim, e.g. 1.5.")] = "",
    letter_cost: Annotated[str, typer.Option(help="Documented outside cost of one letter, e.g. 0.76.")] = "0",
    return_cost: Annotated[
        str, typer.Option(help="The bank's documented charge for a returned debit.")
    ] = "0",
    first_reminder: Annotated[bool, typer.Option(help="The reminder that first creates default.")] = False,
    kind: Annotated[FeeKind | None, typer.Option(help="Only this kind of fee.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What may be charged, at most, and by which rule. What no rule allows is 0. An aid, not legal advice."""
    unit = words.currency_of(jurisdiction, "")
    day = words.day(on, "--on")
    contract = words.optional_day(contract_date, "--contract-date") or day
    amount = words.amount(principal, unit, "--principal")
    performed = words.optional_day(performed_on, "--performed-on")
    asked = _Asked(words.pack_of(jurisdiction), amount, day, party, contract, performed)
    if role is LegalRole.COLLECTOR:
        rows = _collector(asked, _factor(disputed) if disputed else None)
    else:
        letter = words.amount(letter_cost, unit, "--letter-cost")
        bank = words.amount(return_cost, unit, "--return-cost")
        rows = _creditor(asked, letter, bank, first=first_reminder)
    rows = [(name, fee) for name, fee in rows if kind in (None, fee.kind)]
    if as_json:
        print_json({"currency": unit, "fees": [_document(name, fee) for name, fee in rows]})
    else:
        _show(rows, unit)


def _creditor(asked: _Asked, letter: int, bank: int, *, first: bool) -> list[tuple[str, Fee]]:
    pack, on = asked.pack, asked.on
    by_letter = law.reminder(pack, on, digital=False, documented=letter, causes_default=first)
    return [
        ("digital reminder", law.reminder(pack, on, digital=True)),
        ("reminder by letter", by_letter),
        ("lump sum", law.lump_sum(pack, asked.party, asked.contract, asked.performed)),
        ("returned debit", law.returned(pack, on, bank)),
    ]


def _collector(asked: _Asked, factor: Decimal | None) -> list[tuple[str, Fee]]:
    pack, on, principal = asked.pack, asked.on, asked.principal
    if pack.ordinance_bands:
        first = law.ordinance(pack, principal, on, further=False)
        return [
            ("first reminder", first),
            ("further reminder", law.ordinance(pack, principal, on, further=True)),
        ]
    named = (
        [(each.value, law.collection(pack, principal, on, each)) for each in Difficulty]
        if factor is None
        else [("disputed", law.collection_disputed(pack, principal, on, factor))]
    )
    rows = [
        row
        for name, fee in named
        for row in ((f"collection, {name}", fee), (f"expenses, {name}", law.expenses(pack, fee, on)))
    ]
    return [*rows, ("instalment settlement", law.settlement(pack, principal, on))]


def _factor(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InputError(f"--disputed: {text!r} is not a factor such as 1.5.") from None


def _document(name: str, fee: Fee) -> dict[str, Any]:
    return {
        "name": name,
        "kind": fee.kind,
        "amount": words.decimal(fee.amount, fee.currency),
        "cap": None if fee.cap is None else words.decimal(fee.cap, fee.currency),
        "formula": fee.formula,
        "inputs": dict(fee.inputs),
        "source": fee.source,
        "caveats": words.caveats_json(fee.caveats),
    }


def _show(rows: list[tuple[str, Fee]], currency: str) -> None:
    table = Table("Fee", f"At most ({currency})", "How", "Source")
    table.columns[1].justify = "right"
    for name, fee in rows:
        table.add_row(name, words.decimal(fee.amount, currency), fee.formula, fee.source)
    console.print(table)
    words.say_caveats(sorted({caveat for _, fee in rows for caveat in fee.caveats}))
