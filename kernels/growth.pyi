"""Growth of films from gas: rate laws and the competition of transport and reaction. SI units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

SIO2_UPTAKE: float
"""How much less readily an oxide takes silane up than silicon: the one calibration factor of the oxide's law, fitted so
that the demonstration furnace reaches 100 nm in 1200 s at 800 °C; no published value exists."""

GASES: tuple[str, ...]
"""Gases that the laws know."""

@dataclass(frozen=True)
class Film:
    """A film: what it weighs and what it takes out of the gas."""

    index: int
    """In kernels/physics/films.pxd."""
    molar_mass_kg: float
    molar_volume_m3: float
    """m³ per mol of the formula unit."""
    consumed: dict[str, float]
    """mol of each gas that a mol of film takes; below 0 what is set free."""
    growth_per_cycle_m: float = 0.0
    """Of a film that is grown in cycles."""

FILMS: dict[str, Film]
"""Films by name."""

MOLAR_VOLUME: dict[str, float]
"""m³ per mol of film: densities of the CRC Handbook, usual values for deposited oxide, nitride and alumina."""

MOLAR_MASS: dict[str, float]
"""kg per mol of film."""

def arrhenius(prefactor: float, activation_j_mol: float, temperature_k: float) -> float:
    """Return prefactor · exp(−E / (R·T)), in the unit of the prefactor.

    Raises:
        ValueError: temperature_k is not above 0.
    """

def grove(surface_m_s: float, transfer_m_s: float, concentration_mol_m3: float) -> float:
    """Return the flux into a surface behind a gas film, mol/(m²·s): ks·hg·C / (ks + hg).

    Transport in series with a first-order reaction (A. S. Grove, Physics and Technology of Semiconductor Devices,
    1967). An infinite transfer coefficient leaves the reaction alone (UHV).

    Args:
        surface_m_s: rate constant ks of the reaction, m/s.
        transfer_m_s: mass transfer coefficient hg, m/s.
        concentration_mol_m3: concentration C in the gas, mol/m³.
    """

def film(name: str) -> Film:
    """Return a film by its name; ValueError for one without a law."""

def consumed(name: str, gas: str) -> float:
    """Return the moles of a gas that one mole of film takes; ValueError where it takes none."""

def molar_rate(film: str, temperature_k: float, partial_pressures_pa: Mapping[str, float]) -> float:
    """Return the rate of a film over a surface, mol of film/(m²·s).

    The law of each film, its range and its sources are in kernels/physics/films.pxd and
    docs/reference/physics-growth.md.
    `poly-Si` from SiH4: 1.6e4·exp(−18 500/T)·p / (1 + 0.19·√p_H2 + 0.70·p), p in Pa (Roenigk and Jensen, J.
    Electrochem. Soc. 132, 448 (1985); Kleijn, ibid. 138, 2190 (1991)), for 580–700 °C.
    `SiO2` from SiH4 and N2O: the same uptake of silane × SIO2_UPTAKE × x/(1 + x) with x = p_N2O / (2·p_SiH4). Its
    temperature and pressure dependence are the silane law's; its magnitude is a calibration.
    Films of a plasma or a hot wire take their radicals as `SiH3`, or the reference plasma's share of the silane where
    none are given. Films grown in cycles (`Al2O3`, `TiN`): the rate while the first precursor meets a bare surface.

    Args:
        film: a name of FILMS.
        temperature_k: temperature of the surface.
        partial_pressures_pa: by formula; gases that the law does not know are ignored, missing ones are 0.

    Raises:
        ValueError: an unknown film, a temperature not above 0, a negative or infinite pressure.
    """

def film_rate(film: str, temperature_k: float, partial_pressures_pa: Mapping[str, float]) -> float:
    """Return how fast a film grows, m/s: molar_rate × MOLAR_VOLUME. Arguments and errors are molar_rate's."""

def growth_per_cycle(film: str, temperature_k: float) -> float:
    """Return what a saturated cycle adds, m: Al2O3 0.105 nm with a maximum near 250 °C, TiN 0.02 nm at 350–425 °C."""

def nucleation_delay(temperature_k: float, source_pa: float, etchant_pa: float = 0.0) -> float:
    """Return how long a mask of oxide stays bare in a gas that grows silicon, s; infinite with etchant enough.

    Pressure and temperature shorten it (Kajikawa et al. 2004); 100 s at 1123 K and 100 Pa, 200 kJ/mol, first order,
    bare for ever from HCl over source 0.5 on: usual values.

    Args:
        temperature_k: of the mask.
        source_pa: of the silane or chlorosilane.
        etchant_pa: of hydrogen chloride.

    Raises:
        ValueError: an argument outside of its range, or NaN.
    """

def loading(surface_m_s: float, transfer_m_s: float, open_share: float) -> float:
    """Return the rate in the openings of a mask over that on a bare wafer, both behind the same layer of gas.

    Grove's two steps in series with the flux of the openings spread over the wafer: (1 + r)/(1 + f·r), r = ks/hg.

    Args:
        surface_m_s: ks, of the reaction.
        transfer_m_s: hg, of the layer.
        open_share: f, above 0 and at most 1.

    Raises:
        ValueError: an argument outside of its range, or NaN.
    """

class FlameGrowth(NamedTuple):
    """Diamond under a flame."""

    growth_m_s: float
    burned_k: float
    burned_hydrogen: float
    """Mole fraction of H in the burned gas."""
    surface_hydrogen: float
    """What is left of it at the surface."""

class SurfaceCarbon(NamedTuple):
    """Carbon on copper."""

    activity: float
    """Over graphene: it grows above 1 and is etched below."""
    coverage: float
    """Share of sites with an adatom."""

def combustion_growth(
    oxygen_over_acetylene: float,
    strain_1_s: float,
    surface_k: float,
    methyl: float = 5e-5,
    recombination: float = 0.1,
    pressure_pa: float = 101325.0,
) -> FlameGrowth:
    """Return the growth of diamond under an oxygen–acetylene flame.

    Burned gas in equilibrium (kernels.sources), H and CH3 through the layer in front of a stagnation point (constant
    properties), H lost in `recombination` of its hits, the rate law of diamond at the surface.

    Args:
        oxygen_over_acetylene: 0.7 … 1.3.
        strain_1_s: velocity gradient of the flow.
        surface_k: 500 … 2000.
        methyl: mole fraction of CH3 at the flame; the usual value fixes the magnitude, for a rate law needs it given.
    """

def graphene_carbon(temperature_k: float, methane_pa: float, hydrogen_pa: float) -> SurfaceCarbon:
    """Return activity and coverage of C(ad) in equilibrium with CH4 and H2: a = K·p_CH4/p_H2², 700 … 1357 K."""
