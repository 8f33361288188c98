from kernels.atomics cimport u64
from kernels.layout cimport Geometry, ImageWriter, TimingBlock


cdef class Image:
    cdef char* base
    cdef Geometry at
    cdef bytes _layout
    cdef int _fd
    cdef int copying  # readers that are inside of the mapping without the GIL
    cdef int writers
    cdef bint closed
    cdef bint writable

    cdef int map_memory(self, bint writable) except -1
    cdef void unmap(self) noexcept
    cdef int begin_reading(self) except -1
    cdef void end_reading(self) noexcept
    cdef int attach_writer(self, ImageWriter* writer) except -1
    cdef void detach_writer(self) noexcept
    cdef TimingBlock* timing_block(self) noexcept
    cdef tuple copy_rows(self, bint flight, u64 first, size_t count)
    cdef int copy_newest(
        self, long long* scan, long long* time_ns, double* values, unsigned int* status, long long* source,
        unsigned char* conditions,
    ) noexcept nogil
