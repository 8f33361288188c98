"""Transport of reactants: onto rotating and stagnation surfaces, between wafers, along a hot-wall tube. SI units."""

from dataclasses import dataclass

import numpy as np

from kernels import growth
from kernels.similarity import (
    TransferTable,
    homann,
    homann_profile,
    rotating_disk_sherwood,
    stagnation_sherwood,
    von_karman,
    von_karman_profile,
)
from kernels.stagnation import StagnationGrowth, stagnation_growth

from libc.math cimport sqrt

from kernels.physics.bessel cimport bessel_i0
from kernels.physics.demands cimport SMALLEST, above, nonnegative
from kernels.physics.films cimport GASES
from kernels.physics.march cimport film_station
from kernels.physics.surface cimport OXIDE_MOLAR_VOLUME, SILICON_MOLAR_VOLUME
from kernels.physics.tube cimport FILM_OXIDE, FILM_SILICON, Stream, film_constant, station

__all__ = [
    "HotWallTube", "StagnationGrowth", "TransferTable", "homann", "homann_profile", "hot_wall_tube",
    "rotating_disk_sherwood", "stagnation_growth", "stagnation_sherwood", "von_karman", "von_karman_profile",
    "wafer_gap_modulus", "wafer_gap_profile", "wafer_gap_ratio",
]
_FILMS = {"poly-Si": FILM_SILICON, "SiO2": FILM_OXIDE}


@dataclass(frozen=True)
class HotWallTube:
    """What a tube makes."""

    growth_m_s: np.ndarray
    conversion: float
    outlet_mol_s: dict


def wafer_gap_modulus(double surface_m_s, double radius_m, double diffusivity_m2_s, double gap_m):
    """Return φ of the gap between two wafers, both of which react."""
    return sqrt(2.0 * nonnegative("surface_m_s", surface_m_s) / above("diffusivity_m2_s", diffusivity_m2_s)) * above(
        "radius_m", radius_m) / sqrt(above("gap_m", gap_m))


def wafer_gap_ratio(double phi):
    """Return the rate in a wafer's centre over that at its edge: 1 / I0(φ)."""
    if not 0.0 <= phi <= 1e4:
        raise ValueError(f"phi must not be negative, nor above 10 000, is {phi:g}")
    return 1.0 / bessel_i0(phi) if phi < 700.0 else 0.0


def wafer_gap_profile(double phi, relative_radii):
    """Return the rate over that at the edge at radii r/R: I0(φ·r/R) / I0(φ)."""
    radii = np.asarray(relative_radii, np.float64)
    if not (0.0 <= phi <= 700.0 and np.all((radii >= 0.0) & (radii <= 1.0))):
        raise ValueError("phi must be 0 … 700, relative_radii 0 … 1")
    edge = bessel_i0(phi)
    return np.array([bessel_i0(phi * radius) / edge for radius in radii.ravel()]).reshape(radii.shape)


def hot_wall_tube(film, temperatures_k, areas_m2, inlet_mol_s, double pressure_pa, int parts=4):
    """March the gas along a hot-wall tube in plug flow."""
    growth.film(film)
    cdef dict inlet = dict(inlet_mol_s)
    cdef int kind, _part
    try:
        heat = np.array(temperatures_k, np.float64, ndmin=1)
        cover = np.array(np.broadcast_to(areas_m2, heat.shape), np.float64)
    except (TypeError, ValueError):
        raise ValueError("temperatures_k and areas_m2 are numbers, one area for all stations or one for each") from None
    if heat.ndim != 1 or heat.shape[0] == 0:
        raise ValueError("temperatures_k must be a list of at least one station")
    need = [gas for gas, per in growth.FILMS[film].consumed.items() if per > 0.0]
    for gas, flow in inlet.items():
        if not 0.0 <= flow < np.inf:
            raise ValueError(f"inlet_mol_s: flow of {gas} must be finite, and there are no negative ones; is {flow:g}")
    missing = [gas for gas in need[:1] if not inlet.get(gas, 0.0) > 0.0]
    if missing:
        raise ValueError(f"inlet_mol_s must hold a flow of {missing[0]} above 0")
    if not (np.all(heat > 0.0) and np.all(cover >= SMALLEST) and 0.0 < pressure_pa < np.inf and 1 <= parts <= 10000):
        raise ValueError("temperatures_k, areas_m2, pressure_pa and parts must be above 0")
    if not (np.all(np.isfinite(heat)) and np.all(np.isfinite(cover))):
        raise ValueError("temperatures_k and areas_m2 must be finite; no NaN")
    cdef const double[::1] temperatures = heat
    cdef const double[::1] areas = cover
    if film not in _FILMS:
        return _any_film(film, need[0], temperatures, areas, inlet, pressure_pa, parts)
    kind = _FILMS[film]
    known = ("SiH4", "N2O", "H2")
    cdef Stream stream
    stream.sih4, stream.n2o, stream.h2 = (inlet.get(gas, 0.0) for gas in known)
    stream.inert = sum(flow for gas, flow in inlet.items() if gas not in known)
    cdef double first = stream.sih4, constant, rate
    cdef double volume = SILICON_MOLAR_VOLUME if kind == FILM_SILICON else OXIDE_MOLAR_VOLUME
    growth_m_s = np.empty(temperatures.shape[0])
    cdef double[::1] grown = growth_m_s
    cdef Py_ssize_t i
    with nogil:
        for i in range(temperatures.shape[0]):
            constant, rate = film_constant(kind, temperatures[i]), 0.0
            for _part in range(parts):
                rate += station(kind, constant, areas[i] / parts, pressure_pa, &stream) / parts
            grown[i] = rate * volume
    outlet = {"SiH4": stream.sih4, "N2O": stream.n2o, "H2": stream.h2, "inert": stream.inert}
    return HotWallTube(growth_m_s, 1.0 - stream.sih4 / first, outlet)


cdef object _any_film(film, reactant, const double[::1] temperatures, const double[::1] areas, dict inlet,
                      double pressure_pa, int parts):
    cdef double per[GASES]
    cdef double flow[GASES]
    cdef double inert = 0.0, inert_per = 0.0, rate
    cdef int i, _part, index = growth.FILMS[film].index
    cdef Py_ssize_t at
    names = growth.GASES
    consumed = growth.FILMS[film].consumed
    for i in range(GASES):
        flow[i], per[i] = inlet.get(names[i], 0.0), consumed.get(names[i], 0.0)
    inert = sum(amount for gas, amount in inlet.items() if gas not in names)
    inert_per = -sum(amount for gas, amount in consumed.items() if gas not in names)
    growth_m_s = np.empty(temperatures.shape[0])
    cdef double[::1] grown = growth_m_s
    cdef double volume = growth.MOLAR_VOLUME[film]
    with nogil:
        for at in range(temperatures.shape[0]):
            rate = 0.0
            for _part in range(parts):
                rate += film_station(index, temperatures[at], areas[at] / parts, pressure_pa, inert_per, per, flow,
                                     &inert) / parts
            grown[at] = rate * volume
    outlet = {names[i]: flow[i] for i in range(GASES) if flow[i] > 0.0 or names[i] in inlet} | {"inert": inert}
    return HotWallTube(growth_m_s, 1.0 - outlet[reactant] / inlet[reactant], outlet)
