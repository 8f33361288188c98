"""What a crew does with a tool, on both simulated tools with the real scan: service, hand-off, facilities, faults."""

from functools import cache
from typing import Any

import pytest

from config.loading import load_tool, shipped_tool
from config.tool import Tool
from kernels.tables import Command, RunState
from tests.hil.tool_run import ToolRun

TOOLS = ("lpcvd_furnace", "pecvd_showerhead")
PROCESS_GAS = {
    "lpcvd_furnace": ("sih4", "n2o"),
    "pecvd_showerhead": ("sih4", "nh3", "n2o", "nf3"),
}
ANSWER = "control.bottle_changed"


@cache
def shipped(name: str) -> Tool:
    return load_tool(shipped_tool(name))


def tool_run(name: str, *operations: str) -> ToolRun:
    """A tool on which these operations have been completed."""
    run = ToolRun(tool=shipped(name))
    for operation in operations:
        assert completed(run, operation), (operation, run.state, sorted(run.in_force()))
    return run


def completed(run: ToolRun, operation: str, limit_s: float = 8000.0) -> bool:
    """Run an operation; the crew changes the bottle as soon as it is asked."""
    run.start(operation=operation)
    if operation == "change_bottle":
        run.until_step("the crew changes the bottle")
        run.write(ANSWER, 1.0)
    return run.until_end(limit_s) is RunState.COMPLETE


def process_gas_is_shut(run: ToolRun, name: str) -> bool:
    return all(
        run[f"gas_panel.{gas}.valve"] == run[f"gas_panel.{gas}.setpoint_sccm"] == 0.0 for gas in PROCESS_GAS[name]
    )


CHAINS = [
    ("pump_down", "leak_check", "cycle_purge", "line_purge", "warm_up"),
    ("leak_check", "change_bottle", "condition_lines"),
    ("vent", "unload", "pump_down", "leak_check", "season"),
    ("vent", "unload", "load", "pump_down"),
    ("idle",),
    ("bake_out",),
]


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("chain", CHAINS, ids="-".join)
def test_service_operations_complete_within_their_bounds(name: str, chain: tuple[str, ...]) -> None:
    """On a healthy tool each ends by itself, in time, with process gas shut."""
    run = tool_run(name)
    for operation in chain:
        bound_s = next(one.bound_s for one in shipped(name).operations if one.name == operation)
        assert completed(run, operation), (operation, run.state, sorted(run.in_force()))
        assert run["system.run_elapsed_s"] <= bound_s
        assert process_gas_is_shut(run, name)


@pytest.mark.parametrize("name", TOOLS)
def test_numbers_of_operations_are_left_with_their_limits(name: str) -> None:
    run = tool_run(name, "pump_down", "leak_check", "cycle_purge")
    assert run["control.base_pressure_torr"] < 0.005
    assert 0.0 < run["control.leak_rate_mtorr_min"] < run["control.leak_limit_mtorr_min"]
    assert run["control.purge_left"] == pytest.approx((0.05 / 5) ** 6, rel=5.0)
    assert run["control.purge_left"] < run["control.purge_limit"]


def test_the_nitrogen_controller_is_verified_by_rate_of_rise() -> None:
    """The computed flow is what really flowed, within a per cent of it."""
    run = tool_run("lpcvd_furnace", "pump_down", "leak_check", "verify_n2")
    true_flow = 200.0 * run.plant.state()["mfc_gain"][2]
    assert run["control.ror_flow_sccm"] == pytest.approx(true_flow, rel=0.01)


def test_a_controller_that_lies_is_found_by_rate_of_rise() -> None:
    run = tool_run("lpcvd_furnace", "pump_down", "leak_check")
    run.plant.inject({"fault": "mfc_stuck", "gas": "N2", "value": 170.0})
    run.start(operation="verify_n2")
    assert run.until_end() is RunState.STOPPED
    assert run["control.ror_error_pct"] == pytest.approx(-15.0, abs=1.5)


@pytest.mark.parametrize("name", TOOLS)
def test_a_bottle_is_purged_before_its_line_is_opened_and_after(name: str) -> None:
    """While the crew has the line open there is no silane in it, by the plant's own account; then it fills again."""
    run = tool_run(name)
    run.clear()
    assert run.plant.state()["line_gas_share"] == 1.0
    run.start(operation="change_bottle")
    run.until_step("the crew changes the bottle")
    run.wait(30)
    assert run.state is RunState.RUNNING
    assert run["gas_panel.sih4.bottle_open"] == 0.0
    assert run.plant.state()["line_gas_share"] < 1e-6
    run.write(ANSWER, 1.0)
    assert run.until_end() is RunState.COMPLETE
    assert run["gas_panel.sih4.bottle_open"] == 1.0
    assert run["control.line_drop_kpa"] < run["control.line_drop_limit_kpa"]


@pytest.mark.parametrize("name", TOOLS)
def test_a_new_bottle_whose_line_leaks_stays_shut(name: str) -> None:
    run = tool_run(name)
    run.clear()
    run.start(operation="change_bottle")
    run.until_step("the crew changes the bottle")
    run.plant.inject({"fault": "line_leak", "value": 2.0})
    run.write(ANSWER, 1.0)
    assert run.until_end() is RunState.ABORTED
    assert run["gas_panel.sih4.bottle_open"] == 0.0
    assert run["gas_panel.sih4.bottle_shut"] == 1.0


@pytest.mark.parametrize("name", TOOLS)
def test_a_power_event_in_a_bottle_change_leaves_the_bottle_shut(name: str) -> None:
    """The trip aborts into the safe sequence; the bottle opens again only after the whole change."""
    run = tool_run(name)
    run.clear()
    run.start(operation="change_bottle")
    run.until_step("the crew changes the bottle")
    run.plant.inject({"fault": "power_loss"})
    assert run.trip_delay("power_failure") <= 0.62
    assert run.until_end(600) is RunState.ABORTED
    assert run["gas_panel.sih4.bottle_open"] == 0.0
    assert run["gas_panel.sih4.purge"] == 0.0
    assert process_gas_is_shut(run, name)
    run.plant.inject({"fault": "power_loss", "clear": True})
    run.wait(10)
    run.scan.command(int(Command.RESET), run.layout.condition_index["power_failure"])
    # Neither a dead link (every output at 0) nor arming opens it.
    run.write("gas_panel.sih4.bottle_shut", 0.0)
    run.scan.command(int(Command.ARM))
    run.wait(30)
    assert run["gas_panel.sih4.bottle_open"] == 0.0
    assert completed(run, "change_bottle")
    assert run["gas_panel.sih4.bottle_open"] == 1.0


@pytest.mark.parametrize("name", TOOLS)
def test_a_pump_that_trips_while_venting_ends_with_nitrogen_and_a_shut_way(name: str) -> None:
    run = tool_run(name)
    run.start(operation="vent")
    run.wait(20)
    run.plant.inject({"fault": "pump_trip"})
    assert run.trip_delay("pump_failure") <= 0.4
    assert run.until_end(600) is RunState.ABORTED
    assert run["vacuum.isolation_valve.shut"] == 1.0
    assert run["gas_panel.purge.shut"] == 0.0
    assert process_gas_is_shut(run, name)


@pytest.mark.parametrize("name", TOOLS)
def test_a_door_that_opens_while_purging_ends_safely(name: str) -> None:
    run = tool_run(name)
    run.start(operation="cycle_purge")
    run.wait(5)
    run.plant.inject({"fault": "door_open"})
    assert run.trip_delay("door_lost") <= 0.12
    assert run.until_end(600) is RunState.ABORTED
    assert process_gas_is_shut(run, name)


@pytest.mark.parametrize("name", TOOLS)
def test_a_robot_that_never_comes_ends_the_hand_off(name: str) -> None:
    """Its signals are off, nothing has moved, the pump does not suck the room's air; with the robot back it works."""
    run = tool_run(name, "vent")
    run.plant.inject({"fault": "robot_lost"})
    run.start(operation="unload")
    assert run.until_end(600) is RunState.STOPPED
    assert run["wafer_handling.e84.u_req"] == run["wafer_handling.e84.ho_avbl"] == 0.0
    assert run["vacuum.isolation_valve.shut"] == 1.0
    assert run["chamber.pressure_torr"] > 700.0
    run.plant.inject({"fault": "robot_lost", "clear": True})
    assert completed(run, "unload")
    assert run["wafer_handling.door_closed"] == 1.0


@pytest.mark.parametrize("name", TOOLS)
def test_a_robot_that_is_lost_inside_is_told_to_stand_and_nothing_moves(name: str) -> None:
    """BUSY never falls: TP times out, the safe sequence takes READY and HO_AVBL back, and boat and door stand still."""
    run = tool_run(name, "vent")
    run.start(operation="unload")
    run.until_step("TP3: wafers leave")
    run.wait(3)
    run.plant.inject({"fault": "robot_lost"})
    assert run.until_end(600) is RunState.STOPPED
    for signal in ("ready", "ho_avbl", "l_req", "u_req"):
        assert run[f"wafer_handling.e84.{signal}"] == 0.0
    assert run["wafer_handling.door_opened"] == 1.0
    assert run["wafer_handling.e84.busy"] == 1.0


@pytest.mark.parametrize("name", TOOLS)
def test_the_door_does_not_move_under_vacuum_whoever_asks(name: str) -> None:
    run = tool_run(name)
    run.write("wafer_handling.door_unlock", 1.0)
    run.write("wafer_handling.door_open", 1.0)
    run.wait(20)
    assert run["wafer_handling.door_unlock"] == run["wafer_handling.door_open"] == 0.0
    assert run["wafer_handling.door_closed"] == 1.0


def test_boat_and_rotation_wait_for_door_and_place() -> None:
    run = tool_run("lpcvd_furnace")
    run.write("wafer_handling.boat.withdraw", 1.0)
    assert run["wafer_handling.boat.withdraw"] == 0.0
    run.write("wafer_handling.rotation.run", 1.0)
    run.wait(10)
    assert run["wafer_handling.rotation.running"] == 1.0
    run.plant.inject({"fault": "boat_out"})
    run.wait(10)
    assert run["wafer_handling.rotation.running"] == 0.0


FACILITIES: list[tuple[dict[str, Any], str]] = [
    ({"fault": "water_leak"}, "water_leak"),
    ({"fault": "water_lost"}, "cooling_water_lost"),
    ({"fault": "n2_lost"}, "purge_supply_lost"),
    ({"fault": "exhaust_lost"}, "exhaust_lost"),
    ({"fault": "abatement_lost"}, "abatement_lost"),
    ({"fault": "gas_cabinet_fault"}, "gas_cabinet"),
    ({"fault": "silane_detected"}, "silane_detected"),
    ({"fault": "emergency_off"}, "emergency_off"),
    ({"fault": "emo_front"}, "emergency_off"),
    ({"fault": "emo_rear"}, "emergency_off"),
    ({"fault": "power_loss"}, "power_failure"),
]


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize(("fault", "trip"), FACILITIES, ids=[f["fault"] for f, _ in FACILITIES])
def test_a_facility_that_fails_aborts_what_runs(name: str, fault: dict[str, Any], trip: str) -> None:
    """Each ends a running operation through the safe sequence, with red light and horn in the scan of the trip."""
    run = tool_run(name)
    run.start(operation="purge")
    run.wait(3)
    assert run["facilities.light.green"] == 1.0
    assert run["facilities.horn"] == 0.0
    run.plant.inject(fault)
    run.trip_delay(trip)
    run.scan.advance(1)
    assert run["facilities.light.red"] == run["facilities.horn"] == 1.0
    assert run.until_end(600) is RunState.ABORTED
    assert process_gas_is_shut(run, name)
    run.write("facilities.horn_silenced", 1.0)
    run.wait(0.02)
    assert run["facilities.horn"] == 0.0
    assert run["facilities.light.red"] == 1.0


ALARMED: list[tuple[dict[str, Any], str, float]] = [
    ({"fault": "mains_sag"}, "mains_quality_low", 4.0),
    ({"fault": "exhaust_weak"}, "exhaust_weak_high", 8.0),
    ({"fault": "emo_front"}, "emo_front", 1.0),
    ({"fault": "emo_rear"}, "emo_rear", 1.0),
    ({"fault": "air_lost"}, "air_low_low", 8.0),
]


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize(("fault", "alarm", "within_s"), ALARMED, ids=[a for _, a, _ in ALARMED])
def test_a_facility_that_weakens_is_told(name: str, fault: dict[str, Any], alarm: str, within_s: float) -> None:
    run = tool_run(name)
    run.plant.inject(fault)
    run.wait(within_s)
    names = [one for one in run.in_force() if one.startswith(alarm.rpartition("_")[0])]
    assert names, sorted(run.in_force())


@pytest.mark.parametrize("name", TOOLS)
def test_process_gas_waits_for_the_abatements_answer(name: str) -> None:
    """Disarmed, the request falls; a valve that is asked for before the answer stays shut, and is not opened by it."""
    run = tool_run(name)
    run.clear()
    assert run["exhaust.abatement_accepts"] == 1.0
    run.scan.command(int(Command.DISARM))
    run.wait(1)
    assert run["exhaust.abatement_request"] == run["exhaust.abatement_accepts"] == 0.0
    run.scan.command(int(Command.ARM))
    run.wait(0.05)
    run.write("gas_panel.sih4.valve", 1.0)
    assert run["gas_panel.sih4.valve"] == 0.0
    run.wait(5)
    assert run["gas_panel.sih4.valve"] == 0.0
    run.write("gas_panel.sih4.valve", 1.0)
    assert run["gas_panel.sih4.valve"] == 1.0


@pytest.mark.parametrize("name", TOOLS)
def test_nitrogen_is_not_pressed_into_an_open_bottle(name: str) -> None:
    run = tool_run(name)
    run.write("gas_panel.sih4.purge", 1.0)
    assert run["gas_panel.sih4.purge"] == 0.0
