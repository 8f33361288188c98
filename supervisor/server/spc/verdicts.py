"""A run's result becomes a point of every series that follows it, in the transaction that keeps the result."""

import json
import math
from dataclasses import dataclass
from typing import Any

from opcua_model.interface import Entry, Occurrence
from supervisor.server.alarms.transitions import Standing
from supervisor.server.records.results import numbers
from supervisor.server.spc import series as rows
from supervisor.server.spc.charts import BEYOND, LSL, SPREAD, USL, WORDS, Point, moving_range, subgroup
from supervisor.server.spc.series import Series
from supervisor.server.store.rows import Connection, one

SEVERITY = 600
"""Of a point beyond a limit; one that breaks a rule of patterns is a warning."""
SEVERITY_OF_PATTERN = 400
_URGENT = BEYOND | {USL, LSL, SPREAD}


@dataclass(frozen=True)
class Verdict:
    """What became of a run's point."""

    entry: Entry
    occurrence: Occurrence | None
    """None when the point breaks no rule."""


def take(
    connection: Connection, org_id: str, run_id: str, result: dict[str, Any], time_ns: int
) -> list[dict[str, Any]]:
    """Add a result to the series that follow it; return what the result row keeps of that (`spc_snapshot`)."""
    run = one(
        connection, "SELECT kind, cvd_recipe_id::VARCHAR, process_mode_id::VARCHAR FROM runs WHERE id = ?", [run_id]
    )
    if run is None or run[0] != "recipe":
        return []
    kept: list[dict[str, Any]] = []
    for series in rows.list_series(connection):
        if series.retired or series.recipe_id not in {None, run[1]} or series.process_mode_id not in {None, run[2]}:
            continue
        point = _point(connection, series, run_id, result, time_ns)
        if point is None:
            continue
        found = rows.put(connection, org_id, series, run_id, point, time_ns)
        kept.append({"series": series.name, "value": point.value, "violation": bool(found), "violation_rules": found})
    return kept


def _point(connection: Connection, series: Series, run_id: str, result: dict[str, Any], time_ns: int) -> Point | None:
    if not series.individuals:
        values = list(numbers(result.get("thickness_map")))
        return subgroup(values) if len(values) > 1 else None
    value = result.get(series.parameter)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    before = rows.newest_value(connection, series, rows.place_of(connection, series, run_id, time_ns))
    return Point(float(value), moving_range(float(value), before))


def standing(connection: Connection, run_id: str) -> list[Standing]:
    """Say how each series stands whose newest point is that of a run; an older film measured again says nothing new."""
    found = connection.execute(
        "SELECT s.name, s.parameter, p.value, p.violation_rules, r.run_number FROM spc_points p "
        "JOIN spc_series s ON s.id = p.series_id LEFT JOIN runs r ON r.id = p.cvd_run_id "
        "WHERE p.cvd_run_id = ? AND p.time_ns = (SELECT max(time_ns) FROM spc_points WHERE series_id = s.id) "
        "ORDER BY s.name",
        [run_id],
    ).fetchall()
    made: list[Standing] = []
    for name, parameter, value, rules, number in found:
        broken: list[str] = json.loads(rules or "[]")
        urgent = bool(_URGENT & set(broken)) if broken else None
        made.append(Standing(str(name), urgent, _words(str(name), str(parameter), float(value), str(number), broken)))
    return made


def _words(series: str, parameter: str, value: float, number: str, broken: list[str]) -> str:
    rules = "; ".join(WORDS.get(name, name) for name in broken) or "in control"
    return f"{series}: {parameter} = {value:.6g} of {number}: {rules}"


def of_run(connection: Connection, run_id: str) -> list[Verdict]:
    """Say of each series with a point of a run how it stands, and what is to be told of the point."""
    names = connection.execute(
        "SELECT s.name FROM spc_points p JOIN spc_series s ON s.id = p.series_id WHERE p.cvd_run_id = ? "
        "ORDER BY s.name",
        [run_id],
    ).fetchall()
    return [_verdict(connection, rows.find(connection, str(name)), run_id) for (name,) in names]


def _verdict(connection: Connection, series: Series, run_id: str) -> Verdict:
    points = rows.list_points(connection, series.name, 0, None, rows.MOST)
    point = next((one for one in reversed(points) if one["run_id"] == run_id), None)
    shown = rows.entry(connection, series)
    if point is None or not point["violation"]:
        return Verdict(shown, None)
    broken: list[str] = point["violation_rules"]
    occurrence = Occurrence(
        source=f"Spc/{series.name}",
        severity=SEVERITY if _URGENT & set(broken) else SEVERITY_OF_PATTERN,
        message=_words(series.name, series.parameter, float(point["value"]), str(point["run_number"]), broken),
        time_ns=int(point["time_ns"]),
        type="SpcEventType",
        fields={
            "Series": series.name,
            "Parameter": series.parameter,
            "Value": float(point["value"]),
            "Ucl": point["ucl"],
            "Lcl": point["lcl"],
            "Rules": ", ".join(broken),
            "RunId": run_id,
            "RunNumber": str(point["run_number"] or ""),
        },
    )
    return Verdict(shown, occurrence)
