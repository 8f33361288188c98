"""After a crash the journal says what the controller before this one did and did not do."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from supervisor.controller import recovery
from supervisor.controller.recovery import recover
from supervisor.controller.replies import Replies
from supervisor.link.journal import Journal
from supervisor.link.messages import Event, EventKind

Told = tuple[EventKind, dict[str, Any]]
BOOT: Told = (EventKind.BOOT, {"clean": True})
START: Told = (EventKind.RUN_STARTED, {"run_id": "r1", "run_number": "CVD-1", "planned_s": 60.0})
RUNNING: Told = (EventKind.RUN_STATE, {"run_id": "r1", "state": "RUNNING"})
COMPLETE: Told = (EventKind.RUN_STATE, {"run_id": "r1", "state": "COMPLETE"})
ENDED: Told = (EventKind.RUN_ENDED, {"run_id": "r1", "state": "COMPLETE"})
SHUTDOWN: Told = (EventKind.SHUTDOWN, {"reason": "SIGTERM"})
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
    assert found.open_run is None


def test_an_orderly_end_is_told_from_a_crash(tmp_path: Path) -> None:
    assert recover(journal(tmp_path / "a", BOOT, SHUTDOWN)).clean
    assert not recover(journal(tmp_path / "b", BOOT, SHUTDOWN, BOOT)).clean


def test_a_run_that_a_crash_left_open_is_found(tmp_path: Path) -> None:
    found = recover(journal(tmp_path, BOOT, START, RUNNING, STEP))
    assert not found.clean
    assert found.open_run is not None
    assert found.open_run.data["run_number"] == "CVD-1"
    assert found.open_state == "RUNNING"


def test_a_run_that_had_completed_before_the_crash_keeps_its_state(tmp_path: Path) -> None:
    assert recover(journal(tmp_path, BOOT, START, RUNNING, COMPLETE)).open_state == "COMPLETE"


@pytest.mark.parametrize("closed_by", [ENDED, BOOT])
def test_a_run_with_a_record_is_not_open(tmp_path: Path, closed_by: Told) -> None:
    assert recover(journal(tmp_path, BOOT, START, RUNNING, COMPLETE, closed_by)).open_run is None


def test_a_run_with_very_many_events_is_found_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "WINDOW", 4)
    found = recover(journal(tmp_path, BOOT, SHUTDOWN, BOOT, START, RUNNING, *[STEP] * 50))
    assert found.open_run is not None


def test_only_the_tail_of_a_long_journal_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "WINDOW", 4)
    command: Told = (EventKind.COMMAND, {"id": str(uuid4())})
    found = recover(journal(tmp_path, command, *[STEP] * 20, BOOT, command, SHUTDOWN))
    assert len(found.commands) == 1


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
