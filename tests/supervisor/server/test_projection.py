"""The journal's events become rows, each exactly once."""

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import duckdb
import pytest

from supervisor.link.messages import Event, EventKind
from supervisor.server.errors import StoreError
from supervisor.server.projection.fold import Cursor, Gap, Projection, begin_journal, cursor
from supervisor.server.projection.projector import Projector
from supervisor.server.records import audit
from supervisor.server.records.results import film_result, get_result
from supervisor.server.store.connection import Store, transaction
from supervisor.server.store.opening import open_database
from supervisor.server.store.rows import aggregate, one
from supervisor.server.texts.wording import tell
from tests.supervisor.server.stand import SECOND, START_NS, new_id, small_tool

ROOT = Path(__file__).resolve().parents[3]
CONDITIONS = {condition.name: condition for condition in small_tool().interlocks}


class Journal:
    """Events in a row."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, what: EventKind, /, **data: Any) -> Event:
        seq = len(self.events) + 1
        event = Event(seq=seq, time_ns=START_NS + seq * SECOND, scan=seq * 100, kind=what, data=data)
        self.events.append(event)
        return event


def a_run(journal: Journal, state: str = "COMPLETE") -> str:
    """A run from start to end."""
    run = new_id()
    steps = [{"name": name, "planned_s": 1.0, "owner": "recipe"} for name in ("pump", "grow")]
    journal.add(EventKind.RUN_STARTED, run_id=run, run_number=f"CVD-{run[:8]}", kind="recipe", steps=steps, user="olga")
    journal.add(EventKind.STEP, run_id=run, index=0, name="pump")
    journal.add(EventKind.STEP, run_id=run, index=1, name="grow")
    journal.add(EventKind.RUN_STATE, run_id=run, state=state, previous="RUNNING", cause="program")
    journal.add(EventKind.RUN_ENDED, run_id=run, state=state, summary={"trips": 0}, tape="tape")
    return run


@pytest.fixture
def database(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A new database."""
    return open_database(tmp_path / "cvd.duckdb")[0]


def project(connection: duckdb.DuckDBPyConnection, events: Sequence[Event]) -> Cursor:
    """Project in one transaction."""
    return transaction(connection, lambda held: Projection(CONDITIONS).project(held, events))


def record(connection: duckdb.DuckDBPyConnection, run: str) -> dict[str, Any]:
    """Read a run's row."""
    return connection.sql("SELECT * FROM runs WHERE id = ?", params=[run]).to_arrow_table().to_pylist()[0]


def test_a_run_becomes_a_record(database: duckdb.DuckDBPyConnection) -> None:
    journal = Journal()
    run = a_run(journal)
    assert project(database, journal.events).seq == 5
    row = record(database, run)
    assert (row["status"], row["step_index"], row["job_progress"]) == ("COMPLETE", 1, 1.0)
    assert (row["start_scan"], row["end_scan"], row["duration_seconds"]) == (100, 500, 4.0)
    assert json.loads(row["postflight_summary"]) == {"trips": 0}


def test_events_that_come_again_change_nothing(database: duckdb.DuckDBPyConnection) -> None:
    journal = Journal()
    a_run(journal)
    for part in (journal.events[:3], journal.events, journal.events[1:4]):
        project(database, part)
    assert cursor(database) == Cursor(1, 5)
    assert aggregate(database, "SELECT count(*), count(DISTINCT seq) FROM events") == (5, 5)
    assert aggregate(database, "SELECT count(*) FROM runs") == (1,)


def test_a_hole_is_asked_for_and_nothing_behind_it_is_taken(database: duckdb.DuckDBPyConnection) -> None:
    journal = Journal()
    a_run(journal)
    project(database, journal.events[:2])
    with pytest.raises(Gap) as gap:
        project(database, journal.events[3:])
    assert gap.value.after == 2
    assert cursor(database) == Cursor(1, 2)
    assert aggregate(database, "SELECT max(seq) FROM events") == (2,)


def test_a_controller_that_died_leaves_an_aborted_run(database: duckdb.DuckDBPyConnection) -> None:
    journal = Journal()
    run = a_run(journal)
    boot = Event(seq=4, time_ns=START_NS + 9 * SECOND, scan=0, kind=EventKind.BOOT, data={"version": "1"})
    project(database, [*journal.events[:3], boot])
    row = record(database, run)
    assert (row["status"], row["error_code"]) == ("ABORTED", "CONTROLLER_LOST")
    assert row["end_ns"] == START_NS + 9 * SECOND


def test_the_first_trouble_is_named_and_all_are_kept(database: duckdb.DuckDBPyConnection) -> None:
    journal = Journal()
    run = new_id()
    journal.add(EventKind.RUN_STARTED, run_id=run, run_number="CVD-1", kind="recipe", steps=[])
    journal.add(EventKind.TIMEOUT, run_id=run, step=3, waited_s=900, policy="hold")
    journal.add(EventKind.GUARD, run_id=run, step=3, policy="abort")
    project(database, journal.events)
    row = record(database, run)
    assert row["error_code"] == "TIMEOUT"
    assert row["error_message"] == "step 3 waited 900 s in vain: hold"
    assert [fault["kind"] for fault in json.loads(row["fault_data"])] == ["timeout", "guard"]


def test_commands_are_in_the_audit_trail_without_their_documents(database: duckdb.DuckDBPyConnection) -> None:
    journal = Journal()
    principal = {"user": "olga", "roles": ["operator"], "session": "s7"}
    args = {"run_id": "r", "run_number": "CVD-1", "recipe": "a long document", "recipe_sha256": "00"}
    journal.add(EventKind.COMMAND, id="1", kind="start_run", principal=principal, args=args, status="Good")
    journal.add(
        EventKind.COMMAND, id="2", kind="abort", principal=principal, args={}, status="BadInvalidState", reason="no"
    )
    project(database, journal.events)
    columns = "user_name, roles, action, target, status, detail"
    rows = database.execute(f"SELECT {columns} FROM audit ORDER BY seq").fetchall()  # noqa: S608
    assert [row[:5] for row in rows] == [
        ("olga", "operator", "start_run", "CVD-1", "Good"),
        ("olga", "operator", "abort", "", "BadInvalidState"),
    ]
    assert "document" not in rows[0][5]
    assert audit.verify(database) == []


def test_odd_events_are_kept_and_stop_nothing(database: duckdb.DuckDBPyConnection) -> None:
    journal = Journal()
    journal.add(EventKind.STEP, run_id="no uuid", index="many")
    journal.add(EventKind.RUN_STATE, run_id=None, state=None)
    journal.add(EventKind.RUN_STARTED)
    journal.add(EventKind.COMMAND, principal=None, args=None)
    journal.add(EventKind.CONDITION, name="unknown", active=True)
    journal.add(EventKind.METROLOGY, run_id=new_id(), thickness_map=[float("nan"), 3.0])
    run = a_run(journal)
    project(database, journal.events)
    assert record(database, run)["status"] == "COMPLETE"
    assert aggregate(database, "SELECT count(*) FROM events") == (len(journal.events),)


def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    """A projector of a long journal is killed again and again; at the end rows and cursor agree with the journal."""
    path = tmp_path / "cvd.duckdb"
    open_database(path)[0].close()
    code = """
        import sys
        from pathlib import Path
        import anyio
        from supervisor.link.messages import Event, EventKind
        from supervisor.server.projection.fold import Projection, cursor
        from supervisor.server.store.connection import Store

        def journal(after):
            for seq in range(after + 1, 3001):
                data = {"id": str(seq), "kind": "write", "principal": {"user": "olga", "roles": []}, "args": {}}
                yield Event(seq=seq, time_ns=seq, scan=seq, kind=EventKind.COMMAND, data=data)

        async def main():
            async with Store(Path(sys.argv[1])) as store:
                events = list(journal((await store.read(cursor)).seq))
                for at in range(0, len(events), 10):
                    batch = events[at:at + 10]
                    await store.write(lambda c: Projection({}).project(c, batch))
                    print(batch[-1].seq, flush=True)

        anyio.run(main)
    """
    reached = 0
    for wanted in (5, 17, 9):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout is not None
        for _ in range(wanted):
            reached = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.communicate()
        connection, _ = open_database(path)
        seq = cursor(connection).seq
        assert seq >= reached
        assert aggregate(connection, "SELECT count(*), count(DISTINCT seq), max(seq) FROM events") == (seq, seq, seq)
        assert aggregate(connection, "SELECT count(*) FROM audit") == (seq,)
        assert audit.verify(connection) == []
        connection.close()


def test_a_new_journal_begins_a_new_count(database: duckdb.DuckDBPyConnection) -> None:
    journal = Journal()
    a_run(journal)
    project(database, journal.events)
    assert begin_journal(database) == Cursor(2, 0)
    project(database, journal.events[:1])
    assert database.execute("SELECT journal, count(*) FROM events GROUP BY 1 ORDER BY 1").fetchall() == [(1, 5), (2, 1)]


# -------------------------------------------------------------------------------------------------- the projector
class Followers:
    """Who is told."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.asked = 0

    async def tell(self, events: Sequence[Event]) -> None:
        self.told += [event.seq for event in events]

    def subscribe(self) -> None:
        self.asked += 1


@pytest.mark.anyio
async def test_everybody_is_told_once_though_the_disk_refuses_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.server.projection.projector.RETRY_S", 0.01)
    followers, journal = Followers(), Journal()
    a_run(journal)
    async with Store(tmp_path / "cvd.duckdb") as store, anyio.create_task_group() as group:
        projector = Projector(store, Projection(CONDITIONS), followers.tell, followers.subscribe)
        await projector.start()
        write, refusals = store.write, [3]

        async def refuse(work: Any) -> Any:
            refusals[0] -= 1
            if refusals[0] >= 0:
                raise StoreError("no space left")
            return await write(work)

        monkeypatch.setattr(store, "write", refuse)
        group.start_soon(projector.run)
        for event in journal.events:
            projector.take(event)
        await projector.caught_up(10)
        assert followers.told == [1, 2, 3, 4, 5]
        assert projector.failure == ""
        assert (await store.read(cursor)).seq == 5
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_more_events_than_memory_are_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.server.projection.projector.WAITING", 10)
    followers, journal = Followers(), Journal()
    for _ in range(30):
        journal.add(EventKind.NOTICE, text="news")
    async with Store(tmp_path / "cvd.duckdb") as store, anyio.create_task_group() as group:
        projector = Projector(store, Projection(CONDITIONS), followers.tell, followers.subscribe)
        await projector.start()
        for event in journal.events:
            projector.take(event)
        group.start_soon(projector.run)
        with anyio.fail_after(10):
            while not followers.asked:  # noqa: ASYNC110 (a counter)
                await anyio.sleep(0.005)
        assert projector.resume() == 10
        for event in journal.events[projector.resume() :][:10]:
            projector.take(event)
        await projector.caught_up(10)
        assert followers.told == list(range(1, 21))
        group.cancel_scope.cancel()


# ------------------------------------------------------------------------------------------------ words and results
@pytest.mark.parametrize("kind", list(EventKind))
@pytest.mark.parametrize("data", [{}, {"name": "over_pressure", "active": True}, {"principal": 3, "state": None}])
def test_every_event_has_words_a_source_and_a_severity(kind: EventKind, data: dict[str, Any]) -> None:
    told = tell(Event(seq=1, time_ns=0, scan=0, kind=kind, data=data), CONDITIONS)
    assert told.source
    assert told.message
    assert 1 <= told.severity <= 1000


def test_a_trip_is_told_with_the_severity_of_its_priority_and_its_end_is_not() -> None:
    data = {"name": "over_pressure", "active": True, "first_out": True}
    trip = Event(seq=1, time_ns=0, scan=0, kind=EventKind.CONDITION, data=data)
    told = tell(trip, CONDITIONS)
    assert (told.source, told.severity) == ("Interlocks/over_pressure", 900)
    assert told.message == "chamber pressure too high (first out)"
    over = trip.model_copy(update={"data": {"name": "over_pressure", "active": False}})
    assert tell(over, CONDITIONS).severity == 100


@pytest.mark.parametrize(
    "thickness_map",
    [
        [98.0, 100.0, 102.0],
        [[98.0, 100.0], [102.0]],
        {"wafers": [{"slot": 1, "points": [{"x_mm": 5, "thickness_nm": 98.0}, {"x_mm": 9, "thickness_nm": 100.0}]},
                    {"slot": 2, "points": [{"x_mm": 0, "thickness_nm": 102.0}]}]},
    ],
)  # fmt: skip
def test_a_result_row_is_made_of_a_map(database: duckdb.DuckDBPyConnection, thickness_map: Any) -> None:
    journal = Journal()
    run = a_run(journal)
    journal.add(EventKind.METROLOGY, run_id=run, film="SiO2", thickness_map=thickness_map, refractive_index=1.46)
    project(database, journal.events)
    found = get_result(database, run)
    assert found is not None
    assert found["film_material"] == "SiO2"
    assert (found["thickness_mean_nm"], found["thickness_min_nm"], found["thickness_max_nm"]) == (100.0, 98.0, 102.0)
    assert found["thickness_uniformity_pct"] == pytest.approx(2.0)
    assert found["refractive_index"] == 1.46
    assert found["thickness_map"] == thickness_map


def test_figures_that_were_measured_are_taken_before_those_of_the_map() -> None:
    row = film_result({"film": "SiO2", "thickness_mean_nm": 99.5, "thickness_map": [90.0, 110.0]})
    assert row["thickness_mean_nm"] == 99.5
    assert row["thickness_max_nm"] == 110.0


def test_a_second_measurement_replaces_the_first(database: duckdb.DuckDBPyConnection) -> None:
    journal = Journal()
    run = a_run(journal)
    for thickness in (99.0, 101.0):
        journal.add(EventKind.METROLOGY, run_id=run, film="SiO2", thickness_mean_nm=thickness)
    project(database, journal.events)
    assert one(database, "SELECT thickness_mean_nm FROM results WHERE cvd_run_id = ?", [run]) == (101.0,)


def test_a_calibration_is_kept_by_version_and_in_the_audit_trail(database: duckdb.DuckDBPyConnection) -> None:
    """Who, when, what was found, what is in force, when it is due: for every calibration that there ever was."""
    journal = Journal()
    for version, offset in ((1, 1.5), (2, 2.0)):
        journal.add(
            EventKind.CALIBRATION, tag="gas_panel.sih4.flow_sccm", unit="sccm", due_ns=START_NS + 90 * 86_400 * SECOND,
            version=version, kind="mfc_zero", offset=offset, gain=1.0, found_offset=0.5, found_gain=1.0,
            operation="calibrate_mfc_zero", run_number=f"OP-{version}", user="mia", time_ns=START_NS + version,
        )  # fmt: skip
    transaction(database, lambda connection: Projection(CONDITIONS).project(connection, journal.events))
    rows = database.execute(
        'SELECT version, "offset", operator_id, run_number, due_at > calibrated_at FROM calibrations ORDER BY version'
    ).fetchall()
    assert rows == [(1, 1.5, "mia", "OP-1", True), (2, 2.0, "mia", "OP-2", True)]
    assert one(database, "SELECT count(*) FROM audit WHERE action = 'calibrated' AND user_name = 'mia'") == (2,)
    told = tell(journal.events[0], CONDITIONS)
    assert told.message == "gas_panel.sih4.flow_sccm was calibrated by mia, version 1: offset 1.5 sccm, gain 1.0"
