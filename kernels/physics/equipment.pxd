"""Dynamics of equipment as steps without the GIL: mass flow controllers, valves, drives, pumps, matching networks.

State in, state out; the caller owns the structs. Steps are exact or stable for every dt, so that a plant may run at any
speed.
"""

from libc.math cimport cos, exp, isfinite, sin, sqrt

cdef enum:
    DELAY_LINE = 64

cdef struct MassFlowController:
    # Dead time, then a second-order response of the flow, error of gain and zero, a valve that can stick
    double full_scale  # mol/s
    double frequency  # rad/s, undamped
    double damping  # 0 < ζ
    double gain  # 1: exact
    double zero  # mol/s
    int dead_steps
    double asked[DELAY_LINE]
    int at
    double flow
    double slope


cdef inline void second_order(double* value, double* slope, double target, double frequency, double damping, double dt
                              ) noexcept nogil:
    # Exact for a target that is constant over dt
    cdef double x = value[0] - target, v = slope[0], w, decay, c, s, root
    if damping < 1.0 - 1e-6:
        w = frequency * sqrt(1.0 - damping * damping)
        decay, c, s = exp(-damping * frequency * dt), cos(w * dt), sin(w * dt)
        value[0] = target + decay * (x * c + (v + damping * frequency * x) / w * s)
        slope[0] = decay * (v * c - (damping * frequency * v + frequency * frequency * x) / w * s)
    elif damping > 1.0 + 1e-6:
        root = sqrt(damping * damping - 1.0)
        w = frequency * (damping + root)  # fast and slow rate
        root = frequency / (damping + root)
        c, s = exp(-root * dt), exp(-w * dt)
        decay = (v + w * x) / (w - root)
        value[0] = target + decay * c + (x - decay) * s
        slope[0] = -root * decay * c - w * (x - decay) * s
    else:
        decay = exp(-frequency * dt)
        s = v + frequency * x
        value[0] = target + decay * (x + s * dt)
        slope[0] = decay * (v - frequency * s * dt)


cdef inline double controller_step(MassFlowController* m, double setpoint, bint supplied, double dt) noexcept nogil:
    # Returns what really flows, mol/s
    cdef double target
    if not isfinite(setpoint) or setpoint < 0.0:
        setpoint = 0.0
    m.asked[m.at] = setpoint if setpoint < m.full_scale else m.full_scale
    target = m.asked[(m.at - m.dead_steps + DELAY_LINE) % DELAY_LINE]
    m.at = (m.at + 1) % DELAY_LINE
    second_order(&m.flow, &m.slope, target if supplied else 0.0, m.frequency, m.damping, dt)
    if m.flow < 0.0 or not supplied:
        m.flow = m.flow if supplied and m.flow > 0.0 else 0.0
        m.slope = 0.0 if not supplied else m.slope
    target = m.flow * m.gain + (m.zero if supplied else 0.0)
    return target if target > 0.0 else 0.0


cdef inline double valve_stroke(double position, double target, double speed, double dt) noexcept nogil:
    # A drive of constant speed, 0 … 1; a step never overshoots
    cdef double most = speed * dt, way
    target = 0.0 if not target > 0.0 else (1.0 if target > 1.0 else target)
    way = target - position
    return position + (way if -most <= way <= most else (most if way > 0.0 else -most))


cdef inline double lag(double value, double target, double dt, double constant) noexcept nogil:
    # First order, exact for a constant target; no lag without a time constant
    return target + (value - target) * exp(-dt / constant) if constant > 0.0 else target


cdef inline double spin_up(double speed, bint powered, double dt, double up_s, double down_s) noexcept nogil:
    # A pump's speed over its nominal speed
    return lag(speed, 1.0 if powered else 0.0, dt, up_s if powered else down_s)


cdef inline double roots_speed(double speed, double backing, double pressure, double crossover) noexcept nogil:
    # A booster over a backing pump: its own speed below the crossover pressure, the backing pump's above
    cdef double share = 1.0 / (1.0 + pressure / crossover) if crossover > 0.0 else 0.0
    return backing + (speed - backing) * share


cdef struct Match:
    # Two motor-driven elements of an L network, each on its way to where the load would be matched
    double shunt  # susceptance, S
    double series  # reactance, Ω
    double shunt_speed  # S/s
    double series_speed  # Ω/s


cdef inline double reflected_share(double shunt, double series, double resistance, double reactance, double source
                                   ) noexcept nogil:
    # |Γ|² of source | shunt susceptance | series reactance | load
    cdef double r = resistance, x = reactance + series, z2 = r * r + x * x, g, b, up, down
    if not 0.0 < z2 < 1e300:
        return 1.0
    g, b = r / z2, shunt - x / z2  # admittance behind the shunt element
    g, b = g * source, b * source
    up = (1.0 - g) * (1.0 - g) + b * b
    down = (1.0 + g) * (1.0 + g) + b * b
    return up / down if 0.0 < down < 1e300 and up < 1e300 else 1.0


cdef inline int match_point(double resistance, double reactance, double source, double* shunt, double* series
                            ) noexcept nogil:
    # Elements that match a load of less than the source's resistance; 1 where this network cannot
    if not 0.0 < resistance <= source or not isfinite(reactance):
        return 1
    series[0] = sqrt(resistance * (source - resistance)) - reactance
    shunt[0] = sqrt((source - resistance) / resistance) / source
    return 0


cdef inline double match_step(Match* m, double resistance, double reactance, double source, double dt) noexcept nogil:
    # Drives both elements towards the match; returns the reflected share of the power
    cdef double shunt = m.shunt, series = m.series, most
    if match_point(resistance, reactance, source, &shunt, &series) == 0:
        most = m.shunt_speed * dt
        m.shunt += shunt - m.shunt if abs(shunt - m.shunt) <= most else (most if shunt > m.shunt else -most)
        most = m.series_speed * dt
        m.series += series - m.series if abs(series - m.series) <= most else (most if series > m.series else -most)
    return reflected_share(m.shunt, m.series, resistance, reactance, source)
