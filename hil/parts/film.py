"""Properties of a grown film beside its thickness, as proxies; each with the basis that it rests on, in words.

Nothing is forced to a target: stress from contraction, misfit and known intrinsic values, roughness from grains or from
the thickness (kernels.film_properties, kernels.alloy).
"""

from typing import Any

from kernels.alloy import critical_thickness, lattice_constant
from kernels.film_properties import grain_size, nitride_plasma_stress, roughness, thermal_stress

MELTING_K = {"poly-Si": 1687.0, "W": 3695.0, "TiN": 3223.0, "diamond": 4000.0, "GaN": 2773.0, "µc-Si": 1687.0}
"""Of films that grow as grains (CRC Handbook; diamond: where it turns to graphite, GaN: under pressure; usual)."""
EPITAXIAL = {
    "epi-Si": "Si",
    "Si": "Si",
    "SiGe": "Si",
    "GaAs": "GaAs",
    "AlGaAs": "GaAs",
    "GaN": "sapphire",
    "InGaN": "GaN",
}
"""Films that follow the lattice of what they grow on."""
STEPS_M = 0.2e-9
"""Roughness of a film that follows a lattice: an atomic step or less (usual)."""
GRAINS = 0.08
"""Roughness over grain size of a film of grains (usual order)."""
LATTICE = {"Si": 5.43102e-10, "GaAs": 5.65325e-10, "GaN": 3.189e-10}
BIAXIAL_PA = {"SiGe": 180e9, "AlGaAs": 123e9, "InGaN": 450e9}
"""E/(1 − ν) of alloys (usual)."""
INTRINSIC_MPA = {"a-Si:H": -300.0, "µc-Si": -150.0, "poly-Si": -200.0, "TiN": -1000.0, "W": 1000.0}
"""What films bring along beside contraction: usual values, compressive below 0."""
PLASMA_NITRIDES = frozenset({"Si3N4-plasma"})


def described(
    film: str,
    law: str,
    thickness_m: float,
    grown_at_k: float,
    *,
    alloy: str | None = None,
    composition: float = 0.0,
    low_frequency_share: float | None = None,
) -> dict[str, Any]:
    """Say stress and roughness of a film, and in `basis` what each figure rests on.

    Args:
        film: its material.
        law: rate law that grew it.
        thickness_m: of the film.
        grown_at_k: mean temperature while it grew.
        alloy: InGaN, AlGaAs or SiGe; none for what is no alloy.
        composition: of the alloy.
        low_frequency_share: of the ions' energy, where a plasma makes nitride; none for other films.
    """
    found, basis = dict[str, Any](), dict[str, str]()
    stress, why = _stress(film, law, thickness_m, grown_at_k, alloy, composition, low_frequency_share)
    if stress is not None:
        found["stress_mpa"] = round(stress, 1)
        found["stress_type"] = "compressive" if stress < 0.0 else "tensile"
    basis["stress_mpa"] = why
    if film in EPITAXIAL:
        found["roughness_rms_nm"] = round(STEPS_M * 1e9, 3)
        basis["roughness_rms_nm"] = "follows its lattice: an atomic step (usual)"
    elif film in MELTING_K:
        grain = grain_size(thickness_m, grown_at_k, MELTING_K[film])
        found |= {"grain_nm": round(grain * 1e9, 2), "roughness_rms_nm": round(GRAINS * grain * 1e9, 3)}
        basis["grain_nm"] = "columns widen with √thickness and T/Tm (Thornton's zones; magnitude usual)"
        basis["roughness_rms_nm"] = f"{GRAINS:g} of the grain size (usual order)"
    else:
        found["roughness_rms_nm"] = round(roughness(thickness_m) * 1e9, 3)
        basis["roughness_rms_nm"] = "amorphous: 0.5 nm at 100 nm, growing as thickness^0.3 (usual)"
    return found | {"basis": basis}


def _stress(
    film: str, law: str, thickness_m: float, grown_at_k: float, alloy: str | None, composition: float,
    low_frequency_share: float | None,
) -> tuple[float | None, str]:  # fmt: skip
    """Stress in MPa, and what it rests on."""
    if alloy is not None:
        base = LATTICE[EPITAXIAL[alloy]]
        strain = lattice_constant(alloy, composition) / base - 1.0
        if abs(strain) > 1e-9 and thickness_m > critical_thickness(strain):
            return 0.0, "relaxed: thicker than Matthews and Blakeslee's critical thickness"
        return -BIAXIAL_PA[alloy] * strain / 1e6, "misfit to the substrate's lattice, coherent (Vegard); modulus usual"
    if film in EPITAXIAL and EPITAXIAL[film] == film.removeprefix("epi-"):
        return 0.0, "grown on its own lattice"
    try:
        stress = thermal_stress(film, EPITAXIAL.get(film, "Si"), grown_at_k) / 1e6
        why = "unequal contraction with the substrate (handbook moduli)"
    except ValueError:
        stress, why = 0.0, "no mechanical data"
    if law in PLASMA_NITRIDES and low_frequency_share is not None:
        stress += nitride_plasma_stress(13.56e6, low_frequency_share) / 1e6
        return (
            stress,
            why
            + "; intrinsic: +400 MPa at 13.56 MHz, −200 MPa at 50 kHz (published), by the share of the ions' energy",
        )
    if film in INTRINSIC_MPA:
        return stress + INTRINSIC_MPA[film], why + "; intrinsic: usual value of such films"
    if why == "no mechanical data":
        return None, why
    return stress, why + " alone; what the film has of its own is not modelled"
