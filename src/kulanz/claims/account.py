"""The statement of account of a case: every line with date, legal basis and calculation. Its sums equal the ledger."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db import connection

from kulanz.claims.interest import charging, in_default, rests_of
from kulanz.claims.models import BALANCE_SQL, Account, Journal
from kulanz.kernel.errors import NotFoundError
from kulanz.law.caveats import Caveat, caveats
from kulanz.law.figures.basis import Basis
from kulanz.law.interest import Accrual
from kulanz.law.packs import NoRate, Pack
from kulanz.tenancy.law import pack
from kulanz.tenancy.scope import creditor_id

INTEREST = Journal.Kind.INTEREST


@dataclass(frozen=True, slots=True)
class Line:
    """One posting as the customer sees it, minor units; positive is owed. `balance`: owed on the case after it.

    Interest charged day by day between two other lines of a claim is one line, dated on its last day. `formula` says
    how a fee was worked out; interest has its rows in `Statement.interest`.
    """

    day: date
    booked_on: date
    claim: str
    kind: str
    account: str
    amount: int
    balance: int
    basis: Basis | None
    formula: str
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True, slots=True)
class ClaimInterest:
    """How the interest of one claim was worked out; `charged` is what the ledger has, minor units.

    `accrual` None: the law's tables have no rate for some day, and interest stays as it was charged.
    """

    claim: str
    charged: int
    accrual: Accrual | None


@dataclass(frozen=True, slots=True)
class StatementOfAccount:
    """`sums` by account, minor units, only where not zero; `balance` is their sum: negative is credit."""

    case_id: int
    customer_name: str
    customer_number: str
    language: str
    currency: str
    lines: tuple[Line, ...]
    sums: Mapping[str, int]
    interest: tuple[ClaimInterest, ...]

    @property
    def balance(self) -> int:
        return sum(self.sums.values())

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Every unverified figure behind any line."""
        found = {caveat for line in self.lines for caveat in line.caveats}
        found |= {c for each in self.interest if each.accrual for c in each.accrual.caveats}
        return tuple(sorted(found))


def statement_of_account(case_id: int, on: date) -> StatementOfAccount:
    """The account of a case of the creditor in scope as of a day; raises NotFoundError for another creditor's case."""
    customer = _rows(
        "SELECT c.name, c.number, c.language, k.currency FROM claims_case k"
        " JOIN claims_customer c ON c.id = k.customer_id WHERE k.creditor_id = %s AND k.id = %s",
        [creditor_id(), case_id],
    )
    if not customer:
        raise NotFoundError("There is no such case.")
    postings = [_posting(row) for row in _rows(_POSTINGS, [creditor_id(), case_id])]
    sums: dict[str, int] = {}
    for posting in postings:
        sums[posting.line.account] = sums.get(posting.line.account, 0) + posting.line.amount
    name, number, language, currency = customer[0]
    return StatementOfAccount(
        case_id,
        name,
        number,
        language,
        currency,
        tuple(_balanced(_merged(postings))),
        {account: amount for account, amount in sums.items() if amount},
        tuple(_interest(case_id, postings, on)),
    )


@dataclass(frozen=True, slots=True)
class _Posting:
    claim_id: int | None
    line: Line


_POSTINGS = f"""
SELECT p.claim_id, l.number, l.jurisdiction, j.value_date, j.booked_at, j.kind, p.account, p.amount, p.basis, j.details
FROM claims_posting p JOIN claims_journal j ON j.id = p.journal_id LEFT JOIN claims_claim l ON l.id = p.claim_id
WHERE p.creditor_id = %s AND p.case_id = %s AND p.account IN ({BALANCE_SQL}) ORDER BY j.value_date, p.id
"""  # noqa: S608 - names of accounts


def _posting(row: Sequence[Any]) -> _Posting:
    claim_id, number, jurisdiction, day, booked, kind, account, amount, code, details = row
    told = details if isinstance(details, dict) else json.loads(details or "{}")
    basis = _basis(jurisdiction, code) if jurisdiction else None
    unverified = [
        Caveat(what, date.fromisoformat(on), source) for what, on, source in told.get("caveats", [])
    ]
    unverified += caveats("legal basis", [basis] if basis else [])
    line = Line(
        _day(day),
        _day(booked),
        number or "",
        kind,
        account,
        int(amount),
        0,
        basis,
        _formula(told),
        tuple(unverified),
    )
    return _Posting(claim_id, line)


def _basis(jurisdiction: str, code: str) -> Basis | None:
    kind = code.rpartition(".")[2]
    return next((each for each in _pack(jurisdiction).bases if each.kind == kind), None)


def _pack(jurisdiction: str) -> Pack:
    return pack(jurisdiction)


def _formula(details: Mapping[str, Any]) -> str:
    return str(details.get("formula", ""))


def _merged(postings: Sequence[_Posting]) -> Iterator[Line]:
    """Lines in order; daily interest of a claim becomes one line between two others of the case."""

    def stretch(posting: _Posting) -> bool:
        return posting.line.kind == INTEREST

    for is_interest, group in groupby(postings, key=stretch):
        if not is_interest:
            yield from (posting.line for posting in group)
            continue
        sums: dict[int | None, Line] = {}
        for posting in group:
            before = sums.get(posting.claim_id)
            amount = posting.line.amount + (before.amount if before else 0)
            sums[posting.claim_id] = replace(posting.line, amount=amount)
        yield from (line for line in sums.values() if line.amount)


def _balanced(lines: Iterator[Line]) -> Iterator[Line]:
    balance = 0
    for line in lines:
        balance += line.amount
        yield replace(line, balance=balance)


def _interest(case_id: int, postings: Sequence[_Posting], on: date) -> Iterator[ClaimInterest]:
    if not any(posting.line.kind == INTEREST for posting in postings):
        return
    own = charging()
    rests = rests_of([case_id], own.zone).get(case_id, [])
    for claim in in_default(case_id):
        mine = [posting.line for posting in postings if posting.claim_id == claim.claim_id]
        daily = [line for line in mine if line.kind == INTEREST]
        if not daily:
            continue
        moves = [(line.day, line.amount) for line in mine if line.account == Account.PRINCIPAL]
        try:
            accrual = claim.accrual(moves, rests, min(on, max(line.day for line in daily)), own)
        except NoRate:
            accrual = None
        yield ClaimInterest(mine[0].claim, sum(line.amount for line in daily), accrual)


def _day(value: date | datetime | str) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value[:10])


def _rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
