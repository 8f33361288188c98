"""Film: silane along the tube, growth on each wafer, thickness over its radius.

The tube is in plug flow and quasi-steady (gas stays about a second, conditions change in tens of seconds). The march
along its stations gives the shape of the composition; the well-mixed inventory of `gas.pxd` gives its level and its
dynamics. In steady state both together are the plug-flow solution with exact balances.
"""

from hil.furnace.state cimport AIR, H2, HISTORY, N2, N2O, RINGS, SIH4, SPECIES, WAFERS, Film, Furnace, Gas
from kernels.physics.constants cimport GAS_CONSTANT
from kernels.physics.surface cimport OXIDE_MOLAR_VOLUME, SILICON_MOLAR_VOLUME
from kernels.physics.tube cimport FILM_OXIDE, FILM_SILICON, Stream, film_constant, station

cdef enum:
    TINY_PER_MOLE = 1000000  # silane below this share of the gas grows nothing


cdef inline double along(const double* nodes, double position, double zone_length) noexcept nogil:
    # Temperature at a place: the parabola through the middles of the three zones, flat outside of them
    cdef double u = position / zone_length - 1.5
    u = -1.0 if u < -1.0 else (1.0 if u > 1.0 else u)
    return nodes[1] + 0.5 * u * (nodes[2] - nodes[0]) + 0.5 * u * u * (nodes[0] - 2.0 * nodes[1] + nodes[2])


cdef inline double near_i0(double quarter) noexcept nogil:
    # I0 by its first terms, for x²/4 below 1 (φ < 2): 7e-5 at that end, far below everything else here
    return 1.0 + quarter * (1.0 + 0.25 * quarter * (1.0 + (1.0 / 9.0) * quarter * (1.0 + (1.0 / 16.0) * quarter)))


cdef inline void deposit(Furnace* f, int wafer, int kind, double rate, double temperature, Stream* stream,
                         double dt) noexcept nogil:
    # Grows one wafer: the edge by the tube's rate, the inside by what diffuses in between the wafers
    cdef Film* film = &f.film
    cdef double total = stream.sih4 + stream.n2o + stream.h2 + stream.inert
    cdef double concentration = f.gas.pressure * stream.sih4 / total / (GAS_CONSTANT * temperature)
    cdef double hot = temperature / 300.0
    cdef double diffusivity = film.diffusivity * hot * hot / f.gas.pressure  # T^1.75 would need a power for 7 %
    cdef double quarter = 0.0, at_edge, grown
    cdef double* thickness = &film.oxide[0] if kind == FILM_OXIDE else &film.silicon[0]
    cdef double volume = OXIDE_MOLAR_VOLUME if kind == FILM_OXIDE else SILICON_MOLAR_VOLUME
    if concentration > 0.0:
        quarter = 0.5 * (rate / concentration) * film.radius * film.radius / (diffusivity * film.gap)
        quarter = 1.0 if quarter > 1.0 else quarter
    grown = rate * volume * film.slot[wafer] * dt
    at_edge = grown / near_i0(quarter)
    thickness[wafer * RINGS] += at_edge
    thickness[wafer * RINGS + 1] += at_edge * near_i0(quarter * 0.25)
    thickness[wafer * RINGS + 2] += grown


cdef inline void film_step(Furnace* f, double dt) noexcept nogil:
    cdef Film* film = &f.film
    cdef Gas* gas = &f.gas
    cdef double total = 0.0, flow, constant, rate, temperature, entrance, ending
    cdef double mean[SPECIES]
    cdef Stream stream, inlet
    cdef int i, kind, middle = film.wafers // 2
    for i in range(SPECIES):
        total += gas.amount[i]
    if gas.amount[SIH4] * TINY_PER_MOLE <= total:
        for i in range(SPECIES):
            gas.exit[i] = 1.0
            gas.consumed[i] = 0.0
            film.mean_over_inlet[i] = 1.0
        return
    kind = FILM_OXIDE if gas.amount[N2O] > 0.05 * gas.amount[SIH4] else FILM_SILICON
    # A tube that nothing leaves still mixes: at least a hundredth of its gas passes the load in a second.
    flow = gas.pumps.flow_out if gas.pumps.flow_out > 0.01 * total else 0.01 * total
    stream.sih4 = flow * gas.amount[SIH4] / total / film.mean_over_inlet[SIH4]
    stream.n2o = flow * gas.amount[N2O] / total / film.mean_over_inlet[N2O]
    stream.h2 = 0.0
    # What came in inert: without the nitrogen that the reaction itself sets free further down
    stream.inert = flow * (gas.amount[N2] + gas.amount[AIR]) / total + gas.consumed[N2]
    if stream.inert < 0.0:
        stream.inert = 0.0
    inlet = stream

    # Entrance: tube wall (and baffles) up to the first wafer
    temperature = along(f.heat.tube, 0.5 * film.first, film.zone_length)
    constant = film_constant(kind, temperature) * (film.silicon_factor if kind == FILM_SILICON else 1.0)
    station(kind, constant, film.entrance_area, gas.pressure, &stream)
    entrance = film.entrance_share
    mean[SIH4] = entrance * 0.5 * (inlet.sih4 + stream.sih4)
    mean[N2O] = entrance * 0.5 * (inlet.n2o + stream.n2o)
    mean[H2] = entrance * 0.5 * stream.h2

    cdef double share = film.load_share / film.wafers
    cdef int wafer
    for wafer in range(film.wafers):
        temperature = along(f.heat.load, film.first + wafer * film.pitch, film.zone_length)
        constant = film_constant(kind, temperature) * (film.silicon_factor if kind == FILM_SILICON else 1.0)
        rate = station(kind, constant, film.wafer_area, gas.pressure, &stream)
        deposit(f, wafer, kind, rate, temperature, &stream, dt)
        if wafer == middle:
            film.temperature_moment += rate * temperature * dt
            film.total_rate += rate * dt
            film.silane_moment += rate * dt * gas.pressure * stream.sih4 / (
                stream.sih4 + stream.n2o + stream.h2 + stream.inert)
            if kind == FILM_OXIDE and stream.sih4 > 0.0:
                film.oxidant_moment += rate * dt * stream.n2o / (2.0 * stream.sih4)
        mean[SIH4] += share * stream.sih4
        mean[N2O] += share * stream.n2o
        mean[H2] += share * stream.h2

    temperature = along(f.heat.tube, 3.0 * film.zone_length, film.zone_length)
    constant = film_constant(kind, temperature) * (film.silicon_factor if kind == FILM_SILICON else 1.0)
    station(kind, constant, film.exit_area, gas.pressure, &stream)
    ending = 1.0 - film.entrance_share - film.load_share
    mean[SIH4] += ending * stream.sih4
    mean[N2O] += ending * stream.n2o
    mean[H2] += ending * stream.h2

    film.mean_over_inlet[SIH4] = mean[SIH4] / inlet.sih4
    film.mean_over_inlet[N2O] = mean[N2O] / inlet.n2o if inlet.n2o > 0.0 else 1.0
    gas.exit[SIH4] = stream.sih4 / mean[SIH4] if mean[SIH4] > 0.0 else 1.0
    gas.exit[N2O] = stream.n2o / mean[N2O] if mean[N2O] > 0.0 else 1.0
    gas.exit[H2] = stream.h2 / mean[H2] if mean[H2] > 0.0 else 1.0
    rate = inlet.sih4 - stream.sih4
    gas.consumed[SIH4] = rate
    gas.consumed[H2] = -2.0 * rate
    gas.consumed[N2O] = 2.0 * rate if kind == FILM_OXIDE else 0.0
    gas.consumed[N2] = -2.0 * rate if kind == FILM_OXIDE else 0.0
    film.deposited += rate * dt


cdef inline void new_load(Film* film) noexcept nogil:
    cdef int i
    for i in range(WAFERS * RINGS):
        film.silicon[i] = film.oxide[i] = 0.0
    film.oxidant_moment = film.silane_moment = film.total_rate = film.temperature_moment = 0.0
    film.loads += 1


cdef inline void watch_monitor(Furnace* f, double dt) noexcept nogil:
    # What the reflectometer looks at: the middle of the middle wafer, and its rate over the history
    cdef int at = (f.film.wafers // 2) * RINGS, slot = <int>((f.rack.step // f.history_period) % HISTORY)
    cdef double before
    f.thickness = f.film.oxide[at] + f.film.silicon[at]
    before = f.history[(slot + 1) % HISTORY]
    f.history[slot] = f.thickness
    f.rate = (f.thickness - before) / f.interval
