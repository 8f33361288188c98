"""Molecules that fly from wall to wall of a feature: view factors, and the integral equation of the flux.

A feature is a slot between two walls (trench) or a cylinder (via), both of width (diameter) 1; its opening sheds a
unit flux by the cosine law and every surface re-emits by it. With f(s) the view factor between two parallel
cross-sections at a distance s, of coaxial strips √(1+s²) − s, of coaxial discs (√(1+s²) − s)² (J. R. Howell, A Catalog
of Radiation Heat Transfer Configuration Factors, C-1 and C-41), reciprocity gives all that walls need, with c = area
over perimeter (½, ¼): between wall and wall c·f″(s), from the opening on a wall −c·f′(z), from a wall on the bottom
−f′(h). Elements of the bottom follow from the cosine law (see each function).

The equation is solved by collocation: polynomials on panels, whose nodes are Gauss points; the integrals of kernel
times polynomial are done by Gauss quadrature over parts no longer than the distance to the kernel's pole.
Coordinates: h, height above the bottom, on walls; x, distance from the wall, on the bottom.
"""

from libc.math cimport exp, fabs, sqrt

from kernels.physics.dense cimport lu_factor, lu_solve

cdef enum:
    TRENCH = 0
    VIA = 1
    WALL = 0
    BOTTOM = 1
    OPENING = 2  # not a surface: weights of the bottom's mean
    MOST_NODES = 8  # of a panel
    QUADRATURE = 8

cdef struct Panels:
    int shape  # TRENCH or VIA
    double depth
    int nodes  # of each panel
    int count
    const double* start
    const double* length
    const int* surface  # WALL or BOTTOM of each panel
    const double* gauss  # nodes on 0 … 1
    const double* barycentric
    const double* points  # of the quadrature, on 0 … 1
    const double* weights


cdef inline double parallel(int shape, double s) noexcept nogil:
    # f(s)
    cdef double u = 1.0 / (sqrt(1.0 + s * s) + s)
    return u if shape == TRENCH else u * u


cdef inline double slope(int shape, double s) noexcept nogil:
    # −f′(s)
    cdef double q = sqrt(1.0 + s * s), u = 1.0 / (q + s)
    return u / q if shape == TRENCH else 2.0 * u * u / q


cdef inline double wall_wall(int shape, double s) noexcept nogil:
    # c·f″(s), without cancellation
    cdef double q = sqrt(1.0 + s * s), u
    if shape == TRENCH:
        return 0.5 / (q * q * q)
    u = 1.0 / (q + s)
    return (q + 0.5 * s) * u * u / (q * q * q)


cdef inline double corner(double x, double h) noexcept nogil:
    # of an endless strip on one side of a corner, seen from the other side: ½·h·x/(x² + h²)^(3/2)
    cdef double square = x * x + h * h
    return 0.5 * h * x / (square * sqrt(square))


cdef inline double round_corner(double x, double h) noexcept nogil:
    # h·(h² + x·(1−x))/((x² + h²)·((1−x)² + h²))^(3/2), from ∫dφ/(a − b·cos φ)² over a ring
    cdef double product = (x * x + h * h) * ((1.0 - x) * (1.0 - x) + h * h)
    return h * (h * h + x * (1.0 - x)) / (product * sqrt(product))


cdef inline double kernel(int shape, int target, double at, int source, double there) noexcept nogil:
    # share of the radiosity of an element (per length) that reaches a point
    if target == OPENING:
        return slope(shape, there) if source == WALL else 0.0
    if target == WALL and source == WALL:
        return wall_wall(shape, fabs(at - there))
    if target == source:
        return 0.0
    cdef double x = there if source == BOTTOM else at, h = at if source == BOTTOM else there
    if shape == TRENCH:
        return corner(x, h) + corner(1.0 - x, h)
    return round_corner(x, h) * ((0.5 - x) if source == BOTTOM else 0.5)


cdef inline double from_opening(int shape, double depth, int target, double at) noexcept nogil:
    # flux from the opening on a point
    cdef double r, n, d, a
    if target == WALL:
        return (0.5 if shape == TRENCH else 0.25) * slope(shape, depth - at)
    if shape == TRENCH:
        return 0.5 * (at / sqrt(at * at + depth * depth)
                      + (1.0 - at) / sqrt((1.0 - at) * (1.0 - at) + depth * depth))
    r = 0.5 - at
    a = depth * depth + r * r
    n, d = a - 0.25, sqrt((depth * depth + at * at) * (depth * depth + (1.0 - at) * (1.0 - at)))
    return 0.5 * depth * depth / (d * (d + n)) if n > 0.0 else 0.5 * (1.0 - n / d)


cdef inline void basis(const Panels* p, double u, double* values) noexcept nogil:
    # Lagrange polynomials of the panel's nodes at u (0 … 1), barycentric
    cdef int j, k
    cdef double total = 0.0
    for j in range(p.nodes):
        if u == p.gauss[j]:
            for k in range(p.nodes):
                values[k] = 0.0
            values[j] = 1.0
            return
        values[j] = p.barycentric[j] / (u - p.gauss[j])
        total += values[j]
    for j in range(p.nodes):
        values[j] /= total


cdef inline void integrate(const Panels* p, int target, double at, int panel, double low, double high, double pole,
                           double away, int level, double* row) noexcept nogil:
    # adds ∫ kernel·polynomial over a part of a panel; pole ± i·away is where the kernel is singular
    cdef double nearest = low - pole if low > pole else (pole - high if high < pole else 0.0)
    cdef double values[MOST_NODES]
    cdef double y, weight, length = high - low
    cdef int i, j
    if level < 60 and length > sqrt(nearest * nearest + away * away):
        y = 0.5 * (low + high)
        integrate(p, target, at, panel, low, y, pole, away, level + 1, row)
        integrate(p, target, at, panel, y, high, pole, away, level + 1, row)
        return
    for i in range(QUADRATURE):
        y = low + length * p.points[i]
        weight = length * p.weights[i] * kernel(p.shape, target, at, p.surface[panel], y)
        basis(p, (y - p.start[panel]) / p.length[panel], values)
        for j in range(p.nodes):
            row[j] += weight * values[j]


cdef inline void weigh(const Panels* p, int target, double at, double* row) noexcept nogil:
    # weights of all nodes for the flux on one point: row of `count·nodes`
    cdef int k, j, smooth
    cdef double low, high, pole, away
    for k in range(p.count * p.nodes):
        row[k] = 0.0
    for k in range(p.count):
        low, high = p.start[k], p.start[k] + p.length[k]
        j = k * p.nodes
        if target == OPENING:
            integrate(p, target, at, k, low, high, 0.0, 1.0, 0, row + j)
        elif target == WALL and p.surface[k] == WALL:
            # The kernel has a kink at the point itself.
            smooth = not low < at < high
            if smooth:
                integrate(p, target, at, k, low, high, at, 1.0, 0, row + j)
            else:
                integrate(p, target, at, k, low, at, at, 1.0, 0, row + j)
                integrate(p, target, at, k, at, high, at, 1.0, 0, row + j)
        elif target != p.surface[k]:
            pole, away = 0.0, at
            integrate(p, target, at, k, low, high, pole, away, 0, row + j)


cdef inline void assemble(const Panels* p, int closed, double* direct, double* factors) noexcept nogil:
    # direct: flux from the opening on each node; factors: n × n shares of each node's radiosity. The shares of a
    # point add up to 1 with what it sees of the openings; quadrature leaves 1e-12 of that open, which is put right,
    # for a long feature feels such a loss some (length/width)² times. `closed`: has a bottom, or a second opening.
    cdef int n = p.count * p.nodes, i, j, panel
    cdef double at, total, seen
    cdef double* row
    for i in range(n):
        panel = i // p.nodes
        at = p.start[panel] + p.length[panel] * p.gauss[i % p.nodes]
        row = factors + i * n
        weigh(p, p.surface[panel], at, row)
        direct[i] = from_opening(p.shape, p.depth, p.surface[panel], at)
        seen = direct[i]
        if not closed:
            seen += from_opening(p.shape, p.depth, WALL, p.depth - at)
        total = 0.0
        for j in range(n):
            total += row[j]
        for j in range(n):
            row[j] *= (1.0 - seen) / total


cdef inline int steady_flux(int n, const double* direct, const double* factors, double kept, double* flux,
                            double* matrix, int* order) noexcept nogil:
    # flux = direct + factors·(kept·flux), kept = 1 − sticking. 1 when there is no solution.
    cdef int i, j
    for i in range(n):
        flux[i] = direct[i]
        for j in range(n):
            matrix[i * n + j] = -kept * factors[i * n + j]
        matrix[i * n + i] += 1.0
    if lu_factor(matrix, order, n):
        return 1
    lu_solve(matrix, order, n, flux)
    return 0


cdef inline int exposed(int n, const double* direct, const double* factors, double sticking, double wanted,
                        double* dose, double* total, double* work, double* matrix, int* order) noexcept nogil:
    """Solves the coverage of a feature by first-order irreversible adsorption, flux·sticking·(1 − θ) at each point.

    With X the impingements per site that a point has had, θ = 1 − exp(−β·X), and conservation of molecules integrates
    the flux equation in time: X = t·direct + F·(X − θ), where t is the exposure of a flat surface. No time steps.
    `wanted` above 0: t is sought at which the least X is `wanted`; otherwise t is `total` as it comes in. Newton's
    iteration; −1 when it does not end, else how many iterations it took. work: 3·n.
    """
    cdef int i, j, iteration
    cdef double* gained = work
    cdef double* kept = work + n
    cdef double* rate = work + 2 * n
    cdef double step, change, largest, t = total[0]
    # Full coverage everywhere as the first guess: X = t − (I − F)⁻¹·(1 − direct)
    for i in range(n):
        gained[i] = 1.0 - direct[i]
        for j in range(n):
            matrix[i * n + j] = -factors[i * n + j]
        matrix[i * n + i] += 1.0
    if lu_factor(matrix, order, n):
        return -1
    lu_solve(matrix, order, n, gained)
    if wanted > 0.0:
        t = 0.0
        for i in range(n):
            t = gained[i] + wanted if gained[i] + wanted > t else t
    for i in range(n):
        dose[i] = t - gained[i]
        dose[i] = 0.0 if dose[i] < 0.0 else dose[i]
    for iteration in range(1, 201):
        for i in range(n):
            # share of the impingements that is sent on, and its slope
            step = exp(-sticking * dose[i])
            gained[i] = dose[i] - (1.0 - step)
            kept[i] = 1.0 - sticking * step
        for i in range(n):
            change = direct[i] * t - dose[i]
            for j in range(n):
                change += factors[i * n + j] * gained[j]
                matrix[i * n + j] = -factors[i * n + j] * kept[j]
            matrix[i * n + i] += 1.0
            rate[i] = change
        if lu_factor(matrix, order, n):
            return -1
        lu_solve(matrix, order, n, rate)
        step = 0.0
        if wanted > 0.0:
            for i in range(n):
                gained[i] = direct[i]
            lu_solve(matrix, order, n, gained)
            step = -1e300
            for i in range(n):
                change = (wanted - dose[i] - rate[i]) / gained[i]
                step = change if change > step else step
            if t + step < 0.0:
                step = -0.5 * t
        largest = 0.0
        for i in range(n):
            change = rate[i] + (step * gained[i] if wanted > 0.0 else 0.0)
            if dose[i] + change < 0.0:
                change = -dose[i]
            dose[i] += change
            change = fabs(change) / (1.0 / sticking + dose[i])
            largest = change if change > largest else largest
            if not largest < 1e300:
                return -1
        t += step
        if largest < 1e-9:
            total[0] = t
            return iteration
    return -1
