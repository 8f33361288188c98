"""Gas: mass flow controllers, valves, the tube's inventory by species, throttle valve, pumps, gauges.

dn_i/dt = feed_i + leak_i − outflow·x_i − consumption_i, in mol; P = n·R·T/V with the effective temperature of hot and
cold parts. Everything that enters or leaves is also summed up, so that mass conservation can be checked.
"""

from hil.furnace.state cimport (
    ABATEMENT_OK,
    AIR,
    BOAT_IN,
    CABINET_OK,
    DETECTOR_OK,
    DOOR_CLOSED,
    FEEDS,
    H2,
    LINE_LEAK,
    MAINS_OK,
    BOOSTER_OK,
    N2,
    N2_SUPPLY,
    N2O,
    PUMP_OK,
    ROBOT_OK,
    SIH4,
    SPECIES,
    ZONES,
    Film,
    Furnace,
    Gas,
    Heat,
)
from hil.parts.bottle cimport bottle_step, gas_share, supplied_share
from hil.parts.handling cimport handling_step
from hil.parts.lines cimport bounded, feed_step, follow, stroke
from hil.parts.pumps cimport foreline_step, pumping_speed, pumps_step, ultimate, valves_step
from kernels.physics.constants cimport GAS_CONSTANT, SCCM, TORR
from kernels.physics.flow cimport ideal_pressure

cdef enum:
    PURGE_KPA = 150  # below this supply pressure nitrogen no longer flows
    ATMOSPHERE_PA = 101325


cdef extern from *:
    """
    #define CVD_TRACE 1e-30  /* mol: less than a molecule. What decays further would end in slow denormal numbers. */
    """
    const double TRACE "CVD_TRACE"


cdef inline void effective_temperature(Gas* gas, const Heat* heat, const Film* film) noexcept nogil:
    # Harmonic mean by volume: moles at equal pressure
    cdef double hot = (gas.volume - gas.cold_volume) / ZONES, moles = gas.cold_volume / gas.cold_temperature
    cdef int z
    for z in range(ZONES):
        moles += hot / heat.tube[z]
    gas.temperature = gas.volume / moles


cdef inline void gauges(Gas* gas, double dt) noexcept nogil:
    cdef double total = gas.amount[SIH4] + gas.amount[N2O] + gas.amount[N2] + gas.amount[H2] + gas.amount[AIR]
    cdef double sensitivity = gas.wide_gain, within
    gas.manometer = follow(gas.manometer, gas.pressure, bounded(dt / gas.manometer_lag, 0.0, 1.0))
    if total > 0.0 and gas.pressure < 10.0 * TORR:
        # A Pirani reads the thermal conductivity: usual factors of silane, nitrous oxide and hydrogen over nitrogen
        within = bounded((gas.pressure - 0.01 * TORR) / (0.1 * TORR), 0.0, 1.0)
        sensitivity *= 1.0 + within * (0.35 * gas.amount[SIH4] + 0.1 * gas.amount[N2O] + 0.6 * gas.amount[H2]) / total
    gas.wide = gas.pressure * sensitivity


cdef inline void gas_step(Furnace* f, const double* values, double dt) noexcept nogil:
    cdef Gas* gas = &f.gas
    cdef bint wired = f.emo > 0.5  # emergency-off shuts the valves of process gas by wire
    cdef bint supplied, nitrogen = f.situation[N2_SUPPLY] > PURGE_KPA
    cdef double flow, total, share, leaving
    cdef double inflow[SPECIES]
    cdef int i, species
    for i in range(SPECIES):
        inflow[i] = 0.0
    for i in range(FEEDS):
        species = gas.feed[i].species
        # The cabinet shuts silane by its own and by the detector's relay.
        if species == SIH4:
            supplied = wired and f.situation[CABINET_OK] > 0.5 and f.situation[DETECTOR_OK] > 0.5
        elif species == N2O:
            supplied = wired
        else:
            supplied = nitrogen
        flow = feed_step(&gas.feed[i], &gas.panel,
                         values[f.tags.setpoint[i]] * SCCM * (supplied_share(&gas.bottle) if species == SIH4 else 1.0),
                         supplied and values[f.tags.valve[i]] > 0.5, f.rack.step, dt)
        if species == SIH4:
            share = gas_share(&gas.bottle)
            inflow[SIH4] += flow * share
            inflow[N2] += flow * (1.0 - share)
            bottle_step(&gas.bottle, values, f.situation[CABINET_OK] > 0.5, nitrogen, flow,
                        f.situation[LINE_LEAK] * SCCM, dt)
        else:
            inflow[species] += flow
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

    valves_step(&gas.pumps, values[f.tags.throttle] * 0.01, values[f.tags.isolation_shut] < 0.5, dt)
    pumps_step(
        &gas.pumps, values[f.tags.dry_stop] < 0.5 and f.situation[PUMP_OK] > 0.5,
        values[f.tags.booster_stop] < 0.5 and f.situation[BOOSTER_OK] > 0.5 and f.situation[MAINS_OK] > 0.5, dt,
    )

    total = 0.0
    for i in range(SPECIES):
        total += gas.amount[i]
    # S·P leaves and S·P_ultimate comes back as air: net S·(P − P_ultimate), while what the process left is replaced.
    flow = pumping_speed(&gas.pumps, gas.pressure) / (GAS_CONSTANT * gas.pumps.temperature)
    gas.pumps.flow_out = flow * gas.pressure
    inflow[AIR] += flow * ultimate(&gas.pumps)
    share = gas.pumps.flow_out / total if total > 0.0 else 0.0
    total = 0.0
    for i in range(SPECIES):
        leaving = (share * gas.exit[i] * gas.amount[i]) * dt
        if leaving > gas.amount[i]:
            leaving = gas.amount[i]
        gas.amount[i] += inflow[i] * dt - leaving
        gas.fed[i] += inflow[i] * dt
        gas.pumped[i] += leaving
        leaving = gas.consumed[i] * dt
        if leaving > gas.amount[i]:
            leaving = gas.amount[i]
        gas.amount[i] -= leaving
        gas.reacted[i] += leaving
        if gas.amount[i] < TRACE:
            gas.pumped[i] += gas.amount[i]
            gas.amount[i] = 0.0
        total += gas.amount[i]
    gas.pressure = ideal_pressure(total, gas.temperature, gas.volume)
    foreline_step(&gas.pumps, dt)
    gauges(gas, dt)
    handling_step(&f.handling, values, f.situation[DOOR_CLOSED] > 0.5, f.situation[BOAT_IN] > 0.5,
                  f.situation[ROBOT_OK] > 0.5, gas.pressure, dt)
    f.at_atmosphere = 1.0 if gas.pressure > 750.0 * TORR else 0.0
