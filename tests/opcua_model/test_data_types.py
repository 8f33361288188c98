"""Structures and enumerations: what a foreign client learns of them from the server, and the values it then reads."""

from typing import Any

import anyio
import pytest

from config.process_mode import PressureMode
from opcua_model.client import connect
from opcua_model.data_types import ENUMERATIONS, RECORDS, STRUCTURES
from opcua_model.interface import Entry
from opcua_model.server import UaServer
from opcua_model.stack import ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon

pytestmark = pytest.mark.anyio


def erika(server: UaServer) -> Any:
    return connect(server.endpoint, "erika", PASSWORDS["erika"])


async def test_every_structure_and_enumeration_is_defined_for_clients(server: UaServer) -> None:
    async with erika(server) as tool:
        client = tool._client
        index = await client.get_namespace_index("urn:cvd-supervisor:types")
        for name, (_, fields) in STRUCTURES.items():
            definition = await client.get_node(ua.NodeId(name, index)).read_data_type_definition()
            assert [field.Name for field in definition.Fields] == [field.path for field in fields]
            assert not any(field.IsOptional for field in definition.Fields)
            encoding = await client.get_node(ua.NodeId(name, index)).get_children(ua.ObjectIds.HasEncoding)
            assert [node.nodeid for node in encoding] == [definition.DefaultEncodingId]
        for name, (_, values) in ENUMERATIONS.items():
            definition = await client.get_node(ua.NodeId(name, index)).read_data_type_definition()
            assert [(field.Value, field.Name) for field in definition.Fields] == list(enumerate(values))


async def test_records_say_what_the_variables_beside_them_say(daemon: FakeDaemon, server: UaServer) -> None:
    await server.show(
        Entry("Runs", "CVD-7", {"RunId": "u-7", "Status": "RUNNING", "Progress": 0.25, "RecipeVersion": 2})
    )
    async with erika(server) as tool:
        run = await tool.read("Runs/CVD-7/Record")
        assert (run.RunId, run.Status, run.Progress, run.RecipeVersion) == ("u-7", "RUNNING", 0.25, 2)
        await server.show(Entry("Runs", "CVD-7", {"RunId": "u-7", "Status": "COMPLETE", "Progress": 1.0}))
        assert (await tool.read("Runs/CVD-7/Record")).Status == "COMPLETE"
        plate = await tool.read("Identification/Record")
        assert plate.Model == await tool.read("Identification/Model")
        module = await tool.read(
            "Equipment/gas/Record" if "gas" in await tool.children("Equipment") else "Equipment/vacuum/Record"
        )
        assert module.Tags > 0
        daemon.trip("silane_detected")
        with anyio.fail_after(20):
            while not (seen := await tool.read("Interlocks/silane_detected/Record")).Active:  # noqa: ASYNC110 - over a socket
                await anyio.sleep(0.01)
        assert seen.State == ENUMERATIONS["InterlockStateEnum"][1].index("Active")
        assert seen.TripCount == 1
    await server.hide("Runs", "CVD-7")


async def test_a_state_is_told_in_words_and_as_a_value_of_its_enumeration(daemon: FakeDaemon, server: UaServer) -> None:
    """Screens show the words, programs compare the numbers; what the enumeration does not know is no number."""
    twins = {
        "State/Mode": ("Maintenance", 4),
        "State/E10State": ("Unscheduled Downtime", 4),
        "Runs/ActiveRun/State": ("HELD", 6),
        "Services/State": ("ABORTING", 10),
    }
    daemon.told.update({path: text for path, (text, _) in twins.items()})
    daemon.trip("silane_detected")
    twins["Interlocks/silane_detected/State"] = ("Active", 2)
    async with erika(server) as tool:

        async def told(path: str, status: str) -> Any:
            """Wait until a code has a status."""
            with anyio.fail_after(20):
                while True:
                    found = await tool._client.get_node(tool.node(path)).read_data_value(raise_on_bad_status=False)
                    if found.StatusCode.name == status:
                        return found.Value.Value
                    await anyio.sleep(0.01)

        index = await tool._client.get_namespace_index("urn:cvd-supervisor:types")
        for path, (text, number) in twins.items():
            with anyio.fail_after(20):
                while await tool.read(path) != text:  # noqa: ASYNC110 - over a socket
                    await anyio.sleep(0.01)
            assert await tool.read(f"{path}Code") == number
            kind = await tool._client.get_node(tool.node(f"{path}Code")).read_data_type()
            assert kind.NamespaceIndex == index
            assert ENUMERATIONS[kind.Identifier][1][number] == text
        daemon.told["State/Mode"] = "Asleep"
        await told("State/ModeCode", "BadOutOfRange")
        daemon.lose_controller()
        await told("Interlocks/silane_detected/StateCode", "BadNoCommunication")


async def test_what_comes_and_goes_tells_its_states_in_numbers_too(daemon: FakeDaemon, server: UaServer) -> None:
    shown = {
        ("Runs", "CVD-8"): {"Status": ("QUEUED", 0), "Kind": ("simulation", 2)},
        ("Recipes", "oxide v1"): {"Status": ("approved", 1)},
        ("ProcessModes", "somewhere"): {"PressureMode": (PressureMode.LPCVD.value, 1)},
        ("Spc", "thickness"): {"Chart": ("xbar", 1)},
    }
    async with erika(server) as tool:
        index = await tool._client.get_namespace_index("urn:cvd-supervisor:types")
        for (folder, name), fields in shown.items():
            await server.show(Entry(folder, name, {field: text for field, (text, _) in fields.items()}))
            for field, (text, number) in fields.items():
                path = f"{folder}/{name}/{field}"
                kind = await tool._client.get_node(tool.node(f"{path}Code")).read_data_type()
                assert kind.NamespaceIndex == index
                assert ENUMERATIONS[kind.Identifier][1].index(text) == await tool.read(f"{path}Code")
                assert (await tool.read(path)) == text, "the words stay"
                if folder != "ProcessModes":
                    assert ENUMERATIONS[kind.Identifier][1][number] == text
        await server.show(Entry("Runs", "CVD-8", {"Status": "RUNNING"}))
        assert await tool.read("Runs/CVD-8/StatusCode") == ENUMERATIONS["RunStatusEnum"][1].index("RUNNING")
        assert "KindCode" not in await tool.children("Runs/CVD-8")
        await server.show(Entry("Runs", "CVD-8", {"Status": "ASLEEP"}))
        told = await tool._client.get_node(tool.node("Runs/CVD-8/StatusCode")).read_data_value(
            raise_on_bad_status=False
        )
        assert told.StatusCode.name == "BadOutOfRange"
        classes = ENUMERATIONS["InterlockClassEnum"][1]
        for interlock in daemon.tool.interlocks[:5]:
            path = f"Interlocks/{interlock.name}/Class"
            assert classes[await tool.read(f"{path}Code")] == await tool.read(path) == interlock.cls.value
    for folder, name in shown:
        await server.hide(folder, name)


def test_every_record_is_of_a_structure_that_there_is() -> None:
    assert set(RECORDS.values()) == set(STRUCTURES)
