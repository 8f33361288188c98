"""Random scans of random interlock tools at full speed, judged by numpy from what was posted, row by row.

The tool's program asks for every output again in every scan, some outputs are forced, and readings hover around the
limits, with NaN, infinities, Bad statuses and silences among them. What each output has to be follows from the
postings alone: the effect of the first condition in force, else the force, else the demand. Nothing of the scan or of
the oracle is used to work that out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.tables import Command, ConditionClass, ConditionFlag, Program, Status, Tables
from tests.kernels.tables_builder import ProgramBuilder, ToolBuilder, tag

Floats, Flags = NDArray[np.float64], NDArray[np.bool_]
BATCH = 2000  # scans between two looks at the flight ring, and between two rounds of commands
LOW, HIGH = -50.0, 150.0  # plausible range of every input
AGE_BAD = 7


@dataclass
class Sweep:
    """What was seen: scans, edges from clear to tripped, outputs gated by an edge, and violations."""

    scans: int = 0
    crossings: int = 0
    gated: int = 0
    aged: int = 0
    violations: int = 0
    first_violation: str = ""

    def add(self, other: "Sweep") -> None:
        """Add another sweep."""
        self.scans += other.scans
        self.crossings += other.crossings
        self.gated += other.gated
        self.aged += other.aged
        self.violations += other.violations
        self.first_violation = self.first_violation or other.first_violation


@dataclass(frozen=True)
class Interlocks:
    """A random tool: condition c trips when `sign · value > sign · limit` of its input; `effect[c, o]` or NaN."""

    tables: Tables
    program: Program
    inputs: NDArray[np.int32]
    outputs: NDArray[np.int32]
    source: NDArray[np.int32]  # position of each condition's input
    sign: Floats
    limit: Floats
    latch: Flags
    effect: Floats
    demand: Floats


def interlocks(rng: Random) -> Interlocks:
    """Build a random tool."""
    tool, draw = ToolBuilder(), np.random.default_rng(rng.getrandbits(64))
    inputs = [tool.input(LOW, HIGH, age_bad=AGE_BAD) for _ in range(rng.randint(2, 10))]
    outputs = [tool.output(0.0, 100.0, hazardous=rng.random() < 0.3) for _ in range(rng.randint(1, 8))]
    count = rng.randint(1, 12)
    source = draw.integers(0, len(inputs), count, dtype=np.int32)
    sign = draw.choice([-1.0, 1.0], count)
    limit = np.where(sign > 0, draw.uniform(55, 95, count), draw.uniform(5, 45, count))
    latch = draw.random(count) < 0.3
    effect = np.where(draw.random((count, len(outputs))) < 0.5, draw.uniform(0, 100, (count, len(outputs))), np.nan)
    for c in range(count):
        reading, bound = tag(inputs[source[c]]), float(limit[c])
        tool.condition(
            reading.above(bound) if sign[c] > 0 else reading.below(bound),
            ConditionClass.PERMISSIVE,
            ConditionFlag.LATCH if latch[c] else 0,
            effects={o: float(e) for o, e in zip(outputs, effect[c], strict=True) if not np.isnan(e)},
        )
    demand = draw.uniform(0, 100, len(outputs))
    program = ProgramBuilder()
    with program.cycle(2**40):
        for output, value in zip(outputs, demand, strict=True):
            program.set(output, float(value))
        program.wait(1)
    program.end()
    return Interlocks(
        tool.build(), program.build(), np.array(inputs, np.int32), np.array(outputs, np.int32),
        source, sign, limit, latch, effect, demand,
    )  # fmt: skip


@dataclass(frozen=True)
class Readings:
    """Postings of a batch: `spoken[k]` says whether the instruments spoke before scan k."""

    values: Floats
    status: NDArray[np.uint32]
    spoken: Flags


def readings(draw: np.random.Generator, inputs: int, scans: int) -> Readings:
    """Draw readings around the limits with every kind of fault among them."""
    values = draw.normal(50.0, 12.0, (scans, inputs))
    wild = draw.random((scans, inputs)) < 0.01
    values[wild] = draw.choice([np.nan, np.inf, -np.inf, LOW - 1, HIGH + 1], int(wild.sum()))
    status = np.zeros((scans, inputs), np.uint32)
    odd = draw.random((scans, inputs)) < 0.01
    status[odd] = draw.choice(
        np.array([Status.BAD, Status.UNCERTAIN, Status.BAD_NO_COMMUNICATION], np.uint32), int(odd.sum())
    )
    spoken = np.ones(scans, np.bool_)
    for start in draw.integers(1, max(scans - 2 * AGE_BAD, 2), scans // 200 + 1):
        spoken[start : start + draw.integers(1, 2 * AGE_BAD)] = False
    spoken[0] = True
    return Readings(values, status, spoken)


def tripped(tool: Interlocks, read: Readings) -> tuple[Flags, int]:
    """Return for each scan and condition whether its cause holds, and how many scans ran on aged readings."""
    scans = np.arange(len(read.spoken))
    last = np.maximum.accumulate(np.where(read.spoken, scans, -1))
    aged = scans - last >= AGE_BAD
    values, status = read.values[last], read.status[last]
    with np.errstate(invalid="ignore"):
        good = (status == 0) & np.isfinite(values) & (values >= LOW) & (values <= HIGH) & ~aged[:, None]
        beyond = tool.sign * values[:, tool.source] > tool.sign * tool.limit
    return ~good[:, tool.source] | beyond, int(aged.sum())


def in_force(tool: Interlocks, cause: Flags, carried: Flags) -> Flags:
    """Add latches: a latched condition stays in force; `carried` are those latched before the batch."""
    held = np.logical_or.accumulate(np.vstack([carried, cause]), axis=0)[1:]
    return cause | (held & tool.latch)


def expected(tool: Interlocks, force: Flags, forced: Floats) -> Floats:
    """Return what each output has to be in each scan."""
    acting = force[:, :, None] & ~np.isnan(tool.effect)[None]
    first = acting.argmax(axis=1)
    effect = np.take_along_axis(tool.effect, first, axis=0)
    otherwise = np.where(np.isnan(forced), tool.demand, forced)
    return np.where(acting.any(axis=1), effect, otherwise)


class Rows:
    """The engine's rows: from the flight ring, or copied one by one where an engine has none (the oracle)."""

    def __init__(self, engine: Callable[..., Any], tables: Tables) -> None:
        self.copied: list[Floats] = []
        self.image: Any = None
        self.next = 0
        if engine.__module__ == "kernels.scan":
            from kernels.image import Image

            self.image = Image.create(
                tags=len(tables.tags), conditions=len(tables.conditions), flight_rows=2 * BATCH, log_rows=16
            )
            self.scan = engine(tables, self.image, log_every=1 << 30)
        else:
            self.scan = engine(tables)

    def advance(self) -> None:
        """Run one scan."""
        self.scan.advance(1, 0, 1000)
        if self.image is None:
            self.copied.append(self.scan.values()[0])

    def take(self, rows: int) -> Floats:
        """Return the values of the last rows."""
        if self.image is None:
            taken, self.copied = np.array(self.copied), []
            return taken[-rows:]
        flight = self.image.flight(self.next, 2 * BATCH)
        self.next = flight.next
        if flight.lost:
            raise RuntimeError(f"the flight ring lost {flight.lost} rows")
        return flight.values[-rows:]

    def close(self) -> None:
        """Release the image."""
        if self.image is not None:
            self.image.close()


def play(rows: Rows, tool: Interlocks, read: Readings) -> None:
    """Post and scan, one by one."""
    post, advance, inputs = rows.scan.post_many, rows.advance, tool.inputs
    source = np.zeros(len(inputs), np.int64)
    values, status = np.ascontiguousarray(read.values), np.ascontiguousarray(read.status)
    for k, spoken in enumerate(read.spoken.tolist()):
        if spoken:
            post(inputs, values[k], status[k], source)
        advance()


def sweep(
    engine: Callable[..., Any], rng: Random, scans: int, *, each: Callable[[int], None] | None = None,
    planted: Callable[[Tables], Tables] | None = None,
) -> Sweep:  # fmt: skip
    """Run random scans on a random tool and count violations; `each` is told how many scans are done."""
    tool = interlocks(rng)
    draw = np.random.default_rng(rng.getrandbits(64))
    seen, rows = Sweep(), Rows(engine, planted(tool.tables) if planted else tool.tables)
    rows.scan.load(0, tool.program)
    for op in (Command.ARM, Command.LOAD, Command.START):
        rows.scan.command(op)
    latched, before = np.zeros(len(tool.limit), np.bool_), np.zeros(len(tool.limit), np.bool_)
    while seen.scans < scans:
        batch = min(BATCH, scans - seen.scans)
        forced = np.where(draw.random(len(tool.outputs)) < 0.2, draw.uniform(0, 100, len(tool.outputs)), np.nan)
        for output, value in zip(tool.outputs.tolist(), forced.tolist(), strict=True):
            rows.scan.command(Command.UNFORCE if np.isnan(value) else Command.FORCE, output, value)
        for index in range(len(tool.limit)):
            rows.scan.command(Command.RESET, index)
        latched &= before  # a reset is refused while the cause lasts
        read = readings(draw, len(tool.inputs), batch)
        play(rows, tool, read)
        rows.scan.events()
        cause, aged = tripped(tool, read)
        force = in_force(tool, cause, latched)
        wanted, got = expected(tool, force, forced), rows.take(batch)[:, tool.outputs]
        judge(seen, tool, np.vstack([before, cause]), wanted, got)
        before, latched = cause[-1].copy(), force[-1] & tool.latch
        seen.scans += batch
        seen.aged += aged
        if each:
            each(seen.scans)
    rows.close()
    return seen


def judge(seen: Sweep, tool: Interlocks, cause: Flags, wanted: Floats, got: Floats) -> None:
    """Count crossings, and rows in which an output is not what it has to be."""
    edges = cause[1:] & ~cause[:-1]
    seen.crossings += int(edges.sum())
    seen.gated += int((edges.astype(np.int64) @ (~np.isnan(tool.effect)).astype(np.int64)).sum())
    wrong = ~(wanted == got)
    seen.violations += int(wrong.any(axis=1).sum())
    if wrong.any() and not seen.first_violation:
        k, o = (int(index) for index in np.argwhere(wrong)[0])
        seen.first_violation = f"scan {seen.scans + k}: output {o} is {got[k, o]}, has to be {wanted[k, o]}"
