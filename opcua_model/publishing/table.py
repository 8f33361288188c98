"""A table held by columns: each a contiguous array, so that a pass over one touches nothing of the others."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Table:
    """Rows of a structured type, a contiguous array for each of its fields."""

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = dict(columns)

    @classmethod
    def of(cls, rows: NDArray[np.void]) -> "Table":
        """Take rows of a structured array apart."""
        return cls({name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()})

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def __setitem__(self, name: str, values: NDArray[Any]) -> None:
        self._columns[name] = values

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def at(self, rows: Any) -> "Table":
        """Return some rows."""
        return Table({name: column[rows] for name, column in self._columns.items()})

    def joined(self, other: "Table") -> "Table":
        """Return these rows and those of another table behind them."""
        return Table({name: np.concatenate([column, other[name]]) for name, column in self._columns.items()})
