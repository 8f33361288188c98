"""Mass transfer through a similarity flow for code without the GIL: a curve over ln Sc, filled once."""

from libc.math cimport NAN, exp, log

cdef enum:
    CURVE = 65

cdef struct SherwoodCurve:
    double low
    double step
    double value[CURVE]


cdef inline double sherwood(const SherwoodCurve* curve, double schmidt) noexcept nogil:
    # Cubic through four points of the curve; NaN outside of Sc 0.05 … 100 and for what is no number
    cdef double at, t
    cdef int i
    if not 0.05 <= schmidt <= 100.0:
        return NAN
    at = (log(schmidt) - curve.low) / curve.step
    i = <int>at - 1
    i = 0 if i < 0 else (CURVE - 4 if i > CURVE - 4 else i)
    t = at - i
    return exp(curve.value[i] * (t - 1.0) * (t - 2.0) * (t - 3.0) / -6.0
               + curve.value[i + 1] * t * (t - 2.0) * (t - 3.0) / 2.0
               + curve.value[i + 2] * t * (t - 1.0) * (t - 3.0) / -2.0
               + curve.value[i + 3] * t * (t - 1.0) * (t - 2.0) / 6.0)


cdef class TransferTable:
    cdef SherwoodCurve curve
