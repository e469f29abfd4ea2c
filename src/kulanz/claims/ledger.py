"""The one place that writes to the ledger."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection

from kulanz.claims.models import Account, Journal, Posting
from kulanz.kernel import clock
from kulanz.kernel.database import insert_columns, is_postgres, reserve_ids, stored_datetime
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.kernel.money import MAX_MINOR
from kulanz.law.basis import PostingKind
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
    Raises InputError when the lines do not balance, which the database would refuse at commit, and for amounts that
    are no minor units or beyond `MAX_MINOR`, or accounts and bases that nobody knows.
    """
    _check(entry)
    row = (
        entry.key,
        str(entry.kind),
        entry.case_id,
        entry.value_date,
        clock.now(),
        entry.cause,
        json.dumps(entry.details, sort_keys=True, separators=(",", ":")) if entry.details else "{}",
    )
    journal_id = _post_on_postgres(row, entry) if is_postgres() else _post_on_sqlite(row, entry)
    return journal_id or _same_or_conflict(Journal.objects.get(key=entry.key), entry)


def _check(entry: Entry) -> None:
    lines = entry.lines
    if any(type(line.amount) is not int or abs(line.amount) > MAX_MINOR for line in lines):
        raise InputError(f"The journal {entry.key} holds an amount beyond the largest one handled.")
    if len(lines) < 2 or sum(line.amount for line in lines) != 0:
        raise InputError(f"The journal {entry.key} does not balance and was not posted.")
    unknown = {str(line.account) for line in lines} - _ACCOUNTS | {line.basis for line in lines} - _BASES
    if unknown:
        raise InputError(
            f"The journal {entry.key} names unknown accounts or bases: {', '.join(sorted(unknown))}."
        )


_ACCOUNTS = frozenset(Account.values)
_BASES = frozenset(PostingKind)
_Row = tuple[str, str, int, date, datetime, str, str]
_COLUMNS = "creditor_id, key, kind, case_id, value_date, booked_at, cause, details"


def _post_on_postgres(row: _Row, entry: Entry) -> int | None:
    """`claims.guards.POSTING_FUNCTION`; None where the key is there already."""
    lines = entry.lines
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claims_post(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                creditor_id(),
                *row,
                _array("NULL" if line.claim_id is None else str(line.claim_id) for line in lines),
                _array(str(line.account) for line in lines),
                _array(str(line.amount) for line in lines),
                _array(line.basis for line in lines),
            ],
        )
        journal_id: int | None = cursor.fetchone()[0]
    return journal_id


def _array(values: Iterable[str]) -> str:
    """PostgreSQL's text of an array of numbers and codes, which need no quotes: `_check` knows them all."""
    return f"{{{','.join(values)}}}"


def _post_on_sqlite(row: _Row, entry: Entry) -> int | None:
    if posted(entry.key):
        return None
    creditor, journal_id = creditor_id(), int(reserve_ids(Journal, 1)[0])
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO claims_posting (creditor_id, journal_id, case_id, claim_id, account, amount, basis)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    creditor,
                    journal_id,
                    entry.case_id,
                    line.claim_id,
                    str(line.account),
                    line.amount,
                    line.basis,
                )
                for line in entry.lines
            ],
        )
        key, kind, case, day, at, cause, details = row
        cursor.execute(
            f"INSERT INTO claims_journal (id, {_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",  # noqa: S608
            [journal_id, creditor, key, kind, case, day.isoformat(), stored_datetime(at), cause, details],
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
