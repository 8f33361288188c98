"""kernels.conformality: directions and refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import conformality as c

shapes = st.sampled_from(["trench", "via"])


@settings(max_examples=25, deadline=None)
@given(st.floats(0.001, 1.0), st.floats(1e-3, 100.0), shapes)
def test_flux_lies_between_none_and_all(sticking: float, depth: float, shape: str) -> None:
    flux = c.ballistic_profile(sticking, depth, shape, 20).flux
    assert np.all((flux > 0.0) & (flux < 1.0))
    assert c.bottom_flux(sticking, depth * 1.5, shape) < flux[-1]


@settings(max_examples=25, deadline=None)
@given(st.floats(1e-4, 1.0), st.floats(1e-3, 200.0), shapes, st.floats(0.05, 0.99))
def test_a_feature_takes_longer_than_a_flat_surface(sticking: float, depth: float, shape: str, share: float) -> None:
    assert c.ald_saturation_exposure(sticking, depth, shape, share) > -math.log1p(-share) / sticking * (1 - 1e-6)


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-3, 1.0), st.floats(0.1, 40.0), shapes, st.floats(0.0, 1e4))
def test_coverage_is_a_share(sticking: float, depth: float, shape: str, exposure: float) -> None:
    covered = c.ald_coverage(sticking, depth, exposure, shape, 20).flux
    assert np.all((covered >= 0.0) & (covered <= 1.0))


def test_without_sticking_the_flux_is_even() -> None:
    assert c.ballistic_profile(0.0, 30.0).flux == pytest.approx(1.0, rel=1e-8)


@pytest.mark.parametrize("bad", [math.nan, -1.0, math.inf, 1e9])
def test_numbers_without_meaning_are_refused(bad: float) -> None:
    for call in (
        lambda: c.clausing_transmission(bad),
        lambda: c.clausing_transmission_slot(bad),
        lambda: c.bottom_flux(bad, 1.0),
        lambda: c.bottom_flux(0.5, bad),
        lambda: c.ballistic_profile(0.5, bad),
        lambda: c.diffusion_profile(bad, 1.0),
        lambda: c.ald_saturation_exposure(bad, 1.0),
        lambda: c.ald_saturation_exposure(0.5, 1.0, coverage=bad),
        lambda: c.ald_coverage(0.5, bad, 1.0),
        lambda: c.film_coverage(bad, 2.0, 0.1),
        lambda: c.film_coverage(0.5, bad, 0.1),
        lambda: c.film_coverage(0.5, 2.0, bad),
    ):
        with pytest.raises(ValueError, match="must be"):
            call()
    with pytest.raises(ValueError, match="trench or via"):
        c.bottom_flux(0.5, 1.0, "pore")
    with pytest.raises(ValueError, match="cells must be"):
        c.ballistic_profile(0.5, 1.0, cells=0)
    with pytest.raises(ValueError, match="model must be"):
        c.film_coverage(0.5, 1.0, 0.1, model="fluid")
    with pytest.raises(ValueError, match="steps must be"):
        c.film_coverage(0.5, 1.0, 0.1, steps=0)


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.01, 1.0),
    st.floats(0.1, 20.0),
    st.floats(0.01, 0.45),
    shapes,
    st.sampled_from(["ballistic", "diffusion"]),
)
def test_growth_covers_less_below(sticking: float, depth: float, growth: float, shape: str, model: str) -> None:
    film = c.film_coverage(sticking, depth, growth, shape, 20, model, 5).flux
    assert np.all((film > 0.0) & (film <= 1.0))
    assert film[-2] <= film[0]


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 5.0, 10.0])
def test_a_slot_passes_what_berman_s_variational_formula_says(ratio: float) -> None:
    """A. S. Berman, J. Appl. Phys. 36, 3356 (1965): variational, a little too high for long slots."""
    root = math.hypot(1.0, ratio)
    correction = 1.5 * (ratio - math.log(ratio + root)) ** 2 / (ratio**3 + 3 * ratio**2 + 4 - (ratio**2 + 4) * root)
    expected = 0.5 * (1.0 + root - ratio) - correction
    assert c.clausing_transmission_slot(ratio) == pytest.approx(expected, rel=1.5e-3)
