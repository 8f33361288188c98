"""Where reactants and radicals come from: bubblers, filaments, lamps, droplets, the source zone of an HVPE tube.

Scalar equations without the GIL; kernels/sources.pyx is their checked door. SI units.
"""

from libc.math cimport exp, pow, sqrt

from kernels.physics.constants cimport GAS_CONSTANT, LIGHT, PI, PLANCK, STEFAN_BOLTZMANN, TORR


cdef inline double antoine(double a, double b, double temperature) noexcept nogil:
    # Vapour pressure, Pa, of log10 p(Torr) = a − b/T
    return TORR * pow(10.0, a - b / temperature)


cdef inline double bubbled(double carrier, double vapour, double pressure, double efficiency) noexcept nogil:
    # mol/s of precursor that a carrier takes along: F = F_c·p_v/(P − p_v); negative where it boils
    cdef double p = efficiency * vapour
    return carrier * p / (pressure - p) if pressure > p else -1.0


cdef inline double tungsten_resistivity(double t) noexcept nogil:
    # Ω·m: 56.7, 73.9 and 92.0 µΩ·cm at 2000, 2500 and 3000 K by a parabola, 5.28 at 293 K met by a straight line below
    if t < 2000.0:
        return 1e-8 * (5.28 + (56.7 - 5.28) * (t - 293.0) / (2000.0 - 293.0))
    return 1e-8 * (56.7 + 0.0344 * (t - 2000.0) + 1.8e-6 * (t - 2000.0) * (t - 2500.0))


cdef inline double filament_power(double t, double area, double emissivity, double walls, double gas_w_k,
                                  double reaction_w, double reaction_k) noexcept nogil:
    # Heat that a filament loses: radiation, conduction into gas, dissociation that grows as exp(−E/RT) to reaction_w
    # at reaction_k (E: 209 kJ/mol, H2 on tungsten, a usual value)
    return (STEFAN_BOLTZMANN * area * emissivity * (t * t - walls * walls) * (t * t + walls * walls)
            + gas_w_k * (t - walls) + reaction_w * exp(-209e3 / GAS_CONSTANT * (1.0 / t - 1.0 / reaction_k)))


cdef inline double filament_step(double t, double current, double length, double diameter, double emissivity,
                                 double walls, double gas_w_k, double reaction_w, double reaction_k, double ageing,
                                 double dt) noexcept nogil:
    # Temperature after dt; linearly implicit, so stable for every dt. Tungsten: 19 250 kg/m3, 160 J/(kg·K) hot (usual).
    cdef double section = 0.25 * PI * diameter * diameter, surface = PI * diameter * length
    cdef double capacity = 19250.0 * section * length * 160.0, h = 1e-3 * t, net, slope, ohm, change
    ohm = ageing * length / section
    net = (current * current * ohm * tungsten_resistivity(t)
           - filament_power(t, surface, emissivity, walls, gas_w_k, reaction_w, reaction_k))
    slope = (current * current * ohm * tungsten_resistivity(t + h)
             - filament_power(t + h, surface, emissivity, walls, gas_w_k, reaction_w, reaction_k) - net) / h
    change = dt * net / (capacity - dt * slope) if slope < 0.0 else dt * net / capacity
    t += change if -0.5 * t < change < t else (t if change > 0.0 else -0.5 * t)
    return t if t > walls else walls


cdef inline double photon_energy(double wavelength) noexcept nogil:
    return PLANCK * LIGHT / wavelength


cdef inline double photolysis(double yield_, double cross_section, double irradiance, double wavelength, double density
                              ) noexcept nogil:
    # Molecules split a m³ and s: η·σ·Φ·n, Φ the photon flux
    return yield_ * cross_section * irradiance / photon_energy(wavelength) * density


cdef inline double droplet_constant(double vapour_diffusivity, double vapour_density, double liquid_density
                                    ) noexcept nogil:
    # K of d² = d0² − K·t with diffusion alone (Langmuir): 8·D·ρ_v/ρ_l, m2/s
    return 8.0 * vapour_diffusivity * vapour_density / liquid_density


cdef inline double droplet_left(double diameter, double constant, double seconds) noexcept nogil:
    # Volume share of a droplet that is left after its residence time
    cdef double square = 1.0 - constant * seconds / (diameter * diameter)
    return square * sqrt(square) if square > 0.0 else 0.0


cdef inline double approach(double equilibrium, double rate_constant, double residence) noexcept nogil:
    # Share converted by a first-order source on its way to an equilibrium
    return equilibrium * (1.0 - exp(-rate_constant * residence))
