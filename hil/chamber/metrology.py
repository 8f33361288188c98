"""Measuring the wafers after a run: the map, its figures, index, composition of an alloy, layers.

Composition, index and step coverage follow from what the gas was while the film grew (kernels.alloy, hil.parts.optical,
hil.parts.coverage); nothing is forced to a target.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.chamber.composition import STICKING, Composition, FilmPart
from hil.parts.coverage import RADICAL_STICKING, cycle_coverage, step_coverage, sticking_of
from hil.parts.film import described
from hil.parts.metrology import SITES, mapped
from hil.parts.optical import FilmIndex, film_index
from kernels import alloy, growth
from kernels.film_properties import crystalline_fraction
from kernels.growth import nucleation_delay

WAFER_SPREAD = 0.002
"""Of film from wafer to wafer of one load (usual)."""
ELEMENTS = {"InGaN": ("In", "Ga", "N"), "AlGaAs": ("Al", "Ga", "As"), "SiGe": ("Ge", "Si", "")}
"""Of an alloy: what its share counts, what it replaces, and the other sublattice."""


def measure(
    thickness_m: NDArray[np.float64],
    noise: NDArray[np.float64],
    radius_m: float,
    composition: Composition,
    state: dict[str, Any],
) -> dict[str, Any]:
    """Make a result of the film on the wafers.

    Args:
        thickness_m: on [wafers, rings].
        noise: a normal number for every site and wafer.
        radius_m: of a wafer.
        composition: of the chamber.
        state: of the model.
    """
    wafers = len(thickness_m)
    slots = 1.0 + WAFER_SPREAD * noise[-wafers:] * (wafers > 1)
    grown: list[float] = state["by_film_m"]
    film = composition.films[int(np.argmax(grown))] if composition.films else None
    name = film.name if film else "none"
    tilts = np.array([state["tilt"]] * wafers)
    found = mapped(name, thickness_m * slots[:, None], tilts, noise[: len(SITES) * wafers], radius_m)
    if film is None or thickness_m.max() <= 0.0:
        return found
    layers = dict[str, float]()
    for part, metres in zip(composition.films, grown, strict=True):
        layers[part.name] = layers.get(part.name, 0.0) + metres * 1e9
    found["layers_nm"] = {part: round(nanometres, 3) for part, nanometres in layers.items() if nanometres > 0.0}
    found |= _composition(film, state)
    kind, share = found.get("alloy"), found.get("alloy_share", 0.0)
    found |= described(
        film.name, film.settings.law, float(thickness_m.mean()), state["mean_temperature_k"],
        alloy=kind, composition=share, low_frequency_share=state["low_frequency_share"],
    )  # fmt: skip
    index = film_index(film.settings.law, state["mean_partial_pa"], state["mean_temperature_k"], kind, share)
    if index is None:
        index = FilmIndex(*film.settings.index, "declared for the film of this tool (plant.films.index), not computed")
    found["refractive_index"], found["extinction_coefficient"] = round(index.n, 4), round(index.k, 4)
    found["basis"]["refractive_index"] = found["basis"]["extinction_coefficient"] = index.basis
    covered = _coverage(film, composition, state)
    found["basis"] |= covered.pop("basis", {})
    found |= covered
    if film.settings.open_share < 1.0:
        found |= _masked(film, state)
        found["basis"]["selectivity_score"] = "nucleation delay on oxide (kernels.growth.nucleation_delay)"
    return found


def _coverage(film: FilmPart, composition: Composition, state: dict[str, Any]) -> dict[str, Any]:
    """Step coverage of a test trench; nothing for diamond, whose atoms of hydrogen decide, nor for a written line."""
    kelvin, mean = state["mean_temperature_k"], state["mean_partial_pa"]
    if film.cycled:
        gas = composition.species[film.halves[0]]
        return cycle_coverage(STICKING, state["dose"] / state["cycles"], gas) if state["cycles"] > 0.0 else {}
    if composition.source == "laser" or film.settings.law == "diamond" or film.limiting < 0:
        return {}
    total = sum(mean.values())
    if film.needs_radicals:
        return step_coverage(RADICAL_STICKING, total, kelvin, "SiH3")
    gas = composition.species[film.limiting]
    rate = film.settings.factor * film.per * growth.molar_rate(film.settings.law, kelvin, mean)
    share = sticking_of(rate, mean.get(gas, 0.0), kelvin, composition.masses_kg[film.limiting])
    return step_coverage(share, total, kelvin, gas)


def _masked(film: FilmPart, state: dict[str, Any]) -> dict[str, Any]:
    """What grew on the mask beside the openings: nothing before nuclei stand on it."""
    mean: dict[str, float] = state["mean_partial_pa"]
    source = sum(mean.get(gas, 0.0) for gas in ("SiH2Cl2", "SiHCl3", "SiCl4", "SiH4"))
    if source <= 0.0 or state["mean_rate_m_s"] <= 0.0:
        return {}
    delay = nucleation_delay(state["mean_temperature_k"], source, mean.get("HCl", 0.0))
    on_mask = max(0.0, state["growth_s"] - delay) * state["mean_rate_m_s"] * 1e9
    in_openings = state["growth_s"] * state["mean_rate_m_s"] * 1e9
    return {
        "open_share": film.settings.open_share,
        "mask_film_nm": round(on_mask, 3),
        "selectivity_score": round(1.0 - on_mask / in_openings, 4),
    }


def _composition(film: FilmPart, state: dict[str, Any]) -> dict[str, Any]:
    """Share of the second element of an alloy; crystalline share of hydrogenated silicon."""
    mean: dict[str, float] = state["mean_partial_pa"]
    kelvin = state["mean_temperature_k"]
    if film.settings.law in {"a-Si:H", "uc-Si:H"} and mean.get("SiH4", 0.0) > 0.0:
        share = crystalline_fraction(mean.get("H2", 0.0) / mean["SiH4"], kelvin)
        return {"crystalline_fraction": round(share, 4)}
    kind = film.settings.alloy
    if kind is None:
        return {}
    try:
        if kind == "InGaN":
            hydrogen = mean.get("H2", 0.0) / max(sum(mean.values()), 1e-30)
            rate = state["mean_rate_m_s"]
            share = alloy.indium_gallium_nitride(mean.get("TMIn", 0.0), mean.get("TMGa", 0.0), kelvin, rate, hydrogen)
        elif kind == "AlGaAs":
            share = alloy.aluminium_gallium_arsenide(mean.get("TMAl", 0.0), mean.get("TMGa", 0.0), kelvin)
        else:
            source = "SiH4" if mean.get("SiH4", 0.0) > 0.0 else "SiH2Cl2"
            share = alloy.silicon_germanium(mean.get("GeH4", 0.0), mean.get(source, 0.0), kelvin, source)
        gap = alloy.band_gap(kind, share)
    except ValueError:
        return {}
    second, first, rest = ELEMENTS[kind]
    share = round(share, 5)
    parts = {second: share, first: round(1.0 - share, 5)} | ({rest: 1.0} if rest else {})
    return {"alloy": kind, "alloy_share": share, "composition": parts, "band_gap_ev": round(gap, 4)}
