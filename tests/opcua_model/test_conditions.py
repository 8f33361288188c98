"""Alarms as conditions of the standard: their nodes, who hears of them, refresh, methods, and hostile answers."""

import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest

from config.alarm_list import series_alarm
from kernels.tables import ConditionState
from opcua_model.client import ClientError, connect
from opcua_model.conditions.methods import CONDITION_METHODS, audit_event
from opcua_model.conditions.state import AlarmState, Shelf
from opcua_model.eventing.notice import path_of
from opcua_model.server import UaServer
from opcua_model.stack import Ids, ua
from tests.opcua_model.fake_daemon import PASSWORDS, START_NS, FakeDaemon, until

pytestmark = pytest.mark.anyio

ACTIVE = int(ConditionState.RAW | ConditionState.ACTIVE)
SELECTED = (
    ("EventId",), ("EventType",), ("SourceNode",), ("SourceName",), ("Message",), ("Severity",), ("ConditionName",),
    ("Retain",), ("ActiveState", "Id"), ("AckedState", "Id"), ("EnabledState", "Id"), ("Comment",),
    ("ShelvingState", "CurrentState"), ("LimitState", "CurrentState"), ("Quality",), ("BranchId",),
)  # fmt: skip


def event_filter(kind: Any = Ids.BaseEventType, *clauses: Any) -> Any:
    made = ua.EventFilter()
    for names in SELECTED:
        operand = ua.SimpleAttributeOperand(AttributeId=ua.AttributeIds.Value)
        operand.TypeDefinitionId = ua.NodeId(Ids.BaseEventType)
        operand.BrowsePath = [ua.QualifiedName(name, 0) for name in names]
        made.SelectClauses.append(operand)
    own = ua.SimpleAttributeOperand(AttributeId=ua.AttributeIds.NodeId, BrowsePath=[])
    own.TypeDefinitionId = ua.NodeId(Ids.ConditionType)
    made.SelectClauses.append(own)
    made.WhereClause.Elements.append(of_type(kind))
    for clause in clauses:
        made.WhereClause.Elements.append(clause)
    return made


def of_type(kind: Any) -> Any:
    element = ua.ContentFilterElement()
    element.FilterOperator = ua.FilterOperator.OfType
    element.FilterOperands = [ua.LiteralOperand(ua.Variant(ua.NodeId(kind)))]
    return element


class Heard:
    """What a monitored item was told, by names of fields."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def event_notification(self, event: Any) -> None:
        raise AssertionError("the raw notification is taken")

    @property
    def alarms(self) -> list[dict[str, Any]]:
        return [one for one in self.events if one["ConditionName"]]


class Listener:
    """A subscription whose items are asked for field by field."""

    def __init__(self, tool: Any) -> None:
        self._tool = tool
        self._handles: dict[int, Heard] = {}
        self.subscription: Any = None

    async def start(self) -> None:
        self.subscription = await self._tool._client.create_subscription(50, self)
        self.subscription._explode_events = self._take

    def _take(self, told: Any) -> tuple[()]:
        for one in told.Events:
            values = [field.Value for field in one.EventFields]
            names = ["/".join(name) for name in SELECTED] + ["ConditionId"]
            self._handles[one.ClientHandle].events.append(dict(zip(names, values, strict=True)))
        return ()

    async def listen(self, source: Any, wanted: Any = None) -> tuple[Heard, int, Any]:
        heard = Heard()
        handle = len(self._handles) + 1
        self._handles[handle] = heard
        item = ua.MonitoredItemCreateRequest()
        item.ItemToMonitor.NodeId, item.ItemToMonitor.AttributeId = source, ua.AttributeIds.EventNotifier
        item.MonitoringMode = ua.MonitoringMode.Reporting
        item.RequestedParameters.ClientHandle = handle
        item.RequestedParameters.Filter = event_filter() if wanted is None else wanted
        params = ua.CreateMonitoredItemsParameters()
        params.SubscriptionId = self.subscription.subscription_id
        params.ItemsToCreate, params.TimestampsToReturn = [item], ua.TimestampsToReturn.Both
        (result,) = await self._tool._client.uaclient.create_monitored_items(params)
        return heard, result.MonitoredItemId, result

    async def refresh(self, *numbers: int) -> Any:
        method = Ids.ConditionType_ConditionRefresh if len(numbers) == 1 else Ids.ConditionType_ConditionRefresh2
        return await call(self._tool, ua.NodeId(Ids.ConditionType), ua.NodeId(method),
                          *(ua.Variant(one, ua.VariantType.UInt32) for one in numbers))  # fmt: skip


async def call(tool: Any, object_id: Any, method_id: Any, *arguments: Any) -> Any:
    request = ua.CallMethodRequest(ObjectId=object_id, MethodId=method_id, InputArguments=list(arguments))
    (result,) = await tool._client.uaclient.call([request])
    return result.StatusCode.name


def changed(server: UaServer, name: str, **fields: Any) -> AlarmState:
    before = server._conditions.states[name]  # type: ignore[union-attr]
    fields = {"revision": before.revision + 1, "time_ns": START_NS, **fields}
    return replace(before, **fields)


def raised(server: UaServer, name: str, place: int = 0, **fields: Any) -> AlarmState:
    before = server._conditions.states[name]  # type: ignore[union-attr]
    bits = tuple(ACTIVE if at == place else 0 for at in range(len(before.bits)))
    event_id = fields.pop("event_id", b"0123456789abcdef")
    return changed(
        server, name, bits=bits, active=True, acked=False, message=f"{name} is there", event_id=event_id,
        event_ids=(event_id,), active_ns=START_NS, **fields,
    )  # fmt: skip


@pytest.fixture
async def listener(server: UaServer, daemon: FakeDaemon) -> AsyncGenerator[Listener]:
    async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as tool:
        for name, state in server._conditions.states.items():  # type: ignore[union-attr]
            if state.active or not state.acked:
                await server.alarm(
                    changed(server, name, active=False, acked=True, bits=(0,) * len(state.bits)), told=False
                )
        made = Listener(tool)
        await made.start()
        yield made


def node(tool: Any, path: str) -> Any:
    return tool.node(path)


async def test_an_alarm_is_heard_at_its_module_the_tool_and_the_server(
    server: UaServer, listener: Listener, daemon: FakeDaemon
) -> None:
    """In the language of the installation."""
    tool = listener._tool
    daemon.language["cooling_water_low is there"] = "Kühlwasser fehlt"
    places = ["Alarms/cooling_water_low", "Alarms", "Equipment/facilities", "Equipment", "."]
    sources = [*(node(tool, path) for path in places), ua.NodeId(Ids.Server)]
    heard = [(await listener.listen(source))[0] for source in sources]
    elsewhere, _, _ = await listener.listen(node(tool, "Equipment/heater"))
    state = raised(server, "cooling_water_low", severity=500)
    await server.alarm(state, told=True)
    await server.alarm(raised(server, "zone1_deviation", event_id=b"another one     "), told=True)
    await until(lambda: elsewhere.alarms and all(one.alarms for one in heard))
    assert [one["ConditionName"] for one in elsewhere.alarms] == ["zone1_deviation"]
    (first,) = (one for one in heard[2].alarms)
    assert first["ConditionId"] == node(tool, "Alarms/cooling_water_low")
    assert first["SourceNode"] == node(tool, "Equipment/facilities")
    assert first["EventType"] == ua.NodeId(Ids.ExclusiveLevelAlarmType)
    assert (first["EventId"], first["Severity"]) == (state.event_id, 500)
    assert (first["ActiveState/Id"], first["AckedState/Id"], first["Retain"]) == (True, False, True)
    assert first["LimitState/CurrentState"].Text == "Low"
    assert first["Message"].Text == "Kühlwasser fehlt"
    assert first["BranchId"].is_null()


async def test_of_type_takes_subtypes_and_only_those(server: UaServer, listener: Listener) -> None:
    source = ua.NodeId(Ids.Server)
    limits, _, _ = await listener.listen(source, event_filter(Ids.LimitAlarmType))
    trips, _, _ = await listener.listen(source, event_filter(Ids.TripAlarmType))
    conditions, _, _ = await listener.listen(source, event_filter(Ids.ConditionType))
    await server.alarm(raised(server, "n2_supply_low"), told=True)
    await server.alarm(raised(server, "door_lost", event_id=b"trip" * 4), told=True)
    await until(lambda: len(conditions.events) == 2)
    assert [one["ConditionName"] for one in limits.events] == ["n2_supply_low"]
    assert [one["ConditionName"] for one in trips.events] == ["door_lost"]


async def test_every_alarm_of_the_furnace_has_the_type_of_its_kind(server: UaServer, listener: Listener) -> None:
    tool = listener._tool
    wanted = {
        "cooling_water_low": Ids.ExclusiveLevelAlarmType, "n2_supply_low": Ids.NonExclusiveLimitAlarmType,
        "zone1_deviation": Ids.ExclusiveDeviationAlarmType, "deposition_rate": Ids.ExclusiveRateOfChangeAlarmType,
        "centre_zone_ramp": Ids.ExclusiveRateOfChangeAlarmType,
        "booster_stopped": Ids.OffNormalAlarmType, "throttle_stuck": Ids.DiscreteAlarmType,
        "reflectometer_lost": Ids.InstrumentDiagnosticAlarmType, "emergency_off": Ids.TripAlarmType,
    }  # fmt: skip
    for name, kind in wanted.items():
        one = tool._client.get_node(node(tool, f"Alarms/{name}"))
        assert await one.read_type_definition() == ua.NodeId(kind), name
    for path, value in (
        ("Alarms/cooling_water_low/LowLimit", 8.0), ("Alarms/cooling_water_low/LowDeadband", 0.5),
        ("Alarms/n2_supply_low/LowLowLimit", 400.0), ("Alarms/n2_supply_low/SeverityLowLow", 700),
        ("Alarms/zone1_deviation/HighLimit", 10.0), ("Alarms/zone1_deviation/OnDelay", 300_000.0),
        ("Alarms/booster_stopped/NormalValue", "yes"), ("Alarms/silane_trace/ReAlarmTime", 900_000.0),
        ("Alarms/silane_trace/SafetyClass", True), ("Alarms/silane_trace/ResponseTimeS", 300.0),
        ("Alarms/cooling_water_low/Action", "Check filter and pump of the water circuit"),
        ("Alarms/cooling_water_low/FirstOutGroup", "supplies"),
    ):  # fmt: skip
        assert (await tool.read(path)) == value, path
    for name, unit in (("deposition_rate", "nm/min"), ("centre_zone_ramp", "K/min")):
        assert (await tool.read(f"Alarms/{name}/EngineeringUnits")).DisplayName.Text == unit
    assert (await tool.read("Alarms/centre_zone_ramp/LowLimit")) == -20.0
    assert (await tool.read("Alarms/zone1_deviation/SetpointNode")) == node(tool, "Equipment/heater/zone1.setpoint_c")
    assert (await tool.read("Alarms/zone1_deviation/InputNode")) == node(tool, "Equipment/heater/zone1.temperature_c")
    browsed = await tool._client.get_node(node(tool, "Equipment/facilities")).get_references(Ids.HasCondition)
    assert node(tool, "Alarms/cooling_water_low") in [ref.NodeId for ref in browsed]
    up = await tool._client.get_node(node(tool, "Equipment/facilities")).get_references(Ids.HasNotifier)
    assert [ref.NodeId for ref in up] == [node(tool, "Equipment")]


async def test_a_limit_in_per_cent_follows_the_set_point(
    server: UaServer, daemon: FakeDaemon, listener: Listener
) -> None:
    daemon.set("chamber.pressure_setpoint_torr", 2.0)
    await server._refresh()
    assert await listener._tool.read("Alarms/pressure_deviation/HighLimit") == pytest.approx(0.2)
    assert await listener._tool.read("Alarms/pressure_deviation/LowLimit") == pytest.approx(-0.2)


async def test_who_comes_late_is_told_everything_that_is_of_interest(server: UaServer, listener: Listener) -> None:
    await server.alarm(raised(server, "cooling_water_low"), told=True)
    await server.alarm(raised(server, "n2_supply_low", 1, event_id=b"n2" * 8), told=True)
    gone = changed(server, "air_low", event_id=b"air_" * 4, message="back to normal")
    await server.alarm(gone, told=True)
    late, number, _ = await listener.listen(ua.NodeId(Ids.Server))
    second, other, _ = await listener.listen(node(listener._tool, "Equipment/heater"))
    subscription = listener.subscription.subscription_id
    assert await listener.refresh(subscription) == "Good"
    await until(lambda: len(late.events) == 4 and len(second.events) == 2)
    kinds = [one["EventType"] for one in late.events]
    assert (kinds[0], kinds[-1]) == (ua.NodeId(Ids.RefreshStartEventType), ua.NodeId(Ids.RefreshEndEventType))
    assert {one["ConditionName"]: one["EventId"] for one in late.alarms} == {
        "cooling_water_low": b"0123456789abcdef", "n2_supply_low": b"n2" * 8,
    }  # fmt: skip
    assert await listener.refresh(subscription, number) == "Good"
    await until(lambda: len(late.events) == 8)
    assert len(second.events) == 2
    assert await listener.refresh(subscription, 999_999) == "BadMonitoredItemIdInvalid"
    assert await listener.refresh(999_999) == "BadSubscriptionIdInvalid"
    assert await listener.refresh(subscription, other) == "Good"


async def test_nobody_refreshes_what_belongs_to_another_session(server: UaServer, listener: Listener) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as other:
        foreign = Listener(other)
        foreign.subscription = listener.subscription
        assert await foreign.refresh(listener.subscription.subscription_id) == "BadSubscriptionIdInvalid"
        kind, refresh = ua.NodeId(Ids.ConditionType), ua.NodeId(Ids.ConditionType_ConditionRefresh)
        assert await call(other, kind, refresh) == "BadArgumentsMissing"
        assert await call(other, kind, refresh, ua.Variant("1"), ua.Variant("2")) == "BadTooManyArguments"
        assert await call(other, kind, refresh, ua.Variant("1")) == "BadInvalidArgument"
        number = ua.Variant(1, ua.VariantType.UInt32)
        assert await call(other, node(other, "Alarms"), refresh, number) == "BadMethodInvalid"


async def test_answers_reach_the_daemon_with_event_and_caller(
    server: UaServer, daemon: FakeDaemon, listener: Listener
) -> None:
    tool = listener._tool
    where = node(tool, "Alarms/n2_supply_low")
    event_id = ua.Variant(b"n2" * 8, ua.VariantType.ByteString)
    words = ua.Variant(ua.LocalizedText("calling"), ua.VariantType.LocalizedText)
    acknowledge = ua.NodeId(Ids.AcknowledgeableConditionType_Acknowledge)
    assert await call(tool, where, acknowledge, event_id, words) == "Good"
    nothing = ua.Variant(None, ua.VariantType.Null)
    assert await call(tool, where, ua.NodeId(Ids.ConditionType_AddComment), event_id, nothing) == "Good"
    shelf, timed = node(tool, "Alarms/n2_supply_low/ShelvingState"), Ids.AlarmConditionType_ShelvingState_TimedShelve
    hour = ua.Variant(3_600_000.0, ua.VariantType.Double)
    assert await call(tool, shelf, ua.NodeId(timed), hour) == "Good"
    assert await call(tool, shelf, ua.NodeId(Ids.ShelvedStateMachineType_Unshelve)) == "Good"
    assert await call(tool, where, ua.NodeId(Ids.ShelvedStateMachineType_OneShotShelve)) == "Good"
    asked = [(caller.user, path, method, arguments) for caller, path, method, arguments in daemon.calls]
    assert asked == [
        ("olga", "Alarms/n2_supply_low", "Acknowledge", [b"n2" * 8, "calling"]),
        ("olga", "Alarms/n2_supply_low", "AddComment", [b"n2" * 8, None]),
        ("olga", "Alarms/n2_supply_low", "TimedShelve", [3_600_000.0]),
        ("olga", "Alarms/n2_supply_low", "Unshelve", []),
        ("olga", "Alarms/n2_supply_low", "OneShotShelve", []),
    ]


async def test_answers_that_cannot_be_meant_never_reach_the_daemon(
    server: UaServer, daemon: FakeDaemon, listener: Listener
) -> None:
    tool = listener._tool
    where = node(tool, "Alarms/n2_supply_low")
    acknowledge = ua.NodeId(Ids.AcknowledgeableConditionType_Acknowledge)
    words = ua.Variant(ua.LocalizedText("x"), ua.VariantType.LocalizedText)
    event_id = ua.Variant(b"n2" * 8, ua.VariantType.ByteString)
    assert await call(tool, where, acknowledge, event_id) == "BadArgumentsMissing"
    assert await call(tool, where, acknowledge, event_id, words, words) == "BadTooManyArguments"
    assert await call(tool, where, acknowledge, words, event_id) == "BadInvalidArgument"
    assert await call(tool, where, acknowledge, ua.Variant([b"a"], ua.VariantType.ByteString), words) == (
        "BadInvalidArgument"
    )
    assert await call(tool, node(tool, "Alarms"), acknowledge, event_id, words) == "BadMethodInvalid"
    assert await call(tool, node(tool, "Alarms/nothing"), acknowledge, event_id, words) == "BadNodeIdUnknown"
    disable = ua.NodeId(Ids.ConditionType_Disable)
    assert await call(tool, where, disable) == "BadUserAccessDenied"
    assert daemon.calls == []
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as observer:
        assert await call(observer, where, acknowledge, event_id, words) == "BadUserAccessDenied"
    assert daemon.calls == []


async def test_a_series_of_process_control_brings_its_alarm_while_the_server_runs(
    server: UaServer, daemon: FakeDaemon, listener: Listener
) -> None:
    tool = listener._tool
    changes, _, _ = await listener.listen(ua.NodeId(Ids.Server), event_filter(Ids.GeneralModelChangeEventType))
    definition = series_alarm("oxide thickness", "thickness_mean_nm")
    count = len(definition.points)
    state = AlarmState(definition.name, (0,) * count, (0,) * count, severity=200)
    await server.add_alarm(definition, state)
    await server.add_alarm(definition, state)  # a second time it is no news
    await until(lambda: len(changes.events) == 1)
    path = f"Alarms/{definition.name}"
    one = tool._client.get_node(node(tool, path))
    assert await one.read_type_definition() == ua.NodeId(Ids.DiscreteAlarmType)
    below = await tool._client.get_node(node(tool, "Spc")).get_references(Ids.HasCondition)
    assert [ref.NodeId for ref in below] == [node(tool, path)]
    places = ["Spc", "Alarms", path, "."]
    heard = [(await listener.listen(node(tool, each)))[0] for each in places]
    elsewhere, _, _ = await listener.listen(node(tool, "Equipment"))
    event_id = b"spc event id ---"
    await server.alarm(raised(server, definition.name, event_id=event_id, severity=500), told=True)
    await until(lambda: all(each.alarms for each in heard))
    (told,) = heard[0].alarms
    assert (told["SourceNode"], told["SourceName"]) == (node(tool, "Spc"), "Spc")
    assert (told["ConditionId"], told["Severity"], told["EventId"]) == (node(tool, path), 500, event_id)
    assert elsewhere.alarms == []
    assert await listener.refresh(listener.subscription.subscription_id) == "Good"
    await until(lambda: len(heard[0].alarms) == 2)
    acknowledge = ua.NodeId(Ids.AcknowledgeableConditionType_Acknowledge)
    words = ua.Variant(ua.LocalizedText("seen"), ua.VariantType.LocalizedText)
    given = ua.Variant(event_id, ua.VariantType.ByteString)
    assert await call(tool, node(tool, path), acknowledge, given, words) == "Good"
    once = ua.NodeId(Ids.ShelvedStateMachineType_OneShotShelve)
    assert await call(tool, node(tool, f"{path}/ShelvingState"), once) == "Good"
    assert [(path, method) for _, path, method, _ in daemon.calls] == [(path, "Acknowledge"), (path, "OneShotShelve")]


async def test_what_is_of_the_safety_class_has_no_shelf(server: UaServer, listener: Listener) -> None:
    tool = listener._tool
    for name in ("emergency_off", "silane_trace"):
        with pytest.raises(ClientError):
            await tool.read(f"Alarms/{name}/ShelvingState/CurrentState")
        with pytest.raises(ClientError):
            await tool.read(f"Alarms/{name}/OutOfServiceState")
        with pytest.raises(ClientError):
            await tool.read(f"Alarms/{name}/SuppressedState")
    assert (await tool.read("Alarms/emergency_off/ConditionClassName")).Text == "Safety"


async def test_a_shelf_counts_down_and_every_state_is_seen_in_the_nodes(server: UaServer, listener: Listener) -> None:
    tool = listener._tool
    state = raised(
        server, "n2_supply_low", 1, shelf=Shelf.TIMED, unshelve_ns=time.time_ns() + 60_000_000_000, severity=500
    )
    await server.alarm(state, told=True)
    base = "Alarms/n2_supply_low"
    assert (await tool.read(f"{base}/ShelvingState/CurrentState")).Text == "Timed Shelved"
    assert (await tool.read(f"{base}/EnabledState/EffectiveDisplayName")).Text == "Shelved"
    assert await tool.read(f"{base}/SuppressedOrShelved") is True
    assert await tool.read(f"{base}/LowState/Id") is True
    assert await tool.read(f"{base}/LowLowState/Id") is False
    await server._refresh()
    assert 0 < await tool.read(f"{base}/ShelvingState/UnshelveTime") < 60_000.0


async def test_the_first_of_its_group_says_so(server: UaServer, listener: Listener) -> None:
    await server.alarm(raised(server, "air_low", first_out=True), told=True)
    assert await listener._tool.read("Alarms/air_low/FirstInGroupFlag") is True
    assert await listener._tool.read("Alarms/cooling_water_low/FirstInGroupFlag") is False


def test_each_answer_has_its_type_of_audit_event() -> None:
    kinds = {method.name: audit_event(ua.NodeId(method.standard), [])[0] for method in CONDITION_METHODS}
    assert all(hasattr(Ids, kind) for kind in kinds.values())
    assert kinds["Suppress"] == kinds["Unsuppress2"] == "AuditConditionSuppressionEventType"
    assert kinds["TimedShelve2"] == kinds["Unshelve"] == "AuditConditionShelvingEventType"
    event_id = ua.Variant(b"x", ua.VariantType.ByteString)
    words = ua.Variant(ua.LocalizedText("y"), ua.VariantType.LocalizedText)
    acknowledge = ua.NodeId(Ids.AcknowledgeableConditionType_Acknowledge)
    assert audit_event(acknowledge, [event_id, words]) == (
        "AuditConditionAcknowledgeEventType", {"ConditionEventId": event_id, "Comment": words},
    )  # fmt: skip
    assert audit_event(ua.NodeId("Recipes/AddRecipe", 2), [words]) == ("AuditUpdateMethodEventType", {})


async def test_an_older_state_never_overwrites_a_newer_one(server: UaServer, listener: Listener) -> None:
    newer = raised(server, "air_low", event_id=b"newer" * 3)
    older = changed(server, "air_low", revision=newer.revision - 1, message="older")
    await server.alarm(replace(newer, revision=newer.revision + 5), told=False)
    await server.alarm(older, told=False)
    assert server._conditions.states["air_low"].message == "air_low is there"  # type: ignore[union-attr]


async def test_a_filter_that_cannot_be_had_says_which_clause(server: UaServer, listener: Listener) -> None:
    bad = event_filter()
    bad.SelectClauses[1].TypeDefinitionId = ua.NodeId(Ids.FolderType)
    bad.WhereClause.Elements.append(of_type(Ids.HasSubtype))
    heard, _, result = await listener.listen(ua.NodeId(Ids.Server), bad)
    assert result.StatusCode.name == "BadEventFilterInvalid"
    told = result.FilterResult
    assert told.SelectClauseResults[1].name == "BadTypeDefinitionInvalid"
    assert told.SelectClauseResults[0].is_good()
    assert told.WhereClauseResult.ElementResults[1].StatusCode.name == "BadFilterOperandInvalid"
    assert heard.events == []
    _, _, nobody = await listener.listen(node(listener._tool, "Telemetry"))
    assert nobody.StatusCode.name == "BadNotSupported"
    assert path_of([]) == ()
