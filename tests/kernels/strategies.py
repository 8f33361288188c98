"""Random but valid tools, programs and stories for the scan.

A case is a tool with its programs; a story is, scan by scan, what happens to it: postings (NaN, infinities, Bad and
Uncertain statuses, silence), commands with good and bad arguments, skipped slots. The campaign draws all of it from a
seed; in tests Hypothesis draws the story (`cases`) and shrinks it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from kernels.tables import (
    CHANNELS,
    Command,
    ConditionClass,
    Instr,
    Op,
    Policy,
    Program,
    SystemTag,
    Tables,
    TagFlag,
    TagKind,
)
from tests.kernels.tables_builder import Expr, ProgramBuilder, ToolBuilder, expr, is_bad, is_good, rate, tag, vote

STATUSES = (0, 0x00960000, 0x40000000, 0x40900000, 0x80000000, 0x80310000, 0xC0000000, 0x3FFFFFFF)
WILD = (math.nan, math.inf, -math.inf, -0.0, 0.0, 1e300, -1e300, 5e-324, 1e-9)
BLOCKS = ("pause", "resume", "hold", "restart", "stop")


@dataclass(frozen=True)
class Case:
    """A tool with the programs of both slots and some to replace them, and what a story needs to know of them."""

    tables: Tables
    programs: tuple[Program, ...]
    inputs: tuple[int, ...]
    writable: tuple[int, ...]
    modes: tuple[int, ...]


@dataclass(frozen=True)
class Moment:
    """What happens before one scan."""

    postings: tuple[tuple[int, float, int, int], ...]
    commands: tuple[tuple[int, int, float, float, int], ...]
    skip: int
    load: tuple[int, int] | None = None  # slot, program


def number(rng: Random, low: float = -10.0, high: float = 10.0) -> float:
    """A value that is round, so that equal values meet, or any."""
    if rng.random() < 0.5:
        return float(rng.randint(int(low), int(high)))
    return rng.uniform(low, high)


# ------------------------------------------------------------------------------------------------ expressions
def arithmetic(rng: Random, tags: list[int], depth: int, constant: float = 10.0) -> Expr:
    """An expression that yields a number."""
    if depth <= 0 or rng.random() < 0.3:
        return tag(rng.choice(tags)) if rng.random() < 0.7 else expr(number(rng, -constant, constant))
    a = arithmetic(rng, tags, depth - 1)
    match rng.randint(0, 8):
        case 0:
            return -a
        case 1:
            return abs(a)
        case 2:
            return a.sqrt()
        case 3:
            return a + arithmetic(rng, tags, depth - 1)
        case 4:
            return a - arithmetic(rng, tags, depth - 1)
        case 5:
            return a * arithmetic(rng, tags, depth - 1)
        case 6:
            return a / arithmetic(rng, tags, depth - 1)
        case 7:
            return a.least(arithmetic(rng, tags, depth - 1))
        case _:
            return a.greatest(arithmetic(rng, tags, depth - 1))


def comparison(rng: Random, tags: list[int], depth: int) -> Expr:
    """A comparison, half of them with hysteresis where there is one."""
    a, b = arithmetic(rng, tags, depth), arithmetic(rng, tags, depth - 1)
    hysteresis = rng.choice((0.0, 0.0, 0.5, 2.0))
    match rng.randint(0, 5):
        case 0:
            return a.above(b, hysteresis)
        case 1:
            return a.at_least(b, hysteresis)
        case 2:
            return a.below(b, hysteresis)
        case 3:
            return a.at_most(b, hysteresis)
        case 4:
            return a.equals(b)
        case _:
            return a.differs(b)


def truth(rng: Random, tags: list[int], depth: int) -> Expr:
    """An expression that is usually a truth; sometimes a number is used as one."""
    if depth <= 0 or rng.random() < 0.4:
        match rng.randint(0, 7):
            case 0:
                return is_good(rng.choice(tags))
            case 1:
                return is_bad(rng.choice(tags))
            case 2:
                return arithmetic(rng, tags, 1)
            case _:
                return comparison(rng, tags, 1)
    match rng.randint(0, 4):
        case 0:
            return ~truth(rng, tags, depth - 1)
        case 1:
            operands = [truth(rng, tags, depth - 2) for _ in range(rng.randint(1, 4))]
            return vote(rng.randint(0, len(operands) + 1), operands)
        case 2:
            return truth(rng, tags, depth - 1) | truth(rng, tags, depth - 1)
        case _:
            return truth(rng, tags, depth - 1) & truth(rng, tags, depth - 1)


def any_expression(rng: Random, tags: list[int]) -> Expr:
    """Either kind."""
    return arithmetic(rng, tags, 3) if rng.random() < 0.5 else truth(rng, tags, 2)


# ----------------------------------------------------------------------------------------------------- tools
def limits(rng: Random) -> tuple[float, float]:
    """A lower and an upper limit, now and then the same."""
    low = number(rng, -20, 5)
    return low, low + abs(number(rng, 0, 30))


def within(rng: Random, low: float, high: float) -> float:
    """A value inside of limits, often one of them."""
    choice = rng.random()
    if choice < 0.2:
        return low
    if choice < 0.4:
        return high
    return min(max(rng.uniform(low, high), low), high)


def case(rng: Random) -> Case:
    """A tool with two programs."""
    tool = ToolBuilder(period_s=rng.choice((0.001, 0.01, 0.1, 1.0)))
    kinds = [TagKind.INPUT, TagKind.SETPOINT, TagKind.OUTPUT, TagKind.OUTPUT]
    kinds += rng.choices((TagKind.INPUT, TagKind.COMPUTED, TagKind.SETPOINT, TagKind.OUTPUT), k=rng.randint(2, 14))
    rng.shuffle(kinds)
    total = len(SystemTag) + len(kinds)
    every = [*range(total), *range(len(SystemTag), total)]  # operands; system tags half as often
    by_kind: dict[TagKind, list[int]] = {kind: [] for kind in TagKind}
    for kind in kinds:
        by_kind[kind].append(random_tag(rng, tool, kind, every))
    inputs, setpoints, outputs = (by_kind[kind] for kind in (TagKind.INPUT, TagKind.SETPOINT, TagKind.OUTPUT))
    writable = setpoints + outputs
    calm = rng.random() < 0.7
    for _ in range(rng.randint(0, 7)):
        condition(rng, tool, every, outputs, calm=calm)
    modes = [loop(rng, tool, every, writable) for _ in range(rng.randint(0, 3))]
    for _ in range(rng.randint(0, 2)):
        x0 = number(rng)
        source = rng.choice(every)
        tool.map(source, rng.choice(writable), (x0, x0 + rng.choice((-5.0, 1.0, 10.0))), (number(rng), number(rng)))
    tool.safe = program(rng, every, writable, safe=True)
    programs = tuple(program(rng, every, writable).build() for _ in range(3))
    with_rates(tool)
    with_keepers(tool)
    modes += with_control(tool, every)
    tables = tool.build()
    return Case(
        tables, programs, tuple(inputs), tuple(writable), tuple(modes)
    )  # fmt: skip


def with_rates(tool: ToolBuilder) -> None:
    """Let half of the tools read rates in the place of some tags; drawn from what the tool is, so it disturbs nothing.

    Programs have none (`tool.pool` is not theirs).
    """
    code = tool.pool.code
    rng = Random(repr(code))
    if rng.random() < 0.5:
        return
    for at, (op, index, *_) in enumerate(code):
        if op == Op.TAG and rng.random() < 0.25:
            (code[at],) = rate(index, rng.choice((2, 3, 5, 59, 61, 150))).code


def with_keepers(tool: ToolBuilder) -> None:
    """Let some computed tags have a value where they know none; drawn from what the tool is, as rates are."""
    rng = Random(repr(tool.tags))
    for row in tool.tags:
        if row["kind"] == TagKind.COMPUTED and rng.random() < 0.4:
            row |= {"flags": TagFlag.OTHERWISE, "initial": rng.choice((0.0, 1.0, -0.0, 1e6, number(rng)))}


def with_control(tool: ToolBuilder, every: list[int]) -> list[int]:
    """Let half of the tools schedule gains, and half have a predictor over their loops; returns what chooses it."""
    rng = Random(repr(tool.loops))
    loops = list(range(len(tool.loops)))
    for loop in loops:
        if rng.random() < 0.5:
            places = sorted({number(rng) for _ in range(3)})
            lines = [(at, number(rng, 0, 3), number(rng, 0, 3), number(rng, 0, 3)) for at in places]
            tool.schedule(loop, rng.choice(every), *lines)
    if not loops or rng.random() < 0.5:
        return []
    for loop in loops:
        tool.tags[tool.loops[loop]["mode"]]["initial"] = 2.0
    select, report = tool.setpoint(0.0, 1.0, 1.0), tool.setpoint(0.0, 5.0)
    pairs = (
        [(loops[0], loops[-1]), *((loop, loop) for loop in loops[1:-1])] if rng.random() < 0.5 else [(loops[0],) * 2]
    )
    members = [
        {
            "outer": a,
            "inner": b,
            "low": (low := number(rng, -20, 5)),
            "high": low + 10.0,
            "rate": rng.choice((0.5, 30.0)),
        }
        for a, b in pairs
    ]
    m, q = len(members), len(members) + sum(a != b for a, b in pairs)
    n, points, blocks = q + rng.randint(0, 2), rng.randint(1, 3), rng.randint(1, 3)
    seen, moves = points * m, blocks * m
    numbers = [float(at) for at in sorted(rng.sample(range(1, 20), points))]
    numbers += [rng.uniform(-9, 9) for _ in range(q + m)]
    sizes = n * n + n * m + n * q + seen * (n + m) + moves * seen
    numbers += [rng.uniform(-0.4, 0.4) for _ in range(sizes)]
    numbers += [float(i == j) + rng.uniform(-0.1, 0.1) for i in range(moves) for j in range(moves)]
    tool.group(
        *members, numbers=numbers, select=select, report=report, states=n, points=points, blocks=blocks,
        iterations=rng.randint(1, 4), settle=rng.randint(1, 3), patience=rng.randint(0, 3), every=rng.choice((1, 2, 5)),
        rho=rng.uniform(0.1, 2.0), sigma=0.01, relax=rng.choice((1.0, 1.6)), tolerance=rng.choice((0.01, 5.0, 1e9)),
        watch=0.3, stale=rng.choice((5.0, 1e9, 1e9)), low=rng.choice((-1e9, -10.0)), high=rng.choice((1e9, 15.0)),
        margin=rng.choice((0.0, 1.0)),
    )  # fmt: skip
    return [select]


def random_tag(rng: Random, tool: ToolBuilder, kind: TagKind, every: list[int]) -> int:
    """One tag."""
    low, high = limits(rng)
    if kind == TagKind.INPUT:
        if rng.random() < 0.3:
            low, high = rng.choice(((-math.inf, math.inf), (-1e308, 1e308), (low, math.inf)))
        ages = rng.choice((0, 1, 3, 8)), rng.choice((0, 1, 5, 20))
        return tool.input(low, high, age_uncertain=ages[0], age_bad=ages[1])
    if kind == TagKind.COMPUTED:
        return tool.computed(any_expression(rng, every))
    if kind == TagKind.SETPOINT:
        return tool.setpoint(low, high, within(rng, low, high))
    rate = rng.choice((0.0, 0.0, 0.5, 3.0))
    return tool.output(low, high, safe=within(rng, low, high), rate=rate, hazardous=rng.random() < 0.4)


def condition(rng: Random, tool: ToolBuilder, every: list[int], outputs: list[int], *, calm: bool) -> None:
    """One condition with its effects; in a calm tool it seldom holds, so that programs get on."""
    effects: dict[int, float] = {}
    for output in rng.sample(outputs, rng.randint(0, len(outputs))):
        row = tool.tags[output]
        effects[output] = within(rng, row["low"], row["high"])
    cause = truth(rng, every, 2)
    if calm:
        cause &= tag(rng.choice(every)).above(number(rng, 10, 25), rng.choice((0.0, 3.0)))
    tool.condition(
        cause,
        rng.choice(list(ConditionClass)),
        rng.choice((0, 1)) | rng.choice((0, 0, 4)) | rng.choice((0, 8)),
        effects=effects,
        group=rng.randint(-1, 2),
        on_delay=rng.choice((0, 0, 1, 3)),
        off_delay=rng.choice((0, 0, 1, 3)),
        max_bypass=rng.choice((0, 1, 4, 1000)),
        reset=rng.choice((None, None, truth(rng, every, 1))),
    )


def loop(rng: Random, tool: ToolBuilder, every: list[int], writable: list[int]) -> int:
    """One loop; returns its mode tag, which is made behind all others."""
    mode = tool.setpoint(rng.choice((0.0, -1.0)), rng.choice((2.0, 3.5)))
    low, high = limits(rng)
    tool.loop(
        pv=rng.choice(every), sp=rng.choice(every), out=rng.choice(writable), mode=mode,
        ff=rng.choice((-1, -1, rng.choice(every))),
        direction=rng.choice((1.0, -1.0)), kp=number(rng, 0, 3), ki=rng.choice((0.0, 0.1, 1.5)),
        kd=rng.choice((0.0, 0.7)), alpha=rng.choice((0.1, 1.0)), ff_gain=number(rng, -2, 2),
        bias=number(rng, -2, 2), low=low, high=high, rate=rng.choice((0.0, 0.0, 0.4)), off=number(rng, -5, 5),
    )  # fmt: skip
    return mode


# -------------------------------------------------------------------------------------------------- programs
def program(rng: Random, every: list[int], writable: list[int], *, safe: bool = False) -> ProgramBuilder:
    """A program of every instruction, with blocks and channels; the safe sequence knows no channels."""
    built = ProgramBuilder()
    channels = 0 if safe else rng.randint(0, min(3, CHANNELS - 1))
    if not safe and rng.random() < 0.8:
        step(rng, built, every)
    body(rng, built, every, writable, channels, depth=rng.randint(1, 3), length=rng.randint(2, 8))
    if rng.random() < 0.1:
        built.wait(1)
        built.add(Instr.JUMP, jump=0)
    elif rng.random() < 0.05:
        for _ in range(300):  # more than a scan may execute
            built.set(rng.choice(writable), number(rng))
    built.end()
    for _ in range(channels):
        built.channel()
        body(rng, built, every, writable, 0, depth=1, length=rng.randint(1, 4))
        built.end()
    for index in range(len(built.steps)):
        for name in BLOCKS:
            if rng.random() < 0.5:
                built.block(index, name)
                if name in {"pause", "hold"}:
                    built.set(favourite(rng, writable), number(rng, -25, 35))
                elif rng.random() < 0.7:
                    built.wait(rng.randint(2, 6))
                body(rng, built, every, writable, 0, depth=1, length=rng.randint(0, 3), block=True)
                if name in {"resume", "restart"}:
                    built.restore(favourite(rng, writable))
                built.end()
    return built


def body(
    rng: Random, built: ProgramBuilder, every: list[int], writable: list[int], channels: int,
    *, depth: int, length: int, block: bool = False,
) -> None:  # fmt: skip
    """Instructions one after the other, with nested cycles and branches."""
    for _ in range(length):
        kind = rng.randint(0, 17)
        if kind == 0 and depth:
            until = truth(rng, every, 1) if rng.random() < 0.5 else None
            with built.cycle(rng.choice((0, 1, 2, 3, 6)), until):
                nested = {"depth": depth - 1, "length": rng.randint(1, 3), "block": block}
                body(rng, built, every, writable, 0, **nested)
                built.wait(rng.randint(1, 2))
        elif kind == 1 and depth:
            with built.when(truth(rng, every, 1)):
                nested = {"depth": depth - 1, "length": rng.randint(1, 2), "block": block}
                body(rng, built, every, writable, 0, **nested)
        elif kind == 2 and channels:
            built.start(rng.randint(1, channels))
        elif kind == 3 and channels:
            built.join(rng.randint(1, channels))
        else:
            instruction(rng, built, kind, every, writable, block=block)


def step(rng: Random, built: ProgramBuilder, every: list[int]) -> None:
    """A step, half of them with a guard."""
    index = built.step(
        guard=truth(rng, every, 1) if rng.random() < 0.5 else None,
        guard_policy=rng.choice(list(Policy)),
        guard_delay=rng.choice((0, 0, 2, 10)),
        timers=rng.randint(0, 3),
    )
    for _ in range(rng.choice((0, 0, 0, 1, 3))):
        built.guard(index, truth(rng, every, 1), rng.choice(list(Policy)), rng.choice((0, 1, 5)))


def favourite(rng: Random, writable: Sequence[int]) -> int:
    """Half of the time one of two tags, so that what is done to a tag meets what was done before."""
    return rng.choice(writable[:: max(len(writable) - 1, 1)] if rng.random() < 0.5 else writable)


def instruction(
    rng: Random, built: ProgramBuilder, kind: int, every: list[int], writable: list[int], *, block: bool
) -> None:  # fmt: skip
    """One plain instruction."""
    target, policy = favourite(rng, writable), rng.choice(list(Policy))
    match kind:
        case 4 | 5 if not block:
            step(rng, built, every)
        case 6 | 7 | 16:
            start = rng.choice(every) if rng.random() < 0.3 else -1
            rate, scans = rng.choice(((0.0, 0), (0.3, 0), (0.05, 0), (0.0, 3), (0.0, 60), (1.0, 5)))
            built.ramp(target, number(rng, -25, 35), rate=rate, scans=scans, start_from=start)
        case 8 | 9 | 10 | 14 | 15:
            until = truth(rng, every, 1) if rng.random() < 0.5 else None
            timeout = rng.choice((1, 2, 6, 40)) if until is not None else rng.choice((0, 0, 0, 3))
            built.wait(rng.choice((0, 1, 3, 8, 30)), until, timeout=timeout, policy=policy)
        case 11:
            built.store(target, any_expression(rng, every))
        case 12:
            built.check(truth(rng, every, 1), policy)
        case 13:
            built.restore(target)
        case _:
            built.set(target, number(rng, -25, 35))


# --------------------------------------------------------------------------------------------------- stories
def posting(rng: Random, case_: Case, scan: int) -> tuple[int, float, int, int]:
    """What one instrument says."""
    value = rng.choice(WILD) if rng.random() < 0.06 else number(rng, -22, 30)
    status = rng.choice(STATUSES) if rng.random() < 0.12 else 0
    return rng.choice(case_.inputs), value, status, scan * 1000 + rng.randint(0, 999)


def argument(rng: Random) -> float:
    """An argument of a command: mostly sensible."""
    return rng.choice(WILD) if rng.random() < 0.1 else number(rng, -22, 32)


def command(rng: Random, case_: Case, identity: int) -> tuple[int, int, float, float, int]:
    """A command: half of them what moves things, the others anything."""
    tags = len(case_.tables.tags)
    if rng.random() < 0.6:
        op = rng.choice((
            Command.WRITE, Command.WRITE, Command.LOAD, Command.START, Command.START, Command.PAUSE, Command.RESUME,
            Command.HOLD, Command.RESTART, Command.RESTART, Command.CLEAR, Command.ARM, Command.ARM, Command.RESET,
        ))  # fmt: skip
    else:
        op = rng.choice(list(Command)) if rng.random() < 0.97 else rng.choice((-1, 18, 99))
    target, a = rng.randint(-1, tags + 1), argument(rng)
    if op == Command.WRITE and rng.random() < 0.8:
        target = favourite(rng, case_.writable)
        if case_.modes and rng.random() < 0.4:
            target, a = rng.choice(case_.modes), float(rng.choice((0, 1, 2, 2, 2)))
    elif op in (Command.RESET, Command.BYPASS, Command.UNBYPASS) and len(case_.tables.conditions):
        target = rng.randint(0, len(case_.tables.conditions)) - (rng.random() < 0.05)
        a = float(rng.choice((0, 1, 2, 4, 5, 900))) if rng.random() < 0.9 else a
    elif op == Command.TUNE and len(case_.tables.loops):
        tuned = rng.randint(0, len(case_.tables.loops) - 1)
        return int(op), tuned, rng.choice((0.5, 1.0, 3.0, a)), rng.choice((0.25, 1.0, 2.0, a)), identity
    elif op == Command.LOAD:
        target = rng.randint(-1, 2) if rng.random() < 0.2 else rng.randint(0, 1)
    return int(op), target, a, 0.0, identity


def recovery(rng: Random, case_: Case) -> list[tuple[int, int, float, float, int]]:
    """What an operator does after a trip, in one go: everything reset or bypassed, armed, loaded."""
    commands = [
        (int(Command.RESET if rng.random() < 0.7 else Command.BYPASS), index, 900.0, 0.0, 4)
        for index in range(len(case_.tables.conditions))
    ]
    return [
        *commands,
        (int(Command.UNFORCE), rng.choice(case_.inputs), 0.0, 0.0, 5),
        (int(Command.CLEAR), 0, 0.0, 0.0, 6),
        (int(Command.ARM), 0, 0.0, 0.0, 7),
        (int(Command.LOAD), rng.randint(0, 1), 0.0, 0.0, 8),
    ]


def story(rng: Random, case_: Case, scans: int, *, reloads: float = 0.03) -> Iterator[Moment]:
    """A story of so many scans; the tool is armed, loaded and started early in most.

    `reloads` is how often a scan finds a slot's program replaced, or tried to be.
    """
    opening = [
        (int(Command.ARM), 0, 0.0, 0.0, 1),
        (int(Command.LOAD), rng.randint(0, 1), 0.0, 0.0, 2),
        (int(Command.START), 0, 0.0, 0.0, 3),
    ]
    talkative = rng.choice((0.1, 0.5, 1.5))  # postings an input and scan
    busy = rng.choice((0.02, 0.1, 0.5))  # commands a scan
    begin = rng.randint(0, 5)
    pause, resume, hold, restart = operations = Command.PAUSE, Command.RESUME, Command.HOLD, Command.RESTART
    drills = ((hold, restart, hold, restart), (pause, hold, restart), (pause, resume), (hold, restart), (hold,))
    drill: list[Command] = []
    for scan in range(scans):
        count = int(talkative * len(case_.inputs) + rng.random())
        if scan == 0 and rng.random() < 0.7:
            postings = [(index, number(rng, -5, 10), 0, 1) for index in case_.inputs]
        else:
            postings = [posting(rng, case_, scan) for _ in range(count)]
        commands = list(opening) if scan == begin else []
        if rng.random() < 0.04:
            commands += recovery(rng, case_)
        if rng.random() < 0.08:
            commands.append((int(Command.START), 0, 0.0, 0.0, 9))
        if rng.random() < 0.05:
            drill = list(rng.choice(drills))
        if drill and rng.random() < 0.4:
            commands.append((int(drill.pop(0)), 0, 0.0, 0.0, 11))
        if rng.random() < 0.04:
            commands.append((int(rng.choice(operations)), 0, 0.0, 0.0, 10))
        while rng.random() < busy:
            commands.append(command(rng, case_, 100 + scan))
        if rng.random() < 0.002:  # more than one scan may latch
            commands += [command(rng, case_, 100 + scan) for _ in range(80)]
        skip = rng.choice((1, 2, 7, 150)) if rng.random() < 0.02 else 0
        load = (rng.randint(0, 1), rng.randint(0, len(case_.programs) - 1)) if rng.random() < reloads else None
        yield Moment(tuple(postings), tuple(commands), skip, load)


# ------------------------------------------------------------------------------------------- for Hypothesis
numbers = st.one_of(st.integers(-22, 30).map(float), st.sampled_from(WILD), st.floats(-22, 30))


def moments(case_: Case, scans: int) -> st.SearchStrategy[list[Moment]]:
    """Stories that Hypothesis can shrink to the few moments that matter; the first one loads and starts."""
    tags = len(case_.tables.tags)
    postings = st.tuples(st.sampled_from(case_.inputs), numbers, st.sampled_from((0, 0, *STATUSES)), st.integers(0, 9))
    targets = st.one_of(st.integers(-1, tags), st.sampled_from((0, 1, *case_.writable, *case_.modes)))
    commands = st.tuples(st.sampled_from(list(map(int, Command))), targets, numbers, st.just(0.0), st.integers(0, 9))
    moment = st.builds(
        Moment,
        st.lists(postings, max_size=3).map(tuple),
        st.lists(commands, max_size=2).map(tuple),
        st.sampled_from((0, 0, 0, 0, 3)),
    )
    first = Moment(
        tuple((index, 1.0, 0, 1) for index in case_.inputs),
        tuple((int(op), 0, 0.0, 0.0, 1) for op in (Command.ARM, Command.LOAD, Command.START)),
        0,
    )
    return st.lists(moment, min_size=1, max_size=scans).map(lambda drawn: [first, *drawn])


@st.composite
def cases(draw: st.DrawFn, scans: int) -> tuple[Case, list[Moment]]:
    """A tool by its seed (a tool is too large to be drawn bit by bit) with a story."""
    drawn = case(Random(draw(st.integers(0, 2**32))))
    return drawn, draw(moments(drawn, scans))
