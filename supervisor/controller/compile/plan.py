"""Plans into programs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from config.plan import Plan, PlannedStep
from config.tool import Action, Guard
from config.tool import Policy as Word
from kernels.tables import Instr, Policy, Program
from supervisor.controller.compile.assembler import POLICIES, Assembler
from supervisor.controller.compile.time import scans
from supervisor.controller.compile.tool import CompiledTool
from supervisor.controller.errors import CompileError


@dataclass(frozen=True)
class StepInfo:
    """What belongs to the number of a step."""

    name: str
    owner: Literal["tool", "recipe"]
    planned_s: float
    """Of one pass."""
    operation: str | None = None
    """Operation of the tool that it belongs to."""
    path: str | None = None
    """Where it stands in the recipe."""
    passes: int = 1
    """How often it runs."""


@dataclass(frozen=True)
class CompiledPlan:
    """A program and the names of its rows."""

    program: Program
    steps: tuple[StepInfo, ...]
    planned_s: float
    reasons: dict[int, str] = field(default_factory=dict[int, str])
    """Why a check is made, by its instruction."""
    limits: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])
    """What further guards watch, by the number of the step and their place among its guards."""
    bound_s: float | None = None


def compile_plan(compiled: CompiledTool, plan: Plan) -> CompiledPlan:
    """Compile a plan for a compiled tool.

    Raises:
        CompileError: naming the step and the tag which the scan's tables cannot express.
    """
    assembler = Assembler(compiled.layout)
    infos = list[tuple[StepInfo, PlannedStep]]()
    _sequence(assembler, plan.steps, infos, 1)
    assembler.end()
    period_s = compiled.tables.period_s
    spare = len(infos)  # rows of further guards
    further = list[tuple[str, Guard, bool]]()
    # Name of the step, guard, whether another one of the step follows.
    watched = dict[tuple[int, int], str]()
    for number, (info, step) in enumerate(infos):
        watched |= {(number, place): limit.that for place, limit in enumerate(step.limits, 1)}
        try:
            guard = _guard(assembler, step.guard, info.name, period_s)
            assembler.steps.append((
                assembler.block(step.pause),
                assembler.block(step.resume),
                assembler.block(step.hold),
                assembler.block(step.restart),
                -1 if step.stop is None else _stop(assembler, step),
                *guard[:2],
                int(step.timers_while_paused) | int(step.timers_while_held) << 1,
                guard[2],
                spare + len(further) if step.limits else 0,
                0,
            ))  # fmt: skip
            last = len(step.limits) - 1
            further += [(info.name, limit, place < last) for place, limit in enumerate(step.limits)]
        except CompileError as error:
            raise CompileError(f"step {info.name!r}: {error}") from error
    for row, (name, limit, more) in enumerate(further, spare):
        expression, policy, delay = _guard(assembler, limit, name, period_s)
        assembler.steps.append((-1, -1, -1, -1, -1, expression, policy, 0, delay, row + 1 if more else 0, 0))
    return CompiledPlan(
        program=assembler.program(),
        steps=tuple(info for info, _ in infos),
        planned_s=plan.planned_s,
        reasons=dict(assembler.reasons),
        limits=watched,
        bound_s=plan.bound_s,
    )


def _guard(assembler: Assembler, guard: Guard | None, name: str, period_s: float) -> tuple[int, int, int]:
    """Expression, policy and delay of a guard."""
    if guard is None:
        return -1, int(Policy.HOLD), 0
    row = assembler.expressions.condition(guard.that, f"{name}: guard")
    return row, int(POLICIES[guard.otherwise]), scans(guard.delay_s, period_s)


def _sequence(
    assembler: Assembler, steps: Iterable[PlannedStep], infos: list[tuple[StepInfo, PlannedStep]], passes: int
) -> None:
    for step in steps:
        if step.steps:
            cycle = assembler.begin_cycle(step.repeat, step.name)
            _sequence(assembler, step.steps, infos, passes * step.repeat)
            assembler.end_cycle(cycle, step.until, step.name)
            if step.until is not None and step.on_exhausted is not Word.CONTINUE:
                row = assembler.expressions.condition(step.until, step.name)
                check = assembler.emit(Instr.CHECK, arg=row, policy=POLICIES[step.on_exhausted])
                assembler.reasons[check] = f"{step.name}: not {step.until} after {step.repeat} passes"
            continue
        if step.when is not None:
            ways = [partial(_sequence, assembler, way, infos, passes) for way in (step.then, step.otherwise)]
            assembler.choice(step.when, ways, step.name)
            continue
        info = StepInfo(step.name, step.owner, step.planned_s, step.operation, step.path, passes)
        assembler.emit(Instr.STEP, arg=len(infos))
        infos.append((info, step))
        assembler.actions(step.actions)
        if step.parallel:
            assembler.parallel([tuple(_actions(branch)) for branch in step.parallel], step.name)


def _actions(steps: Iterable[PlannedStep]) -> Iterable[Action]:
    """The actions of a branch: its steps have no numbers, for a run is in one step at a time."""
    for step in steps:
        if step.steps:
            yield Action(name=step.name, repeat=step.repeat, steps=tuple(_actions(step.steps)))
        else:
            yield from step.actions


def _stop(assembler: Assembler, step: PlannedStep) -> int:
    """An empty block still is one: a stop that changes nothing, and not the safe sequence."""
    if step.stop:
        return assembler.block(step.stop)
    return assembler.emit(Instr.END)
