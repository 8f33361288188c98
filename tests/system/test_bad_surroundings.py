"""What surrounds the daemon is bad: files held, damaged, missing or full, and a launcher that is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from supervisor.link.journal import read_journal
from supervisor.link.messages import EventKind
from tests.architecture.layout import ROOT
from tests.system.daemon import FURNACE, Daemon, cvd, free_port, running, started, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
NOWHERE = "opc.tcp://127.0.0.1:{}/cvd"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def refused(data: Path, tool: Path = FURNACE, **options: Any) -> str:
    """Start a daemon that cannot run; return what it said, which is no traceback."""
    endpoint = NOWHERE.format(free_port())
    done = cvd("run", tool, "--sim", "--data", data, "--endpoint", endpoint, **options)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    return done.stderr


async def test_a_database_that_another_process_holds_is_refused_with_its_number(tmp_path: Path) -> None:
    path = str(tmp_path / "cvd.duckdb")
    hold = f"import duckdb, sys; c = duckdb.connect({path!r}); print('held', flush=True); sys.stdin.read()"
    async with await anyio.open_process([sys.executable, "-c", hold], stderr=None) as holder:
        assert holder.stdout is not None
        assert (await holder.stdout.receive()).strip() == b"held"
        said = await anyio.to_thread.run_sync(refused, tmp_path)
        holder.terminate()
    assert f"PID {holder.pid}" in said
    assert "cvd.duckdb" in said


async def test_a_damaged_database_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "cvd.duckdb"
    damaged = os.urandom(20_000)
    await anyio.Path(path).write_bytes(damaged)
    said = await anyio.to_thread.run_sync(refused, tmp_path)
    assert str(path) in said
    assert await anyio.Path(path).read_bytes() == damaged


async def test_a_damaged_journal_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "00000000000000000001.journal").write_bytes(os.urandom(5000))
    # It protects the tool without a journal too: it starts, says so, and refuses to start anything.
    daemon = await anyio.to_thread.run_sync(Daemon, tmp_path)
    try:
        code = None
        with anyio.move_on_after(30):
            while code is None and not (tmp_path / "ready.json").exists():
                await anyio.sleep(0.1)
                code = daemon.process.poll()
        assert "journal" in daemon.tail()
        assert "Traceback" not in daemon.tail()
    finally:
        await anyio.to_thread.run_sync(daemon.close)


@AS_ROOT
async def test_a_folder_that_is_read_only_or_nearly_full_is_refused_in_one_line(tmp_path: Path) -> None:
    # A file system of its own: root may write whatever its permissions say.
    small = tmp_path / "small"
    small.mkdir()
    mounted = await anyio.run_process(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        said = await anyio.to_thread.run_sync(refused, small)
        assert str(small) in said
        assert "MB left" in said
        await anyio.run_process(["mount", "-o", "remount,ro", str(small)])
        said = await anyio.to_thread.run_sync(refused, small / "data")
        assert "Read-only" in said
        assert "--data" in said
    finally:
        await anyio.run_process(["umount", str(small)])


async def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    assert "--data" in await anyio.to_thread.run_sync(refused, tmp_path / "data")


@AS_ROOT
async def test_a_disk_that_fills_up_in_a_run_costs_history_but_no_scan(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = await anyio.run_process(["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        async with running(disk / "data", speed=20) as daemon, daemon.client("olga") as operator:
            run_id, _ = await started(daemon, operator)
            await until(operator, "Runs/ActiveRun/State", lambda state: state == "RUNNING")

            def fill() -> None:
                with (disk / "ballast").open("wb", buffering=0) as file:
                    try:
                        while True:
                            file.write(b"\0" * 65536)
                    except OSError:
                        return

            await anyio.to_thread.run_sync(fill)
            before = await operator.read("Runs/ActiveRun/ElapsedS")
            await until(operator, "Runs/ActiveRun/ElapsedS", lambda elapsed: elapsed > before + 40)
            assert await operator.read("Runs/ActiveRun/State") == "RUNNING"
            # Nobody waits for a disk to make the tool safe.
            with anyio.fail_after(10):
                await operator.call("State", "SafeShutdown")
            await until(operator, "Equipment/gas_panel/sih4.valve", lambda valve: valve == 0)
            (disk / "ballast").unlink()
            await until(operator, "Runs/ActiveRun/State", lambda state: state == "ABORTED", within_s=90)
            await until(operator, "Diagnostics/HistorianFailure", lambda failure: failure == "", within_s=60)
            assert json.loads(await operator.call("Runs", "GetRun", run_id))["status"] == "ABORTED"
            await anyio.to_thread.run_sync(daemon.terminate)
    finally:
        await anyio.run_process(["umount", "-l", str(disk)])


def test_a_broken_tool_file_is_told_with_all_its_faults(tmp_path: Path) -> None:
    tool = tmp_path / "broken.toml"
    text = FURNACE.read_text()
    text = text.replace('when = "not facilities.emo_ok"', 'when = "not facilities.emo_okay"')
    text = text.replace("period_ms = 10", "period_ms = -10")
    text = text.replace('when = "facilities.n2_supply_kpa < 350 kPa"', 'when = "facilities.n2_supply_kpa < 350 sccm"')
    tool.write_text(text)
    said = refused(tmp_path / "data", tool)
    assert "facilities.emo_okay" in said
    assert "period_ms" in said
    assert len(said.splitlines()) >= 3, f"all faults at once: {said}"
    assert not (tmp_path / "data" / "cvd.duckdb").exists()
    tool.write_text("[[[")
    assert "broken.toml" in refused(tmp_path / "data", tool)
    assert "no.toml" in refused(tmp_path / "data", tmp_path / "no.toml")


def test_without_built_kernels_there_is_one_clear_line(tmp_path: Path) -> None:
    for room in ("supervisor", "opcua_model", "hil", "config", "kernels"):
        shutil.copytree(
            ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("*.so", "__pycache__", "*.c", "*.cpp")
        )
    command = [sys.executable, "-m", "supervisor.cli", "version"]
    for words in (["version"], ["run", str(FURNACE), "--sim", "--data", str(tmp_path / "data")]):
        done = subprocess.run(
            [*command[:3], *words], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        if words == ["version"] and done.returncode == 0:
            continue
        assert done.returncode == 1, done.stderr
        assert "make setup" in done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


async def test_a_damaged_user_file_lets_nobody_in_and_the_daemon_runs_on(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        users = tmp_path / "users.toml"
        good = users.read_text()
        users.write_text("[users\n")
        with pytest.raises(ConnectionError):
            async with daemon.client("erika"):
                pass
        assert "users.toml" in daemon.tail()
        users.write_text(good)
        async with daemon.client("erika") as engineer:
            assert await engineer.read("Diagnostics/ControllerAlive") is True


async def test_a_tool_file_that_changes_under_the_daemon_is_not_mixed_with_the_old_one(tmp_path: Path) -> None:
    tool = tmp_path / "tool.toml"
    tool.write_text(FURNACE.read_text())
    async with running(tmp_path / "data", tool=tool) as daemon:
        tool.write_text("this is no tool any more")
        killed = await anyio.to_thread.run_sync(daemon.kill, "server")
        await anyio.to_thread.run_sync(daemon.wait_for_restart, "server", killed)
        async with daemon.client("olga") as operator:
            assert await operator.read("Diagnostics/ControllerAlive") is True
            assert len(await operator.children("Interlocks")) > 20


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_when_the_launcher_is_killed_both_halves_make_the_tool_safe_and_end(tmp_path: Path) -> None:
    async with running(tmp_path, speed=40) as daemon:
        async with daemon.client("olga") as operator:
            await started(daemon, operator)
            await until(operator, "Runs/ActiveRun/State", lambda state: state == "RUNNING")
        state = await anyio.to_thread.run_sync(daemon.ready)
        daemon.process.send_signal(signal.SIGKILL)
        await anyio.to_thread.run_sync(daemon.process.wait)
        halves = [state["controller_pid"], state["server_pid"]]
        with anyio.fail_after(60):
            while any(alive(pid) for pid in halves):  # noqa: ASYNC110 - other processes
                await anyio.sleep(0.1)
    events = await anyio.to_thread.run_sync(lambda: list(read_journal(tmp_path / "journal")))
    assert [event.data["state"] for event in events if event.kind is EventKind.RUN_STATE][-2:] == [
        "ABORTING",
        "ABORTED",
    ]
    assert events[-1].kind is EventKind.SHUTDOWN
    # Nothing of it is left that would be in the way of the next one.
    async with running(tmp_path) as daemon, daemon.client("olga") as operator:
        runs = json.loads(await operator.call("Runs", "ListRuns", "", 0, 1))
        assert runs[0]["status"] == "ABORTED"
