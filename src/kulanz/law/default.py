"""When default begins: the day from which interest runs and a reminder may cost something."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from kulanz.law.figures.interest import Party

_DAY = timedelta(days=1)
THIRTY = timedelta(days=30)


class DefaultCause(StrEnum):
    """What put the customer in default; stored with the claim."""

    CALENDAR_DATE = "calendar_date"
    REMINDER = "reminder"
    THIRTY_DAYS = "thirty_days"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a claim. `due_by_calendar`: the contract itself names the day of payment.

    `invoice_received`: the day the invoice arrived. `consumer_warned`: the invoice said that default begins after 30
    days. `reminded`: the day the first reminder after the due date arrived. `jurisdiction`: of the claim.
    """

    party: Party
    due: date
    due_by_calendar: bool = False
    invoice_received: date | None = None
    consumer_warned: bool = False
    reminded: date | None = None
    jurisdiction: str = "DE"


@dataclass(frozen=True, slots=True)
class DefaultStart:
    """`day` is the first day of default, None where it has not begun. `verified`: the source was seen."""

    day: date | None
    cause: DefaultCause
    text_de: str
    text_en: str
    source: str
    verified: bool = True

    def text(self, language: str) -> str:
        return self.text_de if language.lower().startswith("de") else self.text_en


def begins(facts: Facts) -> DefaultStart:
    """The earliest start that section 286 BGB gives.

    The day after a day fixed by the calendar (2 no. 1), the day after a reminder that follows the due date (1), or the
    day after 30 days from due date and invoice (3): against a consumer only if the invoice said so. Other jurisdictions
    are treated alike, as a house rule that is not verified: nobody is in default there without a day agreed, a reminder
    or 30 days.
    """
    starts = [start for start in (_by_calendar(facts), _by_reminder(facts), _by_thirty_days(facts)) if start]
    found = min(starts, key=lambda start: start.day or date.max, default=_NOT_YET)
    if facts.jurisdiction.upper() == "DE":
        return found
    return replace(found, source=f"House rule after {found.source}", verified=False)


def _by_calendar(facts: Facts) -> DefaultStart | None:
    if not facts.due_by_calendar:
        return None
    return DefaultStart(
        facts.due + _DAY,
        DefaultCause.CALENDAR_DATE,
        "Der Zahlungstag war im Vertrag nach dem Kalender bestimmt und ist verstrichen.",
        "The contract fixed the day of payment by the calendar, and it has passed.",
        "BGB section 286(2) no. 1",
    )


def _by_reminder(facts: Facts) -> DefaultStart | None:
    if facts.reminded is None or facts.reminded <= facts.due:
        return None
    return DefaultStart(
        facts.reminded + _DAY,
        DefaultCause.REMINDER,
        "Eine Mahnung nach Fälligkeit ist angekommen.",
        "A reminder arrived after the due date.",
        "BGB section 286(1)",
    )


def _by_thirty_days(facts: Facts) -> DefaultStart | None:
    if facts.invoice_received is None or (facts.party is Party.CONSUMER and not facts.consumer_warned):
        return None
    return DefaultStart(
        max(facts.due, facts.invoice_received) + THIRTY + _DAY,
        DefaultCause.THIRTY_DAYS,
        "Seit Fälligkeit und Zugang der Rechnung sind 30 Tage vergangen.",
        "30 days have passed since the due date and the arrival of the invoice.",
        "BGB section 286(3)",
    )


_NOT_YET = DefaultStart(
    None,
    DefaultCause.NOT_YET,
    "Verzug hat noch nicht begonnen.",
    "Default has not begun.",
    "BGB section 286",
)
