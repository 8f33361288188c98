"""After a crash the journal says what the controller before this one did and did not do."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from kernels.image import Snapshot
from kernels.tables import CONDITION_STATE, RunState, SystemTag
from supervisor.controller.commands.replies import Replies
from supervisor.controller.runs import recovery
from supervisor.controller.runs.recovery import recover, refine
from supervisor.link.journal import Journal
from supervisor.link.messages import Event, EventKind

Told = tuple[EventKind, dict[str, Any]]
BOOT: Told = (EventKind.BOOT, {"clean": True})
START: Told = (EventKind.RUN_STARTED, {"run_id": "r1", "run_number": "CVD-1", "planned_s": 60.0})
RUNNING: Told = (EventKind.RUN_STATE, {"run_id": "r1", "state": "RUNNING"})
COMPLETE: Told = (EventKind.RUN_STATE, {"run_id": "r1", "state": "COMPLETE"})
ENDED: Told = (EventKind.RUN_ENDED, {"run_id": "r1", "state": "COMPLETE"})
SHUTDOWN: Told = (EventKind.SHUTDOWN, {"reason": "SIGTERM"})
CHECKPOINT: Told = (EventKind.CHECKPOINT, {"run_id": None})
STEP: Told = (EventKind.STEP, {"run_id": "r1", "index": 0})


def journal(folder: Path, *told: Told) -> Journal:
    made = Journal(folder)
    for kind, data in told:
        made.append(Event(seq=made.last_seq + 1, time_ns=1, scan=1, kind=kind, data=data))
    made.sync()
    return made


def test_a_first_start_is_a_clean_one(tmp_path: Path) -> None:
    found = recover(journal(tmp_path))
    assert found.first
    assert found.clean
    assert found.run is None


def test_an_orderly_end_is_told_from_a_crash(tmp_path: Path) -> None:
    assert recover(journal(tmp_path / "a", BOOT, SHUTDOWN)).clean
    assert not recover(journal(tmp_path / "b", BOOT, SHUTDOWN, BOOT)).clean


def test_a_run_that_a_crash_left_open_is_found(tmp_path: Path) -> None:
    found = recover(journal(tmp_path, BOOT, START, RUNNING, STEP))
    assert not found.clean
    assert found.run is not None
    assert found.run.started.data["run_number"] == "CVD-1"
    assert found.run.state == "RUNNING"


def test_a_run_that_had_completed_before_the_crash_keeps_its_state(tmp_path: Path) -> None:
    run = recover(journal(tmp_path, BOOT, START, RUNNING, COMPLETE)).run
    assert run is not None
    assert run.state == "COMPLETE"


@pytest.mark.parametrize("closed_by", [ENDED, BOOT])
def test_a_run_with_a_record_is_not_open(tmp_path: Path, closed_by: Told) -> None:
    assert recover(journal(tmp_path, BOOT, START, RUNNING, COMPLETE, closed_by)).run is None


def test_a_run_with_very_many_events_is_found_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "WINDOW", 4)
    found = recover(journal(tmp_path, BOOT, SHUTDOWN, BOOT, START, RUNNING, *[STEP] * 50))
    assert found.run is not None


def test_only_the_tail_of_a_long_journal_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "WINDOW", 4)
    command: Told = (EventKind.COMMAND, {"id": str(uuid4())})
    found = recover(journal(tmp_path, command, *[STEP] * 20, CHECKPOINT, BOOT, command, SHUTDOWN))
    assert len(found.commands) == 1


def test_what_stood_is_what_the_checkpoint_says_and_what_came_behind_it(tmp_path: Path) -> None:
    checkpoint: Told = (
        EventKind.CHECKPOINT,
        {
            "run_id": "r1", "step": 2, "elapsed_s": 61.5, "step_elapsed_s": 11.5, "step_gas_scc": {"SiH4": 3.5},
            "entries": {"0": 1, "1": 4, "2": 4}, "state": "RUNNING", "tool_sha256": "t", "version": "v",
            "conditions": {
                "overpressure": {"latched": True, "bypassed": False, "first_out": True, "trips": 2},
                "water": {"latched": False, "bypassed": True, "first_out": False, "trips": 0},
            },
            "forces": {"pump.speed": {"value": 1.0, "user": "mara", "reason": "test"}},
        },
    )  # fmt: skip
    reset: Told = (EventKind.CONDITION, {"name": "overpressure", "latched": False, "trips": 2})
    trip: Told = (EventKind.CONDITION, {"name": "door", "active": True, "latched": True, "trips": 1})
    forced: Told = (
        EventKind.COMMAND,
        {
            "id": str(uuid4()), "kind": "force", "status": "Good", "principal": {"user": "mara"},
            "args": {"tag": "lamp", "value": 1.0, "reason": "seen"},
        },
    )  # fmt: skip
    released: Told = (EventKind.FORCE_EXPIRED, {"tag": "pump.speed"})
    found = recover(journal(tmp_path, BOOT, START, RUNNING, checkpoint, reset, trip, forced, released))
    assert found.standing.latched == ["door"]
    assert found.standing.bypassed == ["water"]
    assert list(found.standing.forces) == ["lamp"]
    assert found.run is not None
    assert (found.run.step, found.run.elapsed_s, found.run.step_elapsed_s) == (2, 61.5, 11.5)
    assert (found.run.entries[1], found.run.step_gas_scc) == (4, {"SiH4": 3.5})
    assert (found.tool_sha256, found.version) == ("t", "v")


@pytest.mark.parametrize("order", ["refused", "later"])
def test_a_run_that_waits_is_not_forgotten_until_somebody_has_decided(tmp_path: Path, order: str) -> None:
    waits: Told = (EventKind.RUN_INTERRUPTED, {"run_id": "r1", "run_number": "CVD-1"})

    def decided(status: str) -> Told:
        return (EventKind.COMMAND, {"id": str(uuid4()), "kind": "recover", "status": status, "args": {"run_id": "r1"}})

    told = [START, RUNNING, ENDED, waits, BOOT, decided("BadInvalidState"), BOOT]
    assert recover(journal(tmp_path / "waits", *told)).interrupted == waits[1]
    behind = decided("Good") if order == "refused" else (EventKind.RUN_STARTED, {"run_id": "r2", "kind": "recipe"})
    assert recover(journal(tmp_path / "decided", *told, behind)).interrupted is None


@pytest.mark.anyio
async def test_replies_come_back_from_the_journal() -> None:
    number = uuid4()
    replies = Replies()
    data = {"id": str(number), "status": "BadInvalidState", "reason": "held by the door", "result": {}}
    replies.recover(Event(seq=1, time_ns=1, scan=1, kind=EventKind.COMMAND, data=data))
    reply = await replies.known(number)
    assert reply is not None
    assert (reply.status, reply.reason) == ("BadInvalidState", "held by the door")
    assert await replies.known(UUID(int=1)) is None


def test_a_command_record_without_an_id_is_passed_over() -> None:
    Replies().recover(Event(seq=1, time_ns=1, scan=1, kind=EventKind.COMMAND, data={"id": "nonsense"}))


def test_forces_end_with_maintenance_with_whoever_takes_them_away_and_with_every_start(tmp_path: Path) -> None:
    def command(kind: str, **args: Any) -> Told:
        data = {"id": str(uuid4()), "kind": kind, "status": "Good", "principal": {"user": "mara"}, "args": args}
        return (EventKind.COMMAND, data)

    lamp, horn = (command("force", tag=tag, value=1.0, reason="seen") for tag in ("lamp", "horn"))
    told = [BOOT, lamp, horn]
    assert list(recover(journal(tmp_path / "both", *told)).standing.forces) == ["lamp", "horn"]
    assert list(recover(journal(tmp_path / "one", *told, command("unforce", tag="lamp"))).standing.forces) == ["horn"]
    for place, mode, left in (("stays", "Maintenance", 2), ("leaves", "Ready", 0)):
        found = recover(journal(tmp_path / place, *told, command("set_mode", mode=mode)))
        assert len(found.standing.forces) == left
    assert not recover(journal(tmp_path / "end", *told, SHUTDOWN)).standing.forces
    expired: Told = (EventKind.BYPASS_EXPIRED, {"name": "water"})
    bypassed: Told = (EventKind.CONDITION, {"name": "water", "bypassed": True, "trips": 0})
    assert recover(journal(tmp_path / "water", BOOT, bypassed)).standing.bypassed == ["water"]
    assert not recover(journal(tmp_path / "over", BOOT, bypassed, expired)).standing.bypassed


def test_what_is_told_of_another_run_is_not_of_this_one(tmp_path: Path) -> None:
    other: Told = (EventKind.RUN_STATE, {"run_id": "r0", "state": "ABORTED"})
    run = recover(journal(tmp_path, BOOT, START, RUNNING, other)).run
    assert run is not None
    assert run.state == "RUNNING"


def row(time_ns: int, state: RunState, step: int, scan: int = 9) -> Snapshot:
    """The last row of an image: a run is in a step for 7 s, and as a whole for 70 s."""
    values = np.zeros(len(SystemTag))
    values[SystemTag.RUN_STATE], values[SystemTag.STEP] = state, step
    values[SystemTag.RUN_ELAPSED_S], values[SystemTag.STEP_ELAPSED_S] = 70.0, 7.0
    good, at = np.zeros(len(values), np.uint32), np.zeros(len(values), np.int64)
    return Snapshot(scan, time_ns, values, good, at, np.zeros(0, CONDITION_STATE))


@pytest.mark.parametrize(
    ("left", "after"),
    [
        (row(5, RunState.RUNNING, 1), (1, 70.0, 7.0, 1)),  # the record of step 1 was still under way
        (row(5, RunState.RUNNING, 0), (0, 70.0, 7.0, 1)),  # the same step, later
        (row(5, RunState.COMPLETE, 1), (0, 0.0, 0.0, 1)),  # of no run any more
        (row(5, RunState.RUNNING, -1), (0, 0.0, 0.0, 1)),
        (row(0, RunState.RUNNING, 1), (0, 0.0, 0.0, 1)),  # older than the journal
        (row(5, RunState.RUNNING, 1, scan=-1), (0, 0.0, 0.0, 1)),  # a power cut leaves none
    ],
)
def test_the_row_that_a_killed_process_leaves_says_where_the_run_was(
    tmp_path: Path, left: Snapshot, after: tuple[int, float, float, int]
) -> None:
    run = recover(journal(tmp_path, BOOT, START, RUNNING, STEP)).run
    assert run is not None
    refine(run, left)
    assert (run.step, run.elapsed_s, run.step_elapsed_s, run.entries[run.step]) == after
