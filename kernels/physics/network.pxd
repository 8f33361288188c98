"""Bodies that exchange heat: capacities, conduction, radiation and power, stepped without ever becoming unstable.

C_i·dT_i/dt = P_i − Σ G_ij·(T_i − T_j) − Σ σ·A_ij·(T_i⁴ − T_j⁴). Body 0 … n−1 have capacities; an edge may also lead to
a body whose capacity is infinite (the room, cooling water), which keeps its temperature. ROS2 (J. G. Verwer et al.,
SIAM J. Sci. Comput. 20, 1456 (1999)): linearly implicit, L-stable, second order; what one end of an edge loses the
other gains to rounding, for the method keeps linear invariants.
"""

from kernels.physics.constants cimport STEFAN_BOLTZMANN

cdef enum:
    BODIES = 24
    EDGES = 96

cdef struct Network:
    int bodies
    int edges
    double capacity[BODIES]  # J/K; infinite: held
    double temperature[BODIES]
    double power[BODIES]  # W
    int one[EDGES]
    int other[EDGES]
    double conductance[EDGES]  # W/K
    double radiating[EDGES]  # m2: area × emissivities × view factor


cdef inline void network_flow(const Network* n, const double* t, double* flow) noexcept nogil:
    cdef int e
    cdef double q, a, b
    for e in range(n.bodies):
        flow[e] = n.power[e]
    for e in range(n.edges):
        a, b = t[n.one[e]], t[n.other[e]]
        q = n.conductance[e] * (a - b) + STEFAN_BOLTZMANN * n.radiating[e] * (a * a - b * b) * (a * a + b * b)
        flow[n.one[e]] -= q
        flow[n.other[e]] += q
    for e in range(n.bodies):
        if n.capacity[e] > 1e300:
            flow[e] = 0.0


cdef inline int factorise(double* m, int* pivot, int n) noexcept nogil:
    # LU with partial pivoting of a row-major n×n matrix; 1 for a singular one
    cdef int i, j, k, best
    cdef double q
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(m[i * n + k]) > abs(m[best * n + k]):
                best = i
        pivot[k] = best
        if m[best * n + k] == 0.0:
            return 1
        if best != k:
            for j in range(n):
                q = m[k * n + j]
                m[k * n + j] = m[best * n + j]
                m[best * n + j] = q
        for i in range(k + 1, n):
            q = m[i * n + k] / m[k * n + k]
            m[i * n + k] = q
            if q != 0.0:
                for j in range(k + 1, n):
                    m[i * n + j] -= q * m[k * n + j]
    return 0


cdef inline void substitute(const double* m, const int* pivot, int n, double* x) noexcept nogil:
    cdef int i, j
    cdef double q
    for i in range(n):
        q = x[pivot[i]]
        x[pivot[i]] = x[i]
        x[i] = q
    for i in range(n):
        for j in range(i):
            x[i] -= m[i * n + j] * x[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= m[i * n + j] * x[j]
        x[i] /= m[i * n + i]


cdef inline int network_step(Network* n, double dt) noexcept nogil:
    # 0, or 1 where the temperatures are none any more (nothing was changed then)
    cdef double m[BODIES * BODIES]
    cdef double k1[BODIES]
    cdef double k2[BODIES]
    cdef double t[BODIES]
    cdef int pivot[BODIES]
    cdef int i, e, a, b, size = n.bodies
    cdef double gamma = 1.7071067811865475, g, left, right  # 1 + 1/√2
    for i in range(size * size):
        m[i] = 0.0
    for i in range(size):
        m[i * size + i] = n.capacity[i] if n.capacity[i] < 1e300 else 1.0
    for e in range(n.edges):
        a, b = n.one[e], n.other[e]
        g = 4.0 * STEFAN_BOLTZMANN * n.radiating[e]
        left = gamma * dt * (n.conductance[e] + g * n.temperature[a] ** 3)
        right = gamma * dt * (n.conductance[e] + g * n.temperature[b] ** 3)
        if n.capacity[a] < 1e300:
            m[a * size + a] += left
            m[a * size + b] -= right
        if n.capacity[b] < 1e300:
            m[b * size + b] += right
            m[b * size + a] -= left
    if factorise(m, pivot, size):
        return 1
    network_flow(n, n.temperature, k1)
    substitute(m, pivot, size, k1)
    for i in range(size):
        t[i] = n.temperature[i] + dt * k1[i]
    network_flow(n, t, k2)
    for i in range(size):
        k2[i] -= 2.0 * (n.capacity[i] if n.capacity[i] < 1e300 else 1.0) * k1[i]
    substitute(m, pivot, size, k2)
    for i in range(size):
        t[i] = n.temperature[i]
        if n.capacity[i] < 1e300:
            t[i] += dt * (1.5 * k1[i] + 0.5 * k2[i])
        if not 0.0 < t[i] < 1e5:
            return 1
    for i in range(size):
        n.temperature[i] = t[i]
    return 0
