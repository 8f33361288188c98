"""The oracle's rates of change (docs/reference/scan.md, Rates), written over a list of means.

One part of the plain-Python reference; `oracle.py` says how the parts belong together.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels.tables import RATE_POINTS, Op, TagKind
from tests.kernels.oracle_image import NAN, OracleImage, rows

Key = tuple[int, float]
"""Tag and window in scans."""


class OracleRate:
    """One rate: the straight line through the means of the last scans."""

    def __init__(self, image: OracleImage, tag: int, window: float, period_s: float) -> None:
        self.image, self.tag = image, tag
        self.every = math.ceil(window / RATE_POINTS)
        self.points = math.ceil(window / self.every)
        places = math.comb(self.points + 1, 3)
        self.divisor = float(places) * (float(self.every) * period_s)
        self.last = -1
        self.means: list[float] = []  # oldest first; empty: nothing is known
        self.values: list[tuple[float, int]] = []  # in the mean that is being made, with the scans that each stands for
        self.doubts: list[bool] = []  # of each mean: was a value Uncertain?
        self.doubt = False  # of the mean that is being made
        self.operand = NAN, 2

    def follow(self, scan: int) -> None:
        """Bring it up to a scan."""
        x, q = self.image.value[self.tag], self.image.q(self.tag)
        stands_for, self.last = scan - self.last, scan
        if q == 2 or not math.isfinite(x):
            self.means, self.operand = [], (NAN, 2)
            return
        slope = self.operand[0]
        if not self.means or stands_for >= self.every * self.points:
            self.means, self.doubts = [x] * self.points, [False] * self.points
            self.values, self.doubt = [], False
            stands_for, slope = 1, 0.0
        completed = False
        while stands_for:
            room = self.every - sum(scans for _, scans in self.values)
            taken = min(stands_for, room)
            stands_for -= taken
            self.values.append((x, taken))
            self.doubt = self.doubt or q == 1
            if taken == room:
                self.complete()
                completed = True
        if completed:
            slope = self.slope()
        known = math.isfinite(slope)
        self.operand = (slope, int(self.doubt or any(self.doubts))) if known else (NAN, 2)

    def complete(self) -> None:
        """Close the mean that is being made; the oldest goes."""
        total = 0.0
        for value, scans in self.values:
            total += value * float(scans)
        self.means = [*self.means[1:], total / float(self.every)]
        self.doubts = [*self.doubts[1:], self.doubt]
        self.values, self.doubt = [], False

    def slope(self) -> float:
        """Return the change per second, by least squares."""
        total, newest = 0.0, self.means[-1]
        for place, mean in enumerate(self.means):
            total += float(2 * place - (self.points - 1)) * (mean - newest)
        return total / self.divisor


class OracleRates:
    """All rates of a tool."""

    def __init__(self, image: OracleImage, code: NDArray[np.void], period_s: float) -> None:
        keys = {(row.arg, row.value) for row in rows(code) if row.op == Op.RATE}
        self.of = {key: OracleRate(image, *key, period_s) for key in sorted(keys)}
        self.computed = {tag for tag, _ in keys if image.tags[tag].kind == TagKind.COMPUTED}
        image.rate = lambda tag, window: self.of[tag, window].operand

    def follow_plain(self, scan: int) -> None:
        """Those of tags that are not computed, before all computed tags."""
        for (tag, _), rate in self.of.items():
            if tag not in self.computed:
                rate.follow(scan)

    def follow(self, tag: int, scan: int) -> None:
        """Those of a computed tag, right behind it."""
        for (of, _), rate in self.of.items():
            if of == tag:
                rate.follow(scan)
