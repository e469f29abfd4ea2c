"""From TOML or JSON to the rows of a law pack: every field checked, so that a typing error cannot become law."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from string import Formatter
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from kulanz.kernel.errors import InputError
from kulanz.law.figures.allocation import AllocationOrder
from kulanz.law.figures.contact import CallRule, ContactRule, PostalRegions
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

_R = TypeVar("_R")
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}
Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a pack, and the field of `Pack` of the same name.

    `subject`: the fields that, with `valid_from`, tell one row from another. `unfold` turns a compact row of the file
    into rows as `kind` has them. `whole` says what a complete table lacks up to its last day, or nothing.
    `addable`: operators may add rows; not where regions are read straight from the shipped packs.
    """

    kind: type[Any]
    subject: tuple[str, ...] = ()
    unfold: Callable[[Raw], Iterable[Raw]] = lambda row: [row]
    whole: Callable[[str, Sequence[Any], date], str] = lambda _code, _rows, _until: ""
    addable: bool = True

    def read(self, where: str, rows: Iterable[Raw]) -> list[Any]:
        """The rows of the table `where`, e.g. "DE base_rates"; raises InputError naming it, row and field where one
        does not fit."""
        return [
            row_of(self.kind, plain, f"{where}, row {number}")
            for number, row in enumerate(rows, start=1)
            for plain in self._unfolded(row, f"{where}, row {number}")
        ]

    def _unfolded(self, row: Raw, where: str) -> list[Raw]:
        try:
            return list(self.unfold(row))
        except KeyError as error:
            raise InputError(f"A row of the law lacks a field ({where}): {error.args[0]}.") from None

    def same(self, one: Any, other: Any) -> bool:
        """Whether two rows speak of the same thing from the same day on."""
        return all(getattr(one, name) == getattr(other, name) for name in ("valid_from", *self.subject))


def row_of(kind: type[_R], raw: Raw, where: str) -> _R:
    """One row as a frozen value; raises InputError naming what is missing, unknown or of the wrong form."""
    unknown = raw.keys() - {field.name for field in fields(kind)}  # type: ignore[arg-type]  # every row is a dataclass
    if unknown:
        raise InputError(f"A row of the law has unknown fields ({where}): {', '.join(sorted(unknown))}.")
    if fault := _fault_in_head(raw):
        raise InputError(f"A row of the law does not fit ({where}): {fault}.")
    try:
        if kind not in _ADAPTERS:
            _ADAPTERS[kind] = TypeAdapter(kind)
        found: _R = _ADAPTERS[kind].validate_python(dict(raw))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputError(f"A row of the law does not fit ({where}): {faults}.") from None
    return found


def _fault_in_head(raw: Raw) -> str:
    """What every row says of itself is taken as written: no numbers for days, no words for yes and no."""
    if not isinstance(raw.get("valid_from", ""), date | str):
        return "valid_from: a day such as 2026-01-01 is needed"
    if not isinstance(raw.get("verified", True), bool):
        return "verified: true or false is needed"
    if not str(raw.get("source", "-")).strip():
        return "source: it must say where the figure was seen"
    return ""


def by_date(rows: Iterable[Any]) -> tuple[Any, ...]:
    """Ascending by the day from which they hold."""
    return tuple(sorted(rows, key=lambda row: row.valid_from))


def _contact(row: Raw) -> list[Raw]:
    rest = dict(row)
    limits = {name: rest.pop(name) for name in ("hours_between", "per_7_days")}
    return [{"saturday": None, "sunday": None, **rest, "limits": limits}]


def _postal(row: Raw) -> list[Raw]:
    rest = dict(row)
    if not isinstance(rest["regions"], Mapping):
        return [row]
    pairs = [(prefix, region) for region, text in rest.pop("regions").items() for prefix in str(text).split()]
    return [{**rest, "prefixes": pairs}]


def _by_day(row: Raw) -> list[Raw]:
    """One figure per day, where a group of figures shares its source."""
    if not isinstance(row.get("percent"), Mapping):
        return [row]
    rest = {name: value for name, value in row.items() if name != "percent"}
    return [{**rest, "valid_from": day, "percent": percent} for day, percent in row["percent"].items()]


_HALF_YEARS = ((1, 1), (7, 1))


def _every_half_year(code: str, rows: Sequence[BaseRate], until: date) -> str:
    """The German base rate changes on 1 January and 1 July alone (section 247 BGB): each half-year has its own row."""
    if code != "DE" or not rows:
        return ""
    have, last = {row.valid_from for row in rows}, max(rows[-1].valid_from, until)
    years = range(rows[0].valid_from.year, last.year + 1)
    halves = {date(year, *half) for year in years for half in _HALF_YEARS}
    needed = {day for day in halves if rows[0].valid_from <= day <= last}
    if wrong := sorted(have - needed):
        return f"{wrong[0]}: the base rate changes on 1 January and 1 July only (section 247 BGB)"
    if gaps := sorted(needed - have):
        return f"{gaps[0]} has no row: each half-year needs one, even where the rate did not change"
    return ""


def _written(name: str | None, spec: str | None, conversion: str | None) -> str:
    return f"{name}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}"


def _sayable(code: str, rows: Sequence[Duty], until: date) -> str:
    """A duty that says and shows nothing would be met by any message."""
    for row in rows:
        for text in (row.text_de, row.text_en):
            if not text.strip() and not row.shows:
                return f"{row.code} from {row.valid_from} has neither a text in both languages nor a value to show"
            try:
                names = [_written(*found) for _, *found in Formatter().parse(text) if found[0] is not None]
            except ValueError as error:
                return f"the text of {row.code} from {row.valid_from} cannot be filled in: {error}"
            if wrong := [name for name in names if not name.isidentifier()]:
                return f"the text of {row.code} from {row.valid_from} names {wrong[0]!r}, which is no value"
    return ""


TABLES = {
    "contact": Table(ContactRule, unfold=_contact),
    "calls": Table(CallRule),
    "postal_regions": Table(PostalRegions, unfold=_postal, addable=False),
    "base_rates": Table(BaseRate, unfold=_by_day, whole=_every_half_year),
    "default_rates": Table(DefaultRate, ("party", "performed_from")),
    "day_counts": Table(DayCountRule),
    "rounding": Table(RoundingRule),
    "reminder_costs": Table(ReminderCost),
    "lump_sums": Table(LumpSum, ("performed_from",)),
    "fee_schedules": Table(FeeSchedule),
    "collection_rules": Table(CollectionRule),
    "value_bases": Table(ValueBase),
    "small_claim_fees": Table(SmallClaimFee),
    "settlement_rules": Table(SettlementRule),
    "ordinance_bands": Table(OrdinanceBand, ("up_to",)),
    "return_costs": Table(ReturnCost),
    "limitation_rules": Table(LimitationRule),
    "limitation_breaks": Table(LimitationBreaks),
    "allocation_orders": Table(AllocationOrder, ("debt",)),
    "protected_income": Table(ProtectedIncome),
    "debt_advice": Table(DebtAdvice, ("name",)),
    "duties": Table(Duty, ("code",), whole=_sayable),
}
"""Every dated table of a pack by its name in the file."""
