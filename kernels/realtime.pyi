"""The thread that runs the scan at absolute deadlines, without the GIL."""

import numpy as np
from numpy.typing import NDArray

from kernels.fast import FastOutputs
from kernels.scan import Scan

class ScanThread:
    """A POSIX thread on CLOCK_MONOTONIC deadlines.

    Args:
        scan: what to run; nobody else may advance it meanwhile.
        period_ns: slot length.
        priority: SCHED_FIFO priority 1…99, 0 for the ordinary scheduler.
        cpu: processor to pin to, -1 for none.
        scans_per_slot: more than 1 runs a simulated tool faster than the clock.
        lock: lock tables, image and stack into memory where permitted.
        start_ns: time of the row of scan 0, for a simulated tool; 0: rows carry the wall clock.
    """

    def __init__(
        self,
        scan: Scan,
        *,
        period_ns: int,
        priority: int = ...,
        cpu: int = ...,
        scans_per_slot: int = ...,
        lock: bool = ...,
        start_ns: int = ...,
    ) -> None: ...
    def attach(self, outputs: FastOutputs) -> None:
        """Hand the outputs of every slot to fast outputs; before `start`."""
    def start(self) -> list[str]:
        """Start; return what was not permitted, each with its remedy (empty when everything was)."""
    def stop(self, timeout_s: float = ...) -> None:
        """Stop after the current scan and join; raises TimeoutError when it does not end.

        `timeout_s` counts from the end of the slot in which the thread sleeps.
        """
    @property
    def running(self) -> bool: ...
    def watch(self, timeout_s: float) -> None:
        """Raise TimeoutError when no scan has completed for so long, RuntimeError when the thread is not running."""
    @property
    def lead_ns(self) -> int:
        """How much before its deadline the thread's timer is set now: the quickest of the last wake-ups, in ns."""
    def latencies(self) -> NDArray[np.int64]:
        """Copy the latencies of the last wake-ups (at most 65536), oldest first, in ns."""
