"""What goes wrong on a tool, and how it is told."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from kernels.tables import Command as Op
from kernels.tables import LoopMode
from supervisor.controller.records.recorder import Draft
from supervisor.link.journal import Journal
from supervisor.link.messages import Command, CommandKind, Event, EventKind, Subscribe
from tests.supervisor.controller.stand import PEOPLE, running, tool_text

pytestmark = pytest.mark.anyio
GUARDED = """
[[operations]]
name = "watch"
title = "Watch"
description = "The pressure is watched"
bound_s = 100

[[operations.steps]]
name = "watched"
min_s = 60
guard = { that = "chamber.pressure_torr < 10 Torr", otherwise = "hold", delay_s = 0.1 }
"""


async def test_a_wait_that_times_out_is_told_with_step_and_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, speed=50) as stand:
        stand.post(pressure_torr=0.9)
        await stand.until(lambda: stand.value("chamber.pressure_torr") == 0.9)
        await stand.started(name="leak_check")
        told = (await stand.hear(EventKind.TIMEOUT)).data
        assert (told["step"], told["name"], told["policy"]) == (0, "base", "abort")
        assert told["waited_s"] == pytest.approx(60.0, abs=0.02)
        change = await stand.hear(EventKind.RUN_STATE, state="ABORTING")
        assert change.data["cause"] == "timeout"
        assert (await stand.hear(EventKind.RUN_ENDED)).data["cause"] == "timeout"


async def test_a_failed_check_says_why_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch, speed=50) as stand:
        await stand.started(name="leak_check")
        await stand.hear(EventKind.STEP, name="rise")
        stand.post(pressure_torr=0.4)
        told = (await stand.hear(EventKind.CHECK_FAILED)).data
        assert told["reason"] == "the chamber leaks"
        assert (told["name"], told["policy"]) == ("rise", "abort")
        assert (await stand.hear(EventKind.RUN_ENDED)).data["state"] == "ABORTED"


async def test_a_guard_holds_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch, text=tool_text() + GUARDED) as stand:
        await stand.started(name="watch")
        stand.post(pressure_torr=20.0)
        told = (await stand.hear(EventKind.GUARD)).data
        assert (told["step"], told["name"], told["policy"]) == (0, "watched", "hold")
        assert (await stand.hear(EventKind.RUN_STATE, state="HOLDING")).data["cause"] == "guard"
        stand.post(pressure_torr=0.1)
        await stand.hear(EventKind.RUN_STATE, state="HELD")
        await stand.done("olga", CommandKind.ABORT, run_id="run-1")
        summary = (await stand.hear(EventKind.RUN_ENDED)).data["summary"]
        assert summary["holds"] == 1


async def test_an_interlock_that_holds_keeps_the_run_from_restarting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.started()
        await stand.until(lambda: stand.value("panel.sih4.valve") == 1.0)
        stand.post(pump__running=0.0)
        await stand.hear(EventKind.RUN_STATE, state="HELD")
        reply = await stand.command("olga", CommandKind.RESTART, run_id="run-1")
        assert "hold pump_lost" in reply.reason
        stand.post(pump__running=1.0)
        await stand.hear(EventKind.CONDITION, name="pump_lost", active=False)
        await stand.done("olga", CommandKind.RESET_INTERLOCK, name="pump_lost")
        await stand.done("olga", CommandKind.RESTART, run_id="run-1")
        await stand.until(lambda: stand.run_state == "RUNNING")


async def test_a_loop_that_loses_its_value_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        index = stand.controller.scanner.layout.index
        await stand.done("olga", CommandKind.ARM)
        stand.controller.scan.command(Op.WRITE, index["chamber.temperature_mode"], float(LoopMode.AUTO))
        await stand.until(lambda: stand.value("chamber.temperature_mode") == LoopMode.AUTO)
        stand.post(0x80310000, temperature_c=25.0)
        assert (await stand.hear(EventKind.LOOP_FAULT)).data == {"loop": "temperature"}
        alarm = await stand.hear(EventKind.CONDITION, name="wall_differs", active=True)
        assert alarm.data["interlock"] is False
        assert alarm.data["class"] == "warning"


RATE = """
[[alarms]]
name = "pressure_rises"
kind = "rate_of_change"
description = "Pressure rises faster than 6 Torr/min"
tag = "chamber.pressure_torr"
window_s = 0.25
high = "6 Torr/min"
hysteresis = "1 Torr/min"
priority = "high"
consequence = "Particles"
action = "Look for a leak"
"""


async def test_a_pressure_that_rises_too_fast_is_an_alarm_until_it_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, text=tool_text() + RATE) as stand:
        scan, stop = stand.controller.scan, anyio.Event()
        begun = scan.index

        async def rise() -> None:
            while not stop.is_set():
                stand.post(pressure_torr=0.1 + (scan.index - begun) * 0.001)  # 0.2 Torr/s at 5 ms
                with anyio.move_on_after(0.002):
                    await stop.wait()

        async with anyio.create_task_group() as group:
            group.start_soon(rise)
            raised = await stand.hear(EventKind.CONDITION, name="pressure_rises", active=True)
            assert raised.data["class"] == "warning"
            stop.set()
        await stand.hear(EventKind.CONDITION, name="pressure_rises", active=False)  # it stands still, however high


async def test_the_same_command_sent_twice_at_once_is_carried_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        args = {"name": "soak", "run_id": "r", "run_number": "CVD-20260101-000000"}
        twice = Command(id=uuid4(), principal=PEOPLE["olga"], kind=CommandKind.START_OPERATION, args=args)
        await stand.server.send(twice)
        assert (await stand.send(twice)).status == "Good"
        await stand.hear(EventKind.COMMAND)
        await stand.hear(EventKind.STEP)
        assert len(stand.told(EventKind.COMMAND)) == 1
        assert len(stand.told(EventKind.RUN_STARTED)) == 1


async def test_the_mode_follows_what_the_tool_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.started()
        await stand.hear(EventKind.MODE, mode="Processing")
        stand.post(pressure_torr=200.0)
        await stand.hear(EventKind.CONDITION, name="over_pressure", active=True)
        stand.post(pressure_torr=0.1)
        await stand.hear(EventKind.MODE, mode="Fault")
        await stand.done("olga", CommandKind.RESET_INTERLOCK, name="over_pressure")
        await stand.hear(EventKind.MODE, previous="Fault")
        await stand.done("mara", CommandKind.SET_MODE, mode="Maintenance")
        await stand.hear(EventKind.MODE, mode="Maintenance")
        await stand.done("olga", CommandKind.SET_MODE, mode="Standby")
        await stand.hear(EventKind.MODE, mode="Standby", previous="Maintenance")
        modes = [event.data["mode"] for event in stand.told(EventKind.MODE)]
        assert modes[0] == "Standby"
        refused = await stand.command("olga", CommandKind.SET_MODE, mode="Maintenance")
        assert refused.status == "BadUserAccessDenied"


async def test_without_a_journal_the_tool_is_made_safe_and_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data folder is unusable when the controller starts; later it is mended."""
    (tmp_path / "journal").write_text("somebody put a file here")
    async with running(tmp_path, monkeypatch) as stand:
        await stand.until(lambda: stand.run_state == "ABORTED")
        reply = await stand.start()
        assert reply.status == "BadResourceUnavailable"
        status = await stand.ask("status")
        assert not status["journal"]["writable"]
        await stand.done("otto", CommandKind.SAFE_SHUTDOWN)
        await anyio.Path(tmp_path / "journal").unlink()
        await stand.hear(EventKind.BOOT)
        await stand.hear(EventKind.COMMAND, kind="safe_shutdown")
        await stand.until(lambda: stand.run_state == "ABORTED")
        assert (await stand.start()).status == "Good"


def left_open(state: str) -> Callable[[Path], None]:
    """A journal as a crash leaves it, in a run or just behind its end."""

    def write(folder: Path) -> None:
        journal = Journal(folder / "journal")
        for kind, data in (
            (EventKind.BOOT, {}),
            (EventKind.RUN_STARTED, {"run_id": "old", "run_number": "CVD-1", "planned_s": 9.0}),
            (EventKind.RUN_STATE, {"run_id": "old", "state": state}),
        ):
            draft = Draft(kind, data, 1, 1)
            event = Event(seq=journal.last_seq + 1, time_ns=1, scan=1, kind=draft.kind, data=draft.data)
            journal.append(event)
        journal.sync()
        journal.close()

    return write


@pytest.mark.parametrize(("left", "state"), [("RUNNING", "ABORTED"), ("COMPLETE", "COMPLETE"), ("HELD", "ABORTED")])
async def test_after_a_crash_the_run_is_closed_and_nothing_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str, state: str
) -> None:
    await anyio.to_thread.run_sync(left_open(left), tmp_path)
    async with running(tmp_path, monkeypatch) as stand:
        ended = await stand.hear(EventKind.RUN_ENDED, run_id="old")
        assert (ended.data["state"], ended.data["cause"]) == (state, "controller restarted")
        assert (await stand.hear(EventKind.BOOT, clean=False)).seq == ended.seq + 1
        await stand.hear(EventKind.RUN_STATE, run_id=None, state="ABORTED")
        assert not [event for event in stand.told(EventKind.RUN_STATE, state="RUNNING") if event.seq > ended.seq]
    async with running(tmp_path, monkeypatch) as stand:
        await stand.hear(EventKind.BOOT, clean=True)
        assert len(stand.told(EventKind.RUN_ENDED)) == 1


async def test_a_server_that_comes_back_gets_what_it_missed_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, speed=50) as stand:
        await stand.started()
        await stand.hear(EventKind.RUN_ENDED)
        first = list(stand.events)
        stand.events.clear()
        await stand.server.send(Subscribe(after=0, epoch=uuid4()))

        def again() -> list[Event]:
            """Something newer may still have been under way."""
            return [event for event in stand.events if event.seq <= first[-1].seq]

        await stand.until(lambda: len(again()) >= len(first))
        assert again() == first
