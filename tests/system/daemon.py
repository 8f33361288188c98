"""A whole daemon for a test: `cvd run` as a child process, with people who can log in."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import anyio

import config
from config.tool import Role
from opcua_model.client import ClientError, ToolClient, connect
from supervisor.server.access.users import UserStore
from tests.architecture.layout import ROOT
from tests.processes import uncounted

FURNACE = config.shipped_tool("lpcvd_furnace")
OXIDE = config.shipped_recipe("lpcvd_sio2_100nm")
PASSWORD = "correct horse battery staple"
PEOPLE = {
    "erika": [Role.ENGINEER],
    "amir": [Role.ENGINEER],
    "olga": [Role.OPERATOR],
    "mia": [Role.MAINTENANCE],
    "ada": [Role.ADMINISTRATOR],
    "otto": [Role.OBSERVER],
}
START_S = 150.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cvd(*arguments: object, timeout: float = 60.0, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of the command line to its end."""
    command = [sys.executable, "-m", "supervisor.cli", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=uncounted(), capture_output=True, text=True, timeout=timeout, check=False, input=stdin
    )


@cache
def _people() -> str:
    """The file of the people of all tests: each password costs a processor a tenth of a second."""
    with tempfile.TemporaryDirectory() as folder:
        users = UserStore(Path(folder) / "users.toml")
        for name, roles in PEOPLE.items():
            users.add(name, PASSWORD, roles)
        return users.path.read_text(encoding="utf-8")


class Daemon:
    """A running `cvd run` and what a test wants to know of it."""

    def __init__(
        self,
        data: Path,
        *,
        tool: Path = FURNACE,
        speed: int = 1,
        port: int | None = None,
        sim: bool = True,
    ) -> None:
        self.data = data
        self.log = data / "daemon.log"
        self.endpoint = f"opc.tcp://127.0.0.1:{port or free_port()}/cvd"
        data.mkdir(parents=True, exist_ok=True)
        self.people_of(data)
        command = [sys.executable, "-m", "supervisor.cli", "run", str(tool), "--log", "json"]
        command += ["--data", str(data), "--endpoint", self.endpoint]
        command += ["--sim", "--speed", str(speed)] if sim else []
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=uncounted(),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )

    @staticmethod
    def people_of(data: Path) -> None:
        """Let everybody in."""
        path = data / "users.toml"
        if not path.exists():
            path.touch(0o600)
            path.write_text(_people(), encoding="utf-8")
            return
        users = UserStore(path)
        known = {user.name for user in users.list()}
        for name, roles in PEOPLE.items():
            if name not in known:
                users.add(name, PASSWORD, roles)

    def ready(self) -> dict[str, Any]:
        """Wait until both halves answer; return what the ready file says."""
        deadline = time.monotonic() + START_S
        path = self.data / "ready.json"
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(FileNotFoundError):
                told = json.loads(path.read_text())
                if told["pid"] == self.process.pid:  # Not what a killed launcher has left.
                    return told
            time.sleep(0.02)
        raise AssertionError(f"the daemon is not ready (exit code {self.process.poll()}):\n{self.tail()}")

    def wait_for_restart(self, half: str, before: int) -> int:
        """Wait until a half has another process than before, and is ready."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            pid = self.ready()[f"{half}_pid"]
            if pid != before:
                return pid
            time.sleep(0.02)
        raise AssertionError(f"the {half} was not restarted:\n{self.tail()}")

    def kill(self, half: str) -> int:
        """SIGKILL a half; return the process it was."""
        pid = int(self.ready()[f"{half}_pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    def terminate(self, timeout: float = 120.0) -> float:
        """SIGTERM, wait for the end in order; return how long that took."""
        began = time.monotonic()
        self.process.terminate()
        code = self.process.wait(timeout)
        assert code == 0, self.tail()
        return time.monotonic() - began

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(90)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def tail(self, size: int = 6000) -> str:
        return self.log.read_bytes()[-size:].decode(errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def client(self, user: str):
        return connect(self.endpoint, user, PASSWORD)


@contextmanager
def serving(data: Path, **options: Any) -> Generator[Daemon]:
    """Run a daemon for a whole module of tests: a start costs seconds."""
    daemon = Daemon(data, **options)
    try:
        daemon.ready()
        yield daemon
    finally:
        daemon.close()


@asynccontextmanager
async def running(data: Path, **options: Any) -> AsyncGenerator[Daemon]:
    """Run a daemon from a test on the event loop."""
    daemon = await anyio.to_thread.run_sync(lambda: Daemon(data, **options))
    try:
        await anyio.to_thread.run_sync(daemon.ready)
        yield daemon
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(daemon.close)


async def refusal(client: ToolClient, path: str, method: str, *arguments: Any) -> ClientError:
    """Call what must be refused; return the refusal, which says why."""
    try:
        given = await client.call(path, method, *arguments)
    except ClientError as error:
        refused = error
    else:
        raise AssertionError(f"{path}/{method} was not refused; it gave {given!r}")
    assert refused.reason, f"{path}/{method} was refused without a reason: {refused}"
    return refused


async def ended(client: ToolClient, run_id: str, *, within_s: float = 100.0) -> dict[str, Any]:
    """Wait for the end of a run; return its record."""
    run: dict[str, Any] = {}
    with anyio.move_on_after(within_s):
        while True:
            run = json.loads(await client.call("Runs", "GetRun", run_id))
            if run["status"] in {"COMPLETE", "STOPPED", "ABORTED", "FAILED"}:
                return run
            await anyio.sleep(0.1)
    raise AssertionError(f"run {run_id} is still {run.get('status')} after {within_s:g} s")


async def until(
    client: ToolClient, path: str, holds: Callable[[Any], bool], *, within_s: float = 60.0, every_s: float = 0.02
) -> Any:
    """Read a node until its value fits; fail with the last value after the time."""
    value: Any = None
    with anyio.move_on_after(within_s):
        while True:
            value = await client.read(path)
            if holds(value):
                return value
            await anyio.sleep(every_s)
    raise AssertionError(f"{path} is still {value!r} after {within_s:g} s")


async def idling(client: ToolClient) -> None:
    """Bring the tool to its idle state: it is disarmed after its start and after an abort, and cools down."""
    await client.call("Services", "Start", "standby")
    operation = json.loads(await client.call("Runs", "ListRuns", "", 0, 1))[0]
    assert (await ended(client, operation["run_id"]))["status"] == "COMPLETE"


async def approved(daemon: Daemon, document: str) -> tuple[str, int]:
    """Add a recipe as one engineer, approve it as another."""
    async with daemon.client("erika") as writer:
        recipe_id, version = await writer.call("Recipes", "AddRecipe", document)
    async with daemon.client("amir") as approver:
        await approver.call("Recipes", "ApproveRecipe", recipe_id, version, "as reviewed")
    return str(recipe_id), int(version)


async def started(daemon: Daemon, operator: ToolClient, document: str | None = None) -> tuple[str, str]:
    """Approve a recipe and start a run of it; return its id and number."""
    recipe_id, version = await approved(daemon, document or OXIDE.read_text())
    run_id, number = await operator.call("Runs", "CreateRun", recipe_id, version, "S1", "W1", "{}")
    await operator.call("Runs", "StartRun", run_id)
    return str(run_id), str(number)
