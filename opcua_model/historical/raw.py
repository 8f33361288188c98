"""Raw values of a node from the daemon's history, in pages, encoded in bulk (Part 11, 6.5.3)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opcua_model.browse import Continuations
from opcua_model.desk import Desk
from opcua_model.historical.trends import BEGINNING, END, Rows, Trend
from opcua_model.publishing.encoding import Columns, counted, data_values
from opcua_model.publishing.snapshot import EPOCH
from opcua_model.stack import Ids, fault, status, ua

_BODY: Final = ua.NodeId(Ids.HistoryData_Encoding_DefaultBinary)
_UNSET: Final = datetime(1601, 1, 2, tzinfo=UTC)
"""Times before it are the least DateTime: not said (Part 4, 5.10.3)."""
_NO_BOUND: Final = 0x80D70000  # BadBoundNotFound


@dataclass(frozen=True)
class Cursor:
    """What is still to be read of one node: from `first` (included) to `last` (not included), either way round."""

    of: Trend
    first: int
    last: int
    number: int
    """Values in an answer at most; 0: as many as the server gives."""
    left: int | None = None
    """Values in all, where the client gave one time and a number instead of two times."""
    ahead: Rows | None = None
    """A bounding value that stands before the rows, where there is none to be found."""
    behind: Rows | None = None
    """The same after the rows."""
    continued: bool = False
    """Pages were read already: whoever reads on will want more than the next one."""


def begin(details: Any, of: Trend) -> Cursor:
    """Begin to read a node; two of start, end and number must be said (Part 11, 6.5.3.2).

    Raises:
        ServiceError: they are not.
    """
    start, end = nanoseconds(details.StartTime), nanoseconds(details.EndTime)
    if (start is None) + (end is None) + (not details.NumValuesPerNode) > 1:
        raise fault("BadInvalidArgument")
    return _cursor(of, start, end, int(details.NumValuesPerNode))


async def read_raw(desk: Desk, details: Any, cursor: Cursor, stamps: int, points: Continuations, *, first: bool) -> Any:
    """Read a page; `first` of a cursor reaches out to the bounds where they are asked for.

    Raises:
        Refused: the daemon cannot answer.
    """
    both = nanoseconds(details.StartTime) is not None and nanoseconds(details.EndTime) is not None
    if first and details.ReturnBounds and both:
        cursor = await _with_bounds(desk, cursor)
    return await _read_page(desk, cursor, stamps, points)


def nanoseconds(moment: datetime | None) -> int | None:
    """Turn a moment into ns since 1970, within 64 bits; None for one that is not said."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment < _UNSET:
        return None
    # Half the range below, so that two moments may be subtracted.
    return min(max((moment - EPOCH) // timedelta(microseconds=1) * 1000, -END // 2), END)


def _cursor(of: Trend, start: int | None, end: int | None, number: int) -> Cursor:
    if start is None:  # so many before a moment
        return Cursor(of, END if end is None else end, BEGINNING, number, left=number)
    if end is None:  # so many from a moment on
        return Cursor(of, start, END, number, left=number)
    return Cursor(of, start, end, number)


async def _with_bounds(desk: Desk, cursor: Cursor) -> Cursor:
    """Reach out to the values at or outside of both ends; where there is none, say so in its place (Part 11, 4.4.2)."""
    of, backend = cursor.of, desk.backend
    forward = cursor.last >= cursor.first
    far, beyond = (END, BEGINNING) if forward else (BEGINNING, END)
    before, _, _ = await of.rows(backend, cursor.first, beyond, 1)
    after, _, _ = await of.rows(backend, cursor.last, far, 1)
    step = 1 if forward else -1
    first = int(before[0]) if len(before) else cursor.first
    last = int(after[0]) + step if len(after) else cursor.last
    return replace(
        cursor,
        first=first,
        last=last,
        ahead=None if len(before) else of.missing(cursor.first, _NO_BOUND),
        behind=None if len(after) else of.missing(cursor.last, _NO_BOUND),
    )


async def _read_page(desk: Desk, cursor: Cursor, stamps: int, points: Continuations) -> Any:
    of = cursor.of
    limit = max(1, desk.settings.limits.values_per_history_read // of.width)
    page = min(cursor.number or limit, limit, cursor.left or limit)
    if cursor.continued:
        rows = await desk.ahead.rows(desk.backend, of, cursor.first, cursor.last, page + 1)
    else:
        rows = await of.rows(desk.backend, cursor.first, cursor.last, page + 1)
    if cursor.first != cursor.last and len(rows[0]):  # the end itself is outside (Part 11, 6.5.3.2)
        inside = rows[0] < cursor.last if cursor.last > cursor.first else rows[0] > cursor.last
        rows = _cut(rows, inside)
    rows = _join(cursor.ahead, rows)
    result = ua.HistoryReadResult()
    left = None if cursor.left is None else cursor.left - page
    if len(rows[0]) > page and left != 0:
        rest = replace(cursor, first=int(rows[0][page]), left=left, ahead=None, continued=True)
        result.ContinuationPoint = points.keep(rest)
    elif cursor.behind is not None and len(rows[0]) >= page:
        rest = replace(cursor, first=cursor.last, ahead=cursor.behind, behind=None)
        result.ContinuationPoint = points.keep(rest)
    elif cursor.behind is not None:
        rows = _join(rows, cursor.behind)
    times, values, codes = _cut(rows, slice(0, page))
    return filled(result, times, values, codes.astype(np.uint32), of.kind, stamps)


def filled(
    result: Any,
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    codes: NDArray[np.uint32],
    kind: int,
    stamps: int,
) -> Any:
    """Put values into a result, encoded."""
    body = data_values(Columns(values, codes, times, times, kind, stamps))
    result.HistoryData = ua.ExtensionObject(_BODY, counted(len(times), body))
    if not len(times):
        result.StatusCode = status("GoodNoData")
    return result


def _cut(rows: Rows, part: Any) -> Rows:
    times, values, codes = rows
    return times[part], values[part], codes[part]


def _join(first: Rows | None, second: Rows) -> Rows:
    if first is None:
        return second
    return (
        np.concatenate([first[0], second[0]]),
        np.concatenate([first[1], second[1]]),
        np.concatenate([first[2], second[2]]),
    )
