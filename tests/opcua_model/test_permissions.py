"""Who may do what: what RolePermissions say is what happens, for every service."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from opcua_model.client import ClientError, ToolClient, connect
from opcua_model.interface import Entry, Occurrence
from opcua_model.permissions import BROWSE, CALL, MAINTENANCE, READ, READ_HISTORY, WELL_KNOWN, WRITE
from opcua_model.server import UaServer
from opcua_model.stack import Attr, Ids, errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, START_NS, FakeDaemon, furnace, serving, until

pytestmark = pytest.mark.anyio
SET_POINT = "Equipment/heater/zone1.setpoint_c"
TEMPERATURE = "Equipment/heater/zone1.temperature_c"


@pytest.fixture(scope="module")
async def secretive(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[UaServer]:
    """A tool whose recipes are its engineers' and operators', and whose heater is nobody's but the engineers'."""
    restricted = {"Recipes": frozenset({"engineer", "operator"}), "Equipment/heater": frozenset({"engineer"})}
    async with serving(FakeDaemon(furnace()), tmp_path_factory.mktemp("secret"), restricted=restricted) as server:
        await server.show(Entry("Recipes", "Oxide v1", {"Author": "erika"}))
        yield server


def as_user(server: UaServer, user: str) -> Any:
    return connect(server.endpoint, user, PASSWORDS.get(user, ""))


async def attribute(tool: ToolClient, path: str, number: int) -> Any:
    node = tool._client.get_node(tool.node(path))
    return await node.read_attribute(number, raise_on_bad_status=False)


def table(data: Any) -> dict[Any, int]:
    return {one.RoleId: int(one.Permissions) for one in data.Value.Value}


async def test_a_method_grants_its_roles_the_call_and_says_so(server: UaServer) -> None:
    async with as_user(server, "olga") as tool:
        whole = table(await attribute(tool, "Runs/StartRun", Attr.RolePermissions))
        own = table(await attribute(tool, "Runs/StartRun", Attr.UserRolePermissions))
        restrictions = await attribute(tool, "Runs/StartRun", Attr.AccessRestrictions)
    operator, engineer = (ua.NodeId(WELL_KNOWN[role]) for role in ("operator", "engineer"))
    assert whole[operator] & CALL
    assert whole[engineer] & CALL
    assert not whole[ua.NodeId(Ids.WellKnownRole_Anonymous)] & CALL
    assert engineer not in own
    assert own[operator] & CALL
    assert restrictions.Value.Value == 1  # signing


async def test_a_set_point_grants_writing_to_the_role_that_moves_it(server: UaServer) -> None:
    async with as_user(server, "erika") as tool:
        granted = table(await attribute(tool, SET_POINT, Attr.RolePermissions))
        level = await attribute(tool, SET_POINT, Attr.UserAccessLevel)
    tag = server._backend.layout.declared["heater.zone1.setpoint_c"]
    assert tag.role is not None
    number = WELL_KNOWN.get(tag.role.value)
    writers = {role for role, mask in granted.items() if mask & WRITE}
    assert writers == {ua.NodeId(MAINTENANCE, 2) if number is None else ua.NodeId(number)}
    assert bool(level.Value.Value & 2) == (tag.role.value == "engineer")
    assert all(mask & READ and mask & BROWSE and mask & READ_HISTORY for mask in granted.values())


async def test_an_anonymous_session_does_not_see_who_may_what(server: UaServer) -> None:
    async with as_user(server, "") as tool:
        data = await attribute(tool, "Runs/StartRun", Attr.RolePermissions)
    assert data.StatusCode.name == "BadUserAccessDenied"


async def test_who_is_logged_in_and_how_is_the_administrator_s_to_know(server: UaServer) -> None:
    secret = ua.NodeId(Ids.Server_ServerDiagnostics_SessionsDiagnosticsSummary_SessionSecurityDiagnosticsArray)
    async with as_user(server, "otto") as tool:
        data = await tool._client.get_node(secret).read_attribute(Attr.Value, raise_on_bad_status=False)
        children = await tool._client.get_node(
            ua.NodeId(Ids.Server_ServerDiagnostics_SessionsDiagnosticsSummary)
        ).get_referenced_nodes()
    assert data.StatusCode.name == "BadUserAccessDenied"
    assert secret not in [one.nodeid for one in children]


async def test_what_is_restricted_is_neither_browsed_nor_read(secretive: UaServer) -> None:
    async with as_user(secretive, "otto") as tool:
        assert "Recipes" not in await tool.children()
        assert await tool.read("State/Mode") == "Ready"
        assert await tool.children("Recipes") == []
        found = await tool.read_all(["Recipes/Oxide v1/Author", TEMPERATURE, "State/Mode"])
        path = [tool._client.get_node(ua.NodeId(Ids.ObjectsFolder)), f"{tool._namespace}:{tool.tool}"]
        with pytest.raises(errors.BadNoMatch):
            await path[0].get_child([path[1], f"{tool._namespace}:Recipes"])
    denied = 0x801F0000
    assert [status for _, status in found.values()] == [denied, denied, 0]
    async with as_user(secretive, "olga") as tool:
        assert await tool.read("Recipes/Oxide v1/Author") == "erika"
        assert "Recipes" in await tool.children()
        with pytest.raises(ClientError, match="BadUserAccessDenied"):
            await tool.read(TEMPERATURE)
    async with as_user(secretive, "erika") as tool:
        assert await tool.read(TEMPERATURE) == 0.0


async def test_what_is_restricted_is_not_followed_nor_looked_up_in_history(secretive: UaServer) -> None:
    async with as_user(secretive, "olga") as tool:
        with pytest.raises(ClientError, match="BadUserAccessDenied"):
            async with tool.subscribe([TEMPERATURE], 50, lambda *_: None):
                pass
        details = ua.ReadRawModifiedDetails(NumValuesPerNode=1, EndTime=ua.get_win_epoch())
        details.StartTime, details.EndTime = ua.win_epoch_to_datetime(2**56), ua.win_epoch_to_datetime(2**57)
        params = ua.HistoryReadParameters(details, ua.TimestampsToReturn.Both)
        for path in (TEMPERATURE, "Equipment/vacuum/chamber.pressure_torr"):
            params.NodesToRead.append(ua.HistoryReadValueId(NodeId=tool.node(path)))
        hidden, shown = await tool._client.uaclient.history_read(params)
    assert hidden.StatusCode.name == "BadUserAccessDenied"
    assert shown.StatusCode.name != "BadUserAccessDenied"


async def test_methods_below_what_is_restricted_cannot_be_called(secretive: UaServer) -> None:
    daemon: Any = secretive._backend
    async with as_user(secretive, "max") as tool:
        with pytest.raises(ClientError, match="BadUserAccessDenied"):
            await tool.call("Recipes", "GetRecipe", "id", 1)
    assert not any(method == "GetRecipe" for _, _, method, _ in daemon.calls)


async def test_events_of_what_is_restricted_reach_only_who_sees_it(secretive: UaServer) -> None:
    heard: dict[str, list[str]] = {"otto": [], "olga": []}

    class Ear:
        def __init__(self, user: str) -> None:
            self.user = user

        def event_notification(self, event: Any) -> None:
            heard[self.user].append(event.Message.Text)

    async with as_user(secretive, "otto") as blind, as_user(secretive, "olga") as seeing:
        subscriptions = []
        for user, tool in (("otto", blind), ("olga", seeing)):
            subscription = await tool._client.create_subscription(50, Ear(user))
            await subscription.subscribe_events()
            subscriptions.append(subscription)
        await secretive.emit(Occurrence("Recipes/Oxide v1", 100, "a recipe was approved", START_NS))
        await secretive.emit(Occurrence("State", 100, "the mode has changed", START_NS))
        await until(lambda: "the mode has changed" in heard["otto"] and len(heard["olga"]) == 2)
        for subscription in subscriptions:
            await subscription.delete()
    assert heard["otto"] == ["the mode has changed"]
    assert "a recipe was approved" in heard["olga"]


async def test_nothing_is_hidden_where_nothing_is_restricted(server: UaServer) -> None:
    async with as_user(server, "") as tool:
        assert {"Recipes", "Equipment", "Telemetry"} <= set(await tool.children())


async def test_an_installation_leaves_fewer_roles_the_call_and_says_so(tmp_path: Path) -> None:
    moving = {
        "Runs": frozenset({"engineer"}),
        "Runs/StartRun": frozenset({"operator", "observer"}),
        "Recipes/AddRecipe": frozenset({"operator"}),
        SET_POINT: frozenset({"operator"}),
    }
    async with serving(FakeDaemon(furnace()), tmp_path, moving=moving) as server, as_user(server, "olga") as tool:
        operator, engineer, observer = (ua.NodeId(WELL_KNOWN[role]) for role in ("operator", "engineer", "observer"))
        start = table(await attribute(tool, "Runs/StartRun", Attr.RolePermissions))
        assert start[operator] & CALL
        assert observer not in start
        assert engineer not in start
        hold = table(await attribute(tool, "Runs/HoldRun", Attr.RolePermissions))
        assert hold[engineer] & CALL
        assert operator not in hold
        assert not any(
            mask & CALL for mask in table(await attribute(tool, "Recipes/AddRecipe", Attr.RolePermissions)).values()
        )
        with pytest.raises(ClientError, match="needs the role engineer"):
            await tool.call("Runs", "HoldRun", "x")
        async with as_user(server, "erika") as writer:
            with pytest.raises(ClientError, match="needs the role nobody"):
                await writer.call("Recipes", "AddRecipe", "{}")
            with pytest.raises(ClientError, match="needs the role nobody"):
                await writer.write(SET_POINT, 700.0)
