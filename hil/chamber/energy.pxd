"""Sources of energy: discharges with generator and match, microwaves, a remote plasma, hot wire, laser, lamp, burner.

Each is asked for a power (a wire for a current), follows it through its own chain of contacts, and says what arrives.
Electrons come from the particle and power balance of kernels/physics/discharge.pxd, filament, photons and droplets
from sources.pxd, the atoms of a microwave plasma from its energy balance. What is a usual order says so.
"""

from libc.math cimport exp, isfinite, isnan, sqrt

from hil.chamber.state cimport (
    ARCING,
    BIAS_OK,
    BURNER,
    CAPACITIVE,
    DARK,
    DOOR_CLOSED,
    EMO_OK,
    HOT_WIRE,
    INDUCTIVE,
    LAMP,
    LASER,
    MAINS_OK,
    MICROWAVE,
    REMOTE,
    SHIELD_CLOSED,
    SOURCE_OK,
    SPECIES,
    WATER,
    Chamber,
    Energy,
    GasPart,
    asked_of,
)
from hil.parts.lines cimport bounded, follow
from hil.parts.noise cimport uniform
from kernels.physics.constants cimport BOLTZMANN, PI, TORR
from kernels.physics.discharge cimport (
    CHARGE,
    COLLIDER_COUNT,
    NITROGEN,
    Microwave,
    Rates,
    bohm_speed,
    effective_area,
    electron_temperature,
    floating_potential,
    mean_mass,
    microwave,
    rates,
)
from kernels.physics.equipment cimport match_point, reflected_share
from kernels.physics.sources cimport filament_step, tungsten_resistivity

cdef enum:
    SOURCE_OHM = 50


cdef inline bint permitted(const Chamber* f) noexcept nogil:
    # The source's own chain, by wire: its health, emergency-off, door, shield and water
    return (
        f.situation[SOURCE_OK] > 0.5 and f.situation[EMO_OK] > 0.5 and f.situation[MAINS_OK] > 0.5
        and f.situation[DOOR_CLOSED] > 0.5 and f.situation[SHIELD_CLOSED] > 0.5 and f.situation[WATER] > 3.0
    )


cdef inline void drives_step(Chamber* f, const double* values, double dt) noexcept nogil:
    # Both capacitors: to the match while the plasma burns in auto, else to their presets; a quarter second end to end
    cdef Energy* e = &f.energy
    cdef double load = asked_of(values, e.load_preset, 54.0) * 0.01, tune = asked_of(values, e.tune_preset, 50.0) * 0.01
    cdef double shunt, series, most = 4.0 * dt
    if asked_of(values, e.automatic, 1.0) > 0.5 and e.lit > 0.5:
        load, tune = e.load_position, e.tune_position
        if match_point(e.resistance, e.reactance, SOURCE_OHM, &shunt, &series) == 0:
            load, tune = shunt / e.shunt_full, series / e.series_full
    if not isnan(e.stuck):
        load = tune = e.stuck
    e.load_position += bounded(bounded(load, 0.0, 1.0) - e.load_position, -most, most)
    e.tune_position += bounded(bounded(tune, 0.0, 1.0) - e.tune_position, -most, most)


cdef inline void light(Chamber* f, double dt) noexcept nogil:
    # Gas of a fitting pressure lights when it has waited for a chance electron under enough power
    cdef Energy* e = &f.energy
    cdef bint burns = (
        e.least < f.gas.pressure < e.most and f.situation[DARK] < 0.5 and e.forward > 0.25 * e.strike
    )
    if e.lit > 0.5:
        e.lit = 1.0 if burns else 0.0
        return
    if not burns or e.forward < e.strike:
        e.strike_at = 0.05 + 0.25 * uniform(&f.rack.noise)
        return
    e.strike_at -= dt
    if e.strike_at <= 0.0:
        e.lit = 1.0
        e.strikes += 1


cdef inline void plasma_step(Chamber* f, const double* values, double dt) noexcept nogil:
    cdef Energy* e = &f.energy
    cdef double share = 0.03
    cdef bint arcing = f.situation[ARCING] > 0.5
    light(f, dt)
    if e.kind == CAPACITIVE or e.kind == INDUCTIVE:
        drives_step(f, values, dt)
        # A sheath's capacitance, or the coil's inductance, and what the plasma takes; an arc is a short
        if arcing and e.lit > 0.5:
            e.resistance, e.reactance = 0.4 + 0.4 * uniform(&f.rack.noise), -15.0
        elif e.lit > 0.5:
            e.resistance = 5.0 + 3.0 * f.gas.pressure / (f.gas.pressure + TORR) + 20.0 / (20.0 + e.absorbed)
            e.reactance = -70.0 - 900.0 / (10.0 + sqrt(e.absorbed)) - 4e6 * f.surface.wall
        else:
            e.resistance, e.reactance = 0.6, -190.0
        e.impedance = sqrt(e.resistance * e.resistance + e.reactance * e.reactance)
        share = reflected_share(e.load_position * e.shunt_full, e.tune_position * e.series_full, e.resistance,
                                e.reactance, SOURCE_OHM)
    elif e.lit < 0.5:
        share = 0.9  # an empty cavity or tube sends it back
    else:
        share = 0.25 if arcing else 0.015 + 0.01 * abs(asked_of(values, e.tune_preset, 50.0) - 50.0) * 0.02
    e.reflected = follow(e.reflected, e.forward * share, bounded(dt / e.probe_lag, 0.0, 1.0))
    e.absorbed = e.efficiency * e.forward * (1.0 - share) if e.lit > 0.5 else 0.0


cdef inline void wire_step(Chamber* f, const double* values, double dt) noexcept nogil:
    # A tungsten wire on its current; gas cools it in proportion to pressure
    cdef Energy* e = &f.energy
    cdef double ohm
    e.current = follow(e.current, e.asked, bounded(dt / e.lag, 0.0, 1.0))
    if not isfinite(e.ageing):
        e.current = 0.0
    ohm = e.ageing if isfinite(e.ageing) else 1.0
    e.filament = filament_step(e.filament, e.current, e.wire_length, e.wire_diameter, e.emissivity, f.heat.wall,
                               e.cooling * f.gas.pressure * 0.01, 0.0, 2273.15, ohm, dt)
    ohm *= tungsten_resistivity(e.filament) * e.wire_length / (0.25 * PI * e.wire_diameter * e.wire_diameter)
    e.volts = e.current * ohm
    e.forward = e.volts * e.current
    e.absorbed = e.forward
    e.lit = 1.0 if e.filament > 1573.15 else 0.0
    if isfinite(e.ageing):
        # Carbide and silicide raise its resistance: 1 % in a hundred hours at 2000 K (usual order)
        e.ageing += dt * 0.01 / 360e3 * exp(5e4 * (1.0 / 2073.15 - 1.0 / e.filament)) if e.filament > 1500.0 else 0.0


cdef inline void beam_step(Chamber* f, const double* values, double dt) noexcept nogil:
    # Laser: rise under the spot A·P/(2·√π·k·w); it scans its track to and fro
    cdef Energy* e = &f.energy
    cdef double speed = asked_of(values, e.scan_speed, 0.0) * 1e-3
    e.lit = 1.0 if e.forward > 0.01 and f.situation[DARK] < 0.5 else 0.0
    e.absorbed = e.forward * e.absorbed_share * e.window if e.lit > 0.5 else 0.0
    e.peak = e.absorbed / (2.0 * sqrt(PI) * e.conductivity * e.spot)
    e.position += speed * dt
    if e.position > 2.0 * e.track:
        e.position -= 2.0 * e.track
    e.energy = e.forward * (e.spot / speed if speed > 1e-9 else 0.0)


cdef inline void lamp_step(Chamber* f, double dt) noexcept nogil:
    # Light at the window: warms up in minutes, less where the window is coated
    cdef Energy* e = &f.energy
    e.lit = 1.0 if e.forward > 0.2 * e.strike and f.situation[DARK] < 0.5 else 0.0
    e.window = exp(-e.window_ageing * f.surface.wall)
    e.absorbed = e.forward * e.efficiency * e.window if e.lit > 0.5 else 0.0
    e.window_light = e.absorbed / e.area


cdef inline void burner_step(Chamber* f, const double* values, double dt) noexcept nogil:
    # A flame of acetylene (or methane) and oxygen: lit by its igniter, out when fuel or oxygen runs short
    cdef Energy* e = &f.energy
    cdef GasPart* gas = &f.gas
    cdef double fuel = 0.0, oxygen = 0.0
    cdef int i
    for i in range(gas.lines):
        if gas.line[i].feed.species == f.surface.methane:
            fuel = gas.line[i].feed.flow * gas.line[i].feed.gain * gas.line[i].feed.valve
        elif gas.law[gas.line[i].feed.species] == 7:
            oxygen = gas.line[i].feed.flow * gas.line[i].feed.gain * gas.line[i].feed.valve
    e.ratio = oxygen / fuel if fuel > 1e-7 else 0.0
    if e.lit > 0.5:
        e.lit = 1.0 if 0.6 < e.ratio < 2.0 and f.situation[DARK] < 0.5 and f.situation[SOURCE_OK] > 0.5 else 0.0
    elif asked_of(values, e.ignition, 0.0) > 0.5 and 0.6 < e.ratio < 2.0 and permitted(f) and f.situation[DARK] < 0.5:
        e.strike_at -= dt
        if e.strike_at <= 0.0:
            e.lit = 1.0
            e.strikes += 1
            e.strike_at = 0.3 + 0.5 * uniform(&f.rack.noise)
    # C2H2 + O2 → 2 CO + H2 sets 447 kJ/mol free (from heats of formation, CRC Handbook)
    e.forward = 447e3 * fuel if e.lit > 0.5 else 0.0
    e.absorbed = follow(e.absorbed, e.efficiency * e.forward, bounded(dt / e.lag, 0.0, 1.0))


cdef inline void energy_step(Chamber* f, const double* values, double dt) noexcept nogil:
    cdef Energy* e = &f.energy
    e.asked = values[e.power] if e.power >= 0 and permitted(f) and asked_of(values, e.enable, 0.0) > 0.5 else 0.0
    e.on = 1.0 if permitted(f) and asked_of(values, e.enable, 0.0) > 0.5 else 0.0
    if e.kind == HOT_WIRE:
        wire_step(f, values, dt)
        return
    if e.kind == BURNER:
        burner_step(f, values, dt)
        return
    e.forward = follow(e.forward, e.asked * bounded(asked_of(values, e.duty, 100.0) * 0.01, 0.0, 1.0),
                       bounded(dt / (e.warm_up if e.kind == LAMP else e.lag), 0.0, 1.0))
    if e.forward < 1e-3:
        e.forward = 0.0
    if e.kind == LASER:
        beam_step(f, values, dt)
    elif e.kind == LAMP:
        lamp_step(f, dt)
    else:
        plasma_step(f, values, dt)
    if e.bias_power >= 0:
        e.bias_on = 1.0 if permitted(f) and f.situation[BIAS_OK] > 0.5 and values[e.bias_enable] > 0.5 else 0.0
        e.bias_forward = follow(e.bias_forward, values[e.bias_power] if e.bias_on > 0.5 and e.lit > 0.5 else 0.0,
                                bounded(dt / e.lag, 0.0, 1.0))


cdef inline void shares_of(const Chamber* f, double* shares) noexcept nogil:
    cdef double known = 0.0
    cdef int i, c
    for c in range(COLLIDER_COUNT):
        shares[c] = 0.0
    for i in range(f.gas.kinds):
        c = f.gas.collider[i]
        if c >= 0:
            shares[c] += f.gas.amount[i]
            known += f.gas.amount[i]
    if known <= 0.0:
        shares[NITROGEN] = 1.0
        return
    for c in range(COLLIDER_COUNT):
        shares[c] /= known


cdef inline void discharge_step(Chamber* f, const double* values, double dt) noexcept nogil:
    # Electrons, ions, self-bias and atoms, at the slow period
    cdef Energy* e = &f.energy
    cdef double shares[COLLIDER_COUNT]
    cdef double number = f.gas.pressure / (BOLTZMANN * f.heat.gas), mass, area, speed, cost, tuned
    e.own = e.bias_gain * sqrt(e.absorbed) / (1.0 + f.gas.pressure / e.bias_pressure) if e.kind == CAPACITIVE else 0.0
    cdef Rates r
    cdef Microwave m
    cdef int c
    if e.kind < CAPACITIVE or e.kind > MICROWAVE:
        return
    if e.lit < 0.5 or number <= 0.0:
        e.density = e.ion_flux = e.proxy = e.hydrogen = 0.0
        e.gas_k = f.heat.gas
        e.bias = follow(e.bias, 0.0, bounded(dt / 0.05, 0.0, 1.0))
        return
    if e.kind == MICROWAVE:
        area = 0.75 * PI * e.radius * e.radius  # hemisphere over Λ = radius/π
        m = microwave(e.absorbed / (2.0 / 3.0 * PI * e.radius * e.radius * e.radius), f.gas.pressure, e.radius / PI,
                      f.heat.wafer, 0.1)
        e.gas_k, e.hydrogen = m.gas_k if m.gas_k > 0.0 else 6000.0, m.hydrogen
        e.density = 1e17 * e.absorbed / 1000.0  # usual order
        e.proxy = e.density * 1e-15
        return
    shares_of(f, shares)
    mass = mean_mass(shares)
    area = effective_area(e.radius, e.length, 1.0 / (number * e.ions))
    # The electron temperature is looked for again when gas or pressure have changed by 0.5 %.
    cost = number
    for c in range(COLLIDER_COUNT):
        cost += number * shares[c] * 0.1 * c
    if not abs(cost - e.starved) < 5e-3 * e.starved or e.electron_ev <= 0.0:
        e.starved = cost
        e.electron_ev = electron_temperature(shares, number, mass, PI * e.radius * e.radius * e.length, area)
        if e.electron_ev < 0.0:
            e.electron_ev = 3.0
    r = rates(shares, e.electron_ev)
    speed = bohm_speed(e.electron_ev, mass)
    cost = r.cost * number * PI * e.radius * e.radius * e.length + speed * area * (
        2.5 * e.electron_ev + floating_potential(e.electron_ev, mass) + (
            0.0 if e.kind != CAPACITIVE else (e.own if e.bias_power >= 0 else -e.bias)))
    e.density = e.absorbed / (CHARGE * cost) * (0.2 if f.situation[ARCING] > 0.5 else 1.0)
    e.ion_flux = e.density * speed * area / (2.0 * PI * e.radius * (e.radius + e.length))
    e.proxy = e.density * 1e-15
    if e.bias_power >= 0:
        # Power of the bias goes into the ions that hit the wafer: V = P/(e·Γ·A); a low frequency of a capacitive plasma
        # does the same beside the self-bias of the high one, which makes the electrons
        tuned = -e.bias_forward / (CHARGE * e.ion_flux * f.surface.area + 1e-9)
        if e.kind == CAPACITIVE:
            tuned -= e.own
        e.bias = follow(e.bias, bounded(tuned, -2000.0, 0.0) * (0.01 if f.situation[ARCING] > 0.5 else 1.0),
                        bounded(dt / 0.05, 0.0, 1.0))
    elif e.kind == CAPACITIVE:
        tuned = 0.2 + 0.8 * bounded(asked_of(values, e.tuner, 50.0) * 0.01, 0.0, 1.0)
        e.bias = follow(e.bias, -e.bias_gain * tuned * sqrt(e.absorbed) / (1.0 + f.gas.pressure / e.bias_pressure)
                        * (0.01 if f.situation[ARCING] > 0.5 else 1.0), bounded(dt / 0.05, 0.0, 1.0))
