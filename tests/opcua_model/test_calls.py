"""Methods as clients call them: who may, with what, and what a refusal says."""

from typing import Any

import pytest

from opcua_model.client import ClientError, ToolClient, connect
from opcua_model.interface import Refused
from opcua_model.server import UaServer
from opcua_model.stack import Attr, errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, now_utc, until

pytestmark = pytest.mark.anyio


def as_user(server: UaServer, user: str) -> Any:
    return connect(server.endpoint, user, PASSWORDS.get(user, ""))


async def raw_call(tool: ToolClient, path: str, method: str, *arguments: Any) -> Any:
    """Call without our client's help, as a foreign client would."""
    request = ua.CallMethodRequest(tool.node(path), tool.node(f"{path}/{method}"), list(arguments))
    (result,) = await tool._client.uaclient.call([request])
    return result


async def test_a_method_reaches_the_daemon_with_its_caller(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server, "erika") as tool:
        recipe, version = await tool.call("Recipes", "AddRecipe", '{"name": "oxide"}')
    assert (len(recipe), version) == (36, 1)
    caller, path, method, arguments = daemon.calls[0]
    assert (caller.user, caller.roles) == ("erika", frozenset({"engineer"}))
    assert (path, method, arguments) == ("Recipes", "AddRecipe", ['{"name": "oxide"}'])


async def test_an_interlock_s_method_says_which_interlock(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server, "max") as tool:
        assert len(await tool.call("Interlocks/door_lost", "RequestBypass", "test of the door switch", 60.0)) == 36
        assert await tool.call("Interlocks/door_lost", "Reset") is None
    assert [path for _, path, _, _ in daemon.calls] == ["Interlocks/door_lost"] * 2


async def test_moments_cross_as_moments(server: UaServer) -> None:
    async with as_user(server, "otto") as tool:
        start = now_utc().replace(microsecond=250_000)
        answer = await tool.call("Runs", "GetTelemetry", "run", start, start, 7)
    assert start.isoformat() in answer


@pytest.mark.parametrize(
    ("user", "path", "method", "arguments"),
    [
        ("otto", "Runs", "StartRun", ("run",)),
        ("max", "Runs", "StartRun", ("run",)),
        ("olga", "Recipes", "ApproveRecipe", ("recipe", 1, "")),
        ("olga", "Interlocks/door_lost", "RequestBypass", ("because", 5.0)),
        ("otto", "State", "TakeControl", ()),
        ("", "State", "SafeShutdown", ()),
        ("", "Runs", "GetRun", ("run",)),
    ],
)
async def test_who_has_not_the_role_is_refused_before_the_daemon_hears_of_it(
    server: UaServer, daemon: FakeDaemon, user: str, path: str, method: str, arguments: tuple[Any, ...]
) -> None:
    async with as_user(server, user) as tool:
        with pytest.raises(ClientError) as refusal:
            await tool.call(path, method, *arguments)
    assert refusal.value.status == "BadUserAccessDenied"
    assert refusal.value.reason
    assert daemon.calls == []


async def test_a_refusal_says_which_role_is_needed(server: UaServer) -> None:
    async with as_user(server, "otto") as tool:
        with pytest.raises(ClientError, match="needs the role engineer or operator; otto has observer"):
            await tool.call("Runs", "StartRun", "run")


async def test_anybody_with_a_name_may_shut_down_safely(server: UaServer, daemon: FakeDaemon) -> None:
    for user in PASSWORDS:
        async with as_user(server, user) as tool:
            await tool.call("State", "SafeShutdown")
    assert [method for _, _, method, _ in daemon.calls] == ["SafeShutdown"] * len(PASSWORDS)


async def test_the_daemon_s_refusal_reaches_the_client_word_for_word(server: UaServer, daemon: FakeDaemon) -> None:
    daemon.refusal = Refused("BadInvalidState", "the chamber is open; close the door first")
    async with as_user(server, "olga") as tool:
        with pytest.raises(ClientError) as refusal:
            await tool.call("Runs", "StartRun", "run")
    assert (refusal.value.status, refusal.value.reason) == (
        "BadInvalidState",
        "the chamber is open; close the door first",
    )


async def test_who_asks_for_no_diagnostics_hears_the_reason_as_an_event(server: UaServer, daemon: FakeDaemon) -> None:
    """And nobody else hears it: a refusal is between the server and who asked."""
    daemon.refusal = Refused("BadInvalidState", "no recipe is loaded")
    daemon.language["no recipe is loaded"] = "kein Rezept ist geladen"
    async with as_user(server, "olga") as tool, as_user(server, "erika") as other:
        heard, overheard = Heard(), Heard()
        for client, handler in ((tool, heard), (other, overheard)):
            subscription = await client._client.create_subscription(50, handler)
            await subscription.subscribe_events()
        result = await raw_call(tool, "Runs", "StartRun", ua.Variant("run", ua.VariantType.String))
        assert result.StatusCode.name == "BadInvalidState"
        await until(lambda: heard.events)
        assert heard.events[0].Message.Text == "kein Rezept ist geladen"
        assert heard.events[0].SourceNode == tool.node("Runs")
        await other.read("State/Mode")
        assert overheard.events == []
        with pytest.raises(ClientError, match="kein Rezept ist geladen"):
            await tool.call("Runs", "StartRun", "run")


class Heard:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def event_notification(self, event: Any) -> None:
        self.events.append(event)


async def test_missing_and_surplus_arguments_are_named(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server, "erika") as tool:
        with pytest.raises(ClientError, match="also needs Version, Comment") as missing:
            await tool.call("Recipes", "ApproveRecipe", "recipe")
        with pytest.raises(ClientError, match="takes 1 arguments, not 2") as surplus:
            await tool.call("Recipes", "AddRecipe", "{}", "more")
    assert missing.value.status == "BadArgumentsMissing"
    assert surplus.value.status == "BadTooManyArguments"
    assert daemon.calls == []


@pytest.mark.parametrize(
    ("given", "result"),
    [
        (ua.Variant(1, ua.VariantType.UInt32), "Good"),
        (ua.Variant(1, ua.VariantType.Int64), "Good"),  # clients guess the width of integers
        (ua.Variant(-1, ua.VariantType.Int64), "BadOutOfRange"),
        (ua.Variant(2**32, ua.VariantType.Int64), "BadOutOfRange"),
        (ua.Variant("1", ua.VariantType.String), "BadTypeMismatch"),
        (ua.Variant(1.0, ua.VariantType.Double), "BadTypeMismatch"),
        (ua.Variant([1], ua.VariantType.UInt32), "BadTypeMismatch"),
        (ua.Variant(None, ua.VariantType.Null), "BadTypeMismatch"),
    ],
)
async def test_an_argument_of_the_wrong_type_is_pointed_at(
    server: UaServer, daemon: FakeDaemon, given: Any, result: str
) -> None:
    text = ua.Variant("recipe", ua.VariantType.String)
    async with as_user(server, "erika") as tool:
        answer = await raw_call(tool, "Recipes", "GetRecipe", text, given)
    if result == "Good":
        assert daemon.calls[0][3] == ["recipe", 1]
    else:
        assert answer.StatusCode.name == "BadInvalidArgument"
        assert [one.name for one in answer.InputArgumentResults] == ["Good", result]
        assert daemon.calls == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
async def test_what_is_no_number_is_no_duration(server: UaServer, daemon: FakeDaemon, value: float) -> None:
    async with as_user(server, "max") as tool:
        with pytest.raises(ClientError, match="no finite number"):
            await tool.call("Interlocks/door_lost", "RequestBypass", "because", value)
    assert daemon.calls == []


async def test_text_that_is_not_utf8_is_refused(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server, "erika") as tool:
        with pytest.raises(errors.BadDecodingError):
            await raw_call(tool, "Recipes", "AddRecipe", ua.Variant("\udcff\udcfe", ua.VariantType.String))
    assert daemon.calls == []


async def test_a_method_of_another_object_is_not_carried_out(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server, "erika") as tool:
        for target, method, expected in (
            ("Recipes", "Runs/StartRun", "BadMethodInvalid"),
            ("Nowhere", "Runs/StartRun", "BadNodeIdUnknown"),
            ("Runs", "Runs/Nothing", "BadNodeIdUnknown"),
            ("State", "State/Mode", "BadMethodInvalid"),
        ):
            request = ua.CallMethodRequest(tool.node(target), tool.node(method), [])
            (result,) = await tool._client.uaclient.call([request])
            assert result.StatusCode.name == expected
    assert daemon.calls == []


async def test_a_method_may_be_named_by_its_type(server: UaServer, daemon: FakeDaemon) -> None:
    """As Part 4 permits, so that one screen serves every interlock."""
    async with as_user(server, "max") as tool:
        index = await tool._client.get_namespace_index("urn:cvd-supervisor:types")
        request = ua.CallMethodRequest(tool.node("Interlocks/door_lost"), ua.NodeId("InterlockType/Reset", index), [])
        (result,) = await tool._client.uaclient.call([request])
        assert result.StatusCode.is_good()
    assert daemon.calls[0][1:3] == ("Interlocks/door_lost", "Reset")


async def test_a_fault_of_the_daemon_is_an_internal_error_and_the_session_lives(
    server: UaServer, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise KeyError("a fault of ours")

    async with as_user(server, "erika") as tool:
        with monkeypatch.context() as patch:
            patch.setattr(daemon, "call", broken)
            with pytest.raises(ClientError) as refusal:
                await tool.call("State", "CheckInterlocks")
        assert refusal.value.status == "BadInternalError"
        assert await tool.call("State", "CheckInterlocks") == [True, "[]"]


async def test_what_a_user_may_call_can_be_read(server: UaServer) -> None:
    for user, expected in (("olga", True), ("otto", False), ("", False)):
        async with as_user(server, user) as tool:
            node = tool._client.get_node(tool.node("Runs/StartRun"))
            data = await node.read_attribute(Attr.UserExecutable)
            assert data.Value.Value is expected


async def test_too_many_calls_at_once_are_refused(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server, "erika") as tool:
        one = ua.CallMethodRequest(tool.node("State"), tool.node("State/CheckInterlocks"), [])
        with pytest.raises(errors.BadTooManyOperations):
            await tool._client.uaclient.call([one] * 21)
    assert daemon.calls == []
