"""Gas in a vessel and on its way to the pump: ideal gas, conductances, a throttle valve, a pump.

All flows are molar; speeds in m³/s are those of gas at the temperature of the place where they hold.
"""

from libc.math cimport cos

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
