"""A whole controller in the test's own process: a small tool, real scan, real journal, a channel to talk through.

Instruments are the test's hands: what they say is posted. Values do not age, so that a story needs no pump thread.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio
import pytest

from config.layout import Layout
from config.loading import load_model
from config.text import Syntax
from config.tool import Tool
from supervisor.controller import controller as room
from supervisor.controller.compile import compile_tool
from supervisor.controller.controller import Controller, Settings
from supervisor.link.channel import Channel, socket_pair
from supervisor.link.image import create_image
from supervisor.link.journal import read_journal
from supervisor.link.messages import Command, CommandKind, Event, EventKind, Principal, Query, Reply, Subscribe

MINIMAL = Path(__file__).resolve().parents[2] / "config" / "minimal.toml"
RISE = """
[[operations]]
name = "soak"
title = "Soak"
description = "Silane flows for a minute"
bound_s = 100
hold = { "panel.sih4.valve" = 0 }

[[operations.steps]]
name = "open"
set = { "panel.sih4.valve" = 1, "panel.sih4.setpoint_sccm" = 60 }
min_s = 1

[[operations.steps]]
name = "flow"
min_s = 60

[[operations.steps]]
name = "shut"
set = { "panel.sih4.valve" = 0, "panel.sih4.setpoint_sccm" = 0 }
"""
"""An operation of this test: something hazardous is on for long enough to do things to it."""

PEOPLE = {
    "olga": Principal(user="olga", roles=("operator",)),
    "erik": Principal(user="erik", roles=("engineer",)),
    "mara": Principal(user="mara", roles=("maintenance",)),
    "otto": Principal(user="otto", roles=("observer",)),
    "nobody": Principal(user="", roles=()),
}
GOOD = 0
PATIENCE_S = 60.0
"""Long, for a machine with much else to do: a test that passes never waits so long."""


def tool_text() -> str:
    """The smallest tool, whose inputs never age, with one more operation; its scan runs at 5 ms."""
    text = MINIMAL.read_text(encoding="utf-8")
    text = re.sub(r"^period_s = .*$", "", text, flags=re.MULTILINE)
    return text.replace("period_ms = 10", "period_ms = 5") + RISE


@dataclass
class Hands:
    """A plant that is the test itself."""

    capsule: None = None
    wafers: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def measure(self) -> dict[str, Any]:
        return {"film": "none"}

    def load_wafers(self) -> None:
        self.wafers += 1

    def inject(self, fault: Any) -> None:
        self.faults.append(dict(fault))
        if "fault" not in fault:
            raise ValueError("no fault")


@dataclass
class Desk:
    """A server's end of the channel, with somebody who asks and listens."""

    server: Channel
    folder: Path
    events: list[Event] = field(default_factory=list[Event], init=False)
    _replies: dict[UUID, Reply] = field(default_factory=dict[UUID, Reply], init=False)
    _news: anyio.Event = field(default_factory=anyio.Event, init=False)

    async def listen(self) -> None:
        while True:
            message = await self.server.receive()
            if isinstance(message, Event):
                self.events.append(message)
            elif isinstance(message, Reply):
                self._replies[message.id] = message
            self._news.set()
            self._news = anyio.Event()

    async def until(self, reached: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """Wait until something is so, looked at whenever the server hears something and every few scans."""
        with anyio.fail_after(patience_s):
            while not (found := reached()):
                with anyio.move_on_after(0.01):
                    await self._news.wait()
        return found

    async def send(self, message: Command | Query) -> Reply:
        await self.server.send(message)
        return await self.until(lambda: self._replies.get(message.id))

    async def command(self, who: str, kind: CommandKind, number: UUID | None = None, **args: Any) -> Reply:
        return await self.send(Command(id=number or uuid4(), principal=PEOPLE[who], kind=kind, args=args))

    async def done(self, who: str, kind: CommandKind, **args: Any) -> Reply:
        """Give a command that must be carried out."""
        reply = await self.command(who, kind, **args)
        assert (reply.status, reply.reason) == ("Good", "")
        return reply

    async def ask(self, kind: Any, **args: Any) -> dict[str, Any]:
        reply = await self.send(Query(id=uuid4(), kind=kind, args=args))
        assert reply.status == "Good", reply.reason
        return reply.result

    async def clear(self, who: str) -> None:
        """Reset all that latched while instruments were yet to answer; one whose cause is still there, again."""
        with anyio.fail_after(20.0):
            while True:
                rows = (await self.ask("check_interlocks"))["conditions"]
                latched = [row["name"] for row in rows if row["state"]["latched"]]
                if not latched:
                    return
                for name in latched:
                    await self.command(who, CommandKind.RESET_INTERLOCK, name=name)
                with anyio.move_on_after(0.02):
                    await self._news.wait()

    def told(self, kind: EventKind, /, **data: Any) -> list[Event]:
        """Events of a kind whose data hold these."""
        return [e for e in self.events if e.kind is kind and data.items() <= e.data.items()]

    async def hear(self, kind: EventKind, /, **data: Any) -> Event:
        """Wait for an event."""
        return (await self.until(lambda: self.told(kind, **data)))[-1]

    async def recorded(self) -> list[Event]:
        """Read the journal on the disk."""
        return await anyio.to_thread.run_sync(lambda: list(read_journal(self.folder / "journal")))

    async def start(self, who: str = "olga", name: str = "soak", run_id: str = "run-1") -> Reply:
        return await self.command(
            who, CommandKind.START_OPERATION, name=name, run_id=run_id, run_number=f"CVD-20260101-{run_id}"
        )


@dataclass
class Stand(Desk):
    """A running controller in this process."""

    controller: Controller
    hands: Hands

    def post(self, status: int = GOOD, /, **values: float) -> None:
        """Let instruments speak: `pressure_torr=1.0` is of `chamber.pressure_torr`."""
        index = self.controller.scanner.layout.index
        for short, value in values.items():
            (name,) = [name for name in index if name.endswith(f".{short.replace('__', '.')}")]
            self.controller.scan.post(index[name], value, status, 1)

    def value(self, name: str) -> float:
        return self.controller.scanner.view().value(name)

    @property
    def run_state(self) -> str:
        return self.controller.scanner.view().run_state.name

    async def started(self, name: str = "soak", run_id: str = "run-1") -> None:
        """Start an operation and wait until it runs."""
        reply = await self.start(name=name, run_id=run_id)
        assert (reply.status, reply.reason) == ("Good", "")
        await self.until(lambda: self.run_state == "RUNNING")


@asynccontextmanager
async def alive(controller: Controller, desk: Desk) -> AsyncIterator[None]:
    """Run a controller that a desk listens to; it has ended in order when this is left."""
    async with anyio.create_task_group() as group:
        group.start_soon(desk.listen)
        group.start_soon(controller.run)
        await controller.ready.wait()
        await desk.server.send(Subscribe(after=0, epoch=uuid4()))
        yield
        controller.stop("the test is over")
        with anyio.fail_after(20.0):
            await controller.ended.wait()
        group.cancel_scope.cancel()


@asynccontextmanager
async def running(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, text: str = "", speed: int = 1, quiet: bool = False
) -> AsyncIterator[Stand]:
    """Run a controller with calm instruments; `quiet` leaves them silent."""
    text = text or tool_text()
    tool = load_model(text, Tool, syntax=Syntax.TOML)
    hands = Hands()
    monkeypatch.setattr(room, "bind", lambda tool, scan, *, sim: hands)
    mine, theirs = socket_pair()
    settings = Settings(text, hashlib.sha256(text.encode()).hexdigest(), folder, sim=True, speed=speed)
    with create_image(Layout(tool)) as image:
        async with Channel(mine, "controller") as channel, Channel(theirs, "server") as server:
            controller = Controller(settings, tool, compile_tool(tool), image, channel)
            stand = Stand(server, folder, controller, hands)
            if not quiet:
                stand.post(sih4__flow_sccm=0.0, pressure_torr=0.1, temperature_c=25.0, wall_c=25.0, pump__running=1.0)
            async with alive(controller, stand):
                yield stand
