"""The furnace as a reactor: growth, depletion along the tube, thickness over wafer and load, the measurement."""

import json
import math

import numpy as np
import pytest

from kernels import growth, transport
from tests.hil.furnace import OPEN_PUMP, SCCM, SHUT, Bench

CALM = {
    "slot_spread": 0.0, "tilt_spread": 0.0, "mfc_gain": 0.0, "thermocouple_offset_k": 0.0, "leak_sccm": 0.0,
    "outgassing_sccm": 0.0, "poly_silicon_factor": 1.0,
}  # fmt: skip


def load_map(bench: Bench) -> np.ndarray:
    """Thickness of every site, [wafers, sites], nm."""
    return np.array([wafer["thickness_nm"] for wafer in bench.plant.measure()["thickness_map"]])


def test_bare_wafers_measure_as_nothing() -> None:
    """Before any deposition there is no film, no uniformity and no index."""
    measured = Bench().plant.measure()
    assert measured["thickness_mean_nm"] == 0.0
    assert measured["thickness_uniformity_pct"] is None
    assert "refractive_index" not in measured


def test_nothing_grows_without_silane() -> None:
    """Nitrous oxide alone at 700 °C leaves no film."""
    bench = Bench()
    bench.run(60, {**SHUT, **bench.flow("n2o", 160), "vacuum.throttle_valve.position_pct": 21.0})
    assert bench.plant.measure()["thickness_max_nm"] == 0.0


def test_silane_alone_makes_silicon_and_with_nitrous_oxide_oxide() -> None:
    """What the film is follows from the gas."""
    silicon, oxide = Bench(), Bench()
    silicon.deposit(60, sih4=100, n2o=0)
    oxide.deposit(60, sih4=80, n2o=160)
    assert silicon.plant.measure()["film"] == "poly-Si"
    assert oxide.plant.measure()["film"] == "SiO2"


@pytest.mark.parametrize(("film", "n2o"), [("poly-Si", 0), ("SiO2", 160)])
def test_the_tube_in_steady_state_is_the_plug_flow_solution(film: str, n2o: float) -> None:
    """At rest the inventory model grows what kernels.transport.hot_wall_tube gives for the same flows, to 1 %."""
    bench = Bench(parameters=CALM)
    bench.hold_temperature(620 if film == "poly-Si" else 760, 900)
    bench.deposit(30, sih4=80, n2o=n2o)
    before = load_map(bench).mean(axis=1)
    state = bench.run(30)  # the middle of the interval: nobody controls the temperature meanwhile
    bench.run(30)
    grown = (load_map(bench).mean(axis=1) - before) / 60.0
    inside = {"SiH4": 80 * SCCM, "N2O": n2o * SCCM}
    tube, load = np.array(state["tube_k"]), np.array(state["load_k"])
    places = 0.45 + 0.00952 * (np.arange(25) - 12)
    u = places / 0.3 - 1.5
    wafers = load[1] + 0.5 * u * (load[2] - load[0]) + 0.5 * u**2 * (load[0] - 2 * load[1] + load[2])
    first = 0.45 - 12 * 0.00952
    u = 0.5 * first / 0.3 - 1.5
    entrance = tube[1] + 0.5 * u * (tube[2] - tube[0]) + 0.5 * u**2 * (tube[0] - 2 * tube[1] + tube[2])
    areas = [math.pi * 0.2 * first + 0.05, *[2 * math.pi * 0.075**2 + math.pi * 0.2 * 0.00952 + 0.002] * 25]
    solved = transport.hot_wall_tube(film, [entrance, *wafers], areas, inside, state["pressure_pa"])
    assert grown * 1e-9 == pytest.approx(solved.growth_m_s[1:], rel=0.012)


def test_depletion_thins_the_film_towards_the_pump() -> None:
    """At one temperature the first wafer, next to the gas inlet, grows fastest, and the last one slowest."""
    bench = Bench(parameters=CALM)
    bench.hold_temperature(620, 600)
    bench.deposit(120, sih4=100, n2o=0, throttle_pct=16.0)
    along = load_map(bench).mean(axis=1)
    state = bench.plant.state()
    assert state["load_k"][0] == pytest.approx(state["load_k"][2], abs=0.1)
    trend = np.polyfit(np.arange(25), along / along.mean(), 1)[0] * 24
    assert -0.15 < trend < -0.02


def test_less_silane_is_more_depleted() -> None:
    """Half the flow at the same pressure: the load's front and back differ more."""
    spreads = []
    for sih4, throttle in ((100.0, 16.0), (50.0, 12.5)):
        bench = Bench(parameters=CALM)
        bench.hold_temperature(620, 300)
        bench.deposit(120, sih4=sih4, n2o=0, throttle_pct=throttle)
        along = load_map(bench).mean(axis=1)
        spreads.append((along[0] - along[-1]) / along.mean())
    assert spreads[1] > 1.3 * spreads[0]


def test_growth_is_faster_at_the_edge_of_a_wafer() -> None:
    """Silane diffuses in between the wafers: the middle is thinner by φ²/4, per cents at 700 °C; a parabola."""
    bench = Bench(parameters={**CALM, "reflectometer_noise_nm": 0.0})
    bench.deposit(600, sih4=100, n2o=0, throttle_pct=16.0)
    sites = load_map(bench).mean(axis=0)
    centre, half, edge = sites[0], sites[1:5].mean(), sites[5:].mean()
    assert centre < half < edge
    assert 0.01 < 1.0 - centre / edge < 0.15
    assert (half - centre) / (edge - centre) == pytest.approx(0.25, abs=0.05)


def test_the_rate_follows_the_activation_energy() -> None:
    """20 K more: exp(18 500·ΔT/T²), the law's own temperature, within what depletion takes away."""
    rates = []
    for celsius in (740, 760):
        bench = Bench(parameters=CALM)
        bench.hold_temperature(celsius, 700)
        bench.deposit(20, sih4=80, n2o=160)
        before = load_map(bench).mean()
        bench.run(60)
        rates.append(load_map(bench).mean() - before)
    expected = growth.arrhenius(1.0, 18500 * 8.314462618, 1033.15) / growth.arrhenius(1.0, 18500 * 8.314462618, 1013.15)
    assert rates[1] / rates[0] == pytest.approx(expected, rel=0.04)


def test_the_map_and_its_figures_agree() -> None:
    """Mean, spread, least, greatest and half range over mean are those of the map; the whole is plain JSON."""
    bench = Bench()
    bench.deposit(120, sih4=80, n2o=160)
    measured = bench.plant.measure()
    sites = load_map(bench)
    assert sites.shape == (25, 9)
    assert len(measured["sites"]) == 9
    assert measured["thickness_mean_nm"] == pytest.approx(sites.mean(), abs=1e-3)
    assert measured["thickness_std_nm"] == pytest.approx(sites.std(), abs=1e-3)
    assert measured["thickness_min_nm"] == pytest.approx(sites.min(), abs=1e-3)
    assert measured["thickness_max_nm"] == pytest.approx(sites.max(), abs=1e-3)
    half_range = 100.0 * np.ptp(sites) / (2.0 * sites.mean())
    assert measured["thickness_uniformity_pct"] == pytest.approx(half_range, abs=0.01)
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured


def test_measuring_twice_gives_the_same_and_changes_nothing() -> None:
    """Metrology has its own random numbers: a measurement in between leaves the run as it was."""
    measured, left = Bench(seed=4), Bench(seed=4)
    for bench in (measured, left):
        bench.deposit(30, sih4=80, n2o=160)
    assert measured.plant.measure() == measured.plant.measure()
    assert measured.run(30) == left.run(30)
    assert measured.readings == left.readings
    assert measured.plant.measure() == left.plant.measure()


def test_new_wafers_are_bare() -> None:
    """Loading takes the film away at once, and the next film starts from nothing."""
    bench = Bench()
    bench.deposit(60, sih4=80, n2o=160)
    bench.run(30, {**SHUT, **OPEN_PUMP})
    bench.plant.load_wafers()
    assert bench.plant.measure()["thickness_max_nm"] == 0.0
    bench.run(2)
    assert bench.plant.measure()["thickness_max_nm"] == 0.0
    assert bench.readings["metrology.reflectometer_thickness_nm"] == pytest.approx(0.0, abs=0.3)


def test_the_index_of_the_oxide_follows_its_oxidant() -> None:
    """Starved of nitrous oxide the oxide holds silicon and its index rises; stoichiometric it is silica's."""
    indices = []
    for n2o in (400, 160, 80):
        bench = Bench()
        bench.deposit(60, sih4=60, n2o=n2o)
        indices.append(bench.plant.measure()["refractive_index"])
    assert indices == sorted(indices)
    assert indices[0] == pytest.approx(1.457, abs=0.003)
    assert 1.46 < indices[2] < 1.60


def test_thermal_oxide_is_under_compression() -> None:
    """Silica contracts less than silicon: some 200 MPa compressive after 700 to 800 °C."""
    bench = Bench()
    bench.deposit(60, sih4=80, n2o=160)
    measured = bench.plant.measure()
    assert -300.0 < measured["stress_mpa"] < -150.0
    assert measured["stress_type"] == "compressive"


def test_the_reflectometer_sees_the_middle_wafer() -> None:
    """In situ and measured thickness of the monitor agree within noise; its rate is the slope of the film."""
    bench = Bench()
    bench.deposit(120, sih4=80, n2o=160)
    monitor = load_map(bench)[12][0]
    assert bench.readings["metrology.reflectometer_thickness_nm"] == pytest.approx(monitor, abs=0.3)
    before = load_map(bench)[12][0]
    bench.run(30)
    slope = (load_map(bench)[12][0] - before) * 2.0
    assert bench.readings["metrology.deposition_rate_nm_min"] == pytest.approx(slope, abs=0.6)
