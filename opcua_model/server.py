"""The OPC UA server of one tool: the endpoint, the tree, and the round that keeps what is not a tag up to date."""

import gc
import socket
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Self
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import anyio.to_thread

from config.alarm_list import AlarmDefinition
from config.process_mode import supported_variants
from opcua_model.certificates import Identity, server_identity
from opcua_model.conditions.nodes import Conditions
from opcua_model.conditions.state import AlarmState
from opcua_model.data_types import coded, record
from opcua_model.desk import Desk, log
from opcua_model.entries import Entries
from opcua_model.eventing.notice import Notice
from opcua_model.eventing.telling import deliver, make_event, typed
from opcua_model.guard import Guard
from opcua_model.historical.nodes import advertise_history
from opcua_model.interface import Backend, Entry, Occurrence
from opcua_model.internal import ToolServer
from opcua_model.listener import Listener
from opcua_model.live import tell
from opcua_model.model_changes import ADDED, ModelChanges
from opcua_model.permissions import Permissions, add_roles
from opcua_model.publishing.snapshot import Turn
from opcua_model.run_machine import RunMachine, build_machine_type
from opcua_model.server_diagnostics import ServerDiagnostics
from opcua_model.settings import EndpointError, Settings, is_loopback
from opcua_model.space import Space, stamped
from opcua_model.spare import give_back, spare
from opcua_model.stack import Ids, Server, StatusCodes, policies, ua
from opcua_model.tree import Tree, build_tree, interlock_path
from opcua_model.types import NAMESPACE, TOOL_NAMESPACE, build_types
from opcua_model.variables import CODE, TOLD, condition_values, controller_gone

__all__ = ["EndpointError", "UaServer"]

LOCALE: Final = "en"
"""Language of names and descriptions."""
PRODUCT: Final = "urn:cvd-supervisor"
_ENCRYPTED: Final = (
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_Sign,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_Sign,
)
_CLOCK_S: Final = 1.0


@contextmanager
def _without_collection() -> Generator[None]:
    """Keep the garbage collector from walking a tree that only grows: half of the start is that."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class UaServer:
    """An address space that a daemon shows things in; `async with UaServer(backend, settings) as server:`."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._backend = backend
        self._settings = settings
        self._running: Any = None
        self._internal = ToolServer(settings)
        self._server: Any = Server(iserver=self._internal)
        self._tree: Tree | None = None
        self._entries: Entries | None = None
        self._conditions: Conditions | None = None
        self._changes: ModelChanges | None = None
        self._listener: Any = None
        self._guard: Guard | None = None
        self._machine: RunMachine | None = None
        self._counts: ServerDiagnostics | None = None
        self._standing: dict[str, dict[str, Any]] = {}
        """What the records of interlocks say."""
        self._offered = [*_ENCRYPTED, *([ua.SecurityPolicyType.NoSecurity] if settings.plain_loopback else [])]
        self.endpoint = settings.endpoint
        """Where clients connect; with the port that was taken when the settings asked for port 0."""

    # ------------------------------------------------------------------------------------- what a daemon calls

    async def show(self, entry: Entry) -> None:
        """Create or refresh an entry."""
        await self._must(self._entries).show(entry)
        await anyio.lowlevel.checkpoint()  # who tells without end must not keep clients from connecting: here as below

    async def hide(self, folder: str, name: str) -> None:
        """Remove an entry."""
        await self._must(self._entries).hide(folder, name)

    async def emit(self, occurrence: Occurrence) -> None:
        """Emit an event from its source; who monitors something above it hears it too."""
        tree: Tree = self._must(self._tree)
        await self._refresh()  # what the event says of a run or an interlock is what reads say of it
        event = make_event(tree.space, typed(occurrence, tree.live))
        deliver(event, self._internal.subscription_service.subscriptions.values())
        await anyio.lowlevel.checkpoint()

    async def add_alarm(self, definition: AlarmDefinition, state: AlarmState) -> None:
        """Show an alarm that the tool file does not declare; one that is there already is no fault."""
        tree: Tree = self._must(self._tree)
        kind = self._must(self._conditions).add(definition, state)
        if kind is not None:
            folder, node = tree.space.tool_id("Alarms"), tree.space.tool_id(f"Alarms/{definition.name}")
            await self._must(self._changes).told(folder, tree.space.type_id("AlarmsType"), [(node, kind, ADDED)])

    async def alarm(self, state: AlarmState, *, told: bool) -> None:
        """Show the state of an alarm, and emit its event when there is one."""
        conditions: Conditions = self._must(self._conditions)
        await conditions.show(state)
        if told:
            deliver(conditions.notice(state.name), self._internal.subscription_service.subscriptions.values())
        await anyio.lowlevel.checkpoint()

    def _deliver(self, event: Notice) -> None:
        deliver(event, self._internal.subscription_service.subscriptions.values())

    @property
    def sessions(self) -> int:
        """Number of sessions in which somebody is logged in."""
        return sum(one.is_activated() for one in self._internal.sessions)

    @staticmethod
    def _must(part: Any) -> Any:
        if part is None:
            raise RuntimeError("the OPC UA server is not running")
        return part

    # -------------------------------------------------------------------------------------------- start and end

    async def __aenter__(self) -> Self:
        self._running = self._run()
        await self._running.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> bool | None:
        return await self._running.__aexit__(*error)

    @asynccontextmanager
    async def _run(self) -> AsyncGenerator[None]:
        with _without_collection():
            await self._prepare()
        await self._internal.start()
        try:
            await self._listen()
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._round)
                    tasks.start_soon(self._clock)
                    tasks.start_soon(self._must(self._guard).run)
                    tasks.start_soon(self._internal.auditor.run)
                    log.info("opcua_ready", endpoint=self.endpoint)
                    yield
                    tasks.cancel_scope.cancel()
            finally:
                with anyio.CancelScope(shield=True):
                    await self._close()
        finally:
            with anyio.CancelScope(shield=True):
                await self._internal.stop()

    async def _prepare(self) -> None:
        settings, backend = self._settings, self._backend
        tool = backend.layout.tool
        self._check_exposure()
        server, internal = self._server, self._internal
        uri = f"urn:{socket.gethostname()}:cvd-supervisor:{tool.name}"
        names = tuple(dict.fromkeys((settings.host, *settings.names)))
        identity: Identity = await anyio.to_thread.run_sync(
            server_identity,
            settings.folder,
            uri,
            tool.name,
            tuple(n for n in names if n not in {"0.0.0.0", "::"}),  # noqa: S104 - told apart, not bound
        )
        self._guard = Guard(internal, settings, self._offered)
        await self._guard.begin(identity)
        internal.supported_tokens = (ua.AnonymousIdentityToken, ua.UserNameIdentityToken, ua.X509IdentityToken)
        if settings.anonymous == "never":
            internal.supported_tokens = (ua.UserNameIdentityToken, ua.X509IdentityToken)
        server.name, server.product_uri = f"cvd-supervisor {tool.name}", PRODUCT
        server.manufacturer_name, server.application_type = "cvd-supervisor", ua.ApplicationType.Server
        server._application_uri = uri  # noqa: SLF001 - read by init(), which has no argument for it
        await server.init()
        if settings.spare_memory:
            await anyio.to_thread.run_sync(spare, internal.aspace)
        await server.set_build_info(
            PRODUCT, "cvd-supervisor", server.name, settings.software_revision, "0", datetime.now(UTC)
        )
        await self._build(uri)
        await self._advertise_limits()
        advertise_history(self._must(self._tree), settings.limits.values_per_history_read)
        if settings.spare_memory:
            await anyio.to_thread.run_sync(give_back)

    def _check_exposure(self) -> None:
        settings = self._settings
        if settings.plain_loopback and settings.anonymous == "never":
            raise EndpointError(
                "plain_loopback offers anonymous sessions only, and anonymous is 'never': leave one out"
            )

    async def _build(self, uri: str) -> None:
        server, backend = self._server, self._backend
        layout = backend.layout
        types = await server.register_namespace(NAMESPACE)
        tool = await server.register_namespace(TOOL_NAMESPACE + layout.tool.name)
        space = Space(self._internal.aspace, types, tool)
        tree = Tree(space, Turn(backend), layout)
        build_types(space, tree.methods)
        build_machine_type(space)
        variants = await anyio.to_thread.run_sync(supported_variants, layout.tool)
        told = backend.variables()
        build_tree(tree, revision=self._settings.software_revision, variants=variants, told=told)
        self._tree = tree
        self._machine = RunMachine(space, self._deliver)
        self._counts = ServerDiagnostics(space, self._internal)
        changes = self._changes = ModelChanges(space, self._deliver)
        changes.watch(space.tool_id("Alarms"), "Alarms")
        self._entries = self._internal.entries = Entries(space, changes, backend.entries)
        conditions = self._conditions = Conditions(tree, backend.words)
        conditions.build(backend.alarms())
        permissions = Permissions(tree, self._settings.restricted, self._settings.moving)
        add_roles(space)
        self._internal.equip(Desk(backend, self._settings, tree, self._internal.aspace, conditions, permissions), uri)
        await self._refresh()
        log.debug("opcua_tree_built", application=uri, tags=len(layout.tags))

    async def _advertise_limits(self) -> None:
        limits, scan = self._settings.limits, self._backend.layout.tool.scan
        for name, value in (
            ("MaxNodesPerRead", limits.nodes_per_read),
            ("MaxNodesPerWrite", limits.nodes_per_write),
            ("MaxNodesPerBrowse", limits.nodes_per_browse),
            ("MaxNodesPerMethodCall", limits.nodes_per_call),
            ("MaxNodesPerHistoryReadData", limits.nodes_per_history_read),
            ("MaxNodesPerHistoryReadEvents", limits.nodes_per_history_read),
            ("MaxNodesPerTranslateBrowsePathsToNodeIds", limits.nodes_per_translate),
            ("MaxMonitoredItemsPerCall", limits.monitored_items_per_call),
            ("MaxNodesPerRegisterNodes", limits.nodes_per_read),
        ):
            node = getattr(Ids, f"Server_ServerCapabilities_OperationLimits_{name}")
            await self._server.get_node(ua.NodeId(node)).write_value(ua.Variant(value, ua.VariantType.UInt32))
        for name, value, kind in (
            ("MaxBrowseContinuationPoints", limits.continuation_points, ua.VariantType.UInt16),
            ("MaxHistoryContinuationPoints", limits.continuation_points, ua.VariantType.UInt16),
            ("MaxSessions", limits.sessions, ua.VariantType.UInt32),
            ("MaxSubscriptions", limits.subscriptions, ua.VariantType.UInt32),
            ("MaxSubscriptionsPerSession", limits.subscriptions_per_session, ua.VariantType.UInt32),
            ("MaxMonitoredItems", limits.items, ua.VariantType.UInt32),
            ("MaxMonitoredItemsPerSubscription", limits.items_per_subscription, ua.VariantType.UInt32),
            ("MaxMonitoredItemsQueueSize", limits.queue_size, ua.VariantType.UInt32),
            ("MinSupportedSampleRate", float(scan.period_ms), ua.VariantType.Double),
            ("LocaleIdArray", [LOCALE], ua.VariantType.String),
        ):
            node = getattr(Ids, f"Server_ServerCapabilities_{name}")
            if ua.NodeId(node) not in self._internal.aspace:
                continue  # of a later edition than asyncua's nodes
            await self._server.get_node(ua.NodeId(node)).write_value(ua.Variant(value, kind))

        auditing = ua.Variant(True, ua.VariantType.Boolean)
        await self._server.get_node(ua.NodeId(Ids.Server_Auditing)).write_value(auditing)

    async def _listen(self) -> None:
        settings, server = self._settings, self._server
        server.set_security_policy(self._offered)
        server._permission_ruleset = None  # noqa: SLF001 - sessions decide here, per role
        listener = Listener(self._internal, settings.host, settings.port, settings.limits)
        try:
            await listener.start()
        except OSError as error:
            raise EndpointError(
                f"{settings.endpoint}: {error.strerror or error}; another program holds the port, or the address is "
                "not one of this computer. Stop the other one or choose another endpoint"
            ) from error
        path = urlsplit(settings.endpoint).path
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.endpoint = f"opc.tcp://{host}:{listener.port}{path}"
        server.set_endpoint(self.endpoint)
        for kind in self._offered:
            self._offer(*policies.SECURITY_POLICY_TYPE_MAP[kind])
        self._listener = self._internal.listener = listener
        if settings.anonymous == "loopback" and not is_loopback(settings.host):
            log.info("anonymous_loopback_only", endpoint=self.endpoint)

    def _offer(self, policy: Any, mode: Any, level: int) -> None:
        """Describe one endpoint; an open one is for anonymous sessions only."""
        self._server._set_endpoints(policy, mode, level)  # noqa: SLF001 - the description is asyncua's own
        if mode == ua.MessageSecurityMode.None_:
            description = self._internal.endpoints[-1]
            description.UserIdentityTokens = [
                token for token in description.UserIdentityTokens if token.TokenType == ua.UserTokenType.Anonymous
            ]

    async def _close(self) -> None:
        if self._listener is not None:
            await self._listener.stop()
        service = self._internal.subscription_service
        await service.delete_subscriptions(list(service.subscriptions))
        for session in self._internal.sessions:
            await session.close_session()
        await self._internal.auditor.flush()
        log.info("opcua_closed", endpoint=self.endpoint)

    # ------------------------------------------------------------------------------------------------ the round

    async def _round(self) -> None:
        while True:
            await anyio.sleep(self._settings.refresh_s)
            await self._refresh()

    async def _refresh(self) -> None:
        """Bring everything that is not a tag up to date."""
        tree: Tree = self._must(self._tree)
        told = self._backend.variables()
        for path, value in told.items():
            live = tree.live.get(path)
            if live is not None:
                await live.set(value)
        if "Diagnostics/Sessions" not in told:
            await tree.live["Diagnostics/Sessions"].set(self.sessions)
        now = tree.snapshot.now()
        gone = controller_gone(now)
        period = tree.layout.tool.scan.period_ms / 1000.0
        shown = condition_values(now, period)
        # Interlocks come first among the conditions; alarms are shown by `conditions`.
        for interlock, values in zip(tree.layout.tool.interlocks, shown, strict=False):
            path = interlock_path(interlock)
            for name, value in values.items():
                if f"{path}/{name}" in told:
                    continue
                if gone:
                    await tree.live[f"{path}/{name}"].set(None, StatusCodes.BadNoCommunication)
                else:
                    await tree.live[f"{path}/{name}"].set(value)
            for name, nothing in TOLD.items():
                if f"{path}/{name}" not in told:
                    await tree.live[f"{path}/{name}"].set(nothing)
            standing = {**values, "Name": interlock.name}
            standing |= {name: tree.live[f"{path}/{name}"].value for name in TOLD}
            if not gone and self._standing.get(path) != standing:
                self._standing[path] = standing
                value = record(tree.space, "InterlockDataType", standing)
                await tell(tree.space.cell(tree.records[path]), stamped(value))
        for path, enumeration in tree.codes.items():
            text = tree.live[path.removesuffix(CODE)]
            await tree.live[path].set(*coded(enumeration, text.value, text.status))
        await self._must(self._machine).look(str(tree.live["Runs/ActiveRun/State"].value))
        await self._must(self._conditions).look(time.time_ns())
        for node, indices in tree.arrays.items():
            cell = tree.space.cell(node)
            if cell.datachange_callbacks:
                data = tree.snapshot.read_many(indices)
                for handle, callback in list(cell.datachange_callbacks.items()):
                    await callback(handle, data)

    async def _clock(self) -> None:
        """Show the time: clients watch it to see that the server lives."""
        space: Space = self._must(self._tree).space
        time_cell = space.cell(ua.NodeId(Ids.Server_ServerStatus_CurrentTime))
        status_cell = space.cell(ua.NodeId(Ids.Server_ServerStatus))
        while True:
            now = datetime.now(UTC)
            data = ua.DataValue(ua.Variant(now, ua.VariantType.DateTime), SourceTimestamp=now, ServerTimestamp=now)
            await tell(time_cell, data)
            status = replace(status_cell.value.Value.Value, CurrentTime=now)
            shown = ua.Variant(status, ua.VariantType.ExtensionObject)
            await tell(status_cell, ua.DataValue(shown, SourceTimestamp=now, ServerTimestamp=now))
            await self._must(self._counts).look()
            await anyio.sleep(_CLOCK_S)
