"""Heat: radiation between bodies, time constants, heating by a laser spot. SI units."""

from libc.math cimport sqrt

from kernels.physics.constants cimport PI, STEFAN_BOLTZMANN
from kernels.physics.radiation cimport radiated


def radiative_exchange(double effective_area_m2, double hot_k, double cold_k):
    """Return the heat from one grey body to another, W."""
    return radiated(effective_area_m2, hot_k, cold_k)


def radiative_time_constant(double heat_capacity_j_k, double effective_area_m2, double temperature_k):
    """Return the time constant of a body that follows its surroundings by radiation, s."""
    if not (effective_area_m2 > 0.0 and temperature_k > 0.0):
        raise ValueError("effective_area_m2 and temperature_k must be above 0")
    return heat_capacity_j_k / (4.0 * STEFAN_BOLTZMANN * effective_area_m2 * temperature_k ** 3)


def laser_peak_rise(double power_w, double radius_m, double conductivity_w_m_k, double absorbed=1.0):
    """Return the peak temperature rise under a Gaussian spot, K."""
    if not (radius_m > 0.0 and conductivity_w_m_k > 0.0):
        raise ValueError("radius_m and conductivity_w_m_k must be above 0")
    return absorbed * power_w / (2.0 * sqrt(PI) * conductivity_w_m_k * radius_m)
