"""What a run has made: the guide's result row from what was measured."""

import json
import math
import uuid
from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from supervisor.server.store.rows import Connection, one

DIRECT = (
    "thickness_mean_nm", "thickness_std_nm", "thickness_uniformity_pct", "thickness_min_nm", "thickness_max_nm",
    "refractive_index", "extinction_coefficient", "stress_mpa", "stress_type", "conformality_score",
    "selectivity_score", "step_coverage_pct", "defect_density_per_cm2", "roughness_rms_nm", "report_uri",
    "raw_data_uri",
)  # fmt: skip
DOCUMENTS = ("thickness_map", "composition", "vm_predictions", "spc_snapshot")


def film_result(data: dict[str, Any]) -> dict[str, Any]:
    """Make the columns of a result row out of a METROLOGY event: its own figures first, those of the map else.

    Uniformity is the half range over the mean, (max − min) / (2 mean), in per cent, as furnaces state it.
    """
    row: dict[str, Any] = {name: data.get(name) for name in (*DIRECT, *DOCUMENTS)}
    row["film_material"] = str(data.get("film") or data.get("film_material") or "unknown")
    points = np.array(list(numbers(data.get("thickness_map"))))
    if points.size:
        mean = float(points.mean())
        found = {
            "thickness_mean_nm": mean,
            "thickness_std_nm": float(points.std()),
            "thickness_min_nm": float(points.min()),
            "thickness_max_nm": float(points.max()),
            "thickness_uniformity_pct": float(np.ptp(points)) / (2 * mean) * 100 if mean else None,
        }
        for name, value in found.items():
            row[name] = value if row[name] is None else row[name]
    row["measurement"] = data
    return row


def numbers(value: Any, depth: int = 0) -> Iterable[float]:
    """Yield the thicknesses of a map, whatever it is nested in: lists, wafers by name, points with a thickness."""
    if depth > 6 or isinstance(value, bool | str) or value is None:
        return
    if isinstance(value, int | float):
        if math.isfinite(value):
            yield float(value)
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType]  (JSON)
            yield from numbers(item, depth + 1)
    elif isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        named = [items[key] for key in ("thickness_nm", "value_nm", "thickness") if key in items]
        if named:
            yield from numbers(named[0], depth + 1)
        else:
            for key, item in items.items():
                if key not in {"x_mm", "y_mm", "r_mm", "radius_mm", "angle_deg", "position", "slot", "unit"}:
                    yield from numbers(item, depth + 1)


def insert_result(connection: Connection, org_id: str, run_id: str, row: dict[str, Any]) -> None:
    """Write the result row of a run; a later measurement replaces an earlier one."""
    connection.execute("DELETE FROM results WHERE cvd_run_id = ?", [run_id])
    values: dict[str, Any] = {"id": str(uuid.uuid4()), "org_id": org_id, "cvd_run_id": run_id, **row}
    for name in (*DOCUMENTS, "measurement"):
        values[name] = None if row[name] is None else json.dumps(row[name], ensure_ascii=False, default=str)
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO results ({names}) VALUES ({marks})", list(values.values()))  # noqa: S608


def get_result(connection: Connection, run_id: str) -> dict[str, Any] | None:
    """Read the result row of a run."""
    names = ("id", "cvd_run_id", "film_material", *DIRECT, *DOCUMENTS, "measurement")
    row = one(
        connection,
        f"SELECT {', '.join(names)}, epoch_us(created_at) FROM results WHERE cvd_run_id = ?",  # noqa: S608
        [run_id],
    )
    if row is None:
        return None
    found: dict[str, Any] = dict(zip(names, row, strict=False))
    for name in (*DOCUMENTS, "measurement"):
        found[name] = json.loads(found[name]) if found[name] else None
    found["id"], found["cvd_run_id"] = str(found["id"]), str(found["cvd_run_id"])
    return found
