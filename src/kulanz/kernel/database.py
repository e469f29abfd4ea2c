"""Bulk reads and writes by column, the same on SQLite and PostgreSQL.

Rows written here bypass the ORM, never the database's own constraints and triggers.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import repeat
from typing import Any

import numpy as np
from django.db import connection, models
from numpy.typing import NDArray

Column = Sequence[Any] | NDArray[Any]


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


def reserve_ids(model: type[models.Model], n: int) -> NDArray[np.int64]:
    """Take `n` unused primary keys of `model`'s table, ascending; call inside the writing transaction."""
    table = model._meta.db_table
    if n == 0:
        return np.empty(0, np.int64)
    with connection.cursor() as cursor:
        if is_postgres():
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, n]
            )
            return np.fromiter((row[0] for row in cursor.fetchall()), np.int64, count=n)
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        last = row[0] if row else 0
        sql = (
            "UPDATE sqlite_sequence SET seq = %s WHERE name = %s"
            if row
            else "INSERT INTO sqlite_sequence (seq, name) VALUES (%s, %s)"
        )
        cursor.execute(sql, [last + n, table])
    return np.arange(last + 1, last + n + 1, dtype=np.int64)


def insert_columns(model: type[models.Model], columns: Mapping[str, Column | Any]) -> int:
    """Insert one row per index of the sequences in `columns` (keys: column names such as `case_id`).

    A value that is not a list, tuple or array stands for the same value in every row; at least one must be a
    sequence. Aware datetimes, dates, numbers, text, bytes and None are taken; JSON is passed as text.
    Returns the number of rows. Raises ValueError when sequences differ in length.
    """
    sequences = {k: v for k, v in columns.items() if isinstance(v, list | tuple | np.ndarray)}
    lengths = {len(v) for v in sequences.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of one table need one length, got {sorted(lengths)}")
    n = lengths.pop()
    if n == 0:
        return 0
    adapt = _as_is if is_postgres() else _for_sqlite
    prepared = [adapt(v) if k in sequences else repeat(adapt([v])[0], n) for k, v in columns.items()]
    names = ", ".join(f'"{name}"' for name in columns)
    table = f'"{model._meta.db_table}"'
    with connection.cursor() as cursor:
        if is_postgres():
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in zip(*prepared, strict=True):
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - names come from our models
                list(zip(*prepared, strict=True)),
            )
    return n


def read_columns(sql: str, params: Sequence[Any] = ()) -> dict[str, NDArray[Any]]:
    """Run a SELECT and return its result as one array per column; NULL becomes None (object) in text columns.

    Integer columns come as int64, floats as float64, everything else as object arrays. A numeric column that may
    be NULL should be wrapped in COALESCE by the caller.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [c[0] for c in cursor.description]
        rows = cursor.fetchall()
    if not rows:
        return {name: np.empty(0, np.int64) for name in names}
    return {name: _array(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}


def in_clause(column: str, values: Iterable[int]) -> str:
    """`column IN (1,2,3)` for integers; literal digits, because SQLite limits the number of parameters."""
    inside = ",".join(str(int(v)) for v in values)
    return f"{column} IN ({inside})" if inside else "1=0"


def stored_datetime(at: datetime) -> Any:
    """An aware datetime as the database stores it, for use as a parameter of raw SQL."""
    return at if is_postgres() else _sqlite_datetime(at)


def _array(values: Sequence[Any]) -> NDArray[Any]:
    kinds = {type(v) for v in values}
    if kinds in ({int}, {bool}):
        return np.array(values, np.int64)
    if kinds and kinds <= {int, float}:
        return np.array(values, np.float64)
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _as_is(values: Column) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _for_sqlite(values: Column) -> list[Any]:
    plain = _as_is(values)
    first = next((v for v in plain if v is not None), None)
    if isinstance(first, datetime):
        return [None if v is None else _sqlite_datetime(v) for v in plain]
    if isinstance(first, date):
        return [None if v is None else _sqlite_date(v) for v in plain]
    return plain


@lru_cache(maxsize=4096)
def _sqlite_datetime(at: datetime) -> str:
    return str(at.astimezone(UTC).replace(tzinfo=None))


@lru_cache(maxsize=4096)
def _sqlite_date(day: date) -> str:
    return day.isoformat()
