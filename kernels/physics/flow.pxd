"""Gas in a vessel and on its way to the pump: ideal gas, conductances, a throttle valve, a pump.

All flows are molar; speeds in m³/s are those of gas at the temperature of the place where they hold.
"""

from libc.math cimport cos, sqrt

from kernels.physics.constants cimport GAS_CONSTANT, PI


cdef inline double ideal_pressure(double amount, double temperature, double volume) noexcept nogil:
    return amount * GAS_CONSTANT * temperature / volume


cdef inline double steady(double flow, double temperature, double speed) noexcept nogil:
    # pressure at which a pump of that speed takes a molar flow away
    return flow * GAS_CONSTANT * temperature / speed


cdef inline double butterfly(double opening, double closed, double full) noexcept nogil:
    # C = C_min + C_max·(1 − cos θ), θ = 90° · opening: the free area beside a turned disk (a usual model)
    return closed + full * (1.0 - cos(0.5 * PI * opening))


cdef inline double in_series(double a, double b) noexcept nogil:
    # 1/C = 1/a + 1/b, for conductances that may be 0
    cdef double total = a + b
    return a * b / total if total > 0.0 else 0.0


cdef inline double displacement(double speed, double pressure, double ultimate) noexcept nogil:
    # S = S0·(1 − P_ultimate/P), nothing below
    return speed * (1.0 - ultimate / pressure) if pressure > ultimate else 0.0


cdef inline double thermal_speed(double temperature, double mass) noexcept nogil:
    # Mean speed √(8RT/(π·M)), m/s, mass in kg/mol
    return sqrt(8.0 * GAS_CONSTANT * temperature / (PI * mass))


cdef inline double orifice(double area, double temperature, double mass) noexcept nogil:
    # Molecular conductance of a hole, m3/s
    return 0.25 * thermal_speed(temperature, mass) * area


cdef inline double molecular_tube(double diameter, double length, double temperature, double mass) noexcept nogil:
    # A round tube with its entrance: the hole times 1/(1 + 3L′/8R), L′ = L·(1 + 1/(3 + 3L/7R)), within 0.7 % of
    # Clausing at any length (D. J. Santeler, J. Vac. Sci. Technol. A 4, 338 (1986))
    cdef double x = 2.0 * length / diameter
    return orifice(0.25 * PI * diameter * diameter, temperature, mass) / (
        1.0 + 0.375 * x * (1.0 + 1.0 / (3.0 + 3.0 * x / 7.0)))


cdef inline double viscous_tube(double diameter, double length, double mean_pressure, double viscosity) noexcept nogil:
    # Hagen–Poiseuille, m3/s at the mean pressure
    return PI * diameter ** 4 * mean_pressure / (128.0 * viscosity * length)


cdef inline double knudsen_tube(double diameter, double length, double mean_pressure, double viscosity,
                                double temperature, double mass) noexcept nogil:
    # Viscous to molecular (M. Knudsen, Ann. Phys. 333, 75 (1909)): C_v + C_m·(1 + a·p)/(1 + b·p), which dips by a few
    # per cent in between
    cdef double x = diameter * mean_pressure / viscosity * sqrt(mass / (GAS_CONSTANT * temperature))
    return viscous_tube(diameter, length, mean_pressure, viscosity) + (
        molecular_tube(diameter, length, temperature, mass) * (1.0 + x) / (1.0 + 1.24 * x)
    )
