"""The simulated furnace as one step function, and what tests and metrology may see of it."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport NAN
from libc.stdlib cimport calloc, free

import numpy as np

from hil.furnace.film cimport film_step, new_load, watch_monitor
from hil.furnace.gas cimport effective_temperature, gas_step
from hil.furnace.heat cimport heat_flow, heat_step, thermocouples
from hil.furnace.orders cimport follow_orders
from hil.furnace.state cimport (
    EMO_FRONT_OK,
    EMO_OK,
    EMO_REAR_OK,
    FEEDS,
    HISTORY,
    MAINS_OK,
    N2,
    N2O,
    OVERTEMPERATURE_OK,
    RINGS,
    SIH4,
    SPECIES,
    WAFERS,
    ZONES,
    Furnace,
)
from hil.parts.bench cimport fill, give_order, handling_source, normals, run, set_handling, set_lines, set_pumps
from hil.parts.bottle cimport bottle_set
from hil.parts.instruments cimport post_due
from hil.parts.noise cimport normal, seed_noise
from hil.parts.orders cimport NEVER
from kernels.physics.constants cimport PI, SCCM, ZERO_CELSIUS
from kernels.physics.flow cimport ideal_pressure
from kernels.plant cimport PlantInput, PlantStep

SLOW_S = 0.1  # heat, film and thermocouples step at this period
SNAP_K = 1100.0 + ZERO_CELSIUS  # the independent over-temperature controller at the spikes
SPECIES_NAMES = ("SiH4", "N2O", "N2", "H2", "air")

# Indices of state.pxd by name, for the script that the Python side reads.
SITUATIONS_BY_NAME = {
    "overtemperature_ok": 0, "door_closed": 1, "boat_in": 2, "exhaust_ok": 3, "abatement_ok": 4, "water": 5,
    "n2_supply": 6, "air_supply": 7, "cabinet_ok": 8, "silane_ppm": 9, "detector_ok": 10, "emo_ok": 11,
    "mains_ok": 12, "pump_ok": 13, "booster_ok": 14, "robot_ok": 15, "water_dry": 16, "mains_v": 17, "exhaust_pa": 18,
    "emo_front_ok": 19, "emo_rear_ok": 20, "line_leak": 21,
}
NORMAL = {
    "overtemperature_ok": 1.0, "door_closed": 1.0, "boat_in": 1.0, "exhaust_ok": 1.0, "abatement_ok": 1.0,
    "water": 12.0, "n2_supply": 600.0, "air_supply": 600.0, "cabinet_ok": 1.0, "silane_ppm": 0.0, "detector_ok": 1.0,
    "emo_ok": 1.0, "mains_ok": 1.0, "pump_ok": 1.0, "booster_ok": 1.0, "robot_ok": 1.0, "water_dry": 1.0,
    "mains_v": 230.0, "exhaust_pa": -250.0, "emo_front_ok": 1.0, "emo_rear_ok": 1.0, "line_leak": 0.0,
}


cdef int furnace_step(void* state, long long scan, const double* values, PlantInput* inputs) noexcept nogil:
    # `scan` only tells of gaps: a plant that is attached later, or steps without a scan, keeps its own time.
    cdef Furnace* f = <Furnace*>state
    cdef int z
    cdef bint powered
    f.rack.step += 1
    follow_orders(f)
    f.emo = f.situation[EMO_OK] * f.situation[EMO_FRONT_OK] * f.situation[EMO_REAR_OK]
    gas_step(f, values, f.rack.dt)
    if f.rack.step % f.slow == 0:
        for z in range(ZONES):
            if f.heat.spike[z] > SNAP_KELVIN:
                f.situation[OVERTEMPERATURE_OK] = 0.0
        powered = (
            f.situation[OVERTEMPERATURE_OK] > 0.5 and f.emo > 0.5 and f.situation[MAINS_OK] > 0.5
        )
        heat_step(f, values, powered, f.slow * f.rack.dt)
    elif f.rack.step % f.slow == f.slow // 2:
        effective_temperature(&f.gas, &f.heat, &f.film)
        film_step(f, f.slow * f.rack.dt)
    if f.rack.step % f.history_period == 0:
        watch_monitor(f, f.rack.dt)
    return post_due(&f.rack, scan, inputs)


cdef extern from *:
    """
    #define CVD_SNAP_KELVIN (1100.0 + 273.15)
    """
    const double SNAP_KELVIN "CVD_SNAP_KELVIN"


cdef class Model:
    """A furnace, its instruments and its clock."""

    cdef Furnace* f
    cdef PlantStep door
    cdef readonly dict sensor_index

    def __cinit__(self):
        self.f = <Furnace*>calloc(1, sizeof(Furnace))
        if self.f == NULL:
            raise MemoryError("no memory for the simulated furnace")

    def __dealloc__(self):
        if self.f != NULL:
            free(self.f.rack.slot_start)
            free(self.f.rack.slot_sensor)
        free(self.f)

    def __init__(self, parameters, outputs, sensors, double period_s, unsigned long long seed):
        cdef Furnace* f = self.f
        if not 0.0 < period_s <= SLOW_S:
            raise ValueError(f"the furnace steps at most every {SLOW_S:g} s, not every {period_s:g} s")
        f.rack.dt = period_s
        f.rack.step = -1
        f.slow = max(2, round(SLOW_S / period_s))
        f.orders.next_at = NEVER
        seed_noise(&f.rack.noise, seed)
        for i in range(ZONES):
            f.tags.power[i] = outputs["power"][i]
        for i in range(FEEDS):
            f.tags.setpoint[i] = outputs["setpoint"][i]
            f.tags.valve[i] = outputs["valve"][i]
        f.tags.trickle_shut = outputs["trickle_shut"]
        f.tags.throttle = outputs["throttle"]
        f.tags.isolation_shut = outputs["isolation_shut"]
        f.tags.dry_stop = outputs["dry_stop"]
        f.tags.booster_stop = outputs["booster_stop"]
        f.tags.abatement_wanted = outputs["abatement_wanted"]
        set_handling(&f.handling, outputs["handling"])
        f.gas.bottle.shut, f.gas.bottle.release = outputs["bottle_shut"], outputs["bottle_release"]
        f.gas.bottle.purge = outputs["line_purge"]
        bottle_set(&f.gas.bottle)
        for name, index in SITUATIONS_BY_NAME.items():
            f.situation[index] = NORMAL[name]
        self._set_heat(parameters)
        self._set_gas(parameters)
        self._set_film(parameters)
        self._set_sensors(sensors)

    cdef _set_heat(self, p):
        cdef Furnace* f = self.f
        f.heat.element_capacity, f.heat.tube_capacity = p.element_capacity_j_k, p.tube_capacity_j_k
        f.heat.load_capacity = p.load_capacity_j_k
        f.heat.element_tube, f.heat.tube_load = p.element_tube_m2, p.tube_load_m2
        f.heat.tube_axial, f.heat.load_axial, f.heat.tube_end = p.tube_axial_m2, p.load_axial_m2, p.tube_end_m2
        f.heat.element_axial, f.heat.loss = p.element_axial_w_k, p.loss_w_k
        f.heat.ambient, f.heat.flange = p.ambient_c + ZERO_CELSIUS, p.flange_c + ZERO_CELSIUS
        f.heat.full_power = p.full_power_w
        f.heat.spike_lag, f.heat.profile_lag, f.heat.boat_lag = p.spike_lag_s, p.profile_lag_s, p.boat_lag_s
        f.heat.spike_share, f.heat.profile_share = p.spike_share, p.profile_share
        cdef double idle = p.idle_c + ZERO_CELSIUS
        cdef int z, _half
        for z in range(ZONES):
            f.heat.element[z] = f.heat.tube[z] = f.heat.load[z] = idle
            f.heat.spike[z] = f.heat.profile[z] = idle
            f.heat.health[z] = 1.0
        f.heat.boat = idle
        # Idle long enough that every node is at rest.
        cdef double power[ZONES]
        cdef double held[ZONES]
        for z in range(ZONES):
            held[z] = 0.0
        for _half in range(60000):
            for z in range(ZONES):
                held[z] += 0.02 * (idle - f.heat.profile[z])
                power[z] = max(0.0, held[z] + 100.0 * (idle - f.heat.profile[z]))
            heat_flow(&f.heat, power, 0.5)
            thermocouples(&f.heat, 0.5)
        f.heat.delivered = f.heat.lost = 0.0

    cdef _set_gas(self, p):
        cdef Furnace* f = self.f
        f.gas.volume, f.gas.cold_volume = p.volume_l * 1e-3, p.cold_volume_l * 1e-3
        f.gas.cold_temperature = p.cold_c + ZERO_CELSIUS
        set_lines(&f.gas.panel, p, f.rack.dt)
        set_pumps(&f.gas.pumps, p)
        f.gas.trickle, f.gas.outgassing = p.trickle_sccm * SCCM, p.outgassing_sccm * SCCM
        f.gas.leak = p.leak_sccm * SCCM
        f.gas.manometer_lag = p.manometer_lag_s
        f.gas.wide_gain = 1.0 + p.wide_gain * normal(&f.rack.noise)
        cdef int i
        for i in range(FEEDS):
            f.gas.feed[i].species = (SIH4, N2O, N2)[i]
            f.gas.feed[i].gain = 1.0 + p.mfc_gain * normal(&f.rack.noise)
            f.gas.feed[i].stuck = NAN
        for i in range(SPECIES):
            f.gas.exit[i] = 1.0
            f.film.mean_over_inlet[i] = 1.0
        f.gas.trickle_valve = 1.0
        effective_temperature(&f.gas, &f.heat, &f.film)
        # The trickle purge has run into the open pump: close to its steady state, which the first seconds reach.
        f.gas.amount[N2] = 10.0 * f.gas.volume / (8.314 * f.gas.temperature)
        f.gas.pressure = ideal_pressure(f.gas.amount[N2], f.gas.temperature, f.gas.volume)
        f.gas.manometer = f.gas.wide = f.gas.pressure

    cdef _set_film(self, p):
        cdef Furnace* f = self.f
        cdef int i
        f.film.wafers = int(p.wafers)
        f.film.pitch, f.film.zone_length = p.pitch_m, p.zone_length_m
        f.film.first = 1.5 * p.zone_length_m - 0.5 * (f.film.wafers - 1) * p.pitch_m
        f.film.radius, f.film.gap = 0.5 * p.wafer_diameter_m, p.pitch_m
        f.film.wafer_area = 2.0 * PI * f.film.radius ** 2 + PI * p.bore_m * p.pitch_m + p.boat_area_m2
        f.film.entrance_area = PI * p.bore_m * f.film.first + p.entrance_baffles_m2
        f.film.exit_area = f.film.entrance_area
        f.film.diffusivity = p.diffusivity_m2_pa_s
        f.film.silicon_factor = p.poly_silicon_factor
        f.film.entrance_share = 0.4
        f.film.load_share = min(0.6, (f.film.wafers - 1) * p.pitch_m / (3.0 * p.zone_length_m))
        for i in range(WAFERS):
            f.film.slot[i] = 1.0 + p.slot_spread * normal(&f.rack.noise)
            f.film.tilt_x[i] = p.tilt_spread * normal(&f.rack.noise)
            f.film.tilt_y[i] = p.tilt_spread * normal(&f.rack.noise)
        f.history_period = max(1, round(1.0 / f.rack.dt))
        f.interval = (HISTORY - 1) * f.history_period * f.rack.dt
        new_load(&f.film)

    cdef double* _source(self, str name, int index) except NULL:
        # What an instrument looks at, by the names that hil.plant uses
        cdef Furnace* f = self.f
        if name == "spike":
            return &f.heat.spike[index]
        if name == "profile":
            return &f.heat.profile[index]
        if name == "boat":
            return &f.heat.boat
        if name == "flow":
            return &f.gas.feed[index].flow
        if name == "manometer":
            return &f.gas.manometer
        if name == "wide":
            return &f.gas.wide
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
        if name == "thickness":
            return &f.thickness
        if name == "rate":
            return &f.rate
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
        return &f.situation[SITUATIONS_BY_NAME[name]]

    cdef _set_sensors(self, sensors):
        cdef Furnace* f = self.f
        cdef int i
        self.sensor_index = fill(&f.rack, sensors)
        for i, sensor in enumerate(sensors):
            f.rack.sensor[i].source = self._source(sensor.source, sensor.index)
        self.door.step = furnace_step
        self.door.state = <void*>f
        self.door.capacity = f.rack.sensors

    @property
    def capsule(self):
        """PyCapsule "cvd.plant"; the model must outlive its use."""
        return PyCapsule_New(<void*>&self.door, "cvd.plant", NULL)

    def order(self, double at_s, int kind, int index, double value):
        """Hand an order over; `at_s` in the plant's own time, negative for the next step."""
        give_order(&self.f.orders, self.f.rack.dt, at_s, kind, index, value)

    def advance(self, const double[::1] values, long long steps):
        """Step without a scan; return the last posting of each tag as (tags, values, statuses)."""
        return run(furnace_step, <void*>self.f, &self.f.rack, values, steps)

    def thickness(self):
        """Film on every wafer by ring, m: (oxide, silicon), each [wafers, rings]."""
        cdef int count = self.f.film.wafers
        cdef double[:, ::1] oxide = np.empty((count, RINGS))
        cdef double[:, ::1] silicon = np.empty((count, RINGS))
        cdef int w, r
        for w in range(count):
            for r in range(RINGS):
                oxide[w, r] = self.f.film.oxide[w * RINGS + r]
                silicon[w, r] = self.f.film.silicon[w * RINGS + r]
        return np.asarray(oxide), np.asarray(silicon)

    def tilts(self):
        """Seeded tilt of the film on every wafer, [wafers, 2], relative at the edge."""
        cdef int w
        return np.array([[self.f.film.tilt_x[w], self.f.film.tilt_y[w]] for w in range(self.f.film.wafers)])

    def repeatability(self, unsigned long long seed, int count):
        """Normal numbers of a generator of its own, so that measuring changes nothing."""
        return normals(seed, count)

    def state(self):
        """Everything that a test may want to know, SI units."""
        cdef Furnace* f = self.f
        cdef int i
        return {
            "step": f.rack.step,
            "time_s": (f.rack.step + 1) * f.rack.dt,
            "element_k": [f.heat.element[i] for i in range(ZONES)],
            "tube_k": [f.heat.tube[i] for i in range(ZONES)],
            "load_k": [f.heat.load[i] for i in range(ZONES)],
            "spike_k": [f.heat.spike[i] for i in range(ZONES)],
            "profile_k": [f.heat.profile[i] for i in range(ZONES)],
            "delivered_j": f.heat.delivered,
            "lost_j": f.heat.lost,
            "stored_j": sum(
                f.heat.element_capacity * f.heat.element[i] + f.heat.tube_capacity * f.heat.tube[i]
                + f.heat.load_capacity * f.heat.load[i] for i in range(ZONES)
            ),
            "pressure_pa": f.gas.pressure,
            "gas_k": f.gas.temperature,
            "volume_m3": f.gas.volume,
            "amount_mol": {SPECIES_NAMES[i]: f.gas.amount[i] for i in range(SPECIES)},
            "fed_mol": {SPECIES_NAMES[i]: f.gas.fed[i] for i in range(SPECIES)},
            "pumped_mol": {SPECIES_NAMES[i]: f.gas.pumped[i] for i in range(SPECIES)},
            "reacted_mol": {SPECIES_NAMES[i]: f.gas.reacted[i] for i in range(SPECIES)},
            "flow_mol_s": [f.gas.feed[i].flow * f.gas.feed[i].gain for i in range(FEEDS)],
            "mfc_gain": [f.gas.feed[i].gain for i in range(FEEDS)],
            "outflow_mol_s": f.gas.pumps.flow_out,
            "foreline_pa": f.gas.pumps.foreline,
            "throttle": f.gas.pumps.throttle,
            "isolation": f.gas.pumps.isolation,
            "deposited_mol": f.film.deposited,
            "mean_temperature_k": f.film.temperature_moment / f.film.total_rate if f.film.total_rate > 0.0 else None,
            "mean_silane_pa": f.film.silane_moment / f.film.total_rate if f.film.total_rate > 0.0 else None,
            "oxidant_ratio": f.film.oxidant_moment / f.film.total_rate if f.film.total_rate > 0.0 else None,
            "line_pa": f.gas.bottle.pressure,
            "line_gas_share": f.gas.bottle.gas / max(f.gas.bottle.gas + f.gas.bottle.nitrogen, 1e-30),
            "robot": f.handling.robot,
            "door": f.handling.door,
            "boat": f.handling.boat,
            "loads": f.film.loads,
        }
