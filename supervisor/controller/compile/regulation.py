"""Gain schedules and groups of loops into tables."""

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from config.layout import Layout
from config.regulation.design import RELAX, design
from config.regulation.model import LoopGroup
from kernels.tables import GROUP, MEMBER, SCHEDULE
from supervisor.controller.compile.time import scans
from supervisor.controller.errors import CompileError

WATCH_S = 60.0
"""Time constant of the mean error of prediction that tells a stale model."""
UNSOLVED_SHARE = 0.005
"""By this share of an output's range the moves may fail their bounds before the search counts as failed …"""
PATIENCE = 5
"""… in so many samples in a row."""
MARGIN = 0.02
"""Share of the model's range that process values must be inside of it before the predictor takes over."""


class Groups(TypedDict):
    """Tables of groups (kernels.tables.Tables)."""

    groups: NDArray[Any]
    members: NDArray[Any]
    numbers: NDArray[np.float64]


def chosen(layout: Layout) -> dict[str, float]:
    """What the tags that choose between PID and MPC are at start."""
    return {group.select: float(group.control == "mpc") for group in layout.tool.groups}


def modelled(layout: Layout) -> list[LoopGroup]:
    """Return the groups that the scan knows, in the order of its table."""
    return [group for group in layout.tool.groups if group.model is not None]


def schedules(layout: Layout) -> NDArray[Any]:
    """Compile the gain schedules."""
    period_s = layout.tool.scan.period_ms / 1000.0
    rows = list[tuple[Any, ...]]()
    for index, loop in enumerate(layout.tool.loops):
        if loop.schedule is None:
            continue
        tag = _tag(layout, loop.schedule.tag, f"schedule of loop {loop.name}")
        for row in loop.schedule.rows:
            rows.append((index, tag, row.at, row.kp, row.kp * period_s / row.ti_s, row.kp * row.td_s / period_s))
    return np.array(rows, SCHEDULE)


def groups_of_loops(layout: Layout) -> Groups:
    """Compile the groups; a predictor is worked out anew each time, the tape keeps what came out."""
    period_s = layout.tool.scan.period_ms / 1000.0
    loops = {loop.name: index for index, loop in enumerate(layout.tool.loops)}
    rows, members, numbers = list[tuple[Any, ...]](), list[tuple[Any, ...]](), [np.zeros(0)]
    for group in modelled(layout):
        where = f"group {group.name}"
        sample_s = group.model.sample_s if group.model is not None else period_s
        made, every = design(group), scans(sample_s, period_s)
        if abs(every * period_s - sample_s) > 1e-6 * sample_s:
            raise CompileError(f"{where}: a sample of {sample_s:g} s is no number of scans of {period_s:g} s")
        span = group.range[1] - group.range[0]
        width = max(member.high - member.low for member in group.members)
        rows.append((
            _tag(layout, group.select, where), _tag(layout, group.report, where), len(members), len(group.members),
            made.states, len(made.points), len(made.blocks), group.iterations, sum(len(part) for part in numbers),
            max(1, round(group.settle_s / sample_s)), PATIENCE, 0, every, made.rho, made.sigma, RELAX,
            UNSOLVED_SHARE * width, min(1.0, sample_s / WATCH_S), group.stale, *group.range, MARGIN * span,
        ))  # fmt: skip
        for member in group.members:
            outer, inner = loops.get(member.outer), loops.get(member.driving)
            if outer is None or inner is None:
                raise CompileError(f"{where}: there is no loop {member.outer if outer is None else member.inner!r}")
            members.append((outer, inner, member.low, member.high, member.rate_per_s * sample_s))
        numbers.append(made.numbers)
    return {
        "groups": np.array(rows, GROUP),
        "members": np.array(members, MEMBER),
        "numbers": np.concatenate(numbers),
    }


def _tag(layout: Layout, tag: str, where: str) -> int:
    index = layout.index.get(tag)
    if index is None:
        raise CompileError(f"{where}: unknown tag {tag!r}")
    return index
