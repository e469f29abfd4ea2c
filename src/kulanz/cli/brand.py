"""`kulanz brand`: how a creditor looks and signs."""

from typing import Annotated

import typer
from rich.table import Table

from kulanz.cli.output import console, print_json
from kulanz.cli.scoped import for_creditor
from kulanz.cli.setup import pairs, text_of
from kulanz.tenancy.branding import PARTS, brand, change_brand
from kulanz.tenancy.models import Brand

app = typer.Typer(help="Brands: how a creditor looks and signs.", no_args_is_help=True)
_Slug = Annotated[str, typer.Argument(help="Short name of the creditor.")]
_Json = Annotated[bool, typer.Option("--json")]


@app.command("show")
def show(slug: _Slug, as_json: _Json = False) -> None:
    """Show a brand."""
    with for_creditor(slug):
        _tell(brand(), as_json)


@app.command("set")
def set_(
    slug: _Slug,
    parts: Annotated[
        list[str], typer.Argument(help="NAME=VALUE, such as colour_primary=#1f5c4d logo=FILE.svg.")
    ],
    as_json: _Json = False,
) -> None:
    """Change parts of a brand; an unknown name lists all there are."""
    changes = pairs(parts)
    if changes.get("logo"):
        changes["logo"] = text_of(changes["logo"])
    with for_creditor(slug):
        _tell(change_brand(changes), as_json)


def _tell(found: Brand, as_json: bool) -> None:
    values = {name: found.logo_svg if name == "logo" else getattr(found, name) for name in PARTS}
    if as_json:
        print_json(values)
        return
    table = Table("part", "value", title=found.name)
    for name, value in values.items():
        table.add_row(name, f"{len(value):,} characters of SVG" if name == "logo" and value else value)
    console.print(table)
