"""Recipes and service operations of the showerhead reactor on its simulated plant, with the real scan."""

import pytest

from config.loading import shipped_recipe
from config.recipe import load_recipe
from kernels.tables import Command, RunState
from tests.hil.showerhead import GAS, RF, ReactorRun
from tests.hil.tool_run import AT_REST

QUIET = AT_REST - {"boat_drive"} | {"rf_permissive"}
"""An evacuated chamber without gas: its lid stays locked, high frequency is not permitted."""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_guides_nitride_recipe_meets_its_targets(seed: int) -> None:
    """50 nm within 3 %, uniformity within its 5 %, silicon-rich as so little ammonia makes it, nothing left on."""
    recipe = load_recipe(shipped_recipe("pecvd_si3n4_50nm"))
    run = ReactorRun(seed=seed)
    run.start(recipe="pecvd_si3n4_50nm")
    assert run.until_end() is RunState.COMPLETE
    measured = run.plant.measure()
    assert measured["film"] == "Si3N4"
    assert measured["thickness_mean_nm"] == pytest.approx(recipe.thickness_target_nm, rel=0.03)
    assert measured["thickness_uniformity_pct"] <= recipe.uniformity_target_pct
    assert 2.0 < measured["refractive_index"] < 2.3
    assert measured["stress_type"] == "tensile"
    assert run.plant.state()["mean_bias_v"] == pytest.approx(-100, abs=3)
    assert run.plant.state()["strikes"] == 2
    assert run.in_force() == QUIET
    assert [run[output] for output in (*GAS, *RF)] == [0.0] * 10


@pytest.mark.parametrize(
    ("recipe", "film", "rate_nm_min", "index", "stress"),
    [("pecvd_sio2_100nm", "SiO2", 55.0, 1.45, "compressive"), ("pecvd_si3n4_100nm", "Si3N4", 32.0, 2.0, "tensile")],
)
def test_films_are_near_their_published_anchors(
    recipe: str, film: str, rate_nm_min: float, index: float, stress: str
) -> None:
    """Rate within 15 %, index within 0.01, sign of the stress at 13.56 MHz."""
    run = ReactorRun()
    run.start(recipe=recipe)
    run.until_step("deposition")
    run.wait(60)
    assert run["metrology.deposition_rate_nm_min"] == pytest.approx(rate_nm_min, rel=0.15)
    assert run.until_end() is RunState.COMPLETE
    measured = run.plant.measure()
    assert measured["film"] == film
    assert measured["thickness_mean_nm"] == pytest.approx(100.0, rel=0.03)
    assert measured["refractive_index"] == pytest.approx(index, abs=0.01)
    assert measured["stress_type"] == stress


def test_every_telemetry_signal_of_the_guide_that_applies_moves_in_a_run() -> None:
    """Power, reflection, bias, impedance, density, crystal, both optical thicknesses and the emission."""
    run = ReactorRun()
    run.start(recipe="pecvd_si3n4_50nm")
    run.until_step("deposition")
    signals = run.compiled.tool.telemetry.signals
    before = {name: run[tag] for name, tag in signals.items()}
    run.wait(120)
    assert run[signals["rf_power_w"]] == pytest.approx(300, abs=5)
    assert abs(run[signals["rf_reflected_w"]]) < 5
    assert run[signals["dc_bias_v"]] == pytest.approx(-100, abs=5)
    assert 50 < run[signals["plasma_impedance_ohm"]] < 200
    assert run[signals["plasma_density_proxy"]] > 10
    assert run[signals["qcm_thickness_nm"]] > before["qcm_thickness_nm"] + 5
    assert run[signals["qcm_rate_nm_per_s"]] > 0.03
    assert run[signals["ellipsometer_thickness_nm"]] == pytest.approx(20, abs=3)
    assert run[signals["reflectometer_thickness_nm"]] > run[signals["ellipsometer_thickness_nm"]]
    assert run["metrology.oes_sih_counts"] > 5000


def test_the_plasma_is_lit_only_in_settled_gas() -> None:
    """Whenever the high frequency is on, the pressure is within 15 % of the recipe's and its gases flow."""
    run = ReactorRun()
    run.start(recipe="pecvd_si3n4_50nm")
    run.until_step("deposition")
    while not run["rf.enable"]:
        run.scan.advance(1)
    assert run["chamber.pressure_torr"] == pytest.approx(1.0, rel=0.15)
    for gas, flow in (("sih4", 200), ("nh3", 20), ("n2", 1000)):
        assert run[f"gas_panel.{gas}.flow_sccm"] == pytest.approx(flow, rel=0.06)


@pytest.mark.parametrize("operation", ["pump_down", "vent", "leak_check", "cycle_purge", "purge", "standby"])
def test_an_operation_ends_within_its_bound(operation: str) -> None:
    run = ReactorRun(idle_c=250.0 if operation == "standby" else 300.0)
    declared = next(o for o in run.compiled.tool.operations if o.name == operation)
    run.start(operation=operation)
    assert run.until_end(declared.bound_s) is RunState.COMPLETE
    assert [run[output] for output in (*GAS, *RF)] == [0.0] * 10


def test_a_clean_takes_the_film_off_the_walls_and_its_fluorine_shows_it() -> None:
    """Two micrometres are gone in minutes; emission of fluorine rises when there is nothing left to take."""
    run = ReactorRun(wall_film_nm=2000.0)
    run.plant.inject({"fault": "wafer_out"})
    run.wait(1)
    run.start(operation="chamber_clean")
    run.until_step("clean")
    run.wait(30)
    with_film = run["metrology.oes_f_counts"]
    run.until_step("overetch")
    run.wait(5)
    assert run["metrology.oes_f_counts"] > 1.5 * with_film
    assert run.until_end(2200) is RunState.COMPLETE
    state = run.plant.state()
    assert state["wall_m"] < 5e-9
    assert state["reacted_mol"]["NF3"] > 0.0
    assert state["reacted_mol"]["SiF4"] == pytest.approx(-state["etched_mol"], rel=1e-9)


def test_the_chamber_is_not_cleaned_with_a_wafer_in_it() -> None:
    run = ReactorRun()
    run.start(operation="chamber_clean")
    assert run.until_end(300) is RunState.STOPPED
    assert run.plant.state()["fed_mol"]["NF3"] == 0.0


def test_a_leak_ends_the_recipe_before_any_silane() -> None:
    run = ReactorRun()
    run.plant.inject({"fault": "leak", "value": 0.2})
    run.start(recipe="pecvd_si3n4_50nm")
    assert run.until_end(900) is RunState.ABORTED
    assert run["control.leak_rate_mtorr_min"] > 5.0
    assert run.plant.state()["fed_mol"]["SiH4"] == 0.0


def test_a_hold_puts_the_plasma_out_and_a_restart_lights_it_in_settled_gas_again() -> None:
    """Held: gas and plasma off, purge on. Restarted: the film goes on to its thickness."""
    run = ReactorRun()
    run.start(recipe="pecvd_si3n4_50nm")
    run.until_step("deposition")
    run.wait(100)
    run.scan.command(int(Command.HOLD))
    run.wait(20)
    assert run.state is RunState.HELD
    assert [run[output] for output in (*GAS, *RF)] == [0.0] * 10
    assert run["gas_panel.n2.valve"] == 1.0
    run.scan.command(int(Command.RESTART))
    run.wait(30)
    assert run.state is RunState.RUNNING
    assert run["rf.forward_w"] == pytest.approx(300, abs=5)
    assert run.until_end() is RunState.COMPLETE
    assert run.plant.measure()["thickness_mean_nm"] == pytest.approx(50.0, rel=0.04)
    assert run.plant.state()["strikes"] == 3
