"""Monitored items on events: which events one takes, and its queue."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from opcua_model.eventing.notice import Notice, standard
from opcua_model.eventing.select import Operand, read_select
from opcua_model.eventing.type_tree import TypeTree
from opcua_model.eventing.where import Where, read_where
from opcua_model.space import SUBSCRIBE_TO_EVENTS, number_id
from opcua_model.stack import Attr, Ids, status, ua

LEAST_QUEUE: Final = 100
"""What a client gets that asks for a queue of 0 or 1: events are no samples, each counts (Part 4, 7.21)."""
_OVERFLOW_SEVERITY: Final = 600
_DISABLED: Final = 0
_REPORTING: Final = 2


class EventItem:
    """One monitored item on the events of a notifier.

    Its plain attributes are those that the service of a subscription expects of an item.
    """

    def __init__(self, number: int, service: Any, node: Any, types: TypeTree) -> None:
        self.number = number
        self.monitored_item_id = number
        self.node = node
        self.callback_handle = None
        self.client_handle = 0
        self.queue_size = LEAST_QUEUE
        self.oldest = True
        self._service = service
        self._types = types
        self._mode = _REPORTING
        self._select: list[Operand | None] = []
        self._where: Where | None = None
        self._overflowing = False
        self._held: list[Any] = []
        """What waits for a trigger while the item is sampling."""

    @property
    def mode(self) -> int:
        """Disabled, sampling or reporting."""
        return self._mode

    @mode.setter
    def mode(self, wanted: Any) -> None:
        self._mode = int(wanted)
        if self._mode == _DISABLED:
            self._queue().clear()
            self._forget_empty()
            self._held.clear()

    def ask(self, wanted: Any, result: Any) -> bool:
        """Take up a filter and a queue; the result says of each clause whether it can be had."""
        given = wanted.Filter
        if not isinstance(given, ua.EventFilter):
            result.StatusCode = status("BadEventFilterInvalid")
            return False
        select, codes, sound = read_select(given.SelectClauses, self._types)
        where, elements = read_where(given.WhereClause, self._types)
        told = ua.EventFilterResult()
        told.SelectClauseResults = codes
        told.WhereClauseResult = ua.ContentFilterResult()
        told.WhereClauseResult.ElementResults = elements
        result.FilterResult = told
        if not sound or where is None:
            result.StatusCode = status("BadEventFilterInvalid")
            return False
        self._select, self._where = select, where
        self.client_handle = int(wanted.ClientHandle)
        self.queue_size = min(max(int(wanted.QueueSize), LEAST_QUEUE), int(self._service.isub.max_queue_size))
        self.oldest = bool(wanted.DiscardOldest) or int(wanted.QueueSize) <= 1
        result.RevisedQueueSize = self.queue_size
        return True

    # ------------------------------------------------------------------------------------------------- the queue

    def offer(self, notice: Notice, *, always: bool = False) -> bool:
        """Queue an event that passes the filter; `always` passes it by (the frame of a refresh)."""
        if self._mode == _DISABLED or not (always or (self._where is not None and self._where.passes(notice))):
            return False
        fields = self._fields(notice)
        if self._mode != _REPORTING:
            self._held.append(fields)
            del self._held[: -self.queue_size]
            return False
        queue = self._queue()
        if not queue:
            self._overflowing = False
        if len(queue) - self._overflowing < self.queue_size:
            queue.append(fields)
        else:
            self._overflow(queue, fields)
        self._service.fire([self.number])
        return True

    def release(self) -> None:
        """A triggering item fired: what was sampled is reported."""
        if self._held:
            self._queue().extend(self._held)
            self._held.clear()

    def _overflow(self, queue: list[Any], fields: Any) -> None:
        """Drop one, and say once that something is missing; that word itself takes no place (Part 4, 5.12.1.5)."""
        if self.oldest:
            del queue[1 if self._overflowing else 0]
            queue.append(fields)
        else:
            queue[-2 if self._overflowing else -1] = fields
        if not self._overflowing:
            self._overflowing = True
            word = self._fields(_overflow_notice())
            queue.insert(0, word) if self.oldest else queue.append(word)

    def _queue(self) -> list[Any]:
        found: list[Any] = self._service.isub._triggered_events.setdefault(self.number, [])  # noqa: SLF001 - its queue of this item
        return found

    def _forget_empty(self) -> None:
        if not self._queue():
            del self._service.isub._triggered_events[self.number]  # noqa: SLF001 - the same

    def _fields(self, notice: Notice) -> Any:
        made = ua.EventFieldList()
        made.ClientHandle = self.client_handle
        made.EventFields = [
            ua.Variant(None, ua.VariantType.Null) if one is None else one.of(notice, self._types)
            for one in self._select
        ]
        return made


def _overflow_notice() -> Notice:
    now = datetime.now(UTC)
    kinds = ua.VariantType
    server = number_id(Ids.Server)
    return Notice(
        number_id(Ids.EventQueueOverflowEventType),
        {
            standard("EventId"): ua.Variant(secrets.token_bytes(16), kinds.ByteString),
            standard("EventType"): ua.Variant(number_id(Ids.EventQueueOverflowEventType), kinds.NodeId),
            standard("SourceNode"): ua.Variant(server, kinds.NodeId),
            standard("SourceName"): ua.Variant("Server", kinds.String),
            standard("Time"): ua.Variant(now, kinds.DateTime),
            standard("ReceiveTime"): ua.Variant(now, kinds.DateTime),
            standard("Message"): ua.Variant(
                ua.LocalizedText("events were lost: the queue of this item was full"), kinds.LocalizedText
            ),
            standard("Severity"): ua.Variant(_OVERFLOW_SEVERITY, kinds.UInt16),
        },
    )


# ------------------------------------------------------------------------------------------- items of a subscription
def create_event_item(service: Any, item: Any) -> Any:
    """Create a monitored item on the events of a node in a subscription's service; return its result."""
    result = ua.MonitoredItemCreateResult()
    node = item.ItemToMonitor.NodeId
    if node not in service.aspace:
        result.StatusCode = status("BadNodeIdUnknown")
        return result
    data = service.aspace.read_attribute_value(node, Attr.EventNotifier)
    notifier = None if data.Value is None else data.Value.Value
    if notifier is None or not int(notifier) & SUBSCRIBE_TO_EVENTS:
        result.StatusCode = status("BadAttributeIdInvalid" if notifier is None else "BadNotSupported")
        return result
    made = EventItem(service._monitored_item_counter + 1, service, node, types_of(service.aspace))  # noqa: SLF001 - the service's own counter
    made.mode = item.MonitoringMode
    if not made.ask(item.RequestedParameters, result):
        return result
    service._monitored_item_counter += 1  # noqa: SLF001 - the same
    result.MonitoredItemId = made.number
    service._monitored_items[made.number] = made  # noqa: SLF001 - where the service looks for it
    service._monitored_events.setdefault(node, []).append(made.number)  # noqa: SLF001 - the same
    return result


def items_at(service: Any, nodes: Iterable[Any]) -> list[EventItem]:
    """The items of a subscription that listen at any of some nodes."""
    found: list[EventItem] = []
    for node in nodes:
        for number in service._monitored_events.get(node, ()):  # noqa: SLF001 - the service's own register
            item = service._monitored_items.get(number)  # noqa: SLF001 - the same
            if isinstance(item, EventItem):
                found.append(item)
    return found


def types_of(aspace: Any) -> TypeTree:
    """The types of an address space, remembered with it."""
    known = getattr(aspace, "event_types", None)
    if known is None:
        known = aspace.event_types = TypeTree(aspace)
    return known
