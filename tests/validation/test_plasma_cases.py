"""Plasma: the published match, and balances that must close."""

import cmath
import math

import pytest

from kernels import plasma as p


def test_the_published_match() -> None:
    """5 − j100 Ω at 13.56 MHz: shunt 704 pF, series +115 Ω (0.5 %)."""
    got = p.l_match(5 - 100j, 13.56e6)
    print(f"L-match: expected 704 pF, 115 Ω; got {got.shunt_f * 1e12:.2f} pF, {got.series_ohm:.3f} Ω; tolerance 0.5 %")
    assert got.shunt_f == pytest.approx(704e-12, rel=5e-3)
    assert got.series_ohm == pytest.approx(115.0, rel=5e-3)


@pytest.mark.parametrize("load", [5 - 100j, 2 - 500j, 50 + 0j, 40 + 70j, 200 + 30j, 900 - 400j])
def test_a_matched_load_reflects_nothing(load: complex) -> None:
    """The network built up from its elements looks like 50 Ω."""
    match = p.l_match(load, 2e6)
    shunt = 2j * math.pi * 2e6 * match.shunt_f
    if match.shunt_at == "source":
        seen = 1.0 / (1.0 / (load + 1j * match.series_ohm) + shunt)
    else:
        seen = 1.0 / (1.0 / load + shunt) + 1j * match.series_ohm
    assert abs(p.reflection(seen)) == pytest.approx(0.0, abs=1e-6)


def test_argon_is_in_the_range_of_inductive_discharges() -> None:
    """500 W, 5 mTorr, 30 cm wide: 1e17 … 1e18 m⁻³ and 2.5 … 4 eV; density follows power, temperature does not."""
    one, two = (p.global_model(power, 0.667, 0.15, 0.10) for power in (500.0, 1000.0))
    assert 1e17 < one.electron_density_m3 < 1e18
    assert 2.5 < one.electron_temperature_ev < 4.0
    assert two.electron_density_m3 == pytest.approx(2.0 * one.electron_density_m3, rel=1e-9)
    assert two.electron_temperature_ev == one.electron_temperature_ev


def test_particles_balance() -> None:
    """What argon ionises in the volume arrives at the walls (1e-9)."""
    got = p.global_model(500.0, 1.0, 0.15, 0.10)
    t, volume, walls = got.electron_temperature_ev, math.pi * 0.15**2 * 0.10, 2 * math.pi * 0.15 * 0.25
    made = 2.34e-14 * t**0.59 * math.exp(-17.44 / t) * 1.0 / (1.380649e-23 * 300.0) * got.electron_density_m3 * volume
    assert made == pytest.approx(got.ion_flux_m2_s * walls, rel=1e-9)


def test_bias() -> None:
    """Capacitive: √P. Separate: the power of the ions, flux × area × voltage."""
    assert p.capacitive_bias(400.0, 5 - 100j) == pytest.approx(2.0 * p.capacitive_bias(100.0, 5 - 100j))
    got = p.global_model(500.0, 1.0, 0.15, 0.10, bias_power_w=300.0)
    power = got.dc_bias_v * 1.602176634e-19 * got.ion_flux_m2_s * math.pi * 0.15**2
    assert power == pytest.approx(300.0)
    assert abs(p.reflection(5 - 100j)) ** 2 == pytest.approx(abs(cmath.sqrt(-1)) - 4 * 50 * 5 / (55**2 + 100**2))
    assert p.sheath_capacitance(1e-3, 0.07) == pytest.approx(2.452 * 8.8541878128e-12 * 70.0)


def test_oxygen_has_negative_ions_and_atoms() -> None:
    """More of both with more oxygen; never more atoms than molecules gave."""
    few, many = (p.global_model(500.0, 1.0, 0.15, 0.10, {"Ar": 1.0 - x, "O2": x}) for x in (0.1, 0.9))
    assert many.negative_ion_ratio > few.negative_ion_ratio > 0.0
    assert few.radical_density_m3["O"] < many.radical_density_m3["O"] < 2.0 / (1.380649e-23 * 300.0)
