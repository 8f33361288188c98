"""Fast outputs on a pair of sockets: the other side is a device that repeats what is written to it."""

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from kernels.fast import FastOutputs

FRAMES = [bytes.fromhex("000000000006010500000000"), bytes.fromhex("000000000006010500010000")]
"""Writes of coils 0 and 1 (Modbus function 5), transaction number 0, off."""
ON, OFF = 0xFF, 0x00
SECOND = 1_000_000_000


class Stand:
    """A thread with one link and two outputs, tags 3 and 5."""

    def __init__(self, *, refresh_ns: int = 3600 * SECOND, answer_ns: int = 60 * SECOND, limit_ns: int = 60 * SECOND,
                 stall_ns: int = 3600 * SECOND, shows: bool | bytes = True) -> None:  # fmt: skip
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.theirs.settimeout(10)
        self.values = np.zeros(8)
        self.scan = 0
        self.fast = FastOutputs(
            [(shows, answer_ns, refresh_ns)],
            [(0, frame, 0) for frame in FRAMES],
            [(3, 0, 10, 0xFF, ON, OFF), (5, 1, 10, 0xFF, ON, OFF)],
            limit_ns=limit_ns,
            stall_ns=stall_ns,
        )
        self.fast.start()

    def post(self, *, due_ns: int | None = None, **tags: float) -> None:
        for name, value in tags.items():
            self.values[int(name.removeprefix("t"))] = value
        self.scan += 1
        self.fast.post(self.values, self.scan, time.monotonic_ns() if due_ns is None else due_ns)

    def take(self, count: int = 1, *, answer: bool = True) -> list[tuple[int, int]]:
        """Coil and byte of so many frames, in the order in which they came."""
        got = b""
        while len(got) < 12 * count:
            got += self.theirs.recv(12 * count - len(got))
        if answer:
            self.theirs.send(got)
        return [(got[at + 9], got[at + 10]) for at in range(0, len(got), 12)]

    def wait(self, holds) -> None:
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def close(self) -> None:
        self.wait(lambda: self.fast.withdraw(0))
        self.fast.stop()
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def stand() -> Iterator[Stand]:
    made = Stand()
    yield made
    made.close()


def test_a_link_that_is_lent_is_written_as_everything_stands(stand: Stand) -> None:
    stand.post(t3=1.0)
    stand.wait(lambda: stand.fast.counts(0)["dropped"] == 1)  # there was no link to write to
    stand.fast.offer(0, stand.ours.fileno())
    assert stand.take(2) == [(0, ON), (1, OFF)]
    log, _ = stand.fast.log()
    assert [(row["number"], row["outcome"]) for row in log] == [(1, 2)]


def test_every_edge_goes_out_once_in_its_order_and_is_numbered(stand: Stand) -> None:
    stand.fast.offer(0, stand.ours.fileno())
    stand.take(2)
    wanted = []
    for n in range(400):
        first, second = n % 2, n // 2 % 2
        edges = [(coil, ON if value else OFF) for coil, tag, value in ((0, 3, first), (1, 5, second))
                 if stand.values[tag] != value]  # fmt: skip
        stand.post(t3=first, t5=second)
        assert stand.take(len(edges)) == edges
        wanted += edges
    stand.wait(lambda: stand.fast.counts(0)["acknowledged"] == len(wanted) + 2)
    log, _ = stand.fast.log()
    assert [int(number) for number in log["number"]] == list(range(1, len(wanted) + 1))
    assert not log["outcome"].any()
    assert stand.fast.fault(0) == ""


def test_scans_that_came_while_the_thread_was_away_keep_their_edges_apart(stand: Stand) -> None:
    """A pulse of one scan is never swallowed, however late the thread is."""
    stand.fast.offer(0, stand.ours.fileno())
    stand.take(2)
    for n in range(100):
        stand.post(t3=float(n % 2 == 0))
    assert stand.take(100) == [(0, ON if n % 2 == 0 else OFF) for n in range(100)]


def test_a_value_that_is_no_number_is_off(stand: Stand) -> None:
    stand.fast.offer(0, stand.ours.fileno())
    stand.take(2)
    stand.post(t3=1.0)
    assert stand.take() == [(0, ON)]
    stand.post(t3=float("nan"))
    assert stand.take() == [(0, OFF)]


def test_a_late_edge_is_told_with_its_number() -> None:
    stand = Stand(limit_ns=SECOND)
    stand.fast.offer(0, stand.ours.fileno())
    stand.take(2)
    stand.post(t3=1.0)
    stand.take()
    stand.post(t3=0.0, due_ns=time.monotonic_ns() - 2 * SECOND)
    stand.take()
    stand.wait(lambda: stand.fast.counts(0)["late"] == 1)
    log, _ = stand.fast.log()
    assert [(int(row["number"]), int(row["outcome"])) for row in log] == [(1, 0), (2, 1)]
    assert log[1]["sent_ns"] - log[1]["due_ns"] > SECOND
    stand.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("another", "did not repeat"),
        ("exception", "did not repeat"),
        ("unasked", "did not repeat"),
        ("closed", "closed the connection"),
    ],
)
def test_a_device_that_does_not_repeat_a_write_is_a_fault(stand: Stand, answer: str, words: str) -> None:
    stand.fast.offer(0, stand.ours.fileno())
    stand.take(2)
    if answer == "unasked":
        stand.theirs.send(FRAMES[0])
    else:
        stand.post(t3=1.0)
        stand.take(answer=False)
        if answer == "closed":
            stand.theirs.shutdown(socket.SHUT_RDWR)
        stand.theirs.send(FRAMES[1]) if answer == "another" else None
        stand.theirs.send(bytes.fromhex("000300000003018504")) if answer == "exception" else None
    stand.wait(lambda: stand.fast.fault(0) != "")
    assert words in stand.fast.fault(0)
    stand.post(t5=1.0)
    stand.wait(lambda: stand.fast.counts(0)["dropped"] == 1)


def test_a_device_that_never_answers_is_a_fault() -> None:
    stand = Stand(answer_ns=SECOND // 100)
    stand.fast.offer(0, stand.ours.fileno())
    stand.take(2, answer=False)
    stand.wait(lambda: "did not confirm" in stand.fast.fault(0))
    stand.close()


def test_a_watchdog_is_fed_as_long_as_the_scan_lives() -> None:
    stand = Stand(refresh_ns=SECOND // 100, stall_ns=SECOND // 5, shows=False)
    stand.post()
    stand.fast.offer(0, stand.ours.fileno())
    stand.take(8)  # more than the two of the beginning
    stand.theirs.settimeout(0.3)
    with pytest.raises(TimeoutError):
        stand.take(10_000)  # it falls silent long before
    stand.close()


BEAT = b"t703105"


@pytest.fixture
def bus() -> Iterator[Stand]:
    """A link whose device answers no write, and says `BEAT` by itself."""
    made = Stand(answer_ns=SECOND, shows=BEAT)
    yield made
    made.close()


def test_a_heartbeat_among_other_frames_and_in_pieces_shows_that_the_device_is_there(bus: Stand) -> None:
    bus.fast.offer(0, bus.ours.fileno())
    bus.take(2, answer=False)
    began = time.monotonic()
    while time.monotonic() < began + 1.2:  # longer than the heartbeat may be away
        for piece in (b"t18320000\r" + BEAT[:3], BEAT[3:] + b"\r", b"z\rt7", b"03105\r"):
            bus.theirs.send(piece)
            time.sleep(0.005)
        assert bus.fast.fault(0) == ""


@pytest.mark.parametrize("said", [b"", b"t703100\r", b"t70317F\r", b"t704105\r"])
def test_a_device_that_is_silent_restarts_or_is_another_is_a_fault(bus: Stand, said: bytes) -> None:
    """Boot-up and pre-operational are no heartbeat of a device that serves."""
    bus.fast.offer(0, bus.ours.fileno())
    bus.take(2, answer=False)
    bus.theirs.send(said)
    bus.wait(lambda: "heartbeat has not come" in bus.fast.fault(0))
    bus.post(t5=1.0)
    bus.wait(lambda: bus.fast.counts(0)["dropped"] == 1)


def test_what_cannot_be_is_refused_before_any_thread() -> None:
    with pytest.raises(ValueError, match="stands in no frame"):
        FastOutputs([(True, 1, 1)], [(0, FRAMES[0], 0)], [(3, 1, 10, 255, 1, 0)], limit_ns=1, stall_ns=1)
    with pytest.raises(ValueError, match="cannot be"):
        FastOutputs([(True, 1, 1)], [(0, bytes(40), 0)], [(3, 0, 10, 255, 1, 0)], limit_ns=1, stall_ns=1)
    with pytest.raises(ValueError, match="a link, a frame"):
        FastOutputs([], [], [], limit_ns=1, stall_ns=1)
