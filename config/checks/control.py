"""Checks of control loops and maps."""

from itertools import pairwise

import numpy as np

from config.checks.report import DEENERGISED, WRITABLE, Report
from config.faults import join
from config.layout import SYSTEM_TAGS
from config.regulation.design import design
from config.regulation.model import LoopGroup
from config.tool import Loop, Schedule, Tag, TagKind
from kernels.tables import GroupState, LoopMode

LOOP_MODES = tuple(mode.name.lower() for mode in LoopMode)
GROUP_CHOICES = ("pid", "mpc")
GROUP_STATES = tuple(state.name.lower() for state in GroupState)
WIDEST_STEP = 10.0
"""From one row of a schedule to the next a gain changes by this factor at most (engineering default)."""


def check_control(report: Report) -> None:
    """Check loops, maps, their order, and that no tag is driven twice."""
    tool = report.tool
    report.unique(((f"loops[{i}].name", loop.name) for i, loop in enumerate(tool.loops)), "loop")
    driven = [(f"loops[{i}].out", loop.out) for i, loop in enumerate(tool.loops)]
    driven += [(f"maps[{i}].target", line.target) for i, line in enumerate(tool.maps)]
    report.unique(driven, "a loop or map that drives")
    for i, loop in enumerate(tool.loops):
        _check_loop(report, f"loops[{i}]", loop)
    _check_cascades(report)
    _check_maps(report)
    for i, group in enumerate(tool.groups):
        _check_group(report, f"groups[{i}]", group)
    report.unique(((f"groups[{i}].name", group.name) for i, group in enumerate(tool.groups)), "group")
    _check_members(report)


def check_mode(report: Report, path: str, name: str) -> None:
    """Check that a tag can be the mode of a loop."""
    tag = report.find(path, name, TagKind.SETPOINT)
    if tag is not None and tag.states != LOOP_MODES:
        report.add(path, f"'{name}' must have the states {', '.join(LOOP_MODES)}")


def same_unit(report: Report, path: str, name: str, tag: Tag | None, other_name: str, other: Tag | None) -> None:
    """Check that two tags that are subtracted from one another have one unit: the scan does not convert."""
    if tag is None or other is None:
        return
    unit, wanted = report.unit(tag), report.unit(other)
    if unit is not None and wanted is not None and unit is not wanted:
        report.add(path, f"'{name}' is in {unit.symbol}, '{other_name}' in {wanted.symbol}: they must have one unit")


def _check_loop(report: Report, path: str, loop: Loop) -> None:
    pv = report.find(join(path, "pv"), loop.pv)
    sp = report.find(join(path, "sp"), loop.sp)
    same_unit(report, join(path, "sp"), loop.sp, sp, loop.pv, pv)
    check_mode(report, join(path, "mode"), loop.mode)
    if loop.feed_forward is not None:
        report.find(join(path, "feed_forward"), loop.feed_forward)
    elif loop.feed_forward_gain != 0:
        report.add(join(path, "feed_forward_gain"), "means nothing without feed_forward")
    if loop.schedule is not None:
        _check_schedule(report, join(path, "schedule"), loop.schedule)
    if not loop.low < loop.high:
        report.add(join(path, "high"), f"high {loop.high:g} must be above low {loop.low:g}")
    out = report.find(join(path, "out"), loop.out, *WRITABLE)
    if loop.out in {loop.pv, loop.sp, loop.mode}:
        report.add(join(path, "out"), f"'{loop.out}' cannot be output and another tag of the same loop")
    if out is None:
        return
    for field in ("low", "high", "off"):
        report.value(join(path, field), loop.out, getattr(loop, field))
    if out.hazardous and loop.off != DEENERGISED:
        reason = f"'{loop.out}' is hazardous: a loop that is off must leave it at its safe value {DEENERGISED:g}"
        report.add(join(path, "off"), reason)


def _check_schedule(report: Report, path: str, schedule: Schedule) -> None:
    """Rows rise within the tag's range, and what lies between two of them is no guess."""
    tag = report.find(join(path, "tag"), schedule.tag)
    for i, (row, following) in enumerate(pairwise(schedule.rows), start=1):
        if not following.at > row.at:
            report.add(
                join(path, "rows", i, "at"), f"{following.at:g} must be above {row.at:g}, that of the row before"
            )
        for name, before, after in (
            ("kp", row.kp, following.kp),
            ("ti_s", row.kp / row.ti_s, following.kp / following.ti_s),
        ):
            if max(before, after) > WIDEST_STEP * min(before, after):
                what = "kp" if name == "kp" else "kp / ti_s"
                reason = (
                    f"{what} changes from {before:g} to {after:g}, more than {WIDEST_STEP:g} times: put a row between"
                )
                report.add(join(path, "rows", i, name), reason)
    for i, row in enumerate(schedule.rows):
        if tag is not None and not tag.low <= row.at <= tag.high:
            reason = f"{row.at:g} is outside of '{schedule.tag}', {tag.low:g} … {tag.high:g}"
            report.add(join(path, "rows", i, "at"), reason)


def _check_group(report: Report, path: str, group: LoopGroup) -> None:
    for field, states in (("select", GROUP_CHOICES), ("report", GROUP_STATES)):
        name = getattr(group, field)
        tag = report.find(join(path, field), name, TagKind.SETPOINT)
        if tag is not None and tag.states != states:
            report.add(join(path, field), f"'{name}' must have the states {', '.join(states)}")
        if field == "report" and tag is not None and tag.role is not None:
            report.add(join(path, field), f"'{name}' tells who controls: nobody moves it by hand (no role)")
    if group.test is not None and group.test not in {operation.name for operation in report.tool.operations}:
        report.add(join(path, "test"), f"there is no operation '{group.test}'")
    if group.model is None:
        return
    try:
        design(group)
    except (ValueError, np.linalg.LinAlgError) as error:
        report.add(join(path, "model"), str(error))


def _check_members(report: Report) -> None:
    """Each loop exists, belongs to one member only, and its cascade is one."""
    loops = {loop.name: loop for loop in report.tool.loops}
    taken = dict[str, str]()
    for i, group in enumerate(report.tool.groups):
        for k, member in enumerate(group.members):
            path = join("groups", i, "members", k)
            for field, name in (("outer", member.outer), ("inner", member.inner)):
                if name is None:
                    continue
                if name not in loops:
                    report.add(join(path, field), f"there is no loop '{name}'")
                elif name in taken:
                    report.add(join(path, field), f"loop '{name}' belongs to {taken[name]} already")
                taken.setdefault(name, path)
            driving = loops.get(member.driving)
            if driving is not None:
                for field in ("low", "high"):
                    report.value(join(path, field), driving.out, getattr(member, field))
            if member.inner == member.outer:
                report.add(join(path, "inner"), "is the outer loop: leave it out where there is no cascade")


def _check_cascades(report: Report) -> None:
    """An outer loop writes what an inner one reads, so it comes first; a ring has no first."""
    driven_by = {loop.out: i for i, loop in enumerate(report.tool.loops)}
    for i, loop in enumerate(report.tool.loops):
        for field, name in (("sp", loop.sp), ("feed_forward", loop.feed_forward)):
            outer = driven_by.get(name, i) if name is not None else i
            if outer > i:
                other = report.tool.loops[outer].name
                reason = f"'{name}' is the output of the outer loop '{other}', which must stand above this one"
                report.add(join("loops", i, field), reason)


def _check_maps(report: Report) -> None:
    driven_by = {line.target: i for i, line in enumerate(report.tool.maps)}
    for i, line in enumerate(report.tool.maps):
        path = f"maps[{i}]"
        report.find(join(path, "source"), line.source)
        if line.source in SYSTEM_TAGS:
            report.add(join(path, "source"), f"'{line.source}' belongs to the scan and drives nothing")
        if line.x[0] == line.x[1]:
            report.add(join(path, "x"), f"both ends are at {line.x[0]:g}: a line needs two points")
        for end in range(2):
            report.value(join(path, "y", end), line.target, line.y[end])
        if line.source == line.target:
            report.add(join(path, "target"), "is its own source")
        elif driven_by.get(line.source, i) > i:
            upper = f"maps[{driven_by[line.source]}]"
            report.add(join(path, "source"), f"'{line.source}' is the target of {upper}, which must stand above")
