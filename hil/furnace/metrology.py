"""Measuring the wafers after a run: the map, its figures, index and stress of the film.

Index and stress follow from how the film was made; nothing here is forced to a target.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.parts.film import described
from hil.parts.metrology import mapped, mixed_index

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
    found = mapped(film, oxide + silicon, tilts, noise, radius_m)
    if found["thickness_mean_nm"] > 0.0 and mean_temperature_k is not None and oxidant_ratio is not None:
        found["refractive_index"] = round(refractive_index(film, oxidant_ratio), 4)
        stress = stress_mpa(film, mean_temperature_k)
        found["stress_mpa"] = round(stress, 1)
        found["stress_type"] = "compressive" if stress < 0.0 else "tensile"
        rest = described(film, film, found["thickness_mean_nm"] * 1e-9, mean_temperature_k)
        found |= {name: rest[name] for name in ("grain_nm", "roughness_rms_nm") if name in rest}
        found["basis"] = rest["basis"] | {
            "refractive_index": "silicon that found no oxidant, mixed in by Lorentz and Lorenz (order usual)",
            "stress_mpa": "unequal contraction of silica; usual intrinsic value of polycrystalline silicon",
        }
    return found


def refractive_index(film: str, oxidant_ratio: float) -> float:
    """Index at 632.8 nm; of an oxide by how much oxidant it got, x = p_N2O / (2·p_SiH4).

    Silicon that found no oxidant is mixed into the oxide after Lorentz and Lorenz; its share falls as exp(−2x), a
    model of the right direction and order, not a measured law.
    """
    if film != "SiO2":
        return INDEX_SILICON
    share = EXCESS_SILICON * math.exp(-2.0 * oxidant_ratio)
    return mixed_index(INDEX_OXIDE, INDEX_SILICON, share)


def stress_mpa(film: str, grown_at_k: float) -> float:
    """Stress at room temperature from different contraction, σ = E/(1 − ν) · Δα · ΔT; negative: compressive.

    Silica: E 72 GPa, ν 0.17, α 0.55e-6/K; silicon: mean α 3.9e-6/K up to 800 °C (usual values). Polycrystalline
    silicon contracts like the wafer: what remains is its intrinsic stress, usually 100 to 300 MPa compressive.
    """
    if film != "SiO2":
        return -200.0
    return -72e3 / (1.0 - 0.17) * (3.9e-6 - 0.55e-6) * (grown_at_k - 298.15)
