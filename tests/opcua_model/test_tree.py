"""The contract tree as a client finds it: names, types, units, words."""

from typing import Any

import pytest

from config.layout import Layout
from config.tool import Interlock
from opcua_model.client import ToolClient, connect
from opcua_model.methods import METHODS, method_at, methods_of
from opcua_model.server import UaServer
from opcua_model.stack import Attr, Ids, StatusCodes, ua
from opcua_model.types import EVENT_TYPES, OBJECT_TYPES
from opcua_model.variables import VARIABLES
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, until

pytestmark = pytest.mark.anyio

CONTRACT = {
    "State": {"TakeControl", "ReleaseControl", "SafeShutdown", "Calibrate", "CheckInterlocks", "Mode", "E10State"},
    "ProcessModes": {"CreateProcessMode", "ListProcessModes"},
    "Recipes": {
        "AddRecipe",
        "GetRecipe",
        "ListRecipes",
        "ValidateRecipe",
        "ApproveRecipe",
        "RetireRecipe",
        "DiffRecipes",
        "Simulate",
    },
    "Runs": {
        *("CreateRun", "StartRun", "PauseRun", "ResumeRun", "HoldRun", "RestartRun", "StopRun", "AbortRun"),
        *("GetRun", "ListRuns", "GetTelemetry", "GetResults", "Simulate", "ActiveRun"),
    },
    "Services": {"Start", "Stop", "State", "Active", "Operations"},
    "Interlocks/silane_detected": {"Reset", "RequestBypass", "ConfirmBypass", "RemoveBypass", "Condition", "Why"},
    "Identification": {"Manufacturer", "Model", "SerialNumber", "SoftwareRevision", "SupportedVariants"},
    "Diagnostics": {"ScanPeriodUs", "WakeupLatencyP99Us", "Overruns", "Sessions", "ControllerAlive"},
}


def erika(server: UaServer) -> Any:
    return connect(server.endpoint, "erika", PASSWORDS["erika"])


async def test_the_contract_s_names_are_where_it_says(server: UaServer) -> None:
    async with erika(server) as tool:
        assert tool.tool == "LPCVD-1"
        for path, names in CONTRACT.items():
            assert names <= set(await tool.children(path)), path
        for variable in VARIABLES:
            assert variable.path.rpartition("/")[2] in await tool.children(variable.path.rpartition("/")[0])


async def test_the_tool_hangs_below_objects_under_its_own_name(server: UaServer) -> None:
    async with erika(server) as tool:
        client = tool._client
        index = await client.get_namespace_index("urn:cvd-supervisor:tool:LPCVD-1")
        node = await client.nodes.objects.get_child([f"{index}:LPCVD-1", f"{index}:Runs", f"{index}:StartRun"])
        assert node.nodeid == tool.node("Runs/StartRun")
        assert await client.get_namespace_index("urn:cvd-supervisor:types") != index


async def test_every_tag_is_a_variable_of_its_module(server: UaServer) -> None:
    layout = Layout(furnace())
    async with erika(server) as tool:
        for module in layout.tool.modules:
            there = set(await tool.children(f"Equipment/{module.name}"))
            assert {"Record", *(tag.name for tag in module.tags)} == there
        values = await tool.read_all([f"Equipment/{name.replace('.', '/', 1)}" for name in layout.tags])
        assert all(status == 0 for _, status in values.values())


async def test_an_analogue_tag_has_its_range_and_unit(server: UaServer) -> None:
    async with erika(server) as tool:
        path = "Equipment/heater/zone1.temperature_c"
        client = tool._client
        assert (await client.get_node(tool.node(path)).read_type_definition()).Identifier == Ids.AnalogItemType
        assert isinstance(await tool.read(path), float)
        limits = await tool.read(f"{path}/EURange")
        tag = Layout(furnace()).declared["heater.zone1.temperature_c"]
        assert (tag.low, tag.high) == (limits.Low, limits.High)
        unit = await tool.read(f"{path}/EngineeringUnits")
        assert unit.NamespaceUri == "http://www.opcfoundation.org/UA/units/un/cefact"
        assert (unit.UnitId, unit.DisplayName.Text) == (4408652, "°C")  # CEL, as the UNECE list gives it


async def test_a_tag_with_states_says_their_names(server: UaServer, daemon: FakeDaemon) -> None:
    daemon.set("heater.zone1.mode", 2.0)
    daemon.set("gas_panel.sih4.valve", 1.0)
    async with erika(server) as tool:
        client = tool._client
        mode, valve = "Equipment/heater/zone1.mode", "Equipment/gas_panel/sih4.valve"
        kinds = {
            path: (await client.get_node(tool.node(path)).read_type_definition()).Identifier for path in (mode, valve)
        }
        assert kinds == {mode: Ids.MultiStateDiscreteType, valve: Ids.TwoStateDiscreteType}
        assert await tool.read(mode) == 2
        assert [text.Text for text in await tool.read(f"{mode}/EnumStrings")][2] == "auto"
        assert await tool.read(valve) is True


async def test_telemetry_shows_the_guide_s_signals(server: UaServer, daemon: FakeDaemon) -> None:
    daemon.set("chamber.pressure_torr", 0.35)
    daemon.set("heater.zone2.temperature_c", 701.0)
    async with erika(server) as tool:
        assert await tool.read("Telemetry/chamber_pressure_torr") == 0.35
        names = await tool.read("Telemetry/temperature_zones_c/Names")
        zones = await tool.read("Telemetry/temperature_zones_c")
        assert dict(zip(names, zones, strict=True))["zone2"] == 701.0
        daemon.set("heater.zone2.temperature_c", 0.0, 0x80310000)
        values, status = (await tool.read_all(["Telemetry/temperature_zones_c"]))["Telemetry/temperature_zones_c"]
        assert status >> 30 == 1  # Uncertain: some of the zones are known
        assert values[names.index("zone2")] != values[names.index("zone2")]  # NaN


async def test_an_interlock_shows_what_it_is_and_what_it_does(server: UaServer, daemon: FakeDaemon) -> None:
    name = "silane_detected"
    interlock = next(one for one in furnace().interlocks if one.name == name)
    async with erika(server) as tool:
        assert await tool.read(f"Interlocks/{name}/Condition") == interlock.when
        assert await tool.read(f"Interlocks/{name}/Class") == "trip"
        daemon.trip(name)
        daemon.told[f"Interlocks/{name}/Why"] = "silane in the gas cabinet"
        seen: dict[str, Any] = {}
        parts = ("State", "Latched", "FirstOut", "TripCount", "LastTrip", "Why")
        for part in parts:
            seen[part] = None
        async with tool.subscribe(
            [f"Interlocks/{name}/{part}" for part in parts],
            50,
            lambda path, value, good: seen.__setitem__(path.rpartition("/")[2], value),
        ):
            await until(lambda: seen["State"] == "Active" and seen["Why"])
        assert (seen["Latched"], seen["FirstOut"], seen["TripCount"]) == (True, True, 1)
        assert seen["LastTrip"] is not None
        assert seen["Why"] == "silane in the gas cabinet"


async def test_every_node_of_ours_has_a_name_for_people_and_a_description(server: UaServer) -> None:
    aspace = server._internal.aspace
    ours = [node for node in list(aspace._nodes) if node.NamespaceIndex >= 2]
    assert len(ours) > 1000
    for node in ours:
        for attribute in (Attr.DisplayName, Attr.Description):
            text = aspace.read_attribute_value(node, attribute).Value.Value.Text
            assert text, (node.to_string(), attribute)


async def test_ids_are_paths_and_so_the_same_after_every_start(server: UaServer) -> None:
    async with erika(server) as tool:
        for path in ("Runs/ActiveRun/State", "Equipment/heater/zone1.temperature_c", "Interlocks/door_lost/Reset"):
            description = await tool._client.get_node(tool.node(path)).read_browse_name()
            assert description.Name == path.rpartition("/")[2]


async def test_our_types_are_below_the_standard_ones(server: UaServer) -> None:
    async with erika(server) as tool:
        client = tool._client
        index = await client.get_namespace_index("urn:cvd-supervisor:types")
        for name in OBJECT_TYPES:
            assert await client.get_node(ua.NodeId(name, index)).read_node_class() == ua.NodeClass.ObjectType
        for name in EVENT_TYPES:
            (base,) = await client.get_node(ua.NodeId(name, index)).get_referenced_nodes(
                Ids.HasSubtype, ua.BrowseDirection.Inverse
            )
            assert base.nodeid.Identifier == Ids.BaseEventType
        kind = await client.get_node(tool.node("Interlocks/door_lost")).read_type_definition()
        assert kind == ua.NodeId("InterlockType", index)


async def test_a_daemon_may_tell_more_than_the_contract(server: UaServer) -> None:
    async with erika(server) as tool:
        assert await tool.read("Diagnostics/TapeRows") == 12


async def test_what_the_daemon_does_not_tell_waits_for_its_first_value(server: UaServer) -> None:
    async with erika(server) as tool:
        _, status = (await tool.read_all(["Diagnostics/TimeSync"]))["Diagnostics/TimeSync"]
        assert status == StatusCodes.BadWaitingForInitialData


async def test_method_nodes_carry_the_arguments_of_the_table(server: UaServer) -> None:
    async with erika(server) as tool:
        await _check_arguments(tool, "Runs", "CreateRun")
        await _check_arguments(tool, "Recipes", "AddRecipe")
        await _check_arguments(tool, "Interlocks/door_lost", "RequestBypass")


async def _check_arguments(tool: ToolClient, path: str, name: str) -> None:
    method = method_at(path, name)
    assert method is not None
    for arguments, declared in (("InputArguments", method.inputs), ("OutputArguments", method.outputs)):
        if declared:
            shown = await tool.read(f"{path}/{name}/{arguments}")
            assert [argument.name for argument in declared] == [argument.Name for argument in shown]
            assert all(argument.Description.Text for argument in shown)


def test_the_table_of_methods_has_the_contract_s_arguments() -> None:
    def names(owner: str, method: str) -> tuple[list[str], list[str]]:
        found = method_at(owner, method)
        assert found is not None
        return [one.name for one in found.inputs], [one.name for one in found.outputs]

    assert names("Recipes", "AddRecipe") == (["Json"], ["RecipeId", "Version"])
    assert names("Recipes", "ValidateRecipe") == (["Json"], ["Ok", "Diagnostics"])
    assert names("Recipes", "ApproveRecipe") == (["RecipeId", "Version", "Comment"], [])
    run = ["RecipeId", "Version", "SampleId", "WaferId", "MetadataJson"]
    assert names("Runs", "CreateRun") == (run, ["RunId", "RunNumber"])
    assert names("Runs", "GetTelemetry")[0] == ["RunId", "StartTime", "EndTime", "Limit"]
    assert names("Runs", "Simulate") == (["RecipeId", "Version"], ["RunId"])
    assert names("ProcessModes", "ListProcessModes")[0] == ["PressureMode", "EnergyMode", "Skip", "Limit"]
    assert names("State", "Calibrate")[0] == ["Type"]
    assert names("Services", "Start")[0] == ["Name"]
    assert names("Interlocks/x", "RequestBypass") == (["Reason", "DurationS"], ["RequestId"])
    assert names("Interlocks/x", "ConfirmBypass")[0] == ["RequestId"]


def test_everybody_may_shut_the_tool_down_safely() -> None:
    shutdown = method_at("State", "SafeShutdown")
    assert shutdown is not None
    assert not shutdown.roles


def test_methods_of_an_interlock_are_those_of_all_interlocks() -> None:
    tool = furnace()
    assert {one.name for one in methods_of(f"Interlocks/{tool.interlocks[0].name}")} == {
        method.name for method in METHODS if method.owner == "Interlocks/*"
    }
    assert isinstance(tool.interlocks[0], Interlock)
