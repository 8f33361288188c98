"""Growth of films from gas: rate laws and the competition of transport and reaction. SI units.

Rates R are molar (mol of film a m² and s); thickness grows by G = R·M/ρ.
"""

import math

from kernels.physics.surface cimport (
    OXIDE_MOLAR_VOLUME,
    OXIDE_UPTAKE,
    SILICON_MOLAR_VOLUME,
    arrhenius_rate,
    oxidant_share,
    silane_constant,
    silane_uptake,
)

SIO2_UPTAKE = OXIDE_UPTAKE
MOLAR_VOLUME = {"poly-Si": SILICON_MOLAR_VOLUME, "SiO2": OXIDE_MOLAR_VOLUME}


def arrhenius(double prefactor, double activation_j_mol, double temperature_k):
    """Return prefactor · exp(−E / (R·T))."""
    if not temperature_k > 0.0:
        raise ValueError(f"temperature_k must be above 0, is {temperature_k:g}")
    return arrhenius_rate(prefactor, activation_j_mol, temperature_k)


def grove(double surface_m_s, double transfer_m_s, double concentration_mol_m3):
    """Return the flux into a surface, mol/(m²·s): ks·hg·C / (ks + hg)."""
    if math.isinf(transfer_m_s):
        return surface_m_s * concentration_mol_m3
    if surface_m_s < 0.0 or transfer_m_s < 0.0 or surface_m_s + transfer_m_s == 0.0:
        raise ValueError("surface_m_s and transfer_m_s must not be negative, nor both be 0")
    return surface_m_s * transfer_m_s / (surface_m_s + transfer_m_s) * concentration_mol_m3


def molar_rate(film, double temperature_k, partial_pressures_pa):
    """Return the rate of a film in mol/(m²·s) over a surface in gas of these partial pressures."""
    cdef dict pressures = dict(partial_pressures_pa)
    if not temperature_k > 0.0:
        raise ValueError(f"temperature_k must be above 0, is {temperature_k:g}")
    for gas, pressure in pressures.items():
        if not pressure >= 0.0:
            raise ValueError(f"partial pressure of {gas} must not be negative, is {pressure:g}")
    cdef double p_sih4 = pressures.get("SiH4", 0.0)
    cdef double rate = silane_uptake(silane_constant(temperature_k), p_sih4, pressures.get("H2", 0.0))
    if film == "poly-Si":
        return rate
    if film == "SiO2":
        return rate * OXIDE_UPTAKE * oxidant_share(p_sih4, pressures.get("N2O", 0.0))
    raise ValueError(f"no rate law for film {film!r}; there are {', '.join(sorted(MOLAR_VOLUME))}")


def film_rate(film, double temperature_k, partial_pressures_pa):
    """Return how fast a film grows, m/s."""
    return molar_rate(film, temperature_k, partial_pressures_pa) * MOLAR_VOLUME[film]
