"""Instruments: readings with noise, quantisation, offset and drift, each at its own period, and their faults.

Status codes are those of OPC UA Part 6 annex A.
"""

from libc.math cimport NAN, floor

from hil.furnace.noise cimport normal
from hil.furnace.state cimport FROZEN, NOT_A_NUMBER, OPEN, SILENT, Furnace, Sensor
from kernels.plant cimport PlantInput

cdef extern from *:
    """
    #define CVD_GOOD 0x00000000u
    #define CVD_BAD_SENSOR_FAILURE 0x808C0000u
    """
    const unsigned int GOOD "CVD_GOOD"
    const unsigned int BAD_SENSOR_FAILURE "CVD_BAD_SENSOR_FAILURE"


cdef inline int post(Furnace* f, int index, PlantInput* out) noexcept nogil:
    # Writes at most one posting; returns how many. The generator advances the same way whatever the fault.
    cdef Sensor* sensor = &f.sensor[index]
    cdef double reading = sensor.source[0] * sensor.scale + sensor.shift
    if sensor.noise > 0.0:
        reading += sensor.noise * normal(&f.noise)
    if sensor.relative > 0.0:
        reading *= 1.0 + sensor.relative * normal(&f.noise)
    reading += sensor.offset + sensor.drift * f.step * f.dt
    if sensor.quantum > 0.0:
        reading = floor(reading / sensor.quantum + 0.5) * sensor.quantum
    reading = sensor.minimum if reading < sensor.minimum else reading
    reading = sensor.maximum if reading > sensor.maximum else reading
    out.tag = sensor.tag
    out.status = GOOD
    if sensor.fault == SILENT:
        return 0
    if sensor.fault == FROZEN:
        reading = sensor.frozen
    else:
        sensor.frozen = reading
    if sensor.fault == OPEN:
        out.status = BAD_SENSOR_FAILURE
        reading = NAN
    elif sensor.fault == NOT_A_NUMBER:
        reading = NAN
    out.value = reading
    return 1


cdef inline int post_all(Furnace* f, PlantInput* out) noexcept nogil:
    cdef int i, count = 0
    for i in range(f.sensors):
        count += post(f, i, &out[count])
    return count


cdef inline int post_due(Furnace* f, PlantInput* out) noexcept nogil:
    cdef int slot = <int>(f.step % f.slots), i, count = 0
    for i in range(f.slot_start[slot], f.slot_start[slot + 1]):
        count += post(f, f.slot_sensor[i], &out[count])
    return count
