"""Proof tests: an interlock is shown to work, in Maintenance with the tool safe, and what was found is kept."""

import shutil
from pathlib import Path
from typing import Any

import anyio
import pytest

from config.faults import ConfigError
from config.loading import load_model
from config.text import Syntax
from config.tool import Tool
from supervisor.controller.crew import injection
from supervisor.link.messages import CommandKind, EventKind, Reply
from tests.config.minimal_tool import change, minimal_data, tool_of
from tests.supervisor.controller.stand import Stand, running, tool_text

anyio_test = pytest.mark.anyio
PRESSURE = "chamber.pressure_torr"
TRIP = 'description = "The tube must stay below atmosphere"'
HOLD = 'description = "The pump must run while gas flows"'
START, RECORD = CommandKind.START_PROOF_TEST, CommandKind.RECORD_PROOF_TEST
FOUND = {"as_found": "gauge as calibrated", "as_left": "gauge back in place"}


def tool(*, to: float = 120.0, over_s: float = 0.4, days: float = 365, only: bool = True) -> str:
    """The smallest tool; its trip is tested by forcing the gauge, its hold is witnessed at the pump."""
    inject = f'inject = {{ tag = "{PRESSURE}", from = 1, to = {to}, over_s = {over_s} }}'
    trip = f'proof_test = {{ every_days = {days}, procedure = "Raise the pressure at the gauge", {inject} }}'
    hold = 'proof_test = { every_days = 90, procedure = "Stop the pump at its breaker" }'
    text = tool_text().replace(TRIP, f"{TRIP}\n{trip}")
    return text if only else text.replace(HOLD, f"{HOLD}\n{hold}")


async def maintained(stand: Stand) -> None:
    await stand.clear("mara")
    await stand.done("mara", CommandKind.SET_MODE, mode="Maintenance")
    await stand.hear(EventKind.MODE, mode="Maintenance")


async def begun(stand: Stand, name: str = "over_pressure", method: str = "inject") -> str:
    reply = await stand.command("mara", START, name=name, method=method)
    assert (reply.status, reply.reason) == ("Good", "")
    return str(reply.result["test_id"])


async def recorded(stand: Stand, who: str, test_id: str, name: str = "over_pressure", **args: Any) -> Reply:
    return await stand.command(who, RECORD, name=name, test_id=test_id, **{"passed": True, **FOUND, **args})


def told(stand: Stand, stage: str) -> list[dict[str, Any]]:
    return [event.data for event in stand.told(EventKind.PROOF_TEST, stage=stage)]


async def row(stand: Stand, name: str = "over_pressure") -> dict[str, Any]:
    (found,) = [one for one in (await stand.ask("care"))["proof_tests"] if one["name"] == name]
    return found


@anyio_test
async def test_a_forced_gauge_shows_the_trip_its_value_and_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, text=tool()) as stand:
        await maintained(stand)
        assert (await row(stand))["state"] == "ok"
        test_id = await begun(stand)
        assert (await row(stand))["state"] == "under way"
        await stand.hear(EventKind.PROOF_TEST, stage="measured")
        (found,) = told(stand, "measured")
        assert (found["tripped"], found["failure"]) == (True, "")
        assert 100.0 < found["trip_value"] < 110.0, "the limit of 100 Torr, met on a line of 119 Torr"
        assert found["scans"] in {0, 1}
        assert (found["allowed_scans"], found["unit"]) == (1, "Torr")
        await stand.until(lambda: stand.value(PRESSURE) == 0.1)
        assert (await stand.ask("status"))["forces"] == [], "the force is gone as soon as it has shown enough"

        early = await recorded(stand, "erik", test_id)
        assert early.status == "BadInvalidState"
        assert "reset it, then record" in early.reason
        await stand.clear("mara")
        assert (await recorded(stand, "erik", "another")).status == "BadNotFound"
        done = await recorded(stand, "erik", test_id, comment="no drift", signature={"user": "erik"})
        assert done.status == "Good"
        (kept,) = told(stand, "recorded")
        assert (kept["user"], kept["witness"], kept["passed"]) == ("mara", "erik", True)
        assert (kept["as_found"], kept["as_left"]) == (FOUND["as_found"], FOUND["as_left"])
        assert kept["measured"]["trip_value"] == found["trip_value"]
        assert kept["signature"] == {"user": "erik"}
        assert (await row(stand))["days_left"] == pytest.approx(365, abs=0.01)
        await stand.done("mara", CommandKind.ARM)


@anyio_test
async def test_a_proof_test_is_refused_where_somebody_could_come_to_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, text=tool(only=False)) as stand:
        await stand.clear("mara")

        async def why(name: str = "over_pressure", who: str = "mara", method: str = "inject") -> str:
            reply = await stand.command(who, START, name=name, method=method)
            assert reply.status != "Good"
            return reply.reason

        assert "must be in mode Maintenance" in await why()
        assert "needs the role" in await why(who="olga")
        await stand.done("mara", CommandKind.ARM)
        await stand.hear(EventKind.MODE, mode="Ready")
        assert "the tool is armed" in await why()
        await stand.started()
        assert "a run is RUNNING" in await why()
        await stand.done("olga", CommandKind.STOP_OPERATION)
        await stand.hear(EventKind.MODE, previous="Processing")
        await maintained(stand)
        assert "declares no input" in await why("pump_lost")
        assert "there is no interlock" in await why("nothing")
        stand.post(pressure_torr=150.0)
        await stand.hear(EventKind.CONDITION, name="over_pressure", active=True)
        assert "has its cause or is latched" in await why()
        stand.post(pressure_torr=0.1)
        await stand.clear("mara")
        bypass = {"name": "pump_lost", "reason": "pump exchange", "duration_s": 30.0, "requested_by": "erik"}
        await stand.done("mara", CommandKind.BYPASS, **bypass)
        assert "pump_lost is bypassed" in await why("pump_lost", method="witness")
        await stand.done("mara", CommandKind.REMOVE_BYPASS, name="pump_lost")
        force = {"tag": "chamber.wall_c", "value": 30.0, "reason": "a gauge is out", "duration_s": 60.0}
        await stand.done("mara", CommandKind.FORCE, **force)
        assert "forced: chamber.wall_c" in await why()
        await stand.done("mara", CommandKind.UNFORCE, tag="chamber.wall_c")

        test_id = await begun(stand, "pump_lost", "witness")
        assert "a proof test of pump_lost by mara is under way" in await why()
        attempts: dict[CommandKind, dict[str, Any]] = {
            CommandKind.ARM: {},
            CommandKind.FORCE: force,
            CommandKind.BYPASS: bypass,
            CommandKind.SET_MODE: {"mode": "Ready"},
        }
        for kind, args in attempts.items():
            refused = await stand.command("mara", kind, **args)
            assert "a proof test of pump_lost by mara is under way" in refused.reason, kind
        assert "under way" in (await stand.start("olga", run_id="run-2")).reason, "an operation would arm the tool"
        chain = (await stand.ask("why", target="arm"))["chain"]
        assert chain == ["arm", "  ← a proof test of pump_lost by mara is under way: record or abort it"]
        blind = await recorded(stand, "erik", test_id, "pump_lost")
        assert "with the trip value that was read" in blind.reason
        assert (await recorded(stand, "erik", test_id, "pump_lost", trip_value=0.0, response_s=0.6)).status == "Good"
        await stand.done("mara", CommandKind.ARM)


@anyio_test
async def test_a_failed_test_keeps_the_tool_from_being_armed_until_it_is_repeated_or_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(injection, "GRACE_SCANS", 3)
    text = tool(to=90.0, over_s=0.05)  # the line ends before the limit: the interlock "does not trip"
    async with running(tmp_path, monkeypatch, text=text) as stand:
        await maintained(stand)
        test_id = await begun(stand)
        await stand.hear(EventKind.PROOF_TEST, stage="measured")
        assert "did not trip" in told(stand, "measured")[0]["failure"]
        lie = await recorded(stand, "erik", test_id)
        assert (lie.status, lie.reason.startswith("over_pressure was not passed")) == ("BadInvalidState", True)
        await stand.done("mara", CommandKind.ABORT_PROOF_TEST, name="over_pressure", reason="try it another day")
        locked = await stand.command("mara", CommandKind.ARM)
        assert "the last proof test of over_pressure failed (it did not trip" in locked.reason, (
            "aborting undoes nothing"
        )
        assert (await row(stand))["state"] == "failed"
        assert stand.told(EventKind.PROOF_DUE)[-1].data["failed"] == ["over_pressure"]
    async with running(tmp_path, monkeypatch, text=text) as stand:
        await stand.clear("mara")
        assert "failed" in (await stand.command("mara", CommandKind.ARM)).reason, "a restart undoes nothing either"
        release: dict[str, Any] = {"name": "over_pressure", "reason": "gauge exchanged, repeated tomorrow"}
        assert (
            "needs the role engineer" in (await stand.command("mara", CommandKind.RELEASE_PROOF_TEST, **release)).reason
        )
        await stand.done("erik", CommandKind.RELEASE_PROOF_TEST, **release)
        assert told(stand, "released")[0]["reason"] == release["reason"]
        await stand.done("mara", CommandKind.ARM)
        assert (await stand.command("erik", CommandKind.RELEASE_PROOF_TEST, **release)).status == "BadInvalidState"


@anyio_test
async def test_a_force_that_ends_by_itself_or_by_hand_ends_the_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = injection.longest_s
    monkeypatch.setattr(injection, "longest_s", lambda *_: 0.1)
    async with running(tmp_path, monkeypatch, text=tool(over_s=30.0)) as stand:
        await maintained(stand)
        test_id = await begun(stand)
        await stand.hear(EventKind.FORCE_EXPIRED, tag=PRESSURE)
        await stand.hear(EventKind.PROOF_TEST, stage="aborted")
        assert "came to its end" in told(stand, "aborted")[0]["reason"]
        await stand.until(lambda: stand.value(PRESSURE) == 0.1)
        assert (await recorded(stand, "erik", test_id)).status == "BadNotFound"
        monkeypatch.setattr(injection, "longest_s", usual)
        await begun(stand)
        await stand.until(lambda: stand.value(PRESSURE) >= 1.0)
        await stand.done("olga", CommandKind.UNFORCE, tag=PRESSURE)
        await stand.until(lambda: len(told(stand, "aborted")) == 2)
        await begun(stand)
        await stand.until(lambda: stand.value(PRESSURE) >= 1.0)
        await stand.done("otto", CommandKind.SAFE_SHUTDOWN)
        await stand.until(lambda: stand.value(PRESSURE) == 0.1)
        await stand.until(lambda: len(told(stand, "aborted")) == 3)
        assert told(stand, "aborted")[2]["reason"] == "the tool is made safe"
        assert not (await stand.ask("care"))["proof_tests"][0]["failure"], "what was broken off has shown nothing"


@anyio_test
async def test_after_a_crash_in_the_middle_there_is_no_force_and_the_test_is_told_as_aborted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = tmp_path.with_name(f"{tmp_path.name}-cut")
    async with running(tmp_path, monkeypatch, text=tool(over_s=30.0)) as stand:
        await maintained(stand)
        test_id = await begun(stand)
        await stand.until(lambda: stand.value(PRESSURE) >= 1.0)
        # What a power cut leaves: the disk as it is at this moment.
        await anyio.to_thread.run_sync(lambda: shutil.copytree(tmp_path, cut))
    async with running(cut, monkeypatch, text=tool(over_s=30.0)) as stand:
        await stand.hear(EventKind.PROOF_TEST, stage="aborted", test_id=test_id, reason="controller restarted")
        assert (stand.value(PRESSURE), (await stand.ask("status"))["forces"]) == (0.1, [])
        await stand.clear("mara")
        await stand.done("mara", CommandKind.ARM)


@anyio_test
async def test_what_is_due_is_told_once_and_stands_on_the_list_of_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, text=tool(days=1e-6)) as stand:
        await stand.hear(EventKind.PROOF_DUE, overdue=["over_pressure"])
        assert "proof test of over_pressure" in (await stand.ask("status"))["care"]["due"]


@pytest.mark.parametrize(
    ("inject", "path", "reason"),
    [
        ({"tag": "chamber.wall_c", "from": 0, "to": 9}, "tag", "forcing it proves nothing"),
        ({"tag": "panel.sih4.valve", "from": 0, "to": 1}, "tag", "must be an input"),
        ({"tag": "no.such", "from": 0, "to": 1}, "tag", "unknown tag"),
        ({"tag": PRESSURE, "from": 0, "to": 1e9}, "to", "is outside the range"),
        ({"tag": PRESSURE, "from": 1, "to": 1}, "", "moves nothing"),
        ({"tag": PRESSURE, "from": 1, "to": 2, "over_s": 0}, "", "must be above 0"),
    ],
)
def test_an_injection_that_proves_nothing_is_refused_at_load(inject: dict[str, Any], path: str, reason: str) -> None:
    data = minimal_data()
    change(data, "interlocks[0].proof_test", {"every_days": 30, "procedure": "p", "inject": inject})
    with pytest.raises(ConfigError) as caught:
        tool_of(data)
    at = "interlocks[0].proof_test.inject" + (f".{path}" if path else "")
    assert any(fault.path == at and reason in fault.reason for fault in caught.value.faults), caught.value.faults


def test_the_declaration_reads_as_it_stands_in_a_file() -> None:
    declared = load_model(tool(only=False), Tool, syntax=Syntax.TOML).interlocks
    assert declared[0].proof_test is not None
    assert declared[0].proof_test.inject is not None
    assert declared[0].proof_test.inject.begin == 1
