"""Measuring the wafers after a run: the map, its figures, index and stress of the film.

Index and stress follow from how the film was made; nothing here is forced to a target.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

SITES = ((0.0, 0.0), *((0.5, a) for a in (0.0, 90.0, 180.0, 270.0)), *((1.0, a) for a in (45.0, 135.0, 225.0, 315.0)))
"""Radius over the ring's and angle in degrees: the middle, four at half radius, four at the edge."""
EDGE_EXCLUSION_M = 0.004
REPEATABILITY_NM = 0.03
"""Of a reflectometer for maps, one sigma (a usual value)."""

INDEX_OXIDE = 1.457
"""Fused silica at 632.8 nm (I. H. Malitson, J. Opt. Soc. Am. 55, 1205 (1965))."""
INDEX_SILICON = 3.8808
"""Silicon at 632.8 nm (the value of the metrology's validation cases)."""
EXCESS_SILICON = 0.06
"""Volume of silicon in an oxide that gets no oxidant at all, for the index: a usual order, unverified."""


def measure(
    oxide: NDArray[np.float64],
    silicon: NDArray[np.float64],
    tilts: NDArray[np.float64],
    noise: NDArray[np.float64],
    radius_m: float,
    oxidant_ratio: float | None,
    mean_temperature_k: float | None,
) -> dict[str, Any]:
    """Make a result of the film on [wafers, rings], m.

    Args:
        oxide: thickness of oxide.
        silicon: thickness of silicon.
        tilts: of each wafer's film in x and y, relative at the edge.
        noise: a normal number for every site.
        radius_m: of the wafers.
        oxidant_ratio: mean p_N2O / (2·p_SiH4) while the film grew; none where nothing grew.
        mean_temperature_k: while the film grew; none where nothing grew.
    """
    film = "SiO2" if oxide.sum() >= silicon.sum() else "poly-Si"
    total = oxide + silicon
    radii = np.array([ring for ring, _ in SITES])
    rings = np.searchsorted([0.25, 0.75], radii)
    angles = np.radians([angle for _, angle in SITES])
    tilt = tilts[:, :1] * np.cos(angles) * radii + tilts[:, 1:] * np.sin(angles) * radii
    truth = total[:, rings] * (1.0 + tilt) * 1e9
    thickness = truth + REPEATABILITY_NM * noise.reshape(truth.shape) * (total.max() > 0.0)
    outer_mm = (radius_m - EDGE_EXCLUSION_M) * 1e3
    places = [
        {"x_mm": round(float(r * outer_mm * math.cos(a)), 2), "y_mm": round(float(r * outer_mm * math.sin(a)), 2)}
        for r, a in zip(radii, angles, strict=True)
    ]
    mean = float(thickness.mean())
    found: dict[str, Any] = {
        "film": film,
        "film_material": film,
        "wafers": len(total),
        "sites_per_wafer": len(SITES),
        "thickness_mean_nm": mean,
        "thickness_std_nm": float(thickness.std()),
        "thickness_min_nm": float(thickness.min()),
        "thickness_max_nm": float(thickness.max()),
        "thickness_uniformity_pct": float(np.ptp(thickness)) / (2.0 * mean) * 100.0 if mean > 0.0 else None,
        "uniformity_within_wafer_pct": _half_range_pct(thickness, axis=1),
        "uniformity_wafer_to_wafer_pct": _half_range_pct(thickness.mean(axis=1, keepdims=True), axis=0),
        "thickness_map": [
            {"slot": slot + 1, "thickness_nm": [round(float(value), 3) for value in row]}
            for slot, row in enumerate(thickness)
        ],
        "sites": places,
    }
    if mean > 0.0 and mean_temperature_k is not None and oxidant_ratio is not None:
        found["refractive_index"] = round(refractive_index(film, oxidant_ratio), 4)
        stress = stress_mpa(film, mean_temperature_k)
        found["stress_mpa"] = round(stress, 1)
        found["stress_type"] = "compressive" if stress < 0.0 else "tensile"
    return found


def refractive_index(film: str, oxidant_ratio: float) -> float:
    """Index at 632.8 nm; of an oxide by how much oxidant it got, x = p_N2O / (2·p_SiH4).

    Silicon that found no oxidant is mixed into the oxide after Lorentz and Lorenz; its share falls as exp(−2x), a
    model of the right direction and order, not a measured law.
    """
    if film != "SiO2":
        return INDEX_SILICON
    share = EXCESS_SILICON * math.exp(-2.0 * oxidant_ratio)
    mixed = (1.0 - share) * _polarisation(INDEX_OXIDE) + share * _polarisation(INDEX_SILICON)
    return math.sqrt((1.0 + 2.0 * mixed) / (1.0 - mixed))


def stress_mpa(film: str, grown_at_k: float) -> float:
    """Stress at room temperature from different contraction, σ = E/(1 − ν) · Δα · ΔT; negative: compressive.

    Silica: E 72 GPa, ν 0.17, α 0.55e-6/K; silicon: mean α 3.9e-6/K up to 800 °C (usual values). Polycrystalline
    silicon contracts like the wafer: what remains is its intrinsic stress, usually 100 to 300 MPa compressive.
    """
    if film != "SiO2":
        return -200.0
    return -72e3 / (1.0 - 0.17) * (3.9e-6 - 0.55e-6) * (grown_at_k - 298.15)


def _polarisation(index: float) -> float:
    return (index * index - 1.0) / (index * index + 2.0)


def _half_range_pct(values: NDArray[np.float64], axis: int) -> float | None:
    """The worst half range over the mean along an axis, in per cent."""
    mean = values.mean(axis=axis)
    if not np.all(mean > 0.0):
        return None
    return float((np.ptp(values, axis=axis) / (2.0 * mean)).max()) * 100.0
