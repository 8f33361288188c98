"""Pulsed and atomic-layer growth: coverage in a pulse, purge, a whole cycle. SI units."""

import math
from dataclasses import dataclass

from kernels import growth
from kernels.physics.demands cimport above, nonnegative
from kernels.physics.pulse cimport pulsed, purge_dose, purged, site_rate


@dataclass(frozen=True)
class Cycle:
    """What one cycle of two half-reactions leaves."""

    growth_m: float
    first_coverage: float
    second_coverage: float
    overlap: float


def adsorption_rate(double pressure_pa, double molar_mass_kg, double temperature_k, double sticking,
                    double site_area_m2):
    """Return how fast bare sites react, 1/s."""
    if not 0.0 <= sticking <= 1.0:
        raise ValueError(f"sticking must be 0 … 1, is {sticking:g}")
    return site_rate(nonnegative("pressure_pa", pressure_pa), above("molar_mass_kg", molar_mass_kg),
                     above("temperature_k", temperature_k), sticking, above("site_area_m2", site_area_m2))


def coverage(double start, double rate_1_s, double seconds):
    """Return the coverage after a pulse."""
    if not 0.0 <= start <= 1.0:
        raise ValueError(f"start must be 0 … 1, is {start:g}")
    return pulsed(start, nonnegative("rate_1_s", rate_1_s), nonnegative("seconds", seconds))


def saturation_time(double rate_1_s, double coverage=0.95):
    """Return how long a pulse must last to cover a flat surface so far, s."""
    if not 0.0 <= coverage < 1.0:
        raise ValueError(f"coverage must be at least 0 and below 1, is {coverage:g}")
    return -math.log1p(-coverage) / above("rate_1_s", rate_1_s)


def residual(double pressure_pa, double seconds, double tau_s):
    """Return what a purge leaves of a pressure, Pa."""
    return purged(nonnegative("pressure_pa", pressure_pa), nonnegative("seconds", seconds), above("tau_s", tau_s))


def cycle(film, double temperature_k, first_rate_1_s, second_rate_1_s, pulses_s, purges_s, double tau_s,
          double start=0.0):
    """Carry one cycle out: pulse and purge of each of two precursors."""
    cdef double a, b, dose, one = nonnegative("first_rate_1_s", first_rate_1_s)
    cdef double two = nonnegative("second_rate_1_s", second_rate_1_s)
    per_cycle = growth.growth_per_cycle(film, temperature_k)
    first, second = (nonnegative("pulses_s", value) for value in pulses_s)
    after, between = (nonnegative("purges_s", value) for value in purges_s)
    above("tau_s", tau_s)
    if not 0.0 <= start <= 1.0:
        raise ValueError(f"start must be 0 … 1, is {start:g}")
    dose = one * first + purge_dose(one, after, tau_s)
    a = pulsed(start, 1.0, dose)
    dose = two * second + purge_dose(two, between, tau_s)
    b = pulsed(0.0, 1.0, dose)
    # What is left of the first in the second: not self-limited, counted as chemical vapour deposition
    overlap = purged(one, after, tau_s) * min(second, tau_s)
    return Cycle(per_cycle * (a * b + overlap), a, b, overlap)
