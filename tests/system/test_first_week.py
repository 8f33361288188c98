"""A crew's first week on both simulated tools, through OPC UA: what they do, and what they are told in between."""

import json
import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

import config
from opcua_model.client import ToolClient
from tests.system.calibrating import calibrated
from tests.system.daemon import Daemon, approved, cvd, ended, refusal, running, until

pytestmark = pytest.mark.anyio
FULL = os.environ.get("CVD_FIRST_WEEK") == "full"
"""`make first-week`: the furnace's hours as well. Else its film and its season are left to the tests of the plant."""
TOOLS = {
    "lpcvd_furnace": (
        "lpcvd_sio2_100nm",
        400.0 if FULL else 690.0,
        100.0,
        "heater/zone2.temperature_c",
        "wafers_present",
    ),
    "pecvd_showerhead": ("pecvd_si3n4_50nm", 25.0, 50.0, "heater/zone1.temperature_c", "wafer_in"),
}
LOCKED = config.shipped_tool("uhvcvd_sige")
"""A tool with a load lock."""
SPEED = 600
DRILL_SPEED = 40
"""Slow enough for a fault to strike while an operation of minutes runs."""


def cold_tool(name: str, folder: Path) -> Path:
    """The shipped tool as it is after a holiday: cold."""
    text = config.shipped_tool(name).read_text(encoding="utf-8")
    path = folder / f"{name}.toml"
    path.write_text(f"{text}\n[plant.parameters]\nidle_c = {TOOLS[name][1]}\n", encoding="utf-8")
    return path


class Crew:
    """The people of a shift and their tool."""

    def __init__(self, daemon: Daemon, operator: ToolClient, mechanic: ToolClient) -> None:
        self.daemon, self.operator, self.mechanic = daemon, operator, mechanic

    async def last(self) -> dict[str, Any]:
        return json.loads(await self.operator.call("Runs", "ListRuns", "", 0, 1))[0]

    async def start(self, name: str) -> str:
        await self.operator.call("Services", "Start", name)
        return str((await self.last())["run_id"])

    async def do(self, name: str, state: str = "COMPLETE") -> dict[str, Any]:
        """Run a service operation to its end."""
        run = await ended(self.operator, await self.start(name))
        assert run["status"] == state, (name, run["status"], run.get("error_message"), self.daemon.tail(2000))
        return run["postflight_summary"]["findings"]

    async def refused(self, name: str) -> str:
        """A service that may not start now: one line that says why."""
        reason = (await refusal(self.operator, "Services", "Start", name)).reason
        assert "\n" not in reason
        return reason

    async def strike(self, **fault: Any) -> None:
        """Something fails, or is well again."""
        async with await anyio.open_file(self.daemon.data / "drill.jsonl", "a") as file:
            await file.write(json.dumps(fault) + "\n")

    async def step(self, name: str) -> None:
        await until(self.operator, "Services/StepName", lambda step: step == name, within_s=120)

    async def value(self, path: str) -> Any:
        return await self.operator.read(f"Equipment/{path}")

    async def reset(self, name: str) -> None:
        await until(self.operator, f"Interlocks/{name}/Active", lambda active: active is False)
        await self.operator.call(f"Interlocks/{name}", "Reset")


@asynccontextmanager
async def crew(name: str, folder: Path, speed: int = SPEED) -> AsyncGenerator[Crew]:
    tool = await anyio.to_thread.run_sync(cold_tool, name, folder)
    async with (
        running(folder / "data", tool=tool, speed=speed) as daemon,
        daemon.client("olga") as operator,
        daemon.client("mia") as mechanic,
    ):
        await until(operator, "State/Mode", lambda mode: mode != "Init")
        made = Crew(daemon, operator, mechanic)
        # A controller that has never ended in order makes the tool safe first.
        await until(operator, "Services/State", lambda state: state != "ABORTING")
        yield made


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", TOOLS)
async def test_a_crews_first_week(name: str, tmp_path: Path) -> None:
    """Cold start to a run, a clean or season, a bottle change, a power event and a vent, each refusal in one line."""
    recipe, _, thickness_nm, temperature, present = TOOLS[name]
    full = FULL or name == "pecvd_showerhead"
    document = await anyio.Path(await anyio.to_thread.run_sync(config.shipped_recipe, recipe)).read_text("utf-8")
    asking = re.sub(r"^\s*\{", '{"requires": [{"operation": "leak_check", "within_h": 24}],', document, count=1)
    async with crew(name, tmp_path) as here:
        operator, mechanic = here.operator, here.mechanic
        # Monday: it is cold, and nobody has looked for leaks.
        assert await here.value(temperature) < TOOLS[name][1] + 60.0
        recipe_id, version = await approved(here.daemon, asking)
        first, _ = await operator.call("Runs", "CreateRun", recipe_id, version, "S1", "W1", "{}")
        told = (await refusal(operator, "Runs", "StartRun", first)).reason
        assert "Leak check (leak_check) must have been completed within 24 h: it has not been completed" in told
        assert "is not at atmosphere: run vent first" in await here.refused("load")
        pumped = await here.do("pump_down")
        assert pumped["base_pressure"]["value"] < 0.005
        await here.do("warm_up")
        checked = await here.do("leak_check")
        assert checked["leak_rate"]["passed"] is True
        assert checked["leak_rate"]["value"] < checked["leak_rate"]["below"] == 5.0
        if name == "lpcvd_furnace":
            await instruments_are_calibrated(here)
        # Tuesday: the run.
        if full:
            await operator.call("Runs", "StartRun", first)
            run = await ended(operator, first)
            assert run["status"] == "COMPLETE", run
            results = json.loads(await operator.call("Runs", "GetResults", first))
            assert results["thickness_mean_nm"] == pytest.approx(thickness_nm, rel=0.03)
            care = json.loads(await operator.call("Care", "GetReport"))
            counted = {row["tag"]: row for row in care["counters"]}
            assert counted["care.silane_g"]["value"] < 500.0
            assert counted["care.film_um"]["value"] > 0.5e-3 * thickness_nm
        # Wednesday: out with the wafers, then what needs an empty tool. The opening voids the leak check.
        assert "wafer" in await here.refused("season")
        await here.do("vent")
        assert "wafers are in already" in await here.refused("load")
        await here.do("unload")
        assert await here.value(f"wafer_handling/{present}") == 0
        assert "there is nothing to unload" in await here.refused("unload")
        assert "is not pumped: run pump_down first" in await here.refused("leak_check")
        await here.do("pump_down")
        assert "it has not been completed since the tool was last opened" in await here.refused("season")
        await here.do("leak_check")
        if name == "pecvd_showerhead":
            await here.do("chamber_clean")
            assert await operator.read("Equipment/metrology/qcm_thickness_nm") < 20.0
        if full:
            await here.do("season")
        # Friday: a new bottle, interrupted by the mains.
        assert "change_bottle" in await here.refused("condition_lines")
        changing = await here.start("change_bottle")
        await here.step("the crew changes the bottle")
        told = (await refusal(operator, "Runs", "StartRun", first)).reason
        assert "COMPLETE" in told or "one run at a time" in told
        await here.strike(fault="power_loss")
        assert (await ended(operator, changing))["status"] == "ABORTED"
        assert await here.value("gas_panel/sih4.bottle_open") == 0
        assert await here.value("facilities/light.red") == 1
        assert await here.value("facilities/horn") == 1
        await operator.write("Equipment/facilities/horn_silenced", 1.0)
        await until(operator, "Equipment/facilities/horn", lambda horn: horn == 0)
        assert "power_failure" in await here.refused("standby")
        await here.strike(fault="power_loss", clear=True)
        await here.reset("power_failure")
        second, _ = await operator.call("Runs", "CreateRun", recipe_id, version, "S2", "W2", "{}")
        assert (
            "the silane bottle is shut: finish change_bottle first"
            in (await refusal(operator, "Runs", "StartRun", second)).reason
        )
        changing = await here.start("change_bottle")
        await here.step("the crew changes the bottle")
        told = (await refusal(operator, "State", "SetMode", "Maintenance")).reason
        assert "the mode is not changed while a run is RUNNING" in told
        await mechanic.write("Equipment/control/bottle_changed", 1.0)
        changed = await ended(operator, changing)
        assert changed["status"] == "COMPLETE", changed
        findings = changed["postflight_summary"]["findings"]
        assert findings["purge"]["value"] < 1e-6
        assert findings["line_drop"]["passed"] is True
        if full:
            await here.do("condition_lines")
        care = json.loads(await operator.call("Care", "GetReport"))
        counted = {row["tag"]: row for row in care["counters"]}
        assert counted["care.silane_g"]["value"] > 499.0
        # The weekend: wafers for Monday, and somebody works at the pump.
        await here.do("standby")  # a tube that cools draws vacuum behind its valves
        await here.do("vent")
        await here.do("load")
        assert await here.value(f"wafer_handling/{present}") == 1
        assert await here.value("wafer_handling/door_closed") == 1
        await mechanic.call("State", "SetMode", "Maintenance")
        await until(operator, "State/Mode", lambda mode: mode == "Maintenance")
        await mechanic.call("State", "LockOut", "vacuum", "oil change")
        assert "vacuum is locked out by mia: oil change" in await here.refused("pump_down")
        assert (
            "Ready is not chosen while a module is locked out"
            in (await refusal(operator, "State", "SetMode", "Ready")).reason
        )
        await mechanic.call("Care", "TaskDone", "pump_overhaul", "new oil, bearings sound")
        await mechanic.call("Care", "AddNote", "pump is back, sounds well")
        await mechanic.call("State", "RemoveLockOut", "vacuum", "")
        await operator.call("State", "SetMode", "Standby")
        await until(operator, "State/Mode", lambda mode: mode == "Standby")
        log = json.loads(
            await operator.call("Care", "GetShiftLog", datetime(2020, 1, 1, tzinfo=UTC),
                                datetime(2100, 1, 1, tzinfo=UTC), "")
        )  # fmt: skip
        texts = [row["text"] for row in log]
        assert "pump is back, sounds well" in texts
        assert any("Leak check: COMPLETE" in text and "leak_rate" in text for text in texts)
        assert any("lock out" in text for text in texts)
    # The next morning the log is read without the daemon.
    shown = await anyio.to_thread.run_sync(
        lambda: cvd("shiftlog", "--data", tmp_path / "data", "--tool", tmp_path / f"{name}.toml", "--hours", 24 * 300,
                    "--until", "2027-06-01", "--language", "de", "--units", "Torr=mbar")
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "Lecktest: COMPLETE" in shown.stdout
    assert "mbar" in shown.stdout


async def instruments_are_calibrated(here: Crew) -> None:
    """Every kind that the furnace has: the record is of this run, and what it found is in force for the reading."""
    await here.do("standby")
    span = {"n2o_standard_sccm": 404.0}
    for kind, tag, gain in (
        ("mfc_zero", "gas_panel.sih4.flow_sccm", 1.0),
        ("gauge_zero", "chamber.manometer_torr", 1.0),
        ("n2_flow", "gas_panel.n2.flow_sccm", 1.0),
        ("thermocouples", "heater.zone2.temperature_c", 1.0),
        ("throttle", "vacuum.throttle_valve.feedback_pct", 1.0),
        ("n2o_span", "gas_panel.n2o.flow_sccm", 1.01),
    ):
        row = (await calibrated(here.mechanic, kind, **(span if kind == "n2o_span" else {})))[tag]
        assert row["gain"] == pytest.approx(gain, abs=0.01 if kind != "n2o_span" else 0.003)
        assert (row["user"], row["state"]) == ("mia", "ok")
        assert row["days_left"] > 29.0
    assert row["version"] == 2, "zero and span of a controller are one history"
    assert row["gain"] > 1.007


MAPPED = ["W-1", "", "W-3"]


async def lost_nothing(here: Crew, run_id: str, status: str) -> None:
    """The record says how it ended, no hazardous output is on, and every wafer is where the carrier's map has it."""
    run = await ended(here.operator, run_id)
    assert run["status"] == status, (run["error_message"], here.daemon.tail(2000))
    assert run["end_time"]
    for gas in ("sih4", "n2o"):
        assert await here.value(f"gas_panel/{gas}.valve") == await here.value(f"gas_panel/{gas}.setpoint_sccm") == 0
    mapped = json.loads(await here.operator.call("Runs", "GetSlotMap", "BOAT-7"))
    assert mapped["slots"] == MAPPED
    assert mapped["wafers"] == 2


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", TOOLS)
async def test_what_fails_in_the_middle_ends_safely_and_is_told(name: str, tmp_path: Path) -> None:
    """A pump that trips while venting, a door that opens while purging, a robot lost before and in a transfer."""
    present = TOOLS[name][4]
    async with crew(name, tmp_path, DRILL_SPEED) as here:
        operator = here.operator
        await operator.call("Runs", "SetSlotMap", "BOAT-7", MAPPED)
        venting = await here.start("vent")
        await here.strike(fault="pump_trip")
        await lost_nothing(here, venting, "ABORTED")
        assert await here.value("vacuum/isolation_valve.shut") == 1
        assert await here.value("gas_panel/purge.shut") == 0
        assert "pump_failure" in await here.refused("purge")
        await here.strike(fault="pump_trip", clear=True)
        await here.reset("pump_failure")
        await here.do("pump_down")
        purging = await here.start("bake_out")  # half an hour of nitrogen
        await here.strike(fault="door_open")
        await lost_nothing(here, purging, "ABORTED")
        assert "door_lost" in await here.refused("purge")
        await here.strike(fault="door_open", clear=True)
        await here.reset("door_lost")
        await here.do("vent")
        await here.strike(fault="robot_lost")
        await lost_nothing(here, await here.start("unload"), "STOPPED")
        await at_rest_with_an_open_door(here)
        assert await here.value(f"wafer_handling/{present}") == 1
        await here.strike(fault="robot_lost", clear=True)
        # Lost inside, where it stays long since nobody sees the wafers leave: it keeps what it holds, nothing moves.
        await here.strike(fault="sensor_frozen", tag=f"wafer_handling.{present}")
        unloading = await here.start("unload")
        await here.step("TP3: wafers leave")
        await here.strike(fault="robot_lost")
        await lost_nothing(here, unloading, "STOPPED")
        await at_rest_with_an_open_door(here)
        for fault in ({"fault": "robot_lost"}, {"fault": "sensor_frozen", "tag": f"wafer_handling.{present}"}):
            await here.strike(**fault, clear=True)
        await until(operator, "Equipment/wafer_handling/e84.busy", lambda busy: busy == 0)
        told = json.loads(
            await operator.call("Care", "GetShiftLog", datetime(2020, 1, 1, tzinfo=UTC),
                                datetime(2100, 1, 1, tzinfo=UTC), "")
        )  # fmt: skip
        texts = [row["text"] for row in told]
        assert sum("Unload wafers: STOPPED" in text for text in texts) == 2


async def at_rest_with_an_open_door(here: Crew) -> None:
    """The robot is asked for nothing, door and boat stand where they are, the pump does not suck the room's air."""
    for signal in ("ready", "ho_avbl", "l_req", "u_req"):
        assert await here.value(f"wafer_handling/e84.{signal}") == 0
    assert await here.value("wafer_handling/door_opened") == 1
    assert await here.value("vacuum/isolation_valve.shut") == 1


@pytest.mark.timeout(300)
async def test_wafers_go_through_a_load_lock_and_each_place_is_in_their_history(tmp_path: Path) -> None:
    """Over OPC UA: chamber, lock, robot and back; what cannot be now is refused in one line."""
    async with (
        running(tmp_path / "data", tool=LOCKED, speed=SPEED) as daemon,
        daemon.client("olga") as operator,
        daemon.client("mia") as mechanic,
    ):
        await until(operator, "State/Mode", lambda mode: mode != "Init")
        here = Crew(daemon, operator, mechanic)
        await until(operator, "Services/State", lambda state: state != "ABORTING")
        await operator.call("Runs", "SetSlotMap", "CASSETTE-1", ["W-1"])
        assert "there is nothing in the load lock" in await here.refused("transfer_in")
        assert "there is nothing in the load lock: run transfer_out first" in await here.refused("unload")
        for operation in ("transfer_out", "unload", "load", "transfer_in"):
            await here.do(operation)
        assert await here.value("wafer_handling/wafer_in") == 1
        told = json.loads(await operator.call("Runs", "GetMaterial", "W-1"))
        assert [row["location"].removeprefix("CASSETTE-1 slot 1 ") for row in told["history"]][1:] == [
            "in the load lock", "out of the tool", "in the tool", "in the chamber",
        ]  # fmt: skip
