"""What the folders of the address space hold: the newest entries at once, all of them part by part."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from opcua_model.interface import WINDOW, Entry
from supervisor.server.calls.desk import DIVISION
from supervisor.server.records import modes, recipes, runs
from supervisor.server.records.results import get_result
from supervisor.server.spc import series
from supervisor.server.store.rows import Connection, aggregate

_TABLES = {
    "Recipes": "recipes", "Runs": "runs", "Results": "results", "ProcessModes": "process_modes", "Spc": "spc_series",
}  # fmt: skip


def part(connection: Connection, folder: str, first: int, count: int) -> tuple[int, Sequence[Entry]]:
    """Return how many entries a folder has, and those from number `first` on, oldest first."""
    table = _TABLES.get(folder)
    if table is None:
        return 0, []
    (total,) = aggregate(connection, f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours
    found = min(count, max(0, int(total) - first))
    entries = _entries(connection, folder, first, found, int(total)) if found else []
    return int(total), [replace(entry, name=entry.name.replace("/", DIVISION)) for entry in entries]


def _entries(connection: Connection, folder: str, first: int, count: int, total: int) -> list[Entry]:
    behind = total - first - count  # lists are newest first
    if folder == "Recipes":
        return [recipes.entry(row) for row in reversed(recipes.list_versions(connection, "", behind, count))]
    if folder == "Runs":
        return [runs.entry(run) for run in reversed(runs.list_runs(connection, "", behind, count))]
    if folder == "Spc":
        return [series.entry(connection, found) for found in series.list_series(connection, first, count)]
    if folder == "ProcessModes":
        return modes.mode_entries(modes.list_modes(connection, skip=first, limit=count))
    rows = connection.execute(
        "SELECT run_number, cvd_run_id::VARCHAR FROM results JOIN runs ON runs.id = cvd_run_id "
        "ORDER BY results.created_at, run_number LIMIT ? OFFSET ?",
        [count, first],
    ).fetchall()
    return [_result(connection, str(number), str(run_id)) for number, run_id in rows]


def _result(connection: Connection, number: str, run_id: str) -> Entry:
    found: dict[str, Any] = get_result(connection, run_id) or {"film_material": ""}
    return runs.result_entry(number, found)


def newest(connection: Connection) -> list[Entry]:
    """Return what each folder shows by itself, oldest first."""
    found: list[Entry] = []
    for folder in _TABLES:
        total, _ = part(connection, folder, 0, 0)
        found += part(connection, folder, max(0, total - WINDOW), WINDOW)[1]
    return found
