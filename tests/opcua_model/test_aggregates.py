"""The aggregates of OPC 10000-13: the standard's own examples, and a slow reading of its text, beside the arrays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opcua_model.historical.aggregates import AGGREGATES
from opcua_model.historical.interpolation import simple
from opcua_model.historical.series import (
    CALCULATED,
    INTERPOLATED,
    MILLISECOND,
    MULTIPLE,
    NO_DATA,
    PARTIAL,
    UNCERTAIN,
    Intervals,
    Rules,
    Series,
    intervals,
)
from tests.opcua_model.aggregate_oracle import Row, answer, line

SECOND = 1_000_000_000
BAD = 0x80000000
DOUBT = 0x40000000

# The historians of annex A.1, seconds after 12:00:00.
FIRST: list[Row] = [
    (0, 0, NO_DATA), (10, 10, 0), (20, 20, 0), (30, 30, 0), (40, 40, BAD), (50, 50, 0), (60, 60, 0), (70, 70, DOUBT),
    (80, 80, 0), (90, 90, 0),
]  # fmt: skip
SECOND_ONE: list[Row] = [
    (0, 0, NO_DATA), (2, 10, 0), (25, 20, 0), (28, 25, 0), (39, 30, 0), (42, 0, BAD), (48, 40, 0), (52, 50, 0),
    (72, 60, 0), (77, 70, DOUBT), (83, 70, 0), (86, 80, 0), (90, 90, 0),
]  # fmt: skip
ONE = Rules(treat_uncertain_as_bad=False)
TWO = Rules()
THREE = Rules(percent_bad=50, percent_good=50, stepped=True)


def series(rows: list[Row], rules: Rules) -> Series:
    return Series(
        np.array([round(row[0] * SECOND) for row in rows], np.int64),
        np.array([row[1] for row in rows], float),
        np.array([row[2] for row in rows], np.uint32),
        rules,
    )


def calculated(name: str, rows: list[Row], rules: Rules, width: int, start: int = 0, end: int = 100) -> list[str]:
    """Results as the annex prints them: value and status."""
    of = intervals(start * SECOND, end * SECOND, width * SECOND)
    found = AGGREGATES[name][0](series(rows, rules), of)
    return [words(value, code) for value, code in zip(found.values.tolist(), found.codes.tolist(), strict=True)]


def words(value: float, code: int) -> str:
    names = {0: "Good", UNCERTAIN: "Uncertain", NO_DATA: "BadNoData", BAD: "Bad", DOUBT: "Doubt"}
    flags = "".join(
        letter
        for bit, letter in ((CALCULATED, "C"), (INTERPOLATED, "I"), (PARTIAL, "P"), (MULTIPLE, "M"))
        if code & bit & 0xFF
    )
    number = "" if np.isnan(value) else f"{round(value, 3):g} "
    return f"{number}{names[code & 0xFFFF0000]}{' ' if flags else ''}{flags}"


EXAMPLES: list[tuple[str, list[Row], Rules, int, list[str]]] = [
    ("Interpolative", FIRST, ONE, 5, [
        "BadNoData", "BadNoData", "10 Good", "15 Good I", "20 Good", "25 Good I", "30 Good", "35 Uncertain I",
        "40 Uncertain I", "45 Uncertain I", "50 Good", "55 Good I", "60 Good", "65 Uncertain I", "70 Doubt",
        "75 Uncertain I", "80 Good", "85 Good I", "90 Good", "90 Uncertain I",
    ]),
    ("Interpolative", SECOND_ONE, TWO, 5, [
        "BadNoData", "11.304 Good I", "13.478 Good I", "15.652 Good I", "17.826 Good I", "20 Good", "25.909 Good I",
        "28.182 Good I", "31.111 Uncertain I", "36.667 Uncertain I", "45 Good I", "51.5 Good I", "54 Good I",
        "56.5 Good I", "59 Good I", "62.727 Uncertain I", "67.273 Uncertain I", "76.667 Good I", "90 Good",
        "90 Uncertain I",
    ]),
    ("Interpolative", SECOND_ONE, THREE, 5, [
        "BadNoData", "10 Good I", "10 Good I", "10 Good I", "10 Good I", "20 Good", "25 Good I", "25 Good I",
        "30 Good I", "30 Uncertain I", "40 Good I", "50 Good I", "50 Good I", "50 Good I", "50 Good I", "60 Good I",
        "60 Uncertain I", "70 Good I", "90 Good", "90 Uncertain I",
    ]),
    ("Average", FIRST, ONE, 5, [
        "BadNoData", "BadNoData", "10 Good C", "BadNoData", "20 Good C", "BadNoData", "30 Good C", "BadNoData",
        "BadNoData", "BadNoData", "50 Good C", "BadNoData", "60 Good C", "BadNoData", "BadNoData", "BadNoData",
        "80 Good C", "BadNoData", "90 Good C", "BadNoData",
    ]),
    ("Average", SECOND_ONE, TWO, 5, [
        "10 Good C", "BadNoData", "BadNoData", "BadNoData", "BadNoData", "22.5 Good C", "BadNoData", "30 Good C",
        "BadNoData", "40 Good C", "50 Good C", "BadNoData", "BadNoData", "BadNoData", "60 Good C", "BadNoData",
        "70 Good C", "80 Good C", "90 Good C", "BadNoData",
    ]),
    ("Minimum", SECOND_ONE, TWO, 16, [
        "10 Good CP", "20 Good C", "30 Uncertain C", "40 Good", "60 Uncertain C", "70 Good CP", "BadNoData",
    ]),
    ("Maximum", FIRST, ONE, 16, [
        "10 Good CP", "30 Good C", "BadNoData", "60 Good C", "BadNoData", "90 Good CP", "BadNoData",
    ]),
    ("Maximum", SECOND_ONE, TWO, 16, [
        "10 Good CP", "25 Good C", "30 Uncertain C", "50 Good C", "60 Uncertain C", "90 Good CP", "BadNoData",
    ]),
    ("Range", SECOND_ONE, TWO, 16, [
        "0 Good CP", "5 Good C", "0 Uncertain C", "10 Good C", "0 Uncertain C", "20 Good CP", "BadNoData",
    ]),
    ("Count", FIRST, ONE, 16, [
        "1 Good CP", "2 Good C", "Bad", "2 Good C", "0 Uncertain C", "2 Good CP", "BadNoData",
    ]),
    ("Count", SECOND_ONE, TWO, 16, [
        "1 Good CP", "2 Good C", "1 Uncertain C", "2 Good C", "1 Uncertain C", "3 Good CP", "BadNoData",
    ]),
    ("PercentGood", SECOND_ONE, TWO, 16, [
        "87.5 Good CP", "100 Good C", "62.5 Good C", "100 Good C", "81.25 Good C", "70.003 Good CP", "BadNoData",
    ]),
    ("PercentBad", FIRST, ONE, 16, [
        "62.5 Good CP", "0 Good C", "50 Good C", "12.5 Good C", "0 Good C", "0 Good CP", "BadNoData",
    ]),
    ("PercentBad", SECOND_ONE, THREE, 16, [
        "12.5 Good CP", "0 Good C", "37.5 Good C", "0 Good C", "18.75 Good C", "29.997 Good CP", "BadNoData",
    ]),
    ("DurationBad", FIRST, ONE, 16, [
        "10000 Good CP", "0 Good C", "8000 Good C", "2000 Good C", "0 Good C", "0 Good CP", "BadNoData",
    ]),
    ("DurationGood", FIRST, ONE, 16, [
        "6000 Good CP", "16000 Good C", "0 Good C", "14000 Good C", "0 Good C", "10001 Good CP", "BadNoData",
    ]),
    ("DurationBad", SECOND_ONE, TWO, 16, [
        "2000 Good CP", "0 Good C", "6000 Good C", "0 Good C", "3000 Good C", "3000 Good CP", "BadNoData",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rows", "rules", "width", "expected"), EXAMPLES)
def test_the_examples_of_the_standard(
    name: str, rows: list[Row], rules: Rules, width: int, expected: list[str]
) -> None:
    """Annex A of OPC 10000-13: the same data, the same intervals, the same values and statuses."""
    assert calculated(name, rows, rules, width) == expected[: len(calculated(name, rows, rules, width))]
    assert len(calculated(name, rows, rules, width)) == len(expected)


def test_the_time_average_of_a_doubtful_stretch_is_the_one_that_was_worked_out_by_hand() -> None:
    """From 12:00:45 to 12:00:50 of historian 2: 115 + 85 over 5 s, the bound at its begin drawn across a bad value."""
    assert calculated("TimeAverage", SECOND_ONE, TWO, 5, 45, 50) == ["40 Uncertain C"]
    assert calculated("Total", SECOND_ONE, TWO, 5, 45, 50) == ["200 Uncertain C"]


def test_a_straight_line_has_its_middle_as_average_whatever_its_samples() -> None:
    rows: list[Row] = [(at, 2.0 * at, 0) for at in (0, 1, 2, 3, 50, 51, 100)]
    assert calculated("TimeAverage", rows, TWO, 100) == ["100 Good C"]
    assert calculated("Total", rows, TWO, 25) == ["625 Good C", "1875 Good C", "3125 Good C", "4375 Good C"]


def test_deviations_of_a_known_set() -> None:
    rows: list[Row] = [(at, value, 0) for at, value in enumerate((2, 4, 4, 4, 5, 5, 7, 9))]
    assert calculated("StandardDeviationPopulation", rows, TWO, 8, 0, 8)[0].startswith("2 Good")
    assert calculated("StandardDeviationSample", rows, TWO, 8, 0, 8)[0].startswith("2.138 Good")
    assert calculated("VariancePopulation", rows, TWO, 8, 0, 8)[0].startswith("4 Good")
    assert calculated("StandardDeviationSample", rows, TWO, 1, 3, 4) == ["0 Good C"]


def test_start_end_and_delta_have_their_own_times() -> None:
    of = intervals(0, 100 * SECOND, 16 * SECOND)
    rows = series(SECOND_ONE, TWO)
    start, end = AGGREGATES["Start"][0](rows, of), AGGREGATES["End"][0](rows, of)
    assert (start.times[1:6] // SECOND).tolist() == [25, 39, 48, 72, 83]
    assert (end.times[1:6] // SECOND).tolist() == [28, 42, 52, 77, 90]
    assert end.codes[2] == BAD
    assert calculated("Delta", SECOND_ONE, TWO, 16) == [
        "0 Good CP", "5 Good C", "0 Uncertain C", "10 Good C", "0 Uncertain C", "20 Good CP", "BadNoData",
    ]  # fmt: skip


def test_extremes_keep_their_own_time_and_say_when_there_are_several() -> None:
    rows: list[Row] = [(1, 5, 0), (2, 9, 0), (3, 5, 0), (4, 9, 0), (9, 7, 0)]
    of = Intervals(np.array([0]), np.array([8 * SECOND]))
    low, high = (AGGREGATES[f"{name}ActualTime"][0](series(rows, TWO), of) for name in ("Minimum", "Maximum"))
    assert (low.times[0], high.times[0]) == (1 * SECOND, 2 * SECOND)
    assert words(low.values[0], int(low.codes[0])) == "5 Good PM"


def test_bounds_belong_to_an_interval_where_an_aggregate_says_so() -> None:
    """Worked out by hand: 4 at 0 s, 8 at 10 s, Bad at 20 s, 6 at 30 s and at 40 s."""
    rows: list[Row] = [(0, 4, 0), (10, 8, 0), (20, 2, BAD), (30, 6, 0), (40, 6, 0)]
    for name, early, late in (
        ("StartBound", "6 Good I", "8 Uncertain I"),
        ("EndBound", "8 Uncertain C", "Bad"),
        ("DeltaBounds", "2 Uncertain C", "BadNoData"),
        ("Minimum2", "6 Good I", "8 Uncertain I"),
        ("Maximum2", "8 Good CM", "8 Uncertain I"),
        ("Range2", "2 Good C", "0 Uncertain C"),
        ("TimeAverage2", "7.5 Good C", "8 Uncertain C"),
        ("Total2", "75 Good C", "40 Uncertain C"),
    ):
        assert calculated(name, rows, TWO, 10, 5, 15) == [early], name
        assert calculated(name, rows, TWO, 10, 15, 25) == [late], name
        # Bad all the time; and nothing has begun yet.
        assert calculated(name, rows, TWO, 8, 21, 29)[0].startswith("Bad"), name
        assert calculated(name, rows, TWO, 10, -20, -10) == ["BadNoData"], name
    of = intervals(5 * SECOND, 15 * SECOND, 0)
    least, most = (AGGREGATES[f"{name}ActualTime2"][0](series(rows, TWO), of) for name in ("Minimum", "Maximum"))
    assert (least.times[0], most.times[0]) == (5 * SECOND, 10 * SECOND)
    assert (least.values[0], most.values[0]) == (6, 8)
    rising = AGGREGATES["MaximumActualTime2"][0](series(rows, TWO), intervals(1 * SECOND, 9 * SECOND, 0))
    assert rising.times[0] == 9 * SECOND - MILLISECOND  # the end itself belongs to the next interval
    assert words(rising.values[0], int(rising.codes[0])) == "7.6 Good I"


def test_states_are_timed_and_their_changes_counted() -> None:
    rows: list[Row] = [(0, 0, 0), (10, 1, 0), (20, 1, BAD), (24, 1, 0), (30, 0, 0), (40, 2, 0)]
    steps = replace(TWO, stepped=True)
    assert calculated("DurationInStateZero", rows, steps, 10, 5, 15) == ["5000 Good C"]
    assert calculated("DurationInStateNonZero", rows, steps, 20, 5, 25) == ["11000 Uncertain C"]
    assert calculated("DurationInStateNonZero", rows, replace(steps, percent_bad=20), 20, 5, 25) == ["Bad"]
    assert calculated("NumberOfTransitions", rows, steps, 31, 10, 41) == ["3 Uncertain CP"]
    assert calculated("NumberOfTransitions", rows, steps, 10, 0, 10) == ["0 Good C"]


def test_time_that_flows_backwards_turns_the_intervals_around() -> None:
    forward = intervals(0, 32 * SECOND, 16 * SECOND)
    backward = intervals(32 * SECOND, 0, 16 * SECOND)
    assert backward.stamps.tolist() == [32 * SECOND, 16 * SECOND]
    rows = series(FIRST, ONE)
    ahead, back = (AGGREGATES["Average"][0](rows, of) for of in (forward, backward))
    assert ahead.values.tolist() == [10.0, 25.0]
    assert back.values.tolist() == [25.0, 10.0]
    touching = intervals(30 * SECOND, 10 * SECOND, 10 * SECOND)  # the later end belongs to it
    assert AGGREGATES["Average"][0](rows, touching).values.tolist() == [30.0, 20.0]


def test_extrapolation_goes_on_as_it_was_told_to() -> None:
    flat = calculated("Interpolative", FIRST, ONE, 5, 95, 100)
    sloped = calculated("Interpolative", FIRST, replace(ONE, sloped_extrapolation=True), 5, 95, 100)
    assert (flat, sloped) == (["90 Uncertain I"], ["95 Uncertain I"])


def test_simple_bounds_do_not_reach_across_a_bad_value() -> None:
    values, codes = simple(series(FIRST, ONE), np.array([5, 10, 35, 45, 55, 95], np.int64) * SECOND)
    assert [words(*one) for one in zip(values.tolist(), codes.tolist(), strict=True)] == [
        "Bad I".replace(" I", ""), "10 Good", "30 Uncertain I", "Bad", "55 Good I", "90 Uncertain I",
    ]  # fmt: skip


def test_a_series_without_rows_has_no_answer() -> None:
    for name in AGGREGATES:
        assert calculated(name, [], TWO, 50) == ["BadNoData", "BadNoData"]


@pytest.mark.parametrize(("bad", "good", "valid"), [(100, 100, True), (50, 50, True), (40, 50, False), (0, 100, True)])
def test_percentages_must_not_contradict_each_other(bad: int, good: int, valid: bool) -> None:
    assert Rules(percent_bad=bad, percent_good=good).valid() is valid


moments = st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True).map(sorted)
codes = st.sampled_from([0, 0, 0, DOUBT, BAD, 0x80310000, NO_DATA])
kept = st.builds(
    Rules,
    treat_uncertain_as_bad=st.booleans(),
    percent_bad=st.sampled_from([50, 80, 100]),
    percent_good=st.sampled_from([50, 70, 100]),
    sloped_extrapolation=st.booleans(),
    stepped=st.booleans(),
)


@settings(max_examples=150)
@given(moments.flatmap(lambda at: st.tuples(*(st.tuples(st.just(one), st.integers(-9, 9), codes) for one in at))), kept,
       st.integers(-5, 30), st.integers(1, 50), st.sampled_from([1, 3, 7, 16]))  # fmt: skip
def test_the_arrays_agree_with_a_slow_reading_of_the_standard(
    rows: tuple[Row, ...], rules: Rules, start: int, span: int, width: int
) -> None:
    of = intervals(start * SECOND, (start + span) * SECOND, width * SECOND)
    table = series(list(rows), rules)
    for name, (calculate, _) in AGGREGATES.items():
        if "ActualTime" in name:
            continue
        found = calculate(table, of)
        for low, high, value in zip(of.low.tolist(), of.high.tolist(), found.values.tolist(), strict=True):
            expected = answer(name, list(rows), low / SECOND, high / SECOND, rules)
            if expected is None:
                assert np.isnan(value), (name, low // SECOND, value)
            else:
                assert value == pytest.approx(expected, abs=1e-9), (name, low // SECOND)


@settings(max_examples=100)
@given(moments.flatmap(lambda at: st.tuples(*(st.tuples(st.just(one), st.integers(-9, 9), codes) for one in at))), kept,
       st.lists(st.integers(-2, 63), min_size=1, max_size=6))  # fmt: skip
def test_bounding_values_agree_with_a_slow_reading_of_the_standard(
    rows: tuple[Row, ...], rules: Rules, at: list[int]
) -> None:
    of = Intervals(np.array(at, np.int64) * SECOND, np.array(at, np.int64) * SECOND + 1)
    found = AGGREGATES["Interpolative"][0](series(list(rows), rules), of)
    for moment, value, code in zip(at, found.values.tolist(), found.codes.tolist(), strict=True):
        expected, status = line(list(rows), moment, rules)
        assert code & 0xFFFF0000 == status
        assert np.isnan(value) if expected is None else value == pytest.approx(expected)
