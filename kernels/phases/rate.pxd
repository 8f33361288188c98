"""Rates of change: the slope of the straight line through the means of a tag's last values, by least squares.

The window is divided into at most RATE_POINTS means of equally many scans, so that memory and time are bounded however
long it is, and noise averages out. A value stands for the slots that were skipped before it.
"""

from kernels.phases.state cimport RateMemory, RatePlan, ScanState
from kernels.phases.write cimport is_finite, quality, quiet_nan


cdef inline double slope(const RatePlan* plan, const RateMemory* m) noexcept nogil:
    """Return the change per second; of equal means exactly 0."""
    cdef double newest = m.ring[(m.at if m.at > 0 else plan.points) - 1]
    cdef double total = 0.0
    cdef int j, place = m.at
    for j in range(plan.points):
        total = total + <double>(2 * j - (plan.points - 1)) * (m.ring[place] - newest)
        place = place + 1 if place + 1 < plan.points else 0
    return total / plan.divisor


cdef inline void begin_again(const RatePlan* plan, RateMemory* m, double x) noexcept nogil:
    """As though the tag had stood still for a whole window."""
    cdef int j
    for j in range(plan.points):
        m.ring[j] = x
    m.filled = True
    m.at = m.rest = 0
    m.count = 0
    m.sum = 0.0
    m.value = 0.0


cdef inline bint take_in(const RatePlan* plan, RateMemory* m, double x, int q, long long scans) noexcept nogil:
    """Let a value stand for so many scans; return whether a mean was completed."""
    cdef bint completed = False
    cdef long long taken
    while scans > 0:
        taken = plan.every - m.count
        if scans < taken:
            taken = scans
        scans -= taken
        m.sum = m.sum + x * <double>taken
        m.count += taken
        if m.count == plan.every:
            m.ring[m.at] = m.sum / <double>plan.every
            m.at = m.at + 1 if m.at + 1 < plan.points else 0
            m.count = 0
            m.sum = 0.0
            completed = True
            if q == 1:
                m.rest = plan.points
            elif m.rest > 0:
                m.rest -= 1
    if q == 1 and m.count > 0:
        m.rest = plan.points + 1
    return completed


cdef inline void follow(ScanState* s, int index) noexcept nogil:
    """Bring one rate up to this scan."""
    cdef const RatePlan* plan = &s.rates[index]
    cdef RateMemory* m = &s.rate_memory[index]
    cdef double x = s.value[plan.tag]
    cdef int q = quality(s.status[plan.tag])
    cdef long long scans = s.k - m.last
    m.last = s.k
    if q == 2 or not is_finite(x):
        m.filled = False
        m.value = quiet_nan()
        m.quality = 2
        return
    if not m.filled or scans >= plan.every * plan.points:
        begin_again(plan, m, x)
        scans = 1
    if take_in(plan, m, x, q, scans):
        m.value = slope(plan, m)
    m.quality = 1 if m.rest > 0 else 0
    if not is_finite(m.value):
        m.value = quiet_nan()
        m.quality = 2
