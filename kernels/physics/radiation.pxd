"""Heat between grey bodies."""

from kernels.physics.constants cimport STEFAN_BOLTZMANN


cdef inline double radiated(double effective_area, double hot, double cold) noexcept nogil:
    # σ·A·ε·F·(T1⁴ − T2⁴), W; effective_area = A·ε·F
    cdef double a = hot * hot, b = cold * cold
    return STEFAN_BOLTZMANN * effective_area * (a - b) * (a + b)
