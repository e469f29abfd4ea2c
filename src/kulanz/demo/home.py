"""Where the creditor of a demo is at home: from what was asked for and from what the file says."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from kulanz.intake.guessing import guess
from kulanz.intake.mapping import Mapping
from kulanz.intake.reading import read_file
from kulanz.kernel.errors import InputError


@dataclass(frozen=True, slots=True)
class Home:
    """A creditor's law pack, currency, language and IANA time zone."""

    jurisdiction: str
    currency: str
    language: str
    timezone: str

    @classmethod
    def of(cls, jurisdiction: str, currency: str = "") -> Self:
        """Raises InputError for a jurisdiction without a law pack."""
        if jurisdiction not in _HOMES:
            raise InputError(f"There is no law pack {jurisdiction!r}; there are {', '.join(_HOMES)}.")
        home = cls(jurisdiction, *_HOMES[jurisdiction])
        return replace(home, currency=currency) if currency else home


_HOMES = {
    "DE": ("EUR", "de", "Europe/Berlin"),
    "AT": ("EUR", "de", "Europe/Vienna"),
    "CH": ("CHF", "de", "Europe/Zurich"),
    "UK": ("GBP", "en", "Europe/London"),
    "US": ("USD", "en", "America/New_York"),
}


def home_of_file(path: Path, mapping: Mapping | None, *, jurisdiction: str, currency: str) -> Home:
    """What was asked for goes before what the mapping of the file says; a file that says nothing is German."""
    known = mapping or guess(read_file(path).header).mapping
    return Home.of(jurisdiction or known.jurisdiction or "DE", currency or known.currency)
