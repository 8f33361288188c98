"""The value of a series at any moment: bounding values of Part 13, interpolated (3.1.8) and simple (3.1.9)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcua_model.historical.series import BAD, GOOD, INTERPOLATED, NO_DATA, UNCERTAIN, Series

Found = tuple[NDArray[np.float64], NDArray[np.uint32]]
"""Values and statuses."""


def interpolated(series: Series, at: NDArray[np.int64]) -> Found:
    """Values at moments, between the usable values before and after; bad ones are passed over.

    Statuses: the row's own where there is one, Good where both neighbours are and nothing was passed over,
    UncertainDataSubNormal otherwise, BadNoData before the first usable value.
    """
    times, known, places = series.known_times, series.known, series.places
    count = len(times)
    if not count:
        return np.full(len(at), np.nan), np.full(len(at), NO_DATA, np.uint32)
    before = np.searchsorted(times, at, "right") - 1
    after = np.searchsorted(times, at, "left")
    left, right = np.maximum(before, 0), np.minimum(after, count - 1)
    exact = times[right] == at
    beyond = after >= count
    values = known[left].copy()
    if not series.rules.stepped:
        span = np.maximum(times[right] - times[left], 1)
        share = (at - times[left]) / span
        values = np.where(beyond, values, known[left] + (known[right] - known[left]) * share)
    values = np.where(exact, known[right], values)
    if series.rules.sloped_extrapolation and count > 1:
        slope = (known[-1] - known[-2]) / (times[-1] - times[-2])
        values = np.where(beyond, known[-1] + slope * (at - times[-1]), values)
    # What lies between the neighbours: all of it for a slope, only what is before the moment for a step.
    first = places[left]
    last = np.where(beyond, len(series), places[right])
    if series.rules.stepped:
        last = np.searchsorted(series.times, at, "right")
    doubted = series.unusable_before[np.maximum(last, first)] - series.unusable_before[first] > 0
    unsure = series.uncertain[first] | (False if series.rules.stepped else series.uncertain[places[right]])
    codes = np.where(doubted | unsure | beyond, UNCERTAIN, GOOD) | INTERPOLATED
    codes = np.where(exact, series.codes[places[right]], codes)
    codes = np.where(before < 0, NO_DATA, codes)
    return np.where(before < 0, np.nan, values), codes.astype(np.uint32)


def simple(series: Series, at: NDArray[np.int64]) -> Found:
    """Values at moments between the very neighbours, whatever they are: a bad one before makes the result bad."""
    count = len(series)
    if not count:
        return np.full(len(at), np.nan), np.full(len(at), NO_DATA, np.uint32)
    before = np.searchsorted(series.times, at, "right") - 1
    after = np.searchsorted(series.times, at, "left")
    left, right = np.maximum(before, 0), np.minimum(after, count - 1)
    exact = series.times[right] == at
    beyond = after >= count
    step = series.rules.stepped | beyond | ~series.usable[right]
    span = np.maximum(series.times[right] - series.times[left], 1)
    share = (at - series.times[left]) / span
    slope = series.values[left] + (series.values[right] - series.values[left]) * share
    values = np.where(step, series.values[left], slope)
    # A slope towards a value that is none becomes a step, and is doubted (3.1.9).
    doubted = series.uncertain[left] | beyond
    if not series.rules.stepped:
        doubted |= ~series.usable[right] | series.uncertain[right]
    codes = np.where(doubted, UNCERTAIN, GOOD) | INTERPOLATED
    codes = np.where(series.usable[left], codes, BAD)
    codes = np.where(exact, series.codes[right], codes)
    values = np.where(exact, series.values[right], values)
    codes = np.where(before < 0, NO_DATA, codes).astype(np.uint32)
    return _without_bad(values, codes), codes


def _without_bad(values: NDArray[np.float64], codes: NDArray[np.uint32]) -> NDArray[Any]:
    return np.where(codes >> np.uint32(31) == 1, np.nan, values)
