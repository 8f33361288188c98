"""The oracle: the scan of docs/reference/scan.md in plain Python, one function a phase.

It is written from that page alone and shares nothing with the Cython scan but the table definitions, so that a mistake
of one does not hide in the other; `test_scan_oracle.py` and `campaign.py` compare the two bit for bit. Python's float
is IEEE 754 double and evaluates in the order written, so equality is exact.

Tables go in, then postings and commands; `advance` runs scans; values, conditions, events, tape and digest come out,
under the same names as in `kernels.scan.Scan`. Parts: `oracle_image` (tags), `oracle_rate`, `oracle_expression`,
`oracle_program` (phase 4).
"""

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.tables import (
    COMMANDS_PER_SCAN,
    CONDITION_STATE,
    EVENT,
    TAPE,
    Command,
    ConditionClass,
    ConditionFlag,
    ConditionState,
    Event,
    LoopMode,
    Op,
    Program,
    Refusal,
    RunState,
    Status,
    SystemTag,
    Tables,
    TagFlag,
    TagKind,
    TapeKind,
)
from tests.kernels.oracle_expression import evaluate, expressions
from tests.kernels.oracle_group import OracleGroup
from tests.kernels.oracle_image import NAN, WRITABLE, OracleImage, Posting, clamp, quality, rows
from tests.kernels.oracle_program import FROM, REST, Loaded, Run
from tests.kernels.oracle_rate import OracleRates

FNV_OFFSET, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3  # Fowler, Noll, Vo: FNV-1a, 64 bits
QUEUE = 1024
STATUS_OF_QUALITY = (Status.GOOD, Status.UNCERTAIN, Status.BAD)
RUN_COMMANDS = frozenset(FROM)
NO_NUMBER = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000000))[0]


@dataclass
class Condition:
    """The state of a condition between scans."""

    state: int = 0  # bits of ConditionState
    before: int = 0  # at the end of its last turn
    trips: int = 0
    last_trip: int = -1
    bypass_left: int = 0
    on_timer: int = 0
    off_timer: int = 0
    in_force: bool = False

    @property
    def active(self) -> bool:
        return bool(self.state & ConditionState.ACTIVE)

    @property
    def latched(self) -> bool:
        return bool(self.state & ConditionState.LATCHED)


@dataclass
class Loop:
    """The memory of a control loop."""

    ready: bool = False
    filtered: float = 0.0
    previous: float = 0.0
    integral: float = 0.0
    error: float = 0.0
    kp: float = 0.0
    ki: float = 0.0
    kd: float = 0.0
    tuned_p: float = 1.0
    tuned_i: float = 1.0
    held: bool = False


class Oracle:
    """The tables of one tool with their state; the surface of `kernels.scan.Scan`."""

    def __init__(self, tables: Tables, *, log_every: int = 1, tape: bool = False) -> None:
        self.tables = tables
        self.period_s = tables.period_s
        self.index = -1
        self.image = OracleImage(tables.tags)
        self.expressions = expressions(tables.expressions, tables.code)
        self.rates = OracleRates(self.image, tables.code, tables.period_s)
        self.condition_rows, self.effects = rows(tables.conditions), rows(tables.effects)
        self.loop_rows, self.maps = rows(tables.loops), rows(tables.maps)
        self.condition = [Condition() for _ in self.condition_rows]
        self.loop = [Loop(kp=row.kp, ki=row.ki, kd=row.kd) for row in self.loop_rows]
        self.schedules = rows(tables.schedules)
        self.run = Run(self.image, self.emit, tables.safe)
        self.groups = [OracleGroup(self, index, row, tables) for index, row in enumerate(rows(tables.groups))]
        self.armed = False
        self.skipped = 0
        self.digest = FNV_OFFSET
        self.posted: dict[int, tuple[float, int, int]] = {}
        self.queue: list[tuple[int, int, float, float, int]] = []
        self._taping = tape
        self._events: list[tuple[int, int, int, float, float]] = []
        self._tape: list[tuple[int, int, int, int, int, float, float, int]] = []

    # ------------------------------------------------------------------------------------- what goes in
    def post(self, tag: int, value: float, status: int, source_ns: int) -> None:
        """Post an instrument's value for the next latch; the newest posting wins."""
        self.posted[tag] = (float(value), status, source_ns)

    def post_many(
        self, tags: NDArray[np.int32], values: NDArray[np.float64], status: NDArray[np.uint32],
        source_ns: NDArray[np.int64],
    ) -> None:  # fmt: skip
        """Post several values."""
        for posting in zip(tags.tolist(), values.tolist(), status.tolist(), source_ns.tolist(), strict=True):
            self.post(*posting)

    def command(self, op: int, target: int = 0, a: float = 0.0, b: float = 0.0, id: int = 0) -> None:  # noqa: A002
        """Queue a command."""
        if len(self.queue) >= QUEUE:
            raise BufferError("the command queue is full")
        self.queue.append((op, target, float(a), float(b), id))

    def load(self, slot: int, program: Program) -> None:
        """Put a program into a slot."""
        if slot == self.run.slot and self.run.state not in REST:
            raise RuntimeError(f"the program of slot {slot} is running")
        self.run.slots[slot] = Loaded(program)

    def skip(self, slots: int) -> None:
        """Account for missed slots before the next scan."""
        if slots <= 0:
            return
        self.index += slots
        self.skipped += slots
        self._events.append((self.index + 1, Event.SKIPPED, 0, float(slots), 0.0))
        self._record(self.index + 1, TapeKind.SKIP, value=float(slots))

    # ------------------------------------------------------------------------------------ what comes out
    def values(self) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.int64]]:
        """Copy value, status and source of every tag."""
        image = self.image
        return (
            np.array(image.value, np.float64),
            np.array(image.status, np.uint32),
            np.array(image.source, np.int64),
        )

    def conditions(self) -> NDArray[np.void]:
        """Copy the condition states."""
        states = [(c.state, c.trips, c.last_trip, c.bypass_left) for c in self.condition]
        return np.array(states, CONDITION_STATE)

    def events(self) -> NDArray[np.void]:
        """Take all events."""
        taken, self._events = np.array(self._events, EVENT), []
        return taken

    def tape(self) -> NDArray[np.void]:
        """Take all tape records."""
        taken, self._tape = np.array(self._tape, TAPE), []
        return taken

    def emit(self, kind: Event, index: int, a: float = 0.0, b: float = 0.0) -> None:
        """Add an event of this scan."""
        self._events.append((self.index, int(kind), int(index), a, b))

    def _record(
        self, scan: int, kind: TapeKind, *, index: int = 0, status: int = 0, op: int = 0,
        value: float = 0.0, value2: float = 0.0, source_ns: int = 0,
    ) -> None:  # fmt: skip
        if self._taping:
            self._tape.append((scan, int(kind), index, status, op, value, value2, source_ns))

    # ------------------------------------------------------------------------------------------- the scan
    def advance(self, scans: int = 1, start_ns: int = 0, period_ns: int = 0) -> None:
        """Run scans; row time = start_ns + k · period_ns."""
        for _ in range(scans):
            self.index += 1
            self.latch_inputs()
            self.latch_commands()
            self.compute()
            newly = [self.judge(index) for index in range(len(self.condition))]
            self.run.phase(self.requests(newly))
            self.move_ramps()
            for group in self.groups:
                group.turn()
            for index in range(len(self.loop)):
                self.control(index)
            for row in self.maps:
                self.map(row)
            self.gate()
            self.publish(start_ns + self.index * period_ns)

    # ----------------------------------------------------------------------------------- phase 1: latch
    def latch_inputs(self) -> None:
        """Take new postings, judge range and age, apply forces."""
        image = self.image
        for index in image.of_kind(TagKind.INPUT):
            if index in self.posted:
                value, status, source = self.posted.pop(index)
                image.latched[index] = Posting(value, status, source, self.index)
                image.source[index] = source
                self._record(self.index, TapeKind.INPUT, index=index, status=status, value=value, source_ns=source)
            value, status = NAN, int(Status.BAD_WAITING_FOR_INITIAL_DATA)
            if index in image.latched:
                value, status = self.judge_input(index, image.latched[index])
            if index in image.forced:
                value, status = image.forced[index], int(Status.GOOD_LOCAL_OVERRIDE)
            image.value[index], image.status[index] = value, status

    def judge_input(self, index: int, posting: Posting) -> tuple[float, int]:
        """Return value and status of an instrument's last word, by range and age."""
        tag, value, status = self.image.tags[index], posting.value, posting.status
        age = self.index - posting.arrival
        if quality(status) < 2 and (not math.isfinite(value) or value < tag.low or value > tag.high):
            status = int(Status.BAD_OUT_OF_RANGE)
        elif quality(status) < 2 and tag.age_bad > 0 and age >= tag.age_bad:
            status = int(Status.BAD_NO_COMMUNICATION)
        elif quality(status) == 0 and tag.age_uncertain > 0 and age >= tag.age_uncertain:
            status = int(Status.UNCERTAIN_LAST_USABLE)
        return value, status

    def latch_commands(self) -> None:
        """Carry out queued commands in order, a bounded number of them."""
        taken, self.queue = self.queue[:COMMANDS_PER_SCAN], self.queue[COMMANDS_PER_SCAN:]
        for op, target, a, b, identity in taken:
            self._record(self.index, TapeKind.COMMAND, index=target, op=op, value=a, value2=b, source_ns=identity)
            refusal = self.carry_out(op, target, a, b)
            self.emit(Event.COMMAND, op, float(identity), float(refusal))

    def carry_out(self, op: int, target: int, a: float, b: float) -> Refusal:
        """Carry out one command, or say why not."""
        match op:
            case Command.WRITE | Command.FORCE | Command.UNFORCE:
                return self.command_tag(op, target, a)
            case Command.RESET | Command.BYPASS | Command.UNBYPASS:
                return self.command_condition(op, target, a)
            case Command.ARM:
                if self.in_force(ConditionClass.TRIP):
                    return Refusal.CONDITION_ACTIVE
                self.armed = True
            case Command.DISARM:
                self.armed = False
            case Command.LOAD:
                return self.command_load(target)
            case Command.TUNE:
                if not 0 <= target < len(self.loop):
                    return Refusal.BAD_TARGET
                if not (0.01 <= a <= 100.0 and 0.01 <= b <= 100.0):
                    return Refusal.OUT_OF_LIMITS
                self.loop[target].tuned_p, self.loop[target].tuned_i = a, b
            case _ if op in RUN_COMMANDS:
                in_force = self.in_force(ConditionClass.TRIP, ConditionClass.HOLD)
                refusal = self.run.refusal(op, in_force=in_force, armed=self.armed)
                if refusal == Refusal.NONE:
                    self.run.act(op, 0)
                return refusal
            case _:
                return Refusal.BAD_TARGET
        return Refusal.NONE

    def command_tag(self, op: int, target: int, a: float) -> Refusal:
        """WRITE, FORCE and UNFORCE."""
        image = self.image
        if not 0 <= target < len(image.tags):
            return Refusal.BAD_TARGET
        tag = image.tags[target]
        if tag.kind not in (WRITABLE if op == Command.WRITE else (TagKind.INPUT, TagKind.OUTPUT)):
            return Refusal.NOT_WRITABLE
        if op == Command.UNFORCE:
            image.forced.pop(target, None)
            return Refusal.NONE
        within = tag.low <= a <= tag.high or tag.kind == TagKind.INPUT
        if not math.isfinite(a) or not within:
            return Refusal.OUT_OF_LIMITS
        if op == Command.WRITE:
            image.write(target, a)
        else:
            image.forced[target] = a
        return Refusal.NONE

    def command_condition(self, op: int, target: int, a: float) -> Refusal:
        """RESET, BYPASS and UNBYPASS."""
        if not 0 <= target < len(self.condition):
            return Refusal.BAD_TARGET
        row, condition = self.condition_rows[target], self.condition[target]
        if op == Command.RESET:
            if condition.state & (ConditionState.RAW | ConditionState.ACTIVE):
                return Refusal.CONDITION_ACTIVE
            if row.reset >= 0:
                value, q = evaluate(self.expressions[row.reset], self.image, limit=1)
                if q >= 1 or value == 0:
                    return Refusal.CONDITION_ACTIVE
            condition.state &= ~ConditionState.LATCHED
        elif op == Command.BYPASS:
            if not row.flags & ConditionFlag.BYPASSABLE:
                return Refusal.NOT_BYPASSABLE
            if not 1 <= a <= row.max_bypass:
                return Refusal.OUT_OF_LIMITS
            condition.bypass_left = int(a)
        else:
            condition.bypass_left = 0
        return Refusal.NONE

    def command_load(self, slot: int) -> Refusal:
        """LOAD."""
        if not 0 <= slot < len(self.run.slots):
            return Refusal.BAD_TARGET
        if self.run.state not in REST:
            return Refusal.WRONG_STATE
        if self.run.slots[slot] is None:
            return Refusal.NO_PROGRAM
        self.run.slot = slot
        return Refusal.NONE

    def in_force(self, *classes: ConditionClass) -> bool:
        """Say whether a condition of a class is in force, as the last phase 3 left it."""
        return any(
            c.in_force and row.cls in classes for row, c in zip(self.condition_rows, self.condition, strict=True)
        )

    # --------------------------------------------------------------------------- phase 2: computed tags
    def compute(self) -> None:
        """Evaluate computed tags in tag order; rates as soon as their tag has its value."""
        image = self.image
        self.rates.follow_plain(self.index)
        for index in image.of_kind(TagKind.COMPUTED):
            expression = self.expressions[image.tags[index].expression]
            value, q = evaluate(expression, image, limit=1)
            if image.tags[index].flags & TagFlag.OTHERWISE and (q > 0 or not math.isfinite(value)):
                value, q = image.tags[index].initial, 0
            elif q == 2 or not math.isfinite(value):
                value, q = NO_NUMBER, 2
            image.value[index], image.status[index] = value, int(STATUS_OF_QUALITY[q])
            image.source[index] = max((image.source[i.arg] for i in expression if i.op in (Op.TAG, Op.RATE)), default=0)
            self.rates.follow(index, self.index)

    # ------------------------------------------------------------------------------ phase 3: conditions
    def judge(self, index: int) -> bool:
        """Give a condition its turn; True when it is newly in force."""
        row, c = self.condition_rows[index], self.condition[index]
        limit = 2 if row.flags & ConditionFlag.ACCEPT_UNCERTAIN else 1
        value, q = evaluate(self.expressions[row.expression], self.image, limit=limit, active=c.active)
        unknown = q >= limit
        raw = unknown or value != 0
        active = self.delay(row, c, raw=raw)
        latched, first_out = c.latched, bool(c.state & ConditionState.FIRST_OUT)
        if active and not c.active:
            c.trips = (c.trips + 1) & 0xFFFFFFFF
            c.last_trip = self.index
            latched = latched or bool(row.flags & ConditionFlag.LATCH)
            first_out = first_out or self.nobody_else_of_the_group(index)
        first_out = first_out and (active or latched)
        bypassed = c.bypass_left > 0
        c.state = (
            ConditionState.RAW * raw
            | ConditionState.ACTIVE * active
            | ConditionState.LATCHED * latched
            | ConditionState.BYPASSED * bypassed
            | ConditionState.FIRST_OUT * first_out
            | ConditionState.UNKNOWN * unknown
        )
        told = ConditionState.ACTIVE | ConditionState.LATCHED | ConditionState.BYPASSED
        if (c.state ^ c.before) & told:
            self.emit(Event.CONDITION, index, float(c.state), float(c.trips))
        c.before = c.state
        if bypassed:
            c.bypass_left -= 1
            if c.bypass_left == 0:
                self.emit(Event.BYPASS_EXPIRED, index)
        was, c.in_force = c.in_force, (active or latched) and not bypassed
        return c.in_force and not was

    @staticmethod
    def delay(row: Any, c: Condition, *, raw: bool) -> bool:
        """Advance the timers of a condition and return whether it is active now."""
        if raw:
            c.off_timer = 0
            if c.active or c.on_timer >= row.on_delay:
                return True
            c.on_timer += 1
            return False
        c.on_timer = 0
        if not c.active or c.off_timer >= row.off_delay:
            return False
        c.off_timer += 1
        return True

    def nobody_else_of_the_group(self, index: int) -> bool:
        """Say whether a condition is the first of its group."""
        group = self.condition_rows[index].group
        return group >= 0 and not any(
            other.active or other.latched
            for at, (row, other) in enumerate(zip(self.condition_rows, self.condition, strict=True))
            if row.group == group and at != index
        )

    def requests(self, newly: list[bool]) -> set[Command]:
        """What conditions newly in force ask of the run."""
        asked = set[Command]()
        for row, new in zip(self.condition_rows, newly, strict=True):
            if new and row.cls == ConditionClass.HOLD:
                asked.add(Command.HOLD)
            if new and row.cls == ConditionClass.TRIP:
                runs = self.run.state not in REST
                if runs or row.flags & ConditionFlag.SAFE_FROM_IDLE:
                    asked.add(Command.ABORT)
        return asked

    # ------------------------------------------------------------------------ phases 5 and 6: set points
    def move_ramps(self) -> None:
        """Move every ramp that moves in this state by its increment."""
        image = self.image
        program_moves = self.run.state == RunState.RUNNING or self.run.timers_go_on()
        for index, ramp in enumerate(image.ramp):
            if ramp is None or not (ramp.auxiliary or program_moves):
                continue
            x = image.present(index)
            d = ramp.target - x
            if abs(d) <= ramp.increment:
                x = ramp.target
                image.ramp[index] = None
            else:
                x = x + ramp.increment if d > 0 else x - ramp.increment
            image.write(index, x, by_ramp=True)

    def control(self, index: int) -> None:
        """Run one control loop."""
        row, loop, image = self.loop_rows[index], self.loop[index], self.image
        if loop.held:
            loop.ready = False
            return
        mode = image.value[row.mode]
        mode = int(mode) if math.isfinite(mode) else LoopMode.OFF
        if mode == LoopMode.MANUAL:
            loop.ready = False
        elif mode != LoopMode.AUTO:
            image.write(row.out, row.off)
            loop.ready = False
        elif any(tag >= 0 and image.q(tag) == 2 for tag in (row.pv, row.sp, row.ff)):
            image.write(row.mode, float(LoopMode.OFF))
            image.write(row.out, row.off)
            loop.ready = False
            self.emit(Event.LOOP_FAULT, index)
        else:
            self.regulate(index, row, loop)

    def take_gains(self, index: int, row: Any, loop: Loop, f: float) -> None:
        """Gains of this moment; the integral takes up what that would have moved the output by a scan ago."""
        lines = [line for line in self.schedules if line.loop == index]
        gains = row.kp, row.ki, row.kd
        if lines:
            if self.image.q(lines[0].tag) == 2:
                return
            x = clamp(self.image.value[lines[0].tag], lines[0].at, lines[-1].at)
            low = max([line for line in lines[:-1] if line.at < x] or lines[:1], key=lambda line: line.at)
            high = next((line for line in lines if line.at > low.at), low)
            share = 0.0 if high is low else (x - low.at) / (high.at - low.at)
            pairs = (low.kp, high.kp), (low.ki, high.ki), (low.kd, high.kd)
            gains = tuple(least + (most - least) * share for least, most in pairs)
        before, loop.kp = loop.kp, gains[0] * loop.tuned_p
        loop.ki, loop.kd = gains[1] * loop.tuned_i, gains[2] * loop.tuned_p
        if loop.ready and loop.kp != before:
            taken = loop.integral + (before - loop.kp) * loop.error
            loop.integral = clamp(taken, min(row.low - f, loop.integral), max(row.high - f, loop.integral))

    def regulate(self, index: int, row: Any, loop: Loop) -> None:
        """AUTO: PID with derivative on the filtered measurement, bumpless start and anti-windup."""
        value, x = self.image.value, self.image.present(row.out)
        f = row.ff_gain * value[row.ff] + row.bias if row.ff >= 0 else row.bias
        e = row.direction * (value[row.sp] - value[row.pv])
        self.take_gains(index, row, loop, f)
        p = loop.kp * e
        if not loop.ready:
            loop.filtered = value[row.pv]
            loop.previous = loop.filtered
            loop.integral = (x - p) - f
            loop.ready = True
        loop.error = e
        loop.filtered = loop.filtered + row.alpha * (value[row.pv] - loop.filtered)
        d = (row.direction * loop.kd) * (loop.previous - loop.filtered)
        loop.previous = loop.filtered
        u = ((p + loop.integral) + d) + f
        y = clamp(u, row.low, row.high)
        if row.rate > 0:
            y = clamp(y, x - row.rate, x + row.rate)
        step = loop.ki * e
        if not ((u > y and step > 0) or (u < y and step < 0)):
            loop.integral = loop.integral + step
        self.image.write(row.out, y)

    def map(self, row: Any) -> None:
        """Copy a tag to another over a line, ends clamped (split range)."""
        image, s = self.image, self.image.present(row.source)
        bad = image.tags[row.source].kind != TagKind.OUTPUT and image.q(row.source) == 2
        if bad or math.isnan(s):
            return
        c = clamp((s - row.x0) / (row.x1 - row.x0), 0.0, 1.0)
        image.write(row.target, row.y0 + (row.y1 - row.y0) * c)

    # ------------------------------------------------------------------------------------ phase 7: gate
    def gate(self) -> None:
        """Let demands through to the outputs, as far as forces, rates, arming and effects permit."""
        effect = self.first_effects()
        image = self.image
        for index in image.of_kind(TagKind.OUTPUT):
            tag, x = image.tags[index], image.demand[index]
            status = Status.GOOD
            if index in image.forced:
                x, status = clamp(image.forced[index], tag.low, tag.high), Status.GOOD_LOCAL_OVERRIDE
            if tag.rate > 0:
                x = clamp(x, image.value[index] - tag.rate, image.value[index] + tag.rate)
            if tag.flags & TagFlag.HAZARDOUS and not self.armed:
                x, status = tag.safe, Status.GOOD
                self.release(index, x)
            if index in effect:
                x, status = effect[index], Status.GOOD
                self.release(index, x)
            image.value[index], image.status[index] = x, int(status)

    def first_effects(self) -> dict[int, float]:
        """Return for each output the first effect of a condition in force."""
        effect: dict[int, float] = {}
        for row, condition in zip(self.condition_rows, self.condition, strict=True):
            if condition.in_force:
                for each in self.effects[row.effect_start : row.effect_start + row.effect_count]:
                    effect.setdefault(each.output, each.value)
        return effect

    def release(self, index: int, x: float) -> None:
        """Forget what was asked of an output, so that nothing comes back by itself."""
        image, loop = self.image, self.image.tags[index].loop
        image.demand[index] = x
        image.ramp[index] = None
        if loop >= 0:
            image.write(self.loop_rows[loop].mode, float(LoopMode.OFF))
            self.loop[loop].ready = False

    # --------------------------------------------------------------------------------- phase 8: publish
    def publish(self, wall_ns: int) -> None:
        """Set system tags and source times; continue the digest."""
        image, run = self.image, self.run
        counted = list(zip(self.condition_rows, self.condition, strict=True))
        system = {
            SystemTag.RUN_STATE: run.state,
            SystemTag.STEP: run.step,
            SystemTag.STEP_ELAPSED_S: run.step_elapsed * self.period_s,
            SystemTag.RUN_ELAPSED_S: run.run_elapsed * self.period_s,
            SystemTag.CYCLE: run.cycle,
            SystemTag.TRIPPED: sum(
                c.in_force for row, c in counted if row.cls in (ConditionClass.TRIP, ConditionClass.HOLD)
            ),
            SystemTag.LATCHED: sum(c.latched and not c.active for _, c in counted),
            SystemTag.BYPASSED: sum(bool(c.state & ConditionState.BYPASSED) for _, c in counted),
            SystemTag.FORCED: len(image.forced),
            SystemTag.SKIPPED_SLOTS: self.skipped,
            SystemTag.ARMED: self.armed,
        }
        for tag, value in system.items():
            image.value[tag] = float(value)
        for index, tag in enumerate(image.tags):
            if tag.kind in (TagKind.SYSTEM, *WRITABLE):
                now = (struct.pack("<d", image.value[index]), image.status[index])
                if now != image.row_before[index]:
                    image.source[index] = wall_ns
                    image.row_before[index] = now
        self.continue_digest()
        if self.index % 100 == 0:
            bits = self.digest - (1 << 64) if self.digest >> 63 else self.digest
            self._record(self.index, TapeKind.DIGEST, source_ns=bits)

    def continue_digest(self) -> None:
        """FNV-1a over value and status of every output."""
        image, digest = self.image, self.digest
        for index in image.of_kind(TagKind.OUTPUT):
            for byte in struct.pack("<dI", image.value[index], image.status[index]):
                digest = ((digest ^ byte) * FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
        self.digest = digest
