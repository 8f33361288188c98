"""Subscriptions over the wire: a thousand tags, revised wishes, dead controllers, lost messages."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import numpy as np
import pytest

from opcua_model.client import ToolClient, connect
from opcua_model.server import UaServer
from opcua_model.stack import Attr, errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace_with, serving, until

pytestmark = pytest.mark.anyio

PRESSURE = "Telemetry/chamber_pressure_torr"


def as_user(server: UaServer, user: str = "otto") -> Any:
    return connect(server.endpoint, user, PASSWORDS[user])


async def until_read(tool: ToolClient, path: str, value: Any) -> None:
    with anyio.fail_after(2):
        while await tool.read(path) != value:  # noqa: ASYNC110 - what is waited for comes over a socket
            await anyio.sleep(0.05)


async def several_rounds(daemon: FakeDaemon) -> None:
    """Let the publisher look at the image a few more times."""
    before = daemon.copies
    await until(lambda: daemon.copies >= before + 5)


class Watch:
    """A subscription made by hand, with every message kept."""

    def __init__(self, tool: ToolClient, number: int, revised: Any) -> None:
        self.tool, self.number, self.revised = tool, number, revised
        self.messages: list[Any] = []

    async def take(self, result: Any) -> None:
        self.messages.append(result)

    @property
    def notes(self) -> list[tuple[int, Any, str]]:
        found: list[tuple[int, Any, str]] = []
        for message in self.messages:
            for note in message.NotificationMessage.NotificationData or ():
                for one in getattr(note, "MonitoredItems", ()):
                    value = None if one.Value.Value is None else one.Value.Value.Value
                    found.append((one.ClientHandle, value, one.Value.StatusCode.name))
        return found

    async def add(self, *paths: str, filter_: Any = None, queue: int = 1, mode: int = 2) -> list[Any]:
        params = ua.CreateMonitoredItemsParameters(SubscriptionId=self.number)
        params.TimestampsToReturn = ua.TimestampsToReturn.Both
        for handle, path in enumerate(paths, start=1):
            item = ua.MonitoredItemCreateRequest(MonitoringMode=ua.MonitoringMode(mode))
            item.ItemToMonitor = ua.ReadValueId(NodeId=self.tool.node(path), AttributeId=Attr.Value)
            item.RequestedParameters = ua.MonitoringParameters(
                ClientHandle=handle, SamplingInterval=-1, QueueSize=queue, DiscardOldest=True, Filter=filter_
            )
            params.ItemsToCreate.append(item)
        return await self.tool._client.uaclient.create_monitored_items(params)


@asynccontextmanager
async def watching(tool: ToolClient, interval_ms: float = 50.0, **changes: Any) -> AsyncGenerator[Watch]:
    wanted: dict[str, Any] = {
        "RequestedPublishingInterval": interval_ms,
        "RequestedLifetimeCount": 600,
        "RequestedMaxKeepAliveCount": 10,
        "PublishingEnabled": True,
    }
    wanted.update(changes)
    watch = Watch(tool, 0, None)
    watch.revised = await tool._client.uaclient.create_subscription(
        ua.CreateSubscriptionParameters(**wanted), watch.take
    )
    watch.number = watch.revised.SubscriptionId
    yield watch
    await tool._client.uaclient.delete_subscriptions([watch.number])


async def test_a_thousand_tags_arrive_with_every_change_and_one_copy_serves_all(tmp_path: Any) -> None:
    daemon = FakeDaemon(await anyio.to_thread.run_sync(furnace_with, 1000))
    random = np.random.default_rng(7)
    async with serving(daemon, tmp_path) as server, as_user(server) as first, as_user(server) as second:
        paths = [f"Equipment/extra/signal{number:04d}" for number in range(1000)]
        index = [daemon.layout.index[f"extra.signal{number:04d}"] for number in range(1000)]
        seen: list[dict[str, Any]] = [{}, {}]
        async with (
            first.subscribe(paths, 50, lambda path, value, good: seen[0].__setitem__(path, value)),
            second.subscribe(paths, 50, lambda path, value, good: seen[1].__setitem__(path, value)),
        ):
            for _ in range(2):
                values = random.normal(size=len(daemon.layout.tags))
                daemon.set_all(values)
                expected = dict(zip(paths, values[index].tolist(), strict=True))
                await until(lambda expected=expected: seen == [expected, expected], 20)


async def test_a_dead_controller_turns_every_value_bad_within_a_second(server: UaServer, daemon: FakeDaemon) -> None:
    paths = [PRESSURE, "Equipment/heater/zone1.mode", "Telemetry/temperature_zones_c", "Interlocks/door_lost/State"]
    good: dict[str, bool] = {}
    async with as_user(server) as tool:
        async with tool.subscribe(paths, 100, lambda path, value, is_good: good.__setitem__(path, is_good)):
            await until(lambda: good == dict.fromkeys(paths, True))
            daemon.lose_controller()
            await until(lambda: good == dict.fromkeys(paths, False), 1.0)
        for value, status in (await tool.read_all(paths[:2])).values():
            assert (value, status) == (None, 0x80310000)
        await until_read(tool, "Diagnostics/ControllerAlive", False)


@pytest.mark.parametrize(
    ("asked", "revised"),
    [(0.001, 50), (0, 50), (-1, 50), (float("nan"), 50), (float("inf"), 50), (250, 250), (1e12, 3.6e6)],
)
async def test_the_publishing_interval_is_brought_into_its_bounds(
    server: UaServer, asked: float, revised: float
) -> None:
    async with as_user(server) as tool, watching(tool, asked) as watch:
        assert watch.revised.RevisedPublishingInterval == revised


async def test_a_lifetime_is_at_least_three_keep_alives(server: UaServer) -> None:
    async with (
        as_user(server) as tool,
        watching(tool, RequestedLifetimeCount=1, RequestedMaxKeepAliveCount=20) as watch,
    ):
        assert watch.revised.RevisedLifetimeCount >= 60
        assert watch.revised.RevisedMaxKeepAliveCount == 20


async def test_a_quiet_subscription_says_that_it_lives(server: UaServer) -> None:
    async with as_user(server) as tool, watching(tool, RequestedMaxKeepAliveCount=2) as watch:
        await until(lambda: len(watch.messages) >= 3)
        assert watch.notes == []


async def test_a_deadband_holds_over_the_wire(server: UaServer, daemon: FakeDaemon) -> None:
    band = ua.DataChangeFilter(
        Trigger=ua.DataChangeTrigger.StatusValue, DeadbandType=ua.DeadbandType.Absolute, DeadbandValue=0.5
    )
    async with as_user(server) as tool, watching(tool) as watch:
        await watch.add(PRESSURE, filter_=band)
        await until(lambda: len(watch.notes) == 1)
        for step in range(1, 8):
            daemon.set("chamber.pressure_torr", step * 0.2)
            await several_rounds(daemon)
        await until(lambda: len(watch.notes) == 3)
        assert [value for _, value, _ in watch.notes] == pytest.approx([0.0, 0.6, 1.2])


async def test_a_percent_deadband_is_of_the_range(server: UaServer, daemon: FakeDaemon) -> None:
    tag = daemon.layout.declared["heater.zone1.temperature_c"]
    span = tag.high - tag.low
    band = ua.DataChangeFilter(
        Trigger=ua.DataChangeTrigger.StatusValue, DeadbandType=ua.DeadbandType.Percent, DeadbandValue=10.0
    )
    async with as_user(server) as tool, watching(tool) as watch:
        await watch.add("Equipment/heater/zone1.temperature_c", filter_=band)
        await until(lambda: len(watch.notes) == 1)
        daemon.set("heater.zone1.temperature_c", span * 0.09)
        await several_rounds(daemon)
        daemon.set("heater.zone1.temperature_c", span * 0.11)
        await until(lambda: len(watch.notes) == 2)
        assert watch.notes[1][1] == pytest.approx(span * 0.11)


@pytest.mark.parametrize(
    ("path", "kind", "value", "status"),
    [
        (PRESSURE, 1, float("nan"), "BadDeadbandFilterInvalid"),
        (PRESSURE, 1, -1.0, "BadDeadbandFilterInvalid"),
        (PRESSURE, 2, 101.0, "BadDeadbandFilterInvalid"),
        ("Equipment/heater/zone1.mode", 1, 1.0, "BadFilterNotAllowed"),
        ("State/Mode", 1, 1.0, "BadFilterNotAllowed"),
    ],
)
async def test_a_deadband_that_means_nothing_is_refused(
    server: UaServer, path: str, kind: int, value: float, status: str
) -> None:
    band = ua.DataChangeFilter(DeadbandType=kind, DeadbandValue=value)
    async with as_user(server) as tool, watching(tool) as watch:
        (result,) = await watch.add(path, filter_=band)
        assert result.StatusCode.name == status


async def test_a_client_that_limits_messages_gets_all_in_several(server: UaServer, daemon: FakeDaemon) -> None:
    names = [f"Equipment/{name.replace('.', '/', 1)}" for name in daemon.layout.tags]
    async with as_user(server) as tool, watching(tool, MaxNotificationsPerPublish=10) as watch:
        await watch.add(*names)
        await until(lambda: len(watch.notes) == len(names))
        sizes = [
            len(note.MonitoredItems)
            for message in watch.messages
            for note in message.NotificationMessage.NotificationData or ()
        ]
        assert max(sizes) == 10
        assert any(message.MoreNotifications for message in watch.messages)
        numbers = [message.NotificationMessage.SequenceNumber for message in watch.messages]
        assert sorted(numbers) == numbers


async def test_modes_items_and_publishing_follow_the_client(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server) as tool, watching(tool) as watch:
        client = tool._client.uaclient
        results = await watch.add(PRESSURE, "State/Mode", "Nowhere")
        assert [one.StatusCode.name for one in results] == ["Good", "Good", "BadNodeIdUnknown"]
        await until(lambda: len(watch.notes) == 2)
        ids = [one.MonitoredItemId for one in results[:2]]
        params = ua.SetMonitoringModeParameters(
            SubscriptionId=watch.number, MonitoringMode=ua.MonitoringMode.Disabled, MonitoredItemIds=[*ids, 99999]
        )
        statuses = await client.session.set_monitoring_mode(params)
        assert [one.name for one in statuses] == ["Good", "Good", "BadMonitoredItemIdInvalid"]
        daemon.set("chamber.pressure_torr", 4.0)
        daemon.told["State/Mode"] = "Fault"
        await several_rounds(daemon)
        assert len(watch.notes) == 2
        params.MonitoringMode, params.MonitoredItemIds = ua.MonitoringMode.Reporting, ids
        await client.session.set_monitoring_mode(params)
        await until(lambda: sorted(watch.notes[2:], key=str) == [(1, 4.0, "Good"), (2, "Fault", "Good")])
        await client.session.set_publishing_mode(
            ua.SetPublishingModeParameters(PublishingEnabled=False, SubscriptionIds=[watch.number])
        )
        daemon.set("chamber.pressure_torr", 5.0)
        await several_rounds(daemon)
        assert len(watch.notes) == 4
        await client.session.set_publishing_mode(
            ua.SetPublishingModeParameters(PublishingEnabled=True, SubscriptionIds=[watch.number])
        )
        await until(lambda: watch.notes[4:] == [(1, 5.0, "Good")])
        deleted = await client.delete_monitored_items(
            ua.DeleteMonitoredItemsParameters(SubscriptionId=watch.number, MonitoredItemIds=[*ids, 99999])
        )
        assert [one.name for one in deleted] == ["Good", "Good", "BadMonitoredItemIdInvalid"]


async def test_an_item_and_its_subscription_can_be_modified(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server) as tool, watching(tool, 1000.0) as watch:
        client = tool._client.uaclient
        (item,) = await watch.add(PRESSURE)
        revised = await client.modify_subscription(
            ua.ModifySubscriptionParameters(
                SubscriptionId=watch.number,
                RequestedPublishingInterval=1.0,
                RequestedLifetimeCount=600,
                RequestedMaxKeepAliveCount=10,
            )
        )
        assert revised.RevisedPublishingInterval == 50.0
        change = ua.MonitoredItemModifyRequest(MonitoredItemId=item.MonitoredItemId)
        change.RequestedParameters = ua.MonitoringParameters(ClientHandle=55, QueueSize=3, DiscardOldest=True)
        unknown = ua.MonitoredItemModifyRequest(MonitoredItemId=99999)
        results = await client.modify_monitored_items(
            ua.ModifyMonitoredItemsParameters(
                SubscriptionId=watch.number,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                ItemsToModify=[change, unknown],
            )
        )
        assert [one.StatusCode.name for one in results] == ["Good", "BadMonitoredItemIdInvalid"]
        daemon.set("chamber.pressure_torr", 3.0)
        await until(lambda: watch.notes[-1:] == [(55, 3.0, "Good")])


async def test_a_lost_message_can_be_had_again(server: UaServer) -> None:
    async with as_user(server) as tool, watching(tool) as watch:
        await watch.add(PRESSURE)
        await until(lambda: watch.notes)
        session = server._internal.subscription_service.subscriptions[watch.number]
        session._not_acknowledged_results[7] = watch.messages[-1]
        message = await tool._client.uaclient.session.republish(watch.number, 7)
        assert message is not None
        with pytest.raises(errors.BadMessageNotAvailable):
            await tool._client.uaclient.session.republish(watch.number, 4711)


async def test_a_client_that_never_acknowledges_costs_a_bounded_memory(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server) as tool, watching(tool) as watch:
        await watch.add(PRESSURE)
        subscription = server._internal.subscription_service.subscriptions[watch.number]
        assert subscription._no_acks_limit == 32


async def test_a_session_has_a_bounded_number_of_subscriptions(server: UaServer) -> None:
    async with as_user(server) as tool:
        params = ua.CreateSubscriptionParameters(RequestedPublishingInterval=1000.0, PublishingEnabled=False)

        async def ignore(_: Any) -> None:
            pass

        create = tool._client.uaclient.create_subscription
        numbers = [(await create(params, ignore)).SubscriptionId for _ in range(20)]
        with pytest.raises(errors.BadTooManySubscriptions):
            await create(params, ignore)
        await tool._client.uaclient.delete_subscriptions(numbers)


async def test_a_closed_session_takes_its_subscriptions_along(server: UaServer) -> None:
    async with as_user(server) as tool, watching(tool) as watch:
        await watch.add(PRESSURE)
        assert server._internal.subscription_service.subscriptions
    assert not server._internal.subscription_service.subscriptions
