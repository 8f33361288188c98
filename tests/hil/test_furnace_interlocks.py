"""The furnace's cause and effect, struck by faults in the middle of a deposition with the real scan."""

from typing import Any

import pytest

from kernels.tables import Command, RunState
from tests.hil.tool_run import AT_REST, UNPROVEN, ToolRun

GAS = ("gas_panel.sih4.valve", "gas_panel.n2o.valve", "gas_panel.sih4.setpoint_sccm", "gas_panel.n2o.setpoint_sccm")
HEAT = tuple(f"heater.zone{zone}.power_pct" for zone in (1, 2, 3))


def depositing() -> ToolRun:
    """The guide's recipe, half a minute into its deposition."""
    run = ToolRun()
    run.start(recipe="lpcvd_sio2_100nm")
    run.until_step("deposition")
    run.wait(60)
    assert run.state is RunState.RUNNING
    assert run["gas_panel.sih4.valve"] == 1.0
    return run


# Fault, condition, seconds until it is in force at most, whether it takes the heat as well.
CAUSES: list[tuple[dict[str, Any], str, float, bool]] = [
    ({"fault": "emergency_off"}, "emergency_off", 0.12, True),
    ({"fault": "silane_detected", "value": 6.5}, "silane_detected", 0.52, True),
    ({"fault": "detector_fault"}, "silane_detected", 0.12, True),
    ({"fault": "gas_cabinet_fault"}, "gas_cabinet", 0.12, False),
    ({"fault": "exhaust_lost"}, "exhaust_lost", 0.62, False),
    ({"fault": "abatement_lost"}, "abatement_lost", 0.62, False),
    ({"fault": "pump_trip"}, "pump_failure", 0.32, False),
    ({"fault": "door_open"}, "door_lost", 0.12, False),
    ({"fault": "water_lost"}, "cooling_water_lost", 3.6, True),
    ({"fault": "n2_lost"}, "purge_supply_lost", 1.6, False),
    ({"fault": "power_loss"}, "power_failure", 0.62, True),
    ({"fault": "overtemperature_contact"}, "overtemperature_contact", 0.12, True),
    ({"fault": "thermocouple_open", "tag": "heater.zone1.temperature_c"}, "zone1_overtemperature", 0.42, True),
    ({"fault": "sensor_silent", "tag": "heater.zone3.spike_c"}, "zone3_overtemperature", 0.92, True),
    ({"fault": "sensor_nan", "tag": "heater.zone2.temperature_c"}, "zone2_overtemperature", 0.42, True),
    ({"fault": "sensor_offset", "tag": "heater.zone2.spike_c", "value": 300.0}, "zone2_overtemperature", 0.42, True),
    ({"fault": "mfc_stuck", "gas": "SiH4", "value": "open"}, "mfc_sih4_no_setpoint", 2.6, False),
    ({"fault": "mfc_stuck", "gas": "N2O", "value": "open"}, "mfc_n2o_no_setpoint", 2.6, False),
    ({"fault": "sensor_silent", "tag": "chamber.manometer_torr"}, "overpressure_with_gas", 0.22, False),
    ({"fault": "sensor_open", "tag": "chamber.wide_range_torr"}, "overpressure_with_gas", 0.12, False),
    ({"fault": "throttle_stuck", "value": 0.0}, "silane_oxidiser_window", 60.0, False),
]


@pytest.mark.parametrize(
    ("fault", "condition", "within_s", "heat"),
    CAUSES,
    ids=[f"{c[0]['fault']}-{c[1]}-{n}" for n, c in enumerate(CAUSES)],
)
def test_a_fault_in_the_deposition_trips_gates_and_ends_safely(
    fault: dict[str, Any], condition: str, within_s: float, *, heat: bool
) -> None:
    """Cause → trip in time → in that very scan gas (and heat) off → aborted through the safe sequence, purge on."""
    run = depositing()
    run.plant.inject(fault)
    assert run.trip_delay(condition, within_s + 0.1) <= within_s
    for output in GAS:
        assert run[output] == 0.0, output
    if heat:
        for output in HEAT:
            assert run[output] == 0.0, output
    assert run.state is RunState.ABORTING
    assert condition in run.first_out()
    assert run.until_end(400) is RunState.ABORTED
    for output in (*GAS, *HEAT):
        assert run[output] == 0.0, output
    assert run["gas_panel.purge.shut"] == 0.0
    assert run["vacuum.dry_pump.stop"] == 0.0
    if fault["fault"] not in {"pump_trip", "throttle_stuck"}:  # these leave no way out: the purge only dilutes
        assert run.plant.state()["amount_mol"]["SiH4"] < 1e-6


def test_nothing_comes_back_when_a_trip_is_reset() -> None:
    """The door closes again and the trip is reset: gas and heat stay off until somebody asks for them."""
    run = depositing()
    run.plant.inject({"fault": "door_open"})
    run.until_end(400)
    run.plant.inject({"fault": "door_open", "clear": True})
    run.wait(1)
    run.scan.command(int(Command.RESET), run.layout.condition_index["door_lost"])
    run.wait(5)
    assert "door_lost" not in run.in_force()
    assert [run[output] for output in (*GAS, *HEAT)] == [0.0] * 7


def test_silane_stays_shut_in_a_tube_that_is_not_pumped() -> None:
    """By hand: with the isolation valve shut the permissive holds the valve, whatever is asked."""
    run = ToolRun()
    run.write("vacuum.isolation_valve.shut", 1.0)
    run.write("gas_panel.sih4.valve", 1.0)
    run.write("gas_panel.sih4.setpoint_sccm", 50.0)
    run.wait(2)
    assert run["gas_panel.sih4.valve"] == 0.0
    assert run.plant.state()["flow_mol_s"][0] == 0.0


def test_silane_and_nitrous_oxide_may_not_meet_in_the_cold() -> None:
    """The pair outside of its window: both valves close before a second has passed."""
    run = ToolRun(idle_c=500.0)
    run.clear()
    run.write("gas_panel.n2o.setpoint_sccm", 100.0)
    run.write("gas_panel.n2o.valve", 1.0)
    run.write("gas_panel.sih4.valve", 1.0)
    assert run.trip_delay("silane_oxidiser_window") <= 0.05
    assert run["gas_panel.sih4.valve"] == run["gas_panel.n2o.valve"] == 0.0


def test_a_stuck_closed_controller_holds_the_run() -> None:
    """Too little silane is no danger: the run is held with gas shut and purge on, for a person to decide."""
    run = depositing()
    run.plant.inject({"fault": "mfc_stuck", "gas": "SiH4", "value": "closed"})
    assert run.until_end(60) is RunState.HELD
    assert run["gas_panel.sih4.valve"] == 0.0
    assert run["gas_panel.n2.valve"] == 1.0
    assert run["heater.zone1.power_pct"] > 0.0


def test_the_door_stays_locked_until_the_tube_is_vented() -> None:
    """Asked for under vacuum the door does not unlock; after the vent operation it does."""
    run = ToolRun()
    run.write("wafer_handling.door_unlock", 1.0)
    run.wait(1)
    assert run["wafer_handling.door_unlock"] == 0.0
    run.start(operation="vent")
    assert run.until_end(1500) is RunState.COMPLETE
    run.wait(2)
    run.write("wafer_handling.door_unlock", 1.0)
    run.wait(1)
    assert run["wafer_handling.door_unlock"] == 1.0
    assert run["chamber.wide_range_torr"] < 790.0


@pytest.fixture(scope="module")
def quiet() -> ToolRun:
    """The furnace ten minutes after start, nothing asked of it."""
    run = ToolRun()
    run.wait(600)
    return run


def test_an_idle_furnace_has_nothing_to_say(quiet: ToolRun) -> None:
    """No alarm and no trip in ten minutes of idling but the door's lock."""
    assert quiet.in_force() == AT_REST | UNPROVEN
