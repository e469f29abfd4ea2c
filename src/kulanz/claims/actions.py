"""What happens to claims: payments, returns and holds. Each runs in one transaction and leaves an event."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from kulanz.claims import ledger
from kulanz.claims.models import Account, Case, Hold, Journal, Posting
from kulanz.claims.queries import holds_at, open_items
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.database import is_postgres
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.law.allocation import allocate
from kulanz.tenancy.scope import creditor_id


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

    The same `key` again has no second effect; with another case or amount it raises ConflictError.
    """
    if amount <= 0:
        raise InputError("A payment is more than zero.")
    with transaction.atomic():
        case = lock_case(case_id)
        if ledger.posted(key):
            return _booked_before(key, case_id, amount)
        spread = allocate(amount, open_items(case_id), designated=designated)
        lines = [ledger.Line(Account.RECEIVED, amount, None, "payment")]
        lines += [
            ledger.Line(Account(row.account.value), -row.amount, row.claim_id, "payment")
            for row in spread.rows
        ]
        if spread.rest:
            lines.append(ledger.Line(Account.CREDIT, -spread.rest, None, "overpayment"))
        journal_id = ledger.post(ledger.Entry(key, Journal.Kind.PAYMENT, case_id, value_date, tuple(lines)))
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
    return Booked(journal_id, amount - spread.rest, spread.rest, new=True)


def return_payment(journal_key: str, *, value_date: date, key: str, payment_id: int | None = None) -> int:
    """Take a booked payment back exactly as it was spread (returned debit, chargeback); returns the journal's id."""
    with transaction.atomic():
        paid = Journal.objects.filter(key=journal_key, kind=Journal.Kind.PAYMENT).first()
        if paid is None:
            raise NotFoundError("There is no such payment to take back.")
        case = lock_case(paid.case_id)
        known = ledger.posted(key)
        if known:
            return known
        lines = tuple(
            ledger.Line(p.account, -p.amount, p.claim_id, "payment_return")
            for p in Posting.objects.filter(journal_id=paid.id).order_by("id")
        )
        journal_id = ledger.post(
            ledger.Entry(key, Journal.Kind.PAYMENT_RETURN, paid.case_id, value_date, lines)
        )
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


def place_hold(case_id: int, reason: str, *, by: str, until: datetime | None = None, note: str = "") -> Hold:
    """Stop pressing a case; a hold for the same reason that is still active is extended instead of doubled.

    `until` None: until lifted. `by` is customer, agent:<id> or a room's name.
    """
    if reason not in Hold.Reason.values:
        raise InputError(f"{reason!r} is not a reason for a hold: {', '.join(Hold.Reason.values)}.")
    now = clock.now()
    if until is not None and until <= now:
        raise InputError("A hold must end in the future.")
    with transaction.atomic():
        case = lock_case(case_id)
        hold: Hold | None = holds_at(now).filter(case_id=case_id, reason=reason).first()
        if hold is None:
            hold = Hold(
                creditor_id=case.creditor_id, case_id=case_id, reason=reason, from_at=now, until_at=until
            )
        elif hold.until_at is not None:
            hold.until_at = None if until is None else max(until, hold.until_at)
        hold.placed_by = by
        hold.note = "\n".join(filter(None, [hold.note, note]))
        hold.save()
        record(
            "hold.placed", case_id, {"hold": hold.id, "reason": reason, "by": by.split(":", maxsplit=1)[0]}
        )
    return hold


def lift_hold(hold_id: int, *, by: str) -> None:
    """End a hold now; lifting it twice changes nothing."""
    with transaction.atomic():
        hold = Hold.objects.filter(id=hold_id).first()
        if hold is None:
            raise NotFoundError("There is no such hold.")
        lock_case(hold.case_id)
        if hold.lifted_at is None:
            hold.lifted_at = clock.now()
            hold.save(update_fields=["lifted_at"])
            record(
                "hold.lifted",
                hold.case_id,
                {"hold": hold.id, "reason": hold.reason, "by": by.split(":", maxsplit=1)[0]},
            )


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
