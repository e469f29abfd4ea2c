"""A hash chain: each link's digest covers the one before, so that no byte can change unseen."""

import hashlib
import json
from collections.abc import Sequence

from django.db import connection

from kulanz.kernel.database import is_postgres


def link(previous: bytes, content: Sequence[object]) -> bytes:
    """SHA-256 over the digest before and the content as compact JSON; what JSON does not know counts as its text."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True, default=str)
    return hashlib.sha256(previous + text.encode()).digest()


def only_sealer(lock: int, creditor: int) -> None:
    """Wait until no other process seals this creditor's chain, until the transaction ends.

    On SQLite transactions begin IMMEDIATE: there is one writer anyway.
    """
    if is_postgres():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [lock, creditor & 0x7FFFFFFF])
