"""What lies beside a closed run's Parquet: its record, results, events and units, as one JSON document."""

import json
from pathlib import Path
from typing import Any

from config.layout import Layout
from supervisor.server.historian import arrow
from supervisor.server.historian.roll import RUNS, sync
from supervisor.server.records import runs
from supervisor.server.records.results import get_result
from supervisor.server.store.rows import Connection

RECORD = "run.json"


def record_of(connection: Connection, layout: Layout, run_id: str) -> dict[str, Any]:
    """Return everything that is known of a run besides its telemetry."""
    run = runs.get(connection, run_id)
    events = arrow.records(
        connection,
        "SELECT seq, time_ns, scan, kind, severity, source, message FROM events WHERE cvd_run_id::VARCHAR = ? "
        "ORDER BY journal, seq",
        [run["run_id"]],
    )
    tool = layout.tool
    return {
        "run": run,
        "results": get_result(connection, run["run_id"]),
        "events": events,
        "tool": {"name": tool.name, **tool.identification.model_dump()},
        "units": {name: declared.unit for name, declared in layout.declared.items()},
        "telemetry": tool.telemetry.model_dump(),
    }


def rewrite_record(connection: Connection, data: Path, layout: Layout, run_id: str) -> None:
    """Write it anew where it was written already."""
    number = runs.get(connection, run_id)["run_number"]
    if (data / RUNS / number / RECORD).exists():
        write_record(connection, data, layout, run_id)


def write_record(connection: Connection, data: Path, layout: Layout, run_id: str) -> Path:
    """Write it; a reader finds the whole document or none."""
    document = record_of(connection, layout, run_id)
    path = data / RUNS / document["run"]["run_number"] / RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)
    return path
