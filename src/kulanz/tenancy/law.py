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
        cursor.execute("SELECT MAX(id), MAX(added_at) FROM tenancy_lawrow")
        last, at = cursor.fetchone()
        return f"{last} {at}" if last else ""


@lru_cache(maxsize=64)
def _merged(jurisdiction: str, version: str) -> Pack:
    found = packs.load(jurisdiction)
    return packs.merged(found, [_added(row) for row in rows(jurisdiction)]) if version else found


def _added(row: LawRow) -> AddedRow:
    fields = dict(row.row)
    until = fields.pop("known_until", None)
    return AddedRow(row.table, fields, date.fromisoformat(until) if until else None)
