"""Volumes joined by lines: amounts of each gas, stepped without ever becoming unstable.

dn_{i,s}/dt = feed − Σ flow out + Σ flow in; a line of conductance C carries C·(p_a − p_b)/(R·T) mol/s from the higher
pressure with that volume's composition; a pump carries S·(p − p_ultimate)/(R·T) away. Implicit Euler twice: total
amounts first, with the conductances of the step's beginning, which gives the flows; then each gas with these flows. So
no amount becomes negative, and what leaves one volume enters the other to rounding.
"""

from kernels.physics.constants cimport GAS_CONSTANT
from kernels.physics.network cimport factorise, substitute

cdef enum:
    VOLUMES = 16
    LINES = 48
    KINDS = 12

cdef struct Manifold:
    int volumes
    int lines
    int kinds
    double volume[VOLUMES]  # m3
    double temperature[VOLUMES]
    double speed[VOLUMES]  # m3/s of pump, 0: none
    double ultimate[VOLUMES]  # Pa
    double feed[VOLUMES][KINDS]  # mol/s
    double amount[VOLUMES][KINDS]
    double pumped[VOLUMES][KINDS]  # mol so far
    int one[LINES]
    int other[LINES]
    double conductance[LINES]  # m3/s at 1 Pa mean pressure: molecular part
    double viscous[LINES]  # m3/(s·Pa): what each Pa of mean pressure adds
    double opening[LINES]  # 0 … 1


cdef inline double pressure_of(const Manifold* m, int v) noexcept nogil:
    cdef double total = 0.0
    cdef int k
    for k in range(m.kinds):
        total += m.amount[v][k]
    return total * GAS_CONSTANT * m.temperature[v] / m.volume[v]


cdef inline int manifold_step(Manifold* m, double dt) noexcept nogil:
    # 0, or 1 where nothing could be solved (nothing was changed then)
    cdef double matrix[VOLUMES * VOLUMES]
    cdef double p[VOLUMES]
    cdef double out[VOLUMES]
    cdef double total[VOLUMES]
    cdef double right[VOLUMES]
    cdef double fresh[VOLUMES][KINDS]
    cdef double joined[LINES]
    cdef int pivot[VOLUMES]
    cdef int v, k, e, a, b, n = m.volumes
    cdef double c, flow
    for v in range(n):
        p[v] = pressure_of(m, v)
    for v in range(n * n):
        matrix[v] = 0.0
    for v in range(n):
        total[v], out[v] = 0.0, m.speed[v] if p[v] > m.ultimate[v] else 0.0
        for k in range(m.kinds):
            total[v] += m.amount[v][k] + dt * m.feed[v][k]
        total[v] += dt * out[v] * m.ultimate[v] / (GAS_CONSTANT * m.temperature[v])
        matrix[v * n + v] = 1.0 + dt * out[v] / m.volume[v]
    for e in range(m.lines):
        a, b = m.one[e], m.other[e]
        # mol/(s·Pa), with the gas at the temperature of the side that it comes from
        joined[e] = m.opening[e] * (m.conductance[e] + m.viscous[e] * 0.5 * (p[a] + p[b])) / (
            GAS_CONSTANT * m.temperature[a if p[a] >= p[b] else b])
        c = dt * joined[e] * GAS_CONSTANT
        matrix[a * n + a] += c * m.temperature[a] / m.volume[a]
        matrix[b * n + a] -= c * m.temperature[a] / m.volume[a]
        matrix[b * n + b] += c * m.temperature[b] / m.volume[b]
        matrix[a * n + b] -= c * m.temperature[b] / m.volume[b]
    if factorise(matrix, pivot, n):
        return 1
    substitute(matrix, pivot, n, total)
    for v in range(n):
        if not -1e-9 <= total[v] < 1e12:
            return 1
        p[v] = total[v] * GAS_CONSTANT * m.temperature[v] / m.volume[v]
        flow = out[v] * (p[v] - m.ultimate[v]) / (GAS_CONSTANT * m.temperature[v])
        out[v] = flow / total[v] if flow > 0.0 and total[v] > 0.0 else 0.0
    for v in range(n * n):
        matrix[v] = 0.0
    for v in range(n):
        matrix[v * n + v] = 1.0 + dt * out[v]
    for e in range(m.lines):
        a, b = m.one[e], m.other[e]
        flow = joined[e] * (p[a] - p[b])
        if flow < 0.0:
            a, b, flow = b, a, -flow
        c = dt * flow / total[a] if total[a] > 0.0 else 0.0
        matrix[a * n + a] += c
        matrix[b * n + a] -= c
    if factorise(matrix, pivot, n):
        return 1
    for k in range(m.kinds):
        for v in range(n):
            right[v] = m.amount[v][k] + dt * m.feed[v][k]
        substitute(matrix, pivot, n, right)
        for v in range(n):
            fresh[v][k] = right[v] if right[v] > 0.0 else 0.0
    for v in range(n):
        for k in range(m.kinds):
            m.pumped[v][k] += dt * out[v] * fresh[v][k]
            m.amount[v][k] = fresh[v][k]
    return 0
