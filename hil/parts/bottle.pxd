"""A bottle in its cabinet and the line from there to the mass flow controller.

The cabinet shuts the bottle when the tool asks for it, or when it is not well; it opens again by a release only, so
that neither a dead link nor a restart opens a bottle that is being changed. The line keeps its gas until the
controller lets it out; nitrogen is let in to purge it. What comes out is the line's mixture.
"""

from hil.parts.lines cimport bounded
from kernels.physics.constants cimport GAS_CONSTANT

cdef extern from *:
    """
    #define CVD_LINE_M3 5e-5 /* 3 m of 1/4 inch tube */
    #define CVD_LINE_K 295.0
    #define CVD_BOTTLE_PA 3e5 /* behind the regulator */
    #define CVD_PURGE_PA 4e5
    #define CVD_FILL_S 1.5
    #define CVD_CABINET_S 2.0
    #define CVD_CHOKED_PA 1e3 /* below this a controller lets less through than it is asked */
    """
    const double LINE_M3 "CVD_LINE_M3"
    const double LINE_K "CVD_LINE_K"
    const double BOTTLE_PA "CVD_BOTTLE_PA"
    const double PURGE_PA "CVD_PURGE_PA"
    const double FILL_S "CVD_FILL_S"
    const double CABINET_S "CVD_CABINET_S"
    const double CHOKED_PA "CVD_CHOKED_PA"

cdef struct Bottle:
    int shut, release, purge  # tags, −1 where the tool has none
    double waited  # s since the cabinet was asked
    bint latched  # shut until it is released
    double open  # contact
    double gas, nitrogen  # mol in the line
    double pressure  # Pa, absolute


cdef inline void bottle_set(Bottle* b) noexcept nogil:
    b.open, b.gas, b.nitrogen = 1.0, BOTTLE_PA * LINE_M3 / (GAS_CONSTANT * LINE_K), 0.0
    b.pressure = BOTTLE_PA


cdef inline double supplied_share(const Bottle* b) noexcept nogil:
    # What of the asked flow the line can give
    return bounded(b.pressure / CHOKED_PA, 0.0, 1.0)


cdef inline double gas_share(const Bottle* b) noexcept nogil:
    cdef double total = b.gas + b.nitrogen
    return b.gas / total if total > 0.0 else 0.0


cdef inline void bottle_step(
    Bottle* b, const double* values, bint well, bint nitrogen, double drawn, double leak, double dt
) noexcept nogil:
    # `drawn` is what the controller lets out, `leak` what leaves through a fitting, mol/s
    cdef bint shut = b.shut >= 0 and values[b.shut] > 0.5
    cdef bint purged = b.purge >= 0 and values[b.purge] > 0.5 and nitrogen
    cdef double scale = LINE_M3 / (GAS_CONSTANT * LINE_K), out = (drawn + leak) * dt, share = gas_share(b)
    b.waited = b.waited + dt if shut else 0.0
    if b.waited >= CABINET_S:
        b.latched = True
    elif not shut and b.release >= 0 and values[b.release] > 0.5:
        b.latched = False
    b.open = 1.0 if well and not b.latched else 0.0
    b.gas -= out * share
    b.nitrogen -= out * (1.0 - share)
    if b.gas < 0.0:
        b.gas = 0.0
    if b.nitrogen < 0.0:
        b.nitrogen = 0.0
    if b.open > 0.5 and b.pressure < BOTTLE_PA:
        b.gas += (BOTTLE_PA - b.pressure) * scale * bounded(dt / FILL_S, 0.0, 1.0)
    if purged and b.pressure < PURGE_PA:
        b.nitrogen += (PURGE_PA - b.pressure) * scale * bounded(dt / FILL_S, 0.0, 1.0)
    b.pressure = (b.gas + b.nitrogen) / scale
