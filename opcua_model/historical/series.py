"""A tag's rows as Part 13 looks at them: which values count, which are skipped, and what surrounds a moment."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

GOOD: Final = 0
UNCERTAIN: Final = 0x40A40000
"""UncertainDataSubNormal: a calculation that skipped or doubted values."""
NO_DATA: Final = 0x809B0000
BAD: Final = 0x80000000

# Historian bits, with InfoType DataValue (Part 4, 7.39.1; Part 11, table 33).
CALCULATED: Final = 0x0401
INTERPOLATED: Final = 0x0402
PARTIAL: Final = 0x0404
MULTIPLE: Final = 0x0410

MILLISECOND: Final = 1_000_000
"""In ns; the last value of a series holds for so long (Part 13, 3.1.3: the effective end of what is known)."""


@dataclass(frozen=True)
class Rules:
    """AggregateConfiguration (Part 13, 4.2.1.2), and whether the tag moves in steps."""

    treat_uncertain_as_bad: bool = True
    percent_bad: int = 100
    percent_good: int = 100
    sloped_extrapolation: bool = False
    stepped: bool = False

    def valid(self) -> bool:
        """Percentages leave no value both good and bad (Part 13, 4.2.1.2)."""
        percents = (self.percent_bad, self.percent_good)
        return all(0 <= one <= 100 for one in percents) and sum(percents) >= 100


@dataclass(frozen=True)
class Intervals:
    """Stretches of time that are calculated separately: [n] begins, [n] ends, in ns; chronological within each."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    backward: bool = False
    """Time flows backwards: the later end belongs to an interval, the earlier one does not."""
    cut: NDArray[np.bool_] | None = None
    """Which of them are shorter than asked for."""

    @property
    def stamps(self) -> NDArray[np.int64]:
        """Times under which results stand."""
        return self.high if self.backward else self.low

    def __len__(self) -> int:
        return len(self.low)


def intervals(start: int, end: int, width: int) -> Intervals:
    """Divide a stretch (Part 13, 5.4.2.2); 0: one interval, the last one may be shorter."""
    span = abs(end - start)
    width = width or max(span, 1)
    count = max(1, -(-span // width))
    steps = np.arange(count, dtype=np.int64) * width
    if end >= start:
        low = start + steps
        high = np.minimum(low + width, end)
        return Intervals(low, high, backward=False, cut=high - low < width)
    high = start - steps
    low = np.maximum(high - width, end)
    return Intervals(low, high, backward=True, cut=high - low < width)


class Series:
    """Rows in order of time, judged by rules.

    Args:
        times: [n], ns.
        values: [n].
        codes: [n], OPC UA status codes.
        rules: which values count.
    """

    def __init__(
        self, times: NDArray[np.int64], values: NDArray[np.float64], codes: NDArray[np.uint32], rules: Rules
    ) -> None:
        self.times, self.values, self.codes, self.rules = times, values, codes, rules
        severity = codes >> np.uint32(30)
        finite = np.isfinite(values)
        self.good = (severity == 0) & finite
        self.uncertain = (severity == 1) & finite
        self.usable = self.good if rules.treat_uncertain_as_bad else self.good | self.uncertain
        self.absent = codes == NO_DATA
        """Marks in the history that there is none."""
        self.skipped = ~self.usable & ~self.absent

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """Rows with usable values."""
        return np.flatnonzero(self.usable)

    @cached_property
    def known_times(self) -> NDArray[np.int64]:
        """Times of usable values."""
        return self.times[self.places]

    @cached_property
    def known(self) -> NDArray[np.float64]:
        """Usable values."""
        return self.values[self.places]

    def rows(self, of: Intervals) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First row of each interval, and the one behind its last."""
        side: Any = "right" if of.backward else "left"
        return np.searchsorted(self.times, of.low, side), np.searchsorted(self.times, of.high, side)

    @staticmethod
    def total(of: NDArray[Any]) -> NDArray[Any]:
        """Running total, with the nothing in front of the first row: the total of rows a … b-1 is [b] - [a]."""
        return np.concatenate([[0], np.cumsum(of)])

    @cached_property
    def unusable_before(self) -> NDArray[np.int64]:
        """Running count of rows that a calculation passes over."""
        return self.total(~self.usable)

    @cached_property
    def doubtful_before(self) -> NDArray[np.int64]:
        """Running count of rows that are used although they are uncertain."""
        return self.total(self.usable & self.uncertain)


def reduced(
    ufunc: Any, column: NDArray[np.float64], first: NDArray[np.int64], behind: NDArray[np.int64], neutral: float
) -> NDArray[np.float64]:
    """Reduce rows first … behind-1 of a column for each interval; `neutral` where there are none."""
    result = np.full(len(first), neutral)
    filled = np.flatnonzero(behind > first)
    if len(filled):
        bounds = np.stack([first[filled], behind[filled]], axis=1).reshape(-1)
        result[filled] = ufunc.reduceat(np.append(column, neutral), bounds)[::2]
    return result
