"""One station of a hot-wall tube for any film of films.pxd: dF_i/dA = −ν_i·R(T, p), in plug flow.

Midpoint steps (second order) in which the reagent that ends first is used up in proportion to itself, so that no
flow becomes negative however large the area.
"""

from kernels.physics.films cimport GASES, film_molar_rate
from kernels.physics.tube cimport used


cdef inline double reagent(const double* flow, const double* per) noexcept nogil:
    # Most film that the flows can still make, mol/s
    cdef double most = -1.0, left
    cdef int i
    for i in range(GASES):
        if per[i] > 0.0:
            left = flow[i] / per[i]
            most = left if most < 0.0 or left < most else most
    return most if most > 0.0 else 0.0


cdef inline double rate_at(int film, double temperature, double pressure, double inert, const double* flow
                           ) noexcept nogil:
    cdef double p[GASES]
    cdef double total = inert
    cdef int i
    for i in range(GASES):
        total += flow[i]
    if total <= 0.0:
        return 0.0
    for i in range(GASES):
        p[i] = pressure * flow[i] / total
    return film_molar_rate(film, temperature, p)


cdef inline double film_station(int film, double temperature, double area, double pressure, double inert_per,
                                const double* per, double* flow, double* inert) noexcept nogil:
    # Moves the flows over an area; returns the mean rate, mol of film/(m2·s)
    cdef double middle[GASES]
    cdef double limit = reagent(flow, per), amount, left
    cdef int i
    if limit <= 0.0:
        return 0.0
    amount = used(limit, rate_at(film, temperature, pressure, inert[0], flow), 0.5 * area)
    for i in range(GASES):
        middle[i] = flow[i] - per[i] * amount
    left = reagent(middle, per)
    if left <= 0.0:
        return 0.0
    amount = used(limit, rate_at(film, temperature, pressure, inert[0] + inert_per * amount, middle) * (limit / left),
                  area)
    for i in range(GASES):
        flow[i] -= per[i] * amount
        if flow[i] < 0.0:
            flow[i] = 0.0
    inert[0] += inert_per * amount
    return amount / area
