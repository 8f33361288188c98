"""Gas of the reactor: lines, face plate, the chamber's inventory by species, pumps, gauges; and the susceptor's heat.

dn_i/dt = feed_i + leak_i − outflow·x_i − consumption_i, in mol; P = n·R·T/V. Everything that enters or leaves is also
summed up, so that mass conservation can be checked.
"""

from libc.math cimport sqrt

from hil.parts.bottle cimport bottle_step, gas_share, supplied_share
from hil.parts.handling cimport handling_step
from hil.parts.lines cimport bounded, feed_step, follow, stroke
from hil.parts.pumps cimport foreline_step, pumping_speed, pumps_step, ultimate, valves_step
from hil.showerhead.state cimport (
    ABATEMENT_OK,
    AIR,
    BOOSTER_OK,
    CABINET_OK,
    DETECTOR_OK,
    DOOR_CLOSED,
    FEEDS,
    H2,
    LINE_LEAK,
    MAINS_OK,
    N2,
    N2_SUPPLY,
    OVERTEMPERATURE_OK,
    PUMP_OK,
    ROBOT_OK,
    SIH4,
    SPECIES,
    WAFER_IN,
    Gas,
    Heat,
    Reactor,
)
from kernels.physics.constants cimport GAS_CONSTANT, SCCM, TORR
from kernels.physics.flow cimport ideal_pressure
from kernels.physics.radiation cimport radiated

cdef enum:
    PURGE_KPA = 150  # below this supply pressure nitrogen no longer flows
    ATMOSPHERE_PA = 101325


cdef extern from *:
    """
    #define CVD_TRACE 1e-30  /* mol: less than a molecule. What decays further would end in slow denormal numbers. */
    """
    const double TRACE "CVD_TRACE"


cdef inline void gauges(Gas* gas, double dt) noexcept nogil:
    cdef double total = 0.0, within
    cdef int i
    for i in range(SPECIES):
        total += gas.amount[i]
    gas.manometer = follow(gas.manometer, gas.pressure, bounded(dt / gas.manometer_lag, 0.0, 1.0))
    gas.wide = gas.pressure * gas.wide_gain
    if total > 0.0 and gas.pressure < 10.0 * TORR:
        # A Pirani reads the thermal conductivity: usual factors of silane and hydrogen over nitrogen
        within = bounded((gas.pressure - 0.01 * TORR) / (0.1 * TORR), 0.0, 1.0)
        gas.wide *= 1.0 + within * (0.35 * gas.amount[SIH4] + 0.6 * gas.amount[H2]) / total


cdef inline void gas_step(Reactor* f, const double* values, double dt) noexcept nogil:
    cdef Gas* gas = &f.gas
    # Emergency-off, the cabinets and the detector's relay shut the valves of process gas by wire.
    cdef bint supplied = f.emo > 0.5 and f.situation[CABINET_OK] > 0.5 and f.situation[DETECTOR_OK] > 0.5
    cdef bint nitrogen = f.situation[N2_SUPPLY] > PURGE_KPA
    cdef double flow, total = 0.0, into = 0.0, share, leaving
    cdef double inflow[SPECIES]
    cdef int i
    for i in range(SPECIES):
        inflow[i] = 0.0
    for i in range(FEEDS):
        flow = feed_step(&gas.feed[i], &gas.panel,
                         values[f.tags.setpoint[i]] * SCCM * (supplied_share(&gas.bottle) if i == SIH4 else 1.0),
                         (nitrogen if i == N2 else supplied) and values[f.tags.valve[i]] > 0.5, f.rack.step, dt)
        if i == SIH4:
            share = gas_share(&gas.bottle)
            inflow[SIH4] += flow * share
            inflow[N2] += flow * (1.0 - share)
            bottle_step(&gas.bottle, values, f.situation[CABINET_OK] > 0.5, nitrogen, flow,
                        f.situation[LINE_LEAK] * SCCM, dt)
        else:
            inflow[i] += flow
        into += flow
    # The abatement answers a request after two seconds, while it is ready.
    gas.accepting = gas.accepting + dt if values[f.tags.abatement_wanted] > 0.5 else 0.0
    gas.accepts = 1.0 if gas.accepting > 2.0 and f.situation[ABATEMENT_OK] > 0.5 else 0.0
    gas.trickle_valve = stroke(gas.trickle_valve, values[f.tags.trickle_shut] < 0.5, gas.panel.valve_speed * dt)
    if nitrogen and gas.pressure < ATMOSPHERE_PA:
        inflow[N2] += gas.trickle * gas.trickle_valve
    if gas.pressure < ATMOSPHERE_PA:
        inflow[AIR] += gas.leak * (1.0 - gas.pressure / ATMOSPHERE_PA)
    inflow[AIR] += gas.outgassing
    if f.handling.door > 0.0 and gas.pressure < ATMOSPHERE_PA:
        inflow[AIR] += f.handling.door * (ATMOSPHERE_PA - gas.pressure) * gas.volume / (
            GAS_CONSTANT * gas.temperature)
    # Viscous flow through the holes: P_up² − P² is as the flow.
    gas.upstream = sqrt(gas.pressure * gas.pressure + gas.holes * into)

    valves_step(&gas.pumps, values[f.tags.throttle] * 0.01, values[f.tags.isolation_shut] < 0.5, dt)
    pumps_step(
        &gas.pumps, values[f.tags.dry_stop] < 0.5 and f.situation[PUMP_OK] > 0.5,
        values[f.tags.booster_stop] < 0.5 and f.situation[BOOSTER_OK] > 0.5 and f.situation[MAINS_OK] > 0.5, dt,
    )
    for i in range(SPECIES):
        total += gas.amount[i]
    # S·P leaves and S·P_ultimate comes back as air.
    flow = pumping_speed(&gas.pumps, gas.pressure) / (GAS_CONSTANT * gas.pumps.temperature)
    gas.pumps.flow_out = flow * gas.pressure
    inflow[AIR] += flow * ultimate(&gas.pumps)
    share = gas.pumps.flow_out / total if total > 0.0 else 0.0
    total = 0.0
    for i in range(SPECIES):
        leaving = bounded(share * gas.amount[i] * dt, 0.0, gas.amount[i])
        gas.amount[i] += inflow[i] * dt - leaving
        gas.fed[i] += inflow[i] * dt
        gas.pumped[i] += leaving
        leaving = gas.consumed[i] * dt
        leaving = leaving if leaving < gas.amount[i] else gas.amount[i]
        gas.amount[i] -= leaving
        gas.reacted[i] += leaving
        if gas.amount[i] < TRACE:
            gas.pumped[i] += gas.amount[i]
            gas.amount[i] = 0.0
        total += gas.amount[i]
    gas.pressure = ideal_pressure(total, gas.temperature, gas.volume)
    foreline_step(&gas.pumps, dt)
    gauges(gas, dt)
    handling_step(&f.handling, values, f.situation[DOOR_CLOSED] > 0.5, f.situation[WAFER_IN] > 0.5,
                  f.situation[ROBOT_OK] > 0.5, gas.pressure, dt)
    f.at_atmosphere = 1.0 if gas.pressure > 750.0 * TORR else 0.0


cdef inline void heat_step(Reactor* f, const double* values, double dt) noexcept nogil:
    # One node, explicitly: its time constant is most of an hour. Gas between wall and susceptor is warm by both.
    cdef Heat* heat = &f.heat
    cdef bint powered = (
        f.situation[OVERTEMPERATURE_OK] > 0.5 and f.emo > 0.5 and f.situation[MAINS_OK] > 0.5
    )
    cdef double power = bounded(values[f.tags.power] * 0.01, 0.0, 1.0) * heat.full_power if powered else 0.0
    cdef double lost = heat.loss * (heat.susceptor - heat.wall) + radiated(heat.radiation, heat.susceptor, heat.wall)
    power += heat.plasma_share * f.discharge.absorbed
    heat.susceptor += (power - lost) * dt / heat.capacity
    heat.delivered += power * dt
    heat.lost += lost * dt
    heat.control = follow(heat.control, heat.susceptor, dt / heat.lag)
    heat.guard = follow(heat.guard, heat.susceptor, dt / heat.lag)
    heat.face = follow(heat.face, heat.wall + 0.3 * (heat.susceptor - heat.wall), dt / 120.0)
    if heat.susceptor > SNAP_KELVIN:
        f.situation[OVERTEMPERATURE_OK] = 0.0
    f.gas.temperature = heat.wall + 0.35 * (heat.susceptor - heat.wall)


cdef extern from *:
    """
    #define CVD_SNAP_KELVIN_SUSCEPTOR (520.0 + 273.15)
    """
    const double SNAP_KELVIN "CVD_SNAP_KELVIN_SUSCEPTOR"
