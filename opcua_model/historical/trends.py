"""What has a past: a tag, or several tags side by side as one array."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opcua_model.historical.series import NO_DATA
from opcua_model.interface import Backend
from opcua_model.publishing.snapshot import side_by_side

BEGINNING: Final = 0
END: Final = 2**62

Rows = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint32]]
"""Times [n], values [n] (of an array [n, elements]) and statuses [n]."""


@dataclass(frozen=True)
class Trend:
    """The past of one node."""

    tags: tuple[str, ...]
    """The tag, or those of the elements."""
    kind: int
    """Built-in type of the value, or of an element."""
    array: bool = False

    @property
    def name(self) -> str:
        """What tells it from others."""
        return " ".join(self.tags) if self.array else self.tags[0]

    @property
    def width(self) -> int:
        """Numbers in a value."""
        return len(self.tags)

    async def rows(self, backend: Backend, first: int, last: int, limit: int) -> Rows:
        """Return rows from `first` to `last`, both included; newest first when first is after last.

        Raises:
            Refused: the history cannot answer.
        """
        if not self.array:
            return await backend.history(self.tags[0], first, last, limit)
        found = [await backend.history(tag, first, last, limit) for tag in self.tags]
        # Rows are of scans, so elements have the same ones, except where a tag was declared later than others.
        times = np.unique(np.concatenate([one[0] for one in found]))
        times = times[::-1][:limit] if first > last else times[:limit]
        return times, *side_by_side(*_aligned(times, found))

    def missing(self, time_ns: int, code: int) -> Rows:
        """Make a row that says why there is none."""
        shape = (1, self.width) if self.array else (1,)
        return np.array([time_ns], np.int64), np.full(shape, np.nan), np.array([code], np.uint32)


def _aligned(times: NDArray[np.int64], found: list[Rows]) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Put the rows of elements under common times: values and statuses, [times, elements]."""
    values = np.full((len(times), len(found)), np.nan)
    codes = np.full(values.shape, NO_DATA, np.uint32)
    for element, (own, column, status) in enumerate(found):
        _, here, there = np.intersect1d(times, own, assume_unique=True, return_indices=True)
        values[here, element], codes[here, element] = column[there], status[there]
    return values, codes
