"""Dense linear systems of some hundred unknowns: LU decomposition with partial pivoting, row by row, in place."""

from libc.math cimport fabs


cdef inline int lu_factor(double* a, int* order, int n) noexcept nogil:
    # a: n × n by rows, becomes L (unit diagonal, below) and U; order: which row went where. 1 when singular or not
    # finite, 0 otherwise.
    cdef int i, j, k, best
    cdef double largest, factor, held
    cdef double* upper
    cdef double* lower
    for k in range(n):
        best, largest = k, fabs(a[k * n + k])
        for i in range(k + 1, n):
            if fabs(a[i * n + k]) > largest:
                best, largest = i, fabs(a[i * n + k])
        if not 1e-300 < largest < 1e300:
            return 1
        order[k] = best
        upper = a + k * n
        if best != k:
            lower = a + best * n
            for j in range(n):
                held = upper[j]
                upper[j] = lower[j]
                lower[j] = held
        for i in range(k + 1, n):
            lower = a + i * n
            factor = lower[k] / upper[k]
            lower[k] = factor
            if factor != 0.0:
                for j in range(k + 1, n):
                    lower[j] -= factor * upper[j]
    return 0


cdef inline void lu_solve(const double* a, const int* order, int n, double* b) noexcept nogil:
    # b: right-hand side, becomes the solution
    cdef int i, j
    cdef double held
    cdef const double* row
    for i in range(n):
        j = order[i]
        held = b[j]
        b[j] = b[i]
        b[i] = held
    for i in range(n):
        row, held = a + i * n, b[i]
        for j in range(i):
            held -= row[j] * b[j]
        b[i] = held
    for i in range(n - 1, -1, -1):
        row, held = a + i * n, b[i]
        for j in range(i + 1, n):
            held -= row[j] * b[j]
        b[i] = held / row[i]
