"""Jurisdictions as dated, sourced packs of figures, read once into frozen values.

A pack is one TOML file in the folder `packs`; its keys are the fields of `Pack` and of the rows in `figures`.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar

from kulanz.kernel.errors import InputError, KulanzError
from kulanz.law.caveats import Row
from kulanz.law.figures.basis import Basis
from kulanz.law.figures.contact import (
    CallRule,
    ContactLimits,
    ContactRule,
    HolidayRule,
    Hours,
    PostalRegions,
)
from kulanz.law.figures.interest import BaseRate, DayCount, DayCountRule, DefaultRate, Party, RoundingRule

__all__ = [
    "Basis",
    "ContactLimits",
    "NoRate",
    "Pack",
    "jurisdictions",
    "load",
    "parse",
]


class NoRate(KulanzError):  # noqa: N818 - the rooms above and the documentation call it by this name
    """A figure of law is missing for a date; it is never guessed and never carried over silently."""

    def __init__(self, on: date, what: str) -> None:
        super().__init__(
            f"The law packs hold no {what} for {on.isoformat()}. Add a dated, sourced row before going on."
        )
        self.on = on
        self.what = what


@dataclass(frozen=True)
class Pack:
    """One jurisdiction. `known_until` ends each table: past it, `NoRate`."""

    jurisdiction: str
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

    @property
    def limits(self) -> ContactLimits:
        """The newest contact limits, with the weekday hours as `earliest` and `latest`."""
        rule = self.contact[-1]
        start, end = rule.window(0) or rule.weekday
        return replace(rule.limits, earliest=start, latest=end)

    def contact_on(self, day: date) -> ContactRule:
        """The contact rule in force; raises NoRate before the first row and after `known_until`."""
        return self.in_force(self.contact, day, "contact")

    def calls_on(self, day: date) -> CallRule | None:
        """The telephone caps in force; None where the jurisdiction has none of its own."""
        if not self.calls or day < self.calls[0].valid_from:
            return None
        return self.in_force(self.calls, day, "calls")

    def tightened(self, limits: ContactLimits) -> "Pack":
        """This pack with a creditor's own limits; raises InputError where they loosen the newest ones."""
        self.limits.stricter(limits)
        return replace(
            self, contact=tuple(replace(r, limits=_narrowed(r.limits, limits)) for r in self.contact)
        )

    def in_force(self, rows: "Sequence[_Row]", day: date, table: str) -> "_Row":
        """The newest of `rows` (ascending by date) that holds on `day`; raises NoRate before the first row and after
        the table's `known_until`."""
        row = next((row for row in reversed(rows) if row.valid_from <= day), None)
        if row is None or day > dict(self.known_until)[table]:
            raise NoRate(day, f"{table} rule of {self.jurisdiction}")
        return row


_Row = TypeVar("_Row", bound=Row)


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
    """A pack from its TOML document. Raises KeyError or TypeError where a key is missing or unknown."""
    code = raw["jurisdiction"]
    holidays = raw["holidays"]
    return Pack(
        jurisdiction=code,
        name_de=raw["name_de"],
        name_en=raw["name_en"],
        known_until=tuple(raw["known_until"].items()),
        holidays=HolidayRule(**{**holidays, "categories": tuple(holidays["categories"])}),
        contact=_by_date(_contact_rule(row) for row in raw["contact"]),
        calls=_by_date(CallRule(**row) for row in raw.get("calls", [])),
        bases=tuple(Basis(code=f"{code}.{kind}", kind=kind, **row) for kind, row in raw["basis"].items()),
        postal_regions=_by_date(_postal_regions(row) for row in raw.get("postal_regions", [])),
        base_rates=_by_date(rate for group in raw.get("base_rates", []) for rate in _base_rates(group)),
        default_rates=_by_date(_default_rate(row) for row in raw.get("default_rates", [])),
        day_counts=_by_date(_day_count(row) for row in raw["day_counts"]),
        rounding=_by_date(RoundingRule(**row) for row in raw["rounding"]),
    )


def _by_date(rows: Any) -> Any:
    return tuple(sorted(rows, key=lambda row: row.valid_from))


def _contact_rule(row: dict[str, Any]) -> ContactRule:
    rest = dict(row)
    start, end = rest.pop("weekday")
    return ContactRule(
        weekday=(start, end),
        saturday=_hours(rest.pop("saturday", None)),
        sunday=_hours(rest.pop("sunday", None)),
        limits=ContactLimits(rest.pop("hours_between"), rest.pop("per_7_days")),
        **rest,
    )


def _hours(pair: list[int] | None) -> Hours | None:
    return None if pair is None else (pair[0], pair[1])


def _postal_regions(row: dict[str, Any]) -> PostalRegions:
    rest = dict(row)
    pairs = tuple((prefix, region) for region, text in rest.pop("regions").items() for prefix in text.split())
    return PostalRegions(prefixes=pairs, **rest)


def _base_rates(group: dict[str, Any]) -> list[BaseRate]:
    rest = dict(group)
    percents = {date.fromisoformat(day): Decimal(percent) for day, percent in rest.pop("percent").items()}
    return [BaseRate(day, percent, **rest) for day, percent in percents.items()]


def _default_rate(row: dict[str, Any]) -> DefaultRate:
    return DefaultRate(**{**row, "party": Party(row["party"]), "percent": Decimal(row["percent"])})


def _day_count(row: dict[str, Any]) -> DayCountRule:
    return DayCountRule(**{**row, "day_count": DayCount(row["day_count"])})
