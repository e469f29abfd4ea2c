"""Money that comes in and goes back. Each use case runs in one transaction and leaves an event."""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from kulanz.claims import ledger, settling
from kulanz.claims.models import OWED, Account, Case, Journal, Posting
from kulanz.claims.replay import Debt, FactLine, spread
from kulanz.claims.settling import NewFact, as_date
from kulanz.events.log import record
from kulanz.kernel.database import is_postgres
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.tenancy.scope import creditor_id

BY = "payments"


@dataclass(frozen=True, slots=True)
class Booked:
    """`applied` settled claims, `credit` was paid beyond them; minor units of the case's currency."""

    journal_id: int
    applied: int
    credit: int
    new: bool


def lock_case(case_id: int) -> Case:
    """The case, locked until the transaction ends; raises NotFoundError for another creditor's case."""
    lock = " FOR UPDATE" if is_postgres() else ""
    rows = Case.objects.raw(
        f"SELECT * FROM claims_case WHERE id = %s AND creditor_id = %s{lock}",  # noqa: S608
        [case_id, creditor_id()],
    )
    case: Case | None = next(iter(rows), None)
    if case is None:
        raise NotFoundError("There is no such case.")
    return case


def book_payment(
    case_id: int,
    amount: int,
    *,
    value_date: date,
    key: str,
    method: str,
    payment_id: int | None = None,
    designated: int | None = None,
) -> Booked:
    """Book money that arrived (minor units, > 0), spread over the claims as the law orders.

    `designated`: the claim that the payer names. A payment whose value date lies before what was booked is spread as
    if it had been booked then; what follows from it is corrected (`claims.settling`). The same `key` again has no
    second effect; with another case or amount it raises ConflictError.
    """
    if amount <= 0:
        raise InputError("A payment is more than zero.")
    with transaction.atomic():
        case = lock_case(case_id)
        if ledger.posted(key):
            return _booked_before(key, case_id, amount)
        new = NewFact(key, Journal.Kind.PAYMENT, value_date, amount, designated, cause=BY)
        journal_id, lines = _book(case_id, new)
        rest = -sum(line.amount for line in lines if line.account == Account.CREDIT)
        record(
            "payment.booked",
            case_id,
            {
                "amount": amount,
                "currency": case.currency,
                "journal": journal_id,
                "method": method,
                "payment": payment_id,
            },
        )
    return Booked(journal_id, amount - rest, rest, new=True)


def return_payment(journal_key: str, *, value_date: date, key: str, payment_id: int | None = None) -> int:
    """Take a booked payment back (returned debit, chargeback); returns the journal's id.

    What it had settled is owed again as it was; a day before the payment's own counts as that one. Raises
    NotFoundError where there is no such payment.
    """
    with transaction.atomic():
        paid = Journal.objects.filter(key=journal_key, kind=Journal.Kind.PAYMENT).first()
        if paid is None:
            raise NotFoundError("There is no such payment to take back.")
        case = lock_case(paid.case_id)
        known = ledger.posted(key)
        if known:
            return known
        day = max(value_date, paid.value_date)
        new = NewFact(key, Journal.Kind.PAYMENT_RETURN, day, undoes=paid.id, cause=BY)
        journal_id, lines = settling.book(paid.case_id, new)
        amount = next(line.amount for line in lines if line.account == Account.RECEIVED)
        record(
            "payment.returned",
            paid.case_id,
            {
                "amount": -amount,
                "currency": case.currency,
                "journal": journal_id,
                "paid_journal": paid.id,
                "payment": payment_id,
            },
        )
    return journal_id


def _book(case_id: int, new: NewFact) -> tuple[int, tuple[FactLine, ...]]:
    """At the end of a plain history the payment is simply spread; a replay would find the same."""
    if not _at_the_end(case_id, new.value_date):
        return settling.book(case_id, new)
    debts, balances = _owed(case_id)
    lines = spread(new.amount, debts, balances, new.designated)
    return ledger.post(settling.entry(case_id, new, lines)), lines


def _at_the_end(case_id: int, day: date) -> bool:
    """Whether nothing on the case is newer, bears interest, has an order of its own or stands in credit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM claims_claim WHERE creditor_id = %s AND case_id = %s"
            " AND (default_from IS NOT NULL OR kind = 'loan')"
            " UNION ALL SELECT 1 FROM claims_posting p JOIN claims_journal j ON j.id = p.journal_id"
            " WHERE p.creditor_id = %s AND p.case_id = %s AND j.value_date > %s"
            " UNION ALL SELECT 1 FROM claims_posting WHERE creditor_id = %s AND case_id = %s AND account = 'credit'"
            " LIMIT 1",
            [creditor_id(), case_id, creditor_id(), case_id, day, creditor_id(), case_id],
        )
        return cursor.fetchone() is None


def _owed(case_id: int) -> tuple[list[Debt], dict[tuple[int | None, str], int]]:
    """The claims of a case with a posting, and what is owed on each of their accounts."""
    marks = ", ".join(["%s"] * len(OWED))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.claim_id, l.due_date, p.account, SUM(p.amount) FROM claims_posting p"  # noqa: S608
            " JOIN claims_claim l ON l.id = p.claim_id"
            f" WHERE p.creditor_id = %s AND p.case_id = %s AND p.account IN ({marks})"
            " GROUP BY p.claim_id, l.due_date, p.account",
            [creditor_id(), case_id, *OWED],
        )
        rows = cursor.fetchall()
    debts = {claim: Debt(claim, as_date(due)) for claim, due, _, _ in rows}
    balances: dict[tuple[int | None, str], int] = {
        (claim, account): int(amount) for claim, _, account, amount in rows
    }
    return list(debts.values()), balances


def _booked_before(key: str, case_id: int, amount: int) -> Booked:
    known = Journal.objects.get(key=key)
    lines = dict.fromkeys(("received", "credit"), 0)
    for posting in Posting.objects.filter(journal_id=known.id, account__in=lines):
        lines[posting.account] += posting.amount
    if known.case_id != case_id or lines["received"] != amount:
        raise ConflictError(
            f"{known.key} was booked before with another case or amount; nothing was changed."
        )
    return Booked(int(known.id), amount + lines["credit"], -lines["credit"], new=False)
