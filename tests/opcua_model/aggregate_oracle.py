"""Part 13 read once more and slowly: one interval, one value after the other, no arrays.

Rows are (time, value, status) with times in whole seconds; what is not good enough is passed over as the rules say.
"""

import itertools
from math import sqrt
from typing import Any

from opcua_model.historical.series import CALCULATED, INTERPOLATED, NO_DATA, UNCERTAIN, Rules

Row = tuple[float, float, int]
Answer = tuple[float | None, int]
"""Value, and the severity with the sub code: what a person reads of a status."""


def usable(row: Row, rules: Rules) -> bool:
    severity = row[2] >> 30
    return severity == 0 or (severity == 1 and not rules.treat_uncertain_as_bad)


def good(row: Row) -> bool:
    return row[2] >> 30 == 0


def inside(rows: list[Row], low: float, high: float) -> list[Row]:
    return [row for row in rows if low <= row[0] < high]


def by_count(rows: list[Row], rules: Rules) -> int:
    counted = [row for row in rows if row[2] != NO_DATA]
    fit = [row for row in counted if usable(row, rules)]
    bad = len(counted) - len(fit)
    if bad and 100 * bad >= rules.percent_bad * len(counted):
        return 0x80000000
    if 100 * len(fit) < rules.percent_good * len(counted) or any(not good(row) for row in fit):
        return UNCERTAIN
    return 0


def line(rows: list[Row], at: float, rules: Rules) -> Answer:
    """The interpolated bounding value."""
    fit = [row for row in rows if usable(row, rules)]
    exact = [row for row in fit if row[0] == at]
    if exact:
        return exact[0][1], exact[0][2]
    before, after = [row for row in fit if row[0] < at], [row for row in fit if row[0] > at]
    if not before:
        return None, NO_DATA
    one = before[-1]
    if not after:
        value = one[1]
        if rules.sloped_extrapolation and len(fit) > 1:
            two = fit[-2]
            value += (one[1] - two[1]) / (one[0] - two[0]) * (at - one[0])
        return value, UNCERTAIN
    other = after[0]
    reach = at if rules.stepped else other[0]
    passed = any(one[0] < row[0] <= reach and not usable(row, rules) for row in rows)
    doubted = not good(one) or (not rules.stepped and not good(other))
    value = one[1] if rules.stepped else one[1] + (other[1] - one[1]) * (at - one[0]) / (other[0] - one[0])
    return value, UNCERTAIN if passed or doubted else 0


def time_average(rows: list[Row], low: float, high: float, rules: Rules) -> tuple[float | None, float]:
    """Mean, and seconds that it is of; always a sloped line."""
    sloped = Rules(rules.treat_uncertain_as_bad, sloped_extrapolation=rules.sloped_extrapolation)
    fit = [row for row in rows if usable(row, rules)]
    if not fit or high <= fit[0][0]:
        return None, 0.0
    begin = max(low, fit[0][0])
    moments = sorted({begin, high, *(row[0] for row in fit if begin < row[0] < high)})
    area = 0.0
    for one, other in itertools.pairwise(moments):
        left, right = line(rows, one, sloped)[0], line(rows, other, sloped)[0]
        assert left is not None
        assert right is not None
        area += (left + right) / 2 * (other - one)
    return area / (high - begin), high - begin


def durations(rows: list[Row], low: float, high: float, rules: Rules) -> tuple[float, float, float]:
    """Good, bad and known seconds, a thousandth of a second after another."""
    if not rows or high <= rows[0][0] or low > rows[-1][0]:
        return 0.0, 0.0, 0.0
    end = min(high, rows[-1][0] + 0.001)
    moments = sorted({low, end, *(row[0] for row in rows if low < row[0] < end)})
    found = {"good": 0.0, "bad": 0.0, "doubtful": 0.0}
    for one, other in itertools.pairwise(moments):
        before = [row for row in rows if row[0] <= one]
        after = [row for row in rows if row[0] > one]
        if not before or not usable(before[-1], rules):
            kind = "bad"
        elif not good(before[-1]) or (before[-1][0] < one and not rules.stepped and after and not good(after[0])):
            kind = "doubtful"
        else:
            kind = "good"
        found[kind] += other - one
    return found["good"], found["bad"], end - low


def simple(rows: list[Row], at: float, rules: Rules) -> float | None:
    """The simple bounding value (3.1.9): between the very neighbours; None where it is Bad or there is none."""
    exact, before = [row for row in rows if row[0] == at], [row for row in rows if row[0] < at]
    if exact:
        return exact[0][1] if usable(exact[0], rules) else None
    if not before or not usable(before[-1], rules):
        return None
    one, after = before[-1], [row for row in rows if row[0] > at]
    if rules.stepped or not after or not usable(after[0], rules):
        return one[1]
    return one[1] + (after[0][1] - one[1]) * (at - one[0]) / (after[0][0] - one[0])


def bounded(name: str, rows: list[Row], low: float, high: float, rules: Rules) -> float | None:
    """The aggregates with simple bounding values, piece by piece; None where there is none."""
    if not rows or high <= rows[0][0] or low > rows[-1][0]:
        return None
    begin, end = simple(rows, low, rules), simple(rows, high, rules)
    if name in {"StartBound", "EndBound"}:
        moment, bound = (low, begin) if name == "StartBound" else (high, end)
        doubted = [row[1] for row in rows if row[0] == moment and row[2] >> 30 == 1]  # what stands there is the bound
        return doubted[0] if doubted else bound
    if name == "DeltaBounds":
        return None if begin is None or end is None else end - begin
    if name in {"Minimum2", "Maximum2", "Range2"}:
        found = [row[1] for row in inside(rows, low, high) if usable(row, rules)]
        found += [one for one in (begin, None if rules.stepped else end) if one is not None]
        if not found:
            return None
        return {"Minimum2": min(found), "Maximum2": max(found), "Range2": max(found) - min(found)}[name]
    area = seconds = zero = other = 0.0
    moments = sorted({low, high, rows[-1][0] + 0.001, *(row[0] for row in rows)})
    for left, right in itertools.pairwise([at for at in moments if low <= at <= min(high, rows[-1][0] + 0.001)]):
        value = simple(rows, left, rules)
        if value is None:
            continue
        follows = [row for row in rows if row[0] > left]
        slopes = not rules.stepped and follows and usable(follows[0], rules)
        until = simple(rows, right, rules) if slopes else value
        assert until is not None
        area += (value + until) / 2 * (right - left)
        seconds += right - left
        zero, other = zero + (right - left) * (value == 0), other + (right - left) * (value != 0)
    if name in {"TimeAverage2", "Total2"}:
        return None if not seconds else area / seconds if name == "TimeAverage2" else area
    return 1000 * (zero if name == "DurationInStateZero" else other)


def transitions(rows: list[Row], low: float, high: float, rules: Rules) -> float | None:
    """How often a value was another one than the last one before it."""
    if all(row[2] == NO_DATA for row in inside(rows, low, high)):
        return None
    fit = [row for row in rows if usable(row, rules)]
    return float(sum(low <= two[0] < high and one[1] != two[1] for one, two in itertools.pairwise(fit)))


def by_time(rows: list[Row], low: float, high: float, rules: Rules) -> int:
    """Severity by the shares of time that were good and bad (5.4.3.2)."""
    well, badly, known = durations(rows, low, high, rules)
    if badly and 100 * badly >= rules.percent_bad * known:
        return 0x80000000
    return 0 if 100 * well >= rules.percent_good * known else UNCERTAIN


TIMED = {"Minimum2", "Maximum2", "Range2", "TimeAverage2", "Total2", "DurationInStateZero", "DurationInStateNonZero"}
"""Aggregates whose status follows from shares of time."""


def answer(name: str, rows: list[Row], low: float, high: float, rules: Rules) -> Any:
    """Value, None where there is none."""
    some = inside(rows, low, high)
    fit, fine = [row for row in some if usable(row, rules)], [row for row in some if good(row)]
    numbers = [row[1] for row in fine]
    mean = sum(numbers) / len(numbers) if numbers else None
    if name == "Interpolative":
        return line(rows, low, rules)[0]
    if name == "NumberOfTransitions":
        return None if by_count(some, rules) & 0x80000000 else transitions(rows, low, high, rules)
    if name in TIMED or name.endswith(("Bound", "Bounds")):
        if name in TIMED and by_time(rows, low, high, rules) & 0x80000000:
            return None
        return bounded(name, rows, low, high, rules)
    if name == "Average":
        return None if by_count(some, rules) & 0x80000000 else mean
    if name == "Count":
        counted = any(row[2] != NO_DATA for row in some)
        return len(numbers) if counted and not by_count(some, rules) & 0x80000000 else None
    if name in {"TimeAverage", "Total"}:
        value, seconds = time_average(rows, low, high, rules)
        return value if value is None or name == "TimeAverage" else value * seconds
    if name in {"Minimum", "Maximum", "Range"}:
        if not numbers:
            return None
        return {"Minimum": min(numbers), "Maximum": max(numbers), "Range": max(numbers) - min(numbers)}[name]
    if name in {"Start", "End"}:
        row = (some[0] if name == "Start" else some[-1]) if some else None
        return None if row is None or row[2] >> 31 else row[1]
    if name == "Delta":
        return fit[-1][1] - fit[0][1] if fit else None
    if name in {"DurationGood", "DurationBad", "PercentGood", "PercentBad"}:
        well, badly, known = durations(rows, low, high, rules)
        chosen = well if name.endswith("Good") else badly
        if not known:
            return None
        return chosen * 1000 if name.startswith("Duration") else 100 * chosen / known
    if mean is None or by_count(some, rules) & 0x80000000:
        return None
    less = 1 if name.endswith("Sample") else 0
    squares = sum((number - mean) ** 2 for number in numbers)
    variance = squares / (len(numbers) - less) if len(numbers) > less else 0.0
    return sqrt(variance) if name.startswith("Standard") else variance


__all__ = ["CALCULATED", "INTERPOLATED", "answer", "by_count", "line"]
