"""Transport of reactants: between wafers, and along a hot-wall tube. SI units."""

from dataclasses import dataclass

import numpy as np

from kernels.physics.bessel cimport bessel_i0
from kernels.physics.surface cimport OXIDE_MOLAR_VOLUME, SILICON_MOLAR_VOLUME
from kernels.physics.tube cimport FILM_OXIDE, FILM_SILICON, Stream, film_constant, station

_FILMS = {"poly-Si": FILM_SILICON, "SiO2": FILM_OXIDE}


@dataclass(frozen=True)
class HotWallTube:
    """What a tube makes."""

    growth_m_s: np.ndarray
    conversion: float
    outlet_mol_s: dict


def wafer_gap_modulus(double surface_m_s, double radius_m, double diffusivity_m2_s, double gap_m):
    """Return φ of the gap between two wafers, both of which react."""
    if not (surface_m_s >= 0.0 and radius_m > 0.0 and diffusivity_m2_s > 0.0 and gap_m > 0.0):
        raise ValueError("radius_m, diffusivity_m2_s and gap_m must be above 0, surface_m_s must not be negative")
    return (2.0 * surface_m_s * radius_m * radius_m / (diffusivity_m2_s * gap_m)) ** 0.5


def wafer_gap_ratio(double phi):
    """Return the rate in a wafer's centre over that at its edge: 1 / I0(φ)."""
    if not phi >= 0.0:
        raise ValueError(f"phi must not be negative, is {phi:g}")
    return 1.0 / bessel_i0(phi)


def wafer_gap_profile(double phi, relative_radii):
    """Return the rate over that at the edge at radii r/R: I0(φ·r/R) / I0(φ)."""
    radii = np.asarray(relative_radii, np.float64)
    edge = bessel_i0(phi)
    return np.array([bessel_i0(phi * radius) / edge for radius in radii.ravel()]).reshape(radii.shape)


def hot_wall_tube(film, temperatures_k, areas_m2, inlet_mol_s, double pressure_pa, int parts=4):
    """March silane along a hot-wall tube in plug flow."""
    if film not in _FILMS:
        raise ValueError(f"no rate law for film {film!r}; there are {', '.join(sorted(_FILMS))}")
    cdef dict inlet = dict(inlet_mol_s)
    cdef int kind = _FILMS[film], _part
    cdef const double[::1] temperatures = np.ascontiguousarray(temperatures_k, np.float64)
    cdef const double[::1] areas = np.ascontiguousarray(np.broadcast_to(areas_m2, np.shape(temperatures_k)), np.float64)
    if not all(flow >= 0.0 for flow in inlet.values()) or not inlet.get("SiH4", 0.0) > 0.0:
        raise ValueError("inlet_mol_s must hold a flow of SiH4 above 0 and no negative ones")
    if np.min(temperatures_k) <= 0.0 or np.min(areas_m2) <= 0.0 or not pressure_pa > 0.0 or parts < 1:
        raise ValueError("temperatures_k, areas_m2, pressure_pa and parts must be above 0")
    known = ("SiH4", "N2O", "H2")
    cdef Stream stream
    stream.sih4, stream.n2o, stream.h2 = (inlet.get(gas, 0.0) for gas in known)
    stream.inert = sum(flow for gas, flow in inlet.items() if gas not in known)
    cdef double first = stream.sih4, constant, rate
    cdef double volume = SILICON_MOLAR_VOLUME if kind == FILM_SILICON else OXIDE_MOLAR_VOLUME
    growth = np.empty(temperatures.shape[0])
    cdef double[::1] grown = growth
    cdef Py_ssize_t i
    for i in range(temperatures.shape[0]):
        constant, rate = film_constant(kind, temperatures[i]), 0.0
        for _part in range(parts):
            rate += station(kind, constant, areas[i] / parts, pressure_pa, &stream) / parts
        grown[i] = rate * volume
    outlet = {"SiH4": stream.sih4, "N2O": stream.n2o, "H2": stream.h2, "inert": stream.inert}
    return HotWallTube(growth, 1.0 - stream.sih4 / first, outlet)
