"""Reading a plan: its order, its length, the gas it uses, what it leaves open."""

from collections.abc import Iterable, Iterator

from config.gases import is_hazardous
from config.plan.model import Plan, PlannedStep
from config.tool import Action, Tool


def order(steps: Iterable[PlannedStep]) -> Iterator[PlannedStep]:
    """Yield the steps that a run shows, in the order of their numbers: a group's members, but branches as one step."""
    for step in steps:
        if step.steps or step.when is not None:
            yield from order((*step.steps, *step.then, *step.otherwise))
        else:
            yield step


def total_s(steps: Iterable[PlannedStep]) -> float:
    """Expected length of steps in sequence, in s."""
    return sum(_total_s(step) for step in steps)


def _total_s(step: PlannedStep) -> float:
    if step.steps:
        return step.repeat * total_s(step.steps)
    if step.when is not None:
        return max(total_s(step.then), total_s(step.otherwise))
    if step.parallel:
        return max(total_s(branch) for branch in step.parallel)
    return step.planned_s


def longest_s(actions: Iterable[Action]) -> float:
    """Greatest length of actions in s, if nothing holds them: every wait for a condition runs into its timeout."""
    return sum(_length_s(action, timeouts=True) for action in actions)


def least_s(actions: Iterable[Action]) -> float:
    """Least length of actions in s: every condition is true at once."""
    return sum(_length_s(action, timeouts=False) for action in actions)


def _length_s(action: Action, *, timeouts: bool) -> float:
    length = longest_s if timeouts else least_s
    own = max(action.min_s, (action.timeout_s or 0.0) if timeouts else 0.0)
    return own + length(action.steps) * action.repeat + max(map(length, action.parallel), default=0.0)


def gas_use(plan: Plan, tool: Tool) -> dict[str, float]:
    """Estimate the standard litres of each gas that a plan uses: set point times planned time, valve open."""
    used = {gas.name: 0.0 for gas in tool.gases}
    _use(plan.steps, tool, {}, used)
    return {gas: litres for gas, litres in used.items() if litres > 0}


def _use(steps: Iterable[PlannedStep], tool: Tool, state: dict[str, float], used: dict[str, float]) -> None:
    for step in steps:
        if step.steps:
            # One pass sets the state; the others repeat what it used.
            once = dict.fromkeys(used, 0.0)
            _use(step.steps, tool, state, once)
            for gas, litres in once.items():
                used[gas] += litres * step.repeat
            continue
        if step.when is not None:
            # Whichever is chosen: as much as the thirstier of both.
            chosen, other = dict.fromkeys(used, 0.0), dict.fromkeys(used, 0.0)
            before = dict(state)
            _use(step.then, tool, state, chosen)
            _use(step.otherwise, tool, before, other)
            for gas in used:
                used[gas] += max(chosen[gas], other[gas])
            continue
        for branch in step.parallel:
            _use(branch, tool, state, used)
        for action in step.actions:
            _follow(action, tool, state, used)
        # Waits for conditions last as long as planned, not as long as their least.
        _flow(max(step.planned_s - least_s(step.actions), 0.0), tool, state, used)


def _follow(action: Action, tool: Tool, state: dict[str, float], used: dict[str, float]) -> None:
    state.update(action.set)
    _flow(action.min_s, tool, state, used)
    if action.steps:
        once = dict.fromkeys(used, 0.0)
        for inner in action.steps:
            _follow(inner, tool, state, once)
        for gas, litres in once.items():
            used[gas] += litres * action.repeat
    for branch in action.parallel:
        for inner in branch:
            _follow(inner, tool, state, used)


def _flow(seconds: float, tool: Tool, state: dict[str, float], used: dict[str, float]) -> None:
    for gas in tool.gases:
        if state.get(gas.valve, 0.0) > 0:
            used[gas.name] += state.get(gas.setpoint, 0.0) * seconds / 60_000.0  # sccm · s → standard litres


def gases_left_on(plan: Plan, tool: Tool) -> list[str]:
    """Name the hazardous gases that a plan opens and does not shut again before its end."""
    state = dict[str, float]()
    for step in order(plan.steps):
        for inner in (*step.parallel, (step,)):
            for part in inner:
                for action in part.actions:
                    _settle(action, state)
    return [gas.name for gas in tool.gases if is_hazardous(gas.name) and state.get(gas.valve, 0.0) > 0]


def _settle(action: Action, state: dict[str, float]) -> None:
    state.update(action.set)
    for inner in (*action.steps, *(one for branch in action.parallel for one in branch)):
        _settle(inner, state)
