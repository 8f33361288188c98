"""The running scan as the rest of the controller sees it: commands with answers, events with times, snapshots."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import numpy as np
from numpy.typing import NDArray

from config.alarms import AlarmPoint
from config.layout import Layout
from config.tool import Interlock, Tag
from kernels.image import Image, Snapshot
from kernels.realtime import ScanThread
from kernels.scan import Scan
from kernels.tables import (
    Command,
    ConditionClass,
    ConditionFlag,
    ConditionState,
    Event,
    Refusal,
    RunState,
    SystemTag,
    Tables,
)
from supervisor.controller.errors import CommandRefused

ANSWER_S = 5.0
"""A scan that has not answered a command after so long is stalled (supervision ends the process before)."""
END_STATES = frozenset({RunState.IDLE, RunState.STOPPED, RunState.ABORTED, RunState.COMPLETE})
"""Nothing runs in these."""
ENGAGED = (ConditionClass.TRIP, ConditionClass.HOLD)

_ACTIVE_OR_LATCHED = ConditionState.ACTIVE | ConditionState.LATCHED


@dataclass(frozen=True)
class View:
    """All values at one moment, by name."""

    layout: Layout
    tables: Tables
    snapshot: Snapshot

    @property
    def run_state(self) -> RunState:
        """State of the scan's program."""
        return RunState(int(self.system(SystemTag.RUN_STATE)))

    @property
    def armed(self) -> bool:
        """Whether hazardous outputs may be energised."""
        return self.system(SystemTag.ARMED) != 0

    def system(self, tag: SystemTag) -> float:
        """Value of a system tag."""
        return float(self.snapshot.values[tag])

    def value(self, name: str) -> float:
        """Value of a tag."""
        return float(self.snapshot.values[self.layout.index[name]])

    def state(self, condition: int) -> ConditionState:
        """State bits of a condition."""
        return ConditionState(int(self.snapshot.conditions["state"][condition]))

    def bypass_left(self, condition: int) -> int:
        """Scans that a bypass still lasts."""
        return int(self.snapshot.conditions["bypass_left"][condition])

    def in_force(self, condition: int) -> bool:
        """Whether a condition's effects apply."""
        state = self.state(condition)
        return bool(state & _ACTIVE_OR_LATCHED) and not state & ConditionState.BYPASSED

    def engaged(self, *classes: ConditionClass) -> list[int]:
        """Conditions of these classes that are in force (trips and holds by default)."""
        state = self.snapshot.conditions["state"]
        in_force = (state & _ACTIVE_OR_LATCHED != 0) & (state & ConditionState.BYPASSED == 0)
        of_class = np.isin(self.tables.conditions["cls"], [int(cls) for cls in classes or ENGAGED])
        return np.flatnonzero(in_force & of_class).tolist()

    def condition(self, index: int) -> Interlock | AlarmPoint:
        """Declaration of a condition."""
        return self.layout.conditions[index]

    def bypassable(self, index: int) -> bool:
        """Whether a condition may be bypassed."""
        return bool(int(self.tables.conditions["flags"][index]) & ConditionFlag.BYPASSABLE)

    def tag(self, name: str) -> Tag | None:
        """Declaration of a tag; None for the system's."""
        return self.layout.declared.get(name)


@dataclass
class _Waiting:
    done: anyio.Event = field(default_factory=anyio.Event)
    refusal: Refusal = Refusal.NONE


class Scanner:
    """The scan, its thread and its image.

    Args:
        layout: names.
        tables: what the scan runs over.
        scan: the scan.
        image: where it publishes.
        thread: what runs it.
    """

    def __init__(self, layout: Layout, tables: Tables, scan: Scan, image: Image, thread: ScanThread) -> None:
        self.layout = layout
        self.tables = tables
        self.scan = scan
        self.image = image
        self.thread = thread
        self.hurry = anyio.Event()
        """Set when somebody waits for an answer: events are then drained at once."""
        self._ids = itertools.count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._slot = 1

    # ------------------------------------------------------------------------------------------------ commands
    def fire(self, op: Command, target: int = 0, a: float = 0.0, b: float = 0.0) -> int:
        """Queue a command without waiting for its answer; its id.

        Raises:
            CommandRefused: the scan's queue is full.
        """
        number = next(self._ids)
        try:
            self.scan.command(int(op), target, a, b, number)
        except BufferError as error:
            raise CommandRefused("BadTooManyOperations", "the scan's command queue is full; try again") from error
        return number

    async def command(self, op: Command, target: int = 0, a: float = 0.0, b: float = 0.0) -> Refusal:
        """Queue a command and return the scan's answer.

        Raises:
            CommandRefused: the queue is full, or the scan does not answer.
        """
        number = self.fire(op, target, a, b)
        waiting = self._waiting[number] = _Waiting()
        self.hurry.set()
        try:
            with anyio.fail_after(ANSWER_S):
                await waiting.done.wait()
        except TimeoutError as error:
            raise CommandRefused("BadTimeout", f"the scan has not answered for {ANSWER_S:g} s") from error
        finally:
            del self._waiting[number]
        return waiting.refusal

    @property
    def answers_awaited(self) -> bool:
        """Whether somebody waits for the scan."""
        return bool(self._waiting)

    def free_slot(self) -> int:
        """Return the program slot that is not the loaded one."""
        return 1 - self._slot

    async def load(self, slot: int) -> Refusal:
        """Make the program in a slot the loaded one."""
        refusal = await self.command(Command.LOAD, slot)
        if refusal is Refusal.NONE:
            self._slot = slot
        return refusal

    # -------------------------------------------------------------------------------------------------- events
    def drain(self) -> NDArray[np.void]:
        """Take the scan's events; whoever waits for a command's answer is woken."""
        records = self.scan.events()
        for record in records[records["kind"] == Event.COMMAND]:
            waiting = self._waiting.get(int(record["a"]))
            if waiting is not None:
                waiting.refusal = Refusal(int(record["b"]))
                waiting.done.set()
        return records

    def view(self) -> View:
        """Copy all values."""
        return View(self.layout, self.tables, self.image.snapshot())

    def clock(self) -> Callable[[int], int]:
        """Return a function from scan index to the time of its row."""
        snapshot = self.image.snapshot()
        period_ns = round(self.scan.period_s * 1e9)
        anchor_scan, anchor_ns = snapshot.scan, snapshot.time_ns or time.time_ns()
        return lambda scan: anchor_ns - (anchor_scan - scan) * period_ns

    def scans(self, seconds: float) -> int:
        """Convert a duration to whole scans, at least one."""
        return max(1, round(seconds / self.scan.period_s))
