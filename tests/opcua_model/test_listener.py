"""The bare socket: noise, giants and parked connections cost nobody else anything."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from struct import pack
from urllib.parse import urlsplit

import anyio
import pytest
from anyio.abc import SocketStream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opcua_model.client import connect
from opcua_model.interface import Entry
from opcua_model.publishing.encoding import counted
from opcua_model.server import UaServer
from opcua_model.settings import Limits, is_loopback
from opcua_model.stack import Attr, Ids, binary, ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, serving, until

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def socket_to(server: UaServer) -> AsyncGenerator[SocketStream]:
    port = urlsplit(server.endpoint).port
    assert port is not None
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        yield stream


async def closed(stream: SocketStream, within_s: float = 5.0) -> bytes:
    """What the server says before it closes the connection."""
    said = b""
    with anyio.fail_after(within_s):
        while True:
            try:
                said += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return said


def frame(kind: bytes, body: bytes) -> bytes:
    return kind + b"F" + pack("<I", 8 + len(body)) + body


def hello(buffer: int = 65535) -> bytes:
    url = b"opc.tcp://127.0.0.1/cvd"
    return frame(b"HEL", pack("<IIIII", 0, buffer, buffer, 0, 0) + counted(len(url), url))


NOISE = {
    "a web browser": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeros": bytes(64),
    "two gigabytes announced": b"MSGF" + pack("<I", 2_000_000_000) + b"x" * 64,
    "a frame without a body": b"MSGF" + pack("<I", 8),
    "a size below the header": b"HELF" + pack("<I", 3),
    "an unknown kind": b"XYZF" + pack("<I", 64) + bytes(56),
    "a message before the greeting": frame(b"MSG", bytes(64)),
    "a greeting cut short": frame(b"HEL", bytes(6)),
    "tiny buffers": hello(100),
    "a channel of an unknown policy": hello() + frame(b"OPN", bytes(4) + counted(9, b"something") + bytes(40)),
    "a message without a channel": hello() + frame(b"MSG", bytes(80)),
    "two greetings": hello() + hello(),
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE.keys())
async def test_what_is_not_opc_ua_ends_its_own_connection(server: UaServer, noise: bytes) -> None:
    async with socket_to(server) as stream:
        await stream.send(noise)
        await closed(stream)
    async with connect(server.endpoint) as tool:
        assert await tool.read("State/Mode") == "Ready"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(min_size=1, max_size=200), greeted=st.booleans())
async def test_random_bytes_never_stop_the_server(server: UaServer, noise: bytes, greeted: bool) -> None:
    async with socket_to(server) as stream:
        await stream.send((hello() if greeted else b"") + frame(b"OPN", noise) + noise)
        await stream.send_eof()
        await closed(stream)
    assert server._listener.clients == [] or all(one.active for one in server._listener.clients)


async def test_a_parked_connection_is_closed_after_its_time(tmp_path: Path) -> None:
    limits = replace(Limits(), activation_s=0.2)
    async with (
        serving(FakeDaemon(furnace()), tmp_path, limits=limits) as server,
        connect(server.endpoint, "erika", PASSWORDS["erika"]) as tool,
        socket_to(server) as stream,
    ):
        await stream.send(hello())
        await closed(stream)
        assert await tool.read("State/Mode") == "Ready"  # who is logged in stays


async def test_parked_connections_make_room_and_users_keep_theirs(tmp_path: Path) -> None:
    """1100 parked sockets locked every client out of asyncua's own server."""
    limits = replace(Limits(), connections=5)
    async with (
        serving(FakeDaemon(furnace()), tmp_path, limits=limits) as server,
        connect(server.endpoint, "erika", PASSWORDS["erika"]) as tool,
    ):
        port = urlsplit(server.endpoint).port
        assert port is not None
        parked = [await anyio.connect_tcp("127.0.0.1", port) for _ in range(12)]
        await until(lambda: len(server._listener.clients) == 5)
        async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as another:
            assert await another.read("State/Mode") == "Ready"
        assert await tool.read("State/Mode") == "Ready"
        for stream in parked:
            await stream.aclose()


async def test_a_long_message_is_refused_before_anybody_logged_in(tmp_path: Path) -> None:
    limits = replace(Limits(), message_bytes_before_login=4096)
    async with serving(FakeDaemon(furnace()), tmp_path, limits=limits) as server, socket_to(server) as stream:
        policy = b"http://opcfoundation.org/UA/SecurityPolicy#None"
        none = pack("<i", -1)
        body = pack("<BBH", 1, 0, int(Ids.OpenSecureChannelRequest_Encoding_DefaultBinary))
        header = ua.RequestHeader()
        body += binary.struct_to_binary(header) + binary.struct_to_binary(
            ua.OpenSecureChannelParameters(
                RequestType=ua.SecurityTokenRequestType.Issue,
                SecurityMode=ua.MessageSecurityMode.None_,
                ClientNonce=b"",
                RequestedLifetime=60_000,
            )
        )
        await stream.send(
            hello() + frame(b"OPN", bytes(4) + counted(len(policy), policy) + none * 2 + pack("<II", 1, 1) + body)
        )
        with anyio.fail_after(5):
            said = await stream.receive()
            while b"OPN" not in said:
                said += await stream.receive()
        place = said.index(b"OPN") + 8
        channel = said[place : place + 4]
        part = b"MSGC" + pack("<I", 8 + 16 + 2000) + channel + pack("<I", 13)
        for number in range(2, 6):
            await stream.send(part + pack("<II", number, 2) + bytes(2000))
        assert b"ERR" in await closed(stream)


async def test_a_client_that_fetches_no_answer_is_given_up(tmp_path: Path) -> None:
    """Its answers would fill the memory of the server."""
    daemon = FakeDaemon(furnace())
    limits = replace(Limits(), unsent_bytes=100_000, stalled_s=0.5)
    async with serving(daemon, tmp_path, limits=limits) as server:
        await server.show(Entry("Results", "large", {"Report": "x" * 1_000_000}))
        async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
            protocol = tool._client.uaclient.protocol
            protocol.transport.pause_reading()
            wanted = ua.ReadValueId(NodeId=tool.node("Results/large/Report"), AttributeId=Attr.Value)
            request = ua.ReadRequest()
            request.Parameters.NodesToRead = [wanted]
            asked = [protocol._send_request(request) for _ in range(40)]
            await until(lambda: not daemon.sessions)
            protocol.transport.resume_reading()
            for answer in asked:
                answer.cancel()


def test_what_is_this_computer_and_what_is_not() -> None:
    for own in ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "::1%lo", "localhost"):
        assert is_loopback(own)
    for other in ("10.0.0.1", "::1234", "::ffff:10.0.0.1", "0.0.0.0", "::", "", "127.0.0.1.example.org"):
        assert not is_loopback(other)


async def test_limits_are_advertised(server: UaServer) -> None:
    async with connect(server.endpoint) as tool:
        limits = server._settings.limits
        for name, value in (
            ("MaxNodesPerRead", limits.nodes_per_read),
            ("MaxNodesPerMethodCall", limits.nodes_per_call),
            ("MaxMonitoredItemsPerCall", limits.monitored_items_per_call),
        ):
            node = getattr(Ids, f"Server_ServerCapabilities_OperationLimits_{name}")
            assert await tool._client.get_node(ua.NodeId(node)).read_value() == value
        for name, value in (("MinSupportedSampleRate", 10.0), ("LocaleIdArray", ["en"])):
            node = getattr(Ids, f"Server_ServerCapabilities_{name}")
            assert await tool._client.get_node(ua.NodeId(node)).read_value() == value
