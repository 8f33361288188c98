"""What a plant's Python class does with its instruments and orders: fill them in, let them run, hand them over."""

from libc.math cimport NAN
from libc.stdlib cimport calloc

import numpy as np

from hil.parts.handling cimport Handling
from hil.parts.instruments cimport SENSORS, Rack
from hil.parts.lines cimport DELAY, Panel
from hil.parts.noise cimport Noise, normal, seed_noise
from hil.parts.orders cimport Order, Orders, hand_over
from hil.parts.pumps cimport Pumps
from kernels.physics.constants cimport TORR, ZERO_CELSIUS
from kernels.plant cimport PlantInput, plant_step_t


cdef inline object fill(Rack* rack, sensors):
    # Everything about the instruments but what they look at; returns the index of each by the name of its tag
    cdef int i
    if len(sensors) > SENSORS:
        raise ValueError(f"a simulated tool has at most {SENSORS} instruments, not {len(sensors)}")
    periods, index = [], {}
    rack.sensors = len(sensors)
    for i, sensor in enumerate(sensors):
        rack.sensor[i].tag = sensor.tag
        rack.sensor[i].scale, rack.sensor[i].shift = sensor.scale, sensor.shift
        rack.sensor[i].noise, rack.sensor[i].relative = sensor.noise, sensor.relative
        rack.sensor[i].quantum = sensor.quantum
        rack.sensor[i].offset = sensor.offset_spread * normal(&rack.noise) if sensor.offset_spread else 0.0
        rack.sensor[i].drift = sensor.drift_spread * normal(&rack.noise) if sensor.drift_spread else 0.0
        rack.sensor[i].minimum, rack.sensor[i].maximum = sensor.minimum, sensor.maximum
        periods.append(max(1, round(sensor.period_s / rack.dt)))
        index[sensor.name] = i
    schedule(rack, periods)
    return index


cdef inline object schedule(Rack* rack, periods):
    # Instruments of one period are spread over it, so that no scan has to take them all. The owner frees the arrays.
    cdef int i, at = 0, slot, every
    rack.slots = int(np.lcm.reduce(np.array(periods, np.int64)))
    if rack.slots > 1_000_000:
        raise ValueError(f"periods of the inputs repeat only after {rack.slots} scans; use multiples of one another")
    due = [[] for _ in range(rack.slots)]
    for i, every in enumerate(periods):
        for slot in range(i % every, rack.slots, every):
            due[slot].append(i)
    rack.slot_start = <int*>calloc(rack.slots + 1, sizeof(int))
    rack.slot_sensor = <int*>calloc(sum(map(len, due)) + 1, sizeof(int))
    if rack.slot_start == NULL or rack.slot_sensor == NULL:
        raise MemoryError("no memory for the instruments' periods")
    for slot, indices in enumerate(due):
        rack.slot_start[slot] = at
        for i in indices:
            rack.slot_sensor[at] = i
            at += 1
    rack.slot_start[rack.slots] = at


cdef inline object give_order(Orders* orders, double dt, double at_s, int kind, int index, double value):
    # `at_s` in the plant's own time, negative for the next step
    cdef Order order
    order.at = -1 if at_s < 0.0 else <long long>(at_s / dt + 0.5)
    order.kind, order.index, order.value = kind, index, value
    if not hand_over(orders, order):
        raise BufferError("256 orders wait for the plant to step; let it run first")


cdef inline object run(plant_step_t plant, void* state, Rack* rack, const double[::1] values, long long steps):
    # Steps without a scan; the last posting of each tag as (values, statuses, how often)
    cdef PlantInput inputs[SENSORS]
    cdef long long _step
    cdef int i, count
    latest = np.full(len(values), NAN)
    status = np.zeros(len(values), np.uint32)
    posted = np.zeros(len(values), np.int64)
    cdef double[::1] v = latest
    cdef unsigned int[::1] s = status
    cdef long long[::1] n = posted
    with nogil:
        for _step in range(steps):
            count = plant(state, rack.step + 1, &values[0], inputs)
            for i in range(count):
                v[inputs[i].tag] = inputs[i].value
                s[inputs[i].tag] = inputs[i].status
                n[inputs[i].tag] += 1
    return latest, status, posted


cdef inline object normals(unsigned long long seed, int count):
    # Normal numbers of a generator of its own, so that measuring changes nothing
    cdef Noise noise
    cdef int _i
    seed_noise(&noise, seed)
    return np.array([normal(&noise) for _i in range(count)])


cdef inline object set_lines(Panel* panel, p, double dt):
    # Gas lines by a plant's parameters
    panel.dead_scans = round(p.mfc_dead_time_s / dt)
    if panel.dead_scans >= DELAY:
        raise ValueError(f"mfc_dead_time_s is at most {(DELAY - 1) * dt:g} s at this scan period")
    panel.frequency, panel.damping = p.mfc_frequency, p.mfc_damping
    panel.valve_speed = 1.0 / p.valve_s


cdef inline object set_pumps(Pumps* pumps, p):
    # Pumps and their valves by a plant's parameters; they run, and the way to them is open
    pumps.temperature = p.pump_c + ZERO_CELSIUS
    pumps.throttle_speed, pumps.isolation_speed = 1.0 / p.throttle_s, 1.0 / p.isolation_s
    pumps.throttle_closed, pumps.throttle_full = p.throttle_closed_l_s * 1e-3, p.throttle_full_l_s * 1e-3
    pumps.line = p.line_l_s * 1e-3
    pumps.dry_speed, pumps.booster_speed = p.dry_speed_l_s * 1e-3, p.booster_speed_l_s * 1e-3
    pumps.booster_pressure = p.booster_pressure_torr * TORR
    pumps.dry_ultimate, pumps.booster_ultimate = p.dry_ultimate_torr * TORR, p.booster_ultimate_torr * TORR
    pumps.throttle_stuck = NAN
    pumps.throttle = pumps.isolation = pumps.dry = pumps.booster = 1.0
    pumps.running = pumps.booster_running = 1.0


cdef inline object set_handling(Handling* h, tags):
    # Indices of the tool's outputs; the door is shut, the boat is in, wafers are there
    h.unlock, h.open, h.insert, h.withdraw, h.rotate = (
        tags["unlock"], tags["open"], tags["insert"], tags["withdraw"], tags["rotate"])
    h.l_req, h.u_req, h.ready, h.ho_avbl, h.es = (
        tags["l_req"], tags["u_req"], tags["ready"], tags["ho_avbl"], tags["es"])
    h.boat = h.present = h.door_closed = h.boat_in = 1.0


cdef inline double* handling_source(Handling* h, str name) except NULL:
    # What a contact of door, boat, rotation or robot looks at
    cdef str word = name.partition(".")[2]
    if word == "door_closed":
        return &h.door_closed
    if word == "door_opened":
        return &h.door_opened
    if word == "boat_in":
        return &h.boat_in
    if word == "boat_out":
        return &h.boat_out
    if word == "rotating":
        return &h.rotating
    if word == "present":
        return &h.present
    if word == "there":
        return &h.there
    if word == "valid":
        return &h.valid
    if word == "cs_0":
        return &h.cs_0
    if word == "tr_req":
        return &h.tr_req
    if word == "busy":
        return &h.busy
    if word == "compt":
        return &h.compt
    raise ValueError(f"wafer handling has no contact {word}")
