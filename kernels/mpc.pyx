"""Model predictive control with a fixed number of operations: for the scan, and as a library.

A linear model in discrete time is followed by a Kalman filter whose state includes a disturbance of every measured
value, so that what is controlled has no offset (Pannocchia and Rawlings, AIChE Journal 49 (2003) 426). Each sample a
quadratic program with bounds on outputs and their changes is solved by a fixed number of iterations of the operator
splitting method (Stellato et al., Mathematical Programming Computation 12 (2020) 637), with a matrix inverted
beforehand: the time is the same whatever is asked, and nothing is allocated. Only + − × ÷ and comparisons, in the
order written.
"""

import numpy as np

from libc.string cimport memset


cdef inline double clamp(double x, double low, double high) noexcept nogil:
    return low if x < low else (high if x > high else x)


cdef inline double magnitude(double x) noexcept nogil:
    return -x if x < 0 else x


cdef inline double dot(const double* row, const double* x, int count) noexcept nogil:
    cdef double total = 0.0
    cdef int j
    for j in range(count):
        total = total + row[j] * x[j]
    return total


cdef size_t predictor_numbers(const Predictor* p) noexcept nogil:
    cdef size_t n = p.states, m = p.channels, q = p.measured, seen = p.points * m, moves = p.blocks * m
    return q + m + n * n + n * m + n * q + seen * n + seen * m + moves * seen + moves * moves


cdef size_t estimate_numbers(const Predictor* p) noexcept nogil:
    cdef size_t n = p.states, m = p.channels, q = p.measured, seen = p.points * m, moves = p.blocks * m
    return 2 * n + 2 * q + m + seen + 4 * moves + 6 * moves


cdef void place_predictor(Predictor* p, const double* numbers) noexcept nogil:
    cdef size_t n = p.states, m = p.channels, q = p.measured, seen = p.points * m, moves = p.blocks * m
    p.y0 = numbers
    p.u0 = p.y0 + q
    p.a = p.u0 + m
    p.b = p.a + n * n
    p.gain = p.b + n * m
    p.free = p.gain + n * q
    p.held = p.free + seen * n
    p.pull = p.held + seen * m
    p.inverse = p.pull + moves * seen


cdef void place_estimate(const Predictor* p, Estimate* e, double* numbers) noexcept nogil:
    cdef size_t n = p.states, m = p.channels, q = p.measured, seen = p.points * m, moves = p.blocks * m
    e.state = numbers
    e.expected = e.state + n
    e.innovation = e.expected + n
    e.watch = e.innovation + q
    e.deviation = e.watch + q
    e.error = e.deviation + m
    e.slope = e.error + seen
    e.right = e.slope + moves
    e.ahead = e.right + moves
    e.moves = e.ahead + moves
    e.near = e.moves + moves
    e.dual = e.near + 2 * moves
    e.trial = e.dual + 2 * moves


cdef void begin_estimate(const Predictor* p, Estimate* e, const double* measured) noexcept nogil:
    cdef int i
    for i in range(p.states):
        e.state[i] = 0.0
    for i in range(p.measured):
        e.state[i] = measured[i] - p.y0[i]
        e.watch[i] = 0.0


cdef void correct_estimate(
    const Predictor* p, Estimate* e, const double* measured, const double* applied, double watch_gain
) noexcept nogil:
    cdef int i, n = p.states, m = p.channels, q = p.measured
    for i in range(m):
        e.deviation[i] = applied[i] - p.u0[i]
    for i in range(n):
        e.expected[i] = dot(p.a + i * n, e.state, n) + dot(p.b + i * m, e.deviation, m)
    for i in range(q):
        e.innovation[i] = (measured[i] - p.y0[i]) - e.expected[i]
        e.watch[i] = e.watch[i] + watch_gain * (magnitude(e.innovation[i]) - e.watch[i])
    for i in range(n):
        e.state[i] = e.expected[i] + dot(p.gain + i * q, e.innovation, q)


cdef void forget_moves(const Predictor* p, Estimate* e) noexcept nogil:
    cdef size_t moves = p.blocks * p.channels
    memset(e.moves, 0, moves * sizeof(double))
    memset(e.near, 0, 2 * moves * sizeof(double))
    memset(e.dual, 0, 2 * moves * sizeof(double))


cdef inline void aim(const Predictor* p, Estimate* e, const double* reference, const double* present) noexcept nogil:
    # What is missing at every point if nothing is moved, and where that pulls the moves.
    cdef int i, n = p.states, m = p.channels, seen = p.points * p.channels
    cdef double expected
    for i in range(m):
        e.deviation[i] = present[i] - p.u0[i]
    for i in range(seen):
        expected = dot(p.free + i * n, e.state, n) + dot(p.held + i * m, e.deviation, m)
        e.error[i] = (reference[i] - p.y0[i % m]) - expected
    for i in range(p.blocks * m):
        e.slope[i] = -dot(p.pull + i * seen, e.error, seen)


cdef inline void iterate(
    const Predictor* p, Estimate* e, const double* present, const double* low, const double* high, const double* rate
) noexcept nogil:
    cdef int i, channel, m = p.channels, moves = p.blocks * p.channels
    cdef double least, most, mixed, next_one
    cdef double rest = 1.0 - p.relax
    for i in range(moves):
        e.right[i] = p.rho * e.near[moves + i] - e.dual[moves + i]
    for i in range(moves - m - 1, -1, -1):
        e.right[i] = e.right[i] + e.right[i + m]
    for i in range(moves):
        e.right[i] = ((p.sigma * e.moves[i] - e.slope[i]) + (p.rho * e.near[i] - e.dual[i])) + e.right[i]
    for i in range(moves):
        e.ahead[i] = dot(p.inverse + i * moves, e.right, moves)
    for i in range(moves):
        e.trial[i] = e.ahead[i]
        e.trial[moves + i] = e.ahead[i] if i < m else e.ahead[i] + e.trial[moves + i - m]
        e.moves[i] = p.relax * e.ahead[i] + rest * e.moves[i]
    for i in range(2 * moves):
        channel = i % m
        if i < moves:
            least = -rate[channel]
            most = rate[channel]
        else:
            least = low[channel] - present[channel]
            most = high[channel] - present[channel]
        mixed = p.relax * e.trial[i] + rest * e.near[i]
        next_one = clamp(mixed + e.dual[i] / p.rho, least, most)
        e.dual[i] = e.dual[i] + p.rho * (mixed - next_one)
        e.near[i] = next_one


cdef double find_moves(
    const Predictor* p,
    Estimate* e,
    const double* reference,
    const double* present,
    const double* low,
    const double* high,
    const double* rate,
) noexcept nogil:
    cdef int i, _, m = p.channels, moves = p.blocks * p.channels
    cdef double residual = 0.0, off
    aim(p, e, reference, present)
    for _ in range(p.iterations):
        iterate(p, e, present, low, high, rate)
    for i in range(moves):
        e.ahead[i] = e.moves[i] if i < m else e.ahead[i - m] + e.moves[i]
        off = magnitude(e.moves[i] - e.near[i])
        residual = off if off > residual else residual
        off = magnitude(e.ahead[i] - e.near[moves + i])
        residual = off if off > residual else residual
    return residual


cdef class Mpc:
    """One predictor with its estimate, for tests and as a library."""

    cdef Predictor plan
    cdef Estimate memory
    cdef object _numbers
    cdef object _memory

    def __init__(
        self, states, channels, measured, points, blocks, iterations, rho, sigma, relax, numbers
    ):
        cdef const double[::1] given
        cdef double[::1] kept
        for name, size in (("states", states), ("channels", channels), ("measured", measured), ("points", points),
                           ("blocks", blocks), ("iterations", iterations)):  # fmt: skip
            if not 1 <= size <= 10_000:
                raise ValueError(f"{name} is {size}: at least 1")
        if not channels <= measured <= states:
            raise ValueError(f"channels ≤ measured ≤ states, not {channels}, {measured} and {states}")
        if not rho > 0 or not sigma >= 0 or not 0 < relax < 2:
            raise ValueError(f"rho is above 0, sigma not below, relax between 0 and 2; not {rho}, {sigma} and {relax}")
        self.plan.states, self.plan.channels, self.plan.measured = states, channels, measured
        self.plan.points, self.plan.blocks, self.plan.iterations = points, blocks, iterations
        self.plan.rho, self.plan.sigma, self.plan.relax = rho, sigma, relax
        self._numbers = np.array(numbers, np.float64)
        if self._numbers.shape != (predictor_numbers(&self.plan),) or not np.isfinite(self._numbers).all():
            raise ValueError(f"numbers are {predictor_numbers(&self.plan)} finite ones in a row")
        given = self._numbers
        place_predictor(&self.plan, &given[0])
        self._memory = np.zeros(estimate_numbers(&self.plan))
        kept = self._memory
        place_estimate(&self.plan, &self.memory, &kept[0])

    def begin(self, measured):
        """Take what is measured for the state."""
        cdef const double[::1] y = self._row("measured", measured, self.plan.measured)
        begin_estimate(&self.plan, &self.memory, &y[0])

    def correct(self, measured, applied, watch_gain=0.0):
        """Follow the model for one sample with the outputs that were applied, and correct it by what is measured."""
        cdef const double[::1] y = self._row("measured", measured, self.plan.measured)
        cdef const double[::1] u = self._row("applied", applied, self.plan.channels)
        correct_estimate(&self.plan, &self.memory, &y[0], &u[0], watch_gain)

    def forget(self):
        """Let the next search begin at no move."""
        forget_moves(&self.plan, &self.memory)

    def find(self, reference, present, low, high, rate):
        """Search the moves, [blocks, channels]; the second result says by how much they fail their bounds."""
        cdef const double[::1] r = self._row("reference", reference, self.plan.points * self.plan.channels)
        cdef const double[::1] u = self._row("present", present, self.plan.channels)
        cdef const double[::1] least = self._row("low", low, self.plan.channels)
        cdef const double[::1] most = self._row("high", high, self.plan.channels)
        cdef const double[::1] step = self._row("rate", rate, self.plan.channels)
        cdef double residual
        with nogil:
            residual = find_moves(&self.plan, &self.memory, &r[0], &u[0], &least[0], &most[0], &step[0])
        start = self.memory.moves - self.memory.state
        moves = self._memory[start:start + self.plan.blocks * self.plan.channels]
        return moves.reshape(self.plan.blocks, self.plan.channels).copy(), residual

    @property
    def state(self):
        """The estimated state, [states]."""
        return self._memory[: self.plan.states].copy()

    @property
    def innovation(self):
        """What was measured beyond what was expected, [measured]."""
        start = self.memory.innovation - self.memory.state
        return self._memory[start:start + self.plan.measured].copy()

    def _row(self, name, values, size):
        row = np.ascontiguousarray(values, np.float64).reshape(-1)
        if row.shape != (size,) or not np.isfinite(row).all():
            raise ValueError(f"{name} has {size} finite numbers")
        return row
