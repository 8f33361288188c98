"""Percentiles of the wake-up latency are read from the histogram and never flatter."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.image import LATENCY_EDGES_US
from supervisor.controller.scanning.timing import TimingMark, timing_now, timing_since
from supervisor.link.latency import percentile_us


@dataclass
class Told:
    histogram: NDArray[np.int64]
    scans: int = 1000
    skipped: int = 3
    overruns: int = 2
    duration_us: float = 5.0
    duration_max_us: float = 50.0
    latency_us: float = 4.0
    latency_max_us: float = 900.0
    fifo: bool = True
    locked: bool = False
    generation: int = 2


def histogram(**counts: int) -> NDArray[np.int64]:
    made = np.zeros(len(LATENCY_EDGES_US) + 1, np.int64)
    for bucket, count in counts.items():
        made[int(bucket[1:])] = count
    return made


def test_a_percentile_is_the_upper_edge_of_its_bucket() -> None:
    counts = histogram(b2=990, b5=9, b7=1)
    assert percentile_us(counts, 0.5, 900.0) == LATENCY_EDGES_US[2]
    assert percentile_us(counts, 0.99, 900.0) == LATENCY_EDGES_US[2]
    assert percentile_us(counts, 0.995, 900.0) == LATENCY_EDGES_US[5]
    assert percentile_us(counts, 1.0, 900.0) == LATENCY_EDGES_US[7]


def test_the_open_bucket_is_told_by_the_greatest_that_was_seen() -> None:
    counts = np.zeros(len(LATENCY_EDGES_US) + 1, np.int64)
    counts[-1] = 1
    assert percentile_us(counts, 0.5, 1e9) == 1e9


def test_without_scans_there_is_no_latency() -> None:
    assert percentile_us(histogram(), 0.99, 0.0) == pytest.approx(0.0)


def test_a_run_tells_only_what_was_measured_in_it() -> None:
    before = TimingMark.of(Told(histogram(b9=10), scans=10, skipped=2, overruns=2))  # type: ignore[arg-type]
    summary = timing_since(before, Told(histogram(b2=990, b9=10)))  # type: ignore[arg-type]
    assert summary["scans"] == 990
    assert summary["skipped"] == 1
    assert summary["overruns"] == 0
    assert summary["p99_us"] == LATENCY_EDGES_US[2]
    assert (summary["fifo"], summary["locked"]) == (True, False)


def test_everything_that_is_told_can_be_written_as_json() -> None:
    told = timing_now(Told(histogram(b2=1)))  # type: ignore[arg-type]
    assert sum(told["histogram"]) == 1
    assert all(type(value) in {int, float, bool, list} for value in told.values())
