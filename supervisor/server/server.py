"""The server put together: store, projection, historian, calls and address space, started and ended in order."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
import structlog
from anyio.abc import TaskGroup

from config.alarm_list import Watches, alarm_list, series_alarm
from config.layout import Layout
from kernels.image import Image
from opcua_model.interface import AddressSpace, Backend, Caller, Refused
from opcua_model.settings import Settings as UaSettings
from supervisor.link.channel import Channel
from supervisor.server.access.policy import DEFAULT, Policy
from supervisor.server.access.signatures import Signatures
from supervisor.server.access.users import UserStore
from supervisor.server.alarms.book import AlarmBook
from supervisor.server.alarms.projecting import AlarmProjection
from supervisor.server.backend import DaemonBackend
from supervisor.server.calls import shown
from supervisor.server.calls.bypass import BypassDesk
from supervisor.server.calls.control import Control
from supervisor.server.calls.desk import Desk
from supervisor.server.calls.force import ForceDesk
from supervisor.server.configuration import FILE_NAME as SETTINGS_FILE
from supervisor.server.configuration import ServerTable, ua_settings
from supervisor.server.controller import Controller
from supervisor.server.errors import ServerError, StoreError
from supervisor.server.historian.ingest import Historian
from supervisor.server.news import News
from supervisor.server.notify.courier import Courier
from supervisor.server.projection.fold import Projection
from supervisor.server.projection.liveness import Liveness
from supervisor.server.projection.projector import Projector
from supervisor.server.records import audit, modes, runs
from supervisor.server.records.equipment_time import EquipmentTime
from supervisor.server.records.place import identify
from supervisor.server.records.settings import note_settings
from supervisor.server.spc.series import list_series
from supervisor.server.store.connection import Store
from supervisor.server.store.opening import FILE_NAME
from supervisor.server.store.space import Ballast

log = structlog.get_logger()

REVISION = version("cvd-supervisor")
SPACE_S = 10.0
HEAD_S = 60.0
SYSTEM = Caller("system", frozenset(), "")

Opener = Callable[[Backend, UaSettings], AbstractAsyncContextManager[AddressSpace]]


@dataclass(frozen=True)
class Settings:
    """Where this server finds and puts things."""

    tool_file: Path
    data: Path
    endpoint: str
    policy: Policy = DEFAULT
    table: ServerTable = field(default_factory=ServerTable)
    """Of the settings file."""


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
        self._news = News(layout)

    @property
    def desk(self) -> Desk | None:
        """What every call works with; None before the store is open."""
        return self._news.desk

    @property
    def backend(self) -> DaemonBackend | None:
        """The daemon as the address space sees it."""
        return self._news.backend

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
        table = settings.table
        org_id = str(table.org_id) if table.org_id else ""
        identity = await store.write(
            lambda connection: identify(connection, layout.tool.name, org_id, table.equipment_path)
        )
        await store.write(lambda connection: modes.add_shipped(connection, identity.org_id))
        alarms = AlarmProjection(alarm_list(layout))
        projection = Projection(conditions, identity.org_id, identity.instrument_id, alarms)
        controller = Controller(self._channel, self._attached)
        projector = Projector(store, projection, self._news.told, controller.subscribe)
        controller.follow(projector.resume, projector.take)
        historian = Historian(store, self._image, layout, settings.data, rolled=self._news.rolled)
        desk = Desk(
            layout=layout,
            tool_file=settings.tool_file,
            data=settings.data,
            identity=identity,
            store=store,
            controller=controller,
            projector=projector,
            historian=historian,
            alarms=AlarmBook(alarms, store, self._news.alarm),
            control=Control(settings.policy, required=table.control.required, timeout_s=table.control.timeout_s),
            bypasses=BypassDesk(layout, settings.policy),
            forces=ForceDesk(settings.policy),
            times=EquipmentTime(store),
            tasks=group,
            display=table.display,
            policy=settings.policy,
            signatures=Signatures(settings.policy),
        )
        self._news.desk = desk
        self._news.courier = Courier(
            store, settings.data, layout.tool.name, table.notify_in_language, conditions, desk.alarms.asks_nobody
        )
        said = table.model_dump(mode="json", exclude_defaults=True)
        await store.write(lambda connection: note_settings(connection, SETTINGS_FILE, said))
        for series in await store.read(list_series):
            desk.alarms.add(series_alarm(series.name, series.parameter))
        await desk.alarms.load()
        await desk.times.load()
        await projector.start()
        repaired = store.repaired + await historian.start()
        for words in repaired:
            log.warning("repaired", what=words)
            await desk.note(SYSTEM, "repair", "store", reason=words)
        group.start_soon(self._check_audit, desk)
        desk.active = await store.read(runs.active)
        tasks = (controller.run, projector.run, historian.run, self._news.courier.run)
        for task in (*tasks, self._watch_space, self._keep_head):
            group.start_soon(task)
        return desk

    def _backend(self, desk: Desk, group: TaskGroup) -> DaemonBackend:
        liveness = Liveness(self._image, self._layout.tool.scan.period_ms / 1000, self._news.alive)
        group.start_soon(liveness.run)
        backend = DaemonBackend(desk, self._image, liveness, UserStore(self.settings.data / "users.toml"))
        group.start_soon(backend.reasons.run)
        group.start_soon(desk.times.run, backend.equipment_state)
        group.start_soon(desk.alarms.run, backend.surroundings)
        self._news.backend = backend
        return backend

    def _ua_settings(self) -> UaSettings:
        settings = self.settings
        return ua_settings(settings.table, folder=settings.data / "pki", endpoint=settings.endpoint, revision=REVISION)

    async def _last_batch(self, desk: Desk) -> None:
        """Keep what the ring and the channel still hold; never longer than a service manager waits."""
        with anyio.move_on_after(1.0):
            await desk.historian.flush()
            await desk.projector.caught_up(0.5)
        with anyio.CancelScope(shield=True):
            await desk.times.note()
            await self._write_head(desk)

    async def _attached(self) -> None:
        """A controller has been met: see whether its journal is the one that we know."""
        assert self.desk is not None  # noqa: S101 (made before the controller's task)
        try:
            status = await self.desk.controller.query("status")
            self.desk.control.adopt(status.get("control"))
            journal: dict[str, Any] = status.get("journal") or {}
            if "last_seq" in journal:
                await self.desk.projector.check_journal(int(journal["last_seq"]))
        except (Refused, StoreError) as error:
            log.warning("whose journal this is could not be seen; it is seen at the next attachment", why=str(error))

    async def _watch_space(self) -> None:
        while True:
            try:
                found = await anyio.to_thread.run_sync(self._ballast.check)
            except OSError as error:
                log.warning("free space is not known", reason=str(error))
            else:
                self._news.space(found)
            await anyio.sleep(SPACE_S)

    async def _check_audit(self, desk: Desk) -> None:
        """Walk the audit trail, part by part beside everything else."""
        kept, walked = await anyio.to_thread.run_sync(self._head.read), audit.Walk()
        try:
            while not walked.ended:
                walked = await desk.store.read(lambda connection, so_far=walked: audit.walk(connection, so_far, kept))
            faults = audit.verdict(walked, kept)
            for fault in faults[:10]:
                log.error("the audit trail is not whole", fault=fault)
            if faults:
                await desk.note(SYSTEM, "audit_fault", "audit", "Bad", "; ".join(faults[:10]))
        except StoreError as error:
            log.warning("the audit trail could not be walked", why=str(error))

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
        entries = await desk.store.read(shown.newest)
        for entry in entries:
            await desk.show(entry)
        for definition in list(desk.alarms.definitions.values()):
            if definition.watches is Watches.SERIES and desk.space is not None:
                await desk.space.add_alarm(definition, desk.alarms.states[definition.name])
        for state in list(desk.alarms.states.values()):
            if desk.space is not None:
                await desk.space.alarm(state, told=False)


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
