"""A small language for tables: tools and programs in a few readable lines, for tests and benchmarks.

Tags are named by the index that `input`, `setpoint`, `output` … return; expressions are built with Python's operators;
`build` gives the arrays of kernels/tables.py. What is built here is as valid as its arguments: the scan checks it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.tables import (
    CODE,
    CONDITION,
    EFFECT,
    EXPRESSION,
    GROUP,
    INSTRUCTION,
    LOOP,
    MAP,
    MEMBER,
    SCHEDULE,
    STEP,
    TAG,
    ConditionClass,
    ConditionFlag,
    Instr,
    Op,
    Policy,
    Program,
    SystemTag,
    Tables,
    TagFlag,
    TagKind,
)

Code = tuple[int, int, int, int, float, float]


@dataclass(frozen=True, eq=False)
class Expr:
    """An expression as postfix code. `>`-like words are methods, since a comparison has a hysteresis."""

    code: tuple[Code, ...]

    def _with(self, op: Op, other: "Expr | float | None" = None, hysteresis: float = 0.0) -> "Expr":
        operands = self.code if other is None else self.code + expr(other).code
        return Expr((*operands, (op, 0, 0, 0, 0.0, hysteresis)))

    def __neg__(self) -> "Expr":
        return self._with(Op.NEG)

    def __add__(self, other: "Expr | float") -> "Expr":
        return self._with(Op.ADD, other)

    def __sub__(self, other: "Expr | float") -> "Expr":
        return self._with(Op.SUB, other)

    def __mul__(self, other: "Expr | float") -> "Expr":
        return self._with(Op.MUL, other)

    def __truediv__(self, other: "Expr | float") -> "Expr":
        return self._with(Op.DIV, other)

    def __abs__(self) -> "Expr":
        return self._with(Op.ABS)

    def __and__(self, other: "Expr") -> "Expr":
        return self._with(Op.AND, other)

    def __or__(self, other: "Expr") -> "Expr":
        return self._with(Op.OR, other)

    def __invert__(self) -> "Expr":
        return self._with(Op.NOT)

    def sqrt(self) -> "Expr":
        return self._with(Op.SQRT)

    def least(self, other: "Expr | float") -> "Expr":
        return self._with(Op.MIN, other)

    def greatest(self, other: "Expr | float") -> "Expr":
        return self._with(Op.MAX, other)

    def above(self, other: "Expr | float", hysteresis: float = 0.0) -> "Expr":
        return self._with(Op.GT, other, hysteresis)

    def at_least(self, other: "Expr | float", hysteresis: float = 0.0) -> "Expr":
        return self._with(Op.GE, other, hysteresis)

    def below(self, other: "Expr | float", hysteresis: float = 0.0) -> "Expr":
        return self._with(Op.LT, other, hysteresis)

    def at_most(self, other: "Expr | float", hysteresis: float = 0.0) -> "Expr":
        return self._with(Op.LE, other, hysteresis)

    def equals(self, other: "Expr | float") -> "Expr":
        return self._with(Op.EQ, other)

    def differs(self, other: "Expr | float") -> "Expr":
        return self._with(Op.NE, other)


def expr(operand: Expr | float) -> Expr:
    """Make a constant of a number."""
    return operand if isinstance(operand, Expr) else Expr(((Op.CONST, 0, 0, 0, float(operand), 0.0),))


def tag(index: int) -> Expr:
    """Read a tag."""
    return Expr(((Op.TAG, index, 0, 0, 0.0, 0.0),))


def is_good(index: int) -> Expr:
    """Say whether a tag is Good."""
    return Expr(((Op.IS_GOOD, index, 0, 0, 0.0, 0.0),))


def is_bad(index: int) -> Expr:
    """Say whether a tag is Bad."""
    return Expr(((Op.IS_BAD, index, 0, 0, 0.0, 0.0),))


def rate(index: int, window: int) -> Expr:
    """Change of a tag per second over so many scans."""
    return Expr(((Op.RATE, index, 0, 0, float(window), 0.0),))


def vote(needed: int, operands: Sequence[Expr]) -> Expr:
    """At least `needed` of the operands are true or unknown."""
    code = tuple(instruction for operand in operands for instruction in operand.code)
    return Expr((*code, (Op.VOTE, needed, len(operands), 0, 0.0, 0.0)))


@dataclass
class Pool:
    """Expressions of a tool or of a program, and their code."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    code: list[Code] = field(default_factory=list)

    def add(self, expression: Expr) -> int:
        """Add an expression and return its index."""
        self.spans.append((len(self.code), len(expression.code)))
        self.code.extend(expression.code)
        return len(self.spans) - 1

    def arrays(self) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Return the tables of expressions and of code."""
        return np.array(self.spans, EXPRESSION), np.array(self.code, CODE)


def table(dtype: np.dtype[np.void], rows: Sequence[dict[str, Any]]) -> NDArray[np.void]:
    """Fill a table; columns that a row does not name are 0."""
    filled = np.zeros(len(rows), dtype)
    for row, columns in zip(filled, rows, strict=True):
        for name, value in columns.items():
            row[name] = value
    return filled


class ProgramBuilder:
    """A program, instruction by instruction. Blocks and further channels are written behind the main channel."""

    def __init__(self) -> None:
        self.instructions: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.pool = Pool()
        self.channels: list[int] = [0]

    @property
    def here(self) -> int:
        """The address of the next instruction."""
        return len(self.instructions)

    def add(self, op: Instr, **columns: Any) -> int:
        """Add an instruction with the columns as they are; return its address."""
        self.instructions.append({"arg": -1, "jump": -1, "policy": Policy.HOLD, **columns, "op": op})
        return self.here - 1

    def declare_step(
        self, *, guard: Expr | None = None, guard_policy: Policy = Policy.HOLD, guard_delay: int = 0, timers: int = 0
    ) -> int:  # fmt: skip
        """Declare a step; its blocks are named later by `block`, further guards by `guard`."""
        self.steps.append(
            {
                **dict.fromkeys(("pause", "resume", "hold", "restart", "stop"), -1),
                "guard": -1 if guard is None else self.pool.add(guard),
                "guard_policy": guard_policy,
                "guard_delay": guard_delay,
                "timers": timers,
            }
        )
        return len(self.steps) - 1

    def guard(self, step: int, that: Expr, policy: Policy = Policy.HOLD, delay: int = 0) -> None:
        """Give a step one guard more: a row of its own behind it."""
        while self.steps[step].get("also"):
            step = self.steps[step]["also"]
        self.steps[step]["also"] = self.declare_step(guard=that, guard_policy=policy, guard_delay=delay)

    def step(self, **declared: Any) -> int:
        """Declare a step and begin it here."""
        index = self.declare_step(**declared)
        self.add(Instr.STEP, arg=index)
        return index

    def block(self, step: int, name: str) -> None:
        """Begin the block `name` of a step here; close it with `end`."""
        self.steps[step][name] = self.here

    def channel(self) -> int:
        """Begin a parallel channel here and return its index; close it with `end`."""
        self.channels.append(self.here)
        return len(self.channels) - 1

    def end(self) -> None:
        self.add(Instr.END)

    def set(self, target: int, value: float) -> None:
        self.add(Instr.SET, arg=target, value=value)

    def ramp(self, target: int, value: float, *, rate: float = 0.0, scans: int = 0, start_from: int = -1) -> None:
        self.add(Instr.RAMP, arg=target, value=value, rate=rate, n=scans, jump=start_from)

    def wait(
        self, scans: int = 0, until: Expr | None = None, *, timeout: int = 0, policy: Policy = Policy.HOLD
    ) -> int:  # fmt: skip
        arg = -1 if until is None else self.pool.add(until)
        return self.add(Instr.WAIT, n=scans, arg=arg, timeout=timeout, policy=policy)

    def store(self, target: int, value: Expr) -> None:
        self.add(Instr.STORE, arg=target, jump=self.pool.add(value))

    def check(self, condition: Expr, policy: Policy = Policy.HOLD) -> None:
        self.add(Instr.CHECK, arg=self.pool.add(condition), policy=policy)

    def start(self, channel: int) -> int:
        return self.add(Instr.START, arg=channel)

    def join(self, channel: int) -> None:
        self.add(Instr.JOIN, arg=channel)

    def restore(self, target: int) -> None:
        self.add(Instr.RESTORE, arg=target)

    @contextmanager
    def cycle(self, passes: int, until: Expr | None = None) -> Iterator[None]:
        """Repeat what is written inside; some WAIT of at least one scan has to be in it."""
        loop = self.add(Instr.LOOP, n=passes)
        yield
        self.add(Instr.ENDLOOP, arg=-1 if until is None else self.pool.add(until))
        self.instructions[loop]["jump"] = self.here

    @contextmanager
    def when(self, condition: Expr) -> Iterator[None]:
        """Do what is written inside if the condition is known and true."""
        branch = self.add(Instr.BRANCH, arg=self.pool.add(condition))
        yield
        self.instructions[branch]["jump"] = self.here

    def build(self) -> Program:
        """Return the program."""
        expressions, code = self.pool.arrays()
        return Program(
            table(INSTRUCTION, self.instructions),
            table(STEP, self.steps),
            expressions,
            code,
            tuple(self.channels),
        )


class ToolBuilder:
    """A tool: tags, conditions, loops, maps and the safe sequence."""

    def __init__(self, period_s: float = 0.01) -> None:
        self.period_s = period_s
        system = {"kind": TagKind.SYSTEM, "expression": -1, "loop": -1}
        self.tags: list[dict[str, Any]] = [dict(system) for _ in SystemTag]
        self.conditions: list[dict[str, Any]] = []
        self.effects: list[dict[str, Any]] = []
        self.loops: list[dict[str, Any]] = []
        self.maps: list[dict[str, Any]] = []
        self.schedules: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.members: list[dict[str, Any]] = []
        self.numbers: list[float] = []
        self.pool = Pool()
        self.safe = ProgramBuilder()

    def _tag(self, kind: TagKind, **columns: Any) -> int:
        self.tags.append({"expression": -1, "loop": -1, **columns, "kind": kind})
        return len(self.tags) - 1

    def input(self, low: float = -1e9, high: float = 1e9, *, age_uncertain: int = 0, age_bad: int = 0) -> int:
        """Add an instrument's tag with its plausible range and ages in scans."""
        return self._tag(
            TagKind.INPUT, low=low, high=high, age_uncertain=age_uncertain, age_bad=age_bad
        )  # fmt: skip

    def computed(self, expression: Expr) -> int:
        """Add a computed tag."""
        return self._tag(TagKind.COMPUTED, expression=self.pool.add(expression))

    def keeper(self, expression: Expr, otherwise: float) -> int:
        """Add a computed tag that is `otherwise` at start and where its expression is unknown."""
        columns = {"expression": self.pool.add(expression), "initial": otherwise, "flags": TagFlag.OTHERWISE}
        return self._tag(TagKind.COMPUTED, **columns)

    def setpoint(self, low: float = -1e9, high: float = 1e9, initial: float = 0.0) -> int:
        """Add a set point."""
        return self._tag(TagKind.SETPOINT, low=low, high=high, initial=initial)

    def output(
        self, low: float = 0.0, high: float = 100.0, *, safe: float = 0.0, rate: float = 0.0, hazardous: bool = False
    ) -> int:  # fmt: skip
        """Add an output."""
        flags = TagFlag.HAZARDOUS if hazardous else 0
        return self._tag(TagKind.OUTPUT, low=low, high=high, safe=safe, rate=rate, flags=flags)

    def condition(
        self,
        expression: Expr,
        cls: ConditionClass = ConditionClass.TRIP,
        flags: int = 0,
        *,
        effects: dict[int, float] | None = None,
        group: int = -1,
        on_delay: int = 0,
        off_delay: int = 0,
        max_bypass: int = 0,
        reset: Expr | None = None,
    ) -> int:
        """Add a condition; a maximum bypass makes it bypassable; `reset` has to be true for a reset."""
        start = len(self.effects)
        self.effects += [{"output": output, "value": value} for output, value in (effects or {}).items()]
        self.conditions.append(
            {
                "expression": self.pool.add(expression),
                "cls": cls,
                "flags": flags | (ConditionFlag.BYPASSABLE if max_bypass else 0),
                "group": group,
                "on_delay": on_delay,
                "off_delay": off_delay,
                "max_bypass": max_bypass,
                "effect_start": start,
                "effect_count": len(self.effects) - start,
                "reset": -1 if reset is None else self.pool.add(reset),
            }
        )
        return len(self.conditions) - 1

    def loop(self, *, pv: int, sp: int, out: int, mode: int, ff: int = -1, **parameters: float) -> int:
        """Add a loop; an effect on its output will switch it off. Gains are per scan, as in the table."""
        columns = {"direction": 1.0, "alpha": 1.0, "low": -1e9, "high": 1e9, **parameters}
        self.loops.append({"pv": pv, "sp": sp, "out": out, "mode": mode, "ff": ff, **columns})
        if self.tags[out]["kind"] == TagKind.OUTPUT:
            self.tags[out]["loop"] = len(self.loops) - 1
        return len(self.loops) - 1

    def schedule(self, loop: int, tag: int, *lines: tuple[float, float, float, float]) -> None:
        """Schedule a loop's gains on a tag: at, kp, ki, kd of each line."""
        for at, kp, ki, kd in lines:
            self.schedules.append({"loop": loop, "tag": tag, "at": at, "kp": kp, "ki": ki, "kd": kd})

    def group(self, *members: dict[str, Any], numbers: list[float], **columns: Any) -> int:
        """Add a group of loops that a predictor controls."""
        places = {"member_start": len(self.members), "member_count": len(members), "numbers": len(self.numbers)}
        self.groups.append({**columns, **places})
        self.members += members
        self.numbers += numbers
        return len(self.groups) - 1

    def mode(self) -> int:
        """Add the mode tag of a loop."""
        return self.setpoint(0.0, 2.0)

    def map(self, source: int, target: int, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Map a range of the source to a range of the target."""
        self.maps.append({"source": source, "target": target, "x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]})

    def build(self) -> Tables:
        """Return the tables; an empty safe sequence only ends."""
        if not self.safe.instructions:
            self.safe.end()
        expressions, code = self.pool.arrays()
        return Tables(
            self.period_s,
            table(TAG, self.tags),
            expressions,
            code,
            table(CONDITION, self.conditions),
            table(EFFECT, self.effects),
            table(LOOP, self.loops),
            table(MAP, self.maps),
            self.safe.build(),
            table(SCHEDULE, self.schedules),
            table(GROUP, self.groups),
            table(MEMBER, self.members),
            np.array(self.numbers, np.float64),
        )


def bench_tables(tags: int, interlocks: int, loops: int, segments: int) -> tuple[Tables, Program]:
    """Build a tool of a given size and a program that keeps it busy.

    Each loop has a set point, a mode and an output of its own and reads one of the inputs; a tenth of the other tags
    are computed, a tenth outputs, the rest inputs. Every interlock compares two inputs with limits (hysteresis and
    delay) and acts on four outputs; each eighth votes two out of three. The program ramps set points. Nothing trips
    while all inputs stay between −40 and 900 (they have to be posted once).
    """
    rest = tags - len(SystemTag) - 3 * loops
    if rest < 10:
        raise ValueError(f"{tags} tags are too few for {loops} loops: at least {len(SystemTag) + 3 * loops + 10}")
    tool = ToolBuilder(period_s=0.001)
    computed, outputs = rest // 10, rest // 10
    inputs = [tool.input(-1e3, 1e4, age_uncertain=10**8, age_bad=10**9) for _ in range(rest - computed - outputs)]
    for index in range(computed):
        a, b = inputs[index % len(inputs)], inputs[(index * 7 + 1) % len(inputs)]
        tool.computed((tag(a) + tag(b)) * 0.5 - abs(tag(a) - tag(b)) / 3.0)
    driven = [tool.output(0.0, 1e3, hazardous=index % 4 == 0) for index in range(outputs)]
    setpoints: list[int] = []
    for index in range(loops):
        setpoint, mode, out = tool.setpoint(0.0, 1e3), tool.mode(), tool.output(0.0, 100.0, rate=5.0)
        pv, ff = inputs[index % len(inputs)], inputs[(index + 1) % len(inputs)] if index % 4 == 0 else -1
        tool.loop(
            pv=pv, sp=setpoint, out=out, mode=mode, ff=ff,
            kp=2.0, ki=0.01, kd=0.5, alpha=0.2, ff_gain=0.1, low=0.0, high=100.0, rate=2.0,
        )  # fmt: skip
        setpoints.append(setpoint)
        driven.append(out)
    for index in range(interlocks):
        a, b, c = (inputs[(index * 3 + shift) % len(inputs)] for shift in range(3))
        if index % 8 == 0:
            cause = vote(2, [tag(each).above(900.0, 5.0) for each in (a, b, c)])
        else:
            cause = tag(a).above(900.0, 5.0) | (tag(b).below(-50.0, 1.0) & tag(c).at_least(-40.0))
        tool.condition(
            cause,
            ConditionClass.TRIP if index % 2 else ConditionClass.PERMISSIVE,
            ConditionFlag.LATCH if index % 2 else 0,
            effects={driven[(index * 5 + shift) % len(driven)]: 0.0 for shift in range(4)},
            group=index % 16,
            on_delay=index % 3,
            off_delay=index % 5,
        )
    tool.safe.wait(10)
    tool.safe.end()
    program = ProgramBuilder()
    with program.cycle(1_000_000):
        for segment in range(segments):
            program.step(guard=tag(inputs[segment % len(inputs)]).below(950.0), guard_policy=Policy.CONTINUE)
            for shift in range(min(4, len(setpoints))):
                target = setpoints[(segment * 4 + shift) % len(setpoints)]
                program.ramp(target, 100.0 + (segment * 37 + shift * 11) % 400, scans=50)
            program.wait(50, tag(inputs[segment % len(inputs)]).below(1e3), timeout=100, policy=Policy.CONTINUE)
    program.end()
    return tool.build(), program.build()
