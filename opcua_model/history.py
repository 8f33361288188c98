"""HistoryRead: raw values of tags from the daemon's history, in pages, encoded in bulk."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from opcua_model.browse import Continuations
from opcua_model.desk import Desk
from opcua_model.encoding import STAMPS, counted, data_values
from opcua_model.snapshot import EPOCH
from opcua_model.stack import Ids, fault, status, ua

_BODY: Final = ua.NodeId(Ids.HistoryData_Encoding_DefaultBinary)
_UNSET: Final = datetime(1601, 1, 2, tzinfo=UTC)
"""Times before it are the least DateTime: not said (Part 4, 5.10.3)."""
_BEGINNING: Final = 0
_END: Final = 2**62


async def read_history(desk: Desk, params: Any, points: Continuations) -> list[Any]:
    """Answer a HistoryRead for every node of it.

    Raises:
        ServiceError: the kind of reading is not offered.
    """
    details = params.HistoryReadDetails
    stamps = STAMPS.get(int(params.TimestampsToReturn), 0)
    if not stamps:
        raise fault("BadTimestampsToReturnInvalid")
    if params.ReleaseContinuationPoints:
        for wanted in params.NodesToRead:
            points.take(wanted.ContinuationPoint or b"")
        return [ua.HistoryReadResult() for _ in params.NodesToRead]
    if not isinstance(details, ua.ReadRawModifiedDetails) or details.IsReadModified:
        raise fault("BadHistoryOperationUnsupported")
    if details.ReturnBounds:
        raise fault("BadBoundNotSupported")
    start, end = _nanoseconds(details.StartTime), _nanoseconds(details.EndTime)
    if (start is None) + (end is None) + (not details.NumValuesPerNode) > 1:
        raise fault("BadInvalidArgument")  # two of the three must be said (Part 11, 6.5.3.2)
    return [
        await _read_node(desk, wanted, start, end, int(details.NumValuesPerNode), stamps, points)
        for wanted in params.NodesToRead
    ]


def _nanoseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment < _UNSET:
        return None
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


async def _read_node(
    desk: Desk, wanted: Any, start: int | None, end: int | None, number: int, stamps: int, points: Continuations
) -> Any:
    result = ua.HistoryReadResult()
    index = desk.tree.tags.get(wanted.NodeId)
    if index is None:
        known = wanted.NodeId in desk.aspace
        result.StatusCode = status("BadHistoryOperationUnsupported" if known else "BadNodeIdUnknown")
        return result
    if wanted.ContinuationPoint:
        kept = points.take(wanted.ContinuationPoint)
        if kept is None or kept[0] != index:
            result.StatusCode = status("BadContinuationPointInvalid")
            return result
        _, first, last, number, counted_range = kept
    else:
        # One time only: the range reaches as far as the number of values asked for (Part 11, 6.5.3.2).
        counted_range = start is None or end is None
        first = start if start is not None else (_END if end is None else end)
        last = end if start is not None and end is not None else (_BEGINNING if start is None else _END)
    limit = desk.settings.limits.values_per_history_read
    page = min(number, limit) if number else limit
    times, values, codes = await desk.backend.history(desk.tree.layout.tags[index], first, last, page + 1)
    if first != last and len(times):  # the end itself is outside (Part 11, 6.5.3.2)
        inside = times < last if last > first else times > last
        times, values, codes = times[inside], values[inside], codes[inside]
    left = number - page if counted_range else number
    if len(times) > page and not (counted_range and left <= 0):
        result.ContinuationPoint = points.keep((index, int(times[page]), last, left, counted_range))
    times, values, codes = times[:page], values[:page], codes[:page]
    body = data_values(int(desk.tree.snapshot.kinds[index]), stamps, values, codes.astype(np.uint32), times, times)
    result.HistoryData = ua.ExtensionObject(_BODY, counted(len(times), body))
    if not len(times):
        result.StatusCode = status("GoodNoData")
    return result
