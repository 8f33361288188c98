"""Similarity flows beside SciPy's boundary value solver and quadrature, over all Schmidt numbers."""

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad, solve_bvp

from kernels import similarity


def disk(reach: float = 20.0) -> tuple[np.ndarray, Any]:
    def equations(_x: np.ndarray, y: np.ndarray) -> np.ndarray:
        f, df, g, dg, h, _ = y
        return np.vstack([df, f**2 - g**2 + h * df, dg, 2 * f * g + h * dg, -2 * f, h])

    def ends(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.array([a[0], a[2] - 1.0, a[4], b[0], b[2], a[5]])

    x = np.linspace(0.0, reach, 400)
    start = np.vstack([0.5 * x * np.exp(-x), 0.5 * np.exp(-x), np.exp(-0.7 * x), -0.6 * np.exp(-x),
                       -0.88 * (1 - np.exp(-x)), -0.88 * x])  # fmt: skip
    solved = solve_bvp(equations, ends, x, start, tol=1e-9, max_nodes=100_000)
    assert solved.success
    return solved.y[:, 0], solved.sol


WALL, PROFILE = disk()


def test_the_disk_is_that_of_a_boundary_value_solver() -> None:
    """F′(0), G′(0), H∞ and the whole profile."""
    ours = similarity.von_karman()
    assert (ours.radial_shear, ours.azimuthal_shear) == pytest.approx((WALL[1], WALL[3]), rel=1e-6)
    eta = np.linspace(0.0, 15.0, 151)
    reference = PROFILE(eta)
    for got, column in zip(similarity.von_karman_profile(eta), (0, 2, 4), strict=True):
        assert got == pytest.approx(reference[column], abs=1e-6)


@pytest.mark.parametrize("schmidt", [0.2, 0.5, 0.7, 1.0, 2.0, 5.0, 30.0, 1000.0])
def test_mass_transfer_is_the_quadrature_over_that_profile(schmidt: float) -> None:
    """−c′(0) = 1/∫exp(Sc·∫H), by SciPy's adaptive quadrature."""
    end = min(20.0, 12.0 / schmidt ** (1 / 3) + 2.0 / schmidt)
    area, _ = quad(lambda eta: np.exp(schmidt * PROFILE(eta)[5]), 0.0, end, epsabs=1e-12, limit=400)
    area += np.exp(schmidt * PROFILE(end)[5]) / (schmidt * -PROFILE(end)[4])
    assert similarity.rotating_disk_sherwood(schmidt) == pytest.approx(1.0 / area, rel=2e-6)


def test_limits_of_large_and_small_schmidt_numbers() -> None:
    """Sc → ∞: Levich with its series, Sc → 0: all gas that comes in, −H∞·Sc; stagnation √(2·Sc/π)·√2."""
    assert similarity.rotating_disk_sherwood(1e9) == pytest.approx(0.62045 * 1e3 / (1 + 0.2980e-3), rel=1e-4)
    assert similarity.rotating_disk_sherwood(1e-6) == pytest.approx(0.884474e-6, rel=1e-5)
    assert similarity.stagnation_sherwood(1e-6) == pytest.approx(2e-3 / np.sqrt(np.pi), rel=2e-3)
    assert similarity.stagnation_sherwood(1e9) == pytest.approx(1e3 * (1.311938 / 3.0) ** (1 / 3) / 0.8929795, rel=1e-3)


def test_homann_beside_a_boundary_value_solver() -> None:
    """f″(0) and f′ over the layer."""

    def equations(_x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.vstack([y[1], y[2], y[1] ** 2 - 1.0 - 2.0 * y[0] * y[2]])

    x = np.linspace(0.0, 8.0, 300)
    start = np.vstack([x, np.ones_like(x), np.zeros_like(x)])
    solved = solve_bvp(equations, lambda a, b: np.array([a[0], a[1], b[1] - 1.0]), x, start, tol=1e-9, max_nodes=10**5)
    assert similarity.homann().wall_shear == pytest.approx(solved.y[2, 0], rel=1e-7)
    stream, velocity = similarity.homann_profile(x)
    assert velocity == pytest.approx(solved.sol(x)[1], abs=1e-6)
    assert stream == pytest.approx(solved.sol(x)[0], abs=1e-5)


def test_a_table_for_the_plant_keeps_a_millionth() -> None:
    for flow, exact in (
        ("rotating disk", similarity.rotating_disk_sherwood),
        ("stagnation", similarity.stagnation_sherwood),
    ):
        table = similarity.TransferTable(flow)
        for schmidt in np.geomspace(0.05, 100.0, 97)[1:-1]:
            assert table(schmidt) == pytest.approx(exact(schmidt), rel=1e-6)
        assert np.isnan(table(0.04))
        assert np.isnan(table(float("nan")))


@pytest.mark.parametrize("schmidt", [0.0, -1.0, float("nan"), float("inf"), 1e-7, 1e10])
def test_a_schmidt_number_that_is_none_is_refused(schmidt: float) -> None:
    with pytest.raises(ValueError, match="schmidt must be"):
        similarity.rotating_disk_sherwood(schmidt)
    with pytest.raises(ValueError, match="schmidt must be"):
        similarity.stagnation_sherwood(schmidt)
