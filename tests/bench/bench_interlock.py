"""Interlock: from an input that crosses its limit to the gated output, in random scans, with a blocked event loop.

Two measurements. At full speed, random interlock tools are scanned in a thread while an asyncio loop runs beside it;
in the middle the loop is blocked for five seconds, and the scans of that time are judged like all others. In real time,
the scan thread runs a tool at 1 kHz while the loop is blocked as long; nobody posts then, so the silent instrument has
to age out and gate its outputs by itself, in the scan in which it becomes Bad.

Every row is judged from what was posted (tests/kernels/interlock_sweep.py). `CVD_INTERLOCK_SCANS` sets the number of
random scans; the full count is `python -m tests.kernels.campaign --mode interlock --scans 10000000`.
"""

import asyncio
import os
import threading
import time
from random import Random

import numpy as np

from kernels.image import Image
from kernels.realtime import ScanThread
from kernels.scan import Scan
from kernels.tables import Command, ConditionClass
from tests.bench.figure import Figure
from tests.kernels.interlock_sweep import Sweep, sweep
from tests.kernels.tables_builder import ToolBuilder, tag

SCANS = int(os.environ.get("CVD_INTERLOCK_SCANS", "1000000"))
SCANS_PER_TOOL = 50_000
BLOCKED_S = 5.0
TARGET = "within the same scan, in 10⁷ random scans, event loop blocked for 5 s in the middle"


class Progress:
    """Counts scans across tools; readable from another thread."""

    def __init__(self) -> None:
        self.done = 0
        self.of_tool = 0

    def __call__(self, scans: int) -> None:
        self.of_tool = scans

    @property
    def scans(self) -> int:
        return self.done + self.of_tool


def scan_all(progress: Progress, total: Sweep, blocked: threading.Event, ended: threading.Event) -> None:
    """Sweep random tools until the count is reached and the loop has been blocked and freed again."""
    tool = 0
    try:
        while progress.scans < SCANS or not blocked.is_set():
            total.add(sweep(Scan, Random(f"bench {tool}"), SCANS_PER_TOOL, each=progress))
            progress.done, progress.of_tool = progress.done + SCANS_PER_TOOL, 0
            tool += 1
    finally:
        ended.set()


async def beside_a_loop(progress: Progress, blocked: threading.Event, ended: threading.Event) -> int:
    """Run a loop beside the scans; block it when half of them are done. Return the scans of that time."""
    seen = 0
    while not ended.is_set():
        await asyncio.sleep(0.001)
        if progress.scans >= SCANS // 2 and not blocked.is_set():
            before = progress.scans
            time.sleep(BLOCKED_S)  # noqa: ASYNC251 (the blocked loop is what is measured)
            seen = progress.scans - before
            blocked.set()
    return seen


def random_scans() -> tuple[Sweep, int]:
    """Measure at full speed; return what was seen and the scans that ran while the loop was blocked."""
    progress, total, blocked, ended = Progress(), Sweep(), threading.Event(), threading.Event()
    worker = threading.Thread(target=scan_all, args=(progress, total, blocked, ended))
    worker.start()
    seen = asyncio.run(beside_a_loop(progress, blocked, ended))
    worker.join()
    return total, seen


def real_time() -> tuple[int, int]:
    """Let an instrument fall silent at 1 kHz, loop blocked; return scans from Bad to gated, and scans run."""
    tool = ToolBuilder(period_s=0.001)
    gauge, valve = tool.input(age_bad=500), tool.output()
    tool.condition(tag(gauge).above(50.0), ConditionClass.PERMISSIVE, effects={valve: 0.0})
    tables = tool.build()
    with Image.create(tags=len(tables.tags), conditions=1, flight_rows=8192, log_rows=16) as image:
        scan = Scan(tables, image)
        scan.post(gauge, 1.0, 0, 0)
        scan.advance(1, 0, 1_000_000)
        scan.command(Command.WRITE, valve, 80.0)

        async def block() -> None:
            thread = ScanThread(scan, period_ns=1_000_000)
            thread.start()
            await asyncio.sleep(0.1)
            scan.post(gauge, 1.0, 0, 0)
            time.sleep(BLOCKED_S)  # noqa: ASYNC251 (the blocked loop is what is measured)
            thread.stop()

        asyncio.run(block())
        rows = image.flight(0, 8192)
        bad = np.flatnonzero((rows.status[:, gauge] & 0x80000000) != 0)
        gated = np.flatnonzero((rows.values[:, valve] == 0.0) & (np.arange(len(rows.scan)) > 1))
        if not len(bad) or not len(gated) or rows.values[bad[0] - 1, valve] != 80.0:
            raise RuntimeError("the silent instrument did not gate its output")
        return int(rows.scan[gated[0]] - rows.scan[bad[0]]), int(rows.scan[-1])


def figures() -> list[Figure]:
    """Measure."""
    total, blocked = random_scans()
    if not total.crossings or not blocked:
        raise RuntimeError(f"nothing was measured: {total}, {blocked} scans while the loop was blocked")
    late, scans = real_time()
    return [
        Figure("interlock: rows with an output not gated in the scan of the crossing", total.violations,
               f"of {total.scans:,} scans, {total.crossings:,} crossings", target=TARGET),
        Figure("interlock: random scans while the event loop was blocked for 5 s", blocked, "scans", better="higher"),
        Figure("interlock: scans from a silent instrument's Bad to its gated output, 1 kHz, loop blocked for 5 s",
               late, f"of {scans:,} scans", target="0"),
    ]  # fmt: skip
