"""Similarity flows onto a surface and the mass transfer through them: rotating disk and stagnation point."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

class VonKarman(NamedTuple):
    """Wall values of the flow over a rotating disk."""

    radial_shear: float
    """F′(0)."""
    azimuthal_shear: float
    """G′(0)."""
    axial_inflow: float
    """H∞."""

class Homann(NamedTuple):
    """Wall values of the axisymmetric stagnation flow."""

    wall_shear: float
    """f″(0)."""
    displacement: float
    """lim η − f."""

class TransferTable:
    """−c′(0) of `rotating disk` or `stagnation` over ln Sc for code without the GIL (similarity.pxd), to 1e-6."""

    def __init__(self, flow: str) -> None: ...
    def __call__(self, schmidt: float) -> float:
        """Return −c′(0), or NaN outside of Sc 0.05 … 100."""

def von_karman() -> VonKarman:
    """Return F′(0) = 0.510233, G′(0) = −0.615922 and H∞ = −0.884474 of the flow over an infinite rotating disk.

    Solved by shooting to η = 20 (T. von Kármán, Z. angew. Math. Mech. 1, 233 (1921)); seven digits.
    """

def homann() -> Homann:
    """Return f″(0) = 1.311938 and the displacement 0.568902 of f‴ + 2·f·f″ + 1 − f′² = 0.

    Axisymmetric stagnation flow (F. Homann, Z. angew. Math. Mech. 16, 153 (1936)); nine digits.
    """

def von_karman_profile(distances: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return F, G and H at distances η = z·√(ω/ν)."""

def homann_profile(distances: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return f and f′ at distances η = z·√(a/ν)."""

def rotating_disk_sherwood(schmidt: float) -> float:
    """Return −c′(0) over a rotating disk: k = D·√(ω/ν)·[−c′(0)].

    1 / ∫ exp(Sc·∫H) dη over the solved profile, to 1e-6; never Levich's 0.62·Sc^⅓, which gases miss by up to +88 %.

    Args:
        schmidt: ν/D, 1e-6 … 1e9.

    Raises:
        ValueError: outside of that.
    """

def stagnation_sherwood(schmidt: float) -> float:
    """Return −c′(0) at an axisymmetric stagnation point: k = D·√(a/ν)·[−c′(0)].

    Args:
        schmidt: ν/D, 1e-6 … 1e9.

    Raises:
        ValueError: outside of that.
    """
