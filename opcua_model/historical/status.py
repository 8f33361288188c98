"""What a result of an aggregate is worth: its status, and bits that say how it came to be (Part 13, 5.3, 5.4.3.2)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opcua_model.historical.series import BAD, GOOD, MILLISECOND, PARTIAL, UNCERTAIN, Intervals, Series

NS: Final = 1e9


@dataclass(frozen=True)
class Results:
    """[n] of each; a Bad status has no value."""

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    codes: NDArray[np.uint32]


def results(of: Intervals, values: NDArray[np.float64], codes: NDArray[np.int64]) -> Results:
    """Make results; a Bad status has no value."""
    final = codes.astype(np.uint32)
    return Results(of.stamps, np.where(final >> np.uint32(31) == 1, np.nan, values), final)


def partial(series: Series, of: Intervals) -> NDArray[np.int64]:
    """PARTIAL for intervals that are cut short, or that the series does not fill (Part 13, 5.3.3.2)."""
    known = series.known_times
    if not len(known):
        return np.zeros(len(of), np.int64)
    short = (of.low < known[0]) & (of.high > known[0])
    short |= (of.low <= series.times[-1]) & (of.high > series.times[-1] + MILLISECOND)
    if of.cut is not None:
        short |= of.cut
    return np.where(short, PARTIAL, 0)


def counts(mask: NDArray[np.bool_], first: NDArray[np.int64], behind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the marked rows of each interval."""
    running = Series.total(mask)
    return running[behind] - running[first]


def by_count(series: Series, first: NDArray[np.int64], behind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Status by the share of good and bad values (5.4.3.2); uncertain ones that were let in remain doubtful."""
    usable, skipped = counts(series.usable, first, behind), counts(series.skipped, first, behind)
    total = np.maximum(usable + skipped, 1)
    rules = series.rules
    codes = np.where(100.0 * usable >= rules.percent_good * total, GOOD, UNCERTAIN)
    codes = np.where((skipped > 0) & (100.0 * skipped >= rules.percent_bad * total), BAD, codes)
    doubtful = counts(series.usable & series.uncertain, first, behind) > 0
    return np.where((codes == GOOD) & doubtful, UNCERTAIN, codes)


def clear_bad(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """A Bad status says nothing of how a value came to be: there is none."""
    return np.where((codes & BAD) != 0, codes & ~np.int64(0xFFFF), codes)


def durations(series: Series, of: Intervals, *, bad: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds for which the status was good (or bad), and seconds that are known; a status holds until the next row."""
    times = series.times
    if not len(times):
        return np.zeros(len(of)), np.zeros(len(of))
    until = np.append(times[1:], times[-1] + MILLISECOND)
    wanted = ~series.usable if bad else series.usable & series.good
    running = Series.total(np.where(wanted, until - times, 0))
    high = np.minimum(of.high, until[-1])

    def before(moments: NDArray[np.int64]) -> NDArray[np.int64]:
        place = np.clip(np.searchsorted(times, moments, "right") - 1, 0, len(times) - 1)
        passed = np.where(wanted[place], moments - times[place], 0)
        return np.where(moments <= times[0], 0, running[place] + passed)

    found = before(high) - before(of.low)
    if bad:  # before the first row there is nothing
        found = found + np.clip(times[0] - of.low, 0, np.maximum(high - of.low, 0))
    elif not series.rules.stepped:
        # The bound at the begin lies on a slope towards the next row: when that is not good, it is doubted (3.1.9).
        place = np.clip(np.searchsorted(times, of.low, "right") - 1, 0, len(times) - 1)
        following = np.minimum(place + 1, len(times) - 1)
        between = (of.low > times[place]) & (following > place) & wanted[place] & ~series.good[following]
        found = found - np.where(between, np.maximum(np.minimum(times[following], high) - of.low, 0), 0)
    known = np.maximum(high - of.low, 0)
    nothing = (of.high <= times[0]) | (of.low > times[-1])
    return found / NS, np.where(nothing, 0.0, known / NS)


def by_time(series: Series, of: Intervals) -> NDArray[np.int64]:
    """Status by the share of time that was good and bad (5.4.3.2)."""
    good, known = durations(series, of, bad=False)
    bad, _ = durations(series, of, bad=True)
    rules = series.rules
    codes = np.where(100.0 * good >= rules.percent_good * known, GOOD, UNCERTAIN)
    return np.where((bad > 0) & (100.0 * bad >= rules.percent_bad * known), BAD, codes)
