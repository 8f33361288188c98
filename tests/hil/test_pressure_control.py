"""Pressure loops with scheduled gains: a step of half a Torr, and a flow that falls by a fifth."""

import pytest

from tests.hil.regulated import pressure

SETTLED_S, ERROR = 5.0, 0.01


@pytest.mark.parametrize("tool", ["lpcvd_furnace", "pecvd_showerhead"])
@pytest.mark.parametrize("start_torr", [0.5, 1.0, 4.0])
def test_a_step_and_a_disturbance_are_over_within_five_seconds_to_one_per_cent(tool: str, start_torr: float) -> None:
    found = pressure(tool, start_torr)
    assert max(found.up_s, found.down_s) <= SETTLED_S
    assert max(found.disturbed_s, found.recovered_s) <= SETTLED_S
    assert found.error <= ERROR
