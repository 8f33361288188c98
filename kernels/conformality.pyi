"""How well a film follows a trench or a via, and how much gas passes a tube or a slot.

Aspect ratio is depth over width (trench, endless) or over diameter (via). Free flight between surfaces that re-emit
by the cosine law; fluxes are relative to that on a flat surface. Accurate to 1e-4 or better (see the reference page).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST: float
SHORTEST: float

class Profile(NamedTuple):
    """A quantity along the wall of a feature; the last entry belongs to the bottom."""

    depth: NDArray[np.float64]
    """0 at the opening … 1 at the bottom, (cells + 1,)."""
    flux: NDArray[np.float64]
    """Flux over that on the opening (or coverage), (cells + 1,)."""

def clausing_transmission(length_over_radius: float) -> float:
    """Return the share of molecules that passes a round tube in free molecular flow.

    Solves the integral equation of P. Clausing, Ann. Phys. 404, 961 (1932).

    Raises:
        ValueError: not 0 … 1e4.
    """

def clausing_transmission_slot(length_over_width: float) -> float:
    """Return the share of molecules that passes an endless slot in free molecular flow; range as for the tube."""

def ballistic_profile(sticking: float, aspect_ratio: float, geometry: str = "trench", cells: int = 100) -> Profile:
    """Return the flux along a feature of constant sticking, in steady state, by free flight.

    Args:
        sticking: 0 … 1, of walls and bottom.
        aspect_ratio: 1e-9 … 1e4.
        geometry: `trench` or `via`.
        cells: of the answer: their middles on the wall, then the mean over the bottom. The solution does not depend
            on it.

    Raises:
        ValueError: an argument outside of its range, or NaN.
    """

def bottom_flux(sticking: float, aspect_ratio: float, geometry: str = "trench") -> float:
    """Return the mean flux on the bottom; arguments and errors are ballistic_profile's."""

def diffusion_profile(
    sticking: float,
    aspect_ratio: float,
    geometry: str = "trench",
    cells: int = 100,
    width_over_mean_free_path: float = 0.0,
) -> Profile:
    """Return the concentration along a feature by Knudsen diffusion, D = v̄·d/3, at depths 0, 1/cells … 1.

    Bottom over top is 1/(cosh φ + (b/φ)·sinh φ) with φ = √(3β)·L/d, b = ¾β·L/d. The diameter d of a trench is its
    hydraulic one, two widths. With gas between the walls 1/D = 1/D_K + 1/D_m, D_m = v̄·λ/3.

    Args:
        width_over_mean_free_path: w/λ of the gas; 0 is free molecular flow. Others as for ballistic_profile.

    Raises:
        ValueError: an argument outside of its range, or NaN.
    """

def ald_saturation_exposure(
    sticking: float, aspect_ratio: float, geometry: str = "trench", coverage: float = 0.95
) -> float:
    """Return the exposure after which every place of a feature has at least this coverage, by free flight.

    Irreversible first-order adsorption, β·(1 − θ). The unit is the time in which a site of a flat surface is hit once:
    a flat surface needs −ln(1 − θ)/β.

    Args:
        sticking: on the bare surface, 1e-9 … 1.
        coverage: above 0 and below 1.

    Raises:
        ValueError: an argument outside of its range, or NaN.
        ArithmeticError: the iteration did not end.
    """

def ald_coverage(
    sticking: float, aspect_ratio: float, exposure: float, geometry: str = "trench", cells: int = 100
) -> Profile:
    """Return the coverage (as `flux`) along a feature after an exposure; units are ald_saturation_exposure's.

    The last entry is the mean over the area of the bottom. An aspect ratio of 1000 takes seconds.

    Raises:
        ValueError: an argument outside of its range (aspect_ratio at most 1000), or NaN.
        ArithmeticError: the iteration did not end.
    """

def film_coverage(
    sticking: float,
    aspect_ratio: float,
    growth: float,
    geometry: str = "trench",
    cells: int = 100,
    model: str = "ballistic",
    steps: int = 20,
) -> Profile:
    """Return the film's thickness (as `flux`) along a feature over that on the flat surface: step coverage.

    The flux is solved anew in each of `steps`; the film at the upper end of the wall narrows the width of the whole
    feature, that on top and bottom changes its depth (straight walls: no overhang within the feature).

    Args:
        growth: film on the flat surface, in widths (diameters) of the feature: above 0 and below 0.5.
        model: `ballistic` or `diffusion`.
        steps: 1 … 1000.

    Raises:
        ValueError: an argument outside of its range, or NaN; an opening that closes.
    """
