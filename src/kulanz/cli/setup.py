"""Commands that set an installation up and keep it running."""

import getpass
import os
import secrets
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from django.core.management import call_command
from rich.table import Table

from kulanz.cli.output import console, print_json
from kulanz.cli.scoped import creditor as find_creditor
from kulanz.cli.scoped import for_creditor
from kulanz.config.schedule import work
from kulanz.config.server import serve_forever
from kulanz.contact.queries import creditor_rules
from kulanz.kernel.errors import InputError
from kulanz.payments.terms import change_terms
from kulanz.payments.terms import terms as payment_terms
from kulanz.strategy.journeys import BUILT_IN, activate, install, parse
from kulanz.tenancy.actions import NewCreditor, add_creditor, add_user
from kulanz.tenancy.changing import change_creditor
from kulanz.tenancy.models import Role
from kulanz.tenancy.scope import scope

creditors = typer.Typer(help="Creditors: whose claims these are.", no_args_is_help=True)
users = typer.Typer(help="Staff logins.", no_args_is_help=True)


def migrate() -> None:
    """Create or update the tables of the database that KULANZ_DATABASE_URL names."""
    call_command("migrate", verbosity=1)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
) -> None:
    """Serve the pages and the live stream from one process."""
    console.print(f"Kulanz is at http://{host}:{port}/  (stop with Ctrl+C)")
    serve_forever(host, port)


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
) -> None:
    """Run decisions, dispatch, learning and tasks on their schedule."""
    if not once:
        console.print("The worker runs; stop it with Ctrl+C.")
    work(once=once)


@creditors.command("add")
def add(
    slug: Annotated[str, typer.Argument(help="Short name for addresses and commands, e.g. lindenhof.")],
    name: Annotated[str, typer.Option(help="Name that customers know.")],
    sender_email: Annotated[str, typer.Option(help="From address of messages.")],
    legal_name: str = "",
    address: Annotated[str, typer.Option(help="Street, postal code and town in one line.")] = "",
    jurisdiction: Annotated[str, typer.Option(help="DE, AT, CH, UK or US.")] = "DE",
    currency: str = "EUR",
    language: str = "de",
    timezone: str = "Europe/Berlin",
    iban: str = "",
    journey: Annotated[str, typer.Option(help="standard or vexcash.")] = "standard",
    holdout: Annotated[float, typer.Option(help="Share of customers who stay on the plain ladder.")] = 0.2,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Add a creditor with its brand and its journey."""
    made = add_creditor(
        NewCreditor(
            slug=slug,
            name=name,
            sender_email=sender_email,
            legal_name=legal_name,
            address=address,
            jurisdiction=jurisdiction.upper(),
            currency=currency.upper(),
            language=language,
            timezone=timezone,
            iban=iban,
            holdout_share=holdout,
        )
    )
    with scope(made.id):
        install(made, journey)
    if as_json:
        print_json({"creditor": made.slug, "id": made.id, "journey": journey})
    else:
        console.print(
            f"{made.name} is set up with the journey {journey}. Next: kulanz import FILE --creditor {slug}"
        )


@creditors.command("set")
def set_(
    slug: Annotated[str, typer.Argument(help="Short name of the creditor.")],
    settings: Annotated[list[str], typer.Argument(help="NAME=VALUE, such as role=collector.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Change settings of a creditor; an unknown name lists all there are."""
    changes = pairs(settings)
    made = change_creditor(find_creditor(slug).slug, changes)
    if as_json:
        print_json({"creditor": made.slug, "changed": sorted(changes)})
    else:
        console.print(f"{made.name}: {', '.join(sorted(changes))} changed.")


@creditors.command("terms")
def terms(
    slug: Annotated[str, typer.Argument(help="Short name of the creditor.")],
    changes: Annotated[
        list[str] | None, typer.Argument(help="NAME=VALUE, such as offer.discounts=yes; none: show all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Show or change what a creditor agrees to in instalments and lets be offered (amounts in minor units)."""
    with for_creditor(slug) as found:
        wanted = pairs(changes or [])
        known = change_terms(wanted) if wanted else payment_terms()
    if as_json:
        print_json({"creditor": found.slug, "changed": sorted(wanted), "terms": known})
        return
    table = Table("term", "value", title=f"{found.name}: instalments and offers")
    for name, value in known.items():
        table.add_row(f"[bold]{name}[/]" if name in wanted else name, _said(value))
    console.print(table)


@creditors.command("journey")
def journey(
    slug: Annotated[str, typer.Argument(help="Short name of the creditor.")],
    source: Annotated[str, typer.Argument(help="standard, vexcash, or a TOML file in their form.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Make a journey the active one; what was sent stays with the journey that sent it."""
    with for_creditor(slug) as found:
        if source in BUILT_IN:
            made = install(found, source)
        else:
            made = activate(found, parse(text_of(source), tuple(creditor_rules(found).channels_on)))
    if as_json:
        print_json({"creditor": found.slug, "journey": made.slug, "version": made.version})
    else:
        console.print(f"{found.name} follows the journey {made.slug}, version {made.version}.")


@users.command("add")
def add_login(
    username: str,
    creditor: Annotated[str, typer.Option(help="Short name of the creditor.")],
    role: Annotated[Role, typer.Option(help="owner, manager, agent or viewer.")] = Role.AGENT,
) -> None:
    """Add a staff login. The password comes from KULANZ_PASSWORD, is asked for, or is made and printed once."""
    password = os.environ.get("KULANZ_PASSWORD", "")
    if not password and sys.stdin.isatty():
        password = getpass.getpass("Password (empty: make one): ")
    made = not password
    password = password or secrets.token_urlsafe(12)
    add_user(username, password, find_creditor(creditor), role)
    console.print(
        f"{username} may sign in as {role} of {creditor}." + (f" Password: {password}" if made else "")
    )


def text_of(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The file {path} cannot be read: {error}.") from None


def pairs(settings: list[str]) -> dict[str, str]:
    if bare := [pair for pair in settings if "=" not in pair]:
        raise InputError(f"A setting is written NAME=VALUE, not {bare[0]!r}.")
    return dict(pair.partition("=")[::2] for pair in settings)


def _said(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
