"""Gas: lines with what stands behind them, the chamber's inventory by species, pumps or exhaust, gauges.

dn_i/dt = feed_i + leak_i − outflow·x_i − consumption_i, in mol, implicitly in what flows out, so that a small chamber
under a large pump stays exact; P = n·R·T/V. Everything that enters or leaves is also summed up.
"""

from libc.math cimport exp, pow

from hil.chamber.state cimport (
    BOAT,
    BOOSTER_OK,
    BUBBLER,
    CABINET_OK,
    DETECTOR_OK,
    EMO_OK,
    EXHAUST_OK,
    LINE_LEAK,
    LOCK_PUMP_OK,
    MAINS_OK,
    GENERATOR,
    MIST,
    N2_SUPPLY,
    PUMP_OK,
    ROBOT_OK,
    SPECIES,
    WAFER_IN,
    Chamber,
    GasPart,
    Line,
    asked_of,
)
from hil.parts.bottle cimport bottle_step, gas_share, supplied_share
from hil.parts.lines cimport bounded, feed_step, follow, stroke
from hil.parts.load_lock cimport lock_step
from hil.parts.pumps cimport foreline_step, pumping_speed, pumps_step, ultimate, valves_step
from kernels.physics.constants cimport GAS_CONSTANT, SCCM, TORR, ZERO_CELSIUS
from kernels.physics.flow cimport butterfly, ideal_pressure
from kernels.physics.sources cimport antoine, approach, bubbled, droplet_left

cdef enum:
    PURGE_KPA = 150  # below this supply pressure the purge gas no longer flows
    ATMOSPHERE_PA = 101325


cdef extern from *:
    """
    #define CVD_CHAMBER_TRACE 1e-30  /* mol: less than a molecule. What decays further would end in slow denormals. */
    """
    const double TRACE "CVD_CHAMBER_TRACE"


cdef inline void source_step(Line* line, const double* values, double dt) noexcept nogil:
    # The bath of a bubbler follows its set point
    cdef double target = asked_of(values, line.bath_setpoint, line.bath - ZERO_CELSIUS) + ZERO_CELSIUS
    line.bath = follow(line.bath, target + line.bath_error, bounded(dt / line.bath_lag, 0.0, 1.0))


cdef inline double taken_along(Line* line, const double* values, double flow, double source_k) noexcept nogil:
    # mol/s of what the line makes beside or instead of its own gas
    cdef double made = 0.0
    if asked_of(values, line.bypass, 0.0) > 0.5:
        return 0.0
    if line.kind == BUBBLER:
        made = bubbled(flow, antoine(line.antoine_a, line.antoine_b, line.bath), line.bubbler_pressure, 1.0)
        made = made if made > 0.0 else flow
    elif line.kind == BOAT:
        # Ga(l) + HCl → GaCl + ½ H2, the constants of kernels.sources.gallium_chloride
        made = flow * approach(0.99, 3.0 * exp(-60e3 / GAS_CONSTANT * (1.0 / source_k - 1.0 / 1123.15)),
                               line.residence)
    elif line.kind == MIST:
        made = flow * line.mist * (1.0 - droplet_left(
            line.diameter, line.evaporation * pow(source_k / 300.0, 1.75), line.residence))
    elif line.kind == GENERATOR:
        return flow * line.mist
    return made if line.level > 0.0 else 0.0


cdef inline double line_step(Chamber* f, Line* line, const double* values, bint supplied, double* inflow, double dt
                             ) noexcept nogil:
    # One line; returns what enters the chamber, mol/s
    cdef GasPart* gas = &f.gas
    cdef double asked = values[line.setpoint] * SCCM, flow, made, into, share
    cdef bint opened = values[line.valve] > 0.5 and supplied
    if line.bottled:
        asked *= supplied_share(&line.bottle)
    flow = feed_step(&line.feed, &gas.panel, asked, supplied and (line.vents or opened), f.rack.step, dt)
    line.run = stroke(line.run, opened, gas.panel.valve_speed * dt) if line.vents else 1.0
    line.precursor = 0.0
    share = 1.0
    if line.bottled:
        share = gas_share(&line.bottle)
        bottle_step(&line.bottle, values, f.situation[CABINET_OK] > 0.5, f.situation[N2_SUPPLY] > PURGE_KPA, flow,
                    f.situation[LINE_LEAK] * SCCM, dt)
    if flow <= 0.0:
        return 0.0
    if line.bottled and share < 1.0:
        inflow[gas.nitrogen] += flow * (1.0 - share) * line.run
        inflow[line.feed.species] += flow * share * line.run
        line.vented += flow * (1.0 - line.run) * dt
        return flow * line.run
    if line.kind == 0:
        inflow[line.feed.species] += flow * line.run
        line.vented += flow * (1.0 - line.run) * dt
        return flow * line.run
    made = taken_along(line, values, flow, f.heat.zone[f.heat.source_zone].temperature)
    line.precursor = made
    line.level -= made * dt if line.kind != GENERATOR else 0.0
    if line.kind == BOAT:
        into = flow * line.run
        inflow[line.feed.species] += (flow - made) * line.run
        inflow[line.carrier] += 0.5 * made * line.run
    elif line.kind == GENERATOR:
        # 3 O2 → 2 O3: less gas than was let in
        flow -= 1.5 * made
        into = (flow + made) * line.run
        inflow[line.carrier] += flow * line.run
    else:
        into = (flow + made) * line.run
        inflow[line.carrier] += flow * line.run
    inflow[line.made] += made * line.run
    line.vented += (flow + made) * (1.0 - line.run) * dt
    return into


cdef inline void gauges(Chamber* f, double dt) noexcept nogil:
    cdef GasPart* gas = &f.gas
    gas.manometer = follow(gas.manometer, gas.pressure, bounded(dt / gas.manometer_lag, 0.0, 1.0))
    gas.wide = gas.pressure * gas.wide_gain
    f.at_atmosphere = 1.0 if gas.pressure > 750.0 * TORR else 0.0


cdef inline void outlet(Chamber* f, const double* values, double* inflow, double total, double dt) noexcept nogil:
    # What leaves the chamber, mol/s, by pumps or by an exhaust; pumps give their ultimate pressure back as air
    cdef GasPart* gas = &f.gas
    cdef double conductance, speed
    valves_step(&gas.pumps, asked_of(values, f.tags.throttle, 100.0) * 0.01,
                asked_of(values, f.tags.isolation_shut, 0.0) < 0.5, dt)
    if gas.to_atmosphere:
        conductance = butterfly(gas.pumps.throttle, gas.pumps.throttle_closed, gas.pumps.throttle_full)
        conductance *= gas.pumps.isolation if f.situation[EXHAUST_OK] > 0.5 else 0.02
        speed = conductance * (gas.pressure - gas.exhaust_pressure) / (GAS_CONSTANT * gas.pumps.temperature)
        gas.pumps.flow_out = speed if speed > 0.0 else 0.0
        gas.pumps.foreline = gas.exhaust_pressure
        gas.pumps.running = 1.0 if f.situation[PUMP_OK] > 0.5 else 0.0
        return
    pumps_step(
        &gas.pumps, asked_of(values, f.tags.dry_stop, 0.0) < 0.5 and f.situation[PUMP_OK] > 0.5,
        asked_of(values, f.tags.booster_stop, 0.0) < 0.5 and f.situation[BOOSTER_OK] > 0.5
        and f.situation[MAINS_OK] > 0.5, dt,
    )
    speed = pumping_speed(&gas.pumps, gas.pressure) / (GAS_CONSTANT * gas.pumps.temperature)
    gas.pumps.flow_out = speed * gas.pressure
    inflow[gas.air] += speed * ultimate(&gas.pumps)
    foreline_step(&gas.pumps, dt)


cdef inline void gas_step(Chamber* f, const double* values, double dt) noexcept nogil:
    cdef GasPart* gas = &f.gas
    # Emergency-off, the cabinets and the detector's relay shut the valves of process gas by wire.
    cdef bint supplied = f.situation[EMO_OK] > 0.5 and f.situation[CABINET_OK] > 0.5 and f.situation[DETECTOR_OK] > 0.5
    cdef bint purging = f.situation[N2_SUPPLY] > PURGE_KPA
    cdef double total = 0.0, keeps, used, leaves, back = 0.0, share
    cdef double inflow[SPECIES]
    cdef int i
    for i in range(gas.kinds):
        inflow[i] = 0.0
        total += gas.amount[i]
    for i in range(gas.lines):
        line_step(f, &gas.line[i], values, purging if gas.line[i].purge else supplied, inflow, dt)
    gas.trickle_valve = stroke(gas.trickle_valve, asked_of(values, f.tags.trickle_shut, 1.0) < 0.5,
                               gas.panel.valve_speed * dt)
    if purging and gas.pressure < 1.05 * ATMOSPHERE_PA:
        inflow[gas.nitrogen] += gas.trickle * gas.trickle_valve
    if gas.pressure < ATMOSPHERE_PA:
        inflow[gas.air] += gas.leak * (1.0 - gas.pressure / ATMOSPHERE_PA)
        inflow[gas.air] += gas.outgassing
    if f.lock.there:
        share = f.lock.air / (f.lock.air + f.lock.nitrogen) if f.lock.air > 0.0 else 0.0
        leaves = lock_step(&f.lock, values, gas.pressure, f.situation[LOCK_PUMP_OK] > 0.5
                           and f.situation[MAINS_OK] > 0.5, purging, f.situation[ROBOT_OK] > 0.5,
                           f.situation[WAFER_IN] > 0.5, dt)
        if leaves > 0.0:
            inflow[gas.air] += leaves * share
            inflow[gas.nitrogen] += leaves * (1.0 - share)
        else:
            back = -leaves
    outlet(f, values, inflow, total, dt)
    # Implicit in what leaves: amount' = (amount + in·dt)/(1 + share·dt)
    keeps = (gas.pumps.flow_out + back) / total * dt if total > 0.0 else 0.0
    total = 0.0
    for i in range(gas.kinds):
        leaves = gas.amount[i] + inflow[i] * dt
        gas.fed[i] += inflow[i] * dt
        used = gas.consumed[i] * dt
        used = used if used < leaves else leaves
        gas.reacted[i] += used
        leaves -= used
        gas.amount[i] = leaves / (1.0 + keeps)
        if gas.amount[i] < TRACE:
            gas.amount[i] = 0.0
        gas.pumped[i] += leaves - gas.amount[i]
        total += gas.amount[i]
    gas.pressure = ideal_pressure(total, f.heat.gas, gas.volume)
    leaves = gas.pressure / total if total > 0.0 else 0.0
    for i in range(gas.kinds):
        gas.partial[i] = gas.amount[i] * leaves
    gauges(f, dt)
