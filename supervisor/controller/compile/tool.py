"""Tools into tables."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.layout import Layout
from config.plan import longest_s
from config.tool import Interlock, InterlockClass, Tag, TagKind, Tool
from kernels.tables import (
    CONDITION,
    EFFECT,
    LOOP,
    MAP,
    TAG,
    ConditionClass,
    ConditionFlag,
    Program,
    SystemTag,
    Tables,
    TagFlag,
)
from kernels.tables import TagKind as Kind
from supervisor.controller.compile.assembler import Assembler
from supervisor.controller.compile.expressions import Expressions
from supervisor.controller.compile.regulation import chosen, groups_of_loops, schedules
from supervisor.controller.compile.time import scans, scans_within
from supervisor.controller.errors import CompileError

UNCERTAIN_PERIODS, BAD_PERIODS = 2.0, 5.0
"""Periods of silence after which a value is Uncertain, and Bad (config.tool.Tag.period_s)."""

_KINDS = {
    TagKind.INPUT: Kind.INPUT,
    TagKind.COMPUTED: Kind.COMPUTED,
    TagKind.SETPOINT: Kind.SETPOINT,
    TagKind.OUTPUT: Kind.OUTPUT,
}
_CLASSES = {
    InterlockClass.TRIP: ConditionClass.TRIP,
    InterlockClass.HOLD: ConditionClass.HOLD,
    InterlockClass.PERMISSIVE: ConditionClass.PERMISSIVE,
    InterlockClass.WARNING: ConditionClass.WARNING,
}


@dataclass(frozen=True)
class CompiledTool:
    """A tool's tables and what their rows are called."""

    tool: Tool
    layout: Layout = field(repr=False)
    tables: Tables = field(repr=False)
    groups: tuple[str, ...]
    """First-out groups by number."""
    safe_reasons: dict[int, str] = field(default_factory=dict[int, str])
    """Why a check of the safe sequence is made, by its instruction."""


def compile_tool(tool: Tool) -> CompiledTool:
    """Compile a tool that `config.checks` has passed.

    Raises:
        CompileError: naming the tag, condition, loop or step which the scan's tables cannot express.
    """
    layout = Layout(tool)
    expressions = Expressions(layout)
    groups = tuple(dict.fromkeys(row.group for row in layout.conditions if row.group is not None))
    effects = list[tuple[int, int, float]]()
    tags = np.array(list(_tags(layout, expressions)), TAG)
    conditions = np.array(list(_conditions(layout, expressions, groups, effects)), CONDITION)
    safe, reasons = _safe(layout)
    tables = Tables(
        period_s=tool.scan.period_ms / 1000.0,
        tags=tags,
        expressions=expressions.table(),
        code=expressions.code(),
        conditions=conditions,
        effects=np.array(effects, EFFECT),
        loops=_loops(layout),
        maps=_maps(layout),
        safe=safe,
        schedules=schedules(layout),
        **groups_of_loops(layout),
    )
    return CompiledTool(tool, layout, tables, groups, reasons)


def _tags(layout: Layout, expressions: Expressions) -> Iterator[tuple[Any, ...]]:
    period_s = layout.tool.scan.period_ms / 1000.0
    loops, choices = _loops_of_outputs(layout), chosen(layout)
    for _ in SystemTag:
        yield (int(Kind.SYSTEM), 0, 0, 0, -1, -1, 0.0, 0.0, 0.0, 0.0, 0.0)
    for name, tag in layout.declared.items():
        expression = -1
        if tag.expression is not None:
            expression = expressions.value(tag.expression, name, name, rates=True)
        silent = tag.kind is not TagKind.INPUT or not tag.period_s
        yield (
            int(_KINDS[tag.kind]),
            (TagFlag.HAZARDOUS if tag.hazardous else 0) | (0 if tag.otherwise is None else TagFlag.OTHERWISE),
            0 if silent else scans(UNCERTAIN_PERIODS * tag.period_s, period_s),
            0 if silent else scans(BAD_PERIODS * tag.period_s, period_s),
            expression,
            loops.get(name, -1),
            tag.low,
            tag.high,
            tag.rate_per_s * period_s if tag.kind is TagKind.OUTPUT else 0.0,
            choices.get(name, tag.initial) if tag.otherwise is None else tag.otherwise,
            tag.safe if tag.kind is TagKind.OUTPUT else 0.0,
        )


def _loops_of_outputs(layout: Layout) -> dict[str, int]:
    """Which loop drives an output, straight or through maps: an effect on the output switches that loop off."""
    drives = {loop.out: index for index, loop in enumerate(layout.tool.loops)}
    for line in layout.tool.maps:
        if line.source in drives:
            drives.setdefault(line.target, drives[line.source])
    return {tag: loop for tag, loop in drives.items() if _kind(layout, tag) is TagKind.OUTPUT}


def _kind(layout: Layout, tag: str) -> TagKind | None:
    declared: Tag | None = layout.declared.get(tag)
    return declared.kind if declared else None


def _conditions(
    layout: Layout, expressions: Expressions, groups: tuple[str, ...], effects: list[tuple[int, int, float]]
) -> Iterator[tuple[Any, ...]]:
    period_s = layout.tool.scan.period_ms / 1000.0
    for condition in layout.conditions:
        flags = ConditionFlag(0)
        if condition.latch:
            flags |= ConditionFlag.LATCH
        if condition.accept_uncertain:
            flags |= ConditionFlag.ACCEPT_UNCERTAIN
        cls, max_bypass, start, reset = ConditionClass.WARNING, 0, len(effects), -1
        group = -1 if condition.group is None else groups.index(condition.group)
        if isinstance(condition, Interlock):
            cls = _CLASSES[condition.cls]
            if condition.bypassable:
                flags |= ConditionFlag.BYPASSABLE
                max_bypass = scans_within(condition.max_bypass_s, period_s)
            if condition.safe_from_idle:
                flags |= ConditionFlag.SAFE_FROM_IDLE
            if condition.reset_when is not None:
                reset = expressions.condition(condition.reset_when, f"{condition.name} (reset)")
            for effect in condition.effects:
                declared = layout.declared.get(effect.output)
                if declared is None or declared.kind is not TagKind.OUTPUT:
                    raise CompileError(f"interlock {condition.name}: {effect.output!r} is not an output")
                if not declared.low <= effect.value <= declared.high:
                    limits = f"{declared.low:g} … {declared.high:g}"
                    raise CompileError(
                        f"interlock {condition.name}: {effect.output} cannot become {effect.value:g} ({limits})"
                    )
                effects.append((layout.index[effect.output], 0, effect.value))
        yield (
            expressions.condition(
                condition.when, condition.name, condition.hysteresis, rates=not isinstance(condition, Interlock)
            ),
            int(cls),
            int(flags),
            group,
            scans(condition.on_delay_s, period_s),
            scans(condition.off_delay_s, period_s),
            max_bypass,
            start,
            len(effects) - start,
            reset,
            0,
        )


def _tag(layout: Layout, tag: str, where: str) -> int:
    index = layout.index.get(tag)
    if index is None:
        raise CompileError(f"{where}: unknown tag {tag!r}")
    return index


def _loops(layout: Layout) -> NDArray[Any]:
    period_s = layout.tool.scan.period_ms / 1000.0
    rows = list[tuple[Any, ...]]()
    for loop in layout.tool.loops:
        where = f"loop {loop.name}"
        rows.append((
            _tag(layout, loop.pv, where),
            _tag(layout, loop.sp, where),
            _tag(layout, loop.out, where),
            _tag(layout, loop.mode, where),
            -1 if loop.feed_forward is None else _tag(layout, loop.feed_forward, where),
            0,
            float(loop.direction),
            loop.kp,
            loop.kp * period_s / loop.ti_s,
            loop.kp * loop.td_s / period_s,
            period_s / (loop.filter_s + period_s),
            loop.feed_forward_gain,
            loop.bias,
            loop.low,
            loop.high,
            loop.rate_per_s * period_s,
            loop.off,
        ))  # fmt: skip
    return np.array(rows, LOOP)


def _maps(layout: Layout) -> NDArray[Any]:
    rows = list[tuple[Any, ...]]()
    for line in layout.tool.maps:
        where = f"map of {line.source}"
        source, target = _tag(layout, line.source, where), _tag(layout, line.target, where)
        rows.append((source, target, *line.x, *line.y))
    return np.array(rows, MAP)


def _safe(layout: Layout) -> tuple[Program, dict[int, str]]:
    sequence = layout.tool.safe_sequence
    longest = longest_s(sequence.steps)
    if longest > sequence.bound_s:
        raise CompileError(
            f"safe_sequence: takes up to {longest:g} s, more than its bound_s of {sequence.bound_s:g} s; "
            "raise the bound or shorten its waits"
        )
    assembler = Assembler(layout, branches=False)
    assembler.actions(sequence.steps)
    assembler.end()
    return assembler.program(), dict(assembler.reasons)
