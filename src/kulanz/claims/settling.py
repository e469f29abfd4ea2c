"""Brings a case's ledger to what its facts lead to: replays them and posts only the difference.

Every correction is a journal of its own with the value date that it concerns, so that the ledger read by value date
says on each day what was owed, and nothing that was written is changed.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db import connection

from kulanz.claims import ledger
from kulanz.claims.interest import interest_of
from kulanz.claims.models import Account, Claim, Customer, Journal
from kulanz.claims.replay import (
    DERIVED,
    OFFSET,
    Debt,
    Fact,
    FactLine,
    Interest,
    Place,
    Replayed,
    replay,
)
from kulanz.law.allocation import Order, order_of
from kulanz.law.packs import NoRate
from kulanz.tenancy.law import pack
from kulanz.tenancy.scope import creditor_id

Kind = Journal.Kind
NEWEST = sys.maxsize
"""The order of a fact that is just being booked."""
BY = "claims"


@dataclass(frozen=True, slots=True)
class NewFact:
    """A journal to be booked whose lines follow from what was booked before; fields as in `ledger.Entry`.

    `amount`: of a payment, minor units. `designated`, `undoes`: as in `replay.Fact`.
    """

    key: str
    kind: str
    value_date: date
    amount: int = 0
    designated: int | None = None
    undoes: int | None = None
    cause: str = ""


@dataclass(slots=True)
class History:
    """A case as it stands in the ledger.

    `interest`: what was accrued, as facts. `places`: where derived amounts stand now. `corrections`: how many
    reallocations and set-offs there are. `last_day`: the newest value date.
    """

    debts: tuple[Debt, ...]
    facts: list[Fact] = field(default_factory=list)
    interest: list[Fact] = field(default_factory=list)
    places: Counter[Place] = field(default_factory=Counter)
    corrections: int = 0

    @property
    def accrued_to(self) -> date | None:
        return max((fact.day for fact in self.interest), default=None)


def settle(case_id: int, cause: str) -> int:
    """Post what is missing to be where a replay of all facts ends; returns how many journals that took.

    Call with the case locked, after something that reaches back: a claim, credit note, cost, waiver, hold or default.
    `cause` names it in the corrections. Twice in a row posts nothing the second time.
    """
    history = read_history(case_id)
    return _post_difference(case_id, history, _replayed(case_id, history), cause)


def book(case_id: int, new: NewFact) -> tuple[int, tuple[FactLine, ...]]:
    """Post a payment or return where its value date puts it, and what that changes after it.

    Returns the journal's id and its lines. Call with the case locked.
    """
    history = read_history(case_id)
    received = (FactLine(None, Account.RECEIVED, new.amount, new.kind),)
    history.facts.append(
        Fact(NEWEST, new.value_date, new.kind, received, new.designated, new.undoes),
    )
    replayed = _replayed(case_id, history)
    lines = replayed.lines[NEWEST]
    _post_interest(case_id, history, replayed, new.key)
    journal_id = ledger.post(entry(case_id, new, lines))
    for line in lines:
        history.places[Place(new.value_date, line.basis, line.claim_id, line.account)] += line.amount
    _post_places(case_id, history, replayed, new.key)
    return journal_id, lines


def entry(case_id: int, new: NewFact, lines: Sequence[FactLine]) -> ledger.Entry:
    """The journal of a new fact, with what a later replay must know of it."""
    names = {"designated": new.designated, "undoes": new.undoes}
    return ledger.Entry(
        new.key,
        new.kind,
        case_id,
        new.value_date,
        tuple(ledger.Line(line.account, line.amount, line.claim_id, line.basis) for line in lines),
        cause=new.cause,
        details={name: value for name, value in names.items() if value is not None},
    )


def read_history(case_id: int) -> History:
    """Everything that was booked on a case of the creditor in scope."""
    history = History(_debts(case_id))
    for (order, kind, day, details), lines in _journals(case_id).items():
        if kind in (Kind.REALLOCATION, Kind.OFFSET):
            history.corrections += 1
        else:
            named: dict[str, Any] = json.loads(details) if details != "{}" else {}
            fact = Fact(order, day, kind, tuple(lines), named.get("designated"), named.get("undoes"))
            (history.interest if kind == Kind.INTEREST else history.facts).append(fact)
        if kind in DERIVED or kind in (Kind.REALLOCATION, Kind.OFFSET):
            for line in lines:
                history.places[Place(day, line.basis, line.claim_id, line.account)] += line.amount
    return history


def as_date(value: date | str) -> date:
    """A date as either database hands it out."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def _debts(case_id: int) -> tuple[Debt, ...]:
    return tuple(
        Debt(
            claim,
            due,
            kind == Claim.Kind.CREDIT_NOTE,
            default,
            _order(jurisdiction, kind, customer, contracted),
        )
        for claim, due, kind, default, jurisdiction, contracted, customer in Claim.objects.filter(
            case_id=case_id
        ).values_list(
            "id",
            "due_date",
            "kind",
            "default_from",
            "jurisdiction",
            "contract_date",
            "case__customer__kind",
        )
    )


def _order(jurisdiction: str, kind: str, customer: str, contracted: date) -> Order:
    """Consumers' loans have an order of their own where the law knows one on the day of the contract."""
    if kind != Claim.Kind.LOAN or customer != Customer.Kind.PERSON:
        return "367"
    try:
        return order_of(pack(jurisdiction), contracted, consumer_loan=True)
    except NoRate:
        return "367"


def _journals(case_id: int) -> dict[tuple[int, str, date, str], list[FactLine]]:
    found: dict[tuple[int, str, date, str], list[FactLine]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT j.id, j.kind, j.value_date, j.details, p.claim_id, p.account, p.amount, p.basis"
            " FROM claims_posting p JOIN claims_journal j ON j.id = p.journal_id"
            " WHERE p.creditor_id = %s AND p.case_id = %s ORDER BY p.id",
            [creditor_id(), case_id],
        )
        for order, kind, day, details, claim, account, amount, basis in cursor.fetchall():
            found[order, kind, as_date(day), details].append(FactLine(claim, account, amount, basis))
    return found


def _replayed(case_id: int, history: History) -> Replayed:
    """Where the facts lead. Without a rate for some day, interest stays as it was charged: no payment waits for it."""
    accrued_to = history.accrued_to
    interest = interest_of(case_id, history.debts, accrued_to)
    if interest is not None:
        try:
            return _with_interest(history, interest, accrued_to)
        except NoRate:
            pass
    return replay([*history.facts, *history.interest], history.debts, None, None)


def _with_interest(history: History, interest: Interest, accrued_to: date | None) -> Replayed:
    """Interest of claims in default is worked out anew; what was charged on others stands as it is."""
    in_default = {debt.claim_id for debt in history.debts if debt.default_from}
    fixed = [
        replace(fact, lines=lines)
        for fact in history.interest
        if (lines := tuple(line for line in fact.lines if line.claim_id not in in_default))
    ]
    return replay([*history.facts, *fixed], history.debts, interest, accrued_to)


def _post_difference(case_id: int, history: History, replayed: Replayed, cause: str) -> int:
    return _post_interest(case_id, history, replayed, cause) + _post_places(case_id, history, replayed, cause)


def _post_interest(case_id: int, history: History, replayed: Replayed, cause: str) -> int:
    """Let the interest of each claim, summed up by value date, be right on every day that matters."""
    charged: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for fact in history.interest:
        for line in fact.lines:
            if line.account == Account.INTEREST and line.claim_id is not None:
                charged[line.claim_id].append((fact.day, line.amount))
    posted = 0
    for (claim, day), total in sorted(replayed.interest.items(), key=lambda item: (item[0][1], item[0][0])):
        more = total - sum(amount for on, amount in charged[claim] if on <= day)
        if more:
            charged[claim].append((day, more))
            _post_interest_line(case_id, claim, day, more, cause)
            posted += 1
    return posted


def _post_interest_line(case_id: int, claim: int, day: date, amount: int, cause: str) -> None:
    key, times = f"interest:{claim}:{day}", 0
    while ledger.posted(key):
        times += 1
        key = f"interest:{claim}:{day}:{times}"
    lines = (
        ledger.Line(Account.INTEREST, amount, claim, "interest"),
        ledger.Line(Account.EARNED, -amount, claim, "interest"),
    )
    details = {"to": day.isoformat(), "because": cause}
    ledger.post(ledger.Entry(key, Kind.INTEREST, case_id, day, lines, cause=BY, details=details))


def _post_places(case_id: int, history: History, replayed: Replayed, cause: str) -> int:
    """One journal per value date and kind for what has to move between accounts."""
    moves = Counter(dict(replayed.places))
    moves.subtract(history.places)
    grouped: dict[tuple[date, str], list[ledger.Line]] = defaultdict(list)
    for place, amount in moves.items():
        if amount:
            kind = str(Kind.OFFSET if place.basis == OFFSET else Kind.REALLOCATION)
            line = ledger.Line(place.account, amount, place.claim_id, place.basis)
            grouped[place.day, kind].append(line)
    for number, where in enumerate(sorted(grouped), history.corrections):
        day, kind = where
        lines, because = tuple(grouped[where]), {"because": cause}
        ledger.post(
            ledger.Entry(f"{kind}:{case_id}:{number}", kind, case_id, day, lines, cause=BY, details=because)
        )
    return len(grouped)
