"""A story at the edges of every rule of interlocks: before, at and behind each limit, delay, age and duration."""

import itertools
import math
from collections.abc import Iterator

from kernels.tables import Command, ConditionClass, ConditionFlag, Policy, Status
from tests.kernels.strategies import Case, Moment
from tests.kernels.tables_builder import ProgramBuilder, ToolBuilder, is_bad, is_good, tag, vote

LIMIT, HYSTERESIS, LOW, HIGH = 50.0, 4.0, 0.0, 100.0
AGE_UNCERTAIN, AGE_BAD, LONGEST = 3, 6, 4


def bench() -> Case:
    """A tool with one condition for each rule, all over the same few gauges."""
    tool = ToolBuilder()
    a, b, c = (tool.input(LOW, HIGH, age_uncertain=AGE_UNCERTAIN, age_bad=AGE_BAD) for _ in range(3))
    only_bad = tool.input(LOW, HIGH, age_bad=AGE_BAD)
    valve = tool.output(0.0, 100.0, hazardous=True)
    pump, slow = tool.output(0.0, 100.0, safe=30.0), tool.output(0.0, 100.0, rate=7.0)
    heater, mode, target = tool.output(0.0, 100.0), tool.mode(), tool.setpoint(0.0, 100.0, 40.0)
    tool.loop(pv=a, sp=target, out=heater, mode=mode, kp=1.0, ki=0.1, low=0.0, high=100.0)
    warning, latch = ConditionClass.WARNING, ConditionFlag.LATCH
    for make in (
        lambda x: x.above(LIMIT), lambda x: x.at_least(LIMIT), lambda x: x.below(LIMIT), lambda x: x.at_most(LIMIT),
        lambda x: x.equals(LIMIT), lambda x: x.differs(LIMIT),
        lambda x: x.above(LIMIT, HYSTERESIS), lambda x: x.at_least(LIMIT, HYSTERESIS),
        lambda x: x.below(LIMIT, HYSTERESIS), lambda x: x.at_most(LIMIT, HYSTERESIS),
    ):  # fmt: skip
        tool.condition(make(tag(a)), warning)
    hot = [tag(gauge).above(LIMIT) for gauge in (a, b, c)]
    for needed in (1, 2, 3):
        tool.condition(vote(needed, hot), warning, ConditionFlag.ACCEPT_UNCERTAIN if needed == 2 else 0)
    tool.condition(hot[0] & hot[1], warning)
    tool.condition(hot[0] | hot[1], warning)
    tool.condition((hot[0] & hot[1]) | (hot[1] & ~hot[2]), warning)
    tool.condition(hot[0] & vote(2, hot), warning)
    tool.condition(~(hot[2] | vote(2, hot)), warning)
    tool.condition(is_bad(a), warning)
    tool.condition(is_good(a) & is_good(b), warning)
    tool.condition(tag(only_bad).above(LIMIT), warning, group=2)
    for delays in ((0, 0), (1, 0), (3, 2)):
        tool.condition(
            hot[1], ConditionClass.PERMISSIVE, effects={slow: 20.0}, on_delay=delays[0], off_delay=delays[1]
        )  # fmt: skip
    tool.condition(hot[0], ConditionClass.TRIP, latch, effects={valve: 0.0, pump: 100.0}, group=0, max_bypass=LONGEST)
    tool.condition(hot[1], ConditionClass.TRIP, latch, effects={valve: 0.0, pump: 90.0, heater: 0.0}, group=0)
    tool.condition(
        hot[2], ConditionClass.HOLD, effects={pump: 80.0}, group=1, on_delay=1, max_bypass=1,
        reset=tag(a).below(20.0),
    )  # fmt: skip
    tool.condition(is_bad(c), ConditionClass.TRIP, ConditionFlag.SAFE_FROM_IDLE | latch, group=1)
    tool.safe.set(valve, 0.0)
    tool.safe.wait(2)
    tool.safe.end()
    program = ProgramBuilder()
    step = program.step()
    program.set(valve, 60.0)
    program.wait(30, policy=Policy.HOLD)
    program.end()
    program.block(step, "hold")
    program.set(valve, 0.0)
    program.wait(1)
    program.end()
    programs, tables = (program.build(), program.build()), tool.build()
    tables.conditions["reset"][-1] = 0  # the very first expression: a reset only while `a` is above the limit
    return Case(tables, programs, (a, b, c, only_bad), (valve, pump, slow, heater, target), (mode,))


def grouped() -> Case:
    """A tool whose conditions all belong to first-out groups, so that the first of the scan's groups is in use."""
    tool = ToolBuilder()
    gauges = tuple(tool.input(LOW, HIGH) for _ in range(3))
    valve = tool.output(0.0, 100.0, hazardous=True)
    for gauge, group in zip(gauges, (0, 0, 1), strict=True):
        effects, above = {valve: 0.0}, tag(gauge).above(LIMIT)
        tool.condition(above, ConditionClass.TRIP, ConditionFlag.LATCH, effects=effects, group=group)
    tool.safe.end()
    program = ProgramBuilder()
    program.end()
    return Case(tool.build(), (program.build(), program.build()), gauges, (valve,), ())


def firsts(drawn: Case) -> Iterator[Moment]:
    """Tell who was first, again and again, each alone and after the others."""
    number = itertools.count(1)
    for order in itertools.permutations(drawn.inputs):
        high: set[int] = set()
        for gauge in (None, *order):
            high |= {gauge} if gauge is not None else set()
            postings = tuple((one, 80.0 if one in high else 20.0, 0, 5) for one in drawn.inputs)
            yield Moment(postings, (), 0)
        yield Moment(tuple((one, 20.0, 0, 5) for one in drawn.inputs), (), 0)
        for target in range(len(drawn.inputs)):
            yield Moment((), ((int(Command.RESET), target, 0.0, 0.0, next(number)),), 0)


def edges(drawn: Case) -> Iterator[Moment]:
    """Tell the story."""
    a, b, c, alone = drawn.inputs
    conditions = len(drawn.tables.conditions)
    number = itertools.count(1)

    def moment(*orders: tuple[int, int, float], **readings: tuple[float, int]) -> Moment:
        names = {"a": a, "b": b, "c": c, "alone": alone}
        postings = tuple((names[name], value, status, 5) for name, (value, status) in readings.items())
        return Moment(postings, tuple((op, target, x, 0.0, next(number)) for op, target, x in orders), 0)

    def all_at(value: float, status: int = 0) -> dict[str, tuple[float, int]]:
        return dict.fromkeys(("a", "b", "c", "alone"), (value, status))

    yield moment()  # nobody has spoken
    yield moment(**all_at(20.0))
    every = [(int(Command.RESET), index, 0.0) for index in range(conditions)]
    yield moment(*every, **all_at(20.0))
    for value in (LIMIT, math.nextafter(LIMIT, 99), LIMIT, LIMIT - HYSTERESIS, math.nextafter(LIMIT - HYSTERESIS, 0),
                  LIMIT, math.nextafter(LIMIT, 0), LIMIT, LIMIT + HYSTERESIS, math.nextafter(LIMIT + HYSTERESIS, 99),
                  LOW, math.nextafter(LOW, -1), HIGH, math.nextafter(HIGH, 999), math.nan, math.inf, 20.0):  # fmt: skip
        yield moment(a=(value, 0), b=(20.0, 0), c=(20.0, 0), alone=(value, 0))
    statuses = (Status.GOOD, Status.UNCERTAIN, Status.BAD, 0xC0000000, Status.GOOD_LOCAL_OVERRIDE)
    for x, y in itertools.product(itertools.product((20.0, 80.0), statuses), repeat=2):
        yield moment(a=(x[0], int(x[1])), b=(y[0], int(y[1])), c=(20.0, 0))
    for silence in range(AGE_BAD + 2):
        yield moment(b=(20.0, 0), c=(20.0, 0 if silence else int(Status.UNCERTAIN)))
    for skip in (AGE_UNCERTAIN - 1, AGE_UNCERTAIN, AGE_BAD - 1, AGE_BAD, -1, 0):
        yield moment(**all_at(20.0))
        yield Moment((), (), skip)
    yield moment(*every, **all_at(20.0))
    for on in (1, 2, 3, 4, 5):  # each delay: one scan too short, just long enough, longer
        for _ in range(on):
            yield moment(a=(20.0, 0), b=(80.0, 0), c=(20.0, 0))
        for _ in range(on):
            yield moment(a=(20.0, 0), b=(20.0, 0), c=(20.0, 0))
    yield moment(*every, **all_at(20.0))
    for order in ("ab", "ba", "cab", "abc"):  # who was first
        for name in order:
            yield moment(**{**all_at(20.0), name: (80.0, 0)})
        yield moment(**all_at(80.0))
        yield moment(**all_at(20.0))
        yield moment(**all_at(20.0))
        for reset in every:
            yield moment(reset, **all_at(20.0))
    for name in "ab":  # the second one is first when it trips again alone
        yield moment(**{**all_at(20.0), name: (80.0, 0)})
    yield moment(**all_at(20.0))
    first, second = (index for index in range(conditions) if int(drawn.tables.conditions["group"][index]) == 0)
    yield moment((int(Command.RESET), first, 0.0), **all_at(20.0))
    yield moment(**{**all_at(20.0), "b": (80.0, 0)})
    yield moment((int(Command.RESET), second, 0.0), **all_at(20.0))
    yield moment(*every, **all_at(20.0))
    ways = (0.0, 0.5, 1.0, 1.5, LONGEST - 0.5, float(LONGEST), LONGEST + 0.5, LONGEST + 1.0, -1.0, 1e19, math.nan)
    first_bypassable = [index for index in range(conditions) if int(drawn.tables.conditions["max_bypass"][index])]
    for target, scans in itertools.product((*first_bypassable, 0, -1, conditions), ways):
        yield moment((int(Command.BYPASS), target, scans), **all_at(80.0))
        for _ in range(2):
            yield moment(**all_at(80.0))
    for _ in range(LONGEST + 2):
        yield moment(**all_at(80.0))
    yield moment((int(Command.BYPASS), first_bypassable[0], 3.0), **all_at(20.0))
    yield moment((int(Command.UNBYPASS), first_bypassable[0], 0.0), **all_at(80.0))
    for reading in (25.0, 20.0, 19.0):
        yield moment(**all_at(reading))
        yield moment(*every, **all_at(reading))
    armed = [(int(Command.ARM), 0, 0.0), (int(Command.LOAD), 0, 0.0), (int(Command.START), 0, 0.0)]
    for target in (*drawn.inputs, *drawn.writable, 0, -1, len(drawn.tables.tags)):
        for op, value in itertools.product((Command.WRITE, Command.FORCE), (0.0, 60.0, 100.0, 100.5, -0.5, math.nan)):
            yield moment((int(op), target, value), **all_at(19.0))
        yield moment(*armed, **all_at(19.0))
        yield moment(**all_at(80.0))
        yield moment((int(Command.DISARM), 0, 0.0), **all_at(19.0))
        yield moment((int(Command.UNFORCE), target, 0.0), **all_at(19.0))
        yield moment((int(Command.UNFORCE), target, 0.0), *every, **all_at(19.0))
    # The last condition is reset only while `a` is above its limit, which trips the first of its group.
    yield moment(*every, **{**all_at(19.0), "a": (80.0, 0)})
    yield moment(*every, **{**all_at(19.0), "a": (80.0, 0)})
    for _ in range(3):
        yield moment(*every, **all_at(19.0))
    for trip in ("a", "b", "c"):
        yield moment((int(Command.CLEAR), 0, 0.0), *armed, (int(Command.WRITE), drawn.modes[0], 2.0), **all_at(19.0))
        for _ in range(4):
            yield moment(**all_at(19.0))
        for _ in range(3):
            yield moment(**{**all_at(19.0), trip: (80.0, 0)})
        for _ in range(6):
            yield moment(*every, **all_at(19.0))
    yield moment((int(Command.CLEAR), 0, 0.0), **all_at(19.0))
    yield moment(**{**all_at(19.0), "c": (19.0, int(Status.BAD))})
    for _ in range(5):
        yield moment(*every, **all_at(19.0))
    # In the very scan in which its trip is reset a loop is put to automatic: it begins anew, it does not go on.
    automatic = (int(Command.WRITE), drawn.modes[0], 2.0)
    yield moment(*every, automatic, **all_at(19.0))
    for _ in range(6):
        yield moment(**all_at(19.0))
    yield moment(**{**all_at(19.0), "b": (80.0, 0)})
    yield moment(**all_at(19.0))
    yield moment(*every, automatic, **all_at(19.0))
    for _ in range(3):
        yield moment(**all_at(19.0))
