"""One at a time, per creditor and purpose."""

from zlib import crc32

from django.db import connection

from kulanz.kernel.database import is_postgres
from kulanz.tenancy.scope import creditor_id


def lock(purpose: str) -> None:
    """Wait until no other transaction holds the same lock for this creditor; it ends with the transaction.

    SQLite needs none: its transactions begin IMMEDIATE, so only one writes.
    """
    if is_postgres():
        key = crc32(f"strategy {purpose}".encode()) - 2**31
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [key, creditor_id() % 2**31])
