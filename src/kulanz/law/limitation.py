"""The day after which a claim is time-barred, with each step that leads there.

`last_days` gives the same for columns of claims that know restarts only; claims with suspensions or titles are few and
take the scalar form.
"""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kulanz.kernel.errors import InputError
from kulanz.law.caveats import Caveat, caveats
from kulanz.law.figures.limitation import LimitationBreaks, LimitationRule
from kulanz.law.packs import NoRate, Pack

_DAY = timedelta(days=1)
Ints = NDArray[np.int64]


class Suspension(StrEnum):
    """What stops the time of limitation while it lasts."""

    PAYMENT_ORDER = "payment_order"
    NEGOTIATION = "negotiation"


@dataclass(frozen=True, slots=True)
class Suspended:
    """Both ends included; `until` None: it still lasts."""

    kind: Suspension
    start: date
    until: date | None

    def __post_init__(self) -> None:
        if self.until is not None and self.until < self.start:
            raise InputError("A suspension cannot end before it begins.")


@dataclass(frozen=True, slots=True)
class Facts:
    """`arose`: when the claim fell due and the creditor knew of it. `restarts`: part payments and acknowledgements."""

    arose: date
    restarts: tuple[date, ...] = ()
    suspensions: tuple[Suspended, ...] = ()
    titled: date | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the calculation; `last` is the last day before limitation after it, None while suspended."""

    on: date
    last: date | None
    text_de: str
    text_en: str
    source: str

    def text(self, language: str) -> str:
        return self.text_de if language.lower().startswith("de") else self.text_en


@dataclass(frozen=True, slots=True)
class Limitation:
    """`last` is the last day on which the claim is not time-barred; None while a suspension lasts."""

    last: date | None
    steps: tuple[Step, ...]
    caveats: tuple[Caveat, ...]

    def barred(self, on: date) -> bool:
        return self.last is not None and on > self.last


def limitation(pack: Pack, facts: Facts) -> Limitation:
    """When the claim becomes time-barred; raises NoRate where the pack has no rule for the day it arose."""
    rule = rule_of(pack, facts.arose)
    if facts.titled is not None:
        step = _titled(rule, facts.titled)
        return Limitation(step.last, (step,), caveats("limitation", [rule]))
    breaks = _breaks_of(pack, facts)
    steps = tuple(_steps(rule, breaks, facts))
    used = [breaks] if breaks is not None and len(steps) > 1 else []
    return Limitation(
        steps[-1].last, steps, (*caveats("limitation", [rule]), *caveats("suspension and restart", used))
    )


def rule_of(pack: Pack, arose: date) -> LimitationRule:
    """The rule for claims that arose on a day; raises NoRate where there is none."""
    found: LimitationRule = pack.in_force(pack.limitation_rules, arose, "limitation_rules")
    return found


def last_days(rule: LimitationRule, arose: Ints, claim: Ints, restart: Ints) -> Ints:
    """The last day before limitation of n claims, int64[n] epoch days.

    `arose` int64[n]; `claim` int64[m] ascending and `restart` int64[m], ascending within a claim: part payments and
    acknowledgements by the claim's place. One that comes after limitation changes nothing.
    """
    years = arose.astype("datetime64[D]").astype("datetime64[Y]")
    last = ((years + rule.years + 1).astype("datetime64[D]") - 1).astype(np.int64)
    if not len(claim):
        return last
    first = np.r_[True, np.diff(claim) > 0]
    rank = np.arange(len(claim)) - np.repeat(
        np.flatnonzero(first), np.diff(np.r_[np.flatnonzero(first), len(claim)])
    )
    for turn in range(int(rank.max()) + 1):
        of, day = claim[rank == turn], restart[rank == turn]
        counts = (day >= arose[of]) & (day <= last[of])
        last[of[counts]] = np.maximum(last[of[counts]], _years_on(day[counts], rule.years))
    return last


def _titled(rule: LimitationRule, titled: date) -> Step:
    return Step(
        titled,
        _add_years(titled, rule.titled_years),
        f"Titel vom {titled.isoformat()}: {rule.titled_years} Jahre.",
        f"Title of {titled.isoformat()}: {rule.titled_years} years.",
        rule.titled_source,
    )


def _breaks_of(pack: Pack, facts: Facts) -> LimitationBreaks | None:
    if not facts.restarts and not facts.suspensions:
        return None
    found: LimitationBreaks = pack.in_force(pack.limitation_breaks, facts.arose, "limitation_breaks")
    return found


def _steps(rule: LimitationRule, breaks: LimitationBreaks | None, facts: Facts) -> Iterator[Step]:
    begin, last = date(facts.arose.year + 1, 1, 1), date(facts.arose.year + rule.years, 12, 31)
    yield Step(
        facts.arose,
        last,
        f"Entstanden {facts.arose.year}; {rule.years} Jahre ab dem Ende dieses Jahres.",
        f"Arose in {facts.arose.year}; {rule.years} years from the end of that year.",
        rule.source,
    )
    if breaks is None:
        return
    happened: list[tuple[date, Suspended | None]] = [(day, None) for day in facts.restarts]
    happened += [(each.start, each) for each in facts.suspensions]
    rested = facts.arose
    for day, suspended in sorted(happened, key=lambda pair: pair[0]):
        if day > last or day < facts.arose:
            continue
        if suspended is None:
            counted = max(day, rested)
            begin, last = counted + _DAY, max(last, _add_years(counted, rule.years))
            yield _restart(day, counted, last, breaks, rule)
        elif suspended.until is None:
            yield _suspension(suspended, None, breaks)
            return
        else:
            end = _end_of(suspended, suspended.until, breaks)
            rested = max(rested, end)
            last = _extended(suspended, begin, end, last, breaks)
            yield _suspension(suspended, last, breaks)


def _end_of(suspended: Suspended, until: date, breaks: LimitationBreaks) -> date:
    """The last day that is not counted."""
    if suspended.kind is Suspension.PAYMENT_ORDER:
        return _add_months(until, breaks.order_months)
    return until


def _extended(suspended: Suspended, begin: date, end: date, last: date, breaks: LimitationBreaks) -> date:
    days = (end - max(suspended.start, begin)).days + 1
    longer = last + timedelta(days=max(0, days))
    if suspended.kind is Suspension.NEGOTIATION:
        longer = max(longer, _add_months(end, breaks.negotiation_months))
    return longer


def _restart(day: date, counted: date, last: date, breaks: LimitationBreaks, rule: LimitationRule) -> Step:
    """`counted`: the day after which the new time runs, later than `day` where a suspension lasts (section 209 BGB)."""
    told, after_de, after_en = day.isoformat(), "", ""
    if counted > day:
        after_de, after_en = f" nach dem {counted.isoformat()}", f" after {counted.isoformat()}"
    return Step(
        day,
        last,
        f"Zahlung oder Anerkenntnis am {told}: {rule.years} Jahre beginnen{after_de} neu.",
        f"Payment or acknowledgement on {told}: {rule.years} years begin anew{after_en}.",
        breaks.restart_source,
    )


_KIND_WORDS = {
    Suspension.PAYMENT_ORDER: ("Mahnverfahren", "Payment order proceedings"),
    Suspension.NEGOTIATION: ("Verhandlungen", "Negotiations"),
}


def _suspension(suspended: Suspended, last: date | None, breaks: LimitationBreaks) -> Step:
    german, english = _KIND_WORDS[suspended.kind]
    since = suspended.start.isoformat()
    if last is None:
        text_de, text_en = (
            f"{german} seit {since}: die Zeit ruht.",
            f"{english} since {since}: the time rests.",
        )
    else:
        text_de, text_en = f"{german} ab {since}: gehemmt.", f"{english} from {since}: suspended."
    return Step(suspended.start, last, text_de, text_en, breaks.suspension_source)


def _add_years(day: date, years: int) -> date:
    return _add_months(day, 12 * years)


def _add_months(day: date, months: int) -> date:
    """The day of the same number months later, or the last of that month (section 188(3) BGB)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _years_on(days: Ints, years: int) -> Ints:
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    of_month = (dates - months.astype("datetime64[D]")).astype(np.int64)
    later = months + 12 * years
    length = ((later + 1).astype("datetime64[D]") - later.astype("datetime64[D]")).astype(np.int64)
    renewed: Ints = later.astype("datetime64[D]").astype(np.int64) + np.minimum(of_month, length - 1)
    return renewed


def shortest(packs: Sequence[Pack]) -> int:
    """Years before which no claim of these packs can be time-barred; a large number where none has a rule."""
    years = [row.years for pack in packs for row in pack.limitation_rules]
    return min(years, default=1000)


__all__ = [
    "Facts",
    "Limitation",
    "NoRate",
    "Step",
    "Suspended",
    "Suspension",
    "last_days",
    "limitation",
    "rule_of",
    "shortest",
]
