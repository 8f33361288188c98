"""Run records: created here, moved on by the journal's events, read by everybody."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from config.layout import Layout
from opcua_model.interface import Entry, Refused
from supervisor.server.historian import arrow, query
from supervisor.server.historian.roll import Extent, of_run
from supervisor.server.records.active import ActiveRun
from supervisor.server.records.material import NOTHING, Load
from supervisor.server.records.place import Identity
from supervisor.server.records.recipes import Version
from supervisor.server.store.rows import Connection, one

MOST = 1000
TELEMETRY_ROWS = 1000
MOST_TELEMETRY_ROWS = 10_000
OPEN = 2**62
_COLUMNS = (
    "runs.id::VARCHAR AS run_id, run_number, kind, status, cvd_recipe_id::VARCHAR AS cvd_recipe_id, recipe_version, "
    "recipe_sha256, process_mode_id::VARCHAR AS process_mode_id, instrument_id::VARCHAR AS instrument_id, sample_id, "
    "wafer_id, lot_id, carrier_id, wafer_ids, runs.org_id::VARCHAR AS org_id, isa95_path, "
    "engineering, start_time::VARCHAR AS start_time, end_time::VARCHAR AS end_time, duration_seconds, "
    "preflight_summary, postflight_summary, error_code, error_message, fault_data, job_progress, operator_id, "
    "metadata, created_at::VARCHAR AS created_at, steps, step_index, tape"
)
_JSON = ("preflight_summary", "postflight_summary", "fault_data", "metadata", "steps")


def new_number(connection: Connection, prefix: str, moment: datetime | None = None) -> str:
    """Return a run number that nobody has: `CVD-YYYYMMDD-HHMMSS` in UTC, with a suffix where a second sees several."""
    base = f"{prefix}-{(moment or datetime.now(UTC)):%Y%m%d-%H%M%S}"
    number, count = base, 1
    while one(connection, "SELECT 1 FROM runs WHERE run_number = ?", [number]):
        count += 1
        number = f"{base}-{count}"
    return number


def create(
    connection: Connection,
    identity: Identity,
    user: str,
    kind: str,
    *,
    recipe: Version | None = None,
    engineering: bool = False,
    load: Load = NOTHING,
    metadata: dict[str, Any] | None = None,
    preflight: dict[str, Any] | None = None,
) -> tuple[str, str]:
    """Make the record of a run that waits to be started; return its id and number."""
    run_id = str(uuid.uuid4())
    number = new_number(connection, {"recipe": "CVD", "operation": "OP", "simulation": "SIM"}[kind])
    values: dict[str, Any] = {
        "id": run_id,
        "org_id": identity.org_id,
        "run_number": number,
        "kind": kind,
        "status": "QUEUED",
        "instrument_id": identity.instrument_id,
        "operator_id": user,
        "engineering": engineering,
        "sample_id": load.sample or None,
        "wafer_id": load.wafers[0] if load.wafers else None,
        "lot_id": load.lot or None,
        "carrier_id": load.carrier or None,
        "wafer_ids": list(load.wafers),
        "metadata": json.dumps(metadata or {}),
        "preflight_summary": json.dumps(preflight) if preflight is not None else None,
    }
    if recipe is not None:
        values |= {
            "cvd_recipe_id": recipe.recipe_id,
            "recipe_version": recipe.version,
            "recipe_sha256": recipe.sha256,
            "process_mode_id": recipe.process_mode_id,
        }
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO runs ({names}) VALUES ({marks})", list(values.values()))  # noqa: S608
    return run_id, number


def keep_document(connection: Connection, run_id: str, document: str, parameters: Mapping[str, Any]) -> None:
    """Keep what a run does where it is not its recipe as approved: with the values that were chosen."""
    connection.execute(
        "INSERT INTO run_documents (run_id, document, parameters) VALUES (?, ?, ?)",
        [run_id, document, json.dumps(dict(parameters))],
    )


def document(connection: Connection, run_id: str) -> str | None:
    """Return the document of a run that has one of its own."""
    row = one(connection, "SELECT document FROM run_documents WHERE run_id = ?", [run_id])
    return None if row is None else str(row[0])


def get(connection: Connection, run_id: str) -> dict[str, Any]:
    """Return a run's record, by id or number.

    Raises:
        Refused: there is no such run.
    """
    found = arrow.records(
        connection,
        "SELECT run.*, (SELECT name FROM recipes AS r WHERE r.id::VARCHAR = run.cvd_recipe_id "  # noqa: S608
        f"AND r.version = run.recipe_version) AS recipe_name FROM (SELECT {_COLUMNS} FROM runs "
        "WHERE runs.id::VARCHAR = ? OR run_number = ?) AS run",
        [run_id.lower(), run_id],
    )
    if not found:
        raise Refused("BadNotFound", f"there is no run {run_id}")
    run = _read(found[0])
    row = one(connection, "SELECT parameters FROM run_documents WHERE run_id = ?", [run["run_id"]])
    run["parameters"] = {} if row is None else json.loads(row[0])
    return run


def list_runs(connection: Connection, status: str = "", skip: int = 0, limit: int = 0) -> list[dict[str, Any]]:
    """List runs, newest first."""
    found = arrow.records(
        connection,
        f"SELECT {_COLUMNS} FROM runs WHERE (? = '' OR status = ?) ORDER BY runs.created_at DESC, run_number DESC "  # noqa: S608
        "LIMIT ? OFFSET ?",
        [status, status, min(limit or MOST, MOST), skip],
    )
    return [_read(run) for run in found]


def active(connection: Connection) -> ActiveRun:
    """Return the run that was active when the events were projected last, or none."""
    row = one(
        connection,
        "SELECT id FROM runs WHERE start_ns IS NOT NULL AND end_ns IS NULL AND kind <> 'simulation' "
        "ORDER BY start_ns DESC LIMIT 1",
    )
    if row is None:
        return ActiveRun()
    run = get(connection, str(row[0]))
    metadata: dict[str, Any] = run["metadata"] or {}
    name = str(run["recipe_name"] or metadata.get("operation", ""))
    return ActiveRun(
        run_id=run["run_id"],
        run_number=run["run_number"],
        kind=run["kind"],
        name=name,
        state=run["status"],
        step=run["step_index"],
        steps=run["steps"] or [],
        ended=False,
        engineering=run["engineering"],
        recipe_name=run["recipe_name"] or "",
        recipe_version=run["recipe_version"] or 0,
    )


def _read(run: dict[str, Any]) -> dict[str, Any]:
    for name in _JSON:
        run[name] = json.loads(run[name]) if run[name] else None
    return run


def extent(connection: Connection, run_id: str) -> tuple[Extent, int, int]:
    """Return which rows are a run's, and its begin and end (or OPEN) in ns.

    Raises:
        Refused: there is no such run, or it has not begun.
    """
    row = one(
        connection,
        "SELECT run_number, start_scan, end_scan, start_ns, end_ns FROM runs WHERE id::VARCHAR = ? OR run_number = ?",
        [run_id.lower(), run_id],
    )
    if row is None:
        raise Refused("BadNotFound", f"there is no run {run_id}")
    if row[1] is None:
        raise Refused("BadNoData", f"{row[0]} has not begun; it has no telemetry")
    scans = (int(row[1]), OPEN if row[2] is None else int(row[2]))
    times = (int(row[3]), OPEN if row[4] is None else int(row[4]))
    return of_run(row[0], scans, times), *times


def telemetry(
    connection: Connection, data: Path, layout: Layout, run_id: str, start_ns: int, end_ns: int, limit: int
) -> dict[str, Any]:
    """Return a run's telemetry with the guide's fields, from hot rows and files alike.

    Raises:
        Refused: there is no such run, or it has not begun.
    """
    rows, begin, _ = extent(connection, run_id)
    named = layout.tool.telemetry
    singles = {"chamber_pressure_torr": named.chamber_pressure_torr, **named.signals}
    tags = list(dict.fromkeys([*singles.values(), *named.temperature_zones_c.values(), *named.gas_flows_sccm.values()]))
    count = min(limit or TELEMETRY_ROWS, MOST_TELEMETRY_ROWS)
    window = (max(start_ns, begin - 2_000_000_000), end_ns or OPEN)
    columns = query.rows_of(connection, data, rows, tags, window, count)
    texts = {tag: _numbers(columns[tag]) for tag in tags} if columns else {}
    moments: list[int] = columns["ts_ns"].tolist() if columns else []
    found: list[dict[str, Any]] = []
    for index, moment in enumerate(moments):
        record: dict[str, Any] = {"ts": iso(moment)}
        record |= {name: texts[tag][index] for name, tag in singles.items()}
        record["temperature_zones_c"] = {n: texts[tag][index] for n, tag in named.temperature_zones_c.items()}
        record["gas_flows_sccm"] = {name: texts[tag][index] for name, tag in named.gas_flows_sccm.items()}
        found.append(record)
    return {
        "run_number": rows.owner,
        "count": len(found),
        "complete": len(found) < count,
        "last_ns": moments[-1] if moments else 0,
        "telemetry": found,
    }


def _numbers(values: Any) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def iso(time_ns: int) -> str:
    """Write a moment with milliseconds, in UTC."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat(timespec="milliseconds")


def entry(run: dict[str, Any]) -> Entry:
    """Make the object of the address space."""
    return Entry(
        "Runs",
        run["run_number"],
        {
            "RunId": run["run_id"],
            "RunNumber": run["run_number"],
            "Status": run["status"],
            "Kind": run["kind"],
            "RecipeId": run["cvd_recipe_id"] or "",
            "RecipeVersion": int(run["recipe_version"] or 0),
            "SampleId": run["sample_id"] or "",
            "WaferId": run["wafer_id"] or "",
            "LotId": run["lot_id"] or "",
            "CarrierId": run["carrier_id"] or "",
            "WaferIds": ", ".join(run["wafer_ids"] or ()),
            "OrganisationId": run["org_id"],
            "EquipmentPath": run["isa95_path"] or "",
            "Operator": run["operator_id"],
            "Engineering": bool(run["engineering"]),
            "StartTime": run["start_time"] or "",
            "EndTime": run["end_time"] or "",
            "DurationS": float(run["duration_seconds"] or 0.0),
            "Progress": float(run["job_progress"] or 0.0),
            "Error": run["error_message"] or "",
        },
    )


def result_entry(run_number: str, result: dict[str, Any]) -> Entry:
    """Make the result object of the address space."""
    fields: dict[str, Any] = {"FilmMaterial": result["film_material"]}
    for name, value in result.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            fields["".join(word.capitalize() for word in name.split("_"))] = float(value)
    return Entry("Results", run_number, fields)
