"""The controller as a program, started by the launcher with inherited descriptors."""

import argparse
import hashlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import structlog

from config.faults import ConfigError
from config.instruments import simulated
from config.layout import Layout
from config.loading import load_tool
from config.profiles import profiles_of
from config.tool import Tool
from kernels.image import Image
from supervisor.controller.compile import CompiledTool, compile_tool
from supervisor.controller.controller import Controller, Settings
from supervisor.controller.errors import ControllerError
from supervisor.link.channel import Channel
from supervisor.link.errors import LinkError
from supervisor.link.image import attach_image
from supervisor.link.logs import configure_logs

log = structlog.get_logger()

UNUSABLE = 78
"""Exit code when a restart would not help (EX_CONFIG of sysexits.h)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the controller; 0 after an orderly end."""
    arguments = _parser().parse_args(argv)
    configure_logs(arguments.log, "controller")
    try:
        anyio.run(_run, arguments)
    except (ConfigError, ControllerError, LinkError, OSError) as error:
        log.critical("the controller cannot run", reason=str(error))
        return UNUSABLE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m supervisor.controller", description=__doc__)
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--image-fd", type=int, required=True, help="memfd of the process image")
    parser.add_argument("--channel-fd", type=int, required=True, help="this half's end of the channel")
    parser.add_argument("--ready-fd", type=int, help='gets b"1" when the scan runs')
    parser.add_argument("--sim", action="store_true", help="the simulated plant instead of instruments")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated scans a slot")
    parser.add_argument("--log", choices=("console", "json"), default="console")
    return parser


async def _run(arguments: argparse.Namespace) -> None:
    """What cannot be taken up is told before any task exists; what fails later is a mistake, and has a traceback."""
    controller = Controller(*await anyio.to_thread.run_sync(_read, arguments))
    async with anyio.create_task_group() as group:
        group.start_soon(_on_signal, controller)
        group.start_soon(_announce, controller, arguments.ready_fd)
        await controller.run()
        group.cancel_scope.cancel()


def _read(arguments: argparse.Namespace) -> tuple[Settings, Tool, CompiledTool, Image, Channel]:
    """Take up everything that was inherited or named (blocking)."""
    raw = arguments.tool.read_bytes()
    tool = load_tool(arguments.tool)
    if arguments.sim:
        tool = simulated(tool)
    if arguments.speed != 1 and not arguments.sim:
        raise ControllerError("only a simulated tool runs faster than the clock: --speed needs --sim")
    image = attach_image(arguments.image_fd, Layout(tool))
    image.heal()
    settings = Settings(
        tool_text=raw.decode("utf-8", "replace"),
        tool_sha256=hashlib.sha256(raw).hexdigest(),
        data=arguments.data,
        sim=arguments.sim,
        speed=max(1, round(arguments.speed)) if arguments.sim or tool.rig is None else tool.rig.speed,
        profiles={} if arguments.sim else profiles_of(tool),
    )
    channel = Channel(socket.socket(fileno=arguments.channel_fd), "controller")
    return settings, tool, compile_tool(tool), image, channel


async def _on_signal(controller: Controller) -> None:
    """SIGTERM ends in order, the safe sequence first; a second one does not cut it short."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            controller.stop(signal.Signals(number).name)


async def _announce(controller: Controller, ready_fd: int | None) -> None:
    await controller.ready.wait()
    log.info("controller ready", tool=controller.tool.name, sim=controller.settings.sim)
    if ready_fd is not None:
        os.write(ready_fd, b"1")
        os.close(ready_fd)


if __name__ == "__main__":
    sys.exit(main())
