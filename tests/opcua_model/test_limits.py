"""Every limit that is advertised holds, and nobody takes what is meant for all."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import pytest

from opcua_model.client import ClientError, ToolClient, connect
from opcua_model.server import UaServer
from opcua_model.settings import Limits
from opcua_model.stack import Ids, errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, serving, until
from tests.opcua_model.wire import Line, header, params_of, type_id

pytestmark = pytest.mark.anyio
LIMITS = replace(
    Limits(), nodes_per_read=5, nodes_per_write=4, nodes_per_browse=3, nodes_per_call=2, nodes_per_history_read=6,
    nodes_per_translate=7, monitored_items_per_call=8, continuation_points=2, subscriptions=9,
    subscriptions_per_session=3, subscriptions_per_user=4, items_per_user=10, references_per_browse=40, sessions=6,
    unacknowledged=2,
)  # fmt: skip
MODE = ua.NodeId("State/Mode", 3)


@pytest.fixture(scope="module")
async def narrow(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[UaServer]:
    """A server with small limits."""
    folder = tmp_path_factory.mktemp("narrow")
    async with serving(FakeDaemon(furnace()), folder, limits=LIMITS, plain_loopback=True) as server:
        yield server


def item() -> Any:
    made = ua.MonitoredItemCreateRequest(MonitoringMode=ua.MonitoringMode.Reporting)
    made.ItemToMonitor = ua.ReadValueId(NodeId=MODE, AttributeId=13)
    return made


REQUESTS: dict[str, tuple[str, int, Any, Any]] = {
    "Read": ("MaxNodesPerRead", 5, lambda n: ua.ReadParameters(NodesToRead=[ua.ReadValueId(MODE, 13)] * n), None),
    "Write": ("MaxNodesPerWrite", 4, lambda n: ua.WriteParameters([ua.WriteValue(MODE, 13)] * n), None),
    "Browse": (
        "MaxNodesPerBrowse",
        3,
        lambda n: ua.BrowseParameters(NodesToBrowse=[ua.BrowseDescription(MODE)] * n),
        None,
    ),
    "BrowseNext": ("MaxNodesPerBrowse", 3, lambda n: ua.BrowseNextParameters(ContinuationPoints=[b"p"] * n), None),
    "Call": ("MaxNodesPerMethodCall", 2, lambda n: ua.CallParameters([ua.CallMethodRequest(MODE, MODE)] * n), None),
    "HistoryRead": (
        "MaxNodesPerHistoryReadData",
        6,
        lambda n: ua.HistoryReadParameters(
            ua.ReadRawModifiedDetails(NumValuesPerNode=1),
            ua.TimestampsToReturn.Both,
            False,
            [ua.HistoryReadValueId(NodeId=MODE)] * n,
        ),
        None,
    ),
    "TranslateBrowsePathsToNodeIds": (
        "MaxNodesPerTranslateBrowsePathsToNodeIds",
        7,
        lambda n: ua.TranslateBrowsePathsToNodeIdsParameters([ua.BrowsePath(MODE)] * n),
        None,
    ),
    "RegisterNodes": ("MaxNodesPerRegisterNodes", 5, lambda n: ua.RegisterNodesParameters([MODE] * n), None),
    "CreateMonitoredItems": (
        "MaxMonitoredItemsPerCall",
        8,
        lambda n: ua.CreateMonitoredItemsParameters(0, ua.TimestampsToReturn.Both, [item()] * n),
        "subscription",
    ),
    "ModifyMonitoredItems": (
        "MaxMonitoredItemsPerCall",
        8,
        lambda n: ua.ModifyMonitoredItemsParameters(
            0, ua.TimestampsToReturn.Both, [ua.MonitoredItemModifyRequest()] * n
        ),
        "subscription",
    ),
    "DeleteMonitoredItems": (
        "MaxMonitoredItemsPerCall",
        8,
        lambda n: ua.DeleteMonitoredItemsParameters(0, [1] * n),
        "subscription",
    ),
    "SetMonitoringMode": (
        "MaxMonitoredItemsPerCall",
        8,
        lambda n: ua.SetMonitoringModeParameters(0, ua.MonitoringMode.Reporting, [1] * n),
        "subscription",
    ),
    "SetTriggering": (
        "MaxMonitoredItemsPerCall",
        8,
        lambda n: ua.SetTriggeringParameters(0, 1, [1] * n, []),
        "subscription",
    ),
    "DeleteSubscriptions": ("", 9, lambda n: ua.DeleteSubscriptionsParameters([77] * n), None),
    "SetPublishingMode": ("", 9, lambda n: ua.SetPublishingModeParameters(True, [77] * n), None),
    "TransferSubscriptions": ("", 9, lambda n: ua.TransferSubscriptionsParameters([77] * n, False), None),
}


def port_of(server: UaServer) -> int:
    port = urlsplit(server.endpoint).port
    assert port is not None
    return port


@pytest.mark.parametrize("service", REQUESTS)
async def test_one_operation_too_many_is_refused_and_none_too(narrow: UaServer, service: str) -> None:
    advertised, limit, make, needs = REQUESTS[service]

    def run() -> list[str]:
        outcomes: list[str] = []
        with Line(port_of(narrow)) as line:
            line.log_in()
            if advertised:
                node = ua.NodeId(getattr(Ids, f"Server_ServerCapabilities_OperationLimits_{advertised}"))
                wanted = ua.ReadParameters(NodesToRead=[ua.ReadValueId(node, 13)])
                assert line.ask("Read", wanted, ua.ReadResponse).Results[0].Value.Value == limit
            number = 0
            if needs:
                params = ua.CreateSubscriptionParameters(100.0, 100, 10, 0, True, 0)
                number = line.ask("CreateSubscription", params, ua.CreateSubscriptionResponse).Parameters.SubscriptionId
            for count in (limit + 1, 0, limit):
                params = make(count)
                if needs:
                    params.SubscriptionId = number
                line.send(line.message(type_id(f"{service}Request") + header(line.session) + params_of(params)))
                try:
                    line.parse(ua.ServiceFault, line.answer()[1])
                    outcomes.append("answered")
                except errors.UaStatusCodeError as error:
                    outcomes.append(ua.StatusCode(error.code).name)
                except Exception:
                    outcomes.append("answered")
        return outcomes

    outcomes = await anyio.to_thread.run_sync(run)
    assert outcomes[:2] == ["BadTooManyOperations", "BadNothingToDo"]
    assert outcomes[2] not in {"BadTooManyOperations", "BadNothingToDo"}


async def browse(tool: ToolClient, nodes: int, most: int) -> list[Any]:
    wanted = ua.BrowseDescription(ua.NodeId(Ids.ObjectsFolder), 2, ua.NodeId(), True, 0, 63)
    params = ua.BrowseParameters(RequestedMaxReferencesPerNode=most, NodesToBrowse=[wanted] * nodes)
    return list(await tool._client.uaclient.browse(params))


async def test_continuation_points_are_few_and_freed(narrow: UaServer) -> None:
    async with connect(narrow.endpoint, "olga", PASSWORDS["olga"]) as tool:
        first, second, third = await browse(tool, 3, 1)
        assert len(first.ContinuationPoint) == len(second.ContinuationPoint) == 16
        assert third.StatusCode.name == "BadNoContinuationPoints"
        client = tool._client.uaclient
        (rest,) = await client.browse_next(ua.BrowseNextParameters(False, [first.ContinuationPoint]))
        assert len(rest.References) == 1
        (again,) = await client.browse_next(ua.BrowseNextParameters(False, [first.ContinuationPoint]))
        assert again.StatusCode.name == "BadContinuationPointInvalid"  # a point is good once
        (freed,) = await client.browse_next(ua.BrowseNextParameters(True, [second.ContinuationPoint]))
        assert freed.StatusCode.is_good()
        # Points of earlier requests make room for new ones.
        newer, *_ = await browse(tool, 1, 1)
        for _ in range(3):
            await browse(tool, 1, 1)
        (gone,) = await client.browse_next(ua.BrowseNextParameters(False, [newer.ContinuationPoint]))
        assert gone.StatusCode.name == "BadContinuationPointInvalid"
    async with connect(narrow.endpoint, "erika", PASSWORDS["erika"]) as thief:
        (foreign,) = await thief._client.uaclient.browse_next(ua.BrowseNextParameters(False, [b"p" * 16]))
        assert foreign.StatusCode.name == "BadContinuationPointInvalid"


async def test_an_answer_to_browse_has_a_bound_and_the_rest_follows(narrow: UaServer) -> None:
    async with connect(narrow.endpoint, "olga", PASSWORDS["olga"]) as tool:
        wanted = ua.BrowseDescription(ua.NodeId(Ids.BaseObjectType), 0, ua.NodeId(), True, 0, 63)
        params = ua.BrowseParameters(NodesToBrowse=[wanted])
        client = tool._client.uaclient
        (result,) = await client.browse(params)
        found, requests = list(result.References), 1
        assert len(found) == 40
        while result.ContinuationPoint:
            (result,) = await client.browse_next(ua.BrowseNextParameters(False, [result.ContinuationPoint]))
            assert len(result.References) <= 40
            found += result.References
            requests += 1
    node = narrow._internal.aspace[ua.NodeId(Ids.BaseObjectType)]
    assert len(found) == sum(reference.IsForward for reference in node.references)
    assert requests > 2


@pytest.mark.parametrize("interval", [0.001, -1.0, 0.0, float("nan"), float("inf"), float("-inf")])
async def test_a_publishing_interval_is_brought_into_its_bounds(narrow: UaServer, interval: float) -> None:
    """Five subscriptions of 0.001 ms took a whole core of asyncua's own server."""
    low, high = LIMITS.publishing_interval_ms
    async with connect(narrow.endpoint, "olga", PASSWORDS["olga"]) as tool:
        params = ua.CreateSubscriptionParameters(interval, 2**32 - 1, 2**32 - 1, 0, True, 0)

        async def nothing(_: Any) -> None:
            pass

        result = await tool._client.uaclient.create_subscription(params, nothing)
        await tool._client.uaclient.delete_subscriptions([result.SubscriptionId])
    assert low <= result.RevisedPublishingInterval <= high
    assert result.RevisedLifetimeCount <= LIMITS.lifetime_count
    assert result.RevisedMaxKeepAliveCount <= LIMITS.keep_alive_count


async def test_one_person_does_not_take_every_subscription_and_item(narrow: UaServer) -> None:
    async def nothing(_: Any) -> None:
        pass

    async def subscribe(tool: ToolClient) -> int:
        params = ua.CreateSubscriptionParameters(100.0, 1000, 10, 0, True, 0)
        return int((await tool._client.uaclient.create_subscription(params, nothing)).SubscriptionId)

    endpoint, password = narrow.endpoint, PASSWORDS["olga"]
    async with connect(endpoint, "olga", password) as first, connect(endpoint, "olga", password) as second:
        numbers = [await subscribe(first) for _ in range(3)]
        with pytest.raises(errors.BadTooManySubscriptions):
            await subscribe(first)  # of a session
        await subscribe(second)
        with pytest.raises(errors.BadTooManySubscriptions):
            await subscribe(second)  # of a person
        params = ua.CreateMonitoredItemsParameters(numbers[0], ua.TimestampsToReturn.Both, [item()] * 8)
        await first._client.uaclient.create_monitored_items(params)
        params = ua.CreateMonitoredItemsParameters(numbers[1], ua.TimestampsToReturn.Both, [item()] * 3)
        with pytest.raises(errors.BadTooManyMonitoredItems):
            await first._client.uaclient.create_monitored_items(params)
        async with connect(endpoint, "erika", PASSWORDS["erika"]) as other:
            seen: list[Any] = []
            async with other.subscribe(["State/Mode"], 50, lambda *news: seen.append(news)):
                await until(lambda: seen)


async def test_sessions_that_nobody_logs_in_to_make_room(narrow: UaServer) -> None:
    """Half-made sessions hold every place, and a person still comes in."""

    def half_made() -> list[Line]:
        lines: list[Line] = []
        for _ in range(10):
            line = Line(port_of(narrow))
            line.greet()
            line.open()
            line.create_session()
            lines.append(line)
        return lines

    lines = await anyio.to_thread.run_sync(half_made)
    assert len(narrow._internal.sessions) <= LIMITS.sessions
    async with connect(narrow.endpoint, "olga", PASSWORDS["olga"]) as tool:
        assert await tool.read("State/Mode") == "Ready"
    for line in lines:
        line.close()
    await until(lambda: not narrow._internal.sessions)


async def test_abandoned_sessions_of_a_person_make_room_for_that_person(tmp_path: Path) -> None:
    limits = replace(Limits(), sessions_per_user=2)
    async with serving(FakeDaemon(furnace()), tmp_path, limits=limits) as server:
        for _ in range(5):  # each leaves a session with a subscription behind
            async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as tool:
                params = ua.CreateSubscriptionParameters(100.0, 1000, 10, 0, True, 0)

                async def nothing(_: Any) -> None:
                    pass

                await tool._client.uaclient.create_subscription(params, nothing)
                tool._client.uaclient.protocol.transport.abort()
                await until(lambda: not server._listener.clients)
        assert len(server._internal.sessions) == 2
        async with connect(server.endpoint, "olga", PASSWORDS["olga"]):
            with pytest.raises(ClientError):
                async with (
                    connect(server.endpoint, "olga", PASSWORDS["olga"]),
                    connect(server.endpoint, "olga", PASSWORDS["olga"]),
                ):
                    pass


async def test_a_session_without_subscriptions_is_closed_without_a_fault(narrow: UaServer) -> None:
    def run() -> None:
        with Line(port_of(narrow)) as line:
            line.log_in()
            line.ask("CloseSession", b"\x01", ua.CloseSessionResponse)

    await anyio.to_thread.run_sync(run)
    assert narrow._internal.sessions == []
