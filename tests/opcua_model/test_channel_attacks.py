"""Attacks on the secure channel by somebody who holds every key of his own: order, numbers, tokens, sizes and time."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from struct import pack
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from opcua_model import channel
from opcua_model.certificates import make_identity
from opcua_model.client import _throwaway, connect
from opcua_model.interface import Entry
from opcua_model.server import UaServer
from opcua_model.settings import Limits
from opcua_model.stack import errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, serving, until
from tests.opcua_model.wire import HangupError, Line, frame, header, hello, params_of, server_certificate, type_id

pytestmark = pytest.mark.anyio
T = TypeVar("T")
MODE = ua.NodeId("State/Mode", 3)


def port_of(server: UaServer) -> int:
    port = urlsplit(server.endpoint).port
    assert port is not None
    return port


async def attack(server: UaServer, work: Callable[[Line], T], *, user: str = "olga", open_session: bool = True) -> T:
    """Let somebody with a signed and encrypted channel do something, in a thread of his own."""

    def run() -> T:
        port = port_of(server)
        with Line(port, _throwaway(), server_certificate(port)) as line:
            if open_session:
                line.log_in(user, PASSWORDS[user])
            else:
                line.greet()
            return work(line)

    return await anyio.to_thread.run_sync(run)


def mode(line: Line) -> str:
    wanted = ua.ReadParameters(NodesToRead=[ua.ReadValueId(MODE, 13)])
    return str(line.ask("Read", wanted, ua.ReadResponse).Results[0].Value.Value)


def reading(line: Line) -> bytes:
    wanted = ua.ReadParameters(NodesToRead=[ua.ReadValueId(MODE, 13)])
    return type_id("ReadRequest") + header(line.session) + params_of(wanted)


# ------------------------------------------------------------------------------------------------ sequence numbers


async def test_a_replayed_message_ends_the_connection(server: UaServer) -> None:
    def work(line: Line) -> str:
        message = line.message(reading(line))
        line.send(message)
        line.answer()
        line.send(message)
        return line.refusal()

    assert await attack(server, work) == "BadSecurityChecksFailed"


@pytest.mark.parametrize("step", [0, 2, -1, 1000, 2**31])
async def test_reordered_and_skipped_numbers_end_the_connection(server: UaServer, step: int) -> None:
    def work(line: Line) -> str:
        line.request += 1
        line.send(line.chunk(reading(line), sequence=(line.sequence + step) & 0xFFFFFFFF))
        return line.refusal()

    assert await attack(server, work) == "BadSecurityChecksFailed"


async def test_two_messages_in_the_wrong_order_are_not_put_right(server: UaServer) -> None:
    def work(line: Line) -> str:
        first, second = line.message(reading(line)), line.message(reading(line))
        line.send(second + first)
        return line.refusal()

    assert await attack(server, work) == "BadSecurityChecksFailed"


async def test_numbers_may_begin_again_after_the_last(server: UaServer) -> None:
    def work(line: Line) -> str:
        line.sequence = 2**32 - 4
        line.greet()
        line.open()
        line.create_session()
        line.activate(ua.UserNameIdentityToken(PolicyId="username", UserName="olga", Password=b"valve-17"))
        line.sequence = 0  # 2^32 - 1 is behind it
        return mode(line)

    def run() -> str:
        port = port_of(server)
        with Line(port, _throwaway(), server_certificate(port)) as line:
            return work(line)

    assert await anyio.to_thread.run_sync(run) == "Ready"


@pytest.mark.parametrize("way", ["a bit", "the signature", "another channel", "another token", "token zero"])
async def test_what_is_forged_ends_the_connection(server: UaServer, way: str) -> None:
    def flipped(data: bytes, at: int) -> bytes:
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    def work(line: Line) -> str:
        line.request += 1
        options: dict[str, Any] = {
            "a bit": {"forged": lambda whole: flipped(whole, 40)},
            "the signature": {"forged": lambda whole: flipped(whole, len(whole) - 1)},
            "another channel": {"channel": line.channel + 1},
            "another token": {"token": line.token + 1},
            "token zero": {"token": 0},
        }[way]
        line.send(line.chunk(reading(line), **options))
        return line.refusal()

    refusal = await attack(server, work)
    assert refusal == ("BadSecureChannelTokenUnknown" if "token" in way else "BadSecurityChecksFailed")


# ----------------------------------------------------------------------------------------------------------- renewal


async def test_a_renewed_channel_goes_on_and_the_old_keys_are_over(server: UaServer) -> None:
    def work(line: Line) -> str:
        before = line.token
        for _ in range(3):
            line.open(renew=True)
            assert mode(line) == "Ready"
        line.request += 1
        line.send(line.chunk(reading(line), token=before))
        return line.refusal()

    assert await attack(server, work) == "BadSecureChannelTokenUnknown"


async def test_until_the_new_token_is_used_the_old_one_holds(server: UaServer) -> None:
    """The answer to a renewal and requests under the old keys pass each other on the wire."""

    def work(line: Line) -> str:
        opening = line.opening(renew=True)
        line.request += 1
        line.send(line.chunk(opening, kind=b"OPN"))
        late = line.message(reading(line))  # made before the answer has come
        line.send(late)
        answers = [line.answer()[1] for _ in range(2)]
        assert line.parse(ua.ReadResponse, answers[1]).Results[0].Value.Value == "Ready"
        line.opened(answers[0])
        return mode(line)

    assert await attack(server, work) == "Ready"


async def test_of_two_renewals_on_the_way_the_later_one_counts(server: UaServer) -> None:
    def work(line: Line) -> list[int]:
        tokens, body = list[int](), b""
        for _ in range(2):
            opening = line.opening(renew=True)
            line.request += 1
            line.send(line.chunk(opening, kind=b"OPN"))
            number, body = line.answer()
            assert number == line.request
            tokens.append(line.parse(ua.OpenSecureChannelResponse, body).Parameters.SecurityToken.TokenId)
        line.opened(body)
        assert mode(line) == "Ready"
        return tokens

    first, second = await attack(server, work)
    assert first != second


@pytest.mark.parametrize(
    ("renew", "before", "refusal"),
    [(False, True, "BadRequestTypeInvalid"), (True, False, "BadRequestTypeInvalid")],
    ids=["opened twice", "renewed before it is open"],
)
async def test_a_channel_is_opened_once_and_then_renewed(
    server: UaServer, renew: bool, before: bool, refusal: str
) -> None:
    def work(line: Line) -> str:
        if before:
            line.open()
        line.request += 1
        line.send(line.chunk(line.opening(renew=renew), kind=b"OPN"))
        return line.refusal()

    assert await attack(server, work, open_session=False) == refusal


@pytest.mark.parametrize("nonce", [b"", b"short", b"n" * 31, b"n" * 64])
async def test_a_nonce_of_the_wrong_length_opens_nothing(server: UaServer, nonce: bytes) -> None:
    def work(line: Line) -> str:
        line.request += 1
        line.send(line.chunk(line.opening(nonce=nonce), kind=b"OPN"))
        return line.refusal()

    assert await attack(server, work, open_session=False) == "BadNonceInvalid"


async def test_a_nonce_is_used_once(server: UaServer) -> None:
    def work(line: Line) -> str:
        line.open()
        line.request += 1
        line.send(line.chunk(line.opening(renew=True, nonce=line.nonce), kind=b"OPN"))
        return line.refusal()

    assert await attack(server, work, open_session=False) == "BadNonceInvalid"


async def test_a_channel_that_nobody_renews_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "LEAST_LIFETIME_S", 0.1)
    limits = replace(Limits(), channel_lifetime_s=0.3, activation_s=0.1)
    async with serving(FakeDaemon(furnace()), tmp_path, limits=limits) as server:
        assert await attack(server, lambda line: line.refusal()) == ""  # it was closed, with nothing left to sign with


# ------------------------------------------------------------------------------------------------- sizes and floods


async def test_chunks_without_end_end_the_connection(tmp_path: Path) -> None:
    """A message in parts that never becomes whole: bytes and number of parts have a bound."""
    limits = replace(Limits(), message_bytes=100_000, message_bytes_before_login=20_000)
    async with serving(FakeDaemon(furnace()), tmp_path, limits=limits) as server:

        def flood(size: int) -> Callable[[Line], str]:
            def work(line: Line) -> str:
                line.request += 1
                try:
                    for _ in range(500):
                        line.send(line.chunk(b"x" * size, final=b"C"))
                except OSError:
                    pass
                try:
                    return line.refusal()
                except OSError:
                    return "closed"

            return work

        for size, logged_in in ((8_000, True), (8_000, False), (1, True)):
            refusal = (
                await attack(server, flood(size), open_session=logged_in)
                if logged_in
                else await attack(server, lambda line: (line.open(), flood(8_000)(line))[1], open_session=False)
            )
            assert refusal in {"BadRequestTooLarge", "", "closed"}
        async with connect(server.endpoint) as tool:
            assert await tool.read("State/Mode") == "Ready"


async def test_an_aborted_message_is_forgotten_and_the_channel_lives(server: UaServer) -> None:
    def work(line: Line) -> str:
        line.request += 1
        line.send(line.chunk(b"x" * 5_000, final=b"C"))
        line.send(line.chunk(pack("<I", 0x80000000) + pack("<i", -1), final=b"A"))
        return mode(line)

    assert await attack(server, work) == "Ready"


async def test_an_answer_that_the_client_cannot_take_is_not_sent(server: UaServer) -> None:
    def run() -> str:
        port = port_of(server)
        with Line(port, _throwaway(), server_certificate(port)) as line:
            line.send(hello(largest=3_000))
            line.frame()
            line.open()
            with pytest.raises(errors.BadResponseTooLarge):
                line.create_session()
            return "refused"

    assert await anyio.to_thread.run_sync(run) == "refused"


async def test_a_greeting_is_said_once_and_in_time(server: UaServer) -> None:
    def run() -> list[str]:
        found: list[str] = []
        for data in (
            frame(b"ACK", bytes(20)),
            hello(buffer=8_191),
            hello(url=b"x" * 10) * 2,
            frame(b"HEL", bytes(20) + pack("<i", 2**31 - 1) + bytes(20)),
        ):
            with Line(port_of(server)) as line:
                line.send(data)
                found.append(line.refusal())
        return found

    assert await anyio.to_thread.run_sync(run) == [
        "BadTcpMessageTypeInvalid", "BadConnectionRejected", "BadTcpMessageTypeInvalid", "BadDecodingError",
    ]  # fmt: skip


async def test_a_slow_loris_is_shown_out(tmp_path: Path) -> None:
    """A byte now and then keeps no place."""
    limits = replace(Limits(), activation_s=0.5)
    async with serving(FakeDaemon(furnace()), tmp_path, limits=limits) as server:

        def run() -> int:
            with Line(port_of(server)) as line:
                for sent, byte in enumerate(hello() * 10):
                    try:
                        line.send(bytes([byte]))
                    except OSError:
                        return sent
                    line.socket.settimeout(0.05)
                    try:
                        if line.socket.recv(100) == b"":
                            return sent
                    except TimeoutError:
                        continue
                    except OSError:  # reset: it was closed over a byte that nobody read
                        return sent
            return 10**6

        assert await anyio.to_thread.run_sync(run) < 200


async def test_half_open_connections_of_one_peer_are_few(tmp_path: Path) -> None:
    limits = replace(Limits(), half_open_per_peer=5)
    async with serving(FakeDaemon(furnace()), tmp_path, limits=limits) as server:
        lines = [await anyio.to_thread.run_sync(Line, port_of(server)) for _ in range(60)]
        await until(lambda: len(server._listener.clients) == 5)
        async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as tool:
            assert await tool.read("State/Mode") == "Ready"
        for line in lines:
            line.close()


# --------------------------------------------------------------------------------------------- others go on meanwhile


async def test_a_client_that_asks_without_reading_is_held_back_and_others_are_served(tmp_path: Path) -> None:
    limits = replace(Limits(), unsent_bytes=200_000, stalled_s=1.0)
    daemon = FakeDaemon(furnace())
    outcome, held = list[str](), 0
    async with serving(daemon, tmp_path, limits=limits) as server:

        def run() -> str:
            port = port_of(server)
            with Line(port, _throwaway(), server_certificate(port)) as line:
                line.log_in("otto", PASSWORDS["otto"])
                wanted = ua.ReadValueId(NodeId=ua.NodeId("Results/large/Report", 3), AttributeId=13)
                body = type_id("ReadRequest") + header(line.session)
                body += params_of(ua.ReadParameters(NodesToRead=[wanted]))
                for _ in range(200):
                    line.send(line.message(body))
                time.sleep(3)  # so long it does not read
                return line.refusal()

        await server.show(Entry("Results", "large", {"Report": "x" * 1_000_000}))
        async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as tool, anyio.create_task_group() as group:

            async def besiege() -> None:
                outcome.append(await anyio.to_thread.run_sync(run))

            group.start_soon(besiege)
            while not outcome:
                assert await tool.read("State/Mode") == "Ready"
                held = max(held, *(one.transport.get_write_buffer_size() for one in server._listener.clients))
                await anyio.sleep(0.02)
        assert outcome == [""]  # thrown out: a hundred answers were never made
        assert 200_000 < held < 2_500_000


async def test_a_client_that_vanishes_in_the_middle_of_a_call_leaves_nothing_half_done(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    begun, go_on, done = anyio.Event(), anyio.Event(), anyio.Event()

    async def slow(caller: Any, path: str, method: str, arguments: Any) -> Any:
        begun.set()
        await go_on.wait()
        done.set()
        return "[]"

    async with serving(daemon, tmp_path) as server:
        daemon.call = slow
        port = port_of(server)

        def ask_and_vanish() -> None:
            with Line(port, _throwaway(), server_certificate(port)) as line:
                line.log_in("erika", PASSWORDS["erika"])
                call = ua.CallMethodRequest(ua.NodeId("Recipes", 3), ua.NodeId("Recipes/ListRecipes", 3))
                call.InputArguments = [
                    ua.Variant(""),
                    ua.Variant(0, ua.VariantType.UInt32),
                    ua.Variant(1, ua.VariantType.UInt32),
                ]
                body = type_id("CallRequest") + header(line.session) + params_of(ua.CallParameters([call]))
                line.send(line.message(body))
                time.sleep(0.1)

        await anyio.to_thread.run_sync(ask_and_vanish)
        await begun.wait()
        await until(lambda: not server._listener.clients)
        go_on.set()
        with anyio.fail_after(5):
            await done.wait()


async def test_a_long_call_keeps_nothing_else_of_its_client_waiting(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    go_on = anyio.Event()
    usual = daemon.call

    async def slow(caller: Any, path: str, method: str, arguments: Any) -> Any:
        if method == "ListRecipes":
            await go_on.wait()
            return ("[]",)
        return await usual(caller, path, method, arguments)

    limits = replace(Limits(), parallel_calls=2)
    async with serving(daemon, tmp_path, limits=limits) as server:
        daemon.call = slow
        async with connect(server.endpoint, "erika", PASSWORDS["erika"]) as tool, anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(tool.call, "Recipes", "ListRecipes", "", 0, 1)
            await anyio.sleep(0.1)
            with anyio.fail_after(5):
                assert await tool.read("State/Mode") == "Ready"
                await tool.call("State", "SafeShutdown")  # urgent: it waits for no place
            go_on.set()


async def test_what_waits_is_given_up_when_its_client_asks_and_what_was_begun_goes_on(tmp_path: Path) -> None:
    """Cancel (Part 4, 5.6.5): a queued call never reaches the daemon, the one that has is answered as ever."""
    daemon = FakeDaemon(furnace())
    begun: list[Any] = []
    go_on = anyio.Event()

    async def slow(caller: Any, path: str, method: str, arguments: Any) -> Any:
        begun.append((caller, path, method, arguments))
        await go_on.wait()
        return ("[]",)

    def asked(line: Line, handle: int) -> None:
        call = ua.CallMethodRequest(ua.NodeId("Recipes", 3), ua.NodeId("Recipes/ListRecipes", 3))
        kinds = ua.VariantType
        call.InputArguments = [ua.Variant("", kinds.String), *(ua.Variant(one, kinds.UInt32) for one in (0, 1))]
        body = type_id("CallRequest") + header(line.session, handle) + params_of(ua.CallParameters([call]))
        line.send(line.message(body))

    def published(line: Line, handle: int) -> None:
        line.send(line.message(type_id("PublishRequest") + header(line.session, handle) + pack("<i", -1)))

    def cancelled(line: Line, handle: int) -> tuple[list[str], int]:
        """Cancel; return what the answers before that to Cancel said, and how many it says there were."""
        body = type_id("CancelRequest") + header(line.session, 99) + params_of(ua.CancelParameters(handle))
        line.send(line.message(body))
        said: list[str] = []
        count: int | None = None
        while count is None or len(said) < count:
            answer = line.answer()[1]
            try:
                count = int(line.parse(ua.CancelResponse, answer).Parameters.CancelCount)
            except errors.UaStatusCodeError as error:
                said.append(ua.StatusCode(error.code).name)
        return said, count

    def work(line: Line) -> list[tuple[list[str], int]]:
        subscribed = ua.CreateSubscriptionParameters(60_000.0, 600, 20, 0, PublishingEnabled=True)
        line.ask("CreateSubscription", subscribed, ua.CreateSubscriptionResponse)
        published(line, 5)  # answered at once: a subscription says first that it is there
        line.parse(ua.PublishResponse, line.answer()[1])
        asked(line, 7)  # takes the only place
        for _ in range(2):
            asked(line, 8)
        published(line, 9)
        told = [cancelled(line, handle) for handle in (7, 8, 8, 9, 4711)]
        anyio.from_thread.run_sync(go_on.set)
        assert line.parse(ua.CallResponse, line.answer()[1]).Results[0].StatusCode.is_good()
        assert mode(line) == "Ready"
        return told

    async with serving(daemon, tmp_path, limits=replace(Limits(), parallel_calls=1)) as server:
        daemon.call = slow
        told = await attack(server, work)
    both = ["BadRequestCancelledByClient"] * 2
    assert told == [([], 0), (both, 2), ([], 0), (both[:1], 1), ([], 0)]
    assert len(begun) == 1


@pytest.mark.parametrize("shown", [None, b"", b"stranger"])
async def test_a_session_shows_the_certificate_of_its_channel(server: UaServer, shown: bytes | None) -> None:
    """A client that leaves its certificate away, or shows somebody else's, is no way around the trust list."""
    other = await anyio.to_thread.run_sync(_somebody_else) if shown == b"stranger" else shown

    def work(line: Line) -> str:
        line.open()
        params = ua.CreateSessionParameters(
            ClientDescription=ua.ApplicationDescription(ApplicationUri="urn:cvd-supervisor:client"),
            EndpointUrl="opc.tcp://127.0.0.1/cvd",
            ClientNonce=bytes(range(32)),
            ClientCertificate=other,
            RequestedSessionTimeout=60_000,
        )
        with pytest.raises(errors.BadCertificateInvalid):
            line.ask("CreateSession", params, ua.CreateSessionResponse)
        return "refused"

    assert await attack(server, work, open_session=False) == "refused"
    assert server._internal.sessions == []


def _somebody_else() -> bytes:
    somebody = make_identity("urn:cvd-supervisor:client", "somebody else", (), days=1, server=False)
    return somebody.certificate.public_bytes(Encoding.DER)


async def test_wrong_logins_in_a_row_end_the_connection(server: UaServer) -> None:
    def work(line: Line) -> tuple[int, str]:
        line.open()
        line.create_session()
        wrong = ua.UserNameIdentityToken(PolicyId="username", UserName="olga", Password=b"guess")
        for attempt in range(20):
            try:
                line.activate(wrong)
            except errors.BadUserAccessDenied:
                continue
            except HangupError as hangup:
                return attempt, hangup.name
        return 20, ""

    attempts, _ = await attack(server, work, open_session=False)
    assert attempts == 5
