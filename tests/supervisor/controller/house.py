"""A controller as a process of its own, started as the launcher does: inherited image, channel and ready descriptor."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import anyio

from config.layout import Layout
from config.loading import load_tool
from kernels.image import Image
from kernels.tables import RunState, SystemTag
from supervisor.link.channel import Channel, socket_pair
from supervisor.link.image import create_image
from supervisor.link.messages import Subscribe
from tests.processes import uncounted
from tests.supervisor.controller.stand import Desk

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class House(Desk):
    """What a launcher keeps, with one controller after another in it."""

    tool: Path
    layout: Layout
    image: Image
    controllers_end: socket.socket
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    async def move_in(self, *, orphan: bool = False) -> None:
        """Start a controller; returns when its scan runs. An `orphan` has a shell for its parent."""
        read, write = os.pipe()
        command = [sys.executable, "-m", "supervisor.controller", "--tool", str(self.tool), "--data", str(self.folder)]
        command += ["--image-fd", str(self.image.fd), "--channel-fd", str(self.controllers_end.fileno())]
        command += ["--ready-fd", str(write), "--log", "json", *self.options]
        if orphan:
            command = ["/bin/sh", "-c", f"{shlex.join(command)}; true"]
        log = self.folder / "controller.log"

        def spawn() -> None:
            with log.open("ab") as output:
                self.process = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=uncounted(),
                    stderr=output,
                    pass_fds=(self.image.fd, self.controllers_end.fileno(), write),
                )

        await anyio.to_thread.run_sync(spawn)
        os.close(write)
        os.set_blocking(read, False)
        try:
            with anyio.fail_after(120.0):
                await anyio.wait_readable(read)
                assert os.read(read, 1) == b"1", self.log()
        finally:
            os.close(read)
        await self.server.send(Subscribe(after=self.events[-1].seq if self.events else 0, epoch=uuid4()))

    def log(self) -> str:
        return (self.folder / "controller.log").read_text()

    def kill(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def moved_out(self, timeout_s: float = 60.0) -> int:
        """Wait until the controller has ended; its exit code."""
        process = self.process
        assert process is not None
        with anyio.fail_after(timeout_s):
            return await anyio.to_thread.run_sync(process.wait, abandon_on_cancel=True)

    def value(self, name: str) -> float:
        return float(self.image.snapshot().values[self.layout.index[name]])

    @property
    def run_state(self) -> str:
        return RunState(int(self.image.snapshot().values[SystemTag.RUN_STATE])).name


@asynccontextmanager
async def house(folder: Path, tool: Path, *options: str) -> AsyncIterator[House]:
    """Build a house and end whoever is in it afterwards."""
    layout = Layout(await anyio.to_thread.run_sync(load_tool, tool))
    mine, theirs = socket_pair()
    with create_image(layout) as image, mine:
        async with Channel(theirs, "server") as server:
            made = House(server, folder, tool, layout, image, mine, options)
            async with anyio.create_task_group() as group:
                group.start_soon(made.listen)
                try:
                    yield made
                finally:
                    if made.process is not None and made.process.poll() is None:
                        made.process.kill()
                        with anyio.CancelScope(shield=True):
                            await made.moved_out()
                group.cancel_scope.cancel()
