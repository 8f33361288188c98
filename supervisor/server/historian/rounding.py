"""Values rounded to what their tag can tell apart: the largest lever on the size of a history.

A value moves by half a resolution at most, and a value that is a whole number of resolutions (every code of a
converter) keeps its identity. Where the inverse of the resolution is a whole number, the result is the decimal
number nearest to it, which compresses best.
"""

import numpy as np
from numpy.typing import NDArray

EXACT = 2.0**52
"""Above so many resolutions a double has no digits left to round."""


class Rounding:
    """Rounds rows of tags.

    Args:
        resolution: of each tag; 0 keeps every bit.
    """

    def __init__(self, resolution: NDArray[np.float64]) -> None:
        active = np.isfinite(resolution) & (resolution > 0)
        inverse = np.where(active, 1.0 / np.where(active, resolution, 1.0), 1.0)
        whole = np.rint(inverse)
        self._decimal = active & (whole >= 1) & (1.0 / np.maximum(whole, 1.0) == resolution)
        self._per = np.where(self._decimal, whole, np.where(active, resolution, 1.0))
        self._columns = np.flatnonzero(active)
        self._decimal_columns = self._decimal[self._columns]
        self._factor = self._per[self._columns]

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rounded [rows, tags]."""
        out = np.array(values, dtype=np.float64)
        if not self._columns.size:
            return out
        picked = out[:, self._columns]
        with np.errstate(over="ignore", invalid="ignore"):
            codes = np.where(self._decimal_columns, picked * self._factor, picked / self._factor)
            np.rint(codes, out=codes)
            rounded = np.where(self._decimal_columns, codes / self._factor, codes * self._factor)
            keep = ~(np.abs(codes) < EXACT)  # NaN and infinities too
        out[:, self._columns] = np.where(keep, picked, rounded) + 0.0  # and no negative zero
        return out
