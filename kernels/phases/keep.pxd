"""The scan's whole state as bytes, so that a run can be executed again without what was before it.

Kept is everything that a later scan reads: the tags with demands, ramps, forces and saved values, the latched inputs,
conditions, loops and the run. Left out is what the tape tells by itself, postings and commands that no scan has
latched yet, and what only tells of the past: events, rows, counters of lost records.
"""

from libc.string cimport memcpy

from kernels.atomics cimport load_acquire, store_release, u64
from kernels.phases.publish cimport show_all
from kernels.phases.state cimport ConditionCounts, PROGRAM_SLOTS, Run, ScanState

cdef enum:
    KEPT_MAGIC = 0x35305443  # CT05; another layout gets another one

cdef struct KeptHead:
    # What lies in single words.
    u64 magic
    u64 bytes  # of the whole
    u64 first_bytes  # of the arrays before the mailboxes, and behind them
    u64 second_bytes
    long long k
    long long skipped
    u64 digest
    int forced_count
    int ramp_count
    int armed
    int auxiliary  # whose program the auxiliary channel runs: 0 none, 1 the safe sequence, 2 the loaded one
    ConditionCounts counts
    int pad
    Run run


# The arrays lie in one arena in the order in which they were taken (lay_out_state).
cdef inline u64 first_bytes(const ScanState* s) noexcept nogil:
    return <u64>(<char*>s.mail - <char*>s.value)


cdef inline u64 second_bytes(const ScanState* s) noexcept nogil:
    return <u64>(<char*>s.commands - <char*>s.condition)


cdef inline u64 kept_bytes(const ScanState* s) noexcept nogil:
    return sizeof(KeptHead) + first_bytes(s) + second_bytes(s)


cdef inline void keep(ScanState* s, char* into) noexcept nogil:
    """Copy the state as the last scan left it."""
    cdef KeptHead* head = <KeptHead*>into
    cdef int slot
    head.magic = KEPT_MAGIC
    head.bytes = kept_bytes(s)
    head.first_bytes = first_bytes(s)
    head.second_bytes = second_bytes(s)
    head.k = s.k
    head.skipped = s.skipped
    head.digest = s.digest
    head.forced_count = s.forced_count
    head.ramp_count = s.ramp_count
    head.armed = s.armed
    head.counts = s.counts
    head.pad = 0
    head.run = s.run
    head.auxiliary = 0
    if s.run.auxiliary_program != NULL:
        head.auxiliary = 1 if s.run.auxiliary_program == s.run.safe else 2
    head.run.safe = head.run.auxiliary_program = NULL
    for slot in range(PROGRAM_SLOTS):
        head.run.slots[slot] = NULL
    memcpy(into + sizeof(KeptHead), s.value, head.first_bytes)
    memcpy(into + sizeof(KeptHead) + head.first_bytes, s.condition, head.second_bytes)


cdef inline bint fits(const ScanState* s, const char* kept, u64 size) noexcept nogil:
    """Whether these bytes were kept by a scan of the same tables."""
    cdef const KeptHead* head = <const KeptHead*>kept
    return (
        size >= sizeof(KeptHead)
        and head.magic == KEPT_MAGIC
        and head.bytes == size
        and size == kept_bytes(s)
        and head.first_bytes == first_bytes(s)
        and head.second_bytes == second_bytes(s)
    )


cdef inline void take_up(ScanState* s, const char* kept) noexcept nogil:
    """Go on from a kept state; this scan's own programs take the place of those that were there."""
    cdef const KeptHead* head = <const KeptHead*>kept
    cdef Run mine = s.run
    cdef int slot
    s.k = head.k
    s.skipped = head.skipped
    s.digest = head.digest
    s.forced_count = head.forced_count
    s.ramp_count = head.ramp_count
    s.armed = head.armed
    s.counts = head.counts
    s.run = head.run
    s.run.safe = mine.safe
    for slot in range(PROGRAM_SLOTS):
        s.run.slots[slot] = mine.slots[slot]
    s.run.auxiliary_program = NULL
    if head.auxiliary == 1:
        s.run.auxiliary_program = mine.safe
    elif head.auxiliary == 2 and s.run.slot >= 0:
        s.run.auxiliary_program = mine.slots[s.run.slot]
    memcpy(s.value, kept + sizeof(KeptHead), head.first_bytes)
    memcpy(s.condition, kept + sizeof(KeptHead) + head.first_bytes, head.second_bytes)
    show_all(s)


cdef inline void keep_if_wanted(ScanState* s) noexcept nogil:
    """At the end of each scan: somebody who does not run it may want the state."""
    cdef u64 wanted = load_acquire(&s.keep_wanted)
    if wanted != s.keep_done:
        keep(s, s.keep_into)
        store_release(&s.keep_done, wanted)
