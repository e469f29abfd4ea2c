"""Replays the ledger from its rows and compares it with what the rest of Kulanz reads and was told."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.claims.models import OWED, Account
from kulanz.claims.queries import case_columns
from kulanz.events.models import Event
from kulanz.kernel.database import read_columns
from kulanz.tenancy.scope import creditor_id

BLOCK = 50_000


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """`imbalances`: journals that do not sum to zero, or postings without one. `differences`: derived figures that
    a replay from the rows does not confirm. Both must be 0."""

    journals: int
    postings: int
    imbalances: int
    differences: int

    def __add__(self, other: "LedgerCheck") -> "LedgerCheck":
        return LedgerCheck(**{k: v + asdict(other)[k] for k, v in asdict(self).items()})


def check_ledger() -> LedgerCheck:
    """Replay every journal of the creditor in scope."""
    creditor = creditor_id()
    journals = read_columns(
        "SELECT id, kind, case_id FROM claims_journal WHERE creditor_id = %s ORDER BY id", [creditor]
    )
    postings = read_columns(
        "SELECT journal_id, case_id, COALESCE(claim_id, 0) AS claim_id, account, amount FROM claims_posting"
        " WHERE creditor_id = %s ORDER BY id",
        [creditor],
    )
    return LedgerCheck(
        journals=len(journals["id"]),
        postings=len(postings["amount"]),
        imbalances=_imbalances(journals, postings),
        differences=_below_zero(postings)
        + _balances_that_differ(postings)
        + _openings_that_differ(journals)
        + _payments_that_differ(postings, journals),
    )


_Rows = dict[str, NDArray[Any]]


def _imbalances(journals: _Rows, postings: _Rows) -> int:
    if not len(postings["amount"]):
        return len(journals["id"])
    ids, where = np.unique(postings["journal_id"], return_inverse=True)
    sums = np.zeros(len(ids), np.int64)
    np.add.at(sums, where, postings["amount"])
    without_journal = np.setdiff1d(ids, journals["id"], assume_unique=True)
    without_posting = np.setdiff1d(journals["id"], ids, assume_unique=True)
    cases = dict(zip(journals["id"].tolist(), journals["case_id"].tolist(), strict=True))
    foreign = sum(
        cases.get(j, c) != c
        for j, c in zip(postings["journal_id"].tolist(), postings["case_id"].tolist(), strict=True)
    )
    return int(np.count_nonzero(sums)) + len(without_journal) + len(without_posting) + int(foreign)


def _below_zero(postings: _Rows) -> int:
    """Claims that were opened with a debt and ended with more settled than was ever owed."""
    sums: dict[tuple[int, str], list[int]] = {}
    rows = zip(
        postings["claim_id"].tolist(), postings["account"].tolist(), postings["amount"].tolist(), strict=True
    )
    for claim, account, amount in rows:
        if claim and account in OWED:
            state = sums.setdefault((claim, account), [0, amount])
            state[0] += amount
    return sum(balance < 0 and first > 0 for balance, first in sums.values())


def _balances_that_differ(postings: _Rows) -> int:
    """The block query that runs decide on, against a plain addition of the same rows."""
    replayed: dict[int, int] = {}
    rows = zip(
        postings["case_id"].tolist(), postings["account"].tolist(), postings["amount"].tolist(), strict=True
    )
    for case, account, amount in rows:
        if account in OWED or account == Account.CREDIT:
            replayed[case] = replayed.get(case, 0) + amount
    expected = {case: amount for case, amount in replayed.items() if amount > 0}
    derived: dict[int, int] = {}
    after = 0
    while True:
        block = case_columns(after, BLOCK)
        derived |= dict(zip(block.case_id.tolist(), block.open_amount.tolist(), strict=True))
        after = block.last_id
        if not after:
            break
    return sum(derived.get(case) != amount for case, amount in expected.items()) + len(
        derived.keys() - expected
    )


def _openings_that_differ(journals: _Rows) -> int:
    """Every claim is opened by exactly one journal and one event."""
    counts = read_columns(
        "SELECT (SELECT COUNT(*) FROM claims_claim WHERE creditor_id = %s) AS claims,"
        " (SELECT COUNT(*) FROM events_event WHERE creditor_id = %s AND type = 'claim.opened') AS events",
        [creditor_id(), creditor_id()],
    )
    opened = int(np.isin(journals["kind"], ["opened", "credit_note"]).sum()) if len(journals["id"]) else 0
    return abs(opened - int(counts["claims"][0])) + abs(opened - int(counts["events"][0]))


def _payments_that_differ(postings: _Rows, journals: _Rows) -> int:
    """Money in the ledger, journal by journal, against the events that told of it."""
    in_ledger: dict[int, int] = {}
    kinds = dict(zip(journals["id"].tolist(), journals["kind"].tolist(), strict=True))
    rows = zip(
        postings["journal_id"].tolist(),
        postings["account"].tolist(),
        postings["amount"].tolist(),
        strict=True,
    )
    for journal, account, amount in rows:
        if account == Account.RECEIVED and kinds.get(journal) in ("payment", "payment_return"):
            in_ledger[journal] = in_ledger.get(journal, 0) + amount
    told: dict[int, int] = {}
    for event_type, payload in _payment_events():
        sign = 1 if event_type == "payment.booked" else -1
        told[payload["journal"]] = told.get(payload["journal"], 0) + sign * payload["amount"]
    return sum(told.get(j) != a for j, a in in_ledger.items()) + len(told.keys() - in_ledger)


def _payment_events() -> list[tuple[str, dict[str, int]]]:
    return list(
        Event.objects.filter(type__in=["payment.booked", "payment.returned"]).values_list("type", "payload")
    )
