"""Measuring the wafers after a run: the map, its figures, index and stress of the film.

Index and stress follow from how the film was made; nothing here is forced to a target.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.parts.coverage import step_coverage, sticking_of
from hil.parts.film import described
from hil.parts.metrology import mapped
from hil.parts.optical import SILICON, starved
from kernels import growth

SILANE_KG = 32.117e-3
"""kg/mol."""


def measure(
    oxide: NDArray[np.float64],
    silicon: NDArray[np.float64],
    tilts: NDArray[np.float64],
    noise: NDArray[np.float64],
    radius_m: float,
    state: dict[str, Any],
) -> dict[str, Any]:
    """Make a result of the film on [wafers, rings], m.

    Args:
        oxide: thickness of oxide.
        silicon: thickness of silicon.
        tilts: of each wafer's film in x and y, relative at the edge.
        noise: a normal number for every site.
        radius_m: of the wafers.
        state: of the model: what the gas about the monitor wafer was while the film grew.
    """
    film = "SiO2" if oxide.sum() >= silicon.sum() else "poly-Si"
    found = mapped(film, oxide + silicon, tilts, noise, radius_m)
    kelvin, silane, ratio = state["mean_temperature_k"], state["mean_silane_pa"], state["oxidant_ratio"]
    if found["thickness_mean_nm"] > 0.0 and kelvin is not None:
        found["refractive_index"] = round(starved(film, ratio) if film == "SiO2" else SILICON, 4)
        stress = stress_mpa(film, kelvin)
        found["stress_mpa"] = round(stress, 1)
        found["stress_type"] = "compressive" if stress < 0.0 else "tensile"
        rest = described(film, film, found["thickness_mean_nm"] * 1e-9, kelvin)
        found |= {name: rest[name] for name in ("grain_nm", "roughness_rms_nm") if name in rest}
        found["basis"] = rest["basis"] | {
            "refractive_index": "silicon that found no oxidant, mixed in by Lorentz and Lorenz (order usual)",
            "stress_mpa": "unequal contraction of silica; usual intrinsic value of polycrystalline silicon",
        }
        rate = growth.molar_rate(film, kelvin, {"SiH4": silane, "N2O": 2.0 * ratio * silane})
        covered = step_coverage(sticking_of(rate, silane, kelvin, SILANE_KG), state["pressure_pa"], kelvin, "SiH4")
        found["basis"] |= covered.pop("basis")
        found |= covered
    return found


def stress_mpa(film: str, grown_at_k: float) -> float:
    """Stress at room temperature from different contraction, σ = E/(1 − ν) · Δα · ΔT; negative: compressive.

    Silica: E 72 GPa, ν 0.17, α 0.55e-6/K; silicon: mean α 3.9e-6/K up to 800 °C (usual values). Polycrystalline
    silicon contracts like the wafer: what remains is its intrinsic stress, usually 100 to 300 MPa compressive.
    """
    if film != "SiO2":
        return -200.0
    return -72e3 / (1.0 - 0.17) * (3.9e-6 - 0.55e-6) * (grown_at_k - 298.15)
