"""Measuring wafers after a run: the map of nine sites and its figures."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

SITES = ((0.0, 0.0), *((0.5, a) for a in (0.0, 90.0, 180.0, 270.0)), *((1.0, a) for a in (45.0, 135.0, 225.0, 315.0)))
"""Radius over the ring's and angle in degrees: the middle, four at half radius, four at the edge."""
EDGE_EXCLUSION_M = 0.004
REPEATABILITY_NM = 0.03
"""Of a reflectometer for maps, one sigma (a usual value)."""


def mapped(
    film: str,
    thickness_m: NDArray[np.float64],
    tilts: NDArray[np.float64],
    noise: NDArray[np.float64],
    radius_m: float,
) -> dict[str, Any]:
    """Make the map of a film and its figures.

    Args:
        film: its material.
        thickness_m: on [wafers, rings].
        tilts: of each wafer's film in x and y, relative at the edge.
        noise: a normal number for every site.
        radius_m: of the wafers.
    """
    radii = np.array([ring for ring, _ in SITES])
    rings = np.searchsorted([0.25, 0.75], radii)
    angles = np.radians([angle for _, angle in SITES])
    tilt = tilts[:, :1] * np.cos(angles) * radii + tilts[:, 1:] * np.sin(angles) * radii
    truth = thickness_m[:, rings] * (1.0 + tilt) * 1e9
    thickness = truth + REPEATABILITY_NM * noise.reshape(truth.shape) * (thickness_m.max() > 0.0)
    outer_mm = (radius_m - EDGE_EXCLUSION_M) * 1e3
    places = [
        {"x_mm": round(float(r * outer_mm * math.cos(a)), 2), "y_mm": round(float(r * outer_mm * math.sin(a)), 2)}
        for r, a in zip(radii, angles, strict=True)
    ]
    mean = float(thickness.mean())
    return {
        "film": film,
        "film_material": film,
        "wafers": len(thickness_m),
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


def _half_range_pct(values: NDArray[np.float64], axis: int) -> float | None:
    """The worst half range over the mean along an axis, in per cent."""
    mean = values.mean(axis=axis)
    if not np.all(mean > 0.0):
        return None
    return float((np.ptp(values, axis=axis) / (2.0 * mean)).max()) * 100.0
