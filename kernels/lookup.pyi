"""Tables of rates that were worked out beforehand, interpolated with a stated error."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

@dataclass(frozen=True)
class Axis:
    """One axis of a table: rising values, interpolated as they are, as logarithms or as reciprocals."""

    name: str
    values: tuple[float, ...]
    scale: str = "linear"
    def __post_init__(self) -> None: ...
    def coordinate(self, value: ArrayLike) -> NDArray[np.float64]:
        """Return where a value stands in the coordinate of interpolation."""

class Table:
    """Outputs over axes."""

    axes: tuple[Axis, ...]
    outputs: tuple[str, ...]
    about: dict[str, Any]
    def __init__(
        self,
        axes: Iterable[Axis],
        outputs: Iterable[str],
        values: ArrayLike,
        about: Mapping[str, Any] | None = None,
    ) -> None: ...
    @property
    def values(self) -> NDArray[np.float64]:
        """Outputs on the axes, [len(axis), …, len(outputs)]."""
    def __call__(self, **at: float) -> dict[str, float]:
        """Return every output at one point, by name."""
    def save(self, path: str | PathLike[str]) -> None:
        """Write the table to a file."""

def load(path: str | PathLike[str]) -> Table:
    """Read a table from a file."""
