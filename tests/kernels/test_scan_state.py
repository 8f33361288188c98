"""A scan's state, taken at any moment, and the tape behind it give the same run, bit for bit."""

from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.realtime import ScanThread
from kernels.scan import Scan, state_index
from kernels.tables import RunState, SystemTag, TapeKind
from tests.kernels.comparison import PERIOD_NS, START_NS
from tests.kernels.strategies import Case, case, story


def equipped(drawn: Case, *, tape: bool) -> Scan:
    scan = Scan(drawn.tables, tape=tape)
    for slot in range(2):
        scan.load(slot, drawn.programs[slot])
    return scan


def live(scan: Scan, moments: list[Any]) -> None:
    for moment in moments:
        if moment.skip:
            scan.skip(moment.skip)
        for posting in moment.postings:
            scan.post(*posting)
        for command in moment.commands:
            scan.command(*command)
        scan.advance(1, START_NS, PERIOD_NS)


def play(scan: Scan, tape: NDArray[np.void]) -> int:
    """Execute a tape; return how many digests were compared."""
    proved = 0
    for record in tape:
        due = int(record["scan"])
        if record["kind"] == TapeKind.SKIP:
            scan.advance(due - int(record["value"]) - 1 - scan.index, START_NS, PERIOD_NS)
            scan.skip(int(record["value"]))
            continue
        checked = record["kind"] == TapeKind.DIGEST
        scan.advance(due - scan.index - (not checked), START_NS, PERIOD_NS)
        if record["kind"] == TapeKind.INPUT:
            scan.post(*(record[name].item() for name in ("index", "value", "status", "source_ns")))
        elif record["kind"] == TapeKind.COMMAND:
            scan.command(*(record[name].item() for name in ("op", "index", "value", "value2", "source_ns")))
        else:
            assert scan.digest == int(record["source_ns"]) & (2**64 - 1)
            proved += 1
    return proved


def test_a_state_taken_at_any_moment_leads_to_the_same_run() -> None:
    states: set[int] = set()
    for number in range(60):
        rng = Random(f"state/{number}")
        drawn = case(rng)
        first, second = equipped(drawn, tape=True), equipped(drawn, tape=False)
        moments = list(story(rng, drawn, 250))
        cut = rng.randrange(10, 200)
        live(first, moments[:cut])
        state, at = first.state(), first.index
        states.add(int(first.values()[0][SystemTag.RUN_STATE]))
        first.tape()
        live(first, moments[cut:])
        second.restore(state)
        assert second.index == at == state_index(state)
        play(second, first.tape())
        second.advance(first.index - second.index, START_NS, PERIOD_NS)
        assert second.digest == first.digest
        for mine, theirs in zip(first.values(), second.values(), strict=True):
            assert mine.tobytes() == theirs.tobytes()
        assert first.conditions().tobytes() == second.conditions().tobytes()
    assert len(states) > 4, "the stories must have been cut in several run states"


def test_a_state_is_taken_whole_while_a_thread_runs_the_scan() -> None:
    """Also when the thread works without a pause."""
    rng = Random("state/thread")
    drawn = case(rng)
    first, second = equipped(drawn, tape=True), equipped(drawn, tape=False)
    thread = ScanThread(first, period_ns=200_000, scans_per_slot=20, lock=False)
    thread.start()
    taken = [first.state() for _ in range(200)]
    thread.stop()
    assert first.state() == first.state()
    tape = first.tape()
    assert first.tape_lost == 0
    for state in taken[::20]:
        again = equipped(drawn, tape=False)
        again.restore(state)
        play(again, tape[tape["scan"] > again.index])
    second.restore(taken[-1])
    assert second.index > 0


def test_what_does_not_fit_is_refused() -> None:
    rng = Random("state/other")
    one, other = case(rng), case(rng)
    scan = equipped(one, tape=False)
    state = scan.state()
    for wrong in (b"", b"nonsense", state[:-1], state + b"\0", equipped(other, tape=False).state()):
        with pytest.raises(ValueError, match="no state of a scan with these tables"):
            scan.restore(wrong)


def test_a_state_with_a_program_wants_that_program() -> None:
    for number in range(20):
        rng = Random(f"state/program/{number}")
        drawn = case(rng)
        scan = equipped(drawn, tape=False)
        live(scan, list(story(rng, drawn, 100)))
        if int(scan.values()[0][SystemTag.RUN_STATE]) != RunState.IDLE:
            with pytest.raises(ValueError, match="load that one first"):
                Scan(drawn.tables).restore(scan.state())
            return
    pytest.fail("no story had started a program")
