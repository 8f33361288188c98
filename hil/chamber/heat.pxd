"""Heat: zones of a susceptor, a lamp bank, an inductor or a hot wall, the wafer on them, rotation.

C·dT/dt = P − loss·(T − T_wall) − σ·ε·A·(T⁴ − T_wall⁴) + coupling to the neighbours, explicitly at the slow period.
"""

from hil.chamber.state cimport EMO_OK, MAINS_OK, OVERTEMPERATURE_OK, ROTATION_OK, Chamber, Heat, Zone, asked_of
from hil.parts.lines cimport bounded, follow
from kernels.physics.radiation cimport radiated

cdef extern from *:
    """
    #define CVD_RPM (2.0 * 3.14159265358979323846 / 60.0)
    """
    const double RPM "CVD_RPM"


cdef inline void heat_step(Chamber* f, const double* values, double dt) noexcept nogil:
    cdef Heat* heat = &f.heat
    cdef Zone* zone
    cdef bint powered = (
        f.situation[OVERTEMPERATURE_OK] > 0.5 and f.situation[EMO_OK] > 0.5 and f.situation[MAINS_OK] > 0.5
    )
    cdef double power, lost
    cdef int i
    for i in range(heat.zones):
        zone = &heat.zone[i]
        power = bounded(values[zone.power] * 0.01, 0.0, 1.0) * zone.full_power * zone.element if powered else 0.0
        zone.drive = follow(zone.drive, power, bounded(dt / zone.drive_lag, 0.0, 1.0))
        power = zone.drive
        if i == heat.wafer_zone:
            power += heat.energy_share * f.energy.absorbed
        lost = zone.loss * (zone.temperature - heat.wall) + radiated(zone.radiation, zone.temperature, heat.wall)
        if i > 0:
            lost += heat.coupling * (zone.temperature - heat.zone[i - 1].temperature)
            heat.zone[i - 1].temperature += heat.coupling * (zone.temperature - heat.zone[i - 1].temperature) * dt / (
                heat.zone[i - 1].capacity)
        zone.temperature += (power - lost) * dt / zone.capacity
        heat.delivered += power * dt
        heat.lost += lost * dt
        zone.control = follow(zone.control, zone.temperature, bounded(dt / zone.lag, 0.0, 1.0))
        zone.guard = follow(zone.guard, zone.temperature, bounded(dt / zone.lag, 0.0, 1.0))
        if zone.temperature > heat.snap:
            f.situation[OVERTEMPERATURE_OK] = 0.0
    power = heat.zone[heat.wafer_zone].temperature
    heat.wafer = power - heat.wafer_drop * (power - heat.wall)
    heat.pyrometer = heat.wafer
    heat.gas = heat.wall + heat.gas_share * (power - heat.wall)
    if heat.rotation >= 0:
        power = bounded(values[heat.rotation], 0.0, 1e5) if f.situation[ROTATION_OK] > 0.5 else 0.0
        heat.rpm = follow(heat.rpm, power, bounded(dt / heat.spin_lag, 0.0, 1.0))
        heat.spin = heat.rpm * RPM
