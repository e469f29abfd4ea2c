"""Charging what is owed for a delay: only a fee that the law names, only up to its cap, never while fees rest."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from kulanz.claims import adjusting, ledger, settling
from kulanz.claims.actions import lock_case
from kulanz.claims.adjusting import Cause
from kulanz.claims.interest import at_rest, days_at_rest, party_of
from kulanz.claims.models import Account, Case, Claim, Hold, Journal, Posting
from kulanz.claims.queries import holds_at
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.law.fee import LEGAL_COST, OWN_DUNNING, WITHOUT_DEFAULT, Fee, FeeKind, credited
from kulanz.law.figures.interest import Party
from kulanz.tenancy.models import Creditor, LegalRole
from kulanz.tenancy.scope import creditor_id

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

    `key` names the cause: the same one charges once. A lump sum and legal cost of one claim are credited against each
    other. Raises InputError above the cap, in another currency or for a fee that this creditor or customer has none of,
    ConflictError while a hold stops fees and before default, NotFoundError for another creditor's claim.
    """
    _check_amount(fee)
    if not fee.amount:
        return None
    with transaction.atomic():
        claim: Claim | None = Claim.objects.select_related("case__customer").filter(id=claim_id).first()
        if claim is None:
            raise NotFoundError("There is no such claim.")
        lock_case(claim.case_id)
        known = Journal.objects.filter(key=key).first()
        if known is None:
            _check_allowed(claim, fee)
            _check_time(claim, fee, value_date)
        earlier = known.details.get("credited", 0) if known else _earlier(claim_id, claim.case_id, fee)
        fee = credited(fee, max(0, earlier - fee.credited))
        if not fee.amount:
            return None
        journal_id = ledger.post(_entry(claim, fee, key, value_date, by))
        if known is None:
            settling.settle(claim.case_id, key)
            told = {"case": claim.case_id, "amount": fee.amount, "journal": journal_id, "kind": fee.kind}
            record("fee.charged", claim.id, told)
    return journal_id


def chargeable(claim_id: int, fee: Fee, value_date: date) -> int:
    """What `charge` would post for a fee on a day, minor units: nothing where it would refuse."""
    claim: Claim | None = Claim.objects.select_related("case__customer").filter(id=claim_id).first()
    if claim is None:
        return 0
    try:
        _check_amount(fee)
        _check_allowed(claim, fee)
        _check_time(claim, fee, value_date)
    except (InputError, ConflictError):
        return 0
    earlier = _earlier(claim_id, claim.case_id, fee)
    return credited(fee, max(0, earlier - fee.credited)).amount


def take_back(hold: Hold, *, by: str) -> int:
    """Correct every fee charged for a day on which a hold, as became known later, stopped fees; returns how many.

    Call with the case locked; twice in a row takes back nothing the second time.
    """
    rest = days_at_rest(hold, _zone())
    undone = _undone(hold.case_id)
    charged = Journal.objects.filter(case_id=hold.case_id, kind=Journal.Kind.COST).order_by("id")
    wrong = [each for each in charged if each.id not in undone and at_rest(each.value_date, [rest])]
    for journal in wrong:
        adjusting.correct(journal.id, Cause(f"hold:{hold.id}:fee:{journal.id}", journal.value_date, by))
    return len(wrong)


def _check_amount(fee: Fee) -> None:
    if fee.amount < 0 or (fee.cap is not None and fee.amount > fee.cap):
        raise InputError(f"{fee.amount} is more than the law allows here ({fee.cap}); nothing was charged.")


def _check_allowed(claim: Claim, fee: Fee) -> None:
    case: Case = claim.case
    if fee.currency != case.currency:
        raise InputError(f"A fee in {fee.currency} is not charged on a case in {case.currency}.")
    role, takes_lump_sum = Creditor.objects.values_list("role", "charges_lump_sum").get(id=creditor_id())
    if role == LegalRole.CREDITOR and fee.kind not in OWN_DUNNING:
        raise InputError(f"A creditor's own dunning has no {fee.kind}; only a registered collector has.")
    if fee.kind is FeeKind.LUMP_SUM:
        if party_of(case.customer.kind) is Party.CONSUMER:
            raise InputError("Consumers owe no lump sum; nothing was charged.")
        if not takes_lump_sum:
            raise InputError("This creditor charges no lump sum; nothing was charged.")


def _check_time(claim: Claim, fee: Fee, value_date: date) -> None:
    begun = claim.default_from is not None and claim.default_from <= value_date
    if fee.kind not in WITHOUT_DEFAULT and not begun:
        raise ConflictError(
            "The claim is not in default on that day; a delay costs nothing before it begins."
        )
    resting = Hold.objects.filter(case_id=claim.case_id, stops_fees=True)
    if holds_at(clock.now()).filter(case_id=claim.case_id, stops_fees=True).exists() or any(
        _rested(hold, value_date) for hold in resting
    ):
        raise ConflictError("Fees rest while this case is on hold; nothing was charged.")


def _rested(hold: Hold, day: date) -> bool:
    """Whether a hold was in force at the end of a day."""
    zone = _zone()
    ends: list[datetime] = [at for at in (hold.until_at, hold.lifted_at) if at is not None]
    begun = hold.from_at.astimezone(zone).date() <= day
    return begun and (not ends or day < min(ends).astimezone(zone).date())


def _zone() -> ZoneInfo:
    return ZoneInfo(Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id()))


def _earlier(claim_id: int, case_id: int, fee: Fee) -> int:
    """What was charged on the claim that this fee is credited with: a lump sum for legal cost, both for a lump sum."""
    lumps = legal = used = 0
    undone = _undone(case_id)
    rows = Posting.objects.filter(claim_id=claim_id, journal__kind=Journal.Kind.COST).exclude(
        journal_id__in=undone
    )
    for kind, amount, details in rows.exclude(account=Account.EARNED).values_list(
        "basis", "amount", "journal__details"
    ):
        if kind == FeeKind.LUMP_SUM:
            lumps += amount
        elif kind in LEGAL_COST:
            legal += amount
            used += details.get("credited", 0)
    if fee.kind is FeeKind.LUMP_SUM:
        return lumps + legal
    return lumps - used if fee.kind in LEGAL_COST else 0


def _undone(case_id: int) -> set[int]:
    """Journals whose correction stands; a corrected correction undoes nothing."""
    found: set[int] = set()
    corrections = Journal.objects.filter(case_id=case_id, kind=Journal.Kind.CORRECTION).order_by("-id")
    for journal_id, details in corrections.values_list("id", "details"):
        if journal_id not in found:
            found.add(details["corrects"])
    return found


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
        "credited": fee.credited,
    }
    return ledger.Entry(key, Journal.Kind.COST, claim.case_id, value_date, lines, by, details)
