"""One-dimensional axisymmetric flow onto a hot, growing surface across a finite gap. SI units."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.gas import Gas

FILM_OF: dict[str, str]
"""Film that a reactant grows unless told."""

@dataclass(frozen=True)
class StagnationGrowth:
    """What a surface in stagnation flow grows, and the gas above it."""

    growth_m_s: float
    rate_mol_m2_s: float
    """Reactant that reacts."""
    surface_mole_fraction: float
    """Of the reactant."""
    transport_limit_share: float
    """1 − surface over inlet mole fraction: 1 where transport alone decides."""
    numerical_error: float
    """Relative error of the finer grid before extrapolation."""
    z_m: NDArray[np.float64]
    """Nodes, 0 at the inlet."""
    temperature_k: NDArray[np.float64]
    velocity_m_s: NDArray[np.float64]
    """Towards the surface."""
    radial_rate_1_s: NDArray[np.float64]
    """Radial velocity over radius."""
    mole_fraction: NDArray[np.float64]
    """Of the reactant."""

def stagnation_growth(
    reactant: str | Gas = "SiH4",
    carrier: str | Gas = "He",
    mole_fraction: float = 1e-3,
    surface_k: float = 1000.0,
    inlet_k: float = 300.0,
    pressure_pa: float = 101325.0,
    velocity_m_s: float = 0.1,
    gap_m: float = 0.1,
    *,
    mechanism: str | Callable[[float, dict[str, float]], float] | None = None,
    sticking: float | Callable[[float], float] | None = None,
    soret: bool = True,
    film: str | None = None,
    rotation_rad_s: float = 0.0,
    stefan: bool = True,
    nodes: int = 96,
) -> StagnationGrowth:
    """Solve the flow onto a growing surface across a finite gap.

    Axisymmetric, steady, low Mach number: continuity, radial momentum with its eigenvalue, swirl of a rotating surface,
    energy with the heat of interdiffusion, and the reactant with Soret diffusion and the flow that the film takes
    out of the gas. Binary
    properties from kernels.gas; gas that the reaction sets free counts as carrier. Second order in space, on
    `nodes` and
    twice as many; the rate is Richardson's extrapolation, the profiles are those of the finer grid.

    Args:
        reactant: name in kernels.gas.GASES, or a Gas.
        carrier: the same.
        mole_fraction: of the reactant in the gas that comes in.
        surface_k: temperature of the surface; inlet_k: of the gas that comes in.
        pressure_pa: total pressure.
        velocity_m_s: of the gas that comes in through the whole inlet plane, uniform, without radial flow.
        gap_m: from the inlet plane to the surface.
        mechanism: a film of kernels.growth, or a function of (temperature_k, partial_pressures_pa by gas) that returns
            mol/(m²·s) of reactant.
        sticking: instead of it: probability of reaction in a hit, or a function of the temperature; the rate is
            s·p/√(2πMRT), without Motz and Wise's correction.
        soret: whether there is thermal diffusion.
        film: what grows; by itself the mechanism's film, or the usual one of the reactant.
        rotation_rad_s: of the surface.
        stefan: whether the gas moves towards the surface by what the film takes; without it, its mass comes back as
            carrier (what Cantera's reacting surface does).
        nodes: 16 … 512 on the coarse grid.

    Raises:
        ValueError: an argument out of range, a rate that is no number.
        ArithmeticError: no steady flow, or a turning surface that draws gas in from aside.
    """
