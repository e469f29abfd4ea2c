"""Credit, waiver, discount, write-off, hand-over, correction: each once, with a basis, never below zero."""

from datetime import date

import pytest

from kulanz.claims import adjusting
from kulanz.claims.actions import book_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.checks import check_ledger
from kulanz.claims.models import Account, Claim, Journal, Posting
from kulanz.claims.queries import open_amount, statement
from kulanz.events.models import Event
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.law.basis import basis
from kulanz.law.packs import load
from kulanz.tenancy.scope import scope

DAY = date(2026, 3, 3)


def cause(key: str) -> Cause:
    return Cause(key, DAY, "agent:1")


def balance(account: str) -> int:
    return sum(Posting.objects.filter(account=account).values_list("amount", flat=True))


@pytest.fixture
def claim(creditor, make_case) -> Claim:
    """One claim of 100.00 EUR."""
    return Claim.objects.get(case=make_case("K1", 10000, date(2026, 2, 20)))


@pytest.fixture(autouse=True)
def _clean(creditor):
    yield
    found = check_ledger()
    assert (found.imbalances, found.differences) == (0, 0)


def test_a_credit_note_lowers_what_is_owed_and_too_much_of_it_becomes_credit(claim) -> None:
    adjusting.credit(claim.id, 4000, cause("c1"))
    assert open_amount(claim.case_id) == 6000
    adjusting.credit(claim.id, 7000, cause("c2"))
    assert open_amount(claim.case_id) == 0
    assert statement(claim.case_id).credit == 1000
    assert Event.objects.filter(type="claim.credited").count() == 2


def test_a_waiver_reaches_as_far_as_something_is_open(claim) -> None:
    with pytest.raises(InputError, match="Only 10000 is open"):
        adjusting.waive(claim.id, Account.PRINCIPAL, 10001, cause("w1"))
    with pytest.raises(InputError, match="no account on which something is owed"):
        adjusting.waive(claim.id, Account.RECEIVED, 1, cause("w1"))
    adjusting.waive(claim.id, Account.PRINCIPAL, 10000, cause("w1"))
    assert (open_amount(claim.case_id), balance(Account.WAIVED)) == (0, 10000)
    assert (
        adjusting.waive(claim.id, Account.PRINCIPAL, 10000, cause("w1")) == Journal.objects.get(key="w1").id
    )
    with pytest.raises(ConflictError):
        adjusting.waive(claim.id, Account.PRINCIPAL, 9999, cause("w1"))
    assert balance(Account.WAIVED) == 10000


def test_a_discount_closes_what_the_agreed_payment_left(claim) -> None:
    book_payment(claim.case_id, 8000, value_date=DAY, key="p1", method="transfer")
    first = adjusting.discount(claim.case_id, cause("d1"))
    assert (open_amount(claim.case_id), balance(Account.DISCOUNTED)) == (0, 2000)
    assert adjusting.discount(claim.case_id, cause("d1")) == first
    with pytest.raises(InputError, match="Nothing is open"):
        adjusting.discount(claim.case_id, cause("d2"))


def test_a_discount_may_be_for_some_claims_and_no_more_than_so_much(claim, make_case) -> None:
    make_case("K1", 3000, date(2026, 2, 25), claim="R-second")
    second = Claim.objects.get(number="R-second")
    adjusting.discount(claim.case_id, cause("d1"), claims=[second.id], most=1200)
    assert open_amount(claim.case_id) == 11_800
    assert set(Posting.objects.filter(account=Account.DISCOUNTED).values_list("claim_id", "amount")) == {
        (second.id, 1200)
    }
    with pytest.raises(InputError, match="Nothing of these claims"):
        adjusting.revoke_discount(claim.case_id, [claim.id], cause("v1"))
    first = adjusting.revoke_discount(claim.case_id, [second.id], cause("v2"))
    assert adjusting.revoke_discount(claim.case_id, [second.id], cause("v2")) == first
    assert (open_amount(claim.case_id), balance(Account.DISCOUNTED)) == (13_000, 0)
    with pytest.raises(InputError, match="Nothing of these claims"):
        adjusting.revoke_discount(claim.case_id, [second.id], cause("v3"))


def test_money_after_a_write_off_is_a_recovery(claim) -> None:
    adjusting.write_off(claim.id, cause("o1"))
    assert (open_amount(claim.case_id), balance(Account.WRITTEN_OFF)) == (0, 10000)
    adjusting.recover(claim.id, 2500, cause("r1"))
    assert (balance(Account.WRITTEN_OFF), balance(Account.RECEIVED)) == (7500, 2500)
    with pytest.raises(InputError, match="Only 7500 was written off"):
        adjusting.recover(claim.id, 7501, cause("r2"))
    adjusting.recover(claim.id, 2500, cause("r1"))
    assert balance(Account.RECEIVED) == 2500


def test_what_is_handed_over_comes_back_as_it_was(claim) -> None:
    adjusting.transfer(claim.id, cause("t1"))
    assert (open_amount(claim.case_id), balance(Account.TRANSFERRED)) == (0, 10000)
    adjusting.recall(claim.id, cause("t2"))
    assert (open_amount(claim.case_id), balance(Account.TRANSFERRED)) == (10000, 0)
    assert adjusting.recall(claim.id, cause("t2")) == Journal.objects.get(key="t2").id
    with pytest.raises(InputError, match="Nothing of this claim is handed over"):
        adjusting.recall(claim.id, cause("t3"))
    adjusting.transfer(claim.id, cause("t4"))
    assert open_amount(claim.case_id) == 0


def test_only_credit_is_sent_back(claim) -> None:
    book_payment(claim.case_id, 12000, value_date=DAY, key="p1", method="transfer")
    with pytest.raises(InputError, match="Only 2000 stands in credit"):
        adjusting.refund(claim.case_id, 2001, cause("f1"))
    adjusting.refund(claim.case_id, 2000, cause("f1"))
    assert (statement(claim.case_id).credit, balance(Account.RECEIVED)) == (0, 10000)


def test_a_correction_is_the_exact_opposite_and_leaves_the_mistake_visible(claim) -> None:
    opened = Journal.objects.get(kind="opened")
    adjusting.correct(opened.id, cause("x1"))
    assert open_amount(claim.case_id) == 0
    assert Journal.objects.filter(kind="opened").count() == 1
    assert Journal.objects.get(key="x1").details == {"corrects": opened.id}
    with pytest.raises(InputError, match="corrected already"):
        adjusting.correct(opened.id, cause("x4"))
    adjusting.correct(opened.id, cause("x1"))
    adjusting.correct(Journal.objects.get(key="x1").id, cause("x5"))
    assert open_amount(claim.case_id) == 10000
    book_payment(claim.case_id, 100, value_date=DAY, key="p1", method="transfer")
    with pytest.raises(InputError, match="not corrected by its opposite"):
        adjusting.correct(Journal.objects.get(key="p1").id, cause("x2"))
    with pytest.raises(NotFoundError):
        adjusting.correct(10**9, cause("x3"))


@pytest.mark.parametrize("amount", [0, -5])
def test_nothing_is_no_amount(claim, amount: int) -> None:
    for act in (
        lambda: adjusting.credit(claim.id, amount, cause("n")),
        lambda: adjusting.waive(claim.id, Account.PRINCIPAL, amount, cause("n")),
        lambda: adjusting.recover(claim.id, amount, cause("n")),
        lambda: adjusting.refund(claim.case_id, amount, cause("n")),
    ):
        with pytest.raises(InputError, match="more than zero"):
            act()


def test_another_creditors_claim_does_not_exist(claim, other_creditor) -> None:
    with scope(other_creditor.id):
        for act in (adjusting.write_off, adjusting.transfer, adjusting.recall):
            with pytest.raises(NotFoundError):
                act(claim.id, cause("n"))


def test_every_posting_names_a_basis_that_the_law_pack_knows(claim) -> None:
    book_payment(claim.case_id, 2000, value_date=DAY, key="p1", method="transfer")
    adjusting.credit(claim.id, 1000, cause("c"))
    adjusting.waive(claim.id, Account.PRINCIPAL, 1000, cause("w"))
    adjusting.write_off(claim.id, cause("o"))
    adjusting.recover(claim.id, 100, cause("r"))
    for code in set(Posting.objects.values_list("basis", flat=True)):
        assert basis(load("DE"), code).text("de")
    assert set(Journal.objects.exclude(kind="opened").values_list("cause", flat=True)) <= {
        "agent:1",
        "payments",
        "claims",
    }
