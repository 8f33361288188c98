"""The historian: reads the logging ring while the tool runs; its roller takes closed runs and old days away."""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import numpy as np
import structlog

from config.layout import Layout
from kernels.image import Image, Rows
from supervisor.server.errors import StoreError
from supervisor.server.historian import roll, summary
from supervisor.server.historian.changes import ChangeDetector
from supervisor.server.historian.hot import HotWriter
from supervisor.server.historian.rolling import ClosedRun, Retention, Roller
from supervisor.server.historian.tagset import TagSet, register
from supervisor.server.store.connection import Store
from supervisor.server.store.rows import Connection, one

log = structlog.get_logger()

INTERVALS_S = (0.02, 0.5)
"""Between batches: the longer one unless the ring fills faster (a simulation at many times real time)."""
FILL = 0.1
"""A batch should not hold more of the ring than this."""
BATCH_SAMPLES = 4_000_000
RETRY_S = 2.0
SUMMARY_S = 10.0
"""Between looks for a bucket to be counted; while there are more of them, a tenth of it."""


@dataclass
class Figures:
    """What the historian says of itself."""

    rows: int = 0
    lost: int = 0
    lag_s: float = 0.0
    batch_s: float = 0.0
    failure: str = ""
    """Why the last batch could not be stored; empty when it was."""


class Historian:
    """Keeps the history of one tool.

    Args:
        store: the open database.
        image: the process image; only its logging ring is read.
        layout: the tags.
        data: the data folder.
        rolled: awaited when all rows of a run are in Parquet, before the run counts as rolled.
    """

    def __init__(
        self,
        store: Store,
        image: Image,
        layout: Layout,
        data: Path,
        retention: Retention | None = None,
        rolled: Callable[[ClosedRun], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._image = image
        self._layout = layout
        self._data = data
        scan = layout.tool.scan
        self._row_s = scan.period_ms / 1000 * scan.log_every
        self._ring_rows = max(2, math.ceil(scan.log_s / self._row_s))
        self._next = 0
        self._first = True
        self._last_scan = -1
        self._last_ns = 2**63 - 1  # an earlier server may have counted beyond the first rows of this one
        self._interval_s = INTERVALS_S[0]
        self.figures = Figures()
        self.roller = Roller(store, layout, data, retention or Retention(), rolled, lambda: self._last_scan)
        self.tag_set: TagSet | None = None
        self._writer: HotWriter | None = None

    async def start(self) -> list[str]:
        """Prepare the tables; return what had to be repaired, for people."""
        self.tag_set = await self._store.write(lambda connection: register(connection, self._layout))
        detector = ChangeDetector(len(self.tag_set.tags), round(self._row_s * 1e9))
        self._writer = HotWriter(self.tag_set, detector)
        repaired = await self._store.maintain(lambda connection: roll.repair(connection, self._data))
        self.roller.tag_set = self.tag_set
        await self.roller.refresh_view()
        return repaired

    async def run(self) -> None:
        """Store rows and roll for ever."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._ingesting)
            group.start_soon(self.roller.run)
            group.start_soon(self._summarising)

    def closed(self) -> None:
        """A run has ended: look for it."""
        self.roller.wake()

    def stop(self) -> None:
        """Roll nothing more: whoever stops this server does not wait for what its successor can do."""
        self.roller.stop()

    async def flush(self) -> None:
        """Store what the ring holds now."""
        await self._batch()

    async def summarise(self) -> bool:
        """Count the next bucket; False when there is none."""
        bucket = await self._store.read(summary.pending)
        if bucket is None:
            return False
        counted = await self._store.read(lambda connection: summary.count(connection, self._data, bucket))
        await self._store.write(lambda connection: summary.keep(connection, counted))
        return True

    async def _summarising(self) -> None:
        while True:
            try:
                more = await self.summarise()
            except StoreError as error:
                log.error("history cannot be counted; long averages are slower", reason=str(error))  # noqa: TRY400
                more = False
            await anyio.sleep(SUMMARY_S / 10 if more else SUMMARY_S)

    async def _ingesting(self) -> None:
        while True:
            await anyio.sleep(self._interval_s if not self.figures.failure else RETRY_S)
            await self._batch()

    async def _batch(self) -> None:
        began = time.perf_counter()
        failed = self.figures.failure
        try:
            stored = await self._store.write(self._ingest)
        except StoreError as error:
            # The ring keeps the rows; they are tried again from where the last good batch ended.
            self.figures.failure = str(error)
            if self._writer is not None:
                self._writer.detector.forget()
            if not failed:
                log.error("history cannot be stored; trying again", reason=str(error))  # noqa: TRY400 (no traceback for people)
        else:
            self._next, count, lost = stored
            self._first = False
            self.figures.rows += count
            self.figures.lost += lost
            self.figures.failure = ""
            self._pace(count)
            if failed:
                log.info("history is stored again")
            if lost:
                log.warning("the logging ring had lost rows before they were stored", rows=lost)
        self.figures.batch_s = time.perf_counter() - began
        self.figures.lag_s = max(0, self._image.head()[1] - self._next) * self._row_s

    def _pace(self, count: int) -> None:
        """Read as often as the ring's filling asks for."""
        if not count:
            return
        shortest, longest = INTERVALS_S
        wanted = self._interval_s * self._ring_rows * FILL / count
        self._interval_s = min(longest, max(shortest, min(wanted, 2 * self._interval_s)))

    def _ingest(self, connection: Connection) -> tuple[int, int, int]:
        """Store the next rows; return where to go on, how many rows, how many were lost."""
        assert self._writer is not None  # noqa: S101 (start)
        limit = self._ring_rows + 1 if self._first else max(1, BATCH_SAMPLES // len(self._layout.tags))
        rows = self._image.logged(self._next, limit)
        if self._first:
            rows = _behind(rows, one(connection, "SELECT scan, ts_ns FROM ingest"))
        count = self._writer.insert(connection, rows)
        if count:
            first_ns = int(rows.time_ns.min())
            if first_ns < self._last_ns:
                summary.rewind(connection, first_ns)
            self._last_scan, self._last_ns = int(rows.scan[-1]), int(rows.time_ns[-1])
            connection.execute("DELETE FROM ingest")
            connection.execute("INSERT INTO ingest VALUES (?, ?)", [int(rows.scan[-1]), int(rows.time_ns[-1])])
        return rows.next, count, rows.lost


def _behind(rows: Rows, last: tuple[int, int] | None) -> Rows:
    """Drop the rows that an earlier server has stored already."""
    if last is None:
        return Rows(rows.scan, rows.time_ns, rows.values, rows.status, rows.source_ns, rows.next, 0)
    found = np.flatnonzero((rows.scan == last[0]) & (rows.time_ns == last[1]))
    if not found.size:
        return rows
    start = int(found[-1]) + 1
    return Rows(
        rows.scan[start:], rows.time_ns[start:], rows.values[start:], rows.status[start:], rows.source_ns[start:],
        rows.next, 0,
    )  # fmt: skip
