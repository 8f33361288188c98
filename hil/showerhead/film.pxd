"""Film on wafer and walls: radicals of the discharge, growth by the kernels' rate laws, removal by fluorine.

Silane breaks at electrons, k·n_e·n_SiH4; its radicals live until a wall takes them, τ = Λ²/D + 2·(V/A)·(2 − β)/(v̄·β)
(P. J. Chantry, J. Appl. Phys. 62, 1141 (1987)). Their pressure at the wafer goes into the rate laws of
kernels/physics/films.pxd. One declared factor per film (`nitride_yield`, `oxide_yield`) stands for everything between
a broken molecule and a radical at the wafer that the model has not.
"""

from libc.math cimport exp

from hil.showerhead.state cimport (
    H2,
    HISTORY,
    N2,
    N2O,
    NF3,
    NH3,
    RINGS,
    SIF4,
    SIH4,
    SPECIES,
    WAFER_IN,
    Discharge,
    Film,
    Gas,
    Reactor,
)
from kernels.physics cimport films
from kernels.physics.constants cimport BOLTZMANN, PI, TORR
from kernels.physics.flow cimport thermal_speed
from kernels.physics.surface cimport OXIDE_MOLAR_VOLUME

cdef extern from *:
    """
    #define CVD_NITRIDE_MOLAR_VOLUME (140.28e-3 / 2800.0) /* m3/mol of Si3N4; density of plasma nitride, usual */
    """
    const double NITRIDE_MOLAR_VOLUME "CVD_NITRIDE_MOLAR_VOLUME"


cdef inline double lifetime(const Discharge* d, const Gas* gas, double mass, double beta) noexcept nogil:
    # Of a radical between the electrodes. D at 1 Torr and 300 K: 0.018 m²/s (usual, SiH3 in nitrogen), as T^2 / P here
    cdef double hot = gas.temperature / 300.0, across = d.gap / PI
    cdef double diffusivity = 0.018 * hot * hot * TORR / gas.pressure
    return across * across / diffusivity + d.gap * (2.0 - beta) / (thermal_speed(gas.temperature, mass) * beta)


cdef inline void film_step(Reactor* f, double dt) noexcept nogil:
    cdef Film* film = &f.film
    cdef Gas* gas = &f.gas
    cdef Discharge* d = &f.discharge
    cdef double p[films.GASES]
    cdef double molar = 0.0, volume = NITRIDE_MOLAR_VOLUME, silicon = 3.0, total = 0.0, x = 0.0, number, pressure
    cdef double use, used = 0.0, edge, removal = 0.0, radius
    cdef bint oxide
    cdef int i
    for i in range(SPECIES):
        total += gas.amount[i]
        gas.consumed[i] = 0.0
    film.radicals = film.fluorine = film.rate = film.wall_rate = 0.0
    if d.density <= 0.0 or total <= 0.0:
        return
    for i in range(films.GASES):
        p[i] = 0.0
    pressure = gas.pressure / total
    number = pressure / (BOLTZMANN * gas.temperature)
    oxide = gas.amount[N2O] > 0.5 * gas.amount[SIH4]
    if gas.amount[SIH4] > 1e-6 * total:
        p[films.SIH4], p[films.NH3] = gas.amount[SIH4] * pressure, gas.amount[NH3] * pressure
        p[films.N2O], p[films.N2] = gas.amount[N2O] * pressure, gas.amount[N2] * pressure
        film.radicals = (
            (film.oxide_yield if oxide else film.nitride_yield) * film.dissociation * exp(-8.8 / d.electron_ev)
            * d.density * gas.amount[SIH4] * number * lifetime(d, gas, 31.109e-3, film.loss_probability)
        )
        p[films.SIH3] = film.radicals * BOLTZMANN * f.heat.susceptor
        molar = films.film_molar_rate(films.OXIDE_PLASMA if oxide else films.NITRIDE_PLASMA, f.heat.susceptor, p)
        if oxide:
            volume, silicon = OXIDE_MOLAR_VOLUME, 1.0
        # Never more than half of the silane that is there in a tenth of a second
        use = molar * silicon * film.growth_area
        used = 5.0 * gas.amount[SIH4]
        if use > used:
            molar *= used / use
            use = used
        used = use
        gas.consumed[SIH4], gas.consumed[H2] = use, -2.0 * use
        if oxide:
            gas.consumed[N2O], gas.consumed[N2] = 2.0 * use, -2.0 * use
        else:
            x = (p[films.NH3] + 0.05 * p[films.N2]) / p[films.SIH4]
            edge = p[films.NH3] / (p[films.NH3] + 0.05 * p[films.N2] + 1e-9)
            gas.consumed[NH3], gas.consumed[N2] = 4.0 / 3.0 * use * edge, 2.0 / 3.0 * use * (1.0 - edge)
            gas.consumed[H2] -= 2.0 * use * edge
        film.deposited_mol += use * dt
    elif gas.amount[NF3] > 1e-6 * total:
        # Fluorine: more of it stays where no film is left to take it
        film.fluorine = film.fluorine_yield * film.dissociation * exp(-5.0 / d.electron_ev) * d.density * (
            gas.amount[NF3] * number) * lifetime(d, gas, 18.998e-3, 0.02 if film.wall > 0.0 else 0.008)
        removal = film.etch * film.fluorine * 0.25 * thermal_speed(gas.temperature, 18.998e-3)
    film.rate = molar * volume * film.wafer_factor * (1.0 + film.ageing * film.wall)
    film.wall_rate = film.rate * film.wall_share - (removal if film.wall > 0.0 else 0.0)
    if film.wall + film.wall_rate * dt < 0.0:
        film.wall_rate = -film.wall / dt
    if film.wall_rate < 0.0:
        use = -film.wall_rate * film.growth_area / NITRIDE_MOLAR_VOLUME * 3.0
        gas.consumed[NF3] = 4.0 / 3.0 * use
        gas.consumed[SIF4], gas.consumed[N2] = -use, -2.0 / 3.0 * use
        film.etched_mol += use * dt
    film.wall += film.wall_rate * dt
    if f.situation[WAFER_IN] < 0.5:
        return
    # Silane is used up on its way outwards, and the plasma is thinner at the edge.
    use = used / (gas.consumed[SIH4] + gas.pumps.flow_out * gas.amount[SIH4] / total + 1e-12)
    edge = film.dome + film.depletion_dome * use
    for i in range(RINGS):
        radius = 0.5 * i
        film.thickness[i] += film.rate * (1.0 - edge * radius * radius) * dt - removal * dt
        if film.thickness[i] < 0.0:
            film.thickness[i] = 0.0
    film.total += film.rate * dt
    film.nitrided += film.rate * dt * (0.5 * gas.amount[N2O] / (gas.amount[SIH4] + 1e-30) if oxide else x)
    film.oxide += film.rate * dt if oxide else 0.0
    film.bias_moment += film.rate * dt * d.bias
    film.temperature_moment += film.rate * dt * f.heat.susceptor


cdef inline void new_wafer(Film* film) noexcept nogil:
    cdef int i
    for i in range(RINGS):
        film.thickness[i] = 0.0
    film.nitrided = film.total = film.bias_moment = film.temperature_moment = film.oxide = 0.0
    film.loads += 1


cdef inline void watch(Reactor* f, double dt) noexcept nogil:
    # What reflectometer, ellipsometer and crystal see, and the rates of the first and last over the history
    cdef int slot = <int>((f.rack.step // f.history_period) % HISTORY)
    f.middle, f.half = f.film.thickness[0], f.film.thickness[1]
    f.middle_rate = (f.middle - f.middle_history[(slot + 1) % HISTORY]) / f.interval
    f.crystal_rate = (f.film.wall - f.crystal_history[(slot + 1) % HISTORY]) / f.interval
    f.middle_history[slot] = f.middle
    f.crystal_history[slot] = f.film.wall
