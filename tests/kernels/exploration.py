"""Every state that a small tool can reach, and what must never be true in any of them.

`python -m tests.kernels.exploration --out FILE` walks breadth first over all readings and all commands of small tools.
The states are those of the oracle (it shows everything that decides what comes next); in each transition the kernel
runs beside it from a state of its own and has to give the same values and condition states, so what is found holds of
the kernel. A judge that knows only readings, answers and outputs says what must not be:

* *gate*: a hazardous output is energised while a cause has lasted beyond its delay, has been voted (a Bad reading
  votes) and is not bypassed; or while it is latched since; or before the tool has been armed;
* *bypass*: a bypass is in effect longer than declared, or where none is permitted;
* *safe*: from some state, whatever the instruments say, ABORT or DISARM does not take the hazardous outputs away in its
  own scan, or the safe sequence does not end within the bound.

The explorer itself is tested with faults planted in tables and engine (test_exploration.py).
"""

import argparse
import itertools
import pickle
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kernels.scan import Scan
from kernels.tables import (
    Command,
    ConditionFlag,
    ConditionState,
    Event,
    Program,
    Refusal,
    RunState,
    Status,
    SystemTag,
    Tables,
    TagKind,
)
from tests.kernels.oracle import Oracle
from tests.kernels.tables_builder import Expr, ProgramBuilder, ToolBuilder, tag, vote

LIMIT, OPEN = 50.0, 60.0
FINE, HIGH, LOST = (20.0, int(Status.GOOD)), (80.0, int(Status.GOOD)), (20.0, int(Status.BAD_NO_COMMUNICATION))
READINGS = (FINE, HIGH, LOST)
LASTING = ConditionState.RAW | ConditionState.ACTIVE | ConditionState.LATCHED | ConditionState.BYPASSED
"""Bits that a later scan looks at."""
Order = tuple[int, int, float]


@dataclass(frozen=True)
class Small:
    """A tool of one interlock over some gauges, one hazardous valve, one purge; all that the judge may know of it."""

    name: str
    gauges: int = 1
    needed: int = 1
    on_delay: int = 0
    off_delay: int = 0
    latch: bool = True
    max_bypass: int = 0
    forces: bool = False
    """Whether people force the valve, too."""

    def tables(self) -> Tables:
        """Build it."""
        tool = ToolBuilder()
        gauges = [tool.input() for _ in range(self.gauges)]
        valve, purge = tool.output(hazardous=True), tool.output()
        voters: list[Expr] = [tag(gauge).above(LIMIT) for gauge in gauges]
        tool.condition(
            voters[0] if self.gauges == 1 else vote(self.needed, voters),
            flags=ConditionFlag.LATCH if self.latch else 0,
            effects={valve: 0.0, purge: 100.0},
            on_delay=self.on_delay,
            off_delay=self.off_delay,
            max_bypass=self.max_bypass,
        )
        tool.safe.set(valve, 0.0)
        tool.safe.set(purge, 100.0)
        tool.safe.wait(2)
        tool.safe.end()
        return tool.build()

    def program(self) -> Program:
        """Build a recipe of one step with its hold and restart."""
        program = ProgramBuilder()
        step = program.step()
        program.set(self.valve, OPEN)
        program.wait(1)
        program.end()
        program.block(step, "hold")
        program.set(self.valve, 0.0)
        program.wait(1)
        program.end()
        program.block(step, "restart")
        program.set(self.valve, OPEN)
        program.end()
        return program.build()

    @property
    def valve(self) -> int:
        """Tag of the hazardous output."""
        return len(SystemTag) + self.gauges

    @property
    def bound(self) -> int:
        """Scans in which an abort has come to its end: those of the safe sequence's wait, and that of its end."""
        return 3

    def orders(self) -> Iterator[Order | None]:
        """List what people may do in a scan."""
        yield None
        for op in (Command.ARM, Command.DISARM, Command.LOAD, Command.START, Command.HOLD, Command.RESTART):
            yield int(op), 0, 0.0
        for op in (Command.PAUSE, Command.RESUME, Command.STOP, Command.ABORT, Command.CLEAR, Command.RESET):
            yield int(op), 0, 0.0
        yield int(Command.WRITE), self.valve, OPEN
        if self.max_bypass:
            yield int(Command.BYPASS), 0, float(self.max_bypass)
            yield int(Command.UNBYPASS), 0, 0.0
        if self.forces:
            yield int(Command.FORCE), self.valve, OPEN
            yield int(Command.UNFORCE), self.valve, 0.0


TOOLS: dict[str, Small] = {
    "at once, bypassable": Small("at once, bypassable", max_bypass=2),
    "delays, bypassable": Small("delays, bypassable", on_delay=2, off_delay=1, max_bypass=3, forces=True),
    "no latch": Small("no latch", latch=False, on_delay=1, off_delay=2, forces=True),
    "1oo2": Small("1oo2", gauges=2, needed=1, on_delay=1),
    "2oo2": Small("2oo2", gauges=2, needed=2, on_delay=1, max_bypass=2),
    "2oo3": Small("2oo3", gauges=3, needed=2, on_delay=1),
}


@dataclass
class Ghost:
    """What the judge remembers: nothing that it could have from the engine but answers to commands."""

    lasted: int = 0
    latched: bool = False
    bypass: int = 0
    armed: bool = False


@dataclass
class Found:
    """What an exploration has seen."""

    tool: str
    states: int = 0
    transitions: int = 0
    run_states: list[str] = field(default_factory=list)
    slowest_abort: int = 0
    """Scans from ABORT to ABORTED in the worst state."""
    violations: int = 0
    first: list[str] = field(default_factory=list)
    """What was done, scan by scan, up to the first violation, and what was wrong."""
    complete: bool = True


class Engine:
    """The oracle and the kernel side by side, both with states that can be kept and taken up."""

    def __init__(self, small: Small, oracle: Callable[..., Any], planted: Callable[[Tables], Tables] | None) -> None:
        tables = small.tables()
        tables = planted(tables) if planted else tables
        self.oracle = oracle(tables)
        self.kernel = Scan(tables) if oracle is Oracle else None
        for engine in filter(None, (self.oracle, self.kernel)):
            engine.load(0, small.program())

    def keep(self) -> tuple[bytes, Any]:
        """Return the state of both."""
        o, image, run = self.oracle, self.oracle.image, self.oracle.run
        loaded = "run" if run.auxiliary_program is not run.safe else "safe"
        kept = (
            (o.index, o.armed, o.skipped, o.digest, o.condition, o.loop),
            (image.value, image.status, image.source, image.demand, image.ramp, image.forced, image.latched),
            (run.slot, run.state, run.step, run.run_elapsed, run.step_elapsed, run.guard_count, run.started_now),
            (run.channels, run.auxiliary, run.saved, loaded, image.row_before),
        )
        return pickle.dumps(kept), None if self.kernel is None else self.kernel.state()

    def take_up(self, kept: tuple[bytes, Any]) -> None:
        """Go on from a state."""
        o, image, run = self.oracle, self.oracle.image, self.oracle.run
        first, second, third, fourth = pickle.loads(kept[0])  # noqa: S301 (our own)
        o.index, o.armed, o.skipped, o.digest, o.condition, o.loop = first
        image.value, image.status, image.source, image.demand, image.ramp, image.forced, image.latched = second
        run.slot, run.state, run.step, run.run_elapsed, run.step_elapsed, run.guard_count, run.started_now = third
        run.channels, run.auxiliary, run.saved, loaded, image.row_before = fourth
        run.auxiliary_program = run.program if loaded == "run" else run.safe
        if self.kernel is not None:
            self.kernel.restore(kept[1])

    def key(self) -> bytes:
        """Return what decides everything that comes.

        Left out is what nothing reads again: clocks and counters, the readings themselves (each scan brings new ones),
        and bits that only decide whether an event is told.
        """
        o, image, run = self.oracle, self.oracle.image, self.oracle.run
        conditions = [(c.state & LASTING, c.bypass_left, c.on_timer, c.off_timer, c.in_force) for c in o.condition]
        channels = [(c.on, c.on and (c.pc, c.waiting, c.wait)) for c in (run.channels[0], run.auxiliary)]
        outputs = image.of_kind(TagKind.OUTPUT)
        return repr((
            o.armed, conditions, [(image.value[tag], image.demand[tag]) for tag in outputs],
            sorted(image.forced.items()), run.slot, int(run.state), run.step, channels,
            run.saved and [run.saved[tag][0] for tag in outputs], run.auxiliary_program is run.safe,
        )).encode()  # fmt: skip

    def step(self, readings: tuple[tuple[float, int], ...], order: Order | None) -> tuple[list[float], Refusal | None]:
        """Run a scan on both; return all values and the answer to the order."""
        refusal: Refusal | None = None
        for engine in filter(None, (self.oracle, self.kernel)):
            for gauge, (value, status) in enumerate(readings):
                engine.post(len(SystemTag) + gauge, value, status, 0)
            if order:
                engine.command(*order)
            engine.advance(1, 0, 1000)
            events = engine.events()
            answers = events[events["kind"] == Event.COMMAND]["b"].tolist()
            refusal = Refusal(int(answers[0])) if answers else None
        values = self.oracle.values()[0]
        if self.kernel is not None:
            same = self.kernel.values()[0].tobytes() == values.tobytes()
            if not same or self.kernel.conditions().tobytes() != self.oracle.conditions().tobytes():
                raise AssertionError("the kernel and the oracle part")
        return values.tolist(), refusal


def judge(
    small: Small, ghost: Ghost, readings: tuple[tuple[float, int], ...], order: Order | None,
    refusal: Refusal | None, values: list[float],
) -> str:  # fmt: skip
    """Say what is wrong after a scan, or nothing; `ghost` moves on."""
    done = order is not None and refusal == Refusal.NONE
    op = order[0] if order else -1
    if done and op in {Command.ARM, Command.DISARM}:
        ghost.armed = op == Command.ARM
    if done and op == Command.RESET:
        if ghost.lasted > small.on_delay:
            return "reset: granted while the cause was there"
        ghost.latched = False
    if done and op == Command.BYPASS:
        if not small.max_bypass:
            return "bypass: granted where none is permitted"
        ghost.bypass = small.max_bypass
    if done and op == Command.UNBYPASS:
        ghost.bypass = 0
    votes = sum(status != Status.GOOD or value > LIMIT for value, status in readings)
    ghost.lasted = min(ghost.lasted + 1, small.on_delay + 1) if votes >= small.needed else 0
    active = ghost.lasted > small.on_delay
    ghost.latched = ghost.latched or (active and small.latch)
    bypassed = ghost.bypass > 0
    ghost.bypass = max(ghost.bypass - 1, 0)
    valve, purge = values[small.valve], values[small.valve + 1]
    if (active or ghost.latched) and not bypassed and (valve != 0.0 or purge != 100.0):
        return f"gate: the valve is at {valve:g}, the purge at {purge:g} while the interlock is in force"
    if not ghost.armed and valve != 0.0:
        return f"gate: the valve is at {valve:g} and nobody has armed the tool"
    if done and op in {Command.ABORT, Command.DISARM} and valve != 0.0 and not small.forces:
        return f"safe: the valve is at {valve:g} in the scan of {Command(op).name}"
    return ""


def explore(
    small: Small, *, oracle: Callable[..., Any] = Oracle, planted: Callable[[Tables], Tables] | None = None,
    most: int = 1_000_000,
) -> Found:  # fmt: skip
    """Walk through every state; stop at the first violation, or when there are more than `most` states."""
    engine, found = Engine(small, oracle, planted), Found(small.name)
    every = [*itertools.product(READINGS, repeat=small.gauges)]
    every = [one for one in every if list(one) == sorted(one)] if small.gauges > 2 else every  # voters are alike
    orders = [*small.orders()]
    ghost = Ghost()
    first = (engine.keep(), pickle.dumps(ghost))
    seen: dict[bytes, tuple[bytes, str]] = {engine.key() + first[1]: (b"", "")}
    left = deque([(engine.key() + first[1], *first)])
    states: set[str] = set()
    while left:
        here, kept, remembered = left.popleft()
        for readings, order in itertools.product(every, orders):
            engine.take_up(kept)
            ghost = pickle.loads(remembered)  # noqa: S301 (our own)
            values, refusal = engine.step(readings, order)
            found.transitions += 1
            wrong = judge(small, ghost, readings, order, refusal, values)
            state = RunState(int(values[SystemTag.RUN_STATE]))
            states.add(state.name)
            if not wrong and order and order[0] == Command.ABORT and refusal == Refusal.NONE:
                wrong = _abort(small, engine, readings, found)
            if wrong:
                found.violations = 1
                found.first = [*_path(seen, here), _words(readings, order), wrong]
                found.states = len(seen)
                return found
            if order and order[0] == Command.ABORT:
                engine.take_up(kept)
                ghost = pickle.loads(remembered)  # noqa: S301 (our own)
                values, refusal = engine.step(readings, order)
                judge(small, ghost, readings, order, refusal, values)
            after = pickle.dumps(ghost)
            key = engine.key() + after
            if key not in seen:
                seen[key] = (here, _words(readings, order))
                left.append((key, engine.keep(), after))
        if len(seen) > most:
            found.complete = False
            break
    found.states, found.run_states = len(seen), sorted(states)
    return found


def _abort(small: Small, engine: Engine, readings: tuple[tuple[float, int], ...], found: Found) -> str:
    """Let an abort go on, with the readings as they are; say what is wrong with it."""
    for scan in range(1, small.bound + 2):
        if engine.oracle.run.state == RunState.ABORTED:
            found.slowest_abort = max(found.slowest_abort, scan)
            return ""
        values, _ = engine.step(readings, None)
        if values[small.valve] != 0.0 and not small.forces:
            return "safe: the valve opens while the safe sequence runs"
    return f"safe: the abort has not ended after {small.bound} scans"


def _words(readings: tuple[tuple[float, int], ...], order: Order | None) -> str:
    names = {FINE: "fine", HIGH: "high", LOST: "lost"}
    done = f", {Command(order[0]).name}" if order else ""
    return " ".join(names[one] for one in readings) + done


def _path(seen: dict[bytes, tuple[bytes, str]], key: bytes) -> list[str]:
    path: list[str] = []
    while key:
        key, words = seen[key]
        path.append(words)
    return [words for words in reversed(path) if words]


def main() -> int:
    """Explore all small tools; write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernels.exploration", description=__doc__)
    parser.add_argument("--out", type=Path, help="write the record to this file (JSON)")
    parser.add_argument("--only", choices=TOOLS, help="one of the tools")
    arguments = parser.parse_args()
    from tests.evidence import commit, keep

    started, found = time.monotonic(), list[Found]()
    for name, small in TOOLS.items():
        if arguments.only in {None, name}:
            found.append(explore(small))
            print(
                f"{name}: {found[-1].states} states, {found[-1].transitions} transitions", file=sys.stderr, flush=True
            )
    wrong = sum(one.violations for one in found)
    record = {
        "commit": commit(),
        "seconds": round(time.monotonic() - started, 1),
        "tools": [asdict(one) for one in found],
        "result": f"{wrong} violations" if wrong else "no violation in any reachable state",
    }
    keep(record, arguments.out)
    return int(wrong > 0 or not all(one.complete for one in found))


if __name__ == "__main__":
    sys.exit(main())
