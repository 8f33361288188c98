"""The Cython scan and the plain-Python oracle agree bit for bit; and the comparison is shown able to disagree.

What runs here is a seeded sample; `python -m tests.kernels.campaign` runs as many as are asked for.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from kernels.tables import Command, Event, Op, Program, Refusal, RunState, Tables, TagKind
from tests.kernels.comparison import Difference, Tally, compare
from tests.kernels.oracle import Condition, Oracle
from tests.kernels.oracle_image import OracleImage
from tests.kernels.oracle_program import Run
from tests.kernels.stand import ENGINES
from tests.kernels.strategies import Case, Moment, case, cases, story
from tests.kernels.tables_builder import bench_tables

CASES, SCANS = 160, 300
PATIENCE = 500  # cases until a planted fault has to be noticed
ENGINE = ENGINES[0]  # the Cython scan


def played(engine: Callable[..., Any], number: int, tally: Tally, *, planted: Any = None) -> Difference | None:
    """Compare on one seeded case; `planted` changes the tool on the engine's side."""
    rng = Random(f"ci/{number}")
    drawn = case(rng)
    moments = story(rng, drawn, SCANS)
    return compare(drawn, moments, engine, tally, planted=planted(drawn) if planted else None)


@pytest.mark.parametrize("part", range(8))
def test_the_scan_is_the_oracle_over_random_tools_and_stories(part: int) -> None:
    tally = Tally()
    for number in range(part, CASES, 8):
        found = played(ENGINE, number, tally)
        assert found is None, f"case {number}: {found}"
    assert tally.scans == CASES // 8 * SCANS


def test_the_sample_meets_every_event_and_every_state() -> None:
    tally = Tally()
    for number in range(40):
        played(ENGINE, number, tally)
    assert set(tally.events) == {event.name for event in Event} - {"LOST"}
    assert set(tally.states) == {state.name for state in RunState}


def test_the_scan_is_the_oracle_on_the_tool_of_the_benchmark() -> None:
    tables, program = bench_tables(150, 40, 10, 20)
    rng = Random("bench tables")
    inputs = tuple(np.flatnonzero(tables.tags["kind"] == TagKind.INPUT).tolist())
    writable = np.flatnonzero(tables.tags["kind"] == TagKind.SETPOINT).tolist()
    drawn = Case(tables, (program, program), inputs, tuple(writable), tuple(tables.loops["mode"].tolist()))
    settled = Moment(
        tuple((tag, 20.0, 0, 1) for tag in inputs),
        (
            *((op, 0, 0.0, 0.0, 1) for op in (Command.ARM, Command.LOAD, Command.START)),
            *((Command.WRITE, mode, 2.0, 0.0, 4) for mode in drawn.modes),
        ),
        0,
    )
    moments = [settled]
    for scan in range(150):
        postings = [(tag, 20.0 + rng.uniform(-1, 1), 0, scan) for tag in rng.sample(inputs, 10)]
        moments.append(Moment(tuple(postings), (), 0))
    moments.append(Moment(tuple((tag, 950.0, 0, 2) for tag in inputs), (), 3))
    moments += [Moment((), (), 0)] * 30
    tally = Tally()
    assert compare(drawn, moments, ENGINE, tally) is None
    assert tally.states["RUNNING"] > 150
    assert tally.states["ABORTED"] > 0


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(drawn=cases(scans=40))
def test_the_scan_is_the_oracle_where_hypothesis_looks_for_trouble(drawn: tuple[Case, list[Moment]]) -> None:
    tool, moments = drawn
    assert compare(tool, moments, ENGINE, Tally()) is None


# ------------------------------------------------------------------------------- faults planted in the tables
def tool_with(**changed: Callable[[Any], Any]) -> Callable[[Case], Case]:
    """Change tables of the tool."""

    def plant(drawn: Case) -> Case:
        tables = {name: change(getattr(drawn.tables, name).copy()) for name, change in changed.items()}
        return replace(drawn, tables=replace(drawn.tables, **tables))

    return plant


def programs_with(change: Callable[[Program], Program]) -> Callable[[Case], Case]:
    """Change all programs."""
    return lambda drawn: replace(drawn, programs=tuple(change(program) for program in drawn.programs))


def swapped(a: Op, b: Op) -> Callable[[Any], Any]:
    """Replace one opcode by another."""

    def change(code: Any) -> Any:
        code["op"] = np.where(code["op"] == a, b, code["op"])
        return code

    return change


def added(column: str, amount: float, *, only: Callable[[Any], Any] | None = None) -> Callable[[Any], Any]:
    """Add to a column."""

    def change(rows: Any) -> Any:
        rows[column][only(rows) if only else slice(None)] += amount
        return rows

    return change


def instruction(column: str, amount: float, op: int) -> Callable[[Program], Program]:
    """Add to a column of one instruction's rows."""
    change = added(column, amount, only=lambda rows: rows["op"] == op)
    return lambda program: replace(program, instructions=change(program.instructions.copy()))


def step(column: str, amount: float, **only: Any) -> Callable[[Program], Program]:
    """Add to a column of the steps."""
    change = added(column, amount, **only)
    return lambda program: replace(program, steps=change(program.steps.copy()))


TABLE_FAULTS: dict[str, Callable[[Case], Case]] = {
    "GT instead of GE": tool_with(code=swapped(Op.GE, Op.GT)),
    "LE instead of LT": tool_with(code=swapped(Op.LT, Op.LE)),
    "ADD instead of SUB": tool_with(code=swapped(Op.SUB, Op.ADD)),
    "OR instead of AND": tool_with(code=swapped(Op.AND, Op.OR)),
    "MAX instead of MIN": tool_with(code=swapped(Op.MIN, Op.MAX)),
    "IS_BAD instead of IS_GOOD": tool_with(code=swapped(Op.IS_GOOD, Op.IS_BAD)),
    "hysteresis": tool_with(code=added("hysteresis", 1.0)),
    "one vote more": tool_with(code=added("arg", 1, only=lambda rows: rows["op"] == Op.VOTE)),
    "on-delay": tool_with(conditions=added("on_delay", 1)),
    "off-delay": tool_with(conditions=added("off_delay", 1)),
    "bypass one scan longer": tool_with(conditions=added("max_bypass", 1)),
    "effect": tool_with(effects=lambda rows: rows[::-1].copy()),
    "integral gain": tool_with(loops=added("ki", 2**-40)),
    "derivative gain": tool_with(loops=added("kd", 2**-40)),
    "map": tool_with(maps=added("y1", 2**-30)),
    "output rate": tool_with(tags=added("rate", 2**-30, only=lambda rows: rows["rate"] > 0)),
    "age": tool_with(tags=added("age_bad", 1, only=lambda rows: rows["age_bad"] > 0)),
    "wait": programs_with(instruction("n", 1, 4)),
    "timeout": programs_with(instruction("timeout", 1, 4)),
    "ramp": programs_with(instruction("rate", 2**-30, 3)),
    "one pass more": programs_with(instruction("n", 1, 6)),
    "timers in pauses": programs_with(step("timers", 1, only=lambda rows: rows["timers"] % 2 == 0)),
    "timers in holds": programs_with(step("timers", 2, only=lambda rows: rows["timers"] < 2)),
    "guard delay": programs_with(step("guard_delay", 1)),
}  # fmt: skip


# Seeded cases that notice the faults which most do not; looked at first. All others follow, should these cases change.
TELLING = (0, 122, 4, 1, 7, 5, 18, 19, 20, 28, 47, 52)


def noticed(engine: Callable[..., Any], planted: Any = None) -> str:
    """Play cases until the comparison notices; return what it says, or an empty string."""
    for number in dict.fromkeys((*TELLING, *range(PATIENCE))):
        if found := played(engine, number, Tally(), planted=planted):
            return str(found)
    return ""


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_a_fault_planted_in_the_tables_of_one_side_is_noticed(fault: str) -> None:
    assert noticed(ENGINE, TABLE_FAULTS[fault])


# ------------------------------------------------------------------------------ faults planted in the engine
class ForceBeatsTrip(Oracle):
    def gate(self) -> None:
        super().gate()
        for index, forced in self.image.forced.items():
            if self.image.tags[index].kind == 4:
                self.image.value[index] = forced


class TripEndsRestores(Oracle):
    def release(self, index: int, x: float) -> None:
        pass


class SilenceIsGolden(Oracle):
    def skip(self, slots: int) -> None:
        super().skip(slots)
        for index, posting in self.image.latched.items():
            self.image.latched[index] = posting._replace(arrival=posting.arrival + slots)


class ResetWhileActive(Oracle):
    def command_condition(self, op: int, target: int, a: float) -> Refusal:
        answer = super().command_condition(op, target, a)
        if answer == Refusal.CONDITION_ACTIVE:
            self.condition[target].state &= ~4
        return answer


class EverybodyWasFirst(Oracle):
    def nobody_else_of_the_group(self, index: int) -> bool:
        return self.condition_rows[index].group >= 0


class DelayForgetsNothing(Oracle):
    @staticmethod
    def delay(row: Any, c: Condition, *, raw: bool) -> bool:
        timer = c.on_timer
        active = Oracle.delay(row, c, raw=raw)
        c.on_timer = timer if not raw else c.on_timer
        return active


class WindUp(Oracle):
    def regulate(self, index: int, row: Any, loop: Any) -> None:
        ready, integral = loop.ready, loop.integral
        super().regulate(index, row, loop)
        if ready:
            e = row.direction * (self.image.value[row.sp] - self.image.value[row.pv])
            loop.integral = integral + row.ki * e


class RampSurvivesWrite(Oracle):
    def command_tag(self, op: int, target: int, a: float) -> Refusal:
        ramp = list(self.image.ramp)
        answer = super().command_tag(op, target, a)
        self.image.ramp = ramp
        return answer


class Negligent(Run):
    """A program phase that can be told what to get wrong."""

    fault = ""

    def restore(self, tag: int) -> None:
        super().restore(tag)
        if self.fault == "ramp":
            self.image.ramp[tag] = None

    def save(self) -> None:
        if self.fault == "save":
            self.saved = None
        super().save()

    def permitted(self, op: int) -> bool:
        return super().permitted(op) or (self.fault == "state" and op == 9)


def with_run(fault: str) -> Callable[..., Any]:
    """An oracle with a negligent program phase."""

    class WithRun(Oracle):
        def __init__(self, tables: Tables, *, tape: bool = False) -> None:
            super().__init__(tables, tape=tape)
            self.run = Negligent(self.image, self.emit, tables.safe)
            self.run.fault = fault

    return WithRun


class SignOfZero(OracleImage):
    """Writes +0 where −0 was asked for: equal, but not the same bits."""

    def write(self, index: int, x: float, *, by_ramp: bool = False) -> None:
        super().write(index, x + 0.0, by_ramp=by_ramp)


class LosesTheSign(Oracle):
    def __init__(self, tables: Tables, *, tape: bool = False) -> None:
        super().__init__(tables, tape=tape)
        self.image = SignOfZero(tables.tags)
        self.run = Run(self.image, self.emit, tables.safe)


ENGINE_FAULTS = [
    ForceBeatsTrip, TripEndsRestores, SilenceIsGolden, ResetWhileActive, EverybodyWasFirst, DelayForgetsNothing,
    WindUp, RampSurvivesWrite, LosesTheSign, with_run("ramp"), with_run("save"), with_run("state"),
]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINE_FAULTS)
def test_a_fault_planted_in_an_engine_is_noticed(engine: Callable[..., Any]) -> None:
    assert noticed(engine)
