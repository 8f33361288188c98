"""Bytes from nowhere at the port while a run goes on: scans, run and honest clients feel nothing."""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from tests.system.daemon import Daemon, ended, idling, refusal, serving, started, until
from tests.system.quick import quick_recipe

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
ELAPSED = "Runs/ActiveRun/ElapsedS"
SPEED = 10


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with serving(tmp_path_factory.mktemp("hostile"), speed=SPEED) as served:
        yield served


def dial(daemon: Daemon) -> socket.socket:
    port = int(daemon.endpoint.rpartition(":")[2].partition("/")[0])
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def throw(daemon: Daemon, data: bytes) -> None:
    """Send bytes and leave, whatever the other side does meanwhile."""
    with dial(daemon) as line:
        try:
            line.sendall(data)
            line.settimeout(1)
            while line.recv(4096):
                pass
        except OSError:
            return


def hello(endpoint: str) -> bytes:
    url = endpoint.encode()
    body = struct.pack("<IIIIII", 0, 65535, 65535, 0, 0, len(url)) + url
    return b"HELF" + struct.pack("<I", len(body) + 8) + body


def noise(daemon: Daemon) -> list[bytes]:
    greeting = hello(daemon.endpoint)
    return [
        os.urandom(100_000),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HELF" + struct.pack("<I", 0xFFFFFFF0),
        b"HELF" + struct.pack("<I", 8),
        b"MSGF" + struct.pack("<I", 0x7FFFFFFF) + os.urandom(1000),
        greeting + b"OPNF" + struct.pack("<I", 0xFFFFFF00) + os.urandom(60_000),
        greeting + b"OPNF" + struct.pack("<I", 200) + os.urandom(192),
        greeting + b"MSGF" + struct.pack("<I", 64) + os.urandom(56),
        greeting * 50,
        b"\0" * 200_000,
    ]


async def test_hostile_bytes_cost_no_scan_and_no_run(daemon: Daemon) -> None:
    async with daemon.client("olga") as operator:
        await idling(operator)
        run_id, _ = await started(daemon, operator, quick_recipe("Besieged", deposition_s=120))
        await until(operator, ELAPSED, lambda elapsed: elapsed > 1)
        skipped, overruns = [await operator.read(f"Diagnostics/{name}") for name in ("SkippedSlots", "Overruns")]

        def storm() -> None:
            for _ in range(5):
                for data in noise(daemon):
                    throw(daemon, data)

        # 200 connections that say half a word, some that ask and never read, and noise from two sides.
        idle = [await anyio.to_thread.run_sync(dial, daemon) for _ in range(200)]
        greeting = hello(daemon.endpoint)
        try:
            for index, line in enumerate(idle):
                line.setblocking(False)
                try:
                    line.send(greeting * 20 if index % 4 == 0 else greeting[: index % len(greeting)])
                except OSError:
                    continue  # It was thrown out already.
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(anyio.to_thread.run_sync, storm)
                # Meanwhile somebody honest comes in and is served.
                with anyio.fail_after(20):
                    async with daemon.client("otto") as observer:
                        assert await observer.read("Runs/ActiveRun/State") == "RUNNING"
                        error = await refusal(observer, "Runs", "AbortRun", run_id)
                        assert error.status == "BadUserAccessDenied"
        finally:
            for line in idle:
                line.close()

        assert await operator.read("Runs/ActiveRun/State") == "RUNNING"
        run = await ended(operator, run_id)
        assert run["status"] == "COMPLETE"
        assert run["postflight_summary"]["trips"] == []
        assert await operator.read("Diagnostics/ControllerAlive") is True
        # The machine may be busy; what must not happen is that the port's trouble reaches the scan.
        late = await operator.read("Diagnostics/SkippedSlots") - skipped
        assert late <= 0.02 * run["duration_seconds"] * 100 / SPEED, f"{late} slots were skipped"
        assert await operator.read("Diagnostics/Overruns") - overruns <= 0.02 * run["duration_seconds"] * 100 / SPEED
    # Nobody asks for the server's restart: it is the one that was there before.
    starts = [line for line in daemon.lines() if line.get("event") == "half started"]
    assert len(starts) == 2


async def test_a_client_that_never_reads_is_left_behind(daemon: Daemon) -> None:
    """A subscriber stops reading its socket: others go on, and the server's memory does not grow without end."""
    server_pid = (await anyio.to_thread.run_sync(daemon.ready))["server_pid"]

    def resident_kb() -> int:
        lines = Path(f"/proc/{server_pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    async with daemon.client("otto") as deaf, daemon.client("olga") as operator:
        names = [f"Equipment/{module}/{tag}" for module in await operator.children("Equipment")
                 for tag in await operator.children(f"Equipment/{module}")][:60]  # fmt: skip
        async with deaf.subscribe(names, 50, lambda *_: None):
            transport = deaf._client.uaclient.protocol.transport
            transport.pause_reading()
            before = resident_kb()
            latest = await operator.read("Diagnostics/ScanDurationUs")
            await anyio.sleep(5)  # So long nobody reads.
            assert await operator.read("Diagnostics/ControllerAlive") is True
            assert latest is not None
            assert resident_kb() - before < 50_000
            transport.resume_reading()
        ok, report = await operator.call("State", "CheckInterlocks")
        assert ok, report
