"""Blocks of a step keep to themselves: a hold that goes on with the recipe would not hold."""

import pytest

from kernels.scan import Scan
from kernels.tables import Instr
from tests.kernels.tables_builder import ProgramBuilder, ToolBuilder


def scan() -> Scan:
    tool = ToolBuilder()
    tool.setpoint()
    return Scan(tool.build())


def program(*, leaves: bool) -> ProgramBuilder:
    """One step whose hold block ends, or jumps back into the recipe."""
    written = ProgramBuilder()
    step = written.step()
    wait = written.wait(10)
    written.end()
    written.block(step, "hold")
    written.wait(1)
    if leaves:
        written.add(Instr.JUMP, jump=wait)
    else:
        written.end()
    return written


def test_a_block_that_ends_is_accepted_and_may_serve_several_steps() -> None:
    written = program(leaves=False)
    written.steps.append(dict(written.steps[0]))
    scan().load(0, written.build())


def test_a_block_that_leads_into_the_recipe_is_refused() -> None:
    with pytest.raises(ValueError, match=r"program\.steps\[0\]\.hold: leads to 1, which is of channel 0"):
        scan().load(0, program(leaves=True).build())
