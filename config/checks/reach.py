"""Checks of what the matrix of causes and effects can reach: causes that never come, effects that never act, eyes."""

from collections import defaultdict

from config.checks.report import Report
from config.expression import ExpressionError, parse, to_text
from config.faults import join
from config.ranges import Ranges
from config.tool import Interlock, InterlockClass, Tag

Place = tuple[str, str]
"""A cause and an output."""
Interlocked = tuple[int, Interlock, float]
"""The first interlock there, and the value that it sets."""


def check_reach(report: Report) -> None:
    """Check which causes can be present, which effects can act, and through whose eyes each output is guarded."""
    ranges = Ranges(report.layout)
    first: dict[Place, Interlocked] = {}
    for i, interlock in enumerate(report.tool.interlocks):
        _check_possible(report, ranges, f"interlocks[{i}]", interlock)
        _check_effects(report, first, i, interlock)
    _check_eyes(report)


def _check_possible(report: Report, ranges: Ranges, path: str, interlock: Interlock) -> None:
    for i, cause in enumerate(interlock.causes):
        if not ranges.condition(cause).true:
            report.add(join(path, "causes", i), "can never be true within the ranges of its tags: it never votes")
    outcome = ranges.condition(interlock.when)
    at = join(path, "causes" if interlock.causes else "when")
    if not outcome.true:
        what = "its effects are unreachable" if interlock.effects else "it never acts"
        report.add(at, f"can never be true within the ranges of its tags: {what}")
    if not outcome.false:
        report.add(at, "is always true within the ranges of its tags: nothing that it holds can ever be moved")
    if interlock.reset_when is not None and not ranges.condition(interlock.reset_when).true:
        report.add(join(path, "reset_when"), "can never be true within the ranges of its tags: no reset is possible")


def _check_effects(report: Report, first: dict[Place, Interlocked], i: int, interlock: Interlock) -> None:
    """An effect whose cause stands above with another value for the same output never has the last word."""
    try:
        cause = to_text(parse(interlock.when))
    except ExpressionError:
        return
    for e, effect in enumerate(interlock.effects):
        j, above, value = first.setdefault((cause, effect.output), (i, interlock, effect.value))
        if value != effect.value and above.on_delay_s <= interlock.on_delay_s and not above.bypassable:
            report.add(
                join("interlocks", i, "effects", e),
                f"is unreachable: '{above.name}' (interlocks[{j}]) has the same cause and sets "
                f"'{effect.output}' to {value:g} before it",
            )


def _check_eyes(report: Report) -> None:
    """A device that fails may lie about itself: each hazardous output has a trip that sees through another one."""
    guards: dict[str, set[str]] = defaultdict(set)
    names: dict[str, list[str]] = defaultdict(list)
    for interlock in report.tool.interlocks:
        if interlock.cls is not InterlockClass.TRIP or interlock.bypassable:
            continue
        eyes = {_device(report.layout.declared[tag]) for tag in report.layout.inputs_of(interlock.when)} - {""}
        for effect in interlock.effects:
            guards[effect.output] |= eyes
            names[effect.output].append(interlock.name)
    links = {device.name: device.link for device in report.tool.devices}
    for m, module in enumerate(report.tool.modules):
        for t, tag in enumerate(module.tags):
            name, own = f"{module.name}.{tag.name}", _device(tag)
            if not tag.hazardous or not own or not names[name]:
                continue
            others = {device for device in guards[name] - {own} if links.get(device, device) != links.get(own, own)}
            if not others:
                report.add(
                    f"modules[{m}].tags[{t}].point",
                    f"'{name}' hangs on '{own}', and so does every cause of the trips that guard it and may not be "
                    f"bypassed ({', '.join(names[name])}): one failure takes both; guard it by another device too",
                )


def _device(tag: Tag) -> str:
    return (tag.point or "").partition(".")[0]
