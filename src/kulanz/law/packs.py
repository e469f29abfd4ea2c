"""Jurisdictions as dated, sourced packs of figures, read once into frozen values.

A pack is one TOML file in the folder `packs`; its tables are those of `reading.TABLES`, its rows those in `figures`.
"""

import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar

from kulanz.kernel.errors import InputError, KulanzError
from kulanz.law.caveats import Row
from kulanz.law.figures.allocation import AllocationOrder
from kulanz.law.figures.basis import Basis
from kulanz.law.figures.contact import CallRule, ContactLimits, ContactRule, HolidayRule, PostalRegions
from kulanz.law.figures.duties import Duty
from kulanz.law.figures.fees import (
    CollectionRule,
    FeeSchedule,
    LumpSum,
    OrdinanceBand,
    ReminderCost,
    ReturnCost,
    SettlementRule,
    SmallClaimFee,
    ValueBase,
)
from kulanz.law.figures.interest import BaseRate, DayCountRule, DefaultRate, RoundingRule
from kulanz.law.figures.limitation import LimitationBreaks, LimitationRule
from kulanz.law.figures.protection import DebtAdvice, ProtectedIncome
from kulanz.law.reading import TABLES, by_date, row_of

__all__ = [
    "AddedRow",
    "Basis",
    "ContactLimits",
    "NoRate",
    "Pack",
    "jurisdictions",
    "load",
    "merged",
    "parse",
]


class NoRate(KulanzError):  # noqa: N818 - the rooms above and the documentation call it by this name
    """A figure of law is missing for a date; it is never guessed and never carried over silently."""

    def __init__(self, on: date, what: str) -> None:
        super().__init__(
            f"The law packs hold no {what} for {on.isoformat()}. "
            "Add a dated, sourced row before going on: kulanz law rows add."
        )
        self.on = on
        self.what = what


@dataclass(frozen=True)
class Pack:
    """One jurisdiction. `currency`: of its amounts, ISO 4217. `known_until` ends each table: past it, `NoRate`."""

    jurisdiction: str
    currency: str
    name_de: str
    name_en: str
    known_until: tuple[tuple[str, date], ...]
    holidays: HolidayRule
    contact: tuple[ContactRule, ...]
    calls: tuple[CallRule, ...]
    bases: tuple[Basis, ...]
    postal_regions: tuple[PostalRegions, ...]
    base_rates: tuple[BaseRate, ...]
    default_rates: tuple[DefaultRate, ...]
    day_counts: tuple[DayCountRule, ...]
    rounding: tuple[RoundingRule, ...]
    reminder_costs: tuple[ReminderCost, ...]
    lump_sums: tuple[LumpSum, ...]
    fee_schedules: tuple[FeeSchedule, ...]
    collection_rules: tuple[CollectionRule, ...]
    value_bases: tuple[ValueBase, ...]
    small_claim_fees: tuple[SmallClaimFee, ...]
    settlement_rules: tuple[SettlementRule, ...]
    ordinance_bands: tuple[OrdinanceBand, ...]
    return_costs: tuple[ReturnCost, ...]
    limitation_rules: tuple[LimitationRule, ...]
    limitation_breaks: tuple[LimitationBreaks, ...]
    allocation_orders: tuple[AllocationOrder, ...]
    duties: tuple[Duty, ...]
    protected_income: tuple[ProtectedIncome, ...]
    debt_advice: tuple[DebtAdvice, ...]

    @property
    def limits(self) -> ContactLimits:
        """The newest contact limits, with the weekday hours as `earliest` and `latest`."""
        return _limits(self.contact[-1])

    def contact_on(self, day: date) -> ContactRule:
        """The contact rule in force; raises NoRate before the first row and after `known_until`."""
        return self.in_force(self.contact, day, "contact")

    def calls_on(self, day: date) -> CallRule | None:
        """The telephone caps in force; None where the jurisdiction has none of its own."""
        if not self.calls or day < self.calls[0].valid_from:
            return None
        return self.in_force(self.calls, day, "calls")

    def end_of(self, table: str) -> date:
        """The last day for which a table is known; the first of all days where the pack does not have it."""
        return dict(self.known_until).get(table, date.min)

    def tightened(self, limits: ContactLimits) -> "Pack":
        """This pack with a creditor's own limits, of each the stricter one.

        Raises InputError where they would loosen every contact rule of the pack. What was lawful under an older rule
        stays harmless when a stricter one follows.
        """
        _check_not_looser([_limits(rule) for rule in self.contact], limits)
        return replace(
            self, contact=tuple(replace(r, limits=_narrowed(r.limits, limits)) for r in self.contact)
        )

    def in_force(self, rows: "Sequence[_Row]", day: date, table: str) -> "_Row":
        """The newest of `rows` (ascending by date) that holds on `day`; raises NoRate before the first row and after
        the table's `known_until`."""
        row = next((row for row in reversed(rows) if row.valid_from <= day), None)
        if row is None or day > self.end_of(table):
            raise NoRate(day, f"{table} rule of {self.jurisdiction}")
        return row


_Row = TypeVar("_Row", bound=Row)


def _limits(rule: ContactRule) -> ContactLimits:
    start, end = rule.window(0) or rule.weekday
    return replace(rule.limits, earliest=start, latest=end)


def _check_not_looser(law: list[ContactLimits], own: ContactLimits) -> None:
    *older, newest = law
    for limits in older:
        with suppress(InputError):
            limits.stricter(own)
            return
    newest.stricter(own)


def _narrowed(law: ContactLimits, own: ContactLimits) -> ContactLimits:
    earliest = [hour for hour in (law.earliest, own.earliest) if hour is not None]
    latest = [hour for hour in (law.latest, own.latest) if hour is not None]
    return ContactLimits(
        max(law.hours_between, own.hours_between),
        min(law.per_7_days, own.per_7_days),
        max(earliest, default=None),
        min(latest, default=None),
    )


def jurisdictions() -> tuple[str, ...]:
    """The codes of all packs, in alphabetical order."""
    folder = files("kulanz.law") / "packs"
    return tuple(sorted(f.name[:-5].upper() for f in folder.iterdir() if f.name.endswith(".toml")))


@lru_cache(maxsize=32)
def load(jurisdiction: str) -> Pack:
    """The pack of a jurisdiction such as "DE". Raises InputError for one that has no pack."""
    if jurisdiction.upper() not in jurisdictions():
        known = ", ".join(jurisdictions())
        raise InputError(f"There is no law pack for {jurisdiction!r}; choose one of {known}.")
    folder = files("kulanz.law") / "packs"
    return parse(tomllib.loads((folder / f"{jurisdiction.lower()}.toml").read_text("utf-8")))


def parse(raw: dict[str, Any]) -> Pack:
    """A pack from its TOML document; raises InputError naming table, row and field where it does not fit."""
    code = raw["jurisdiction"]
    unknown = (
        raw.keys()
        - TABLES.keys()
        - {"jurisdiction", "currency", "name_de", "name_en", "known_until", "holidays", "basis"}
    )
    if unknown:
        raise InputError(f"The law pack {code} has tables that nothing reads: {', '.join(sorted(unknown))}.")
    tables = {
        name: by_date(table.read(f"{code} {name}", raw.get(name, []))) for name, table in TABLES.items()
    }
    pack = Pack(
        jurisdiction=code,
        currency=raw["currency"],
        name_de=raw["name_de"],
        name_en=raw["name_en"],
        known_until=tuple(raw["known_until"].items()),
        holidays=row_of(HolidayRule, raw["holidays"], f"{code} holidays"),
        bases=tuple(
            row_of(Basis, {"code": f"{code}.{kind}", "kind": kind, **row}, f"{code} basis.{kind}")
            for kind, row in raw["basis"].items()
        ),
        **tables,
    )
    for name, rows in tables.items():
        if rows and name not in raw["known_until"]:
            raise InputError(f"The law pack {code} does not say until when its table {name} is known.")
        _check_whole(pack, name)
    return pack


def _check_whole(pack: Pack, table: str) -> None:
    if fault := TABLES[table].whole(pack.jurisdiction, getattr(pack, table), pack.end_of(table)):
        raise InputError(f"The table {table} of {pack.jurisdiction} is not complete: {fault}.")


@dataclass(frozen=True, slots=True)
class AddedRow:
    """A dated row from outside the shipped packs, in the form of its table, JSON's kinds of values only.

    `known_until` moves the table's end; a row that begins after the end needs it.
    """

    table: str
    row: Mapping[str, Any]
    known_until: date | None = None


def merged(pack: Pack, added: Sequence[AddedRow]) -> Pack:
    """The pack with further rows; one of the same day and subject takes the place of the shipped one.

    Raises InputError naming table and field where a row does not fit, would end a table earlier, begins after its end,
    or leaves a gap in it.
    """
    for each in added:
        if each.table not in TABLES or not TABLES[each.table].addable:
            addable = ", ".join(name for name, table in TABLES.items() if table.addable)
            raise InputError(
                f"{each.table!r} is no table of a law pack that takes further rows; choose one of {addable}."
            )
        table = TABLES[each.table]
        new = table.read(f"{pack.jurisdiction} {each.table}", [each.row])
        if not new:
            raise InputError(f"The row for {each.table} holds no figure.")
        old = [row for row in getattr(pack, each.table) if not any(table.same(row, other) for other in new)]
        ends = dict(pack.known_until) | {each.table: _end(pack, each, max(row.valid_from for row in new))}
        changed: dict[str, Any] = {"known_until": tuple(ends.items()), each.table: by_date([*old, *new])}
        pack = replace(pack, **changed)
        _check_whole(pack, each.table)
    return pack


def _end(pack: Pack, added: AddedRow, begins: date) -> date:
    end = pack.end_of(added.table)
    if added.known_until is not None and added.known_until < end:
        raise InputError(f"The table {added.table} is known until {end}; it cannot end earlier.")
    until = added.known_until or end
    if begins > until:
        raise InputError(
            f"The row for {added.table} holds from {begins} on, after the end of the table. "
            "Say until when the table is known (known_until)."
        )
    return until
