"""From what was logged of a test to one row a sample: the stretch in which every loop of the group was in MANUAL."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from config.regulation.identify import IdentificationError, Record
from config.regulation.model import LoopGroup
from config.tool import Tool
from kernels.tables import LoopMode

Column = NDArray[np.float64]


def tags_of(tool: Tool, group: LoopGroup) -> tuple[list[str], list[str], list[str]]:
    """Return the tags of a group: process values of outer and inner loops, outputs, modes."""
    loops = {loop.name: loop for loop in tool.loops}
    outer = [loops[member.outer] for member in group.members]
    inner = [loops[member.driving] for member in group.members]
    measured = [loop.pv for loop in outer]
    measured += [loops[member.inner].pv for member in group.members if member.inner is not None]
    return measured, [loop.out for loop in inner], [loop.mode for loop in inner]


def record_of(
    tool: Tool, group: LoopGroup, time_s: Sequence[float], columns: Mapping[str, Column], sample_s: float
) -> Record:
    """Cut the test out of a log and bring it to samples; outputs are means over each sample.

    Args:
        tool: whose loops they are.
        group: the group that was tested.
        time_s: of each row, rising.
        columns: by tag.
        sample_s: of the model that is wanted.

    Raises:
        IdentificationError: a tag is missing, or there is no test in the log.
    """
    measured, outputs, modes = tags_of(tool, group)
    if missing := [name for name in (*measured, *outputs, *modes) if name not in columns]:
        raise IdentificationError(f"the record has no column {', '.join(missing)}")
    time = np.asarray(time_s, np.float64)
    manual = np.all([columns[name] == LoopMode.MANUAL for name in modes], axis=0)
    start, stop = _longest(manual)
    count = int((time[stop - 1] - time[start]) // sample_s) if stop > start else 0
    if count < 1:
        raise IdentificationError("the record has no stretch in which all loops of the group were in manual")
    moments: Column = time[start] + sample_s * np.arange(count + 1, dtype=np.float64)
    edges: NDArray[np.intp] = np.searchsorted(time[start:stop], moments) + start
    if (np.diff(edges) < 1).any():
        raise IdentificationError(f"the record has gaps of more than a sample of {sample_s:g} s")
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
