"""Checks of control loops and maps."""

from config.checks.report import DEENERGISED, WRITABLE, Report
from config.faults import join
from config.layout import SYSTEM_TAGS
from config.tool import Loop, Tag, TagKind
from kernels.tables import LoopMode

LOOP_MODES = tuple(mode.name.lower() for mode in LoopMode)


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
