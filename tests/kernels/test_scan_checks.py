"""What is refused before the first scan, each fault named by table, row and column."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kernels.scan import Scan
from kernels.tables import Command, Instr, Op, Program, Tables
from tests.kernels.tables_builder import ProgramBuilder, ToolBuilder, is_good, tag, vote

INPUT, COMPUTED, SETPOINT, MODE, OUTPUT = range(11, 16)
STEP_ROW, SET_ROW, RAMP_ROW, LOOP_ROW, WAIT_ROW, ENDLOOP_ROW, STORE_ROW, START_ROW = range(8)


def tool() -> Tables:
    """A tool with one of everything."""
    built = ToolBuilder()
    built.input(0.0, 100.0)
    built.computed(tag(INPUT) + 1.0)
    built.setpoint(0.0, 100.0, 10.0)
    built.mode()
    built.output(0.0, 100.0, safe=5.0)
    built.condition(vote(1, [tag(INPUT).above(5.0), is_good(INPUT)]), effects={OUTPUT: 0.0}, max_bypass=10)
    built.loop(pv=INPUT, sp=SETPOINT, out=OUTPUT, mode=MODE, kp=1.0)
    built.map(INPUT, SETPOINT, (0.0, 1.0), (0.0, 1.0))
    built.safe.set(OUTPUT, 0.0)
    built.safe.wait(1)
    built.safe.end()
    return built.build()


def recipe() -> Program:
    """A program of the instructions whose references are checked."""
    built = ProgramBuilder()
    built.step(guard=tag(INPUT).above(1.0))
    built.set(SETPOINT, 1.0)
    built.ramp(SETPOINT, 5.0, rate=1.0)
    with built.cycle(3):
        built.wait(1)
    built.store(SETPOINT, tag(INPUT))
    built.start(1)
    built.join(1)
    built.end()
    built.channel()
    built.wait(1)
    built.end()
    return built.build()


def put(rows: Any, row: int, column: str, value: Any) -> Any:
    """Change one cell of a copy."""
    changed = rows.copy()
    changed[column][row] = value
    return changed


def test_what_the_faults_are_made_from_is_itself_accepted() -> None:
    scan = Scan(tool())
    scan.load(0, recipe())
    for op in (Command.ARM, Command.LOAD, Command.START):
        scan.command(op)
    scan.advance(20)


NAN, INF = float("nan"), float("inf")
CODE_TAG = 0  # the first instruction of the first expression reads a tag


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("tags", 3, "kind", 1),
        ("tags", INPUT, "kind", 0),
        ("tags", INPUT, "kind", 9),
        ("tags", INPUT, "low", NAN),
        ("tags", INPUT, "age_bad", -1),
        ("tags", COMPUTED, "expression", -1),
        ("tags", COMPUTED, "expression", 99),
        ("tags", COMPUTED, "initial", INF),
        ("tags", SETPOINT, "low", -INF),
        ("tags", SETPOINT, "low", 101.0),
        ("tags", SETPOINT, "initial", 101.0),
        ("tags", SETPOINT, "initial", NAN),
        ("tags", OUTPUT, "high", INF),
        ("tags", OUTPUT, "safe", -1.0),
        ("tags", OUTPUT, "rate", -1.0),
        ("tags", OUTPUT, "loop", 7),
        ("expressions", 0, "length", 0),
        ("expressions", 0, "length", 10_000),
        ("expressions", 0, "start", -1),
        ("code", CODE_TAG, "arg", 99),
        ("code", CODE_TAG, "op", 77),
        ("code", CODE_TAG, "op", Op.ADD),
        ("conditions", 0, "expression", 99),
        ("conditions", 0, "cls", 9),
        ("conditions", 0, "on_delay", -1),
        ("conditions", 0, "off_delay", -1),
        ("conditions", 0, "effect_count", 9),
        ("conditions", 0, "effect_start", -1),
        ("effects", 0, "output", SETPOINT),
        ("effects", 0, "output", 99),
        ("effects", 0, "value", 101.0),
        ("effects", 0, "value", NAN),
        ("loops", 0, "pv", -1),
        ("loops", 0, "sp", 99),
        ("loops", 0, "ff", 99),
        ("loops", 0, "out", INPUT),
        ("loops", 0, "mode", OUTPUT),
        ("loops", 0, "kp", NAN),
        ("loops", 0, "rate", -1.0),
        ("maps", 0, "source", 99),
        ("maps", 0, "target", COMPUTED),
        ("maps", 0, "x1", 0.0),
    ],
)
def test_a_tool_with_a_fault_is_refused(table: str, row: int, column: str, value: Any) -> None:
    tables = tool()
    with pytest.raises(ValueError, match=table.removesuffix("s")):
        Scan(replace(tables, **{table: put(getattr(tables, table), row, column, value)}))


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("instructions", STEP_ROW, "arg", 5),
        ("instructions", SET_ROW, "arg", INPUT),
        ("instructions", SET_ROW, "arg", 99),
        ("instructions", SET_ROW, "value", NAN),
        ("instructions", SET_ROW, "op", 99),
        ("instructions", RAMP_ROW, "arg", COMPUTED),
        ("instructions", RAMP_ROW, "jump", 99),
        ("instructions", RAMP_ROW, "rate", -1.0),
        ("instructions", LOOP_ROW, "jump", 99),
        ("instructions", WAIT_ROW, "n", 0),
        ("instructions", WAIT_ROW, "arg", 99),
        ("instructions", WAIT_ROW, "policy", 9),
        ("instructions", STORE_ROW, "arg", INPUT),
        ("instructions", STORE_ROW, "jump", -1),
        ("instructions", START_ROW, "arg", 0),
        ("instructions", START_ROW, "arg", 2),
        ("steps", 0, "guard", 99),
        ("steps", 0, "hold", 99),
        ("steps", 0, "guard_policy", 9),
        ("steps", 0, "guard_delay", -1),
        ("code", 0, "arg", 99),
        ("expressions", 0, "length", 0),
    ],
)
def test_a_program_with_a_fault_is_refused(table: str, row: int, column: str, value: Any) -> None:
    program = recipe()
    scan = Scan(tool())
    with pytest.raises(ValueError, match=table.removesuffix("s")):
        scan.load(0, replace(program, **{table: put(getattr(program, table), row, column, value)}))


def jump_without_a_wait(built: ProgramBuilder) -> None:
    built.set(SETPOINT, 1.0)
    built.add(Instr.JUMP, jump=0)


def jump_past_a_wait(built: ProgramBuilder) -> None:
    with built.when(tag(INPUT).above(1.0)):
        built.wait(1)
    built.add(Instr.JUMP, jump=0)


def cycle_with_a_wait_for_nothing(built: ProgramBuilder) -> None:
    with built.cycle(3):
        built.wait(0, tag(INPUT).above(1.0))
    built.end()


def no_end(built: ProgramBuilder) -> None:
    built.wait(1)


@pytest.mark.parametrize("write", [jump_without_a_wait, jump_past_a_wait, cycle_with_a_wait_for_nothing, no_end])
def test_a_program_that_can_spin_or_run_off_is_refused(write: Callable[[ProgramBuilder], None]) -> None:
    built = ProgramBuilder()
    write(built)
    with pytest.raises(ValueError, match="instructions"):
        Scan(tool()).load(0, built.build())


@pytest.mark.parametrize("op", [Instr.START, Instr.JOIN])
def test_the_safe_sequence_has_no_channels(op: Instr) -> None:
    built = ProgramBuilder()
    built.add(op, arg=1)
    built.wait(1)
    built.end()
    built.channel()
    built.end()
    with pytest.raises(ValueError, match="safe"):
        Scan(replace(tool(), safe=built.build()))


def test_a_program_is_not_replaced_while_it_runs() -> None:
    scan = Scan(tool())
    scan.load(0, recipe())
    for op in (Command.ARM, Command.LOAD, Command.START):
        scan.command(op)
    scan.post(INPUT, 1.0, 0, 1)
    scan.advance(1)
    with pytest.raises(RuntimeError):
        scan.load(0, recipe())
    scan.load(1, recipe())


def test_an_expression_deeper_than_the_stack_is_refused() -> None:
    tables = tool()
    deep = np.zeros(70, tables.code.dtype)
    deep["op"][35:69] = Op.ADD
    expressions = tables.expressions.copy()
    expressions[0] = (0, 69)
    with pytest.raises(ValueError, match="more than 32 places"):
        Scan(replace(tables, code=np.concatenate([deep, tables.code]), expressions=expressions))
