"""Growth of films from gas: rate laws and the competition of transport and reaction. SI units.

Rates R are molar (mol of film a m² and s); thickness grows by G = R·M/ρ. The laws are kernels/physics/films.pxd.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from kernels import sources as _sources
from kernels import similarity as _similarity

from kernels.physics.constants cimport GAS_CONSTANT, PI
from kernels.physics.demands cimport above, nonnegative, share
from kernels.physics.films cimport FILMS as FILM_COUNT, GASES as GAS_COUNT, film_molar_rate
from kernels.physics.surface cimport OXIDE_MOLAR_VOLUME, OXIDE_UPTAKE, SILICON_MOLAR_VOLUME, arrhenius_rate

SIO2_UPTAKE = OXIDE_UPTAKE
GASES = (
    "SiH4", "SiH2Cl2", "SiHCl3", "SiCl4", "TEOS", "NH3", "N2O", "O2", "H2", "HCl", "WF6", "TMGa", "AsH3", "GaCl",
    "TMAl", "H2O", "TiCl4", "TDMAT", "CH4", "CH3", "H", "SiH3", "N2", "GeH4", "C2H2", "O3",
)


@dataclass(frozen=True)
class Film:
    """A film: what it weighs and what it takes out of the gas."""

    index: int
    molar_mass_kg: float
    molar_volume_m3: float
    consumed: dict
    growth_per_cycle_m: float = 0.0


def _film(index, mass, density, consumed, volume=None, per_cycle=0.0):
    mass *= 1e-3
    return Film(index, mass, mass / density if volume is None else volume, consumed, per_cycle)


_OXIDE = {"mass": 60.084, "density": 2200.0, "volume": OXIDE_MOLAR_VOLUME}
_SILICON = {"mass": 28.0855, "density": 2329.0, "volume": SILICON_MOLAR_VOLUME}
FILMS = {
    "poly-Si": _film(0, **_SILICON, consumed={"SiH4": 1.0, "H2": -2.0}),
    "SiO2": _film(1, **_OXIDE, consumed={"SiH4": 1.0, "N2O": 2.0, "N2": -2.0, "H2": -2.0}),
    "SiO2-LTO": _film(2, **_OXIDE, consumed={"SiH4": 1.0, "O2": 1.0, "H2": -2.0}),
    "SiO2-TEOS": _film(3, **_OXIDE, consumed={"TEOS": 1.0, "C2H4": -4.0, "H2O": -2.0}),
    "SiO2-DCS": _film(4, **_OXIDE, consumed={"SiH2Cl2": 1.0, "N2O": 2.0, "N2": -2.0, "HCl": -2.0}),
    "SiO2-plasma": _film(5, **_OXIDE, consumed={"SiH4": 1.0, "N2O": 2.0, "N2": -2.0, "H2": -2.0}),
    "Si3N4": _film(6, 140.283, 3100.0, {"SiH2Cl2": 3.0, "NH3": 4.0, "HCl": -6.0, "H2": -6.0}),
    "Si3N4-plasma": _film(7, 140.283, 2700.0, {"SiH4": 3.0, "NH3": 4.0, "H2": -12.0}, 140.283e-3 / 3100.0),
    "W": _film(8, 183.84, 19250.0, {"WF6": 1.0, "H2": 3.0, "HF": -6.0}),
    "GaAs": _film(9, 144.645, 5317.0, {"TMGa": 1.0, "AsH3": 1.0, "CH4": -3.0}),
    "diamond": _film(10, 12.011, 3520.0, {"CH3": 1.0, "H2": -1.5}),
    "a-Si:H": _film(11, **_SILICON, consumed={"SiH4": 1.0, "H2": -2.0}),
    "uc-Si:H": _film(12, **_SILICON, consumed={"SiH4": 1.0, "H2": -2.0}),
    "graphene": _film(13, 12.011, 2275.0, {"CH4": 1.0, "H2": -2.0}),
    "TiN": _film(14, 61.874, 5210.0, {"TiCl4": 1.0, "NH3": 4.0 / 3.0, "HCl": -4.0, "N2": -1.0 / 6.0}, None, 0.02e-9),
    "TiN-TDMAT": _film(15, 61.874, 5210.0, {"TDMAT": 1.0}),
    "Al2O3": _film(16, 101.961, 3000.0, {"TMAl": 2.0, "H2O": 3.0, "CH4": -6.0}, None, 0.105e-9),
    "epi-Si": _film(17, **_SILICON, consumed={"SiH2Cl2": 1.0, "HCl": -2.0}),
    "epi-Si-SiHCl3": _film(18, **_SILICON, consumed={"SiHCl3": 1.0, "H2": 1.0, "HCl": -3.0}),
    "epi-Si-SiCl4": _film(19, **_SILICON, consumed={"SiCl4": 1.0, "H2": 2.0, "HCl": -4.0}),
    "GaN": _film(20, 83.730, 6150.0, {"TMGa": 1.0, "NH3": 1.0, "CH4": -3.0}),
    "GaN-HVPE": _film(21, 83.730, 6150.0, {"GaCl": 1.0, "NH3": 1.0, "HCl": -1.0, "H2": -1.0}),
    # Ethoxy groups leave as acetaldehyde (usual product); one O3 each
    "SiO2-O3TEOS": _film(22, **_OXIDE, consumed={"TEOS": 1.0, "O3": 4.0, "C2H4O": -4.0, "H2O": -2.0, "O2": -4.0}),
    "W-laser": _film(23, 183.84, 19250.0, {"WF6": 1.0, "H2": 3.0, "HF": -6.0}),
}
MOLAR_VOLUME = {name: film.molar_volume_m3 for name, film in FILMS.items()}
MOLAR_MASS = {name: film.molar_mass_kg for name, film in FILMS.items()}
_INDEX = {gas: index for index, gas in enumerate(GASES)}
if len(GASES) != GAS_COUNT or len(FILMS) != FILM_COUNT:
    raise ImportError("kernels.growth and physics/films.pxd do not name the same gases and films")


cdef double warm(double temperature_k) except? -1.0:
    if not 1.0 <= temperature_k <= 1e5:
        raise ValueError(f"temperature_k must be above 0 (1 … 100 000), is {temperature_k:g}")
    return temperature_k


def arrhenius(double prefactor, double activation_j_mol, double temperature_k):
    """Return prefactor · exp(−E / (R·T))."""
    if not (math.isfinite(prefactor) and math.isfinite(activation_j_mol)):
        raise ValueError("prefactor and activation_j_mol must be finite numbers")
    rate = arrhenius_rate(prefactor, activation_j_mol, warm(temperature_k))
    if math.isinf(rate):
        raise ValueError("the rate is beyond every number: activation_j_mol is far below 0")
    return rate


def grove(double surface_m_s, double transfer_m_s, double concentration_mol_m3):
    """Return the flux into a surface, mol/(m²·s): ks·hg·C / (ks + hg)."""
    if not 0.0 <= concentration_mol_m3 < math.inf:
        raise ValueError("concentration_mol_m3 must not be negative and must be finite")
    if not (surface_m_s >= 0.0 and transfer_m_s >= 0.0) or surface_m_s + transfer_m_s == 0.0:
        raise ValueError("surface_m_s and transfer_m_s must not be negative, nor both be 0")
    if math.isinf(surface_m_s) and math.isinf(transfer_m_s):
        raise ValueError("surface_m_s and transfer_m_s must not both be infinite")
    if math.isinf(transfer_m_s):
        return surface_m_s * concentration_mol_m3
    if math.isinf(surface_m_s):
        return transfer_m_s * concentration_mol_m3
    # The smaller one over a share of at most 1: no product that could overflow
    low, high = sorted((surface_m_s, transfer_m_s))
    return low / (1.0 + low / high) * concentration_mol_m3


def film(name):
    """Return a film by its name."""
    if name not in FILMS:
        raise ValueError(f"no rate law for film {name!r}; there are {', '.join(sorted(FILMS))}")
    return FILMS[name]


def consumed(name, gas):
    """Return the moles of a gas that one mole of film takes."""
    per = film(name).consumed.get(gas, 0.0)
    if not per > 0.0:
        raise ValueError(f"{name} does not grow from {gas}; it takes "
                         f"{', '.join(g for g, n in film(name).consumed.items() if n > 0.0)}")
    return per


def molar_rate(film, double temperature_k, partial_pressures_pa):
    """Return the rate of a film in mol/(m²·s) over a surface in gas of these partial pressures."""
    cdef double p[GAS_COUNT]
    cdef int i
    if film not in FILMS:
        raise ValueError(f"no rate law for film {film!r}; there are {', '.join(sorted(FILMS))}")
    warm(temperature_k)
    for i in range(GAS_COUNT):
        p[i] = 0.0
    for gas, pressure in dict(partial_pressures_pa).items():
        if not 0.0 <= pressure < math.inf:
            raise ValueError(f"partial pressure of {gas} must not be negative and must be finite, is {pressure:g}")
        index = _INDEX.get(gas)
        if index is not None:
            p[<int>index] = pressure
    return film_molar_rate(FILMS[film].index, temperature_k, p)


def film_rate(film, double temperature_k, partial_pressures_pa):
    """Return how fast a film grows, m/s."""
    return molar_rate(film, temperature_k, partial_pressures_pa) * MOLAR_VOLUME[film]


def growth_per_cycle(film, double temperature_k):
    """Return what a saturated cycle of a film adds, m."""
    if film not in FILMS or not FILMS[film].growth_per_cycle_m:
        cycled = ", ".join(name for name, kind in FILMS.items() if kind.growth_per_cycle_m)
        raise ValueError(f"{film!r} is not grown in cycles here; {cycled} are")
    warm(temperature_k)
    if film == "Al2O3":
        # Too little reaction below 250 °C, hydroxyl lost above: a maximum there, a tenth less 100 K away [K]
        return FILMS[film].growth_per_cycle_m * math.exp(-0.105 * ((temperature_k - 523.15) / 100.0) ** 2)
    # Flat window 350 … 425 °C; reaction falls off below, decomposition of the complex adds above [K]
    low = 1.0 / (1.0 + math.exp(min(700.0, (593.15 - temperature_k) / 12.0)))
    return FILMS[film].growth_per_cycle_m * low * (1.0 + max(0.0, (temperature_k - 703.15) / 300.0))


def nucleation_delay(double temperature_k, double source_pa, double etchant_pa=0.0):
    """Return how long a mask of oxide stays bare in a gas that grows silicon, s; infinite with etchant enough."""
    warm(temperature_k)
    above("source_pa", source_pa)
    nonnegative("etchant_pa", etchant_pa)
    # Pressure and temperature shorten it (Y. Kajikawa et al., Chem. Vap. Deposition 10, 128 (2004)); 100 s at 1123 K
    # and 100 Pa, 200 kJ/mol, first order; chloride lengthens it and keeps the mask bare from HCl/source 0.5 on [K]
    cdef double left = 1.0 - etchant_pa / source_pa / 0.5
    if left <= 0.0:
        return math.inf
    activation = min(200.0, 200e3 / GAS_CONSTANT * (1.0 / temperature_k - 1.0 / 1123.15))
    return 1e4 / source_pa * math.exp(activation) / left


def loading(double surface_m_s, double transfer_m_s, double open_share):
    """Return the rate in the openings of a mask over that on a bare wafer, both behind the same layer of gas."""
    nonnegative("surface_m_s", surface_m_s)
    above("transfer_m_s", transfer_m_s)
    share("open_share", above("open_share", open_share))
    # Grove with the flux that the openings take, spread over the wafer: C_s = C/(1 + f·ks/hg)
    cdef double ratio = surface_m_s / transfer_m_s
    return (1.0 + ratio) / (1.0 + open_share * ratio)


class FlameGrowth(NamedTuple):
    """Diamond under a flame."""

    growth_m_s: float
    burned_k: float
    burned_hydrogen: float
    surface_hydrogen: float


class SurfaceCarbon(NamedTuple):
    """Carbon on copper."""

    activity: float
    coverage: float


def combustion_growth(oxygen_over_acetylene, double strain_1_s, double surface_k, double methyl=5e-5,
                      double recombination=0.1, double pressure_pa=101325.0):
    """Return the growth of diamond under an acetylene flame: burned gas, stagnation layer, surface."""
    for name, value in (("strain_1_s", strain_1_s), ("pressure_pa", pressure_pa)):
        if not 0.0 < value < 1e9:
            raise ValueError(f"{name} must be above 0 and below 1e9, is {value:g}")
    for name, value in (("methyl", methyl), ("recombination", recombination)):
        if not 0.0 < value <= 1.0:
            raise ValueError(f"{name} must be above 0 and at most 1, is {value:g}")
    if not 500.0 <= surface_k <= 2000.0:
        raise ValueError(f"surface_k must be 500 … 2000, is {surface_k:g}")
    burned_k, burned = _sources.flame_temperature(oxygen_over_acetylene)
    mean = 0.5 * (burned_k + surface_k)
    # Viscosity of CO and H2, and diffusivities in them, at 298 K and 1 atm [K]
    viscous = 1.0e-5 * (mean / 298.15) ** 0.7 * GAS_CONSTANT * mean / (pressure_pa * 15e-3)
    spread = (mean / 298.15) ** 1.75 * 101325.0 / pressure_pa
    left = {}
    for gas, mass, diffusivity, loss, share in (
        ("H", 1.008e-3, 1.5e-4, recombination, burned), ("CH3", 15.035e-3, 4.0e-5, 0.0, methyl),
    ):
        d = diffusivity * spread
        transfer = d * math.sqrt(strain_1_s / viscous) * _similarity.stagnation_sherwood(viscous / d)
        surface = 0.25 * loss * math.sqrt(8.0 * GAS_CONSTANT * surface_k / (PI * mass))
        left[gas] = share * transfer / (transfer + surface)
    rate = film_rate("diamond", surface_k, {gas: share * pressure_pa for gas, share in left.items()})
    return FlameGrowth(rate, burned_k, burned, left["H"])


def graphene_carbon(double temperature_k, double methane_pa, double hydrogen_pa):
    """Return the carbon on copper in equilibrium with methane and hydrogen."""
    if not 700.0 <= temperature_k <= 1357.0:
        raise ValueError(f"temperature_k must be 700 … 1357 (copper melts), is {temperature_k:g}")
    if not 0.0 <= methane_pa < 1e8:
        raise ValueError(f"methane_pa must be 0 … below 1e8, is {methane_pa:g}")
    if not 1e-6 <= hydrogen_pa < 1e8:
        raise ValueError(f"hydrogen_pa must be 1e-6 … below 1e8, is {hydrogen_pa:g}")
    # CH4 = C + 2 H2 about 1273 K: 90 kJ/mol, 110 J/(mol·K) [K]; an adatom lies 1.5 eV above graphene [K]
    constant = math.exp(110.0 / GAS_CONSTANT - 90e3 / (GAS_CONSTANT * temperature_k)) * 1e5
    activity = constant * methane_pa / hydrogen_pa ** 2
    bare = activity * math.exp(-144.7e3 / (GAS_CONSTANT * temperature_k))
    return SurfaceCarbon(activity, bare / (1.0 + bare))
