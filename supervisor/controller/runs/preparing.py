"""From a recipe's text or an operation's name to a program: loaded, checked against the tool, planned, compiled.

Everything that the server has judged is judged again here, from the document itself.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from config.continuation import Interruption, continuation
from config.faults import ConfigError
from config.plan import Plan, plan_operation
from config.preflight import preflight
from config.recipe import Recipe, load_recipe
from config.tool import Tool
from supervisor.controller.arguments import StartOperation, StartRun
from supervisor.controller.compile import CompiledTool, compile_plan
from supervisor.controller.errors import CommandRefused
from supervisor.controller.runs.life import RunKind, RunPlan, StepPlan
from supervisor.link.messages import Principal


@dataclass(frozen=True)
class Continued:
    """The run whose rest is run, and where it was: the journal knows, no client says it."""

    run_number: str
    at: Interruption


def prepare_recipe(
    tool: Tool, compiled: CompiledTool, principal: Principal, args: StartRun, continued: Continued | None = None
) -> RunPlan:
    """Make a recipe, or the rest of one, ready to run (seconds of work at worst: in a worker thread).

    Raises:
        CommandRefused: the document is not the approved one, has faults, or does not fit the tool.
    """
    digest = hashlib.sha256(args.recipe.encode()).hexdigest()
    if digest != args.recipe_sha256:
        raise CommandRefused(
            "BadInvalidArgument",
            f"the recipe is not the one that was approved: its SHA-256 is {digest}, not {args.recipe_sha256}",
        )
    try:
        recipe = load_recipe(args.recipe, process_mode=args.process_mode)
        if continued is not None:
            recipe = continuation(recipe, continued.at)
        report = preflight(recipe, tool)
    except ConfigError as error:
        raise CommandRefused("BadInvalidArgument", f"the recipe cannot run on this tool: {error}") from error
    if report.plan is None:
        faults = "\n".join(str(fault) for fault in report.faults)
        raise CommandRefused("BadInvalidArgument", f"the recipe cannot run on this tool: {faults}")
    return _plan(
        compiled,
        report.plan,
        "recipe",
        run_id=args.run_id,
        run_number=args.run_number,
        principal=principal,
        engineering=args.engineering,
        recipe=args.recipe,
        recipe_sha256=digest,
        process_mode=report.process_mode,
        requires=recipe.requires,
        recovery=recovery_of(recipe),
        continues=None if continued is None else continued.run_number,
    )


def recovery_of(recipe: Recipe) -> dict[str, Any]:
    """What a recipe wants after a crash, as the journal keeps it."""
    steps = {f"recipe_steps[{index}]": step.resume for index, step in enumerate(recipe.recipe_steps)}
    return {
        "policy": recipe.recovery.policy,
        "within_s": recipe.recovery.within_s,
        "steps": {path: how for path, how in steps.items() if how != "no"},
    }


def prepare_operation(tool: Tool, compiled: CompiledTool, principal: Principal, args: StartOperation) -> RunPlan:
    """Make a service operation ready to run.

    Raises:
        CommandRefused: the tool has no such operation.
    """
    for operation in tool.operations:
        if operation.name == args.name:
            try:
                plan = plan_operation(operation, tool)
            except ConfigError as error:
                raise CommandRefused("BadConfigurationError", f"{args.name} cannot run: {error}") from error
            return _plan(
                compiled,
                plan,
                "operation",
                run_id=args.run_id,
                run_number=args.run_number,
                principal=principal,
                operation=args.name,
            )
    names = ", ".join(operation.name for operation in tool.operations) or "none"
    raise CommandRefused("BadNotFound", f"the tool has no operation {args.name}; it has {names}")


def _plan(compiled: CompiledTool, plan: Plan, kind: RunKind, **said: Any) -> RunPlan:
    made = compile_plan(compiled, plan)
    steps = tuple(
        StepPlan(step.name, step.planned_s, step.operation or step.owner, step.passes, step.path) for step in made.steps
    )
    return RunPlan(
        kind=kind,
        name=plan.name,
        steps=steps,
        planned_s=made.planned_s,
        program=made.program,
        reasons=made.reasons,
        limits=made.limits,
        **said,
    )
