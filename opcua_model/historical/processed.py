"""Aggregates of tags (Part 11, 6.5.4, with the functions of Part 13)."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import anyio.to_thread
import numpy as np

from opcua_model.browse import Continuations
from opcua_model.desk import Desk
from opcua_model.historical.aggregates import AGGREGATES, SAME
from opcua_model.historical.fetch import portions
from opcua_model.historical.raw import filled, nanoseconds
from opcua_model.historical.series import Intervals, Rules, intervals
from opcua_model.historical.status import Results
from opcua_model.historical.summaries import from_summaries
from opcua_model.historical.trends import Trend
from opcua_model.publishing.encoding import DOUBLE
from opcua_model.stack import Ids, fault, ua

BY_NODE: Final = {ua.NodeId(int(getattr(Ids, f"AggregateFunction_{name}"))): name for name in AGGREGATES}
"""Names of the functions by their nodes."""
_DIFFERENCES: Final = frozenset({"Range", "Range2", "Delta", "DeltaBounds"})
"""Of states they are numbers too, and may be negative."""
INTERVALS: Final = 1_000_000
"""Of one request."""


@dataclass(frozen=True)
class Cursor:
    """What is still to be calculated for one node."""

    of: Trend
    name: str
    rules: Rules
    start: int
    end: int
    width: int
    done: int = 0
    """Intervals that have been answered."""


def begin(details: Any, name: str, of: Trend) -> Cursor:
    """Begin to calculate.

    Raises:
        ServiceError: the times or the configuration make no sense.
    """
    start, end = nanoseconds(details.StartTime), nanoseconds(details.EndTime)
    if start is None or end is None or start == end:
        raise fault("BadInvalidArgument")
    milliseconds = float(details.ProcessingInterval)
    if not 0 <= milliseconds < 1e12:
        raise fault("BadAggregateInvalidInputs")
    width = round(milliseconds * 1e6)
    if width and abs(end - start) // width > INTERVALS:
        raise fault("BadTooManyOperations")
    rules = _rules(details.AggregateConfiguration, stepped=of.kind != DOUBLE)
    return Cursor(of, name, rules, start, end, width)


def _rules(wanted: Any, *, stepped: bool) -> Rules:
    if wanted is None or wanted.UseServerCapabilitiesDefaults:
        return Rules(stepped=stepped)
    rules = Rules(
        bool(wanted.TreatUncertainAsBad),
        int(wanted.PercentDataBad),
        int(wanted.PercentDataGood),
        bool(wanted.UseSlopedExtrapolation),
        stepped,
    )
    if not rules.valid():
        raise fault("BadAggregateInvalidInputs")
    return rules


async def read_processed(desk: Desk, cursor: Cursor, stamps: int, points: Continuations) -> Any:
    """Calculate a page.

    Raises:
        Refused: the daemon cannot answer.
    """
    whole = intervals(cursor.start, cursor.end, cursor.width)
    page = slice(cursor.done, cursor.done + desk.settings.limits.values_per_history_read)
    of = Intervals(whole.low[page], whole.high[page], whole.backward, None if whole.cut is None else whole.cut[page])
    (tag,) = cursor.of.tags
    found = await from_summaries(desk, tag, cursor.name, cursor.rules, of)
    if found is None:
        calculate, _ = AGGREGATES[cursor.name]
        parts: list[Results] = []
        async for part, series in portions(desk, tag, of, cursor.rules):
            parts.append(await anyio.to_thread.run_sync(partial(calculate, series, part)))
        found = Results(
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.codes for part in parts]),
        )
    kind = AGGREGATES[cursor.name][1]
    if kind == SAME:
        kind = DOUBLE if cursor.name in _DIFFERENCES else cursor.of.kind
    result = ua.HistoryReadResult()
    if page.stop < len(whole):
        result.ContinuationPoint = points.keep(replace(cursor, done=page.stop))
    return filled(result, found.times, found.values, found.codes, kind, stamps)
