"""Numbers journals in commit order and chains them with their postings, so that writers never queue behind one lock.

Each block sealed is told to the event log, whose own chain therefore anchors this one: journals that vanish from the
end together with their seals are missed there. What nobody can notice is an end cut off both chains, or both chains
written anew from some point on, by somebody who owns the database and the installation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction

from kulanz.claims.models import Journal
from kulanz.events.log import record
from kulanz.events.models import Event
from kulanz.kernel import chain
from kulanz.tenancy.scope import creditor_id

BLOCK = 5000
SEALED = "ledger.sealed"
_LOCK = 0x6C656467
_COLUMNS = "id, key, kind, case_id, value_date, booked_at, cause, details"
_WIDTH = len(_COLUMNS.split(","))
_UNSEALED = f"""SELECT {_COLUMNS} FROM claims_journal
WHERE creditor_id = %s AND sequence IS NULL ORDER BY id LIMIT %s"""  # noqa: S608 - names of columns
_BY_SEQUENCE = f"""SELECT {_COLUMNS}, sequence, digest FROM claims_journal
WHERE creditor_id = %s AND sequence > %s ORDER BY sequence LIMIT %s"""  # noqa: S608 - names of columns


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """`broken`: sequences at which the chain does not follow; `unsealed`: journals that wait for their number.

    `missing`: sealed blocks of which the event log knows and the ledger does not, or the last one the other way round.
    """

    sealed: int
    unsealed: int
    broken: tuple[int, ...]
    missing: int

    @property
    def whole(self) -> bool:
        return not self.broken and not self.missing


def seal(limit: int = BLOCK) -> int:
    """Seal up to `limit` of the current creditor's committed journals; returns how many. Call until it returns 0."""
    creditor = creditor_id()
    with transaction.atomic():
        chain.only_sealer(_LOCK, creditor)
        sequence, digest = _last(creditor)
        sealed = []
        for journal, postings in _contents(_UNSEALED, [creditor, limit]):
            sequence += 1
            digest = chain.link(digest, _content(sequence, journal, postings))
            sealed.append((sequence, digest, journal[0]))
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE claims_journal SET sequence = %s, digest = %s WHERE id = %s", sealed)
        if sealed:
            record(SEALED, sequence, {"journals": len(sealed), "digest": digest.hex()})
    return len(sealed)


def seal_all() -> int:
    """Seal whatever waits; returns how many journals."""
    sealed = 0
    while block := seal():
        sealed += block
    return sealed


def check_chain(block: int = 20_000) -> ChainCheck:
    """Work the current creditor's chain out again from the stored rows."""
    creditor, sequence, digest, broken = creditor_id(), 0, b"", []
    digests: dict[int, str] = {}
    wanted = dict(Event.objects.filter(type=SEALED).values_list("subject_id", "payload"))
    while True:
        rows = _sealed(creditor, sequence, block)
        if not rows:
            break
        for number, stored, journal, postings in rows:
            sequence += 1
            digest = chain.link(digest, _content(number, journal, postings))
            if number != sequence or digest != stored:
                broken.append(number)
                sequence, digest = number, stored
            if number in wanted:
                digests[number] = stored.hex()
    return ChainCheck(
        sealed=sequence,
        unsealed=Journal.objects.filter(sequence=None).count(),
        broken=tuple(broken),
        missing=sum(digests.get(number) != told.get("digest") for number, told in wanted.items())
        + (sequence > max(wanted, default=0)),
    )


def _last(creditor: int) -> tuple[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sequence, digest FROM claims_journal WHERE creditor_id = %s AND sequence IS NOT NULL"
            " ORDER BY sequence DESC LIMIT 1",
            [creditor],
        )
        row = cursor.fetchone()
    return (int(row[0]), bytes(row[1])) if row else (0, b"")


def _sealed(creditor: int, after: int, limit: int) -> list[tuple[int, bytes, Sequence[Any], Sequence[Any]]]:
    found = _contents(_BY_SEQUENCE, [creditor, after, limit])
    return [
        (int(row[_WIDTH]), bytes(row[_WIDTH + 1] or b""), row[:_WIDTH], postings) for row, postings in found
    ]


def _contents(select: str, params: Sequence[int]) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """Journals of a SELECT in its order, each with all postings that name it, whoever they belong to."""
    with connection.cursor() as cursor:
        cursor.execute(select, params)
        journals = cursor.fetchall()
        if not journals:
            return
        inside = ",".join(str(int(row[0])) for row in journals)
        cursor.execute(
            "SELECT journal_id, id, creditor_id, case_id, claim_id, account, amount, basis FROM claims_posting"  # noqa: S608
            f" WHERE journal_id IN ({inside}) ORDER BY journal_id, id"
        )
        postings = {key: list(rows) for key, rows in groupby(cursor.fetchall(), key=itemgetter(0))}
    for row in journals:
        yield row, postings.get(row[0], [])


def _content(sequence: int, journal: Sequence[Any], postings: Sequence[Sequence[Any]]) -> list[object]:
    """The same values on every database: dates and times as text to the microsecond, in UTC."""
    number, key, kind, case, value_date, booked_at, cause, details = journal
    day = value_date.isoformat() if isinstance(value_date, date) else value_date
    at = str(booked_at).replace("+00:00", "")
    return [sequence, number, key, kind, case, day, at, cause, details, [list(row[1:]) for row in postings]]
