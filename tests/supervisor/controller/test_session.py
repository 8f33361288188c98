"""A server may be slow, dead or another one: the controller serves whoever is there and waits for nobody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import anyio
import pytest
from structlog.testing import capture_logs

from supervisor.controller.commands.session import UNDER_WAY, Session
from supervisor.controller.records.recorder import Draft, Recorder
from supervisor.link.channel import Attached, Channel, socket_pair
from supervisor.link.messages import Command, CommandKind, Event, EventKind, Principal, Query, Reply, Subscribe

pytestmark = pytest.mark.anyio
PERSON = Principal(user="olga", roles=("operator",))


def command(kind: CommandKind = CommandKind.ARM) -> Command:
    return Command(id=uuid4(), principal=PERSON, kind=kind)


@dataclass
class House:
    """A session whose commands wait for the door to be opened."""

    recorder: Recorder
    server: Channel
    session: Session
    door: anyio.Event = field(default_factory=anyio.Event)

    async def next(self, kind: type[Reply] | type[Event]) -> Reply | Event:
        while True:
            message = await self.server.receive()
            if isinstance(message, kind):
                return message


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    recorder = Recorder(folder)
    await anyio.to_thread.run_sync(recorder.open)
    mine, theirs = socket_pair()
    door = anyio.Event()

    async def carry_out(asked: Command) -> Reply:
        if asked.kind is CommandKind.WRITE:
            raise ZeroDivisionError("a mistake of ours")
        if asked.kind is not CommandKind.ABORT:
            await door.wait()
        return Reply(id=asked.id)

    async def answer(asked: Query) -> Reply:
        await anyio.lowlevel.checkpoint()
        return Reply(id=asked.id, result={"kind": asked.kind})

    async with Channel(mine, "controller") as controller, Channel(theirs, "server") as server:
        session = Session(controller, recorder, carry_out, answer)
        async with anyio.create_task_group() as group:
            group.start_soon(recorder.run)
            group.start_soon(session.run)
            assert isinstance(await server.receive(), Attached)
            with anyio.fail_after(10.0):
                yield House(recorder, server, session, door)
            group.cancel_scope.cancel()


def told(number: int) -> Draft:
    return Draft(EventKind.STEP, {"index": number}, number, number)


async def test_a_question_is_answered_while_a_command_is_under_way(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        slow, question = command(), Query(id=uuid4(), kind="status")
        await there.server.send(slow)
        await there.server.send(question)
        assert (await there.next(Reply)) == Reply(id=question.id, result={"kind": "status"})
        there.door.set()
        assert (await there.next(Reply)) == Reply(id=slow.id)


async def test_an_abort_passes_any_number_of_waiting_commands(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        for _ in range(UNDER_WAY):
            await there.server.send(command())
        refused, abort = command(), command(CommandKind.ABORT)
        await there.server.send(refused)
        await there.server.send(abort)
        first, second = await there.next(Reply), await there.next(Reply)
        assert isinstance(first, Reply)
        assert (first.id, first.status) == (refused.id, "BadTooManyOperations")
        assert second == Reply(id=abort.id)


async def test_a_mistake_of_ours_costs_one_command_only(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        with capture_logs() as lines:
            await there.server.send(command(CommandKind.WRITE))
            reply = await there.next(Reply)
        assert [line["log_level"] for line in lines] == ["error"]
        assert isinstance(reply, Reply)
        assert reply.status == "BadInternalError"
        await there.server.send(Query(id=uuid4(), kind="timing"))
        assert isinstance(await there.next(Reply), Reply)


async def test_events_come_from_where_the_server_asks_and_go_on_live(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        for number in range(1, 6):
            there.recorder.append(told(number))
        await there.server.send(Subscribe(after=3, epoch=uuid4()))
        assert [(await there.next(Event)).data["index"] for _ in range(2)] == [4, 5]  # type: ignore[union-attr]
        there.recorder.append(told(6))
        assert (await there.next(Event)).data["index"] == 6  # type: ignore[union-attr]


async def test_a_server_that_asks_again_gets_them_again(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        for number in range(1, 4):
            there.recorder.append(told(number))
        await there.server.send(Subscribe(after=0, epoch=uuid4()))
        assert [(await there.next(Event)).data["index"] for _ in range(3)] == [1, 2, 3]  # type: ignore[union-attr]
        await there.server.send(Subscribe(after=1, epoch=uuid4()))
        assert [(await there.next(Event)).data["index"] for _ in range(2)] == [2, 3]  # type: ignore[union-attr]


async def test_a_successor_is_served_although_its_predecessor_read_nothing(tmp_path: Path) -> None:
    """A server that hangs with a full socket owes nobody anything: the next one starts afresh."""
    async with house(tmp_path) as there:
        await there.server.send(Subscribe(after=0, epoch=uuid4()))
        for number in range(1, 3001):
            there.recorder.append(Draft(EventKind.STEP, {"index": number, "text": "x" * 1000}, number, number))
        await there.recorder.flush()
        # The predecessor is gone without a word; its successor has the same socket.
        async with Channel(there.server._socket.dup(), "server") as successor:
            while not isinstance(await successor.receive(), Attached):
                pass
            question = Query(id=uuid4(), kind="status")
            await successor.send(question)
            assert await successor.receive() == Reply(id=question.id, result={"kind": "status"})
            await successor.send(Subscribe(after=2998, epoch=uuid4()))
            events = [await successor.receive() for _ in range(2)]
            assert [event.data["index"] for event in events if isinstance(event, Event)] == [2999, 3000]
