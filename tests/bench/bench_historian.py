"""The historian: ingest, size and trends, beside asyncua's HistorySQLite and a plain SQLite table on the same data.

A thousand tags as a furnace has them: temperatures that ramp and settle, pressures and flows with noise, set points
that stand still, valves that switch; converters of 16 bits at ten rows a second. Everything is written to the same
disk, with the commits that each store makes by itself.
"""

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from asyncua import ua
from asyncua.server.history_sql import HistorySQLite
from numpy.typing import NDArray

from kernels.image import Rows
from supervisor.server.historian import query, roll
from supervisor.server.historian.changes import ChangeDetector
from supervisor.server.historian.hot import HotWriter
from supervisor.server.historian.tagset import TagSet
from supervisor.server.store.connection import transaction
from supervisor.server.store.opening import open_database
from supervisor.server.store.rows import Connection
from tests.bench.figure import Figure

TAGS = 1000
ROWS = 12_000
BATCH = 1_000
"""Rows: what a batch of half a second holds at the target rate of 1.5 M samples/s, rounded up."""
SPACING_NS = 100_000_000
START_NS = 1_764_000_000_000_000_000
SQLITE_ROWS = 300
HISTORY_SAMPLES = 300
TREND_TAGS = 8
SEED = 20


def signals(rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make [rows, tags] and each tag's resolution."""
    random = np.random.default_rng(SEED)
    time_s = np.arange(rows)[:, None] * (SPACING_NS / 1e9)
    values, resolution = np.empty((rows, TAGS)), np.empty(TAGS)
    for tag in range(TAGS):
        kind, t = tag % 10, time_s[:, 0]
        if kind < 3:  # a temperature: ramps, settles, a converter of 0.1 °C
            target = 700 + random.uniform(0, 150)
            drift = 0.3 * np.sin(2 * np.pi * t / random.uniform(60, 600))
            column = target - 100 * np.exp(-t / random.uniform(100, 400)) + drift + random.normal(0, 0.05, rows)
            step = 0.1
        elif kind < 5:  # a pressure: a capacitance gauge of 10 Torr on 16 bits
            column = 0.5 + 0.01 * np.sin(2 * np.pi * t / random.uniform(5, 60)) + random.normal(0, 2e-4, rows)
            step = 10 / 65536
        elif kind < 7:  # a flow: 500 sccm on 12 bits
            column = random.uniform(50, 400) + random.normal(0, 0.15, rows)
            step = 500 / 4096
        elif kind < 9:  # a set point or a valve
            column = np.where(np.sin(2 * np.pi * t / random.uniform(100, 900)) > 0, 1.0, 0.0) * random.integers(1, 200)
            step = 0.01
        else:  # a counter
            column = np.floor(t * random.uniform(0.01, 1.0))
            step = 1.0
        values[:, tag], resolution[tag] = column, step
    return values, resolution


def batches(values: NDArray[np.float64]) -> list[Rows]:
    """Cut the signals into what the ring gives; every tenth instrument is slow, one is Bad for a while."""
    rows = len(values)
    ts = START_NS + SPACING_NS * np.arange(rows, dtype=np.int64)
    source = np.repeat(ts[:, None], TAGS, axis=1)
    source -= np.random.default_rng(SEED).integers(0, SPACING_NS, source.shape)
    source[:, 5::10] = (ts // (2 * 10**9) * (2 * 10**9))[:, None]
    source[:, 7::10] = START_NS
    status = np.zeros((rows, TAGS), np.uint32)
    status[rows // 3 : rows // 3 + 500, 17] = 0x80310000
    return [
        Rows(
            np.arange(at, min(at + BATCH, rows)), ts[at : at + BATCH], np.ascontiguousarray(values[at : at + BATCH]),
            status[at : at + BATCH], source[at : at + BATCH], at + BATCH, 0,
        )
        for at in range(0, rows, BATCH)
    ]  # fmt: skip


def create(connection: Connection, resolution: NDArray[np.float64]) -> TagSet:
    """Make the hot table."""
    names = tuple(f"m{tag // 100}.signal{tag}" for tag in range(TAGS))
    tag_set = TagSet(1, names, resolution)
    connection.execute(
        "INSERT INTO tag_sets (id, digest, tool, tags, units, resolution) VALUES (1, '', 'bench', ?, ?, ?)",
        [list(names), ["1"] * TAGS, resolution.tolist()],
    )
    connection.execute(
        f"CREATE TABLE {tag_set.table} (scan BIGINT NOT NULL, ts_ns BIGINT NOT NULL, v DOUBLE[{TAGS}] NOT NULL, "
        "bad INTEGER[] NOT NULL)"
    )
    return tag_set


def timed(work: Callable[[], object]) -> float:
    """Return seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ours(folder: Path, values: NDArray[np.float64], resolution: NDArray[np.float64]) -> dict[str, float]:
    """Measure this historian."""
    connection, _ = open_database(folder / "cvd.duckdb")
    tag_set = create(connection, resolution)
    writer = HotWriter(tag_set, ChangeDetector(TAGS, SPACING_NS))
    rows = batches(values)
    taken = [timed(lambda b=batch: transaction(connection, lambda c: writer.insert(c, b))) for batch in rows]
    names = [tag_set.tags[tag] for tag in range(0, TAGS, TAGS // TREND_TAGS)]
    end_ns = START_NS + SPACING_NS * len(values)

    def trend() -> None:
        for name in names:
            query.trend(connection, folder, name, START_NS, end_ns)

    hot_s = min(timed(trend) for _ in range(3))
    extent = roll.of_run("CVD-BENCH", (0, len(values)), (START_NS, end_ns))
    parts: list[float] = []
    left = 1

    def part() -> None:
        nonlocal left
        left = roll.roll_part(connection, folder, tag_set, extent)

    while left:
        parts.append(timed(part))
    size = sum(path.stat().st_size for path in (folder / "runs").rglob("*.parquet"))
    rolled_s = min(timed(trend) for _ in range(3))
    connection.close()
    samples = values.size
    return {
        "rate": samples / sum(taken),
        "slowest_ms": max(taken) * 1e3,
        "median_ms": statistics.median(taken) * 1e3,
        "bytes": size / samples,
        "roll_s": sum(parts),
        "part_s": max(parts),
        "hot_ms": hot_s * 1e3,
        "rolled_ms": rolled_s * 1e3,
    }


def plain_sqlite(folder: Path, values: NDArray[np.float64]) -> dict[str, float]:
    """Measure SQLite in WAL mode with a key of tag and time, one transaction a batch."""
    path = folder / "plain.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t (tag INTEGER, ts INTEGER, v REAL, PRIMARY KEY (tag, ts)) WITHOUT ROWID")
    part = values[:SQLITE_ROWS]
    began = time.perf_counter()
    for at in range(0, len(part), 10):
        rows = [
            (tag, START_NS + (at + row) * SPACING_NS, value)
            for row, line in enumerate(part[at : at + 10].tolist())
            for tag, value in enumerate(line)
        ]
        with connection:
            connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    taken = time.perf_counter() - began
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return {"rate": part.size / taken, "bytes": path.stat().st_size / part.size}


async def history_sqlite(folder: Path, values: NDArray[np.float64]) -> dict[str, float]:
    """Measure the history that asyncua brings."""
    path = folder / "asyncua.sqlite"
    history = HistorySQLite(str(path), max_history_data_response_size=10_000)
    await history.init()
    make: Any = ua.NodeId
    nodes = [make(tag, 2) for tag in range(10)]
    for node in nodes:
        await history.new_historized_node(node, None, 0)
    part = values[: HISTORY_SAMPLES // len(nodes), : len(nodes)]
    began = time.perf_counter()
    for row, line in enumerate(part.tolist()):
        moment: Any = datetime.fromtimestamp((START_NS + row * SPACING_NS) / 1e9, UTC)
        for node, value in zip(nodes, line, strict=True):
            data = ua.DataValue(
                ua.Variant(value, ua.VariantType.Double), SourceTimestamp=moment, ServerTimestamp=moment
            )
            await history.save_node_value(node, data)
    taken = time.perf_counter() - began
    await history.stop()
    return {"rate": part.size / taken, "bytes": path.stat().st_size / part.size}


def figures() -> list[Figure]:
    """Measure all three."""
    values, resolution = signals(ROWS)
    with tempfile.TemporaryDirectory(prefix="cvd-bench-") as name:
        folder = Path(name)
        mine = ours(folder, values, resolution)
        plain = plain_sqlite(folder, values)
        asyncua = asyncio.run(history_sqlite(folder, values))
    wanted, small, plainly, theirs = (
        "≥ 1.5 M samples/s",
        "≤ 1.3 B",
        "SQLite WAL, key (tag, time)",
        "asyncua HistorySQLite",
    )
    return [
        Figure("historian ingest", mine["rate"], "samples/s", plain["rate"], plainly, wanted, "higher"),
        Figure("historian ingest", mine["rate"], "samples/s", asyncua["rate"], theirs, wanted, "higher"),
        Figure("batch of 1 M samples, median", mine["median_ms"], "ms"),
        Figure("batch of 1 M samples, slowest", mine["slowest_ms"], "ms"),
        Figure("history after the roll", mine["bytes"], "B/sample", plain["bytes"], plainly, small),
        Figure("history after the roll", mine["bytes"], "B/sample", asyncua["bytes"], theirs, small),
        Figure(f"roll of {values.size / 1e6:g} M samples", mine["roll_s"], "s"),
        Figure("longest part of the roll", mine["part_s"], "s"),
        Figure(f"{TREND_TAGS} trends of 20 min, files", mine["rolled_ms"], "ms", mine["hot_ms"], "the same, hot"),
    ]
