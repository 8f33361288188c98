"""Reading and writing tags: qualities, limits, demands and ramps."""

from kernels.phases.state cimport Ramp, ScanState
from kernels.tables cimport BAD, GOOD, KIND_OUTPUT, KIND_SETPOINT, MODE_OFF

cdef extern from *:
    """
    /* The one NaN that the scan itself writes. */
    static inline double cvd_quiet_nan(void)
    { unsigned long long bits = 0x7FF8000000000000ull; double x; __builtin_memcpy(&x, &bits, 8); return x; }
    static inline unsigned long long cvd_bits(double x)
    { unsigned long long bits; __builtin_memcpy(&bits, &x, 8); return bits; }
    static inline int cvd_finite(double x) { return (cvd_bits(x) & 0x7FF0000000000000ull) != 0x7FF0000000000000ull; }
    """
    double quiet_nan "cvd_quiet_nan"() noexcept nogil
    unsigned long long bits_of "cvd_bits"(double x) noexcept nogil
    bint is_finite "cvd_finite"(double x) noexcept nogil


cdef inline int quality(unsigned int status) noexcept nogil:
    """0 Good, 1 Uncertain, 2 Bad."""
    cdef int q = status >> 30
    return q - (q == 3)


cdef inline double clamp(double x, double low, double high) noexcept nogil:
    """Limit; a NaN passes through."""
    return low if x < low else (high if x > high else x)


cdef inline double present(const ScanState* s, int tag) noexcept nogil:
    """Return what a loop or a ramp starts from."""
    return s.demand[tag] if s.tags[tag].kind == KIND_OUTPUT else s.value[tag]


cdef inline void cancel_ramp(ScanState* s, int tag) noexcept nogil:
    if s.ramp[tag].on:
        s.ramp[tag].on = False
        s.ramp_count -= 1


cdef inline void set_ramp(ScanState* s, int tag, Ramp ramp) noexcept nogil:
    """Give a tag a ramp, or none if `ramp` is off."""
    cancel_ramp(s, tag)
    if ramp.on:
        s.ramp[tag] = ramp
        s.ramp_count += 1


cdef inline void cancel_ramps(ScanState* s) noexcept nogil:
    cdef int i
    if s.ramp_count > 0:
        for i in range(s.writable_count):
            s.ramp[s.writable[i]].on = False
        s.ramp_count = 0


cdef inline void place(ScanState* s, int tag, double x) noexcept nogil:
    """Write as a ramp does: a NaN is dropped, the ramp stays."""
    cdef double limited
    if x != x:
        return
    limited = clamp(x, s.tags[tag].low, s.tags[tag].high)
    if s.tags[tag].kind == KIND_SETPOINT:
        s.value[tag] = limited
        s.status[tag] = GOOD
    else:
        s.demand[tag] = limited


cdef inline void write(ScanState* s, int tag, double x) noexcept nogil:
    """Write as everyone else does: the tag's ramp ends."""
    if x == x:
        place(s, tag, x)
        cancel_ramp(s, tag)


cdef inline void make_unknown(ScanState* s, int tag) noexcept nogil:
    """Leave a set point without a value."""
    s.value[tag] = quiet_nan()
    s.status[tag] = BAD
    cancel_ramp(s, tag)


cdef inline bint is_bad(const ScanState* s, int tag) noexcept nogil:
    return quality(s.status[tag]) == 2


cdef inline int mode_of(double value) noexcept nogil:
    """Truncate toward zero; what is no mode is OFF."""
    cdef int mode
    if not (value >= 1 and value < 3):  # -1 < value < 1 truncates to 0, and so OFF as well
        return MODE_OFF
    mode = <int>value
    return mode
