"""Records of tests: the stretch of a log in which loops were in MANUAL, as whoever fits a model or gains wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config.regulation.model import LoopGroup
from config.tool import Loop, Tool
from kernels.tables import LoopMode

Column = NDArray[np.float64]
Columns = Mapping[str, Column]


class RecordError(ValueError):
    """A record cannot tell what is wanted of it; says why and what to do."""


@dataclass(frozen=True)
class Record:
    """What a test of several loops left: one row a sample."""

    sample_s: float
    measured: NDArray[np.float64]
    """[samples, process values]; those of outer loops first."""
    outputs: NDArray[np.float64]
    """[samples, outputs], each as it was applied from this sample to the next."""


@dataclass(frozen=True)
class LoopTest:
    """What a test of one loop left, as it was logged."""

    time_s: Column
    pv: Column
    out: Column
    at: float | None
    """Where the tag of the loop's schedule stood; None without one."""


def tags_of(tool: Tool, group: LoopGroup) -> tuple[list[str], list[str], list[str]]:
    """Return the tags of a group: process values of outer and inner loops, outputs, modes."""
    loops = {loop.name: loop for loop in tool.loops}
    outer = [loops[member.outer] for member in group.members]
    inner = [loops[member.driving] for member in group.members]
    measured = [loop.pv for loop in outer]
    measured += [loops[member.inner].pv for member in group.members if member.inner is not None]
    return measured, [loop.out for loop in inner], [loop.mode for loop in inner]


def tags_of_loop(loop: Loop) -> list[str]:
    """Return the tags that the record of a loop's test needs."""
    return [loop.pv, loop.out, loop.mode, *([loop.schedule.tag] if loop.schedule is not None else [])]


def loop_test(loop: Loop, time_s: Sequence[float] | Column, columns: Columns) -> LoopTest:
    """Cut the longest stretch out of a log in which a loop was in manual.

    Raises:
        RecordError: a tag is missing, or there is no test in the log.
    """
    _require(columns, tags_of_loop(loop))
    start, stop = _longest(columns[loop.mode] == LoopMode.MANUAL)
    if stop <= start:
        raise RecordError(f"the record has no stretch in which loop {loop.name} was in manual")
    part = slice(start + 1, stop)
    at = None if loop.schedule is None else float(np.median(columns[loop.schedule.tag][part]))
    return LoopTest(np.asarray(time_s, np.float64)[part], columns[loop.pv][part], columns[loop.out][part], at)


def _require(columns: Columns, names: Sequence[str]) -> None:
    if missing := [name for name in names if name not in columns]:
        raise RecordError(f"the record has no column {', '.join(missing)}")


def record_of(tool: Tool, group: LoopGroup, time_s: Sequence[float], columns: Columns, sample_s: float) -> Record:
    """Cut the test out of a log and bring it to samples; outputs are means over each sample.

    Args:
        tool: whose loops they are.
        group: the group that was tested.
        time_s: of each row, rising.
        columns: by tag.
        sample_s: of the model that is wanted.

    Raises:
        RecordError: a tag is missing, or there is no test in the log.
    """
    measured, outputs, modes = tags_of(tool, group)
    _require(columns, (*measured, *outputs, *modes))
    time = np.asarray(time_s, np.float64)
    manual = np.all([columns[name] == LoopMode.MANUAL for name in modes], axis=0)
    start, stop = _longest(manual)
    count = int((time[stop - 1] - time[start]) // sample_s) if stop > start else 0
    if count < 1:
        raise RecordError("the record has no stretch in which all loops of the group were in manual")
    moments: Column = time[start] + sample_s * np.arange(count + 1, dtype=np.float64)
    edges: NDArray[np.intp] = np.searchsorted(time[start:stop], moments) + start
    if (np.diff(edges) < 1).any():
        raise RecordError(f"the record has gaps of more than a sample of {sample_s:g} s")
    y = np.column_stack([columns[name][edges[:-1]] for name in measured])
    u = np.column_stack([np.add.reduceat(columns[name][: edges[-1]], edges[:-1]) for name in outputs])
    return Record(sample_s, y, u / np.diff(edges)[:, None])


def _longest(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest stretch of true flags starts and stops."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    if not edges.size:
        return 0, 0
    starts, stops = edges[::2], edges[1::2]
    longest = int(np.argmax(stops - starts))
    return int(starts[longest]), int(stops[longest])
