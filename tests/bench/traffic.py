"""Load as a factory makes it: a server process that feeds clients from a process image, and the clients.

`python -m tests.bench.traffic server --image-fd N` serves the tags of the inherited image; `… clients ENDPOINT` lets
ten clients subscribe to a thousand of them at 10 Hz. Both run until standard input closes, and say what they did.
"""

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import anyio
import numpy as np
import structlog

from kernels.image import Image, Snapshot
from opcua_model.client import connect
from opcua_model.server import UaServer
from opcua_model.settings import Settings
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace_with

TAGS = 1000
CLIENTS = 10
INTERVAL_MS = 100.0
USER = "otto"


class Mirror(FakeDaemon):
    """A daemon whose values are those of an image, repeated until every tag has one."""

    image: Image

    def values(self) -> Snapshot:
        """Copy the newest row."""
        known, row = super().values(), self.image.snapshot()
        count = len(known.values)
        return replace(
            known,
            scan=row.scan,
            time_ns=row.time_ns,
            values=np.resize(row.values, count),
            status=np.resize(row.status, count),
            source_ns=np.resize(row.source_ns, count),
        )


async def serve(fd: int) -> None:
    """Serve the image until standard input closes."""
    mirror = Mirror(furnace_with(TAGS))
    mirror.image = Image(fd)
    with tempfile.TemporaryDirectory() as folder:
        async with UaServer(mirror, Settings(Path(folder), endpoint="opc.tcp://127.0.0.1:0/cvd")) as server:
            print(server.endpoint, flush=True)
            await anyio.to_thread.run_sync(sys.stdin.read)


async def attend(endpoint: str) -> None:
    """Subscribe with all clients, wait until standard input closes, and tell how many values came."""
    paths = [f"Equipment/extra/signal{number:04d}" for number in range(TAGS)]
    counts = [0] * CLIENTS
    over = anyio.Event()

    async def one(index: int, ready: anyio.abc.TaskStatus[None]) -> None:
        def take(path: str, value: Any, good: bool) -> None:
            counts[index] += 1

        async with connect(endpoint, USER, PASSWORDS[USER]) as tool, tool.subscribe(paths, INTERVAL_MS, take):
            ready.started()
            await over.wait()

    async with anyio.create_task_group() as group:
        for index in range(CLIENTS):
            await group.start(lambda index=index, *, task_status: one(index, task_status))
        print("attending", flush=True)
        await anyio.to_thread.run_sync(sys.stdin.read)
        over.set()
    print(json.dumps(counts), flush=True)


@contextmanager
def feeding(image: Image) -> Iterator[None]:
    """Let a server feed ten clients from an image meanwhile."""
    server = _child("server", "--image-fd", str(image.fd), fds=(image.fd,))
    try:
        endpoint = _line(server)
        clients = _child("clients", endpoint)
        try:
            if _line(clients) != "attending":
                raise RuntimeError("the clients did not come up")
            yield
        finally:
            _end(clients)
    finally:
        _end(server)


def _child(*arguments: str, fds: tuple[int, ...] = ()) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.traffic", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=fds)


def _line(child: subprocess.Popen[str]) -> str:
    return _pipe(child.stdout).readline().strip()


def _end(child: subprocess.Popen[str]) -> None:
    killer = threading.Timer(20.0, child.kill)
    killer.start()
    _pipe(child.stdin).close()
    _pipe(child.stdout).read()
    child.wait()
    killer.cancel()
    _pipe(child.stdout).close()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("the child has no pipe")
    return pipe


def main() -> None:
    """Run one side."""
    parser = argparse.ArgumentParser(description=__doc__)
    sides = parser.add_subparsers(dest="side", required=True)
    sides.add_parser("server").add_argument("--image-fd", type=int, required=True)
    sides.add_parser("clients").add_argument("endpoint")
    arguments = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    if arguments.side == "server":
        anyio.run(serve, arguments.image_fd)
    else:
        anyio.run(attend, arguments.endpoint)


if __name__ == "__main__":
    main()
