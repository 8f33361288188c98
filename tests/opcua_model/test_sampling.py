"""Sampling, triggering, parts of arrays, lifetimes and moves over the wire, each by the words of Part 4."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from opcua_model.client import ToolClient, connect
from opcua_model.server import UaServer
from opcua_model.stack import Attr, errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, until

pytestmark = pytest.mark.anyio

TAG = "chamber.pressure_torr"
PRESSURE = "Telemetry/chamber_pressure_torr"
ZONES = "Telemetry/temperature_zones_c"
OVERFLOW = 0x0480


def as_user(server: UaServer, user: str = "otto") -> Any:
    return connect(server.endpoint, user, PASSWORDS[user])


class Watch:
    """A subscription made by hand, with every message kept."""

    def __init__(self, tool: ToolClient) -> None:
        self.tool = tool
        self.number = 0
        self.revised: Any = None
        self.messages: list[Any] = []

    async def take(self, result: Any) -> None:
        self.messages.append(result.NotificationMessage)

    def notes(self, handle: int) -> list[tuple[Any, int]]:
        """Values and statuses of one item, as they came."""
        return [
            (None if one.Value.Value is None else one.Value.Value.Value, one.Value.StatusCode.value)
            for message in self.messages
            for note in message.NotificationData or ()
            for one in getattr(note, "MonitoredItems", ())
            if one.ClientHandle == handle
        ]

    async def add(self, path: str, handle: int, **changes: Any) -> Any:
        params = ua.CreateMonitoredItemsParameters(SubscriptionId=self.number)
        params.TimestampsToReturn = changes.pop("stamps", ua.TimestampsToReturn.Both)
        wanted = ua.ReadValueId(NodeId=self.tool.node(path), AttributeId=changes.pop("attribute", Attr.Value))
        wanted.IndexRange = changes.pop("part", None)
        wanted.DataEncoding = changes.pop("encoding", ua.QualifiedName())
        item = ua.MonitoredItemCreateRequest(MonitoringMode=ua.MonitoringMode(changes.pop("mode", 2)))
        item.ItemToMonitor = wanted
        item.RequestedParameters = ua.MonitoringParameters(
            ClientHandle=handle,
            SamplingInterval=changes.pop("sampling", -1.0),
            QueueSize=changes.pop("queue", 1),
            DiscardOldest=changes.pop("oldest", True),
            Filter=changes.pop("filter_", None),
        )
        assert not changes
        params.ItemsToCreate.append(item)
        (result,) = await self.tool._client.uaclient.create_monitored_items(params)
        return result


@asynccontextmanager
async def watching(tool: ToolClient, interval_ms: float = 50.0, **changes: Any) -> AsyncGenerator[Watch]:
    watch = Watch(tool)
    params = ua.CreateSubscriptionParameters(
        RequestedPublishingInterval=interval_ms,
        RequestedLifetimeCount=changes.pop("lifetime", 600),
        RequestedMaxKeepAliveCount=changes.pop("keep_alive", 10),
        PublishingEnabled=True,
    )
    watch.revised = await tool._client.uaclient.create_subscription(params, watch.take)
    watch.number = watch.revised.SubscriptionId
    yield watch
    await tool._client.uaclient.delete_subscriptions([watch.number])


async def test_ten_scans_within_one_publishing_interval_arrive_as_ten_values_in_order(
    server: UaServer, daemon: FakeDaemon
) -> None:
    """10 ms sampling at 100 ms publishing."""
    async with as_user(server) as tool, watching(tool, 100.0) as watch:
        result = await watch.add(PRESSURE, 1, sampling=10.0, queue=20)
        slow = await watch.add("Equipment/heater/zone1.temperature_c", 2, sampling=1e12)
        assert (result.RevisedSamplingInterval, result.RevisedQueueSize) == (10.0, 20)
        assert slow.RevisedSamplingInterval == 3_600_000.0
        await until(lambda: len(watch.notes(1)) == 1)
        expected = [float(number) for number in range(1, 31)]
        for first in (1, 11, 21):
            daemon.scan(TAG, expected[first - 1 : first + 9])
            await until(lambda first=first: len(watch.notes(1)) == first + 10)
        assert [value for value, _ in watch.notes(1)] == [0.0, *expected]


@pytest.mark.parametrize(("asked", "revised"), [(-1.0, 50.0), (0.0, 10.0), (14.0, 10.0), (16.0, 20.0), (250.0, 250.0)])
async def test_a_sampling_interval_becomes_a_whole_number_of_scans(
    server: UaServer, asked: float, revised: float
) -> None:
    async with as_user(server) as tool, watching(tool) as watch:
        assert (await watch.add(PRESSURE, 1, sampling=asked)).RevisedSamplingInterval == revised


@pytest.mark.parametrize(
    ("oldest", "expected"),
    [(True, [(9.0, OVERFLOW), (10.0, 0)]), (False, [(1.0, 0), (10.0, OVERFLOW)])],
)
async def test_what_a_queue_cannot_hold_is_lost_by_its_policy_and_marked(
    server: UaServer, daemon: FakeDaemon, oldest: bool, expected: list[tuple[float, int]]
) -> None:
    async with as_user(server) as tool, watching(tool, 100.0) as watch:
        await watch.add(PRESSURE, 1, sampling=10.0, queue=2, oldest=oldest)
        await until(lambda: len(watch.notes(1)) == 1)
        daemon.scan(TAG, [float(number) for number in range(1, 11)])
        await until(lambda: len(watch.notes(1)) == 3)
        assert watch.notes(1)[1:] == expected


@pytest.mark.parametrize("triggered", [PRESSURE, "State/Mode"])
async def test_an_item_that_only_samples_is_reported_when_another_one_changes(
    server: UaServer, daemon: FakeDaemon, triggered: str
) -> None:
    async with as_user(server) as tool, watching(tool) as watch:
        client = tool._client.uaclient
        await reads(tool, "State/Mode", "Ready")
        await reads(tool, "Diagnostics/Overruns", 0)
        trigger = await watch.add("Diagnostics/Overruns", 1)
        quiet = await watch.add(triggered, 2, mode=1, queue=5)
        await until(lambda: watch.notes(1))
        daemon.set(TAG, 2.0)
        daemon.told["State/Mode"] = "Fault"
        await reads(tool, "State/Mode", "Fault")
        await _settled(daemon)
        assert watch.notes(2) == []
        request = ua.SetTriggeringRequest()
        request.Parameters.SubscriptionId = watch.number
        request.Parameters.TriggeringItemId = trigger.MonitoredItemId
        request.Parameters.LinksToAdd = [quiet.MonitoredItemId, 99999]
        data = await client._send_request(request)
        answer = ua.ua_binary.struct_from_binary(ua.SetTriggeringResponse, data).Parameters
        assert [code.name for code in answer.AddResults] == ["Good", "BadMonitoredItemIdInvalid"]
        daemon.told["Diagnostics/Overruns"] = 17
        await until(lambda: len(watch.notes(2)) == 2)
        assert watch.notes(2) == ([(0.0, 0), (2.0, 0)] if triggered == PRESSURE else [("Ready", 0), ("Fault", 0)])


async def reads(tool: ToolClient, path: str, value: Any) -> None:
    """Wait until a value that is looked at now and then is shown."""
    with anyio.fail_after(5):
        while await tool.read(path) != value:  # noqa: ASYNC110 - it comes over a socket
            await anyio.sleep(0.02)


async def _settled(daemon: FakeDaemon) -> None:
    """Let the publisher look at the image a few more times."""
    before = daemon.copies
    await until(lambda: daemon.copies >= before + 6)


async def test_part_of_an_array_is_watched_as_a_whole_of_its_own(server: UaServer, daemon: FakeDaemon) -> None:
    zones = list(daemon.layout.tool.telemetry.temperature_zones_c.values())
    async with as_user(server) as tool, watching(tool) as watch:
        await watch.add(ZONES, 1)
        await watch.add(ZONES, 2, part="1:2")
        for part, name in (
            ("99", "BadIndexRangeNoData"),
            ("2:1", "BadIndexRangeInvalid"),
            ("x", "BadIndexRangeInvalid"),
        ):
            assert (await watch.add(ZONES, 3, part=part)).StatusCode.name == name
        assert (await watch.add(PRESSURE, 3, part="0")).StatusCode.name == "BadIndexRangeNoData"
        await until(lambda: watch.notes(1) and watch.notes(2))
        daemon.set(zones[0], 700.0)
        await until(lambda: len(watch.notes(1)) == 2)
        assert watch.notes(1)[1][0][0] == 700.0
        daemon.set(zones[1], 800.0)
        await until(lambda: len(watch.notes(2)) == 2)
        assert watch.notes(2)[1] == ([800.0, 0.0], 0)
        assert len(watch.notes(2)) == 2


async def test_values_that_are_no_tags_have_queues_deadbands_and_times_too(
    server: UaServer, daemon: FakeDaemon
) -> None:
    band = ua.DataChangeFilter(
        Trigger=ua.DataChangeTrigger.StatusValue, DeadbandType=ua.DeadbandType.Absolute, DeadbandValue=5.0
    )
    async with as_user(server) as tool, watching(tool) as watch:
        await reads(tool, "Diagnostics/Overruns", 0)
        await watch.add("Diagnostics/Overruns", 1, queue=2)
        await watch.add("Diagnostics/Overruns", 2, queue=9, filter_=band)
        await watch.add("State/Mode", 3, stamps=ua.TimestampsToReturn.Neither)
        await until(lambda: watch.notes(3))
        publish = tool._client.uaclient.session.set_publishing_mode
        await publish(ua.SetPublishingModeParameters(PublishingEnabled=False, SubscriptionIds=[watch.number]))
        for count in (3, 6, 9, 12):
            daemon.told["Diagnostics/Overruns"] = count
            await reads(tool, "Diagnostics/Overruns", count)
        await publish(ua.SetPublishingModeParameters(PublishingEnabled=True, SubscriptionIds=[watch.number]))
        await until(lambda: len(watch.notes(1)) == 3)
        assert watch.notes(1)[1:] == [(9, OVERFLOW), (12, 0)]
        assert watch.notes(2) == [(0, 0), (6, 0), (12, 0)]
        times = [
            (one.Value.SourceTimestamp, one.Value.ServerTimestamp)
            for message in watch.messages
            for note in message.NotificationData or ()
            for one in note.MonitoredItems
            if one.ClientHandle == 3
        ]
        assert times == [(None, None)]


@pytest.mark.parametrize(
    ("path", "attribute", "name", "expected"),
    [
        (PRESSURE, Attr.Value, "Default Binary", "BadDataEncodingInvalid"),
        ("State/Mode", Attr.DisplayName, "Default Binary", "BadDataEncodingInvalid"),
        (PRESSURE, Attr.Value, "", "Good"),
    ],
)
async def test_an_encoding_is_for_structures_only(
    server: UaServer, path: str, attribute: Any, name: str, expected: str
) -> None:
    async with as_user(server) as tool, watching(tool) as watch:
        wanted = ua.QualifiedName(name or None)
        result = await watch.add(path, 1, attribute=attribute, encoding=wanted)
        assert result.StatusCode.name == expected
        read = ua.ReadParameters(TimestampsToReturn=ua.TimestampsToReturn.Both)
        read.NodesToRead = [ua.ReadValueId(NodeId=tool.node(path), AttributeId=attribute, DataEncoding=wanted)]
        (data,) = await tool._client.uaclient.read(read)
        assert data.StatusCode.name == expected


async def test_a_deadband_is_for_values_only(server: UaServer) -> None:
    band = ua.DataChangeFilter(DeadbandType=ua.DeadbandType.None_, DeadbandValue=0.0)
    async with as_user(server) as tool, watching(tool) as watch:
        result = await watch.add(PRESSURE, 1, attribute=Attr.DisplayName, filter_=band)
        assert result.StatusCode.name == "BadFilterNotAllowed"


async def test_a_moved_subscription_tells_the_session_that_it_left_and_goes_on_in_the_other(
    server: UaServer, daemon: FakeDaemon
) -> None:
    async with as_user(server) as first, as_user(server) as second:
        watch, other = Watch(first), Watch(second)
        params = ua.CreateSubscriptionParameters(50.0, 600, 10, 0, True)
        watch.number = (await first._client.uaclient.create_subscription(params, watch.take)).SubscriptionId
        await second._client.uaclient.create_subscription(params, other.take)
        await watch.add(PRESSURE, 1)
        await until(lambda: watch.notes(1))
        uaclient = second._client.uaclient
        uaclient._subscription_callbacks[watch.number] = other.take
        moved = await uaclient.transfer_subscriptions(
            ua.TransferSubscriptionsParameters(SubscriptionIds=[watch.number, 4711], SendInitialValues=True)
        )
        assert [one.StatusCode.name for one in moved] == ["Good", "BadSubscriptionIdInvalid"]
        await until(lambda: other.notes(1))
        daemon.set(TAG, 3.0)
        await until(lambda: (3.0, 0) in other.notes(1))
        left = [note.Status.name for one in watch.messages for note in one.NotificationData if hasattr(note, "Status")]
        assert left == ["GoodSubscriptionTransferred"]
        assert (3.0, 0) not in watch.notes(1)


async def test_a_subscription_that_nobody_listens_to_ends_and_says_so_to_the_next_who_asks(server: UaServer) -> None:
    async with as_user(server) as tool:
        client = tool._client.uaclient
        request = ua.CreateSubscriptionRequest(Parameters=ua.CreateSubscriptionParameters(50.0, 3, 1, 0, True))
        binary = ua.ua_binary
        made = binary.struct_from_binary(ua.CreateSubscriptionResponse, await client._send_request(request)).Parameters
        service = server._internal.subscription_service
        await until(lambda: service.subscriptions[made.SubscriptionId].expired)
        with pytest.raises(errors.BadSubscriptionIdInvalid):
            await client.modify_subscription(ua.ModifySubscriptionParameters(SubscriptionId=made.SubscriptionId))
        answer = await client._send_request(ua.PublishRequest())
        told = binary.struct_from_binary(ua.PublishResponse, answer).Parameters
        assert told.NotificationMessage.NotificationData[0].Status.name == "BadTimeout"
        assert made.SubscriptionId not in service.subscriptions


async def test_a_message_can_be_had_again_until_it_is_acknowledged(server: UaServer) -> None:
    async with as_user(server) as tool, watching(tool) as watch:
        await watch.add(PRESSURE, 1)
        await until(lambda: watch.notes(1))
        subscription = server._internal.subscription_service.subscriptions[watch.number]
        number = watch.messages[-1].SequenceNumber
        with anyio.fail_after(5):
            while number in subscription.unacknowledged:  # noqa: ASYNC110 - asyncua acknowledges with its next request
                await anyio.sleep(0.02)
        with pytest.raises(errors.BadMessageNotAvailable):
            await tool._client.uaclient.session.republish(watch.number, number)
