"""From TOML or JSON to the rows of a law pack: every field checked, so that a typing error cannot become law."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
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
    SettlementRule,
    SmallClaimFee,
)
from kulanz.law.figures.interest import BaseRate, DayCountRule, DefaultRate, RoundingRule
from kulanz.law.figures.limitation import LimitationBreaks, LimitationRule

_R = TypeVar("_R")
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}
Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a pack, and the field of `Pack` of the same name.

    `subject`: the fields that, with `valid_from`, tell one row from another. `unfold` turns a compact row of the file
    into rows as `kind` has them.
    """

    kind: type[Any]
    subject: tuple[str, ...] = ()
    unfold: Callable[[Raw], Iterable[Raw]] = lambda row: [row]

    def read(self, jurisdiction: str, rows: Iterable[Raw]) -> list[Any]:
        """The rows; raises InputError naming row and field where one does not fit."""
        name = self.kind.__name__
        return [
            row_of(self.kind, plain, f"{jurisdiction} {name} {number}")
            for number, row in enumerate(rows, start=1)
            for plain in self.unfold(row)
        ]

    def same(self, one: Any, other: Any) -> bool:
        """Whether two rows speak of the same thing from the same day on."""
        return all(getattr(one, name) == getattr(other, name) for name in ("valid_from", *self.subject))


def row_of(kind: type[_R], raw: Raw, where: str) -> _R:
    """One row as a frozen value; raises InputError naming what is missing, unknown or of the wrong form."""
    unknown = raw.keys() - {field.name for field in fields(kind)}  # type: ignore[arg-type]  # every row is a dataclass
    if unknown:
        raise InputError(f"A row of the law has unknown fields ({where}): {', '.join(sorted(unknown))}.")
    try:
        if kind not in _ADAPTERS:
            _ADAPTERS[kind] = TypeAdapter(kind)
        found: _R = _ADAPTERS[kind].validate_python(dict(raw))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputError(f"A row of the law does not fit ({where}): {faults}.") from None
    return found


def by_date(rows: Iterable[Any]) -> tuple[Any, ...]:
    """Ascending by the day from which they hold."""
    return tuple(sorted(rows, key=lambda row: row.valid_from))


def _contact(row: Raw) -> list[Raw]:
    rest = dict(row)
    limits = {name: rest.pop(name) for name in ("hours_between", "per_7_days")}
    return [{"saturday": None, "sunday": None, **rest, "limits": limits}]


def _postal(row: Raw) -> list[Raw]:
    rest = dict(row)
    pairs = [(prefix, region) for region, text in rest.pop("regions").items() for prefix in text.split()]
    return [{**rest, "prefixes": pairs}]


def _by_day(row: Raw) -> list[Raw]:
    """One figure per day, where a group of figures shares its source."""
    if not isinstance(row.get("percent"), Mapping):
        return [row]
    rest = {name: value for name, value in row.items() if name != "percent"}
    return [{**rest, "valid_from": day, "percent": percent} for day, percent in row["percent"].items()]


TABLES = {
    "contact": Table(ContactRule, unfold=_contact),
    "calls": Table(CallRule),
    "postal_regions": Table(PostalRegions, unfold=_postal),
    "base_rates": Table(BaseRate, unfold=_by_day),
    "default_rates": Table(DefaultRate, ("party", "performed_from")),
    "day_counts": Table(DayCountRule),
    "rounding": Table(RoundingRule),
    "reminder_costs": Table(ReminderCost),
    "lump_sums": Table(LumpSum, ("performed_from",)),
    "fee_schedules": Table(FeeSchedule),
    "collection_rules": Table(CollectionRule),
    "small_claim_fees": Table(SmallClaimFee),
    "settlement_rules": Table(SettlementRule),
    "ordinance_bands": Table(OrdinanceBand, ("up_to",)),
    "limitation_rules": Table(LimitationRule),
    "limitation_breaks": Table(LimitationBreaks),
    "allocation_orders": Table(AllocationOrder, ("debt",)),
    "duties": Table(Duty, ("code",)),
}
"""Every dated table of a pack by its name in the file."""
