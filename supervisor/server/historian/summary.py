"""Counts of every tag in buckets of ten minutes, made once when a bucket is complete, from hot rows and Parquet alike.

Hourly averages of a month are then a few thousand rows instead of twenty-six million.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kernels.tables import Status
from opcua_model.interface import Summary
from supervisor.server.historian import arrow
from supervisor.server.historian.query import files_of, parts_of
from supervisor.server.historian.tagset import TagSet, known, quoted, text
from supervisor.server.store.rows import Connection, one

BUCKET_NS: Final = 600_000_000_000
LAG_NS: Final = 60_000_000_000
"""Rows of a bucket may come so late."""

Matrix = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]
"""Times [rows], values and whether they are not good [rows, tags]."""


@dataclass(frozen=True)
class Bucket:
    """Rows for the table of summaries."""

    number: int
    rows: tuple[dict[str, NDArray[Any]], ...]


def pending(connection: Connection) -> int | None:
    """Return the next bucket that is complete and not counted yet; None when there is none."""
    newest = one(connection, "SELECT max(ts_ns) FROM ingest")
    if newest is None or newest[0] is None:
        return None
    last = int(newest[0])
    reached = one(connection, "SELECT behind FROM summarised")
    if reached is None:
        bucket = _first(connection)
        if bucket is None:
            return None
    else:
        bucket = int(reached[0])
    return bucket if (bucket + 1) * BUCKET_NS + LAG_NS <= last else None


def _first(connection: Connection) -> int | None:
    times = [one(connection, "SELECT min(first_ns) FROM parts")]
    times += [one(connection, f"SELECT min(ts_ns) FROM {found.table}") for found in known(connection).values()]  # noqa: S608
    known_times = [int(row[0]) for row in times if row is not None and row[0] is not None]
    return min(known_times) // BUCKET_NS if known_times else None


def count(connection: Connection, data: Path, bucket: int) -> Bucket:
    """Count a bucket."""
    low, high = bucket * BUCKET_NS, (bucket + 1) * BUCKET_NS - 1
    found: list[dict[str, NDArray[Any]]] = []
    for tag_set in known(connection).values():
        rows = _rows(connection, data, tag_set, low, high)
        if len(rows[0]):
            found.append(_counted(tag_set, bucket, rows))
    return Bucket(bucket, tuple(found))


def keep(connection: Connection, bucket: Bucket) -> None:
    """Store a bucket's counts, within the caller's transaction."""
    for rows in bucket.rows:
        arrow.insert(connection, "summaries", arrow.table(rows))
    if one(connection, "SELECT 1 FROM summarised") is None:
        connection.execute("INSERT INTO summarised VALUES (?, ?)", [bucket.number, bucket.number + 1])
    else:
        connection.execute("UPDATE summarised SET behind = ?", [bucket.number + 1])


def rewind(connection: Connection, time_ns: int) -> None:
    """Forget what was counted from a moment on: the clock was set back, and rows of that time come again."""
    bucket = time_ns // BUCKET_NS
    reached = one(connection, "SELECT behind FROM summarised")
    if reached is None or int(reached[0]) <= bucket:
        return
    connection.execute("DELETE FROM summaries WHERE bucket >= ?", [bucket])
    connection.execute("UPDATE summarised SET behind = greatest(first, ?)", [bucket])


def find(connection: Connection, tag: str, start_ns: int, end_ns: int) -> Summary | None:
    """Return what was counted of a tag, in whole buckets; None when not all of a stretch was."""
    first, behind = start_ns // BUCKET_NS, -(-end_ns // BUCKET_NS)
    reached = one(connection, "SELECT first, behind FROM summarised")
    if reached is None or behind > int(reached[1]) or behind <= first:
        return None
    # Before the first bucket that was counted there was no history at all.
    sets = {number: found.tags.index(tag) for number, found in known(connection).items() if tag in found.tags}
    if not sets:
        return None
    which = " OR ".join(f"(tag_set = {number} AND tag = {index})" for number, index in sets.items())
    rows = arrow.columns(
        connection,
        "SELECT bucket, good, bad, total, squares, low, high FROM summaries "  # noqa: S608 (numbers of our own)
        f"WHERE ({which}) AND bucket >= {first} AND bucket < {behind} ORDER BY bucket",
    )
    return _summary(rows, first, behind)


def _summary(rows: dict[str, NDArray[Any]], first: int, behind: int) -> Summary:
    size = behind - first
    place = rows["bucket"].astype(np.int64) - first
    columns = {name: np.zeros(size) for name in ("good", "bad", "total", "squares")}
    for name, column in columns.items():
        np.add.at(column, place, rows[name].astype(np.float64))
    low, high = np.full(size, np.nan), np.full(size, np.nan)
    np.fmin.at(low, place, rows["low"].astype(np.float64))
    np.fmax.at(high, place, rows["high"].astype(np.float64))
    return Summary(
        first * BUCKET_NS,
        behind * BUCKET_NS,
        BUCKET_NS,
        columns["good"],
        columns["bad"],
        columns["total"],
        columns["squares"],
        low,
        high,
    )


def _counted(tag_set: TagSet, bucket: int, rows: Matrix) -> dict[str, NDArray[Any]]:
    _, values, unfit = rows
    fit = ~unfit & np.isfinite(values)
    good = fit.sum(axis=0)
    total = np.where(fit, values, 0.0).sum(axis=0)
    apart = np.where(fit, values - total / np.maximum(good, 1), 0.0)
    none = good == 0
    tags = np.arange(len(tag_set.tags), dtype=np.int32)
    return {
        "tag_set": np.full(len(tags), tag_set.id, np.int32),
        "tag": tags,
        "bucket": np.full(len(tags), bucket, np.int64),
        "good": good.astype(np.uint32),
        "bad": (len(values) - good).astype(np.uint32),
        "total": total,
        "squares": (apart**2).sum(axis=0),
        "low": np.where(none, np.nan, np.where(fit, values, np.inf).min(axis=0)),
        "high": np.where(none, np.nan, np.where(fit, values, -np.inf).max(axis=0)),
    }


def _rows(connection: Connection, data: Path, tag_set: TagSet, low: int, high: int) -> Matrix:
    """All rows of a stretch, hot ones and those in files."""
    size = len(tag_set.tags)
    pieces: list[Matrix] = []
    between = f"ts_ns BETWEEN {low} AND {high}"
    hot = connection.sql(f"SELECT ts_ns, v, bad FROM {tag_set.table} WHERE {between} ORDER BY ts_ns").to_arrow_table()  # noqa: S608
    if hot.num_rows:
        pieces.append(_piece(hot, arrow.matrix(hot, "v", size)))
    parts = parts_of(connection, data, {tag_set.id: tag_set}, "last_ns >= ? AND first_ns <= ?", [low, high])
    if parts:
        wide = ", ".join(quoted(name) for name in tag_set.tags)
        rolled = connection.sql(
            f"SELECT ts_ns, bad, {wide} FROM {files_of(parts)} WHERE {between} ORDER BY ts_ns"  # noqa: S608
        ).to_arrow_table()
        if rolled.num_rows:
            values = np.stack([arrow.column(rolled, name) for name in tag_set.tags], axis=1)
            pieces.append(_piece(rolled, values))
    if not pieces:
        return np.zeros(0, np.int64), np.zeros((0, size)), np.zeros((0, size), np.bool_)
    times = np.concatenate([piece[0] for piece in pieces])
    unfit = np.concatenate([piece[2] for piece in pieces])
    for tag, mask in _doubtful(connection, tag_set, [part.path for part in parts], times):
        unfit[:, tag] |= mask
    return times, np.concatenate([piece[1] for piece in pieces]), unfit


def _piece(rows: Any, values: NDArray[np.float64]) -> Matrix:
    unfit = np.zeros(values.shape, np.bool_)
    unfit[arrow.list_places(rows, "bad")] = True
    return arrow.column(rows, "ts_ns"), values, unfit


def _doubtful(
    connection: Connection, tag_set: TagSet, paths: list[str], times: NDArray[np.int64]
) -> list[tuple[int, NDArray[np.bool_]]]:
    """Tags whose status was Uncertain in some rows, and which these are: `bad` names the Bad ones only."""
    high = int(times.max())
    sources = [f"SELECT tag, ts_ns, status FROM changes WHERE tag_set = {tag_set.id} AND ts_ns <= {high}"]  # noqa: S608
    files = [path.replace("telemetry-", "changes-") for path in paths]
    present = [path for path in files if Path(path).exists()]
    if present:
        listed = ", ".join(text(path) for path in present)
        sources.append(f"SELECT tag, ts_ns, status FROM read_parquet([{listed}]) WHERE ts_ns <= {high}")  # noqa: S608
    union = " UNION ALL ".join(sources)
    suspects = (
        f"SELECT DISTINCT tag FROM ({union}) WHERE status >= {int(Status.UNCERTAIN)} AND status < {int(Status.BAD)}"  # noqa: S608
    )
    rows = arrow.columns(connection, f"SELECT * FROM ({union}) WHERE tag IN ({suspects}) ORDER BY tag, ts_ns")  # noqa: S608
    found: list[tuple[int, NDArray[np.bool_]]] = []
    for tag in np.unique(rows["tag"]).tolist():
        own = rows["tag"] == tag
        at = np.searchsorted(rows["ts_ns"][own].astype(np.int64), times, side="right") - 1
        status = rows["status"][own].astype(np.uint32)[np.maximum(at, 0)]
        found.append((int(tag), (at >= 0) & (status >= Status.UNCERTAIN) & (status < Status.BAD)))
    return found
