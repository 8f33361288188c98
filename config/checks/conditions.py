"""Checks of interlocks and alarms: the cause-and-effect matrix.

Precedence of effects. The scan gives an output the value of the first interlock in force, in the order of the file.
Two interlocks may therefore ask different values of one output only where the order says why the first one wins: it is
of a stronger class (trip before hold before permissive). Two of the same class that disagree are a contradiction, for
which of them would win is an accident of the file; and a weaker one above a stronger would disarm it.
"""

from collections import defaultdict

from config.alarm_list import PROOF_TESTS, bypass_alarm
from config.checks.alarms import check_alarms
from config.checks.report import DEENERGISED, Report
from config.faults import join
from config.tool import Interlock, InterlockClass, TagKind

_STRENGTH = {
    InterlockClass.TRIP: 3,
    InterlockClass.HOLD: 2,
    InterlockClass.PERMISSIVE: 1,
    InterlockClass.WARNING: 0,
}


def check_conditions(report: Report) -> None:
    """Check interlocks and alarms each by itself, then what they do together."""
    tool = report.tool
    named = [(f"interlocks[{i}]", interlock.name) for i, interlock in enumerate(tool.interlocks)]
    named += [(f"alarms[{i}]", alarm.name) for i, alarm in enumerate(tool.alarms)]
    made = [(join(f"interlocks[{i}]", "bypassable"), bypass_alarm(one.name)) for i, one in enumerate(tool.interlocks)
            if one.bypassable]  # fmt: skip
    tested = next((i for i, one in enumerate(tool.interlocks) if one.proof_test is not None), None)
    if tested is not None:
        made.append((join(f"interlocks[{tested}]", "proof_test"), PROOF_TESTS))
    report.unique([*((join(path, "name"), name) for path, name in named), *made], "condition")
    for (path, _), condition in zip(named, (*tool.interlocks, *tool.alarms), strict=True):
        if condition.response_time_s <= 0:
            report.add(join(path, "response_time_s"), "must be above 0: nobody acts in no time")
    for i, interlock in enumerate(tool.interlocks):
        _check_cause(report, f"interlocks[{i}]", interlock)
        _check_interlock(report, f"interlocks[{i}]", interlock)
    check_alarms(report)
    _check_groups(report)
    _check_precedence(report)
    _check_guarded(report)


def _check_cause(report: Report, path: str, interlock: Interlock) -> None:
    """Check what is declared; each voter by itself, so that a fault stands where it was written."""
    if interlock.reset_when is not None:
        report.condition(join(path, "reset_when"), interlock.reset_when)
        if not interlock.latch:
            report.add(join(path, "reset_when"), "means nothing for an interlock that does not latch")
    told = len(report.faults)
    for i, cause in enumerate(interlock.causes):
        report.condition(join(path, "causes", i), cause)
    if len(report.faults) > told and interlock.causes:
        return
    width = None if interlock.hysteresis is None else (join(path, "hysteresis"), interlock.hysteresis)
    report.condition(join(path, "causes" if interlock.causes else "when"), interlock.when, hysteresis=width)
    if interlock.causes:
        _check_voters(report, path, interlock)


def _check_voters(report: Report, path: str, interlock: Interlock) -> None:
    """Two voters that read the same instruments alone are one voter."""
    sources = [report.layout.inputs_of(cause) for cause in interlock.causes]
    for i, mine in enumerate(sources):
        for other, theirs in enumerate(sources[:i]):
            if mine and mine == theirs:
                same = ", ".join(sorted(mine))
                reason = f"reads what causes[{other}] reads ({same}): two voters need instruments of their own"
                report.add(join(path, "causes", i), reason)


def _check_interlock(report: Report, path: str, interlock: Interlock) -> None:
    cls = interlock.cls
    if interlock.bypassable and interlock.max_bypass_s <= 0:
        report.add(join(path, "max_bypass_s"), "a bypass needs an end: give its greatest duration")
    if interlock.max_bypass_s > 0 and not interlock.bypassable:
        report.add(join(path, "max_bypass_s"), "means nothing for an interlock that is not bypassable")
    if cls is InterlockClass.TRIP and not interlock.latch:
        report.add(join(path, "latch"), "a trip latches: it stays until somebody has looked and resets it")
    if interlock.safe_from_idle and cls is not InterlockClass.TRIP:
        report.add(join(path, "safe_from_idle"), f"only a trip starts the safe sequence, not a {cls.value}")
    if cls is InterlockClass.WARNING and interlock.effects:
        report.add(join(path, "effects"), "a warning moves nothing: make it a permissive, a hold or a trip")
    if cls is InterlockClass.PERMISSIVE and not interlock.effects:
        report.add(join(path, "effects"), "a permissive without effects does nothing: make it an alarm")
    first: dict[str, int] = {}
    for i, effect in enumerate(interlock.effects):
        at = join(path, "effects", i)
        tag = report.find(join(at, "output"), effect.output, TagKind.OUTPUT)
        if tag is None:
            continue
        report.value(join(at, "value"), effect.output, effect.value)
        if tag.hazardous and effect.value != DEENERGISED:
            reason = f"'{effect.output}' is hazardous: an interlock may only set it to its safe value {DEENERGISED:g}"
            report.add(join(at, "value"), reason)
        if effect.output in first:
            report.add(join(at, "output"), f"'{effect.output}' has an effect already, effects[{first[effect.output]}]")
        first.setdefault(effect.output, i)


def _check_groups(report: Report) -> None:
    members: dict[str, list[str]] = defaultdict(list)
    for folder, rows in (("interlocks", report.tool.interlocks), ("alarms", report.tool.alarms)):
        for i, row in enumerate(rows):
            if row.group is not None:
                members[row.group].append(join(folder, i, "group"))
    for group, paths in members.items():
        if len(paths) < 2:
            path = paths[0]
            report.add(path, f"the first-out group '{group}' has only this member: it would always be the first")


def _check_precedence(report: Report) -> None:
    """Compare each effect with the first one of each class above it: what differs from a later one differs from it."""
    first: dict[str, dict[InterlockClass, tuple[int, float]]] = defaultdict(dict)
    interlocks = report.tool.interlocks
    for i, interlock in enumerate(interlocks):
        for e, effect in enumerate(interlock.effects):
            path = join("interlocks", i, "effects", e, "value")
            for cls, (other, value) in first[effect.output].items():
                if value == effect.value or _STRENGTH[cls] > _STRENGTH[interlock.cls] or other == i:
                    continue
                rival = f"'{interlocks[other].name}' (interlocks[{other}]), which sets it to {value:g}"
                mine = f"'{effect.output}' = {effect.value:g}"
                if cls is interlock.cls:
                    report.add(path, f"{mine} contradicts {rival}: both may be in force")
                else:
                    report.add(path, f"{mine} loses against the {cls.value} {rival}: move this one above it")
            first[effect.output].setdefault(interlock.cls, (i, effect.value))


def _check_guarded(report: Report) -> None:
    """Each hazardous output has a trip that de-energises it, and one of them that nobody can bypass."""
    guards: dict[str, bool] = {}
    for interlock in report.tool.interlocks:
        if interlock.cls is InterlockClass.TRIP:
            for effect in interlock.effects:
                guards[effect.output] = guards.get(effect.output, False) or not interlock.bypassable
    for m, module in enumerate(report.tool.modules):
        for t, tag in enumerate(module.tags):
            name = f"{module.name}.{tag.name}"
            if not tag.hazardous or guards.get(name):
                continue
            reason = f"unguarded hazardous output: no trip sets '{name}' to its safe value {DEENERGISED:g}"
            if name in guards:
                reason = f"hazardous output '{name}': every trip that guards it can be bypassed; one may not be"
            report.add(f"modules[{m}].tags[{t}]", reason)
