"""Orders: what a fault script changes, handed from Python to the step without a lock and carried out at its scan."""

from libc.math cimport NAN, isnan

from hil.furnace.film cimport new_load
from hil.furnace.state cimport (
    ORDERS,
    ORDER_DRIFT,
    ORDER_ELEMENT,
    ORDER_FEED,
    ORDER_LEAK,
    ORDER_LOAD,
    ORDER_OFFSET,
    ORDER_SENSOR,
    ORDER_SITUATION,
    ORDER_THROTTLE,
    Furnace,
    Order,
)
from kernels.atomics cimport load_acquire, load_relaxed, store_release
from kernels.physics.constants cimport SCCM

cdef extern from *:
    """
    #define CVD_NEVER 0x7fffffffffffffffLL
    """
    const long long NEVER "CVD_NEVER"


cdef inline bint hand_over(Furnace* f, Order order) noexcept nogil:
    # Called from Python; false when the ring is full
    cdef unsigned long long at = load_relaxed(&f.ring_in)
    if at - load_acquire(&f.ring_out) >= ORDERS:
        return False
    f.ring[at % ORDERS] = order
    store_release(&f.ring_in, at + 1)
    return True


cdef inline void carry_out(Furnace* f, const Order* order) noexcept nogil:
    cdef int i = order.index
    cdef double value = order.value
    if order.kind == ORDER_SITUATION:
        f.situation[i] = value
    elif order.kind == ORDER_SENSOR:
        f.sensor[i].fault = <int>value
    elif order.kind == ORDER_OFFSET:
        f.sensor[i].offset += value
    elif order.kind == ORDER_DRIFT:
        # The drift begins at this moment: what it has made since the start is taken off the offset.
        f.sensor[i].offset += (f.sensor[i].drift - value) * f.step * f.dt
        f.sensor[i].drift = value
    elif order.kind == ORDER_FEED:
        f.gas.feed[i].stuck = value * SCCM
    elif order.kind == ORDER_LEAK:
        f.gas.leak = value * SCCM
    elif order.kind == ORDER_THROTTLE:
        f.gas.throttle_stuck = f.gas.throttle if value < 0.0 else value
        if isnan(value):
            f.gas.throttle_stuck = NAN
    elif order.kind == ORDER_ELEMENT:
        f.heat.health[i] = value
    elif order.kind == ORDER_LOAD:
        new_load(&f.film)


cdef inline void take_orders(Furnace* f) noexcept nogil:
    # Moves new orders to those that wait, then carries out what is due, in the order in which it was given
    cdef unsigned long long out = f.ring_out, until = load_acquire(&f.ring_in)
    cdef int i, kept = 0
    while out < until and f.waiting_count < ORDERS:
        f.waiting[f.waiting_count] = f.ring[out % ORDERS]
        if f.waiting[f.waiting_count].at < f.next_at:
            f.next_at = f.waiting[f.waiting_count].at
        f.waiting_count += 1
        out += 1
    store_release(&f.ring_out, out)
    if f.step < f.next_at:
        return
    f.next_at = NEVER
    for i in range(f.waiting_count):
        if f.waiting[i].at <= f.step:
            carry_out(f, &f.waiting[i])
        else:
            if f.waiting[i].at < f.next_at:
                f.next_at = f.waiting[i].at
            f.waiting[kept] = f.waiting[i]
            kept += 1
    f.waiting_count = kept
