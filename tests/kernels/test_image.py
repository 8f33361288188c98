"""The process image: what readers get is whole, whatever the writer does; what is no image is refused."""

import mmap
import os
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels.image import LATENCY_EDGES_US, Image, image_bytes
from kernels.tables import Status
from tests.kernels.clockwork import CONDITIONS, FIRST, HANDS, clockwork, new_image, torn

ROOT = Path(__file__).resolve().parents[2]
FLIGHT_BEGUN, FLIGHT_DONE = 256, 264  # control block of kernels/layout.pxd

WRITER = """
import sys
from kernels.image import Image
from tests.kernels.clockwork import clockwork
scan = clockwork(Image(int(sys.argv[1])))
print("running", flush=True)
scan.advance(1_000_000_000)
"""


# -------------------------------------------------------------------------------------------------- what an image is
def test_a_new_image_says_what_it_is_for() -> None:
    with Image.create(tags=20, conditions=3, flight_rows=100, log_rows=50, layout=b"digest") as image:
        assert (image.tags, image.conditions, image.layout) == (20, 3, b"digest")
        assert os.fstat(image.fd).st_size == image_bytes(20, 3, 100, 50)
        with Image(image.fd) as other:
            assert (other.tags, other.conditions, other.layout) == (20, 3, b"digest")
            assert other.fd != image.fd


def test_before_the_first_scan_nothing_is_known() -> None:
    with Image.create(tags=20, conditions=3, flight_rows=100, log_rows=50) as image:
        snapshot = image.snapshot()
        assert (snapshot.scan, image.head()) == (-1, (-1, 0))
        assert np.isnan(snapshot.values).all()
        assert (snapshot.status == Status.BAD_WAITING_FOR_INITIAL_DATA).all()
        assert (snapshot.conditions["last_trip"] == -1).all()
        assert len(image.flight().scan) == len(image.logged(0).scan) == 0
        timing = image.timing()
        assert (timing.scans, timing.generation) == (0, 0)
        assert len(timing.histogram) == len(LATENCY_EDGES_US) + 1


def test_nobody_can_change_the_size_of_an_image() -> None:
    """A mapping that shrinks kills its readers by SIGBUS."""
    with new_image() as image:
        for size in (4096, 1 << 30):
            with pytest.raises(PermissionError):
                os.ftruncate(image.fd, size)


@pytest.mark.parametrize(
    ("counts", "named"),
    [
        ({"tags": 0}, "tags"),
        ({"tags": 1 << 30}, "tags"),
        ({"conditions": -1}, "conditions"),
        ({"flight_rows": 1}, "flight_rows"),
        ({"log_rows": 0}, "log_rows"),
        ({"tags": 1 << 20, "flight_rows": 1 << 30}, "rows"),
        ({"layout": b"x" * 33}, "layout"),
    ],
)
def test_an_impossible_image_is_refused(counts: dict[str, Any], named: str) -> None:
    asked = {"tags": 20, "conditions": 3, "flight_rows": 100, "log_rows": 50, **counts}
    with pytest.raises(ValueError, match=named):
        Image.create(**asked)


def test_a_foreign_descriptor_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(1 << 16))
    with (tmp_path / "file").open("rb") as file, pytest.raises(ValueError, match="not a memfd of sealed size"):
        Image(file.fileno())
    with pytest.raises(OSError, match="Bad file descriptor"):
        Image(999)


def sealed(content: bytes) -> int:
    fcntl = pytest.importorskip("fcntl")
    fd = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd


def test_a_sealed_memfd_with_other_content_is_refused() -> None:
    with new_image() as image:
        content = os.pread(image.fd, os.fstat(image.fd).st_size, 0)
    cases = [
        (b"", "too short"),
        (bytes(4096), "first bytes"),
        (content[:8] + struct.pack("<I", 77) + content[12:], "layout version 77"),
        (content[:-64], "another size"),
        (content[:12] + struct.pack("<I", 5000) + content[16:], "another size"),
    ]
    for damaged, why in cases:
        fd = sealed(damaged)
        try:
            with pytest.raises(ValueError, match=why):
                Image(fd)
        finally:
            os.close(fd)


def test_readers_map_the_memory_for_reading_only() -> None:
    before = set(Path("/proc/self/maps").read_text().splitlines())  # other tests may still hold theirs
    with new_image() as image, Image(image.fd) as reader:
        reader.snapshot()
        now = Path("/proc/self/maps").read_text().splitlines()
        maps = [line for line in now if "cvd-image" in line and line not in before]
        assert maps
        assert all(" r--s " in line for line in maps)


def test_a_closed_image_says_so() -> None:
    image = new_image()
    image.close()
    image.close()
    for use in (image.snapshot, image.head, image.flight, image.timing, image.heal, lambda: image.logged(0)):
        with pytest.raises(ValueError, match="closed"):
            use()
    with pytest.raises(ValueError, match="closed"):
        clockwork(image)


def test_a_scan_goes_on_when_its_image_is_closed() -> None:
    """Closing takes the descriptor and the readers' view away, not the memory that the scan writes to."""
    image = new_image()
    scan = clockwork(image)
    image.close()
    scan.advance(1000)
    assert scan.index == 1009


def test_an_image_has_one_scan_that_fits_it() -> None:
    with new_image() as image:
        scan = clockwork(image)
        with pytest.raises(ValueError, match="another scan"):
            clockwork(image)
        with pytest.raises(RuntimeError, match="new writer"):
            image.heal()
        del scan
        clockwork(image)
    with new_image(hands=HANDS + 1) as image, pytest.raises(ValueError, match="tags"):
        clockwork(image)


# ------------------------------------------------------------------------------------------------------------ rings
def test_rows_hold_scan_time_values_status_and_source() -> None:
    with new_image() as image:
        scan = clockwork(image)
        scan.advance(20, 1_000_000, 500)
        snapshot, rows = image.snapshot(), image.flight()
        assert snapshot.scan == scan.index == rows.scan[-1] == 29
        assert snapshot.time_ns == rows.time_ns[-1] == 1_000_000 + 29 * 500
        for row, copied, mine in zip(
            (rows.values[-1], rows.status[-1], rows.source_ns[-1]),
            (snapshot.values, snapshot.status, snapshot.source_ns),
            scan.values(),
            strict=True,
        ):
            assert row.tobytes() == copied.tobytes() == mine.tobytes()
        assert snapshot.conditions.tobytes() == scan.conditions().tobytes()
        assert (np.diff(rows.time_ns[10:]) == 500).all()


def test_a_reader_goes_on_where_it_stopped_and_learns_what_it_missed() -> None:
    with new_image(log_rows=16) as image:
        scan = clockwork(image)
        first = image.logged(0)
        assert (list(first.scan), first.next, first.lost) == (list(range(10)), 10, 0)
        scan.advance(5)
        second = image.logged(first.next)
        assert (list(second.scan), second.next, second.lost) == ([10, 11, 12, 13, 14], 15, 0)
        assert len(image.logged(second.next).scan) == 0
        scan.advance(40)
        third = image.logged(second.next)
        assert (third.lost, third.next) == (55 - 16 - 15, 55)
        assert list(third.scan) == list(range(39, 55))
        piece = image.logged(45, limit=3)
        assert (list(piece.scan), piece.next, piece.lost) == ([45, 46, 47], 48, 0)
        assert image.head() == (54, 55)


def test_a_row_number_from_the_future_gives_nothing() -> None:
    """A reader whose controller was restarted with a new image begins again."""
    with new_image() as image:
        clockwork(image)
        rows = image.logged(1000)
        assert (len(rows.scan), rows.next, rows.lost) == (0, 10, 0)


def test_the_logging_ring_gets_every_nth_scan() -> None:
    with new_image(log_rows=100) as image:
        clockwork(image, log_every=7).advance(100)
        assert list(image.logged(0).scan) == list(range(0, 110, 7))


# -------------------------------------------------------------------------------------------------- under the hammer
@pytest.mark.parametrize("flight_rows", [2, 3, 64])
def test_a_reader_under_a_hammering_writer_never_sees_a_torn_row(flight_rows: int) -> None:
    """The writer laps its reader all the time; what the reader gets is whole, and what it missed is counted."""
    with new_image(flight_rows=flight_rows, log_rows=flight_rows) as image, Image(image.fd) as reader:
        scan = clockwork(image)
        scan.advance(1)
        start = image.head()[1]
        writer = threading.Thread(target=scan.advance, args=(150_000,))
        writer.start()
        snapshots = rows_seen = lost = 0
        after, last = start, -1
        while writer.is_alive():
            snapshot = reader.snapshot()
            assert torn(snapshot.scan, snapshot.values) == 0
            assert snapshot.scan >= last
            snapshots, last = snapshots + 1, snapshot.scan
            rows = reader.logged(after)
            assert torn(rows.scan, rows.values) == 0
            assert (np.diff(rows.scan) == 1).all()
            assert rows.next - after == rows.lost + len(rows.scan)
            after, rows_seen, lost = rows.next, rows_seen + len(rows.scan), lost + rows.lost
        writer.join()
        rows = reader.logged(after)
        assert rows_seen + lost + len(rows.scan) + rows.lost == 150_000
        assert snapshots > 100


def write_control(fd: int, offset: int, value: int) -> None:
    with mmap.mmap(fd, 0) as memory:
        memory[offset : offset + 8] = struct.pack("<Q", value)


def test_a_writer_killed_in_the_middle_of_a_row_leaves_the_others_whole() -> None:
    """The row it had begun was never published, and the one it had begun to overwrite counts as lost."""
    with new_image(flight_rows=4, log_rows=4) as image:
        scan = clockwork(image)
        scan.advance(3)
        before = image.snapshot()
        done = 13
        del scan
        write_control(image.fd, FLIGHT_BEGUN, done + 1)  # as kernels/layout.pxd announces a row
        rows = image.flight()
        assert list(rows.scan) == [10, 11, 12]
        assert image.snapshot().values.tobytes() == before.values.tobytes()
        image.heal()
        assert image.timing().generation == 1
        successor = clockwork(image)
        successor.advance(2)
        rows = image.flight(after=done)
        assert list(rows.scan) == [8, 9, 10, 11]
        assert image.snapshot().scan == 11


def test_killed_writers_are_healed_and_succeeded() -> None:
    """SIGKILL at any moment: the rows that a reader then finds are whole, and a successor goes on behind them."""
    with new_image(flight_rows=8, log_rows=8) as image:
        published = 0
        for generation in range(1, 5):
            command = [sys.executable, "-c", WRITER, str(image.fd)]
            child = subprocess.Popen(command, cwd=ROOT, pass_fds=(image.fd,), stdout=subprocess.PIPE, text=True)
            assert child.stdout is not None
            assert child.stdout.readline() == "running\n"
            while image.head()[1] < published + 1000 * generation:
                pass
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdout.close()
            rows = image.flight()
            assert len(rows.scan) >= 7
            assert torn(rows.scan, rows.values) == 0
            snapshot = image.snapshot()
            assert snapshot.scan == rows.scan[-1]
            assert torn(snapshot.scan, snapshot.values) == 0
            published = image.head()[1]
            image.heal()
            assert image.timing().generation == generation
        clockwork(image).advance(5)
        assert image.head() == (14, published + 15)
        assert len(image.snapshot().values) == FIRST + 1 + HANDS
        assert len(image.snapshot().conditions) == CONDITIONS
