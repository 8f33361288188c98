"""How fast something changes, as the scan follows it: exact on a ramp, calm in noise, honest where it does not know."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.scan import Scan
from kernels.tables import Command, Op, Program, Status
from tests.kernels.comparison import Tally, compare
from tests.kernels.strategies import Case, Moment
from tests.kernels.tables_builder import ProgramBuilder, ToolBuilder, rate, tag, vote
from tests.kernels.test_scan_oracle import ENGINE, noticed, tool_with

PERIOD_S = 0.01


class Gauge:
    """A tool with one gauge, its rate over a window as a computed tag, and an alarm on it."""

    def __init__(self, window: int, *, limit: float = 5.0) -> None:
        tool = ToolBuilder(PERIOD_S)
        self.tag = tool.input(-1e6, 1e6)
        self.rate = tool.computed(rate(self.tag, window))
        tool.condition(rate(self.tag, window).above(limit, 1.0), flags=0)
        self.scan = Scan(tool.build())

    def says(self, value: float, status: int = Status.GOOD, scans: int = 1) -> tuple[float, int]:
        """Let it say a value, wait, and return the rate with its status."""
        self.scan.post(self.tag, value, status, 1)
        self.scan.advance(scans)
        values, statuses, _ = self.scan.values()
        return float(values[self.rate]), int(statuses[self.rate])

    @property
    def alarm(self) -> bool:
        """Whether the alarm is there."""
        return bool(self.scan.conditions()["state"][0] & 2)


@pytest.mark.parametrize("window", [2, 7, 60, 61, 200, 1000])
def test_a_straight_line_is_reported_exactly_once_it_fills_the_window(window: int) -> None:
    gauge = Gauge(window)
    found = 0.0
    for scan in range(2 * window + 60):
        found, status = gauge.says(40.0 - 3.0 * PERIOD_S * scan)
        assert status == Status.GOOD
    assert found == pytest.approx(-3.0, rel=1e-9)


def test_what_stands_still_has_a_rate_of_exactly_nothing() -> None:
    gauge = Gauge(100)
    assert {gauge.says(math.pi * 1e5) for _ in range(300)} == {(0.0, int(Status.GOOD))}
    assert not gauge.alarm


def test_noise_does_not_become_an_alarm_that_the_difference_of_two_values_would_be() -> None:
    rng, gauge, values, found = Random(3), Gauge(200), [], []
    for _ in range(600):
        values.append(100.0 + rng.gauss(0.0, 0.1))
        found.append(gauge.says(values[-1])[0])
    differences = np.abs(np.diff(values)) / PERIOD_S
    assert differences.max() > 20.0
    assert np.abs(found).max() < 0.5
    assert not gauge.alarm


@pytest.mark.parametrize("window", [60, 200, 1000])
def test_a_step_is_gone_when_the_window_has_passed(window: int) -> None:
    gauge = Gauge(window)
    gauge.says(0.0, scans=2 * window)
    found = [gauge.says(10.0)[0] for _ in range(window + 20)]
    assert max(found) == pytest.approx(1.5 * 10.0 / (window * PERIOD_S), rel=0.04)
    assert found[-1] == 0.0


def test_a_lost_gauge_has_no_rate_and_one_that_comes_back_begins_at_nothing() -> None:
    gauge = Gauge(50)
    for scan in range(100):
        gauge.says(10.0 * PERIOD_S * scan)
    assert gauge.alarm
    found, status = gauge.says(0.0, Status.BAD)
    assert math.isnan(found)
    assert status == Status.BAD
    assert gauge.alarm, "what is not known cannot be excluded"
    assert gauge.says(500.0) == (0.0, Status.GOOD), "it jumped while nobody looked: that is no rate"
    assert not gauge.alarm


def test_a_doubtful_value_makes_the_rate_doubtful_for_as_long_as_it_is_in_the_window() -> None:
    gauge = Gauge(50)
    gauge.says(1.0, scans=60)
    assert gauge.says(1.0, Status.UNCERTAIN)[1] == Status.UNCERTAIN
    doubtful = [gauge.says(1.0)[1] for _ in range(60)]
    assert doubtful == [Status.UNCERTAIN] * 49 + [Status.GOOD] * 11


def test_missed_slots_are_time_too() -> None:
    """A scan that comes 20 slots late must not take the way of 20 scans for that of one."""
    gauge = Gauge(50)
    scan, found = 0, 0.0
    for step in range(200):
        missed = 20 if step == 150 else 0
        gauge.scan.skip(missed)
        scan += missed + 1
        found, _ = gauge.says(3.0 * PERIOD_S * scan)
        assert abs(found) < 4.6
    assert found == pytest.approx(3.0, rel=1e-9)


def test_a_rate_of_a_computed_tag_is_of_this_scan() -> None:
    tool = ToolBuilder(PERIOD_S)
    source = tool.input(-1e6, 1e6)
    double = tool.computed(tag(source) * 2.0)
    slope = tool.computed(rate(double, 2))
    scan = Scan(tool.build())
    for value in (0.0, 1.0, 2.0, 3.0):
        scan.post(source, value, Status.GOOD, 7)
        scan.advance(1)
    values, _, times = scan.values()
    assert values[slope] == pytest.approx(200.0)
    assert times[slope] == 7 or times[slope] == 0


@pytest.mark.parametrize("window", [1, 0, -5, 2.5, 2.0**40])
def test_a_window_that_is_no_number_of_scans_is_refused(window: float) -> None:
    tool = ToolBuilder(PERIOD_S)
    tool.computed(rate(tool.input(), 5))
    tables = tool.build()
    tables.code["value"][tables.code["op"] == Op.RATE] = window
    with pytest.raises(ValueError, match=r"code\[0\].value: .*: a rate is taken over 2"):
        Scan(tables)


def test_a_program_has_no_rates() -> None:
    tool = ToolBuilder(PERIOD_S)
    source = tool.input()
    built = ProgramBuilder()
    built.wait(1, rate(source, 5).above(1.0))
    built.end()
    program: Program = built.build()
    with pytest.raises(ValueError, match="RATE stands in the tool's own expressions only"):
        Scan(tool.build()).load(0, program)


def followed() -> Case:
    """A gauge that is followed over windows of every form, by itself and computed, in tags, an alarm and a vote."""
    tool = ToolBuilder(PERIOD_S)
    gauge = tool.input(-1e300, 1e300, age_uncertain=7, age_bad=20)
    demand = tool.output(0.0, 10.0, rate=0.5)
    double = tool.computed(tag(gauge) * 2.0 + tag(demand))
    for window in (2, 3, 59, 60, 61, 150):
        tool.computed(rate(gauge, window))
        tool.computed(rate(double, window) - rate(demand, window))
    tool.condition(rate(double, 5).above(50.0, 20.0), on_delay=2)
    tool.condition(vote(1, [rate(gauge, 2).below(-1e3), tag(gauge).above(1e6)]), flags=4, group=0)
    ended = ProgramBuilder()
    ended.end()
    return Case(tool.build(), (ended.build(),) * 2, (gauge,), (demand,), ())


FOLLOWED = followed()
_values = st.floats(-100, 100) | st.integers(-5, 5).map(float) | st.sampled_from([math.nan, math.inf, 1e300, -1e300])
_statuses = st.sampled_from([0, 0, 0, 0x40000000, 0x40900000, 0x80000000])
_posting = st.tuples(st.just(FOLLOWED.inputs[0]), _values, _statuses, st.integers(0, 9))
_writing = st.builds(lambda value: (Command.WRITE, FOLLOWED.writable[0], value, 0.0, 1), st.floats(0, 10))


@st.composite
def _moments(draw: st.DrawFn) -> list[Moment]:
    found: list[Moment] = []
    for _ in range(draw(st.integers(1, 12))):
        postings = tuple(draw(st.lists(_posting, max_size=1)))
        commands = tuple(draw(st.lists(_writing, max_size=1)))
        found.append(Moment(postings, commands, draw(st.sampled_from([0, 0, 0, 1, 59, 200]))))
        # The same value again, or silence: windows have to pass for a doubt to end.
        again = postings if draw(st.booleans()) and postings and not postings[0][2] else ()
        found += [Moment(again, (), 0)] * draw(st.sampled_from([0, 1, 6, 70]))
    return found


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(_moments())
def test_the_scan_follows_as_the_oracle_does_bit_for_bit(moments: list[Moment]) -> None:
    assert compare(FOLLOWED, moments, ENGINE, Tally()) is None


def longer(drawn: Case) -> Case:
    """The same tool with windows longer by one scan."""

    def change(code: np.ndarray) -> np.ndarray:
        code["value"][code["op"] == Op.RATE] += 1
        return code

    return tool_with(code=change)(drawn)


def test_a_window_one_scan_too_long_is_noticed_by_the_comparison_with_the_oracle() -> None:
    assert noticed(ENGINE, longer)
