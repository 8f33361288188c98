"""What people ask for is judged by the controller itself, carried out, recorded, and answered once."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from config.tool import Role
from supervisor.controller.arguments import ARGUMENTS
from supervisor.controller.permissions import IMMEDIATE, PERMISSIONS, PROTECTIVE
from supervisor.link.messages import CommandKind, EventKind
from tests.supervisor.controller.stand import PEOPLE, running, tool_text

VALVE = "panel.sih4.valve"
anyio_test = pytest.mark.anyio


def test_every_command_has_arguments_and_a_permission() -> None:
    assert set(ARGUMENTS) == set(PERMISSIONS) == set(CommandKind)
    assert IMMEDIATE < PROTECTIVE


def test_an_observer_may_do_nothing_but_make_the_tool_safe() -> None:
    allowed = {kind for kind, roles in PERMISSIONS.items() if Role.OBSERVER in roles}
    assert allowed == {CommandKind.SAFE_SHUTDOWN, CommandKind.RELEASE_CONTROL}, "and give back what is theirs alone"


@anyio_test
async def test_a_command_without_the_role_is_refused_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        reply = await stand.start("otto")
        assert reply.status == "BadUserAccessDenied"
        assert "needs the role engineer or maintenance or operator; present are: observer" in reply.reason
        record = await stand.hear(EventKind.COMMAND, kind="start_operation")
        assert record.data["status"] == "BadUserAccessDenied"
        assert record.data["principal"]["user"] == "otto"
        assert stand.run_state == "IDLE"


@anyio_test
async def test_a_repeated_command_is_answered_and_not_carried_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = uuid4()
    args = {"name": "soak", "run_id": "r", "run_number": "CVD-20260101-000000"}
    async with running(tmp_path, monkeypatch) as stand:
        first = await stand.command("olga", CommandKind.START_OPERATION, number, **args)
        stand._replies.clear()
        again = await stand.command("olga", CommandKind.START_OPERATION, number, **args)
        assert first == again
        assert first.status == "Good"
        await stand.hear(EventKind.STEP)
        assert len(stand.told(EventKind.RUN_STARTED)) == 1
    # Also by the controller's successor, which knows it from the journal.
    async with running(tmp_path, monkeypatch) as stand:
        assert await stand.command("olga", CommandKind.START_OPERATION, number, **args) == first
        assert stand.run_state == "IDLE"


@anyio_test
async def test_a_reply_is_given_when_its_record_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.done("olga", CommandKind.ARM)
        kinds = [event.data["kind"] for event in await stand.recorded() if event.kind is EventKind.COMMAND]
        assert kinds == ["arm"]


@pytest.mark.parametrize(
    ("kind", "args", "reason"),
    [
        (CommandKind.WRITE, {"tag": "a", "value": float("nan")}, "value"),
        (CommandKind.WRITE, {"tag": "a"}, "value: Field required"),
        (CommandKind.WRITE, {"tag": "a", "value": "5"}, "value"),
        (CommandKind.PAUSE, {"run": "r"}, "run: Extra inputs"),
        (CommandKind.START_OPERATION, {"name": "soak", "run_id": "r", "run_number": "../../etc"}, "run_number"),
        (CommandKind.SET_MODE, {"mode": "Turbo"}, "mode"),
        (CommandKind.SET_MODE, {"mode": "Processing"}, "follows by itself"),
        (CommandKind.BYPASS, {"name": "pump_lost", "reason": "", "duration_s": -1, "requested_by": "x"}, "reason"),
    ],
)
@anyio_test
async def test_malformed_arguments_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: CommandKind, args: dict[str, Any], reason: str
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        reply = await stand.command("erik", kind, **args)
        assert reply.status == "BadInvalidArgument"
        assert reason in reply.reason


@anyio_test
async def test_a_set_point_is_moved_by_whoever_has_its_role_within_its_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = "chamber.pressure_setpoint_torr"
    async with running(tmp_path, monkeypatch) as stand:
        await stand.done("erik", CommandKind.WRITE, tag=tag, value=5.0)
        assert stand.value(tag) == 5.0
        refused = {
            "olga": "needs the role engineer",
            "erik": "outside of its limits 0 … 100 Torr",
        }
        for who, reason in refused.items():
            reply = await stand.command(who, CommandKind.WRITE, tag=tag, value=500.0)
            assert reason in reply.reason
        reply = await stand.command("erik", CommandKind.WRITE, tag="chamber.pressure_torr", value=1.0)
        assert reply.status == "BadNotWritable"
        reply = await stand.command("erik", CommandKind.WRITE, tag="chamber.presure", value=1.0)
        assert reply.status == "BadNotFound"
        assert stand.value(tag) == 5.0


@anyio_test
async def test_a_hazardous_output_is_not_moved_before_the_tool_is_armed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        reply = await stand.command("mara", CommandKind.WRITE, tag=VALVE, value=1.0)
        assert reply.status == "BadInvalidState"
        assert "the tool is not armed" in reply.reason
        await stand.done("mara", CommandKind.ARM)
        await stand.done("mara", CommandKind.WRITE, tag=VALVE, value=1.0)
        await stand.until(lambda: stand.value(VALVE) == 1.0)
        await stand.done("mara", CommandKind.DISARM)
        await stand.until(lambda: stand.value(VALVE) == 0.0)


@anyio_test
async def test_a_refusal_names_interlock_cause_and_present_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        stand.post(pressure_torr=150.0)
        await stand.hear(EventKind.CONDITION, name="over_pressure", active=True)
        reply = await stand.start()
        assert reply.status == "BadInvalidState"
        for word in (
            "trip over_pressure, first out",
            "chamber.pressure_torr > 100 Torr",
            "chamber.pressure_torr = 150 Torr",
            "Find out why the pump did not keep up",
        ):
            assert word in reply.reason
        reset = await stand.command("olga", CommandKind.RESET_INTERLOCK, name="over_pressure")
        assert "its cause is present" in reset.reason
        stand.post(pressure_torr=1.0)
        await stand.hear(EventKind.CONDITION, name="over_pressure", active=False, latched=True)
        reply = await stand.command("olga", CommandKind.ARM)
        assert "it is latched: reset it" in reply.reason
        await stand.done("olga", CommandKind.RESET_INTERLOCK, name="over_pressure")
        await stand.done("olga", CommandKind.ARM)


@anyio_test
async def test_a_bad_value_is_named_as_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        stand.post(0x80310000, pressure_torr=0.1)
        await stand.hear(EventKind.CONDITION, name="over_pressure", active=True, unknown=True)
        reply = await stand.command("olga", CommandKind.ARM)
        assert "its cause cannot be excluded" in reply.reason
        assert "chamber.pressure_torr = 0.1 Torr (BadNoCommunication)" in reply.reason


@anyio_test
async def test_the_chain_leads_from_an_output_to_the_values_behind_it_one_link_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        stand.post(pressure_torr=150.0)
        await stand.hear(EventKind.CONDITION, name="over_pressure", active=True)
        told = await stand.ask("why", target=VALVE)
        assert told["held"]
        assert told["chain"] == [
            f"{VALVE} = shut",
            "  ← held at 0",
            "    ← trip over_pressure, first out",
            "      ← its cause is present: chamber.pressure_torr > 100 Torr [chamber.pressure_torr = 150 Torr]",
            "  ← the tool is not armed: hazardous outputs stay at their safe values until it is",
            "      ← trip over_pressure, first out",
            "        ← its cause is present: chamber.pressure_torr > 100 Torr [chamber.pressure_torr = 150 Torr]",
        ]
        for target in ("start", "arm", "over_pressure"):
            told = await stand.ask("why", target=target)
            assert told["held"]
            assert any("chamber.pressure_torr = 150 Torr" in line for line in told["chain"])
        stand.post(pressure_torr=1.0)
        await stand.hear(EventKind.CONDITION, name="over_pressure", active=False, latched=True)
        assert "it is latched: reset it" in (await stand.ask("why", target="over_pressure"))["chain"][1]


@anyio_test
async def test_a_bypass_needs_two_people_and_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"name": "pump_lost", "reason": "pump exchange", "duration_s": 0.2, "requested_by": "erik"}
    async with running(tmp_path, monkeypatch) as stand:
        alone = await stand.command("erik", CommandKind.BYPASS, **asked)
        assert "another person must confirm" in alone.reason
        long = await stand.command("mara", CommandKind.BYPASS, **{**asked, "duration_s": 601.0})
        assert "600 s at most" in long.reason
        never = await stand.command("mara", CommandKind.BYPASS, **{**asked, "name": "over_pressure"})
        assert (never.status, never.reason) == ("BadNotSupported", "over_pressure may never be bypassed")
        await stand.done("mara", CommandKind.BYPASS, **asked)
        await stand.hear(EventKind.CONDITION, name="pump_lost", bypassed=True)
        await stand.hear(EventKind.BYPASS_EXPIRED, name="pump_lost")
        await stand.hear(EventKind.CONDITION, name="pump_lost", bypassed=False)


SECOND = """
[[interlocks]]
name = "wall_hot"
class = "hold"
description = "The wall is hot"
when = "chamber.wall_c > 100 °C"
latch = false
bypassable = true
max_bypass_s = 60
priority = "low"
consequence = "The seal ages"
action = "Wait"
"""


@anyio_test
async def test_no_more_interlocks_are_bypassed_at_the_same_time_than_the_tool_permits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"reason": "pump exchange", "duration_s": 30.0, "requested_by": "erik"}
    async with running(tmp_path, monkeypatch, text=tool_text() + SECOND) as stand:
        await stand.done("mara", CommandKind.BYPASS, name="pump_lost", **asked)
        await stand.hear(EventKind.CONDITION, name="pump_lost", bypassed=True)
        second = await stand.command("mara", CommandKind.BYPASS, name="wall_hot", **asked)
        assert second.status == "BadInvalidState"
        assert second.reason == "pump_lost is bypassed: no more than 1 at the same time"
        await stand.done("mara", CommandKind.BYPASS, name="pump_lost", **asked)  # the same one again is no second one
        await stand.done("olga", CommandKind.REMOVE_BYPASS, name="pump_lost")
        await stand.hear(EventKind.CONDITION, name="pump_lost", bypassed=False)
        await stand.done("mara", CommandKind.BYPASS, name="wall_hot", **asked)


@anyio_test
async def test_a_force_never_goes_around_an_interlock_that_may_not_be_bypassed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"reason": "gauge exchange", "duration_s": 0.2}
    async with running(tmp_path, monkeypatch) as stand:
        early = await stand.command("mara", CommandKind.FORCE, tag="chamber.wall_c", value=20.0, **asked)
        assert "in mode Maintenance only" in early.reason
        await stand.done("mara", CommandKind.SET_MODE, mode="Maintenance")
        await stand.hear(EventKind.MODE, mode="Maintenance")
        read = await stand.command("mara", CommandKind.FORCE, tag="chamber.pressure_torr", value=1.0, **asked)
        assert "read by the interlock over_pressure, which may never be bypassed" in read.reason
        alone = await stand.command("mara", CommandKind.FORCE, tag="vacuum.pump.running", value=0.0, **asked)
        assert alone.status == "BadUserAccessDenied"
        assert "read by the interlock pump_lost: it is forced by two people" in alone.reason
        himself = {"tag": "vacuum.pump.running", "value": 0.0, "requested_by": "mara", **asked}
        both = await stand.command("mara", CommandKind.FORCE, **himself)
        assert (both.status, both.reason) == (
            "BadUserAccessDenied", "mara asked for this force: another person must confirm it"
        )  # fmt: skip
        long = await stand.command(
            "mara", CommandKind.FORCE, tag="vacuum.pump.running", value=1.0, reason="test", duration_s=601.0,
            requested_by="erik",
        )  # fmt: skip
        assert "600 s at most" in long.reason
        await stand.done("mara", CommandKind.FORCE, tag="vacuum.pump.running", value=0.0, requested_by="erik", **asked)
        await stand.until(lambda: stand.value("vacuum.pump.running") == 0.0)
        await stand.hear(EventKind.FORCE_EXPIRED, tag="vacuum.pump.running")
        await stand.until(lambda: stand.value("vacuum.pump.running") == 1.0)


@anyio_test
async def test_leaving_maintenance_takes_every_force_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.done("mara", CommandKind.SET_MODE, mode="Maintenance")
        await stand.hear(EventKind.MODE, mode="Maintenance")
        await stand.done(
            "mara", CommandKind.FORCE, tag="chamber.wall_c", value=80.0, reason="gauge exchange", duration_s=60.0
        )
        await stand.until(lambda: stand.value("chamber.wall_c") == 80.0)
        assert [force["tag"] for force in (await stand.ask("status"))["forces"]] == ["chamber.wall_c"]
        await stand.done("olga", CommandKind.SET_MODE, mode="Ready")
        await stand.until(lambda: stand.value("chamber.wall_c") == 25.0)
        await stand.hear(EventKind.MODE, mode="Ready")


@anyio_test
async def test_why_not_can_be_asked_without_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        may = await stand.ask("why", command="start_operation", user="olga", roles=["operator"])
        assert may == {"allowed": True, "status": "Good", "reasons": []}
        may = await stand.ask("why", command="start_run", user="otto", roles=["observer"])
        assert not may["allowed"]
        held = await stand.ask("why", output=VALVE)
        assert held["held"]
        assert held["value"] == f"{VALVE} = shut"
        stand.post(pressure_torr=150.0)
        await stand.hear(EventKind.CONDITION, name="over_pressure", active=True)
        (by, _) = (await stand.ask("why", output=VALVE))["reasons"]
        assert by.startswith("held at 0 by trip over_pressure")
        for command, word in (("arm", "over_pressure"), ("pause", "must be one of RUNNING")):
            answer = await stand.ask("why", command=command, user="erik", roles=["engineer"])
            assert word in answer["reasons"][0]
        checks = await stand.ask("check_interlocks")
        assert not checks["all_clear"]
        (row,) = [row for row in checks["conditions"] if row["name"] == "over_pressure"]
        assert row["in_force"]
        assert row["trips"] == 1
        assert not stand.told(EventKind.COMMAND), "questions are not recorded"


@anyio_test
async def test_the_principal_of_every_command_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        for who in ("olga", "erik", "mara"):
            await stand.done(who, CommandKind.ARM)
        await stand.until(lambda: len(stand.told(EventKind.COMMAND)) == 3)
        assert [e.data["principal"] for e in stand.told(EventKind.COMMAND)] == [
            PEOPLE[who].model_dump(mode="json") for who in ("olga", "erik", "mara")
        ]
