"""The historian: reads the logging ring while the tool runs, and rolls closed runs and old days."""

import contextlib
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import duckdb
import numpy as np
import structlog

from config.layout import Layout
from kernels.image import Image, Rows
from supervisor.server.errors import StoreError
from supervisor.server.historian import roll
from supervisor.server.historian.changes import ChangeDetector
from supervisor.server.historian.hot import HotWriter
from supervisor.server.historian.tagset import TagSet, create_view, known, register
from supervisor.server.store.connection import Store
from supervisor.server.store.rows import Connection, one

log = structlog.get_logger()

INTERVALS_S = (0.02, 0.5)
"""Between batches: the longer one unless the ring fills faster (a simulation at many times real time)."""
FILL = 0.1
"""A batch should not hold more of the ring than this."""
LOST = 2**62
"""A run that ended with its controller has no last scan (projection.LAST_SCAN)."""
BATCH_SAMPLES = 4_000_000
RETRY_S = 2.0
SWEEP_S = 600.0


@dataclass(frozen=True)
class Retention:
    """How long telemetry outside of runs is kept; that of runs is kept until somebody removes its folder."""

    hot_days: int = 2
    """Whole days in the database besides today; older ones go to `<data>/telemetry/<day>/`."""
    file_days: int = 366
    """Days kept as files."""


@dataclass
class Figures:
    """What the historian says of itself."""

    rows: int = 0
    lost: int = 0
    lag_s: float = 0.0
    batch_s: float = 0.0
    failure: str = ""
    """Why the last batch could not be stored; empty when it was."""


@dataclass(frozen=True)
class ClosedRun:
    """A run whose rows are to be rolled."""

    id: str
    run_number: str
    scans: tuple[int, int]
    times: tuple[int, int]


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
        self._retention = retention or Retention()
        self._rolled = rolled
        scan = layout.tool.scan
        self._row_s = scan.period_ms / 1000 * scan.log_every
        self._ring_rows = max(2, math.ceil(scan.log_s / self._row_s))
        self._next = 0
        self._first = True
        self._last_scan = -1
        self._stopping = False
        self._interval_s = INTERVALS_S[1]
        self._wake = anyio.Event()
        self.figures = Figures()
        self.tag_set: TagSet | None = None
        self._writer: HotWriter | None = None

    async def start(self) -> list[str]:
        """Prepare the tables; return what had to be repaired, for people."""
        self.tag_set = await self._store.write(lambda connection: register(connection, self._layout))
        detector = ChangeDetector(len(self.tag_set.tags), round(self._row_s * 1e9))
        self._writer = HotWriter(self.tag_set, detector)
        repaired = await self._store.maintain(lambda connection: roll.repair(connection, self._data))
        await self._refresh_view()
        return repaired

    async def run(self) -> None:
        """Store rows and roll for ever."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._ingesting)
            group.start_soon(self._rolling)

    def closed(self) -> None:
        """A run has ended: look for it."""
        self._wake.set()

    def stop(self) -> None:
        """Roll nothing more: whoever stops this server does not wait for what its successor can do."""
        self._stopping = True
        self._store.interrupt()

    async def flush(self) -> None:
        """Store what the ring holds now."""
        await self._batch()

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
            self._last_scan = int(rows.scan[-1])
            connection.execute("DELETE FROM ingest")
            connection.execute("INSERT INTO ingest VALUES (?, ?)", [int(rows.scan[-1]), int(rows.time_ns[-1])])
        return rows.next, count, rows.lost

    async def _rolling(self) -> None:
        while not self._stopping:
            self._wake = anyio.Event()
            try:
                while await self._roll_run():
                    pass
                await self._roll_days()
            except (StoreError, OSError) as error:
                if self._stopping:
                    return
                log.error("telemetry cannot be rolled to Parquet; it stays in the database", reason=str(error))  # noqa: TRY400
                await anyio.sleep(RETRY_S)
            with anyio.move_on_after(SWEEP_S):
                await self._wake.wait()

    async def _roll_run(self) -> bool:
        """Roll the oldest closed run that is still hot; False when there is none."""
        run = await self._store.read(_closed_run)
        if run is None or self.tag_set is None:
            return False
        # Its last rows may still be in the ring: the event comes by another way. After a restart they never come.
        with anyio.move_on_after(max(2.0, 4 * self._interval_s)):
            while self._last_scan < run.scans[1] < LOST:  # noqa: ASYNC110 (the ring is read at intervals anyway)
                await anyio.sleep(self._interval_s)
        extent = roll.of_run(run.run_number, run.scans, run.times)
        for tag_set in (await self._store.read(known)).values():
            await self._roll(extent, tag_set)
        if self._rolled is not None:
            await self._rolled(run)
        await self._store.write(
            lambda connection: connection.execute("UPDATE runs SET rolled = true WHERE id = ?", [run.id]) and None
        )
        await self._finish()
        return True

    async def _roll_days(self) -> None:
        """Roll whole days outside of runs, and remove the oldest files."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        bound = today - timedelta(days=self._retention.hot_days)
        moved = 0
        for tag_set in (await self._store.read(known)).values():
            oldest = await self._store.read(lambda connection, t=tag_set: _oldest(connection, t))
            while oldest is not None and oldest < _ns(bound):
                day = datetime.fromtimestamp(oldest // 1_000_000_000, UTC).replace(hour=0, minute=0, second=0)
                end = _ns(day + timedelta(days=1))
                rows = await self._roll(roll.of_time(day.strftime("%Y-%m-%d"), oldest, end), tag_set)
                if not rows:
                    break
                moved += rows
                oldest = await self._store.read(lambda connection, t=tag_set: _oldest(connection, t))
        expired = (today - timedelta(days=self._retention.file_days)).strftime("%Y-%m-%d")
        gone = await self._store.maintain(lambda connection: _expire(connection, self._data, expired))
        if moved or gone:
            await self._finish()

    async def _roll(self, extent: roll.Extent, tag_set: TagSet) -> int:
        """Roll all parts; between two of them the ring is read."""
        total = 0
        while not self._stopping and (
            rows := await self._store.maintain(
                lambda connection: roll.roll_part(connection, self._data, tag_set, extent)
            )
        ):
            total += rows
        if total:
            log.info("telemetry rolled to Parquet", owner=extent.owner, rows=total)
        return total

    async def _finish(self) -> None:
        await self._refresh_view()
        await self._store.maintain(_checkpoint)

    async def _refresh_view(self) -> None:
        tag_set, telemetry = self.tag_set, self._layout.tool.telemetry
        if tag_set is not None:
            await self._store.write(lambda connection: create_view(connection, tag_set, telemetry, self._data))


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


def _closed_run(connection: Connection) -> ClosedRun | None:
    row = one(
        connection,
        "SELECT id, run_number, start_scan, end_scan, start_ns, end_ns FROM runs WHERE end_ns IS NOT NULL "
        "AND start_ns IS NOT NULL AND NOT rolled AND kind <> 'simulation' ORDER BY start_ns LIMIT 1",
    )
    return ClosedRun(str(row[0]), row[1], (row[2], row[3]), (row[4], row[5])) if row else None


def _oldest(connection: Connection, tag_set: TagSet) -> int | None:
    """Time of the oldest hot row that belongs to no open run."""
    row = one(
        connection,
        f"SELECT min(ts_ns) FROM {tag_set.table} WHERE ts_ns < coalesce((SELECT min(start_ns) FROM runs "  # noqa: S608
        "WHERE start_ns IS NOT NULL AND NOT rolled AND kind <> 'simulation'), 9223372036854775807)",
    )
    return int(row[0]) if row and row[0] is not None else None


def _expire(connection: Connection, data: Path, before: str) -> int:
    """Remove days of telemetry outside of runs that are older than they need be kept."""
    rows = connection.execute("SELECT path FROM parts WHERE path LIKE 'telemetry/%' AND owner < ?", [before]).fetchall()
    for (path,) in rows:
        for name in (data / path, (data / path).with_name(Path(path).name.replace("telemetry-", "changes-"))):
            name.unlink(missing_ok=True)
    if rows:
        connection.execute("DELETE FROM parts WHERE path LIKE 'telemetry/%' AND owner < ?", [before])
    return len(rows)


def _checkpoint(connection: Connection) -> None:
    """Give deleted rows' space back; when somebody reads at this moment, the next one does."""
    with contextlib.suppress(duckdb.TransactionException):
        connection.execute("CHECKPOINT")


def _ns(moment: datetime) -> int:
    return round(moment.timestamp()) * 1_000_000_000
