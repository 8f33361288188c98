"""Operations of a tool as plans."""

from collections.abc import Sequence

from config.plan.model import Block, Plan, PlannedStep, Restore
from config.plan.walk import least_s, longest_s, total_s
from config.tool import Action, Operation, Tool


def plan_operation(operation: Operation, tool: Tool) -> Plan:
    """Plan a service operation, or the safe sequence."""
    steps = operation_steps(operation, tool)
    return Plan(operation.title, "operation", steps, total_s(steps), operation.bound_s)


def operation_steps(operation: Operation, tool: Tool) -> tuple[PlannedStep, ...]:
    """Make the steps of an operation, as a plan of its own or around a recipe."""
    return tuple(_step(action, operation, tool) for action in operation.steps)


def _step(action: Action, operation: Operation, tool: Tool) -> PlannedStep:
    if action.steps and _is_only_a_cycle(action):
        # The members of a cycle are steps of their own: an operator sees which one runs.
        steps = tuple(_step(inner, operation, tool) for inner in action.steps)
        return PlannedStep(action.name, "tool", steps=steps, repeat=action.repeat, operation=operation.name)
    hold: Block = (Action(name=f"hold {operation.title}", set=operation.hold),) if operation.hold else ()
    restart: Block = (Restore(tuple(operation.hold)),) if operation.hold else ()
    return PlannedStep(
        name=action.name,
        owner="tool",
        actions=(action,),
        planned_s=_expected_s([action], tool.recipe.timeout_factor),
        operation=operation.name,
        guard=action.guard,
        pause=hold,
        resume=restart,
        hold=hold,
        restart=restart,
    )


def _is_only_a_cycle(action: Action) -> bool:
    own = action.set or action.ramp or action.store or action.check or action.min_s or action.until or action.guard
    return not own and not action.parallel


def _expected_s(actions: Sequence[Action], timeout_factor: float) -> float:
    """A wait for a condition is expected to take its timeout over the factor by which a tool's timeouts are wide."""
    expected = 0.0
    for action in actions:
        if action.until is not None:
            expected += max(action.min_s, (action.timeout_s or 0.0) / timeout_factor)
        else:
            expected += action.min_s
        expected += action.repeat * _expected_s(action.steps, timeout_factor)
        expected += max((_expected_s(branch, timeout_factor) for branch in action.parallel), default=0.0)
    return min(max(expected, least_s(actions)), longest_s(actions))
