"""SIGHUP: the settings file is read again, and the server goes on with what it says; the controller notices nothing.

All or nothing: a file with faults, or settings with which no server comes up, leave everything as it is. While a run is
active nothing is changed, since the server is away for seconds. A tool file belongs to both halves and to the image: a
changed one is told and takes effect with the next start of the daemon.
"""

import hashlib
import signal
from pathlib import Path

import anyio
import structlog

from config.faults import ConfigError
from kernels.image import Image
from kernels.tables import RunState, SystemTag
from supervisor.launcher.half import Half
from supervisor.launcher.notify import notify
from supervisor.server.configuration import ServerTable, read_settings

log = structlog.get_logger()

REST = frozenset({RunState.IDLE, RunState.STOPPED, RunState.ABORTED, RunState.COMPLETE})
READY_S = 60.0
"""A server that is not ready after so long does not work with the new settings."""


class Reload:
    """Carries out SIGHUP.

    Args:
        path: the settings file; where there is none, the defaults hold.
        table: the settings in force.
        server: the half that has them.
        image: says whether a run is active.
        tool: the tool file.
        tool_text: as it was when the daemon started.
    """

    def __init__(
        self, path: Path, table: ServerTable, server: Half, image: Image, tool: Path, tool_text: bytes
    ) -> None:
        self._path = path
        self._table = table
        self._server = server
        self._image = image
        self._tool = tool
        self._tool_sha256 = hashlib.sha256(tool_text).hexdigest()

    async def run(self) -> None:
        """Wait for SIGHUP for ever."""
        with anyio.open_signal_receiver(signal.SIGHUP) as signals:
            async for _ in signals:
                await anyio.to_thread.run_sync(notify, "RELOADING=1")
                await self.reload()
                await anyio.to_thread.run_sync(notify, "READY=1")

    async def reload(self) -> bool:
        """Take the settings file; False, with the reason in the log, when everything stays as it was."""
        try:
            table = await anyio.to_thread.run_sync(self._read)
        except (ConfigError, OSError) as error:
            return self._refused(str(error))
        if await anyio.to_thread.run_sync(self._tool_changed):
            log.warning("the tool file has changed: it is taken at the next start of the daemon", tool=str(self._tool))
        if table == self._table:
            log.info("reload: the settings are the same")
            return True
        state = RunState(int(self._image.snapshot().values[SystemTag.RUN_STATE]))
        if state not in REST:
            return self._refused(
                f"a run is {state.name}: the server would be away for seconds; reload when it has ended"
            )
        if not await self._server.renew(_with(self._server, table), READY_S):
            await self._server.renew(_with(self._server, self._table), READY_S)
            return self._refused("no server comes up with the new settings; its last lines say why")
        self._table = table
        log.info("reload: the server goes on with the new settings", settings=str(self._path))
        return True

    def _read(self) -> ServerTable:
        return read_settings(self._path) if self._path.exists() else ServerTable()

    def _tool_changed(self) -> bool:
        try:
            return hashlib.sha256(self._tool.read_bytes()).hexdigest() != self._tool_sha256
        except OSError:
            return True

    def _refused(self, reason: str) -> bool:
        log.error("reload refused: nothing was changed", reason=reason)
        return False


def _with(server: Half, table: ServerTable) -> list[str]:
    """Return the arguments of a server with other settings."""
    arguments = list(server.arguments)
    arguments[arguments.index("--settings") + 1] = table.model_dump_json(exclude_defaults=True)
    return arguments
