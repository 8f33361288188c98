"""Modified Bessel function of the first kind, order 0, by its power series.

I0(x) = Σ (x²/4)^k / (k!)² (DLMF 10.25.2). All terms are positive, so nothing cancels; the loop ends when a term no
longer changes the sum.
"""


cdef inline double bessel_i0(double x) noexcept nogil:
    cdef double quarter = 0.25 * x * x, term = 1.0, total = 1.0
    cdef int k
    for k in range(1, 1000):
        term *= quarter / (<double>k * k)
        if total + term == total:
            break
        total += term
    return total
