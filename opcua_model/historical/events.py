"""Events of the past (Part 11, 6.5.2): from the daemon's list, heard where they were heard, filtered as they were."""

from dataclasses import dataclass
from typing import Any, Final

from opcua_model.browse import Continuations
from opcua_model.desk import Desk
from opcua_model.eventing.notice import Notice, standard
from opcua_model.eventing.select import read_select
from opcua_model.eventing.telling import make_event, typed
from opcua_model.eventing.where import read_where
from opcua_model.historical.raw import nanoseconds
from opcua_model.historical.trends import END
from opcua_model.interface import PastEvent
from opcua_model.space import number_id
from opcua_model.stack import Ids, fault, status, ua
from opcua_model.tree import ROOT

AT_ONCE: Final = 1_000
"""Events that are looked at for one answer, and given in one at most."""


@dataclass(frozen=True)
class Cursor:
    """What is still to be read of one notifier."""

    of: Any
    place: tuple[int, int] | None
    """Behind which event to go on: its time and number; None: at the begin."""
    left: int | None


async def read_events(
    desk: Desk, details: Any, types: Any, node: Any, cursor: Cursor | None, points: Continuations
) -> Any:
    """Read a page of the events of a notifier.

    Raises:
        Refused: the daemon cannot answer.
        ServiceError: the filter or the times make no sense.
    """
    start, end = nanoseconds(details.StartTime), nanoseconds(details.EndTime)
    if (start is None) + (end is None) + (not details.NumValuesPerNode) > 1:
        raise fault("BadInvalidArgument")
    backward = start is None or (end is not None and end < start)
    first = start if start is not None else (end if end is not None else 0)
    last = (0 if backward else END) if start is None or end is None else end
    select, _, sound = read_select(details.Filter.SelectClauses, types)
    where, _ = read_where(details.Filter.WhereClause, types)
    if not sound or where is None:
        raise fault("BadEventFilterInvalid")
    source = _below(desk, node)
    number = int(details.NumValuesPerNode)
    left = cursor.left if cursor is not None else (number if start is None or end is None else None)
    page = min(number or AT_ONCE, AT_ONCE, left or AT_ONCE)
    place = None if cursor is None else cursor.place
    rows: list[Any] = []
    result = ua.HistoryReadResult()
    while len(rows) < page:
        found = await desk.backend.past_events(first, last, AT_ONCE, source, place)
        for past in found:
            if len(rows) == page:
                break
            place = past.occurrence.time_ns, past.number
            notice = _notice(desk, past)
            if node in notice.heard_at and where.passes(notice):
                rows.append(_fields(select, notice, types))
        else:
            if len(found) < AT_ONCE:
                place = None
                break
    rest = None if left is None else left - len(rows)
    if place is not None and len(rows) == page and rest != 0:
        result.ContinuationPoint = points.keep(Cursor(node, place, rest))
    result.HistoryData = ua.HistoryEvent(Events=rows)
    if not rows:
        result.StatusCode = status("GoodNoData")
    return result


def _notice(desk: Desk, past: PastEvent) -> Notice:
    """An event as it was told."""
    if past.alarm is not None and past.alarm.name in desk.conditions.states:
        return desk.conditions.past(past.alarm)
    notice = make_event(desk.tree.space, typed(past.occurrence, {}))
    notice.fields = {**notice.fields, standard("EventId"): ua.Variant(past.id, ua.VariantType.ByteString)}
    return notice


def _fields(select: list[Any], notice: Any, types: Any) -> Any:
    null = ua.Variant(None, ua.VariantType.Null)
    return ua.HistoryEventFieldList(EventFields=[null if one is None else one.of(notice, types) for one in select])


def _below(desk: Desk, node: Any) -> str:
    """Path below the tool object whose events a notifier hears; empty: all."""
    if node == number_id(Ids.Server) or node == desk.tree.space.tool_id(ROOT):
        return ""
    return str(node.Identifier)
