"""One half as the launcher sees it: a program that is started again, with back-off, until it is told to stop."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
import structlog
from anyio.abc import Process

from supervisor.launcher.errors import HalfFailedError

log = structlog.get_logger()

FIRST_DELAY_S = 0.1
GREATEST_DELAY_S = 5.0
LOOK_S = 0.05
HEALTHY_S = 30.0
"""After so long the next death counts as the first again."""


@dataclass
class Half:
    """A half and how to run it.

    `fds` are inherited besides standard error; `stop_s` is how long it may take to end after SIGTERM.
    """

    name: str
    module: str
    arguments: Sequence[str]
    fds: Sequence[int]
    stop_s: float
    on_ready: Callable[[], None]
    """Called each time that it has become ready."""
    on_end: Callable[[], None] = lambda: None
    """Called each time that it has ended."""
    ready: anyio.Event = field(default_factory=anyio.Event)
    """Set once it has been ready for the first time."""
    up: bool = False
    """Whether the process that runs now has said that it is ready."""
    process: Process | None = None
    starts: int = 0
    _stopping: bool = False
    _renewing: bool = False
    _ended: anyio.Event = field(default_factory=anyio.Event)
    _awake: anyio.Event = field(default_factory=anyio.Event)

    async def run(self) -> None:
        """Keep it running until `stop`.

        Raises:
            HalfFailedError: it ended before it was ready for the first time. Later deaths are restarted for ever: a
                run goes on without its server, and a tool is better watched by a controller that keeps trying.
        """
        delay = FIRST_DELAY_S
        try:
            while not self._stopping:
                began = anyio.current_time()
                code = await self._once()
                if self._stopping:
                    return
                if not self.ready.is_set():
                    raise HalfFailedError(f"the {self.name} cannot run (exit code {code}); its last lines say why")
                if self._renewing:
                    self._renewing = False
                    continue
                if anyio.current_time() - began > HEALTHY_S:
                    delay = FIRST_DELAY_S
                log.error("half ended; starting it again", half=self.name, code=code, delay_s=delay)
                with anyio.move_on_after(delay):
                    await self._awake.wait()
                delay = min(2 * delay, GREATEST_DELAY_S)
        finally:
            self._ended.set()

    async def _once(self) -> int:
        read, write = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(read, False)
        command = [sys.executable, "-m", self.module, *self.arguments, "--ready-fd", str(write)]
        try:
            self.process = await anyio.open_process(
                command, stdin=None, stdout=None, stderr=None, pass_fds=(*self.fds, write), start_new_session=True
            )
        finally:
            os.close(write)
        self.starts += 1
        log.info("half started", half=self.name, pid=self.process.pid, start=self.starts)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._await_ready, read)
                await self.process.wait()
                group.cancel_scope.cancel()
        finally:
            os.close(read)
            self.up = False
            self.on_end()
            await self._kill()
        return await self.process.wait()

    async def _await_ready(self, read: int) -> None:
        await anyio.wait_readable(read)
        if os.read(read, 1):
            self.ready.set()
            self.up = True
            log.info("half ready", half=self.name)
            self.on_ready()

    async def renew(self, arguments: Sequence[str], within_s: float) -> bool:
        """Let a process with other arguments take its place; False when that one is not ready in time, or dies."""
        before = self.starts
        self.arguments, self._renewing = arguments, True
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        self._awake.set()
        self._awake = anyio.Event()
        with anyio.move_on_after(within_s):
            # Another start than the first with these arguments: it died.
            while not (self.up and self.starts > before) and self.starts <= before + 1:  # noqa: ASYNC110 (two causes)
                await anyio.sleep(LOOK_S)
        return self.up and self.starts == before + 1

    async def stop(self) -> None:
        """Ask it to end and wait; after `stop_s` it is killed."""
        self._stopping = True
        self._awake.set()
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        with anyio.move_on_after(self.stop_s) as bound:
            await self._ended.wait()
        if bound.cancelled_caught:
            log.error("half did not end in time; killing it", half=self.name, bound_s=self.stop_s)
            await self._kill()
            await self._ended.wait()

    async def _kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            with anyio.CancelScope(shield=True):
                await self.process.wait()
