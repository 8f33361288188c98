"""HistoryRead: which way each node of a request is answered (Part 11, 6.5; Part 4, 5.10.3)."""

from collections.abc import Callable
from typing import Any, Final

from opcua_model.browse import Continuations
from opcua_model.desk import Desk
from opcua_model.eventing.items import types_of
from opcua_model.historical import events, processed, raw
from opcua_model.historical.at_time import moments_of, read_at_time
from opcua_model.historical.trends import Trend
from opcua_model.interface import Refused
from opcua_model.publishing.encoding import DOUBLE, STAMPS
from opcua_model.publishing.ranges import RangeInvalid, parse_range
from opcua_model.publishing.wishes import encoding_refusal
from opcua_model.space import HISTORY_EVENTS, SUBSCRIBE_TO_EVENTS
from opcua_model.stack import Attr, fault, status, ua

UNSUPPORTED: Final = "BadHistoryOperationUnsupported"
_ANY: Final = Trend(("",), DOUBLE)
"""Details are judged once for all nodes of a request, before any of them."""

Sees = Callable[[Any], bool]
"""Whether the caller may know of a node."""


def _everything(_: Any) -> bool:
    return True


async def read_history(desk: Desk, params: Any, points: Continuations, sees: Sees = _everything) -> list[Any]:
    """Answer a HistoryRead for every node of it that the caller sees.

    Raises:
        ServiceError: the request as a whole is refused.
    """
    details = params.HistoryReadDetails
    if params.ReleaseContinuationPoints:
        return [_released(wanted, points, sees) for wanted in params.NodesToRead]
    if isinstance(details, ua.ReadEventDetails):
        return [await _guarded(_events, sees, desk, params, wanted, points) for wanted in params.NodesToRead]
    stamps = STAMPS.get(int(params.TimestampsToReturn), 0)
    if not stamps:
        raise fault("BadTimestampsToReturnInvalid")
    if isinstance(details, ua.ReadRawModifiedDetails):
        raw.begin(details, _ANY)
        return [await _guarded(_raw, sees, desk, params, wanted, points, stamps) for wanted in params.NodesToRead]
    if isinstance(details, ua.ReadAtTimeDetails):
        at = moments_of(desk, details)
        return [
            await _guarded(_at_time, sees, desk, params, wanted, points, stamps, at) for wanted in params.NodesToRead
        ]
    if isinstance(details, ua.ReadProcessedDetails):
        if len(details.AggregateType or ()) != len(params.NodesToRead):
            raise fault("BadAggregateListMismatch")
        processed.begin(details, "Average", _ANY)
        return [
            await _guarded(_processed, sees, desk, params, wanted, points, stamps, kind)
            for wanted, kind in zip(params.NodesToRead, details.AggregateType, strict=True)
        ]
    raise fault(UNSUPPORTED)


async def _guarded(
    read: Any, sees: Sees, desk: Desk, params: Any, wanted: Any, points: Continuations, *more: Any
) -> Any:
    """Read for one node; what the daemon refuses is the answer for this node alone."""
    if not sees(wanted.NodeId):
        return ua.HistoryReadResult(StatusCode=status("BadUserAccessDenied"))
    try:
        return await read(desk, params.HistoryReadDetails, wanted, points, *more)
    except Refused as refused:
        return ua.HistoryReadResult(StatusCode=status(refused.status))


def _released(wanted: Any, points: Continuations, sees: Sees) -> Any:
    points.take(wanted.ContinuationPoint or b"")
    return ua.HistoryReadResult(StatusCode=status("Good" if sees(wanted.NodeId) else "BadUserAccessDenied"))


def _trend(desk: Desk, wanted: Any) -> Trend:
    """Find the past of a node: of a tag, of an array of tags, or of a part of one.

    Raises:
        Refused: it has no history, or is asked for in a way that it does not have.
    """
    if wanted.NodeId not in desk.aspace:
        raise Refused("BadNodeIdUnknown", "there is no such node")
    tree, array = desk.tree, desk.tree.arrays.get(wanted.NodeId)
    index = tree.tags.get(wanted.NodeId)
    if index is None and array is None:
        raise Refused(UNSUPPORTED, "only tags have a history")
    refusal = encoding_refusal(wanted.DataEncoding, int(Attr.Value), structured=False)
    if refusal is not None:
        raise Refused(refusal, "a tag is no structure")
    try:
        part = parse_range(wanted.IndexRange)
    except RangeInvalid:
        raise Refused("BadIndexRangeInvalid", "no range") from None
    if index is not None and part is None:
        return Trend((tree.layout.tags[index],), int(tree.snapshot.kinds[index]))
    indices: list[int] = [] if array is None else array.tolist()
    places = range(len(indices)) if part is None else part.places(len(indices))
    if not places:
        raise Refused("BadIndexRangeNoData", "there is no such element")
    return Trend(tuple(tree.layout.tags[indices[place]] for place in places), DOUBLE, array=True)


def _continued(wanted: Any, points: Continuations, kind: Any, of: Any) -> Any:
    """Take up a continuation point; None when there is none.

    Raises:
        Refused: it is not one of this session, of this node and of this way to read.
    """
    if not wanted.ContinuationPoint:
        return None
    cursor = points.take(wanted.ContinuationPoint)
    if not isinstance(cursor, kind) or cursor.of != of:
        raise Refused("BadContinuationPointInvalid", "no continuation point of this node")
    return cursor


async def _raw(desk: Desk, details: Any, wanted: Any, points: Continuations, stamps: int) -> Any:
    of = _trend(desk, wanted)
    if details.IsReadModified:  # what was recorded is never changed (Part 11, 6.5.3.3)
        result = ua.HistoryReadResult(StatusCode=status("GoodNoData"))
        result.HistoryData = ua.HistoryModifiedData()
        return result
    cursor = _continued(wanted, points, raw.Cursor, of)
    first = cursor is None
    cursor = raw.begin(details, of) if cursor is None else cursor
    return await raw.read_raw(desk, details, cursor, stamps, points, first=first)


async def _at_time(desk: Desk, details: Any, wanted: Any, points: Continuations, stamps: int, at: Any) -> Any:
    of = _trend(desk, wanted)
    _continued(wanted, points, type(None), of)
    return await read_at_time(desk, details, of, stamps, at)


async def _processed(desk: Desk, details: Any, wanted: Any, points: Continuations, stamps: int, kind: Any) -> Any:
    of = _trend(desk, wanted)
    name = processed.BY_NODE.get(kind)
    if of.array:
        raise Refused("BadAggregateNotSupported", "aggregates are of single values: ask for the tags of the elements")
    if name is None:
        raise Refused("BadAggregateNotSupported", "this aggregate is not offered")
    cursor = _continued(wanted, points, processed.Cursor, of)
    cursor = processed.begin(details, name, of) if cursor is None else cursor
    return await processed.read_processed(desk, cursor, stamps, points)


async def _events(desk: Desk, details: Any, wanted: Any, points: Continuations) -> Any:
    node = wanted.NodeId
    if node not in desk.aspace:
        raise Refused("BadNodeIdUnknown", "there is no such node")
    notifier = desk.tree.space.attribute(node, Attr.EventNotifier)
    if notifier is None or not int(notifier) & (SUBSCRIBE_TO_EVENTS | HISTORY_EVENTS):
        raise Refused(UNSUPPORTED, "no events come from this node")
    cursor = _continued(wanted, points, events.Cursor, node)
    return await events.read_events(desk, details, types_of(desk.aspace), node, cursor, points)
