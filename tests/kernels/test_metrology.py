"""kernels.metrology: directions and refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import metrology as m
from kernels.index_data import MATERIALS


@given(
    st.floats(200.0, 2000.0),
    st.lists(st.tuples(st.complex_numbers(min_magnitude=0.1, max_magnitude=6.0), st.floats(0.0, 1e6)), max_size=5),
    st.floats(0.0, 89.9),
    st.sampled_from(["s", "p", "unpolarised"]),
)
def test_no_stack_reflects_more_than_all(wave: float, films: list, angle: float, polarisation: str) -> None:
    films = [(complex(abs(n.real) + 0.1, abs(n.imag)), d) for n, d in films]
    assert 0.0 <= m.reflectance(wave, films, 3.9 + 0.02j, angle, polarisation) <= 1.0 + 1e-9


@pytest.mark.parametrize("bad", [math.nan, -1.0, math.inf])
def test_numbers_without_meaning_are_refused(bad: float) -> None:
    for call in (
        lambda: m.reflectance(bad, [], 1.5),
        lambda: m.reflectance(500.0, [(1.5, bad)], 1.5),
        lambda: m.reflectance(500.0, [(bad, 1.0)], 1.5),
        lambda: m.reflectance(500.0, [], bad),
        lambda: m.psi_delta(500.0, [], 1.5, bad),
        lambda: m.sauerbrey(bad),
        lambda: m.z_match(5e6, bad),
        lambda: m.planck_radiance(950.0, bad),
        lambda: m.pyrometer_reading(950.0, 1000.0, bad),
        lambda: m.fringe_rate(bad, 632.8, 1.5),
        lambda: m.rga_spectrum({"Ar": bad}),
        lambda: m.silica_index(bad),
        lambda: m.index("Si", bad),
        lambda: m.index("SiO2", [500.0, bad]),
        lambda: m.oes_intensity("F", bad, 1.0),
        lambda: m.oes_intensity("F", 1.0, bad),
        lambda: m.oes_intensity("F", 1.0, 1.0, bad),
    ):
        with pytest.raises(ValueError, match=r"must|index"):
            call()
    with pytest.raises(ValueError, match="no cracking pattern"):
        m.rga_spectrum({"Xx": 1.0})
    with pytest.raises(ValueError, match="polarisation"):
        m.reflectance(500.0, [], 1.5, 0.0, "x")
    with pytest.raises(ValueError, match="no index of 'Xx'; there are Al2O3"):
        m.index("Xx", 600.0)
    with pytest.raises(ValueError, match="no line of"):
        m.oes_intensity("Xx", 1.0, 1.0)


@given(st.sampled_from(sorted(MATERIALS)), st.floats(400.0, 800.0))
def test_every_index_covers_the_visible(material: str, wave: float) -> None:
    got = m.index(material, wave)
    assert isinstance(got, complex)
    assert got.real > 1.0
    assert got.imag >= 0.0
    assert np.array_equal(m.index(material, [wave, wave]), [got, got])


def test_light_of_a_line_follows_electrons_and_atoms() -> None:
    assert m.oes_intensity("F", 2e16, 3e19, 1e-30) == pytest.approx(0.6e6)
