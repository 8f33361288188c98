"""What the scan thread measured of itself, as numbers for people and for the run record."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.image import LATENCY_EDGES_US, Timing
from supervisor.link.latency import percentile_us


@dataclass(frozen=True)
class TimingMark:
    """Counters at one moment, so that a run can say what was measured since."""

    scans: int
    skipped: int
    overruns: int
    histogram: NDArray[np.int64]

    @classmethod
    def of(cls, timing: Timing) -> "TimingMark":
        """Copy the counters."""
        return cls(timing.scans, timing.skipped, timing.overruns, np.array(timing.histogram, dtype=np.int64))


def timing_since(mark: TimingMark, timing: Timing) -> dict[str, Any]:
    """Summarise what was measured since a mark; the greatest values are those since the thread's start."""
    histogram = np.asarray(timing.histogram, dtype=np.int64) - mark.histogram
    return {
        "scans": timing.scans - mark.scans,
        "skipped": timing.skipped - mark.skipped,
        "overruns": timing.overruns - mark.overruns,
        "p50_us": percentile_us(histogram, 0.5, timing.latency_max_us),
        "p99_us": percentile_us(histogram, 0.99, timing.latency_max_us),
        "p999_us": percentile_us(histogram, 0.999, timing.latency_max_us),
        "latency_max_us": timing.latency_max_us,
        "duration_max_us": timing.duration_max_us,
        "histogram": [int(count) for count in histogram],
        "edges_us": [float(edge) for edge in LATENCY_EDGES_US],
        "fifo": bool(timing.fifo),
        "locked": bool(timing.locked),
    }


def timing_now(timing: Timing) -> dict[str, Any]:
    """Everything that is known about the timing since the thread's start."""
    nothing = TimingMark(0, 0, 0, np.zeros(len(timing.histogram), np.int64))
    return {
        **timing_since(nothing, timing),
        "latency_us": timing.latency_us,
        "duration_us": timing.duration_us,
        "generation": int(timing.generation),
    }
