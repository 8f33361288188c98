"""Rolling: closed runs and old days leave the hot tables, part by part, while the ring goes on being read."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import duckdb
import structlog

from config.layout import Layout
from supervisor.server.errors import StoreError
from supervisor.server.historian import roll
from supervisor.server.historian.tagset import TagSet, create_view, known
from supervisor.server.store.connection import Store
from supervisor.server.store.rows import Connection, aggregate, one

log = structlog.get_logger()

LAST_ROWS_S = 2.0
"""So long the last rows of a run may still be in the ring when its end is told."""
LOOK_S = 0.05
LOST = 2**62
"""A run that ended with its controller has no last scan (projection.LAST_SCAN)."""
RETRY_S = 2.0
SWEEP_S = 600.0
FOREVER_NS = 2**63 - 1


@dataclass(frozen=True)
class Retention:
    """How long telemetry outside of runs is kept; that of runs is kept until somebody removes its folder."""

    hot_days: int = 2
    """Whole days in the database besides today; older ones go to `<data>/telemetry/<day>/`."""
    file_days: int = 366
    """Days kept as files."""


@dataclass(frozen=True)
class ClosedRun:
    """A run whose rows are to be rolled."""

    id: str
    run_number: str
    scans: tuple[int, int]
    times: tuple[int, int]


class Roller:
    """Rolls for one historian.

    Args:
        store: the open database.
        layout: the tags.
        data: the data folder.
        retention: how long telemetry outside of runs is kept.
        rolled: awaited when all rows of a run are in Parquet, before the run counts as rolled.
        last_scan: scan index of the newest row that is stored.
    """

    def __init__(
        self,
        store: Store,
        layout: Layout,
        data: Path,
        retention: Retention,
        rolled: Callable[[ClosedRun], Awaitable[None]] | None,
        last_scan: Callable[[], int],
    ) -> None:
        self._store = store
        self._layout = layout
        self._data = data
        self._retention = retention
        self._rolled = rolled
        self._last_scan = last_scan
        self._stopping = False
        self._wake = anyio.Event()
        self.tag_set: TagSet | None = None

    def wake(self) -> None:
        """A run has ended: look for it."""
        self._wake.set()

    def stop(self) -> None:
        """Roll nothing more: whoever stops this server does not wait for what its successor can do."""
        self._stopping = True
        self._store.interrupt()

    async def run(self) -> None:
        """Roll for ever."""
        while not self._stopping:
            self._wake = anyio.Event()
            try:
                while await self._roll_run():
                    pass
                await self.roll_days()
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
        with anyio.move_on_after(LAST_ROWS_S):
            while self._last_scan() < run.scans[1] < LOST:  # noqa: ASYNC110 (the ring is read at intervals anyway)
                await anyio.sleep(LOOK_S)
        extent = roll.of_run(run.run_number, run.scans, run.times)
        for tag_set in (await self._store.read(known)).values():
            await self._roll(extent, tag_set)
        if self._stopping:
            return False
        if self._rolled is not None:
            await self._rolled(run)
        await self._store.write(
            lambda connection: connection.execute("UPDATE runs SET rolled = true WHERE id = ?", [run.id]) and None
        )
        await self._finish()
        return True

    async def roll_days(self) -> None:
        """Roll whole days outside of runs, and remove the oldest files."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        bound = today - timedelta(days=self._retention.hot_days)
        moved = 0
        for tag_set in (await self._store.read(known)).values():
            oldest, open_ns = await self._store.read(lambda connection, t=tag_set: _oldest(connection, t))
            while oldest is not None and oldest < _ns(bound):
                day = datetime.fromtimestamp(oldest // 1_000_000_000, UTC).replace(hour=0, minute=0, second=0)
                end = min(_ns(day + timedelta(days=1)), open_ns)
                rows = await self._roll(roll.of_time(day.strftime("%Y-%m-%d"), oldest, end), tag_set)
                if not rows:
                    break
                moved += rows
                oldest, open_ns = await self._store.read(lambda connection, t=tag_set: _oldest(connection, t))
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
        await self.refresh_view()
        await self._store.maintain(_checkpoint)

    async def refresh_view(self) -> None:
        """Make the view `telemetry` anew: files have come or gone."""
        tag_set, telemetry = self.tag_set, self._layout.tool.telemetry
        if tag_set is not None:
            await self._store.write(lambda connection: create_view(connection, tag_set, telemetry, self._data))


def _closed_run(connection: Connection) -> ClosedRun | None:
    row = one(
        connection,
        "SELECT id, run_number, start_scan, end_scan, start_ns, end_ns FROM runs WHERE end_ns IS NOT NULL "
        "AND start_ns IS NOT NULL AND NOT rolled AND kind <> 'simulation' ORDER BY start_ns LIMIT 1",
    )
    return ClosedRun(str(row[0]), row[1], (row[2], row[3]), (row[4], row[5])) if row else None


def _oldest(connection: Connection, tag_set: TagSet) -> tuple[int | None, int]:
    """Time of the oldest hot row outside of runs that are not rolled yet, and where the first of those begins."""
    (begin,) = aggregate(
        connection,
        "SELECT coalesce(min(start_ns), ?) FROM runs WHERE NOT rolled AND kind <> 'simulation'",
        [FOREVER_NS],
    )
    (oldest,) = aggregate(connection, f"SELECT min(ts_ns) FROM {tag_set.table} WHERE ts_ns < ?", [begin])  # noqa: S608
    return oldest, begin


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
