"""Model predictive control as C functions: one estimate and one move a sample, over arrays that were worked out before.

docs/reference/scan.md, 6, has every operation in its order; the oracle in the tests is written from there.
"""

cdef struct Predictor:
    # What stays: sizes, weights of the iteration, and matrices by rows. The first `measured` states are what is
    # measured, the first `channels` of these what is held at its set point.
    int states
    int channels  # outputs, and process values that are controlled
    int measured
    int points  # moments of the future at which the process values are compared with their set points
    int blocks  # moves that are worked out ahead
    int iterations
    double rho
    double sigma
    double relax
    const double* y0  # [measured]
    const double* u0  # [channels]
    const double* a  # [states, states]
    const double* b  # [states, channels]
    const double* gain  # [states, measured]
    const double* free  # [points·channels, states]
    const double* held  # [points·channels, channels]
    const double* pull  # [blocks·channels, points·channels]
    const double* inverse  # [blocks·channels, blocks·channels]

cdef struct Estimate:
    # What changes. Everything is `double` in one piece of memory of numbers() places.
    double* state  # [states]
    double* expected  # [states]
    double* innovation  # [measured]
    double* watch  # [measured], mean absolute innovation
    double* deviation  # [channels]
    double* error  # [points·channels]
    double* slope  # [blocks·channels]
    double* right  # [blocks·channels]
    double* ahead  # [blocks·channels]
    double* moves  # [blocks·channels]
    double* near  # [2·blocks·channels]
    double* dual  # [2·blocks·channels]
    double* trial  # [2·blocks·channels]

cdef size_t predictor_numbers(const Predictor* p) noexcept nogil
# Numbers that the matrices take, in the order of the struct.

cdef size_t estimate_numbers(const Predictor* p) noexcept nogil
# Numbers that the memory takes.

cdef void place_predictor(Predictor* p, const double* numbers) noexcept nogil
# Lets the pointers of `p`, whose sizes are set, point into `numbers`.

cdef void place_estimate(const Predictor* p, Estimate* e, double* numbers) noexcept nogil

cdef void begin_estimate(const Predictor* p, Estimate* e, const double* measured) noexcept nogil
# Takes what is measured for the state; nothing is known of disturbances.

cdef void correct_estimate(
    const Predictor* p, Estimate* e, const double* measured, const double* applied, double watch_gain
) noexcept nogil
# One sample later: `applied` is the mean of the outputs since the last one.

cdef void forget_moves(const Predictor* p, Estimate* e) noexcept nogil
# The next search begins at no move.

cdef double find_moves(
    const Predictor* p,
    Estimate* e,
    const double* reference,
    const double* present,
    const double* low,
    const double* high,
    const double* rate,
) noexcept nogil
# Searches the moves of all blocks; returns by how much they fail their bounds. `reference` is [points·channels].
