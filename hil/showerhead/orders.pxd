"""Orders of the fault script that only a showerhead reactor has."""

from libc.math cimport NAN, isnan

from hil.parts.orders cimport ORDERS, Order, carry_out, take_orders
from hil.showerhead.film cimport new_wafer
from hil.showerhead.state cimport ORDER_FEED, ORDER_LEAK, ORDER_LOAD, ORDER_MATCH, ORDER_THROTTLE, Reactor
from kernels.physics.constants cimport SCCM


cdef inline void follow_orders(Reactor* f) noexcept nogil:
    cdef Order due[ORDERS]
    cdef int i, n, count = take_orders(&f.orders, f.rack.step, due)
    cdef double value
    for n in range(count):
        i, value = due[n].index, due[n].value
        if carry_out(&f.rack, f.situation, &due[n]):
            continue
        if due[n].kind == ORDER_FEED:
            f.gas.feed[i].stuck = value * SCCM
        elif due[n].kind == ORDER_LEAK:
            f.gas.leak = value * SCCM
        elif due[n].kind == ORDER_THROTTLE:
            f.gas.pumps.throttle_stuck = f.gas.pumps.throttle if value < 0.0 else value
            if isnan(value):
                f.gas.pumps.throttle_stuck = NAN
        elif due[n].kind == ORDER_MATCH:
            f.discharge.stuck = value
        elif due[n].kind == ORDER_LOAD:
            new_wafer(&f.film)
