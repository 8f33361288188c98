"""Operations of a tool as plans."""

from collections.abc import Sequence

from config.faults import ConfigError, Fault
from config.plan.model import Block, Plan, PlannedStep, Restore
from config.plan.walk import gases_left_on, total_s
from config.tool import Action, Operation, Tool

EXPECTED_OF_TIMEOUT = 0.1
"""What a wait for a condition is expected to take of its timeout: those of operations are wide (engineering habit)."""


def plan_operation(operation: Operation, tool: Tool) -> Plan:
    """Plan a service operation; raises ConfigError when it would leave a hazardous gas flowing."""
    steps = operation_steps(operation)
    plan = Plan(operation.title, "operation", steps, total_s(steps), operation.bound_s)
    if left := gases_left_on(plan, tool):
        raise ConfigError(
            [Fault(tool.name, f"operations.{operation.name}", f"leaves {', '.join(left)} flowing at its end")]
        )
    return plan


def operation_steps(operation: Operation) -> tuple[PlannedStep, ...]:
    """Make the steps of an operation, as a plan of its own or around a recipe."""
    return tuple(_step(action, operation) for action in operation.steps)


def _step(action: Action, operation: Operation) -> PlannedStep:
    if action.steps and _is_only_a_cycle(action):
        # The members of a cycle are steps of their own: an operator sees which one runs.
        steps = tuple(_step(inner, operation) for inner in action.steps)
        return PlannedStep(action.name, "tool", steps=steps, repeat=action.repeat, operation=operation.name)
    hold: Block = (Action(name=f"hold {operation.title}", set=operation.hold),) if operation.hold else ()
    restart: Block = (Restore(tuple(operation.hold)),) if operation.hold else ()
    return PlannedStep(
        name=action.name,
        owner="tool",
        actions=(action,),
        planned_s=_expected_s([action]),
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


def _expected_s(actions: Sequence[Action]) -> float:
    expected = 0.0
    for action in actions:
        waiting = 0.0 if action.until is None else (action.timeout_s or 0.0) * EXPECTED_OF_TIMEOUT
        expected += max(action.min_s, waiting) + action.repeat * _expected_s(action.steps)
        expected += max((_expected_s(branch) for branch in action.parallel), default=0.0)
    return expected
