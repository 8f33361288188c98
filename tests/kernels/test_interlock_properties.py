"""What an interlock promises, each promise attacked with random readings: on the scan and on the oracle."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.tables import (
    Command,
    ConditionClass,
    ConditionFlag,
    ConditionState,
    Event,
    LoopMode,
    Policy,
    Program,
    Refusal,
    RunState,
    Status,
    SystemTag,
    Tables,
)
from tests.kernels.stand import ENGINES, Stand
from tests.kernels.tables_builder import ProgramBuilder, ToolBuilder, is_bad, tag, vote

Engine = Callable[..., Any]
LIMIT, DEMAND = 50.0, 80.0
WILD = (math.nan, math.inf, -math.inf)
STATUSES = (Status.GOOD, Status.UNCERTAIN, Status.BAD, Status.BAD_NO_COMMUNICATION)
readings = st.tuples(
    st.one_of(st.floats(0, 100), st.sampled_from([LIMIT, math.nextafter(LIMIT, 99.0), *WILD])),
    st.sampled_from([Status.GOOD, *STATUSES]),
)
random_scans = settings(max_examples=40, deadline=None, derandomize=True, database=None)

pytestmark = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)


class Furnace:
    """One thermometer, one hazardous gas valve, one pump; too hot closes the valve and keeps the pump running."""

    def __init__(self, engine: Engine, flags: int = 0, **condition: Any) -> None:
        tool = ToolBuilder()
        self.thermometer = tool.input(-100.0, 1000.0, age_bad=5)
        self.valve = tool.output(0.0, 100.0, safe=0.0, hazardous=True)
        self.pump = tool.output(0.0, 100.0, safe=30.0)
        self.too_hot = tool.condition(
            tag(self.thermometer).above(LIMIT),
            ConditionClass.TRIP,
            flags,
            effects={self.valve: 0.0, self.pump: 100.0},
            **condition,
        )
        self.stand = Stand(engine, tool.build())
        self.read(20.0)
        assert self.stand.order(Command.ARM) == Refusal.NONE
        self.ask()

    def read(self, value: float, status: int = Status.GOOD) -> None:
        self.stand.post(self.thermometer, value, status)

    def ask(self) -> None:
        """Ask for an open valve and a slow pump."""
        self.read(20.0)
        assert self.stand.order(Command.WRITE, self.valve, DEMAND) == Refusal.NONE
        self.read(20.0)
        assert self.stand.order(Command.WRITE, self.pump, 40.0) == Refusal.NONE

    @property
    def gated(self) -> bool:
        return (self.stand.value(self.valve), self.stand.value(self.pump)) == (0.0, 100.0)


@random_scans
@given(read=st.lists(readings, min_size=1, max_size=40))
def test_an_input_that_crosses_its_limit_gates_the_outputs_within_the_same_scan(engine: Engine, read: Any) -> None:
    furnace = Furnace(engine)
    for value, status in read:
        furnace.read(value, status)
        furnace.stand.run()
        trips = status != Status.GOOD or not math.isfinite(value) or value > LIMIT
        assert furnace.gated or not trips
        if not trips:
            furnace.ask()
            assert furnace.stand.value(furnace.valve) == DEMAND


@pytest.mark.parametrize("status", [Status.BAD, Status.BAD_OUT_OF_RANGE, Status.UNCERTAIN, 0xC0000000])
def test_a_value_that_is_not_good_trips_even_when_its_number_is_harmless(engine: Engine, status: int) -> None:
    furnace = Furnace(engine)
    furnace.read(20.0, status)
    furnace.stand.run()
    assert furnace.gated
    assert furnace.stand.has(furnace.too_hot, ConditionState.UNKNOWN)


def test_uncertain_is_accepted_only_where_that_is_declared(engine: Engine) -> None:
    furnace = Furnace(engine, ConditionFlag.ACCEPT_UNCERTAIN)
    furnace.read(20.0, Status.UNCERTAIN)
    furnace.stand.run()
    assert furnace.stand.value(furnace.valve) == DEMAND
    furnace.read(20.0, Status.BAD)
    furnace.stand.run()
    assert furnace.gated


@pytest.mark.parametrize("value", [*WILD, 1000.5, -100.5])
def test_an_implausible_number_is_bad_and_trips(engine: Engine, value: float) -> None:
    furnace = Furnace(engine)
    furnace.read(value)
    furnace.stand.run()
    assert furnace.stand.status(furnace.thermometer) == Status.BAD_OUT_OF_RANGE
    assert furnace.gated


@random_scans
@given(silence=st.integers(1, 12), skipped=st.integers(0, 8))
def test_a_silent_instrument_ages_out_and_trips(engine: Engine, silence: int, skipped: int) -> None:
    furnace = Furnace(engine)
    furnace.read(20.0)
    furnace.stand.run()
    furnace.stand.scan.skip(skipped)  # missed slots are time, too
    furnace.stand.run(silence)
    assert furnace.gated == (silence + skipped >= 5)


def test_an_instrument_that_never_spoke_trips(engine: Engine) -> None:
    tool = ToolBuilder()
    gauge, valve = tool.input(), tool.output()
    tool.condition(tag(gauge).above(1.0), ConditionClass.PERMISSIVE, effects={valve: 0.0})
    stand = Stand(engine, tool.build())
    assert stand.order(Command.WRITE, valve, 50.0) == Refusal.NONE
    assert stand.value(valve) == 0.0
    stand.post(gauge, 0.0)
    stand.run()
    assert stand.order(Command.WRITE, valve, 50.0) == Refusal.NONE
    assert stand.value(valve) == 50.0


@random_scans
@given(read=st.lists(readings, min_size=1, max_size=20), latch=st.booleans())
def test_neither_the_end_of_a_trip_nor_its_reset_restores_an_output(engine: Engine, read: Any, latch: bool) -> None:
    furnace = Furnace(engine, ConditionFlag.LATCH if latch else 0)
    furnace.read(LIMIT + 1)
    furnace.stand.run()
    for value, status in read:
        furnace.read(value, status)
        furnace.stand.order(Command.RESET, furnace.too_hot)
        assert furnace.gated
    furnace.read(20.0)
    furnace.stand.run()
    furnace.read(20.0)
    assert furnace.stand.order(Command.RESET, furnace.too_hot) == Refusal.NONE
    furnace.read(20.0)
    furnace.stand.run(4)
    assert furnace.gated
    furnace.ask()
    assert furnace.stand.value(furnace.valve) == DEMAND


def test_a_reset_is_refused_while_the_cause_lasts(engine: Engine) -> None:
    furnace = Furnace(engine, ConditionFlag.LATCH, off_delay=3)
    furnace.read(LIMIT + 1)
    furnace.stand.run()
    assert furnace.stand.order(Command.RESET, furnace.too_hot) == Refusal.CONDITION_ACTIVE
    furnace.read(20.0)
    furnace.stand.run(1)  # clear, but still in its off-delay
    assert furnace.stand.order(Command.RESET, furnace.too_hot) == Refusal.CONDITION_ACTIVE
    furnace.stand.run(2)
    furnace.read(20.0)
    assert furnace.stand.order(Command.RESET, furnace.too_hot) == Refusal.NONE
    assert not furnace.stand.has(furnace.too_hot, ConditionState.LATCHED)


@pytest.mark.parametrize(("pressure", "status", "granted"), [
    (0.5, Status.GOOD, True), (5.0, Status.GOOD, False), (0.5, Status.UNCERTAIN, False), (0.5, Status.BAD, False),
])  # fmt: skip
def test_a_reset_waits_for_its_condition_to_be_known_and_true(
    engine: Engine, pressure: float, status: int, granted: bool
) -> None:
    tool = ToolBuilder()
    door, gauge, valve = tool.input(), tool.input(), tool.output(hazardous=True)
    opened = tool.condition(
        tag(door).above(0.5), flags=ConditionFlag.LATCH, effects={valve: 0.0}, reset=tag(gauge).below(1.0)
    )
    stand = Stand(engine, tool.build())
    stand.post(gauge, 0.5)
    for state in (1.0, 0.0):
        stand.post(door, state)
        stand.run()
    stand.post(gauge, pressure, status)
    assert stand.order(Command.RESET, opened) == (Refusal.NONE if granted else Refusal.CONDITION_ACTIVE)
    assert stand.has(opened, ConditionState.LATCHED) != granted


@random_scans
@given(asked=st.one_of(st.integers(-2, 40), st.floats(allow_nan=True)))
def test_a_bypass_expires_by_itself_and_is_never_longer_than_permitted(engine: Engine, asked: float) -> None:
    longest = 20
    furnace = Furnace(engine, max_bypass=longest)
    furnace.read(20.0)
    answer = furnace.stand.order(Command.BYPASS, furnace.too_hot, asked)
    assert answer == (Refusal.NONE if 1 <= asked <= longest else Refusal.OUT_OF_LIMITS)
    begun = furnace.stand.scan.index
    bypassed = int(asked) if answer == Refusal.NONE else 0
    for _ in range(longest + 5):
        furnace.read(LIMIT + 1)
        furnace.stand.run()
        scans = furnace.stand.scan.index - begun + 1
        assert furnace.gated == (scans > bypassed)
    expired = [event["scan"] - begun + 1 for event in furnace.stand.happened(Event.BYPASS_EXPIRED)]
    assert expired == ([bypassed] if bypassed else [])


def test_what_may_not_be_bypassed_is_not(engine: Engine) -> None:
    furnace = Furnace(engine)
    assert furnace.stand.order(Command.BYPASS, furnace.too_hot, 5.0) == Refusal.NOT_BYPASSABLE


@random_scans
@given(order=st.lists(st.sets(st.integers(0, 4), min_size=1), min_size=1, max_size=12))
def test_first_out_names_exactly_the_first(engine: Engine, order: list[set[int]]) -> None:
    tool = ToolBuilder()
    switches = [tool.input() for _ in range(5)]
    for switch in switches:
        tool.condition(tag(switch).above(0.5), ConditionClass.WARNING, ConditionFlag.LATCH, group=3)
    elsewhere = tool.condition(tag(switches[0]).above(0.5), ConditionClass.WARNING, ConditionFlag.LATCH, group=1)
    stand = Stand(engine, tool.build())
    for switch in switches:
        stand.post(switch, 0.0)
    stand.run()
    for together in order:
        for index in together:
            stand.post(switches[index], 1.0)
        stand.run()
    named = [index for index in range(5) if stand.has(index, ConditionState.FIRST_OUT)]
    assert named == [min(order[0])]
    assert stand.has(elsewhere, ConditionState.FIRST_OUT) == any(0 in together for together in order)
    for switch in switches:
        stand.post(switch, 0.0)
    stand.run()
    for index in range(5):
        assert stand.order(Command.RESET, index) == Refusal.NONE
    stand.run()
    assert not any(stand.has(index, ConditionState.FIRST_OUT) for index in range(5))


@random_scans
@given(data=st.data())
def test_a_hazardous_output_stays_safe_until_armed(engine: Engine, data: st.DataObject) -> None:
    tool = ToolBuilder()
    valve = tool.output(0.0, 100.0, safe=7.0, rate=data.draw(st.sampled_from([0.0, 3.0])), hazardous=True)
    program = ProgramBuilder()
    program.set(valve, 60.0)
    program.end()
    stand = Stand(engine, tool.build(), program.build())
    armed = False
    for _ in range(data.draw(st.integers(1, 30))):
        op = data.draw(st.sampled_from([
            Command.WRITE, Command.FORCE, Command.UNFORCE, Command.LOAD, Command.START, Command.ARM, Command.DISARM,
        ]))  # fmt: skip
        stand.order(op, 0 if op == Command.LOAD else valve, data.draw(st.floats(0, 100)))
        armed = {Command.ARM: True, Command.DISARM: False}.get(op, armed)
        assert armed or stand.value(valve) == 7.0
    stand.order(Command.UNFORCE, valve)
    stand.order(Command.DISARM)
    stand.order(Command.ARM)
    stand.run(3)
    assert stand.value(valve) == 7.0  # arming gives nothing back


@random_scans
@given(forced=st.floats(0, 100), demand=st.floats(0, 100))
def test_a_force_never_overrides_a_trip_nor_the_arming(engine: Engine, forced: float, demand: float) -> None:
    furnace = Furnace(engine)
    furnace.read(20.0)
    furnace.stand.order(Command.WRITE, furnace.valve, demand)
    furnace.read(20.0)
    assert furnace.stand.order(Command.FORCE, furnace.valve, forced) == Refusal.NONE
    assert furnace.stand.value(furnace.valve) == forced
    assert furnace.stand.status(furnace.valve) == Status.GOOD_LOCAL_OVERRIDE
    furnace.read(LIMIT + 1)
    furnace.stand.run()
    assert furnace.gated
    assert furnace.stand.status(furnace.valve) == Status.GOOD
    furnace.read(20.0)
    furnace.stand.order(Command.DISARM)
    assert furnace.stand.value(furnace.valve) == 0.0


def test_a_forced_input_says_so_and_may_be_forced_into_a_trip(engine: Engine) -> None:
    furnace = Furnace(engine)
    assert furnace.stand.order(Command.FORCE, furnace.thermometer, math.nan) == Refusal.OUT_OF_LIMITS
    assert furnace.stand.order(Command.FORCE, furnace.thermometer, LIMIT + 1) == Refusal.NONE
    furnace.stand.run()
    assert furnace.stand.status(furnace.thermometer) == Status.GOOD_LOCAL_OVERRIDE
    assert furnace.gated
    assert furnace.stand.value(SystemTag.FORCED) == 1.0


@random_scans
@given(read=st.lists(st.tuples(readings, readings), min_size=1, max_size=30), mode=st.sampled_from(LoopMode))
def test_no_nan_and_no_infinity_ever_reaches_an_output(engine: Engine, read: Any, mode: LoopMode) -> None:
    tool = ToolBuilder()
    a, b = tool.input(-math.inf, math.inf), tool.input(-1e308, 1e308)
    quotient = tool.computed(tag(a) / tag(b))
    setpoint, selector, heater = tool.setpoint(), tool.mode(), tool.output(0.0, 100.0, safe=1.0)
    mapped, stored = tool.output(-5.0, 5.0), tool.output(0.0, 1.0)
    tool.loop(pv=a, sp=b, out=heater, mode=selector, ff=quotient, kp=1e300, ki=1e300, kd=1.0, alpha=0.5, ff_gain=1e9)
    tool.map(quotient, mapped, (0.0, 1e-300), (-5.0, 5.0))
    program = ProgramBuilder()
    with program.cycle(1000):
        program.store(stored, tag(a) * tag(b) - tag(a) * 2.0)
        program.store(setpoint, tag(a).sqrt())
        program.ramp(setpoint, 5.0, scans=3, start_from=a)
        program.wait(1)
    program.end()
    stand = Stand(engine, tool.build(), program.build())
    stand.start()
    for (x, status), (y, _) in read:
        stand.post(a, x * 1e300, status)
        stand.post(b, y * 1e-300)
        stand.order(Command.WRITE, selector, float(mode))
        for output, low, high in ((heater, 0.0, 100.0), (mapped, -5.0, 5.0), (stored, 0.0, 1.0)):
            assert low <= stand.value(output) <= high
            stand.order(Command.WRITE, output, x)
            assert low <= stand.value(output) <= high


def gas_tool(waits: int, timeout: int, **trip: Any) -> tuple[Tables, Program, dict[str, int]]:
    """A tool that purges and pumps on a trip, with a wait for a pressure that may never come."""
    tool = ToolBuilder()
    names = {"gauge": tool.input(age_bad=3), "valve": tool.output(hazardous=True), "purge": tool.output()}
    names["heater"] = tool.setpoint(0.0, 1000.0, 20.0)
    tool.condition(tag(names["gauge"]).above(LIMIT), effects={names["valve"]: 0.0}, **trip)
    with tool.safe.cycle(waits):
        tool.safe.set(names["purge"], 100.0)
        tool.safe.wait(2, tag(names["gauge"]).below(1.0), timeout=timeout, policy=Policy.ABORT)
        tool.safe.set(names["purge"], 10.0)
        tool.safe.wait(1, policy=Policy.HOLD)
    tool.safe.end()
    program = ProgramBuilder()
    step = program.step()
    program.set(names["valve"], 60.0)
    program.ramp(names["heater"], 900.0, rate=10.0)
    program.wait(1000)
    program.end()
    program.block(step, "hold")
    program.set(names["valve"], 0.0)
    program.set(names["heater"], 300.0)
    program.wait(3)
    program.end()
    program.block(step, "restart")
    program.wait(2)
    program.restore(names["heater"])
    program.restore(names["valve"])
    program.end()
    return tool.build(), program.build(), names


@random_scans
@given(waits=st.integers(1, 4), timeout=st.integers(1, 5), read=st.lists(readings, max_size=60))
def test_the_safe_sequence_ends_within_its_bound_whatever_is_read(
    engine: Engine, waits: int, timeout: int, read: Any
) -> None:
    tables, program, names = gas_tool(waits, timeout)
    stand = Stand(engine, tables, program)
    stand.post(names["gauge"], 0.0)
    stand.start()
    stand.post(names["gauge"], LIMIT + 1)
    stand.run()
    assert stand.state == RunState.ABORTING
    assert stand.value(names["purge"]) == 100.0
    bound = waits * (max(2, timeout) + 1) + 1
    for value, status in [*read, *[(math.nan, Status.BAD)] * bound][:bound]:
        stand.post(names["gauge"], value, status)
        stand.run()
    assert stand.state == RunState.ABORTED
    assert stand.value(names["valve"]) == 0.0
    assert stand.value(names["purge"]) == 10.0


@random_scans
@given(ramped=st.integers(1, 30), held=st.integers(4, 30))
def test_hold_and_restart_give_the_held_set_points_back(engine: Engine, ramped: int, held: int) -> None:
    tables, program, names = gas_tool(1, 3)
    stand = Stand(engine, tables, program)

    def run(scans: int) -> None:
        for _ in range(scans):
            stand.post(names["gauge"], 0.0)
            stand.run()

    def order(op: Command) -> None:
        stand.post(names["gauge"], 0.0)
        assert stand.order(op) == Refusal.NONE

    run(1)
    for op in (Command.ARM, Command.LOAD, Command.START):
        order(op)
    run(ramped)
    before = stand.value(names["heater"])
    assert before == 20.0 + 10.0 * (ramped + 1)
    order(Command.HOLD)
    assert (stand.value(names["heater"]), stand.value(names["valve"])) == (300.0, 0.0)
    run(held)
    assert stand.state == RunState.HELD
    order(Command.RESTART)
    run(2)
    assert stand.state == RunState.RUNNING
    # The ramp goes on where it was, in the very scan in which the run is running again.
    assert (stand.value(names["heater"]), stand.value(names["valve"])) == (before + 10.0, 60.0)
    run(3)
    assert stand.value(names["heater"]) == before + 40.0


@pytest.mark.parametrize("cls", [ConditionClass.TRIP, ConditionClass.HOLD])
def test_a_trip_or_hold_acts_on_the_run_in_the_scan_in_which_it_appears(engine: Engine, cls: ConditionClass) -> None:
    tables, program, names = gas_tool(1, 3, cls=cls)
    stand = Stand(engine, tables, program)
    stand.post(names["gauge"], 0.0)
    stand.start()
    stand.post(names["gauge"], LIMIT + 1)
    stand.run()
    assert stand.state == (RunState.ABORTING if cls == ConditionClass.TRIP else RunState.HOLDING)
    assert stand.value(names["valve"]) == 0.0
    changes = [event for event in stand.happened(Event.RUN_STATE) if event["b"] == 1]
    assert [event["scan"] for event in changes] == [stand.scan.index]


def test_a_trip_overrides_a_start_of_the_same_scan(engine: Engine) -> None:
    tables, program, names = gas_tool(1, 3)
    stand = Stand(engine, tables, program)
    stand.post(names["gauge"], 0.0)
    assert stand.order(Command.ARM) == stand.order(Command.LOAD) == Refusal.NONE
    stand.post(names["gauge"], LIMIT + 1)
    assert stand.order(Command.START) == Refusal.NONE
    assert stand.state == RunState.ABORTING
    assert stand.value(names["valve"]) == 0.0


def test_nothing_starts_while_a_trip_is_in_force_and_arming_is_refused(engine: Engine) -> None:
    tables, program, names = gas_tool(1, 3)
    stand = Stand(engine, tables, program)
    stand.post(names["gauge"], LIMIT + 1)
    stand.run()
    assert stand.order(Command.ARM) == Refusal.CONDITION_ACTIVE
    assert stand.order(Command.LOAD) == Refusal.NONE
    assert stand.order(Command.START) == Refusal.CONDITION_ACTIVE
    stand.post(names["gauge"], 0.0)
    stand.run()
    stand.post(names["gauge"], 0.0)
    assert stand.order(Command.START) == Refusal.GATED


def test_a_trip_from_idle_runs_the_safe_sequence_only_where_declared(engine: Engine) -> None:
    for flags, state in ((0, RunState.IDLE), (ConditionFlag.SAFE_FROM_IDLE, RunState.ABORTING)):
        tables, program, names = gas_tool(1, 3, flags=flags)
        stand = Stand(engine, tables, program)
        stand.post(names["gauge"], 0.0)
        stand.run()
        stand.post(names["gauge"], LIMIT + 1)
        stand.run()
        assert stand.state == state


def test_two_out_of_three_tolerates_one_failure_and_trips_on_two(engine: Engine) -> None:
    tool = ToolBuilder()
    sensors, valve = [tool.input() for _ in range(3)], tool.output()
    voted = tool.condition(vote(2, [tag(each).above(LIMIT) for each in sensors]), effects={valve: 0.0})
    suspect = tool.condition(is_bad(sensors[0]), ConditionClass.WARNING)
    stand = Stand(engine, tool.build())
    for sensor in sensors:
        stand.post(sensor, 1.0)
    stand.run()
    stand.post(sensors[0], math.nan)
    stand.run()
    assert not stand.has(voted, ConditionState.ACTIVE)
    assert stand.has(suspect, ConditionState.ACTIVE)
    stand.post(sensors[2], LIMIT + 1)
    stand.run()
    assert stand.has(voted, ConditionState.ACTIVE)


@random_scans
@given(pattern=st.lists(st.booleans(), min_size=1, max_size=40), on=st.integers(0, 4), off=st.integers(0, 4))
def test_delays_count_whole_scans(engine: Engine, pattern: list[bool], on: int, off: int) -> None:
    furnace = Furnace(engine, on_delay=on, off_delay=off)
    active, hot, cool = False, 0, 0
    for raw in pattern:
        furnace.read(LIMIT + 1 if raw else 20.0)
        furnace.stand.run()
        hot, cool = (hot + 1, 0) if raw else (0, cool + 1)
        active = (active and cool <= off) or hot > on
        assert furnace.stand.has(furnace.too_hot, ConditionState.ACTIVE) == active


def test_hysteresis_holds_an_active_condition_until_the_value_is_back(engine: Engine) -> None:
    tool = ToolBuilder()
    gauge = tool.input()
    high = tool.condition(tag(gauge).above(LIMIT, hysteresis=2.0), ConditionClass.WARNING)
    stand = Stand(engine, tool.build())
    seen: list[bool] = []
    for value in (49.0, 50.0, 50.1, 49.0, 48.1, 48.0, 49.0, 50.0, 51.0):
        stand.post(gauge, value)
        stand.run()
        seen.append(stand.has(high, ConditionState.ACTIVE))
    assert seen == [False, False, True, True, True, False, False, False, True]


def test_of_two_trips_on_one_output_the_first_of_the_table_decides(engine: Engine) -> None:
    tool = ToolBuilder()
    a, b, valve = tool.input(), tool.input(), tool.output(0.0, 100.0)
    tool.condition(tag(a).above(LIMIT), effects={valve: 10.0})
    tool.condition(tag(b).above(LIMIT), effects={valve: 20.0})
    stand = Stand(engine, tool.build())
    for hot_a, hot_b, expected in ((0, 0, 0.0), (0, 99, 20.0), (99, 99, 10.0), (0, 99, 20.0), (0, 0, 20.0)):
        stand.post(a, float(hot_a))
        stand.post(b, float(hot_b))
        stand.run()
        assert stand.value(valve) == expected


def test_a_trip_switches_the_loop_of_its_output_off(engine: Engine) -> None:
    tool = ToolBuilder()
    gauge, heater, setpoint, mode = tool.input(), tool.output(), tool.setpoint(initial=40.0), tool.mode()
    tool.loop(pv=gauge, sp=setpoint, out=heater, mode=mode, kp=1.0, low=0.0, high=100.0)
    tool.condition(tag(gauge).above(LIMIT), effects={heater: 0.0})
    stand = Stand(engine, tool.build())
    stand.post(gauge, 20.0)
    stand.order(Command.WRITE, mode, LoopMode.AUTO)
    stand.run()
    assert stand.value(mode) == LoopMode.AUTO
    stand.post(gauge, LIMIT + 1)
    stand.run()
    assert (stand.value(mode), stand.value(heater)) == (LoopMode.OFF, 0.0)
    stand.post(gauge, 20.0)
    stand.run(5)
    assert stand.value(heater) == 0.0
