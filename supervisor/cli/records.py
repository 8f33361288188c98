"""Records of tests for `cvd identify` and `cvd tune`: from what `cvd export` wrote, or from the simulated plant."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from config.layout import Layout
from config.regulation.record import Column
from config.tool import Tool
from supervisor.cli.errors import UsageError
from supervisor.controller.simulate import simulate_operation

NANOSECONDS = 1e9
Log = tuple[list[float], dict[str, Column]]
"""Times in s, and a column for each tag."""


def simulated(tool: Tool, operation: str, names: Sequence[str], seed: int | None) -> Log:
    """Carry an operation out on the simulated plant and log these tags.

    Raises:
        UsageError: it did not end well.
    """
    index = Layout(tool).index
    places = [index[name] for name in names]
    time_s, rows = list[float](), list[Column]()

    def watch(seconds: float, values: Column) -> None:
        time_s.append(seconds)
        rows.append(values[places])

    ended = simulate_operation(tool, operation, seed=seed, watch=watch)
    if ended != "COMPLETE":
        raise UsageError(f"{operation} did not end well on the simulated plant: {ended}")
    return time_s, dict(zip(names, np.array(rows).T, strict=True))


def read_record(path: Path) -> Log:
    """Read what `cvd export` wrote.

    Raises:
        UsageError: it cannot be read, or is no telemetry.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from error
    if not lines or "ts_ns" not in lines[0]:
        raise UsageError(f"{path}: no telemetry of a run (cvd export RUN --format csv)")
    time_s = [int(line["ts_ns"]) / NANOSECONDS for line in lines]
    return time_s, {name: np.array([_number(line[name]) for line in lines]) for name in lines[0]}


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")
