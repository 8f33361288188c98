"""Sources of energy of the chambers: each does what its kernel says, and what breaks it ends the run safely."""

import math
from typing import Any

import pytest

from kernels import growth, pulse, sources, thermal
from kernels.tables import RunState
from tests.hil.chambers import ChamberBench, ChamberRun

OPEN = {"gas_panel.purge.shut": 1.0}


def test_a_wire_on_its_current_has_the_kernels_temperature() -> None:
    bench = ChamberBench("hwcvd_silicon", wire_cooling_w_k=0.0)
    state = bench.run(30.0, OPEN | {"filament.enable": 1.0, "filament.current_a": 14.0})
    expected = sources.filament_temperature(14.0, 0.6, 0.0005, walls_k=343.15, ageing=state["filament_ageing"])
    assert state["filament_k"] == pytest.approx(expected, rel=1e-3)
    assert bench.readings["filament.temperature_c"] == pytest.approx(expected - 273.15, abs=5.0)
    assert bench.readings["filament.lit"] == 1.0


def test_a_hot_wire_ages_and_a_hotter_one_faster() -> None:
    ages = list[float]()
    for current in (13.0, 16.0):
        bench = ChamberBench("hwcvd_silicon")
        ages.append(bench.run(600.0, {"filament.enable": 1.0, "filament.current_a": current})["filament_ageing"] - 1.0)
    assert 0.0 < ages[0] < 0.2 * ages[1]


def test_a_wire_that_breaks_trips_and_no_silane_flows_on() -> None:
    run = ChamberRun("hwcvd_silicon")
    run.start(recipe="hwcvd_asi_100nm")
    run.until_step("deposition")
    run.wait(60)
    assert run["filament.temperature_c"] == pytest.approx(1750.0, rel=0.03)
    run.plant.inject({"fault": "filament_broken"})
    run.wait(3)
    assert "filament_broken" in run.first_out() | run.in_force()
    assert run["gas_panel.sih4.valve"] == 0.0
    assert run.until_end() is RunState.ABORTED


def test_a_beam_heats_its_spot_as_the_kernel_says() -> None:
    bench = ChamberBench("lcvd_tungsten")
    state = bench.run(5.0, OPEN | {"laser.enable": 1.0, "laser.power_w": 2.0, "laser.scan_mm_s": 1.0})
    assert state["rise_k"] == pytest.approx(thermal.laser_peak_rise(2.0, 5e-6, 148.0, 0.6), rel=1e-3)
    assert bench.readings["laser.energy_mj"] == pytest.approx(2e3 * 5e-6 / 1e-3, rel=0.05), "over its own radius"


def test_a_nebuliser_is_emptied_by_what_its_mist_takes_along() -> None:
    bench = ChamberBench("aacvd_oxide")
    full = bench.run(1.0)["level_mol"][0]
    left = bench.run(600.0, {}, teos=3000.0, n2=5000.0)["level_mol"][0]
    declared = 7.4358e-7 * bench.readings["aerosol.teos.vapour_sccm"] * 600.0
    assert full - left == pytest.approx(declared, rel=0.05)
    assert bench.readings["aerosol.teos.level_pct"] == pytest.approx(100.0 * left / full, abs=0.5)


def test_tungsten_grows_only_where_the_beam_is() -> None:
    bench = ChamberBench("lcvd_tungsten")
    gas = OPEN | {"vacuum.throttle_valve.position_pct": 15.0}
    assert bench.run(60.0, gas, wf6=5.0, h2=200.0)["rate_m_s"] == 0.0
    lit = bench.run(10.0, {"laser.enable": 1.0, "laser.power_w": 2.0, "laser.scan_mm_s": 1.0})
    pressures = lit["partial_pa"]
    spot = growth.film_rate("W-laser", lit["wafer_k"] + lit["rise_k"], pressures)
    assert lit["rate_m_s"] == pytest.approx(spot * math.sqrt(math.pi) * 5e-6 / 2e-4, rel=0.05)


@pytest.mark.parametrize(
    ("tool", "recipe", "source"),
    [("lcvd_tungsten", "lcvd_w_line", "laser"), ("photo_cvd_silicon", "photo_asi_20nm", "lamp"),
     ("mpcvd_diamond", "mpcvd_diamond_5um", "microwave")],
)  # fmt: skip
def test_an_open_shield_takes_the_source_away_at_once(tool: str, recipe: str, source: str) -> None:
    """By wire in the plant and by the interlock: off within a second, and the run is over."""
    run = ChamberRun(tool)
    run.start(recipe=recipe)
    run.until_step("deposition")
    while not run[f"{source}.on"]:
        run.wait(1)
    run.plant.inject({"fault": "shield_open"})
    run.wait(1)
    assert "shield_open" in run.in_force()
    assert (run[f"{source}.enable"], run[f"{source}.on"]) == (0.0, 0.0)
    assert run.until_end() is RunState.ABORTED


def test_light_splits_silane_and_a_coated_window_takes_it_away() -> None:
    states = list[dict[str, Any]]()
    for nanometres in (0.0, 5000.0):
        bench = ChamberBench("photo_cvd_silicon", wall_film_nm=nanometres)
        gas = OPEN | {"vacuum.throttle_valve.position_pct": 10.0, "lamp.enable": 1.0, "lamp.power_w": 400.0}
        states.append(bench.run(60.0, gas, sih4=50.0, n2=200.0))
    assert states[1]["window"] == pytest.approx(math.exp(-0.5), rel=0.02)
    assert states[1]["rate_m_s"] / states[0]["rate_m_s"] == pytest.approx(states[1]["window"], rel=0.1)


def test_gas_without_a_flame_trips_in_seconds() -> None:
    """The igniter fails: acetylene is shut 4 s after it was opened."""
    run = ChamberRun("ccvd_diamond")
    run.plant.inject({"fault": "source_dark"})
    run.start(recipe="ccvd_diamond_10um")
    run.until_step("deposition")
    while not run["gas_panel.c2h2.valve"]:
        run.wait(0.1)
    run.wait(4.5)
    assert "flame_out" in run.in_force()
    assert (run["gas_panel.c2h2.valve"], run["gas_panel.o2.valve"], run["burner.igniter"]) == (0.0, 0.0, 0.0)
    assert run.until_end() is RunState.ABORTED


def test_a_bias_of_ions_costs_power_and_film() -> None:
    """V = P/(e·Γ·A); the sputtered film is missing."""
    gas = OPEN | {"vacuum.throttle_valve.position_pct": 68.0, "rf.enable": 1.0, "rf.power_w": 3000.0}
    films = list[float]()
    for bias_w in (0.0, 400.0):
        bench = ChamberBench("hdp_oxide")
        state = bench.run(10.0, gas | {"bias.enable": 1.0, "bias.power_w": bias_w}, sih4=60.0, o2=120.0, ar=60.0)
        start = state["thickness_m"][0]
        state = bench.run(30.0)
        films.append(state["thickness_m"][0] - start)
        assert state["bias_v"] == pytest.approx(-bias_w / (1.602177e-19 * state["ion_flux"] * 0.05), rel=0.02, abs=1e-6)
    assert 0.8 * films[0] < films[1] < 0.98 * films[0]


def test_more_microwaves_make_more_atoms_and_more_diamond() -> None:
    states = list[dict[str, Any]]()
    for watts in (1500.0, 3000.0):
        bench = ChamberBench("mpcvd_diamond")
        bench.run(150.0, OPEN | {"vacuum.throttle_valve.position_pct": 10.9}, ch4=10.0, h2=400.0)
        states.append(bench.run(60.0, {"microwave.enable": 1.0, "microwave.power_w": watts}))
    assert states[0]["lit"]
    assert 0.0 < states[0]["hydrogen"] < states[1]["hydrogen"] < 1.0
    assert 2000.0 < states[0]["plasma_gas_k"] < states[1]["plasma_gas_k"] < 4000.0
    assert states[1]["rate_m_s"] > states[0]["rate_m_s"] > 0.0


def test_a_cycle_of_half_reactions_adds_what_the_kernel_says() -> None:
    """Ten saturated cycles of alumina at 250 °C."""
    bench = ChamberBench("ald_showerhead", idle_c=250.0, wafer_drop=0.0, wafer_spread=0.0)
    steady = OPEN | {"vacuum.throttle_valve.position_pct": 35.0, "heater.zone1.power_pct": 17.0}
    steady |= {"gas_panel.tmal.setpoint_sccm": 50.0, "gas_panel.h2o.setpoint_sccm": 50.0}
    state = bench.run(20.0, steady, n2=400.0)
    for _ in range(10):
        for gas in ("tmal", "h2o"):
            bench.run(0.15, {f"gas_panel.{gas}.valve": 1.0})
            state = bench.run(1.2, {f"gas_panel.{gas}.valve": 0.0})
    per_cycle = growth.growth_per_cycle("Al2O3", state["wafer_k"])
    assert state["thickness_m"][0] == pytest.approx(10 * per_cycle, rel=0.02)
    assert state["coverage"] < 0.01


def test_a_purge_that_is_too_short_grows_without_limit() -> None:
    """Both precursors at once: more than a layer a cycle, as pulse.cycle says of an overlap."""
    grown = list[float]()
    for purge_s in (1.2, 0.05):
        bench = ChamberBench("ald_showerhead", idle_c=250.0)
        steady = OPEN | {"vacuum.throttle_valve.position_pct": 35.0, "heater.zone1.power_pct": 17.0}
        steady |= {"gas_panel.tmal.setpoint_sccm": 50.0, "gas_panel.h2o.setpoint_sccm": 50.0}
        state = bench.run(20.0, steady, n2=400.0)
        for _ in range(10):
            for gas in ("tmal", "h2o"):
                bench.run(0.15, {f"gas_panel.{gas}.valve": 1.0})
                state = bench.run(purge_s, {f"gas_panel.{gas}.valve": 0.0})
        grown.append(state["thickness_m"][0])
    overlap = pulse.cycle("Al2O3", 523.15, 200.0, 200.0, (0.15, 0.15), (0.05, 0.05), 0.1).overlap
    assert overlap > 0.1
    assert grown[1] > 1.2 * grown[0]


def test_the_microbalance_sees_every_half_reaction() -> None:
    """Mass comes with the metal's precursor and goes in part with water: a saw tooth that climbs."""
    bench = ChamberBench("ald_showerhead", idle_c=250.0)
    steady = OPEN | {"vacuum.throttle_valve.position_pct": 35.0, "gas_panel.tmal.setpoint_sccm": 50.0}
    bench.run(20.0, steady | {"gas_panel.h2o.setpoint_sccm": 50.0}, n2=400.0)
    seen = [bench.readings["metrology.qcm_thickness_nm"]]
    for gas in ("tmal", "h2o", "tmal"):
        bench.run(0.15, {f"gas_panel.{gas}.valve": 1.0})
        bench.run(1.2, {f"gas_panel.{gas}.valve": 0.0})
        seen.append(bench.readings["metrology.qcm_thickness_nm"])
    assert seen[1] - seen[0] == pytest.approx(0.06, abs=0.03)
    assert seen[2] - seen[1] == pytest.approx(0.105 - 0.06, abs=0.03)
    assert seen[3] > seen[2]


def test_chloride_of_gallium_comes_from_the_hot_boat() -> None:
    bench = ChamberBench("hvpe_gan", idle_c=850.0, mfc_gain=0.0)
    hot = {"heater.zone1.power_pct": 38.0, "heater.zone2.power_pct": 38.0, "vacuum.throttle_valve.position_pct": 37.0}
    state = bench.run(60.0, OPEN | hot, hcl=60.0, n2=3000.0)
    made, left = sources.gallium_chloride(60.0 * 7.4358e-7, state["zone_k"][0], 2.0)
    assert state["precursor_mol_s"][0] == pytest.approx(made, rel=1e-2)
    assert state["fed_mol"]["HCl"] / state["fed_mol"]["GaCl"] == pytest.approx(left / made, rel=0.1)


@pytest.mark.parametrize(
    "tool",
    ["ald_showerhead", "hdp_oxide", "hvpe_gan", "hwcvd_silicon", "rpcvd_nitride", "uhvcvd_sige", "mpcvd_diamond"],
)
def test_the_same_seed_gives_the_same_readings_and_nothing_is_lost(tool: str) -> None:
    ends = list[tuple[dict[str, float], dict[str, Any]]]()
    for _ in range(2):
        bench = ChamberBench(tool, seed=11)
        outputs = {name: 1.0 for name, tag in bench.tool_tags().items() if name.endswith((".valve", ".enable"))}
        outputs |= {name: 0.3 * tag.high for name, tag in bench.tool_tags().items() if "setpoint_sccm" in name}
        bench.run(60.0, outputs | {"vacuum.throttle_valve.position_pct": 30.0, "heater.zone1.power_pct": 30.0})
        ends.append((bench.readings, bench.plant.state()))
    assert ends[0] == ends[1]
    state = ends[0][1]
    start = ChamberBench(tool, seed=11).plant.state()["amount_mol"]
    for gas, amount in state["amount_mol"].items():
        balance = start[gas] + state["fed_mol"][gas] - state["pumped_mol"][gas] - state["reacted_mol"][gas]
        assert balance == pytest.approx(amount, rel=1e-6, abs=1e-9)
