"""How a film would follow a trench in the wafer: step coverage of a test feature by the ballistic model.

The wafers of the simulated tools carry no structures; the figures say what a narrow trench of a declared aspect ratio
would show at the start of the film. Free flight, or diffusion with collisions where the trench is wider than the mean
free path (kernels.conformality).
"""

import math
from collections.abc import Mapping
from typing import Any

from kernels import conformality

BOLTZMANN, GAS_CONSTANT = 1.380649e-23, 8.31446261815324
"""J/K and J/(mol·K), exact since 2019 (SI brochure, 9th edition)."""
ASPECT_RATIO = 5.0
"""Depth over width of the trench."""
WIDTH_M = 0.25e-6
MOLECULE_M = 4e-10
"""Diameter of a molecule for the mean free path (usual)."""
RADICAL_STICKING = 0.15
"""Of SiH3 in the laws of plasma and hot wire (kernels/physics/films.pxd)."""
SATURATED = 30.0
"""Dose in e-folds of a flat surface from which on every place of this trench is covered to rounding."""


def sticking_of(rate_mol_m2_s: float, partial_pa: float, kelvin: float, molar_mass_kg: float) -> float:
    """Share of the molecules that hit a surface and react, at most 1.

    Args:
        rate_mol_m2_s: of the gas that reacts.
        partial_pa: of it at the surface.
        kelvin: of the surface.
        molar_mass_kg: of a mole of it.
    """
    if partial_pa <= 0.0:
        return 0.0
    hits = partial_pa / math.sqrt(2.0 * math.pi * molar_mass_kg * GAS_CONSTANT * kelvin)
    return min(1.0, rate_mol_m2_s / hits)


def step_coverage(sticking: float, total_pa: float, kelvin: float, gas: str) -> dict[str, Any]:
    """Make the figures of a film whose limiting gas reacts with this probability.

    Args:
        sticking: 0 … 1.
        total_pa: pressure of all gases.
        kelvin: of the gas in the trench.
        gas: that decides, for the basis.
    """
    free_path = BOLTZMANN * kelvin / (math.sqrt(2.0) * math.pi * MOLECULE_M**2 * max(total_pa, 1e-9))
    width = WIDTH_M / free_path
    if width > 1.0:
        found = conformality.diffusion_profile(sticking, ASPECT_RATIO, "trench", 50, width)
        how = f"diffusion with collisions, width {width:.1f} mean free paths"
    else:
        found = conformality.ballistic_profile(sticking, ASPECT_RATIO, "trench", 50)
        how = "free flight"
    why = f"trench {ASPECT_RATIO:g} times as deep as wide, {how}; {gas} reacts in {sticking:.2g} of its hits"
    return _figures(float(found.flux[-1]), float(found.flux.min()), why)


def cycle_coverage(sticking: float, dose: float, gas: str) -> dict[str, Any]:
    """Make the figures of a film that is grown in cycles.

    Args:
        sticking: of the first precursor on a bare surface.
        dose: of a cycle in e-folds of a flat surface: its coverage is 1 − exp(−dose).
        gas: the first precursor.
    """
    why = f"trench {ASPECT_RATIO:g} times as deep as wide, irreversible adsorption of {gas}; the second one in excess"
    if dose > SATURATED:
        return _figures(1.0, 1.0, why)
    covered = conformality.ald_coverage(sticking, ASPECT_RATIO, dose / sticking, "trench", 50)
    flat = -math.expm1(-dose)
    return _figures(float(covered.flux[-1]) / flat, float(covered.flux.min()) / flat, why)


def _figures(bottom: float, least: float, why: str) -> dict[str, Any]:
    names: Mapping[str, float] = {"step_coverage_pct": 100.0 * bottom, "conformality_score": least}
    return {name: round(min(value, 100.0), 4) for name, value in names.items()} | {
        "basis": dict.fromkeys(("step_coverage_pct", "conformality_score"), why)
    }
