"""The narrow door between a scan and a simulated plant: one function pointer and its state."""

cdef struct PlantInput:
    # A posting that the plant makes for the coming latch.
    int tag
    unsigned int status
    double value

ctypedef int (*plant_step_t)(void* state, long long scan, const double* values, PlantInput* inputs) noexcept nogil
# Steps the plant by one scan period, up to the scan whose index is `scan`. `values[t]` is the image of the previous
# scan (outputs as gated). Writes at most `capacity` postings and returns their number; the scan posts them with the
# coming row's time as their source. In slots that a real-time thread skips the plant stands still.

cdef struct PlantStep:
    plant_step_t step
    void* state
    int capacity
