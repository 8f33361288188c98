"""Runs a story on two engines side by side and tells the first difference, bit for bit."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kernels.tables import Event, RunState, SystemTag
from tests.kernels.oracle import Oracle
from tests.kernels.strategies import Case, Moment

PERIOD_NS, START_NS = 1_000_000, 1_700_000_000_000_000_000
SCANS_PER_ENGINE = 139  # then a new one goes on from the state of the old one
Engine = Callable[..., Any]


@dataclass(frozen=True)
class Difference:
    """Where two engines part: scan, what, and both views of it."""

    scan: int
    what: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"scan {self.scan}: {self.what}: expected {self.expected}, got {self.actual}"


@dataclass
class Tally:
    """What a comparison has met, to show that it was worth something."""

    scans: int = 0
    cases: int = 0
    events: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Add another tally."""
        self.scans += other.scans
        self.cases += other.cases
        self.events += other.events
        self.states += other.states


class Pair:
    """The reference and the engine under test, fed alike. `tables` may differ: a planted fault."""

    def __init__(self, case: Case, engine: Engine, *, planted: Case | None = None) -> None:
        other = planted or case
        self.engine, self.case = engine, other
        self.loaded = [0, 1]  # the program of each slot
        self.expected: Any = Oracle(case.tables, tape=True)
        self.actual: Any = self.equipped()
        for slot in range(2):
            self.expected.load(slot, case.programs[slot])

    def equipped(self) -> Any:
        """Return a new engine under test with its programs."""
        actual = self.engine(self.case.tables, tape=True)
        for slot in range(2):
            actual.load(slot, self.case.programs[self.loaded[slot]])
        return actual

    def play(self, moment: Moment) -> None:
        """Run one scan on both."""
        if moment.load:
            self.reload(*moment.load)
        for engine in (self.expected, self.actual):
            if moment.skip:
                engine.skip(moment.skip)
            for posting in moment.postings:
                engine.post(*posting)
            for command in moment.commands:
                engine.command(*command)
            engine.advance(1, START_NS, PERIOD_NS)

    def reload(self, slot: int, program: int) -> None:
        """Replace the program of a slot, or be refused, on both."""
        taken = []
        for engine in (self.expected, self.actual):
            try:
                engine.load(slot, self.case.programs[program])
                taken.append(True)
            except RuntimeError:
                taken.append(False)
        if taken[0] != taken[1]:
            raise AssertionError(f"load({slot}) taken: oracle {taken[0]}, engine {taken[1]}")
        if taken[0]:
            self.loaded[slot] = program

    def hand_over(self) -> None:
        """Go on with a new engine from the state of the old one, where the engine knows how to."""
        if self.expected.queue or not hasattr(self.actual, "state"):
            return  # commands that wait are not part of a state
        state, self.actual = self.actual.state(), self.equipped()
        self.actual.restore(state)

    def difference(self, tally: Tally) -> Difference | None:
        """Compare everything that can be seen from outside."""
        scan = self.expected.index
        if scan != self.actual.index:
            return Difference(scan, "scan index", str(scan), str(self.actual.index))
        events, theirs = self.expected.events(), self.actual.events()
        tally.scans += 1
        tally.events.update(Event(kind).name for kind in events["kind"].tolist())
        if found := _rows(scan, "events", events, theirs):
            return found
        views = zip(("value", "status", "source"), self.expected.values(), self.actual.values(), strict=True)
        for what, mine, other in views:
            if mine.tobytes() != other.tobytes():
                bits = np.dtype(f"u{mine.dtype.itemsize}")
                index = int(np.flatnonzero(mine.view(bits) != other.view(bits))[0])
                return Difference(scan, f"{what} of tag {index}", repr(mine[index]), repr(other[index]))
            if what == "value":
                tally.states[RunState(int(mine[SystemTag.RUN_STATE])).name] += 1
        return (
            _rows(scan, "condition", self.expected.conditions(), self.actual.conditions())
            or _rows(scan, "tape", self.expected.tape(), self.actual.tape())
            or _digest(scan, self.expected.digest, self.actual.digest)
        )


def _rows(scan: int, what: str, expected: Any, actual: Any) -> Difference | None:
    if expected.tobytes() == actual.tobytes():
        return None
    for index, (mine, other) in enumerate(zip(expected, actual, strict=False)):
        if mine.tobytes() != other.tobytes():
            return Difference(scan, f"{what} {index}", str(mine), str(other))
    return Difference(
        scan, f"number of {what}", f"{len(expected)}: {expected}", f"{len(actual)}: {actual}"
    )  # fmt: skip


def _digest(scan: int, expected: int, actual: int) -> Difference | None:
    return None if expected == actual else Difference(scan, "digest", hex(expected), hex(actual))


def compare(
    case: Case, moments: Iterable[Moment], engine: Engine, tally: Tally, *, planted: Case | None = None
) -> Difference | None:  # fmt: skip
    """Play a story on the oracle and on an engine; return the first difference."""
    pair = Pair(case, engine, planted=planted)
    tally.cases += 1
    for moment in moments:
        pair.play(moment)
        if found := pair.difference(tally):
            return found
        if tally.scans % SCANS_PER_ENGINE == 0:
            pair.hand_over()
    return None
