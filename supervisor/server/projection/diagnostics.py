"""What the daemon measures of itself, by path of the address space."""

import ctypes
from typing import Any

import numpy as np

from kernels.image import LATENCY_EDGES_US, Timing
from supervisor.link.latency import percentile_us


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
        "Diagnostics/WakeupLatencyEdgesUs": [float(edge) for edge in LATENCY_EDGES_US],
        "Diagnostics/WakeupLatencyHistogram": _counts(timing),
        "Diagnostics/Overruns": int(timing.overruns) if timing else 0,
        "Diagnostics/SkippedSlots": int(timing.skipped) if timing else 0,
        "Diagnostics/Scans": int(timing.scans) if timing else 0,
        "Diagnostics/RealTime": bool(timing.fifo) if timing else False,
        "Diagnostics/MemoryLocked": bool(timing.locked) if timing else False,
        "Diagnostics/ControllerStarts": int(timing.generation) if timing else 0,
    }


def _counts(timing: Timing | None) -> list[float]:
    """Wake-ups by bucket; the last bucket, beyond the last edge, is open."""
    return [float(count) for count in timing.histogram] if timing else [0.0] * (len(LATENCY_EDGES_US) + 1)


_ERROR = 5
"""TIME_ERROR of adjtimex(2): the clock is not synchronised."""


def time_sync() -> str:
    """Return what the kernel says of the clock: synchronised or not; asked without a disk or a child process."""
    # struct timex is 208 bytes on 64-bit Linux; with modes = 0 the call only reads.
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256))
    if state < 0:
        return "Unknown"
    return "NotSynchronised" if state == _ERROR else "Synchronised"
