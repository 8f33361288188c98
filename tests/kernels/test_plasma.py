"""kernels.plasma: directions and refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import plasma as p


@given(st.floats(1.0, 1e4), st.floats(-2.0, 3.0), st.floats(0.02, 0.5), st.floats(0.02, 0.5), st.floats(0.0, 1.0))
def test_a_discharge_is_finite_or_refused(power: float, decade: float, radius: float, length: float, o2: float) -> None:
    try:
        got = p.global_model(power, 10.0**decade, radius, length, {"Ar": 1.0 - o2, "O2": o2})
    except ValueError as error:
        assert "sustain" in str(error)  # noqa: PT017 (either outcome is right)
        return
    assert all(0.0 <= value < 1e30 for value in got[:6])
    assert 0.3 <= got.electron_temperature_ev <= 100.0


def test_higher_pressure_makes_colder_electrons() -> None:
    cold, hot = (p.global_model(500.0, pressure, 0.15, 0.1).electron_temperature_ev for pressure in (10.0, 0.1))
    assert cold < hot


@pytest.mark.parametrize("bad", [math.nan, -1.0, math.inf])
def test_numbers_without_meaning_are_refused(bad: float) -> None:
    for call in (
        lambda: p.global_model(bad, 1.0, 0.1, 0.1),
        lambda: p.global_model(100.0, bad, 0.1, 0.1),
        lambda: p.global_model(100.0, 1.0, 0.1, 0.1, {"Ar": bad}),
        lambda: p.global_model(100.0, 1.0, 0.1, 0.1, bias_power_w=bad),
        lambda: p.l_match(complex(bad, 1.0), 1e6),
        lambda: p.l_match(5.0 - 100j, bad),
        lambda: p.reflection(bad),
        lambda: p.child_thickness(bad, 1e19, 1e-26),
        lambda: p.sheath_capacitance(bad, 1.0),
        lambda: p.capacitive_bias(bad, 5.0 - 100j),
        lambda: p.radical_decay(bad, 1.0, 1.0),
        lambda: p.reflected_power(bad, 5.0 - 100j),
        lambda: p.capacitive_load(bad, 10.0, 0.03, 0.03),
        lambda: p.capacitive_load(100.0, bad, 0.03, 0.03),
        lambda: p.capacitive_load(100.0, 10.0, bad, 0.03),
        lambda: p.capacitive_load(100.0, 10.0, 0.03, bad),
        lambda: p.capacitive_load(100.0, 10.0, 0.03, 0.03, bad),
        lambda: p.capacitive_load(100.0, 10.0, 0.03, 0.03, area_ratio=bad),
        lambda: p.microwave_plasma(bad, 1e4),
        lambda: p.microwave_plasma(1e7, bad),
        lambda: p.methyl_fraction(0.01, bad, 1200.0),
        lambda: p.methyl_fraction(0.01, 0.01, bad),
        lambda: p.rate_coefficients("N2", bad),
        lambda: p.wall_loss_time(1.0, 1.0, 1.0, 1.0, 1.0, bad),
    ):
        with pytest.raises(ValueError, match="must be"):
            call()
    with pytest.raises(ValueError, match="no collision data of 'WF6'; there are Ar, H2, N2, NF3, NH3, O2, SiH4"):
        p.global_model(100.0, 1.0, 0.1, 0.1, {"WF6": 1.0})
    with pytest.raises(ValueError, match="must be above 0"):
        p.l_match(0j, 1e6)


@given(st.sampled_from(p.GASES), st.floats(1e-6, 1e9), st.floats(1e-6, 1e9), st.floats(1e-6, 1e3), st.floats(1e-6, 1e3))
def test_a_load_is_finite_or_refused(gas: str, power: float, pressure: float, area: float, gap: float) -> None:
    try:
        got = p.capacitive_load(power, pressure, area, gap, gases={gas: 1.0})
    except ValueError as error:
        assert "must" in str(error)  # noqa: PT017 (either outcome is right)
        return
    assert got.impedance_ohm.real > 0.0 > got.impedance_ohm.imag
    assert 0.5 * got.current_a**2 * got.impedance_ohm.real == pytest.approx(power, rel=1e-6)


@given(st.floats(1e-3, 1e12), st.floats(1e-3, 1e7), st.floats(1e-4, 1.0))
def test_microwave_gas_is_finite_or_refused(density: float, pressure: float, length: float) -> None:
    try:
        got = p.microwave_plasma(density, pressure, length)
    except ValueError as error:
        assert "below 6000 K" in str(error)  # noqa: PT017 (either outcome is right)
        return
    assert 1100.0 <= got.gas_temperature_k <= 6000.0
    assert 0.0 <= got.hydrogen_atoms <= 1.0


@pytest.mark.parametrize("gas", p.GASES)
def test_every_gas_ionises_faster_when_hotter(gas: str) -> None:
    cold, hot = p.rate_coefficients(gas, 2.0), p.rate_coefficients(gas, 4.0)
    assert hot["ionise"] > cold["ionise"] > 0.0
