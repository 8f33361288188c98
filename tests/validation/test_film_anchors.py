"""Absolute anchors of the films: growth, activation and orders beside the figures that the literature supports."""

import math

import pytest

from kernels import growth

ANCHORS = [
    # film, K, gases in Pa, expected low and high in nm/min, factor that the literature supports
    ("SiO2-TEOS", 1000.0, {"TEOS": 40.0}, 10.0, 30.0, 1.5),
    ("SiO2-DCS", 1123.15, {"SiH2Cl2": 20.0, "N2O": 100.0}, 3.0, 3.0, 1.3),
    ("SiO2-DCS", 1223.15, {"SiH2Cl2": 20.0, "N2O": 100.0}, 10.0, 10.0, 1.3),
    ("SiO2-plasma", 573.15, {"SiH4": 3.0, "N2O": 60.0}, 55.0, 55.0, 1.3),
    ("Si3N4-plasma", 573.15, {"SiH4": 3.0, "NH3": 10.0, "N2": 50.0}, 32.0, 32.0, 1.3),
    ("Si3N4", 1073.15, {"SiH2Cl2": 10.0, "NH3": 30.0}, 2.0, 6.0, 1.3),
    ("poly-Si", 893.15, {"SiH4": 33.0}, 10.0, 10.0, 2.0),
    ("SiO2", 1073.15, {"SiH4": 22.2, "N2O": 44.4}, 5.0, 5.0, 1.3),
    ("GaN", 1300.0, {"TMGa": 0.02, "NH3": 2000.0}, 17.0, 83.0, 1.5),
]
ENERGIES = [
    ("SiO2-TEOS", (950.0, 1000.0), {"TEOS": 40.0}, 190.0, 190.0),
    ("Si3N4", (1023.0, 1123.0), {"SiH2Cl2": 10.0, "NH3": 30.0}, 125.0, 185.0),
    ("W", (623.0, 673.0), {"H2": 100.0, "WF6": 10.0}, 64.0, 73.0),
    ("GaAs", (723.0, 773.0), {"TMGa": 2.0, "AsH3": 100.0}, 109.0, 126.0),
    ("epi-Si", (1123.0, 1173.0), {"SiH2Cl2": 100.0, "H2": 1e4}, 160.0, 160.0),
    ("graphene", (1223.0, 1273.0), {"CH4": 60.0, "H2": 4.0}, 241.0, 241.0),
]


@pytest.mark.parametrize(("film", "kelvin", "gases", "low", "high", "factor"), ANCHORS)
def test_a_film_grows_as_reported(
    film: str, kelvin: float, gases: dict[str, float], low: float, high: float, factor: float
) -> None:
    got = growth.film_rate(film, kelvin, gases) * 60e9
    print(f"{film} at {kelvin:g} K: expected {low:g} … {high:g} nm/min, got {got:.2f}, tolerance ×{factor:g}")
    assert low / factor <= got <= high * factor


@pytest.mark.parametrize(("film", "kelvin", "gases", "low", "high"), ENERGIES)
def test_a_film_is_activated_as_reported(
    film: str, kelvin: tuple[float, float], gases: dict[str, float], low: float, high: float
) -> None:
    """kJ/mol, 5 %."""
    cold, hot = (growth.film_rate(film, t, gases) for t in kelvin)
    got = 8.314462618e-3 * math.log(hot / cold) / (1.0 / kelvin[0] - 1.0 / kelvin[1])
    print(f"{film}: expected {low:g} … {high:g} kJ/mol, got {got:.1f}, tolerance 5 %")
    assert 0.95 * low <= got <= 1.05 * high


@pytest.mark.parametrize(("film", "kelvin", "expected"), [("Al2O3", 523.15, 0.105e-9), ("TiN", 660.0, 0.02e-9)])
def test_a_cycle_adds_what_is_reported(film: str, kelvin: float, expected: float) -> None:
    got = growth.growth_per_cycle(film, kelvin)
    print(f"{film} at {kelvin:g} K: expected {expected:g} m a cycle, got {got:.3g}, tolerance 10 %")
    assert got == pytest.approx(expected, rel=0.1)


def test_orders_of_tungsten_and_of_the_hydride_process() -> None:
    """W: H2 ×4 and WF6 ×64 each double; GaN-HVPE: linear in GaCl, most at a hydrogen fraction of 0.15."""
    base = growth.film_rate("W", 673.0, {"H2": 100.0, "WF6": 10.0})
    for gases in ({"H2": 400.0, "WF6": 10.0}, {"H2": 100.0, "WF6": 640.0}):
        assert growth.film_rate("W", 673.0, gases) == pytest.approx(2.0 * base, rel=0.05)
    shares = [0.02 * k for k in range(1, 40)]
    rates = [growth.film_rate("GaN-HVPE", 1300.0, {"GaCl": 50.0, "NH3": 5e3, "H2": 1e4 * x, "N2": 1e4 * (1 - x)})
             for x in shares]  # fmt: skip
    assert shares[rates.index(max(rates))] == pytest.approx(0.15, abs=0.02)


def test_flame_grown_diamond() -> None:
    """Acetylene torches at 1 atm: tens of µm/h (30 … 100, ×2); most carbon-rich and least at 1.1."""
    got = growth.combustion_growth(0.96, 3000.0, 1200.0)
    print(f"flame diamond: expected 30 … 100 µm/h, got {got.growth_m_s * 3.6e9:.1f}, tolerance ×2")
    assert 15.0 < got.growth_m_s * 3.6e9 < 200.0
    assert 0.0 < got.surface_hydrogen < got.burned_hydrogen


def test_carbon_on_copper_is_in_equilibrium_with_the_gas() -> None:
    """CH4 = C + 2 H2 at 1273 K: K near 100 bar (×1.3); activity ∝ p_CH4/p_H2²."""
    one, two = (growth.graphene_carbon(1273.15, 60.0, hydrogen) for hydrogen in (1000.0, 2000.0))
    constant = one.activity / (60.0e-5 / (1000.0e-5) ** 2)
    print(f"CH4 = C + 2 H2: expected 100 bar, got {constant:.1f}, tolerance ×1.3")
    assert 100.0 / 1.3 < constant < 130.0
    assert one.activity == pytest.approx(4.0 * two.activity)
    assert two.coverage < one.coverage < 1.0
