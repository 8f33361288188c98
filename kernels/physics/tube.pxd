"""One station of a hot-wall tube: dF/dA = −R(T, p) over a reacting area, in plug flow.

SiH4 → Si + 2 H2 and SiH4 + 2 N2O → SiO2 + 2 N2 + 2 H2: total flow grows by one mole per mole of silicon and by one
per mole of oxide as well (3 moles in, 4 out).
"""

from kernels.physics.surface cimport OXIDE_UPTAKE, oxidant_share, silane_constant, silane_uptake

cdef enum:
    FILM_SILICON = 0
    FILM_OXIDE = 1

cdef struct Stream:
    # Molar flows, mol/s
    double sih4
    double n2o
    double h2
    double inert


cdef inline double surface_rate(int film, double constant, Stream* stream, double pressure) noexcept nogil:
    # mol/(m2·s) of silane at the present composition; `constant` of silane_constant times the film's factor
    cdef double total = stream.sih4 + stream.n2o + stream.h2 + stream.inert
    if stream.sih4 <= 0.0 or total <= 0.0:
        return 0.0
    cdef double scale = pressure / total
    cdef double rate = silane_uptake(constant, stream.sih4 * scale, stream.h2 * scale)
    if film == FILM_OXIDE:
        rate *= oxidant_share(stream.sih4, stream.n2o)
    return rate


cdef inline void react(int film, Stream* stream, double amount) noexcept nogil:
    # Turns `amount` mol/s of silane into film
    stream.sih4 -= amount
    stream.h2 += 2.0 * amount
    if film == FILM_OXIDE:
        stream.n2o -= 2.0 * amount
        stream.inert += 2.0 * amount


cdef inline double most(int film, Stream* stream) noexcept nogil:
    # The most that can react
    cdef double oxidisable
    if film == FILM_OXIDE:
        oxidisable = 0.5 * stream.n2o
        return stream.sih4 if stream.sih4 < oxidisable else oxidisable
    return stream.sih4


cdef inline double used(double limit, double rate, double area) noexcept nogil:
    # Of a reagent that is used up in proportion to itself: limit·(1 − exp(−x)) with x = rate·area/limit, the
    # exponential by its series in the denominator, so that never more than all is used and nothing overflows
    cdef double x, grown
    if limit <= 0.0:
        return 0.0
    x = rate * area / limit
    grown = x * (1.0 + x * (0.5 + x * (1.0 / 6.0)))
    return limit * (grown / (1.0 + grown)) if grown < 1e300 else limit


cdef inline double station(int film, double constant, double area, double pressure, Stream* stream) noexcept nogil:
    # Moves the stream over an area, with the rate per reagent of the middle (second order); returns the mean rate,
    # mol/(m2·s)
    cdef double limit = most(film, stream), left, amount
    cdef Stream middle = stream[0]
    react(film, &middle, used(limit, surface_rate(film, constant, stream, pressure), 0.5 * area))
    left = most(film, &middle)
    if left <= 0.0:
        return 0.0
    amount = used(limit, surface_rate(film, constant, &middle, pressure) * (limit / left), area)
    react(film, stream, amount)
    return amount / area


cdef inline double film_constant(int film, double temperature) noexcept nogil:
    cdef double constant = silane_constant(temperature)
    return constant * OXIDE_UPTAKE if film == FILM_OXIDE else constant
