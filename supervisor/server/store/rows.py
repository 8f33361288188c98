"""Reading single rows: DuckDB refuses other work on a connection while a result has rows left, so all are taken."""

from collections.abc import Sequence
from typing import Any

import duckdb

Connection = duckdb.DuckDBPyConnection


def one(connection: Connection, sql: str, params: Sequence[Any] | None = None) -> tuple[Any, ...] | None:
    """Return the first row of a query, None when it has none."""
    rows = connection.execute(sql, list(params) if params is not None else None).fetchall()
    return rows[0] if rows else None


def aggregate(connection: Connection, sql: str, params: Sequence[Any] | None = None) -> tuple[Any, ...]:
    """Return the only row of a query that always has one."""
    (row,) = connection.execute(sql, list(params) if params is not None else None).fetchall()
    return row


def beyond(number: str, place: tuple[int, int], *, backward: bool) -> tuple[str, list[int]]:
    """Return the condition, with its values, of rows that come after a time and a number in order of `time_ns`."""
    sign = "<" if backward else ">"
    return f"(time_ns {sign} ? OR (time_ns = ? AND {number} {sign} ?))", [place[0], place[0], place[1]]
