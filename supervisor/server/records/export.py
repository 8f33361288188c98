"""`cvd export`: a run's telemetry out of the data folder, as Parquet, CSV or JSON.

A closed run is read from its Parquet files, whatever the daemon does. One that is still in the database is asked of
the daemon that holds it; without a daemon the database is opened for reading.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb

from supervisor.server.errors import ExportError, StoreLockedError
from supervisor.server.historian.roll import RUNS
from supervisor.server.historian.tagset import hot_columns, known, text
from supervisor.server.records.runs import extent
from supervisor.server.store.opening import FILE_NAME, configure, open_to_read
from supervisor.server.store.rows import Connection, one

Form = Literal["parquet", "csv", "json"]
OPTIONS: dict[Form, str] = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER",
    "json": "FORMAT json, ARRAY true",
}
RECORD = "run.json"


def export_run(
    data: Path, run: str, form: Form, target: Path, ask: Callable[[str], Sequence[dict[str, Any]]] | None = None
) -> int:
    """Write a run's telemetry, all tags, to `target`; return its rows.

    Args:
        data: the data folder.
        run: its number, or its id while it is in the database.
        form: of the target.
        target: the file; replaced when it exists.
        ask: asks the daemon for the telemetry of a run that only it can read.

    Raises:
        ExportError: there is no such run, or nobody can read it now.
    """
    folder = data / RUNS / run
    files = sorted(str(path) for path in folder.glob("telemetry-*.parquet"))
    if files and (folder / RECORD).exists():
        # An in-memory database: nothing is locked, nothing is waited for.
        with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": "false"}) as connection:
            configure(connection)
            parts = f"read_parquet([{', '.join(text(file) for file in files)}], union_by_name = true)"
            return _copy(connection, _moments(parts), form, target)
    path = data / FILE_NAME
    if not path.exists():
        raise ExportError(f"there is no run {run} in {data}: no such folder below runs/, and no database")
    try:
        connection = open_to_read(path)
    except StoreLockedError as error:
        if ask is None:
            raise ExportError(
                f"{run} is still in the daemon's database: give --user to ask the daemon, or wait for the run's end "
                "when it is rolled to Parquet"
            ) from error
        return _told(ask(run), form, target)
    with connection:
        return _hot(connection, data, run, form, target)


def _hot(connection: Connection, data: Path, run: str, form: Form, target: Path) -> int:
    from opcua_model.interface import Refused

    try:
        rows, _, _ = extent(connection, run)
    except Refused as refusal:
        raise ExportError(refusal.reason) from refusal
    sources = [
        f"({hot_columns(tag_set)} WHERE {_filled(rows.where, rows.params)})" for tag_set in known(connection).values()
    ]
    parts = connection.execute("SELECT path FROM parts WHERE owner = ?", [rows.owner]).fetchall()
    present = [str(data / path) for (path,) in parts if (data / path).exists()]
    if present:
        sources.append(f"(FROM read_parquet([{', '.join(text(file) for file in present)}], union_by_name = true))")
    return _copy(connection, _moments(f"({' UNION ALL BY NAME '.join(sources)})"), form, target)


def _moments(source: str) -> str:
    """SQL: rows with a readable time in front; Bad values are NULL in no column but listed in `bad`."""
    return f"SELECT make_timestamptz(ts_ns // 1000) AS ts, * FROM {source} ORDER BY ts_ns"  # noqa: S608


def _filled(where: str, params: Sequence[Any]) -> str:
    for value in params:
        where = where.replace("?", str(int(value)), 1)
    return where


def _copy(connection: Connection, sql: str, form: Form, target: Path) -> int:
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        row = one(connection, f"COPY ({sql}) TO {text(str(temporary))} ({OPTIONS[form]})")
        temporary.replace(target)
    except (duckdb.Error, OSError) as error:
        temporary.unlink(missing_ok=True)
        raise ExportError(f"{target} cannot be written: {str(error).splitlines()[0]}") from error
    return int(row[0]) if row else 0


def _told(records: Sequence[dict[str, Any]], form: Form, target: Path) -> int:
    """Write what the daemon told."""
    if not records:
        raise ExportError("the daemon has no telemetry of this run")
    source = target.with_name(f".{target.name}.told.json")
    try:
        source.write_text(json.dumps(list(records)), encoding="utf-8")
        with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": "false"}) as connection:
            return _copy(connection, f"FROM read_json({text(str(source))})", form, target)
    finally:
        source.unlink(missing_ok=True)
