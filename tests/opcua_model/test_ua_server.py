"""The server's life: start, what comes and goes in it, and an end that leaves nothing behind."""

import asyncio
import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from opcua_model.client import ClientError, UnreachableError, connect
from opcua_model.interface import AddressSpace, Entry, Occurrence
from opcua_model.methods import methods_of
from opcua_model.server import EndpointError, UaServer
from opcua_model.settings import Limits, Settings
from opcua_model.stack import Ids, errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, START_NS, FakeDaemon, furnace, now_utc, serving, until

pytestmark = pytest.mark.anyio


def as_user(server: UaServer, user: str = "otto") -> Any:
    return connect(server.endpoint, user, PASSWORDS[user])


async def test_a_stop_in_the_middle_of_everything_leaves_no_task(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    before = asyncio.all_tasks()
    seen: list[Any] = []
    broken = False
    async with serving(daemon, tmp_path) as server:
        open_client = connect(server.endpoint, "otto", PASSWORDS["otto"])
        tool = await open_client.__aenter__()
        watched = tool.subscribe(["State/Mode", "Telemetry/chamber_pressure_torr"], 50, lambda *news: seen.append(news))
        await watched.__aenter__()
        await until(lambda: len(seen) == 2)
    mine = {task for task in asyncio.all_tasks() - before if "opcua_model/" in repr(task) or "/server/" in repr(task)}
    assert mine == set()
    assert daemon.sessions == {}
    try:
        await watched.__aexit__(None, None, None)
    except (errors.UaError, ConnectionError, TimeoutError, asyncio.CancelledError):
        broken = True
    finally:
        await open_client.__aexit__(None, None, None)
    assert broken
    await until(lambda: asyncio.all_tasks() <= before)


async def test_a_second_start_shows_the_same_certificate_and_nodes(tmp_path: Path) -> None:
    endpoints: list[Any] = []
    for _ in range(2):
        async with serving(FakeDaemon(furnace()), tmp_path) as server:
            endpoints.append(server._internal.endpoints[0].ServerCertificate)
    assert endpoints[0] == endpoints[1]


async def test_a_taken_port_is_named(tmp_path: Path, server: UaServer) -> None:
    settings = Settings(folder=tmp_path, endpoint=server.endpoint)
    with pytest.raises(EndpointError, match="another program holds the port"):
        async with UaServer(FakeDaemon(furnace()), settings):
            pass


async def test_nobody_listens_where_there_is_no_server() -> None:
    with pytest.raises(UnreachableError):
        async with connect("opc.tcp://127.0.0.1:9/cvd", timeout_s=2):
            pass


async def test_the_server_tells_the_time_and_what_it_is(server: UaServer) -> None:
    async with as_user(server) as tool:
        client = tool._client
        status = await client.get_node(ua.NodeId(Ids.Server_ServerStatus)).read_value()
        assert status.State == ua.ServerState.Running
        assert status.BuildInfo.SoftwareVersion == "1.2.3"
        assert status.BuildInfo.ManufacturerName == "cvd-supervisor"
        shown = await client.get_node(ua.NodeId(Ids.Server_ServerStatus_CurrentTime)).read_value()
        assert abs((now_utc() - shown.replace(tzinfo=UTC)).total_seconds()) < 5
        seen: list[datetime] = []

        class Clock:
            def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
                seen.append(value)

        subscription = await client.create_subscription(50, Clock())
        await subscription.subscribe_data_change(client.get_node(ua.NodeId(Ids.Server_ServerStatus_CurrentTime)))
        await until(lambda: len(seen) >= 2)


async def test_sessions_are_counted_where_everybody_can_see(server: UaServer, daemon: FakeDaemon) -> None:
    seen: list[Any] = []
    async with (
        as_user(server) as tool,
        tool.subscribe(["Diagnostics/Sessions"], 50, lambda path, value, good: seen.append(value)),
    ):
        await until(lambda: seen[-1:] == [1])
        async with as_user(server, "olga"):
            await until(lambda: seen[-1:] == [2])
        await until(lambda: seen[-1:] == [1])


async def test_entries_come_change_and_go(server: UaServer, daemon: FakeDaemon) -> None:
    when = datetime(2026, 5, 1, 12, tzinfo=UTC)
    entry = Entry(
        "Recipes",
        "LPCVD SiO2 v1",
        {"Status": "draft", "Version": 1, "ThicknessNm": 100.0, "Approved": False, "Created": when, "Map": [1.0, 2.0]},
        "An oxide.",
    )
    await server.show(entry)
    async with as_user(server) as tool:
        assert "LPCVD SiO2 v1" in await tool.children("Recipes")
        path = "Recipes/LPCVD SiO2 v1"
        kind = await tool._client.get_node(tool.node(path)).read_type_definition()
        assert kind.Identifier == "RecipeType"
        for name, value in entry.fields.items():
            shown = await tool.read(f"{path}/{name}")
            assert value == (shown.replace(tzinfo=UTC) if name == "Created" else shown)
        seen: list[Any] = []
        async with tool.subscribe([f"{path}/Status"], 50, lambda *news: seen.append(news[1])):
            await until(lambda: seen == ["draft"])
            fields = {"Status": "approved", "Version": 1, "Author": "erika", "ThicknessNm": None}
            await server.show(dataclasses.replace(entry, fields=fields, description="The oxide."))
            await until(lambda: seen == ["draft", "approved"])
            assert await tool.read(f"{path}/Author") == "erika"
            assert "Map" not in await tool.children(path)
            await server.hide("Recipes", "LPCVD SiO2 v1")
            with pytest.raises(ClientError, match="BadNodeIdUnknown"):
                await tool.read(f"{path}/Status")
        assert "LPCVD SiO2 v1" not in await tool.children("Recipes")
        assert await tool.read("State/Mode") == "Ready"
    await server.hide("Recipes", "LPCVD SiO2 v1")


async def test_a_field_may_turn_out_to_be_of_another_type(server: UaServer, daemon: FakeDaemon) -> None:
    """A run has no start time until it starts; who watches for it sees it come."""
    when = datetime(2026, 5, 1, 12, tzinfo=UTC)
    await server.show(Entry("Runs", "CVD-1", {"StartTime": ""}))
    seen: list[Any] = []
    async with (
        as_user(server) as tool,
        tool.subscribe(["Runs/CVD-1/StartTime"], 50, lambda *news: seen.append(news[1])),
    ):
        await until(lambda: seen == [""])
        await server.show(Entry("Runs", "CVD-1", {"StartTime": when}))
        await until(lambda: len(seen) == 2)
        assert seen[1].replace(tzinfo=UTC) == when
        data_type = await tool._client.get_node(tool.node("Runs/CVD-1/StartTime")).read_data_type()
        assert data_type.Identifier == Ids.DateTime
    await server.hide("Runs", "CVD-1")


async def test_a_daemon_that_tells_without_end_keeps_nobody_from_connecting(
    server: UaServer, daemon: FakeDaemon
) -> None:
    """A server that starts again tells thousands of events in a row: whoever connects meanwhile is served."""
    told = 0
    stop = anyio.Event()
    states = list(daemon.alarms().values())

    async def tell() -> None:
        nonlocal told
        while not stop.is_set():
            await server.emit(Occurrence("Runs", 100, "again", START_NS))
            await server.alarm(states[told % len(states)], told=False)
            await server.show(Entry("Runs", "CVD-busy", {"Status": "RUNNING", "Progress": float(told)}))
            told += 1

    async with anyio.create_task_group() as group:
        group.start_soon(tell)
        with anyio.fail_after(30):
            async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as tool:
                assert await tool.read("State/Mode") == "Ready"
                await tool.call("State", "CheckInterlocks")
        stop.set()
    assert told > 10
    await server.hide("Runs", "CVD-busy")


@pytest.mark.parametrize(
    ("folder", "name", "words"),
    [
        ("Recipe", "x", "no folder 'Recipe'"),
        ("Recipes", "AddRecipe", "something else already"),
        ("Runs", "ActiveRun", "something else already"),
        ("Runs", "a/b", "slash"),
        ("Runs", "", "empty"),
    ],
)
async def test_an_entry_that_cannot_be_shown_is_a_fault_of_the_caller(
    server: UaServer, folder: str, name: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        await server.show(Entry(folder, name))


async def test_a_thousand_entries_are_found_part_by_part(tmp_path: Path) -> None:
    limits = dataclasses.replace(Limits(), references_per_node=20)
    async with serving(FakeDaemon(furnace()), tmp_path, limits=limits) as server:
        for number in range(1000):
            await server.show(Entry("Results", f"CVD-{number:04d}", {"MeanNm": float(number)}))
        async with as_user(server) as tool:
            found = await tool.children("Results")
            assert found == ["NodeVersion", "Pages", *(f"CVD-{number:04d}" for number in range(940, 1000))]
            client = tool._client.uaclient
            params = ua.BrowseParameters(NodesToBrowse=[ua.BrowseDescription(NodeId=tool.node("Results"))])
            (first,) = await client.browse(params)
            assert len(first.References) == 20
            go_on = ua.BrowseNextParameters(
                ReleaseContinuationPoints=False, ContinuationPoints=[first.ContinuationPoint, b"guessed"]
            )
            second, unknown = await client.session.browse_next(go_on)
            assert len(second.References) == 20
            assert unknown.StatusCode.name == "BadContinuationPointInvalid"
            release = ua.BrowseNextParameters(
                ReleaseContinuationPoints=True, ContinuationPoints=[second.ContinuationPoint]
            )
            (released,) = await client.session.browse_next(release)
            assert not released.References


async def test_browsing_follows_direction_type_and_class(server: UaServer) -> None:
    async with as_user(server) as tool:
        client = tool._client.uaclient

        async def browse(**wanted: Any) -> Any:
            one = ua.BrowseDescription(NodeId=tool.node("Recipes"), **wanted)
            (result,) = await client.browse(ua.BrowseParameters(NodesToBrowse=[one]))
            return result

        up = await browse(BrowseDirection=ua.BrowseDirection.Inverse)
        assert {reference.NodeId for reference in up.References} == {tool.node(".")}
        methods = await browse(NodeClassMask=int(ua.NodeClass.Method))
        assert len(methods.References) == len(methods_of("Recipes"))
        wrong = await browse(ReferenceTypeId=ua.NodeId(4711, 7))
        assert wrong.StatusCode.name == "BadReferenceTypeIdInvalid"
        unknown = ua.BrowseDescription(NodeId=tool.node("Nowhere"))
        (result,) = await client.browse(ua.BrowseParameters(NodesToBrowse=[unknown]))
        assert result.StatusCode.name == "BadNodeIdUnknown"
        with pytest.raises(errors.BadNothingToDo):
            await client.browse(ua.BrowseParameters(NodesToBrowse=[]))


async def test_a_server_that_is_not_running_says_so(tmp_path: Path) -> None:
    idle = UaServer(FakeDaemon(furnace()), Settings(folder=tmp_path))
    with pytest.raises(RuntimeError, match="not running"):
        await idle.show(Entry("Recipes", "x"))


def test_the_server_is_the_address_space_that_a_daemon_expects(tmp_path: Path) -> None:
    space: AddressSpace = UaServer(FakeDaemon(furnace()), Settings(folder=tmp_path))
    assert space is not None


def test_an_endpoint_without_a_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names no host"):
        _ = Settings(folder=tmp_path, endpoint="cvd").host
    assert Settings(folder=tmp_path, endpoint="opc.tcp://[::1]/cvd").port == 4840
    assert urlsplit(Settings(folder=tmp_path).endpoint).port == 4840
