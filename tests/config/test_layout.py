"""Both halves number tags and conditions alike, and expressions know every tag."""

from config.expression import compile_postfix, read_boolean
from config.layout import SYSTEM_TAGS, Layout
from kernels.tables import RunState, SystemTag
from tests.config.minimal_tool import change, minimal_data, minimal_tool, tool_of


def test_system_tags_come_first_in_the_order_of_the_scan() -> None:
    layout = Layout(minimal_tool())
    assert layout.tags[: len(SystemTag)] == SYSTEM_TAGS
    assert layout.index["system.armed"] == SystemTag.ARMED
    assert layout.tags[len(SystemTag)] == "panel.sih4.flow_sccm"


def test_conditions_are_interlocks_then_alarms() -> None:
    assert Layout(minimal_tool()).condition_index == {"over_pressure": 0, "pump_lost": 1, "wall_differs": 2}


def test_expressions_know_the_run_state_by_its_names() -> None:
    layout = Layout(minimal_tool())
    condition = "system.run_state == running and system.step_elapsed_s > 2 min and system.armed and system.tripped == 0"
    code = compile_postfix(read_boolean(condition, layout.scope), layout.index)
    assert code["value"].tolist()[1] == RunState.RUNNING
    assert 120.0 in code["value"].tolist()


def test_a_tag_with_two_values_is_a_condition_and_others_are_not() -> None:
    scope = Layout(minimal_tool()).scope
    truths = {name for name, symbol in scope.items() if symbol.truth}
    assert truths == {"system.armed", "panel.sih4.valve", "vacuum.pump.running"}


def test_a_digest_tells_one_tool_from_another_and_not_from_itself() -> None:
    data = minimal_data()
    change(data, "title", "Another title")
    same = Layout(tool_of(data))
    change(data, "alarms[0].name", "walls_differ")
    other = Layout(tool_of(data))
    assert Layout(minimal_tool()).digest == same.digest != other.digest
    assert len(same.digest) == 32
