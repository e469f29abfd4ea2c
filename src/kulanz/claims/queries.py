"""Reads of claims: balances, statements, holds and the block of columns that a run works on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from kulanz.claims.limitation import SHORTEST, Settled, is_barred
from kulanz.claims.models import BALANCE_SQL, OWED, OWED_SQL, Account, Hold
from kulanz.claims.rules import ClaimState, Sums, claim_state
from kulanz.kernel import clock
from kulanz.kernel.database import in_clause, read_columns, stored_datetime
from kulanz.kernel.errors import NotFoundError
from kulanz.law.allocation import OpenItem
from kulanz.tenancy.scope import creditor_id


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
    barred: bool
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
    total = _rows(
        "SELECT COALESCE(SUM(amount), 0) FROM claims_posting"  # noqa: S608 - names of accounts
        f" WHERE creditor_id = %s AND case_id = %s AND account IN ({BALANCE_SQL})",
        [creditor_id(), case_id],
    )[0][0]
    return max(0, int(total))


def paid_since(case_id: int, at: datetime) -> bool:
    """Whether a payment was booked for the case at `at` or later."""
    return bool(
        _rows(
            "SELECT 1 FROM claims_posting p JOIN claims_journal j ON j.id = p.journal_id"
            " WHERE p.creditor_id = %s AND p.case_id = %s AND p.account = 'received' AND j.kind = 'payment'"
            " AND j.booked_at >= %s LIMIT 1",
            [creditor_id(), case_id, stored_datetime(at)],
        )
    )


def open_items(case_id: int) -> list[OpenItem[int]]:
    """Claims of a case on which something is open, oldest due date first."""
    items = [
        OpenItem(claim, _date(due), max(0, int(cost)), max(0, int(interest)), max(0, int(principal)))
        for claim, due, cost, interest, principal in _rows(
            """SELECT l.id, l.due_date, SUM(CASE WHEN p.account LIKE 'cost%%' THEN p.amount ELSE 0 END),
              SUM(CASE WHEN p.account = 'interest' THEN p.amount ELSE 0 END),
              SUM(CASE WHEN p.account = 'principal' THEN p.amount ELSE 0 END)
            FROM claims_posting p JOIN claims_claim l ON l.id = p.claim_id
            WHERE p.creditor_id = %s AND p.case_id = %s GROUP BY l.id, l.due_date ORDER BY l.due_date, l.id""",
            [creditor_id(), case_id],
        )
    ]
    return [item for item in items if item.total > 0]


def holds_at(at: datetime) -> QuerySet[Hold]:
    """Holds in force at an instant, of the creditor in scope."""
    rows: QuerySet[Hold] = Hold.objects.filter(
        Q(until_at=None) | Q(until_at__gt=at), lifted_at=None, from_at__lte=at
    )
    return rows


def active_holds(case_id: int) -> tuple[HoldLine, ...]:
    now = stored_datetime(clock.now())
    rows = _rows(
        "SELECT id, reason, from_at, until_at FROM claims_hold WHERE creditor_id = %s AND case_id = %s"
        " AND lifted_at IS NULL AND from_at <= %s AND (until_at IS NULL OR until_at > %s) ORDER BY id",
        [creditor_id(), case_id, now, now],
    )
    return tuple(
        HoldLine(hold, reason, _instant(begins), _instant(ends) if ends else None)
        for hold, reason, begins, ends in rows
    )


def statement(case_id: int) -> Statement:
    """A case as people see it; raises NotFoundError for another creditor's case.

    Plain SELECTs: a customer's page spends most of its time here, and the ORM takes twenty times as long.
    """
    case = _rows(
        "SELECT c.id, c.name, c.number, c.language, k.currency FROM claims_case k"
        " JOIN claims_customer c ON c.id = k.customer_id WHERE k.creditor_id = %s AND k.id = %s",
        [creditor_id(), case_id],
    )
    if not case:
        raise NotFoundError("There is no such case.")
    holds = active_holds(case_id)
    lines = _posting_lines(case_id)
    claims = _claim_lines(case_id, lines, {hold.reason for hold in holds})
    credit = -sum(line.amount for line in lines.get(None, []) if line.account == Account.CREDIT)
    customer, name, number, language, currency = case[0]
    return Statement(
        case_id=case_id,
        customer_id=customer,
        customer_name=name,
        customer_number=number,
        language=language,
        currency=currency,
        open_amount=max(0, sum(claim.open_amount for claim in claims) - credit),
        credit=max(0, credit),
        claims=claims,
        holds=holds,
    )


def _posting_lines(case_id: int) -> dict[int | None, list[PostingLine]]:
    lines: dict[int | None, list[PostingLine]] = {}
    for claim, account, kind, amount, day, basis in _rows(
        "SELECT p.claim_id, p.account, j.kind, p.amount, j.value_date, p.basis FROM claims_posting p"
        " JOIN claims_journal j ON j.id = p.journal_id WHERE p.creditor_id = %s AND p.case_id = %s"
        " ORDER BY j.value_date, p.id",
        [creditor_id(), case_id],
    ):
        lines.setdefault(claim, []).append(PostingLine(account, kind, amount, _date(day), basis))
    return lines


def _claim_lines(
    case_id: int, lines: dict[int | None, list[PostingLine]], holds: set[str]
) -> tuple[ClaimLine, ...]:
    found = []
    for claim, number, kind, contracted, due, product, jurisdiction in _rows(
        "SELECT id, number, kind, contract_date, due_date, product, jurisdiction FROM claims_claim"
        " WHERE creditor_id = %s AND case_id = %s ORDER BY due_date, id",
        [creditor_id(), case_id],
    ):
        postings = tuple(lines.get(claim, []))
        settled = (Settled(line.value_date, line.account, line.amount, line.basis) for line in postings)
        barred = is_barred(claim, jurisdiction, _date(due), settled, clock.now().date())
        found.append(
            ClaimLine(
                id=claim,
                number=number,
                kind=kind,
                contract_date=_date(contracted),
                due_date=_date(due),
                product=product,
                jurisdiction=jurisdiction,
                state=_state(postings, holds, barred=barred),
                barred=barred,
                open_amount=sum(line.amount for line in postings if line.account in OWED),
                postings=postings,
            )
        )
    return tuple(found)


def _state(postings: tuple[PostingLine, ...], holds: set[str], *, barred: bool) -> ClaimState:
    owed = [line for line in postings if line.account in OWED]
    return claim_state(
        Sums(
            opened=sum(line.amount for line in owed if line.kind in ("opened", "credit_note")),
            open_amount=sum(line.amount for line in owed),
            received=sum(line.amount for line in postings if line.account == Account.RECEIVED)
            - sum(line.amount for line in owed if line.basis == "payment"),
            returned=sum(line.amount for line in owed if line.basis == "payment_return"),
            written_off=sum(line.amount for line in postings if line.account == Account.WRITTEN_OFF),
            transferred=sum(line.amount for line in postings if line.account == Account.TRANSFERRED),
        ),
        holds=holds,
        barred=barred,
    )


def _rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _date(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _instant(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


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


_CASES = f"""
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
      SUM(CASE WHEN p.account IN ({BALANCE_SQL}) THEN p.amount ELSE 0 END) AS owed,
      SUM(CASE WHEN p.account = 'invoiced' THEN -p.amount ELSE 0 END) AS invoiced,
      SUM(CASE WHEN p.account = 'received' THEN p.amount ELSE 0 END) AS received
    FROM claims_posting p WHERE +p.creditor_id = %s AND p.case_id > %s AND p.case_id <= %s
    GROUP BY p.case_id, p.claim_id
  ) b LEFT JOIN claims_claim l ON l.id = b.claim_id
  GROUP BY b.case_id HAVING SUM(b.owed) > 0
) s JOIN claims_case k ON k.id = s.case_id JOIN claims_customer c ON c.id = k.customer_id
WHERE +k.creditor_id = %s ORDER BY k.id
"""  # noqa: S608 - names of accounts


def _epoch_days(values: NDArray[Any]) -> NDArray[np.int64]:
    """Dates as text, date or datetime; NULL becomes NO_BIRTH_DAY."""
    if values.dtype != object:
        return np.full(len(values), NO_BIRTH_DAY, np.int64)
    texts = np.array([str(v)[:10] if v is not None else "NaT" for v in values], "datetime64[D]")
    return np.where(np.isnat(texts), NO_BIRTH_DAY, texts.astype(np.int64))


def oldest_open_due(case_ids: NDArray[np.int64]) -> dict[int, date]:
    """Case id to the due date of its oldest claim with something open; cases without one are left out."""
    rows = read_columns(
        "SELECT b.case_id, MIN(l.due_date) AS due FROM (SELECT p.case_id, p.claim_id FROM claims_posting p"  # noqa: S608
        f" WHERE p.creditor_id = %s AND p.account IN ({OWED_SQL})"
        f" AND {in_clause('p.case_id', case_ids.tolist())} GROUP BY p.case_id, p.claim_id HAVING SUM(p.amount) > 0) b"
        " JOIN claims_claim l ON l.id = b.claim_id GROUP BY b.case_id",
        [creditor_id()],
    )
    days = (date.fromisoformat(str(day)[:10]) for day in rows["due"])
    return dict(zip(rows["case_id"].tolist(), days, strict=True))


def any_barred(found: Statement) -> bool:
    """Whether something that is open is time-barred: paying in rates would acknowledge it (section 212 BGB)."""
    return any(claim.barred and claim.open_amount > 0 for claim in found.claims)


def barred_cases(case_ids: NDArray[np.int64], on: date) -> NDArray[np.bool_]:
    """Which cases are time-barred with everything that is open on them on a day, bool[n].

    Only cases with a claim older than any limitation's shortest time are looked at one by one.
    """
    barred = np.zeros(len(case_ids), np.bool_)
    old = read_columns(
        "SELECT DISTINCT case_id FROM claims_claim WHERE +creditor_id = %s AND case_id BETWEEN %s AND %s"
        " AND due_date < %s AND kind <> 'credit_note'",
        [creditor_id(), int(case_ids.min(initial=0)), int(case_ids.max(initial=0)), on - SHORTEST],
    )
    for place in np.flatnonzero(np.isin(case_ids, old["case_id"])).tolist():
        owing = [claim for claim in statement(int(case_ids[place])).claims if claim.open_amount > 0]
        barred[place] = bool(owing) and all(claim.barred for claim in owing)
    return barred
