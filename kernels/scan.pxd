from kernels.image cimport Image
from kernels.memory cimport Arena
from kernels.phases.state cimport PROGRAM_SLOTS, ProgramTables, ScanState

cdef void run_scan(ScanState* s, long long wall_ns) noexcept nogil
# Runs one scan; the attached plant has stepped before it. Row time is `wall_ns`.

cdef void skip_scans(ScanState* s, long long slots) noexcept nogil
# Accounts for missed slots.

cdef void step_plant(ScanState* s) noexcept nogil
# Lets the attached plant, if any, live through one period.


cdef class Scan:
    cdef ScanState* s
    cdef Arena arena
    cdef Arena event_arena
    cdef Arena tape_arena
    cdef Arena plant_arena
    cdef Image image
    cdef object plant
    cdef ProgramTables* safe
    cdef bint busy  # advanced by somebody: advance(), or a thread for as long as it lives
    cdef bint locked

    cdef int claim(self) except -1
    cdef void disclaim(self) noexcept
    cdef bint lock_memory(self) noexcept
    cdef int input_index(self, long long tag) except -1
