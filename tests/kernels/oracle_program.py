"""The oracle's program phase: run states, channels, guards, blocks and the safe sequence (docs/reference/scan.md, 4).

One part of the plain-Python reference; `oracle.py` says how the parts belong together.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kernels.tables import (
    CHANNELS,
    GUARDS,
    INSTRUCTIONS_PER_SCAN,
    LOOP_DEPTH,
    Command,
    Event,
    Instr,
    Policy,
    Program,
    Refusal,
    RunState,
    TagKind,
)
from tests.kernels.oracle_expression import evaluate, expressions, holds
from tests.kernels.oracle_image import WRITABLE, OracleImage, Ramp, clamp, rows

S = RunState
END_STATES = frozenset({S.STOPPED, S.ABORTED, S.COMPLETE})
REST = END_STATES | {S.IDLE}  # nothing runs
# From which states a command, a condition or a policy may act.
FROM: dict[int, frozenset[RunState]] = {
    Command.START: REST,
    Command.PAUSE: frozenset({S.RUNNING}),
    Command.RESUME: frozenset({S.PAUSED}),
    Command.HOLD: frozenset({S.RUNNING, S.PAUSING, S.PAUSED, S.RESUMING, S.RESTARTING}),
    Command.RESTART: frozenset({S.HELD}),
    Command.STOP: frozenset({S.RUNNING, S.PAUSING, S.PAUSED, S.RESUMING, S.HOLDING, S.HELD, S.RESTARTING}),
    Command.ABORT: frozenset(S) - {S.ABORTING, S.ABORTED},
    Command.CLEAR: END_STATES,
}
# What the end of the auxiliary block leads to.
AFTER = {
    S.PAUSING: S.PAUSED,
    S.RESUMING: S.RUNNING,
    S.HOLDING: S.HELD,
    S.RESTARTING: S.RUNNING,
    S.STOPPING: S.STOPPED,
    S.ABORTING: S.ABORTED,
}
BY_COMMAND, BY_CONDITION, BY_PROGRAM, BY_TIMEOUT, BY_GUARD, BY_FAULT = range(6)
POLICY = {Policy.HOLD: Command.HOLD, Policy.ABORT: Command.ABORT, Policy.STOP: Command.STOP}
WHILE_PAUSED, WHILE_HELD = 1, 2  # bits of a step's `timers`


@dataclass
class Channel:
    """Where a channel is: its cycles as [first of the body, passes left, passes in all], its wait in scans."""

    on: bool = False
    pc: int = 0
    cycles: list[list[int]] = field(default_factory=list)
    waiting: bool = False
    wait: int = 0
    auxiliary: bool = False


class Loaded:
    """A program with its tables read."""

    def __init__(self, program: Program) -> None:
        self.instructions = rows(program.instructions)
        self.steps = rows(program.steps)
        self.expressions = expressions(program.expressions, program.code)
        self.channels = program.channels


class Run:
    """The run: its state and everything that phase 4 moves."""

    def __init__(self, image: OracleImage, emit: Callable[..., None], safe: Program) -> None:
        self.image = image
        self.emit = emit
        self.safe = Loaded(safe)
        self.slots: list[Loaded | None] = [None, None]
        self.slot = -1
        self.state = S.IDLE
        self.step = -1
        self.run_elapsed = self.step_elapsed = 0
        self.guard_count = [0] * GUARDS
        self.started_now = False
        self.channels = [Channel() for _ in range(CHANNELS)]
        self.auxiliary = Channel(auxiliary=True)
        self.auxiliary_program = self.safe
        self.saved: dict[int, tuple[float, Ramp | None]] | None = None

    # ------------------------------------------------------------------------------------- state changes
    @property
    def program(self) -> Loaded:
        """The loaded program."""
        loaded = self.slots[self.slot]
        if loaded is None:
            raise RuntimeError("no program is loaded")
        return loaded

    @property
    def cycle(self) -> int:
        """Passes completed in the innermost cycle of the main channel."""
        main = self.channels[0]
        if not (main.on and main.cycles):
            return 0
        _, left, passes = main.cycles[-1]
        return passes - left

    def permitted(self, op: int) -> bool:
        """Say whether the state table lets a command act now."""
        return self.state in FROM[op]

    def refusal(self, op: int, *, in_force: bool, armed: bool) -> Refusal:
        """Judge a command of the run."""
        if not self.permitted(op):
            return Refusal.WRONG_STATE
        if op == Command.START and (self.slot < 0 or self.slots[self.slot] is None):
            return Refusal.NO_PROGRAM
        if op in (Command.START, Command.RESTART) and in_force:
            return Refusal.CONDITION_ACTIVE
        if op == Command.START and not armed:
            return Refusal.GATED
        return Refusal.NONE

    def enter(self, state: RunState, cause: int) -> None:
        """Change the state, with what every entry does."""
        self.emit(Event.RUN_STATE, state, float(self.state), float(cause))
        self.state = state
        if state in (S.STOPPING, S.ABORTING, S.COMPLETE):
            self.image.cancel_ramps()
            for channel in self.channels:
                channel.on = False
        if state == S.RUNNING:
            self.saved = None

    def act(self, op: int, cause: int) -> None:
        """Carry out a permitted command of the run, a request or a policy."""
        match op:
            case Command.START:
                self.step = -1
                self.run_elapsed = self.step_elapsed = 0
                self.guard_count = [0] * GUARDS
                self.started_now = True
                self.channels = [Channel() for _ in range(CHANNELS)]
                self.start_channel(0)
                self.enter(S.RUNNING, cause)
            case Command.PAUSE:
                self.save()
                self.block("pause", S.PAUSING, cause)
            case Command.RESUME:
                self.block("resume", S.RESUMING, cause)
            case Command.HOLD:
                self.save()
                self.block("hold", S.HOLDING, cause)
            case Command.RESTART:
                self.block("restart", S.RESTARTING, cause)
            case Command.STOP:
                self.block("stop", S.STOPPING, cause)
            case Command.ABORT:
                self.start_safe_sequence()
                self.enter(S.ABORTING, cause)
            case _:
                self.step = -1
                self.enter(S.IDLE, cause)

    def block(self, name: str, state: RunState, cause: int) -> None:
        """Start a block of the step; a missing one only ends, a missing stop block is the safe sequence."""
        first = -1 if self.step < 0 else getattr(self.program.steps[self.step], name)
        if first < 0 and name == "stop":
            self.start_safe_sequence()
        else:
            self.auxiliary = Channel(on=True, pc=first, auxiliary=True)
            self.auxiliary_program = self.program
        self.enter(state, cause)

    def start_safe_sequence(self) -> None:
        """Put the auxiliary channel at the tool's own program."""
        self.auxiliary = Channel(on=True, pc=self.safe.channels[0], auxiliary=True)
        self.auxiliary_program = self.safe

    def start_channel(self, index: int) -> None:
        """Put a program channel at its first instruction."""
        self.channels[index] = Channel(on=True, pc=self.program.channels[index])

    def save(self) -> None:
        """Keep what everything is asked for, unless a save is already held."""
        if self.saved is None:
            self.saved = {
                index: (self.image.present(index), self.image.ramp[index])
                for index, tag in enumerate(self.image.tags)
                if tag.kind in WRITABLE
            }

    # ------------------------------------------------------------------------------------------ the phase
    def phase(self, requests: set[Command]) -> None:
        """Phase 4: requests of conditions, then what the state runs."""
        for op in (Command.ABORT, Command.HOLD):
            if op in requests and self.permitted(op):
                self.act(op, BY_CONDITION)
                break
        if self.state == S.RUNNING:
            self.running()
        elif self.timers_go_on():
            self.advance_timers(waits=True)
        self.started_now = False
        self.run_auxiliary()

    def timers_go_on(self) -> bool:
        """Say whether the step lets its timers and ramps go on in this paused or held state."""
        if self.step < 0 or self.state == S.RUNNING or self.state not in FROM[Command.STOP]:
            return False
        paused = self.state in (S.PAUSED, S.PAUSING, S.RESUMING)
        return bool(self.program.steps[self.step].timers & (WHILE_PAUSED if paused else WHILE_HELD))

    def advance_timers(self, *, waits: bool) -> None:
        """One scan more; in RUNNING the waits count by themselves."""
        self.run_elapsed += 1
        self.step_elapsed += 1
        if waits:
            for channel in self.channels:
                if channel.on and channel.waiting:
                    channel.wait += 1

    def running(self) -> None:
        """RUNNING: timers, guard, channels."""
        if not self.started_now:
            self.advance_timers(waits=False)
        self.judge_guard()
        for index in range(CHANNELS):
            if self.state != S.RUNNING:
                return
            if self.channels[index].on:
                self.execute(self.channels[index], self.program, index)

    def run_auxiliary(self) -> None:
        """Run the block of this state; a block that leads to another state with a block hands over at once."""
        while self.state in AFTER:
            before = self.state
            self.execute(self.auxiliary, self.auxiliary_program)
            if self.state == before:
                return

    def judge_guard(self) -> None:
        """Judge the guards of the step, one after the other."""
        row = self.step
        for number in range(GUARDS):
            if row < 0 or self.state != S.RUNNING:
                return
            step = self.program.steps[row]
            if step.guard >= 0:
                self.judge_one(step, number)
            row = step.also if step.also > 0 else -1

    def judge_one(self, step: Any, number: int) -> None:
        """Judge one guard."""
        if holds(self.program.expressions[step.guard], self.image):
            self.guard_count[number] = 0
            return
        self.guard_count[number] += 1
        if step.guard_policy == Policy.CONTINUE:
            if self.guard_count[number] == step.guard_delay + 1:
                self.emit(Event.GUARD, self.step, float(number))
        elif self.guard_count[number] > step.guard_delay:
            self.emit(Event.GUARD, self.step, float(number))
            self.follow(step.guard_policy, BY_GUARD)

    def follow(self, policy: int, cause: int) -> bool:
        """Apply a policy; False when it is, or acts as, CONTINUE."""
        op = POLICY.get(Policy(policy))
        if op is None or not self.permitted(op):
            return False
        self.act(op, cause)
        return True

    # -------------------------------------------------------------------------------------- instructions
    def execute(self, channel: Channel, program: Loaded, index: int = -1) -> None:
        """Run a channel until it blocks, ends, changes the state or has done too much."""
        for _ in range(INSTRUCTIONS_PER_SCAN):
            if channel.pc < 0:  # a missing block
                self.end(channel)
                return
            if channel.pc >= len(program.instructions):
                break
            instruction = program.instructions[channel.pc]
            if (instruction.op == Instr.LOOP and instruction.n > 0 and len(channel.cycles) == LOOP_DEPTH) or (
                instruction.op == Instr.ENDLOOP and not channel.cycles
            ):
                break
            if not self.perform(channel, program, instruction, index):
                return
        self.emit(Event.PROGRAM_FAULT, channel.pc)
        if self.permitted(Command.ABORT):
            self.act(Command.ABORT, BY_FAULT)

    def end(self, channel: Channel) -> None:
        """END of a channel."""
        channel.on = False
        if channel.auxiliary:
            self.enter(AFTER[self.state], BY_PROGRAM)
        elif channel is self.channels[0]:
            self.enter(S.COMPLETE, BY_PROGRAM)

    def perform(self, channel: Channel, program: Loaded, i: Any, index: int) -> bool:
        """Execute one instruction; False when the channel is done for this scan."""
        match i.op:
            case Instr.END:
                self.end(channel)
                return False
            case Instr.WAIT:
                return self.wait(channel, program, i)
            case Instr.CHECK:
                if not holds(program.expressions[i.arg], self.image):
                    self.emit(Event.CHECK_FAILED, channel.pc)
                    if self.follow(i.policy, BY_PROGRAM):
                        return False
            case Instr.JOIN:
                if self.channels[i.arg].on:
                    return False
            case Instr.JUMP:
                channel.pc = i.jump
                return True
            case Instr.BRANCH:
                if not holds(program.expressions[i.arg], self.image):
                    channel.pc = i.jump
                    return True
            case Instr.LOOP:
                if i.n <= 0:
                    channel.pc = i.jump
                    return True
                channel.cycles.append([channel.pc + 1, i.n, i.n])
            case Instr.ENDLOOP:
                cycle = channel.cycles[-1]
                cycle[1] -= 1
                done = i.arg >= 0 and holds(program.expressions[i.arg], self.image)
                if cycle[1] > 0 and not done:
                    channel.pc = cycle[0]
                    return True
                channel.cycles.pop()
            case Instr.STEP:
                self.step, self.step_elapsed, self.guard_count = i.arg, 0, [0] * GUARDS
                self.emit(Event.STEP, i.arg)
            case Instr.START:
                self.start_channel(i.arg)
            case Instr.SET:
                self.image.write(i.arg, i.value)
            case Instr.RAMP:
                self.ramp(channel, i)
            case Instr.STORE:
                self.store(program, i)
            case _:
                self.restore(i.arg)
        channel.pc += 1
        return True

    def wait(self, channel: Channel, program: Loaded, i: Any) -> bool:
        """WAIT: passes, times out or blocks."""
        if not channel.waiting:
            channel.waiting, channel.wait = True, 0
        if not (channel.wait >= i.n and (i.arg < 0 or holds(program.expressions[i.arg], self.image))):
            if not (i.timeout > 0 and channel.wait >= i.timeout):
                channel.wait += 1
                return False
            self.emit(Event.TIMEOUT, channel.pc, float(channel.wait))
            if self.follow(i.policy, BY_TIMEOUT):
                return False
        channel.waiting = False
        channel.pc += 1
        return True

    def ramp(self, channel: Channel, i: Any) -> None:
        """RAMP: from where the tag, or the process, is."""
        image, tag = self.image, self.image.tags[i.arg]
        target = clamp(i.value, tag.low, tag.high)
        if i.jump >= 0 and image.q(i.jump) < 2:
            image.write(i.arg, image.value[i.jump])
        start = image.present(i.arg)
        if i.rate > 0:
            increment = i.rate
        elif i.n > 0:
            increment = abs(target - start) / i.n
        else:
            image.write(i.arg, target)
            return
        image.ramp[i.arg] = Ramp(target, increment, channel.auxiliary)

    def store(self, program: Loaded, i: Any) -> None:
        """STORE: keep the result of an expression in a tag."""
        value, q = evaluate(program.expressions[i.jump], self.image, limit=1)
        if q < 1:
            self.image.write(i.arg, value)
        elif self.image.tags[i.arg].kind == TagKind.SETPOINT:
            self.image.make_bad(i.arg)

    def restore(self, tag: int) -> None:
        """RESTORE: give back what was held."""
        if self.saved is not None:
            value, ramp = self.saved[tag]
            self.image.write(tag, value)
            self.image.ramp[tag] = ramp._replace(auxiliary=False) if ramp else None
