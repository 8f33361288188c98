"""Transport in a hot-wall tube: the wafer gap and the depletion along the tube, beside SciPy."""

import numpy as np
import pytest
from scipy.integrate import solve_bvp, solve_ivp
from scipy.special import iv

from kernels import growth, transport, vacuum


@pytest.mark.parametrize("phi", [0.0, 1e-6, 0.1, 1.0, 3.0, 10.0, 50.0])
def test_the_gap_ratio_is_one_over_the_bessel_function(phi: float) -> None:
    """Over the whole range, to rounding."""
    assert transport.wafer_gap_ratio(phi) == pytest.approx(1.0 / iv(0, phi), rel=1e-12)


@pytest.mark.parametrize("phi", [0.3, 1.0, 2.5])
def test_the_gap_profile_solves_diffusion_with_reaction(phi: float) -> None:
    """c″ + c′/r = φ²·c between two reacting wafers, c = 1 at the edge, by SciPy's boundary value solver (1e-5)."""
    radii = np.linspace(0.0, 1.0, 201)
    singular = np.array([[0.0, 0.0], [0.0, -1.0]])  # −c′/r

    def equation(_r: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.vstack([y[1], phi**2 * y[0]])

    def ends(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.array([a[1], b[0] - 1.0])

    solved = solve_bvp(
        equation, ends, radii, np.vstack([np.ones_like(radii), np.zeros_like(radii)]), S=singular, tol=1e-8
    )
    assert solved.success
    assert transport.wafer_gap_profile(phi, radii) == pytest.approx(solved.sol(radii)[0], rel=1e-5)


def reference_tube(
    film: str, temperatures: np.ndarray, areas: np.ndarray, inlet: dict[str, float], pressure: float
) -> tuple[np.ndarray, np.ndarray]:
    """The same equation by LSODA at 1e-10: growth of each station, and flows at the end."""
    flows = np.array([inlet.get(gas, 0.0) for gas in ("SiH4", "N2O", "H2")])
    inert = sum(flow for gas, flow in inlet.items() if gas not in {"SiH4", "N2O", "H2"})
    oxide = film == "SiO2"
    grown = np.empty(len(areas))
    for i, (temperature, area) in enumerate(zip(temperatures, areas, strict=True)):

        def rate(_a: float, f: np.ndarray, temperature: float = temperature) -> np.ndarray:
            # N2 of the oxide's reaction: whatever nitrous oxide is gone
            total = f.sum() + inert + (inlet.get("N2O", 0.0) - f[1])
            p: dict[str, float] = dict(zip(("SiH4", "N2O", "H2"), pressure * f / total, strict=True))
            r = growth.molar_rate(film, temperature, p)
            return np.array([-r, -2.0 * r if oxide else 0.0, 2.0 * r])

        end = solve_ivp(rate, (0.0, area), flows, method="LSODA", rtol=1e-10, atol=1e-18)
        grown[i] = (flows[0] - end.y[0, -1]) / area * growth.MOLAR_VOLUME[film]
        flows = end.y[:, -1]
    return grown, flows


@pytest.mark.parametrize(
    ("film", "celsius", "inlet", "torr"),
    [
        ("poly-Si", 620.0, {"SiH4": 100.0}, 0.25),
        ("poly-Si", 650.0, {"SiH4": 100.0}, 0.25),
        ("poly-Si", 620.0, {"SiH4": 50.0, "H2": 100.0, "N2": 50.0}, 0.5),
        ("SiO2", 800.0, {"SiH4": 80.0, "N2O": 160.0}, 0.5),
        ("SiO2", 850.0, {"SiH4": 20.0, "N2O": 400.0, "N2": 100.0}, 0.8),
    ],
)
def test_the_tube_agrees_with_a_stiff_solver(film: str, celsius: float, inlet: dict[str, float], torr: float) -> None:
    """Growth of each of 50 wafers and the conversion, beside LSODA (1e-5)."""
    temperatures = celsius + 273.15 + np.linspace(-3.0, 12.0, 50)
    areas = np.full(50, 0.0435)
    molar = {gas: vacuum.molar_flow(flow) for gas, flow in inlet.items()}
    solved = transport.hot_wall_tube(film, temperatures, areas, molar, torr * vacuum.PA_PER_TORR)
    grown, flows = reference_tube(film, temperatures, areas, molar, torr * vacuum.PA_PER_TORR)
    assert solved.growth_m_s == pytest.approx(grown, rel=1e-5)
    assert solved.conversion == pytest.approx(1.0 - flows[0] / molar["SiH4"], rel=1e-5)
    assert solved.outlet_mol_s["H2"] == pytest.approx(flows[2], rel=1e-5)


def test_first_order_depletion_is_exponential() -> None:
    """Highly diluted, at so little silane that the law is linear: F/F0 = exp(−k·p0·A/F0) (1e-4)."""
    inlet = {"SiH4": 1e-13, "N2": 1e-2}
    pressure, temperature, areas = 50.0, 880.0, np.full(20, 0.5)
    solved = transport.hot_wall_tube("poly-Si", np.full(20, temperature), areas, inlet, pressure)
    coefficient = growth.molar_rate("poly-Si", temperature, {"SiH4": 1e-9}) / 1e-9
    kept = np.exp(-coefficient * pressure / 1e-2 * areas.sum())
    assert 1.0 - solved.conversion == pytest.approx(kept, rel=1e-4)


def test_half_steps_change_little_and_second_order() -> None:
    """Four times smaller steps make the error about sixteen times smaller (hydrogen in: √p_H2 is smooth then)."""
    temperatures, areas = np.full(10, 950.0), np.full(10, 0.2)
    inlet = {"SiH4": vacuum.molar_flow(300.0), "H2": vacuum.molar_flow(100.0)}
    coarse, fine, reference = (
        transport.hot_wall_tube("poly-Si", temperatures, areas, inlet, 50.0, parts=parts).conversion
        for parts in (1, 4, 64)
    )
    assert abs(coarse - reference) / max(abs(fine - reference), 1e-16) > 8.0
