"""Checks of the safe sequence and the service operations: bounded, within limits, and safe things first."""

from collections.abc import Iterator

from config.checks.control import same_unit
from config.checks.report import DEENERGISED, WRITABLE, Report
from config.faults import join
from config.tool import Action, LinearMap, Operation
from kernels.tables import CHANNELS, LOOP_DEPTH


def check_operations(report: Report) -> None:
    """Check the service operations."""
    operations = report.tool.operations
    report.unique(((f"operations[{i}].name", operation.name) for i, operation in enumerate(operations)), "operation")
    for i, operation in enumerate(operations):
        _check_operation(report, f"operations[{i}]", operation)


def check_safe_sequence(report: Report) -> None:
    """Check the safe sequence: nothing in it waits for others, and hazardous outputs come first of all."""
    sequence = report.tool.safe_sequence
    _check_operation(report, "safe_sequence", sequence)
    for path, action in _walk("safe_sequence.steps", sequence.steps):
        if action.parallel:
            report.add(join(path, "parallel"), "the safe sequence runs on one channel: it has no branches")
    if not sequence.steps:
        return
    first = sequence.steps[0].set
    maps = {line.target: line for line in report.tool.maps}
    loops = {loop.out: loop for loop in report.tool.loops}
    for name, tag in report.layout.declared.items():
        if not tag.hazardous:
            continue
        path = "safe_sequence.steps[0].set"
        if name in maps:
            _check_mapped(report, path, first, maps[name])
            continue
        if first.get(name) != DEENERGISED:
            reason = f"the first step must set the hazardous output '{name}' to its safe value {DEENERGISED:g}"
            report.add(path, reason)
        if name in loops and first.get(loops[name].mode) != 0:
            mode = loops[name].mode
            report.add(path, f"the first step must set '{mode}' to 0 (off): its loop would drive '{name}' again")


def longest_s(actions: tuple[Action, ...]) -> float:
    """The longest time that steps can take, timeouts, cycles and branches included; ramps do not wait."""
    total = 0.0
    for action in actions:
        total += action.min_s if action.until is None else max(action.min_s, action.timeout_s or 0.0)
        total += action.repeat * longest_s(action.steps)
        total += max((longest_s(branch) for branch in action.parallel), default=0.0)
    return total


def _check_mapped(report: Report, path: str, first: dict[str, float], line: LinearMap) -> None:
    """A hazardous output that follows another tag is safe when that one is."""
    reason = f"the first step must set '{line.source}' so that its map brings '{line.target}' to {DEENERGISED:g}"
    given = first.get(line.source)
    if given is None or line.x[0] == line.x[1]:
        report.add(path, reason)
        return
    share = min(max((given - line.x[0]) / (line.x[1] - line.x[0]), 0.0), 1.0)
    if line.y[0] + (line.y[1] - line.y[0]) * share != DEENERGISED:
        report.add(path, reason)


def _walk(path: str, actions: tuple[Action, ...]) -> Iterator[tuple[str, Action]]:
    """Every action with its path, in order."""
    for i, action in enumerate(actions):
        at = join(path, i)
        yield at, action
        yield from _walk(join(at, "steps"), action.steps)
        for b, branch in enumerate(action.parallel):
            yield from _walk(join(at, "parallel", b), branch)


def _check_operation(report: Report, path: str, operation: Operation) -> None:
    if not operation.steps:
        report.add(join(path, "steps"), "has no steps: it would do nothing")
    for name, value in operation.hold.items():
        report.value(join(path, "hold", name), name, value)
    branches = 0
    for at, action in _walk(join(path, "steps"), operation.steps):
        _check_action(report, at, action)
        branches += len(action.parallel)
    if branches > CHANNELS - 1:
        reason = f"has {branches} branches in all; the scan has {CHANNELS - 1} channels beside the main one"
        report.add(join(path, "steps"), reason)
    nested = _cycles(operation.steps)
    if nested > LOOP_DEPTH:
        report.add(join(path, "steps"), f"nests cycles {nested} deep; the scan can {LOOP_DEPTH}")
    longest = longest_s(operation.steps)
    if operation.bound_s < longest:
        reason = f"{operation.bound_s:g} s is less than the {longest:g} s that its waits, timeouts and cycles can take"
        report.add(join(path, "bound_s"), reason)


def _cycles(actions: tuple[Action, ...]) -> int:
    below = [_cycles(action.steps) + 1 for action in actions if action.steps]
    below += [_cycles(branch) for action in actions for branch in action.parallel]
    return max(below, default=0)


def _check_action(report: Report, path: str, action: Action) -> None:
    for name, value in action.set.items():
        report.value(join(path, "set", name), name, value)
    for name, ramp in action.ramp.items():
        at = join(path, "ramp", name)
        tag = report.value(join(at, "to"), name, ramp.to)
        if ramp.start is not None:
            start = report.find(join(at, "start"), ramp.start)
            same_unit(report, join(at, "start"), ramp.start, start, name, tag)
    for name, text in action.store.items():
        at = join(path, "store", name)
        tag = report.find(at, name, *WRITABLE)
        if tag is not None:
            report.quantity(at, text, tag)
    if action.until is not None:
        report.condition(join(path, "until"), action.until)
    for i, check in enumerate(action.check):
        report.condition(join(path, "check", i, "that"), check.that)
    if action.guard is not None:
        report.condition(join(path, "guard", "that"), action.guard.that)
    _check_times(report, path, action)
    _check_shape(report, path, action)


def _check_times(report: Report, path: str, action: Action) -> None:
    period_s = report.tool.scan.period_ms / 1000
    if action.timeout_s is None:
        return
    if action.until is None:
        report.add(join(path, "timeout_s"), "means nothing without until")
    elif action.timeout_s < period_s:
        report.add(
            join(path, "timeout_s"), f"{action.timeout_s:g} s is less than a scan ({period_s:g} s): it never ends"
        )
    elif action.timeout_s < action.min_s:
        reason = f"{action.timeout_s:g} s is over before min_s ({action.min_s:g} s): it always times out"
        report.add(join(path, "timeout_s"), reason)


def _check_shape(report: Report, path: str, action: Action) -> None:
    if action.steps and action.parallel:
        report.add(path, "has both steps and parallel: put one of them into a step of its own")
    if action.repeat > 1 and not action.steps:
        report.add(join(path, "repeat"), "means nothing without steps")
    for b, branch in enumerate(action.parallel):
        if not branch:
            report.add(join(path, "parallel", b), "is empty")
    if len(action.parallel) == 1:
        report.add(join(path, "parallel"), "one branch is not parallel to anything: use steps")
    if action.repeat > 1 and action.steps and not _takes_time(action.steps):
        reason = "every pass of a cycle must take time: give one of its steps a min_s"
        report.add(join(path, "steps"), reason)


def _takes_time(actions: tuple[Action, ...]) -> bool:
    return any(
        action.min_s > 0 or _takes_time(action.steps) or any(_takes_time(branch) for branch in action.parallel)
        for action in actions
    )
