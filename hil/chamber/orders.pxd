"""Orders of the fault script that only a chamber has."""

from libc.math cimport NAN, isnan

from hil.chamber.state cimport (
    ORDER_BATH,
    ORDER_ELEMENT,
    ORDER_FEED,
    ORDER_FILAMENT,
    ORDER_LEAK,
    ORDER_LEVEL,
    ORDER_LOAD,
    ORDER_MATCH,
    ORDER_THROTTLE,
    Chamber,
)
from hil.chamber.surface cimport new_wafers
from hil.parts.orders cimport ORDERS, Order, carry_out, take_orders
from kernels.physics.constants cimport SCCM


cdef inline void follow_orders(Chamber* f) noexcept nogil:
    cdef Order due[ORDERS]
    cdef int i, n, count = take_orders(&f.orders, f.rack.step, due)
    cdef double value
    for n in range(count):
        i, value = due[n].index, due[n].value
        if carry_out(&f.rack, f.situation, &due[n]):
            continue
        if due[n].kind == ORDER_FEED:
            f.gas.line[i].feed.stuck = value * SCCM
        elif due[n].kind == ORDER_LEAK:
            f.gas.leak = value * SCCM
        elif due[n].kind == ORDER_THROTTLE:
            f.gas.pumps.throttle_stuck = f.gas.pumps.throttle if value < 0.0 else value
            if isnan(value):
                f.gas.pumps.throttle_stuck = NAN
        elif due[n].kind == ORDER_MATCH:
            f.energy.stuck = value
        elif due[n].kind == ORDER_LOAD:
            new_wafers(&f.surface)
        elif due[n].kind == ORDER_ELEMENT:
            f.heat.zone[i].element = value
        elif due[n].kind == ORDER_BATH:
            f.gas.line[i].bath_error = value
        elif due[n].kind == ORDER_LEVEL:
            f.gas.line[i].level = f.gas.line[i].filled if value < 0.0 else value
        elif due[n].kind == ORDER_FILAMENT:
            f.energy.ageing = value
