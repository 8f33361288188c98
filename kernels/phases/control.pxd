"""Phases 5 and 6: ramps, control loops, maps."""

from libc.math cimport fabs

from kernels.phases.emit cimport emit
from kernels.phases.group cimport run_groups
from kernels.phases.run cimport timers_go_on
from kernels.phases.state cimport LoopMemory, LoopPlan, Ramp, ScanState
from kernels.phases.write cimport cancel_ramp, clamp, is_bad, mode_of, place, present, quality, write
from kernels.tables cimport (
    EVENT_LOOP_FAULT,
    KIND_OUTPUT,
    LoopRow,
    MODE_AUTO,
    MODE_MANUAL,
    MODE_OFF,
    MapRow,
    RUN_RUNNING,
    ScheduleRow,
)


cdef inline void move_ramp(ScanState* s, int tag) noexcept nogil:
    cdef Ramp* ramp = &s.ramp[tag]
    cdef double x = present(s, tag)
    cdef double d = ramp.target - x
    if fabs(d) <= ramp.increment:
        place(s, tag, ramp.target)
        cancel_ramp(s, tag)
    else:
        place(s, tag, x + ramp.increment if d > 0 else x - ramp.increment)


cdef inline void move_ramps(ScanState* s) noexcept nogil:
    cdef int i, tag
    cdef bint program_moves
    if s.ramp_count == 0:
        return
    program_moves = s.run.state == RUN_RUNNING or timers_go_on(&s.run)
    for i in range(s.writable_count):
        tag = s.writable[i]
        if s.ramp[tag].on and (program_moves or s.ramp[tag].auxiliary):
            move_ramp(s, tag)


cdef inline void take_gains(
    ScanState* s, const LoopRow* loop, const LoopPlan* plan, LoopMemory* m, double f
) noexcept nogil:
    """Take the gains of this moment; the integral takes up what that would have moved the output by a scan ago.

    A scan ago: a new set point, which the gains may follow, is no reason to move the integral. Nor is an error that is
    far from gone a reason to move it out of the output's range, from where it would have to come back.
    """
    cdef const ScheduleRow* row
    cdef const ScheduleRow* last
    cdef double x, share, kp = loop.kp, ki = loop.ki, kd = loop.kd, before = m.kp, least, most
    if plan.count > 0:
        row = &s.schedules[plan.start]
        last = row + (plan.count - 1)
        if quality(s.status[row.tag]) == 2:
            return
        x = clamp(s.value[row.tag], row.at, last.at)
        while row < last - 1 and x > row[1].at:
            row += 1
        share = 0.0 if row == last else (x - row.at) / (row[1].at - row.at)
        last = row if row == last else row + 1
        kp = row.kp + (last.kp - row.kp) * share
        ki = row.ki + (last.ki - row.ki) * share
        kd = row.kd + (last.kd - row.kd) * share
    m.kp = kp * m.tuned_p
    m.ki = ki * m.tuned_i
    m.kd = kd * m.tuned_p
    if m.ready and m.kp != before:
        least = loop.low - f
        most = loop.high - f
        least = least if least < m.integral else m.integral
        most = most if most > m.integral else m.integral
        m.integral = clamp(m.integral + (before - m.kp) * m.error, least, most)


cdef inline void regulate(ScanState* s, const LoopRow* row, const LoopPlan* plan, LoopMemory* m) noexcept nogil:
    """AUTO: PID, derivative on the filtered measurement, bumpless start, anti-windup, feed-forward."""
    cdef double pv = s.value[row.pv]
    cdef double x = present(s, row.out)
    cdef double f = row.ff_gain * s.value[row.ff] + row.bias if row.ff >= 0 else row.bias
    cdef double e = row.direction * (s.value[row.sp] - pv)
    cdef double p, d, u, y, step
    take_gains(s, row, plan, m, f)
    p = m.kp * e
    if not m.ready:
        m.filtered = pv
        m.previous = m.filtered
        m.integral = (x - p) - f
        m.ready = True
    m.error = e
    m.filtered = m.filtered + row.alpha * (pv - m.filtered)
    d = (row.direction * m.kd) * (m.previous - m.filtered)
    m.previous = m.filtered
    u = ((p + m.integral) + d) + f
    y = clamp(u, row.low, row.high)
    if row.rate > 0:
        y = clamp(y, x - row.rate, x + row.rate)
    step = m.ki * e
    if not ((u > y and step > 0) or (u < y and step < 0)):
        m.integral = m.integral + step
    write(s, row.out, y)


cdef inline void control(ScanState* s, int index) noexcept nogil:
    cdef const LoopRow* row = &s.loops[index]
    cdef LoopMemory* m = &s.loop_memory[index]
    cdef int mode = mode_of(s.value[row.mode])
    if mode == MODE_MANUAL:
        m.ready = False
    elif mode != MODE_AUTO:
        write(s, row.out, row.off)
        m.ready = False
    elif is_bad(s, row.pv) or is_bad(s, row.sp) or (row.ff >= 0 and is_bad(s, row.ff)):
        write(s, row.mode, <double>MODE_OFF)
        write(s, row.out, row.off)
        m.ready = False
        emit(s, EVENT_LOOP_FAULT, index)
    else:
        regulate(s, row, &s.loop_plans[index], m)


cdef inline void apply_map(ScanState* s, const MapRow* row) noexcept nogil:
    """Copy a tag to another over a line with clamped ends (split range)."""
    cdef double x = present(s, row.source)
    cdef double c
    if x != x or (s.tags[row.source].kind != KIND_OUTPUT and is_bad(s, row.source)):
        return
    c = clamp((x - row.x0) / (row.x1 - row.x0), 0.0, 1.0)
    write(s, row.target, row.y0 + (row.y1 - row.y0) * c)


cdef inline void run_loops(ScanState* s) noexcept nogil:
    cdef int i
    if s.group_count > 0:
        run_groups(s)
    for i in range(s.loop_count):
        if s.loop_memory[i].held:
            s.loop_memory[i].ready = False
        else:
            control(s, i)
    for i in range(s.map_count):
        apply_map(s, &s.maps[i])
