"""Gas lines: mass flow controllers with their isolation valves."""

from libc.math cimport isnan

cdef enum:
    DELAY = 256  # scans of an MFC's dead time at most: 80 ms at a scan of 0.5 ms are 160

cdef struct Panel:
    # What the lines of a tool have in common
    double dead_scans, frequency, damping  # of the MFCs
    double valve_speed  # strokes a second

cdef struct Feed:
    int species
    double gain  # true flow over indicated flow
    double flow  # indicated, mol/s
    double slope
    double valve  # 0…1
    double stuck  # mol/s, NaN: not
    double asked[DELAY]


cdef inline double follow(double value, double target, double share) noexcept nogil:
    return value + (target - value) * share


cdef inline double bounded(double value, double low, double high) noexcept nogil:
    return low if value < low else high if value > high else value


cdef inline double stroke(double position, bint open, double step) noexcept nogil:
    # A valve on its way to an end
    if open:
        return position + step if position + step < 1.0 else 1.0
    return position - step if position - step > 0.0 else 0.0


cdef inline double feed_step(Feed* feed, const Panel* panel, double asked, bint open, long long step, double dt
                             ) noexcept nogil:
    # Advances a mass flow controller and its valve; returns what really flows, mol/s
    cdef double target
    feed.asked[step % DELAY] = asked
    target = feed.asked[(step - <long long>panel.dead_scans) % DELAY] if step >= panel.dead_scans else 0.0
    if not isnan(feed.stuck):
        target = feed.stuck
    feed.valve = stroke(feed.valve, open, panel.valve_speed * dt)
    if feed.valve < 0.5:
        target = 0.0
    feed.slope += dt * panel.frequency * (panel.frequency * (target - feed.flow) - 2.0 * panel.damping * feed.slope)
    feed.flow += dt * feed.slope
    if feed.valve < 0.5:
        feed.flow = feed.slope = 0.0
        return 0.0
    return feed.flow * feed.gain if feed.flow > 0.0 else 0.0
