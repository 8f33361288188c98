"""What a control loop promises, and the closed loop beside an independent solution by scipy."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from kernels.tables import Command, Event, LoopMode, Refusal, Status
from tests.kernels.stand import ENGINES, Stand
from tests.kernels.tables_builder import ToolBuilder

Engine = Callable[..., Any]
pytestmark = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
random_scans = settings(max_examples=40, deadline=None, derandomize=True, database=None)
ordinary = st.floats(-100, 100)


class Loop:
    """A heater under control: process value in, output out; every tag can be moved."""

    def __init__(self, engine: Engine, *, high: float = 1e6, low: float = -1e6, **parameters: float) -> None:
        tool = ToolBuilder()
        self.pv, self.flow = tool.input(), tool.input()
        self.sp, self.mode = tool.setpoint(), tool.setpoint(0.0, 3.0)
        self.out = tool.output(low, high, safe=min(max(0.0, low), high))
        ff = self.flow if "ff_gain" in parameters else -1
        tool.loop(pv=self.pv, sp=self.sp, out=self.out, mode=self.mode, ff=ff, low=low, high=high, **parameters)
        self.stand = Stand(engine, tool.build())
        self.measure(0.0)
        self.stand.post(self.flow, 0.0)
        self.stand.run()

    def measure(self, value: float, status: int = Status.GOOD) -> None:
        self.stand.post(self.pv, value, status)

    def set(self, tag: int, value: float) -> float:
        """Write and scan; return the output."""
        assert self.stand.order(Command.WRITE, tag, value) == Refusal.NONE
        return self.output

    def scan(self, value: float) -> float:
        """Measure and scan; return the output."""
        self.measure(value)
        self.stand.run()
        return self.output

    @property
    def output(self) -> float:
        return self.stand.value(self.out)


@pytest.mark.parametrize(
    ("kp", "ki", "kd", "alpha"), [(2.0, 0.05, 0.0, 1.0), (1.5, 0.02, 3.0, 0.3), (0.0, 0.04, 0.0, 1.0)]
)
def test_the_closed_loop_on_a_first_order_plant_is_the_linear_system_that_it_should_be(
    engine: Engine, kp: float, ki: float, kd: float, alpha: float
) -> None:
    a, b, scans, target = 0.95, 0.04, 400, 10.0
    # State: process value, integral, filtered measurement of the scan before; input: the set point.
    drive = np.array([-kp - kd * alpha, 1.0, kd * alpha])
    system = np.vstack([np.array([a, 0.0, 0.0]) + b * drive, [-ki, 1.0, 0.0], [alpha, 0.0, 1.0 - alpha]])
    entry = np.array([[b * kp], [ki], [0.0]])
    start = [0.0, -kp * target, 0.0]  # bumpless: the output begins where it was, at 0
    _, outputs, states = signal.dlsim(
        (system, entry, drive[None, :], np.array([[kp]]), 1), np.full(scans, target), x0=start
    )
    loop = Loop(engine, kp=kp, ki=ki, kd=kd, alpha=alpha)
    loop.set(loop.sp, target)
    loop.stand.scan.command(Command.WRITE, loop.mode, LoopMode.AUTO)
    y, seen, written = 0.0, [], []
    for _ in range(scans):
        seen.append(y)
        written.append(loop.scan(y))
        y = a * y + b * written[-1]
    np.testing.assert_allclose(seen, states[:, 0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(written, outputs[:, 0], rtol=1e-9, atol=1e-9)
    assert abs(seen[-1] - target) < 0.5


@random_scans
@given(sp=ordinary, pv=ordinary, manual=ordinary, flow=ordinary)
def test_from_manual_to_automatic_without_a_bump(
    engine: Engine, sp: float, pv: float, manual: float, flow: float
) -> None:
    loop = Loop(engine, kp=3.0, ki=0.1, kd=2.0, alpha=0.5, ff_gain=0.7, bias=4.0)
    loop.set(loop.mode, LoopMode.MANUAL)
    loop.set(loop.sp, sp)
    loop.stand.post(loop.flow, flow)
    loop.scan(pv)
    assert loop.set(loop.out, manual) == manual
    assert loop.set(loop.mode, LoopMode.AUTO) == pytest.approx(manual, abs=1e-9)


def test_in_manual_the_output_stays_where_it_is_put(engine: Engine) -> None:
    loop = Loop(engine, kp=3.0, ki=1.0)
    loop.set(loop.mode, LoopMode.MANUAL)
    loop.set(loop.out, 12.5)
    assert {loop.scan(value) for value in (0.0, 50.0, -50.0)} == {12.5}


@random_scans
@given(first=ordinary, second=ordinary)
def test_a_step_of_the_set_point_gives_no_derivative_kick(engine: Engine, first: float, second: float) -> None:
    loop = Loop(engine, kd=50.0, alpha=0.4)
    loop.set(loop.mode, LoopMode.AUTO)
    assert loop.set(loop.sp, first) == 0.0
    assert loop.set(loop.sp, second) == 0.0


def test_the_derivative_acts_against_a_moving_measurement_through_its_filter(engine: Engine) -> None:
    loop = Loop(engine, kd=10.0, alpha=0.5)
    loop.set(loop.mode, LoopMode.AUTO)
    assert [loop.scan(8.0) for _ in range(3)] == [-40.0, -20.0, -10.0]


@pytest.mark.parametrize("rate", [0.0, 2.0])
def test_a_saturated_integral_does_not_wind_up(engine: Engine, rate: float) -> None:
    loop = Loop(engine, kp=1.0, ki=0.5, low=0.0, high=100.0, rate=rate)
    loop.set(loop.sp, 50.0)
    loop.set(loop.mode, LoopMode.AUTO)
    for _ in range(500):  # out of reach: the process does not answer
        loop.scan(0.0)
    assert loop.output == 100.0
    reaction = [loop.scan(60.0) for _ in range(3)]
    assert reaction[0] < 100.0
    assert reaction == sorted(reaction, reverse=True)


def test_anti_windup_of_a_loop_that_waits_at_its_lower_limit(engine: Engine) -> None:
    loop = Loop(engine, kp=1.0, ki=0.5, low=0.0, high=100.0)
    loop.set(loop.mode, LoopMode.AUTO)
    for _ in range(500):
        loop.scan(80.0)
    assert loop.output == 0.0
    loop.set(loop.sp, 200.0)
    assert loop.output > 0.0


@random_scans
@given(read=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_limits_and_rate_hold_whatever_is_measured(engine: Engine, read: list[float]) -> None:
    loop = Loop(engine, kp=1e4, ki=1e3, kd=1e5, low=-20.0, high=80.0, rate=1.5)
    loop.set(loop.sp, 10.0)
    before = loop.set(loop.mode, LoopMode.AUTO)
    for value in read:
        after = loop.scan(value)
        assert -20.0 <= after <= 80.0
        assert abs(after - before) <= 1.5 * (1 + 1e-12)
        before = after


def test_feed_forward_acts_in_the_same_scan(engine: Engine) -> None:
    loop = Loop(engine, kp=1.0, ff_gain=0.25, bias=3.0)
    loop.set(loop.mode, LoopMode.AUTO)
    before = loop.output
    loop.stand.post(loop.flow, 40.0)
    loop.stand.run()
    assert loop.output == pytest.approx(before + 10.0)


def test_a_cooling_loop_opens_when_it_gets_warm(engine: Engine) -> None:
    loop = Loop(engine, kp=2.0, direction=-1.0, low=0.0, high=100.0)
    loop.set(loop.mode, LoopMode.AUTO)
    assert loop.scan(10.0) == 20.0


@pytest.mark.parametrize("broken", ["pv", "flow"])
def test_a_bad_measurement_switches_the_loop_off_and_it_stays_off(engine: Engine, broken: str) -> None:
    loop = Loop(engine, kp=1.0, ki=0.1, ff_gain=1.0, off=5.0)
    loop.set(loop.mode, LoopMode.AUTO)
    loop.stand.post(loop.pv if broken == "pv" else loop.flow, 7.0, Status.BAD)
    loop.stand.run()
    assert (loop.output, loop.stand.value(loop.mode)) == (5.0, LoopMode.OFF)
    assert len(loop.stand.happened(Event.LOOP_FAULT)) == 1
    loop.stand.post(loop.flow, 7.0)
    loop.scan(1.0)
    assert (loop.output, loop.stand.value(loop.mode)) == (5.0, LoopMode.OFF)
    assert loop.set(loop.mode, LoopMode.AUTO) == pytest.approx(5.0)  # and comes back without a bump


def test_an_uncertain_measurement_is_still_controlled(engine: Engine) -> None:
    loop = Loop(engine, kp=1.0)
    loop.set(loop.mode, LoopMode.AUTO)
    loop.measure(-6.0, Status.UNCERTAIN)
    loop.stand.run()
    assert (loop.output, loop.stand.value(loop.mode)) == (6.0, LoopMode.AUTO)


@pytest.mark.parametrize("mode", [LoopMode.OFF, 3.0, 0.9])
def test_a_loop_in_no_known_mode_is_off(engine: Engine, mode: float) -> None:
    loop = Loop(engine, kp=1.0, off=2.0)
    loop.set(loop.mode, LoopMode.MANUAL)
    loop.set(loop.out, 30.0)
    assert loop.set(loop.mode, mode) == 2.0
    assert loop.set(loop.out, 30.0) == 2.0


def test_a_cascade_hands_its_set_point_down_within_the_scan(engine: Engine) -> None:
    tool = ToolBuilder()
    wafer, heater, power = tool.input(), tool.input(), tool.output(0.0, 1e4)
    wanted, inner = tool.setpoint(), tool.setpoint(0.0, 900.0)
    outer_mode, inner_mode = tool.mode(), tool.mode()
    tool.loop(pv=wafer, sp=wanted, out=inner, mode=outer_mode, kp=1.0, low=0.0, high=900.0, off=20.0)
    tool.loop(pv=heater, sp=inner, out=power, mode=inner_mode, kp=2.0, low=0.0, high=1e4)
    stand = Stand(engine, tool.build())
    stand.post(wafer, 0.0)
    stand.post(heater, 0.0)
    for mode in (outer_mode, inner_mode):
        stand.order(Command.WRITE, mode, LoopMode.AUTO)
    base = stand.value(inner), stand.value(power)
    stand.order(Command.WRITE, wanted, 100.0)
    assert stand.value(inner) == pytest.approx(base[0] + 100.0)
    assert stand.value(power) == pytest.approx(base[1] + 200.0)
    stand.post(wafer, math.nan)
    stand.run()
    assert stand.value(inner) == 20.0  # the outer loop is off; the inner one holds what that means
    assert (stand.value(outer_mode), stand.value(inner_mode)) == (LoopMode.OFF, LoopMode.AUTO)


@pytest.mark.parametrize(
    ("asked", "heating", "cooling"),
    [(0.0, 0.0, 100.0), (25.0, 0.0, 50.0), (50.0, 0.0, 0.0), (75.0, 50.0, 0.0), (100.0, 100.0, 0.0)],
)
def test_split_range_drives_two_valves_from_one_loop(
    engine: Engine, asked: float, heating: float, cooling: float
) -> None:
    tool = ToolBuilder()
    gauge, setpoint, mode, common = tool.input(), tool.setpoint(), tool.mode(), tool.setpoint(0.0, 100.0)
    heat, cool = tool.output(), tool.output()
    tool.loop(pv=gauge, sp=setpoint, out=common, mode=mode, kp=1.0, low=0.0, high=100.0)
    tool.map(common, heat, (50.0, 100.0), (0.0, 100.0))
    tool.map(common, cool, (0.0, 50.0), (100.0, 0.0))
    stand = Stand(engine, tool.build())
    stand.post(gauge, 0.0)
    stand.order(Command.WRITE, mode, LoopMode.AUTO)
    stand.order(Command.WRITE, setpoint, asked)
    assert stand.value(common) == asked
    assert (stand.value(heat), stand.value(cool)) == (heating, cooling)
