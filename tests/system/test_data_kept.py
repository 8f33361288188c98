"""What is kept: exports hot and closed, tapes that replay bit for bit, and nothing acknowledged is ever lost."""

import csv
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from config.layout import Layout
from config.loading import load_tool
from kernels.tables import TapeKind
from opcua_model.client import ClientError
from supervisor.controller.tapes.tape_file import TapeFile, open_tape
from supervisor.link.journal import read_journal
from supervisor.link.messages import Event, EventKind
from supervisor.server.records import audit
from tests.system.daemon import (
    FURNACE,
    PASSWORD,
    Daemon,
    approved,
    cvd,
    ended,
    idling,
    running,
    serving,
    started,
    until,
)
from tests.system.quick import quick_recipe

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SILANE_FLOW = "Equipment/gas_panel/sih4.flow_sccm"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with serving(tmp_path_factory.mktemp("kept"), speed=40) as served:
        yield served


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


def exported(data: Path, number: str, form: str, target: Path, *more: str) -> Any:
    stdin = f"{PASSWORD}\n" if more else ""
    return cvd("export", number, "--data", data, "--format", form, "--output", target, *more, stdin=stdin)


def count(path: Path) -> int:
    if path.suffix == ".parquet":
        return pq.ParquetFile(path).metadata.num_rows
    if path.suffix == ".json":
        return len(json.loads(path.read_text()))
    with path.open(newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


async def test_a_run_is_exported_while_it_runs_and_after_it(daemon: Daemon, exports: Path) -> None:
    forms, hot_rows = ("parquet", "csv", "json"), dict[str, int]()
    async with daemon.client("olga") as operator:
        await idling(operator)
        run_id, number = await started(daemon, operator, quick_recipe("Export", deposition_s=200))
        await until(operator, SILANE_FLOW, lambda flow: flow > 60)
        # However long the commands take, the run waits for them.
        await operator.call("Runs", "PauseRun", run_id)
        await until(operator, "Runs/ActiveRun/State", lambda state: state == "PAUSED")
        locked = await anyio.to_thread.run_sync(exported, daemon.data, number, "csv", exports / "hot.csv")
        assert locked.returncode == 1
        assert "--user" in locked.stderr
        assert "Traceback" not in locked.stderr
        for form in forms:
            hot = exports / f"hot.{form}"
            asked = await anyio.to_thread.run_sync(
                exported, daemon.data, number, form, hot, "--user", "otto", "--password-stdin"
            )
            assert asked.returncode == 0, asked.stderr
            hot_rows[form] = await anyio.to_thread.run_sync(count, hot)
        await operator.call("Runs", "ResumeRun", run_id)
        run = await ended(operator, run_id)
        assert run["status"] == "COMPLETE"
    record = anyio.Path(daemon.data / "runs" / number / "run.json")
    with anyio.fail_after(60):
        while not await record.exists():  # noqa: ASYNC110 - written by another process
            await anyio.sleep(0.05)
    rows = 0
    for form in forms:
        closed = exports / f"closed.{form}"
        done = await anyio.to_thread.run_sync(exported, daemon.data, number, form, closed)
        assert done.returncode == 0, done.stderr
        rows = await anyio.to_thread.run_sync(count, closed)
        assert f"{rows} rows" in done.stdout
        assert rows == pytest.approx(10 * run["duration_seconds"], rel=0.1)
        assert 100 < hot_rows[form] <= rows
    assert max(hot_rows.values()) < rows, "they were asked for in the middle of the run"


async def test_exports_that_cannot_be_are_one_clear_line(daemon: Daemon, exports: Path) -> None:
    nothing = await anyio.to_thread.run_sync(
        exported, daemon.data, "CVD-20010101-000000", "csv", exports / "x.csv", "--user", "otto", "--password-stdin"
    )
    assert nothing.returncode == 1
    assert "CVD-20010101-000000" in nothing.stderr
    wrong = await anyio.to_thread.run_sync(
        lambda: cvd("export", "CVD-20010101-000000", "--data", daemon.data, "--format", "csv", "--output",
                    exports / "x.csv", "--user", "otto", "--password-stdin", stdin="wrong\n")
    )  # fmt: skip
    assert wrong.returncode == 1
    elsewhere = await anyio.to_thread.run_sync(exported, exports / "no such folder", "X", "csv", exports / "x.csv")
    assert elsewhere.returncode == 1
    for done in (nothing, wrong, elsewhere):
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1


def flip(tape: Path, target: Path) -> int:
    """Change one temperature of a tape in its middle by a little; return the scan that it was latched in."""
    whole = open_tape(tape)
    rows = np.concatenate(list(whole.batches()))
    tag = Layout(load_tool(FURNACE)).index["heater.zone2.temperature_c"]
    inputs = np.flatnonzero((rows["kind"] == TapeKind.INPUT) & (rows["index"] == tag))
    chosen = inputs[len(inputs) // 2]
    rows["value"].view(np.int64)[chosen] ^= 1 << 40  # A bit of the mantissa.
    file = TapeFile(target, whole.start)
    file.write(rows)
    file.close(whole.last_scan, whole.state)
    return int(rows["scan"][chosen])


async def test_a_tape_replays_bit_for_bit_and_one_flipped_value_does_not(daemon: Daemon, exports: Path) -> None:
    async with daemon.client("olga") as operator:
        await idling(operator)
        run_id, _ = await started(daemon, operator, quick_recipe("Tape", deposition_s=20))
        run = await ended(operator, run_id)
    tape = daemon.data / run["tape"]
    same = await anyio.to_thread.run_sync(lambda: cvd("replay", tape))
    assert same.returncode == 0, same.stderr
    assert "identical" in same.stdout

    spoilt = exports / "spoilt-tape"
    scan = await anyio.to_thread.run_sync(flip, tape, spoilt)
    other = await anyio.to_thread.run_sync(lambda: cvd("replay", spoilt))
    assert other.returncode == 1, other.stdout
    assert "DIFFERS" in other.stdout
    last = int(other.stdout.split("…")[-1])
    assert scan <= last <= (await anyio.to_thread.run_sync(open_tape, tape)).last_scan

    whole = await anyio.Path(tape).read_bytes()
    await anyio.Path(exports / "half").write_bytes(whole[: len(whole) // 2])
    half = await anyio.to_thread.run_sync(lambda: cvd("replay", exports / "half"))
    assert half.returncode == 1
    assert "Traceback" not in half.stderr


class Kept:
    """What the disk says after the end."""

    def __init__(self, data: Path) -> None:
        self.journal: list[Event] = list(read_journal(data / "journal"))
        self.head = audit.HeadFile(data / "audit.head").read()
        with duckdb.connect(str(data / "cvd.duckdb")) as connection:
            self.audit_faults = audit.verify(connection, self.head)
            self.events = connection.execute("SELECT seq, kind FROM events ORDER BY seq").fetchall()
            self.recipes = {
                str(row[0]): row[1] for row in connection.execute("SELECT id, status FROM recipes").fetchall()
            }
            self.runs = {
                str(row[0]): row[1:]
                for row in connection.execute("SELECT id, status, error_code, error_message FROM runs").fetchall()
            }
            self.deeds = {
                json.loads(row[0]).get("tag") for row in
                connection.execute("SELECT detail FROM audit WHERE action = 'write'").fetchall()
            }  # fmt: skip


async def _work(daemon: Daemon, acknowledged: dict[str, list[str]]) -> None:
    """Do as much as goes until the daemon is gone; note what was acknowledged."""
    try:
        async with daemon.client("erika") as engineer:
            while True:
                for index in range(1000):
                    recipe_id, _ = await engineer.call(
                        "Recipes", "AddRecipe", quick_recipe(f"{len(acknowledged['recipes'])}-{index}")
                    )
                    acknowledged["recipes"].append(str(recipe_id))
                    run_id, _ = await engineer.call("Runs", "CreateRun", recipe_id, 1, "S", "W", "{}")
                    acknowledged["runs"].append(str(run_id))
    except (ClientError, ConnectionError, OSError, TimeoutError):
        return


@pytest.mark.timeout(240)
async def test_nothing_acknowledged_is_lost_when_both_halves_are_killed(tmp_path: Path) -> None:
    acknowledged: dict[str, list[str]] = {"recipes": [], "runs": []}
    async with running(tmp_path, speed=40) as daemon:
        async with daemon.client("olga") as operator:
            await idling(operator)
            run_id, _ = await started(daemon, operator, quick_recipe("Killed", deposition_s=600))
            await until(operator, SILANE_FLOW, lambda flow: flow > 60)
        async with anyio.create_task_group() as group:
            group.start_soon(_work, daemon, acknowledged)
            with anyio.fail_after(60):
                while len(acknowledged["runs"]) < 10:  # noqa: ASYNC110 - grows beside this
                    await anyio.sleep(0.05)
            state = await anyio.to_thread.run_sync(daemon.ready)
            for half in ("server", "controller"):
                os.kill(state[f"{half}_pid"], signal.SIGKILL)
            for half in ("server", "controller"):
                await anyio.to_thread.run_sync(daemon.wait_for_restart, half, state[f"{half}_pid"])
            group.cancel_scope.cancel()
        async with daemon.client("olga") as operator:
            await until(operator, "Diagnostics/ControllerAlive", lambda alive: alive is True)
            run = await ended(operator, run_id)
            assert run["status"] == "ABORTED"
            assert run["error_code"] == "CONTROLLER_LOST"
            assert "restart" in run["error_message"]
            # The successor made the tool safe before anything else.
            await until(operator, "Services/State", lambda state: state == "ABORTED")
            assert await operator.read("Equipment/gas_panel/sih4.valve") == 0
        await anyio.to_thread.run_sync(daemon.terminate)

    kept = await anyio.to_thread.run_sync(Kept, tmp_path)
    assert kept.audit_faults == []
    people = [event for event in kept.journal if event.kind is not EventKind.CHECKPOINT]
    assert kept.events == [(event.seq, event.kind.value) for event in people]
    assert set(acknowledged["recipes"]) <= kept.recipes.keys()
    assert set(acknowledged["runs"]) <= kept.runs.keys()
    for event in kept.journal:
        if event.kind is EventKind.RUN_ENDED:
            assert kept.runs[event.data["run_id"]][0] == event.data["state"]
    boots = [event for event in kept.journal if event.kind is EventKind.BOOT]
    assert [boot.data["clean"] for boot in boots][1:] == [False]


async def test_the_audit_trail_shows_what_was_changed_behind_its_back(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        await approved(daemon, quick_recipe("Audited"))
        await anyio.to_thread.run_sync(daemon.terminate)

    def tamper() -> None:
        with duckdb.connect(str(tmp_path / "cvd.duckdb")) as connection:
            assert audit.verify(connection) == []
            connection.execute("UPDATE audit SET user_name = 'amir' WHERE action = 'add_recipe'")

    await anyio.to_thread.run_sync(tamper)
    async with running(tmp_path) as daemon, daemon.client("ada") as administrator:
        assert await administrator.read("State/Mode")
        assert any("audit" in line.get("event", "") and "changed" in line.get("fault", "") for line in daemon.lines())


@pytest.mark.timeout(240)
async def test_a_daemon_that_is_stopped_while_it_rolls_a_run_ends_in_time_and_goes_on_later(tmp_path: Path) -> None:
    async with running(tmp_path, speed=80) as daemon:
        async with daemon.client("olga") as operator:
            await idling(operator)
            run_id, number = await started(daemon, operator, quick_recipe("Rolled", deposition_s=1000))
            # Until it runs, the state is that of the operation before.
            await until(operator, "Runs/ActiveRun/State", lambda state: state == "RUNNING")
            await until(operator, "Runs/ActiveRun/State", lambda state: state == "COMPLETE", within_s=120)
        took = await anyio.to_thread.run_sync(daemon.terminate)
        assert took < 8
        assert not [line for line in daemon.lines() if "did not end in time" in line["event"]]
    async with running(tmp_path) as daemon, daemon.client("olga") as operator:
        assert json.loads(await operator.call("Runs", "GetRun", run_id))["status"] == "COMPLETE"
        record = anyio.Path(tmp_path / "runs" / number / "run.json")
        with anyio.fail_after(60):
            while not await record.exists():  # noqa: ASYNC110 - written by another process
                await anyio.sleep(0.05)
    target = tmp_path / "all.parquet"
    done = await anyio.to_thread.run_sync(exported, tmp_path, number, "parquet", target)
    assert done.returncode == 0, done.stderr
    # Ten rows a second of the tool's time, from the first scan of the run to its last, none twice.
    assert await anyio.to_thread.run_sync(count, target) == pytest.approx(10 * 1225, rel=0.02)
