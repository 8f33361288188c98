"""Copies for readers in this process: drivers take outputs from here, not from memory that is shared with the server.

A reader copies the scan's own arrays while no scan is under way; at 1 kHz that succeeds at once. Where one scan follows
the other without a pause it asks instead, and the next scan leaves a copy behind.
"""

from libc.string cimport memcpy

from kernels.atomics cimport exchange, fence_acquire, fence_release, load_acquire, load_relaxed, store_relaxed
from kernels.atomics cimport store_release, u64
from kernels.phases.state cimport RowCopy, ScanState
from kernels.tables cimport ConditionStateRow

cdef extern from "<sched.h>" nogil:
    int sched_yield() noexcept

cdef enum:
    ATTEMPTS = 3  # before a copy is asked for


cdef inline void begin_scan(ScanState* s) noexcept nogil:
    store_relaxed(&s.scans_begun, s.scans_begun + 1)
    fence_release()


cdef inline void copy_all(const ScanState* s, const RowCopy* to) noexcept nogil:
    if to.value != NULL:
        memcpy(to.value, s.value, s.tag_count * sizeof(double))
        memcpy(to.status, s.status, s.tag_count * sizeof(int))
        memcpy(to.source, s.source, s.tag_count * sizeof(long long))
    if to.conditions != NULL:
        memcpy(to.conditions, s.condition, s.condition_count * sizeof(ConditionStateRow))


cdef inline void leave_copy(ScanState* s) noexcept nogil:
    store_relaxed(&s.copy_begun, s.copy_done + 1)
    fence_release()
    copy_all(s, &s.copies[s.copy_done & 1])
    store_release(&s.copy_done, s.copy_done + 1)


cdef inline void end_scan(ScanState* s) noexcept nogil:
    if load_relaxed(&s.copy_wanted) and exchange(&s.copy_wanted, 0):
        leave_copy(s)
    store_release(&s.scans_done, s.scans_begun)


cdef inline bint copy_between_scans(ScanState* s, const RowCopy* to) noexcept nogil:
    """Copy the scan's own arrays; False when a scan was under way."""
    cdef u64 done = load_acquire(&s.scans_done)
    if load_acquire(&s.scans_begun) != done:
        return False
    copy_all(s, to)
    fence_acquire()
    return load_relaxed(&s.scans_begun) == done


cdef inline bint copy_left_behind(ScanState* s, const RowCopy* to, u64 asked_at) noexcept nogil:
    """Copy what a scan has left since it was asked; False when none has, or the next one came near."""
    cdef u64 done = load_acquire(&s.copy_done)
    cdef const RowCopy* left
    if done <= asked_at:
        return False
    left = &s.copies[(done - 1) & 1]
    if to.value != NULL:
        memcpy(to.value, left.value, s.tag_count * sizeof(double))
        memcpy(to.status, left.status, s.tag_count * sizeof(int))
        memcpy(to.source, left.source, s.tag_count * sizeof(long long))
    if to.conditions != NULL:
        memcpy(to.conditions, left.conditions, s.condition_count * sizeof(ConditionStateRow))
    fence_acquire()
    return load_relaxed(&s.copy_begun) <= done + 1


cdef inline void copy_row(ScanState* s, const RowCopy* to) noexcept nogil:
    """Copy what the last scan left, of what `to` has room for (NULL: not wanted)."""
    cdef u64 asked_at
    cdef int attempt = 0
    while not copy_between_scans(s, to):
        attempt += 1
        if attempt < ATTEMPTS:
            continue
        asked_at = load_acquire(&s.copy_begun)
        store_release(&s.copy_wanted, 1)
        while load_acquire(&s.copy_done) <= asked_at and load_acquire(&s.scans_begun) != load_acquire(&s.scans_done):
            sched_yield()  # at most until the end of the scan that is under way
        if copy_left_behind(s, to, asked_at):
            return
