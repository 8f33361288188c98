"""The oracle's predictive control: an estimate and a search in plain Python, written from docs/reference/scan.md, 6.

Numbers are lists of floats; every sum starts at 0 and takes its terms one after the other, as the page says.
"""

from dataclasses import dataclass, field

from tests.kernels.oracle_image import clamp

Row = list[float]


def dot(row: Row, x: Row) -> float:
    """Add the products, the first one first."""
    total = 0.0
    for a, b in zip(row, x, strict=True):
        total = total + a * b
    return total


class Numbers:
    """Takes matrices by rows from one list."""

    def __init__(self, numbers: Row) -> None:
        self.numbers, self.at = numbers, 0

    def row(self, size: int) -> Row:
        """Take so many."""
        self.at += size
        return self.numbers[self.at - size : self.at]

    def matrix(self, rows: int, columns: int) -> list[Row]:
        """Take a matrix."""
        return [self.row(columns) for _ in range(rows)]


@dataclass
class OracleMpc:
    """A predictor with its estimate."""

    states: int
    channels: int
    measured: int
    points: int
    blocks: int
    iterations: int
    rho: float
    sigma: float
    relax: float
    numbers: Row
    state: Row = field(default_factory=list)
    innovation: Row = field(default_factory=list)
    watch: Row = field(default_factory=list)
    moves: Row = field(default_factory=list)

    def __post_init__(self) -> None:
        n, m, q, seen, moves = (
            self.states, self.channels, self.measured, self.points * self.channels, self.blocks * self.channels,
        )  # fmt: skip
        take = Numbers([float(x) for x in self.numbers])
        self.y0, self.u0 = take.row(q), take.row(m)
        self.a, self.b, self.gain = take.matrix(n, n), take.matrix(n, m), take.matrix(n, q)
        self.free, self.held = take.matrix(seen, n), take.matrix(seen, m)
        self.pull, self.inverse = take.matrix(moves, seen), take.matrix(moves, moves)
        self.innovation, self.watch = [0.0] * q, [0.0] * q
        self.state = [0.0] * n
        self.forget()

    def begin(self, measured: Row) -> None:
        """Take what is measured for the state."""
        self.state = [y - y0 for y, y0 in zip(measured, self.y0, strict=True)]
        self.state += [0.0] * (self.states - self.measured)
        self.watch = [0.0] * self.measured

    def correct(self, measured: Row, applied: Row, watch_gain: float = 0.0) -> None:
        """One sample later."""
        v = [u - u0 for u, u0 in zip(applied, self.u0, strict=True)]
        expected = [dot(a, self.state) + dot(b, v) for a, b in zip(self.a, self.b, strict=True)]
        self.innovation = [(measured[i] - self.y0[i]) - expected[i] for i in range(self.measured)]
        self.watch = [w + watch_gain * (abs(e) - w) for w, e in zip(self.watch, self.innovation, strict=True)]
        self.state = [e + dot(gain, self.innovation) for e, gain in zip(expected, self.gain, strict=True)]

    def forget(self) -> None:
        """Let the next search begin at no move."""
        moves = self.blocks * self.channels
        self.moves, self.near, self.dual = [0.0] * moves, [0.0] * (2 * moves), [0.0] * (2 * moves)

    def add_up(self, moves: Row) -> Row:
        """Where the outputs are after each block, from where they are now."""
        ahead: Row = []
        for i, x in enumerate(moves):
            ahead.append(x if i < self.channels else ahead[i - self.channels] + x)
        return ahead

    def slope(self, reference: Row, present: Row) -> Row:
        """Return the gradient of the program at no move."""
        v = [u - u0 for u, u0 in zip(present, self.u0, strict=True)]
        error = [
            (r - self.y0[i % self.channels]) - (dot(self.free[i], self.state) + dot(self.held[i], v))
            for i, r in enumerate(reference)
        ]
        return [-dot(pull, error) for pull in self.pull]

    def find(self, reference: Row, present: Row, low: Row, high: Row, rate: Row) -> float:
        """Search the moves; return by how much they fail their bounds."""
        m, count = self.channels, self.blocks * self.channels
        slope, rho = self.slope(reference, present), self.rho
        least = [-rate[i % m] for i in range(count)] + [low[i % m] - present[i % m] for i in range(count)]
        most = [rate[i % m] for i in range(count)] + [high[i % m] - present[i % m] for i in range(count)]
        for _ in range(self.iterations):
            pulled = [rho * z - y for z, y in zip(self.near, self.dual, strict=True)]
            sums = pulled[count:]
            for i in range(count - m - 1, -1, -1):
                sums[i] = sums[i] + sums[i + m]
            right = [((self.sigma * self.moves[i] - slope[i]) + pulled[i]) + sums[i] for i in range(count)]
            ahead = [dot(row, right) for row in self.inverse]
            trial = ahead + self.add_up(ahead)
            rest = 1.0 - self.relax
            self.moves = [self.relax * a + rest * x for a, x in zip(ahead, self.moves, strict=True)]
            for i in range(2 * count):
                mixed = self.relax * trial[i] + rest * self.near[i]
                nearest = clamp(mixed + self.dual[i] / rho, least[i], most[i])
                self.dual[i] = self.dual[i] + rho * (mixed - nearest)
                self.near[i] = nearest
        reached = self.moves + self.add_up(self.moves)
        return max(0.0, *(abs(a - z) for a, z in zip(reached, self.near, strict=True)))
