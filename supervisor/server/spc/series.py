"""Series and their points as rows of the database."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from opcua_model.interface import Caller, Entry, Refused
from supervisor.server.records.modes import mode_id
from supervisor.server.spc.charts import Limits, Point, broken, capability, estimate, outside
from supervisor.server.spc.declaration import LEAST_POINTS, Chart, Declaration
from supervisor.server.store.rows import Connection, one

MOST = 1000
"""Series or points of one answer."""
_FIELDS = (
    "id::VARCHAR", "name", "parameter", "process_mode_id::VARCHAR", "recipe_id::VARCHAR", "chart", "baseline",
    "rules", "target", "usl", "lsl", "ucl", "lcl", "mean", "std_dev", "cp", "cpk", "limits_from", "limits_since_ns",
    "given", "retired", "created_by", "epoch_us(created_at)",
)  # fmt: skip
_COLUMNS = ", ".join(_FIELDS)


@dataclass(frozen=True)
class Series:
    """A row of `spc_series`."""

    id: str
    name: str
    parameter: str
    process_mode_id: str | None
    recipe_id: str | None
    chart: Chart
    baseline: int
    rules: tuple[str, ...]
    target: float | None
    usl: float | None
    lsl: float | None
    ucl: float | None
    """Of a point with as many values as the last one had."""
    lcl: float | None
    mean: float | None
    std_dev: float | None
    cp: float | None
    cpk: float | None
    limits_from: str | None
    """given, baseline or recalculated; None while there are no limits."""
    limits_since_ns: int
    """Points before it were held against other limits, or against none."""
    given: dict[str, float]
    """Control limits that a person has set."""
    retired: bool
    created_by: str
    created_us: int

    @property
    def individuals(self) -> bool:
        """Whether single values are plotted."""
        return self.chart is Chart.INDIVIDUALS

    @property
    def limits(self) -> Limits | None:
        """What points are held against; None before there is anything."""
        if self.mean is None or self.std_dev is None:
            return None
        return Limits(self.mean, self.std_dev, self.individuals, self.given.get("ucl"), self.given.get("lcl"))

    def document(self) -> dict[str, Any]:
        """The series as a JSON object, in the names of the columns."""
        return {**self.__dict__, "chart": self.chart.value, "rules": list(self.rules)}


def _series(row: tuple[Any, ...]) -> Series:
    names = list(Series.__dataclass_fields__)
    found: dict[str, Any] = dict(zip(names, row, strict=True))
    found["chart"] = Chart(found["chart"] or Chart.INDIVIDUALS)
    found["rules"] = tuple(json.loads(found["rules"] or "[]"))
    found["given"] = json.loads(found["given"] or "{}")
    found["limits_since_ns"] = int(found["limits_since_ns"] or 0)
    found["retired"], found["created_by"] = bool(found["retired"]), found["created_by"] or ""
    found["baseline"] = int(found["baseline"] or LEAST_POINTS)
    return Series(**found)


def find(connection: Connection, name: str) -> Series:
    """Look a series up by name.

    Raises:
        Refused: there is none.
    """
    row = one(connection, f"SELECT {_COLUMNS} FROM spc_series WHERE name = ?", [name])  # noqa: S608 - columns of ours
    if row is None:
        raise Refused("BadNotFound", f"there is no SPC series called {name!r}; ListSeries names them all")
    return _series(row)


def list_series(connection: Connection, skip: int = 0, limit: int = 0) -> list[Series]:
    """List series, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM spc_series ORDER BY created_at, name LIMIT ? OFFSET ?",  # noqa: S608 - as above
        [min(limit or MOST, MOST), skip],
    ).fetchall()
    return [_series(row) for row in rows]


def define(
    connection: Connection, org_id: str, instrument_id: str, caller: Caller, wanted: Declaration, time_ns: int
) -> Series:
    """Add a series.

    Raises:
        Refused: there is one of that name, or no such recipe or process mode.
    """
    if one(connection, "SELECT 1 FROM spc_series WHERE name = ?", [wanted.name]):
        raise Refused("BadBrowseNameDuplicated", f"there is an SPC series called {wanted.name!r} already")
    if wanted.recipe_id and not one(connection, "SELECT 1 FROM recipes WHERE id = ?", [str(wanted.recipe_id)]):
        raise Refused("BadNotFound", f"recipe_id: there is no recipe {wanted.recipe_id}")
    mode = mode_id(connection, wanted.process_mode)
    if wanted.process_mode and mode is None:
        raise Refused("BadNotFound", f"process_mode: there is no process mode {wanted.process_mode!r}")
    values = {name: value for name in ("ucl", "lcl") if (value := getattr(wanted, name)) is not None}
    known = wanted.mean is not None
    connection.execute(
        "INSERT INTO spc_series (id, org_id, name, parameter, process_mode_id, instrument_id, recipe_id, chart, "
        "baseline, rules, target, usl, lsl, given, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [str(uuid.uuid4()), org_id, wanted.name, wanted.parameter, mode, instrument_id,
         str(wanted.recipe_id) if wanted.recipe_id else None, wanted.chart, wanted.baseline,
         json.dumps(wanted.rule_names), wanted.target, wanted.usl, wanted.lsl, json.dumps(values), caller.user],
    )  # fmt: skip
    made = find(connection, wanted.name)
    if known:
        assert wanted.mean is not None and wanted.std_dev is not None  # noqa: S101, PT018 (the declaration saw to it)
        limits = Limits(wanted.mean, wanted.std_dev, made.individuals, wanted.ucl, wanted.lcl)
        _put_limits(connection, made, limits, "given", time_ns, count=1)
    return find(connection, wanted.name)


def recalculate(connection: Connection, name: str, count: int, time_ns: int) -> Series:
    """Make limits of the newest points of a series; 0: as many as its baseline has.

    Raises:
        Refused: there are too few points, or they all have the same value.
    """
    series = find(connection, name)
    wanted = count or series.baseline
    if wanted < LEAST_POINTS:
        raise Refused("BadOutOfRange", f"limits are made of {LEAST_POINTS} points at least, of 20 to 25 better")
    points = _points_before(connection, series, 2**62, wanted, 0)
    if len(points) < wanted:
        raise Refused("BadInvalidState", f"{name} has {len(points)} points yet, {wanted} are wanted")
    try:
        limits = estimate(points, individuals=series.individuals)
    except ValueError as error:
        raise Refused("BadInvalidState", f"{name}: {error}") from error
    connection.execute("UPDATE spc_series SET given = '{}' WHERE id = ?", [series.id])
    _put_limits(connection, find(connection, name), limits, "recalculated", time_ns, points[-1].count)
    return find(connection, name)


def retire(connection: Connection, name: str) -> Series:
    """End a series: it takes no more points; those that it has stay.

    Raises:
        Refused: there is none, or it has ended.
    """
    series = find(connection, name)
    if series.retired:
        raise Refused("BadInvalidState", f"{name} is retired already")
    connection.execute("UPDATE spc_series SET retired = true, updated_at = now() WHERE id = ?", [series.id])
    return find(connection, name)


def _put_limits(connection: Connection, series: Series, limits: Limits, source: str, time_ns: int, count: int) -> None:
    cp, cpk = capability(limits.mean, limits.sigma, series.lsl, series.usl)
    connection.execute(
        "UPDATE spc_series SET mean = ?, std_dev = ?, ucl = ?, lcl = ?, cp = ?, cpk = ?, limits_from = ?, "
        "limits_since_ns = ?, updated_at = now() WHERE id = ?",
        [limits.mean, limits.sigma, limits.upper(count), limits.lower(count), cp, cpk, source, time_ns, series.id],
    )


# ------------------------------------------------------------------------------------------------------------ points
def _points_before(connection: Connection, series: Series, time_ns: int, count: int, since_ns: int) -> list[Point]:
    """The newest points before a moment, oldest first."""
    rows = connection.execute(
        "SELECT value, spread, subgroup_size FROM spc_points WHERE series_id = ? AND time_ns < ? AND time_ns >= ? "
        "ORDER BY time_ns DESC LIMIT ?",
        [series.id, time_ns, since_ns, count],
    ).fetchall()
    return [Point(float(value), spread, int(size or 1)) for value, spread, size in reversed(rows)]


def put(connection: Connection, org_id: str, series: Series, run_id: str, point: Point, time_ns: int) -> list[str]:
    """Add the point of a run, or measure it anew; return the rules that it breaks.

    A film that is measured again keeps its place: its point is held against the same points before it.
    """
    kept = one(connection, "SELECT time_ns FROM spc_points WHERE series_id = ? AND cvd_run_id = ?", [series.id, run_id])
    time_ns = time_ns if kept is None else int(kept[0])
    connection.execute("DELETE FROM spc_points WHERE series_id = ? AND cvd_run_id = ?", [series.id, run_id])
    limits = series.limits
    since = series.limits_since_ns if limits is not None and time_ns >= series.limits_since_ns else 0
    before = _points_before(connection, series, time_ns, MOST, since)
    found = outside(point.value, series.lsl, series.usl)
    if limits is not None:
        found = [*broken([*before, point], limits, series.rules), *found]
    connection.execute(
        "INSERT INTO spc_points (id, org_id, series_id, cvd_run_id, value, ts, violation, violation_rules, time_ns, "
        "subgroup_size, spread, mean, ucl, lcl) VALUES (?, ?, ?, ?, ?, make_timestamptz(?), ?, ?, ?, ?, ?, ?, ?, ?)",
        [str(uuid.uuid4()), org_id, series.id, run_id, point.value, time_ns // 1000, bool(found), json.dumps(found),
         time_ns, point.count, point.spread, *(
             (None, None, None) if limits is None
             else (limits.mean, limits.upper(point.count), limits.lower(point.count)))],
    )  # fmt: skip
    if limits is None:
        _end_baseline(connection, series, time_ns)
    return found


def _end_baseline(connection: Connection, series: Series, time_ns: int) -> None:
    """Make limits as soon as there are enough points; where all are the same they are waited for further."""
    points = _points_before(connection, series, 2**62, MOST, 0)
    if len(points) < series.baseline:
        return
    try:
        limits = estimate(points, individuals=series.individuals)
    except ValueError:
        return
    _put_limits(connection, series, limits, "baseline", time_ns + 1, points[-1].count)


def newest_value(connection: Connection, series: Series, time_ns: int) -> float | None:
    """The value of the point before a moment."""
    points = _points_before(connection, series, time_ns, 1, 0)
    return points[0].value if points else None


def place_of(connection: Connection, series: Series, run_id: str, time_ns: int) -> int:
    """When the point of a run stands: where it was first measured."""
    row = one(connection, "SELECT time_ns FROM spc_points WHERE series_id = ? AND cvd_run_id = ?", [series.id, run_id])
    return time_ns if row is None else int(row[0])


def list_points(
    connection: Connection, name: str, start_ns: int, end_ns: int | None, limit: int
) -> list[dict[str, Any]]:
    """List points in order, the newest where there are more than the limit."""
    series = find(connection, name)
    rows = connection.execute(
        "SELECT p.cvd_run_id::VARCHAR, r.run_number, p.value, p.spread, p.subgroup_size, p.time_ns, p.mean, p.ucl, "
        "p.lcl, p.violation, p.violation_rules FROM spc_points p LEFT JOIN runs r ON r.id = p.cvd_run_id "
        "WHERE p.series_id = ? AND p.time_ns BETWEEN ? AND ? ORDER BY p.time_ns DESC LIMIT ?",
        [series.id, start_ns, 2**62 if end_ns is None else end_ns,
         min(limit or MOST, MOST)],
    ).fetchall()  # fmt: skip
    names = (
        "run_id", "run_number", "value", "spread", "subgroup_size", "time_ns", "mean", "ucl", "lcl", "violation",
        "violation_rules",
    )  # fmt: skip
    found: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in reversed(rows)]
    for point in found:
        point["violation_rules"] = json.loads(point["violation_rules"] or "[]")
    return found


def entry(connection: Connection, series: Series) -> Entry:
    """The object of the address space."""
    points = list_points(connection, series.name, 0, None, 1)
    (count,) = one(connection, "SELECT count(*) FROM spc_points WHERE series_id = ?", [series.id]) or (0,)
    last: dict[str, Any] = points[0] if points else {}
    numbers: dict[str, float | None] = {
        "Target": series.target, "Ucl": series.ucl, "Lcl": series.lcl, "Usl": series.usl, "Lsl": series.lsl,
        "Mean": series.mean, "StdDev": series.std_dev, "Cp": series.cp, "Cpk": series.cpk,
        "LastValue": last.get("value"),
    }  # fmt: skip
    fields: dict[str, Any] = {
        "SeriesId": series.id,
        "Parameter": series.parameter,
        **{name: float("nan") if value is None else float(value) for name, value in numbers.items()},
        "Chart": series.chart.value,
        "RecipeId": series.recipe_id or "",
        "Rules": ", ".join(series.rules),
        "LimitsFrom": series.limits_from or "",
        "Points": int(count),
        "LastRunNumber": str(last.get("run_number") or ""),
        "LastViolation": ", ".join(last.get("violation_rules") or []),
        "Retired": series.retired,
    }
    return Entry("Spc", series.name, fields, f"{series.parameter} by {series.chart.value} chart.")
