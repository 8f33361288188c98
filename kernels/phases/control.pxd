"""Phases 5 and 6: ramps, control loops, maps."""

from libc.math cimport fabs

from kernels.phases.emit cimport emit
from kernels.phases.run cimport timers_go_on
from kernels.phases.state cimport LoopMemory, Ramp, ScanState
from kernels.phases.write cimport cancel_ramp, clamp, place, present, quality, write
from kernels.tables cimport (
    EVENT_LOOP_FAULT,
    KIND_OUTPUT,
    LoopRow,
    MODE_AUTO,
    MODE_MANUAL,
    MODE_OFF,
    MapRow,
    RUN_RUNNING,
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


cdef inline int mode_of(double value) noexcept nogil:
    """Truncate toward zero; what is no mode is OFF."""
    cdef int mode
    if not (value >= 1 and value < 3):  # -1 < value < 1 truncates to 0, and so OFF as well
        return MODE_OFF
    mode = <int>value
    return mode


cdef inline void regulate(ScanState* s, const LoopRow* row, LoopMemory* m) noexcept nogil:
    """AUTO: PID, derivative on the filtered measurement, bumpless start, anti-windup, feed-forward."""
    cdef double pv = s.value[row.pv]
    cdef double x = present(s, row.out)
    cdef double f = row.ff_gain * s.value[row.ff] + row.bias if row.ff >= 0 else row.bias
    cdef double e = row.direction * (s.value[row.sp] - pv)
    cdef double p = row.kp * e
    cdef double d, u, y, step
    if not m.ready:
        m.filtered = pv
        m.previous = m.filtered
        m.integral = (x - p) - f
        m.ready = True
    m.filtered = m.filtered + row.alpha * (pv - m.filtered)
    d = (row.direction * row.kd) * (m.previous - m.filtered)
    m.previous = m.filtered
    u = ((p + m.integral) + d) + f
    y = clamp(u, row.low, row.high)
    if row.rate > 0:
        y = clamp(y, x - row.rate, x + row.rate)
    step = row.ki * e
    if not ((u > y and step > 0) or (u < y and step < 0)):
        m.integral = m.integral + step
    write(s, row.out, y)


cdef inline bint is_bad(const ScanState* s, int tag) noexcept nogil:
    return quality(s.status[tag]) == 2


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
        regulate(s, row, m)


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
    for i in range(s.loop_count):
        control(s, i)
    for i in range(s.map_count):
        apply_map(s, &s.maps[i])
