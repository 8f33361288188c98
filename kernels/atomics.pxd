"""Atomic loads, stores and fences of the compiler: what the image, the mailboxes and the queues are ordered by.

The pattern is everywhere the same. A writer announces (`begun`), writes, and publishes (`done`). A reader takes `done`,
copies, and looks at `begun` again: a copy that the writer has come near to is thrown away. Nobody ever waits.
"""

cdef extern from *:
    """
    typedef unsigned long long cvd_u64;
    static inline cvd_u64 cvd_load_acquire(const cvd_u64 *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
    static inline cvd_u64 cvd_load_relaxed(const cvd_u64 *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
    static inline void cvd_store_release(cvd_u64 *p, cvd_u64 v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
    static inline void cvd_store_relaxed(cvd_u64 *p, cvd_u64 v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
    static inline cvd_u64 cvd_fetch_or(cvd_u64 *p, cvd_u64 v) { return __atomic_fetch_or(p, v, __ATOMIC_ACQ_REL); }
    static inline cvd_u64 cvd_exchange(cvd_u64 *p, cvd_u64 v) { return __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL); }
    static inline void *cvd_exchange_pointer(void **p, void *v) { return __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL); }
    static inline void *cvd_load_pointer(void **p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
    static inline int cvd_compare_exchange(cvd_u64 *p, cvd_u64 expected, cvd_u64 v)
    { return __atomic_compare_exchange_n(p, &expected, v, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE); }
    static inline void cvd_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
    static inline void cvd_fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }
    """
    ctypedef unsigned long long u64 "cvd_u64"
    u64 load_acquire "cvd_load_acquire"(const u64* p) noexcept nogil
    u64 load_relaxed "cvd_load_relaxed"(const u64* p) noexcept nogil
    void store_release "cvd_store_release"(u64* p, u64 v) noexcept nogil
    void store_relaxed "cvd_store_relaxed"(u64* p, u64 v) noexcept nogil
    u64 fetch_or "cvd_fetch_or"(u64* p, u64 v) noexcept nogil
    u64 exchange "cvd_exchange"(u64* p, u64 v) noexcept nogil
    void* exchange_pointer "cvd_exchange_pointer"(void** p, void* v) noexcept nogil
    void* load_pointer "cvd_load_pointer"(void** p) noexcept nogil
    bint compare_exchange "cvd_compare_exchange"(u64* p, u64 expected, u64 v) noexcept nogil
    void fence_acquire "cvd_fence_acquire"() noexcept nogil
    void fence_release "cvd_fence_release"() noexcept nogil
