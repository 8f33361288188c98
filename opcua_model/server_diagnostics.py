"""Diagnostics of the server that Part 5 declares: counts, and a row for each session and each subscription."""

from typing import Any, Final

from opcua_model.live import tell
from opcua_model.space import Space, stamped
from opcua_model.stack import Ids, ua

_ROOT: Final = "Server_ServerDiagnostics"
_SUMMARY: Final = f"{_ROOT}_ServerDiagnosticsSummary"
_FIELDS: Final = tuple(ua.ServerDiagnosticsSummaryDataType.__dataclass_fields__)
_K: Final = ua.VariantType


class ServerDiagnostics:
    """Keeps them up to date.

    Args:
        space: of the tool.
        internal: the server whose sessions and subscriptions are counted.
    """

    def __init__(self, space: Space, internal: Any) -> None:
        self._space = space
        self._internal = internal
        self._sessions: set[Any] = set()
        self._subscriptions: set[int] = set()
        self._seen_sessions = self._seen_subscriptions = 0
        self._shown: dict[int, Any] = {}

    async def look(self) -> None:
        """Count, and show what has changed."""
        internal = self._internal
        sessions = [one for one in internal.sessions if one.is_activated()]
        subscriptions = list(internal.subscription_service.subscriptions.values())
        ids, numbers = {one.session_id for one in sessions}, {one.data.SubscriptionId for one in subscriptions}
        self._seen_sessions += len(ids - self._sessions)
        self._seen_subscriptions += len(numbers - self._subscriptions)
        self._sessions, self._subscriptions = ids, numbers
        summary = ua.ServerDiagnosticsSummaryDataType(
            CurrentSessionCount=len(sessions),
            CumulatedSessionCount=self._seen_sessions,
            CurrentSubscriptionCount=len(subscriptions),
            CumulatedSubscriptionCount=self._seen_subscriptions,
            PublishingIntervalCount=len({one.data.RevisedPublishingInterval for one in subscriptions}),
        )
        await self._show(_SUMMARY, ua.Variant(summary, _K.ExtensionObject))
        for name in _FIELDS:
            await self._show(f"{_SUMMARY}_{name}", ua.Variant(getattr(summary, name), _K.UInt32))
        await self._show(f"{_ROOT}_EnabledFlag", ua.Variant(True, _K.Boolean))
        rows = [self._session(one, subscriptions) for one in sessions]
        array = f"{_ROOT}_SessionsDiagnosticsSummary_SessionDiagnosticsArray"
        await self._show(array, ua.Variant(rows, _K.ExtensionObject, is_array=True))
        rows = [_subscription(one) for one in subscriptions]
        await self._show(f"{_ROOT}_SubscriptionDiagnosticsArray", ua.Variant(rows, _K.ExtensionObject, is_array=True))

    def _session(self, session: Any, subscriptions: list[Any]) -> Any:
        own = [one for one in subscriptions if one.session_id == session.session_id]
        return ua.SessionDiagnosticsDataType(
            SessionId=session.session_id,
            SessionName=str(session.caller.user or "anonymous"),
            EndpointUrl=str(session.peer),
            ActualSessionTimeout=float(session.session_timeout) * 1000.0,
            CurrentSubscriptionsCount=len(own),
            CurrentMonitoredItemsCount=sum(len(one.monitored_item_srv) for one in own),
        )

    async def _show(self, name: str, value: Any) -> None:
        number = getattr(Ids, name, None)
        if number is None or ua.NodeId(number) not in self._space:
            return
        before = self._shown.get(number)
        if before != value.Value:
            self._shown[number] = value.Value
            await tell(self._space.cell(ua.NodeId(number)), stamped(value))


def _subscription(one: Any) -> Any:
    data = one.data
    return ua.SubscriptionDiagnosticsDataType(
        SessionId=one.session_id,
        SubscriptionId=data.SubscriptionId,
        PublishingInterval=float(data.RevisedPublishingInterval),
        MaxKeepAliveCount=int(data.RevisedMaxKeepAliveCount),
        MaxLifetimeCount=int(data.RevisedLifetimeCount),
        MaxNotificationsPerPublish=int(one.notifications),
        MonitoredItemCount=len(one.monitored_item_srv),
        UnacknowledgedMessageCount=len(one.unacknowledged),
    )
