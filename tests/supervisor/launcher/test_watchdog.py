"""systemd's watchdog is fed while the scan is healthy, and by nothing else: over a real notification socket."""

import os
import socket
from pathlib import Path

import anyio
import pytest

from config.loading import load_model
from config.text import Syntax
from config.tool import Tool
from kernels.image import Image
from kernels.realtime import ScanThread
from kernels.scan import Scan
from supervisor.controller.compile import compile_tool
from supervisor.launcher.watchdog import Look, feed, healthy, interval_s
from tests.supervisor.controller.stand import tool_text

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 20.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 20.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
async def test_it_is_fed_three_times_as_often_as_systemd_asks(environment, expected) -> None:
    assert interval_s(environment, pid=7) == expected


BEFORE = Look(scan=100, scans=100, bad=3, generation=1)


@pytest.mark.parametrize(
    ("now", "well"),
    [
        (Look(200, 200, 3, 1), True),
        (Look(200, 200, 53, 1), True),
        (Look(200, 200, 54, 1), False),
        (Look(100, 100, 3, 1), False),
        (Look(5, 5, 0, 2), True),
        (Look(-1, 0, 0, 2), False),
    ],
    ids=["goes on", "half of it late", "more than half late", "stands still", "a successor", "none yet"],
)
async def test_only_a_scan_that_keeps_its_slots_is_healthy(now: Look, well: bool) -> None:
    assert healthy(BEFORE, now) is well


async def test_a_scan_that_stands_still_starves_the_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compile_tool(load_model(tool_text(), Tool, syntax=Syntax.TOML))
    tables = compiled.tables
    address = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(address))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.setblocking(False)
        tags, conditions = len(compiled.layout.tags), len(compiled.layout.conditions)
        with Image.create(tags=tags, conditions=conditions, flight_rows=100, log_rows=100) as image:
            scan = Scan(tables, image)
            thread = ScanThread(scan, period_ns=50_000_000, priority=0)
            await anyio.to_thread.run_sync(thread.start)
            async with anyio.create_task_group() as group:
                group.start_soon(feed, image, 0.5)
                with anyio.fail_after(30):
                    for _ in range(2):
                        await anyio.wait_readable(manager)
                        assert manager.recv(100) == b"WATCHDOG=1"
                await anyio.to_thread.run_sync(thread.stop)
                # What was fed while it ended is taken; behind it comes nothing more.
                starved = 0
                with anyio.fail_after(10):
                    while starved < 3:
                        with anyio.move_on_after(0.6) as waited:
                            await anyio.wait_readable(manager)
                            os.read(manager.fileno(), 100)
                        starved = starved + 1 if waited.cancelled_caught else 0
                group.cancel_scope.cancel()
