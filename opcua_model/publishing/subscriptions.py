"""Subscriptions on top of asyncua's: tags come from the snapshot in bulk, everything else by its own path.

asyncua keeps what a subscription needs besides data: sequence numbers, keep-alive, lifetime, acknowledgement.
"""

import asyncio
import math
from typing import Any, Final

import numpy as np

from opcua_model.event_items import create_event_item
from opcua_model.publishing import items as tag_items
from opcua_model.publishing.encoding import DOUBLE, STAMPS
from opcua_model.publishing.items import ITEM, TagItems
from opcua_model.settings import Limits
from opcua_model.stack import (
    Attr,
    DataChangeFilter,
    Ids,
    InternalSubscription,
    MonitoredItemService,
    SubscriptionService,
    fault,
    status,
    ua,
)
from opcua_model.tree import Tree

_BODY: Final = ua.NodeId(Ids.DataChangeNotification_Encoding_DefaultBinary)
NOTIFICATIONS_PER_PUBLISH: Final = 50_000


class ItemRefused(Exception):  # noqa: N818 - the answer to one item of a request, not a fault
    """One monitored item cannot be had; the text is the symbolic status code."""


class MonitoredItems(MonitoredItemService):
    """Monitored items of one subscription."""

    def __init__(self, subscription: Any, aspace: Any, tree: Tree, limits: Limits) -> None:
        super().__init__(subscription, aspace)
        self._tree = tree
        self._limits = limits
        self.tags = TagItems()

    def __len__(self) -> int:
        return len(self._monitored_items) + len(self.tags)

    async def create_monitored_items(self, params: Any) -> list[Any]:
        """Create items; those on tags all at once."""
        stamps = _stamps(params.TimestampsToReturn)
        results: list[Any] = []
        rows: list[tuple[Any, ...]] = []
        for item in params.ItemsToCreate:
            try:
                self._room_for(len(rows))
                node, attribute = item.ItemToMonitor.NodeId, item.ItemToMonitor.AttributeId
                index = self._tree.tags.get(node) if attribute == Attr.Value else None
                if index is not None:
                    results.append(self._create_tag_item(item, index, stamps, rows))
                elif attribute == Attr.EventNotifier:
                    results.append(create_event_item(self, item))
                else:
                    results.append(await self._create_other_item(item))
            except ItemRefused as refused:
                results.append(ua.MonitoredItemCreateResult(StatusCode=status(str(refused))))
        if rows:
            self.tags.add(np.array(rows, ITEM))
        return results

    def _room_for(self, waiting: int) -> None:
        if len(self) + waiting >= self._limits.items_per_subscription:
            raise ItemRefused("BadTooManyMonitoredItems")

    def _create_tag_item(self, item: Any, index: int, stamps: int, rows: list[tuple[Any, ...]]) -> Any:
        wanted = item.RequestedParameters
        if item.ItemToMonitor.IndexRange:
            raise ItemRefused("BadIndexRangeNoData")
        trigger, deadband = self._filter(wanted.Filter, index)
        self._monitored_item_counter += 1
        result = self._result(wanted)
        result.MonitoredItemId = self._monitored_item_counter
        rows.append(
            (
                result.MonitoredItemId,
                wanted.ClientHandle,
                index,
                result.RevisedQueueSize,
                int(self._tree.snapshot.kinds[index]),
                stamps,
                int(item.MonitoringMode),
                trigger,
                bool(wanted.DiscardOldest),
                True,
                deadband,
                0.0,
                0,
                0,
            )
        )
        return result

    def _result(self, wanted: Any) -> Any:
        result = ua.MonitoredItemCreateResult()
        result.RevisedSamplingInterval = self.isub.data.RevisedPublishingInterval
        result.RevisedQueueSize = min(max(int(wanted.QueueSize), 1), self._limits.queue_size)
        return result

    def _filter(self, wanted: Any, index: int) -> tuple[int, float]:
        """Read a filter: trigger and absolute deadband."""
        if wanted is None or (isinstance(wanted, ua.ExtensionObject) and not wanted):
            return tag_items.STATUS_VALUE, 0.0
        if not isinstance(wanted, DataChangeFilter):
            raise ItemRefused("BadMonitoredItemFilterUnsupported")
        kind, deadband = int(wanted.DeadbandType), float(wanted.DeadbandValue)
        if kind == 0:
            return int(wanted.Trigger), 0.0
        if self._tree.snapshot.kinds[index] != DOUBLE:
            raise ItemRefused("BadFilterNotAllowed")
        if not math.isfinite(deadband) or deadband < 0 or kind not in {1, 2} or (kind == 2 and deadband > 100):
            raise ItemRefused("BadDeadbandFilterInvalid")
        if kind == 2:  # of the EURange (Part 8, 6.2)
            tag = self._tree.layout.declared.get(self._tree.layout.tags[index])
            if tag is None:
                raise ItemRefused("BadFilterNotAllowed")
            deadband *= (tag.high - tag.low) / 100.0
        return int(wanted.Trigger), deadband

    async def _create_other_item(self, item: Any) -> Any:
        wanted: Any = item.RequestedParameters.Filter
        if isinstance(wanted, ua.ExtensionObject) and not wanted:  # no filter, as some clients write it
            wanted = item.RequestedParameters.Filter = None
        if wanted is not None and not isinstance(wanted, DataChangeFilter):
            raise ItemRefused("BadMonitoredItemFilterUnsupported")
        if wanted is not None and int(wanted.DeadbandType) != 0:
            raise ItemRefused("BadFilterNotAllowed")
        return await self._create_data_change_monitored_item(item)

    async def datachange_callback(self, handle: int, value: Any, error: Any = None) -> None:
        """Queue a change of a value that is not a tag, when it differs from what was last reported."""
        if error:
            await self.trigger_statuschange(error)
            return
        mid = self._monitored_datachange[handle]
        data = self._monitored_items[mid]
        if data.mode != ua.MonitoringMode.Reporting:
            data.mvalue.current_dvalue = None
            return
        before: Any = data.mvalue.current_dvalue
        trigger: Any = data.filter.Trigger if data.filter else ua.DataChangeTrigger.StatusValue
        if before is None or _differs(before, value, trigger):
            data.mvalue.current_dvalue = value
            note = ua.MonitoredItemNotification(ClientHandle=data.client_handle, Value=value)
            await self.isub.enqueue_datachange_event(mid, note, data.queue_size)

    async def _set_monitoring_mode(self, mode: Any, mid: int) -> Any:
        data = self._monitored_items.get(mid)
        if data is None:
            return status("BadMonitoredItemIdInvalid")
        resumed = data.mode != ua.MonitoringMode.Reporting and mode == ua.MonitoringMode.Reporting
        data.mode = mode
        if resumed and data.callback_handle is not None:
            data.mvalue.current_dvalue = None
            await self.trigger_datachange(
                data.callback_handle, data.read_value_id.NodeId, data.read_value_id.AttributeId
            )
        return ua.StatusCode()

    async def set_monitoring_mode(self, mode: Any, ids: list[int]) -> list[Any]:
        """Change the mode of items."""
        results: list[Any] = []
        for mid, row in zip(ids, self.tags.rows(ids).tolist(), strict=True):
            if row >= 0:
                self.tags.set_mode(row, int(mode))
                results.append(ua.StatusCode())
            else:
                results.append(await self._set_monitoring_mode(mode, mid))
        return results

    def modify_monitored_items(self, params: Any) -> list[Any]:
        """Change handle, queue, filter and times of items."""
        stamps = _stamps(params.TimestampsToReturn)
        rows = self.tags.rows([item.MonitoredItemId for item in params.ItemsToModify]).tolist()
        results: list[Any] = []
        for item, row in zip(params.ItemsToModify, rows, strict=True):
            wanted = item.RequestedParameters
            result = ua.MonitoredItemModifyResult()
            revised = self._result(wanted)
            result.RevisedQueueSize = revised.RevisedQueueSize
            result.RevisedSamplingInterval = revised.RevisedSamplingInterval
            data = self._monitored_items.get(item.MonitoredItemId)
            if row >= 0:
                try:
                    trigger, deadband = self._filter(wanted.Filter, self.tags.tag(row))
                    self.tags.modify(
                        row,
                        handle=wanted.ClientHandle,
                        queue=result.RevisedQueueSize,
                        oldest=bool(wanted.DiscardOldest),
                        trigger=trigger,
                        deadband=deadband,
                        stamps=stamps,
                    )
                except ItemRefused as refused:
                    result.StatusCode = status(str(refused))
            elif data is not None:
                data.client_handle, data.queue_size = wanted.ClientHandle, result.RevisedQueueSize
            else:
                result.StatusCode = status("BadMonitoredItemIdInvalid")
            results.append(result)
        return results

    def delete_monitored_items(self, ids: list[int]) -> list[Any]:
        """Delete items."""
        rows = self.tags.rows(ids)
        found = rows[rows >= 0]
        results = [
            ua.StatusCode() if row >= 0 else self._delete_monitored_items(mid)
            for mid, row in zip(ids, rows.tolist(), strict=True)
        ]
        if len(found):
            self.tags.remove(found)
        return results

    def delete_all_monitored_items(self) -> None:
        """Delete everything; the subscription ends."""
        self.tags.clear()
        super().delete_monitored_items(list(self._monitored_items))


def _differs(before: Any, after: Any, trigger: Any) -> bool:
    """Compare two DataValues as a trigger asks for."""
    if before.StatusCode != after.StatusCode:
        return True
    if trigger >= ua.DataChangeTrigger.StatusValue and before.Value != after.Value:
        return True
    moved = before.SourceTimestamp != after.SourceTimestamp
    return bool(trigger == ua.DataChangeTrigger.StatusValueTimestamp and moved)


def _stamps(wanted: Any) -> int:
    found = STAMPS.get(int(wanted))
    if found is None:
        raise fault("BadTimestampsToReturnInvalid")
    return found


class Subscription(InternalSubscription):
    """One subscription."""

    def __init__(self, *arguments: Any, tree: Tree, limits: Limits, notifications: int, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._tree = tree
        self.monitored_item_srv = MonitoredItems(self, named.get("aspace") or arguments[1], tree, limits)
        self.notifications = notifications
        """The client's MaxNotificationsPerPublish; 0: as many as there are."""

    async def _subscription_loop(self) -> None:
        """Sample and publish at the publishing interval; what was missed is not caught up."""
        clock = asyncio.get_running_loop().time
        due = clock()
        while not self._closing:
            if self._publishing_enabled or len(self.monitored_item_srv.tags):
                self.monitored_item_srv.tags.sample(self._tree.snapshot.now())
            await self.publish_results()
            period = self.data.RevisedPublishingInterval / 1000.0
            due = max(due + period, clock())
            await asyncio.sleep(due - clock())

    def has_published_results(self) -> bool:
        """Tell whether there is something to send, a keep-alive included."""
        if self._triggered_statuschanges:
            return True
        if self._publishing_enabled and self.monitored_item_srv.tags.waiting:
            return True
        return bool(super().has_published_results())

    async def publish_results(self, requestdata: Any = None) -> bool:
        """Publish; when the client limits a message's size, as many messages as are needed and asked for."""
        sent = await super().publish_results(requestdata)
        while sent and self._publishing_enabled and self.monitored_item_srv.tags.waiting:
            if not await super().publish_results():
                break
        return bool(sent)

    def _pop_publish_result(self) -> Any:
        result = super()._pop_publish_result()
        result.MoreNotifications = bool(self._publishing_enabled and self.monitored_item_srv.tags.waiting)
        return result

    def _pop_triggered_datachanges(self, result: Any) -> None:
        super()._pop_triggered_datachanges(result)
        tags = self.monitored_item_srv.tags
        if tags.waiting:
            _, body = tags.take(self.notifications or NOTIFICATIONS_PER_PUBLISH)
            # The array of notifications, then an empty array of diagnostics (Part 4, 7.25.2).
            note = ua.ExtensionObject(_BODY, body + b"\xff\xff\xff\xff")
            result.NotificationMessage.NotificationData.append(note)

    @property
    def unacknowledged(self) -> list[int]:
        """Sequence numbers of the messages that Republish can give."""
        return list(self._not_acknowledged_results)

    def acknowledge(self, number: int) -> bool:
        """Forget a message; False when there is none of that number."""
        return self._not_acknowledged_results.pop(number, None) is not None

    def republish(self, nb: int) -> Any:
        """Give a message again; it stays until it is acknowledged (Part 4, 5.13.6)."""
        result = self._not_acknowledged_results.get(nb)
        if result is None:
            raise fault("BadMessageNotAvailable")
        return result.NotificationMessage


class Subscriptions(SubscriptionService):
    """All subscriptions of the server."""

    def __init__(self, aspace: Any, iserver: Any, limits: Limits) -> None:
        super().__init__(aspace, iserver)
        self._limits = limits
        self.tree: Tree | None = None
        """Set before the first client comes."""

    async def create_subscription(
        self, params: Any, callback: Any, session_id: Any, request_callback: Any = None
    ) -> Any:
        """Create a subscription with revised parameters."""
        if len(self.subscriptions) >= self._limits.subscriptions:
            raise fault("BadTooManySubscriptions")
        if self.tree is None:
            raise fault("BadServerNotConnected")
        result = ua.CreateSubscriptionResult()
        self._sub_id_counter += 1
        number = result.SubscriptionId = self._sub_id_counter
        self._revise(result, params)
        subscription = Subscription(
            result,
            self.aspace,
            callback,
            session_id,
            request_callback=request_callback,
            delete_callback=lambda: self.subscriptions.pop(number, None),
            no_acks_limit=self._limits.unacknowledged,
            max_queue_size=self._limits.queue_size,
            publishing_enabled=params.PublishingEnabled,
            tree=self.tree,
            limits=self._limits,
            notifications=int(params.MaxNotificationsPerPublish),
        )
        self.subscriptions[number] = subscription
        await subscription.start()
        return result

    def _revise(self, result: Any, params: Any) -> None:
        """Bring interval and counts into their bounds; a lifetime is at least three keep-alives (Part 4, 5.13.2)."""
        low, high = self._limits.publishing_interval_ms
        asked = float(params.RequestedPublishingInterval)
        result.RevisedPublishingInterval = min(max(asked, low), high) if math.isfinite(asked) else low
        keep_alive = min(max(int(params.RequestedMaxKeepAliveCount), 1), self._limits.keep_alive_count)
        lifetime = min(max(int(params.RequestedLifetimeCount), 3 * keep_alive), self._limits.lifetime_count)
        result.RevisedMaxKeepAliveCount, result.RevisedLifetimeCount = keep_alive, lifetime

    def modify_subscription(self, params: Any) -> Any:
        """Change interval and counts; the loop takes them up with its next turn."""
        subscription = self.subscriptions.get(params.SubscriptionId)
        if subscription is None:
            raise fault("BadSubscriptionIdInvalid")
        result = ua.ModifySubscriptionResult()
        self._revise(result, params)
        subscription.data.RevisedPublishingInterval = result.RevisedPublishingInterval
        subscription.data.RevisedLifetimeCount = result.RevisedLifetimeCount
        subscription.data.RevisedMaxKeepAliveCount = result.RevisedMaxKeepAliveCount
        subscription.notifications = int(params.MaxNotificationsPerPublish)
        return result

    def owned(self, session_id: Any) -> list[Any]:
        """Subscriptions of a session."""
        return [one for one in self.subscriptions.values() if one.session_id == session_id]
