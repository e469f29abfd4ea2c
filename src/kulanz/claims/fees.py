"""Charging what is owed for a delay: only a fee that the law names, only up to its cap, never while fees rest."""

from datetime import date

from django.db import transaction

from kulanz.claims import ledger, settling
from kulanz.claims.actions import lock_case
from kulanz.claims.models import Account, Claim, Journal
from kulanz.claims.queries import holds_at
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.law.fees import Fee, FeeKind

ACCOUNTS = {
    FeeKind.REMINDER: Account.COST_REMINDER,
    FeeKind.LUMP_SUM: Account.COST_LUMP_SUM,
    FeeKind.COLLECTION: Account.COST_COLLECTION,
    FeeKind.EXPENSES: Account.COST_COLLECTION,
    FeeKind.SETTLEMENT: Account.COST_PLAN,
    FeeKind.RETURN: Account.COST_RETURN,
}


def charge(claim_id: int, fee: Fee, *, key: str, value_date: date, by: str) -> int | None:
    """Post a fee to its cost account and return the journal's id; a fee of nothing posts nothing and gives None.

    `key` names the cause: the same one charges once. Raises InputError above the cap, ConflictError while a hold stops
    fees, NotFoundError for another creditor's claim.
    """
    if not fee.amount:
        return None
    if fee.amount < 0 or (fee.cap is not None and fee.amount > fee.cap):
        raise InputError(f"{fee.amount} is more than the law allows here ({fee.cap}); nothing was charged.")
    with transaction.atomic():
        claim: Claim | None = Claim.objects.filter(id=claim_id).first()
        if claim is None:
            raise NotFoundError("There is no such claim.")
        lock_case(claim.case_id)
        known = ledger.posted(key)
        if not known and holds_at(clock.now()).filter(case_id=claim.case_id, stops_fees=True).exists():
            raise ConflictError("Fees rest while this case is on hold; nothing was charged.")
        journal_id = ledger.post(_entry(claim, fee, key, value_date, by))
        if not known:
            settling.settle(claim.case_id, key)
            told = {"case": claim.case_id, "amount": fee.amount, "journal": journal_id, "kind": fee.kind}
            record("fee.charged", claim.id, told)
    return journal_id


def _entry(claim: Claim, fee: Fee, key: str, value_date: date, by: str) -> ledger.Entry:
    lines = (
        ledger.Line(ACCOUNTS[fee.kind], fee.amount, claim.id, fee.kind),
        ledger.Line(Account.EARNED, -fee.amount, claim.id, fee.kind),
    )
    details = {
        "formula": fee.formula,
        "inputs": dict(fee.inputs),
        "source": fee.source,
        "caveats": [[c.what, c.valid_from.isoformat(), c.source] for c in fee.caveats],
    }
    return ledger.Entry(key, Journal.Kind.COST, claim.case_id, value_date, lines, by, details)
