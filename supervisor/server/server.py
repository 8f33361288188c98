"""The server put together: store, projection, historian, calls and address space, started and ended in order."""

import time
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
import structlog
from anyio.abc import TaskGroup

from config.layout import Layout
from kernels.image import Image
from opcua_model.interface import AddressSpace, Backend, Caller, Entry, Occurrence, Refused
from opcua_model.settings import Settings as UaSettings
from supervisor.link.channel import Channel
from supervisor.link.messages import Event, EventKind
from supervisor.server import audit, modes, recipes, runs
from supervisor.server.access.policy import DEFAULT, Policy
from supervisor.server.access.users import UserStore
from supervisor.server.alarms import AlarmList
from supervisor.server.archive import rewrite_record, write_record
from supervisor.server.backend import DaemonBackend
from supervisor.server.bypass import BypassDesk
from supervisor.server.control import Control
from supervisor.server.controller import Controller
from supervisor.server.desk import Desk, Identity
from supervisor.server.errors import ServerError, StoreError
from supervisor.server.historian.ingest import ClosedRun, Historian
from supervisor.server.liveness import Liveness
from supervisor.server.projection import Projection
from supervisor.server.projector import Projector
from supervisor.server.results import get_result
from supervisor.server.store.connection import Store
from supervisor.server.store.opening import FILE_NAME
from supervisor.server.store.rows import Connection
from supervisor.server.store.space import Ballast, Space
from supervisor.server.wording import tell

log = structlog.get_logger()

REVISION = version("cvd-supervisor")
SPACE_S = 10.0
HEAD_S = 60.0
SHOWN = 100
"""Recipes and runs of each folder that the address space shows; the methods list all of them."""
SYSTEM = Caller("system", frozenset(), "")

Opener = Callable[[Backend, UaSettings], AbstractAsyncContextManager[AddressSpace]]


@dataclass(frozen=True)
class Settings:
    """Where this server finds and puts things."""

    tool_file: Path
    data: Path
    endpoint: str
    policy: Policy = DEFAULT


class Server:
    """One server from start to end.

    Args:
        settings: where things are.
        layout: of the tool.
        image: the process image.
        channel: this half's end.
        opener: makes the address space; the OPC UA server unless a test gives another.
    """

    def __init__(
        self, settings: Settings, layout: Layout, image: Image, channel: Channel, opener: Opener | None = None
    ) -> None:
        self.settings = settings
        self.ready = anyio.Event()
        self._layout = layout
        self._image = image
        self._channel = channel
        self._opener = opener or _opc_ua
        self._stop = anyio.Event()
        self._head = audit.HeadFile(settings.data / "audit.head")
        self._ballast = Ballast(settings.data)
        self._space_low = False
        self.desk: Desk | None = None
        self.backend: DaemonBackend | None = None

    def stop(self) -> None:
        """End in order."""
        self._stop.set()

    async def run(self) -> None:
        """Serve until `stop`.

        Raises:
            StoreError: the database cannot be opened; the text says why and what to do.
        """
        async with Store(self.settings.data / FILE_NAME) as store, anyio.create_task_group() as group:
            desk = await self._prepare(store, group)
            # Every task is cancelled before the store closes; a batch that was begun is committed.
            async with self._opener(self._backend(desk, group), self._ua_settings()) as space:
                desk.space = space
                await self._show_all(desk)
                self.ready.set()
                await self._stop.wait()
                desk.historian.stop()
                desk.space = None
            await self._last_batch(desk)
            group.cancel_scope.cancel()

    async def _prepare(self, store: Store, group: TaskGroup) -> Desk:
        """Bring everything into being that the address space shows."""
        layout, settings = self._layout, self.settings
        conditions = {condition.name: condition for condition in layout.conditions}
        identity = await store.write(_identity)
        await store.write(lambda connection: modes.add_shipped(connection, identity.org_id))
        projection = Projection(conditions, identity.org_id, identity.instrument_id)
        controller = Controller(self._channel, self._attached)
        projector = Projector(store, projection, self._told, controller.subscribe)
        controller.follow(projector.resume, projector.take)
        historian = Historian(store, self._image, layout, settings.data, rolled=self._rolled)
        desk = Desk(
            layout=layout,
            tool_file=settings.tool_file,
            data=settings.data,
            identity=identity,
            store=store,
            controller=controller,
            projector=projector,
            historian=historian,
            alarms=AlarmList(layout),
            control=Control(settings.policy),
            bypasses=BypassDesk(layout, settings.policy),
            tasks=group,
            policy=settings.policy,
        )
        self.desk = desk
        await projector.start()
        repaired = store.repaired + await historian.start()
        for words in repaired:
            log.warning("repaired", what=words)
            await desk.note(SYSTEM, "repair", "store", reason=words)
        await self._check_audit(desk)
        desk.active = await store.read(runs.active)
        for task in (controller.run, projector.run, historian.run, self._watch_space, self._keep_head):
            group.start_soon(task)
        return desk

    def _backend(self, desk: Desk, group: TaskGroup) -> DaemonBackend:
        liveness = Liveness(self._image, self._layout.tool.scan.period_ms / 1000, self._alive)
        group.start_soon(liveness.run)
        self.backend = DaemonBackend(desk, self._image, liveness, UserStore(self.settings.data / "users.toml"))
        return self.backend

    def _ua_settings(self) -> UaSettings:
        return UaSettings(
            folder=self.settings.data / "pki",
            endpoint=self.settings.endpoint,
            software_revision=REVISION,
        )

    async def _last_batch(self, desk: Desk) -> None:
        """Keep what the ring and the channel still hold; never longer than a service manager waits."""
        with anyio.move_on_after(1.0):
            await desk.historian.flush()
            await desk.projector.caught_up(0.5)
        with anyio.CancelScope(shield=True):
            await self._write_head(desk)

    # ------------------------------------------------------------------------------------------------- what happens
    async def _attached(self) -> None:
        """A controller has been met: see whether its journal is the one that we know."""
        assert self.desk is not None  # noqa: S101 (made before the controller's task)
        status = await self.desk.controller.query("status")
        journal: dict[str, Any] = status.get("journal") or {}
        if "last_seq" in journal:
            await self.desk.projector.check_journal(int(journal["last_seq"]))

    async def _told(self, events: Sequence[Event]) -> None:
        """Events have been projected: tell everybody who follows them."""
        desk = self.desk
        if desk is None:
            return
        touched: set[str] = set()
        conditions = {condition.name: condition for condition in self._layout.conditions}
        for event in events:
            desk.active.take(event)
            if event.kind is EventKind.RUN_STARTED:
                await self._name_recipe(desk)
            if event.kind is EventKind.RUN_ENDED or event.kind is EventKind.BOOT:
                desk.historian.closed()
            if event.kind is EventKind.METROLOGY:
                await self._measured(desk, str(event.data.get("run_id")))
            if run_id := event.data.get("run_id"):
                touched.add(str(run_id))
            told = tell(event, conditions)
            await self._emit(
                Occurrence(
                    told.source,
                    told.severity,
                    told.message,
                    event.time_ns,
                    fields={"Kind": event.kind.value, "RunId": str(event.data.get("run_id") or ""), "Seq": event.seq},
                )
            )
        if any(event.kind is EventKind.CONDITION for event in events):
            self._watch_alarms()
        if self.backend is not None and desk.space is not None:
            for run_id in touched:
                await self._refresh(run_id)

    async def _refresh(self, run_id: str) -> None:
        assert self.backend is not None  # noqa: S101 (asked before)
        try:
            await self.backend.runs.refresh(run_id)
        except Exception as error:  # noqa: BLE001 - a run that cannot be shown must not stop the events behind it
            log.warning("a run cannot be shown", run=run_id, why=str(error))

    async def _name_recipe(self, desk: Desk) -> None:
        try:
            run = await desk.store.read(lambda connection: runs.get(connection, desk.active.run_id))
        except Exception as error:  # noqa: BLE001 - a name for a screen
            log.warning("the recipe of the run is not known", run=desk.active.run_id, why=str(error))
            return
        desk.active.recipe_name = run.get("recipe_name") or desk.active.recipe_name
        desk.active.recipe_version = int(run.get("recipe_version") or 0)

    def _alive(self, alive: bool) -> None:
        """The controller has stopped, or is there again."""
        if self.desk is None:
            return
        words = "the controller runs" if alive else "the controller has stopped: every value is Bad"
        (log.info if alive else log.error)(words)
        occurrence = Occurrence("Diagnostics", 100 if alive else 900, words, time.time_ns(), fields={"Kind": "link"})
        self.desk.tasks.start_soon(self._emit, occurrence)

    async def _emit(self, occurrence: Occurrence) -> None:
        if self.desk is not None and self.desk.space is not None:
            await self.desk.space.emit(occurrence)

    async def _rolled(self, run: ClosedRun) -> None:
        """All rows of a run are in Parquet: write its record beside them."""
        assert self.desk is not None  # noqa: S101 (it has the historian)
        await self.desk.projector.caught_up()
        data = self.desk.data
        await self.desk.store.read(lambda connection: write_record(connection, data, self._layout, run.id))

    async def _measured(self, desk: Desk, run_id: str) -> None:
        """A film was measured: a record that has been written already is written anew."""
        try:
            await desk.store.read(lambda connection: rewrite_record(connection, desk.data, self._layout, run_id))
        except (StoreError, Refused, OSError) as error:
            log.error("the record of a run cannot be written", run=run_id, reason=str(error))  # noqa: TRY400

    # ------------------------------------------------------------------------------------------------ what is watched
    async def _watch_space(self) -> None:
        while True:
            try:
                found = await anyio.to_thread.run_sync(self._ballast.check)
            except OSError as error:
                log.warning("free space is not known", reason=str(error))
            else:
                self._take_space(found)
            self._watch_alarms()
            await anyio.sleep(SPACE_S)

    def _take_space(self, found: Space) -> None:
        if self.backend is not None:
            self.backend.free_bytes = found.free_bytes
        if found.low == self._space_low or self.desk is None:
            return
        self._space_low = found.low
        free = f"{found.free_bytes >> 20} MB free"
        words = (
            f"the disk of the data folder is nearly full ({free})" if found.low else f"there is space again ({free})"
        )
        log.warning(words) if found.low else log.info(words)
        self.desk.tasks.start_soon(
            self._emit,
            Occurrence("Diagnostics", 700 if found.low else 100, words, time.time_ns(), fields={"Kind": "space"}),
        )

    def _watch_alarms(self) -> None:
        """Take the conditions' states; events tell of changes at once, this sees what was missed."""
        if self.desk is not None and self.backend is not None:
            self.desk.alarms.update(self.backend.values().conditions)

    async def _check_audit(self, desk: Desk) -> None:
        kept = await anyio.to_thread.run_sync(self._head.read)
        faults = await desk.store.read(lambda connection: audit.verify(connection, kept))
        for fault in faults[:10]:
            log.error("the audit trail is not whole", fault=fault)
        if faults:
            await desk.note(SYSTEM, "audit_fault", "audit", "Bad", "; ".join(faults[:10]))

    async def _keep_head(self) -> None:
        while True:
            await anyio.sleep(HEAD_S)
            if self.desk is not None:
                await self._write_head(self.desk)

    async def _write_head(self, desk: Desk) -> None:
        try:
            reached = await desk.store.read(audit.head)
            await anyio.to_thread.run_sync(self._head.write, reached)
        except (StoreError, OSError) as error:
            log.warning("the head of the audit trail cannot be kept", reason=str(error))

    async def _show_all(self, desk: Desk) -> None:
        """Fill the folders of the address space."""
        entries = await desk.store.read(_entries)
        for entry in entries:
            await desk.show(entry)


def _entries(connection: Connection) -> list[Entry]:
    found = [recipes.entry(row) for row in recipes.list_versions(connection, limit=SHOWN)]
    found += modes.mode_entries(modes.list_modes(connection))
    for run in runs.list_runs(connection, limit=SHOWN):
        found.append(runs.entry(run))
        result = get_result(connection, run["run_id"])
        if result is not None:
            found.append(runs.result_entry(run["run_number"], result))
    return found


def _identity(connection: Connection) -> Identity:
    """Read the identities of the organisation and the tool; make them at the first start."""
    known = dict(connection.execute("SELECT name, value FROM settings").fetchall())
    for name in ("org_id", "instrument_id"):
        if name not in known:
            known[name] = str(uuid.uuid4())
            connection.execute("INSERT INTO settings VALUES (?, ?)", [name, known[name]])
    return Identity(known["org_id"], known["instrument_id"])


@asynccontextmanager
async def _opc_ua(backend: Backend, settings: UaSettings) -> AsyncGenerator[AddressSpace]:
    # asyncua is loaded here only: tests of the rest do without.
    from opcua_model.server import EndpointError, UaServer

    async with AsyncExitStack() as stack:
        try:
            server = await stack.enter_async_context(UaServer(backend, settings))
        except EndpointError as error:
            raise ServerError(str(error)) from error
        yield server
