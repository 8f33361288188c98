"""Runs over OPC UA: every transition, refusals with their reason, records, telemetry, results, simulations."""

import json
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import duckdb
import pytest

from opcua_model.client import ToolClient
from opcua_model.stack import ua
from supervisor.link.journal import read_journal
from supervisor.link.messages import EventKind
from tests.system.daemon import Daemon, approved, ended, idling, refusal, serving, until
from tests.system.quick import IDLE_C, quick_recipe

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
STATE = "Runs/ActiveRun/State"
STEP = "Runs/ActiveRun/StepName"
SILANE_FLOW = "Equipment/gas_panel/sih4.flow_sccm"
SILANE_VALVE = "Equipment/gas_panel/sih4.valve"
BEGIN = datetime(1601, 1, 1)  # noqa: DTZ001 - the least DateTime of OPC UA
SPEED = 40


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with serving(tmp_path_factory.mktemp("runs"), speed=SPEED) as served:
        yield served


async def created(daemon: Daemon, operator: ToolClient, name: str, **options: Any) -> tuple[str, str]:
    """Make a run that waits for its start; the tool is brought to idle temperature, from which recipes begin."""
    await idling(operator)
    recipe_id, version = await approved(daemon, quick_recipe(name, **options))
    run_id, number = await operator.call("Runs", "CreateRun", recipe_id, version, "lot 7", "W03", '{"order": 4711}')
    return str(run_id), str(number)


class Heard:
    """What a subscriber of the Server object has been told."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.more = anyio.Event()

    def event_notification(self, event: Any) -> None:
        self.events.append(event)
        self.more.set()

    async def until(self, words: str) -> None:
        with anyio.fail_after(10):
            while not any(words in told for told in self.words):
                self.more = anyio.Event()
                await self.more.wait()

    @property
    def words(self) -> list[str]:
        return [event.Message.Text for event in self.events]


@asynccontextmanager
async def listening(client: ToolClient) -> AsyncGenerator[Heard]:
    heard = Heard()
    subscription = await client._client.create_subscription(50, heard)
    await subscription.subscribe_events()
    try:
        yield heard
    finally:
        await subscription.delete()


def rows(data: Path, number: str, tags: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Read a closed run as anybody may while the daemon runs."""
    columns = ", ".join(f'"{tag}"' for tag in tags)
    files = str(data / "runs" / number / "telemetry-*.parquet")
    with duckdb.connect() as connection:
        query = f"SELECT scan, ts_ns, {columns} FROM read_parquet('{files}', union_by_name=true) ORDER BY scan"  # noqa: S608
        return connection.execute(query).fetchall()


async def rolled(data: Path, number: str) -> None:
    record = anyio.Path(data / "runs" / number / "run.json")
    with anyio.fail_after(60):
        while not await record.exists():  # noqa: ASYNC110 - written by another process
            await anyio.sleep(0.05)


async def a_violation_is_answered(operator: ToolClient, number: str) -> None:
    """The alarm of the series: active, acknowledged, and in the history of the folder's events."""
    alarm = "Alarms/spc_thick"
    await until(operator, f"{alarm}/ActiveState/Id", lambda active: active is True)
    assert number in (await operator.read(f"{alarm}/Message")).Text
    await operator.call(alarm, "Acknowledge", await operator.read(f"{alarm}/EventId"), "a test's own limits")
    await until(operator, f"{alarm}/AckedState/Id", lambda acked: acked is True)
    folder = operator._client.get_node(operator.node("Spc"))
    kind = ua.NodeId(ua.ObjectIds.DiscreteAlarmType)
    told = await folder.read_event_history(datetime(2020, 1, 1), datetime(2100, 1, 1), 100, kind)  # noqa: DTZ001
    said = [(one.Message.Text, one.SourceName) for one in told]
    assert len(said) == 2, "raised and acknowledged"
    assert {source for _, source in said} == {"Spc"}
    assert all(number in words for words, _ in said)


async def test_a_held_run_shuts_silane_keeps_its_heat_and_goes_on_after_restart(daemon: Daemon) -> None:
    async with daemon.client("erika") as engineer:
        series = {"name": "thick", "parameter": "thickness_mean_nm", "mean": 1e6, "std_dev": 1.0, "rules": ["WE1"]}
        await engineer.call("Spc", "DefineSeries", json.dumps(series))
    async with daemon.client("olga") as operator, listening(operator) as heard:
        run_id, number = await created(daemon, operator, "Held", deposition_s=240)
        assert re.fullmatch(r"CVD-\d{8}-\d{6}(-\d+)?", number)
        await operator.call("Runs", "StartRun", run_id)
        await until(operator, SILANE_FLOW, lambda flow: flow > 60)

        await operator.call("Runs", "HoldRun", run_id)
        await until(operator, STATE, lambda state: state == "HELD")
        await until(operator, SILANE_FLOW, lambda flow: flow < 5)
        assert await operator.read(SILANE_VALVE) == 0
        wrong = await refusal(operator, "Runs", "ResumeRun", run_id)
        assert wrong.status == "BadInvalidState"
        assert "HELD" in wrong.reason
        await operator.call("Runs", "RestartRun", run_id)
        await until(operator, SILANE_FLOW, lambda flow: flow > 60)

        await operator.call("Runs", "PauseRun", run_id)
        await until(operator, STATE, lambda state: state == "PAUSED")
        await operator.call("Runs", "ResumeRun", run_id)
        run = await ended(operator, run_id)
        await until(operator, STATE, lambda state: state == "COMPLETE")
        results = json.loads(await operator.call("Runs", "GetResults", run_id))
        await heard.until("COMPLETE")
        # A film is a point of every control chart that follows it; one beyond its limits is told.
        await heard.until("thick: thickness_mean_nm")
        assert await operator.read("Spc/thick/LastViolation") == "WE1"
        assert await operator.read("Spc/thick/LastRunNumber") == number
        (point,) = json.loads(await operator.call("Spc", "GetPoints", "thick", BEGIN, BEGIN, 0))
        assert (point["run_id"], point["value"]) == (run_id, pytest.approx(results["thickness_mean_nm"]))
        assert [one["series"] for one in results["spc_snapshot"]] == ["thick"]
        await a_violation_is_answered(operator, number)
        run_states = operator._client.get_node(operator.node(f"Runs/{number}/StatusCode"))
        assert (await run_states.read_data_type()).Identifier == "RunStatusEnum"

    assert run["status"] == "COMPLETE"
    assert (run["sample_id"], run["wafer_id"], run["metadata"]) == ("lot 7", "W03", {"order": 4711})
    assert run["postflight_summary"]["holds"] == 1
    assert run["postflight_summary"]["trips"] == []
    assert results["thickness_mean_nm"] > 0
    told = " | ".join(heard.words)
    for state in ("RUNNING", "HOLDING", "HELD", "RESTARTING", "PAUSING", "PAUSED", "RESUMING", "COMPLETE"):
        assert f"run is {state}" in told or f"run ended: {state}" in told, f"nobody was told of {state}: {told}"
    assert {event.SourceName for event in heard.events} >= {"ActiveRun"}

    # In the record of every tenth scan: shut from the very scan of the hold to the restart, the heat kept.
    await rolled(daemon.data, number)
    events = await anyio.to_thread.run_sync(lambda: list(read_journal(daemon.data / "journal")))
    at = {
        event.data["state"]: event.scan
        for event in events
        if event.kind is EventKind.RUN_STATE and event.data["run_id"] == run_id
    }
    tags = ("gas_panel.sih4.valve", "gas_panel.n2o.valve", "heater.zone2.mode", "heater.zone2.temperature_c")
    table = await anyio.to_thread.run_sync(rows, daemon.data, number, tags)
    held = [row for row in table if at["HOLDING"] <= row[0] < at["RESTARTING"]]
    assert len(held) >= 2
    assert {row[2:5] for row in held} == {(0, 0, 2)}
    assert all(abs(row[5] - IDLE_C) < 10 for row in held)
    assert any(row[2] == 1 for row in table if row[0] < at["HOLDING"])
    assert any(row[2] == 1 for row in table if row[0] > at["RESTARTING"])


async def test_one_run_at_a_time_the_second_waits_and_starts_after_the_first(daemon: Daemon) -> None:
    async with daemon.client("olga") as operator:
        first, first_number = await created(daemon, operator, "First", deposition_s=120)
        second, second_number = await created(daemon, operator, "Second", deposition_s=5)
        assert first_number != second_number
        await operator.call("Runs", "StartRun", first)
        refused = await refusal(operator, "Runs", "StartRun", second)
        assert refused.status == "BadInvalidState"
        assert first_number in refused.reason
        assert "one run at a time" in refused.reason
        waiting = json.loads(await operator.call("Runs", "GetRun", second))
        assert waiting["status"] == "QUEUED"
        assert (await refusal(operator, "Runs", "StopRun", second)).status == "BadNotFound"
        assert (await refusal(operator, "Runs", "RestartRun", first)).status == "BadInvalidState"

        await until(operator, SILANE_FLOW, lambda flow: flow > 60)
        await operator.call("Runs", "StopRun", first)
        stopped = await ended(operator, first)
        assert stopped["status"] == "STOPPED"
        assert await operator.read(SILANE_VALVE) == 0
        assert (await refusal(operator, "Runs", "StopRun", first)).reason
        assert (await refusal(operator, "Runs", "StartRun", first)).status == "BadInvalidState"

        await operator.call("Runs", "StartRun", second)
        assert (await ended(operator, second))["status"] == "COMPLETE"
        listed = [run["run_number"] for run in json.loads(await operator.call("Runs", "ListRuns", "", 0, 9))]
        assert [number for number in listed if number.startswith("CVD")][:2] == [second_number, first_number]
        assert listed[1:4] == [
            run["run_number"] for run in json.loads(await operator.call("Runs", "ListRuns", "", 1, 3))
        ]
        complete = json.loads(await operator.call("Runs", "ListRuns", "COMPLETE", 0, 0))
        assert second_number in {run["run_number"] for run in complete}
        assert first_number not in {run["run_number"] for run in complete}
        nothing = await refusal(operator, "Runs", "GetResults", first)
        assert nothing.status == "BadNoData"


async def test_an_aborted_run_is_safe_and_says_who_and_why(daemon: Daemon) -> None:
    async with daemon.client("olga") as operator, daemon.client("otto") as observer:
        run_id, _ = await created(daemon, operator, "Aborted", deposition_s=300)
        await operator.call("Runs", "StartRun", run_id)
        await until(operator, SILANE_FLOW, lambda flow: flow > 60)
        denied = await refusal(observer, "Runs", "AbortRun", run_id)
        assert denied.status == "BadUserAccessDenied"
        # Nobody needs a role to make the tool safe.
        await observer.call("State", "SafeShutdown")
        await until(operator, SILANE_VALVE, lambda valve: valve == 0, within_s=5)
        run = await ended(operator, run_id)
        assert run["status"] == "ABORTED"
        assert await operator.read("State/Armed") is False or await operator.read(SILANE_VALVE) == 0
        assert await operator.read(STATE) == "ABORTED"


async def test_telemetry_comes_in_pages_and_windows_hot_and_rolled_alike(daemon: Daemon) -> None:
    async with daemon.client("olga") as operator:
        run_id, number = await created(daemon, operator, "Telemetry", deposition_s=60)
        waiting = await refusal(operator, "Runs", "GetTelemetry", run_id, BEGIN, BEGIN, 10)
        assert "not begun" in waiting.reason
        await operator.call("Runs", "StartRun", run_id)
        hot: dict[str, Any] = {}
        with anyio.fail_after(60):
            while hot.get("count", 0) < 50:
                hot = json.loads(await operator.call("Runs", "GetTelemetry", run_id, BEGIN, BEGIN, 50))
                await anyio.sleep(0.1)
        assert (await ended(operator, run_id))["status"] == "COMPLETE"
        await rolled(daemon.data, number)

        first = json.loads(await operator.call("Runs", "GetTelemetry", run_id, BEGIN, BEGIN, 50))
        assert first["telemetry"] == hot["telemetry"], "the roll changes nothing that was told before"
        assert first["complete"] is False
        row = first["telemetry"][0]
        assert set(row["gas_flows_sccm"]) == {"SiH4", "N2O", "N2"}
        assert set(row["temperature_zones_c"]) == {"zone1", "zone2", "zone3", "boat"}

        pages, start = [], BEGIN
        while True:
            page = json.loads(await operator.call("Runs", "GetTelemetry", run_id, start, BEGIN, 1000))
            pages += [row for row in page["telemetry"] if not pages or row["ts"] > pages[-1]["ts"]]
            if page["complete"]:
                break
            start = datetime.fromisoformat(pages[-1]["ts"]).astimezone(UTC).replace(tzinfo=None)
        moments = [row["ts"] for row in pages]
        assert moments == sorted(set(moments))
        assert len(pages) == pytest.approx(10 * 285, rel=0.1), "ten rows a second of the tool's time"

        middle = datetime.fromisoformat(moments[len(moments) // 2]).astimezone(UTC).replace(tzinfo=None)
        window = json.loads(
            await operator.call("Runs", "GetTelemetry", run_id, middle, middle + timedelta(seconds=10), 1000)
        )["telemetry"]
        assert 95 <= len(window) <= 102
        assert window[0]["ts"] >= moments[len(moments) // 2]
        none = await operator.call("Runs", "GetTelemetry", run_id, datetime(2001, 1, 1), datetime(2001, 1, 2), 10)  # noqa: DTZ001
        assert json.loads(none)["telemetry"] == []
        assert (await refusal(operator, "Runs", "GetTelemetry", "no run", BEGIN, BEGIN, 1)).status == "BadNotFound"


async def test_a_simulation_needs_no_tool_and_ends_with_results(daemon: Daemon) -> None:
    async with daemon.client("olga") as operator:
        recipe_id, version = await approved(daemon, quick_recipe("Simulated"))
        run_id = await operator.call("Runs", "Simulate", recipe_id, version)
        run = await ended(operator, run_id)
        assert run["status"] == "COMPLETE"
        assert re.fullmatch(r"SIM-\d{8}-\d{6}(-\d+)?", run["run_number"])
        results = json.loads(await operator.call("Runs", "GetResults", run_id))
        assert results["thickness_mean_nm"] > 0
        assert (await refusal(operator, "Runs", "StartRun", run_id)).status == "BadInvalidState"
