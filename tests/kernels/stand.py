"""A test stand: one engine (the Cython scan or the oracle) with a tool on it, and words to move it.

Stories run on every engine of `ENGINES`, so that each property is shown of the scan itself and of the reference that it
is compared with.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.scan import Scan
from kernels.tables import Command, ConditionState, Event, Program, Refusal, RunState, SystemTag, Tables
from tests.kernels.oracle import Oracle

ENGINES: list[Callable[..., Any]] = [Scan, Oracle]
PERIOD_NS = 10_000_000
START_NS = 1_700_000_000_000_000_000


class Stand:
    """An engine with the programs of its slots; events are kept in `log`."""

    def __init__(self, engine: Callable[..., Any], tables: Tables, *programs: Program) -> None:
        self.tables = tables
        self.scan = engine(tables, tape=True)
        self.log: list[Any] = []
        self.identity = 0
        for slot, program in enumerate(programs):
            self.scan.load(slot, program)

    def post(self, tag: int, value: float, status: int = 0) -> None:
        """Let an instrument speak; heard in the next scan."""
        self.scan.post(tag, value, status, START_NS + self.scan.index)

    def run(self, scans: int = 1) -> None:
        """Run scans."""
        self.scan.advance(scans, START_NS, PERIOD_NS)
        self.log.extend(self.scan.events())

    def order(self, op: Command, target: int = 0, a: float = 0.0, b: float = 0.0) -> Refusal:
        """Give a command, run one scan and return what the scan said of it."""
        self.identity += 1
        self.scan.command(op, target, a, b, self.identity)
        self.run()
        answers = [event for event in self.happened(Event.COMMAND) if event["a"] == self.identity]
        (answer,) = answers
        assert answer["index"] == op
        return Refusal(int(answer["b"]))

    def start(self, slot: int = 0) -> None:
        """Arm, load and start, in three scans."""
        for op, target in ((Command.ARM, 0), (Command.LOAD, slot), (Command.START, 0)):
            assert self.order(op, target) == Refusal.NONE

    def happened(self, kind: Event) -> list[Any]:
        """Return all events of a kind so far."""
        return [event for event in self.log if event["kind"] == kind]

    def value(self, tag: int) -> float:
        """Return the value of a tag."""
        return float(self.scan.values()[0][tag])

    def status(self, tag: int) -> int:
        """Return the status of a tag."""
        return int(self.scan.values()[1][tag])

    @property
    def state(self) -> RunState:
        """The run state."""
        return RunState(int(self.value(SystemTag.RUN_STATE)))

    def condition(self, index: int) -> NDArray[np.void]:
        """Return the state of a condition."""
        return self.scan.conditions()[index]

    def has(self, index: int, bit: ConditionState) -> bool:
        """Say whether a bit of a condition's state is set."""
        return bool(int(self.condition(index)["state"]) & bit)
