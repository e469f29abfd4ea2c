"""Rows of the contact rules: hours, caps, holidays, regions."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from kulanz.kernel.errors import InputError

Hours = tuple[int, int]


@dataclass(frozen=True)
class ContactLimits:
    """Caps over all channels of one customer, and hours of the local day (None: as the law has it).

    A contact is allowed when `hours_between` full hours have passed since the last one, fewer than
    `per_7_days` were made in the last 7 days, and the local time is in [earliest, latest).
    """

    hours_between: int = 48
    per_7_days: int = 2
    earliest: int | None = None
    latest: int | None = None

    def stricter(self, other: "ContactLimits") -> "ContactLimits":
        """These limits tightened by a creditor's own; raises InputError where the other loosens one."""
        earliest = self.earliest if other.earliest is None else other.earliest
        latest = self.latest if other.latest is None else other.latest
        looser = {
            "hours_between": other.hours_between < self.hours_between,
            "per_7_days": other.per_7_days > self.per_7_days,
            "earliest": earliest is not None and self.earliest is not None and earliest < self.earliest,
            "latest": latest is not None and self.latest is not None and latest > self.latest,
        }
        if wrong := [name for name, loosens in looser.items() if loosens]:
            raise InputError(
                f"A creditor may only tighten the contact limits; {', '.join(wrong)} would loosen them."
            )
        if earliest is not None and latest is not None and earliest >= latest:
            raise InputError(f"Between {earliest}:00 and {latest}:00 no hour is left; widen the hours.")
        return ContactLimits(other.hours_between, other.per_7_days, earliest, latest)


@dataclass(frozen=True)
class ContactRule:
    """Contact hours and caps. Hours are local, [start, end); None: nobody is contacted on that day."""

    valid_from: date
    weekday: Hours
    saturday: Hours | None
    sunday: Hours | None
    limits: ContactLimits
    source: str
    limits_source: str
    verified: bool

    def window(self, weekday: int) -> Hours | None:
        """The hours of a weekday (0 = Monday), narrowed by the limits; None where nobody may be contacted."""
        hours = {5: self.saturday, 6: self.sunday}.get(weekday, self.weekday)
        if hours is None:
            return None
        start = max(hours[0], self.limits.earliest or 0)
        end = min(hours[1], 24 if self.limits.latest is None else self.limits.latest)
        return (start, end) if start < end else None


@dataclass(frozen=True)
class CallRule:
    """Caps on telephone calls per claim, beside the caps over all channels."""

    valid_from: date
    per_7_days: int
    days_after_talk: int
    source: str
    verified: bool


@dataclass(frozen=True)
class HolidayRule:
    """Whose public holidays count. `region_unknown`: any (a holiday in one region vetoes) or national."""

    country: str
    categories: tuple[str, ...]
    region_unknown: Literal["any", "national"]
    source: str
    verified: bool


@dataclass(frozen=True)
class PostalRegions:
    """Postal-code prefixes that lie wholly in one region."""

    valid_from: date
    prefixes: tuple[tuple[str, str], ...]
    digits: int
    source: str
    verified: bool
