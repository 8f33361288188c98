"""Actions into instructions."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from config.layout import Layout
from config.plan import Restore
from config.tool import Action, Ramp, TagKind
from config.tool import Policy as Word
from kernels.tables import CHANNELS, INSTRUCTION, LOOP_DEPTH, STEP, Instr, Policy, Program
from supervisor.controller.compile.expressions import Expressions
from supervisor.controller.compile.time import scans
from supervisor.controller.errors import CompileError

POLICIES = {Word.HOLD: Policy.HOLD, Word.ABORT: Policy.ABORT, Word.CONTINUE: Policy.CONTINUE, Word.STOP: Policy.STOP}

_Row = tuple[int, int, int, int, float, float, int, int]


class Assembler:
    """Collects the instructions of one program: the main channel first, then branches, then blocks."""

    def __init__(self, layout: Layout, *, branches: bool = True) -> None:
        self._layout = layout
        self._period_s = layout.tool.scan.period_ms / 1000.0
        self._branches = branches
        self._rows: list[_Row] = []
        self._waiting: list[tuple[int, tuple[Action, ...]]] = []
        """Channels whose instructions are still to come."""
        self._depth = 0
        self.expressions = Expressions(layout)
        self.reasons: dict[int, str] = {}
        """Why a check is made, by its instruction."""
        self.steps: list[tuple[int, ...]] = []
        """Rows of the table of steps; those of further guards behind those of steps."""
        self.channels: list[int] = [0]

    @property
    def here(self) -> int:
        """Index of the next instruction."""
        return len(self._rows)

    def emit(
        self,
        op: Instr,
        *,
        arg: int = -1,
        jump: int = -1,
        policy: Policy = Policy.CONTINUE,
        value: float = 0.0,
        rate: float = 0.0,
        n: int = 0,
        timeout: int = 0,
    ) -> int:
        """Append an instruction and return its index."""
        self._rows.append((int(op), arg, jump, int(policy), value, rate, n, timeout))
        return len(self._rows) - 1

    def aim(self, instruction: int) -> None:
        """Let an instruction jump to the next one."""
        row = self._rows[instruction]
        self._rows[instruction] = (*row[:2], self.here, *row[3:])

    # ------------------------------------------------------------------------------------------------- actions
    def actions(self, actions: Sequence[Action | Restore]) -> None:
        """Append what actions do, in order."""
        for action in actions:
            if isinstance(action, Restore):
                for tag in action.tags:
                    self.emit(Instr.RESTORE, arg=self._writable(tag, "restart"))
            else:
                self._action(action)

    def _action(self, action: Action) -> None:
        where = action.name
        for tag, value in action.set.items():
            self.emit(Instr.SET, arg=self._permitted(tag, value, where), value=value)
        for tag, ramp in action.ramp.items():
            self._ramp(tag, ramp, where)
        self._wait(action)
        for tag, expression in action.store.items():
            target = self._writable(tag, where)
            self.emit(Instr.STORE, arg=target, jump=self.expressions.value(expression, tag, where))
        for check in action.check:
            row = self.expressions.condition(check.that, where)
            self.reasons[self.emit(Instr.CHECK, arg=row, policy=POLICIES[check.otherwise])] = check.reason
        if action.steps:
            with_cycle = self.begin_cycle(action.repeat, where)
            self.actions(action.steps)
            self.end_cycle(with_cycle)
        if action.parallel:
            self.parallel([tuple(branch) for branch in action.parallel], where)

    def _ramp(self, tag: str, ramp: Ramp, where: str) -> None:
        target = self._permitted(tag, ramp.to, where)
        start = -1 if ramp.start is None else self._index(ramp.start, where)
        rate = 0.0 if ramp.per_min is None else ramp.per_min / 60.0 * self._period_s
        n = 0 if ramp.over_s is None else scans(ramp.over_s, self._period_s)
        self.emit(Instr.RAMP, arg=target, value=ramp.to, rate=rate, n=n, jump=start)

    def _wait(self, action: Action) -> None:
        least = scans(action.min_s, self._period_s)
        if action.until is None:
            if least:
                self.emit(Instr.WAIT, n=least)
            return
        # What was written in this scan shows in its tags from the next one on: a condition over them must not be
        # judged by their old values. And a cycle never spins within one scan when its conditions are true at once.
        least = max(least, 1)
        timeout = scans(action.timeout_s or 0.0, self._period_s)
        if not timeout:
            raise CompileError(f"{action.name}: waits for a condition without a timeout")
        until = self.expressions.condition(action.until, action.name)
        timeout = max(timeout, least)
        self.emit(Instr.WAIT, arg=until, n=least, timeout=timeout, policy=POLICIES[action.on_timeout])

    # -------------------------------------------------------------------------------------- cycles and branches
    def begin_cycle(self, repeat: int, where: str) -> int:
        """Open a cycle; returns what `end_cycle` takes."""
        if repeat == 1:
            return -1
        self._depth += 1
        if self._depth > LOOP_DEPTH:
            raise CompileError(f"{where}: cycles are nested more than {LOOP_DEPTH} deep")
        return self.emit(Instr.LOOP, n=repeat)

    def end_cycle(self, cycle: int, until: str | None = None, where: str = "") -> None:
        """Close a cycle, with the condition that ends it early."""
        if cycle < 0:
            return
        if not any(row[0] == Instr.WAIT and row[6] > 0 for row in self._rows[cycle + 1 :]):
            self.emit(Instr.WAIT, n=1)  # a pass takes a scan at least: the scan must not spin in it
        self.emit(Instr.ENDLOOP, arg=-1 if until is None else self.expressions.condition(until, where))
        self.aim(cycle)
        self._depth -= 1

    def choice(self, when: str, ways: Sequence[Callable[[], None]], where: str) -> None:
        """Do the first way where a condition is true, else the second."""
        then, otherwise = ways
        branch = self.emit(Instr.BRANCH, arg=self.expressions.condition(when, where))
        self._way(then)
        over = self.emit(Instr.JUMP)
        self.aim(branch)
        self._way(otherwise)
        self.aim(over)

    def _way(self, way: Callable[[], None]) -> None:
        """One way of a choice; in a cycle it takes a scan at least: the scan must not spin in it."""
        first = self.here
        way()
        if self._depth and not any(row[0] == Instr.WAIT and row[6] > 0 for row in self._rows[first:]):
            self.emit(Instr.WAIT, n=1)

    def parallel(self, branches: Sequence[tuple[Action, ...]], where: str) -> None:
        """Run branches side by side: the first one here, the others on channels of their own, joined at the end."""
        if not self._branches:
            raise CompileError(f"{where}: branches are not possible here")
        started = list[int]()
        for branch in branches[1:]:
            channel = len(self.channels) + len(self._waiting)
            if channel >= CHANNELS:
                raise CompileError(f"{where}: a program has at most {CHANNELS - 1} branches beside its main sequence")
            self._waiting.append((channel, branch))
            self.emit(Instr.START, arg=channel)
            started.append(channel)
        self.actions(branches[0])
        for channel in started:
            self.emit(Instr.JOIN, arg=channel)

    def end(self) -> None:
        """End the main channel and append the branches that it has started, theirs included."""
        self.emit(Instr.END)
        while self._waiting:
            _, branch = self._waiting.pop(0)
            self.channels.append(self.here)
            depth, self._depth = self._depth, 0
            self.actions(branch)
            self._depth = depth
            self.emit(Instr.END)

    def block(self, actions: Sequence[Action | Restore]) -> int:
        """Append a block and return its first instruction; −1 for an empty one."""
        if not actions:
            return -1
        first = self.here
        branches, self._branches = self._branches, False
        self.actions(actions)
        self._branches = branches
        self.emit(Instr.END)
        return first

    def program(self) -> Program:
        """Everything collected."""
        return Program(
            instructions=np.array(self._rows, INSTRUCTION),
            steps=np.array(self.steps, STEP),
            expressions=self.expressions.table(),
            code=self.expressions.code(),
            channels=tuple(self.channels),
        )

    # ---------------------------------------------------------------------------------------------------- tags
    def _index(self, tag: str, where: str) -> int:
        index = self._layout.index.get(tag)
        if index is None:
            raise CompileError(f"{where}: unknown tag {tag!r}")
        return index

    def _writable(self, tag: str, where: str) -> int:
        index = self._index(tag, where)
        declared = self._layout.declared.get(tag)
        if declared is None or declared.kind not in (TagKind.SETPOINT, TagKind.OUTPUT):
            kind = "a system tag" if declared is None else declared.kind.value
            raise CompileError(f"{where}: {tag} is {kind}; only set points and outputs can be written")
        return index

    def _permitted(self, tag: str, value: float, where: str) -> int:
        index = self._writable(tag, where)
        declared = self._layout.declared[tag]
        if not math.isfinite(value) or not declared.low <= value <= declared.high:
            limits = f"{declared.low:g} … {declared.high:g} {declared.unit}"
            raise CompileError(f"{where}: {tag} cannot become {value:g}: it is limited to {limits}")
        return index
