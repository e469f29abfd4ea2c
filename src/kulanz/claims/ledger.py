"""The one place that writes to the ledger."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from kulanz.claims.models import Journal, Posting
from kulanz.kernel import clock
from kulanz.kernel.database import insert_columns, reserve_ids
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.tenancy.scope import creditor_id


@dataclass(frozen=True, slots=True)
class Line:
    """One posting: minor units, debit positive, credit negative, with the code of its legal basis."""

    account: str
    amount: int
    claim_id: int | None
    basis: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A balanced journal to be posted. The same `key` posts once.

    `cause`: who or what (a room's name, agent:<id>, customer). `details`: how the amount was worked out, plain JSON.
    """

    key: str
    kind: str
    case_id: int
    value_date: date
    lines: tuple[Line, ...]
    cause: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntryBlock:
    """Many two-line journals at once: `debit_account` +amount, `credit_account` -amount, per row.

    `details`: one JSON text per row; empty: none has any.
    """

    keys: Sequence[str]
    kinds: Sequence[str]
    case_ids: Sequence[int]
    claim_ids: Sequence[int]
    value_dates: Sequence[date]
    debit_account: str
    credit_account: str
    amounts: Sequence[int]
    bases: Sequence[str]
    cause: str = ""
    details: Sequence[str] = ()


def posted(key: str) -> int | None:
    """The id of the journal with this key; None where there is none yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM claims_journal WHERE creditor_id = %s AND key = %s", [creditor_id(), key]
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def post(entry: Entry) -> int:
    """Write one journal inside the caller's transaction and return its id.

    The same key with the same content returns the journal there is; with other content it raises ConflictError.
    Raises InputError when the lines do not balance: the database would refuse them at commit.
    """
    if len(entry.lines) < 2 or sum(line.amount for line in entry.lines) != 0:
        raise InputError(f"The journal {entry.key} does not balance and was not posted.")
    if posted(entry.key):
        return _same_or_conflict(Journal.objects.get(key=entry.key), entry)
    creditor, at = creditor_id(), clock.now()
    journal_id = int(reserve_ids(Journal, 1)[0])
    insert_columns(
        Posting,
        {
            "creditor_id": creditor,
            "journal_id": journal_id,
            "case_id": entry.case_id,
            "claim_id": [line.claim_id for line in entry.lines],
            "account": [str(line.account) for line in entry.lines],
            "amount": [line.amount for line in entry.lines],
            "basis": [line.basis for line in entry.lines],
        },
    )
    insert_columns(
        Journal,
        {
            "id": [journal_id],
            "creditor_id": creditor,
            "key": entry.key,
            "kind": str(entry.kind),
            "case_id": entry.case_id,
            "value_date": entry.value_date,
            "booked_at": at,
            "cause": entry.cause,
            "details": json.dumps(entry.details, sort_keys=True, separators=(",", ":")),
        },
    )
    return journal_id


def post_block(block: EntryBlock) -> list[int]:
    """Write many new two-line journals inside the caller's transaction; returns their ids.

    Keys must be new: the caller has checked, and the database refuses a repeated one.
    """
    creditor, at = creditor_id(), clock.now()
    ids: list[int] = reserve_ids(Journal, len(block.keys)).tolist()
    for account, sign in ((block.debit_account, 1), (block.credit_account, -1)):
        insert_columns(
            Posting,
            {
                "creditor_id": creditor,
                "journal_id": ids,
                "case_id": list(block.case_ids),
                "claim_id": list(block.claim_ids),
                "account": str(account),
                "amount": [sign * amount for amount in block.amounts],
                "basis": list(block.bases),
            },
        )
    insert_columns(
        Journal,
        {
            "id": ids,
            "creditor_id": creditor,
            "key": list(block.keys),
            "kind": list(block.kinds),
            "case_id": list(block.case_ids),
            "value_date": list(block.value_dates),
            "booked_at": at,
            "cause": block.cause,
            "details": list(block.details) or "{}",
        },
    )
    return ids


def _same_or_conflict(found: Journal, entry: Entry) -> int:
    stored = sorted(
        (p.account, p.amount, p.claim_id or 0, p.basis) for p in Posting.objects.filter(journal_id=found.id)
    )
    wanted = sorted((str(line.account), line.amount, line.claim_id or 0, line.basis) for line in entry.lines)
    same = (found.kind, found.case_id, found.value_date) == (str(entry.kind), entry.case_id, entry.value_date)
    if same and stored == wanted:
        return int(found.id)
    raise ConflictError(f"{entry.key} was posted before with other content; nothing was changed.")
