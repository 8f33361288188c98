"""Refractive index of a grown film at 632.8 nm from what it is made of, with the basis of each figure in words.

A host's index is published data (kernels.index_data) or the anchor of its film; silicon that found no reactant is mixed
in, an alloy lies between its ends. Nothing is forced to a target.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from kernels import metrology
from kernels.film_properties import crystalline_fraction, mixed_index

WAVELENGTH_NM = 632.8
SILICON = 3.8808
"""Index of silicon there."""
HOSTS = {
    "SiO2": (1.457, "fused silica (Malitson 1965)"),
    "SiO2-DCS": (1.457, "fused silica (Malitson 1965)"),
    "SiO2-LTO": (1.44, "usual value of oxide from silane and oxygen, not densified"),
    "SiO2-TEOS": (1.44, "commonly quoted for oxide from TEOS"),
    "SiO2-O3TEOS": (1.44, "commonly quoted for oxide from TEOS"),
    "SiO2-plasma": (1.45, "anchor of plasma oxide"),
    "Si3N4": (2.0, "usual value of nitride from dichlorosilane"),
    "Si3N4-plasma": (2.0, "anchor of plasma nitride"),
}
"""Index of a film that got reactant enough, by its law."""
EXCESS_SILICON = {"SiO2": (0.06, 2.0), "Si3N4": (0.25, 3.0)}
"""Volume of silicon in a film that gets nothing but silane, and how fast more reactant takes it away: usual orders."""
TABULATED = {
    "poly-Si": "Si", "epi-Si": "Si", "epi-Si-SiHCl3": "Si", "epi-Si-SiCl4": "Si", "W": "W", "W-laser": "W",
    "GaAs": "GaAs", "diamond": "diamond", "TiN": "TiN", "TiN-TDMAT": "TiN", "Al2O3": "Al2O3", "GaN": "GaN",
    "GaN-HVPE": "GaN",
}  # fmt: skip
"""Material of kernels.index_data that a law's film is."""
ALUMINIUM_GALLIUM_ARSENIDE = (
    (0.0, 3.8574, 0.1983),
    (0.198, 3.7357, 0.1085),
    (0.491, 3.5259, 0.0012),
    (0.804, 3.2608, 0.0),
)
"""Share of aluminium, n, k: D. E. Aspnes et al., J. Appl. Phys. 60, 754 (1986), interpolated to 632.8 nm; checked."""
INDIUM_NITRIDE = 2.9 + 0.3j
"""Usual order; films differ."""


class FilmIndex(NamedTuple):
    """Index and extinction of a film, and what they rest on."""

    n: float
    k: float
    basis: str


def starved(law: str, reactant_ratio: float) -> float:
    """Index of an oxide or a nitride by how much reactant its silane got, 1 being what the formula takes.

    The share of silicon that found none falls as an exponential and is mixed into the film after Lorentz and Lorenz: a
    model of the right direction and order, not a measured law.
    """
    most, falls = EXCESS_SILICON[law.partition("-")[0]]
    return mixed_index(HOSTS[law][0], SILICON, most * math.exp(-falls * reactant_ratio))


def reactant_ratio(law: str, partial_pa: Mapping[str, float]) -> float | None:
    """Reactant over silane by what a film of this law was grown from; none where its source brings its own."""
    silane = sum(partial_pa.get(gas, 0.0) for gas in ("SiH4", "SiH2Cl2"))
    if silane <= 0.0:
        return None
    if law.startswith("SiO2"):
        return (0.5 * partial_pa.get("N2O", 0.0) + partial_pa.get("O2", 0.0)) / silane
    return (partial_pa.get("NH3", 0.0) + 0.05 * partial_pa.get("N2", 0.0)) / silane


def film_index(
    law: str,
    partial_pa: Mapping[str, float],
    grown_at_k: float,
    alloy: str | None = None,
    composition: float = 0.0,
) -> FilmIndex | None:
    """Say the index of a film by the law that grew it; none for a film without data.

    Args:
        law: of kernels.growth.
        partial_pa: mean partial pressures while it grew.
        grown_at_k: mean temperature while it grew.
        alloy: InGaN, AlGaAs or SiGe; none for what is no alloy.
        composition: of the alloy.
    """
    if alloy is not None:
        return _alloy(alloy, composition)
    if law in HOSTS:
        ratio = reactant_ratio(law, partial_pa)
        if ratio is None:
            return FilmIndex(HOSTS[law][0], 0.0, HOSTS[law][1])
        why = f"{HOSTS[law][1]}; silicon that found no reactant, mixed in by Lorentz and Lorenz (order usual)"
        return FilmIndex(starved(law, ratio), 0.0, why)
    if law in {"a-Si:H", "uc-Si:H"}:
        silane = partial_pa.get("SiH4", 0.0)
        share = crystalline_fraction(partial_pa.get("H2", 0.0) / silane, grown_at_k) if silane > 0.0 else 0.0
        mixed = share * _of("Si") + (1.0 - share) * _of("a-Si")
        return FilmIndex(mixed.real, mixed.imag, "amorphous (Pierce 1972, without hydrogen) and crystalline by share")
    if law in TABULATED:
        found = _of(TABULATED[law])
        return FilmIndex(found.real, found.imag, f"{TABULATED[law]} as published (kernels.index_data)")
    return None


def _alloy(alloy: str, share: float) -> FilmIndex:
    if alloy == "AlGaAs":
        x, n, k = (list(column) for column in zip(*ALUMINIUM_GALLIUM_ARSENIDE, strict=True))
        return FilmIndex(float(np.interp(share, x, n)), float(np.interp(share, x, k)), "by composition (Aspnes 1986)")
    first, second = (_of("Si"), _of("Ge")) if alloy == "SiGe" else (_of("GaN"), INDIUM_NITRIDE)
    mixed = (1.0 - share) * first + share * second
    return FilmIndex(mixed.real, mixed.imag, "between the alloy's ends, linear in its composition (no bowing)")


def _of(material: str) -> complex:
    return complex(metrology.index(material, WAVELENGTH_NM))
