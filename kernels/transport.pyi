"""Transport of reactants: onto rotating and stagnation surfaces, between wafers, along a hot-wall tube. SI units."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernels.similarity import (
    TransferTable,
    homann,
    homann_profile,
    rotating_disk_sherwood,
    stagnation_sherwood,
    von_karman,
    von_karman_profile,
)
from kernels.stagnation import StagnationGrowth, stagnation_growth

__all__ = [
    "HotWallTube",
    "StagnationGrowth",
    "TransferTable",
    "homann",
    "homann_profile",
    "hot_wall_tube",
    "rotating_disk_sherwood",
    "stagnation_growth",
    "stagnation_sherwood",
    "von_karman",
    "von_karman_profile",
    "wafer_gap_modulus",
    "wafer_gap_profile",
    "wafer_gap_ratio",
]

@dataclass(frozen=True)
class HotWallTube:
    """What a tube makes."""

    growth_m_s: NDArray[np.float64]
    """Mean growth rate of each station."""
    conversion: float
    """Share of the reactant that has become film."""
    outlet_mol_s: dict[str, float]
    """Flows behind the last station by gas; gases that no law knows together as `inert`."""

def wafer_gap_modulus(surface_m_s: float, radius_m: float, diffusivity_m2_s: float, gap_m: float) -> float:
    """Return φ = √(2·ks·R²/(D·Δ)) of the gap between two wafers, both of which react (ks: first-order constant).

    K. F. Jensen and D. B. Graves, J. Electrochem. Soc. 130, 1950 (1983).
    """

def wafer_gap_ratio(phi: float) -> float:
    """Return the rate in a wafer's centre over that at its edge: 1 / I0(φ)."""

def wafer_gap_profile(phi: float, relative_radii: ArrayLike) -> NDArray[np.float64]:
    """Return the rate over that at the edge at radii r/R: I0(φ·r/R) / I0(φ)."""

def hot_wall_tube(
    film: str,
    temperatures_k: ArrayLike,
    areas_m2: ArrayLike,
    inlet_mol_s: Mapping[str, float],
    pressure_pa: float,
    parts: int = 4,
) -> HotWallTube:
    """March the gas along a hot-wall tube in plug flow: dF/dA = −R(T, p), p_i = P·F_i/ΣF.

    Rates are those of kernels.growth; hydrogen that is set free inhibits further down. Each station has one
    temperature and takes `parts` midpoint steps (second order).

    Args:
        film: a name of kernels.growth.FILMS.
        temperatures_k: of each station, from the gas inlet on.
        areas_m2: reacting area of each station, or one for all: both faces of a wafer, wall and boat.
        inlet_mol_s: flows by formula; what the film's law does not know only dilutes.
        pressure_pa: the same all along.
        parts: midpoint steps in each station.

    Raises:
        ValueError: an unknown film, none of its reactant, a temperature, area or pressure not above 0.
    """
