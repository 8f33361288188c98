"""kernels.growth: arguments, directions and refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import growth

ACTIVATED = ("poly-Si", "SiO2", "SiO2-LTO", "SiO2-TEOS", "SiO2-DCS", "W", "GaAs", "graphene", "TiN-TDMAT", "epi-Si",
             "epi-Si-SiHCl3", "epi-Si-SiCl4")  # fmt: skip
temperatures = st.floats(300.0, 2000.0)
pressures = st.floats(0.0, 1e4)


@given(temperatures, pressures, pressures)
def test_rates_are_never_negative_and_finite(temperature: float, silane: float, oxidant: float) -> None:
    """Over all conditions that a tool could meet."""
    gases = dict.fromkeys(growth.GASES, oxidant) | {"SiH4": silane}
    for film in growth.FILMS:
        rate = growth.film_rate(film, temperature, gases)
        assert 0.0 <= rate < 1.0


@given(temperatures, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_hydrogen_only_inhibits(temperature: float, silane: float, hydrogen: float) -> None:
    """With hydrogen there is never more growth than without."""
    without = growth.film_rate("poly-Si", temperature, {"SiH4": silane})
    assert growth.film_rate("poly-Si", temperature, {"SiH4": silane, "H2": hydrogen}) <= without


@given(st.floats(500.0, 1500.0), st.floats(1.0, 100.0))
def test_hotter_is_faster(temperature: float, more: float) -> None:
    """Every law of a surface reaction is activated."""
    for film in ACTIVATED:
        gas = dict.fromkeys(growth.GASES, 40.0) | {"SiH4": 20.0}
        assert growth.film_rate(film, temperature + more, gas) > growth.film_rate(film, temperature, gas)


def test_oxide_needs_an_oxidant() -> None:
    """Silane alone makes no oxide, and other gases change nothing."""
    assert growth.film_rate("SiO2", 1073.0, {"SiH4": 20.0}) == 0.0
    assert growth.film_rate("SiO2", 1073.0, {"SiH4": 20.0, "N2O": 9.0}) == growth.film_rate(
        "SiO2", 1073.0, {"SiH4": 20.0, "N2O": 9.0, "N2": 500.0}
    )


def test_arrhenius_is_its_definition() -> None:
    """At E = R·T it is the prefactor over e."""
    assert growth.arrhenius(2.0, 8.31446261815324 * 500.0, 500.0) == pytest.approx(2.0 / 2.718281828459045, rel=1e-12)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_none_is_refused(temperature: float) -> None:
    """Kelvin above zero."""
    with pytest.raises(ValueError, match="temperature_k must be above 0"):
        growth.arrhenius(1.0, 1.0, temperature)
    with pytest.raises(ValueError, match="temperature_k must be above 0"):
        growth.film_rate("poly-Si", temperature, {"SiH4": 1.0})


def test_an_unknown_film_names_those_that_exist() -> None:
    """No silent zero."""
    with pytest.raises(ValueError, match=r"no rate law for film 'SiC'; there are .*Si3N4.*poly-Si"):
        growth.film_rate("SiC", 1000.0, {"SiH4": 1.0})


@pytest.mark.parametrize("pressure", [-1.0, float("nan")])
def test_a_pressure_that_is_none_is_refused(pressure: float) -> None:
    """Named by its gas."""
    with pytest.raises(ValueError, match="partial pressure of H2"):
        growth.film_rate("poly-Si", 900.0, {"SiH4": 1.0, "H2": pressure})


def test_grove_refuses_what_has_no_meaning() -> None:
    """Neither negative nor both zero."""
    for ks, hg in ((-1.0, 1.0), (1.0, -1.0), (0.0, 0.0)):
        with pytest.raises(ValueError, match="must not be negative"):
            growth.grove(ks, hg, 1.0)


@pytest.mark.parametrize("bad", [float("nan"), 0.0, -1.0, float("inf"), 1e12])
def test_flames_and_carbon_refuse_what_has_no_meaning(bad: float) -> None:
    for call in (
        lambda: growth.combustion_growth(bad, 1000.0, 1200.0),
        lambda: growth.combustion_growth(0.95, bad, 1200.0),
        lambda: growth.combustion_growth(0.95, 1000.0, bad),
        lambda: growth.combustion_growth(0.95, 1000.0, 1200.0, methyl=bad),
        lambda: growth.graphene_carbon(bad, 1.0, 1.0),
        lambda: growth.graphene_carbon(1273.0, 1.0, bad),
    ):
        with pytest.raises(ValueError, match="must be"):
            call()


@given(st.floats(0.7, 1.3), st.floats(1.0, 1e6), st.floats(500.0, 2000.0), st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_flames_and_carbon_are_finite(
    ratio: float, strain: float, surface: float, methane: float, hydrogen: float
) -> None:
    assert 0.0 <= growth.combustion_growth(ratio, strain, surface).growth_m_s < 1e-3
    assert 0.0 <= growth.graphene_carbon(1200.0, methane, hydrogen).coverage <= 1.0
