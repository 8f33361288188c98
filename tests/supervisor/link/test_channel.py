"""The channel delivers whole messages in order, and nothing that was meant for the dead."""

import socket
from uuid import uuid4

import anyio
import pytest

from supervisor.link.channel import ATTACHED, FRAME_BYTES, MESSAGE_BYTES, Channel, socket_pair
from supervisor.link.errors import MessageError
from supervisor.link.messages import Command, CommandKind, Event, EventKind, Principal, Reply

OPERATOR = Principal(user="olga", roles=("operator",))


def command(**args: object) -> Command:
    return Command(id=uuid4(), principal=OPERATOR, kind=CommandKind.WRITE, args=args)


def event(seq: int, text: str = "") -> Event:
    return Event(seq=seq, time_ns=seq, scan=seq, kind=EventKind.NOTICE, data={"text": text})


class Ends:
    """What the launcher keeps: both sockets, of which halves get duplicates."""

    def __init__(self) -> None:
        self.controller, self.server = socket_pair()

    def channel(self, side: str) -> Channel:
        kept: socket.socket = getattr(self, side)
        return Channel(kept.dup(), side)  # type: ignore[arg-type]

    def close(self) -> None:
        self.controller.close()
        self.server.close()


@pytest.fixture
def ends():
    pair = Ends()
    yield pair
    pair.close()


async def meet(one: Channel, other: Channel) -> None:
    async with anyio.create_task_group() as group:
        for end in (one, other):
            group.start_soon(end.receive)


@pytest.mark.anyio
async def test_commands_and_replies_cross_whole_and_in_order(ends: Ends) -> None:
    async with ends.channel("controller") as controller, ends.channel("server") as server:
        await meet(controller, server)
        asked = command(tag="heater.zone1.setpoint_c", value=800.0)
        await server.send(asked)
        assert await controller.receive() == asked
        answers = [Reply(id=asked.id), event(1, "Good"), event(2)]
        for answer in answers:
            await controller.send(answer)
        assert [await server.receive() for _ in answers] == answers


@pytest.mark.anyio
async def test_a_recipe_larger_than_a_frame_arrives_whole(ends: Ends) -> None:
    async with ends.channel("controller") as controller, ends.channel("server") as server:
        await meet(controller, server)
        large = command(recipe="x" * (40 * FRAME_BYTES))
        async with anyio.create_task_group() as group:
            group.start_soon(server.send, large)
            assert await controller.receive() == large


@pytest.mark.anyio
async def test_a_message_over_the_limit_is_refused_by_its_sender(ends: Ends) -> None:
    async with ends.channel("controller") as controller, ends.channel("server") as server:
        await meet(controller, server)
        with pytest.raises(MessageError, match="over the limit"):
            await server.send(command(recipe="x" * MESSAGE_BYTES))
        await server.send(command(value=1.0))
        assert isinstance(await controller.receive(), Command)


@pytest.mark.anyio
async def test_a_command_to_a_controller_that_died_is_not_carried_out_by_its_successor(ends: Ends) -> None:
    async with ends.channel("server") as server:
        async with ends.channel("controller") as first:
            await meet(first, server)
            await server.send(command(value=1.0))  # Still unread when the controller dies.
        async with ends.channel("controller") as second:
            await meet(second, server)
            sent = command(value=2.0)
            await server.send(sent)
            assert await second.receive() == sent


@pytest.mark.anyio
async def test_a_new_server_hears_nothing_of_what_its_predecessor_was_told(ends: Ends) -> None:
    async with ends.channel("controller") as controller:
        async with ends.channel("server") as first:
            await meet(controller, first)
            await controller.send(event(1))
        async with ends.channel("server") as second:
            await meet(controller, second)
            await controller.send(event(2))
            assert await second.receive() == event(2)


@pytest.mark.anyio
async def test_an_end_that_was_there_first_hears_of_its_peer(ends: Ends) -> None:
    async with ends.channel("controller") as controller, ends.channel("server") as server:
        heard: list[object] = []

        async def wait() -> None:
            heard.append(await controller.receive())

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert not controller.attached
            group.start_soon(server.receive)
        assert heard == [ATTACHED]


@pytest.mark.anyio
async def test_a_peer_that_does_not_read_never_delays_the_controller(ends: Ends) -> None:
    """`offer` gives up instead of waiting; whole messages still arrive afterwards."""
    async with ends.channel("controller") as controller, ends.channel("server") as server:
        await meet(controller, server)
        taken = 0
        while controller.offer(event(taken + 1, "x" * 3 * FRAME_BYTES)):
            taken += 1
        assert taken > 0
        assert not controller.offer(event(0, "x" * 3 * FRAME_BYTES))
        for seq in range(1, taken + 1):
            got = await server.receive()
            assert isinstance(got, Event)
            assert got.seq == seq
        await controller.send(event(1000))
        assert await server.receive() == event(1000)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "payload", [b"", b"{", b"null", b'{"type": "reply"}', b'{"type": "command", "id": 1}', b"\xff" * 100]
)
async def test_what_is_no_message_is_refused_and_the_channel_goes_on(ends: Ends, payload: bytes) -> None:
    async with ends.channel("controller") as controller, ends.channel("server") as server:
        await meet(controller, server)
        for frame in server._frames(payload):
            await server._put(frame)
        with pytest.raises(MessageError):
            await controller.receive()
        sent = command(value=1.0)
        await server.send(sent)
        assert await controller.receive() == sent


@pytest.mark.anyio
async def test_a_frame_shorter_than_its_header_is_refused(ends: Ends) -> None:
    async with ends.channel("controller") as controller, ends.channel("server") as server:
        await meet(controller, server)
        await server._put(b"abc")
        with pytest.raises(MessageError, match="shorter"):
            await controller.receive()
