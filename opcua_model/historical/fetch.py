"""Rows around stretches of time: as many as a calculation needs on either side, and no more than fit in memory."""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from opcua_model.desk import Desk
from opcua_model.historical.series import Intervals, Rules, Series
from opcua_model.historical.trends import BEGINNING, END, Rows
from opcua_model.interface import Refused

ROWS: Final = 500_000
"""Of one portion: 10 MB."""
MOST: Final = 5_000_000
"""Of one interval."""
REACHES: Final = (16, 1_024, 65_536)
"""Rows that are looked through for a usable value outside of what was asked for (Part 13: server specific)."""


async def around(desk: Desk, tag: str, low: int, high: int, rules: Rules) -> Series:
    """Read rows from `low` to `high` with those that bound them: up to a usable one on each side, if there is one.

    Raises:
        Refused: the daemon cannot answer, or there are too many rows.
    """
    before = await _beyond(desk, tag, low - 1, BEGINNING, rules)
    inside = await _inside(desk, tag, low, high)
    after = await _beyond(desk, tag, high + 1, END, rules)
    parts = [(before[0][::-1], before[1][::-1], before[2][::-1]), *inside, after]
    return Series(
        np.concatenate([times for times, _, _ in parts]),
        np.concatenate([values for _, values, _ in parts]),
        np.concatenate([codes for _, _, codes in parts]).astype(np.uint32),
        rules,
    )


async def _beyond(desk: Desk, tag: str, start: int, far: int, rules: Rules) -> Rows:
    rows: Rows = np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint32)
    for reach in REACHES:
        rows = await desk.backend.history(tag, start, far, reach)
        found = Series(*rows, rules)
        # Two of them: a slope is drawn through two values when it goes on beyond the last one.
        if len(found.places) > 1:
            stop = int(found.places[1]) + 1
            return rows[0][:stop], rows[1][:stop], rows[2][:stop]
        if len(found) < reach:
            break
    return rows


async def _inside(desk: Desk, tag: str, low: int, high: int) -> list[Rows]:
    parts: list[Rows] = []
    total = 0
    while low <= high:
        rows = await desk.backend.history(tag, low, high, ROWS)
        parts.append(rows)
        total += len(rows[0])
        if len(rows[0]) < ROWS:
            break
        if total > MOST:
            raise Refused(
                "BadResponseTooLarge", f"an interval of {tag} has more than {MOST} values; ask for shorter ones"
            )
        low = int(rows[0][-1]) + 1
    return parts


async def portions(desk: Desk, tag: str, of: Intervals, rules: Rules) -> AsyncIterator[tuple[Intervals, Series]]:
    """Go through intervals in portions whose rows fit in memory, each with its rows."""
    scan = desk.tree.layout.tool.scan
    row_ns = scan.period_ms * scan.log_every * 1e6
    longest = float(np.max(of.high - of.low)) if len(of) else 0.0
    at_once = int(max(1, ROWS * row_ns // max(longest, 1.0)))
    for start in range(0, len(of), at_once):
        rows = slice(start, start + at_once)
        part = Intervals(of.low[rows], of.high[rows], of.backward, None if of.cut is None else of.cut[rows])
        yield part, await around(desk, tag, int(part.low.min()), int(part.high.max()), rules)
