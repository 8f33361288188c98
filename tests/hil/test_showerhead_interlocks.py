"""The reactor's cause and effect, struck by faults in the middle of a deposition with the real scan."""

from typing import Any

import pytest

from kernels.tables import Command, RunState
from tests.hil.showerhead import GAS, RF, ReactorRun

HEAT = ("heater.zone1.power_pct",)


def depositing() -> ReactorRun:
    """The guide's recipe, half a minute into its deposition."""
    run = ReactorRun()
    run.start(recipe="pecvd_si3n4_50nm")
    run.until_step("deposition")
    run.wait(40)
    assert run.state is RunState.RUNNING
    assert run["rf.forward_w"] > 290.0
    return run


# Fault, condition, seconds until it is in force at most, whether it takes the heat as well.
CAUSES: list[tuple[dict[str, Any], str, float, bool]] = [
    ({"fault": "emergency_off"}, "emergency_off", 0.12, True),
    ({"fault": "silane_detected", "value": 6.5}, "silane_detected", 0.52, True),
    ({"fault": "ammonia_detected"}, "ammonia_detected", 0.52, False),
    ({"fault": "fluoride_detected"}, "fluoride_detected", 0.52, False),
    ({"fault": "gas_cabinet_fault"}, "gas_cabinet", 0.12, False),
    ({"fault": "exhaust_lost"}, "exhaust_lost", 0.62, False),
    ({"fault": "abatement_lost"}, "abatement_lost", 0.62, False),
    ({"fault": "pump_trip"}, "pump_failure", 0.32, False),
    ({"fault": "door_open"}, "door_lost", 0.12, False),
    ({"fault": "water_lost"}, "cooling_water_lost", 3.6, True),
    ({"fault": "n2_lost"}, "purge_supply_lost", 1.6, False),
    ({"fault": "power_loss"}, "power_failure", 0.62, True),
    ({"fault": "overtemperature_contact"}, "overtemperature_contact", 0.12, True),
    ({"fault": "thermocouple_open", "tag": "heater.zone1.temperature_c"}, "susceptor_overtemperature", 0.42, True),
    ({"fault": "sensor_offset", "tag": "heater.zone1.guard_c", "value": 200}, "susceptor_overtemperature", 0.42, True),
    ({"fault": "sensor_offset", "tag": "heater.zone1.guard_c", "value": -60}, "thermocouples_disagree", 5.2, True),
    ({"fault": "mfc_stuck", "gas": "SiH4", "value": "open"}, "mfc_sih4_no_setpoint", 2.6, False),
    ({"fault": "mfc_stuck", "gas": "NH3", "value": "open"}, "mfc_nh3_no_setpoint", 2.6, False),
    ({"fault": "generator_fault"}, "rf_generator_fault", 0.25, False),
    ({"fault": "match_stuck", "value": 20}, "rf_reflected_high", 3.6, False),
    ({"fault": "arc"}, "rf_reflected_high", 3.6, False),
    ({"fault": "sensor_offset", "tag": "rf.reflected_w", "value": 80}, "rf_reflected_high", 3.2, False),
    ({"fault": "sensor_silent", "tag": "chamber.manometer_torr"}, "overpressure_with_gas", 0.22, False),
    ({"fault": "sensor_offset", "tag": "vacuum.foreline_torr", "value": 50}, "foreline_pressure", 1.2, False),
]


@pytest.mark.parametrize(
    ("fault", "condition", "within_s", "heat"),
    CAUSES,
    ids=[f"{c[0]['fault']}-{c[1]}-{n}" for n, c in enumerate(CAUSES)],
)
def test_a_fault_in_the_deposition_trips_gates_and_ends_safely(
    fault: dict[str, Any], condition: str, within_s: float, *, heat: bool
) -> None:
    """Cause → trip in time → in that very scan plasma and gas (and heat) off → aborted through the safe sequence."""
    run = depositing()
    run.plant.inject(fault)
    assert run.trip_delay(condition, within_s + 0.1) <= within_s
    for output in (*GAS, *RF, *(HEAT if heat else ())):
        assert run[output] == 0.0, output
    assert run.state is RunState.ABORTING
    assert run.until_end(300) is RunState.ABORTED
    for output in (*GAS, *RF, *HEAT):
        assert run[output] == 0.0, output
    assert run["rf.forward_w"] < 1.0
    assert run["gas_panel.purge.shut"] == 0.0
    assert run["vacuum.dry_pump.stop"] == 0.0
    if fault["fault"] != "pump_trip":  # it leaves no way out: the purge only dilutes
        assert run.plant.state()["amount_mol"]["SiH4"] < 1e-6


def test_a_plasma_that_does_not_light_holds_the_run_with_the_gas_shut() -> None:
    """Nothing dangerous has happened: a person decides."""
    run = ReactorRun()
    run.start(recipe="pecvd_si3n4_50nm")
    run.until_step("plasma_clean")
    run.plant.inject({"fault": "plasma_dark"})
    run.wait(45)
    assert run.state is RunState.HELD
    assert [run[output] for output in (*GAS, *RF)] == [0.0] * 10


def test_a_plasma_that_goes_out_in_the_film_is_held() -> None:
    run = depositing()
    run.plant.inject({"fault": "plasma_dark"})
    assert run.trip_delay("plasma_not_lit", 2.2) <= 2.1
    assert [run[output] for output in RF] == [0.0, 0.0]
    assert run.until_end(20) is RunState.HELD
    assert [run[output] for output in GAS] == [0.0] * 8


def test_a_lost_bias_holds_the_run() -> None:
    run = depositing()
    run.plant.inject({"fault": "sensor_offset", "tag": "match.bias_v", "value": 200.0})
    run.write("match.bias_mode", 0.0)
    assert run.trip_delay("bias_lost", 3.2) <= 3.2
    assert run.until_end(20) is RunState.HELD
    assert [run[output] for output in RF] == [0.0, 0.0]


def test_a_pressure_outside_of_the_plasmas_window_trips() -> None:
    """The throttle opens wide and the gases fail: the plasma would leave the gap."""
    run = depositing()
    run.plant.inject({"fault": "sensor_offset", "tag": "chamber.manometer_torr", "value": -0.99})
    run.plant.inject({"fault": "throttle_stuck"})
    assert run.trip_delay("rf_pressure_window", 1.0) <= 0.7
    assert [run[output] for output in (*GAS, *RF)] == [0.0] * 10


def test_power_that_nobody_asked_for_trips() -> None:
    """A generator that does not follow its enable line."""
    run = ReactorRun()
    run.plant.inject({"fault": "sensor_offset", "tag": "rf.forward_w", "value": 50.0})
    assert run.trip_delay("rf_without_command", 1.3) <= 1.2


def test_high_frequency_is_not_permitted_without_gas() -> None:
    """By hand, in an evacuated chamber: enable and power stay off."""
    run = ReactorRun()
    run.write("rf.power_w", 300.0)
    run.write("rf.enable", 1.0)
    run.wait(2)
    assert [run[output] for output in RF] == [0.0, 0.0]
    assert run.plant.state()["forward_w"] == 0.0


def test_fluoride_and_hydrides_never_flow_within_twenty_seconds_of_each_other() -> None:
    """Whichever comes first keeps the other shut, and for 20 s after it has been shut itself."""
    run = ReactorRun()
    for first, second in (("sih4", "nf3"), ("nf3", "nh3")):
        run.clear()
        run.wait(25)
        run.write(f"gas_panel.{first}.setpoint_sccm", 50.0)
        run.write(f"gas_panel.{first}.valve", 1.0)
        run.wait(2)
        assert run[f"gas_panel.{first}.valve"] == 1.0
        run.write(f"gas_panel.{second}.valve", 1.0)
        assert run[f"gas_panel.{second}.valve"] == 0.0
        run.write(f"gas_panel.{first}.valve", 0.0)
        run.write(f"gas_panel.{first}.setpoint_sccm", 0.0)
        run.wait(15)
        run.write(f"gas_panel.{second}.valve", 1.0)
        assert run[f"gas_panel.{second}.valve"] == 0.0
    assert "fluoride_meets_hydride" not in run.in_force()
    amounts = run.plant.state()["fed_mol"]
    assert amounts["NH3"] == 0.0


def test_silane_and_nitrous_oxide_may_not_meet_in_the_cold() -> None:
    run = ReactorRun(idle_c=100.0)
    run.clear()
    for gas in ("n2o", "sih4"):
        run.write(f"gas_panel.{gas}.setpoint_sccm", 50.0)
        run.write(f"gas_panel.{gas}.valve", 1.0)
    assert run.trip_delay("silane_oxidiser_window") <= 0.05
    assert [run[output] for output in GAS] == [0.0] * 8


def test_a_stuck_closed_controller_holds_the_run() -> None:
    run = depositing()
    run.plant.inject({"fault": "mfc_stuck", "gas": "SiH4", "value": "closed"})
    assert run.until_end(60) is RunState.HELD
    assert [run[output] for output in (*GAS, *RF)] == [0.0] * 10
    assert run["gas_panel.n2.valve"] == 1.0


def test_nothing_comes_back_when_a_trip_is_reset() -> None:
    run = depositing()
    run.plant.inject({"fault": "door_open"})
    run.until_end(300)
    run.plant.inject({"fault": "door_open", "clear": True})
    run.wait(1)
    run.scan.command(int(Command.RESET), run.layout.condition_index["door_lost"])
    run.wait(5)
    assert "door_lost" not in run.in_force()
    assert [run[output] for output in (*GAS, *RF, *HEAT)] == [0.0] * 11
