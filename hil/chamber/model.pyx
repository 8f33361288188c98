"""The simulated chamber as one step function, and what tests and metrology may see of it."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport NAN
from libc.stdlib cimport calloc, free

import numpy as np  # no-cython-lint: the inlined functions of hil.parts.bench need it

from hil.chamber.energy cimport discharge_step, energy_step
from hil.chamber.gas cimport gas_step, source_step
from hil.chamber.heat cimport heat_step
from hil.chamber.orders cimport follow_orders
from hil.chamber.state cimport (
    HISTORY,
    NEEDS,
    NO_SOURCE,
    RINGS,
    TABLE,
    Chamber,
    FilmKind,
    Line,
    Zone,
)
from hil.chamber.surface cimport cycle_step, film_step, new_wafers
from hil.chamber.watch cimport crystal_step, watch_step
from hil.parts.bench cimport fill, give_order, handling_source, normals, run, set_handling, set_lines, set_pumps
from hil.parts.bottle cimport bottle_set
from hil.parts.instruments cimport post_due
from hil.parts.noise cimport normal, seed_noise
from hil.parts.orders cimport NEVER
from kernels.physics.constants cimport GAS_CONSTANT, SCCM, TORR, ZERO_CELSIUS
from kernels.plant cimport PlantInput, PlantStep
from kernels.similarity cimport TransferTable

SLOW_S = 0.1  # heat, steady films and discharge step at this period


cdef int chamber_step(void* state, long long scan, const double* values, PlantInput* inputs) noexcept nogil:
    # `scan` only tells of gaps: a plant that is attached later, or steps without a scan, keeps its own time.
    cdef Chamber* f = <Chamber*>state
    cdef long long at
    cdef int i
    f.rack.step += 1
    follow_orders(f)
    gas_step(f, values, f.rack.dt)
    if f.energy.kind != NO_SOURCE:
        energy_step(f, values, f.rack.dt)
    cycle_step(f, f.rack.dt)
    at = f.rack.step % f.slow
    if at == 0:
        heat_step(f, values, f.slow * f.rack.dt)
        for i in range(f.gas.lines):
            if f.gas.line[i].kind:
                source_step(&f.gas.line[i], values, f.slow * f.rack.dt)
    elif at == f.half_slow:
        discharge_step(f, values, f.slow * f.rack.dt)
        film_step(f, f.slow * f.rack.dt)
        crystal_step(f)
    if f.rack.step % f.watch.period == 0:
        watch_step(f)
    return post_due(&f.rack, scan, inputs)


cdef class Model:
    """A chamber, its instruments and its clock."""

    cdef Chamber* f
    cdef PlantStep door
    cdef readonly dict sensor_index
    cdef dict _situations
    cdef tuple _species
    cdef int _zones, _lines

    def __cinit__(self):
        self.f = <Chamber*>calloc(1, sizeof(Chamber))
        if self.f == NULL:
            raise MemoryError("no memory for the simulated chamber")

    def __dealloc__(self):
        if self.f != NULL:
            free(self.f.rack.slot_start)
            free(self.f.rack.slot_sensor)
        free(self.f)

    def __init__(self, parameters, composition, sensors, situations, double period_s, unsigned long long seed):
        cdef Chamber* f = self.f
        cdef int i
        if not 0.0 < period_s <= 0.5 * SLOW_S:
            raise ValueError(f"the chamber steps at most every {0.5 * SLOW_S:g} s, not every {period_s:g} s")
        f.rack.dt, f.rack.step, f.slow = period_s, -1, max(2, round(SLOW_S / period_s))
        f.half_slow = f.slow // 2
        f.orders.next_at = NEVER
        seed_noise(&f.rack.noise, seed)
        self._situations, normals_of = dict(situations[0]), situations[1]
        self._species = composition.species
        for name, index in self._situations.items():
            f.situation[index] = normals_of[name]
        self._set_heat(parameters, composition)
        self._set_gas(parameters, composition)
        if composition.lock is not None:
            self._set_lock(parameters, composition.lock)
        self._set_energy(parameters, composition)
        self._set_surface(parameters, composition)
        self._set_watch(parameters, composition)
        self.sensor_index = fill(&f.rack, sensors)
        for i, sensor in enumerate(sensors):
            f.rack.sensor[i].source = self._source(sensor.source, sensor.index)
        self.door.step = chamber_step
        self.door.state = <void*>f
        self.door.capacity = f.rack.sensors

    cdef _set_heat(self, p, composition):
        cdef Chamber* f = self.f
        cdef Zone* zone
        cdef int i
        cdef bint source
        f.heat.zones = self._zones = len(composition.zones)
        f.heat.wafer_zone = min(round(p.wafer_zone), f.heat.zones) - 1
        f.heat.source_zone = min(round(p.source_zone), f.heat.zones) - 1
        f.heat.coupling, f.heat.wall, f.heat.gas_share = p.coupling_w_k, p.wall_c + ZERO_CELSIUS, p.gas_share
        f.heat.wafer_drop, f.heat.snap, f.heat.energy_share = p.wafer_drop, p.snap_c + ZERO_CELSIUS, p.energy_share
        for i in range(f.heat.zones):
            zone = &f.heat.zone[i]
            source = i == f.heat.source_zone and i != f.heat.wafer_zone
            zone.power = composition.zones[i]
            zone.capacity, zone.loss, zone.radiation = p.capacity_j_k, p.loss_w_k, p.radiation_m2
            zone.full_power = p.source_full_power_w if source and p.source_full_power_w > 0.0 else p.full_power_w
            zone.lag, zone.drive_lag, zone.element = p.thermocouple_lag_s, p.drive_lag_s, 1.0
            zone.temperature = (p.source_idle_c if source and p.source_idle_c > 0.0 else p.idle_c) + ZERO_CELSIUS
            zone.control = zone.guard = zone.temperature
        f.heat.rotation, f.heat.spin_lag = composition.tags["rotation"], p.spin_lag_s
        f.heat.wafer = f.heat.pyrometer = f.heat.zone[f.heat.wafer_zone].temperature
        f.heat.gas = f.heat.wall + f.heat.gas_share * (f.heat.wafer - f.heat.wall)

    cdef _set_gas(self, p, composition):
        cdef Chamber* f = self.f
        cdef int i
        tags = composition.tags
        f.tags.trickle_shut, f.tags.throttle = tags["trickle_shut"], tags["throttle"]
        f.tags.isolation_shut, f.tags.dry_stop, f.tags.booster_stop = (
            tags["isolation_shut"], tags["dry_stop"], tags["booster_stop"])
        f.gas.volume = p.volume_l * 1e-3
        set_lines(&f.gas.panel, p, f.rack.dt)
        set_pumps(&f.gas.pumps, p)
        f.gas.trickle, f.gas.outgassing = p.trickle_sccm * SCCM, p.outgassing_sccm * SCCM
        f.gas.leak, f.gas.to_atmosphere = p.leak_sccm * SCCM, p.exhaust_torr > 0.0
        f.gas.exhaust_pressure = p.exhaust_torr * TORR
        f.gas.manometer_lag, f.gas.wide_gain = p.manometer_lag_s, 1.0 + p.wide_gain * normal(&f.rack.noise)
        f.gas.kinds = len(composition.species)
        f.gas.nitrogen, f.gas.air = composition.named("N2"), composition.named("air")
        for i in range(f.gas.kinds):
            f.gas.mass[i], f.gas.law[i] = composition.masses_kg[i], composition.laws[i]
            f.gas.collider[i] = composition.colliders[i]
        f.gas.lines = self._lines = len(composition.lines)
        for i, line in enumerate(composition.lines):
            self._set_line(&f.gas.line[i], line, p)
        f.gas.trickle_valve = 1.0
        # The trickle purge has run: close to its steady state, which the first seconds reach.
        f.gas.pressure = f.gas.exhaust_pressure if f.gas.to_atmosphere else 3.0
        f.gas.amount[f.gas.nitrogen] = f.gas.pressure * f.gas.volume / (GAS_CONSTANT * f.heat.gas)
        f.gas.manometer = f.gas.wide = f.gas.pressure
        f.gas.pumps.foreline = p.dry_ultimate_torr * TORR

    cdef _set_lock(self, p, tags):
        # Evacuated, its door shut, the arm at home with nothing on its fork; the wafers are in the chamber
        cdef Chamber* f = self.f
        f.lock.there = True
        f.lock.pump, f.lock.vent = tags["pump"], tags["vent"]
        f.lock.slit_open, f.lock.slit_shut = tags["slit_open"], tags["slit_shut"]
        f.lock.extend, f.lock.retract, f.lock.up, f.lock.down = (
            tags["extend"], tags["retract"], tags["up"], tags["down"])
        f.lock.volume, f.lock.speed = p.lock_volume_l * 1e-3, p.lock_speed_l_s * 1e-3
        f.lock.ultimate, f.lock.venting = p.lock_ultimate_torr * TORR, p.lock_vent_sccm * SCCM
        f.lock.conductance = p.lock_slit_l_s * 1e-3
        set_handling(&f.lock.handling, tags["handling"])
        f.lock.handling.present, f.lock.placed = 0.0, 1.0
        f.lock.pressure = 1e-3 * TORR
        f.lock.nitrogen = f.lock.pressure * f.lock.volume / (GAS_CONSTANT * 295.0)

    cdef _set_line(self, Line* line, part, p):
        settings = part.settings
        line.feed.species, line.feed.stuck = part.species, NAN
        line.feed.gain = 1.0 + p.mfc_gain * normal(&self.f.rack.noise)
        line.setpoint, line.valve, line.bath_setpoint = part.setpoint, part.valve, part.bath_setpoint
        line.kind, line.made, line.carrier = part.kind, part.made, part.carrier
        line.vents, line.purge = settings.vents, part.purge
        line.bypass, line.bottled = part.bypass, part.bottle is not None
        if part.bottle is not None:
            line.bottle.shut, line.bottle.release, line.bottle.purge = part.bottle
            bottle_set(&line.bottle)
        line.antoine_a, line.antoine_b = part.antoine
        line.bath, line.bath_lag = settings.bath_c + ZERO_CELSIUS, p.bath_lag_s
        line.bubbler_pressure = settings.pressure_torr * TORR
        line.level = line.filled = settings.content_mol
        line.mist, line.diameter = settings.mist, settings.droplet_um * 1e-6
        line.residence, line.evaporation = settings.residence_s, settings.evaporation_mm2_s * 1e-6

    cdef _set_energy(self, p, composition):
        cdef Chamber* f = self.f
        tags = composition.tags
        f.energy.kind = {
            "none": 0, "capacitive": 1, "inductive": 2, "remote": 3, "microwave": 4, "hot_wire": 5, "laser": 6,
            "lamp": 7, "burner": 8,
        }[composition.source]
        f.energy.enable, f.energy.power, f.energy.duty = tags["enable"], tags["power"], tags["duty"]
        f.energy.automatic, f.energy.load_preset, f.energy.tune_preset = (
            tags["automatic"], tags["load_preset"], tags["tune_preset"])
        f.energy.tuner, f.energy.bias_enable, f.energy.bias_power = (
            tags["tuner"], tags["bias_enable"], tags["bias_power"])
        f.energy.scan_speed, f.energy.ignition = tags["scan_speed"], tags["ignition"]
        f.energy.radius, f.energy.length = p.source_radius_m, p.source_length_m
        f.energy.ions, f.energy.efficiency = p.ion_cross_section_m2, p.coupling
        f.energy.bias_gain, f.energy.bias_pressure = p.bias_v_per_root_w, p.bias_pressure_pa
        f.energy.shunt_full, f.energy.series_full = p.load_full_s, p.tune_full_ohm
        f.energy.strike, f.energy.least, f.energy.most = p.strike_w, p.burns_from_torr * TORR, p.burns_to_torr * TORR
        f.energy.lag, f.energy.probe_lag, f.energy.decay = p.source_lag_s, p.probe_lag_s, p.remote_decay
        f.energy.wire_length, f.energy.wire_diameter = p.wire_length_m, p.wire_diameter_m
        f.energy.emissivity, f.energy.cooling = p.wire_emissivity, p.wire_cooling_w_k
        f.energy.area, f.energy.warm_up = p.lamp_area_m2, p.warm_up_s
        f.energy.spot, f.energy.track = p.spot_m, p.track_m
        f.energy.conductivity, f.energy.absorbed_share = p.conductivity_w_m_k, p.absorbed_share
        f.energy.cross_section, f.energy.quantum = p.cross_section_m2, p.quantum_yield
        f.energy.wavelength, f.energy.window_ageing = p.wavelength_nm * 1e-9, p.window_ageing_1_m
        f.energy.stuck, f.energy.ageing, f.energy.window = NAN, 1.0, 1.0
        f.energy.load_position, f.energy.tune_position, f.energy.strike_at = 0.54, 0.5, 0.2
        f.energy.filament = f.heat.wall
        f.energy.gas_k = f.heat.gas

    cdef _set_surface(self, p, composition):
        cdef Chamber* f = self.f
        cdef TransferTable table
        cdef int i
        f.surface.films, f.surface.active = len(composition.films), -1
        for i, film in enumerate(composition.films):
            self._set_film(&f.surface.film[i], film)
        f.surface.area, f.surface.wall_share, f.surface.ageing = p.growth_area_m2, p.wall_share, p.ageing_1_m
        f.surface.dome, f.surface.depletion_dome = p.dome, p.depletion_dome
        f.surface.tilt_x = p.tilt_spread * normal(&f.rack.noise)
        f.surface.tilt_y = p.tilt_spread * normal(&f.rack.noise)
        f.surface.wafer_factor = 1.0 + p.wafer_spread * normal(&f.rack.noise)
        f.surface.radical_yield, f.surface.radical_loss = p.radical_yield, p.radical_loss
        f.surface.etch, f.surface.fluorine_yield, f.surface.sputter = p.etch_m3, p.fluorine_yield, p.sputter_m3
        f.surface.methyl, f.surface.hydrogen_left = p.methyl_constant, p.hydrogen_left
        f.surface.soret, f.surface.diffusivity = p.soret, p.diffusivity_m2_s
        f.surface.strain, f.surface.viscosity = p.strain_1_s, p.viscosity_pa_s
        f.surface.transport = round(p.transport)
        if f.surface.transport:
            table = TransferTable("rotating disk" if f.surface.transport == 1 else "stagnation")
            f.surface.curve = table.curve
        f.surface.silane, f.surface.fluoride = composition.named("SiH4"), composition.named("NF3")
        f.surface.etch_product = composition.named("SiF4")
        f.surface.methane = composition.named("C2H2" if composition.source == "burner" else "CH4")
        f.surface.wall = p.wall_film_nm * 1e-9
        new_wafers(&f.surface)

    cdef _set_film(self, FilmKind* film, part):
        cdef int i
        film.law, film.cycled, film.needs_radicals = part.law, part.cycled, part.needs_radicals
        film.needs_source = part.settings.needs_source
        film.tabulated, film.count, film.limiting = part.tabulated, min(len(part.needs), NEEDS), part.limiting
        for i in range(film.count):
            film.needs[i], film.share[i] = part.needs[i], part.shares[i]
        for at, moles in part.uses.items():
            film.uses[<int>at] = moles
        film.first, film.second = part.halves
        film.first_rate, film.second_rate = part.rates
        film.per, film.factor, film.site_mass = part.per, part.settings.factor, part.site_mol_m2
        film.volume, film.open = part.volume_m3, part.settings.open_share
        film.real, film.imaginary = part.settings.index
        film.lowest, film.step = part.table[0], part.table[1]
        for i in range(TABLE):
            film.table[i] = part.table[2][i]

    cdef _set_watch(self, p, composition):
        cdef Chamber* f = self.f
        cdef int i, k
        cracking = composition.cracking
        for i in range(f.gas.kinds):
            for k in range(f.gas.kinds):
                f.watch.cracking[i][k] = cracking[i, k]
        f.watch.period = max(1, round(1.0 / f.rack.dt))
        f.watch.interval = (HISTORY - 1) * f.watch.period * f.rack.dt
        f.watch.crystal_share, f.watch.crystal_mass = p.crystal_share, p.crystal_layer_nm * 1e-9
        f.watch.wavelength = p.probe_wavelength_nm * 1e-9
        f.watch.substrate_real, f.watch.substrate_imaginary = p.substrate_index, p.substrate_extinction
        f.watch.crystal = f.surface.wall * p.crystal_share
        for i in range(HISTORY):
            f.watch.crystal_history[i] = f.watch.crystal

    cdef double* _source(self, str name, int index) except NULL:
        # What an instrument looks at, by the names that hil.chamber.wiring uses
        cdef Chamber* f = self.f
        if name in self._situations:
            return &f.situation[self._situations[name]]
        if name == "flow":
            return &f.gas.line[index].feed.flow
        if name == "bottle_open":
            return &f.gas.line[index].bottle.open
        if name == "line_pressure":
            return &f.gas.line[index].bottle.pressure
        if name.startswith("handling."):
            return handling_source(&f.lock.handling, name)
        if name == "bath":
            return &f.gas.line[index].bath
        if name == "precursor":
            return &f.gas.line[index].precursor
        if name == "level":
            return &f.gas.line[index].level
        if name == "control":
            return &f.heat.zone[index].control
        if name == "guard":
            return &f.heat.zone[index].guard
        if name == "emission":
            return &f.watch.emission[index]
        if name == "residual":
            return &f.watch.residual[index]
        cdef dict places = {
            "pyrometer": <size_t>&f.heat.pyrometer, "rpm": <size_t>&f.heat.rpm,
            "manometer": <size_t>&f.gas.manometer, "fine_manometer": <size_t>&f.gas.manometer,
            "wide": <size_t>&f.gas.wide,
            "at_atmosphere": <size_t>&f.at_atmosphere, "throttle": <size_t>&f.gas.pumps.throttle,
            "foreline": <size_t>&f.gas.pumps.foreline, "running": <size_t>&f.gas.pumps.running,
            "booster_running": <size_t>&f.gas.pumps.booster_running, "on": <size_t>&f.energy.on,
            "lit": <size_t>&f.energy.lit, "bias_on": <size_t>&f.energy.bias_on,
            "forward": <size_t>&f.energy.forward, "reflected": <size_t>&f.energy.reflected,
            "bias_forward": <size_t>&f.energy.bias_forward, "load_position": <size_t>&f.energy.load_position,
            "tune_position": <size_t>&f.energy.tune_position, "bias": <size_t>&f.energy.bias,
            "impedance": <size_t>&f.energy.impedance, "proxy": <size_t>&f.energy.proxy,
            "filament": <size_t>&f.energy.filament, "current": <size_t>&f.energy.current,
            "volts": <size_t>&f.energy.volts, "energy": <size_t>&f.energy.energy,
            "position": <size_t>&f.energy.position, "window_light": <size_t>&f.energy.window_light,
            "ratio": <size_t>&f.energy.ratio, "gas_k": <size_t>&f.energy.gas_k,
            "middle": <size_t>&f.watch.middle, "half": <size_t>&f.watch.half,
            "middle_rate": <size_t>&f.watch.middle_rate, "crystal": <size_t>&f.watch.crystal,
            "crystal_rate": <size_t>&f.watch.crystal_rate, "reflectance": <size_t>&f.watch.reflectance,
            "psi": <size_t>&f.watch.psi, "delta": <size_t>&f.watch.delta,
            "lock": <size_t>&f.lock.pressure, "lock_at_atmosphere": <size_t>&f.lock.at_atmosphere,
            "slit_shut": <size_t>&f.lock.slit_shut_now, "slit_open": <size_t>&f.lock.slit_open_now,
            "arm_home": <size_t>&f.lock.home, "arm_inside": <size_t>&f.lock.inside,
            "fork_up": <size_t>&f.lock.raised, "fork_down": <size_t>&f.lock.lowered,
            "on_fork": <size_t>&f.lock.seen, "in_chamber": <size_t>&f.lock.in_chamber,
        }
        if name not in places:
            raise ValueError(f"a chamber has nothing called {name}")
        return <double*><size_t>places[name]

    @property
    def capsule(self):
        """PyCapsule "cvd.plant"; the model must outlive its use."""
        return PyCapsule_New(<void*>&self.door, "cvd.plant", NULL)

    def order(self, double at_s, int kind, int index, double value):
        """Hand an order over; `at_s` in the plant's own time, negative for the next step."""
        give_order(&self.f.orders, self.f.rack.dt, at_s, kind, index, value)

    def advance(self, const double[::1] values, long long steps):
        """Step without a scan; return the last posting of each tag as (tags, values, statuses)."""
        return run(chamber_step, <void*>self.f, &self.f.rack, values, steps)

    def repeatability(self, unsigned long long seed, int count):
        """Normal numbers of a generator of its own, so that measuring changes nothing."""
        return normals(seed, count)

    cdef _named(self, const double* values):
        return {name: values[<int>i] for i, name in enumerate(self._species)}

    def state(self):
        """Everything that a test may want to know, SI units."""
        cdef Chamber* f = self.f
        cdef int i
        cdef double grown = f.surface.total
        mean = {name: f.surface.partial_moment[<int>i] / grown if grown > 0.0 else 0.0
                for i, name in enumerate(self._species)}
        return {
            "step": f.rack.step,
            "time_s": (f.rack.step + 1) * f.rack.dt,
            "zone_k": [f.heat.zone[i].temperature for i in range(f.heat.zones)],
            "wafer_k": f.heat.wafer,
            "gas_k": f.heat.gas,
            "delivered_j": f.heat.delivered,
            "lost_j": f.heat.lost,
            "stored_j": sum(f.heat.zone[i].capacity * f.heat.zone[i].temperature for i in range(f.heat.zones)),
            "rpm": f.heat.rpm,
            "pressure_pa": f.gas.pressure,
            "volume_m3": f.gas.volume,
            "amount_mol": self._named(f.gas.amount),
            "partial_pa": self._named(f.gas.partial),
            "fed_mol": self._named(f.gas.fed),
            "pumped_mol": self._named(f.gas.pumped),
            "reacted_mol": self._named(f.gas.reacted),
            "flow_mol_s": [f.gas.line[i].feed.flow * f.gas.line[i].feed.gain for i in range(f.gas.lines)],
            "precursor_mol_s": [f.gas.line[i].precursor for i in range(f.gas.lines)],
            "vented_mol": [f.gas.line[i].vented for i in range(f.gas.lines)],
            "level_mol": [f.gas.line[i].level for i in range(f.gas.lines)],
            "line_pa": [f.gas.line[i].bottle.pressure for i in range(f.gas.lines)],
            "line_gas_share": [
                f.gas.line[i].bottle.gas / max(f.gas.line[i].bottle.gas + f.gas.line[i].bottle.nitrogen, 1e-30)
                for i in range(f.gas.lines)],
            "lock_pa": f.lock.pressure,
            "lock_collisions": f.lock.collisions,
            "lock_air_mol": f.lock.air,
            "throttle": f.gas.pumps.throttle,
            "forward_w": f.energy.forward,
            "reflected_w": f.energy.reflected,
            "absorbed_w": f.energy.absorbed,
            "electron_density_m3": f.energy.density,
            "electron_temperature_ev": f.energy.electron_ev,
            "ion_flux": f.energy.ion_flux,
            "bias_v": f.energy.bias,
            "lit": f.energy.lit > 0.5,
            "strikes": f.energy.strikes,
            "filament_k": f.energy.filament,
            "filament_ageing": f.energy.ageing,
            "rise_k": f.energy.peak,
            "plasma_gas_k": f.energy.gas_k,
            "hydrogen": f.energy.hydrogen,
            "window": f.energy.window,
            "radicals_m3": f.surface.radicals,
            "fluorine_m3": f.surface.fluorine,
            "transfer_m_s": f.surface.transfer,
            "rate_m_s": f.surface.rate,
            "coverage": f.surface.coverage,
            "cycles": f.surface.cycles,
            "dose": f.surface.dose,
            "wall_m": f.surface.wall,
            "thickness_m": [f.surface.thickness[i] for i in range(RINGS)],
            "by_film_m": [f.surface.by_film[i] for i in range(f.surface.films)],
            "tilt": (f.surface.tilt_x, f.surface.tilt_y) if f.heat.rpm < 10.0 else (
                f.surface.tilt_x * 10.0 / f.heat.rpm, f.surface.tilt_y * 10.0 / f.heat.rpm),
            "deposited_mol": f.surface.deposited,
            "etched_mol": f.surface.etched,
            "mean_temperature_k": f.surface.temperature_moment / grown if grown > 0.0 else None,
            "mean_bias_v": f.surface.bias_moment / grown if grown > 0.0 else None,
            "mean_partial_pa": mean,
            "low_frequency_share": f.surface.ratio_moment / grown if grown > 0.0 else 0.0,
            "growth_s": f.surface.growth_s,
            "mean_rate_m_s": grown / f.surface.growth_s if f.surface.growth_s > 0.0 else 0.0,
            "loads": f.surface.loads,
        }
