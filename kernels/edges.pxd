"""Where the scan thread hands its outputs to somebody who must have them at once (kernels.fast)."""

cdef struct EdgePort:
    # Called by the scan thread after each slot with the values of all tags, the scan's index and its deadline.
    void (*post)(void* state, const double* value, long long k, long long due_ns) noexcept nogil
    void* state
