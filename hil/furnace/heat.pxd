"""Heat: element, tube and load of each zone, and the thermocouples that see them.

C·dT/dt = power − loss − Σ G·ΔT − Σ σ·A·Δ(T⁴), explicitly: the shortest time constant is half a minute at 1000 °C, the
step a tenth of a second. What leaves one node enters another, so energy is conserved to rounding.
"""

from hil.furnace.state cimport ZONES, Furnace, Heat
from hil.parts.lines cimport follow
from kernels.physics.radiation cimport radiated


cdef inline void heat_flow(Heat* heat, const double* power, double dt) noexcept nogil:
    # Advances the nodes; `power` in W as it arrives at the elements
    cdef double element[ZONES]
    cdef double tube[ZONES]
    cdef double load[ZONES]
    cdef double q
    cdef int z
    for z in range(ZONES):
        q = radiated(heat.element_tube, heat.element[z], heat.tube[z])
        element[z] = power[z] - q
        tube[z] = q
        q = radiated(heat.tube_load, heat.tube[z], heat.load[z])
        tube[z] -= q
        load[z] = q
        q = heat.loss * (heat.element[z] - heat.ambient)
        element[z] -= q
        heat.lost += q * dt
        heat.delivered += power[z] * dt
        if z == 0 or z == ZONES - 1:
            q = radiated(heat.tube_end, heat.tube[z], heat.flange)
            tube[z] -= q
            heat.lost += q * dt
    for z in range(ZONES - 1):
        q = heat.element_axial * (heat.element[z] - heat.element[z + 1])
        element[z] -= q
        element[z + 1] += q
        q = radiated(heat.tube_axial, heat.tube[z], heat.tube[z + 1])
        tube[z] -= q
        tube[z + 1] += q
        q = radiated(heat.load_axial, heat.load[z], heat.load[z + 1])
        load[z] -= q
        load[z + 1] += q
    for z in range(ZONES):
        heat.element[z] += element[z] * dt / heat.element_capacity
        heat.tube[z] += tube[z] * dt / heat.tube_capacity
        heat.load[z] += load[z] * dt / heat.load_capacity


cdef inline void thermocouples(Heat* heat, double dt) noexcept nogil:
    cdef double a = heat.spike_share, b = heat.profile_share
    cdef int z
    for z in range(ZONES):
        heat.spike[z] = follow(heat.spike[z], a * heat.element[z] + (1.0 - a) * heat.tube[z], dt / heat.spike_lag)
        heat.profile[z] = follow(heat.profile[z], b * heat.tube[z] + (1.0 - b) * heat.load[z], dt / heat.profile_lag)
    heat.boat = follow(heat.boat, heat.load[ZONES // 2], dt / heat.boat_lag)


cdef inline void heat_step(Furnace* f, const double* values, bint powered, double dt) noexcept nogil:
    cdef double power[ZONES]
    cdef double share
    cdef int z
    for z in range(ZONES):
        share = values[f.tags.power[z]] * 0.01
        share = 0.0 if not powered or share < 0.0 else (1.0 if share > 1.0 else share)
        power[z] = share * f.heat.full_power * f.heat.health[z]
    heat_flow(&f.heat, power, dt)
    thermocouples(&f.heat, dt)
