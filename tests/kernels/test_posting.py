"""Where Python threads meet the scan: postings, commands, events, tape, programs and plants."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from kernels.image import Image
from kernels.scan import Scan
from kernels.tables import COMMANDS_PER_SCAN, Command, Event, Refusal, RunState, Status, SystemTag, TapeKind
from tests.kernels.clockwork import PythonPlant, clockwork, new_image
from tests.kernels.tables_builder import ProgramBuilder, ToolBuilder

QUEUE, EVENT_RING, TAPE_RING = 1024, 65536, 1 << 18  # kernels/phases/state.pxd
INPUTS = 130  # three words of mailbox flags, the last one not full
FIRST = len(SystemTag)


def instruments(*, tape: bool = False) -> Scan:
    """A tool of inputs and one set point behind them."""
    tool = ToolBuilder()
    for _ in range(INPUTS):
        tool.input()
    tool.setpoint(0.0, 1e9)
    return Scan(tool.build(), tape=tape)


@contextmanager
def running(scan: Scan) -> Iterator[threading.Event]:
    """Advance a scan at full speed in a thread of its own until the block is left."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            scan.advance(50)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join()


# ------------------------------------------------------------------------------------------------------- postings
def test_the_newest_posting_wins() -> None:
    scan = instruments()
    for value in range(5):
        scan.post(FIRST + 7, value, Status.GOOD, 100 + value)
    scan.advance(1)
    values, status, source = scan.values()
    assert (values[FIRST + 7], status[FIRST + 7], source[FIRST + 7]) == (4, Status.GOOD, 104)
    assert status[FIRST + 8] == Status.BAD_WAITING_FOR_INITIAL_DATA


def test_several_values_are_posted_at_once_or_not_at_all() -> None:
    scan = instruments()
    tags = np.arange(FIRST, FIRST + INPUTS, dtype=np.int32)
    numbers = np.arange(INPUTS, dtype=float)
    good, now = np.zeros(INPUTS, np.uint32), np.full(INPUTS, 5, np.int64)
    scan.post_many(tags, numbers, good, now)
    scan.advance(1)
    assert (scan.values()[0][tags] == numbers).all()
    with pytest.raises(ValueError, match="not an input"):
        scan.post_many(np.append(tags[:-1], FIRST + INPUTS).astype(np.int32), numbers + 1, good, now)
    with pytest.raises(ValueError, match="130, 129, 130 and 130 items"):
        scan.post_many(tags, numbers[:-1], good, now)
    scan.advance(1)
    assert (scan.values()[0][tags] == numbers).all()


@pytest.mark.parametrize("tag", [-1, 0, FIRST + INPUTS, 10**9])
def test_only_inputs_are_posted(tag: int) -> None:
    with pytest.raises(ValueError, match="not an input"):
        instruments().post(tag, 1.0, 0, 0)


def test_a_posting_is_never_latched_half() -> None:
    """Threads post value, status and source that belong together while the scan runs at full speed."""
    scan = instruments()
    posts = 4000

    def post(tag: int) -> None:
        for number in range(1, posts + 1):
            scan.post(tag, number, number, number)  # any status below 2^30 is Good

    with running(scan):
        posters = [threading.Thread(target=post, args=(FIRST + at,)) for at in (0, 64, 129)]
        for poster in posters:
            poster.start()
        while any(poster.is_alive() for poster in posters):
            values, status, source = scan.values()
            for tag in (FIRST, FIRST + 64, FIRST + 129):
                if status[tag] != Status.BAD_WAITING_FOR_INITIAL_DATA:
                    assert values[tag] == status[tag] == source[tag]
    scan.advance(1)
    assert (scan.values()[0][[FIRST, FIRST + 64, FIRST + 129]] == posts).all()


# ------------------------------------------------------------------------------------------------------- commands
def test_commands_from_threads_are_all_answered_each_threads_in_order() -> None:
    scan = instruments()
    count, threads = 3000, 4
    answered: list[int] = []

    def give(first: int) -> None:
        for number in range(first, first + count):
            while True:
                try:
                    scan.command(Command.WRITE, FIRST + INPUTS, float(number), 0.0, number)
                    break
                except BufferError:  # the scan is behind: an orderly client tries again
                    threading.Event().wait(0.0001)

    with running(scan):
        givers = [threading.Thread(target=give, args=(at * 1_000_000,)) for at in range(threads)]
        for giver in givers:
            giver.start()
        while len(answered) < count * threads:
            events = scan.events()
            assert (events["b"] == Refusal.NONE).all()
            answered += events["a"].astype(int).tolist()
        for giver in givers:
            giver.join()
    for at in range(threads):
        mine = [number for number in answered if number // 1_000_000 == at]
        assert mine == list(range(at * 1_000_000, at * 1_000_000 + count))


def test_a_full_queue_refuses_and_a_scan_takes_a_bounded_number() -> None:
    scan = instruments()
    for number in range(QUEUE):
        scan.command(Command.WRITE, FIRST + INPUTS, 1.0, 0.0, number)
    with pytest.raises(BufferError, match="1024 commands wait"):
        scan.command(Command.ABORT)
    scan.advance(1)
    assert len(scan.events()) == COMMANDS_PER_SCAN
    scan.command(Command.ABORT)
    scan.advance(QUEUE // COMMANDS_PER_SCAN)
    assert scan.values()[0][SystemTag.RUN_STATE] == RunState.ABORTED


# ------------------------------------------------------------------------------------------------- events and tape
def test_events_that_found_no_room_are_told_by_number() -> None:
    scan = instruments()
    for _ in range(EVENT_RING + 500):
        if scan.index % 7 == 0:
            scan.skip(1)
        scan.command(Command.WRITE, FIRST + INPUTS, 1.0)
        scan.advance(1)
    told, rest = scan.events(), scan.events()
    assert len(told) == EVENT_RING
    assert len(rest) == 0
    scan.advance(1)
    (lost,) = scan.events()
    assert lost["kind"] == Event.LOST
    assert lost["a"] >= 500
    scan.command(Command.WRITE, FIRST + INPUTS, 1.0)
    scan.advance(1)
    assert [event["kind"] for event in scan.events()] == [Event.COMMAND]


def test_events_are_taken_in_pieces() -> None:
    scan = instruments()
    for number in range(10):
        scan.command(Command.WRITE, FIRST + INPUTS, 1.0, 0.0, number)
    scan.advance(1)
    assert [int(event["a"]) for event in scan.events(limit=4)] == [0, 1, 2, 3]
    assert [int(event["a"]) for event in scan.events()] == [4, 5, 6, 7, 8, 9]


def test_a_tape_that_was_not_taken_away_in_time_says_that_it_is_useless() -> None:
    scan = instruments(tape=True)
    tags = np.arange(FIRST, FIRST + INPUTS, dtype=np.int32)
    columns = np.zeros(INPUTS), np.zeros(INPUTS, np.uint32), np.zeros(INPUTS, np.int64)
    scans = TAPE_RING // INPUTS + 2
    for _ in range(scans):
        scan.post_many(tags, *columns)
        scan.advance(1)
    digests = 1 + (scans - 1) // 100
    assert scan.tape_lost == scans * INPUTS + digests - TAPE_RING
    assert len(scan.tape()) == TAPE_RING
    scan.advance(1)
    assert len(scan.tape()) == 0
    assert instruments().tape_lost == 0


# ------------------------------------------------------------------------------------------- who runs it, programs
def test_a_scan_is_advanced_by_one_thread_at_a_time() -> None:
    scan = instruments()
    entered, leave = threading.Event(), threading.Event()

    def says(_: int) -> list[tuple[int, float, int]]:
        entered.set()
        leave.wait(10)
        return []

    plant = PythonPlant(says)
    scan.attach(plant.capsule)
    thread = threading.Thread(target=scan.advance, args=(1,))
    thread.start()
    assert entered.wait(10)
    for use in (lambda: scan.advance(1), lambda: scan.skip(1), lambda: scan.attach(None)):
        with pytest.raises(RuntimeError, match="run by another thread"):
            use()
    leave.set()
    thread.join()
    scan.attach(None)
    scan.advance(1)
    assert scan.index == 1


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        instruments().advance(-1)


def test_a_program_can_be_put_into_a_slot_again_and_again() -> None:
    """The newest one counts."""
    scan = instruments()
    for number in range(100):
        program = ProgramBuilder()
        program.set(FIRST + INPUTS, float(number))
        program.end()
        scan.load(0, program.build())
        if number % 3 == 0:
            for op in (Command.LOAD, Command.ARM, Command.START):
                scan.command(op)
            scan.advance(2)
            assert scan.values()[0][FIRST + INPUTS] == number
    with pytest.raises(ValueError, match="slot 2"):
        scan.load(2, ProgramBuilder().build())


# ---------------------------------------------------------------------------------------------------------- plants
def test_a_plant_steps_before_each_scan_and_speaks_last() -> None:
    """Its postings carry the row's time; what Python posted for the same scan is older news."""
    scan = instruments(tape=True)
    asked: list[int] = []

    def says(coming: int) -> list[tuple[int, float, int]]:
        asked.append(coming)
        return [(FIRST + 1, coming * 2.0, Status.UNCERTAIN), (FIRST, coming * 1.0, Status.GOOD)]

    plant = PythonPlant(says)
    scan.attach(plant.capsule)
    scan.post(FIRST, -1.0, 0, 7)
    scan.post(FIRST + 2, -2.0, 0, 8)
    scan.advance(3, 1000, 10)
    values, status, source = scan.values()
    assert asked == [0, 1, 2]
    assert values[FIRST : FIRST + 3].tolist() == [2.0, 4.0, -2.0]
    assert status[FIRST : FIRST + 3].tolist() == [Status.GOOD, Status.UNCERTAIN, Status.GOOD]
    assert source[FIRST : FIRST + 3].tolist() == [1020, 1020, 8]
    tape = scan.tape()
    inputs = tape[tape["kind"] == TapeKind.INPUT]
    assert inputs[inputs["scan"] == 0]["index"].tolist() == [FIRST, FIRST + 1, FIRST + 2]
    assert inputs[inputs["scan"] == 0]["value"].tolist() == [0.0, 0.0, -2.0]


def test_what_a_plant_says_of_other_tags_is_ignored() -> None:
    scan = instruments()
    plant = PythonPlant(lambda _: [(tag, 5.0, 0) for tag in (-1, 0, FIRST + INPUTS, 10**6)])
    scan.attach(plant.capsule)
    scan.advance(5)
    values, _, _ = scan.values()
    assert values[FIRST + INPUTS] == 0.0
    assert values[SystemTag.RUN_STATE] == RunState.IDLE


def test_only_a_plant_is_attached() -> None:
    with pytest.raises(TypeError, match=r"cvd\.plant"):
        instruments().attach(object())


def test_a_scan_publishes_the_same_with_and_without_an_image() -> None:
    with new_image() as image:
        seen = clockwork(image)
        unseen = clockwork(None)
        for scan in (seen, unseen):
            scan.advance(100, 5, 7)
        assert [column.tobytes() for column in seen.values()] == [column.tobytes() for column in unseen.values()]
        assert isinstance(image, Image)
