"""The law packs as this installation has them: the shipped figures with the operator's own dated rows merged in."""

import json
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

from kulanz.kernel import clock
from kulanz.law import packs
from kulanz.law.packs import AddedRow, Pack
from kulanz.tenancy.models import LawRow


def pack(jurisdiction: str) -> Pack:
    """The pack of a jurisdiction, with the operator's rows. Raises InputError for one that has no pack."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT "table", CAST("row" AS TEXT) FROM tenancy_lawrow WHERE jurisdiction = %s ORDER BY id',
            [jurisdiction.upper()],
        )
        return _merged(jurisdiction, tuple(cursor.fetchall()))


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


@lru_cache(maxsize=64)
def _merged(jurisdiction: str, added: tuple[tuple[str, str], ...]) -> Pack:
    found = packs.load(jurisdiction)
    for table, row in added:
        found = packs.merged(found, [_added(table, json.loads(row), found)])
    return found


def _added(table: str, row: dict[str, Any], into: Pack) -> AddedRow:
    """A row from before an upgrade of the shipped tables does not shorten them."""
    until = row.pop("known_until", None)
    end = max(date.fromisoformat(until), into.end_of(table)) if until else None
    return AddedRow(table, row, end)
