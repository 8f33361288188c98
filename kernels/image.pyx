"""The process image in shared memory: a snapshot, a flight ring at scan rate and a logging ring, in one memfd.

`layout.pxd` says where everything lies and how rows are written; this module makes, maps and reads images. A reader
copies and then looks whether the writer has come near to what it copied; it writes nothing and holds nothing, so it
can neither delay the writer nor damage the image: its mapping is read-only until it asks to be a writer (`heal`).
"""

import errno
import fcntl
import os
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kernels.tables import CONDITION_STATE as _CONDITION_STATE
from kernels.tables import Status

from libc.string cimport memcmp, memcpy, memset
from posix.mman cimport MAP_FAILED, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, mprotect, munmap

from kernels.atomics cimport fence_acquire, load_acquire, load_relaxed, store_release, u64
from kernels.layout cimport (
    CACHED_RINGS,
    CONTROL_OFFSET,
    ControlBlock,
    DATA_OFFSET,
    Geometry,
    HISTOGRAM_BUCKETS,
    ImageHeader,
    ImageWriter,
    LAYOUT_VERSION,
    ROW_HEAD,
    TimingBlock,
    conditions_of,
    control_of,
    flight_row,
    geometry,
    log_row,
)
from kernels.memory cimport populate
from kernels.tables cimport ConditionStateRow

LATENCY_EDGES_US = tuple(float(1 << power) for power in range(HISTOGRAM_BUCKETS - 1))

cdef enum:
    MOST_TAGS = 1 << 20
    MOST_CONDITIONS = 1 << 20
    SNAPSHOT_ATTEMPTS = 100_000
    TIMING_ATTEMPTS = 100_000

cdef const char* MAGIC = b"CVDIMAGE"
assert sizeof(ImageHeader) <= CONTROL_OFFSET
assert CONTROL_OFFSET + sizeof(ControlBlock) <= DATA_OFFSET

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
_MOST_BYTES = 1 << 40


def image_bytes(tags: int, conditions: int, flight_rows: int, log_rows: int) -> int:
    """Return the size in bytes of an image, so that a tool can be refused before anything is created."""
    return _geometry(tags, conditions, flight_rows, log_rows).size


cdef Geometry _geometry(tags, conditions, flight_rows, log_rows) except *:
    """Lay an image out, or say which count makes no sense."""
    for name, count, least, most in (
        ("tags", tags, 1, MOST_TAGS),
        ("conditions", conditions, 0, MOST_CONDITIONS),
        ("flight_rows", flight_rows, 2, _MOST_BYTES),
        ("log_rows", log_rows, 2, _MOST_BYTES),
    ):
        if not least <= count <= most:
            raise ValueError(f"an image of {count} {name} is not possible: from {least} to {most}")
    if (int(flight_rows) + int(log_rows)) * (20 * int(tags) + 256) > _MOST_BYTES:
        raise ValueError(f"{flight_rows} + {log_rows} rows of {tags} tags are more than {_MOST_BYTES} bytes")
    return geometry(tags, conditions, flight_rows, log_rows)


@dataclass(frozen=True)
class Snapshot:
    """One consistent copy of the newest row."""

    scan: int
    time_ns: int
    values: NDArray[np.float64]
    status: NDArray[np.uint32]
    source_ns: NDArray[np.int64]
    conditions: NDArray[np.void]


@dataclass(frozen=True)
class Rows:
    """Rows of a ring, oldest first; `lost` rows between the one asked for and the first are gone."""

    scan: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    status: NDArray[np.uint32]
    source_ns: NDArray[np.int64]
    next: int
    lost: int


@dataclass(frozen=True)
class Timing:
    """What the scan thread measured of itself since its start, in µs where it says so."""

    scans: int
    skipped: int
    overruns: int
    duration_us: float
    duration_max_us: float
    latency_us: float
    latency_max_us: float
    histogram: NDArray[np.int64]
    fifo: bool
    locked: bool
    generation: int


cdef void _copy_row(
    const char* row, const Geometry* at, long long* scan, long long* time_ns, double* values, unsigned int* status,
    long long* source,
) noexcept nogil:
    scan[0] = (<const long long*>row)[0]
    time_ns[0] = (<const long long*>row)[1]
    memcpy(values, row + ROW_HEAD, 8 * at.tags)
    memcpy(source, row + at.source_offset, 8 * at.tags)
    memcpy(status, row + at.status_offset, 4 * at.tags)


cdef class Image:
    """A mapped image. Readers copy and retry; they can never delay the writer."""

    def __cinit__(self):
        self.base = NULL
        self._fd = -1
        self.closed = True

    def __init__(self, fd: int) -> None:
        if self.base != NULL:
            raise RuntimeError("this image is mapped already")
        self._fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
        try:
            self._read_header()
            self.map_memory(False)
        except BaseException:
            os.close(self._fd)
            self._fd = -1
            raise
        self.closed = False

    def __dealloc__(self):
        self.unmap()
        if self._fd >= 0:
            os.close(self._fd)

    @staticmethod
    def create(
        *, tags: int, conditions: int, flight_rows: int, log_rows: int, layout: bytes = b""
    ) -> Image:
        """Make a new image in a sealed-size memfd. `layout` (at most 32 bytes) is a digest of the tag list."""
        cdef Geometry at = _geometry(tags, conditions, flight_rows, log_rows)
        cdef ImageHeader header
        if len(layout) > <int>sizeof(header.layout):
            raise ValueError(f"layout has {len(layout)} bytes; the header has room for {sizeof(header.layout)}")
        memset(&header, 0, sizeof(header))
        memcpy(header.magic, MAGIC, sizeof(header.magic))
        header.version = LAYOUT_VERSION
        header.tags = at.tags
        header.conditions = at.conditions
        header.flight_rows = at.flight_rows
        header.log_rows = at.log_rows
        header.size = at.size
        header.layout_length = len(layout)
        memcpy(header.layout, <const char*>layout, len(layout))
        fd = os.memfd_create("cvd-image", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            _reserve(fd, at.size)
            os.pwrite(fd, (<const char*>&header)[:sizeof(header)], 0)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
            return Image(fd)
        finally:
            os.close(fd)

    def _read_header(self) -> None:
        """Accept only what `create` has made: another file could shrink under the mapping and kill us by SIGBUS."""
        cdef ImageHeader header
        try:
            seals = fcntl.fcntl(self._fd, fcntl.F_GET_SEALS)
        except OSError:
            seals = 0
        if seals & _SEALS != _SEALS:
            raise ValueError("the descriptor holds no process image: it is not a memfd of sealed size")
        content = os.pread(self._fd, sizeof(header), 0)
        if len(content) < <int>sizeof(header):
            raise ValueError("the descriptor holds no process image: it is too short")
        memcpy(&header, <const char*>content, sizeof(header))
        if memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0:
            raise ValueError("the descriptor holds no process image: its first bytes are others")
        if header.version != LAYOUT_VERSION:
            raise ValueError(
                f"the process image has layout version {header.version}, this program reads {LAYOUT_VERSION}: "
                "both halves must come from one installation; restart the whole daemon"
            )
        self.at = _geometry(header.tags, header.conditions, header.flight_rows, header.log_rows)
        if header.size != self.at.size or os.fstat(self._fd).st_size != <object>self.at.size:
            raise ValueError("the process image has another size than its header says")
        if header.layout_length > sizeof(header.layout):
            raise ValueError("the process image has a damaged header")
        self._layout = (<const char*>header.layout)[:header.layout_length]

    cdef int map_memory(self, bint writable) except -1:
        """Map the memory, or make the mapping writable."""
        cdef void* base
        cdef int protection = PROT_READ | PROT_WRITE if writable else PROT_READ
        if self.base == NULL:
            base = mmap(NULL, self.at.size, protection, MAP_SHARED, self._fd, 0)
            if base == MAP_FAILED:
                raise MemoryError(f"the process image ({self.at.size} bytes) cannot be mapped")
            self.base = <char*>base
            self.writable = writable
        elif writable and not self.writable:
            if mprotect(self.base, self.at.size, protection) != 0:
                raise PermissionError(errno.EACCES, "the process image was opened for reading only")
            self.writable = True
        return 0

    cdef void unmap(self) noexcept:
        if self.base != NULL and self.copying == 0 and self.writers == 0:
            munmap(self.base, self.at.size)
            self.base = NULL

    cdef int begin_reading(self) except -1:
        if self.closed:
            raise ValueError("the process image is closed")
        self.copying += 1
        return 0

    cdef void end_reading(self) noexcept:
        self.copying -= 1
        if self.closed:
            self.unmap()

    cdef int attach_writer(self, ImageWriter* writer) except -1:
        """Make a scan the writer: it goes on behind the rows that are published already."""
        cdef ControlBlock* control
        if self.closed:
            raise ValueError("the process image is closed")
        if self.writers > 0:
            raise ValueError("another scan publishes into this process image")
        self.map_memory(True)
        control = control_of(self.base)
        writer.base = self.base
        writer.at = self.at
        writer.flight_done = load_acquire(&control.flight_done)
        writer.log_done = load_acquire(&control.log_done)
        writer.streams = self.at.row_bytes * self.at.flight_rows > CACHED_RINGS
        populate(self.base, self.at.size)  # best effort; the scan thread locks it besides
        self.writers += 1
        return 0

    cdef void detach_writer(self) noexcept:
        self.writers -= 1
        if self.closed:
            self.unmap()

    cdef TimingBlock* timing_block(self) noexcept:
        return &control_of(self.base).timing

    @property
    def fd(self) -> int:
        """Descriptor of the memory, for a child to inherit; closed with the image."""
        return self._fd

    @property
    def layout(self) -> bytes:
        """Digest of the tag list that the image was made for."""
        return self._layout

    @property
    def tags(self) -> int:
        """Number of tags."""
        return self.at.tags

    @property
    def conditions(self) -> int:
        """Number of conditions."""
        return self.at.conditions

    def snapshot(self) -> Snapshot:
        """Copy the newest row. Before the first scan: scan −1, no value known."""
        cdef size_t tags = self.at.tags
        cdef long long scan = -1
        cdef long long time_ns = 0
        cdef int result
        values = np.full(tags, np.nan)
        status = np.full(tags, Status.BAD_WAITING_FOR_INITIAL_DATA, np.uint32)
        source_ns = np.zeros(tags, np.int64)
        conditions = np.zeros(self.at.conditions, _CONDITION_STATE)
        conditions["last_trip"] = -1
        cdef double[::1] to_values = values
        cdef unsigned int[::1] to_status = status
        cdef long long[::1] to_source = source_ns
        cdef unsigned char[::1] to_conditions = conditions.view(np.uint8)
        cdef unsigned char* into_conditions = &to_conditions[0] if self.at.conditions > 0 else NULL
        self.begin_reading()
        try:
            with nogil:
                result = self.copy_newest(
                    &scan, &time_ns, &to_values[0], &to_status[0], &to_source[0], into_conditions
                )
        finally:
            self.end_reading()
        if result == 0:
            raise RuntimeError("the writer of the process image laps every copy: its memory is damaged")
        return Snapshot(scan, time_ns, values, status, source_ns, conditions)

    cdef int copy_newest(
        self, long long* scan, long long* time_ns, double* values, unsigned int* status, long long* source,
        unsigned char* conditions,
    ) noexcept nogil:
        """Copy the newest row; 0 when the writer lapped every attempt."""
        cdef ControlBlock* control = control_of(self.base)
        cdef size_t conditions_bytes = sizeof(ConditionStateRow) * self.at.conditions
        cdef u64 done
        cdef int _
        for _ in range(SNAPSHOT_ATTEMPTS):
            done = load_acquire(&control.flight_done)
            if done == 0:
                return 1
            _copy_row(flight_row(self.base, &self.at, done - 1), &self.at, scan, time_ns, values, status, source)
            if conditions != NULL:
                memcpy(conditions, conditions_of(self.base, &self.at, done - 1), conditions_bytes)
            fence_acquire()
            # Row done + 1 is the first that may lie where row done − 1 does (conditions lie modulo 2).
            if load_relaxed(&control.flight_begun) <= done + 1:
                return 1
        return 0

    def head(self) -> tuple[int, int]:
        """Return scan index and row count of the logging ring without copying (cheap: for watching progress)."""
        cdef ControlBlock* control
        if self.closed:
            raise ValueError("the process image is closed")
        control = control_of(self.base)
        rows = load_acquire(&control.log_done)
        return (<long long>load_acquire(&control.scan) if load_acquire(&control.flight_done) else -1), rows

    def logged(self, after: int, limit: int = 1 << 30) -> Rows:
        """Copy rows of the logging ring from row number `after` on (0 at first)."""
        return self._rows(False, after, limit)

    def flight(self, after: int = 0, limit: int = 1 << 30) -> Rows:
        """Copy rows of the flight ring from row number `after` on."""
        return self._rows(True, after, limit)

    def _rows(self, bint flight, after, limit) -> Rows:
        cdef u64 done, first, begun, capacity
        cdef u64 asked = max(0, after)
        cdef size_t count, gone
        cdef ControlBlock* control
        if limit < 0:
            raise ValueError(f"limit is {limit}: a number of rows is not negative")
        self.begin_reading()
        try:
            control = control_of(self.base)
            done = load_acquire(&control.flight_done if flight else &control.log_done)
            capacity = self.at.flight_rows if flight else self.at.log_rows
            first = max(asked, done - capacity if done > capacity else 0)
            count = min(done - first, <u64>limit) if done > first else 0
            copied = self.copy_rows(flight, first, count)
            fence_acquire()
            begun = load_relaxed(&control.flight_begun if flight else &control.log_begun)
        finally:
            self.end_reading()
        if first > done:  # of another image, or of one that was made anew
            return Rows(*copied, next=done, lost=0)
        # What the writer has begun to overwrite since was perhaps copied half.
        gone = min(count, begun - capacity - first) if begun > first + capacity else 0
        return Rows(*(column[gone:] for column in copied), next=first + count, lost=first + gone - asked)

    cdef tuple copy_rows(self, bint flight, u64 first, size_t count):
        cdef size_t tags = self.at.tags
        cdef size_t i
        scan = np.empty(count, np.int64)
        time_ns = np.empty(count, np.int64)
        values = np.empty((count, tags), np.float64)
        status = np.empty((count, tags), np.uint32)
        source_ns = np.empty((count, tags), np.int64)
        cdef long long[::1] to_scan = scan
        cdef long long[::1] to_time = time_ns
        cdef double[:, ::1] to_values = values
        cdef unsigned int[:, ::1] to_status = status
        cdef long long[:, ::1] to_source = source_ns
        with nogil:
            for i in range(count):
                _copy_row(
                    flight_row(self.base, &self.at, first + i) if flight else log_row(self.base, &self.at, first + i),
                    &self.at, &to_scan[i], &to_time[i], &to_values[i, 0], &to_status[i, 0], &to_source[i, 0],
                )
        return scan, time_ns, values, status, source_ns

    def timing(self) -> Timing:
        """Copy what the scan thread measured of itself."""
        cdef TimingBlock block
        cdef TimingBlock* shared
        cdef u64 done
        cdef int _, bucket
        if self.closed:
            raise ValueError("the process image is closed")
        shared = self.timing_block()
        for _ in range(TIMING_ATTEMPTS):
            done = load_acquire(&shared.done)
            memcpy(&block, shared, sizeof(block))
            fence_acquire()
            if load_relaxed(&shared.begun) == done:
                break
        histogram = np.array([block.histogram[bucket] for bucket in range(HISTOGRAM_BUCKETS)], np.int64)
        return Timing(
            scans=block.scans,
            skipped=block.skipped,
            overruns=block.overruns,
            duration_us=block.duration_ns / 1e3,
            duration_max_us=block.duration_max_ns / 1e3,
            latency_us=block.latency_ns / 1e3,
            latency_max_us=block.latency_max_ns / 1e3,
            histogram=histogram,
            fifo=block.fifo != 0,
            locked=block.locked != 0,
            generation=load_acquire(&control_of(self.base).generation),
        )

    def heal(self) -> None:
        """For a new writer, before its scan attaches: begin a generation and its timing.

        Rows need no repair: one whose writing was interrupted was never published, and the row that it overwrote counts
        as lost until the new writer writes that number again.
        """
        cdef ControlBlock* control
        if self.closed:
            raise ValueError("the process image is closed")
        if self.writers > 0:
            raise RuntimeError("a scan of this process publishes into the image; only a new writer may heal it")
        self.map_memory(True)
        control = control_of(self.base)
        memset(&control.timing, 0, sizeof(control.timing))
        store_release(&control.generation, load_acquire(&control.generation) + 1)

    def close(self) -> None:
        """Give the descriptor and, once nobody uses it, the mapping back."""
        if self.closed:
            return
        self.closed = True
        self.unmap()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _reserve(fd, size):
    """Take the memory now: a page that is missing later would end the scan by SIGBUS."""
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        raise MemoryError(
            f"{size / 1e6:.0f} MB of memory for the process image are not available ({error.strerror}); "
            "shorten its rings (scan.flight_s, scan.log_s)"
        ) from error
