"""The aggregates of Part 13 with simple bounding values (3.1.9) at the ends of an interval, and what they are made of.

Between rows a value that counts moves on a slope to the next one, when that counts too and the tag does not move in
steps; otherwise it holds. Where a row does not count there is nothing, and behind the last one either.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opcua_model.historical.interpolation import simple
from opcua_model.historical.series import (
    BAD,
    CALCULATED,
    GOOD,
    INTERPOLATED,
    MILLISECOND,
    MULTIPLE,
    NO_DATA,
    UNCERTAIN,
    Intervals,
    Series,
    reduced,
)
from opcua_model.historical.status import NS, Results, by_count, by_time, clear_bad, counts, partial, results

_FLAGS: Final = np.int64(0xFF)


@dataclass(frozen=True)
class _Bound:
    """Values at moments."""

    values: NDArray[np.float64]
    codes: NDArray[np.int64]
    usable: NDArray[np.bool_]
    exact: NDArray[np.bool_]
    """A row stands there."""


def _bound(series: Series, at: NDArray[np.int64]) -> _Bound:
    values, codes = simple(series, at)
    row = np.minimum(np.searchsorted(series.times, at, "left"), len(series) - 1)
    exact = series.times[row] == at
    found = codes.astype(np.int64)
    usable = (exact & series.usable[row]) | (~exact & ((found & BAD) == 0))
    return _Bound(values, found, usable, exact)


def _nothing(series: Series, of: Intervals) -> NDArray[np.bool_]:
    """Intervals before the first row or behind the last one."""
    return (of.high <= series.times[0]) | (of.low > series.times[-1])


def _none(of: Intervals) -> Results:
    return results(of, np.full(len(of), np.nan), np.full(len(of), NO_DATA, np.int64))


def _ends(of: Intervals) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Begin and end as time flows."""
    return (of.high, of.low) if of.backward else (of.low, of.high)


# -------------------------------------------------------------------------------------------------- at both ends


def start_bound(series: Series, of: Intervals) -> Results:
    """The value at the begin of an interval, with its status (5.4.3.28)."""
    if not len(series):
        return _none(of)
    bound = _bound(series, _ends(of)[0])
    codes = np.where(_nothing(series, of), NO_DATA, bound.codes | partial(series, of))
    return results(of, bound.values, clear_bad(codes))


def end_bound(series: Series, of: Intervals) -> Results:
    """The value at the end of an interval, with its status (5.4.3.29)."""
    if not len(series):
        return _none(of)
    bound = _bound(series, _ends(of)[1])
    codes = bound.codes & ~_FLAGS | CALCULATED | partial(series, of)
    return results(of, bound.values, clear_bad(np.where(_nothing(series, of), NO_DATA, codes)))


def delta_bounds(series: Series, of: Intervals) -> Results:
    """The later value at an end less the earlier one (5.4.3.30)."""
    if not len(series):
        return _none(of)
    low, high = _bound(series, of.low), _bound(series, of.high)
    doubted = (low.codes >> 30 == 1) | (high.codes >> 30 == 1)
    codes = np.where(doubted, UNCERTAIN, GOOD) | CALCULATED | partial(series, of)
    codes = np.where(low.usable & high.usable & ~_nothing(series, of), codes, NO_DATA)
    return results(of, high.values - low.values, codes)


# ------------------------------------------------------------------------------------------------------ extremes


@dataclass(frozen=True)
class _Extreme:
    values: NDArray[np.float64]
    times: NDArray[np.int64]
    flags: NDArray[np.int64]
    """INTERPOLATED where a bound is the extreme, MULTIPLE where there are several."""
    at_end: NDArray[np.bool_]


def _extreme(series: Series, of: Intervals, *, greatest: bool) -> _Extreme:
    low, high = _bound(series, of.low), _bound(series, of.high)
    first, behind = np.searchsorted(series.times, of.low, "left"), np.searchsorted(series.times, of.high, "left")
    none, better = (-np.inf, np.maximum) if greatest else (np.inf, np.minimum)
    column = np.where(series.usable, series.values, none)
    begin = np.where(low.usable & ~low.exact, low.values, none)
    # What moves in steps has its value at the end only from there on.
    end = np.where(high.usable & (not series.rules.stepped), high.values, none)
    inside = reduced(better, column, first, behind, none)
    best = better(better(begin, inside), end)
    times, several = of.low.copy(), np.zeros(len(of), np.bool_)
    for number in np.flatnonzero(np.isfinite(best)).tolist():
        same = np.flatnonzero(column[first[number] : behind[number]] == best[number])
        several[number] = len(same) + (begin[number] == best[number]) + (end[number] == best[number]) > 1
        if begin[number] != best[number]:
            times[number] = series.times[first[number] + same[0]] if len(same) else of.high[number]
    at_end = times == of.high
    bounds = np.where(at_end, high.codes, np.where(low.exact, 0, low.codes)) & INTERPOLATED
    flags = np.where(at_end | (times == of.low), bounds, 0) | np.where(several, MULTIPLE, 0).astype(np.int64)
    return _Extreme(np.where(np.isfinite(best), best, np.nan), times, flags, at_end)


def _judged(series: Series, of: Intervals, values: NDArray[np.float64], flags: NDArray[np.int64]) -> NDArray[np.int64]:
    codes = by_time(series, of) | flags | partial(series, of)
    return clear_bad(np.where(np.isnan(values) | _nothing(series, of), NO_DATA, codes))


def _extreme2(series: Series, of: Intervals, *, greatest: bool) -> Results:
    if not len(series):
        return _none(of)
    found = _extreme(series, of, greatest=greatest)
    raw = (found.times == of.low) | ((found.flags & INTERPOLATED) == INTERPOLATED)
    flags = found.flags | np.where(raw, 0, CALCULATED)
    return results(of, found.values, _judged(series, of, found.values, flags))


def _extreme_time2(series: Series, of: Intervals, *, greatest: bool) -> Results:
    if not len(series):
        return _none(of)
    found = _extreme(series, of, greatest=greatest)
    flags = found.flags | np.where(found.at_end, INTERPOLATED, 0)
    codes = _judged(series, of, found.values, flags)
    made = results(of, found.values, codes)
    # The end itself belongs to the next interval.
    times = np.where(found.at_end, of.high - MILLISECOND, found.times)
    return Results(np.where((codes & BAD) != 0, of.stamps, times), made.values, made.codes)


def minimum2(series: Series, of: Intervals) -> Results:
    """Least value, bounds included, under the time of the interval (5.4.3.15)."""
    return _extreme2(series, of, greatest=False)


def maximum2(series: Series, of: Intervals) -> Results:
    """Greatest value, bounds included, under the time of the interval (5.4.3.16)."""
    return _extreme2(series, of, greatest=True)


def minimum_actual_time2(series: Series, of: Intervals) -> Results:
    """Least value, bounds included, under its own time (5.4.3.17)."""
    return _extreme_time2(series, of, greatest=False)


def maximum_actual_time2(series: Series, of: Intervals) -> Results:
    """Greatest value, bounds included, under its own time (5.4.3.18)."""
    return _extreme_time2(series, of, greatest=True)


def range2(series: Series, of: Intervals) -> Results:
    """Distance of the greatest and the least value, bounds included (5.4.3.19)."""
    if not len(series):
        return _none(of)
    values = _extreme(series, of, greatest=True).values - _extreme(series, of, greatest=False).values
    return results(of, values, _judged(series, of, values, np.full(len(of), CALCULATED)))


# ------------------------------------------------------------------------------------------------------ over time


def _areas(series: Series, of: Intervals) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of the value over the seconds in which it counts, and these seconds."""
    times, usable = series.times, series.usable
    span = np.diff(times, append=times[-1] + MILLISECOND)
    middle = float(series.known.mean()) if len(series.known) else 0.0  # so that no digits are lost in the sums
    level = np.where(usable, series.values - middle, 0.0)
    following, known = np.append(level[1:], 0.0), np.append(usable[1:], False)
    target = np.where(known & (not series.rules.stepped), following, level)
    area = Series.total(np.where(usable, (level + target) / 2.0 * (span / NS), 0.0))
    time = Series.total(np.where(usable, span, 0))

    def before(moments: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        place = np.clip(np.searchsorted(times, moments, "right") - 1, 0, len(times) - 1)
        passed = np.where(usable[place], np.clip(moments - times[place], 0, span[place]), 0)
        slope = (target[place] - level[place]) / span[place]
        return area[place] + (level[place] + slope * passed / 2.0) * (passed / NS), time[place] + passed

    low, high = before(of.low), before(of.high)
    seconds = (high[1] - low[1]) / NS
    return np.where(seconds > 0, (high[0] - low[0]) / np.where(seconds > 0, seconds, 1.0) + middle, np.nan), seconds


def time_average2(series: Series, of: Intervals) -> Results:
    """Mean over the time in which the value counts (5.4.3.7)."""
    if not len(series):
        return _none(of)
    mean, _ = _areas(series, of)
    return results(of, mean, _judged(series, of, mean, np.full(len(of), CALCULATED)))


def total2(series: Series, of: Intervals) -> Results:
    """Area under the value where it counts, in the tag's unit times seconds (5.4.3.9)."""
    if not len(series):
        return _none(of)
    mean, seconds = _areas(series, of)
    return results(of, mean * seconds, _judged(series, of, mean, np.full(len(of), CALCULATED)))


def _in_state(series: Series, of: Intervals, *, zero: bool) -> Results:
    """Milliseconds in a state; from a row to the next it is what it was at the row, or at the begin of the interval."""
    if not len(series):
        return _none(of)
    times, span = series.times, np.diff(series.times, append=series.times[-1] + MILLISECOND)
    wanted = series.usable & ((series.values == 0) == zero)
    running = Series.total(np.where(wanted, span, 0))

    def before(moments: NDArray[np.int64]) -> NDArray[np.int64]:
        place = np.clip(np.searchsorted(times, moments, "right") - 1, 0, len(times) - 1)
        return running[place] + np.where(wanted[place], np.clip(moments - times[place], 0, span[place]), 0)

    found = before(of.high) - before(of.low)
    bound = _bound(series, of.low)
    place = np.clip(np.searchsorted(times, of.low, "right") - 1, 0, len(times) - 1)
    first = np.minimum(times[place] + span[place], of.high) - of.low  # until the first row of the interval
    at_begin = bound.usable & ((bound.values == 0) == zero)
    inside = (of.low > times[place]) & (first > 0)
    found = found + np.where(inside, (at_begin.astype(np.int64) - wanted[place]) * first, 0)
    codes = by_time(series, of) | CALCULATED | partial(series, of)
    return results(of, found / MILLISECOND, clear_bad(np.where(_nothing(series, of), NO_DATA, codes)))


def duration_in_state_zero(series: Series, of: Intervals) -> Results:
    """Milliseconds in which the value was 0 (5.4.3.22)."""
    return _in_state(series, of, zero=True)


def duration_in_state_non_zero(series: Series, of: Intervals) -> Results:
    """Milliseconds in which the value was another one (5.4.3.23)."""
    return _in_state(series, of, zero=False)


def number_of_transitions(series: Series, of: Intervals) -> Results:
    """How often the value was another one than the last before it, be that in the interval or not (5.4.3.24)."""
    first, behind = series.rows(of)
    changed = np.zeros(len(series), np.bool_)
    changed[series.places[1:]] = np.diff(series.known) != 0
    any_row = counts(~series.absent, first, behind) > 0
    codes = np.where(any_row, by_count(series, first, behind) | CALCULATED | partial(series, of), NO_DATA)
    return results(of, counts(changed, first, behind).astype(float), clear_bad(codes))
