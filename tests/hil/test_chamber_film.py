"""What a chamber's instruments and its wafers say of a film beside its thickness."""

from functools import cache
from typing import Any

import pytest

from config.layout import Layout
from hil.chamber.composition import Composition, compose
from hil.chamber.parameters import Parameters
from hil.parts.coverage import cycle_coverage, step_coverage, sticking_of
from hil.parts.film import described
from hil.parts.optical import film_index
from hil.parts.parameters import changed
from kernels.growth import loading, nucleation_delay
from tests.hil.chambers import ChamberBench, shipped_chamber

FEED = {"sih2cl2": 200.0, "h2": 15000.0}


@cache
def composed(name: str) -> Composition:
    tool = shipped_chamber(name)
    assert tool.plant is not None
    return compose(Layout(tool), tool.plant, changed(Parameters(), tool.plant.parameters))


def grown(hcl: float, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Silicon on five wafers at 850 °C, hydrogen chloride as said; what was measured, and the plant's state."""
    bench = ChamberBench("epi_pancake", idle_c=850.0)
    settings = {"vacuum.throttle_valve.position_pct": 30.0, "heater.zone1.power_pct": 32.0}
    state = bench.run(seconds, settings, hcl=hcl, **FEED)
    return bench.plant.measure(), state


def test_an_etchant_keeps_the_mask_bare_and_nuclei_cover_it_without() -> None:
    """HCl over dichlorosilane of one half: selective; of a twentieth: film on the mask after its delay."""
    selective, _ = grown(110.0, 400.0)
    assert (selective["selectivity_score"], selective["mask_film_nm"]) == (1.0, 0.0)
    dirty, state = grown(10.0, 400.0)
    assert dirty["mask_film_nm"] > 1.0
    assert 0.0 < dirty["selectivity_score"] < 1.0
    mean = state["mean_partial_pa"]
    delay = nucleation_delay(state["mean_temperature_k"], mean["SiH2Cl2"], mean["HCl"])
    expected = (state["growth_s"] - delay) * state["mean_rate_m_s"] * 1e9
    assert dirty["mask_film_nm"] == pytest.approx(expected, abs=1e-2)
    assert "nucleation delay" in dirty["basis"]["selectivity_score"]


def test_openings_of_a_mask_take_what_would_have_grown_on_all_of_it() -> None:
    """Loading: between 1 (the surface decides) and 1/f (transport decides)."""
    assert loading(1e-6, 0.1, 0.3) == pytest.approx(1.0, rel=1e-4)
    assert loading(1e6, 0.1, 0.3) == pytest.approx(1.0 / 0.3, rel=1e-4)
    masked, _ = grown(110.0, 60.0)
    assert masked["open_share"] == 0.3


def test_a_mass_spectrometer_reads_pieces_of_one_gas_at_the_peak_of_another() -> None:
    """Silane leaves 28 % of its parent peak at the mass of nitrogen; the reading is the sum over all gases."""
    made_of = composed("uhvcvd_sige")
    silane, nitrogen = made_of.named("SiH4"), made_of.named("N2")
    assert made_of.cracking[nitrogen, silane] == pytest.approx(0.28)
    assert made_of.cracking[silane, silane] == 1.0
    bench = ChamberBench("uhvcvd_sige")
    partial = bench.run(120.0, {}, sih4=50.0, h2=100.0)["partial_pa"]
    seen = sum(made_of.cracking[silane, made_of.named(gas)] * pascal for gas, pascal in partial.items())
    assert bench.readings["metrology.rga_sih4_pa"] == pytest.approx(seen, rel=0.15)


def test_a_bubbler_is_lighter_by_what_has_left_it() -> None:
    """Content before less content after: what the chamber was fed, what meter and scale declare."""
    bench = ChamberBench("sacvd_oxide")
    full = bench.run(1.0)["level_mol"][0]
    state = bench.run(600.0, {"bubblers.teos.setpoint_c": 60.0}, teos=1500.0, n2=1000.0)
    left = state["level_mol"][0]
    declared = 7.4358e-7 * bench.readings["bubblers.teos.vapour_sccm"] * 600.0
    assert full - left == pytest.approx(state["fed_mol"]["TEOS"], rel=1e-3)
    assert full - left == pytest.approx(declared, rel=0.05), "the vapour that its meter declares, while it ran"
    assert bench.readings["bubblers.teos.level_pct"] == pytest.approx(100.0 * left / full, abs=0.5)


def test_ozone_is_made_out_of_oxygen_atom_by_atom() -> None:
    """3 O2 → 2 O3 in the line's generator: 0.08 mol for each mol of oxygen, whose atoms are all still there."""
    state = ChamberBench("sacvd_oxide").run(30.0, {}, o3=3000.0)
    fed = state["fed_mol"]
    assert fed["O3"] / (fed["O2"] + 1.5 * fed["O3"]) == pytest.approx(0.08, rel=1e-3)
    assert state["level_mol"] == ChamberBench("sacvd_oxide").run(1.0)["level_mol"], "a generator does not run out"


def test_a_second_frequency_gives_the_ions_energy_and_leaves_the_electrons_alone() -> None:
    """Nitride of 13.56 MHz alone is tensile; with more power at 400 kHz the same film ends in compression."""
    states, stresses = list[dict[str, Any]](), list[float]()
    for watts in (0.0, 10.0, 200.0):
        bench = ChamberBench("pecvd_dual", idle_c=350.0)
        gas = {"sih4": 50.0, "nh3": 100.0, "n2": 1000.0}
        settings = {"vacuum.throttle_valve.position_pct": 12.0, "heater.zone1.power_pct": 15.0}
        bench.run(20.0, settings, **gas)
        settings = {"rf.enable": 1.0, "rf.power_w": 200.0, "bias.enable": float(watts > 0.0), "bias.power_w": watts}
        states.append(bench.run(60.0, settings, **gas))
        stresses.append(bench.plant.measure()["stress_mpa"])
    alone, little, much = states
    assert much["electron_density_m3"] == pytest.approx(alone["electron_density_m3"], rel=0.02)
    assert much["bias_v"] < little["bias_v"] < alone["bias_v"] < 0.0
    assert stresses[0] > 300.0 > stresses[1] > stresses[2]
    assert stresses[2] < 0.0
    assert much["thickness_m"][0] == pytest.approx(alone["thickness_m"][0], rel=0.05)


@pytest.mark.parametrize(
    ("film", "law", "more", "low", "high"),
    [
        ("Si3N4", "Si3N4-plasma", {"low_frequency_share": 0.0}, 300.0, 500.0),
        ("Si3N4", "Si3N4-plasma", {"low_frequency_share": 1.0}, -300.0, -100.0),
        ("SiO2", "SiO2-TEOS", {}, -300.0, 0.0),
        ("epi-Si", "epi-Si", {}, 0.0, 0.0),
        ("SiGe", "poly-Si", {"alloy": "SiGe", "composition": 0.2}, -1600.0, -1000.0),
        ("W", "W", {}, 500.0, 2000.0),
    ],
)
def test_stress_has_its_sign_and_its_basis(film: str, law: str, more: dict[str, Any], low: float, high: float) -> None:
    """Plasma nitride +400 MPa at 13.56 MHz, −200 MPa at low frequency; strained SiGe is compressed by 1 to 1.6 GPa."""
    found = described(film, law, 5e-9, 700.0, **more)
    assert low <= found["stress_mpa"] <= high
    assert found["basis"]["stress_mpa"]
    assert found["roughness_rms_nm"] > 0.0
    assert set(found["basis"]) >= {"stress_mpa", "roughness_rms_nm"}


def test_a_thick_alloy_relaxes() -> None:
    found = described("SiGe", "poly-Si", 1e-6, 700.0, alloy="SiGe", composition=0.3)
    assert found["stress_mpa"] == 0.0
    assert "relaxed" in found["basis"]["stress_mpa"]


@pytest.mark.parametrize(
    ("law", "gas", "alloy", "share", "n", "k"),
    [
        ("Al2O3", {}, None, 0.0, 1.65, 0.0),
        ("SiO2-TEOS", {"TEOS": 50.0, "O2": 50.0}, None, 0.0, 1.44, 0.0),
        ("SiO2-plasma", {"SiH4": 0.1, "O2": 5.0}, None, 0.0, 1.45, 0.0),
        ("Si3N4-plasma", {"SiH4": 3.0, "NH3": 30.0}, None, 0.0, 2.0, 0.0),
        ("W-laser", {}, None, 0.0, 3.624, 2.9126),
        ("GaAs", {}, "AlGaAs", 0.0, 3.857, 0.198),
        ("GaAs", {}, "AlGaAs", 0.491, 3.526, 0.001),
        ("poly-Si", {}, "SiGe", 1.0, 5.472, 0.816),
        ("GaN", {}, "InGaN", 0.0, 2.385, 0.0),
    ],
)
def test_the_index_follows_from_the_film(
    law: str, gas: dict[str, float], alloy: str | None, share: float, n: float, k: float
) -> None:
    """Published indices of what a film is made of, by composition where it is an alloy."""
    found = film_index(law, gas, 700.0, alloy, share)
    assert found is not None
    assert (found.n, found.k) == pytest.approx((n, k), abs=2e-3)
    assert found.basis


def test_silicon_that_finds_no_reactant_raises_the_index_and_hydrogen_makes_crystals() -> None:
    poor, rich, amorphous, crystalline = (
        index.n
        for index in (
            film_index("Si3N4-plasma", {"SiH4": 10.0, "NH3": 3.0}, 600.0),
            film_index("Si3N4-plasma", {"SiH4": 10.0, "NH3": 60.0}, 600.0),
            film_index("uc-Si:H", {"SiH4": 1.0, "H2": 2.0}, 523.0),
            film_index("uc-Si:H", {"SiH4": 1.0, "H2": 100.0}, 523.0),
        )
        if index is not None
    )
    assert poor > 2.1
    assert rich < 2.01
    assert amorphous > crystalline > 3.88
    assert film_index("graphene", {"CH4": 10.0}, 1273.0) is None, "no data: the tool declares it"


def test_a_film_follows_a_trench_as_its_gas_is_slow_to_react() -> None:
    """Low-pressure silicon is conformal; radicals of a plasma that stick on their first hits leave the bottom thin."""
    slow = step_coverage(sticking_of(4.7e-5 * 0.0254, 33.0, 893.0, 32.1e-3), 33.0, 893.0, "SiH4")
    quick, dense = (step_coverage(0.15, pascal, 573.0, "SiH3") for pascal in (133.0, 101325.0))
    assert slow["step_coverage_pct"] > 99.0
    assert 20.0 < quick["step_coverage_pct"] < 40.0
    assert quick["conformality_score"] <= quick["step_coverage_pct"] / 100.0
    assert dense["step_coverage_pct"] < quick["step_coverage_pct"], "collisions keep radicals out"
    assert "SiH3" in quick["basis"]["step_coverage_pct"]


def test_a_saturated_pulse_reaches_the_bottom_and_a_starved_one_does_not() -> None:
    starved, enough, plenty = (cycle_coverage(0.01, dose, "TMAl")["step_coverage_pct"] for dose in (0.5, 5.0, 100.0))
    assert starved < 95.0 < enough < plenty == 100.0


def test_a_measured_alloy_says_its_elements_its_index_and_its_coverage() -> None:
    """The guide's composition: elements with their shares; each figure with what it rests on."""
    bench = ChamberBench("uhvcvd_sige", idle_c=550.0)
    bench.run(60.0, {"heater.zone1.power_pct": 20.0}, sih4=50.0, geh4=50.0, h2=100.0)
    found = bench.plant.measure()
    shares = found["composition"]
    assert shares["Ge"] == found["alloy_share"] > 0.01
    assert shares["Ge"] + shares["Si"] == pytest.approx(1.0)
    assert found["refractive_index"] > 3.881
    assert 0.0 < found["conformality_score"] <= 1.0
    assert {"refractive_index", "step_coverage_pct"} <= set(found["basis"])
    assert "declared" not in found["basis"]["refractive_index"]
