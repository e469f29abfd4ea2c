"""`kulanz law`: the law packs as a calculator. One file per command."""

import typer

app = typer.Typer(help="The law packs as a calculator. An aid, not legal advice.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The law packs as a calculator. An aid, not legal advice."""
