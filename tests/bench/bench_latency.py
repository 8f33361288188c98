"""Wake-up latency of the scan thread at 1 kHz, beside `cyclictest` at the same priority and under the same load.

The load is a Python thread that never lets the GIL go by itself, and a server that feeds ten clients with a thousand
tags at 10 Hz from the scan's own image. Runs alternate in pairs, the order changing from pair to pair, so that
whatever else the machine does meets both. Both figures are the time from the deadline to the moment at which the
thread goes on; the scan thread sets its timer earlier by its quickest wake-up (`ScanThread.lead_ns`), cyclictest does
not. An asyncio loop that sleeps until the same deadlines is shown for contrast.

`CVD_LATENCY_PAIRS` and `CVD_LATENCY_SECONDS` change the number of pairs and the length of a run.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.image import Image
from kernels.realtime import ScanThread
from kernels.scan import Scan
from tests.bench.bench_scan import running
from tests.bench.figure import Figure
from tests.bench.traffic import feeding

PAIRS = int(os.environ.get("CVD_LATENCY_PAIRS", "10"))
SECONDS = float(os.environ.get("CVD_LATENCY_SECONDS", "4"))
PERIOD_NS = 1_000_000
PRIORITY = 80
LONGEST_NS = 5_000_000  # of cyclictest's histogram, one bucket a nanosecond

Latencies = NDArray[np.float64]  # µs


@contextmanager
def hogged_gil() -> Iterator[None]:
    """Let a Python thread compute without a pause meanwhile."""
    stop = False

    def hog() -> None:
        number = 1
        while not stop:
            number = (number * 1103515245 + 12345) & 0x7FFFFFFF

    thread = threading.Thread(target=hog)
    thread.start()
    try:
        yield
    finally:
        stop = True
        thread.join()


@contextmanager
def load(image: Image) -> Iterator[None]:
    """Put the machine under the load of a busy tool meanwhile."""
    with feeding(image), hogged_gil():
        yield


def of_scan_thread(scan: Scan, seconds: float) -> tuple[Latencies, list[str]]:
    """Return the latencies of the scan thread, and what it was not permitted."""
    thread = ScanThread(scan, period_ns=PERIOD_NS, priority=PRIORITY)
    refused = thread.start()
    time.sleep(seconds)
    thread.stop()
    return thread.latencies() / 1e3, refused


def of_cyclictest(seconds: float, *, fifo: bool) -> Latencies:
    """Return the latencies that cyclictest finds."""
    with tempfile.NamedTemporaryFile() as histogram:
        command = ["cyclictest", "-m", "-q", "-N", f"-i{PERIOD_NS // 1000}", f"-l{int(seconds * 1000)}", "-h"]
        command += [str(LONGEST_NS), f"--histfile={histogram.name}"]
        command += [f"-p{PRIORITY}"] if fifo else ["--policy=other"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = Path(histogram.name).read_text().splitlines()
    rows = np.array([line.split() for line in lines if line and not line.startswith("#")], np.int64)
    overflows = next(int(line.split()[-1]) for line in lines if line.startswith("# Histogram Overflows"))
    return np.concatenate([np.repeat(rows[:, 0], rows[:, 1]), np.full(overflows, LONGEST_NS)]) / 1e3


def of_asyncio(seconds: float) -> Latencies:
    """Return the latencies of an event loop that sleeps until the deadlines."""

    async def loop() -> list[float]:
        late: list[float] = []
        deadline = time.monotonic_ns()
        until = deadline + int(seconds * 1e9)
        while deadline < until:
            deadline = max(deadline + PERIOD_NS, time.monotonic_ns() + PERIOD_NS // 10)
            await asyncio.sleep((deadline - time.monotonic_ns()) / 1e9)
            late.append((time.monotonic_ns() - deadline) / 1e3)
        return late

    return np.array(asyncio.run(loop()))


def percentile(latencies: Latencies, share: float) -> float:
    """Return a percentile in µs."""
    return float(np.percentile(latencies, share))


def alternate(scan: Scan) -> tuple[list[Latencies], list[Latencies], list[str]]:
    """Measure in pairs: the scan thread's, cyclictest's (empty when it is not installed), and what was refused."""
    ours: list[Latencies] = []
    theirs: list[Latencies] = []
    refused: list[str] = []

    def measure_ours() -> None:
        nonlocal refused
        latencies, refused = of_scan_thread(scan, SECONDS)
        ours.append(latencies)

    def measure_theirs() -> None:
        if shutil.which("cyclictest"):
            theirs.append(of_cyclictest(SECONDS, fifo=not any("SCHED_FIFO" in line for line in refused)))

    for pair in range(PAIRS):
        for measure in (measure_ours, measure_theirs) if pair % 2 == 0 else (measure_theirs, measure_ours):
            measure()
    return ours, theirs, refused


def figures() -> list[Figure]:
    """Measure."""
    with running(1000, 256, 64) as (scan, image, *_), load(image):
        ours, theirs, refused = alternate(scan)
        contrast = of_asyncio(SECONDS)
    for line in refused:
        print(f"latency: {line}", file=sys.stderr)
    kind = "other scheduler" if any("SCHED_FIFO" in line for line in refused) else f"FIFO {PRIORITY}"
    name = f"wake-up latency at 1 kHz, {kind}, GIL hogged, ten clients fed"
    p50, p99, p999 = (statistics.median(percentile(run, share) for run in ours) for share in (50, 99, 99.9))
    if not theirs:
        print("latency: without a reference; cyclictest is in Debian's rt-tests", file=sys.stderr)
        return [
            Figure(f"{name}: 99 %", p99, "µs", percentile(contrast, 99), "asyncio loop"),
            Figure(f"{name}: 99.9 %", p999, "µs", percentile(contrast, 99.9), "asyncio loop"),
        ]
    ratios = [percentile(a, 99) / percentile(b, 99) for a, b in zip(ours, theirs, strict=True)]
    spread = [percentile(run, 99.9) for run in theirs]
    return [
        Figure(f"{name}: median", p50, "µs", statistics.median(percentile(run, 50) for run in theirs), "cyclictest"),
        Figure(f"{name}: 99 %", p99, "µs", statistics.median(percentile(run, 99) for run in theirs), "cyclictest"),
        Figure(f"median ratio of 99 % over {PAIRS} pairs", statistics.median(ratios), "", target="≤ 1.25"),
        Figure(f"{name}: 99.9 %", p999, "µs", max(spread), f"cyclictest, {min(spread):.0f} … this",
               "within cyclictest's spread"),
        Figure("an asyncio loop, same load and deadlines: 99 %", percentile(contrast, 99), "µs", p99, "scan thread"),
    ]  # fmt: skip
