"""The server as a program, started by the launcher with inherited descriptors."""

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import structlog

from config.faults import ConfigError
from config.layout import Layout
from config.loading import load_tool
from kernels.image import Image
from supervisor.link.channel import Channel
from supervisor.link.errors import LinkError
from supervisor.link.image import attach_image
from supervisor.link.lifeline import die_with_parent
from supervisor.link.logs import configure_logs
from supervisor.server.configuration import ServerTable
from supervisor.server.errors import ServerError
from supervisor.server.server import Server, Settings

log = structlog.get_logger()

UNUSABLE = 78
"""Exit code when a restart would not help (EX_CONFIG of sysexits.h)."""
STOP_S = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server; 0 after an orderly end."""
    arguments = _parser().parse_args(argv)
    configure_logs(arguments.log, "server")
    # asyncua calls each refusal an error; a client that is refused a thousand times must not fill the log.
    logging.getLogger("asyncua.server.uaprocessor").setLevel(logging.CRITICAL)
    die_with_parent()
    code = 0
    try:
        anyio.run(_run, arguments)
    except* (ConfigError, ServerError, LinkError, OSError) as group:
        for error in _leaves(group):
            log.critical("the server cannot run", reason=str(error))
        code = UNUSABLE
    return code


def _leaves(group: BaseExceptionGroup[Exception]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m supervisor.server", description=__doc__)
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--settings", default="{}", help="table [server] of the settings file, as JSON")
    parser.add_argument("--image-fd", type=int, required=True, help="memfd of the process image")
    parser.add_argument("--channel-fd", type=int, required=True, help="this half's end of the channel")
    parser.add_argument("--ready-fd", type=int, help='gets b"1" when the endpoint answers')
    parser.add_argument("--sim", action="store_true", help="the controller has the simulated plant")
    parser.add_argument("--log", choices=("console", "json"), default="console")
    return parser


async def _run(arguments: argparse.Namespace) -> None:
    layout, image, sock = await anyio.to_thread.run_sync(_read, arguments)
    table = ServerTable.model_validate_json(arguments.settings)
    settings = Settings(
        arguments.tool.absolute(), arguments.data.absolute(), arguments.endpoint, table.policy.policy(), table
    )
    with image:
        async with Channel(sock, "server") as channel:
            server = Server(settings, layout, image, channel)
            async with anyio.create_task_group() as group:
                group.start_soon(_on_signal, server)
                group.start_soon(_announce, server, arguments.ready_fd)
                await server.run()
                log.info("server stopped")
                group.cancel_scope.cancel()


def _read(arguments: argparse.Namespace) -> tuple[Layout, Image, socket.socket]:
    """Take up everything that was inherited or named (blocking)."""
    layout = Layout(load_tool(arguments.tool))
    return layout, attach_image(arguments.image_fd, layout), socket.socket(fileno=arguments.channel_fd)


async def _on_signal(server: Server) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            log.info("stopping", signal=signal.Signals(number).name)
            server.stop()


async def _announce(server: Server, ready_fd: int | None) -> None:
    await server.ready.wait()
    log.info("server ready", endpoint=server.settings.endpoint)
    if ready_fd is not None:
        os.write(ready_fd, b"1")
        os.close(ready_fd)


if __name__ == "__main__":
    sys.exit(main())
