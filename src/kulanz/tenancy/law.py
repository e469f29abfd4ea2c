"""The law packs as this installation has them: the shipped figures with the operator's own dated rows merged in."""

from datetime import date
from functools import lru_cache

from django.db import connection, transaction

from kulanz.kernel import clock
from kulanz.law import packs
from kulanz.law.packs import AddedRow, Pack
from kulanz.tenancy.models import LawRow


def pack(jurisdiction: str) -> Pack:
    """The pack of a jurisdiction, with the operator's rows. Raises InputError for one that has no pack."""
    return _merged(jurisdiction, _version())


def add_row(jurisdiction: str, added: AddedRow, by: str) -> LawRow:
    """Keep a dated row for the whole installation; raises InputError where it does not fit its table."""
    with transaction.atomic():
        packs.merged(pack(jurisdiction), [added])
        return LawRow.objects.create(
            jurisdiction=jurisdiction.upper(),
            table=added.table,
            row={**added.row, "known_until": added.known_until.isoformat() if added.known_until else None},
            added_by=by,
            added_at=clock.now(),
        )


def rows(jurisdiction: str) -> list[LawRow]:
    """The operator's rows of a jurisdiction, oldest first."""
    return list(LawRow.objects.filter(jurisdiction=jurisdiction.upper()).order_by("id"))


def _version() -> str:
    """Changes with every added row, empty before the first; rows are never changed or removed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*), MAX(id), MAX(added_at) FROM tenancy_lawrow")
        count, last, at = cursor.fetchone()
        return f"{count} {last} {at}" if count else ""


@lru_cache(maxsize=64)
def _merged(jurisdiction: str, version: str) -> Pack:
    found = packs.load(jurisdiction)
    for row in rows(jurisdiction) if version else ():
        found = packs.merged(found, [_added(row, found)])
    return found


def _added(row: LawRow, into: Pack) -> AddedRow:
    """A row from before an upgrade of the shipped tables does not shorten them."""
    fields = dict(row.row)
    until = fields.pop("known_until", None)
    end = max(date.fromisoformat(until), into.end_of(row.table)) if until else None
    return AddedRow(row.table, fields, end)
