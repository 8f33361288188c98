"""Measuring the wafer after a run: the map, its figures, index and stress of the film.

Index and stress follow from how the film was made; nothing here is forced to a target.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.parts.coverage import RADICAL_STICKING, step_coverage
from hil.parts.film import described
from hil.parts.metrology import mapped
from hil.parts.optical import starved
from kernels.film_properties import thermal_stress

TENSILE_PA = {"Si3N4": 400e6, "SiO2": -150e6}
"""Stress of a film without ions that follow the field: nitride at 13.56 MHz +400 MPa (published); oxide usual."""
ION_PA = {"Si3N4": 600e6, "SiO2": 150e6}
"""What ions that follow it fully add in compression: nitride at 50 kHz −200 MPa (published); oxide usual."""
ION_FREQUENCY_MHZ = 0.5
"""Half of the ions' answer to the field: between the two published frequencies (usual, a few hundred kHz to 1 MHz)."""
BIAS_PA_V = 1e6
"""More compression for each volt of self-bias beyond 100 V: usual order."""


def measure(thickness_m: NDArray[np.float64], noise: NDArray[np.float64], radius_m: float, frequency_mhz: float,
            state: dict[str, Any]) -> dict[str, Any]:  # fmt: skip
    """Make a result of the film on one wafer.

    Args:
        thickness_m: on [1, rings].
        noise: a normal number for every site.
        radius_m: of the wafer.
        frequency_mhz: of the generator.
        state: of the model.
    """
    film = "SiO2" if state["oxide_share"] > 0.5 else "Si3N4"
    found = mapped(film, thickness_m, np.array([state["tilt"]]), noise, radius_m)
    if thickness_m.max() > 0.0 and state["reactant_ratio"] is not None:
        found["refractive_index"] = round(starved(f"{film}-plasma", state["reactant_ratio"]), 4)
        stress = stress_mpa(film, state["mean_temperature_k"], frequency_mhz, state["mean_bias_v"])
        found["stress_mpa"] = round(stress, 1)
        found["stress_type"] = "compressive" if stress < 0.0 else "tensile"
        described_as = described(film, f"{film}-plasma", float(thickness_m.mean()), state["mean_temperature_k"])
        found["roughness_rms_nm"] = described_as["roughness_rms_nm"]
        found["basis"] = described_as["basis"] | {
            "refractive_index": "silicon that found no reactant, mixed in by Lorentz and Lorenz (order usual)",
            "stress_mpa": "intrinsic by frequency (+400 MPa at 13.56 MHz, −200 MPa at 50 kHz, published) and bias; "
            "contraction",
        }
        covered = step_coverage(RADICAL_STICKING, state["pressure_pa"], state["mean_temperature_k"], "SiH3")
        found["basis"] |= covered.pop("basis")
        found |= covered
    return found


def stress_mpa(film: str, grown_at_k: float, frequency_mhz: float, bias_v: float) -> float:
    """Stress at room temperature: intrinsic by frequency and bias, and from unequal contraction; above 0 is tensile."""
    following = 1.0 / (1.0 + (frequency_mhz / ION_FREQUENCY_MHZ) ** 2)
    stress = TENSILE_PA[film] - ION_PA[film] * following - BIAS_PA_V * max(-bias_v - 100.0, 0.0)
    return (stress + thermal_stress(film, "Si", grown_at_k)) / 1e6
