"""Films on wafer and walls: rate laws and half-reactions, transport to the surface, radicals of the source, removal.

Rates are those of kernels/physics/films.pxd at the chamber's partial pressures, in series with what transport brings;
radicals come from the source of energy and live until a wall takes them (kernels/physics/discharge.pxd: wall_life).
Half-reactions are Langmuir's (kernels/physics/pulse.pxd); what is left of one precursor in the other's pulse grows
without limiting itself, because both are stepped at once.
"""

from libc.math cimport exp, expm1, sqrt

from hil.chamber.state cimport (
    BURNER,
    FILMS,
    HISTORY,
    HOT_WIRE,
    LAMP,
    LASER,
    MICROWAVE,
    NO_SOURCE,
    REMOTE,
    RINGS,
    SPECIES,
    TABLE,
    WAFER_IN,
    Chamber,
    Energy,
    FilmKind,
    GasPart,
    Surface,
)
from kernels.physics cimport films
from kernels.physics.constants cimport AVOGADRO, BOLTZMANN, GAS_CONSTANT, PI
from kernels.physics.discharge cimport NITROGEN_FLUORIDE, SILANE, dissociation, wall_life
from kernels.physics.flow cimport thermal_speed
from kernels.physics.sources cimport photolysis
from kernels.similarity cimport sherwood

cdef enum:
    ATMOSPHERE = 101325

cdef extern from *:
    """
    #define CVD_SILYL_MASS 31.109e-3   /* kg/mol, SiH3 */
    #define CVD_FLUORINE_MASS 18.998e-3 /* kg/mol, F */
    """
    const double SILYL_MASS "CVD_SILYL_MASS"
    const double FLUORINE_MASS "CVD_FLUORINE_MASS"


cdef inline double listed(const FilmKind* film, double temperature) noexcept nogil:
    # A film's table over temperature, on straight lines, flat outside
    cdef double at = (temperature - film.lowest) / film.step
    cdef int i
    if at <= 0.0:
        return film.table[0]
    if at >= TABLE - 1:
        return film.table[TABLE - 1]
    i = <int>at
    return film.table[i] + (at - i) * (film.table[i + 1] - film.table[i])


cdef inline double diffusivity(const Chamber* f) noexcept nogil:
    # Of the film's precursor, m²/s: T^1.75/P of its value at 300 K and 1 atm
    cdef double hot = f.heat.gas / 300.0
    return f.surface.diffusivity * hot * sqrt(hot) * sqrt(sqrt(hot)) * ATMOSPHERE / f.gas.pressure


cdef inline double transfer(Chamber* f) noexcept nogil:
    # Mass transfer coefficient, m/s: D·√(ω/ν)·[−c′(0)], of a disk that turns or a flow that stagnates
    cdef double mass = 0.0, total = 0.0, density, viscosity, turn, d
    cdef int i
    for i in range(f.gas.kinds):
        mass += f.gas.amount[i] * f.gas.mass[i]
        total += f.gas.amount[i]
    if total <= 0.0 or f.gas.pressure <= 0.0:
        return 0.0
    density = f.gas.pressure * mass / total / (GAS_CONSTANT * f.heat.gas)
    viscosity = f.surface.viscosity * sqrt(f.heat.gas / 300.0) * sqrt(sqrt(sqrt(f.heat.gas / 300.0)))  # T^0.63
    d = diffusivity(f)
    turn = f.heat.spin if f.surface.transport == 1 else f.surface.strain
    turn = turn if turn > 1.0 else 1.0
    mass = viscosity / density
    density = mass / d
    density = 0.05 if density < 0.05 else (100.0 if density > 100.0 else density)
    return f.surface.soret * d * sqrt(turn / mass) * sherwood(&f.surface.curve, density)


cdef inline double life(const Chamber* f, double mass, double loss) noexcept nogil:
    # Of a radical in the chamber, s
    cdef double across = f.energy.length / PI
    return wall_life(diffusivity(f), across, f.energy.length, 2.0, thermal_speed(f.heat.gas, mass), loss)


cdef inline void radicals(Chamber* f) noexcept nogil:
    # Densities of SiH3 and F, and pressures of H and CH3, by the source of energy
    cdef Surface* s = &f.surface
    cdef Energy* e = &f.energy
    cdef GasPart* gas = &f.gas
    cdef double silane = 0.0, fluoride = 0.0, made, rate
    s.radicals = s.fluorine = 0.0
    f.pressures[films.SIH3] = f.pressures[films.HYDROGEN] = f.pressures[films.CH3] = 0.0
    if e.kind == NO_SOURCE or gas.pressure <= 0.0 or e.lit < 0.5:
        return
    if s.silane >= 0:
        silane = gas.partial[s.silane] / (BOLTZMANN * f.heat.gas)
    if s.fluoride >= 0:
        fluoride = gas.partial[s.fluoride] / (BOLTZMANN * f.heat.gas)
    if e.kind < REMOTE:
        s.radicals = s.radical_yield * dissociation(SILANE, e.electron_ev) * e.density * silane * life(
            f, SILYL_MASS, s.radical_loss)
        s.fluorine = s.fluorine_yield * dissociation(NITROGEN_FLUORIDE, e.electron_ev) * e.density * fluoride * life(
            f, FLUORINE_MASS, 0.02 if s.wall > 0.0 else 0.008)
    elif e.kind == REMOTE:
        # Atoms for each 10 eV of the source's power, at most two for each molecule of the gas that passes it, less what
        # the tube's walls take (usual orders)
        made = e.absorbed / (10.0 * 96485.0)
        rate = 2.0 * gas.pumps.flow_out
        made = e.decay * made * rate / (made + rate) if made + rate > 0.0 else 0.0
        rate = made / gas.pumps.flow_out if gas.pumps.flow_out > 0.0 else 0.0
        s.radicals = s.radical_yield * silane * rate
        s.fluorine = s.fluorine_yield * fluoride * rate
    elif e.kind == HOT_WIRE:
        # What hits the wire and splits (kernels.sources.hot_wire_radicals)
        rate = 0.3 * exp(-175e3 / GAS_CONSTANT * (1.0 / e.filament - 1.0 / 2100.0))
        rate = PI * e.wire_diameter * e.wire_length * films.impinging(
            silane * BOLTZMANN * f.heat.gas, 32.117e-3, f.heat.gas) * rate / (1.0 + rate)
        s.radicals = s.radical_yield * rate * AVOGADRO * life(f, SILYL_MASS, s.radical_loss) / gas.volume
    elif e.kind == LAMP:
        s.radicals = s.radical_yield * AVOGADRO * photolysis(
            e.quantum, e.cross_section, e.window_light, e.wavelength, silane / AVOGADRO) * life(
            f, SILYL_MASS, s.radical_loss)
    elif e.kind == MICROWAVE and s.methane >= 0:
        # H + CH4 ⇌ CH3 + H2 in equilibrium with the hydrogen that recombination leaves at the surface (usual constant)
        rate = e.hydrogen * s.hydrogen_left
        f.pressures[films.HYDROGEN] = rate * gas.pressure
        f.pressures[films.CH3] = s.methyl * gas.partial[s.methane] * rate / (1.0 - rate)
    f.pressures[films.SIH3] = s.radicals * BOLTZMANN * f.heat.wafer


cdef inline bint grows(const Chamber* f, const FilmKind* film) noexcept nogil:
    cdef int i
    if film.needs_source and f.energy.lit < 0.5:
        return False
    for i in range(film.count):
        if not f.gas.partial[film.needs[i]] > film.share[i] * f.gas.pressure:
            return False
    return True


cdef inline double molar_rate(Chamber* f, FilmKind* film) noexcept nogil:
    # mol/(m²·s) of film at the surface, transport included
    cdef double temperature = f.heat.wafer, rate, brought
    cdef int i
    if film.needs_radicals and f.energy.kind != BURNER and (
            f.pressures[films.SIH3] <= 0.0 and f.pressures[films.CH3] <= 0.0):
        return 0.0
    if film.tabulated:
        return film.factor * listed(film, temperature) if f.energy.lit > 0.5 else 0.0
    for i in range(f.gas.kinds):
        if f.gas.law[i] >= 0:
            f.pressures[f.gas.law[i]] = f.gas.partial[i]
            if f.gas.law[i] == films.O2 and film.law == films.OXIDE_PLASMA:
                f.pressures[films.N2O] = f.gas.partial[i]  # oxygen oxidises as nitrous oxide does
    if f.energy.kind == LASER:
        if f.energy.lit < 0.5:
            return 0.0
        temperature += f.energy.peak
        temperature = temperature if temperature < 3000.0 else 3000.0
    rate = film.factor * films.film_molar_rate(film.law, temperature, f.pressures)
    if f.energy.kind == LASER:
        # A point of the track is under the spot for √π·w of its length; the heated spot is narrower than the beam.
        rate *= sqrt(PI) * f.energy.spot / f.energy.track
    if f.surface.transport and film.limiting >= 0:
        f.surface.transfer = transfer(f)
        # A mask leaves the openings what would have grown on all of it: loading
        brought = f.surface.transfer * f.gas.partial[film.limiting] / (GAS_CONSTANT * f.heat.gas) / film.per / film.open
        rate = films.both(rate, brought)
    return rate


cdef inline void put_on(Chamber* f, int which, double metres, double removal, double edge) noexcept nogil:
    # Film on the wafer's rings
    cdef Surface* s = &f.surface
    cdef double radius
    cdef int i
    if f.situation[WAFER_IN] < 0.5:
        return
    for i in range(RINGS):
        radius = 0.5 * i
        s.thickness[i] += metres * (1.0 - edge * radius * radius) - removal
        if s.thickness[i] < 0.0:
            s.thickness[i] = 0.0
    s.by_film[which] += metres
    s.total += metres
    s.temperature_moment += metres * f.heat.wafer
    s.bias_moment += metres * f.energy.bias
    if f.energy.bias_power >= 0 and -f.energy.bias > f.energy.own:
        s.ratio_moment += metres * (1.0 + f.energy.own / f.energy.bias)  # of the ions' energy, by the second frequency
    for i in range(f.gas.kinds):
        s.partial_moment[i] += metres * f.gas.partial[i]


cdef inline void film_step(Chamber* f, double dt) noexcept nogil:
    # Films of steady gas, at the slow period
    cdef Surface* s = &f.surface
    cdef GasPart* gas = &f.gas
    cdef FilmKind* film
    cdef double molar = 0.0, use, most, removal = 0.0, fed, edge = s.dome
    cdef int i, which = -1
    for i in range(gas.kinds):
        gas.consumed[i] = 0.0
    s.rate = s.wall_rate = 0.0
    s.active = -1
    if gas.pressure <= 0.0:
        return
    radicals(f)
    for i in range(s.films):
        if not s.film[i].cycled and grows(f, &s.film[i]):
            which = i
            break
    if which >= 0:
        film = &s.film[which]
        molar = molar_rate(f, film)
        use = molar * film.per * s.area * film.open
        if film.limiting >= 0:
            # Never more than half of what is there in a tenth of a second
            most = 5.0 * gas.amount[film.limiting]
            if use > most:
                molar *= most / use
                use = most
            fed = use + gas.pumps.flow_out * gas.partial[film.limiting] / gas.pressure
            edge += s.depletion_dome * use / (fed + 1e-15)
        for i in range(gas.kinds):
            gas.consumed[i] = molar * s.area * film.open * film.uses[i]
        s.active = which
        s.rate = molar * film.volume * s.wafer_factor * (1.0 + s.ageing * s.wall)
        s.deposited += molar * s.area * film.open * dt
    if s.sputter > 0.0 and f.energy.bias < -30.0:
        # Ions take film away, as the root of their energy above some threshold (usual order)
        removal = s.sputter * f.energy.ion_flux * (sqrt(-f.energy.bias) - 5.5) * dt
    if s.fluorine > 0.0:
        removal += s.etch * s.fluorine * 0.25 * thermal_speed(f.heat.gas, FLUORINE_MASS) * dt
    s.wall_rate = s.rate * s.wall_share - (removal / dt if s.fluorine > 0.0 and s.wall > 0.0 else 0.0)
    if s.wall + s.wall_rate * dt < 0.0:
        s.wall_rate = -s.wall / dt
    if s.wall_rate < 0.0 and s.fluoride >= 0:
        use = -s.wall_rate * s.area / 50e-6 * 3.0
        gas.consumed[s.fluoride] += 4.0 / 3.0 * use
        if s.etch_product >= 0:
            gas.consumed[s.etch_product] -= use
        s.etched += use * dt
    s.wall += s.wall_rate * dt
    if s.rate > 0.0 or removal > 0.0:
        put_on(f, which if which >= 0 else 0, s.rate * dt, removal, edge)
        s.growth_s += dt


cdef inline void cycle_step(Chamber* f, double dt) noexcept nogil:
    # Films of half-reactions, in every scan
    cdef Surface* s = &f.surface
    cdef GasPart* gas = &f.gas
    cdef FilmKind* film
    cdef double first, second, taken, given, cold, metres
    cdef int i
    for i in range(s.films):
        film = &s.film[i]
        if not film.cycled:
            continue
        first, second = gas.partial[film.first], gas.partial[film.second]
        if first <= 0.0 and second <= 0.0:
            continue
        cold = dt * sqrt(300.0 / f.heat.wafer)
        s.dose += film.first_rate * first * cold
        taken = -(1.0 - s.coverage) * expm1(-film.first_rate * first * cold)
        given = -s.coverage * expm1(-film.second_rate * second * cold)
        # Never more than what the chamber holds
        metres = film.site_mass * s.area
        if taken * metres > 0.5 * gas.amount[film.first]:
            taken = 0.5 * gas.amount[film.first] / metres
        s.coverage += taken - given
        metres = listed(film, f.heat.wafer) * film.factor * given
        gas.amount[film.first] -= taken * film.site_mass * s.area
        gas.reacted[film.first] += taken * film.site_mass * s.area
        if metres <= 0.0:
            continue
        cold = metres / film.volume * s.area
        s.deposited += cold
        cold = film.uses[film.second] * cold
        cold = cold if cold < 0.5 * gas.amount[film.second] else 0.5 * gas.amount[film.second]
        gas.amount[film.second] -= cold
        gas.reacted[film.second] += cold
        s.cycles += given
        s.active = i
        s.wall += metres * s.wall_share
        put_on(f, i, metres * s.wafer_factor, 0.0, s.dome)


cdef inline void new_wafers(Surface* s) noexcept nogil:
    cdef int i
    for i in range(RINGS):
        s.thickness[i] = 0.0
    for i in range(FILMS):
        s.by_film[i] = 0.0
    for i in range(SPECIES):
        s.partial_moment[i] = 0.0
    s.total = s.temperature_moment = s.bias_moment = s.ratio_moment = s.growth_s = s.coverage = s.cycles = 0.0
    s.dose = 0.0
    s.loads += 1
