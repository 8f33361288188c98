"""The scan thread keeps its deadlines, counts what it missed, and says what it was not permitted.

Timing on a shared machine is what it is: these tests hold the thread to its bookkeeping, which must be exact; how well
it keeps time is measured by tests/bench/bench_latency.py.
"""

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels.image import LATENCY_EDGES_US
from kernels.realtime import ScanThread
from kernels.scan import Scan
from kernels.tables import Event, SystemTag, TapeKind
from tests.kernels.clockwork import PythonPlant, clockwork, clockwork_tables, new_image, torn

ROOT = Path(__file__).resolve().parents[2]
MS = 1_000_000


@contextmanager
def stopped_at_the_end(thread: ScanThread) -> Iterator[ScanThread]:
    try:
        yield thread
    finally:
        thread.stop()


def wait_for_index(scan: Scan, index: int) -> None:
    """Wait until a scan has come so far; ten seconds are for a machine that is busy otherwise."""
    until = time.monotonic() + 10
    while scan.index < index:
        assert time.monotonic() < until, f"the scan stands at {scan.index}"
        time.sleep(0.001)


def test_the_index_follows_elapsed_time() -> None:
    """Whatever is skipped is counted, so index times period stays elapsed time."""
    with new_image(flight_rows=4096, log_rows=16) as image:
        scan = clockwork(image)
        thread = ScanThread(scan, period_ns=2 * MS)
        started = time.monotonic_ns()
        thread.start()
        with stopped_at_the_end(thread):
            assert thread.running
            wait_for_index(scan, 200)
            index, elapsed = scan.index - 9, time.monotonic_ns() - started
            assert elapsed / (2 * MS) - 500 < index <= elapsed / (2 * MS) + 1
        timing, rows = image.timing(), image.flight(10)
        assert timing.scans == len(rows.scan)
        assert rows.scan[-1] == scan.index == 9 + timing.scans + timing.skipped
        assert torn(rows.scan - np.cumsum(np.diff(rows.scan, prepend=9) - 1), rows.values) == 0
        assert timing.histogram.sum() == len(thread.latencies()) == timing.scans
        assert timing.latency_max_us == thread.latencies().max() / 1e3
        assert 0 < timing.duration_us <= timing.duration_max_us


def test_the_timer_is_set_earlier_by_the_quickest_wake_up_and_no_scan_begins_before_its_deadline() -> None:
    with new_image(flight_rows=4096) as image:
        scan = clockwork(image)
        thread = ScanThread(scan, period_ns=MS)
        assert thread.lead_ns == 0
        thread.start()
        with stopped_at_the_end(thread):
            until = time.monotonic() + 30
            while image.timing().scans < 600:  # two windows of 256 wake-ups; slots that are skipped are none
                assert time.monotonic() < until
                time.sleep(0.005)
            assert 0 < thread.lead_ns <= 50_000  # of the 1 ms slot, a twentieth
        assert thread.latencies().min() >= 0


def test_row_times_are_the_wall_clock_and_never_go_back() -> None:
    with new_image(flight_rows=4096) as image:
        scan = clockwork(image)
        before = time.time_ns()
        thread = ScanThread(scan, period_ns=MS)
        thread.start()
        with stopped_at_the_end(thread):
            wait_for_index(scan, 100)
        times = image.flight(10).time_ns
        assert (np.diff(times) > 0).all()
        assert before < times[0]
        assert times[-1] < time.time_ns()


def test_a_stall_is_skipped_counted_told_and_taped() -> None:
    """A scan that hangs for ten slots is one overrun and at least nine skipped slots, and the index makes up for it."""
    stalled = threading.Event()

    def says(coming: int) -> list[tuple[int, float, int]]:
        if coming >= 20 and not stalled.is_set():  # the very index may be one that is skipped
            time.sleep(0.055)
            stalled.set()
        return []

    with new_image(flight_rows=4096) as image:
        scan = Scan(clockwork_tables(), image, tape=True)
        plant = PythonPlant(says)
        scan.attach(plant.capsule)
        thread = ScanThread(scan, period_ns=5 * MS)
        thread.start()
        with stopped_at_the_end(thread):
            assert stalled.wait(10)
            wait_for_index(scan, 40)
        events, tape = scan.events(), scan.tape()
        skips = events[events["kind"] == Event.SKIPPED]
        timing = image.timing()
        stall = skips[skips["a"] >= 9][0]
        assert stall["scan"] > 20
        assert skips["a"].sum() == timing.skipped == scan.values()[0][SystemTag.SKIPPED_SLOTS]
        assert timing.overruns >= 1
        assert timing.duration_max_us > 55_000
        taped = tape[tape["kind"] == TapeKind.SKIP]
        assert taped["value"].tolist() == skips["a"].tolist()
        assert taped["scan"].tolist() == skips["scan"].tolist()
        rows = image.flight()
        assert stall["scan"] in rows.scan
        assert int(stall["scan"] - stall["a"]) not in rows.scan


def test_a_simulated_tool_runs_faster_than_the_clock() -> None:
    with new_image(flight_rows=1 << 14) as image:
        scan = clockwork(image)
        thread = ScanThread(scan, period_ns=MS, scans_per_slot=50, start_ns=1_000)
        thread.start()
        with stopped_at_the_end(thread):
            wait_for_index(scan, 2000)
        rows = image.flight(10)
        assert (np.diff(rows.scan) == 1).all()
        assert (rows.time_ns == 1_000 + rows.scan * MS).all()
        assert (scan.index - 9) % 50 == 0
        assert image.timing().scans == scan.index - 9


def test_an_accelerated_tool_without_a_start_begins_now() -> None:
    with new_image(flight_rows=4096) as image:
        scan = clockwork(image)
        before = time.time_ns()
        thread = ScanThread(scan, period_ns=MS, scans_per_slot=2)
        thread.start()
        with stopped_at_the_end(thread):
            wait_for_index(scan, 100)
        first = image.flight(10)
        assert before <= first.time_ns[0] < time.time_ns()
        assert (np.diff(first.time_ns) == MS).all()


def test_stopping_and_starting_again() -> None:
    with new_image() as image:
        scan = clockwork(image)
        thread = ScanThread(scan, period_ns=MS)
        thread.stop()
        assert not thread.running
        with pytest.raises(RuntimeError, match="not running"):
            thread.watch(1.0)
        for _ in range(3):
            before = scan.index
            thread.start()
            with stopped_at_the_end(thread):
                with pytest.raises(RuntimeError, match="runs already"):
                    thread.start()
                with pytest.raises(RuntimeError, match="run by another thread"):
                    scan.advance(1)
                with pytest.raises(RuntimeError, match="run by another thread"):
                    ScanThread(scan, period_ns=MS).start()
                wait_for_index(scan, before + 5)
                thread.watch(5.0)
            thread.stop()
            index = scan.index
            scan.advance(1)
            assert scan.index == index + 1
            assert image.timing().scans == len(thread.latencies())


def test_a_thread_that_nobody_holds_goes_on_until_it_is_stopped() -> None:
    """The daemon must not lose its scan to the garbage collector."""
    scan = clockwork(None)
    ScanThread(scan, period_ns=MS).start()
    gc.collect()
    wait_for_index(scan, scan.index + 20)
    (found,) = [each for each in gc.get_objects() if type(each) is ScanThread and each.running]
    found.stop()
    scan.advance(1)


def test_watching_notices_a_scan_that_hangs_and_stopping_does_not_hang_with_it() -> None:
    leave, hangs = threading.Event(), threading.Event()

    def says(coming: int) -> list[tuple[int, float, int]]:
        if coming >= 5:
            hangs.set()
            leave.wait(30)
        return []

    scan = Scan(clockwork_tables())
    plant = PythonPlant(says)
    scan.attach(plant.capsule)
    thread = ScanThread(scan, period_ns=MS)
    thread.start()
    try:
        assert hangs.wait(10)
        time.sleep(0.05)  # what is watched for is that nothing happens
        with pytest.raises(TimeoutError, match="no scan has completed"):
            thread.watch(0.02)
        with pytest.raises(TimeoutError, match="did not end within"):
            thread.stop(timeout_s=0.05)
    finally:
        leave.set()
        thread.stop(timeout_s=10)
    assert not thread.running


def test_what_was_not_permitted_is_said_with_its_remedy() -> None:
    """In a child without privileges: no real-time priority, no locked memory, a processor that it does not have."""
    program = """
import os, resource
from kernels.realtime import ScanThread
from tests.kernels.clockwork import clockwork, new_image
image = new_image()
scan = clockwork(image)
for limit in (resource.RLIMIT_RTPRIO, resource.RLIMIT_MEMLOCK):
    resource.setrlimit(limit, (0, 0))
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
thread = ScanThread(scan, period_ns=1_000_000, priority=80, cpu=1000)
for line in thread.start():
    print(line)
print(image.timing().fifo, image.timing().locked, thread.running)
thread.stop()
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    fifo, processor, memory, state = run.stdout.splitlines()
    assert fifo.startswith("SCHED_FIFO 80 refused (EPERM): add LimitRTPRIO=80 to the service unit")
    assert "CAP_SYS_NICE" in fifo
    assert processor.startswith("processor 1000 refused (EINVAL): this process may use 0")
    assert memory.startswith("memory not locked: ")
    assert "RLIMIT_MEMLOCK is 0 MiB; add LimitMEMLOCK=infinity" in memory
    assert state == "False False True"


def test_with_permission_the_thread_is_fifo_pinned_and_its_children_are_not() -> None:
    cpu = min(os.sched_getaffinity(0))
    with new_image() as image:
        scan = clockwork(image)
        thread = ScanThread(scan, period_ns=MS, priority=10, cpu=cpu)
        refused = thread.start()
        with stopped_at_the_end(thread):
            wait_for_index(scan, 20)
            if refused:
                pytest.skip("; ".join(refused))
            assert image.timing().fifo
            assert image.timing().locked
            (found,) = [
                int(task.name)
                for task in Path("/proc/self/task").iterdir()
                if (task / "comm").read_text() == "cvd-scan\n"
            ]
            assert os.sched_getscheduler(found) == os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
            assert os.sched_getparam(found).sched_priority == 10
            assert os.sched_getaffinity(found) == {cpu}
            assert os.sched_getscheduler(0) == os.SCHED_OTHER
        assert not Path(f"/proc/self/task/{found}").exists()


def test_the_histogram_counts_by_powers_of_two() -> None:
    with new_image() as image:
        scan = clockwork(image)
        thread = ScanThread(scan, period_ns=MS)
        thread.start()
        with stopped_at_the_end(thread):
            wait_for_index(scan, 100)
        expected = np.bincount(
            np.searchsorted(LATENCY_EDGES_US, thread.latencies() / 1e3), minlength=len(LATENCY_EDGES_US) + 1
        )
        assert image.timing().histogram.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"period_ns": 0}, "period_ns"),
        ({"period_ns": MS, "priority": 100}, "priority"),
        ({"period_ns": MS, "cpu": -2}, "cpu"),
        ({"period_ns": MS, "scans_per_slot": 0}, "scans_per_slot"),
    ],
)
def test_a_thread_that_makes_no_sense_is_refused(asked: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ScanThread(clockwork(None), **asked)
