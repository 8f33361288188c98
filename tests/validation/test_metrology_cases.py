"""Metrology: published cases, and beside tmm."""

import numpy as np
import pytest
import tmm

from kernels import metrology as m

SILICON = 3.8808 + 0.0187j


@pytest.mark.parametrize("angle", [0.0, 30.0, 70.0, 89.0])
@pytest.mark.parametrize("polarisation", ["s", "p"])
def test_stacks_beside_tmm(angle: float, polarisation: str) -> None:
    """Three films, one of them absorbing, over the visible (1e-10)."""
    films = [(1.46, 120.0), (2.0 + 0.3j, 35.0), (1.9, 400.0)]
    for wave in np.linspace(300.0, 900.0, 25):
        known = tmm.coh_tmm(
            polarisation,
            [1.0, *(n for n, _ in films), SILICON],
            [np.inf, *(d for _, d in films), np.inf],
            np.radians(angle),
            float(wave),
        )["R"]
        assert m.reflectance(float(wave), films, SILICON, angle, polarisation) == pytest.approx(known, abs=1e-10)


def test_ellipsometry_of_silicon() -> None:
    """Bare at 70°: Δ near 180; 2 nm of oxide take away about 6°; Ψ is tmm's."""
    psi, delta = m.psi_delta(632.8, [], SILICON, 70.0)
    assert delta == pytest.approx(179.2, abs=0.2)
    psi, delta = m.psi_delta(632.8, [(1.457, 100.0)], SILICON, 70.0)
    known = tmm.ellips([1.0, 1.457, SILICON], [np.inf, 100.0, np.inf], np.radians(70.0), 632.8)
    assert psi == pytest.approx(np.degrees(known["psi"]), abs=1e-9)
    # tmm: the other sign of r_p and of time
    assert np.exp(1j * np.radians(delta)) == pytest.approx(-np.exp(-1j * known["Delta"]), abs=1e-9)


def test_other_instruments() -> None:
    """Closed solutions: thin films, a black body, fringes."""
    assert m.z_match(6e6, 6e6 - 100.0, 0.5) == pytest.approx(100.0 * m.sauerbrey(6e6), rel=1e-4)
    assert m.pyrometer_reading(950.0, 1000.0, 0.6, 0.6) == pytest.approx(1000.0, rel=1e-12)
    wien = 1.0 / (1.0 / 1000.0 - 950e-9 / 1.438776877e-2 * np.log(0.6))
    assert m.pyrometer_reading(950.0, 1000.0, 0.6) == pytest.approx(wien, rel=1e-6)
    assert m.fringe_rate(100.0, 632.8, 1.457) == pytest.approx(632.8e-9 / 2 / 1.457 / 100)
    assert m.silica_index(589.3) == pytest.approx(1.4584, abs=1e-4)


@pytest.mark.parametrize(
    ("material", "expected"),
    [("Si", 3.8808 + 0.0187j), ("SiO2", 1.45702), ("Si3N4", 2.039), ("Al2O3", 1.65), ("GaN", 2.38), ("diamond", 2.4105),
     ("sapphire", 1.766), ("W", 3.62 + 2.91j), ("TiN", 1.35 + 2.76j), ("a-Si", 4.21 + 0.42j)],
)  # fmt: skip
def test_indices_at_632_nm(material: str, expected: complex) -> None:
    """Published values (1 %)."""
    got = m.index(material, 632.8)
    print(f"index of {material} at 632.8 nm: expected {expected}, got {got:.4f}, tolerance 1 %")
    assert abs(got - expected) < 0.01 * abs(expected)
