"""Trends and rows out of hot tables and Parquet alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.tables import Status
from supervisor.server.historian import arrow
from supervisor.server.historian.roll import Extent
from supervisor.server.historian.tagset import TagSet, known, quoted, text
from supervisor.server.store.rows import Connection

MOST = 1_000_000
"""Rows of one answer."""


@dataclass(frozen=True)
class Trend:
    """One tag over time."""

    ts_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    status: NDArray[np.uint32]
    source_ns: NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """A file of rows."""

    path: str
    tag_set: int
    rows: int = 0
    first_ns: int = 0
    last_ns: int = 0


def trend(connection: Connection, data: Path, tag: str, start_ns: int, end_ns: int, limit: int = 0) -> Trend:
    """Return a tag's rows from start to end, both included; newest first when start is after end."""
    low, high = min(start_ns, end_ns), max(start_ns, end_ns)
    sets = {number: found for number, found in known(connection).items() if tag in found.tags}
    parts = parts_of(connection, data, sets, "last_ns >= ? AND first_ns <= ?", [low, high])
    whole = low, high
    low, high = _enough(parts, low, high, limit or MOST, newest_first=start_ns > end_ns)
    narrowed = (low, high) != whole
    parts = [part for part in parts if part.last_ns >= low and part.first_ns <= high]
    sources = [
        f"SELECT ts_ns, v[{found.tags.index(tag) + 1}] AS v FROM {found.table} WHERE ts_ns BETWEEN {low} AND {high}"  # noqa: S608
        for found in sets.values()
    ]
    if parts:
        sources.append(
            f"SELECT ts_ns, {quoted(tag)} AS v FROM {files_of(parts)} WHERE ts_ns BETWEEN {low} AND {high}"  # noqa: S608
        )
    if not sources:
        none = np.zeros(0, np.int64)
        return Trend(none, none.astype(np.float64), none.astype(np.uint32), none)
    newest_first, most = start_ns > end_ns, limit or MOST
    union = " UNION ALL ".join(sources)
    if not narrowed:
        union = f"SELECT * FROM ({union}) ORDER BY ts_ns {'DESC' if newest_first else 'ASC'} LIMIT {most}"  # noqa: S608
    rows = arrow.columns(connection, union)
    ts_ns = rows["ts_ns"].astype(np.int64)
    # Few more rows than wanted, and nearly in order: numpy sorts them faster than they could be ranked.
    order = np.argsort(ts_ns, kind="stable")[::-1][:most] if newest_first else np.argsort(ts_ns, kind="stable")[:most]
    ts_ns = ts_ns[order]
    status, source_ns = _states(connection, sets, parts, tag, ts_ns)
    return Trend(ts_ns, rows["v"].astype(np.float64)[order], status, source_ns)


def _enough(parts: Sequence[Part], low: int, high: int, limit: int, *, newest_first: bool) -> tuple[int, int]:
    """Narrow a stretch to what is sure to hold enough rows: files know how many they have.

    Whatever lies beyond the far end of the files that were counted comes behind their rows.
    """
    total, near = 0, high if newest_first else low
    for part in sorted(parts, key=lambda part: -part.last_ns if newest_first else part.first_ns):
        near = min(near, part.first_ns) if newest_first else max(near, part.last_ns)
        if low <= part.first_ns and part.last_ns <= high:
            total += part.rows
        if total >= limit:
            return (max(low, near), high) if newest_first else (low, min(high, near))
    return low, high


def rows_of(
    connection: Connection,
    data: Path,
    extent: Extent,
    tags: Sequence[str],
    window: tuple[int, int],
    limit: int,
) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """Return rows of a run: `ts_ns`, `scan` and the tags by name, NaN where the status was Bad."""
    sets = {number: found for number, found in known(connection).items() if set(tags) <= set(found.tags)}
    parts = parts_of(connection, data, sets, "owner = ?", [extent.owner])
    between = f"ts_ns BETWEEN {window[0]} AND {window[1]}"
    sources: list[str] = []
    params: list[Any] = []
    for found in sets.values():
        chosen = ", ".join(_masked(f"v[{found.tags.index(tag) + 1}]", found.tags.index(tag), tag) for tag in tags)
        sources.append(
            f"SELECT scan, ts_ns, {chosen} FROM {found.table} WHERE {extent.where} AND {between}"  # noqa: S608
        )
        params += extent.params
    for number, found in sets.items():
        own = [part for part in parts if part.tag_set == number]
        if own:
            chosen = ", ".join(_masked(quoted(tag), found.tags.index(tag), tag) for tag in tags)
            sources.append(f"SELECT scan, ts_ns, {chosen} FROM {files_of(own)} WHERE {between}")  # noqa: S608
    if not sources:
        return {}
    union = " UNION ALL ".join(sources)
    return arrow.columns(connection, f"SELECT * FROM ({union}) ORDER BY ts_ns LIMIT {limit or MOST}", params)  # noqa: S608


def _masked(value: str, index: int, name: str) -> str:
    return f"CASE WHEN list_contains(bad, {index}) THEN 'nan'::DOUBLE ELSE {value} END AS {quoted(name)}"


def parts_of(connection: Connection, data: Path, sets: dict[int, TagSet], where: str, params: list[Any]) -> list[Part]:
    """Return the parts of tag sets that are there, in order of time."""
    columns = "path, tag_set, rows, first_ns, last_ns"
    found = connection.execute(f"SELECT {columns} FROM parts WHERE {where} ORDER BY first_ns", params).fetchall()  # noqa: S608
    parts = [Part(str(data / path), *(int(number) for number in numbers)) for path, *numbers in found]
    return [part for part in parts if part.tag_set in sets and Path(part.path).exists()]


def files_of(parts: Sequence[Part]) -> str:
    """SQL: the rows of parts; those of one tag set have the same columns, so only the first file is asked for them."""
    by_name = ", union_by_name = true" if len({part.tag_set for part in parts}) > 1 else ""
    return f"read_parquet([{', '.join(text(part.path) for part in parts)}]{by_name})"


def _states(
    connection: Connection, sets: dict[int, TagSet], parts: Sequence[Part], tag: str, ts_ns: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Statuses and source times at these rows, from the changes of hot tables and files."""
    if not ts_ns.size:
        return np.zeros(0, np.uint32), np.zeros(0, np.int64)
    low, high = int(ts_ns.min()), int(ts_ns.max())
    sources: list[str] = []
    for number, found in sets.items():
        own = f"tag_set = {number} AND tag = {found.tags.index(tag)}"
        sources.append(
            f"SELECT ts_ns, source_ns, moving, status FROM changes WHERE {own} AND ts_ns <= {high} AND ts_ns >= "  # noqa: S608
            f"coalesce((SELECT max(ts_ns) FROM changes WHERE {own} AND ts_ns <= {low}), {low})"
        )
    if parts:
        files = [Part(part.path.replace("telemetry-", "changes-"), part.tag_set) for part in parts]
        present = [part for part in files if Path(part.path).exists()]
        if present:
            sources.append(
                f"SELECT ts_ns, source_ns, moving, status FROM {files_of(present)} "  # noqa: S608
                f"WHERE name = {text(tag)} AND ts_ns <= {high}"
            )
    union = " UNION ALL ".join(sources)
    changes = arrow.columns(connection, f"SELECT * FROM ({union}) ORDER BY ts_ns")  # noqa: S608
    at = np.searchsorted(changes["ts_ns"].astype(np.int64), ts_ns, side="right") - 1
    if not changes["ts_ns"].size:
        return np.full(ts_ns.size, Status.UNCERTAIN, np.uint32), ts_ns
    unknown, at = at < 0, np.maximum(at, 0)
    status = np.where(unknown, np.uint32(Status.UNCERTAIN), changes["status"].astype(np.uint32)[at])
    reference = changes["source_ns"].astype(np.int64)[at]
    source = np.where(changes["moving"].astype(bool)[at], ts_ns - reference, reference)
    return status.astype(np.uint32), np.where(unknown, ts_ns, source)
