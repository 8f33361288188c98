"""Events and tape records: what the scan says besides its image. A full buffer loses the newest and counts it."""

from kernels.atomics cimport load_acquire, store_relaxed, store_release
from kernels.phases.state cimport EVENT_RING, ScanState, TAPE_RING
from kernels.tables cimport EVENT_LOST, EventRow, TAPE_INPUT, TapeRow


cdef inline void put_event(ScanState* s, long long scan, int kind, int index, double a, double b) noexcept nogil:
    cdef EventRow* row = &s.events[s.event_head % EVENT_RING]
    row.scan = scan
    row.kind = kind
    row.index = index
    row.a = a
    row.b = b
    store_release(&s.event_head, s.event_head + 1)


cdef inline int free_events(ScanState* s) noexcept nogil:
    return EVENT_RING - <int>(s.event_head - load_acquire(&s.event_tail))


cdef inline void emit_at(ScanState* s, long long scan, int kind, int index, double a, double b) noexcept nogil:
    """Emit an event; where room was missing before, its number comes first."""
    cdef int room = free_events(s)
    if s.events_lost > 0 and room >= 2:
        put_event(s, scan, EVENT_LOST, 0, <double>s.events_lost, 0.0)
        s.events_lost = 0
        room -= 1
    if room < 1 or s.events_lost > 0:
        s.events_lost += 1
        return
    put_event(s, scan, kind, index, a, b)


cdef inline void emit(ScanState* s, int kind, int index, double a=0.0, double b=0.0) noexcept nogil:
    emit_at(s, s.k, kind, index, a, b)


cdef inline void tell_lost_events(ScanState* s) noexcept nogil:
    """At the end of a scan: tell of loss as soon as there is room, not only with the next event."""
    if s.events_lost > 0 and free_events(s) >= 1:
        put_event(s, s.k, EVENT_LOST, 0, <double>s.events_lost, 0.0)
        s.events_lost = 0


cdef inline TapeRow* tape_row(ScanState* s, long long scan, int kind) noexcept nogil:
    """Return the next record with scan and kind set and all else 0; NULL when the tape is off or full."""
    cdef TapeRow* row
    if not s.taping:
        return NULL
    if s.tape_head - load_acquire(&s.tape_tail) >= TAPE_RING:
        store_relaxed(&s.tape_lost, s.tape_lost + 1)
        return NULL
    row = &s.tape[s.tape_head % TAPE_RING]
    row.scan = scan
    row.kind = kind
    row.index = 0
    row.status = 0
    row.op = 0
    row.value = 0.0
    row.value2 = 0.0
    row.source_ns = 0
    return row


cdef inline void record(ScanState* s) noexcept nogil:
    """Hand the record over that tape_row() returned."""
    store_release(&s.tape_head, s.tape_head + 1)


cdef inline void tape_input(
    ScanState* s, int tag, double value, unsigned int status, long long source_ns
) noexcept nogil:
    cdef TapeRow* row = tape_row(s, s.k, TAPE_INPUT)
    if row != NULL:
        row.index = tag
        row.status = status
        row.value = value
        row.source_ns = source_ns
        record(s)
