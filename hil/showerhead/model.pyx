"""The simulated showerhead reactor as one step function, and what tests and metrology may see of it."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport NAN
from libc.stdlib cimport calloc, free

import numpy as np  # no-cython-lint: the inlined functions of hil.parts.bench need it

from hil.parts.bench cimport fill, give_order, handling_source, normals, run, set_handling, set_lines, set_pumps
from hil.parts.bottle cimport bottle_set
from hil.parts.instruments cimport post_due
from hil.parts.noise cimport normal, seed_noise
from hil.parts.orders cimport NEVER
from hil.showerhead.discharge cimport discharge_step
from hil.showerhead.film cimport film_step, new_wafer, watch
from hil.showerhead.gas cimport gas_step, heat_step
from hil.showerhead.orders cimport follow_orders
from hil.showerhead.state cimport EMO_FRONT_OK, EMO_OK, EMO_REAR_OK, FEEDS, HISTORY, N2, RINGS, SPECIES, Reactor
from kernels.physics.constants cimport GAS_CONSTANT, SCCM, ZERO_CELSIUS
from kernels.physics.flow cimport ideal_pressure
from kernels.plant cimport PlantInput, PlantStep

SLOW_S = 0.1  # heat, film and thermocouples step at this period
SPECIES_NAMES = ("SiH4", "NH3", "N2O", "NF3", "N2", "H2", "SiF4", "air")


cdef int reactor_step(void* state, long long scan, const double* values, PlantInput* inputs) noexcept nogil:
    # `scan` only tells of gaps: a plant that is attached later, or steps without a scan, keeps its own time.
    cdef Reactor* f = <Reactor*>state
    f.rack.step += 1
    follow_orders(f)
    f.emo = f.situation[EMO_OK] * f.situation[EMO_FRONT_OK] * f.situation[EMO_REAR_OK]
    gas_step(f, values, f.rack.dt)
    discharge_step(f, values, f.rack.dt)
    if f.rack.step % f.slow == 0:
        heat_step(f, values, f.slow * f.rack.dt)
    elif f.rack.step % f.slow == f.slow // 2:
        film_step(f, f.slow * f.rack.dt)
    if f.rack.step % f.history_period == 0:
        watch(f, f.rack.dt)
    return post_due(&f.rack, scan, inputs)


cdef class Model:
    """A reactor, its instruments and its clock."""

    cdef Reactor* f
    cdef PlantStep door
    cdef readonly dict sensor_index
    cdef dict _situations

    def __cinit__(self):
        self.f = <Reactor*>calloc(1, sizeof(Reactor))
        if self.f == NULL:
            raise MemoryError("no memory for the simulated reactor")

    def __dealloc__(self):
        if self.f != NULL:
            free(self.f.rack.slot_start)
            free(self.f.rack.slot_sensor)
        free(self.f)

    def __init__(self, parameters, outputs, sensors, situations, double period_s, unsigned long long seed):
        cdef Reactor* f = self.f
        cdef int i
        if not 0.0 < period_s <= 0.5 * SLOW_S:
            raise ValueError(f"the reactor steps at most every {0.5 * SLOW_S:g} s, not every {period_s:g} s")
        f.rack.dt, f.rack.step, f.slow = period_s, -1, max(2, round(SLOW_S / period_s))
        f.orders.next_at = NEVER
        seed_noise(&f.rack.noise, seed)
        self._situations, normals_of = dict(situations[0]), situations[1]
        for name, index in self._situations.items():
            f.situation[index] = normals_of[name]
        self._set_tags(outputs)
        self._set_heat(parameters)
        self._set_gas(parameters)
        self._set_discharge(parameters)
        self._set_film(parameters)
        self.sensor_index = fill(&f.rack, sensors)
        for i, sensor in enumerate(sensors):
            f.rack.sensor[i].source = self._source(sensor.source, sensor.index)
        self.door.step = reactor_step
        self.door.state = <void*>f
        self.door.capacity = f.rack.sensors

    cdef _set_tags(self, outputs):
        cdef Reactor* f = self.f
        cdef int i
        for i in range(FEEDS):
            f.tags.setpoint[i], f.tags.valve[i] = outputs["setpoint"][i], outputs["valve"][i]
        f.tags.power, f.tags.trickle_shut, f.tags.throttle = (
            outputs["power"], outputs["trickle_shut"], outputs["throttle"])
        f.tags.isolation_shut, f.tags.dry_stop, f.tags.booster_stop = (
            outputs["isolation_shut"], outputs["dry_stop"], outputs["booster_stop"])
        f.tags.abatement_wanted = outputs["abatement_wanted"]
        set_handling(&f.handling, outputs["handling"])
        f.gas.bottle.shut, f.gas.bottle.release = outputs["bottle_shut"], outputs["bottle_release"]
        f.gas.bottle.purge = outputs["line_purge"]
        bottle_set(&f.gas.bottle)
        f.tags.enable, f.tags.watts, f.tags.duty = outputs["enable"], outputs["watts"], outputs["duty"]
        f.tags.automatic, f.tags.tuner = outputs["automatic"], outputs["tuner"]
        f.tags.load_preset, f.tags.tune_preset = outputs["load_preset"], outputs["tune_preset"]

    cdef _set_heat(self, p):
        cdef Reactor* f = self.f
        f.heat.capacity, f.heat.full_power = p.susceptor_capacity_j_k, p.full_power_w
        f.heat.loss, f.heat.radiation = p.loss_w_k, p.radiation_m2
        f.heat.wall, f.heat.lag, f.heat.plasma_share = p.wall_c + ZERO_CELSIUS, p.thermocouple_lag_s, p.plasma_heat
        f.heat.susceptor = f.heat.control = f.heat.guard = p.idle_c + ZERO_CELSIUS
        f.heat.face = f.heat.wall + 0.3 * (f.heat.susceptor - f.heat.wall)

    cdef _set_gas(self, p):
        cdef Reactor* f = self.f
        cdef int i
        f.gas.volume = p.volume_l * 1e-3
        set_lines(&f.gas.panel, p, f.rack.dt)
        set_pumps(&f.gas.pumps, p)
        f.gas.trickle, f.gas.outgassing = p.trickle_sccm * SCCM, p.outgassing_sccm * SCCM
        f.gas.leak, f.gas.holes = p.leak_sccm * SCCM, p.face_plate_pa2_s_mol
        f.gas.manometer_lag, f.gas.wide_gain = p.manometer_lag_s, 1.0 + p.wide_gain * normal(&f.rack.noise)
        for i in range(FEEDS):
            f.gas.feed[i].species = i
            f.gas.feed[i].gain = 1.0 + p.mfc_gain * normal(&f.rack.noise)
            f.gas.feed[i].stuck = NAN
        f.gas.trickle_valve = 1.0
        f.gas.temperature = f.heat.wall + 0.35 * (f.heat.susceptor - f.heat.wall)
        # The trickle purge has run into the open pump: close to its steady state, which the first seconds reach.
        f.gas.amount[N2] = 3.0 * f.gas.volume / (GAS_CONSTANT * f.gas.temperature)
        f.gas.pressure = ideal_pressure(f.gas.amount[N2], f.gas.temperature, f.gas.volume)
        f.gas.manometer = f.gas.wide = f.gas.upstream = f.gas.pressure

    cdef _set_discharge(self, p):
        cdef Reactor* f = self.f
        f.discharge.radius, f.discharge.gap = p.electrode_radius_m, p.gap_m
        f.discharge.collision_energy, f.discharge.efficiency = p.collision_energy_ev, p.coupling
        f.discharge.bias_gain, f.discharge.bias_pressure = p.bias_v_per_root_w, p.bias_pressure_pa
        f.discharge.shunt_full, f.discharge.series_full = p.load_full_s, p.tune_full_ohm
        f.discharge.strike, f.discharge.generator_lag = p.strike_w, p.generator_lag_s
        f.discharge.probe_lag, f.discharge.stuck = p.probe_lag_s, NAN
        f.discharge.load_position, f.discharge.tune_position = 0.54, 0.5
        f.discharge.strike_at = 0.2

    cdef _set_film(self, p):
        cdef Reactor* f = self.f
        f.film.nitride_yield, f.film.oxide_yield = p.nitride_yield, p.oxide_yield
        f.film.fluorine_yield, f.film.etch = p.fluorine_yield, p.etch_m3
        f.film.dissociation, f.film.loss_probability = p.dissociation_m3_s, p.radical_loss
        f.film.growth_area, f.film.wall_share, f.film.ageing = p.growth_area_m2, p.wall_share, p.ageing_1_m
        f.film.dome, f.film.depletion_dome = p.dome, p.depletion_dome
        f.film.tilt_x, f.film.tilt_y = p.tilt_spread * normal(&f.rack.noise), p.tilt_spread * normal(&f.rack.noise)
        f.film.wafer_factor = 1.0 + p.wafer_spread * normal(&f.rack.noise)
        f.film.wall = p.wall_film_nm * 1e-9
        f.history_period = max(1, round(1.0 / f.rack.dt))
        f.interval = (HISTORY - 1) * f.history_period * f.rack.dt
        for i in range(HISTORY):
            f.crystal_history[i] = f.film.wall
        new_wafer(&f.film)

    cdef double* _source(self, str name, int index) except NULL:
        # What an instrument looks at, by the names that hil.showerhead.wiring uses
        cdef Reactor* f = self.f
        if name == "flow":
            return &f.gas.feed[index].flow
        if name == "control":
            return &f.heat.control
        if name == "guard":
            return &f.heat.guard
        if name == "face":
            return &f.heat.face
        if name == "manometer":
            return &f.gas.manometer
        if name == "wide":
            return &f.gas.wide
        if name == "upstream":
            return &f.gas.upstream
        if name == "at_atmosphere":
            return &f.at_atmosphere
        if name == "throttle":
            return &f.gas.pumps.throttle
        if name == "foreline":
            return &f.gas.pumps.foreline
        if name == "running":
            return &f.gas.pumps.running
        if name == "booster_running":
            return &f.gas.pumps.booster_running
        if name == "wall":
            return &f.film.wall
        if name == "middle":
            return &f.middle
        if name == "half":
            return &f.half
        if name == "middle_rate":
            return &f.middle_rate
        if name == "crystal_rate":
            return &f.crystal_rate
        if name == "bottle_open":
            return &f.gas.bottle.open
        if name == "line_pressure":
            return &f.gas.bottle.pressure
        if name == "accepts":
            return &f.gas.accepts
        if name == "emo":
            return &f.emo
        if name.startswith("handling."):
            return handling_source(&f.handling, name)
        if name in self._situations:
            return &f.situation[self._situations[name]]
        return self._electric(name)

    cdef double* _electric(self, str name) except NULL:
        cdef Reactor* f = self.f
        if name == "on":
            return &f.discharge.on
        if name == "forward":
            return &f.discharge.forward
        if name == "reflected":
            return &f.discharge.reflected
        if name == "load_position":
            return &f.discharge.load_position
        if name == "tune_position":
            return &f.discharge.tune_position
        if name == "bias":
            return &f.discharge.bias
        if name == "impedance":
            return &f.discharge.impedance
        if name == "lit":
            return &f.discharge.lit
        if name == "emission_n2":
            return &f.discharge.emission_n2
        if name == "emission_sih":
            return &f.discharge.emission_sih
        if name == "emission_f":
            return &f.discharge.emission_f
        if name == "proxy":
            return &f.discharge.proxy
        raise ValueError(f"the reactor has nothing called {name}")

    @property
    def capsule(self):
        """PyCapsule "cvd.plant"; the model must outlive its use."""
        return PyCapsule_New(<void*>&self.door, "cvd.plant", NULL)

    def order(self, double at_s, int kind, int index, double value):
        """Hand an order over; `at_s` in the plant's own time, negative for the next step."""
        give_order(&self.f.orders, self.f.rack.dt, at_s, kind, index, value)

    def advance(self, const double[::1] values, long long steps):
        """Step without a scan; return the last posting of each tag as (tags, values, statuses)."""
        return run(reactor_step, <void*>self.f, &self.f.rack, values, steps)

    def repeatability(self, unsigned long long seed, int count):
        """Normal numbers of a generator of its own, so that measuring changes nothing."""
        return normals(seed, count)

    def state(self):
        """Everything that a test may want to know, SI units."""
        cdef Reactor* f = self.f
        cdef int i
        cdef double grown = f.film.total
        return {
            "step": f.rack.step,
            "time_s": (f.rack.step + 1) * f.rack.dt,
            "susceptor_k": f.heat.susceptor,
            "face_k": f.heat.face,
            "delivered_j": f.heat.delivered,
            "lost_j": f.heat.lost,
            "stored_j": f.heat.capacity * f.heat.susceptor,
            "pressure_pa": f.gas.pressure,
            "upstream_pa": f.gas.upstream,
            "gas_k": f.gas.temperature,
            "volume_m3": f.gas.volume,
            "amount_mol": {SPECIES_NAMES[i]: f.gas.amount[i] for i in range(SPECIES)},
            "fed_mol": {SPECIES_NAMES[i]: f.gas.fed[i] for i in range(SPECIES)},
            "pumped_mol": {SPECIES_NAMES[i]: f.gas.pumped[i] for i in range(SPECIES)},
            "reacted_mol": {SPECIES_NAMES[i]: f.gas.reacted[i] for i in range(SPECIES)},
            "flow_mol_s": [f.gas.feed[i].flow * f.gas.feed[i].gain for i in range(FEEDS)],
            "throttle": f.gas.pumps.throttle,
            "forward_w": f.discharge.forward,
            "reflected_w": f.discharge.reflected,
            "absorbed_w": f.discharge.absorbed,
            "electron_density_m3": f.discharge.density,
            "electron_temperature_ev": f.discharge.electron_ev,
            "load_ohm": (f.discharge.resistance, f.discharge.reactance),
            "bias_v": f.discharge.bias,
            "lit": f.discharge.lit > 0.5,
            "strikes": f.discharge.strikes,
            "radicals_m3": f.film.radicals,
            "fluorine_m3": f.film.fluorine,
            "rate_m_s": f.film.rate,
            "wall_m": f.film.wall,
            "thickness_m": [f.film.thickness[i] for i in range(RINGS)],
            "tilt": (f.film.tilt_x, f.film.tilt_y),
            "deposited_mol": f.film.deposited_mol,
            "etched_mol": f.film.etched_mol,
            "reactant_ratio": f.film.nitrided / grown if grown > 0.0 else None,
            "oxide_share": f.film.oxide / grown if grown > 0.0 else 0.0,
            "mean_bias_v": f.film.bias_moment / grown if grown > 0.0 else None,
            "mean_temperature_k": f.film.temperature_moment / grown if grown > 0.0 else None,
            "line_pa": f.gas.bottle.pressure,
            "line_gas_share": f.gas.bottle.gas / max(f.gas.bottle.gas + f.gas.bottle.nitrogen, 1e-30),
            "robot": f.handling.robot,
            "door": f.handling.door,
            "loads": f.film.loads,
        }
