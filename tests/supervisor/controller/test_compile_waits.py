"""A wait looks at what was just written, never at what stood there before."""

import pytest

from config.plan import Plan, PlannedStep
from config.tool import Action, Policy, Tool
from tests.config.small_furnace import small_furnace
from tests.supervisor.controller.compiled_stand import Stand

FLOW, SETPOINT, VALVE = "gas_panel.n2.flow_sccm", "gas_panel.n2.setpoint_sccm", "gas_panel.n2.valve"


@pytest.fixture
def tool() -> Tool:
    return small_furnace()


def one_step(*actions: Action) -> Plan:
    return Plan("waits", "operation", (PlannedStep("wait", "tool", actions),), 1.0)


def test_a_flow_that_never_comes_is_not_taken_for_one_because_both_are_still_zero(tool: Tool) -> None:
    """In the scan that asks for 500 sccm the set point's tag and the flow are both 0: that is no agreement."""
    stand = Stand(tool)
    stand.readings = {FLOW: 0.0}  # the controller is dead
    until = f"{FLOW} - {SETPOINT} <= 5 sccm and {SETPOINT} - {FLOW} <= 5 sccm"
    stand.load(one_step(
        Action(name="ask", set={VALVE: 1.0, SETPOINT: 500.0}, until=until, timeout_s=2.0, on_timeout=Policy.HOLD),
    ))  # fmt: skip
    stand.until(lambda: stand.state.name in {"HELD", "COMPLETE"}, 100)
    assert stand.state.name == "HELD"


def test_what_an_action_before_has_written_counts_too(tool: Tool) -> None:
    stand = Stand(tool)
    stand.readings = {FLOW: 0.0}
    stand.load(one_step(
        Action(name="ask", set={VALVE: 1.0, SETPOINT: 500.0}),
        Action(name="wait", until=f"{SETPOINT} <= 0 sccm", timeout_s=1.0, on_timeout=Policy.HOLD),
    ))  # fmt: skip
    stand.until(lambda: stand.state.name in {"HELD", "COMPLETE"}, 100)
    assert stand.state.name == "HELD"
