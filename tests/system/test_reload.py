"""SIGHUP to a whole daemon: all of the new settings or none of them, never in a run, and on the record."""

import json
import os
import signal
import time
from pathlib import Path

import anyio
import duckdb
import pytest

from opcua_model.client import ClientError, connect
from supervisor.server.records import audit
from tests.system.daemon import Daemon, idling, running, started, until
from tests.system.quick import quick_recipe

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def said(daemon: Daemon, words: str, times: int = 1) -> dict:
    """Wait for a line of the log."""
    began = time.monotonic()
    while True:
        found = [line for line in await anyio.to_thread.run_sync(daemon.lines) if words in line.get("event", "")]
        if len(found) >= times:
            return found[-1]
        assert time.monotonic() - began < 60, daemon.tail()
        await anyio.sleep(0.05)


@pytest.mark.timeout(240)
async def test_settings_are_taken_whole_or_not_at_all_and_never_in_a_run(tmp_path: Path) -> None:
    settings = anyio.Path(tmp_path / "daemon.toml")
    async with running(tmp_path, speed=40) as daemon:
        before = await anyio.to_thread.run_sync(daemon.ready)

        def hup() -> None:
            os.kill(daemon.process.pid, signal.SIGHUP)

        await settings.write_text("[server.limits]\nsessions = -1\nno_such = 5\n")
        hup()
        refused = await said(daemon, "reload refused")
        assert "sessions" in refused["reason"]
        assert "no_such" in refused["reason"]

        await settings.write_text('[server]\nanonymous = "never"\n')
        async with daemon.client("olga") as operator:
            await idling(operator)
            run_id, _ = await started(daemon, operator, quick_recipe("Reloaded", deposition_s=600))
            await until(operator, "Runs/ActiveRun/State", lambda state: state == "RUNNING")
            hup()
            assert "RUNNING" in (await said(daemon, "reload refused", 2))["reason"]
            await operator.call("Runs", "AbortRun", run_id)
            await until(operator, "Services/State", lambda state: state == "ABORTED")
        assert (await anyio.to_thread.run_sync(daemon.ready)) == before

        hup()
        await said(daemon, "goes on with the new settings")
        after = await anyio.to_thread.run_sync(daemon.wait_for_restart, "server", before["server_pid"])
        assert after != before["server_pid"]
        assert (await anyio.to_thread.run_sync(daemon.ready))["controller_pid"] == before["controller_pid"]
        with pytest.raises((ClientError, ConnectionError, OSError)):
            async with connect(daemon.endpoint) as nobody:
                await nobody.read("State/Mode")
        await anyio.to_thread.run_sync(daemon.terminate)

    def trail() -> list[str]:
        with duckdb.connect(str(tmp_path / "cvd.duckdb"), read_only=True) as connection:
            assert audit.verify(connection) == []
            rows = connection.execute("SELECT detail FROM audit WHERE action = 'settings' ORDER BY seq").fetchall()
            return [str(row[0]) for row in rows]

    entered = [json.loads(text)["names"] for text in await anyio.to_thread.run_sync(trail)]
    assert entered == [[], ["anonymous"]]
