"""The only module that touches pyarrow, which has no types: numpy arrays to Arrow tables and back."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from supervisor.server.store.rows import Connection


def fixed_lists(values: NDArray[np.float64]) -> Any:
    """Make a column of arrays out of [rows, n], without copying."""
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def lists(rows: NDArray[np.intp], items: NDArray[np.int32], count: int) -> Any:
    """Make a column of lists: `items` belong to the rows named beside them, in order."""
    offsets = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=count), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(items))


def table(columns: dict[str, Any]) -> Any:
    """Make a table of numpy arrays and columns made here."""
    return pa.table({name: pa.array(c) if isinstance(c, np.ndarray) else c for name, c in columns.items()})


def insert(connection: Connection, into: str, rows: Any) -> None:
    """Append a table by one statement."""
    connection.register("arriving", rows)
    try:
        connection.execute(f"INSERT INTO {into} SELECT * FROM arriving")  # noqa: S608 (names of our own)
    finally:
        connection.unregister("arriving")


def columns(connection: Connection, sql: str, params: list[Any] | None = None) -> dict[str, NDArray[Any]]:
    """Carry out a query and return its columns as numpy arrays; NULL numbers as NaN."""
    result = connection.sql(sql, params=params).to_arrow_table()
    return {name: result.column(name).to_numpy() for name in result.column_names}


def records(connection: Connection, sql: str, params: list[Any] | None = None) -> list[dict[str, Any]]:
    """Carry out a query and return its rows as dictionaries: for results of a few thousand rows."""
    return connection.sql(sql, params=params).to_arrow_table().to_pylist()


def column(rows: Any, name: str) -> NDArray[Any]:
    """Take a column of numbers out of a table."""
    return rows.column(name).to_numpy()


def matrix(rows: Any, name: str, width: int) -> NDArray[np.float64]:
    """Take a column of fixed lists out of a table, as [rows, width]."""
    return rows.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, width)


def list_places(rows: Any, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take a column of lists out of a table: the row of each item, and the item."""
    lists_of = rows.column(name).combine_chunks()
    lengths = np.diff(lists_of.offsets.to_numpy())
    items = lists_of.flatten().to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(lengths)), lengths), items.astype(np.int64)
