"""What processes and files of a daemon take, minute by minute, and whether it grows.

A figure grows when a line fitted through the second half of its samples rises, over that half, by more than the floor
of its kind and by more than three times what the scatter of the samples would make of nothing. The first half is left
out: buffers fill, pages of the rings are touched for the first time, modules are imported with their first use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PROCESSES = ("launcher", "controller", "server")


@dataclass(frozen=True)
class Floor:
    """What a fitted rise must exceed before it counts: an amount, and a part of the mean."""

    amount: float
    part: float


FLOORS: Mapping[str, Floor] = {
    "pss_mb": Floor(4.0, 0.03),
    "rss_mb": Floor(4.0, 0.03),
    "descriptors": Floor(3.0, 0.0),
    "threads": Floor(1.5, 0.0),
    "wakeup_p99_us": Floor(30.0, 0.5),
    "scan_us": Floor(20.0, 0.5),
    "skipped": Floor(5.0, 0.5),
    "historian_lag_s": Floor(2.0, 0.5),
}
"""By the last word of a figure's name. A descriptor and a thread more may be a client that is just served; latencies
and skipped slots of a minute scatter with the machine. Files of records grow as they should, and are only told."""


def of_process(pid: int) -> dict[str, float]:
    """Memory (MB), descriptors and threads of a process, from proc(5)."""
    folder = Path("/proc") / str(pid)
    memory = _fields(folder / "smaps_rollup", ("Rss", "Pss"))
    threads = _fields(folder / "status", ("Threads",))
    return {
        "rss_mb": memory["Rss"] / 1024,
        "pss_mb": memory["Pss"] / 1024,
        "descriptors": float(sum(1 for _ in (folder / "fd").iterdir())),
        "threads": threads["Threads"],
    }


def _fields(path: Path, names: Sequence[str]) -> dict[str, float]:
    lines = (line.partition(":") for line in path.read_text(encoding="ascii", errors="replace").splitlines())
    return {name: float(rest.split()[0]) for name, _, rest in lines if name in names}


def of_files(data: Path) -> dict[str, float]:
    """Sizes (MB) of what a data folder keeps, and the number of its Parquet files."""
    parquet = list(data.rglob("*.parquet"))
    return {
        "duckdb_mb": _size([data / "cvd.duckdb", data / "cvd.duckdb.wal"]),
        "journal_mb": _size((data / "journal").rglob("*")),
        "parquet_mb": _size(parquet),
        "parquet_files": float(len(parquet)),
    }


def _size(paths: Any) -> float:
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # rolled away between listing and looking
            continue
    return total / 1e6


def judge(samples: Sequence[Mapping[str, float]]) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Fit a line through the second half of each figure.

    Args:
        samples: each with `at_s`, the time since the start, and the same figures.

    Returns:
        By figure its mean, its greatest and its rise per hour in the second half; what grows, in words.
    """
    half = samples[len(samples) // 2 :]
    if len(half) < 3:
        return {}, [f"{len(samples)} samples are too few to tell growth"]
    at = np.array([one["at_s"] for one in half])
    told: dict[str, dict[str, float]] = {}
    faults: list[str] = []
    for name in (name for name in half[0] if name != "at_s"):
        values = np.array([one[name] for one in half])
        per_s, error = _line(at, values)
        told[name] = {
            "mean": round(float(values.mean()), 3),
            "max": round(float(values.max()), 3),
            "per_hour": round(per_s * 3600, 3),
        }
        floor = FLOORS.get(name.rpartition(".")[2])
        span = float(at[-1] - at[0])
        if floor and per_s * span > max(floor.amount, floor.part * float(values.mean()), 3 * error * span):
            faults.append(f"{name} grows by {per_s * 3600:.3g} an hour, from {values[0]:.4g} to {values[-1]:.4g}")
    return told, faults


def _line(at: Any, values: Any) -> tuple[float, float]:
    """Slope of the line of least squares, and its standard error."""
    centred = at - at.mean()
    spread = float((centred**2).sum())
    slope = float((centred * values).sum()) / spread
    rest = values - values.mean() - slope * centred
    return slope, float(np.sqrt((rest**2).sum() / (len(at) - 2) / spread))
