"""Dilute gases from kinetic theory: Lennard-Jones molecules, pure, in pairs and as a binary mixture.

Chapman–Enskog first approximations (J. O. Hirschfelder, C. F. Curtiss and R. B. Bird, Molecular Theory of Gases and
Liquids, 1954, ch. 8), collision integrals after P. D. Neufeld, A. R. Janzen and R. A. Aziz, J. Chem. Phys. 57, 1100
(1972), for reduced temperatures 0.3 … 100. Ratios of integrals of higher order follow from the exact recursion
Ω(l,s+1) = Ω(l,s)·[1 + (1/(s+2))·d ln Ω(l,s)/d ln T*]. Conductivity of molecules with J. Warnatz' modified Eucken
factors (Numerical Methods in Flame Propagation, 1982). SI units, molar masses in kg/mol.
"""

from libc.math cimport exp, log, pow, sqrt

from kernels.physics.constants cimport AVOGADRO, BOLTZMANN, GAS_CONSTANT, PI

cdef struct Molecule:
    double mass  # kg/mol
    double diameter  # m
    double depth  # K, ε/k
    double heat[4]  # cp/R = Σ heat[n]·(T/1000 K)^n, 250 … 1800 K
    int shape  # 0 atom, 1 linear, 2 any other
    double relaxation  # collisions until rotation follows, at 298 K

cdef struct Pair:
    # Of two kinds of molecules at one temperature
    double diffusion  # binary diffusion coefficient × pressure, m2·Pa/s
    double a, b, c  # A*, B*, C*
    double conductivity  # λ12 of the formulas of thermal diffusion, W/(m·K)


cdef inline double omega11(double t) noexcept nogil:
    return (1.06036 / pow(t, 0.15610) + 0.19300 * exp(-0.47635 * t) + 1.03587 * exp(-1.52996 * t)
            + 1.76474 * exp(-3.89411 * t))


cdef inline double omega11_slope(double t) noexcept nogil:
    # d ln Ω(1,1) / d ln T*
    cdef double power = 1.06036 / pow(t, 0.15610)
    cdef double a = 0.19300 * exp(-0.47635 * t), b = 1.03587 * exp(-1.52996 * t), c = 1.76474 * exp(-3.89411 * t)
    return (-0.15610 * power - t * (0.47635 * a + 1.52996 * b + 3.89411 * c)) / (power + a + b + c)


cdef inline double omega22(double t) noexcept nogil:
    return 1.16145 / pow(t, 0.14874) + 0.52487 * exp(-0.77320 * t) + 2.16178 * exp(-2.43787 * t)


cdef inline double heat_capacity(const Molecule* m, double temperature) noexcept nogil:
    # J/(mol·K); constant outside of 250 … 1800 K, where the polynomial was not fitted
    cdef double t = 1e-3 * temperature
    t = 0.25 if t < 0.25 else (1.8 if t > 1.8 else t)
    return GAS_CONSTANT * (m.heat[0] + t * (m.heat[1] + t * (m.heat[2] + t * m.heat[3])))


cdef inline double viscosity(const Molecule* m, double temperature) noexcept nogil:
    # Pa·s
    return (5.0 / 16.0) * sqrt(PI * m.mass / AVOGADRO * BOLTZMANN * temperature) / (
        PI * m.diameter * m.diameter * omega22(temperature / m.depth)
    )


cdef inline double translation(double viscous, double mass) noexcept nogil:
    # Conductivity without internal energy, W/(m·K)
    return 3.75 * GAS_CONSTANT / mass * viscous


cdef inline double parker(double reduced) noexcept nogil:
    # Temperature dependence of the rotational collision number (J. G. Parker, Phys. Fluids 2, 449 (1959))
    cdef double x = 1.0 / reduced
    return 1.0 + 0.5 * pow(PI, 1.5) * sqrt(x) + (0.25 * PI * PI + 2.0) * x + pow(PI, 1.5) * x * sqrt(x)


cdef inline double conductivity(const Molecule* m, double temperature) noexcept nogil:
    # W/(m·K)
    cdef double viscous = viscosity(m, temperature), t = temperature / m.depth
    if m.shape == 0:
        return translation(viscous, m.mass)
    cdef double rotational = 1.0 if m.shape == 1 else 1.5
    cdef double vibrational = heat_capacity(m, temperature) / GAS_CONSTANT - 2.5 - rotational
    cdef double internal = 1.2 * omega22(t) / omega11(t)  # ρ·D11/η
    cdef double slow = m.relaxation * parker(298.0 / m.depth) / parker(t)
    cdef double a = 2.5 - internal, b = slow + (2.0 / PI) * (rotational * (5.0 / 3.0) + internal)
    cdef double exchange = (2.0 / PI) * a / b
    vibrational = vibrational if vibrational > 0.0 else 0.0
    return viscous * GAS_CONSTANT / m.mass * (
        2.5 * (1.0 - exchange * rotational / 1.5) * 1.5 + internal * (1.0 + exchange) * rotational
        + internal * vibrational
    )


cdef inline Pair pair(const Molecule* one, const Molecule* other, double temperature) noexcept nogil:
    cdef Pair p
    cdef double diameter = 0.5 * (one.diameter + other.diameter), t = temperature / sqrt(one.depth * other.depth)
    cdef double reduced = one.mass * other.mass / (one.mass + other.mass)
    cdef double o11 = omega11(t), o22 = omega22(t), slope = omega11_slope(t), step = 1e-4, o12_slope, o12_over, o13_over
    p.diffusion = (3.0 / 16.0) * sqrt(2.0 * PI * AVOGADRO / reduced * (BOLTZMANN * temperature) ** 3) / (
        PI * diameter * diameter * o11
    )
    p.a = o22 / o11
    o12_over = 1.0 + slope / 3.0
    # d ln Ω(1,2)/d ln T* = slope + d ln(1 + slope/3)/d ln T*
    o12_slope = slope + log((3.0 + omega11_slope(t * (1.0 + step))) / (3.0 + omega11_slope(t * (1.0 - step)))) / (
        log((1.0 + step) / (1.0 - step))
    )
    o13_over = o12_over * (1.0 + 0.25 * o12_slope)
    p.b = 5.0 * o12_over - 4.0 * o13_over
    p.c = o12_over
    p.conductivity = translation((5.0 / 16.0) * sqrt(PI * 2.0 * reduced / AVOGADRO * BOLTZMANN * temperature) / (
        PI * diameter * diameter * o22), 2.0 * reduced)
    return p


cdef inline double thermal_diffusion_factor(const Pair* p, double m1, double m2, double l1, double l2, double x1
                                            ) noexcept nogil:
    # α of the first kind of molecule, k_T = α·x1·x2 (Hirschfelder et al., eq. 8.2-50); above 0: it goes to the cold
    # side. l1, l2: conductivities without internal energy.
    cdef double x2 = 1.0 - x1, l12 = p.conductivity, difference = (m1 - m2) * (m1 - m2) / (m1 * m2)
    cdef double s1 = 0.5 * (m1 + m2) / m2 * l12 / l1 - 3.75 / p.a * 0.5 * (m2 - m1) / m1 - 1.0
    cdef double s2 = 0.5 * (m2 + m1) / m1 * l12 / l2 - 3.75 / p.a * 0.5 * (m1 - m2) / m2 - 1.0
    cdef double b = (2.4 * p.b + 1.0) / 12.0
    cdef double u1 = (4.0 / 15.0) * p.a - b * m1 / m2 + 0.5 * difference
    cdef double u2 = (4.0 / 15.0) * p.a - b * m2 / m1 + 0.5 * difference
    cdef double uy = (4.0 / 15.0) * p.a * (m1 + m2) * (m1 + m2) / (4.0 * m1 * m2) * l12 * l12 / (l1 * l2) - b - (
        5.0 / (32.0 * p.a) * (2.4 * p.b - 5.0) * difference
    )
    cdef double xl = x1 * x1 / l1 + 2.0 * x1 * x2 / l12 + x2 * x2 / l2
    cdef double yl = x1 * x1 / l1 * u1 + 2.0 * x1 * x2 / l12 * uy + x2 * x2 / l2 * u2
    return (s1 * x1 - s2 * x2) / (xl + yl) * (6.0 * p.c - 5.0) / (6.0 * l12)


cdef inline double wilke(double x1, double m1, double m2, double v1, double v2) noexcept nogil:
    # Viscosity of a binary mixture, Pa·s (C. R. Wilke, J. Chem. Phys. 18, 517 (1950))
    cdef double x2 = 1.0 - x1, up, down
    up = (1.0 + sqrt(v1 / v2) * sqrt(sqrt(m2 / m1))) ** 2 / sqrt(8.0 * (1.0 + m1 / m2))
    down = (1.0 + sqrt(v2 / v1) * sqrt(sqrt(m1 / m2))) ** 2 / sqrt(8.0 * (1.0 + m2 / m1))
    return x1 * v1 / (x1 + x2 * up) + x2 * v2 / (x2 + x1 * down)


cdef inline double mixed_conductivity(double x1, double l1, double l2) noexcept nogil:
    # W/(m·K): mean of the arithmetic and the harmonic mean (S. Mathur et al., Mol. Phys. 12, 569 (1967))
    return 0.5 * (x1 * l1 + (1.0 - x1) * l2 + 1.0 / (x1 / l1 + (1.0 - x1) / l2))
