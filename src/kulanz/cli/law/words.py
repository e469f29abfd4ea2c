"""Reading what people type for the law's calculator, and showing how an amount came about."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.db import DatabaseError
from rich.markup import escape

from kulanz.cli.output import console, errors
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import Money, to_minor
from kulanz.law import packs
from kulanz.law.caveats import Caveat
from kulanz.law.packs import Pack
from kulanz.tenancy import law


def day(text: str, option: str) -> date:
    """An ISO date; raises InputError naming the option."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option}: {text!r} is not an ISO date such as 2026-03-31.") from None


def today() -> date:
    return clock.now().date()


def optional_day(text: str, option: str) -> date | None:
    return day(text, option) if text else None


def amount(text: str, currency: str, option: str) -> int:
    """Minor units of a decimal amount; raises InputError naming the option."""
    try:
        return to_minor(text, currency)
    except InputError as error:
        raise InputError(f"{option}: {error}") from None


def decimal(minor: int, currency: str) -> str:
    return str(Money(minor, currency).decimal)


def currency_of(jurisdiction: str, given: str) -> str:
    """The currency given, else the jurisdiction's own; raises InputError for one without a pack."""
    return given or packs.load(jurisdiction).currency


def rate(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f} %"


def say_caveats(caveats: Sequence[Caveat]) -> None:
    for caveat in caveats:
        console.print(f"[yellow]{escape(caveat.text('en'))}[/yellow]")


def pack_of(jurisdiction: str) -> Pack:
    """The pack as the installation has it; the shipped one where there is no database yet."""
    try:
        return law.pack(jurisdiction)
    except DatabaseError:
        errors.print(
            "There is no database with rows of your own (kulanz migrate makes one): shipped figures only."
        )
        return packs.load(jurisdiction)


def caveats_json(caveats: Sequence[Caveat]) -> list[dict[str, str]]:
    return [
        {"what": c.what, "valid_from": c.valid_from.isoformat(), "source": c.source, "text": c.text("en")}
        for c in caveats
    ]
