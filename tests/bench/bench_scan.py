"""The scan: its duration by number of tags, publishing included, beside the plain-Python oracle on the same tool.

At full speed the tables lie in the processor's caches; at 1 kHz, as in a daemon, everything else has passed through
them since the last scan. Both are shown.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from kernels.image import Image
from kernels.realtime import ScanThread
from kernels.scan import Scan
from kernels.tables import Command, Program, SystemTag, Tables, TagKind
from tests.bench.figure import Figure
from tests.kernels.oracle import Oracle
from tests.kernels.tables_builder import bench_tables

SEGMENTS = 200
FLIGHT_S, LOG_S = 10, 60
BATCHES, BATCH = 200, 100
PERIOD_NS = 1_000_000


class Instruments:
    """Measurements that change by noise, for every input of a tool."""

    def __init__(self, tables: Tables) -> None:
        self.tags = np.flatnonzero(tables.tags["kind"] == TagKind.INPUT).astype(np.int32)
        self.rng = np.random.default_rng(1)
        self.values = self.rng.uniform(10.0, 100.0, len(self.tags))
        self.status = np.zeros(len(self.tags), np.uint32)
        self.times = np.zeros(len(self.tags), np.int64)

    def read(self) -> np.ndarray:
        """Return new values."""
        return self.values + self.rng.normal(size=len(self.tags))


def start(scan: Scan | Oracle, tables: Tables, program: Program) -> None:
    """Bring a tool into its run: loops in automatic, hazardous outputs armed, program running."""
    scan.load(0, program)
    modes = np.flatnonzero((tables.tags["kind"] == TagKind.SETPOINT) & (tables.tags["high"] == 2.0))
    for mode in modes.tolist():
        scan.command(Command.WRITE, mode, 2.0)
        scan.advance(1)
    for op in (Command.LOAD, Command.ARM, Command.START):
        scan.command(op)
    scan.advance(2)
    if scan.values()[0][SystemTag.RUN_STATE] != 1:
        raise RuntimeError("the bench's program does not run")


@contextmanager
def running(tags: int, interlocks: int, loops: int) -> Iterator[tuple[Scan, Image, Instruments, Tables, Program]]:
    """Set a tool up that publishes into rings of the usual length."""
    tables, program = bench_tables(tags, interlocks, loops, SEGMENTS)
    instruments = Instruments(tables)
    rows = min(FLIGHT_S * 1000, 2**28 // (20 * tags))  # the widest tool keeps less, as `cvd check` would demand
    with Image.create(tags=tags, conditions=interlocks, flight_rows=rows, log_rows=LOG_S * 10) as image:
        scan = Scan(tables, image, log_every=100)
        scan.post_many(instruments.tags, instruments.read(), instruments.status, instruments.times)
        start(scan, tables, program)
        scan.advance(rows)  # every page of the ring has been touched
        yield scan, image, instruments, tables, program


def full_speed(scan: Scan, instruments: Instruments) -> float:
    """Return the median time of a scan in µs; each tenth of a second of the tool every instrument speaks."""
    taken: list[float] = []
    for _ in range(BATCHES):
        scan.post_many(instruments.tags, instruments.read(), instruments.status, instruments.times)
        begun = time.perf_counter()
        scan.advance(BATCH, 0, PERIOD_NS)
        taken.append((time.perf_counter() - begun) / BATCH * 1e6)
    return statistics.median(taken)


def at_one_kilohertz(scan: Scan, image: Image, instruments: Instruments, seconds: float = 3.0) -> tuple[float, float]:
    """Return median and 99th percentile of a scan's duration in µs, as the scan thread measures it."""
    thread = ScanThread(scan, period_ns=PERIOD_NS, priority=80)
    thread.start()
    taken: list[float] = []
    try:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.0011)
            taken.append(image.timing().duration_us)
            if len(taken) % 10 == 0:
                scan.post_many(instruments.tags, instruments.read(), instruments.status, instruments.times)
    finally:
        thread.stop()
    return statistics.median(taken), float(np.percentile(taken, 99))


def oracle(tables: Tables, program: Program, instruments: Instruments) -> float:
    """Return the median time of a scan of the plain-Python reference in µs."""
    reference = Oracle(tables)
    for tag, value in zip(instruments.tags.tolist(), instruments.read().tolist(), strict=True):
        reference.post(tag, value, 0, 0)
    start(reference, tables, program)
    taken: list[float] = []
    for _ in range(20):
        begun = time.perf_counter()
        reference.advance(1)
        taken.append((time.perf_counter() - begun) * 1e6)
    return statistics.median(taken)


def figures() -> list[Figure]:
    """Measure."""
    found: list[Figure] = []
    per_tag: dict[int, float] = {}
    for tags, interlocks, loops in ((100, 26, 6), (1000, 256, 64), (10_000, 2560, 640)):
        with running(tags, interlocks, loops) as (scan, image, instruments, tables, program):
            median = full_speed(scan, instruments)
            per_tag[tags] = median / tags * 1e3
            name = f"scan of {tags} tags, {interlocks} interlocks, {loops} loops, {SEGMENTS} segments"
            reference = oracle(tables, program, instruments)
            target = "≤ 10 µs median, publishing included" if tags == 1000 else ""
            found.append(Figure(name, median, "µs", reference, "plain-Python oracle", target))
            if tags == 1000:
                cold, worst = at_one_kilohertz(scan, image, instruments)
                found.append(
                    Figure("the same at 1 kHz beside other work: median", cold, "µs", median, "full speed", target)
                )
                found.append(Figure("the same at 1 kHz beside other work: 99 %", worst, "µs"))
    found.append(
        Figure(
            "scan time per tag, 10 000 tags",
            per_tag[10_000],
            "ns",
            per_tag[100],
            "100 tags",
            "linear in tags",
        )
    )
    return found
