"""The life of a run: from its start to its record and its tape, whatever is done to it."""

import resource
from pathlib import Path

import anyio
import pytest

from supervisor.controller.commands import starting
from supervisor.controller.errors import TapeError
from supervisor.controller.tapes.comparison import ComparisonReport, compare
from supervisor.controller.tapes.replay import replay
from supervisor.controller.tapes.tape_file import open_tape
from supervisor.link.messages import CommandKind, EventKind
from tests.supervisor.controller.stand import Stand, running, tool_text

pytestmark = pytest.mark.anyio
VALVE = "panel.sih4.valve"


async def ended(stand: Stand, run_id: str = "run-1") -> dict[str, object]:
    return (await stand.hear(EventKind.RUN_ENDED, run_id=run_id)).data


async def test_a_run_is_told_in_order_from_start_to_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch, speed=50) as stand:
        await stand.started()
        data = await ended(stand)
        assert data["state"] == "COMPLETE"
        told = [e for e in stand.events if e.data.get("run_id") == "run-1"]
        assert any(e.kind is EventKind.CHECKPOINT for e in told)
        assert [e.kind.value for e in told if e.kind is not EventKind.CHECKPOINT] == [
            "run_started",
            "run_state",
            "step",
            "step",
            "step",
            "run_state",
            "run_ended",
        ]
        assert [e.seq for e in stand.events] == list(range(1, len(stand.events) + 1))
        states = [(e.data["previous"], e.data["state"], e.data["cause"]) for e in stand.told(EventKind.RUN_STATE)]
        assert states == [("IDLE", "RUNNING", "command"), ("RUNNING", "COMPLETE", "program")]
        summary = data["summary"]
        assert isinstance(summary, dict)
        assert [step["name"] for step in summary["steps"]] == ["open", "flow", "shut"]
        assert [step["actual_s"] for step in summary["steps"]] == pytest.approx([1.0, 60.0, 0.0], abs=0.02)
        assert summary["duration_s"] == pytest.approx(61.0, abs=0.02)
        assert summary["trips"] == []
        assert summary["timing"]["scans"] > 0
        started = stand.told(EventKind.RUN_STARTED)[0].data
        assert started["user"] == "olga"
        assert started["steps"][1] == {"name": "flow", "planned_s": 60.0, "owner": "soak", "passes": 1, "path": None}


async def test_gas_use_is_the_measured_flow_over_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch, speed=50) as stand:
        stand.post(sih4__flow_sccm=60.0)
        await stand.until(lambda: stand.value("panel.sih4.flow_sccm") == 60.0)
        await stand.started()
        summary = (await ended(stand))["summary"]
        assert isinstance(summary, dict)
        # 60 sccm for 61 s; rows come every 50 ms of the tool's time.
        assert summary["gas_use_scc"]["SiH4"] == pytest.approx(61.0, rel=0.01)
        assert summary["gas_missing_s"]["SiH4"] == pytest.approx(0.0, abs=0.1)


async def test_a_finished_run_is_executed_again_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, speed=20) as stand:
        # What was before the run is in its state: instruments have spoken, a ramp of commands has been given.
        await stand.done("erik", CommandKind.WRITE, tag="chamber.pressure_setpoint_torr", value=3.0)
        await stand.started()
        for pressure in (0.5, 2.0, 7.0, 0.25):
            stand.post(pressure_torr=pressure, sih4__flow_sccm=10 * pressure)
            await stand.until(lambda wanted=pressure: stand.value("chamber.pressure_torr") == wanted)
        await stand.done("olga", CommandKind.HOLD, run_id="run-1")
        await stand.until(lambda: stand.run_state == "HELD")
        await stand.done("olga", CommandKind.RESTART, run_id="run-1")
        data = await ended(stand)
        assert data["tape"] == "runs/CVD-20260101-run-1/tape"
    report = await anyio.to_thread.run_sync(replay, tmp_path / str(data["tape"]))
    assert report.identical
    assert report.differs is None
    assert report.scans > 60 / 0.005
    assert report.digests >= report.scans // 100 - 1


async def test_a_tape_that_was_changed_says_where_it_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch, speed=50) as stand:
        await stand.started()
        data = await ended(stand)
    path = tmp_path / str(data["tape"])

    def forge() -> int:
        """Keep everything but the pressure: at some scan it rose, says the forged tape."""
        from supervisor.controller.tapes.tape_file import TapeFile

        tape = open_tape(path)
        (rows,) = list(tape.batches())
        at = tape.start.header.first_scan + 5001
        forged = rows[rows["scan"] < at][-1:].copy()
        forged["scan"], forged["kind"], forged["value"], forged["status"] = at, 0, 500.0, 0
        forged["index"] = stand.controller.scanner.layout.index["chamber.pressure_torr"]
        file = TapeFile(tmp_path / "forged", tape.start)
        for part in (rows[rows["scan"] < at], forged, rows[rows["scan"] >= at]):
            file.write(part)
        file.close(tape.last_scan, tape.state)
        return at

    at = await anyio.to_thread.run_sync(forge)
    report = await anyio.to_thread.run_sync(replay, tmp_path / "forged")
    assert not report.identical
    assert report.differs is not None
    first, last = report.differs
    assert first <= at <= last
    assert last - first < 100


async def test_a_tape_names_the_scan_and_the_tag_where_another_version_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, speed=50) as stand:
        await stand.started()
        data = await ended(stand)
        period_s = stand.controller.scanner.scan.period_s
    tape, other = tmp_path / str(data["tape"]), tmp_path / "other.toml"
    same = await anyio.to_thread.run_sync(compare, tape)
    assert (same.scan, same.differences) == (None, ())
    assert same.scans > 60 / period_s

    async def against(old: str, new: str) -> ComparisonReport:
        assert old in tool_text()
        other.write_text(tool_text().replace(old, new))
        return await anyio.to_thread.run_sync(lambda: compare(tape, tool=other))

    more = await against('"panel.sih4.setpoint_sccm" = 60', '"panel.sih4.setpoint_sccm" = 61')
    assert [(one.tag, one.recorded, one.other) for one in more.differences] == [("panel.sih4.setpoint_sccm", 60, 61)]
    # The step before takes a second, and its valve opens with it.
    longer = await against("min_s = 60", "min_s = 60.005")
    assert {one.tag for one in longer.differences} >= {"panel.sih4.setpoint_sccm", "panel.sih4.valve"}
    assert longer.scan is not None
    assert more.scan is not None
    assert round((longer.at_s - more.at_s) / period_s) == round(61 / period_s)

    with pytest.raises(TapeError, match="has other tags, interlocks or alarms than the tape's tool"):
        await against("sih4.valve", "sih4.cock")
    with pytest.raises(TapeError, match=r"cannot run with .*: the tool has no operation soak"):
        await against('name = "soak"', 'name = "bath"')


async def test_a_trip_aborts_the_run_and_its_record_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.started()
        await stand.until(lambda: stand.value(VALVE) == 1.0)
        stand.post(pressure_torr=200.0)
        change = await stand.hear(EventKind.RUN_STATE, state="ABORTING")
        assert change.data["cause"] == "condition"
        assert change.data["conditions"] == ["over_pressure"]
        assert stand.value(VALVE) == 0.0
        stand.post(pressure_torr=0.1)
        data = await ended(stand)
        assert data["state"] == "ABORTED"
        assert data["cause"] == "condition: over_pressure"
        summary = data["summary"]
        assert isinstance(summary, dict)
        assert [(trip["name"], trip["first_out"]) for trip in summary["trips"]] == [("over_pressure", True)]
        assert stand.value(VALVE) == 0.0, "the end of a trip restores nothing"


async def test_pause_resume_hold_restart_and_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.started()
        await stand.until(lambda: stand.value(VALVE) == 1.0)
        for kind, state, valve in (
            (CommandKind.PAUSE, "PAUSED", 0.0),
            (CommandKind.RESUME, "RUNNING", 1.0),
            (CommandKind.HOLD, "HELD", 0.0),
            (CommandKind.RESTART, "RUNNING", 1.0),
            (CommandKind.STOP, "STOPPED", 0.0),
        ):
            await stand.done("olga", kind, run_id="run-1")
            await stand.hear(EventKind.RUN_STATE, state=state)
            await stand.until(lambda wanted=valve: stand.value(VALVE) == wanted)
        assert (await ended(stand))["state"] == "STOPPED"


async def test_a_late_command_never_meets_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.started(run_id="second")
        reply = await stand.command("olga", CommandKind.ABORT, run_id="first")
        assert (reply.status, reply.reason) == ("BadNotFound", "the run first is not the active one")
        second = await stand.start(run_id="third")
        assert "one run at a time" in second.reason
        assert stand.run_state == "RUNNING"


async def test_an_abort_reaches_a_run_that_is_still_being_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compiled in a thread; whoever aborts it meanwhile is heard."""
    compiling, go_on = anyio.Event(), anyio.Event()
    real = starting.prepare_operation

    def slowly(*args: object) -> object:
        anyio.from_thread.run_sync(compiling.set)
        anyio.from_thread.run(go_on.wait)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(starting, "prepare_operation", slowly)
    async with running(tmp_path, monkeypatch) as stand, anyio.create_task_group() as group:
        replies = []

        async def start() -> None:
            replies.append(await stand.start())

        group.start_soon(start)
        await compiling.wait()
        await stand.done("olga", CommandKind.ABORT, run_id="run-1")
        go_on.set()
        await stand.until(lambda: replies)
        assert replies[0].status == "BadRequestCancelledByClient"
        assert (await ended(stand))["state"] == "ABORTED"
        assert stand.run_state == "IDLE"
        assert stand.value("system.armed") == 0.0


async def test_the_safe_sequence_is_never_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a role, not in any mode, not in idle, not twice."""
    async with running(tmp_path, monkeypatch) as stand:
        await stand.done("nobody", CommandKind.SAFE_SHUTDOWN)
        await stand.hear(EventKind.RUN_STATE, state="ABORTED")
        assert stand.told(EventKind.RUN_STATE)[0].data["run_id"] is None
        await stand.done("otto", CommandKind.SAFE_SHUTDOWN)
        await stand.until(lambda: len(stand.told(EventKind.RUN_STATE, state="ABORTED")) == 2)
        await stand.done("mara", CommandKind.SET_MODE, mode="Maintenance")
        await stand.done("otto", CommandKind.SAFE_SHUTDOWN)
        await stand.until(lambda: len(stand.told(EventKind.RUN_STATE, state="ABORTED")) == 3)


async def test_with_a_full_disk_runs_go_on_safely_and_nothing_new_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.started()
        journal = max((tmp_path / "journal").glob("*.journal"))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (await anyio.to_thread.run_sync(lambda: journal.stat().st_size), hard)
        )
        try:
            # What leads towards safety is carried out and answered, and the answer says what is missing.
            hold = await stand.command("olga", CommandKind.HOLD, run_id="run-1")
            assert hold.status == "Good"
            assert "not recorded yet" in hold.reason
            await stand.until(lambda: stand.run_state == "HELD")
            restart = await stand.command("olga", CommandKind.RESTART, run_id="run-1")
            assert restart.status == "BadResourceUnavailable"
            assert "free space on its disk" in restart.reason
            journal_status = (await stand.ask("status"))["journal"]
            assert not journal_status["writable"]
            assert journal_status["pending"] > 0
            await stand.done("olga", CommandKind.ABORT, run_id="run-1")
            await stand.until(lambda: stand.run_state == "ABORTED")
            start = await stand.start(run_id="next")
            assert start.status == "BadResourceUnavailable"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (await ended(stand))["state"] == "ABORTED"
        reply = await stand.start(run_id="next")
        assert reply.status == "Good"
        kinds = [event.data["kind"] for event in await stand.recorded() if event.kind is EventKind.COMMAND]
        assert kinds == ["start_operation", "hold", "restart", "abort", "start_operation", "start_operation"]


async def test_a_tape_that_cannot_be_written_does_not_stop_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").write_text("somebody put a file here")
    async with running(tmp_path, monkeypatch, speed=50) as stand:
        await stand.started()
        data = await ended(stand)
        assert data["state"] == "COMPLETE"
        assert data["tape"] is None
        assert "the tape cannot be written" in str(data["tape_error"])


async def test_an_orderly_end_in_a_run_completes_the_safe_sequence_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.started()
        await stand.until(lambda: stand.value(VALVE) == 1.0)
        stand.controller.stop("SIGTERM")
        stand.controller.stop("SIGTERM")
        await stand.controller.ended.wait()
        states = [event.data["state"] for event in await stand.recorded() if event.kind is EventKind.RUN_STATE]
        assert states == ["RUNNING", "ABORTING", "ABORTED"]
        last = (await stand.recorded())[-1]
        assert last.kind is EventKind.SHUTDOWN
        assert stand.value(VALVE) == 0.0
    async with running(tmp_path, monkeypatch) as successor:
        assert (await successor.hear(EventKind.BOOT)).data["clean"] is True
        assert successor.run_state == "IDLE"
