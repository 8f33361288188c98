"""The whole daemon with real signals: start, death of either half, orderly end."""

import json
from pathlib import Path

import anyio
import pytest

from opcua_model.client import ClientError
from supervisor.link.journal import read_journal
from supervisor.link.messages import Event, EventKind
from tests.system.daemon import FURNACE, cvd, idling, refusal, running, started, until
from tests.system.quick import quick_recipe

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
STATE = "Runs/ActiveRun/State"


async def journal(data: Path) -> list[Event]:
    return await anyio.to_thread.run_sync(lambda: list(read_journal(data / "journal")))


async def test_an_idle_daemon_ends_within_three_seconds(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        took = await anyio.to_thread.run_sync(daemon.terminate)
        assert took <= 3.0
    assert not (tmp_path / "ready.json").exists()
    assert (await journal(tmp_path))[-1].kind == EventKind.SHUTDOWN


async def test_a_run_goes_on_without_its_server_and_the_successor_knows_it(tmp_path: Path) -> None:
    """And who controls the tool: the session is dead, its owner is not, and takes the control along into a new one."""
    (tmp_path / "daemon.toml").write_text('[server.display]\nlanguage = "de"\n', encoding="utf-8")
    async with running(tmp_path, speed=20) as daemon:
        async with daemon.client("olga") as operator:
            run_id, _ = await started(daemon, operator)
            await until(operator, STATE, lambda state: state == "RUNNING")
            await operator.call("State", "TakeControl")
            killed = await anyio.to_thread.run_sync(daemon.kill, "server")
            await anyio.to_thread.run_sync(daemon.wait_for_restart, "server", killed)
        async with daemon.client("erika") as other, daemon.client("olga") as operator:
            assert await operator.read(STATE) == "RUNNING"
            assert await until(other, "State/ControlOwner", bool) == "olga"
            assert await other.read("State/ControlTimeLeftS") > 0
            # The installation reads German.
            assert "olga führt die Anlage" in (await refusal(other, "Services", "Start", "standby")).reason
            await operator.call("State", "TakeControl")
            run = json.loads(await operator.call("Runs", "GetRun", run_id))
            assert run["status"] == "RUNNING"
            await operator.call("Runs", "AbortRun", run_id)
            await until(operator, STATE, lambda state: state == "ABORTED", within_s=90)
            await operator.call("State", "ReleaseControl")
            await until(other, "State/ControlOwner", lambda owner: owner == "")


async def test_a_dead_controller_turns_every_tag_bad_within_a_second_and_comes_back_safe(tmp_path: Path) -> None:
    async with running(tmp_path, speed=20) as daemon, daemon.client("olga") as operator:
        run_id, _ = await started(daemon, operator)
        await until(operator, "Equipment/heater/zone1.temperature_c", lambda value: value > 600)
        quality: list[bool] = []
        changed = anyio.Event()

        def take(path: str, value: object, good: bool) -> None:
            quality.append(good)
            if not good:
                changed.set()

        async with operator.subscribe(["Equipment/heater/zone1.temperature_c"], 100, take):
            killed = await anyio.to_thread.run_sync(daemon.kill, "controller")
            with anyio.fail_after(1.5):  # A second, and the publishing interval on a loaded machine.
                await changed.wait()
            await anyio.to_thread.run_sync(daemon.wait_for_restart, "controller", killed)
        await until(operator, "Diagnostics/ControllerAlive", lambda alive: alive is True)
        run = await until_run_ends(operator, run_id)
        assert run["status"] == "ABORTED"
        assert "restart" in str(run["error_message"]).lower()
        assert await operator.read("Equipment/gas_panel/sih4.valve") == 0
        await until(operator, STATE, lambda state: state in {"IDLE", "ABORTED"}, within_s=90)


async def until_run_ends(operator, run_id: str) -> dict[str, object]:
    with anyio.fail_after(60):
        while True:
            run = json.loads(await operator.call("Runs", "GetRun", run_id))
            if run["status"] in {"ABORTED", "STOPPED", "COMPLETE"}:
                return run
            await anyio.sleep(0.1)


async def test_sigterm_in_mid_deposition_completes_the_safe_sequence_first(tmp_path: Path) -> None:
    async with running(tmp_path, speed=50) as daemon:
        async with daemon.client("olga") as operator:
            await idling(operator)
            await started(daemon, operator, quick_recipe("Stopped", deposition_s=600))
            await until(operator, "Equipment/gas_panel/sih4.flow_sccm", lambda flow: flow > 40, within_s=120)
        await anyio.to_thread.run_sync(daemon.terminate)
    events = await journal(tmp_path)
    states = [event.data["state"] for event in events if event.kind == EventKind.RUN_STATE]
    assert states[-2:] == ["ABORTING", "ABORTED"]
    assert events[-1].kind == EventKind.SHUTDOWN


async def test_a_second_daemon_on_the_same_data_is_refused_in_one_line(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        second = await anyio.to_thread.run_sync(
            lambda: cvd("run", FURNACE, "--sim", "--data", tmp_path, "--endpoint", "opc.tcp://127.0.0.1:0/cvd")
        )
        assert second.returncode == 1
        assert f"(process {daemon.process.pid})" in second.stderr
        assert "Traceback" not in second.stderr


async def test_a_port_in_use_is_refused_in_one_line(tmp_path: Path) -> None:
    async with running(tmp_path / "first") as daemon:
        second = await anyio.to_thread.run_sync(
            lambda: cvd("run", FURNACE, "--sim", "--data", tmp_path / "second",
                        "--endpoint", daemon.endpoint)
        )  # fmt: skip
        assert second.returncode == 1
        assert "Address already in use" in second.stderr
        assert "Traceback" not in second.stderr


async def test_people_can_do_what_their_role_lets_them(tmp_path: Path) -> None:
    async with running(tmp_path, speed=20) as daemon, daemon.client("otto") as observer:
        with pytest.raises(ClientError, match="BadUserAccessDenied"):
            await observer.call("Recipes", "AddRecipe", "{}")
        await observer.call("State", "SafeShutdown")  # Any authenticated session, any mode.
        await until(observer, "Services/State", lambda state: state in {"ABORTING", "ABORTED"})
