"""What each room keeps about customers. A test walks all models: none that leads to a customer may be missing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Column:
    """One column on paper. `form`: text, day, moment, money, action, yes_no, or a vocabulary of `documents.words`."""

    name: str
    label: str | Promise
    form: str = "text"


@dataclass(frozen=True, slots=True)
class Kept:
    """A table with rows about customers.

    `customer`: the lookup from a row to its customer's id. `currency`: the lookup to the currency of its amounts.
    `paper`: what a person reads of it; the file has every column but those in `without`, which says why. `further`:
    more of a row, in German or English, read also from the rows `related`. `events`: types whose subject is a row.
    """

    model: type[Model]
    customer: str
    title: str | Promise
    paper: tuple[Column, ...] = ()
    currency: str = ""
    without: Mapping[str, str] = field(default_factory=dict)
    further: Callable[[Any, str], Mapping[str, Any]] | None = None
    related: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.model._meta.label


_registered: dict[str, Kept] = {}


def keep(tables: Iterable[Kept]) -> None:
    """Called by each room's `apps.py`; the order is that of the document."""
    for table in tables:
        _registered[table.label] = table


def tables() -> tuple[Kept, ...]:
    return tuple(_registered.values())
