"""Subscriptions: when to sample, when to publish, what a message holds, and when one has outlived its client.

asyncua keeps the queue of events and gives the channels' publish requests; intervals, keep-alives, lifetime, messages
and their repetition are kept here (Part 4, 5.13).
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from opcua_model.publishing.monitoring import MonitoredItems
from opcua_model.publishing.source import Source
from opcua_model.settings import Limits
from opcua_model.stack import Ids, InternalSubscription, SubscriptionService, fault, status, ua

_BODY: Final = ua.NodeId(Ids.DataChangeNotification_Encoding_DefaultBinary)
NOTIFICATIONS_PER_PUBLISH: Final = 50_000
SAMPLE_S: Final = 0.5
"""Longest time between looks at the rows of the scan: its ring holds some seconds (`scan.flight_s`)."""
KEPT_BYTES: Final = 4 * 1024 * 1024
"""Of messages that a client may ask for again, a subscription; the newest is always kept."""
_LAST_NUMBER: Final = 2**32 - 1
_NO_DIAGNOSTICS: Final = b"\xff\xff\xff\xff"


def _everything(_event: Any) -> bool:
    return True


class Subscription(InternalSubscription):
    """One subscription."""

    def __init__(
        self, *arguments: Any, source: Source, limits: Limits, notifications: int, refresh_ms: float, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        aspace = named.get("aspace") or arguments[1]
        self.monitored_item_srv = MonitoredItems(self, aspace, source, limits, refresh_ms)
        self.notifications = notifications
        """The client's MaxNotificationsPerPublish; 0: as many as there are."""
        self.audits = False
        """Whether its session is told of audit events."""
        self.admits: Callable[[Any], bool] = _everything
        """Tells of an event whether its session may hear of it."""
        self.expired = False
        """It has outlived its lifetime: all that is left to do is to say so."""
        self._silent = 0
        """Publishing intervals since the client was heard of last."""
        self._kept: dict[int, int] = {}
        """Bytes of the messages that can be repeated."""
        self._changed = asyncio.Event()

    # ----------------------------------------------------------------------------------------------------- time

    async def _subscription_loop(self) -> None:
        """Sample and publish at the publishing interval; what was missed is not caught up."""
        clock = asyncio.get_running_loop().time
        due = clock()
        while not self._closing:
            items = self.monitored_item_srv
            publishing = clock() >= due
            items.sample(publishing)
            if publishing:
                await self._turn()
                due = max(due + self.data.RevisedPublishingInterval / 1000.0, clock())
            until = min(due, clock() + SAMPLE_S) if items.samples_between else due
            self._changed.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
                due = min(due, clock() + self.data.RevisedPublishingInterval / 1000.0)
            except TimeoutError:
                pass

    async def _turn(self) -> None:
        """End a publishing interval."""
        self._silent += 1
        if self._silent > self.data.RevisedLifetimeCount:
            await self._expire()
            return
        self._keep_alive_count += 1
        await self.publish_results()

    def heard(self) -> None:
        """The client gave a sign of life: its lifetime begins anew (Part 4, 5.13.1.2)."""
        self._silent = 0

    def revise(self, revised: Any, notifications: int) -> None:
        """Take up other intervals and counts at once."""
        self.data.RevisedPublishingInterval = revised.RevisedPublishingInterval
        self.data.RevisedLifetimeCount = revised.RevisedLifetimeCount
        self.data.RevisedMaxKeepAliveCount = revised.RevisedMaxKeepAliveCount
        self.notifications = notifications
        self.heard()
        self._changed.set()

    async def _expire(self) -> None:
        """Nobody has fetched anything for a lifetime: forget the items, and say so when there is a chance to."""
        self.expired = self._closing = True
        self.monitored_item_srv.delete_all_monitored_items()
        self._triggered_events.clear()
        self._triggered_statuschanges[:] = [status("BadTimeout")]
        await self.publish_results()

    async def set_publishing_mode(self, enabled: bool) -> None:
        """Switch publishing; sampling goes on."""
        self._publishing_enabled = enabled
        self.heard()

    # ----------------------------------------------------------------------------------------------- publishing

    @property
    def _waiting(self) -> bool:
        """Whether there is anything to report."""
        if not self._publishing_enabled:
            return False
        items = self.monitored_item_srv
        return bool(self._triggered_events or items.tags.waiting or items.values.waiting)

    def has_published_results(self) -> bool:
        """Tell whether there is something to send, a keep-alive included."""
        if self._startup or self._triggered_statuschanges or self._waiting:
            return True
        return bool(self._keep_alive_count >= self.data.RevisedMaxKeepAliveCount)

    async def publish_results(self, requestdata: Any = None) -> bool:
        """Publish: as many messages as there is something to say and a request to answer.

        `requestdata` is a publish request that has just come; True when it was used.
        """
        used = False
        while self.has_published_results():
            request = requestdata if not used and requestdata is not None else self._request()
            if request is None:
                break
            used = True
            more = self._waiting
            await self.pub_result_callback(self._pop_publish_result(), request)
            if self.expired:
                self.delete_callback()
                break
            if not more or not self._waiting:
                break
        return used

    def _request(self) -> Any:
        return None if self.pub_request_callback is None else self.pub_request_callback(self.data.SubscriptionId)

    def _pop_publish_result(self) -> Any:
        """Make the next message."""
        result = ua.PublishResult()
        result.SubscriptionId = self.data.SubscriptionId
        message = result.NotificationMessage
        size = 0
        if self._publishing_enabled:
            size = self._add_values(message.NotificationData)
            self._add_events(message.NotificationData)
        self._pop_triggered_statuschanges(result)
        self._keep_alive_count = self._silent = 0
        self._startup = False
        message.SequenceNumber = self._notification_seq
        message.PublishTime = datetime.now(UTC)
        if message.NotificationData:
            self._notification_seq = self._notification_seq % _LAST_NUMBER + 1  # 0 is never used (Part 4, 7.9)
            self._keep(result, size)
        result.MoreNotifications = self._waiting
        result.AvailableSequenceNumbers = list(self._not_acknowledged_results)
        return result

    def _add_values(self, data: list[Any]) -> int:
        """Add what tags and other values have to report; return its bytes, roughly."""
        items, size = self.monitored_item_srv, 0
        limit = self.notifications or NOTIFICATIONS_PER_PUBLISH
        if items.tags.waiting:
            count, body = items.tags.take(limit)
            limit -= count
            data.append(ua.ExtensionObject(_BODY, body + _NO_DIAGNOSTICS))
            size += len(body)
        if items.values.waiting and limit > 0:
            notes = items.values.take(limit)
            data.append(ua.DataChangeNotification(MonitoredItems=notes))
            size += 100 * len(notes)
        return size

    def _add_events(self, data: list[Any]) -> None:
        """Add events, oldest first, as many as the client takes."""
        limit = self.notifications or NOTIFICATIONS_PER_PUBLISH
        if self.notifications and data:
            return  # the rest comes with the next message
        events: list[Any] = []
        for number in list(self._triggered_events):
            queue = self._triggered_events[number]
            part = queue[: limit - len(events)]
            events += part
            self._triggered_events[number] = queue[len(part) :]
            if not self._triggered_events[number]:
                del self._triggered_events[number]
        if events:
            data.append(ua.EventNotificationList(Events=events))

    def _keep(self, result: Any, size: int) -> None:
        """Keep a message until it is acknowledged, within bounds of number and size; the oldest go first."""
        number = result.NotificationMessage.SequenceNumber
        self._not_acknowledged_results[number] = result
        self._kept[number] = size
        kept = self._not_acknowledged_results
        while len(kept) > self._no_acks_limit or (len(kept) > 1 and sum(self._kept.values()) > KEPT_BYTES):
            self.acknowledge(next(iter(kept)))

    async def enqueue_event(self, mid: int, eventdata: Any, maxsize: int) -> None:
        """Queue an event; what is linked to its item is reported too."""
        await self._enqueue_event(mid, eventdata, maxsize, self._triggered_events)
        self.monitored_item_srv.fire([mid])

    # ------------------------------------------------------------------------------------------------- messages

    @property
    def unacknowledged(self) -> list[int]:
        """Sequence numbers of the messages that Republish can give."""
        return list(self._not_acknowledged_results)

    def acknowledge(self, number: int) -> bool:
        """Forget a message; False when there is none of that number."""
        self._kept.pop(number, None)
        return self._not_acknowledged_results.pop(number, None) is not None

    def republish(self, nb: int) -> Any:
        """Give a message again; it stays until it is acknowledged (Part 4, 5.13.6)."""
        self.heard()
        result = self._not_acknowledged_results.get(nb)
        if result is None:
            raise fault("BadMessageNotAvailable")
        return result.NotificationMessage

    async def move(self, session_id: Any, callback: Any, request_callback: Any, *, send_values: bool) -> None:
        """Go over to another session; the one that it leaves is told (Part 4, 5.13.7)."""
        before, request = self.pub_result_callback, self._request()
        self._forget_place()
        if request is not None:
            told = ua.PublishResult(SubscriptionId=self.data.SubscriptionId)
            note = ua.StatusChangeNotification(Status=status("GoodSubscriptionTransferred"))
            told.NotificationMessage.SequenceNumber = self._notification_seq
            told.NotificationMessage.NotificationData = [note]
            await before(told, request)
        self.session_id = session_id
        self.pub_result_callback, self.pub_request_callback = callback, request_callback
        self.heard()
        if send_values:
            self.monitored_item_srv.report_all()

    def _forget_place(self) -> None:
        """Leave the old channel's list of subscriptions that wait for a request: its next one is none of ours."""
        places = getattr(getattr(self.pub_request_callback, "__self__", None), "_publish_results_subs", None)
        if places is not None:
            places.pop(self.data.SubscriptionId, None)


class Subscriptions(SubscriptionService):
    """All subscriptions of the server."""

    def __init__(self, aspace: Any, iserver: Any, limits: Limits, refresh_ms: float = 100.0) -> None:
        super().__init__(aspace, iserver)
        self._limits = limits
        self._refresh_ms = refresh_ms
        self.tree: Source | None = None
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
            source=self.tree,
            limits=self._limits,
            notifications=int(params.MaxNotificationsPerPublish),
            refresh_ms=self._refresh_ms,
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
        """Change interval and counts; they hold at once."""
        subscription = self.subscriptions.get(params.SubscriptionId)
        if subscription is None or subscription.expired:
            raise fault("BadSubscriptionIdInvalid")
        result = ua.ModifySubscriptionResult()
        self._revise(result, params)
        subscription.revise(result, int(params.MaxNotificationsPerPublish))
        return result

    def owned(self, session_id: Any) -> list[Any]:
        """Subscriptions of a session."""
        return [one for one in self.subscriptions.values() if one.session_id == session_id]

    @staticmethod
    def heard(subscriptions: Iterable[Any]) -> None:
        """The client of these subscriptions gave a sign of life."""
        for one in subscriptions:
            one.heard()
