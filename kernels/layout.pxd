"""Where everything lies in the memory of a process image, and how its one writer puts a row there.

    header | control block | condition states × 2 | flight ring | logging ring

A row is (scan, time_ns | values f8[N] | source_ns i8[N] | status u4[N]), each part padded to a cache line. Row number n
lies at n modulo the ring's length. The newest row of the flight ring and the condition states n modulo 2 are the
snapshot: the writer works on the next row while readers copy this one, so a reader has a whole scan to do so, and a
writer that dies in the middle leaves every published row as it was.
"""

from libc.string cimport memcpy

from kernels.atomics cimport fence_release, store_relaxed, store_release, u64
from kernels.tables cimport ConditionStateRow

cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    /* Rows of a large ring go past the caches: they are read long after, if at all, and memory is not read for them. */
    static inline void cvd_stream(void *to, const void *from, size_t size)
    {
        char *t = (char *)to;
        const char *f = (const char *)from;
        size_t i;
        for (i = 0; i < size; i += 16)
            _mm_stream_si128((__m128i *)(t + i), _mm_load_si128((const __m128i *)(f + i)));
    }
    /* Such stores are not ordered by a release. */
    static inline void cvd_stream_end(void) { _mm_sfence(); }
    #else
    static inline void cvd_stream(void *to, const void *from, size_t size) { __builtin_memcpy(to, from, size); }
    static inline void cvd_stream_end(void) { }
    #endif
    """
    void stream "cvd_stream"(void* to, const void* source, size_t size) noexcept nogil
    void stream_end "cvd_stream_end"() noexcept nogil

cdef enum:
    LAYOUT_VERSION = 2
    CONTROL_OFFSET = 256
    DATA_OFFSET = 4096
    HISTOGRAM_BUCKETS = 22  # upper edges 1 µs … 2^20 µs, and what is longer
    ROW_HEAD = 64
    CACHED_RINGS = 1 << 22  # bytes; greater ones are streamed past the caches

cdef struct ImageHeader:
    char magic[8]
    unsigned int version
    unsigned int tags
    unsigned int conditions
    unsigned int layout_length
    u64 flight_rows
    u64 log_rows
    u64 size
    unsigned char layout[32]

cdef struct TimingBlock:
    u64 begun
    u64 done
    long long scans
    long long skipped
    long long overruns
    long long duration_ns
    long long duration_max_ns
    long long latency_ns
    long long latency_max_ns
    long long fifo
    long long locked
    long long histogram[HISTOGRAM_BUCKETS]

cdef struct ControlBlock:
    # `begun` counts rows whose writing has started, `done` those that are complete: done ≤ begun ≤ done + 1.
    u64 flight_begun
    u64 flight_done
    u64 log_begun
    u64 log_done
    u64 scan
    u64 generation
    TimingBlock timing

cdef struct Geometry:
    # Offsets and sizes, computed from the counts and never read from the shared memory again.
    size_t tags
    size_t conditions
    u64 flight_rows
    u64 log_rows
    size_t source_offset  # within a row
    size_t status_offset
    size_t row_bytes
    size_t conditions_bytes
    size_t flight_offset
    size_t log_offset
    size_t size

cdef struct ImageWriter:
    # The writer's own counters: another process that scribbles into the image cannot lead it astray.
    char* base
    Geometry at
    u64 flight_done
    u64 log_done
    bint streams


cdef inline size_t padded(size_t size) noexcept nogil:
    return (size + 63) & ~<size_t>63


cdef inline Geometry geometry(size_t tags, size_t conditions, u64 flight_rows, u64 log_rows) noexcept nogil:
    """Lay an image out."""
    cdef Geometry g
    g.tags = tags
    g.conditions = conditions
    g.flight_rows = flight_rows
    g.log_rows = log_rows
    g.source_offset = ROW_HEAD + padded(8 * tags)
    g.status_offset = g.source_offset + padded(8 * tags)
    g.row_bytes = g.status_offset + padded(4 * tags)
    g.conditions_bytes = padded(conditions * sizeof(ConditionStateRow))
    g.flight_offset = DATA_OFFSET + 2 * g.conditions_bytes
    g.log_offset = g.flight_offset + g.row_bytes * flight_rows
    g.size = g.log_offset + g.row_bytes * log_rows
    return g


cdef inline ControlBlock* control_of(char* base) noexcept nogil:
    return <ControlBlock*>(base + CONTROL_OFFSET)


cdef inline char* flight_row(char* base, const Geometry* at, u64 row) noexcept nogil:
    return base + at.flight_offset + at.row_bytes * <size_t>(row % at.flight_rows)


cdef inline char* log_row(char* base, const Geometry* at, u64 row) noexcept nogil:
    return base + at.log_offset + at.row_bytes * <size_t>(row % at.log_rows)


cdef inline char* conditions_of(char* base, const Geometry* at, u64 row) noexcept nogil:
    return base + DATA_OFFSET + at.conditions_bytes * <size_t>(row & 1)


cdef inline void fill_row(
    char* row, const Geometry* at, bint streams, long long scan, long long time_ns,
    const double* values, const unsigned int* status, const long long* source,
) noexcept nogil:
    """Write a row. The sources are padded like the row, so that whole cache lines are copied."""
    (<long long*>row)[0] = scan
    (<long long*>row)[1] = time_ns
    if streams:
        stream(row + ROW_HEAD, values, padded(8 * at.tags))
        stream(row + at.source_offset, source, padded(8 * at.tags))
        stream(row + at.status_offset, status, padded(4 * at.tags))
    else:
        memcpy(row + ROW_HEAD, values, 8 * at.tags)
        memcpy(row + at.source_offset, source, 8 * at.tags)
        memcpy(row + at.status_offset, status, 4 * at.tags)


cdef inline void publish_row(
    ImageWriter* w, long long scan, long long time_ns, bint log, const double* values,
    const unsigned int* status, const long long* source, const ConditionStateRow* conditions,
) noexcept nogil:
    """Publish one scan: flight ring always, logging ring where asked.

    `conditions` is NULL when both copies of the condition states are what they should be already.
    """
    cdef ControlBlock* control = control_of(w.base)
    store_relaxed(&control.flight_begun, w.flight_done + 1)
    if log:
        store_relaxed(&control.log_begun, w.log_done + 1)
    fence_release()
    fill_row(flight_row(w.base, &w.at, w.flight_done), &w.at, w.streams, scan, time_ns, values, status, source)
    if conditions != NULL:
        memcpy(conditions_of(w.base, &w.at, w.flight_done), conditions, w.at.conditions * sizeof(ConditionStateRow))
    if log:
        fill_row(log_row(w.base, &w.at, w.log_done), &w.at, w.streams, scan, time_ns, values, status, source)
        w.log_done += 1
    stream_end()
    if log:
        store_release(&control.log_done, w.log_done)
    w.flight_done += 1
    store_release(&control.scan, <u64>scan)
    store_release(&control.flight_done, w.flight_done)
