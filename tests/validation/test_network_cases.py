"""Networks of heat and of gas, filaments, lasers and pulses beside SciPy and closed solutions."""

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from kernels import equipment, pulse, sources, thermal, vacuum

SIGMA = 5.670374419e-8


def test_a_furnace_warms_up_as_a_stiff_solver_says() -> None:
    """Three zones with unequal power for 40 min: every node within 0.05 K of LSODA."""
    furnace = thermal.multi_zone_furnace()
    names = list(furnace.temperatures)
    powers = {"element1": 2600.0, "element2": 2200.0, "element3": 2700.0}
    capacity = {"room": math.inf} | {
        f"{kind}{z}": value for z in (1, 2, 3) for kind, value in (("element", 7e3), ("tube", 2.4e3), ("load", 1.6e3))
    }
    edges = [(f"element{z}", f"tube{z}", 0.16) for z in (1, 2, 3)] + [(f"tube{z}", f"load{z}", 0.12) for z in (1, 2, 3)]
    edges += [(f"tube{z}", f"tube{z + 1}", 0.032) for z in (1, 2)] + [
        (f"load{z}", f"load{z + 1}", 0.024) for z in (1, 2)
    ]

    def rate(_t: float, y: np.ndarray) -> np.ndarray:
        t = dict(zip(names, y, strict=True))
        heat = dict.fromkeys(names, 0.0) | powers
        for one, other, area in edges:
            q = SIGMA * area * (t[one] ** 4 - t[other] ** 4)
            heat[one] -= q
            heat[other] += q
        for z in (1, 2, 3):
            heat[f"element{z}"] -= 3.6 * (t[f"element{z}"] - t["room"])
        return np.array([heat[name] / capacity[name] for name in names])

    reference = solve_ivp(rate, (0.0, 2400.0), [298.15] * len(names), method="LSODA", rtol=1e-9, atol=1e-6)
    found = furnace.step(2400.0, powers, parts=2400)
    assert [found[name] for name in names] == pytest.approx(reference.y[:, -1], abs=0.05)


def test_heat_is_conserved_to_rounding_however_long_the_step() -> None:
    """What the power put in is in the bodies, when there is no way out."""
    for parts in (1, 7, 500):
        network = thermal.ThermalNetwork({"a": 10.0, "b": 500.0}, {"a": 900.0, "b": 300.0}, [("a", "b", 0.3, 0.01)])
        before = network.energy_j
        network.step(100.0, {"b": 5.0}, parts=parts)
        assert network.energy_j - before == pytest.approx(500.0, rel=1e-9)


@pytest.mark.parametrize("make", [thermal.lamp_heated_wafer, thermal.heated_susceptor, thermal.multi_zone_furnace])
def test_at_rest_every_body_gives_what_it_takes(make: object) -> None:
    network = make()  # type: ignore[operator]
    heated = next(name for name in network.temperatures if name in {"filament", "heater", "element1"})
    network.steady({heated: 1500.0})
    flows = network.flows()
    assert max(abs(flows[name]) for name in flows) < 1e-6


def test_gas_in_three_volumes_follows_a_stiff_solver() -> None:
    """Pulses through a panel, a chamber and a foreline: partial amounts within 0.5 % of LSODA."""
    network = vacuum.GasNetwork(
        {"panel": 1e-3, "chamber": 0.03, "foreline": 0.01}, ["SiH4", "N2"],
        [("panel", "chamber", 0.01, 1e-4), ("chamber", "foreline", 0.05, 1e-3)], 300.0,
    )  # fmt: skip
    network.feed("panel", "SiH4", 2e-5)
    network.feed("chamber", "N2", 7e-5)
    network.pump("foreline", 0.05)
    network.fill("chamber", {"N2": 5.0})
    rt, volumes = 8.31446261815324 * 300.0, np.array([1e-3, 0.03, 0.01])

    def rate(_t: float, y: np.ndarray) -> np.ndarray:
        n = y.reshape(3, 2)
        p = n.sum(axis=1) * rt / volumes
        change = np.zeros((3, 2))
        change[0, 0] += 2e-5
        change[1, 1] += 7e-5
        for a, b, c, v in ((0, 1, 0.01, 1e-4), (1, 2, 0.05, 1e-3)):
            flow = (c + v * 0.5 * (p[a] + p[b])) * (p[a] - p[b]) / rt
            up = a if flow > 0 else b
            moved = flow * n[up] / max(n[up].sum(), 1e-300)
            change[a] -= moved
            change[b] += moved
        change[2] -= 0.05 * n[2] / volumes[2]
        return change.ravel()

    start = np.zeros((3, 2))
    start[1, 1] = 5.0 * 0.03 / rt
    reference = solve_ivp(rate, (0.0, 1.0), start.ravel(), method="LSODA", rtol=1e-9, atol=1e-14).y[:, -1].reshape(3, 2)
    network.step(1.0, parts=5000)
    for row, name in zip(reference, ("panel", "chamber", "foreline"), strict=True):
        assert list(network.amounts(name).values()) == pytest.approx(row, rel=5e-3, abs=1e-9)


def test_gas_is_conserved_and_ends_at_the_steady_pressure() -> None:
    network = vacuum.GasNetwork({"a": 0.03}, ["N2"], [])
    flow = vacuum.molar_flow(100.0)
    network.feed("a", "N2", flow)
    network.pump("a", 0.05)
    network.step(3.0, parts=3)
    assert network.amounts("a")["N2"] + network.pumped("a")["N2"] == pytest.approx(3.0 * flow, rel=1e-12)
    assert network.steady()["a"] == pytest.approx(vacuum.steady_pressure(flow, 0.05), rel=1e-9)


def test_conductances_meet_their_limits() -> None:
    """Long narrow tube: molecular within 1 % of π·d³·v̄/(12·L); at 1 bar Poiseuille within 1 %; a hole is v̄·A/4."""
    speed = vacuum.mean_speed(295.0, 28.0134e-3)
    assert speed == pytest.approx(472.2, rel=1e-3)
    thin = vacuum.tube_conductance(0.01, 10.0, 1e-6, 1.76e-5, 295.0, 28.0134e-3)
    assert thin == pytest.approx(math.pi * 1e-6 * speed / 120.0, rel=0.01)
    thick = vacuum.tube_conductance(0.01, 1.0, 1e5, 1.76e-5, 295.0, 28.0134e-3)
    assert thick == pytest.approx(math.pi * 1e-8 * 1e5 / (128.0 * 1.76e-5), rel=0.01)
    assert vacuum.orifice_conductance(1e-4, 295.0, 28.0134e-3) * 1e3 == pytest.approx(11.8, rel=0.01)


@pytest.mark.parametrize(
    ("speed", "ahead", "aside"), [(0.0, 0.0, 0.0), (0.5, 0.0, 0.0), (2.0, -5e-5, 3e-5), (20.0, 2e-5, 0.0)]
)
def test_a_scanned_spot_is_the_integral_of_its_heat(speed: float, ahead: float, aside: float) -> None:
    """Instantaneous sources of a Gaussian summed over time, by SciPy's quadrature (1e-5)."""
    power, w, k, d = 0.63, 5e-5, 148.0, 8.8e-5

    def part(root: float) -> float:
        t = root * root
        spread = w * w + 4.0 * d * t
        moved = (ahead + speed * t) ** 2 + aside**2
        return 2.0 * power * d**0.5 / (math.pi**1.5 * k * spread) * math.exp(-moved / spread)

    reference, _ = quad(part, 0.0, np.inf, limit=500)
    assert thermal.laser_scan_rise(power, w, k, d, speed, ahead, aside) == pytest.approx(reference, rel=1e-5)


def test_a_filament_burns_where_its_balance_closes() -> None:
    """I²R = εσA(T⁴ − T0⁴), and the transient ends there."""
    temperature = sources.filament_temperature(18.0, 0.3, 5e-4)
    resistance = sources.filament_resistivity(temperature) * 0.3 / (math.pi * 2.5e-4**2)
    lost = 0.33 * SIGMA * math.pi * 5e-4 * 0.3 * (temperature**4 - 400.0**4)
    assert 18.0**2 * resistance == pytest.approx(lost, rel=1e-9)
    assert sources.filament_after(300.0, 18.0, 120.0, 0.3, 5e-4, parts=12000) == pytest.approx(temperature, abs=0.01)
    for kelvin, micro_ohm_cm in ((2000.0, 56.7), (2500.0, 73.9), (3000.0, 92.0)):
        assert sources.filament_resistivity(kelvin) * 1e8 == pytest.approx(micro_ohm_cm, rel=2e-3)
    with pytest.raises(ValueError, match="melt"):
        sources.filament_temperature(40.0, 0.3, 5e-4)


def test_a_bubbler_of_trimethylgallium() -> None:
    """log₁₀ p(Torr) = 8.07 − 1703/T; F = F_c·p_v/(P − p_v); boiling is refused."""
    vapour = 133.322368 * 10 ** (8.07 - 1703.0 / 273.15)
    assert sources.vapour_pressure("TMGa", 273.15) == pytest.approx(vapour, rel=1e-6)
    assert sources.bubbler_flow("TMGa", 1e-5, 273.15, 1e5) == pytest.approx(1e-5 * vapour / (1e5 - vapour), rel=1e-6)
    with pytest.raises(ValueError, match="boils"):
        sources.bubbler_flow("TMGa", 1e-5, 300.0, 5000.0)


def test_a_cycle_is_the_langmuir_equation() -> None:
    """Both pulses with their purges, by SciPy."""
    tau = 0.08

    def covered(rate: float, seconds: float, purge: float) -> float:
        dose = rate * seconds + quad(lambda t: rate * math.exp(-t / tau), 0.0, purge)[0]
        return 1.0 - math.exp(-dose)

    made = pulse.cycle("Al2O3", 523.15, 20.0, 35.0, (0.05, 0.04), (1.0, 1.0), tau)
    assert made.first_coverage == pytest.approx(covered(20.0, 0.05, 1.0), rel=1e-9)
    assert made.second_coverage == pytest.approx(covered(35.0, 0.04, 1.0), rel=1e-9)
    full = pulse.cycle("Al2O3", 523.15, 1e4, 1e4, (1.0, 1.0), (5.0, 5.0), tau)
    assert full.growth_m == pytest.approx(0.105e-9, rel=1e-6)
    hurried = pulse.cycle("Al2O3", 523.15, 1e4, 1e4, (1.0, 1.0), (0.0, 5.0), tau)
    assert hurried.growth_m > 2.0 * full.growth_m


def test_a_mass_flow_controller_settles_within_two_per_cent_in_a_second() -> None:
    """Dead time 100 ms, ζ 0.8: nothing before, ±2 % after about a second; the same at any step."""
    fine, coarse = (equipment.FlowController(1e-4, step) for step in (0.005, 0.05))
    trace = [fine.step(5e-5) for _ in range(400)]
    assert max(trace[:19]) == 0.0
    assert all(abs(flow / 5e-5 - 1.0) < 0.02 for flow in trace[260:])
    assert [coarse.step(5e-5) for _ in range(40)][-1] == pytest.approx(trace[-1], rel=1e-3)


def test_the_match_finds_its_load() -> None:
    """5 − j100 Ω at 13.56 MHz: shunt 704 pF, series +115 Ω (0.5 %), and nothing is reflected then."""
    drive = equipment.MatchDrive()
    shares = [drive.step(5 - 100j, 0.02) for _ in range(30)]
    shunt, series = drive.elements
    assert shunt / (2.0 * math.pi * 13.56e6) * 1e12 == pytest.approx(704.0, rel=5e-3)
    assert series == pytest.approx(115.0, rel=5e-3)
    assert shares[0] > 0.8
    assert shares[-1] < 1e-12
