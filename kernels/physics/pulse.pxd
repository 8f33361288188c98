"""Half-reactions of atomic layer deposition: Langmuir uptake in a pulse, decay in a purge, parasitic growth.

dθ/dt = s0·P/√(2πmkT)·a0·(1 − θ) (R. L. Puurunen, J. Appl. Phys. 97, 121301 (2005)); P decays as exp(−t/τ) in a purge.
Both are integrated in closed form, so one step is exact for constant conditions however long it is.
"""

from libc.math cimport exp, expm1, sqrt

from kernels.physics.constants cimport AVOGADRO, GAS_CONSTANT, PI


cdef inline double site_rate(double pressure, double mass, double temperature, double sticking, double site_area
                             ) noexcept nogil:
    # 1/s, mass in kg/mol, site_area in m2
    return sticking * pressure * AVOGADRO / sqrt(2.0 * PI * mass * GAS_CONSTANT * temperature) * site_area


cdef inline double pulsed(double coverage, double rate, double dt) noexcept nogil:
    # θ after dt at a constant rate; −expm1 keeps small doses exact
    return coverage - (1.0 - coverage) * expm1(-rate * dt)


cdef inline double purged(double pressure, double dt, double tau) noexcept nogil:
    return pressure * exp(-dt / tau) if tau > 0.0 else 0.0


cdef inline double purge_dose(double rate, double dt, double tau) noexcept nogil:
    # ∫ of the rate over a purge that starts at it
    return -rate * tau * expm1(-dt / tau) if tau > 0.0 else 0.0
