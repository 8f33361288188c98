"""Checks of alarms: what each kind needs, what means nothing for it, and whether its limits stand in order."""

from itertools import pairwise

from config.alarms import ANALOGUE, Limit, declared_limits, limit_number, limit_value, points, relative, watched_unit
from config.checks.report import Report
from config.faults import join, suggestion
from config.tool import Alarm, AlarmKind, Tag, TagKind
from config.unit_table import Unit

_NEEDS: dict[AlarmKind, tuple[str, ...]] = {
    AlarmKind.LIMIT: ("tag",),
    AlarmKind.LEVEL: ("tag",),
    AlarmKind.DEVIATION: ("tag", "setpoint"),
    AlarmKind.RATE_OF_CHANGE: ("tag",),
    AlarmKind.OFF_NORMAL: ("tag", "normal"),
    AlarmKind.DISCRETE: ("when",),
    AlarmKind.COMMUNICATION: ("tags",),
}
_ALL = ("tag", "setpoint", "normal", "when", "tags")
_FEWEST_VALUES = 4
"""Values of an instrument within the window of a rate; with fewer it follows every single one of them."""
_STEEPEST = 1.5
"""Most that a step of the tag's whole range within the window makes of it, times range over window."""
_UP = (Limit.LOW_LOW, Limit.LOW, Limit.HIGH, Limit.HIGH_HIGH)
_MOST_SHELVED_S = 7 * 86400.0
"""Longer than a week is no shelf but a removal from service (ISA-18.2, 11)."""


def check_alarms(report: Report) -> None:
    """Check every alarm by itself; its expression only where the parts of it are sound."""
    for i, alarm in enumerate(report.tool.alarms):
        path = f"alarms[{i}]"
        before = len(report.faults)
        _check_fields(report, path, alarm)
        _check_tags(report, path, alarm)
        if alarm.kind in ANALOGUE:
            _check_limits(report, path, alarm)
        _check_life(report, path, alarm)
        if len(report.faults) == before:
            _check_expressions(report, path, alarm)


def _check_fields(report: Report, path: str, alarm: Alarm) -> None:
    needs = _NEEDS[alarm.kind]
    for field in _ALL:
        given = bool(getattr(alarm, field))
        if field in needs and not given:
            report.add(join(path, field), f"an alarm of kind {alarm.kind.value} needs it")
        elif given and field not in needs:
            report.add(join(path, field), f"means nothing for an alarm of kind {alarm.kind.value}")
    declared = declared_limits(alarm)
    if alarm.kind in ANALOGUE and not declared:
        report.add(path, "needs at least one limit: high_high, high, low or low_low")
    if alarm.kind not in ANALOGUE:
        for limit in declared:
            report.add(join(path, limit.value), f"means nothing for an alarm of kind {alarm.kind.value}")
    if alarm.window_s and alarm.kind is not AlarmKind.RATE_OF_CHANGE:
        report.add(join(path, "window_s"), f"means nothing for an alarm of kind {alarm.kind.value}")
    if alarm.outer_priority is not None and not any(limit.outer for limit in declared):
        report.add(join(path, "outer_priority"), "means nothing without high_high or low_low")


def _check_tags(report: Report, path: str, alarm: Alarm) -> None:
    tag = None if alarm.tag is None else report.find(join(path, "tag"), alarm.tag)
    if alarm.setpoint is not None:
        setpoint = report.find(join(path, "setpoint"), alarm.setpoint)
        unit = None if tag is None else report.unit(tag)
        if unit is not None:
            report.measures(join(path, "setpoint"), alarm.setpoint, setpoint, unit.symbol)
    for i, name in enumerate(alarm.tags):
        report.find(join(path, "tags", i), name)
    if tag is None:
        return
    if alarm.kind is AlarmKind.OFF_NORMAL:
        _check_normal(report, path, alarm, tag)
    elif alarm.kind in ANALOGUE and tag.states:
        report.add(join(path, "tag"), f"'{alarm.tag}' has states: make it an alarm of kind off_normal")
    unit = report.unit(tag)
    if alarm.kind is AlarmKind.RATE_OF_CHANGE and alarm.window_s:
        _check_window(report, path, alarm, tag)
    elif alarm.kind is AlarmKind.RATE_OF_CHANGE and unit is not None and not _is_rate(unit):
        reason = f"'{alarm.tag}' is in {unit.symbol}, which is no rate: give window_s, over which its rate is taken"
        report.add(join(path, "tag"), reason)


def _check_window(report: Report, path: str, alarm: Alarm, tag: Tag) -> None:
    if tag.kind is TagKind.INPUT and alarm.window_s < _FEWEST_VALUES * tag.period_s:
        least = f"at least {_FEWEST_VALUES * tag.period_s:g} s"
        reason = f"'{alarm.tag}' has a new value only each {tag.period_s:g} s: take its rate over {least}"
        report.add(join(path, "window_s"), reason)


def _is_rate(unit: Unit) -> bool:
    return "/" in unit.symbol


def _check_normal(report: Report, path: str, alarm: Alarm, tag: Tag) -> None:
    if not tag.states:
        report.add(join(path, "tag"), f"'{alarm.tag}' has no states; an alarm of kind off_normal watches one that has")
    elif alarm.normal is not None and alarm.normal not in tag.states:
        known = ", ".join(tag.states)
        reason = f"'{alarm.tag}' has no state '{alarm.normal}', only {known}{suggestion(alarm.normal, tag.states)}"
        report.add(join(path, "normal"), reason)


def _check_limits(report: Report, path: str, alarm: Alarm) -> None:
    tag = report.layout.declared.get(alarm.tag or "")
    unit = None if tag is None else report.unit(tag)
    unit = None if unit is None else watched_unit(alarm, unit)
    values: dict[Limit, float] = {}
    parts: dict[Limit, float] = {}
    for limit, text in declared_limits(alarm).items():
        at, quantity = join(path, limit.value), limit_value(text)
        if quantity is None:
            report.add(at, f"'{text}' is no quantity such as '8 L/min'")
        elif relative(alarm, text):
            parts[limit] = quantity.value
        elif unit is not None and quantity.unit.exponents != unit.exponents:
            what = f"the rate of '{alarm.tag}'" if alarm.window_s else f"'{alarm.tag}'"
            report.add(at, f"'{text}' is a {quantity.unit.dimension}; {what} is in {unit.symbol}")
        else:
            values[limit] = limit_number(alarm, quantity, unit or quantity.unit)
            _check_reach(report, at, alarm, text, values[limit])
    for found in (values, parts):
        ordered = [(limit, found[limit]) for limit in _UP if limit in found]
        for (below, low), (above, high) in pairwise(ordered):
            if low >= high:
                report.add(join(path, above.value), f"must be above {below.value}")


def _check_reach(report: Report, at: str, alarm: Alarm, text: str, value: float) -> None:
    """A limit that the tag can never pass is an alarm that never comes."""
    tag = report.layout.declared[alarm.tag or ""]
    if alarm.window_s:
        if abs(value) > _STEEPEST * (tag.high - tag.low) / alarm.window_s:
            report.add(at, f"{text} is more than the whole range of '{alarm.tag}' within {alarm.window_s:g} s")
        return
    if alarm.kind is not AlarmKind.DEVIATION and not tag.low < value < tag.high:
        report.add(at, f"{text} is outside of what '{alarm.tag}' can be, {tag.low:g} … {tag.high:g} {tag.unit}")


def _check_life(report: Report, path: str, alarm: Alarm) -> None:
    suppressed = bool(alarm.suppress.modes or alarm.suppress.steps or alarm.suppress.idle)
    if alarm.safety and suppressed:
        report.add(join(path, "suppress"), "an alarm of the safety class is never suppressed")
    if alarm.safety and alarm.max_shelve_s > 0 and "max_shelve_s" in alarm.model_fields_set:
        report.add(join(path, "max_shelve_s"), "an alarm of the safety class cannot be shelved")
    if alarm.max_shelve_s > _MOST_SHELVED_S:
        report.add(join(path, "max_shelve_s"), "is above a week: what must rest longer is taken out of service")
    if 0 < alarm.re_alarm_s < alarm.response_time_s:
        reason = f"{alarm.re_alarm_s:g} s is shorter than the time to respond ({alarm.response_time_s:g} s)"
        report.add(join(path, "re_alarm_s"), reason)
    steps = {name for operation in report.tool.operations for name in _steps(operation.steps)}
    for i, step in enumerate(alarm.suppress.steps):
        close = suggestion(step, steps)
        if step not in steps and close:
            report.add(join(path, "suppress", "steps", i), f"no operation has a step '{step}'{close}")


def _steps(actions: tuple[object, ...]) -> list[str]:
    found: list[str] = []
    for action in actions:
        found.append(str(getattr(action, "name", "")))
        found += _steps(getattr(action, "steps", ()))
    return found


def _check_expressions(report: Report, path: str, alarm: Alarm) -> None:
    width = None if alarm.hysteresis is None else (join(path, "hysteresis"), alarm.hysteresis)
    if alarm.only_when is not None and report.condition(join(path, "only_when"), alarm.only_when, rates=True) is None:
        return
    for point in points(alarm):
        at = "when" if point.limit is None else point.limit.value
        at = "tag" if alarm.kind in {AlarmKind.OFF_NORMAL, AlarmKind.COMMUNICATION} else at
        if report.condition(join(path, at), point.when, hysteresis=width, rates=True) is None:
            return
        width = None  # said once
