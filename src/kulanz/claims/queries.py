"""Reads of claims: balances, statements, holds and the block of columns that a run works on."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet, Sum
from numpy.typing import NDArray

from kulanz.claims.models import OWED, Account, Case, Claim, Hold, Posting
from kulanz.claims.rules import ClaimState, claim_state
from kulanz.kernel import clock
from kulanz.kernel.database import in_clause, read_columns
from kulanz.kernel.errors import NotFoundError
from kulanz.law.allocation import OpenItem
from kulanz.tenancy.scope import creditor_id

_CLAIM_ACCOUNTS = (*OWED, Account.CREDIT)


@dataclass(frozen=True, slots=True)
class PostingLine:
    """One posting as shown: minor units, debit positive; `kind` is the journal's."""

    account: str
    kind: str
    amount: int
    value_date: date
    basis: str


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One claim as shown; `open_amount` may be negative for a credit note."""

    id: int
    number: str
    kind: str
    contract_date: date
    due_date: date
    product: str
    jurisdiction: str
    state: ClaimState
    open_amount: int
    postings: tuple[PostingLine, ...]


@dataclass(frozen=True, slots=True)
class HoldLine:
    id: int
    reason: str
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class Statement:
    """All claims of a case. `open_amount` >= 0 after credit notes and credit; `credit` >= 0 was paid too much."""

    case_id: int
    customer_id: int
    customer_name: str
    customer_number: str
    language: str
    currency: str
    open_amount: int
    credit: int
    claims: tuple[ClaimLine, ...]
    holds: tuple[HoldLine, ...]


@dataclass(frozen=True, slots=True)
class CaseColumns:
    """Cases with an open amount, one row each, ordered by case id.

    Days are epoch days; amounts minor units of the case's currency. `last_id` is where the next block begins: 0
    when there is none.
    """

    case_id: NDArray[np.int64]
    customer_id: NDArray[np.int64]
    currency: NDArray[Any]
    open_amount: NDArray[np.int64]
    oldest_due: NDArray[np.int64]
    open_claims: NDArray[np.int64]
    claims_total: NDArray[np.int64]
    invoiced_total: NDArray[np.int64]
    paid_total: NDArray[np.int64]
    is_business: NDArray[np.bool_]
    ladder_only: NDArray[np.bool_]
    language: NDArray[Any]
    country: NDArray[Any]
    postal_code: NDArray[Any]
    birth_day: NDArray[np.int64]
    opened_day: NDArray[np.int64]
    last_id: int


NO_BIRTH_DAY = -(10**6)


def open_amount(case_id: int) -> int:
    """What the customer owes on a case now: minor units, never below 0."""
    total = Posting.objects.filter(case_id=case_id, account__in=_CLAIM_ACCOUNTS).aggregate(x=Sum("amount"))[
        "x"
    ]
    return max(0, total or 0)


def open_items(case_id: int) -> list[OpenItem[int]]:
    """Claims of a case on which something is open, oldest due date first."""
    sums: dict[int, dict[str, int]] = {}
    rows = Posting.objects.filter(case_id=case_id, account__in=OWED, claim__isnull=False)
    for claim, account, amount in rows.values_list("claim_id", "account").annotate(x=Sum("amount")):
        sums.setdefault(claim, {})[account] = amount
    due = Claim.objects.filter(id__in=sums).order_by("due_date", "id").values_list("id", "due_date")
    items = [
        OpenItem(
            claim_id=claim,
            due_date=due_date,
            cost=max(0, sums[claim].get(Account.COST, 0)),
            interest=max(0, sums[claim].get(Account.INTEREST, 0)),
            principal=max(0, sums[claim].get(Account.PRINCIPAL, 0)),
        )
        for claim, due_date in due
    ]
    return [item for item in items if item.total > 0]


def holds_at(at: datetime) -> QuerySet[Hold]:
    """Holds in force at an instant, of the creditor in scope."""
    rows: QuerySet[Hold] = Hold.objects.filter(
        Q(until_at=None) | Q(until_at__gt=at), lifted_at=None, from_at__lte=at
    )
    return rows


def active_holds(case_id: int) -> tuple[HoldLine, ...]:
    rows = holds_at(clock.now()).filter(case_id=case_id).order_by("id")
    return tuple(HoldLine(*row) for row in rows.values_list("id", "reason", "from_at", "until_at"))


def statement(case_id: int) -> Statement:
    """A case as people see it; raises NotFoundError for another creditor's case."""
    case = Case.objects.select_related("customer").filter(id=case_id).first()
    if case is None:
        raise NotFoundError("There is no such case.")
    holds = active_holds(case_id)
    lines: dict[int | None, list[PostingLine]] = {}
    rows = Posting.objects.filter(case_id=case_id).order_by("journal__value_date", "id")
    for claim, *line in rows.values_list(
        "claim_id", "account", "journal__kind", "amount", "journal__value_date", "basis"
    ):
        lines.setdefault(claim, []).append(PostingLine(*line))
    reasons = {hold.reason for hold in holds}
    claims = tuple(
        _claim_line(claim, lines.get(claim.id, []), reasons)
        for claim in Claim.objects.filter(case_id=case_id).order_by("due_date", "id")
    )
    credit = -sum(line.amount for line in lines.get(None, []) if line.account == Account.CREDIT)
    return Statement(
        case_id=case.id,
        customer_id=case.customer_id,
        customer_name=case.customer.name,
        customer_number=case.customer.number,
        language=case.customer.language,
        currency=case.currency,
        open_amount=max(0, sum(claim.open_amount for claim in claims) - credit),
        credit=max(0, credit),
        claims=claims,
        holds=holds,
    )


def _claim_line(claim: Claim, postings: list[PostingLine], holds: set[str]) -> ClaimLine:
    owed = [line for line in postings if line.account in OWED]
    open_now = sum(line.amount for line in owed)
    return ClaimLine(
        id=claim.id,
        number=claim.number,
        kind=claim.kind,
        contract_date=claim.contract_date,
        due_date=claim.due_date,
        product=claim.product,
        jurisdiction=claim.jurisdiction,
        state=claim_state(
            opened=sum(line.amount for line in owed if line.kind in ("opened", "credit_note")),
            open_amount=open_now,
            received=-sum(line.amount for line in owed if line.kind == "payment"),
            returned=sum(line.amount for line in owed if line.kind == "payment_return"),
            holds=holds,
        ),
        open_amount=open_now,
        postings=tuple(postings),
    )


def case_columns(after_id: int, limit: int) -> CaseColumns:
    """The next block of up to `limit` cases after case id `after_id`; only those with an open amount are in it."""
    creditor = creditor_id()
    ends = read_columns(
        "SELECT COALESCE(MAX(id), 0) AS last, COUNT(*) AS n FROM"
        " (SELECT id FROM claims_case WHERE creditor_id = %s AND id > %s ORDER BY id LIMIT %s) AS block",
        [creditor, after_id, limit],
    )
    last = int(ends["last"][0])
    rows = read_columns(_CASES, [creditor, after_id, last, creditor])
    day = _epoch_days
    return CaseColumns(
        case_id=rows["case_id"],
        customer_id=rows["customer_id"],
        currency=rows["currency"],
        open_amount=rows["open_amount"].astype(np.int64),
        oldest_due=day(rows["oldest_due"]),
        open_claims=rows["open_claims"],
        claims_total=rows["claims_total"],
        invoiced_total=rows["invoiced_total"].astype(np.int64),
        paid_total=rows["paid_total"].astype(np.int64),
        is_business=rows["is_business"].astype(bool),
        ladder_only=rows["ladder_only"].astype(bool),
        language=rows["language"],
        country=rows["country"],
        postal_code=rows["postal_code"],
        birth_day=day(rows["birth_date"]),
        opened_day=day(rows["opened_at"]),
        last_id=last if int(ends["n"][0]) == limit else 0,
    )


_CASES = """
SELECT k.id AS case_id, k.customer_id, k.currency, s.open_amount, s.oldest_due, s.open_claims, s.claims_total,
  s.invoiced_total, s.paid_total, CASE WHEN c.kind = 'business' THEN 1 ELSE 0 END AS is_business,
  CASE WHEN c.ladder_only THEN 1 ELSE 0 END AS ladder_only, c.language, c.country, c.postal_code, c.birth_date,
  k.opened_at
FROM (
  SELECT b.case_id, CAST(SUM(b.owed) AS BIGINT) AS open_amount,
    MIN(CASE WHEN b.owed > 0 THEN l.due_date END) AS oldest_due,
    SUM(CASE WHEN b.claim_id IS NOT NULL AND b.owed > 0 THEN 1 ELSE 0 END) AS open_claims,
    COUNT(b.claim_id) AS claims_total, CAST(SUM(b.invoiced) AS BIGINT) AS invoiced_total,
    CAST(SUM(b.received) AS BIGINT) AS paid_total
  FROM (
    SELECT p.case_id, p.claim_id,
      SUM(CASE WHEN p.account IN ('principal', 'interest', 'cost', 'credit') THEN p.amount ELSE 0 END) AS owed,
      SUM(CASE WHEN p.account = 'invoiced' THEN -p.amount ELSE 0 END) AS invoiced,
      SUM(CASE WHEN p.account = 'received' THEN p.amount ELSE 0 END) AS received
    FROM claims_posting p WHERE +p.creditor_id = %s AND p.case_id > %s AND p.case_id <= %s
    GROUP BY p.case_id, p.claim_id
  ) b LEFT JOIN claims_claim l ON l.id = b.claim_id
  GROUP BY b.case_id HAVING SUM(b.owed) > 0
) s JOIN claims_case k ON k.id = s.case_id JOIN claims_customer c ON c.id = k.customer_id
WHERE +k.creditor_id = %s ORDER BY k.id
"""


def _epoch_days(values: NDArray[Any]) -> NDArray[np.int64]:
    """Dates as text, date or datetime; NULL becomes NO_BIRTH_DAY."""
    if values.dtype != object:
        return np.full(len(values), NO_BIRTH_DAY, np.int64)
    texts = np.array([str(v)[:10] if v is not None else "NaT" for v in values], "datetime64[D]")
    return np.where(np.isnat(texts), NO_BIRTH_DAY, texts.astype(np.int64))


def oldest_open_due(case_ids: NDArray[np.int64]) -> dict[int, date]:
    """Case id to the due date of its oldest claim with something open; cases without one are left out."""
    rows = read_columns(
        "SELECT b.case_id, MIN(l.due_date) AS due FROM (SELECT p.case_id, p.claim_id FROM claims_posting p"
        " WHERE p.creditor_id = %s AND p.account IN ('principal', 'interest', 'cost')"
        f" AND {in_clause('p.case_id', case_ids.tolist())} GROUP BY p.case_id, p.claim_id HAVING SUM(p.amount) > 0) b"  # noqa: S608
        " JOIN claims_claim l ON l.id = b.claim_id GROUP BY b.case_id",
        [creditor_id()],
    )
    days = (date.fromisoformat(str(day)[:10]) for day in rows["due"])
    return dict(zip(rows["case_id"].tolist(), days, strict=True))
