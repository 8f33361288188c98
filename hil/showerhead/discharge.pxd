"""High frequency: generator, match, capacitive discharge with its self-bias, and the light that it gives.

The discharge is volume-averaged: the power that arrives makes ion pairs, each at the cost of the collisions of its
electron, the electron's own energy at the wall and the fall of its ion through the sheath (M. A. Lieberman and A. J.
Lichtenberg, Principles of Plasma Discharges and Materials Processing, 2nd ed. (2005), chapter 10). In molecular gas at
1 Torr the collisions are nearly all of it; their energy is a usual value, and so is the electron temperature, which
falls with pressure. The self-bias grows as the root of the power and falls with pressure; how far is the tuner's.
"""

from libc.math cimport isnan, sqrt

from hil.parts.lines cimport bounded, follow
from hil.parts.noise cimport uniform
from hil.showerhead.state cimport (
    ARCING,
    DARK,
    DOOR_CLOSED,
    EMO_OK,
    GENERATOR_OK,
    MAINS_OK,
    N2,
    NF3,
    SIH4,
    SPECIES,
    WATER,
    Discharge,
    Gas,
    Reactor,
)
from kernels.physics.constants cimport BOLTZMANN, TORR
from kernels.physics.discharge cimport CHARGE, bohm_speed, effective_area
from kernels.physics.equipment cimport match_point, reflected_share

cdef extern from *:
    """
    #define CVD_SOURCE_OHM 50.0
    #define CVD_ION_MASS 4.65e-26      /* kg, N2+ */
    #define CVD_ION_CROSS_SECTION 1e-18 /* m2, ions in their gas, a usual value */
    """
    const double SOURCE_OHM "CVD_SOURCE_OHM"
    const double ION_MASS "CVD_ION_MASS"
    const double ION_CROSS_SECTION "CVD_ION_CROSS_SECTION"


cdef inline double share_of(const Gas* gas, int species) noexcept nogil:
    cdef double total = 0.0
    cdef int i
    for i in range(SPECIES):
        total += gas.amount[i]
    return gas.amount[species] / total if total > 0.0 else 0.0


cdef inline void drives_step(Reactor* f, const double* values, double dt) noexcept nogil:
    # Both capacitors: to the match while the plasma burns in auto, else to their presets; a quarter second end to end
    cdef Discharge* d = &f.discharge
    cdef double load = values[f.tags.load_preset] * 0.01, tune = values[f.tags.tune_preset] * 0.01, shunt, series
    cdef double most = 4.0 * dt
    if values[f.tags.automatic] > 0.5 and d.lit > 0.5:
        load, tune = d.load_position, d.tune_position
        if match_point(d.resistance, d.reactance, SOURCE_OHM, &shunt, &series) == 0:
            load, tune = shunt / d.shunt_full, series / d.series_full
    if not isnan(d.stuck):
        load = tune = d.stuck
    d.load_position += bounded(bounded(load, 0.0, 1.0) - d.load_position, -most, most)
    d.tune_position += bounded(bounded(tune, 0.0, 1.0) - d.tune_position, -most, most)


cdef inline void light(Reactor* f, double dt) noexcept nogil:
    # Gas between 0.03 and 20 Torr lights when it has waited for a chance electron under enough power
    cdef Discharge* d = &f.discharge
    cdef bint burns = (
        0.03 * TORR < f.gas.pressure < 20.0 * TORR and f.situation[DARK] < 0.5 and d.forward > 0.25 * d.strike
    )
    if d.lit > 0.5:
        d.lit = 1.0 if burns else 0.0
        return
    if not burns or d.forward < d.strike:
        d.strike_at = 0.05 + 0.25 * uniform(&f.rack.noise)
        return
    d.strike_at -= dt
    if d.strike_at <= 0.0:
        d.lit = 1.0
        d.strikes += 1


cdef inline void discharge_step(Reactor* f, const double* values, double dt) noexcept nogil:
    cdef Discharge* d = &f.discharge
    cdef Gas* gas = &f.gas
    cdef bint arcing = f.situation[ARCING] > 0.5
    # The generator's own chain: lid switch, water and emergency-off act by wire.
    cdef bint permitted = (
        f.situation[GENERATOR_OK] > 0.5 and f.situation[EMO_OK] > 0.5 and f.situation[MAINS_OK] > 0.5
        and f.situation[DOOR_CLOSED] > 0.5 and f.situation[WATER] > 3.0
    )
    cdef double share, number, energy, area, cost
    d.asked = values[f.tags.watts] if permitted and values[f.tags.enable] > 0.5 else 0.0
    d.on = 1.0 if d.asked > 0.0 else 0.0
    d.forward = follow(d.forward, d.asked * bounded(values[f.tags.duty] * 0.01, 0.0, 1.0),
                       bounded(dt / d.generator_lag, 0.0, 1.0))
    if d.forward < 1e-3:
        d.forward = 0.0
    light(f, dt)
    drives_step(f, values, dt)
    # Load: a sheath's capacitance and what the plasma takes; a bare gap before it burns; an arc is a short.
    if arcing and d.lit > 0.5:
        d.resistance, d.reactance = 0.4 + 0.4 * uniform(&f.rack.noise), -15.0
    elif d.lit > 0.5:
        d.resistance = 5.0 + 3.0 * gas.pressure / (gas.pressure + TORR) + 20.0 / (20.0 + d.absorbed)
        d.reactance = -70.0 - 900.0 / (10.0 + sqrt(d.absorbed)) - 4e6 * f.film.wall
    else:
        d.resistance, d.reactance = 0.6, -190.0
    d.impedance = sqrt(d.resistance * d.resistance + d.reactance * d.reactance)
    share = reflected_share(d.load_position * d.shunt_full, d.tune_position * d.series_full, d.resistance, d.reactance,
                            SOURCE_OHM)
    d.reflected = follow(d.reflected, d.forward * share, bounded(dt / d.probe_lag, 0.0, 1.0))
    d.absorbed = d.efficiency * (d.forward * (1.0 - share)) if d.lit > 0.5 else 0.0

    number = gas.pressure / (BOLTZMANN * gas.temperature)
    d.electron_ev = 1.6 + 1.8 / (1.0 + gas.pressure / TORR)
    if d.lit > 0.5 and number > 0.0:
        area = effective_area(d.radius, d.gap, 1.0 / (number * ION_CROSS_SECTION))
        cost = d.collision_energy + 2.0 * d.electron_ev + 0.5 * d.electron_ev - d.bias
        energy = CHARGE * cost * bohm_speed(d.electron_ev, ION_MASS) * area
        d.density = d.absorbed / energy * (0.2 if arcing else 1.0)
        share = 0.2 + 0.8 * bounded(values[f.tags.tuner] * 0.01, 0.0, 1.0)
        d.bias = follow(d.bias, -d.bias_gain * share * sqrt(d.absorbed) / (1.0 + gas.pressure / d.bias_pressure)
                        * (1.0 - 2e4 * f.film.wall) * (0.01 if arcing else 1.0), bounded(dt / 0.05, 0.0, 1.0))
    else:
        d.density = 0.0
        d.bias = follow(d.bias, 0.0, bounded(dt / 0.05, 0.0, 1.0))
    d.proxy = d.density * 1e-15
    d.emission_n2 = 1.1e-12 * d.density * share_of(gas, N2)
    d.emission_sih = 3.5e-12 * d.density * share_of(gas, SIH4)
    d.emission_f = 2e-34 * d.density * f.film.fluorine if gas.amount[NF3] > 0.0 else 0.0
