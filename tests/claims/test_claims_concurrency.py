"""The same payment told a hundred times at once has one effect."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection

from kulanz.claims import adjusting
from kulanz.claims.actions import book_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.checks import check_ledger
from kulanz.claims.models import Journal, Posting
from kulanz.claims.queries import open_amount
from kulanz.events.models import Event
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.tenancy.scope import scope

DAY = date(2026, 3, 3)
CLIENTS, TIMES = 10, 100


@pytest.fixture
def case(committed_db, clock, make_creditor, make_case):
    creditor = make_creditor()
    with scope(creditor.id):
        yield make_case("K1", 10000)


def told(creditor_id: int, case_id: int, amount: int) -> str:
    """One client's call on a connection of its own."""
    try:
        with scope(creditor_id):
            booked = book_payment(case_id, amount, value_date=DAY, key="payment:psp:co_1", method="psp")
    except ConflictError:
        return "conflict"
    finally:
        connection.close()
    return "booked" if booked.new else "known"


def test_the_same_payment_a_hundred_times_at_once_is_booked_once(case) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = Counter(pool.map(lambda _: told(case.creditor_id, case.id, 4000), range(TIMES)))
    assert answers == {"booked": 1, "known": TIMES - 1}
    assert Journal.objects.filter(kind="payment").count() == 1
    assert Event.objects.filter(type="payment.booked").count() == 1
    assert sum(Posting.objects.filter(account="received").values_list("amount", flat=True)) == 4000
    assert open_amount(case.id) == 6000
    assert check_ledger().clean


def test_the_same_key_with_other_money_is_a_conflict_whoever_comes_first(case) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        amounts = [4000 if n % 2 else 5000 for n in range(TIMES)]
        answers = Counter(pool.map(lambda amount: told(case.creditor_id, case.id, amount), amounts))
    assert answers == {"booked": 1, "known": TIMES // 2 - 1, "conflict": TIMES // 2}
    assert open_amount(case.id) in (6000, 5000)
    assert check_ledger().clean


def sent_back(creditor_id: int, case_id: int, key: str) -> str:
    try:
        with scope(creditor_id):
            adjusting.refund(case_id, 3000, Cause(key, DAY, "agent:1"))
    except InputError:
        return "refused"
    finally:
        connection.close()
    return "sent"


def test_credit_is_sent_back_once_however_many_ask_at_once(case) -> None:
    book_payment(case.id, 15000, value_date=DAY, key="payment:1", method="psp")
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = Counter(pool.map(lambda n: sent_back(case.creditor_id, case.id, f"refund:{n}"), range(30)))
    assert answers == {"sent": 1, "refused": 29}
    assert sum(Posting.objects.filter(account="credit").values_list("amount", flat=True)) == -2000
