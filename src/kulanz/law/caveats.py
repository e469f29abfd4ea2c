"""Figures that nobody has seen in a source: used only with a warning that reaches the result, screen and document."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

_GERMAN = {
    "base rate": "Basiszinssatz",
    "collection cost": "Inkassokosten",
    "collection expenses": "Auslagen",
    "day count": "Tageszählung",
    "default interest rate": "Verzugszinssatz",
    "legal basis": "Rechtsgrundlage",
    "limitation": "Verjährung",
    "lump sum": "Pauschale",
    "order of allocation": "Anrechnungsreihenfolge",
    "reminder cost": "Mahnkosten",
    "debt advice": "Schuldnerberatung",
    "protected income": "geschütztes Einkommen",
    "return cost": "Rücklastschriftkosten",
    "settlement fee": "Einigungsgebühr",
    "suspension and restart": "Hemmung und Neubeginn",
}


class Row(Protocol):
    """What every row of a pack says of itself."""

    @property
    def valid_from(self) -> date: ...
    @property
    def source(self) -> str: ...
    @property
    def verified(self) -> bool: ...


@dataclass(frozen=True, slots=True, order=True)
class Caveat:
    """One unverified figure that went into a result."""

    what: str
    valid_from: date
    source: str

    def text(self, language: str) -> str:
        """A sentence for people: German for `de...`, English for every other language."""
        if language.lower().startswith("de"):
            what = _GERMAN.get(self.what, self.what)
            return f"Nicht geprüft: {what} ab {self.valid_from.isoformat()} ({self.source})."
        return f"Unverified: {self.what} from {self.valid_from.isoformat()} ({self.source})."


def caveats(what: str, rows: Iterable[Row]) -> tuple[Caveat, ...]:
    """One caveat per unverified row, in order of date; empty where every row was seen in its source."""
    return tuple(sorted({Caveat(what, row.valid_from, row.source) for row in rows if not row.verified}))
