"""Plans into programs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from config.plan import Plan, PlannedStep
from config.tool import Action
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
    for info, step in infos:
        try:
            guard = (
                -1 if step.guard is None else assembler.expressions.condition(step.guard.that, f"{info.name}: guard")
            )
            assembler.steps.append((
                assembler.block(step.pause),
                assembler.block(step.resume),
                assembler.block(step.hold),
                assembler.block(step.restart),
                -1 if step.stop is None else _stop(assembler, step),
                guard,
                int(Policy.HOLD if step.guard is None else POLICIES[step.guard.otherwise]),
                int(step.timers_while_paused) | int(step.timers_while_held) << 1,
                0 if step.guard is None else scans(step.guard.delay_s, period_s),
            ))  # fmt: skip
        except CompileError as error:
            raise CompileError(f"step {info.name!r}: {error}") from error
    return CompiledPlan(
        program=assembler.program(),
        steps=tuple(info for info, _ in infos),
        planned_s=plan.planned_s,
        reasons=dict(assembler.reasons),
        bound_s=plan.bound_s,
    )


def _sequence(
    assembler: Assembler, steps: Iterable[PlannedStep], infos: list[tuple[StepInfo, PlannedStep]], passes: int
) -> None:
    for step in steps:
        if step.steps:
            cycle = assembler.begin_cycle(step.repeat, step.name)
            _sequence(assembler, step.steps, infos, passes * step.repeat)
            assembler.end_cycle(cycle)
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
