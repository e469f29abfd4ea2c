"""What happens to a claim beside charges and payments: credit, waiver, discount, write-off, hand-over, correction.

Each use case posts one journal under the caller's key, settles what follows from it, and leaves an event. The same key
again has no second effect; with another content it raises ConflictError. Amounts are minor units of the case's
currency; value dates may lie in the past.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from kulanz.claims import ledger, settling
from kulanz.claims.actions import lock_case
from kulanz.claims.models import OWED, OWED_SQL, Account, Claim, Journal, Posting
from kulanz.events.log import record
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.tenancy.scope import creditor_id

Kind = Journal.Kind


@dataclass(frozen=True, slots=True)
class Cause:
    """Why and by whom: `key` names the cause once and for all, `by` is agent:<id>, customer or a room's name."""

    key: str
    day: date
    by: str


def credit(claim_id: int, amount: int, cause: Cause) -> int:
    """A credit note against one claim: less is owed, as if it had been agreed so; what is too much becomes credit."""
    _positive(amount)
    claim = _claim(claim_id)
    lines = [
        ledger.Line(Account.PRINCIPAL, -amount, claim_id, "credit_note"),
        ledger.Line(Account.INVOICED, amount, claim_id, "credit_note"),
    ]
    return _post(claim.case_id, Kind.CREDIT_NOTE, lines, cause, "claim.credited")


def waive(claim_id: int, account: str, amount: int, cause: Cause) -> int:
    """Let the customer off a part of what is open on one account of a claim."""
    _positive(amount)
    claim = _claim(claim_id)
    if account not in OWED:
        raise InputError(f"{str(account)!r} is no account on which something is owed: {', '.join(OWED)}.")
    lines = _moved({(claim_id, account): amount}, Account.WAIVED, "waiver")
    with transaction.atomic():
        lock_case(claim.case_id)
        if not ledger.posted(cause.key):
            open_now = _open(claim.case_id).get((claim_id, account), 0)
            if amount > open_now:
                raise InputError(f"Only {open_now} is open there (minor units); {amount} cannot be waived.")
        return _post(claim.case_id, Kind.WAIVER, lines, cause, "claim.waived")


def discount(
    case_id: int, cause: Cause, *, claims: Collection[int] | None = None, most: int | None = None
) -> int:
    """What is still open on a case is given up after an agreed part was paid (settlement discount).

    `claims`: on these alone; `most`: no more than this in all, minor units.
    """
    return _all(case_id, claims, most, Kind.DISCOUNT, Account.DISCOUNTED, cause)


def revoke_discount(case_id: int, claims: Collection[int], cause: Cause) -> int:
    """What was given up on claims is owed again: the payment that earned it went back."""
    with transaction.atomic():
        lock_case(case_id)
        known = ledger.posted(cause.key)
        if known:
            return known
        given = Posting.objects.filter(case_id=case_id, claim_id__in=claims, journal__kind=Kind.DISCOUNT)
        lines = _netted(given, Kind.DISCOUNT.value)
        if not lines:
            raise InputError("Nothing of these claims is given up.")
        return _post(case_id, Kind.DISCOUNT, lines, cause, "claim.discount_revoked")


def write_off(claim_id: int, cause: Cause) -> int:
    """Take a claim out of the books; money that comes later is booked by `recover`."""
    return _all(_claim(claim_id).case_id, [claim_id], None, Kind.WRITE_OFF, Account.WRITTEN_OFF, cause)


def transfer(claim_id: int, cause: Cause) -> int:
    """Hand what is open on a claim over to an agency or court; `recall` brings it back."""
    return _all(_claim(claim_id).case_id, [claim_id], None, Kind.TRANSFER, Account.TRANSFERRED, cause)


def recall(claim_id: int, cause: Cause) -> int:
    """Take a claim back from an agency: it is owed here again as it was handed over."""
    claim = _claim(claim_id)
    with transaction.atomic():
        lock_case(claim.case_id)
        known = ledger.posted(cause.key)
        if known:
            return known
        handed_over = Posting.objects.filter(claim_id=claim_id, journal__kind=Kind.TRANSFER)
        lines = _netted(handed_over, Kind.TRANSFER.value)
        if not lines:
            raise InputError("Nothing of this claim is handed over.")
        return _post(claim.case_id, Kind.TRANSFER, lines, cause, "claim.recalled")


def recover(claim_id: int, amount: int, cause: Cause) -> int:
    """Money that came in for a claim after it was written off."""
    _positive(amount)
    claim = _claim(claim_id)
    lines = [
        ledger.Line(Account.RECEIVED, amount, claim_id, "recovery"),
        ledger.Line(Account.WRITTEN_OFF, -amount, claim_id, "recovery"),
    ]
    with transaction.atomic():
        lock_case(claim.case_id)
        if not ledger.posted(cause.key):
            written = _balance(claim.case_id, claim_id, Account.WRITTEN_OFF)
            if amount > written:
                raise InputError(f"Only {written} was written off (minor units); book the rest as a payment.")
        return _post(claim.case_id, Kind.RECOVERY, lines, cause, "claim.recovered")


def refund(case_id: int, amount: int, cause: Cause) -> int:
    """Credit was sent back to the customer."""
    _positive(amount)
    lines = [
        ledger.Line(Account.CREDIT, amount, None, "refund"),
        ledger.Line(Account.RECEIVED, -amount, None, "refund"),
    ]
    with transaction.atomic():
        lock_case(case_id)
        if not ledger.posted(cause.key):
            left = -_balance(case_id, None, Account.CREDIT)
            if amount > left:
                raise InputError(f"Only {left} stands in credit (minor units); {amount} cannot be sent back.")
        return _post(case_id, Kind.REFUND, lines, cause, "credit.refunded")


def correct(journal_id: int, cause: Cause) -> int:
    """Undo one journal of charges by its exact opposite; the mistaken one stays visible.

    Payments are taken back by `actions.return_payment`, hand-overs by `recall`: raises InputError for these, and for
    what follows from others by itself.
    """
    wrong = Journal.objects.filter(id=journal_id).first()
    if wrong is None:
        raise NotFoundError("There is no such journal.")
    if wrong.kind not in (Kind.OPENED, Kind.CREDIT_NOTE, Kind.COST, Kind.REFUND, Kind.CORRECTION):
        raise InputError(
            f"A journal of kind {wrong.kind} is not corrected by its opposite; see the ledger's guide."
        )
    lines = [
        ledger.Line(p.account, -p.amount, p.claim_id, "correction")
        for p in Posting.objects.filter(journal_id=journal_id).order_by("id")
    ]
    with transaction.atomic():
        lock_case(wrong.case_id)
        if not ledger.posted(cause.key) and _corrected(wrong):
            raise InputError("This journal is corrected already; correct the correction instead.")
        details = {"corrects": journal_id}
        return _post(wrong.case_id, Kind.CORRECTION, lines, cause, "ledger.corrected", details)


def _corrected(wrong: Journal) -> bool:
    corrections = Journal.objects.filter(case_id=wrong.case_id, kind=Kind.CORRECTION)
    return any(
        details.get("corrects") == wrong.id for details in corrections.values_list("details", flat=True)
    )


def _all(
    case_id: int,
    claims: Collection[int] | None,
    most: int | None,
    kind: Kind,
    target: Account,
    cause: Cause,
) -> int:
    with transaction.atomic():
        lock_case(case_id)
        known = ledger.posted(cause.key)
        if known:
            return known
        settling.settle(case_id, cause.key)
        owed = {
            (claim, account): amount
            for (claim, account), amount in _open(case_id).items()
            if amount > 0 and (claims is None or claim in claims)
        }
        if most is not None:
            owed = _at_most(owed, most)
        if not owed:
            raise InputError("Nothing is open there any more.")
        return _post(case_id, kind, _moved(owed, target, kind.value), cause, f"claim.{target.value}")


def _post(
    case_id: int,
    kind: Kind,
    lines: Sequence[ledger.Line],
    cause: Cause,
    event: str,
    details: Mapping[str, int] | None = None,
) -> int:
    with transaction.atomic():
        case = lock_case(case_id)
        new = not ledger.posted(cause.key)
        entry = ledger.Entry(cause.key, kind, case_id, cause.day, tuple(lines), cause.by, details or {})
        journal_id = ledger.post(entry)
        if new:
            settling.settle(case_id, cause.key)
            amount = sum(line.amount for line in lines if line.amount > 0)
            record(event, case_id, {"journal": journal_id, "amount": amount, "currency": case.currency})
    return journal_id


def _at_most(owed: Mapping[tuple[int, str], int], most: int) -> dict[tuple[int, str], int]:
    """The amounts, cut off where they are more than `most` together."""
    found: dict[tuple[int, str], int] = {}
    for where, amount in sorted(owed.items()):
        part = min(amount, most)
        most -= part
        if part > 0:
            found[where] = part
    return found


def _moved(owed: Mapping[tuple[int, str], int], target: Account, basis: str) -> list[ledger.Line]:
    """Lines that take amounts from the accounts of claims to `target` of the same claim."""
    return [
        line
        for (claim, account), amount in sorted(owed.items())
        for line in (ledger.Line(account, -amount, claim, basis), ledger.Line(target, amount, claim, basis))
    ]


def _netted(postings: Iterable[Posting], basis: str) -> list[ledger.Line]:
    """The opposite of what the postings left on each account."""
    left: Counter[tuple[int | None, str]] = Counter()
    for posting in postings:
        left[posting.claim_id, posting.account] += posting.amount
    return [
        ledger.Line(account, -amount, claim, basis) for (claim, account), amount in left.items() if amount
    ]


def _open(case_id: int) -> dict[tuple[int, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim_id, account, SUM(amount) FROM claims_posting"  # noqa: S608 - names of accounts
            f" WHERE creditor_id = %s AND case_id = %s AND claim_id IS NOT NULL AND account IN ({OWED_SQL})"
            " GROUP BY claim_id, account",
            [creditor_id(), case_id],
        )
        return {(claim, account): int(amount) for claim, account, amount in cursor.fetchall()}


def _balance(case_id: int, claim_id: int | None, account: Account) -> int:
    rows = Posting.objects.filter(case_id=case_id, claim_id=claim_id, account=account)
    return sum(rows.values_list("amount", flat=True))


def _claim(claim_id: int) -> Claim:
    found: Claim | None = Claim.objects.filter(id=claim_id).first()
    if found is None:
        raise NotFoundError("There is no such claim.")
    return found


def _positive(amount: int) -> None:
    if amount <= 0:
        raise InputError("An amount is more than zero.")
