"""`kulanz customer`: what is kept about one customer."""

import json
from pathlib import Path
from typing import Annotated

import typer

from kulanz.claims import paper
from kulanz.claims.customers import correct
from kulanz.claims.models import Customer
from kulanz.claims.personal import paper as personal
from kulanz.claims.personal.collecting import as_document, copy_of
from kulanz.cli.output import console, print_json
from kulanz.cli.scoped import for_creditor
from kulanz.cli.setup import pairs
from kulanz.kernel.errors import InputError, NotFoundError

app = typer.Typer(help="Customers: a copy of their data, and corrections.", no_args_is_help=True)
_Number = Annotated[str, typer.Argument(help="Customer number.")]
_Slug = Annotated[str, typer.Option("--creditor", help="Short name of the creditor.")]
_BY = "operator"


@app.command("export")
def export(
    number: _Number,
    creditor: _Slug,
    out: Annotated[
        Path | None, typer.Option(help="A file that ends with .json or .pdf; without one JSON is printed.")
    ] = None,
    language: Annotated[str, typer.Option(help="de or en; none: the customer's.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """A copy of everything that is kept about a customer, for an access request."""
    kind = out.suffix.lower() if out else ".json"
    if kind not in (".json", ".pdf"):
        raise InputError("The copy is written as a .json or a .pdf file.")
    if out and out.exists() and not overwrite:
        raise InputError(f"{out} is there already; choose another file or add --overwrite.")
    with for_creditor(creditor):
        customer = _customer(number)
        copy = copy_of(customer.id, language or customer.language, by=_BY)
        if out is None:
            print_json(as_document(copy))
            return
        text = json.dumps(as_document(copy), indent=1, ensure_ascii=False).encode()
        content = text if kind == ".json" else personal.as_pdf(copy, paper.letterhead())
    try:
        out.write_bytes(content)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}.") from None
    console.print(f"{sum(map(len, copy.tables.values())):,} rows are in {out}.")


@app.command("correct")
def correct_(
    number: _Number,
    changes: Annotated[list[str], typer.Argument(help="NAME=VALUE, such as postal_code=10115.")],
    creditor: _Slug,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Put right name, postal_code, country or birth_date of a customer."""
    with for_creditor(creditor):
        changed = correct(_customer(number).id, pairs(changes), by=_BY)
    if as_json:
        print_json({"customer": number, "changed": list(changed)})
    else:
        console.print(
            f"{number}: {', '.join(changed)} corrected." if changed else "That is what stands there."
        )


def _customer(number: str) -> Customer:
    found: Customer | None = Customer.objects.filter(number=number).first()
    if found is None:
        raise NotFoundError(f"There is no customer with the number {number!r}.")
    return found
