"""What the daemon measures of itself, by path of the address space."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.image import LATENCY_EDGES_US, Timing


def percentile_us(histogram: NDArray[np.int64], share: float, greatest_us: float) -> float:
    """Return the upper edge of the bucket that a share of the wake-ups stays below; 0 without any."""
    total = int(histogram.sum())
    if not total:
        return 0.0
    bucket = int(np.searchsorted(np.cumsum(histogram), share * total))
    edge = LATENCY_EDGES_US[bucket] if bucket < len(LATENCY_EDGES_US) else greatest_us
    return float(min(edge, greatest_us)) if greatest_us > 0 else float(edge)


def timing_variables(timing: Timing | None, period_s: float) -> dict[str, Any]:
    """Return the scan's own measurements."""
    counted = np.asarray(timing.histogram, np.int64) if timing else np.zeros(1, np.int64)
    greatest = timing.latency_max_us if timing else 0.0
    return {
        "Diagnostics/ScanPeriodUs": period_s * 1e6,
        "Diagnostics/ScanDurationUs": timing.duration_us if timing else 0.0,
        "Diagnostics/ScanDurationMaxUs": timing.duration_max_us if timing else 0.0,
        "Diagnostics/WakeupLatencyP50Us": percentile_us(counted, 0.5, greatest),
        "Diagnostics/WakeupLatencyP99Us": percentile_us(counted, 0.99, greatest),
        "Diagnostics/WakeupLatencyMaxUs": greatest,
        "Diagnostics/Overruns": int(timing.overruns) if timing else 0,
        "Diagnostics/SkippedSlots": int(timing.skipped) if timing else 0,
        "Diagnostics/Scans": int(timing.scans) if timing else 0,
        "Diagnostics/RealTime": bool(timing.fifo) if timing else False,
        "Diagnostics/MemoryLocked": bool(timing.locked) if timing else False,
        "Diagnostics/ControllerStarts": int(timing.generation) if timing else 0,
    }


_ERROR = 5
"""TIME_ERROR of adjtimex(2): the clock is not synchronised."""


def time_sync() -> str:
    """Return what the kernel says of the clock: synchronised or not; asked without a disk or a child process."""
    # struct timex is 208 bytes on 64-bit Linux; with modes = 0 the call only reads.
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256))
    if state < 0:
        return "Unknown"
    return "NotSynchronised" if state == _ERROR else "Synchronised"
