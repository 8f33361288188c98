"""The aggregates of Part 13 (OPC 10000-13, 1.05), each for all intervals at once."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opcua_model.historical import bounded
from opcua_model.historical.interpolation import interpolated
from opcua_model.historical.series import (
    CALCULATED,
    GOOD,
    MULTIPLE,
    NO_DATA,
    UNCERTAIN,
    Intervals,
    Series,
    reduced,
)
from opcua_model.historical.status import NS, Results, by_count, clear_bad, counts, durations, partial, results
from opcua_model.publishing.encoding import DOUBLE, INT32

SAME: Final = 0
"""In `AGGREGATES`: the type of the tag itself."""


Calculation = Callable[[Series, Intervals], Results]


# ------------------------------------------------------------------------------------------------ of raw values


def average(series: Series, of: Intervals) -> Results:
    """Mean of the good values, each counted once (5.4.3.5)."""
    first, behind = series.rows(of)
    count = counts(series.good, first, behind)
    total = reduced(np.add, np.where(series.good, series.values, 0.0), first, behind, 0.0)
    codes = np.where(count > 0, by_count(series, first, behind) | CALCULATED, NO_DATA)
    return results(of, total / np.maximum(count, 1), clear_bad(codes))


def count(series: Series, of: Intervals) -> Results:
    """Number of good values (5.4.3.18)."""
    first, behind = series.rows(of)
    any_row = counts(~series.absent, first, behind) > 0
    codes = np.where(any_row, by_count(series, first, behind) | CALCULATED | partial(series, of), NO_DATA)
    return results(of, counts(series.good, first, behind).astype(float), clear_bad(codes))


def _extreme(
    series: Series, of: Intervals, *, greatest: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Extreme good values, their statuses, and the rows of the first of each (-1: none)."""
    first, behind = series.rows(of)
    none = -np.inf if greatest else np.inf
    column = np.where(series.good, series.values, none)
    values = reduced(np.maximum if greatest else np.minimum, column, first, behind, none)
    found = counts(series.good, first, behind) > 0
    rows = np.full(len(of), -1, np.int64)
    several = np.zeros(len(of), np.bool_)
    for number in np.flatnonzero(found).tolist():
        same = np.flatnonzero(column[first[number] : behind[number]] == values[number])
        rows[number], several[number] = first[number] + same[0], len(same) > 1
    codes = np.where(counts(series.skipped, first, behind) > 0, UNCERTAIN, GOOD) | partial(series, of)
    codes = np.where(several, codes | MULTIPLE, codes)
    return values, np.where(found, codes, NO_DATA), rows


def _extreme_value(series: Series, of: Intervals, *, greatest: bool) -> Results:
    values, codes, rows = _extreme(series, of, greatest=greatest)
    raw = (rows >= 0) & (series.times[rows] == of.stamps) if len(series) else np.zeros(len(of), np.bool_)
    return results(of, values, np.where(raw | (codes == NO_DATA), codes, codes | CALCULATED))


def minimum(series: Series, of: Intervals) -> Results:
    """Least good value, under the time of the interval (5.4.3.10)."""
    return _extreme_value(series, of, greatest=False)


def maximum(series: Series, of: Intervals) -> Results:
    """Greatest good value, under the time of the interval (5.4.3.11)."""
    return _extreme_value(series, of, greatest=True)


def _extreme_time(series: Series, of: Intervals, *, greatest: bool) -> Results:
    values, codes, rows = _extreme(series, of, greatest=greatest)
    found = results(of, values, codes)
    times = np.where(rows >= 0, series.times[rows], of.stamps) if len(series) else of.stamps
    return Results(times, found.values, found.codes)


def minimum_actual_time(series: Series, of: Intervals) -> Results:
    """Least good value, under its own time (5.4.3.12)."""
    return _extreme_time(series, of, greatest=False)


def maximum_actual_time(series: Series, of: Intervals) -> Results:
    """Greatest good value, under its own time (5.4.3.13)."""
    return _extreme_time(series, of, greatest=True)


def value_range(series: Series, of: Intervals) -> Results:
    """Distance of the greatest and the least good value (5.4.3.14)."""
    high, codes, _ = _extreme(series, of, greatest=True)
    low, _, _ = _extreme(series, of, greatest=False)
    with np.errstate(invalid="ignore"):
        values = high - low
    codes &= ~np.int64(MULTIPLE & 0xFF)
    return results(of, values, np.where(codes == NO_DATA, codes, codes | CALCULATED))


def _edge(series: Series, of: Intervals, *, last: bool) -> Results:
    first, behind = series.rows(of)
    found = behind > first
    rows = np.where(found, behind - 1 if last else first, 0)
    if not len(series):
        return results(of, np.full(len(of), np.nan), np.full(len(of), NO_DATA, np.int64))
    codes = np.where(found, series.codes[rows] | partial(series, of), NO_DATA)
    result = results(of, series.values[rows], clear_bad(codes))
    return Results(np.where(found, series.times[rows], of.stamps), result.values, result.codes)


def start(series: Series, of: Intervals) -> Results:
    """The first value of an interval with its own time and status (5.4.3.28)."""
    return _edge(series, of, last=False)


def end(series: Series, of: Intervals) -> Results:
    """The last value of an interval with its own time and status (5.4.3.29)."""
    return _edge(series, of, last=True)


def delta(series: Series, of: Intervals) -> Results:
    """The last usable value less the first one (5.4.3.30)."""
    first, behind = series.rows(of)
    places = series.places
    begin, stop = np.searchsorted(places, first), np.searchsorted(places, behind)
    found = stop > begin
    if not found.any():
        return results(of, np.full(len(of), np.nan), np.full(len(of), NO_DATA, np.int64))
    one, other = places[np.minimum(begin, len(places) - 1)], places[np.maximum(stop - 1, 0)]
    running = Series.total(series.skipped)
    passed = (running[np.maximum(one, first)] - running[first]) + (running[behind] - running[np.minimum(other, behind)])
    doubted = (passed > 0) | series.uncertain[one] | series.uncertain[other]
    codes = np.where(doubted, UNCERTAIN, GOOD) | CALCULATED | partial(series, of)
    return results(of, series.values[other] - series.values[one], np.where(found, codes, NO_DATA))


def _variance(series: Series, of: Intervals, less: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    first, behind = series.rows(of)
    number = counts(series.good, first, behind)
    column = np.where(series.good, series.values, 0.0)
    mean = reduced(np.add, column, first, behind, 0.0) / np.maximum(number, 1)
    # Distances from the interval's own mean: a row lies in one interval at most.
    own = np.zeros(len(series))
    for place in np.flatnonzero(number).tolist():
        rows = slice(first[place], behind[place])
        own[rows] = np.where(series.good[rows], (series.values[rows] - mean[place]) ** 2, 0.0)
    squares = reduced(np.add, own, first, behind, 0.0)
    values = np.where(number > less, squares / np.maximum(number - less, 1), 0.0)
    codes = np.where(number > 0, by_count(series, first, behind) | CALCULATED | partial(series, of), NO_DATA)
    return values, clear_bad(codes)


def variance_sample(series: Series, of: Intervals) -> Results:
    """Variance with n - 1; of one value it is 0 (5.4.3.37)."""
    return results(of, *_variance(series, of, 1))


def variance_population(series: Series, of: Intervals) -> Results:
    """Variance with n (5.4.3.39)."""
    return results(of, *_variance(series, of, 0))


def deviation_sample(series: Series, of: Intervals) -> Results:
    """Standard deviation with n - 1; of one value it is 0 (5.4.3.36)."""
    values, codes = _variance(series, of, 1)
    return results(of, np.sqrt(values), codes)


def deviation_population(series: Series, of: Intervals) -> Results:
    """Standard deviation with n (5.4.3.38)."""
    values, codes = _variance(series, of, 0)
    return results(of, np.sqrt(values), codes)


# ---------------------------------------------------------------------------------------------- weighted by time


def interpolative(series: Series, of: Intervals) -> Results:
    """The value at the begin of an interval (5.4.3.4)."""
    values, codes = interpolated(series, of.stamps)
    return results(of, values, codes.astype(np.int64))


def _areas(series: Series, of: Intervals) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Mean under the sloped line between usable values, the seconds that it is of, and statuses."""
    times, known = series.known_times, series.known
    if not len(times):
        none = np.zeros(len(of))
        return none, none, np.full(len(of), NO_DATA, np.int64)
    middle = float(known.mean())  # so that the running area stays small and loses no digits
    level = known - middle
    area = Series.total((level[1:] + level[:-1]) / 2.0 * (np.diff(times) / NS))

    def until(moments: NDArray[np.int64]) -> NDArray[np.float64]:
        place = np.clip(np.searchsorted(times, moments, "right") - 1, 0, len(times) - 1)
        following = np.minimum(place + 1, len(times) - 1)
        gap = np.maximum(times[following] - times[place], 1)
        slope = (level[following] - level[place]) / gap
        if series.rules.sloped_extrapolation and len(times) > 1:
            slope = np.where(following == place, (level[-1] - level[-2]) / (times[-1] - times[-2]), slope)
        passed = (moments - times[place]).astype(float)
        return area[place] + (level[place] + slope * passed / 2.0) * (passed / NS)

    low = np.maximum(of.low, times[0])
    seconds = (of.high - low) / NS
    filled = seconds > 0
    mean = np.where(filled, (until(of.high) - until(low)) / np.where(filled, seconds, 1.0), 0.0) + middle
    begin = series.places[np.maximum(np.searchsorted(times, low, "right") - 1, 0)]
    after = np.searchsorted(times, of.high, "left")
    beyond = after >= len(times)
    stop = np.where(beyond, len(series), series.places[np.minimum(after, len(times) - 1)] + 1)
    doubted = series.unusable_before[stop] - series.unusable_before[begin] > 0
    doubted |= series.doubtful_before[stop] - series.doubtful_before[begin] > 0
    codes = np.where(doubted | beyond, UNCERTAIN, GOOD) | CALCULATED | partial(series, of)
    return mean, seconds, np.where(filled, codes, NO_DATA)


def time_average(series: Series, of: Intervals) -> Results:
    """Mean over time of the line between usable values (5.4.3.6)."""
    mean, _, codes = _areas(series, of)
    return results(of, mean, codes)


def total(series: Series, of: Intervals) -> Results:
    """Area under that line, in the tag's unit times seconds (5.4.3.8)."""
    mean, seconds, codes = _areas(series, of)
    return results(of, mean * seconds, codes)


def _duration(series: Series, of: Intervals, *, bad: bool, percent: bool) -> Results:
    found, known = durations(series, of, bad=bad)
    codes = np.where(known > 0, CALCULATED | partial(series, of), NO_DATA)
    values = 100.0 * found / np.where(known > 0, known, 1.0) if percent else found * 1000.0
    return results(of, values, codes)


def duration_good(series: Series, of: Intervals) -> Results:
    """Milliseconds with a good status (5.4.3.22)."""
    return _duration(series, of, bad=False, percent=False)


def duration_bad(series: Series, of: Intervals) -> Results:
    """Milliseconds with a bad status, or nothing (5.4.3.23)."""
    return _duration(series, of, bad=True, percent=False)


def percent_good(series: Series, of: Intervals) -> Results:
    """Share of time with a good status (5.4.3.24)."""
    return _duration(series, of, bad=False, percent=True)


def percent_bad(series: Series, of: Intervals) -> Results:
    """Share of time with a bad status, or nothing (5.4.3.25)."""
    return _duration(series, of, bad=True, percent=True)


AGGREGATES: Final[dict[str, tuple[Calculation, int]]] = {
    "Interpolative": (interpolative, SAME),
    "Average": (average, DOUBLE),
    "TimeAverage": (time_average, DOUBLE),
    "Total": (total, DOUBLE),
    "Minimum": (minimum, SAME),
    "Maximum": (maximum, SAME),
    "MinimumActualTime": (minimum_actual_time, SAME),
    "MaximumActualTime": (maximum_actual_time, SAME),
    "Range": (value_range, SAME),
    "Count": (count, INT32),
    "Start": (start, SAME),
    "End": (end, SAME),
    "Delta": (delta, SAME),
    "DurationGood": (duration_good, DOUBLE),
    "DurationBad": (duration_bad, DOUBLE),
    "PercentGood": (percent_good, DOUBLE),
    "PercentBad": (percent_bad, DOUBLE),
    "StandardDeviationSample": (deviation_sample, DOUBLE),
    "StandardDeviationPopulation": (deviation_population, DOUBLE),
    "VarianceSample": (variance_sample, DOUBLE),
    "VariancePopulation": (variance_population, DOUBLE),
    "StartBound": (bounded.start_bound, SAME),
    "EndBound": (bounded.end_bound, SAME),
    "DeltaBounds": (bounded.delta_bounds, SAME),
    "Minimum2": (bounded.minimum2, SAME),
    "Maximum2": (bounded.maximum2, SAME),
    "MinimumActualTime2": (bounded.minimum_actual_time2, SAME),
    "MaximumActualTime2": (bounded.maximum_actual_time2, SAME),
    "Range2": (bounded.range2, SAME),
    "TimeAverage2": (bounded.time_average2, DOUBLE),
    "Total2": (bounded.total2, DOUBLE),
    "DurationInStateZero": (bounded.duration_in_state_zero, DOUBLE),
    "DurationInStateNonZero": (bounded.duration_in_state_non_zero, DOUBLE),
    "NumberOfTransitions": (bounded.number_of_transitions, INT32),
}
"""By the name of their AggregateFunction object: what calculates, and the type of the result (`SAME`: the tag's)."""
