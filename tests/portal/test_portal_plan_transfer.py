"""A transfer while a plan runs: what the plan asks for next stands first, the whole debt one click away."""

from datetime import date

import pytest
from tests.portal.test_portal_plan import agree, words

from kulanz.claims.actions import book_payment
from kulanz.documents import qr
from kulanz.kernel.money import Money


def code(visitor, creditor, amount: int) -> bytes:
    reference = words(visitor.get("transfer/")).split("RF")[1].split(" Kopieren")[0].replace(" ", "")
    to = qr.Transfer(creditor.account_holder, creditor.iban, Money(amount, "EUR"), f"RF{reference[:30]}")
    return qr.svg(to).encode()


@pytest.fixture
def on_plan(visitor):
    """100.00 in rates of 30.00 from 15 March."""
    agree(visitor)
    return visitor


def test_the_next_rate_stands_first_and_the_whole_debt_second(on_plan, creditor) -> None:
    page = words(on_plan.get("transfer/"))
    assert "Das ist nach Ihrem Plan als Nächstes zu zahlen, fällig am 15. März 2026." in page
    assert page.index("30,00 €") < page.index("Lieber alles auf einmal zahlen: 100,00 €")
    assert on_plan.get("transfer/qr.svg").content == code(on_plan, creditor, 3000)


def test_all_at_once_is_a_page_and_a_code_of_its_own(on_plan, creditor) -> None:
    answer = on_plan.get("transfer/?all")
    page = words(answer)
    assert "Nur zahlen, was nach dem Plan als Nächstes fällig ist: 30,00 €" in page
    assert 'src="qr.svg?all"' in answer.content.decode()
    assert on_plan.get("transfer/qr.svg?all").content == code(on_plan, creditor, 10000)


def test_without_a_plan_it_is_all_that_is_open(visitor, creditor) -> None:
    page = words(visitor.get("transfer/"))
    assert "100,00 €" in page
    assert "Plan" not in page
    assert visitor.get("transfer/qr.svg").content == code(visitor, creditor, 10000)


def test_after_a_rate_was_paid_the_next_one_is_asked_for(on_plan) -> None:
    book_payment(on_plan.case.id, 3000, value_date=date(2026, 3, 3), key="r1", method="transfer")
    assert "fällig am 15. April 2026" in words(on_plan.get("transfer/"))
