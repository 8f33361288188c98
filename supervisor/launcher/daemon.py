"""The daemon's life: everything is checked, both halves start, either is restarted, and the controller ends first."""

import json
import math
import os
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import structlog
from anyio.abc import ObjectReceiveStream

from config.layout import Layout
from config.loading import load_tool
from config.tool import Tool
from kernels.image import Image
from supervisor.launcher.endpoint import require_free
from supervisor.launcher.errors import DataFolderError, LauncherError
from supervisor.launcher.folder import DataFolder
from supervisor.launcher.half import Half
from supervisor.launcher.notify import notify
from supervisor.launcher.reload import Reload
from supervisor.launcher.watchdog import feed, interval_s
from supervisor.link.channel import socket_pair
from supervisor.link.image import create_image
from supervisor.server.configuration import FILE_NAME, ServerTable, read_settings

log = structlog.get_logger()

ENDPOINT = "opc.tcp://127.0.0.1:4840/cvd"
READY_FILE = "ready.json"
TOOL_FILE = "tool.toml"
"""The tool as this daemon was started with it: a half that is started again never meets another one."""
SERVER_STOP_S = 10.0
CONTROLLER_MARGIN_S = 10.0
"""Added to the bound of the tool's safe sequence: ending the scan, the tape and the journal."""


@dataclass(frozen=True)
class Settings:
    """What `cvd run` was asked."""

    tool: Path
    data: Path
    endpoint: str = ENDPOINT
    settings: Path | None = None
    """The settings file; None: `daemon.toml` in the data folder, when it is there."""
    sim: bool = False
    speed: float = 1.0
    log_format: str = "console"


async def run_daemon(settings: Settings) -> None:
    """Run the daemon until SIGTERM or SIGINT.

    Raises:
        config.ConfigError: the tool or the settings file has faults: all of them.
        LauncherError: it cannot start or go on; the text says why.
    """
    tool, text = await anyio.to_thread.run_sync(_read_tool, settings.tool)
    table = await anyio.to_thread.run_sync(_read_settings, settings)
    await anyio.to_thread.run_sync(require_free, settings.endpoint)
    news, heard = anyio.create_memory_object_stream[None](math.inf)
    failures: list[LauncherError] = []
    async with (
        news,
        heard,
        _folder(settings.data, text),
        _halves(settings, tool, table, lambda: news.send_nowait(None)) as (image, halves),
        anyio.create_task_group() as group,
    ):
        over = anyio.Event()
        group.start_soon(_on_signal, over)
        reload = Reload(settings.settings or settings.data / FILE_NAME, table, halves[1], image, settings.tool, text)
        group.start_soon(reload.run)
        if (every_s := interval_s()) is not None:
            group.start_soon(feed, image, every_s)
        group.start_soon(_announce, settings, halves, heard)
        for half in halves:
            group.start_soon(_keep, half, failures, over)
        await over.wait()
        await _stop(*halves)
        group.cancel_scope.cancel()
    if failures:
        raise failures[0]


def _read_tool(path: Path) -> tuple[Tool, bytes]:
    """Read the tool and what its file says (blocking)."""
    tool = load_tool(path)
    try:
        return tool, path.read_bytes()
    except OSError as error:
        raise LauncherError(f"{path}: {error.strerror}") from error


def _read_settings(settings: Settings) -> ServerTable:
    """Read what the installation decides (blocking); one server that is started again meets the same."""
    path = settings.settings or settings.data / FILE_NAME
    return read_settings(path) if settings.settings or path.exists() else ServerTable()


async def _on_signal(over: anyio.Event) -> None:
    """End at the first SIGTERM or SIGINT; further ones do not cut the safe sequence short."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            log.info("stopping", signal=signal.Signals(number).name)
            over.set()


async def _keep(half: Half, failures: list[LauncherError], over: anyio.Event) -> None:
    """Run one half; when it cannot run, the whole daemon ends in order."""
    try:
        await half.run()
    except LauncherError as error:
        failures.append(error)
        over.set()


async def _announce(settings: Settings, halves: tuple[Half, Half], heard: ObjectReceiveStream[None]) -> None:
    """Keep the ready file: it is there while both halves are."""
    async for _ in heard:
        if not all(half.up for half in halves):
            await anyio.Path(settings.data / READY_FILE).unlink(missing_ok=True)
        else:
            await _write_ready(settings, *halves)
            notify("READY=1", f"STATUS=endpoint {settings.endpoint}")
            log.info("ready", endpoint=settings.endpoint)


async def _write_ready(settings: Settings, controller: Half, server: Half) -> None:
    state = {
        "endpoint": settings.endpoint,
        "pid": os.getpid(),
        "controller_pid": controller.process.pid if controller.process else None,
        "server_pid": server.process.pid if server.process else None,
    }
    path = anyio.Path(settings.data / READY_FILE)
    scratch = path.with_suffix(".tmp")
    await scratch.write_text(json.dumps(state) + "\n", encoding="utf-8")
    await scratch.replace(path)


async def _stop(controller: Half, server: Half) -> None:
    """The controller first, its safe sequence included, while the server still tells everyone about it."""
    with anyio.CancelScope(shield=True):
        notify("STOPPING=1")
        await controller.stop()
        await server.stop()


@asynccontextmanager
async def _folder(path: Path, tool: bytes) -> AsyncGenerator[DataFolder]:
    folder = await anyio.to_thread.run_sync(DataFolder, path)
    with folder:
        await anyio.Path(path / READY_FILE).unlink(missing_ok=True)
        await _keep_tool(path, tool)
        try:
            yield folder
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.Path(path / READY_FILE).unlink(missing_ok=True)


async def _keep_tool(folder: Path, tool: bytes) -> None:
    try:
        await anyio.Path(folder / TOOL_FILE).write_bytes(tool)
    except OSError as error:
        raise DataFolderError(f"the data folder {folder} cannot be written: {error.strerror}") from error


@asynccontextmanager
async def _halves(
    settings: Settings, tool: Tool, table: ServerTable, on_change: Callable[[], None]
) -> AsyncGenerator[tuple[Image, tuple[Half, Half]]]:
    """Create what the halves share and describe both."""
    async with AsyncExitStack() as stack:
        image = stack.enter_context(create_image(Layout(tool)))
        ends = socket_pair()
        for end in ends:
            stack.callback(end.close)
        common = ["--tool", str(settings.data / TOOL_FILE), "--data", str(settings.data), "--image-fd", str(image.fd)]
        common += ["--log", settings.log_format, *(["--sim"] if settings.sim else [])]
        controller = Half(
            "controller",
            "supervisor.controller",
            [*common, "--channel-fd", str(ends[0].fileno()), "--speed", str(settings.speed)],
            (image.fd, ends[0].fileno()),
            stop_s=tool.safe_sequence.bound_s + CONTROLLER_MARGIN_S,
            on_ready=on_change,
            on_end=on_change,
        )
        server = Half(
            "server",
            "supervisor.server",
            [
                *(*common, "--channel-fd", str(ends[1].fileno()), "--endpoint", settings.endpoint),
                *("--settings", table.model_dump_json(exclude_defaults=True)),
            ],
            (image.fd, ends[1].fileno()),
            stop_s=SERVER_STOP_S,
            on_ready=on_change,
            on_end=on_change,
        )
        yield image, (controller, server)
