"""The ledger: balanced, append-only, idempotent; the database itself refuses anything else."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from kulanz.claims import ledger
from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.checks import LedgerCheck, check_ledger
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import Account, Claim, Journal, Posting
from kulanz.claims.queries import active_holds, case_columns, open_amount, statement
from kulanz.kernel.clock import VirtualClock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError, ScopeError
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

DAY = date(2026, 3, 3)


def test_a_payment_settles_the_claim_and_the_rest_is_credit(creditor: Creditor, make_case) -> None:
    case = make_case(amount=10000)
    booked = book_payment(case.id, 12500, value_date=DAY, key="payment:1", method="transfer")
    assert (booked.applied, booked.credit) == (10000, 2500)
    shown = statement(case.id)
    assert (shown.open_amount, shown.credit) == (0, 2500)
    assert shown.claims[0].state == "paid"
    assert check_ledger().differences == 0


def test_the_oldest_claim_is_settled_first(creditor: Creditor, make_case) -> None:
    make_case(claim="new", amount=5000, due=date(2026, 2, 25))
    case = make_case(claim="old", amount=5000, due=date(2026, 1, 10))
    book_payment(case.id, 6000, value_date=DAY, key="payment:1", method="transfer")
    assert {c.number: c.open_amount for c in statement(case.id).claims} == {"old": 0, "new": 4000}


def test_the_same_payment_twice_is_one_payment(creditor: Creditor, make_case) -> None:
    case = make_case()
    first = book_payment(case.id, 4000, value_date=DAY, key="payment:1", method="psp")
    again = book_payment(case.id, 4000, value_date=DAY, key="payment:1", method="psp")
    assert again.journal_id == first.journal_id
    assert not again.new
    assert open_amount(case.id) == 6000
    with pytest.raises(ConflictError):
        book_payment(case.id, 4001, value_date=DAY, key="payment:1", method="psp")


def test_a_returned_debit_restores_exactly_what_was_owed(creditor: Creditor, make_case) -> None:
    case = make_case()
    before = statement(case.id).open_amount
    book_payment(case.id, 12000, value_date=DAY, key="payment:1", method="debit")
    first = return_payment("payment:1", value_date=DAY, key="return:1")
    assert return_payment("payment:1", value_date=DAY, key="return:1") == first
    shown = statement(case.id)
    assert (shown.open_amount, shown.credit) == (before, 0)
    assert shown.claims[0].state == "reopened"
    assert check_ledger() == LedgerCheck(journals=3, postings=8, unsealed=3)


def test_an_unbalanced_entry_is_refused_with_a_reason(creditor: Creditor, make_case) -> None:
    case = make_case()
    lines = (ledger.Line(Account.PRINCIPAL, 5, None, "x"), ledger.Line(Account.RECEIVED, -4, None, "x"))
    with pytest.raises(InputError, match="does not balance"):
        ledger.post(ledger.Entry("k", Journal.Kind.CORRECTION, case.id, DAY, lines))


@pytest.mark.parametrize(
    "statement_text",
    [
        "UPDATE claims_posting SET amount = amount + 1",
        "DELETE FROM claims_posting",
        "UPDATE claims_journal SET kind = 'waiver'",
        "DELETE FROM claims_journal",
        "DELETE FROM events_event",
        "UPDATE events_event SET type = 'x'",
    ],
)
def test_the_database_refuses_to_change_what_was_written(
    creditor: Creditor, make_case, statement_text: str
) -> None:
    make_case()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement_text)


def test_the_database_refuses_unbalanced_and_late_postings(creditor: Creditor, make_case) -> None:
    case = make_case()
    journal = Journal.objects.get(case_id=case.id)
    posting = {"creditor_id": creditor.id, "case_id": case.id, "account": "received", "basis": "x"}
    with pytest.raises(DatabaseError), transaction.atomic():
        Posting.objects.create(journal_id=journal.id, amount=1, **posting)
    row = {"creditor_id": creditor.id, "case_id": case.id, "value_date": DAY, "booked_at": case.opened_at}
    with pytest.raises(DatabaseError), transaction.atomic():
        Posting.objects.create(journal_id=journal.id + 100, amount=1, **posting)
        Posting.objects.create(journal_id=journal.id + 100, amount=2, **posting)
        Journal.objects.create(id=journal.id + 100, key="bad", kind="correction", **row)
        with connection.cursor() as cursor:
            cursor.execute(
                "SET CONSTRAINTS ALL IMMEDIATE" if connection.vendor == "postgresql" else "SELECT 1"
            )


def test_no_line_reaches_into_another_case_and_no_journal_to_another_creditor(
    creditor: Creditor, other_creditor: Creditor, make_case
) -> None:
    case, other = make_case("K1"), make_case("K2", currency="CHF")
    foreign = Claim.objects.get(case=other).id
    for creditor_id, claim_id in ((creditor.id, foreign), (creditor.id, 10**9), (other_creditor.id, None)):
        lines = (
            ledger.Line(Account.COST, 1, claim_id, "reminder_cost"),
            ledger.Line(Account.EARNED, -1, None, "reminder_cost"),
        )
        with (
            pytest.raises(DatabaseError, match="a journal must balance"),
            transaction.atomic(),
            scope(creditor_id),
        ):
            ledger.post(ledger.Entry("k", Journal.Kind.COST, case.id, DAY, lines))
    assert Journal.objects.count() == 2


@pytest.mark.parametrize(
    "statement_text",
    [
        "DELETE FROM claims_claim WHERE number = 'R-K1'",
        "UPDATE claims_claim SET case_id = case_id + 1 WHERE number = 'R-K1'",
        "UPDATE claims_claim SET id = 1000 WHERE number = 'R-K1'",
    ],
)
def test_a_claim_with_postings_stays_where_it_is(creditor: Creditor, make_case, statement_text: str) -> None:
    make_case("K1")
    with (
        pytest.raises(DatabaseError, match="this claim has postings"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement_text)
    Claim.objects.filter(number="R-K1").update(product="lamp")
    assert Claim.objects.get().product == "lamp"


def test_a_hold_for_the_same_reason_is_extended_not_doubled(
    creditor: Creditor, make_case, clock: VirtualClock
) -> None:
    case = make_case()
    first = place_hold(case.id, "dispute", by="customer", note="The lamp came broken.")
    again = place_hold(case.id, "dispute", by="customer", note="Photos follow.")
    assert first.id == again.id
    assert again.note == "The lamp came broken.\nPhotos follow."
    assert [hold.reason for hold in active_holds(case.id)] == ["dispute"]
    assert statement(case.id).claims[0].state == "disputed"
    lift_hold(first.id, by="agent:1")
    lift_hold(first.id, by="agent:1")
    assert active_holds(case.id) == ()


def test_another_creditors_case_does_not_exist(
    creditor: Creditor, other_creditor: Creditor, make_case
) -> None:
    case = make_case()
    with scope(other_creditor.id):
        for call in (
            lambda: statement(case.id),
            lambda: book_payment(case.id, 1, value_date=DAY, key="k", method="x"),
            lambda: place_hold(case.id, "dispute", by="customer"),
        ):
            with pytest.raises(NotFoundError):
                call()
        assert open_amount(case.id) == 0


def test_an_unscoped_query_is_an_error(db: None) -> None:
    with pytest.raises(ScopeError):
        Journal.objects.count()


def test_the_block_of_columns_holds_only_cases_with_an_open_amount(creditor: Creditor, make_case) -> None:
    paid = make_case("A", amount=700)
    book_payment(paid.id, 700, value_date=DAY, key="payment:a", method="transfer")
    due = make_case("B", amount=900, due=date(2026, 2, 10))
    make_case("B", claim="credit", amount=-200, due=date(2026, 1, 1))
    block = case_columns(0, 100)
    assert block.case_id.tolist() == [due.id]
    assert block.open_amount.tolist() == [700]
    assert block.oldest_due.tolist() == [(date(2026, 2, 10) - date(1970, 1, 1)).days]
    assert block.open_claims.tolist() == [1]
    assert block.last_id == 0
