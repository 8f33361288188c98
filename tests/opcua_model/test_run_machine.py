"""The state machine of runs, and the server's diagnostics, as a client finds them."""

from typing import Any

import anyio
import pytest

from opcua_model.client import connect
from opcua_model.run_machine import STATES, TRANSITIONS
from opcua_model.server import UaServer
from opcua_model.stack import ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon

pytestmark = pytest.mark.anyio


def erika(server: UaServer) -> Any:
    return connect(server.endpoint, "erika", PASSWORDS["erika"])


class Heard:
    """Keeps the events of a subscription."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def event_notification(self, event: Any) -> None:
        self.events.append(event)


async def passed(heard: Heard, count: int) -> None:
    with anyio.fail_after(10):
        while len(heard.events) < count:  # noqa: ASYNC110 - it comes over a socket
            await anyio.sleep(0.01)


async def test_a_run_s_passages_are_events_and_what_is_possible_is_listed(daemon: FakeDaemon, server: UaServer) -> None:
    async with erika(server) as tool:
        client, heard = tool._client, Heard()
        types = await client.get_namespace_index("urn:cvd-supervisor:types")
        subscription = await client.create_subscription(50, heard)
        machine = client.get_node(tool.node("Runs/ActiveRun/StateMachine"))
        await subscription.subscribe_events(machine, evtypes=ua.NodeId("RunTransitionEventType", types))
        for state in ("RUNNING", "HOLDING"):
            daemon.told["Runs/ActiveRun/State"] = state
            await passed(heard, 1 if state == "RUNNING" else 2)
        assert (await tool.read("Runs/ActiveRun/StateMachine/CurrentState")).Text == "Holding"
        assert (await tool.read("Runs/ActiveRun/StateMachine/CurrentState/Number")) == STATES.index("HOLDING")
        last = await tool.read("Runs/ActiveRun/StateMachine/LastTransition/Id")
        assert last == ua.NodeId("RunStateMachineType/RunningToHolding", types)
        possible = await tool.read("Runs/ActiveRun/StateMachine/AvailableTransitions")
        assert {one.Identifier.partition("/")[2] for one in possible} == {
            "HoldingToHeld", "HoldingToStopping", "HoldingToAborting",
        }  # fmt: skip
        assert len(await tool.read("Runs/ActiveRun/StateMachine/AvailableStates")) == len(STATES)
        assert heard.events[-1].ToState.Text == "Holding"
        causes = await client.get_node(last).get_referenced_nodes(ua.ObjectIds.HasCause)
        assert [node.nodeid.Identifier for node in causes] == ["RunsType/HoldRun"]
        daemon.told["Runs/ActiveRun/State"] = "IDLE"


def test_every_state_is_reached_and_left() -> None:
    assert {target for _, target, _ in TRANSITIONS} == set(STATES) == {source for source, _, _ in TRANSITIONS}
    assert len({(source, target) for source, target, _ in TRANSITIONS}) == len(TRANSITIONS)


async def test_the_server_says_who_is_connected_and_what_is_subscribed(server: UaServer) -> None:
    ids = ua.ObjectIds
    async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as tool:
        client = tool._client
        subscription = await client.create_subscription(100, Heard())
        await subscription.subscribe_data_change(client.get_node(tool.node("State/Mode")))
        summary = client.get_node(ua.NodeId(ids.Server_ServerDiagnostics_ServerDiagnosticsSummary))
        with anyio.fail_after(10):
            while (await summary.read_value()).CurrentSubscriptionCount != 1:  # noqa: ASYNC110 - it comes over a socket
                await anyio.sleep(0.05)
        assert (await summary.read_value()).CurrentSessionCount == 1
        array = client.get_node(ua.NodeId(ids.Server_ServerDiagnostics_SubscriptionDiagnosticsArray))
        with anyio.fail_after(10):
            while [one.SubscriptionId for one in await array.read_value()] != [  # noqa: ASYNC110 - over a socket
                subscription.subscription_id
            ]:
                await anyio.sleep(0.05)
        (row,) = await array.read_value()
        assert (row.SubscriptionId, row.MonitoredItemCount) == (subscription.subscription_id, 1)
        assert await client.get_node(ua.NodeId(ids.Server_ServerDiagnostics_EnabledFlag)).read_value()
