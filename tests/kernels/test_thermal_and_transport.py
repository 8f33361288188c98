"""kernels.thermal and kernels.transport: arguments, directions and refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import thermal, transport


@given(st.floats(1.0, 3000.0), st.floats(1.0, 3000.0))
def test_heat_flows_from_hot_to_cold(one: float, other: float) -> None:
    """The sign is that of the difference, and there and back cancel."""
    flow = thermal.radiative_exchange(0.1, one, other)
    assert flow == -thermal.radiative_exchange(0.1, other, one)
    assert (flow > 0.0) == (one > other) or abs(one - other) < 1e-9 * one


def test_a_hot_body_follows_faster() -> None:
    """The radiative time constant falls with the cube of the temperature."""
    hot, cold = (thermal.radiative_time_constant(1600.0, 0.12, t) for t in (1000.0, 500.0))
    assert cold / hot == pytest.approx(8.0)
    with pytest.raises(ValueError, match="above 0"):
        thermal.radiative_time_constant(1.0, 0.0, 1000.0)
    with pytest.raises(ValueError, match="above 0"):
        thermal.laser_peak_rise(1.0, 0.0, 148.0)


@given(st.floats(0.0, 20.0), st.floats(0.0, 20.0))
def test_a_faster_reaction_starves_the_centre_more(one: float, other: float) -> None:
    """The ratio falls with φ and stays between 0 and 1."""
    a, b = sorted((one, other))
    assert 1.0 >= transport.wafer_gap_ratio(a) >= transport.wafer_gap_ratio(b) > 0.0


def test_the_modulus_is_its_definition() -> None:
    """φ² = 2·ks·R²/(D·Δ); the profile is 1 at the edge."""
    assert transport.wafer_gap_modulus(0.01, 0.075, 0.1, 0.01) ** 2 == pytest.approx(2 * 0.01 * 0.075**2 / 1e-3)
    assert transport.wafer_gap_profile(0.7, [[0.0, 1.0]]).shape == (1, 2)
    assert transport.wafer_gap_profile(0.7, 1.0) == pytest.approx(1.0)


def test_no_more_film_than_silane() -> None:
    """A furnace so hot and large that all is used up: conversion 1, and not a mole more."""
    tube = transport.hot_wall_tube("poly-Si", np.full(30, 1100.0), 1.0, {"SiH4": 1e-5}, 30.0)
    assert tube.conversion == pytest.approx(1.0, abs=1e-9)
    assert np.all(tube.growth_m_s >= 0.0)
    assert tube.outlet_mol_s["SiH4"] >= 0.0
    assert tube.outlet_mol_s["H2"] == pytest.approx(2e-5, rel=1e-9)


def test_oxide_ends_with_the_oxidant() -> None:
    """With less nitrous oxide than silane could take, silane is left over and no flow becomes negative."""
    tube = transport.hot_wall_tube("SiO2", np.full(60, 1300.0), 1.0, {"SiH4": 1e-5, "N2O": 1e-5}, 60.0)
    assert tube.conversion == pytest.approx(0.5, abs=0.01)
    assert tube.outlet_mol_s["N2O"] >= 0.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("SiC", [900.0], 0.1, {"SiH4": 1e-5}, 30.0), "no rate law"),
        (("poly-Si", [900.0], 0.1, {"N2": 1e-5}, 30.0), "a flow of SiH4 above 0"),
        (("poly-Si", [900.0], 0.1, {"SiH4": 1e-5, "H2": -1.0}, 30.0), "no negative ones"),
        (("poly-Si", [0.0], 0.1, {"SiH4": 1e-5}, 30.0), "must be above 0"),
        (("poly-Si", [900.0], 0.0, {"SiH4": 1e-5}, 30.0), "must be above 0"),
        (("poly-Si", [900.0], 0.1, {"SiH4": 1e-5}, 0.0), "must be above 0"),
    ],
)
def test_a_tube_that_cannot_be_is_refused(arguments: tuple, words: str) -> None:
    """Each mistake in words."""
    with pytest.raises(ValueError, match=words):
        transport.hot_wall_tube(*arguments)


@pytest.mark.parametrize("phi", [-1.0, float("nan")])
def test_a_modulus_that_cannot_be_is_refused(phi: float) -> None:
    """Nothing negative, no NaN."""
    with pytest.raises(ValueError, match="phi must not be negative"):
        transport.wafer_gap_ratio(phi)
