"""Page-aligned memory taken once: tables and state lie together, so that they can be locked together."""

from libc.string cimport memset
from posix.mman cimport MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_READ, PROT_WRITE, mlock, mmap, munmap

cdef extern from *:
    """
    #include <sys/mman.h>
    #ifndef MADV_POPULATE_WRITE
    #define MADV_POPULATE_WRITE 23 /* Linux 5.14, include/uapi/asm-generic/mman-common.h */
    #endif
    static inline int cvd_populate(void *base, size_t size) { return madvise(base, size, MADV_POPULATE_WRITE); }
    """
    int populate "cvd_populate"(void* base, size_t size) noexcept nogil
    # Maps every page for writing without changing it; −1 on kernels before 5.14.

cdef enum:
    ALIGNMENT = 64  # a cache line: what two threads write never shares one

cdef struct Arena:
    char* base  # NULL while sizes are added up
    size_t size
    size_t used


cdef inline void* take(Arena* arena, size_t size) noexcept nogil:
    """Take the next `size` bytes; NULL in the pass that only adds up."""
    cdef size_t at = arena.used
    arena.used = (at + size + ALIGNMENT - 1) & ~<size_t>(ALIGNMENT - 1)
    return NULL if arena.base == NULL else <void*>(arena.base + at)


cdef inline bint map_arena(Arena* arena) noexcept nogil:
    """Map what was added up, zeroed and present; False when the system has no memory left."""
    cdef void* base
    arena.size = (arena.used + 4095) & ~<size_t>4095
    if arena.size == 0:
        arena.size = 4096
    base = mmap(NULL, arena.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    if base == MAP_FAILED:
        return False
    memset(base, 0, arena.size)  # every page present before a scan touches it
    arena.base = <char*>base
    arena.used = 0
    return True


cdef inline bint lock_arena(const Arena* arena) noexcept nogil:
    """Lock into memory; False when the limit (RLIMIT_MEMLOCK) forbids it."""
    return arena.base == NULL or mlock(arena.base, arena.size) == 0


cdef inline void unmap_arena(Arena* arena) noexcept nogil:
    """Give the memory back (which also unlocks it)."""
    if arena.base != NULL:
        munmap(arena.base, arena.size)
    arena.base = NULL
