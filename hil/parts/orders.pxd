"""Orders: what a fault script changes, handed from Python to the step without a lock and carried out at its scan."""

from hil.parts.instruments cimport Rack
from kernels.atomics cimport load_acquire, load_relaxed, store_release

cdef enum:
    ORDERS = 256

# What an order changes on every plant; `index` and `value` are said beside each. A plant's own begin at ORDER_OWN.
cdef enum:
    ORDER_SITUATION = 0  # situation, its value
    ORDER_SENSOR = 1  # sensor, its fault
    ORDER_OFFSET = 2  # sensor, what is added to its reading
    ORDER_DRIFT = 3  # sensor, what is added a second
    ORDER_OWN = 4

cdef extern from *:
    """
    #define CVD_NEVER 0x7fffffffffffffffLL
    """
    const long long NEVER "CVD_NEVER"

cdef struct Order:
    long long at
    int kind
    int index
    double value

cdef struct Orders:
    # `ring` is filled by Python, drained by the step; `waiting` is the step's own
    unsigned long long ring_in
    unsigned long long ring_out
    Order ring[ORDERS]
    int waiting_count
    long long next_at
    Order waiting[ORDERS]


cdef inline bint hand_over(Orders* orders, Order order) noexcept nogil:
    # Called from Python; false when the ring is full
    cdef unsigned long long at = load_relaxed(&orders.ring_in)
    if at - load_acquire(&orders.ring_out) >= ORDERS:
        return False
    orders.ring[at % ORDERS] = order
    store_release(&orders.ring_in, at + 1)
    return True


cdef inline int take_orders(Orders* orders, long long step, Order* due) noexcept nogil:
    # Moves new orders to those that wait, then gives out what is due, in the order in which it was given
    cdef unsigned long long out, until
    cdef int i, kept = 0, count = 0
    if orders.ring_in == orders.ring_out and step < orders.next_at:
        return 0
    out, until = orders.ring_out, load_acquire(&orders.ring_in)
    while out < until and orders.waiting_count < ORDERS:
        orders.waiting[orders.waiting_count] = orders.ring[out % ORDERS]
        if orders.waiting[orders.waiting_count].at < orders.next_at:
            orders.next_at = orders.waiting[orders.waiting_count].at
        orders.waiting_count += 1
        out += 1
    store_release(&orders.ring_out, out)
    if step < orders.next_at:
        return 0
    orders.next_at = NEVER
    for i in range(orders.waiting_count):
        if orders.waiting[i].at <= step:
            due[count] = orders.waiting[i]
            count += 1
        else:
            if orders.waiting[i].at < orders.next_at:
                orders.next_at = orders.waiting[i].at
            orders.waiting[kept] = orders.waiting[i]
            kept += 1
    orders.waiting_count = kept
    return count


cdef inline bint carry_out(Rack* rack, double* situation, const Order* order) noexcept nogil:
    # What every plant has; false for a plant's own
    cdef int i = order.index
    cdef double value = order.value
    if order.kind == ORDER_SITUATION:
        situation[i] = value
    elif order.kind == ORDER_SENSOR:
        rack.sensor[i].fault = <int>value
    elif order.kind == ORDER_OFFSET:
        rack.sensor[i].offset += value
    elif order.kind == ORDER_DRIFT:
        # The drift begins at this moment: what it has made since the start is taken off the offset.
        rack.sensor[i].offset += (rack.sensor[i].drift - value) * rack.step * rack.dt
        rack.sensor[i].drift = value
    else:
        return False
    return True
