"""The process image in shared memory: a snapshot, a flight ring at scan rate and a logging ring, in one memfd."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

# Buckets of the wake-up latency histogram: upper edges in µs, powers of two; the last bucket is open.
LATENCY_EDGES_US: tuple[float, ...]

def image_bytes(tags: int, conditions: int, flight_rows: int, log_rows: int) -> int:
    """Return the size in bytes of an image, so that a tool can be refused before anything is created."""

@dataclass(frozen=True)
class Snapshot:
    """One consistent copy of the newest row."""

    scan: int
    time_ns: int
    values: NDArray[np.float64]  # [tags]
    status: NDArray[np.uint32]  # [tags]
    source_ns: NDArray[np.int64]  # [tags]
    conditions: NDArray[np.void]  # [conditions], tables.CONDITION_STATE

@dataclass(frozen=True)
class Rows:
    """Rows of a ring, oldest first; `lost` rows between the one asked for and the first are gone."""

    scan: NDArray[np.int64]  # [rows]
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]  # [rows, tags]
    status: NDArray[np.uint32]
    source_ns: NDArray[np.int64]
    next: int  # pass this to the next call
    lost: int

@dataclass(frozen=True)
class Timing:
    """What the scan thread measured of itself since its start, in µs where it says so."""

    scans: int
    skipped: int
    overruns: int
    duration_us: float  # of the last scan, publishing included
    duration_max_us: float
    latency_us: float  # of the last wake-up
    latency_max_us: float
    histogram: NDArray[np.int64]  # wake-up latencies by LATENCY_EDGES_US
    fifo: bool  # SCHED_FIFO is in force
    locked: bool  # tables, image and stack are locked in memory
    generation: int  # counts controllers that attached as writers

class Image:
    """A mapped image. Readers copy and look whether the writer came near; they can never delay or damage it."""

    def __init__(self, fd: int) -> None:
        """Map an existing image; raises ValueError when the descriptor holds no image or another layout version."""
    @staticmethod
    def create(*, tags: int, conditions: int, flight_rows: int, log_rows: int, layout: bytes = ...) -> Image:
        """Make a new image in a sealed-size memfd. `layout` (≤ 32 bytes) is a digest of the tag list."""
    @property
    def fd(self) -> int: ...
    @property
    def layout(self) -> bytes: ...
    @property
    def tags(self) -> int: ...
    @property
    def conditions(self) -> int: ...
    def snapshot(self) -> Snapshot:
        """Copy the newest row. Before the first scan: scan −1, no value known."""
    def head(self) -> tuple[int, int]:
        """Return scan index and row count of the logging ring without copying (cheap: for watching progress)."""
    def logged(self, after: int, limit: int = ...) -> Rows:
        """Copy rows of the logging ring from row number `after` on (0 at first)."""
    def flight(self, after: int = ..., limit: int = ...) -> Rows:
        """Copy rows of the flight ring."""
    def timing(self) -> Timing: ...
    def heal(self) -> None:
        """For a new writer, before its scan attaches: begin a generation and its timing.

        Rows need no repair: one whose writing was interrupted was never published, and the row that it overwrote counts
        as lost until the new writer writes that number again.
        """
    def close(self) -> None:
        """Give the descriptor and, once nobody uses it, the mapping back. A scan that publishes goes on."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
