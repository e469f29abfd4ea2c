"""Over-payment is offered back by a button; a person sends it."""

import re
from datetime import date

import pytest

from kulanz.claims.adjusting import Cause, refund
from kulanz.claims.queries import statement
from kulanz.events.models import Event
from kulanz.payments.booking import book_transfer


def wishes() -> list[dict[str, int]]:
    return list(Event.objects.filter(type="credit.wished").values_list("payload", flat=True))


@pytest.fixture
def overpaid(visitor):
    """100.00 were open, 130.00 came."""
    book_transfer(visitor.case.id, 13_000, date(2026, 3, 2), "bank-1")
    return visitor


def test_asking_is_one_click_and_told_once(overpaid) -> None:
    html = overpaid.text("?lang=en")
    assert "Send €30.00 back to me" in html
    assert 'name="amount" value="3000"' in html
    for _ in range(2):
        answer = overpaid.post("credit/", {"amount": 3000})
        assert (answer.status_code, answer["Location"]) == (303, "../")
    assert wishes() == [{"amount": 3000}]
    html = overpaid.text("?lang=en")
    assert "the money has not moved yet" in html
    assert "back to me" not in html
    assert statement(overpaid.case.id).credit == 3000


@pytest.mark.parametrize("amount", ["2999", "13000", "", "-3000", "x", "0"])
def test_only_the_credit_that_was_shown_is_asked_for(overpaid, amount) -> None:
    assert overpaid.post("credit/", {"amount": amount}).status_code == 303
    assert wishes() == []


def test_more_credit_since_then_may_be_asked_for_anew(overpaid) -> None:
    overpaid.post("credit/", {"amount": 3000})
    book_transfer(overpaid.case.id, 500, date(2026, 3, 3), "bank-2")
    assert "Send €35.00 back to me" in overpaid.text("?lang=en")
    overpaid.post("credit/", {"amount": 3500})
    assert wishes() == [{"amount": 3000}, {"amount": 3500}]


def test_after_it_was_sent_the_same_credit_later_is_a_new_one(overpaid) -> None:
    overpaid.post("credit/", {"amount": 3000})
    refund(overpaid.case.id, 3000, Cause("sent-1", date(2026, 3, 3), "agent:1"))
    assert not re.search("credit/|not moved yet", overpaid.text("?lang=en"))
    book_transfer(overpaid.case.id, 3000, date(2026, 3, 3), "bank-3")
    assert "Send €30.00 back to me" in overpaid.text("?lang=en")


def test_without_credit_there_is_nothing_to_ask_for(visitor) -> None:
    assert "credit/" not in visitor.text()
    visitor.post("credit/", {"amount": 0})
    assert wishes() == []
