"""Dry pump with Roots booster, throttle and isolation valve, and the foreline between them."""

from libc.math cimport isnan

from hil.parts.lines cimport bounded, follow, stroke
from kernels.physics.constants cimport GAS_CONSTANT
from kernels.physics.flow cimport butterfly, in_series

cdef struct Pumps:
    # parameters
    double temperature  # K, where the speeds hold
    double throttle_speed, isolation_speed  # strokes a second
    double throttle_closed, throttle_full, line  # m³/s
    double dry_speed, booster_speed, booster_pressure  # m³/s, m³/s, Pa at which the booster's share is halved
    double dry_ultimate, booster_ultimate  # Pa
    # state
    double throttle, isolation  # open share
    double throttle_stuck
    double dry, booster  # share of speed
    double running, booster_running  # as their contacts say
    double flow_out  # mol/s
    double foreline  # Pa


cdef inline void valves_step(Pumps* pumps, double asked, bint open, double dt) noexcept nogil:
    cdef double opening = bounded(asked, 0.0, 1.0)
    if not isnan(pumps.throttle_stuck):
        opening = pumps.throttle_stuck
    pumps.throttle += bounded(opening - pumps.throttle, -pumps.throttle_speed * dt, pumps.throttle_speed * dt)
    pumps.isolation = stroke(pumps.isolation, open, pumps.isolation_speed * dt)


cdef inline void pumps_step(Pumps* pumps, bint dry, bint booster, double dt) noexcept nogil:
    # Each runs up or down; the booster only over a pump that runs
    booster = booster and dry
    pumps.dry = follow(pumps.dry, 1.0 if dry else 0.0, dt / (4.0 if dry else 2.0))
    pumps.booster = follow(pumps.booster, 1.0 if booster else 0.0, dt / 3.0)
    pumps.running = 1.0 if dry and pumps.dry > 0.8 else 0.0
    pumps.booster_running = 1.0 if booster and pumps.booster > 0.8 else 0.0


cdef inline double pumping_speed(const Pumps* pumps, double pressure) noexcept nogil:
    # At the chamber's outlet, m³/s of gas at the pump's temperature. The booster helps below some Torr. The ultimate
    # pressure is gas that comes back, as the plant's balance says.
    cdef double helped = pumps.booster / (1.0 + pressure / pumps.booster_pressure)
    cdef double speed = pumps.dry * (pumps.dry_speed + (pumps.booster_speed - pumps.dry_speed) * helped)
    speed = in_series(speed, butterfly(pumps.throttle, pumps.throttle_closed, pumps.throttle_full))
    return in_series(speed, pumps.line * pumps.isolation)


cdef inline double ultimate(const Pumps* pumps) noexcept nogil:
    return pumps.dry_ultimate + (pumps.booster_ultimate - pumps.dry_ultimate) * pumps.booster


cdef inline void foreline_step(Pumps* pumps, double dt) noexcept nogil:
    cdef double flow = pumps.flow_out * GAS_CONSTANT * pumps.temperature
    flow = pumps.dry_ultimate + flow / (pumps.dry_speed * pumps.dry + 1e-4)
    pumps.foreline = follow(pumps.foreline, flow, bounded(dt / 0.5, 0.0, 1.0))
