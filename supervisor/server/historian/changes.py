"""Statuses and source times as a sparse list of changes.

A status is written where it differs from the row before. A source time is either *fixed* (a slow instrument, a set
point: written when it changes, exactly) or *moving* (an instrument that posts about as often as rows are kept: the
distance to the row's time is written, and again when it is off by more than TOLERANCE_ROWS rows). So a slow source's
time is exact, a fast one's is right within that tolerance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOVING_WITHIN_ROWS = 2
"""A source that changes within so many rows is moving."""
TOLERANCE_ROWS = 3


@dataclass(frozen=True)
class Changes:
    """What changed, in order of time."""

    tag: NDArray[np.int32]
    ts_ns: NDArray[np.int64]
    source_ns: NDArray[np.int64]
    """The source's time, or its distance to the row's time when moving."""
    moving: NDArray[np.bool_]
    status: NDArray[np.uint32]


class ChangeDetector:
    """Finds changes from row to row.

    Args:
        tags: how many.
        spacing_ns: time between rows.
    """

    def __init__(self, tags: int, spacing_ns: int) -> None:
        self._within = MOVING_WITHIN_ROWS * spacing_ns + spacing_ns // 2
        self._tolerance = TOLERANCE_ROWS * spacing_ns
        self._known = False
        self._status = np.zeros(tags, np.uint32)
        self._source = np.zeros(tags, np.int64)
        self._changed_at = np.full(tags, np.iinfo(np.int64).min // 2)
        self._moving = np.zeros(tags, np.bool_)
        self._reference = np.zeros(tags, np.int64)

    def forget(self) -> None:
        """Write everything anew with the next row (after a gap, or a batch that was not stored)."""
        self._known = False

    def __call__(self, ts_ns: NDArray[np.int64], status: NDArray[np.uint32], source_ns: NDArray[np.int64]) -> Changes:
        """Return the changes of these rows ([rows], [rows, tags], [rows, tags])."""
        found: list[tuple[NDArray[np.intp], int, NDArray[np.int64], NDArray[np.bool_], NDArray[np.uint32]]] = []
        for row, now in enumerate(ts_ns.tolist()):
            sources, states = source_ns[row], status[row]
            advanced = sources != self._source
            fast = advanced & (now - self._changed_at <= self._within)
            stray = np.abs(now - sources - self._reference) > self._tolerance
            changed = (self._moving & stray) | (~self._moving & advanced) | (states != self._status)
            if not self._known:
                changed[:] = True
                fast[:] = False
                self._known = True
            self._source = sources
            self._changed_at = np.where(advanced, now, self._changed_at)
            self._status = states
            which = np.flatnonzero(changed)
            if which.size:
                self._moving[which] = fast[which]
                self._reference[which] = np.where(fast[which], now - sources[which], sources[which])
                found.append((which, now, self._reference[which], fast[which], states[which]))
        if not found:
            none = np.zeros(0, np.int64)
            return Changes(none.astype(np.int32), none, none, none.astype(np.bool_), none.astype(np.uint32))
        return Changes(
            np.concatenate([which for which, *_ in found]).astype(np.int32),
            np.concatenate([np.full(which.size, now, np.int64) for which, now, *_ in found]),
            np.concatenate([reference for _, _, reference, _, _ in found]),
            np.concatenate([moving for *_, moving, _ in found]),
            np.concatenate([states for *_, states in found]),
        )
