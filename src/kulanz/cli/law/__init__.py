"""`kulanz law`: the law packs as a calculator. One file per command."""

import typer

from kulanz.cli.law import allocate, contact, fees, interest, limitation, protection, rows

app = typer.Typer(help="The law packs as a calculator. An aid, not legal advice.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The law packs as a calculator. An aid, not legal advice."""


app.command("interest")(interest.interest)
app.command("fees")(fees.fees)
app.command("allocate")(allocate.allocate_)
app.command("limitation")(limitation.limitation_)
app.command("protection")(protection.protection_)
app.command("contact")(contact.contact)
app.add_typer(rows.app, name="rows")
