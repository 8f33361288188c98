"""The whole controller as a process: the shipped furnace, its recipe, real signals."""

import hashlib
import signal
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from config.loading import shipped_recipe, shipped_tool
from supervisor.controller.errors import TapeError
from supervisor.controller.tapes.replay import replay
from supervisor.link.messages import CommandKind, EventKind, Reply
from tests.supervisor.controller.house import House, house

pytestmark = pytest.mark.anyio
FURNACE = shipped_tool("lpcvd_furnace")
RECIPE = shipped_recipe("lpcvd_sio2_100nm").read_text(encoding="utf-8")
SHA256 = hashlib.sha256(RECIPE.encode()).hexdigest()


async def start_recipe(there: House, run_id: str = "run-1", **changed: Any) -> Reply:
    args: dict[str, Any] = {
        "run_id": run_id,
        "run_number": f"CVD-20260101-{run_id}",
        "recipe": RECIPE,
        "recipe_sha256": SHA256,
        "engineering": False,
    }
    return await there.command("olga", CommandKind.START_RUN, **(args | changed))


async def until_step(there: House, name: str) -> None:
    await there.until(lambda: there.told(EventKind.STEP, name=name), 60.0)


@pytest.mark.slow  # 3300 s of the furnace's time at 100 times the clock's pace
async def test_the_shipped_furnace_runs_its_recipe_accelerated(tmp_path: Path) -> None:
    async with house(tmp_path, FURNACE, "--sim", "--speed", "100") as there:
        await there.move_in()
        reply = await start_recipe(there)
        assert (reply.status, reply.reason) == ("Good", "")
        await there.until(lambda: there.told(EventKind.RUN_ENDED), 110.0)
        (ended,) = there.told(EventKind.RUN_ENDED)
        assert ended.data["state"] == "COMPLETE", (ended.data, there.log()[-3000:])
        summary = ended.data["summary"]
        assert summary["trips"] == []
        for step in summary["steps"]:
            if step["owner"] == "recipe":
                assert step["actual_s"] == pytest.approx(step["planned_s"], rel=0.05)
        assert summary["gas_use_scc"]["SiH4"] > 0
        (measured,) = there.told(EventKind.METROLOGY)
        assert measured.seq < ended.seq
        assert measured.data["thickness_mean_nm"] == pytest.approx(100.0, rel=0.02)
        there.kill(signal.SIGTERM)
        assert await there.moved_out() == 0
        report = await anyio.to_thread.run_sync(replay, tmp_path / ended.data["tape"])
        assert report.identical
        assert report.scans >= summary["duration_s"] / 0.01


async def test_a_killed_controller_leaves_a_journal_and_its_successor_a_safe_tool(tmp_path: Path) -> None:
    async with house(tmp_path, FURNACE, "--sim", "--speed", "300") as there:
        await there.move_in()
        assert (await start_recipe(there)).status == "Good"
        await until_step(there, "deposition")
        there.kill(signal.SIGKILL)
        assert await there.moved_out() == -signal.SIGKILL
        before = await there.recorded()
        assert [event.seq for event in before] == list(range(1, len(before) + 1))
        assert there.events == before[: len(there.events)], "what the server was told is in the journal"

        await there.move_in()
        await there.until(lambda: there.told(EventKind.RUN_ENDED))
        (ended,) = there.told(EventKind.RUN_ENDED)
        assert (ended.data["state"], ended.data["cause"]) == ("ABORTED", "controller restarted")
        await there.hear(EventKind.BOOT, clean=False)
        await there.until(lambda: there.told(EventKind.RUN_STATE, run_id=None, state="ABORTED"), 60.0)
        assert there.value("gas_panel.sih4.valve") == 0.0
        assert not [e for e in there.told(EventKind.RUN_STATE, state="RUNNING") if e.seq > before[-1].seq]
        with pytest.raises(TapeError, match="only a part"):
            await anyio.to_thread.run_sync(replay, tmp_path / "runs" / "CVD-20260101-run-1" / "tape.partial")


async def test_sigterm_in_a_deposition_completes_the_safe_sequence_first(tmp_path: Path) -> None:
    async with house(tmp_path, FURNACE, "--sim", "--speed", "300") as there:
        await there.move_in()
        assert (await start_recipe(there)).status == "Good"
        await until_step(there, "deposition")
        there.kill(signal.SIGTERM)
        await there.until(lambda: there.told(EventKind.RUN_STATE, state="ABORTING"))
        there.kill(signal.SIGTERM)
        there.kill(signal.SIGINT)
        refused = await start_recipe(there, run_id="run-2")
        assert "being shut down" in refused.reason
        assert await there.moved_out(60.0) == 0
        told = await there.recorded()
        states = [event.data["state"] for event in told if event.kind is EventKind.RUN_STATE]
        assert states == ["RUNNING", "ABORTING", "ABORTED"]
        assert told[-1].kind is EventKind.SHUTDOWN
        (ended,) = [event for event in told if event.kind is EventKind.RUN_ENDED]
        assert ended.data["state"] == "ABORTED"
        assert there.value("gas_panel.sih4.valve") == 0.0
        report = await anyio.to_thread.run_sync(replay, tmp_path / ended.data["tape"])
        assert report.identical


async def test_an_idle_controller_ends_at_once_and_in_order(tmp_path: Path) -> None:
    async with house(tmp_path, FURNACE, "--sim") as there:
        began = time.monotonic()
        await there.move_in()
        assert time.monotonic() - began < 10.0
        await there.done("olga", CommandKind.ARM)
        began = time.monotonic()
        there.kill(signal.SIGTERM)
        assert await there.moved_out() == 0
        assert time.monotonic() - began < 3.0
        assert (await there.recorded())[-1].kind is EventKind.SHUTDOWN
        assert there.value("system.armed") == 0.0


async def test_a_recipe_that_is_not_the_approved_one_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path, FURNACE, "--sim") as there:
        await there.move_in()
        cases: tuple[tuple[dict[str, Any], str, str], ...] = (
            ({"recipe": RECIPE.replace("1200", "9999")}, "BadInvalidArgument", "not the one that was approved"),
            ({"engineering": True}, "BadUserAccessDenied", "engineering run"),
            (_document(RECIPE.replace("SiH4", "WF6")), "BadInvalidArgument", "WF6"),
            (_document("{"), "BadInvalidArgument", "cannot run on this tool"),
        )
        for changed, status, reason in cases:
            reply = await start_recipe(there, **changed)
            assert reply.status == status
            assert reason in reply.reason
        answer = await there.ask("preflight", recipe=RECIPE)
        assert answer["ok"]
        assert answer["planned_s"] > 3000
        assert not (await there.ask("preflight", recipe=RECIPE.replace("SiH4", "WF6")))["ok"]
        assert there.run_state == "IDLE"


def _document(text: str) -> dict[str, Any]:
    return {"recipe": text, "recipe_sha256": hashlib.sha256(text.encode()).hexdigest()}


async def test_a_tool_without_instruments_is_refused_in_one_line(tmp_path: Path) -> None:
    async with house(tmp_path, FURNACE) as there:
        with pytest.raises(AssertionError):
            await there.move_in()
        assert await there.moved_out() == 78
        (line,) = there.log().splitlines()
        assert "Start it with --sim" in line
