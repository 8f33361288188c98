"""What a crew does with each of the chambers, with the real scan: service, bottles, bubblers, a load lock."""

import pytest

from config.loading import load_tool, shipped_tool
from config.tool import Operation, Tool
from kernels.tables import Command, RunState
from tests.hil.chambers import CHAMBERS, ChamberRun, shipped_chamber

TOOLS = sorted(set(CHAMBERS.values()))
BEFORE = ("pump_down", "leak_check", "cycle_purge", "warm_up")
AFTER = ("transfer_out", "unload", "load", "transfer_in", "purge", "vent", "pump_down", "standby")
EMPTY = ("chamber_clean", "filament_burn_in")
ASKS = "the crew changes the bottle"
ANSWER = "control.bottle_changed"


def operation(tool: Tool, name: str) -> Operation:
    return next(one for one in tool.operations if one.name == name)


def run_through(run: ChamberRun, name: str) -> RunState:
    """An operation to its end; the crew does what it is asked for."""
    run.start(operation=name)
    if name.startswith("change_"):
        run.until_step(ASKS)
        run.write(ANSWER, 1.0)
    return run.until_end(20000)


def lit(run: ChamberRun) -> set[str]:
    """Lamps of the stack light that are on."""
    return {colour for colour in ("red", "yellow", "green", "blue") if run[f"facilities.light.{colour}"] == 1.0}


def hazardous_are_off(run: ChamberRun) -> bool:
    heat = {f"heater.zone{zone}.power_pct" for zone in (1, 2, 3)}
    return all(run[name] == 0.0 for name, tag in run.layout.declared.items() if tag.hazardous and name not in heat)


@pytest.mark.parametrize("name", TOOLS)
def test_every_service_operation_of_a_chamber_completes(name: str) -> None:
    """Each within its bound, with every hazardous output but heat off, and with numbers inside of their limits."""
    tool = shipped_chamber(name)
    run = ChamberRun(name)
    names = [one.name for one in tool.operations]
    changes = [one for one in names if one.startswith(("verify_", "change_"))]
    chain = [one for one in (*BEFORE, *changes, *AFTER) if one in names]
    for one in chain:
        assert run_through(run, one) is RunState.COMPLETE, (one, sorted(run.in_force()))
        asked = operation(tool, one)
        assert run["system.run_elapsed_s"] <= asked.bound_s
        assert hazardous_are_off(run), one
        for finding in asked.findings:
            if finding.below:
                assert run[finding.tag] < run[finding.below], (one, finding.name)
    assert {*chain, *EMPTY, "arm_home", "bake_out", "calibrate"} >= {
        one for one in names if not one.startswith("calibrate")
    }


@pytest.mark.parametrize("name", ["rpcvd_nitride", "uhvcvd_sige"])
def test_a_bake_out_ends_at_idle_with_the_base_pressure_that_it_has_reached(name: str) -> None:
    run = ChamberRun(name)
    assert run_through(run, "bake_out") is RunState.COMPLETE
    assert run["system.run_elapsed_s"] > 1800.0
    assert run["control.base_pressure_torr"] < 1e-3
    assert hazardous_are_off(run)


def test_a_new_wire_is_burnt_in_with_the_chamber_empty() -> None:
    run = ChamberRun("hwcvd_silicon")
    assert run_through(run, "leak_check") is RunState.COMPLETE
    run.plant.inject({"fault": "wafer_out"})
    assert run_through(run, "filament_burn_in") is RunState.COMPLETE
    assert run["control.wire_ohm"] == pytest.approx(1.7, rel=0.1)
    assert run["filament.enable"] == run["filament.current_a"] == 0.0


def test_a_controller_that_lies_is_found() -> None:
    run = ChamberRun("lcvd_tungsten")
    run.plant.inject({"fault": "mfc_stuck", "gas": "N2", "value": 500.0})
    assert run_through(run, "verify_n2") is RunState.STOPPED
    assert run["control.ror_error_abs_pct"] > run["control.ror_limit_pct"]


def test_while_a_line_is_open_there_is_no_process_gas_in_it_and_a_leak_keeps_the_bottle_shut() -> None:
    run = ChamberRun("rpcvd_nitride")
    assert run_through(run, "leak_check") is RunState.COMPLETE
    run.start(operation="change_bottle_sih4")
    run.until_step(ASKS)
    run.wait(30)
    at = [gas.name for gas in run.compiled.tool.gases].index("SiH4")
    assert run.plant.state()["line_gas_share"][at] < 1e-6
    assert run["gas_panel.sih4.bottle_open"] == 0.0
    run.plant.inject({"fault": "line_leak", "value": 2.0})
    run.write(ANSWER, 1.0)
    assert run.until_end() is RunState.ABORTED
    assert run["gas_panel.sih4.bottle_open"] == 0.0


def test_a_power_event_in_a_bottle_change_leaves_the_bottle_shut() -> None:
    run = ChamberRun("rpcvd_nitride")
    assert run_through(run, "leak_check") is RunState.COMPLETE
    run.start(operation="change_bottle_nh3")
    run.until_step(ASKS)
    assert lit(run) == {"green"}
    run.plant.inject({"fault": "power_loss"})
    assert run.until_end(600) is RunState.ABORTED
    assert hazardous_are_off(run)
    assert "red" in lit(run)
    assert run["facilities.horn"] == 1.0
    run.write("facilities.horn_silenced", 1.0)
    run.wait(0.1)
    assert run["facilities.horn"] == 0.0
    run.write("gas_panel.nh3.bottle_shut", 0.0)
    run.wait(10)
    assert run["gas_panel.nh3.bottle_open"] == run["gas_panel.nh3.purge"] == 0.0


def test_a_bubbler_is_not_opened_with_vapour_in_its_line_nor_taken_for_new_when_it_is_empty() -> None:
    run = ChamberRun("omcvd_gaas")
    name = next(one.name for one in run.compiled.tool.operations if one.name.startswith("change_bubbler_"))
    bath = f"bubblers.{name.removeprefix('change_bubbler_')}"
    gas = next(one.name for one in run.compiled.tool.gases if one.name.lower() == bath.partition(".")[2])
    assert run_through(run, "leak_check") is RunState.COMPLETE
    run.plant.inject({"fault": "source_empty", "gas": gas})
    run.start(operation=name)
    run.until_step(ASKS)
    assert run[f"{bath}.bypass"] == 1.0
    assert run["control.vapour_left_sccm"] < run["control.vapour_limit_sccm"]
    run.write(ANSWER, 1.0)
    assert run.until_end() is RunState.STOPPED
    run.plant.inject({"fault": "source_empty", "gas": gas, "clear": True})
    run.wait(5)
    assert run_through(run, name) is RunState.COMPLETE
    assert run[f"{bath}.bypass"] == 0.0


# ------------------------------------------------------------------------------------------------------- load lock
LOCK = "load_lock"


def lock_run(*operations: str) -> ChamberRun:
    run = ChamberRun("uhvcvd_sige")
    for one in operations:
        assert run_through(run, one) is RunState.COMPLETE, (one, sorted(run.in_force()))
    return run


def test_a_wafer_goes_from_the_chamber_through_the_lock_to_the_robot_and_back() -> None:
    """Where it is can be read at each moment, and in no step is it in two places."""
    run = lock_run()
    places = [(run["wafer_handling.wafer_in"], run[f"{LOCK}.wafer_in"])]
    for one in ("transfer_out", "unload", "load", "transfer_in"):
        assert run_through(run, one) is RunState.COMPLETE, one
        places.append((run["wafer_handling.wafer_in"], run[f"{LOCK}.wafer_in"]))
    assert places == [(1, 0), (0, 1), (0, 0), (0, 1), (1, 0)]
    assert run.plant.state()["lock_collisions"] == 0
    assert run[f"{LOCK}.slit.closed"] == run[f"{LOCK}.arm.home"] == 1.0
    assert run["chamber.pressure_torr"] < 1e-3


@pytest.mark.parametrize("output", ["slit.open", "arm.extend", "door_unlock", "door_open"])
def test_whoever_asks_what_must_stand_stands(output: str) -> None:
    """The vent may move while all is shut; then not the slit valve between unequal pressures, nor what follows."""
    run = lock_run()
    run.write(f"{LOCK}.vent_valve", 1.0)
    run.wait(10)
    assert run[f"{LOCK}.pressure_torr"] > 100.0
    run.write(f"{LOCK}.{output}", 1.0)
    run.wait(20)
    assert run[f"{LOCK}.{output}"] == 0.0
    assert run[f"{LOCK}.slit.closed"] == run[f"{LOCK}.door_closed"] == run[f"{LOCK}.arm.home"] == 1.0
    assert run["chamber.pressure_torr"] < 1.0
    assert run.plant.state()["lock_collisions"] == 0


def test_at_atmosphere_the_door_still_waits_for_its_purges() -> None:
    """What came out of the chamber into the lock does not come into the room."""
    run = lock_run()
    run.write(f"{LOCK}.vent_valve", 1.0)
    run.wait(60)
    assert run[f"{LOCK}.at_atmosphere"] == 1.0
    run.write(f"{LOCK}.door_unlock", 1.0)
    assert run[f"{LOCK}.door_unlock"] == 0.0


@pytest.mark.parametrize("fault", ["power_loss", "emergency_off", "lock_pump_trip"])
def test_a_transfer_that_is_cut_crushes_nothing_and_is_finished_later(fault: str) -> None:
    """Arm and slit valve stand where they are; the valve does not shut on the arm whoever asks; the wafer is kept."""
    run = lock_run()
    run.start(operation="transfer_out")
    run.until_step("arm moves in")
    run.wait(8)
    if fault == "lock_pump_trip":
        run.scan.command(int(Command.ABORT))
    else:
        run.plant.inject({"fault": fault})
    assert run.until_end(600) is RunState.ABORTED
    assert hazardous_are_off(run)
    assert run[f"{LOCK}.arm.home"] == 0.0
    assert run[f"{LOCK}.slit.opened"] == 1.0
    run.write(f"{LOCK}.slit.shut", 1.0)
    run.wait(5)
    assert run[f"{LOCK}.slit.shut"] == 0.0
    assert run.plant.state()["lock_collisions"] == 0
    if fault != "lock_pump_trip":
        run.plant.inject({"fault": fault, "clear": True})
        run.wait(2)
        for one in ("power_failure", "emergency_off"):
            run.scan.command(int(Command.RESET), run.layout.condition_index[one])
        run.wait(1)
    run.scan.command(int(Command.ARM))
    assert run_through(run, "arm_home") is RunState.COMPLETE
    assert run[f"{LOCK}.slit.closed"] == run[f"{LOCK}.arm.home"] == run["wafer_handling.wafer_in"] == 1.0
    assert run_through(run, "transfer_out") is RunState.COMPLETE


def test_a_robot_that_is_lost_at_the_lock_ends_the_hand_off_and_keeps_the_wafer() -> None:
    run = lock_run("transfer_out")
    run.plant.inject({"fault": "robot_lost"})
    assert run_through(run, "unload") is RunState.STOPPED
    for signal in ("l_req", "u_req", "ready", "ho_avbl"):
        assert run[f"{LOCK}.e84.{signal}"] == 0.0
    assert run[f"{LOCK}.wafer_in"] == 1.0
    assert run[f"{LOCK}.slit.closed"] == 1.0
    assert run[f"{LOCK}.pump_valve"] == 0.0


def test_process_gas_waits_for_a_shut_slit_valve() -> None:
    run = lock_run("leak_check", "cycle_purge")
    run.start(operation="transfer_out")
    run.until_step("arm moves in")
    run.scan.command(int(Command.ABORT))
    run.until_end(600)
    run.scan.command(int(Command.ARM))
    run.write("gas_panel.h2.valve", 1.0)
    assert run["gas_panel.h2.valve"] == 0.0
    assert "slit_shut_for_gas" in run.in_force()


@pytest.mark.parametrize("name", TOOLS)
def test_every_chamber_counts_its_wear_and_knows_what_is_left_in_its_bottles(name: str) -> None:
    """With an end for what wears out and for each bottle that a change renews, and the clock's state with an alarm."""
    tool = shipped_chamber(name)
    counters = {one.tag: one for one in tool.care.counters}
    bottled = {one.name.removeprefix("change_bottle_") for one in tool.operations if "change_bottle_" in one.name}
    left = {one.tag.removeprefix("care.").removesuffix("_l"): one for one in counters.values() if one.kind == "amount"}
    assert set(left) == bottled
    for gas, one in left.items():
        assert one.renewed_by == (f"change_bottle_{gas}",)
        assert one.stop_below is not None
        assert any(alarm.name == f"{gas}_bottle_low" for alarm in tool.alarms)
    assert counters["care.isolation_valve"].stop_above
    assert {task.counter for task in tool.care.tasks if task.counter} <= set(counters)
    assert tool.care.clock == "control.clock"
    assert any(alarm.name == "clock_free" for alarm in tool.alarms)


def test_the_lock_is_the_shipped_tools() -> None:
    tool = load_tool(shipped_tool("uhvcvd_sige"))
    assert {"load", "transfer_in", "transfer_out", "unload", "arm_home"} <= {one.name for one in tool.operations}
