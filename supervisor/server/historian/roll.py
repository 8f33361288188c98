"""Rows from hot tables to Parquet, in parts, so that each commit is short and a crash at any point repairs itself.

A part is written beside its name, synced, renamed, its folder synced and its rows counted; then one transaction
enters it in `parts` and deletes the hot rows. A file that no entry names is unfinished and is removed at the next
start, when its rows are still hot.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from supervisor.server.errors import StoreError
from supervisor.server.historian.tagset import TagSet, hot_columns, text
from supervisor.server.store.connection import transaction
from supervisor.server.store.rows import Connection, one

log = structlog.get_logger()

PART_SCANS = 20_000
PART_SAMPLES = 8_000_000
"""A part holds the writer for a second or so; the logging ring waits for a minute."""
ROW_GROUP = 2048
RUNS = "runs"
IDLE = "telemetry"
SLACK_NS = 2_000_000_000
"""Event times and row times of a run may differ by so much; which rows are its own is decided by scans."""


@dataclass(frozen=True)
class Extent:
    """Which rows a roll takes: those with `where`, in the order of `key`."""

    owner: str
    """A run number, or the day of telemetry outside of runs."""
    folder: str
    """Below the data folder."""
    key: str
    where: str
    params: tuple[Any, ...]


def of_run(run_number: str, scans: tuple[int, int], times: tuple[int, int]) -> Extent:
    """Return the extent of a closed run."""
    where = "scan BETWEEN ? AND ? AND ts_ns BETWEEN ? AND ?"
    return Extent(
        run_number,
        f"{RUNS}/{run_number}",
        "scan",
        where,
        (*scans, times[0] - SLACK_NS, times[1] + SLACK_NS),
    )


def of_time(owner: str, start_ns: int, end_ns: int) -> Extent:
    """Return the extent of a stretch of time outside of runs."""
    return Extent(owner, f"{IDLE}/{owner}", "ts_ns", "ts_ns >= ? AND ts_ns < ?", (start_ns, end_ns))


def roll_part(connection: Connection, data: Path, tag_set: TagSet, extent: Extent) -> int:
    """Move the next part of an extent; return its rows, 0 when nothing is left.

    Raises:
        StoreError: what was written is not what was read; the hot rows stay.
        OSError, duckdb.Error: the disk refused; the hot rows stay.
    """
    rows = max(ROW_GROUP, min(PART_SCANS, PART_SAMPLES // len(tag_set.tags)))
    bounds = one(
        connection,
        f"SELECT min(k), max(k), min(ts_ns), max(ts_ns) FROM (SELECT {extent.key} AS k, ts_ns FROM {tag_set.table} "  # noqa: S608
        f"WHERE {extent.where} ORDER BY k LIMIT {rows})",
        list(extent.params),
    )
    if bounds is None or bounds[0] is None:
        return 0
    where = f"{extent.where} AND {extent.key} BETWEEN ? AND ?"
    params = [*extent.params, bounds[0], bounds[1]]
    counted = one(
        connection,
        f"SELECT count(*), min(ts_ns), max(ts_ns) FROM {tag_set.table} WHERE {where}",  # noqa: S608
        params,
    )
    assert counted is not None  # noqa: S101 (an aggregate has a row)
    count, first_ns, last_ns = (int(value) for value in counted)
    row = one(connection, "SELECT coalesce(max(part) + 1, 0) FROM parts WHERE owner = ?", [extent.owner])
    part = int(row[0]) if row else 0
    folder = data / extent.folder
    folder.mkdir(parents=True, exist_ok=True)
    telemetry, changes = folder / f"telemetry-{part:04d}.parquet", folder / f"changes-{part:04d}.parquet"
    # COPY takes no parameters: the bounds are numbers of our own.
    wide = hot_columns(tag_set)
    _copy(connection, f"{wide} WHERE {_filled(where, params)} ORDER BY {extent.key}", telemetry)
    _copy(connection, _changes(tag_set, first_ns, last_ns), changes)
    written = one(connection, f"SELECT count(*) FROM read_parquet({text(str(telemetry))})")  # noqa: S608
    if written is None or written[0] != count:
        raise StoreError(f"{telemetry} holds {written} rows and not {count}; they stay in the database")
    size = telemetry.stat().st_size + changes.stat().st_size

    def move(held: Connection) -> None:
        held.execute(
            "INSERT INTO parts (owner, part, tag_set, path, rows, first_ns, last_ns, bytes) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [extent.owner, part, tag_set.id, str(telemetry.relative_to(data)), count, first_ns, last_ns, size],
        )
        held.execute(f"DELETE FROM {tag_set.table} WHERE {where}", params)  # noqa: S608
        # The last change of each tag is what the rows behind this part begin with.
        held.execute(
            "DELETE FROM changes USING (SELECT tag, max(ts_ns) AS newest FROM changes WHERE tag_set = ? AND ts_ns <= ? "
            "GROUP BY tag) AS kept WHERE changes.tag_set = ? AND changes.tag = kept.tag AND changes.ts_ns >= ? "
            "AND changes.ts_ns < kept.newest",
            [tag_set.id, last_ns, tag_set.id, first_ns],
        )

    transaction(connection, move)
    return count


def _changes(tag_set: TagSet, first_ns: int, last_ns: int) -> str:
    """SQL: the changes of a part, beginning with the state of every tag at its first row."""
    names = ", ".join(text(name) for name in tag_set.tags)
    columns = f"[{names}][tag + 1] AS name, tag, ts_ns, source_ns, moving, status"
    return (
        f"SELECT {columns} FROM (SELECT tag, {first_ns} AS ts_ns, arg_max(source_ns, ts_ns) AS source_ns, "  # noqa: S608
        f"arg_max(moving, ts_ns) AS moving, arg_max(status, ts_ns) AS status FROM changes WHERE tag_set = {tag_set.id} "
        f"AND ts_ns <= {first_ns} GROUP BY tag UNION ALL SELECT tag, ts_ns, source_ns, moving, status FROM changes "
        f"WHERE tag_set = {tag_set.id} AND ts_ns > {first_ns} AND ts_ns <= {last_ns}) ORDER BY tag, ts_ns"
    )


def _filled(where: str, params: list[Any]) -> str:
    pieces = where.split("?")
    return "".join(
        piece + (str(int(params[index])) if index < len(params) else "") for index, piece in enumerate(pieces)
    )


def _copy(connection: Connection, sql: str, path: Path) -> None:
    """Write a query's rows to a file that appears whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    connection.execute(
        f"COPY ({sql}) TO {text(str(temporary))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
    )
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file or a folder to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def repair(connection: Connection, data: Path) -> list[str]:
    """Remove what an interrupted roll left; return what was found, for people."""
    entries = {str(path) for (path,) in connection.execute("SELECT path FROM parts").fetchall()}
    told: list[str] = []
    for top in (RUNS, IDLE):
        for path in (data / top).glob("*/*"):
            name = path.name
            ours = name.startswith(("telemetry-", "changes-"))
            manifest = str(path.relative_to(data).with_name(name.replace("changes-", "telemetry-")))
            if ours and (name.endswith(".tmp") or (name.endswith(".parquet") and manifest not in entries)):
                path.unlink()
                told.append(f"removed {path.relative_to(data)}, left unfinished by an interrupted roll")
    told += [f"{entry} is missing: it was removed by somebody" for entry in entries if not (data / entry).exists()]
    return told
