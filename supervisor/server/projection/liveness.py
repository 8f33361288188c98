"""Whether the controller lives: its scan index moves, or every value is Bad."""

import contextlib
import time
from collections.abc import Callable

import anyio
import numpy as np

from kernels.image import Image, Snapshot
from kernels.tables import Status

STILL_S = 0.6
"""A scan index that has stood still for so long is a dead controller's: scans are a second apart at most, and a tool
that scans slower than every 300 ms gets two of its periods."""
LOOK_S = 0.1


class Liveness:
    """Watches the image.

    Args:
        image: the process image.
        period_s: of the scan.
        changed: called with True when the scan index moves again, with False when it has stopped.
    """

    def __init__(
        self,
        image: Image,
        period_s: float,
        changed: Callable[[bool], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._image = image
        self._still_s = max(STILL_S, 2 * period_s)
        self._changed = changed
        self._clock = clock
        self._scan: int = image.head()[0]
        self._moved = clock() - self._still_s
        self._last: Snapshot | None = None
        self.alive = False
        """Whether the controller lives, as of the last look."""

    def look(self) -> bool:
        """Look at the scan index."""
        scan, now = self._image.head()[0], self._clock()
        if scan != self._scan:
            self._scan, self._moved = scan, now
        alive = now - self._moved < self._still_s
        if alive != self.alive:
            self.alive = alive
            self._changed(alive)
        return alive

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await anyio.sleep(LOOK_S)

    def snapshot(self) -> Snapshot | None:
        """Copy the newest row; the last sound one when a writer died in the middle of it."""
        # RuntimeError: the next controller heals the image; look() finds this one dead.
        with contextlib.suppress(RuntimeError):
            self._last = self._image.snapshot()
        return self._last

    def values(self, tags: int, conditions: np.dtype[np.void], count: int) -> Snapshot:
        """Copy all tags; every status is Bad while the controller is gone."""
        alive, row = self.look(), self.snapshot()
        if row is None:
            return Snapshot(
                0, time.time_ns(), np.zeros(tags), np.full(tags, Status.BAD_WAITING_FOR_INITIAL_DATA, np.uint32),
                np.zeros(tags, np.int64), np.zeros(count, conditions),
            )  # fmt: skip
        status = row.status if alive else np.full(tags, Status.BAD_NO_COMMUNICATION, np.uint32)
        return Snapshot(row.scan, row.time_ns, row.values, status, row.source_ns, row.conditions)
