"""Checks of gas safety: nothing hazardous without its rules, and rows of the matrix that shut what must be shut.

Whether a row does what it must is asked of its cause and effects, not of its name: with the exhaust lost, or two valves
open, some trip that nobody may bypass is certain, and shuts the valve (config.ranges).
"""

from collections.abc import Iterable, Iterator, Mapping

from config.checks.report import Report
from config.faults import join, suggestion
from config.gas_rules import LEAK_PASSED, burning, excepted, hazardous, pyrophoric
from config.gas_safety import GasSafety, Line, Volume
from config.gases import is_hazardous, never_together, pairs
from config.ranges import Range, Ranges
from config.tool import Action, Gas, Interlock, InterlockClass, Policy, TagKind

PATH = "gas_safety"


def check_gas_safety(report: Report) -> None:
    """Check what a tool says of its gases' volumes and exhaust, and that its matrix keeps the rules."""
    rules, gases = report.tool.gas_safety, hazardous(report.tool)
    _check_vents(report)
    if rules is None:
        if gases:
            names = ", ".join(gas.name for gas in gases)
            report.add(PATH, f"is missing: the tool feeds {names}; declare the chamber's volume, exhaust, abatement "
                       "and dilution, or say in gas_safety.waived why nothing is computed here")  # fmt: skip
        return
    if not isinstance(rules, GasSafety):
        return
    for word in ("exhaust", "abatement"):
        _contact(report, join(PATH, word), getattr(rules, word))
    diluted = report.find(join(PATH, "dilution"), rules.dilution, TagKind.INPUT)
    report.measures(join(PATH, "dilution"), rules.dilution, diluted, "slm", exactly=True)
    if diluted is not None and diluted.high <= rules.least_dilution_slm:
        report.add(join(PATH, "least_dilution_slm"), f"'{rules.dilution}' measures {diluted.high:g} slm at most")
    for i, lock in enumerate(rules.locks):
        report.find(join(PATH, "locks", i), lock, TagKind.OUTPUT)
    _check_chamber(report, rules.chamber)
    for i, line in enumerate(rules.lines):
        _check_line(report, join(PATH, "lines", i), line)
    _check_leak(report, rules)
    _check_exhaust(report, rules)
    _check_pairs(report)


def _contact(report: Report, path: str, name: str) -> None:
    tag = report.find(path, name, TagKind.INPUT)
    if tag is not None and len(tag.states) != 2:
        report.add(path, f"'{name}' is no contact: it must have two states, and be 1 when all is well")


def _check_chamber(report: Report, volume: Volume) -> None:
    path = join(PATH, "chamber")
    pressure = report.find(join(path, "pressure"), volume.pressure, TagKind.INPUT, TagKind.COMPUTED)
    report.measures(join(path, "pressure"), volume.pressure, pressure, "Torr")
    report.condition(join(path, "opened"), volume.opened)
    fed = [gas.name for gas in report.tool.gases]
    for i, gas in enumerate(volume.purge):
        if gas not in fed:
            report.add(join(path, "purge", i), f"the tool has no gas '{gas}'{suggestion(gas, fed)}")
        elif is_hazardous(gas):
            report.add(join(path, "purge", i), f"'{gas}' is not inert: it purges nothing")


def _check_line(report: Report, path: str, line: Line) -> None:
    fed = [gas.name for gas in report.tool.gases]
    if line.gas not in fed:
        report.add(join(path, "gas"), f"the tool has no gas '{line.gas}'{suggestion(line.gas, fed)}")
    pressure = report.find(join(path, "pressure"), line.pressure, TagKind.INPUT)
    report.measures(join(path, "pressure"), line.pressure, pressure, "Torr")
    report.find(join(path, "purge"), line.purge, TagKind.OUTPUT)
    report.condition(join(path, "supplied"), line.supplied)


def _check_leak(report: Report, rules: GasSafety) -> None:
    """Only a check that has passed may say so, and what burns in air waits for it."""
    if rules.leak is None:
        if gases := pyrophoric(report.tool):
            names = ", ".join(gas.name for gas in gases)
            report.add(join(PATH, "leak"), f"is missing: {names} burn in air and wait for a proof of tightness")
        return
    report.condition(join(PATH, "leak", "void"), rules.leak.void)
    names = [operation.name for operation in report.tool.operations]
    if rules.leak.operation not in names:
        hint = suggestion(rules.leak.operation, names)
        report.add(join(PATH, "leak", "operation"), f"there is no operation '{rules.leak.operation}'{hint}")
    for i, operation in enumerate((*report.tool.operations, report.tool.safe_sequence)):
        path = f"operations[{i}]" if i < len(names) else "safe_sequence"
        steps = list(_walk(operation.steps))
        proves = [n for n, step in enumerate(steps) if step.set.get(LEAK_PASSED) or LEAK_PASSED in step.ramp]
        if any(LEAK_PASSED in step.store for step in steps) or LEAK_PASSED in operation.hold:
            report.add(path, f"'{LEAK_PASSED}' is set to 0 and 1, and never stored or held")
        if operation.name != rules.leak.operation:
            if proves:
                report.add(path, f"sets '{LEAK_PASSED}', which only {rules.leak.operation} may")
            continue
        checked = [n for n, step in enumerate(steps) if any(c.otherwise is not Policy.CONTINUE for c in step.check)]
        begins = steps and steps[0].set.get(LEAK_PASSED) == 0.0
        if not begins or not proves or not checked or min(proves) <= min(checked):
            report.add(path, f"must set '{LEAK_PASSED}' to 0 in its first step, and to 1 behind a check of its result")


def _walk(steps: Iterable[Action]) -> Iterator[Action]:
    for step in steps:
        yield step
        yield from _walk(step.steps)
        for branch in step.parallel:
            yield from _walk(branch)


def _check_vents(report: Report) -> None:
    """Gases that must never meet do not share a vent line, where they would flow at once."""
    vents = {gas.name: gas.vent for gas in report.tool.gases}
    for a, b in pairs(vents):
        reason = never_together(a, b)
        if reason is not None and vents[a] is not None and vents[a] == vents[b]:
            at = next(i for i, gas in enumerate(report.tool.gases) if gas.name == b)
            report.add(f"gases[{at}].vent", f"{a} and {b} would meet in '{vents[b]}' ({reason}): give each its own")


# ------------------------------------------------------------------------------------- what the matrix must do
def _check_exhaust(report: Report, rules: GasSafety) -> None:
    """Nothing hazardous flows without exhaust and abatement."""
    for word, contact in (("exhaust", rules.exhaust), ("abatement", rules.abatement)):
        if contact not in report.layout.declared:
            continue
        shut = _shut(report, {contact: (0.0, 0.0)})
        for i, gas in enumerate(report.tool.gases):
            if is_hazardous(gas.name) and gas.valve not in shut:
                report.add(f"gases[{i}].valve", f"no trip that nobody may bypass shuts '{gas.valve}' when the {word} "
                           f"is lost ('{contact}' is 0)")  # fmt: skip
    for i, gas in enumerate(report.tool.gases):
        if gas in burning(report.tool) and report.layout.declared.get(gas.flow) is None:
            report.add(f"gases[{i}].flow", "is needed for the dilution of the exhaust")


def _check_pairs(report: Report) -> None:
    """Two gases that must never meet are never open at once, but in the window that a mode of the tool declares."""
    gases: dict[str, Gas] = {gas.name: gas for gas in report.tool.gases}
    for a, b in pairs(gases):
        reason, valves = never_together(a, b), (gases[a].valve, gases[b].valve)
        if reason is None or any(valve not in report.layout.declared for valve in valves):
            continue
        both = dict.fromkeys(valves, (1.0, 1.0))
        if excepted(report.tool, a, b):
            if _watched(report, valves):
                continue
            words = "no trip watches the window in which they may"
        elif set(valves) <= _shut(report, both):
            continue
        else:
            words = "no trip that nobody may bypass shuts both when both are open"
        at = next(i for i, gas in enumerate(report.tool.gases) if gas.name == b)
        report.add(f"gases[{at}].valve", f"{a} and {b} must never meet ({reason}); {words}")


def _trips(report: Report) -> Iterator[Interlock]:
    for interlock in report.tool.interlocks:
        if interlock.cls is InterlockClass.TRIP and not interlock.bypassable:
            yield interlock


def _shut(report: Report, known: Mapping[str, Range]) -> set[str]:
    """Outputs that trips are certain to shut while tags are so."""
    ranges = Ranges(report.layout, known)
    return {
        effect.output for trip in _trips(report) if not ranges.condition(trip.when).false
        for effect in trip.effects if effect.value == 0.0
    }  # fmt: skip


def _watched(report: Report, valves: tuple[str, str]) -> bool:
    """Whether a trip may shut both while both are open, and never acts while one of them is shut."""
    opened = Ranges(report.layout, dict.fromkeys(valves, (1.0, 1.0)))
    single = [Ranges(report.layout, {valve: (0.0, 0.0)}) for valve in valves]
    return any(
        opened.condition(trip.when).true and not any(ranges.condition(trip.when).true for ranges in single)
        and set(valves) <= {effect.output for effect in trip.effects if effect.value == 0.0}
        for trip in _trips(report)
    )  # fmt: skip
