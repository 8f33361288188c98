"""The monitored items of one subscription: on tags in bulk, on other values one by one, on events by `eventing`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcua_model.eventing.items import EventItem, create_event_item
from opcua_model.publishing.encoding import DOUBLE
from opcua_model.publishing.items import ARRAY, DISABLED, ITEM, TagItems
from opcua_model.publishing.ranges import IndexRange, RangeInvalid, parse_range
from opcua_model.publishing.snapshot import HEAD, each
from opcua_model.publishing.source import Source, period_ms, span
from opcua_model.publishing.values import ValueItem, ValueItems
from opcua_model.publishing.wishes import (
    Filter,
    ItemRefused,
    encoding_refusal,
    filter_of,
    number_kind,
    queue_of,
    sampling_of,
    stamps_of,
    wish_of,
)
from opcua_model.settings import Limits
from opcua_model.stack import Attr, MonitoredItemService, status, ua

_NUMBERS = frozenset(
    int(getattr(ua.VariantType, name))
    for name in ("SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double")
)


class MonitoredItems(MonitoredItemService):
    """Monitored items of one subscription."""

    def __init__(self, subscription: Any, aspace: Any, source: Source, limits: Limits, refresh_ms: float) -> None:
        super().__init__(subscription, aspace)
        self._source = source
        self._limits = limits
        self._refresh_ms = refresh_ms
        self._links: dict[int, set[int]] = {}
        self._ring = HEAD
        self.tags = TagItems()
        self.values = ValueItems()

    def __len__(self) -> int:
        return len(self._monitored_items) + len(self.tags) + len(self.values)

    # ------------------------------------------------------------------------------------------------- sampling

    @property
    def _scans(self) -> float:
        """The publishing interval in scans."""
        return float(self.isub.data.RevisedPublishingInterval) / period_ms(self._source)

    @property
    def samples_between(self) -> bool:
        """True while something is sampled faster than it is published."""
        return len(self.tags) > 0 and bool(self.tags.fast(self._scans).any())

    def sample(self, publishing: bool) -> None:
        """Sample tags: fast items with every row of the scan since the last time, the others when it is time to."""
        tags = self.tags
        if not len(tags):
            return
        now = self._source.snapshot.now()
        fast = tags.fast(self._scans)
        fired: list[int] = []
        if fast.any():
            self._find_ring()
            rows = self._source.snapshot.rows(self._ring)
            self._ring = rows.next
            if rows.lost:
                tags.lose()
            fired += tags.sample_rows(each(rows), fast)
            if not len(rows.scan):
                fired += tags.sample_status(now, fast)
        else:
            self._ring = HEAD
        if publishing:
            fired += tags.sample(now, self._scans, fast)
        if fired:
            self.fire(fired)

    def _find_ring(self) -> None:
        """Begin to follow the rows of the scan with the next one."""
        if self._ring == HEAD:
            self._ring = self._source.snapshot.rows(HEAD).next

    def _begin(self) -> None:
        """Take the first samples of new items: those of the present."""
        if self.samples_between:
            self._find_ring()
        self.tags.begin(self._source.snapshot.now())

    def fire(self, ids: list[int]) -> None:
        """Items have something to report: so have those that are linked to them."""
        linked: set[int] = set()
        for number in ids:
            linked |= self._links.get(number, set())
        if linked:
            self.tags.fire(linked)
            self.values.fire(linked)
            for number in linked & self._monitored_items.keys():
                self._monitored_items[number].release()

    def report_all(self) -> None:
        """Report every value once more (a subscription that moved to another session)."""
        self.tags.report_all()
        for item in self.values.items.values():
            item.last = None
            self.values.offer(item, self.aspace.read_attribute_value(item.node, item.attribute))

    # --------------------------------------------------------------------------------------------------- create

    async def create_monitored_items(self, params: Any) -> list[Any]:
        """Create items; those on tags all at once."""
        stamps = stamps_of(params.TimestampsToReturn)
        results: list[Any] = []
        rows: list[tuple[Any, ...]] = []
        arrays: dict[int, NDArray[np.int64]] = {}
        for item in params.ItemsToCreate:
            try:
                self._room_for(len(rows))
                if not DISABLED <= int(item.MonitoringMode) <= 2:
                    raise ItemRefused("BadMonitoringModeInvalid")  # noqa: TRY301 - the answer to this item
                results.append(await self._create(item, stamps, rows, arrays))
            except ItemRefused as refused:
                results.append(ua.MonitoredItemCreateResult(StatusCode=status(str(refused))))
        if rows:
            self.tags.add(np.array(rows, ITEM), arrays)
            self._begin()
        return results

    def _room_for(self, waiting: int) -> None:
        if len(self) + waiting >= self._limits.items_per_subscription:
            raise ItemRefused("BadTooManyMonitoredItems")

    async def _create(
        self, item: Any, stamps: int, rows: list[tuple[Any, ...]], arrays: dict[int, NDArray[np.int64]]
    ) -> Any:
        node, attribute = item.ItemToMonitor.NodeId, int(item.ItemToMonitor.AttributeId)
        if attribute == Attr.EventNotifier:
            return create_event_item(self, item)
        try:
            part = parse_range(item.ItemToMonitor.IndexRange)
        except RangeInvalid:
            raise ItemRefused("BadIndexRangeInvalid") from None
        index = self._source.tags.get(node) if attribute == Attr.Value else None
        if index is not None:
            return self._create_tag_item(item, index, part, stamps, rows)
        indices = self._source.arrays.get(node) if attribute == Attr.Value else None
        if indices is not None:
            return self._create_array_item(item, indices, part, stamps, rows, arrays)
        return await self._create_value_item(item, part, stamps)

    def _create_tag_item(
        self, item: Any, index: int, part: IndexRange | None, stamps: int, rows: list[tuple[Any, ...]]
    ) -> Any:
        if part is not None:
            raise ItemRefused("BadIndexRangeNoData")  # a single value has no parts
        return self._append(
            item, index, int(self._source.snapshot.kinds[index]), span(self._source, index), stamps, rows
        )

    def _create_array_item(
        self,
        item: Any,
        indices: NDArray[np.int64],
        part: IndexRange | None,
        stamps: int,
        rows: list[tuple[Any, ...]],
        arrays: dict[int, NDArray[np.int64]],
    ) -> Any:
        if part is not None:
            places = part.places(len(indices))
            if places is None:
                raise ItemRefused("BadIndexRangeNoData")
            indices = indices[places.start : places.stop]
        result = self._append(item, int(indices[0]), DOUBLE | ARRAY, None, stamps, rows)
        arrays[result.MonitoredItemId] = indices
        return result

    def _append(
        self, item: Any, index: int, kind: int, width: float | None, stamps: int, rows: list[tuple[Any, ...]]
    ) -> Any:
        """Prepare the row of an item in the table."""
        wanted = item.RequestedParameters
        refusal = encoding_refusal(item.ItemToMonitor.DataEncoding, int(Attr.Value), structured=False)
        if refusal is not None:
            raise ItemRefused(refusal)
        chosen = filter_of(wanted.Filter, int(Attr.Value), number_kind(kind), width)
        self._monitored_item_counter += 1
        result = ua.MonitoredItemCreateResult()
        result.MonitoredItemId = self._monitored_item_counter
        result.RevisedSamplingInterval, every = self._sampling(wanted)
        result.RevisedQueueSize = queue_of(wanted.QueueSize, self._limits.queue_size)
        row: dict[str, Any] = {
            "id": result.MonitoredItemId,
            "handle": int(wanted.ClientHandle),
            "tag": index,
            "queue": result.RevisedQueueSize,
            "every": every,
            "kind": kind,
            "stamps": stamps,
            "mode": int(item.MonitoringMode),
            "trigger": chosen.trigger,
            "oldest": bool(wanted.DiscardOldest),
            "deadband": chosen.deadband,
        }
        rows.append(tuple(row.get(name, 0) for name in ITEM.names or ()))
        return result

    def _sampling(self, wanted: Any) -> tuple[float, int]:
        publishing = float(self.isub.data.RevisedPublishingInterval)
        return sampling_of(wanted.SamplingInterval, publishing, period_ms(self._source))

    def _value_sampling(self, wanted: Any) -> float:
        """Values that are no tags are told when they change; no change is looked for more often than this."""
        revised, every = self._sampling(wanted)
        return max(revised, self._refresh_ms) if every else revised

    async def _create_value_item(self, item: Any, part: IndexRange | None, stamps: int) -> Any:
        wanted = item.RequestedParameters
        node, attribute = item.ItemToMonitor.NodeId, int(item.ItemToMonitor.AttributeId)
        data = self.aspace.read_attribute_value(node, attribute)
        value = None if data.Value is None else data.Value
        structured = value is not None and value.VariantType == ua.VariantType.ExtensionObject
        refusal = encoding_refusal(item.ItemToMonitor.DataEncoding, attribute, structured)
        if refusal is not None:
            raise ItemRefused(refusal)
        kind = int(value.VariantType) if value is not None and int(value.VariantType) in _NUMBERS else 0
        chosen = filter_of(wanted.Filter, attribute, kind, None)
        code, callback = self.aspace.add_datachange_callback(node, attribute, self.datachange_callback)
        if not code.is_good():
            return ua.MonitoredItemCreateResult(StatusCode=code)
        self._monitored_item_counter += 1
        result = ua.MonitoredItemCreateResult()
        result.MonitoredItemId = self._monitored_item_counter
        result.RevisedSamplingInterval = self._value_sampling(wanted)
        result.RevisedQueueSize = queue_of(wanted.QueueSize, self._limits.queue_size)
        made = ValueItem(
            result.MonitoredItemId,
            wish_of(wanted, stamps, result.RevisedQueueSize, chosen),
            int(item.MonitoringMode),
            callback,
            node,
            attribute,
            part,
        )
        self.values.add(made)
        self.values.offer(made, data)
        return result

    async def datachange_callback(self, handle: int, value: Any, error: Any = None) -> None:
        """Queue a change of a value that is not a tag, when it differs from what was last queued."""
        item = self.values.by_callback.get(handle)
        if item is None:
            return
        if error:  # the node has gone
            value = ua.DataValue(StatusCode=error)
        if self.values.offer(item, value) and item.linked:
            self.fire([item.number])

    # --------------------------------------------------------------------------------------------------- modify

    async def set_monitoring_mode(self, mode: Any, ids: list[int]) -> list[Any]:
        """Change the mode of items."""
        results: list[Any] = []
        for number, row in zip(ids, self.tags.rows(ids).tolist(), strict=True):
            value = self.values.items.get(number)
            if row >= 0:
                self.tags.set_mode(row, int(mode))
            elif value is not None:
                if value.set_mode(int(mode)):
                    self.values.offer(value, self.aspace.read_attribute_value(value.node, value.attribute))
            elif number in self._monitored_items:
                self._monitored_items[number].mode = mode
            else:
                results.append(status("BadMonitoredItemIdInvalid"))
                continue
            results.append(ua.StatusCode())
        return results

    def modify_monitored_items(self, params: Any) -> list[Any]:
        """Change handle, queue, filter, sampling and times of items."""
        stamps = stamps_of(params.TimestampsToReturn)
        rows = self.tags.rows([item.MonitoredItemId for item in params.ItemsToModify]).tolist()
        results: list[Any] = []
        for item, row in zip(params.ItemsToModify, rows, strict=True):
            result = ua.MonitoredItemModifyResult()
            wanted = item.RequestedParameters
            result.RevisedQueueSize = queue_of(wanted.QueueSize, self._limits.queue_size)
            try:
                if row >= 0:
                    result.RevisedSamplingInterval = self._modify_tag_item(wanted, row, result, stamps)
                elif item.MonitoredItemId in self.values.items:
                    result.RevisedSamplingInterval = self._value_sampling(wanted)
                    self._modify_value_item(wanted, self.values.items[item.MonitoredItemId], result, stamps)
                elif item.MonitoredItemId in self._monitored_items:
                    self._modify_event_item(wanted, self._monitored_items[item.MonitoredItemId], result)
                else:
                    raise ItemRefused("BadMonitoredItemIdInvalid")  # noqa: TRY301 - the answer to this item
            except ItemRefused as refused:
                result.StatusCode = status(str(refused))
            results.append(result)
        return results

    def _modify_tag_item(self, wanted: Any, row: int, result: Any, stamps: int) -> float:
        kind = self.tags.kind(row)
        width = None if kind & ARRAY else span(self._source, self.tags.tag(row))
        chosen = filter_of(wanted.Filter, int(Attr.Value), number_kind(kind), width)
        revised, every = self._sampling(wanted)
        self.tags.modify(
            row,
            handle=int(wanted.ClientHandle),
            queue=result.RevisedQueueSize,
            oldest=bool(wanted.DiscardOldest),
            trigger=chosen.trigger,
            deadband=chosen.deadband,
            stamps=stamps,
            every=every,
        )
        return revised

    @staticmethod
    def _modify_value_item(wanted: Any, item: ValueItem, result: Any, stamps: int) -> None:
        held = None if item.last is None else item.last.Value
        kind = int(held.VariantType) if held is not None and int(held.VariantType) in _NUMBERS else 0
        chosen: Filter = filter_of(wanted.Filter, item.attribute, kind, None)
        item.wish = wish_of(wanted, stamps, result.RevisedQueueSize, chosen)
        item.bound()

    @staticmethod
    def _modify_event_item(wanted: Any, item: EventItem, result: Any) -> None:
        item.ask(wanted, result)

    # ---------------------------------------------------------------------------------------------- triggering

    def _has(self, number: int) -> bool:
        known = number in self.values.items or number in self._monitored_items
        return known or int(self.tags.rows([number])[0]) >= 0

    def set_triggering(self, trigger: int, add: list[int], remove: list[int]) -> tuple[list[Any], list[Any]] | None:
        """Link items to a triggering one, and unlink others; None when there is no such triggering item."""
        if not self._has(trigger):
            return None
        links = self._links.setdefault(trigger, set())
        removed: list[Any] = []
        for number in remove:
            known = number in links
            links.discard(number)
            removed.append(ua.StatusCode() if known else status("BadMonitoredItemIdInvalid"))
        added: list[Any] = []
        for number in add:
            known = self._has(number)
            if known:
                links.add(number)
            added.append(ua.StatusCode() if known else status("BadMonitoredItemIdInvalid"))
        self._mark(trigger)
        return added, removed

    def _mark(self, trigger: int) -> None:
        linked = bool(self._links.get(trigger))
        if not linked:
            self._links.pop(trigger, None)
        row = int(self.tags.rows([trigger])[0])
        if row >= 0:
            self.tags.link(row, linked)
        elif trigger in self.values.items:
            self.values.items[trigger].linked = linked

    def _unlink(self, gone: list[int]) -> None:
        if not self._links:
            return
        for number in gone:
            self._links.pop(number, None)
        for trigger, links in list(self._links.items()):
            links.difference_update(gone)
            self._mark(trigger)

    # --------------------------------------------------------------------------------------------------- delete

    def delete_monitored_items(self, ids: list[int]) -> list[Any]:
        """Delete items."""
        rows = self.tags.rows(ids)
        found = np.unique(rows[rows >= 0])
        results: list[Any] = []
        seen: set[int] = set()
        for number, row in zip(ids, rows.tolist(), strict=True):
            if number in seen:
                results.append(status("BadMonitoredItemIdInvalid"))
                continue
            seen.add(number)
            results.append(ua.StatusCode() if row >= 0 else self._delete_one(number))
        if len(found):
            self.tags.remove(found)
        self._unlink(ids)
        return results

    def _delete_one(self, number: int) -> Any:
        item = self.values.remove(number)
        if item is None:
            return self._delete_monitored_items(number)
        if item.node in self.aspace:
            self.aspace.delete_datachange_callback(item.callback)
        return ua.StatusCode()

    def delete_all_monitored_items(self) -> None:
        """Delete everything; the subscription ends."""
        self.tags.clear()
        for number in list(self.values.items):
            self._delete_one(number)
        super().delete_monitored_items(list(self._monitored_items))
