"""A load lock: a small volume with a pump, a vent and a door of its own, a slit valve to the chamber, an arm between.

Its door and its robot are those of `handling`; what that calls `present` lies on the arm's fork. Slit valve, arm and
fork have two commands each and stand where they are without one, so that a dead link crushes nothing. What people and
interlocks must prevent happens here when they do not: a slit valve that shuts on the arm, an arm that runs into a
shut valve and a second wafer on a full place are counted as collisions.
"""

from hil.parts.handling cimport Handling, asked, handling_step
from hil.parts.lines cimport bounded
from kernels.physics.constants cimport GAS_CONSTANT
from kernels.physics.flow cimport ideal_pressure

cdef extern from *:
    """
    #define CVD_LOCK_SLIT_S 3.0
    #define CVD_LOCK_ARM_S 15.0
    #define CVD_LOCK_FORK_S 4.0
    #define CVD_LOCK_FREE 0.3 /* share of the arm's way in front of the slit valve */
    #define CVD_LOCK_K 295.0
    #define CVD_LOCK_ATMOSPHERE_PA 101325.0
    #define CVD_LOCK_AT_ATMOSPHERE_PA 1e5
    """
    const double SLIT_S "CVD_LOCK_SLIT_S"
    const double ARM_S "CVD_LOCK_ARM_S"
    const double FORK_S "CVD_LOCK_FORK_S"
    const double FREE "CVD_LOCK_FREE"
    const double LOCK_K "CVD_LOCK_K"
    const double OUTSIDE_PA "CVD_LOCK_ATMOSPHERE_PA"
    const double SWITCH_PA "CVD_LOCK_AT_ATMOSPHERE_PA"

cdef struct LoadLock:
    bint there
    # tags, −1 where the tool has none
    int pump, vent, slit_open, slit_shut, extend, retract, up, down
    # parameters
    double volume, speed, ultimate, venting, conductance  # m³, m³/s, Pa, mol/s, m³/s of the open slit valve
    # state
    Handling handling
    double air, nitrogen, pressure  # mol, mol, Pa
    double slit, arm, fork  # shares of the way
    double placed  # wafers on the chamber's stage
    bint jammed  # a collision is going on
    long long collisions
    # contacts
    double slit_shut_now, slit_open_now, home, inside, raised, lowered, seen, in_chamber, at_atmosphere


cdef inline void lock_moves(LoadLock* l, const double* values, double dt) noexcept nogil:
    cdef bint jammed = False
    if asked(values, l.slit_open):
        l.slit = bounded(l.slit + dt / SLIT_S, 0.0, 1.0)
    elif asked(values, l.slit_shut):
        if l.arm > FREE and l.slit < 0.5:
            jammed = True
        else:
            l.slit = bounded(l.slit - dt / SLIT_S, 0.0, 1.0)
    if asked(values, l.extend) and not asked(values, l.retract):
        if l.arm >= FREE and l.slit < 0.99:
            jammed = True
        else:
            l.arm = bounded(l.arm + dt / ARM_S, 0.0, 1.0)
    elif asked(values, l.retract):
        l.arm = bounded(l.arm - dt / ARM_S, 0.0, 1.0)
    if asked(values, l.up):
        l.fork = bounded(l.fork + dt / FORK_S, 0.0, 1.0)
    elif asked(values, l.down):
        l.fork = bounded(l.fork - dt / FORK_S, 0.0, 1.0)
    if l.arm > 0.999:
        if l.placed > 0.5 and l.handling.present > 0.5:
            jammed = True
        elif l.fork < 0.01 and l.handling.present > 0.5:
            l.placed, l.handling.present = 1.0, 0.0
        elif l.fork > 0.99 and l.placed > 0.5:
            l.placed, l.handling.present = 0.0, 1.0
    if jammed and not l.jammed:
        l.collisions += 1
    l.jammed = jammed


cdef inline double lock_step(
    LoadLock* l, const double* values, double chamber, bint pumps, bint supplied, bint robot, bint staged, double dt
) noexcept nogil:
    # Returns what passes the slit valve into the chamber, mol/s; below 0 it comes out of it
    cdef double per_pa = 1.0 / (GAS_CONSTANT * LOCK_K), total = l.air + l.nitrogen, share, out, through
    handling_step(&l.handling, values, True, True, robot, l.pressure, dt)
    lock_moves(l, values, dt)
    share = l.air / total if total > 0.0 else 0.0
    through = l.slit * l.conductance * (l.pressure - chamber) * per_pa
    out = through if through > 0.0 else 0.0
    if asked(values, l.pump) and pumps and l.pressure > l.ultimate:
        out += l.speed * (l.pressure - l.ultimate) * per_pa
    l.air -= out * share * dt
    l.nitrogen -= out * (1.0 - share) * dt
    if through < 0.0:
        l.nitrogen -= through * dt
    if asked(values, l.vent) and supplied and l.pressure < 1.05 * OUTSIDE_PA:
        l.nitrogen += l.venting * dt
    if l.handling.door > 0.0 and l.pressure < OUTSIDE_PA:
        l.air += l.handling.door * (OUTSIDE_PA - l.pressure) * l.volume * per_pa * dt
    elif l.handling.door > 0.0:
        # Through an open door the overpressure leaves, and the room's air takes the nitrogen's place.
        l.nitrogen -= l.handling.door * (l.pressure - OUTSIDE_PA) * l.volume * per_pa * dt
    if l.handling.door > 0.0 and l.nitrogen > 0.0:
        share = l.handling.door * bounded(dt / 5.0, 0.0, 1.0) * l.nitrogen
        l.nitrogen -= share
        l.air += share
    l.air = bounded(l.air, 0.0, 1e9)
    l.nitrogen = bounded(l.nitrogen, 0.0, 1e9)
    l.pressure = ideal_pressure(l.air + l.nitrogen, LOCK_K, l.volume)
    l.slit_shut_now = 1.0 if l.slit <= 0.0 else 0.0
    l.slit_open_now = 1.0 if l.slit >= 1.0 else 0.0
    l.home = 1.0 if l.arm < 0.01 else 0.0
    l.inside = 1.0 if l.arm > 0.999 else 0.0
    l.raised = 1.0 if l.fork > 0.99 else 0.0
    l.lowered = 1.0 if l.fork < 0.01 else 0.0
    l.seen = l.handling.present
    l.in_chamber = l.placed if staged else 0.0
    l.at_atmosphere = 1.0 if l.pressure > SWITCH_PA else 0.0
    return through
