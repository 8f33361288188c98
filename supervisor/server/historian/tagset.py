"""The list of tags that rows are kept with, its hot table, and the view with the guide's columns."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config.layout import Layout
from config.tool import Telemetry
from supervisor.server.store.rows import Connection, one

SIGNALS = (
    "chamber_pressure_torr", "rf_power_w", "rf_reflected_w", "dc_bias_v", "plasma_impedance_ohm", "microwave_power_w",
    "filament_temp_c", "filament_current_a", "laser_power_w", "laser_energy_mj", "qcm_rate_nm_per_s",
    "qcm_thickness_nm", "ellipsometer_thickness_nm", "reflectometer_thickness_nm", "deposition_rate_nm_per_min",
    "plasma_density_proxy",
)  # fmt: skip
"""The guide's single-valued signals (table cvd_telemetry)."""


@dataclass(frozen=True)
class TagSet:
    """A list of tags as the database knows it."""

    id: int
    tags: tuple[str, ...]
    resolution: NDArray[np.float64]

    @property
    def table(self) -> str:
        """Name of its hot table."""
        return f"hot_{self.id}"


def register(connection: Connection, layout: Layout) -> TagSet:
    """Find the tag set of a tool, or add it with its hot table, within the caller's transaction."""
    units = [declared.unit if (declared := layout.declared.get(name)) else "1" for name in layout.tags]
    resolution = [declared.resolution if (declared := layout.declared.get(n)) else 0.0 for n in layout.tags]
    document = json.dumps([list(layout.tags), units, resolution])
    digest = hashlib.sha256(document.encode()).hexdigest()
    row = one(connection, "SELECT id FROM tag_sets WHERE digest = ?", [digest])
    if row is None:
        row = one(connection, "SELECT coalesce(max(id), 0) + 1 FROM tag_sets")
        assert row is not None  # noqa: S101 (an aggregate has a row)
        connection.execute(
            "INSERT INTO tag_sets (id, digest, tool, tags, units, resolution) VALUES (?, ?, ?, ?, ?, ?)",
            [row[0], digest, layout.tool.name, list(layout.tags), units, resolution],
        )
    tag_set = TagSet(int(row[0]), layout.tags, np.array(resolution))
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {tag_set.table} "
        f"(scan BIGINT NOT NULL, ts_ns BIGINT NOT NULL, v DOUBLE[{len(tag_set.tags)}] NOT NULL, "
        "bad INTEGER[] NOT NULL)"
    )
    return tag_set


def known(connection: Connection) -> dict[int, TagSet]:
    """Return all tag sets by their number."""
    rows = connection.execute("SELECT id, tags, resolution FROM tag_sets").fetchall()
    return {int(n): TagSet(int(n), tuple(tags), np.array(resolution)) for n, tags, resolution in rows}


def quoted(name: str) -> str:
    """Write an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Write a string constant."""
    return "'" + value.replace("'", "''") + "'"


def hot_columns(tag_set: TagSet) -> str:
    """SQL: the hot table's rows, wide."""
    wide = ", ".join(f"v[{index + 1}] AS {quoted(name)}" for index, name in enumerate(tag_set.tags))
    return f"SELECT scan, ts_ns, bad, {wide} FROM {tag_set.table}"  # noqa: S608 (names of our own)


def create_view(connection: Connection, tag_set: TagSet, telemetry: Telemetry, data: Path) -> None:
    """Create the view `telemetry`: hot rows and those of closed runs, with the guide's columns.

    It shows rows of the present tag set; a value that was Bad is NULL.
    """
    numbers = {name: index for index, name in enumerate(tag_set.tags)}

    def value(tag: str) -> str:
        index = numbers[tag]
        return f"CASE WHEN list_contains(bad, {index}) THEN NULL ELSE {quoted(tag)} END"

    def document(tags: dict[str, str]) -> str:
        return f"json_object({', '.join(f'{text(name)}, {value(tag)}' for name, tag in tags.items())})"

    singles = {"chamber_pressure_torr": telemetry.chamber_pressure_torr, **telemetry.signals}
    columns = [f"{value(singles[name]) if name in singles else 'NULL::DOUBLE'} AS {name}" for name in SIGNALS]
    columns.insert(1, f"{document(telemetry.temperature_zones_c)} AS temperature_zones_c")
    columns.insert(2, f"{document(telemetry.gas_flows_sccm)} AS gas_flows_sccm")
    others = {name: tag for name, tag in singles.items() if name not in SIGNALS}
    rows = hot_columns(tag_set)
    parts = connection.execute("SELECT path FROM parts WHERE tag_set = ?", [tag_set.id]).fetchall()
    if parts:
        wide = ", ".join(quoted(name) for name in tag_set.tags)
        files = ", ".join(text(str(data / path)) for (path,) in parts)
        rows += f" UNION ALL SELECT scan, ts_ns, bad, {wide} FROM read_parquet([{files}], union_by_name = true)"  # noqa: S608
    connection.execute(
        "CREATE OR REPLACE VIEW telemetry AS SELECT "  # noqa: S608 (names of our own)
        "md5(coalesce(r.id::VARCHAR, '') || ts_ns::VARCHAR)::UUID AS id, r.org_id, r.id AS cvd_run_id, "
        f"make_timestamptz(ts_ns // 1000) AS ts, {', '.join(columns)}, NULL::VARCHAR AS rga_spectrum_uri, "
        f"NULL::VARCHAR AS oes_spectrum_uri, {document(others)} AS other_signals, r.isa95_path "
        f"FROM ({rows}) AS t LEFT JOIN runs AS r ON t.scan >= r.start_scan "
        "AND t.scan <= coalesce(r.end_scan, t.scan) AND t.ts_ns >= r.start_ns - 2000000000 "
        "AND t.ts_ns <= coalesce(r.end_ns, t.ts_ns) + 2000000000 AND r.kind <> 'simulation'"
    )
