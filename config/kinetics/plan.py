"""What a table of chemistry spans."""

import math
from dataclasses import dataclass, field
from pathlib import Path

POINTS = 200_000
"""No table has more points than this, however it is refined."""


class KineticsError(Exception):
    """A mechanism cannot be tabulated as asked; the text says why and what would do."""


@dataclass(frozen=True)
class Grid:
    """One axis: from, to, number of points."""

    low: float
    high: float
    count: int

    def values(self, scale: str) -> tuple[float, ...]:
        """Return the points, evenly spread in the axis' own coordinate."""
        if self.count == 1:
            return (self.low,)
        steps = [i / (self.count - 1) for i in range(self.count)]
        if scale == "log":
            inner = [self.low * (self.high / self.low) ** s for s in steps]
        elif scale == "reciprocal":
            inner = [1.0 / (1.0 / self.low + s * (1.0 / self.high - 1.0 / self.low)) for s in steps]
        else:
            inner = [self.low + s * (self.high - self.low) for s in steps]
        return (self.low, *inner[1:-1], self.high)

    def finer(self) -> "Grid":
        """Return the grid with a point between every two."""
        return Grid(self.low, self.high, max(2 * self.count - 1, 2))


@dataclass(frozen=True)
class Plan:
    """What to tabulate.

    Temperatures in K, pressures in Pa, mole fractions by species: each of them is an axis on a logarithmic scale
    (temperature: reciprocal), and the other species share what is left in the proportions of `base`, or of the
    mechanism's own initial state.
    """

    mechanism: Path | str
    temperature: Grid
    pressure: Grid
    fractions: dict[str, Grid] = field(default_factory=dict[str, Grid])
    base: dict[str, float] = field(default_factory=dict[str, float])
    surface: str | None = None
    phase: str | None = None
    residence_s: float | None = None
    tolerance: float = 0.01
    held_out: int = 100
    seed: int = 1

    def faults(self) -> list[str]:
        """Return everything that is wrong with the plan."""
        found = [
            f"{name}: {fault}"
            for name, grid in {"temperature": self.temperature, "pressure": self.pressure, **self.fractions}.items()
            for fault in _grid_faults(grid)
        ]
        found += [f"{name}: a mole fraction is at most 1" for name, grid in self.fractions.items() if grid.high > 1.0]
        if sum(grid.high for grid in self.fractions.values()) > 1.0:
            found.append("the mole fractions can add up to more than 1")
        if not 1e-6 <= self.tolerance <= 1.0:
            found.append(f"tolerance must be 1e-6 … 1, is {self.tolerance:g}")
        if not 1 <= self.held_out <= 100_000:
            found.append(f"held-out points must be 1 … 100000, are {self.held_out}")
        if self.residence_s is not None and not 0.0 < self.residence_s < math.inf:
            found.append(f"residence time must be above 0, is {self.residence_s:g}")
        if not all(0.0 <= share < math.inf for share in self.base.values()):
            found.append("the base composition has no negative shares")
        return found


def parse_grid(text: str) -> Grid:
    """Read `low:high:count`, or one number for a fixed value.

    Raises:
        KineticsError: it is neither.
    """
    parts = text.split(":")
    try:
        if len(parts) == 1:
            return Grid(float(text), float(text), 1)
        low, high, count = parts
        return Grid(float(low), float(high), int(count))
    except ValueError:
        raise KineticsError(f"{text!r}: a range is LOW:HIGH:COUNT, as in 900:1300:9, or one number") from None


def _grid_faults(grid: Grid) -> list[str]:
    if not (0.0 < grid.low < math.inf and 0.0 < grid.high < math.inf):
        return [f"{grid.low:g} … {grid.high:g} must be finite and above 0"]
    if grid.count == 1:
        return [] if grid.low == grid.high else ["one point cannot span a range"]
    if not grid.low < grid.high:
        return [f"{grid.low:g} must be below {grid.high:g}"]
    return [] if 2 <= grid.count <= 1000 else [f"2 … 1000 points, not {grid.count}"]
