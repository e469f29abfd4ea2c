"""When default begins, by section 286 BGB: calendar, reminder, 30 days."""

from datetime import date

import pytest

from kulanz.law.default import DefaultCause, Facts, begins
from kulanz.law.figures.interest import Party

DUE = date(2024, 3, 1)
CONSUMER, BUSINESS = Party.CONSUMER, Party.BUSINESS


def test_a_due_date_alone_starts_nothing() -> None:
    for party in Party:
        found = begins(Facts(party, DUE))
        assert (found.day, found.cause) == (None, DefaultCause.NOT_YET)
        assert found.text("de") == "Verzug hat noch nicht begonnen."
        assert found.text("en") == "Default has not begun."
        assert found.source == "BGB section 286"


def test_a_day_fixed_by_the_calendar_needs_no_reminder() -> None:
    found = begins(Facts(CONSUMER, DUE, due_by_calendar=True))
    assert (found.day, found.cause) == (date(2024, 3, 2), DefaultCause.CALENDAR_DATE)
    assert found.source == "BGB section 286(2) no. 1"
    assert found.text("de-AT") == (
        "Der Zahlungstag war im Vertrag nach dem Kalender bestimmt und ist verstrichen."
    )
    assert found.text("fr") == "The contract fixed the day of payment by the calendar, and it has passed."


def test_a_reminder_starts_default_on_the_day_after_it_arrived() -> None:
    found = begins(Facts(CONSUMER, DUE, reminded=date(2024, 3, 10)))
    assert (found.day, found.cause) == (date(2024, 3, 11), DefaultCause.REMINDER)
    assert found.source == "BGB section 286(1)"
    assert found.text_de == "Eine Mahnung nach Fälligkeit ist angekommen."
    assert found.text_en == "A reminder arrived after the due date."


def test_a_reminder_before_the_money_was_due_does_not_count() -> None:
    assert begins(Facts(CONSUMER, DUE, reminded=date(2024, 2, 28))).day is None
    assert begins(Facts(CONSUMER, DUE, reminded=DUE)).day is None
    assert begins(Facts(CONSUMER, DUE, reminded=date(2024, 3, 2))).day == date(2024, 3, 3)


def test_a_business_is_in_default_when_30_days_have_passed_since_due_date_and_invoice() -> None:
    """Due on 1 March and invoice there before: 30 days end on 31 March, default begins on 1 April."""
    found = begins(Facts(BUSINESS, DUE, invoice_received=date(2024, 2, 15)))
    assert (found.day, found.cause) == (date(2024, 4, 1), DefaultCause.THIRTY_DAYS)
    assert found.source == "BGB section 286(3)"
    assert found.text_de == "Seit Fälligkeit und Zugang der Rechnung sind 30 Tage vergangen."
    assert found.text_en == "30 days have passed since the due date and the arrival of the invoice."


def test_an_invoice_that_arrives_after_the_due_date_starts_the_30_days() -> None:
    """Arrived on 10 March: 30 days end on 9 April."""
    found = begins(Facts(BUSINESS, DUE, invoice_received=date(2024, 3, 10)))
    assert found.day == date(2024, 4, 10)


def test_a_consumer_must_have_been_told_of_the_30_days() -> None:
    assert begins(Facts(CONSUMER, DUE, invoice_received=DUE)).day is None
    warned = begins(Facts(CONSUMER, DUE, invoice_received=DUE, consumer_warned=True))
    assert (warned.day, warned.cause) == (date(2024, 4, 1), DefaultCause.THIRTY_DAYS)
    assert begins(Facts(CONSUMER, DUE, consumer_warned=True)).day is None, "no invoice, no 30 days"


@pytest.mark.parametrize(
    ("reminded", "day", "cause"),
    [
        (date(2024, 3, 30), date(2024, 3, 31), DefaultCause.REMINDER),
        (date(2024, 4, 1), date(2024, 4, 1), DefaultCause.THIRTY_DAYS),
    ],
)
def test_the_earliest_start_counts(reminded: date, day: date, cause: DefaultCause) -> None:
    found = begins(Facts(BUSINESS, DUE, invoice_received=DUE, reminded=reminded))
    assert (found.day, found.cause) == (day, cause)
    fixed = begins(Facts(BUSINESS, DUE, True, DUE, reminded=date(2024, 3, 2)))
    assert fixed.cause is DefaultCause.CALENDAR_DATE


def test_elsewhere_the_same_is_a_house_rule_that_nobody_verified() -> None:
    german = begins(Facts(BUSINESS, DUE, invoice_received=DUE, jurisdiction="de"))
    swiss = begins(Facts(BUSINESS, DUE, invoice_received=DUE, jurisdiction="CH"))
    assert (german.verified, swiss.verified) == (True, False)
    assert swiss.day == german.day
    assert swiss.source == "House rule after BGB section 286(3)"
    assert begins(Facts(CONSUMER, DUE, jurisdiction="UK")).day is None
