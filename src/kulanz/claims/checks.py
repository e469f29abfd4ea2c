"""Replays the ledger from its rows and compares it with what the rest of Kulanz reads and was told.

Cases are taken in blocks, each as columns, so that memory stays the same however large the ledger is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kulanz.claims.models import OWED, Account
from kulanz.claims.queries import case_columns
from kulanz.claims.sealing import check_chain
from kulanz.events.models import Event
from kulanz.events.sealer import broken_links
from kulanz.kernel.database import read_columns
from kulanz.tenancy.scope import creditor_id

BLOCK = 50_000
"""Cases at once."""
Ints = NDArray[np.int64]
_ACCOUNTS = tuple(Account)
_NUMBER = (
    "CASE p.account "
    + " ".join(f"WHEN '{a.value}' THEN {n}" for n, a in enumerate(_ACCOUNTS))
    + " ELSE -1 END"
)
_OWED = np.array([_ACCOUNTS.index(a) for a in OWED])
_BALANCE = np.append(_OWED, _ACCOUNTS.index(Account.CREDIT))
_RECEIVED = _ACCOUNTS.index(Account.RECEIVED)


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """`imbalances`: journals that do not sum to zero or reach into another case, or postings without a journal.

    `differences`: derived figures that a replay from the rows does not confirm. `broken`: links of the hash chain that
    do not follow, `first_broken` the first of them (0: none); `broken_events`: the same of the event log, which anchors
    the ledger's. `unsealed` journals wait for their number. Everything but the counts must be 0.
    """

    journals: int = 0
    postings: int = 0
    imbalances: int = 0
    differences: int = 0
    sealed: int = 0
    unsealed: int = 0
    broken: int = 0
    first_broken: int = 0
    broken_events: int = 0

    @property
    def clean(self) -> bool:
        return not (self.imbalances or self.differences or self.broken or self.broken_events)


def check_ledger() -> LedgerCheck:
    """Replay every journal of the creditor in scope and follow its hash chain and that of its events."""
    chain = check_chain()
    journals = postings = imbalances = differences = 0
    received: dict[int, int] = {}
    for first, last in _blocks():
        block = _Block.read(first, last)
        journals += len(block.journals)
        postings += len(block.amount)
        imbalances += block.imbalances()
        differences += block.below_zero() + block.balances_that_differ(first, last)
        received |= block.received()
    return LedgerCheck(
        journals,
        postings,
        imbalances + _orphans(postings),
        differences + _openings_that_differ() + _payments_that_differ(received),
        chain.sealed,
        chain.unsealed,
        len(chain.broken) + chain.missing,
        chain.broken[0] if chain.broken else 0,
        len(broken_links()),
    )


def _blocks() -> Iterator[tuple[int, int]]:
    """Ranges of case ids, both ends included, that together hold every case."""
    last = 0
    while True:
        rows = read_columns(
            "SELECT COALESCE(MAX(id), 0) AS last FROM (SELECT id FROM claims_case WHERE creditor_id = %s AND id > %s"
            " ORDER BY id LIMIT %s) AS block",
            [creditor_id(), last, BLOCK],
        )
        end = int(rows["last"][0])
        if not end:
            return
        yield last + 1, end
        last = end


@dataclass(frozen=True, slots=True)
class _Block:
    """Postings of some cases by id, as columns; `journals` are the ids of these cases' journals, ascending."""

    journals: Ints
    of_payment: Ints
    journal: Ints
    case: Ints
    claim: Ints
    account: Ints
    amount: Ints
    foreign: Ints

    @classmethod
    def read(cls, first: int, last: int) -> "_Block":
        where = [creditor_id(), first, last]
        own = read_columns(
            "SELECT id, CASE WHEN kind IN ('payment', 'payment_return') THEN 1 ELSE 0 END AS pays FROM claims_journal"
            " WHERE creditor_id = %s AND case_id BETWEEN %s AND %s ORDER BY id",
            where,
        )
        rows = read_columns(
            f"""SELECT p.journal_id, p.case_id, COALESCE(p.claim_id, 0) AS claim_id, {_NUMBER} AS account, p.amount,
              CASE WHEN j.id IS NULL OR j.case_id <> p.case_id OR j.creditor_id <> p.creditor_id
                OR c.id IS NOT NULL AND c.case_id <> p.case_id THEN 1 ELSE 0 END AS stray
            FROM claims_posting p LEFT JOIN claims_journal j ON j.id = p.journal_id
            LEFT JOIN claims_claim c ON c.id = p.claim_id
            WHERE +p.creditor_id = %s AND p.case_id BETWEEN %s AND %s ORDER BY p.id""",  # noqa: S608 - names of accounts
            where,
        )
        columns = (rows[name] for name in ("journal_id", "case_id", "claim_id", "account", "amount", "stray"))
        return cls(own["id"], own["id"][own["pays"] == 1], *columns)

    def imbalances(self) -> int:
        ids, sums = _summed(self.journal, self.amount)
        without_posting = len(np.setdiff1d(self.journals, ids, assume_unique=True))
        return int(np.count_nonzero(sums)) + without_posting + int(self.foreign.sum())

    def below_zero(self) -> int:
        """Accounts of claims that were opened with a debt and ended with more settled than was ever owed."""
        owed = np.isin(self.account, _OWED) & (self.claim > 0)
        key = self.claim[owed] * len(_ACCOUNTS) + self.account[owed]
        if not len(key):
            return 0
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(key[order]) > 0])
        amounts = self.amount[owed][order]
        return int(((np.add.reduceat(amounts, starts) < 0) & (amounts[starts] > 0)).sum())

    def balances_that_differ(self, first: int, last: int) -> int:
        """The block query that runs decide on, against a plain addition of the same rows."""
        counts = np.isin(self.account, _BALANCE)
        cases, sums = _summed(self.case[counts], self.amount[counts])
        expected = dict(zip(cases[sums > 0].tolist(), sums[sums > 0].tolist(), strict=True))
        derived = case_columns(first - 1, BLOCK)
        inside = derived.case_id <= last
        found = dict(zip(derived.case_id[inside].tolist(), derived.open_amount[inside].tolist(), strict=True))
        wrong = [case for case, amount in expected.items() if found.get(case) != amount]
        return len(wrong) + len(found.keys() - expected)

    def received(self) -> dict[int, int]:
        """Journal to money in or back, of payments and their returns."""
        pays = (self.account == _RECEIVED) & np.isin(self.journal, self.of_payment)
        ids, sums = _summed(self.journal[pays], self.amount[pays])
        return dict(zip(ids.tolist(), sums.tolist(), strict=True))


def _summed(key: Ints, amount: Ints) -> tuple[Ints, Ints]:
    """The distinct keys, ascending, and the sum of each."""
    if not len(key):
        return key, amount
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.flatnonzero(np.r_[True, np.diff(ordered) > 0])
    return ordered[starts], np.add.reduceat(amount[order], starts)


def _orphans(seen: int) -> int:
    """Postings of the creditor that belong to none of its cases."""
    rows = read_columns("SELECT COUNT(*) AS n FROM claims_posting WHERE creditor_id = %s", [creditor_id()])
    return abs(int(rows["n"][0]) - seen)


def _openings_that_differ() -> int:
    """Every claim is opened by exactly one journal and one event."""
    counts = read_columns(
        "SELECT (SELECT COUNT(*) FROM claims_claim WHERE creditor_id = %s) AS claims,"
        " (SELECT COUNT(*) FROM claims_journal WHERE creditor_id = %s AND key LIKE 'open:%%') AS journals,"
        " (SELECT COUNT(*) FROM events_event WHERE creditor_id = %s AND type = 'claim.opened') AS events",
        [creditor_id()] * 3,
    )
    opened = int(counts["journals"][0])
    return abs(opened - int(counts["claims"][0])) + abs(opened - int(counts["events"][0]))


def _payments_that_differ(received: dict[int, int]) -> int:
    """Money in the ledger, journal by journal, against the events that told of it."""
    told: dict[int, int] = {}
    events = Event.objects.filter(type__in=["payment.booked", "payment.returned"])
    for event_type, payload in events.values_list("type", "payload").iterator(BLOCK):
        sign = 1 if event_type == "payment.booked" else -1
        journal = payload.get("journal", 0)
        told[journal] = told.get(journal, 0) + sign * payload.get("amount", 0)
    return sum(told.get(j) != a for j, a in received.items()) + len(told.keys() - received)
