"""Control charts and the rules that points break: numbers in, limits and names of rules out.

Sources: D. C. Montgomery, *Introduction to Statistical Quality Control*, 7th ed. (2013), 6.2-6.4 (charts, constants),
8.2 (capability); Western Electric Co., *Statistical Quality Control Handbook* (1956), pp. 25-28; L. S. Nelson, "The
Shewhart control chart - tests for special causes", J. Quality Technology 16 (1984) 237-239.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

D2 = 2.0 / math.sqrt(math.pi)
"""Mean of the range of two values in standard deviations: 1.128."""
D3 = math.sqrt(2.0 - D2 * D2)
"""Standard deviation of that range: 0.853."""
SIGMAS = 3.0
"""Control limits stand so far from the mean (Shewhart)."""
LONGEST = 15
"""Points that a rule looks at."""


def c4(count: int) -> float:
    """Mean of the standard deviation of so many values, for a normal distribution of one (Montgomery, eq. 6.25)."""
    half = count / 2.0
    return math.sqrt(2.0 / (count - 1)) * math.exp(math.lgamma(half) - math.lgamma(half - 0.5))


@dataclass(frozen=True)
class Point:
    """One run on a chart."""

    value: float
    """The individual value, or the mean of its subgroup."""
    spread: float | None = None
    """Moving range to the point before (individuals), or standard deviation of the subgroup (X-bar)."""
    count: int = 1
    """Values of the subgroup."""


@dataclass(frozen=True)
class Limits:
    """What points are held against."""

    mean: float
    sigma: float
    """Standard deviation of a single value."""
    individuals: bool
    ucl: float | None = None
    """Where somebody has set it; three standard deviations of the plotted value otherwise."""
    lcl: float | None = None

    def plotted_sigma(self, count: int) -> float:
        """Standard deviation of what is plotted."""
        return self.sigma if self.individuals else self.sigma / math.sqrt(count)

    def upper(self, count: int) -> float:
        """Upper control limit of a point."""
        return self.mean + SIGMAS * self.plotted_sigma(count) if self.ucl is None else self.ucl

    def lower(self, count: int) -> float:
        """Lower control limit of a point."""
        return self.mean - SIGMAS * self.plotted_sigma(count) if self.lcl is None else self.lcl

    def spread(self, count: int) -> tuple[float, float]:
        """Limits of the moving range or of the subgroup's standard deviation."""
        if self.individuals:
            return 0.0, (D2 + SIGMAS * D3) * self.sigma
        middle, width = c4(count), SIGMAS * math.sqrt(1.0 - c4(count) ** 2)
        return max(0.0, middle - width) * self.sigma, (middle + width) * self.sigma


def moving_range(value: float, before: float | None) -> float | None:
    """Distance to the point before."""
    return None if before is None else abs(value - before)


def subgroup(values: Sequence[float]) -> Point:
    """Make a point of the values of a run; two at least."""
    return Point(fmean(values), stdev(values), len(values))


def estimate(points: Sequence[Point], *, individuals: bool) -> Limits:
    """Make limits of points in order.

    Individuals: the mean moving range over d2. X-bar: the mean of the subgroups' standard deviations, each over its c4.

    Raises:
        ValueError: there are too few, or all values are the same.
    """
    spreads = [
        point.spread / (D2 if individuals else c4(point.count))
        for point in points[1 if individuals else 0 :]
        if point.spread is not None
    ]
    if not spreads:
        raise ValueError("no two points follow each other: there is no spread to make limits of")
    sigma = fmean(spreads)
    if sigma <= 0.0:
        raise ValueError("all points have the same value: limits of no width would be broken by every other one")
    weights = [float(point.count) for point in points]
    return Limits(fmean([point.value for point in points], weights), sigma, individuals)


def capability(mean: float, sigma: float, lsl: float | None, usl: float | None) -> tuple[float | None, float | None]:
    """Cp and Cpk; Cp needs both specification limits, Cpk one."""
    sides = [distance for distance in (
        None if usl is None else usl - mean, None if lsl is None else mean - lsl
    ) if distance is not None]  # fmt: skip
    if not sides or sigma <= 0.0:
        return None, None
    cp = None if usl is None or lsl is None else (usl - lsl) / (2 * SIGMAS * sigma)
    return cp, min(sides) / (SIGMAS * sigma)


# ------------------------------------------------------------------------------------------------------------- rules
Rule = Callable[[Sequence[float]], bool]
"""Whether the last of distances from the mean, in standard deviations, breaks a rule with those before it."""


def _zone(need: int, of: int, far: float) -> Rule:
    """`need` of the last `of` points beyond `far` on one side, the last of them too."""

    def broken(z: Sequence[float]) -> bool:
        last = z[-of:]
        return len(last) >= need and any(
            side * last[-1] > far and sum(side * one > far for one in last) >= need for side in (1, -1)
        )

    return broken


def _same_side(count: int) -> Rule:
    return _zone(count, count, 0.0)


def _trend(z: Sequence[float]) -> bool:
    last = z[-6:]
    steps = [after - before for before, after in pairwise(last)]
    return len(last) == 6 and (all(step > 0 for step in steps) or all(step < 0 for step in steps))


def _alternating(z: Sequence[float]) -> bool:
    last = z[-14:]
    steps = [after - before for before, after in pairwise(last)]
    return len(last) == 14 and all(one * other < 0 for one, other in pairwise(steps))


def _near(z: Sequence[float]) -> bool:
    last = z[-15:]
    return len(last) == 15 and all(abs(one) < 1.0 for one in last)


def _far(z: Sequence[float]) -> bool:
    last = z[-8:]
    return len(last) == 8 and all(abs(one) > 1.0 for one in last)


WESTERN_ELECTRIC: dict[str, tuple[str, Rule | None]] = {
    "WE1": ("a point beyond a control limit", None),
    "WE2": ("two of three beyond two standard deviations on one side", _zone(2, 3, 2.0)),
    "WE3": ("four of five beyond one standard deviation on one side", _zone(4, 5, 1.0)),
    "WE4": ("eight in a row on one side of the mean", _same_side(8)),
}
NELSON: dict[str, tuple[str, Rule | None]] = {
    "N1": ("a point beyond a control limit", None),
    "N2": ("nine in a row on one side of the mean", _same_side(9)),
    "N3": ("six in a row rising or falling", _trend),
    "N4": ("fourteen in a row, up and down in turn", _alternating),
    "N5": ("two of three beyond two standard deviations on one side", _zone(2, 3, 2.0)),
    "N6": ("four of five beyond one standard deviation on one side", _zone(4, 5, 1.0)),
    "N7": ("fifteen in a row within one standard deviation", _near),
    "N8": ("eight in a row beyond one standard deviation, on whichever side", _far),
}
RULES = WESTERN_ELECTRIC | NELSON
SETS = {"western_electric": tuple(WESTERN_ELECTRIC), "nelson": tuple(NELSON)}
BEYOND = frozenset({"WE1", "N1"})
SPREAD, USL, LSL = "SPREAD", "USL", "LSL"
WORDS = {name: words for name, (words, _) in RULES.items()} | {
    SPREAD: "moving range or standard deviation beyond its control limit",
    USL: "above the upper specification limit",
    LSL: "below the lower specification limit",
}


def broken(points: Sequence[Point], limits: Limits, rules: Sequence[str]) -> list[str]:
    """Name the rules that the last of the points breaks.

    Args:
        points: in order; those that were made under other limits are left out.
        limits: in force.
        rules: names out of `RULES`.
    """
    point = points[-1]
    found: list[str] = []
    z = [(one.value - limits.mean) / limits.plotted_sigma(one.count) for one in points[-LONGEST:]]
    for name in rules:
        rule = RULES[name][1]
        if rule is None:
            if not limits.lower(point.count) <= point.value <= limits.upper(point.count):
                found.append(name)
        elif rule(z):
            found.append(name)
    low, high = limits.spread(point.count)
    if point.spread is not None and not low <= point.spread <= high:
        found.append(SPREAD)
    return found


def outside(value: float, lsl: float | None, usl: float | None) -> list[str]:
    """Name the specification limits that a value is beyond."""
    return [*([USL] if usl is not None and value > usl else []), *([LSL] if lsl is not None and value < lsl else [])]
