"""Phase 8: system tags, source times, digest, and the row that readers see."""

from kernels.atomics cimport store_relaxed, u64
from kernels.layout cimport publish_row
from kernels.phases.emit cimport record, tape_row, tell_lost_events
from kernels.phases.program cimport completed_cycles
from kernels.phases.state cimport DIGEST_EVERY, ScanState
from kernels.phases.write cimport bits_of
from kernels.tables cimport (
    TAG_ARMED,
    TAG_BYPASSED,
    TAG_CYCLE,
    TAG_FORCED,
    TAG_LATCHED,
    TAG_RUN_ELAPSED_S,
    TAG_RUN_STATE,
    TAG_SKIPPED_SLOTS,
    TAG_STEP,
    TAG_STEP_ELAPSED_S,
    TAG_TRIPPED,
    TAPE_DIGEST,
    TapeRow,
)

cdef extern from *:
    """
    /* FNV-1a, 64 bits (Fowler, Noll, Vo), over a value's 8 and a status' 4 bytes, lowest first. A zero byte only
       multiplies, so a run of n of them multiplies by the prime's nth power: valves and Good statuses are mostly
       zeros, and the chain of multiplications is what the digest costs. */
    #define CVD_FNV_OFFSET 0xCBF29CE484222325ull
    static const unsigned long long cvd_fnv_power[9] = {
        1ull, 0x100000001B3ull,
        0x100000001B3ull * 0x100000001B3ull,
        0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull,
        0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull,
        0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull,
        0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull
            * 0x100000001B3ull,
        0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull
            * 0x100000001B3ull * 0x100000001B3ull,
        0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull
            * 0x100000001B3ull * 0x100000001B3ull * 0x100000001B3ull,
    };
    static inline unsigned long long cvd_fnv(unsigned long long h, unsigned long long bits, int bytes)
    {
        int zeros;
        if (bits == 0) return h * cvd_fnv_power[bytes];
        zeros = __builtin_ctzll(bits) >> 3;
        h *= cvd_fnv_power[zeros];
        bits >>= 8 * zeros;
        for (bytes -= zeros; bytes > 0; bytes--) { h = (h ^ (bits & 0xFF)) * 0x100000001B3ull; bits >>= 8; }
        return h;
    }
    """
    const u64 FNV_OFFSET "CVD_FNV_OFFSET"
    u64 fnv "cvd_fnv"(u64 digest, u64 bits, int bytes) noexcept nogil


cdef inline void set_system_tags(ScanState* s) noexcept nogil:
    s.value[TAG_RUN_STATE] = <double>s.run.state
    s.value[TAG_STEP] = <double>s.run.step
    s.value[TAG_STEP_ELAPSED_S] = <double>s.run.step_elapsed * s.period_s
    s.value[TAG_RUN_ELAPSED_S] = <double>s.run.run_elapsed * s.period_s
    s.value[TAG_CYCLE] = <double>completed_cycles(&s.run)
    s.value[TAG_TRIPPED] = <double>(s.counts.trips_in_force + s.counts.holds_in_force)
    s.value[TAG_LATCHED] = <double>s.counts.latched
    s.value[TAG_BYPASSED] = <double>s.counts.bypassed
    s.value[TAG_FORCED] = <double>s.forced_count
    s.value[TAG_SKIPPED_SLOTS] = <double>s.skipped
    s.value[TAG_ARMED] = 1.0 if s.armed else 0.0


cdef inline void show(ScanState* s, int i) noexcept nogil:
    """Remember what a stamped tag shows in this row."""
    s.shown_value[i] = s.value[s.stamped[i]]
    s.shown_status[i] = s.status[s.stamped[i]]


cdef inline void show_all(ScanState* s) noexcept nogil:
    """Remember a row that no scan has made: the start, or a state that was taken up."""
    cdef int i
    for i in range(s.stamped_count):
        show(s, i)
    s.conditions_unpublished = 2


cdef inline void stamp(ScanState* s, long long wall_ns) noexcept nogil:
    """Give every tag that the scan writes the time of its last change."""
    cdef int i, tag
    for i in range(s.stamped_count):
        tag = s.stamped[i]
        if bits_of(s.value[tag]) != bits_of(s.shown_value[i]) or s.status[tag] != s.shown_status[i]:
            s.source[tag] = wall_ns
            show(s, i)


cdef inline void continue_digest(ScanState* s) noexcept nogil:
    cdef u64 digest = s.digest
    cdef int i, tag
    cdef TapeRow* row
    for i in range(s.output_count):
        tag = s.outputs[i]
        digest = fnv(fnv(digest, bits_of(s.value[tag]), 8), s.status[tag], 4)
    store_relaxed(&s.digest, digest)
    if s.taping and s.k % DIGEST_EVERY == 0:
        row = tape_row(s, s.k, TAPE_DIGEST)
        if row != NULL:
            row.source_ns = <long long>digest
            record(s)


cdef inline void publish(ScanState* s, long long wall_ns) noexcept nogil:
    set_system_tags(s)
    stamp(s, wall_ns)
    continue_digest(s)
    if s.publishes:
        publish_row(
            &s.image, s.k, wall_ns, s.k % s.log_every == 0, s.value, s.status, s.source,
            s.condition if s.conditions_unpublished > 0 else NULL,
        )
        s.conditions_unpublished -= s.conditions_unpublished > 0
    tell_lost_events(s)
