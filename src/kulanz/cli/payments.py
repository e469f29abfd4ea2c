"""`kulanz payment`: money that arrived outside the online methods."""

from datetime import date
from typing import Annotated

import typer

from kulanz.claims.models import Case
from kulanz.claims.queries import statement
from kulanz.cli.output import console, print_json
from kulanz.cli.scoped import for_creditor
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.kernel.money import Money, to_minor
from kulanz.payments.actions import book_transfer
from kulanz.payments.reference import case_of

app = typer.Typer(help="Payments.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Payments."""


@app.command()
def book(
    creditor: Annotated[str, typer.Option(help="Short name of the creditor.")],
    reference: Annotated[str, typer.Option(help="The creditor reference on the transfer: RF...")],
    amount: Annotated[str, typer.Option(help="With a decimal point, e.g. 49.90, in the case's currency.")],
    bank_reference: Annotated[str, typer.Option(help="The bank's own reference: the same one books once.")],
    value_date: Annotated[str, typer.Option(help="ISO date; default: today.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Book a bank transfer that arrived."""
    with for_creditor(creditor) as found:
        case = Case.objects.filter(id=case_of(reference)).first()
        if case is None:
            raise NotFoundError(f"No case of {creditor} has the reference {reference}.")
        day = _day(value_date) if value_date else clock.today(found.timezone)
        payment = book_transfer(case.id, to_minor(amount, case.currency), day, bank_reference)
        still_open = statement(case.id).open_amount
    if as_json:
        print_json({"payment": payment.id, "case": case.id, "amount": payment.amount, "open": still_open})
    else:
        console.print(
            f"Booked {Money(payment.amount, case.currency)}; "
            f"{Money(still_open, case.currency)} of this case are still open."
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not an ISO date such as 2026-03-03.") from None
