"""Recipe programs as a process engineer knows them, on the scan and on the oracle."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from kernels.tables import (
    Command,
    ConditionClass,
    Event,
    Instr,
    Policy,
    Refusal,
    RunState,
    Status,
    SystemTag,
)
from tests.kernels.stand import ENGINES, Stand
from tests.kernels.tables_builder import ProgramBuilder, ToolBuilder, tag

Engine = Callable[..., Any]
pytestmark = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)


class Tube:
    """A tube with a thermometer, a temperature set point, a gas flow, and a program being written."""

    def __init__(self) -> None:
        self.tool = ToolBuilder(period_s=0.5)
        self.thermometer = self.tool.input(-1e3, 2e3)
        self.temperature = self.tool.setpoint(0.0, 1000.0, 20.0)
        self.gas = self.tool.output(0.0, 500.0)
        self.count = self.tool.setpoint()
        self.program = ProgramBuilder()

    def run(self, engine: Engine, scans: int = 0, reading: float = 20.0) -> Stand:
        """Finish the program, start it and run some scans after the one of START."""
        self.program.end() if self.program.instructions[-1]["op"] != Instr.END else None
        stand = Stand(engine, self.tool.build(), self.program.build())
        stand.post(self.thermometer, reading)
        stand.start()
        stand.run(scans)
        return stand


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ({"rate": 30.0}, [50.0, 80.0, 110.0, 120.0, 120.0]),
        ({"scans": 4}, [45.0, 70.0, 95.0, 120.0, 120.0]),
        ({"rate": 50.0, "scans": 1000}, [70.0, 120.0, 120.0]),
        ({}, [120.0, 120.0]),
    ],
)
def test_a_ramp_moves_from_the_present_value_by_rate_or_in_a_time(engine: Engine, how: Any, seen: list[float]) -> None:
    tube = Tube()
    tube.program.ramp(tube.temperature, 120.0, **how)
    tube.program.wait(100)
    stand = tube.run(engine)
    values = [stand.value(tube.temperature)]
    for _ in seen[1:]:
        stand.run()
        values.append(stand.value(tube.temperature))
    assert values == seen


def test_a_ramp_beyond_the_limit_ends_at_the_limit_and_downwards_works_too(engine: Engine) -> None:
    tube = Tube()
    tube.program.ramp(tube.temperature, 5000.0, rate=490.0)
    tube.program.wait(3)
    tube.program.ramp(tube.temperature, -10.0, rate=400.0)
    tube.program.wait(100)
    stand = tube.run(engine)
    values = [stand.value(tube.temperature)]
    for _ in range(6):
        stand.run()
        values.append(stand.value(tube.temperature))
    assert values == [510.0, 1000.0, 1000.0, 600.0, 200.0, 0.0, 0.0]


def test_a_ramp_starts_from_the_process_value_where_told_unless_that_is_bad(engine: Engine) -> None:
    for status, first in ((Status.GOOD, 310.0), (Status.UNCERTAIN, 310.0), (Status.BAD, 30.0)):
        tube = Tube()
        tube.program.wait(1)
        tube.program.ramp(tube.temperature, 900.0, rate=10.0, start_from=tube.thermometer)
        tube.program.wait(100)
        stand = tube.run(engine)
        stand.post(tube.thermometer, 300.0, status)
        stand.run()
        assert stand.value(tube.temperature) == first


def test_a_write_takes_a_ramp_over(engine: Engine) -> None:
    tube = Tube()
    tube.program.ramp(tube.temperature, 900.0, rate=10.0)
    tube.program.wait(100)
    stand = tube.run(engine, 3)
    assert stand.order(Command.WRITE, tube.temperature, 400.0) == Refusal.NONE
    stand.run(3)
    assert stand.value(tube.temperature) == 400.0


def test_a_wait_takes_its_scans_and_then_waits_for_its_tolerance(engine: Engine) -> None:
    tube = Tube()
    in_tolerance = abs(tag(tube.thermometer) - 700.0).at_most(2.0)
    tube.program.wait(4, in_tolerance, timeout=50)
    tube.program.set(tube.gas, 100.0)
    tube.program.wait(100)
    stand = tube.run(engine, 3, reading=700.0)
    assert stand.value(tube.gas) == 0.0
    stand.run()
    assert stand.value(tube.gas) == 100.0

    stand = tube.run(engine, 20, reading=690.0)
    assert stand.value(tube.gas) == 0.0
    stand.post(tube.thermometer, 701.0, Status.UNCERTAIN)  # not known well enough
    stand.run()
    assert stand.value(tube.gas) == 0.0
    stand.post(tube.thermometer, 701.0)
    stand.run()
    assert stand.value(tube.gas) == 100.0


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (Policy.HOLD, RunState.HELD),
        (Policy.ABORT, RunState.ABORTED),
        (Policy.STOP, RunState.STOPPED),
        (Policy.CONTINUE, RunState.COMPLETE),
    ],
)
def test_a_wait_that_times_out_follows_its_policy(engine: Engine, policy: Policy, state: RunState) -> None:
    tube = Tube()
    tube.program.wait(0, tag(tube.thermometer).above(700.0), timeout=6, policy=policy)
    stand = tube.run(engine, 5)
    assert stand.state == RunState.RUNNING
    stand.run()
    assert stand.state == state
    (timeout,) = stand.happened(Event.TIMEOUT)
    assert (timeout["index"], timeout["a"]) == (0, 6.0)


def test_nested_cycles_count_their_passes(engine: Engine) -> None:
    tube = Tube()
    with tube.program.cycle(3):
        with tube.program.cycle(2):
            tube.program.store(tube.count, tag(tube.count) + 1.0)
            tube.program.wait(1)
        with tube.program.cycle(0):
            tube.program.set(tube.count, -1.0)
            tube.program.wait(1)
    stand = tube.run(engine)
    counted, cycle = [stand.value(tube.count)], [stand.value(SystemTag.CYCLE)]
    for _ in range(6):
        stand.run()
        counted.append(stand.value(tube.count))
        cycle.append(stand.value(SystemTag.CYCLE))
    assert counted == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.0]
    assert cycle == [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    assert stand.state == RunState.COMPLETE


def test_a_branch_is_taken_only_when_its_condition_is_known_and_true(engine: Engine) -> None:
    for reading, status, expected in ((800.0, 0, 1.0), (600.0, 0, 2.0), (800.0, Status.UNCERTAIN, 2.0)):
        tube = Tube()
        tube.program.wait(1)
        tube.program.set(tube.count, 2.0)
        with tube.program.when(tag(tube.thermometer).above(700.0)):
            tube.program.set(tube.count, 1.0)
        tube.program.wait(5)
        stand = tube.run(engine)
        stand.post(tube.thermometer, reading, status)
        stand.run()
        assert stand.value(tube.count) == expected


def test_parallel_channels_run_beside_the_main_one_and_are_joined(engine: Engine) -> None:
    tube = Tube()
    start = tube.program.start(0)
    tube.program.ramp(tube.temperature, 100.0, rate=10.0)
    tube.program.join(1)
    tube.program.set(tube.count, 7.0)
    tube.program.wait(1)
    tube.program.end()
    tube.program.instructions[start]["arg"] = tube.program.channel()
    tube.program.set(tube.gas, 50.0)
    tube.program.wait(3)
    tube.program.set(tube.gas, 0.0)
    tube.program.end()
    stand = tube.run(engine)
    assert (stand.value(tube.gas), stand.value(tube.temperature)) == (50.0, 30.0)
    stand.run(3)
    assert (stand.value(tube.gas), stand.value(tube.count)) == (0.0, 0.0)
    stand.run()
    assert stand.value(tube.count) == 7.0
    stand.run()
    assert stand.state == RunState.COMPLETE


def test_the_end_of_the_main_channel_ends_the_others_and_every_ramp(engine: Engine) -> None:
    tube = Tube()
    tube.program.start(1)
    tube.program.ramp(tube.temperature, 900.0, rate=10.0)
    tube.program.wait(2)
    tube.program.end()
    tube.program.channel()
    tube.program.wait(4)
    tube.program.set(tube.gas, 50.0)
    tube.program.end()
    stand = tube.run(engine, 2)
    assert stand.state == RunState.COMPLETE
    reached = stand.value(tube.temperature)
    stand.order(Command.START)
    stand.order(Command.PAUSE)
    assert reached == 40.0
    assert stand.value(tube.temperature) == reached + 10.0  # only the new run's ramp, for its one scan
    assert stand.value(tube.gas) == 0.0


def test_steps_tell_their_number_and_their_time(engine: Engine) -> None:
    tube = Tube()
    for _ in range(2):
        tube.program.step()
        tube.program.wait(2)
    stand = tube.run(engine)
    seen: list[tuple[float, ...]] = []
    for _ in range(4):
        seen.append(
            tuple(stand.value(each) for each in (SystemTag.STEP, SystemTag.STEP_ELAPSED_S, SystemTag.RUN_ELAPSED_S))
        )
        stand.run()
    assert seen == [(0.0, 0.0, 0.0), (0.0, 0.5, 0.5), (1.0, 0.0, 1.0), (1.0, 0.5, 1.5)]
    assert [event["index"] for event in stand.happened(Event.STEP)] == [0, 1]
    assert stand.order(Command.CLEAR) == Refusal.NONE
    assert stand.value(SystemTag.STEP) == -1.0


@pytest.mark.parametrize(
    ("policy", "state"),
    [(Policy.HOLD, RunState.HELD), (Policy.ABORT, RunState.ABORTED), (Policy.STOP, RunState.STOPPED)],
)
def test_a_guard_that_fails_for_longer_than_its_delay_follows_its_policy(
    engine: Engine, policy: Policy, state: RunState
) -> None:
    tube = Tube()
    tube.program.step(guard=tag(tube.thermometer).below(100.0), guard_policy=policy, guard_delay=2)
    tube.program.wait(100)
    stand = tube.run(engine)
    for reading in (150.0, 150.0, 50.0, 150.0, 150.0):
        stand.post(tube.thermometer, reading)
        stand.run()
        assert stand.state == RunState.RUNNING
    stand.post(tube.thermometer, math.nan)
    stand.run()
    assert stand.state == state
    assert len(stand.happened(Event.GUARD)) == 1


def test_a_guard_with_continue_tells_once_until_it_recovers(engine: Engine) -> None:
    tube = Tube()
    tube.program.step(guard=tag(tube.thermometer).below(100.0), guard_policy=Policy.CONTINUE)
    tube.program.wait(100)
    stand = tube.run(engine)
    for reading in (150.0, 150.0, 150.0, 50.0, 150.0, 150.0):
        stand.post(tube.thermometer, reading)
        stand.run()
    assert len(stand.happened(Event.GUARD)) == 2
    assert stand.state == RunState.RUNNING


@pytest.mark.parametrize("timers", [0, 1, 2, 3])
def test_the_step_says_whether_time_and_ramps_go_on_while_paused_or_held(engine: Engine, timers: int) -> None:
    for op, bit, rest in ((Command.PAUSE, 1, RunState.PAUSED), (Command.HOLD, 2, RunState.HELD)):
        tube = Tube()
        tube.program.step(timers=timers)
        tube.program.ramp(tube.temperature, 1000.0, rate=10.0)
        tube.program.wait(20)
        tube.program.set(tube.gas, 5.0)
        tube.program.wait(100)
        stand = tube.run(engine, 4)
        before = stand.value(tube.temperature), stand.value(SystemTag.STEP_ELAPSED_S)
        assert stand.order(op) == Refusal.NONE
        assert stand.state == rest
        stand.run(3)
        goes_on = 4 if timers & bit else 0
        assert stand.value(tube.temperature) == before[0] + 10.0 * goes_on
        assert stand.value(SystemTag.STEP_ELAPSED_S) == before[1] + 0.5 * goes_on
        assert stand.order(Command.RESUME if op == Command.PAUSE else Command.RESTART) == Refusal.NONE
        assert stand.state == RunState.RUNNING
        left = 20 - 4 - (goes_on + 1 if goes_on else 0)
        stand.run(left - 1)
        assert stand.value(tube.gas) == 0.0
        stand.run()
        assert stand.value(tube.gas) == 5.0


def test_a_pause_runs_its_block_and_a_resume_the_other(engine: Engine) -> None:
    tube = Tube()
    program = tube.program
    step = program.step()
    program.set(tube.gas, 100.0)
    program.wait(100)
    program.end()
    program.block(step, "pause")
    program.ramp(tube.gas, 0.0, scans=2)
    program.wait(2)
    program.end()
    program.block(step, "resume")
    program.wait(1)
    program.restore(tube.gas)
    program.end()
    stand = tube.run(engine, 2)
    assert stand.order(Command.PAUSE) == Refusal.NONE
    assert (stand.state, stand.value(tube.gas)) == (RunState.PAUSING, 50.0)
    stand.run(2)
    assert (stand.state, stand.value(tube.gas)) == (RunState.PAUSED, 0.0)
    assert stand.order(Command.RESUME) == Refusal.NONE
    assert stand.state == RunState.RESUMING
    stand.run()
    assert (stand.state, stand.value(tube.gas)) == (RunState.RUNNING, 100.0)


def test_a_hold_from_a_pause_keeps_what_the_pause_saved(engine: Engine) -> None:
    tube = Tube()
    program = tube.program
    step = program.step()
    program.set(tube.gas, 100.0)
    program.wait(100)
    program.end()
    for name, value in (("pause", 30.0), ("hold", 0.0)):
        program.block(step, name)
        program.set(tube.gas, value)
        program.end()
    program.block(step, "restart")
    program.wait(2)
    program.restore(tube.gas)
    program.end()
    stand = tube.run(engine, 2)
    stand.order(Command.PAUSE)
    stand.order(Command.HOLD)
    stand.order(Command.RESTART)
    assert stand.order(Command.HOLD) == Refusal.NONE  # again, out of restarting
    assert (stand.state, stand.value(tube.gas)) == (RunState.HELD, 0.0)
    stand.order(Command.RESTART)
    stand.run(2)
    assert (stand.state, stand.value(tube.gas)) == (RunState.RUNNING, 100.0)


def test_a_stop_runs_the_steps_own_block_or_else_the_safe_sequence(engine: Engine) -> None:
    for own, expected in ((True, 11.0), (False, 22.0)):
        tube = Tube()
        tube.tool.safe.set(tube.gas, 22.0)
        tube.tool.safe.wait(1)
        tube.tool.safe.end()
        step = tube.program.step()
        tube.program.wait(100)
        tube.program.end()
        if own:
            tube.program.block(step, "stop")
            tube.program.set(tube.gas, 11.0)
            tube.program.wait(1)
            tube.program.end()
        stand = tube.run(engine, 1)
        assert stand.order(Command.STOP) == Refusal.NONE
        assert (stand.state, stand.value(tube.gas)) == (RunState.STOPPING, expected)
        stand.run()
        assert stand.state == RunState.STOPPED


def test_a_failed_check_holds_and_a_restart_checks_again(engine: Engine) -> None:
    tube = Tube()
    tube.program.check(tag(tube.thermometer).below(100.0))
    tube.program.set(tube.gas, 5.0)
    tube.program.wait(100)
    stand = tube.run(engine, reading=150.0)
    assert stand.state == RunState.HELD
    stand.order(Command.RESTART)
    stand.run()
    assert stand.state == RunState.HELD
    assert len(stand.happened(Event.CHECK_FAILED)) == 2
    stand.post(tube.thermometer, 50.0)
    stand.order(Command.RESTART)
    stand.run()
    assert (stand.state, stand.value(tube.gas)) == (RunState.RUNNING, 5.0)


def test_a_value_is_stored_and_an_unknown_one_makes_the_set_point_bad(engine: Engine) -> None:
    tube = Tube()
    tube.program.store(tube.count, tag(tube.thermometer) * 2.0)
    tube.program.store(tube.gas, tag(tube.thermometer) * 2.0)
    tube.program.wait(1)
    tube.program.store(tube.count, tag(tube.thermometer) / 0.0)
    tube.program.store(tube.gas, tag(tube.thermometer) / 0.0)
    tube.program.wait(5)
    stand = tube.run(engine, reading=21.0)
    assert (stand.value(tube.count), stand.value(tube.gas)) == (42.0, 42.0)
    stand.run()
    assert math.isnan(stand.value(tube.count))
    assert stand.status(tube.count) == Status.BAD
    assert stand.value(tube.gas) == 42.0


def test_a_program_that_does_too_much_in_one_scan_is_aborted(engine: Engine) -> None:
    tube = Tube()
    for _ in range(300):
        tube.program.set(tube.gas, 1.0)
    tube.program.wait(1)
    stand = tube.run(engine)
    assert stand.state == RunState.ABORTED
    assert [(event["index"], event["kind"]) for event in stand.happened(Event.PROGRAM_FAULT)] == [(256, 7)]


def test_cycles_nested_too_deep_and_ends_without_a_cycle_are_program_faults(engine: Engine) -> None:
    tube = Tube()
    for _ in range(9):
        tube.program.add(Instr.LOOP, n=2, jump=27)  # the END
    for _ in range(9):
        tube.program.wait(1)
        tube.program.add(Instr.ENDLOOP)
    stand = tube.run(engine)
    assert stand.state == RunState.ABORTED
    assert [event["index"] for event in stand.happened(Event.PROGRAM_FAULT)] == [8]

    tube = Tube()
    tube.program.wait(1)
    tube.program.add(Instr.ENDLOOP)
    stand = tube.run(engine, 1)
    assert stand.state == RunState.ABORTED
    assert [event["index"] for event in stand.happened(Event.PROGRAM_FAULT)] == [1]


def test_a_long_safe_sequence_goes_on_in_the_next_scan(engine: Engine) -> None:
    tube = Tube()
    for number in range(300):
        tube.tool.safe.set(tube.gas, float(number))
    tube.tool.safe.end()
    tube.program.wait(100)
    stand = tube.run(engine, 1)
    stand.order(Command.ABORT)
    assert (stand.state, stand.value(tube.gas)) == (RunState.ABORTING, 255.0)
    stand.run()
    assert (stand.state, stand.value(tube.gas)) == (RunState.ABORTED, 299.0)
    assert [event["index"] for event in stand.happened(Event.PROGRAM_FAULT)] == [256]


def test_a_hold_condition_holds_and_its_restart_is_refused_until_it_is_over(engine: Engine) -> None:
    tube = Tube()
    tube.tool.condition(tag(tube.thermometer).above(100.0), ConditionClass.HOLD)
    tube.program.wait(100)
    stand = tube.run(engine, 3)
    stand.post(tube.thermometer, 150.0)
    stand.run()
    assert stand.state == RunState.HELD
    assert stand.order(Command.RESTART) == Refusal.CONDITION_ACTIVE
    stand.post(tube.thermometer, 20.0)
    stand.run()
    assert stand.order(Command.RESTART) == Refusal.NONE
    assert stand.state == RunState.RUNNING


def test_commands_are_refused_for_what_is_wrong_with_them(engine: Engine) -> None:
    tube = Tube()
    tube.program.wait(100)
    tube.program.end()
    stand = Stand(engine, tube.tool.build(), tube.program.build())
    assert stand.order(Command.START) == Refusal.NO_PROGRAM
    assert stand.order(Command.LOAD, 1) == Refusal.NO_PROGRAM
    assert stand.order(Command.LOAD, 2) == Refusal.BAD_TARGET
    assert stand.order(Command.LOAD, 0) == Refusal.NONE
    assert stand.order(Command.START) == Refusal.GATED
    assert stand.order(Command.RESUME) == Refusal.WRONG_STATE
    assert stand.order(Command.CLEAR) == Refusal.WRONG_STATE
    assert stand.order(Command.ARM) == stand.order(Command.START) == Refusal.NONE
    assert stand.order(Command.LOAD, 0) == Refusal.WRONG_STATE
    assert stand.order(Command.START) == Refusal.WRONG_STATE
    assert stand.order(Command.WRITE, tube.thermometer, 1.0) == Refusal.NOT_WRITABLE
    assert stand.order(Command.WRITE, 0, 1.0) == Refusal.NOT_WRITABLE
    assert stand.order(Command.WRITE, 99, 1.0) == Refusal.BAD_TARGET
    assert stand.order(Command.WRITE, tube.gas, 501.0) == Refusal.OUT_OF_LIMITS
    assert stand.order(Command.WRITE, tube.gas, math.nan) == Refusal.OUT_OF_LIMITS
    assert stand.order(Command.FORCE, tube.temperature, 1.0) == Refusal.NOT_WRITABLE
    assert stand.order(Command.FORCE, tube.gas, -1.0) == Refusal.OUT_OF_LIMITS
    assert stand.order(Command.RESET, 0) == Refusal.BAD_TARGET
    stand.scan.command(99, 0, 0.0, 0.0, 1234)
    stand.run()
    assert [e["b"] for e in stand.happened(Event.COMMAND) if e["a"] == 1234] == [Refusal.BAD_TARGET]


def test_more_commands_than_one_scan_latches_wait_for_the_next(engine: Engine) -> None:
    tube = Tube()
    stand = Stand(engine, tube.tool.build())
    for number in range(150):
        stand.scan.command(Command.WRITE, tube.gas, float(number), 0.0, number)
    seen: list[float] = []
    for _ in range(3):
        stand.run()
        seen.append(stand.value(tube.gas))
    assert seen == [63.0, 127.0, 149.0]
    assert [event["a"] for event in stand.happened(Event.COMMAND)] == list(range(150))
    for _ in range(1024):
        stand.scan.command(Command.DISARM)
    with pytest.raises(BufferError):
        stand.scan.command(Command.DISARM)
