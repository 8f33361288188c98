"""Events: who monitors a run, an interlock or the whole tool hears of it."""

from typing import Any

import pytest

from opcua_model.client import connect
from opcua_model.interface import Occurrence
from opcua_model.server import UaServer
from opcua_model.stack import Ids, ua
from tests.opcua_model.fake_daemon import PASSWORDS, START_NS, FakeDaemon, until

pytestmark = pytest.mark.anyio

TRIP = Occurrence(
    "Interlocks/door_lost",
    900,
    "the door opened while the tube was hot",
    START_NS,
    "InterlockEventType",
    {"Interlock": "door_lost", "State": "Active", "FirstOut": True, "TripCount": 1, "Why": "facilities.door = 0"},
)
STEP = Occurrence(
    "Runs/ActiveRun",
    100,
    "step Deposition",
    START_NS,
    "RunEventType",
    {"RunId": "42", "State": "RUNNING", "StepIndex": 3, "StepName": "Deposition"},
)


class Heard:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def event_notification(self, event: Any) -> None:
        self.events.append(event)

    @property
    def messages(self) -> list[str]:
        return [event.Message.Text for event in self.events]


async def listen(tool: Any, source: Any, kind: Any = Ids.BaseEventType) -> Heard:
    heard = Heard()
    subscription = await tool._client.create_subscription(50, heard)
    await subscription.subscribe_events(source, kind)
    return heard


async def test_an_interlock_s_trip_reaches_everybody_above_it(server: UaServer, daemon: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        sources = [ua.NodeId(Ids.Server), *(tool.node(path) for path in (".", "Interlocks", "Interlocks/door_lost"))]
        heard = [await listen(tool, source) for source in sources]
        elsewhere = await listen(tool, tool.node("Runs"))
        await server.emit(TRIP)
        await server.emit(STEP)
        await until(lambda: elsewhere.events and all(one.events for one in heard))
    assert elsewhere.messages == ["step Deposition"]
    assert heard[-1].messages == ["the door opened while the tube was hot"]
    assert heard[0].messages == ["the door opened while the tube was hot", "step Deposition"]


async def test_an_event_carries_what_its_type_declares(server: UaServer, daemon: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        index = await tool._client.get_namespace_index("urn:cvd-supervisor:types")
        kind = tool._client.get_node(ua.NodeId("InterlockEventType", index))
        heard = await listen(tool, tool.node("Interlocks"), kind)
        await server.emit(STEP)  # of another type, and from another place
        await server.emit(TRIP)
        await until(lambda: heard.events)
        (event,) = heard.events
        assert event.SourceNode == tool.node("Interlocks/door_lost")
        assert event.EventType == kind.nodeid
    assert (event.SourceName, event.Severity, event.TripCount) == ("door_lost", 900, 1)
    assert (event.FirstOut, event.Why) == (True, "facilities.door = 0")
    assert event.Time.timestamp() == START_NS / 1e9
    assert len(event.EventId) == 16


async def test_a_filter_by_a_base_type_takes_its_subtypes(server: UaServer, daemon: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        heard = Heard()
        subscription = await tool._client.create_subscription(50, heard)
        wanted = ua.EventFilter()
        for name in ("Message", "EventType"):
            wanted.SelectClauses.append(
                ua.SimpleAttributeOperand(
                    TypeDefinitionId=ua.NodeId(Ids.BaseEventType),
                    BrowsePath=[ua.QualifiedName(name)],
                    AttributeId=13,
                )
            )
        base = ua.LiteralOperand(Value=ua.Variant(ua.NodeId(Ids.BaseEventType), ua.VariantType.NodeId))
        element = ua.ContentFilterElement(FilterOperator=ua.FilterOperator.OfType, FilterOperands=[base])
        wanted.WhereClause.Elements.append(element)
        await subscription.subscribe_events(ua.NodeId(Ids.Server), evfilter=wanted)
        await server.emit(TRIP)
        await until(lambda: heard.events)
    assert heard.messages == ["the door opened while the tube was hot"]


async def test_an_occurrence_from_nowhere_is_the_tool_s(server: UaServer, daemon: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        heard = await listen(tool, tool.node("."))
        await server.emit(Occurrence("Gone/away", 5000, "something", 0, fields={"Detail": 1.5}))
        await until(lambda: heard.events)
    assert heard.events[0].SourceName == "LPCVD-1"
    assert heard.events[0].Severity == 1000


async def test_a_node_that_makes_no_events_cannot_be_monitored_for_them(server: UaServer) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        with pytest.raises(ua.UaStatusCodeError):
            await listen(tool, tool.node("Identification"))


async def test_a_daemon_that_names_no_type_still_sends_a_run_s_event(server: UaServer, daemon: FakeDaemon) -> None:
    daemon.told.update({"Runs/ActiveRun/State": "HELD", "Runs/ActiveRun/StepName": "Deposition"})
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        index = await tool._client.get_namespace_index("urn:cvd-supervisor:types")
        runs = await listen(tool, ua.NodeId(Ids.Server), ua.NodeId("RunEventType", index))
        trips = await listen(tool, ua.NodeId(Ids.Server), ua.NodeId("InterlockEventType", index))
        await server.emit(
            Occurrence("Runs/ActiveRun", 300, "held", START_NS, fields={"RunId": "7", "Kind": "run_state"})
        )
        daemon.trip("door_lost")
        await server.emit(Occurrence("Interlocks/door_lost", 900, "tripped", START_NS))
        await until(lambda: runs.events and trips.events)
    (held,), (tripped,) = runs.events, trips.events
    assert (held.RunId, held.State, held.StepName) == ("7", "HELD", "Deposition")
    assert (tripped.Interlock, tripped.State, tripped.FirstOut, tripped.TripCount) == ("door_lost", "Active", True, 1)
