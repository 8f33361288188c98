"""Aggregates out of what the daemon has counted already: long intervals without reading every row.

A summary has a row for each of the daemon's buckets: how many values were good and not, their sum, squares, least and
greatest. It serves intervals whose ends are ends of buckets; all others are calculated from rows.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from opcua_model.desk import Desk
from opcua_model.historical.series import BAD, CALCULATED, GOOD, NO_DATA, PARTIAL, UNCERTAIN, Intervals, Rules, reduced
from opcua_model.historical.status import Results
from opcua_model.interface import Summary

SUMMED: Final = frozenset({
    "Average", "Count", "StandardDeviationSample", "StandardDeviationPopulation", "VarianceSample",
    "VariancePopulation", "Minimum", "Maximum", "Range",
})  # fmt: skip
"""Functions that can be put together from those of parts."""


async def from_summaries(desk: Desk, tag: str, name: str, rules: Rules, of: Intervals) -> Results | None:
    """Calculate from a summary; None where the function, the rules or the intervals ask for every row.

    Raises:
        Refused: the daemon cannot answer.
    """
    if name not in SUMMED or not rules.treat_uncertain_as_bad or of.backward or not len(of):
        return None
    low, high = int(of.low[0]), int(of.high[-1])
    found = await desk.backend.summary(tag, low, high)
    if found is None or found.start_ns > low or found.end_ns < high:
        return None
    if ((of.low - found.start_ns) % found.width_ns).any() or ((of.high - found.start_ns) % found.width_ns).any():
        return None
    return combine(found, name, rules, of)


def combine(found: Summary, name: str, rules: Rules, of: Intervals) -> Results:
    """Put intervals of whole buckets together."""
    first = (of.low - found.start_ns) // found.width_ns
    behind = (of.high - found.start_ns) // found.width_ns
    good, bad = _sums(found.good, first, behind), _sums(found.bad, first, behind)
    nothing = good + bad == 0 if name == "Count" else good == 0
    if name in {"Minimum", "Maximum", "Range"}:
        values = _extremes(found, name, first, behind)
        codes = np.where(bad > 0, UNCERTAIN, GOOD) | CALCULATED
    else:
        values = good if name == "Count" else _moments(found, name, first, behind)
        counted = np.maximum(good + bad, 1)
        codes = np.where(100.0 * good >= rules.percent_good * counted, GOOD, UNCERTAIN)
        codes = np.where((bad > 0) & (100.0 * bad >= rules.percent_bad * counted), BAD, codes | CALCULATED)
    if name != "Average" and of.cut is not None:
        codes = np.where(of.cut & (codes != BAD), codes | PARTIAL, codes)
    final = np.where(nothing, NO_DATA, codes).astype(np.uint32)
    return Results(of.stamps, np.where(final >> np.uint32(31) == 1, np.nan, values), final)


def _moments(found: Summary, name: str, first: NDArray[np.int64], behind: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean, variance or deviation: squares about each bucket's own mean, and what the means lie apart.

    The pairwise rule of Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance".
    """
    good = _sums(found.good, first, behind)
    mean = _sums(found.sum, first, behind) / np.maximum(good, 1)
    if name == "Average":
        return mean
    less = 1 if name.endswith("Sample") else 0
    own = found.sum / np.maximum(found.good, 1)
    apart = np.zeros(len(own))
    for start, stop, middle in zip(first.tolist(), behind.tolist(), mean.tolist(), strict=True):
        apart[start:stop] = found.good[start:stop] * (own[start:stop] - middle) ** 2
    squares = _sums(found.squares, first, behind) + _sums(apart, first, behind)
    values = np.where(good > less, squares / np.maximum(good - less, 1), 0.0)
    return np.sqrt(values) if name.startswith("Standard") else values


def _extremes(found: Summary, name: str, first: NDArray[np.int64], behind: NDArray[np.int64]) -> NDArray[np.float64]:
    low = reduced(np.fmin, found.low, first, behind, np.nan)
    high = reduced(np.fmax, found.high, first, behind, np.nan)
    return {"Minimum": low, "Maximum": high, "Range": high - low}[name]


def _sums(column: NDArray[np.float64], first: NDArray[np.int64], behind: NDArray[np.int64]) -> NDArray[np.float64]:
    running = np.concatenate([[0.0], np.cumsum(column)])
    return running[behind] - running[first]
