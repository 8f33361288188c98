"""Low-pressure discharges, volume-averaged; electron temperatures in eV.

Argon and oxygen: rate coefficients of M. A. Lieberman and A. J. Lichtenberg, Principles of Plasma Discharges and
Materials Processing, 2nd ed. (2005), tables 3.3 and 8.2; edge densities ibid., eq. 10.2; taken
from memory, not checked against a copy. Oxygen's elastic rate and the 6 eV of a dissociation are rough values of ours.
"""

from libc.math cimport exp, log, pow, sqrt

from kernels.physics.constants cimport PI

cdef extern from *:
    """
    #define CVD_CHARGE 1.602176634e-19          /* C, exact */
    #define CVD_ELECTRON_MASS 9.1093837015e-31  /* kg, CODATA 2018 */
    #define CVD_VACUUM_PERMITTIVITY 8.8541878128e-12  /* F/m, CODATA 2018 */
    """
    const double CHARGE "CVD_CHARGE"
    const double ELECTRON_MASS "CVD_ELECTRON_MASS"
    const double VACUUM_PERMITTIVITY "CVD_VACUUM_PERMITTIVITY"

cdef struct Rates:
    # m3/s, and J per electron-ion pair in eV
    double ionise
    double attach
    double dissociate
    double cost  # eV lost in collisions for each electron, × m3/s


cdef inline Rates rates(double argon, double oxygen, double t) noexcept nogil:
    # Weighted with the shares of the two gases
    cdef Rates r
    cdef double ar_iz = 2.34e-14 * pow(t, 0.59) * exp(-17.44 / t), ar_ex = 2.48e-14 * pow(t, 0.33) * exp(-12.78 / t)
    cdef double l = log(t)
    cdef double ar_el = 2.336e-14 * pow(t, 1.609) * exp(0.0618 * l * l - 0.1171 * l * l * l)
    cdef double o2_iz = 2.34e-15 * pow(t, 1.03) * exp(-12.29 / t)
    cdef double o2_att = 1.07e-16 * pow(t, -1.391) * exp(-6.26 / t), o2_dis = 6.86e-15 * exp(-6.29 / t)
    cdef double o2_el = 4.7e-14 * sqrt(t)
    r.ionise = argon * ar_iz + oxygen * o2_iz
    r.attach = oxygen * o2_att
    r.dissociate = oxygen * o2_dis
    r.cost = argon * (15.76 * ar_iz + 12.14 * ar_ex + 3.0 * ELECTRON_MASS / 6.6335e-26 * t * ar_el) + oxygen * (
        12.06 * o2_iz + 6.0 * o2_dis + 3.0 * ELECTRON_MASS / 5.3135e-26 * t * o2_el)
    return r


cdef inline double bohm_speed(double t, double mass) noexcept nogil:
    return sqrt(CHARGE * t / mass)


cdef inline double effective_area(double radius, double length, double free_path) noexcept nogil:
    # Wall area times edge over centre density
    return 2.0 * PI * radius * (radius * 0.86 / sqrt(3.0 + 0.5 * length / free_path)
                                + length * 0.80 / sqrt(4.0 + radius / free_path))


cdef inline double electron_temperature(double argon, double oxygen, double density, double mass, double volume,
                                        double area) noexcept nogil:
    # Where (K_iz − K_att)·n_g·V = u_B·A_eff, by halving ln T; −1 when that is not between 0.3 and 100 eV
    cdef double low = log(0.3), high = log(100.0), middle, t, gain
    cdef Rates r
    cdef int k
    for k in range(-2, 60):
        middle = low if k == -2 else (high if k == -1 else 0.5 * (low + high))
        t = exp(middle)
        r = rates(argon, oxygen, t)
        gain = (r.ionise - r.attach) * density * volume - bohm_speed(t, mass) * area
        if (k == -2 and gain > 0.0) or (k == -1 and gain < 0.0):
            return -1.0
        if k >= 0:
            if gain > 0.0:
                high = middle
            else:
                low = middle
    return exp(0.5 * (low + high))
