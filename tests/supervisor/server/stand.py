"""A stand for the server: a small tool, an image that a real scan writes, a controller that answers by rote."""

import tomllib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import anyio
import numpy as np

from config.alarm_list import AlarmDefinition
from config.layout import Layout
from config.tool import TagKind, Tool
from kernels import tables as t
from kernels.image import Image
from kernels.scan import Scan
from opcua_model.conditions.state import AlarmState
from opcua_model.interface import Backend, Caller, Entry, Occurrence
from supervisor.link.channel import Attached, Channel, socket_pair
from supervisor.link.image import create_image
from supervisor.link.messages import Command, CommandKind, Event, EventKind, Query, Reply, Subscribe

SECOND = 1_000_000_000
START_NS = 1_764_000_000 * SECOND
PERIOD_NS = 10_000_000


def small_tool() -> Tool:
    """The tool of the stand, not checked as a whole: the server only needs its names."""
    return Tool.model_validate(
        tomllib.loads(Path(__file__).with_name("stand.toml").read_text(encoding="utf-8")), strict=False
    )


def tables_of(layout: Layout) -> t.Tables:
    """Tables for a scan that only latches and publishes."""
    tags = np.zeros(len(layout.tags), t.TAG)
    tags["expression"] = tags["loop"] = -1
    tags["low"], tags["high"] = -1e30, 1e30
    for index, name in enumerate(layout.tags):
        if declared := layout.declared.get(name):
            # Outputs and computed tags too are posted by hand here.
            setpoint = declared.kind is TagKind.SETPOINT
            tags["kind"][index] = t.TagKind.SETPOINT if setpoint else t.TagKind.INPUT
            tags["initial"][index] = declared.initial if setpoint else 0.0
            tags["low"][index], tags["high"][index] = declared.low, declared.high
    conditions = np.zeros(len(layout.conditions), t.CONDITION)
    conditions["reset"] = -1
    conditions["group"] = -1
    code = np.zeros(1, t.CODE)
    expressions = np.array([(0, 1)], t.EXPRESSION)
    end = np.zeros(1, t.INSTRUCTION)
    empty = [np.zeros(0, dtype) for dtype in (t.EFFECT, t.LOOP, t.MAP)]
    return t.Tables(PERIOD_NS / 1e9, tags, expressions, code, conditions, *empty, safe=t.Program(end))


class Furnace:
    """The real-time half of the stand: an image and the scan that writes it, driven by hand."""

    def __init__(self, tool: Tool | None = None) -> None:
        self.layout = Layout(tool or small_tool())
        self.image: Image = create_image(self.layout)
        self.start_ns = START_NS
        self.begin()

    def begin(self) -> None:
        """Start a new controller on the same image."""
        self.scan: Any = None  # a writer at a time
        self.image.heal()
        self.scan = Scan(tables_of(self.layout), self.image, log_every=self.layout.tool.scan.log_every)

    def post(self, tag: str, value: float, status: int = 0) -> None:
        """An instrument speaks."""
        self.scan.post(self.layout.index[tag], value, status, self.now_ns)

    @property
    def now_ns(self) -> int:
        """Time of the next scan."""
        return self.start_ns + (self.scan.index + 1) * PERIOD_NS

    def run(self, scans: int = 1) -> None:
        """Scan without news."""
        self.scan.advance(scans, self.start_ns, PERIOD_NS)

    def play(self, scans: int, values: Callable[[int], dict[str, float]]) -> None:
        """Scan with news for each one: `values` of the scan's index."""
        for _ in range(scans):
            for tag, value in values(self.scan.index + 1).items():
                self.post(tag, value)
            self.run()


@dataclass
class FakeController:
    """The other half by rote: keeps a journal in memory, answers commands, tells events."""

    channel: Channel
    furnace: Furnace
    journal: list[Event] = field(default_factory=list[Event])
    refuse: dict[CommandKind, tuple[str, str]] = field(default_factory=dict[CommandKind, tuple[str, str]])
    silent: bool = False
    mute: ClassVar[bool] = False
    """Answers no question."""
    commands: list[Command] = field(default_factory=list[Command])
    subscriptions: list[int] = field(default_factory=list[int])
    subscribed: anyio.Event = field(default_factory=anyio.Event)

    def record(self, what: EventKind, /, **data: Any) -> Event:
        """Put something into the journal; it is told with the next `tell`."""
        index = self.furnace.scan.index
        time_ns = self.furnace.start_ns + index * PERIOD_NS
        event = Event(seq=len(self.journal) + 1, time_ns=time_ns, scan=index, kind=what, data=data)
        self.journal.append(event)
        return event

    async def happen(self, what: EventKind, /, **data: Any) -> Event:
        """Record something and tell it."""
        event = self.record(what, **data)
        await self.channel.send(event)
        return event

    async def run(self) -> None:
        """Answer for ever."""
        while True:
            message = await self.channel.receive()
            if isinstance(message, Attached) or self.silent:
                continue
            if isinstance(message, Subscribe):
                self.subscriptions.append(message.after)
                for event in self.journal[message.after :]:
                    await self.channel.send(event)
                self.subscribed.set()
            elif isinstance(message, Query):
                if self.mute:
                    continue
                status = {"mode": "Ready", "journal": {"last_seq": len(self.journal)}, "all_clear": True}
                await self.channel.send(Reply(id=message.id, result=status))
            elif isinstance(message, Command):
                await self._command(message)

    async def _command(self, command: Command) -> None:
        self.commands.append(command)
        status, reason = self.refuse.get(command.kind, ("Good", ""))
        args = {name: value for name, value in command.args.items() if name != "recipe"}
        await self.happen(
            EventKind.COMMAND, id=str(command.id), kind=command.kind.value, args=args, status=status, reason=reason,
            principal=command.principal.model_dump(mode="json"),
        )  # fmt: skip
        await self.channel.send(Reply(id=command.id, status=status, reason=reason))
        if status == "Good" and command.kind in {CommandKind.START_RUN, CommandKind.START_OPERATION}:
            kind = "recipe" if command.kind is CommandKind.START_RUN else "operation"
            await self.happen(
                EventKind.RUN_STARTED, run_id=args["run_id"], run_number=args["run_number"], kind=kind, name="a run",
                steps=[
                    {"name": "leak check", "planned_s": 10.0, "owner": "leak_check"},
                    {"name": "deposition", "planned_s": 20.0, "owner": "recipe"},
                ],
            )  # fmt: skip

    async def finish(self, run_id: str, state: str = "COMPLETE", **film: Any) -> None:
        """End a run, with what was measured after it."""
        await self.happen(EventKind.RUN_STATE, run_id=run_id, state=state, previous="RUNNING", cause="program")
        await self.happen(EventKind.RUN_ENDED, run_id=run_id, state=state, summary={"duration_s": 1.0}, tape="tape")
        if film:
            await self.happen(EventKind.METROLOGY, run_id=run_id, **film)


@dataclass
class FakeSpace:
    """An address space that remembers what it was shown."""

    backend: Backend
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict[tuple[str, str], Entry])
    occurrences: list[Occurrence] = field(default_factory=list[Occurrence])
    alarms: list[tuple[AlarmState, bool]] = field(default_factory=list[tuple[AlarmState, bool]])
    added: list[str] = field(default_factory=list[str])

    async def show(self, entry: Entry) -> None:
        self.entries[entry.folder, entry.name] = entry

    async def hide(self, folder: str, name: str) -> None:
        self.entries.pop((folder, name), None)

    async def emit(self, occurrence: Occurrence) -> None:
        self.occurrences.append(occurrence)

    async def add_alarm(self, definition: AlarmDefinition, state: AlarmState) -> None:
        assert state.name == definition.name
        self.added.append(definition.name)

    async def alarm(self, state: AlarmState, *, told: bool) -> None:
        self.alarms.append((state, told))


def person(name: str, *roles: str) -> Caller:
    """A person with a session."""
    return Caller(name, frozenset(roles), f"session of {name}")


ERIKA = person("erika", "engineer")
AMIR = person("amir", "engineer")
OLGA = person("olga", "operator")
OTTO = person("otto", "observer")


@dataclass
class House:
    """A server and its fake controller, running."""

    server: Any
    controller: FakeController
    furnace: Furnace
    space: FakeSpace
    data: Path

    async def call(self, caller: Caller, path: str, method: str, *arguments: Any) -> Any:
        """Call a method as a client does."""
        return await self.server.backend.call(caller, path, method, arguments)

    async def until(self, what: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait for something that other tasks bring about."""
        with anyio.fail_after(timeout_s):
            while not what():  # noqa: ASYNC110 (there is no event to wait for: any task may bring it about)
                await anyio.sleep(0.005)


@asynccontextmanager
async def house(
    data: Path,
    furnace: Furnace | None = None,
    journal: list[Event] | None = None,
    tool_file: Path | None = None,
    **settings: Any,
) -> AsyncGenerator[House]:
    """Run a server with everything but OPC UA and a real controller."""
    from supervisor.server.server import Server, Settings

    furnace = furnace or Furnace()
    spaces: list[FakeSpace] = []

    @asynccontextmanager
    async def opener(backend: Backend, _settings: Any) -> AsyncGenerator[FakeSpace]:
        spaces.append(FakeSpace(backend))
        yield spaces[0]

    ours, theirs = socket_pair()
    async with Channel(ours, "controller") as channel, Channel(theirs, "server") as other:
        controller = FakeController(channel, furnace, journal if journal is not None else [])
        server = Server(
            Settings(tool_file or data / "tool.toml", data, "opc.tcp://127.0.0.1:0/cvd", **settings),
            furnace.layout, furnace.image, other, opener,
        )  # fmt: skip
        async with anyio.create_task_group() as outer:
            outer.start_soon(controller.run)
            async with anyio.create_task_group() as group:
                group.start_soon(server.run)
                with anyio.fail_after(20):
                    await server.ready.wait()
                    await controller.subscribed.wait()
                yield House(server, controller, furnace, spaces[0], data)
                server.stop()
            outer.cancel_scope.cancel()


def new_id() -> str:
    """A run id."""
    return str(uuid4())
