"""Instruments: readings with noise, quantisation, offset and drift, each at its own period, and their faults.

Status codes are those of OPC UA Part 6 annex A.
"""

from libc.math cimport NAN, floor

from hil.parts.noise cimport Noise, normal
from kernels.plant cimport PlantInput

cdef enum:
    SENSORS = 128

# What an instrument's fault does.
cdef enum:
    HEALTHY = 0
    OPEN = 1  # posts Bad
    SILENT = 2  # posts nothing
    NOT_A_NUMBER = 3
    FROZEN = 4

cdef extern from *:
    """
    #define CVD_GOOD 0x00000000u
    #define CVD_BAD_SENSOR_FAILURE 0x808C0000u
    """
    const unsigned int GOOD "CVD_GOOD"
    const unsigned int BAD_SENSOR_FAILURE "CVD_BAD_SENSOR_FAILURE"

cdef struct Sensor:
    int tag
    int fault
    double* source
    double scale, shift  # reading = source × scale + shift
    double noise, relative, quantum, offset, drift, frozen
    double minimum, maximum  # where the instrument saturates

cdef struct Rack:
    # All instruments of a plant, its clock and its one source of chance
    double dt
    long long step
    long long scan  # of the last postings
    Noise noise
    int sensors
    Sensor sensor[SENSORS]
    int slots  # scans until the pattern of postings repeats
    int* slot_start  # [slots + 1]
    int* slot_sensor


cdef inline int post(Rack* rack, int index, PlantInput* out) noexcept nogil:
    # Writes at most one posting; returns how many. The generator advances the same way whatever the fault.
    cdef Sensor* sensor = &rack.sensor[index]
    cdef double reading = sensor.source[0] * sensor.scale + sensor.shift
    if sensor.noise > 0.0:
        reading += sensor.noise * normal(&rack.noise)
    if sensor.relative > 0.0:
        reading *= 1.0 + sensor.relative * normal(&rack.noise)
    reading += sensor.offset + sensor.drift * rack.step * rack.dt
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


cdef inline int post_due(Rack* rack, long long scan, PlantInput* out) noexcept nogil:
    # What is due in this scan. Everything in the first one, and after scans that were skipped: instruments went on
    # measuring while the controller was late.
    cdef int i, slot, count = 0
    cdef bint follows = scan == rack.scan + 1
    rack.scan = scan
    if rack.step == 0 or not follows:
        for i in range(rack.sensors):
            count += post(rack, i, &out[count])
        return count
    slot = <int>(rack.step % rack.slots)
    for i in range(rack.slot_start[slot], rack.slot_start[slot + 1]):
        count += post(rack, rack.slot_sensor[i], &out[count])
    return count
