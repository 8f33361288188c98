"""The oracle's groups of loops: who controls them, and the predictor's turn (docs/reference/scan.md, 6)."""

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

from kernels.tables import Event, GroupState, LoopMode, RunState, Tables, TagKind
from tests.kernels.oracle_image import OracleImage, Ramp, clamp, rows
from tests.kernels.oracle_mpc import OracleMpc

FAULTS = (GroupState.BAD_SENSOR, GroupState.INFEASIBLE, GroupState.STALE)


class Tool(Protocol):
    """What a group needs of the oracle."""

    image: OracleImage
    index: int
    loop_rows: list[Any]
    loop: list[Any]
    run: Any

    def emit(self, kind: Event, index: int, a: float = 0.0, b: float = 0.0) -> None:
        """Add an event of this scan."""


def mode_of(value: float) -> int:
    """Truncate; what is no mode is OFF."""
    return int(value) if 1 <= value < 3 else LoopMode.OFF


@dataclass
class OracleGroup:
    """One group with its memory."""

    tool: Tool
    index: int
    row: Any
    tables: Tables
    state: GroupState = GroupState.PID
    last: int = 0
    ready: bool = False
    settled: int = 0
    unsolved: int = 0
    applied: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        row, members = self.row, rows(self.tables.members)
        self.members = members[row.member_start : row.member_start + row.member_count]
        loops = self.tool.loop_rows
        self.outer = [loops[member.outer] for member in self.members]
        self.inner = [loops[member.inner] for member in self.members]
        self.tags = [loop.pv for loop in self.outer]
        self.tags += [loops[m.inner].pv for m in self.members if m.inner != m.outer]
        numbers = self.tables.numbers.tolist()[row.numbers :]
        self.points = numbers[: row.points]
        q, n, m = len(self.tags), row.states, len(self.members)
        seen, moves = row.points * m, row.blocks * m
        size = q + m + n * n + n * m + n * q + seen * (n + m) + moves * (seen + moves)
        self.mpc = OracleMpc(
            n, m, q, row.points, row.blocks, row.iterations, row.rho, row.sigma, row.relax,
            numbers[row.points : row.points + size],
        )  # fmt: skip

    def turn(self) -> None:
        """Follow, decide who controls, move."""
        image, row = self.tool.image, self.row
        known = all(image.q(tag) < 2 for tag in self.tags)
        sampled = known and self.follow()
        if not known:
            self.ready, self.settled = False, 0
        state = self.next_state(known, sampled)
        if state in FAULTS:
            image.write(row.select, 0.0)
        if state == GroupState.MPC:
            self.track()
        for member in self.members:
            for loop in (member.outer, member.inner):
                self.tool.loop[loop].held = state == GroupState.MPC
        if state != self.state:
            self.tool.emit(Event.CONTROL, self.index, float(state), float(self.state))
            self.state = state
            image.write(row.report, float(state))

    def follow(self) -> bool:
        """Gather outputs; in the scan of a sample correct the estimate."""
        value, k, row = self.tool.image.value, self.tool.index, self.row
        if self.ready:
            self.applied.append([value[loop.out] for loop in self.inner])
            if k - self.last < row.every:
                return False
        measured = [value[tag] for tag in self.tags]
        if self.ready and k - self.last < 2 * row.every:
            means = []
            for column in zip(*self.applied, strict=True):
                total = 0.0
                for x in column:
                    total = total + x
                means.append(total / float(len(self.applied)))
            self.mpc.correct(measured, means, row.watch)
            self.settled = min(self.settled + 1, row.settle)
        else:
            self.mpc.begin(measured)
            self.settled = 0
        self.ready, self.last, self.applied = True, k, []
        return True

    def next_state(self, known: bool, sampled: bool) -> GroupState:
        """Say who controls from now on; the move is made where the predictor does."""
        image, row, acts = self.tool.image, self.row, self.state == GroupState.MPC
        if image.q(row.select) == 2 or mode_of(image.value[row.select]) != 1:
            return self.state if self.state in FAULTS else GroupState.PID
        if not known:
            return GroupState.BAD_SENSOR if acts else GroupState.WAITING
        if self.settled >= row.settle and any(not w <= row.stale for w in self.mpc.watch):
            self.ready, self.settled = False, 0
            return GroupState.STALE if acts else GroupState.WAITING
        if not self.fit():
            return GroupState.WAITING
        if not acts and not sampled:
            return GroupState.WAITING
        if not acts:
            self.mpc.forget()
            self.unsolved = 0
        if sampled and not self.move():
            return GroupState.INFEASIBLE
        return GroupState.MPC

    def fit(self) -> bool:
        """Say whether the predictor may control."""
        image, row = self.tool.image, self.row
        margin = 0.0 if self.state == GroupState.MPC else row.margin
        if self.settled < row.settle:
            return False
        for loop in (*self.outer, *self.inner):
            if mode_of(image.value[loop.mode]) != LoopMode.AUTO or image.q(loop.sp) == 2:
                return False
        return not any(
            image.value[loop.pv] < row.low + margin or image.value[loop.pv] > row.high - margin for loop in self.outer
        )

    def move(self) -> bool:
        """Search and make the first move."""
        image, row = self.tool.image, self.row
        now = [image.present(loop.out) for loop in self.inner]
        for x, member in zip(now, self.members, strict=True):
            if x < member.low - member.rate or x > member.high + member.rate:
                return False
        columns = [self.ahead(loop.sp) for loop in self.outer]
        reference = [x for moment in zip(*columns, strict=True) for x in moment]
        low, high, rate = ([getattr(m, name) for m in self.members] for name in ("low", "high", "rate"))
        residual = self.mpc.find(reference, now, low, high, rate)
        self.unsolved = 0 if residual <= row.tolerance else self.unsolved + 1
        if self.unsolved > row.patience or any(math.isnan(x) for x in self.mpc.moves[: len(now)]):
            return False
        for i, loop in enumerate(self.inner):
            step = clamp(self.mpc.moves[i], -rate[i], rate[i])
            image.write(loop.out, clamp(now[i] + step, low[i], high[i]))
        return True

    def ahead(self, tag: int) -> list[float]:
        """Where a set point will be."""
        image, run = self.tool.image, self.tool.run
        x, ramp = image.value[tag], image.ramp[tag]
        moves = isinstance(ramp, Ramp) and (ramp.auxiliary or run.state == RunState.RUNNING or run.timers_go_on())
        if ramp is None or not moves or image.tags[tag].kind != TagKind.SETPOINT:
            return [x] * len(self.points)
        d, ways = ramp.target - x, [ramp.increment * (point * float(self.row.every)) for point in self.points]
        return [ramp.target if abs(d) <= way else x + way if d > 0 else x - way for way in ways]

    def track(self) -> None:
        """Hold outer loops where the inner ones have no error."""
        image = self.tool.image
        for member, outer, inner in zip(self.members, self.outer, self.inner, strict=True):
            if member.outer != member.inner:
                error = image.value[inner.pv] - image.value[inner.sp]
                image.write(outer.out, image.present(outer.out) + error)
