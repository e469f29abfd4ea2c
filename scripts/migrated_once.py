"""A pytest plugin for `make mutation`: SQLite is migrated once, every later run starts from a copy of that database."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.core import management
from django.db import connection

KEPT = Path(__file__).parents[1] / "build" / "migrated.db"
_call = management.call_command


@pytest.fixture(scope="session", autouse=True)
def _migrated_once() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(management, "call_command", command)
        yield


def command(name: str, *arguments: Any, **options: Any) -> Any:
    if name != "migrate":
        return _call(name, *arguments, **options)
    connection.ensure_connection()
    if KEPT.exists():
        copy(sqlite3.connect(KEPT), connection.connection)
        return None
    _call(name, *arguments, **options)
    KEPT.parent.mkdir(exist_ok=True)
    copy(connection.connection, sqlite3.connect(KEPT))
    return None


def copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    source.backup(target)
    for each in (source, target):
        if each is not connection.connection:
            each.close()
