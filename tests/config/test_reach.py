"""What the matrix can reach: causes that never come, effects that never act, guards that look at themselves."""

import json
from typing import Any

import pytest

from config.checks import check_tool
from config.faults import ConfigError
from config.layout import Layout
from config.loading import load_tool, shipped_tool
from config.preflight import preflight
from config.ranges import Outcome, Ranges
from config.recipe import load_recipe
from tests.config.minimal_tool import minimal_data, minimal_tool, tool_of
from tests.config.small_furnace import small_furnace


def faults(data: dict[str, Any]) -> list[str]:
    """Every fault of a tool."""
    with pytest.raises(ConfigError) as caught:
        tool_of(data)
    return [f"{fault.path}: {fault.reason}" for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "true", "false"),
    [
        ("chamber.pressure_torr > 1e9 Torr", False, True),
        ("chamber.pressure_torr >= -1e9 Torr", True, False),
        ("abs(chamber.pressure_torr) < 0 Torr", False, True),
        ("chamber.pressure_torr > 1 Torr and panel.sih4.valve == open", True, True),
        ("vacuum.pump.running or not vacuum.pump.running", True, True),  # one tag twice: a possibility too many
        ("vote(2, chamber.pressure_torr > 1e9 Torr, vacuum.pump.running)", False, True),
        ("bad(chamber.pressure_torr)", True, True),
    ],
)
def test_what_a_condition_can_be_within_the_limits_of_its_tags(text: str, true: bool, false: bool) -> None:
    assert Ranges(Layout(minimal_tool())).condition(text) == Outcome(true, false)


def test_what_is_known_narrows_it() -> None:
    known = {"chamber.pressure_torr": (2.0, 3.0)}
    ranges = Ranges(Layout(minimal_tool()), known)
    assert ranges.condition("chamber.pressure_torr > 1 Torr") == Outcome(true=True, false=False)
    assert ranges.condition("chamber.pressure_torr / 2 > 2 Torr") == Outcome(true=False, false=True)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("chamber.pressure_torr > 90000 Torr", "can never be true within the ranges of its tags: its effects are"),
        ("chamber.pressure_torr > -90000 Torr", "is always true within the ranges of its tags"),
    ],
)
def test_a_cause_that_never_comes_or_always_stands_is_refused(when: str, words: str) -> None:
    data = minimal_data()
    data["interlocks"][0] |= {"when": when}
    data["interlocks"][0].pop("hysteresis", None)
    assert [one for one in faults(data) if one.startswith("interlocks[0].when: ") and words in one]


def test_an_effect_behind_another_one_of_the_same_cause_is_unreachable() -> None:
    data = minimal_data()
    upper = data["interlocks"][0]
    lower = {**upper, "name": "lower", "class": "hold", "latch": False}
    lower.pop("group", None)
    free = {
        "name": "lamp", "kind": "output", "description": "A lamp", "low": 0, "high": 1, "states": ["off", "on"]
    }  # fmt: skip
    data["modules"][0]["tags"].append(free)
    lamp = f"{data['modules'][0]['name']}.lamp"
    upper["effects"] = [*upper["effects"], {"output": lamp, "value": 1}]
    lower["effects"] = [{"output": lamp, "value": 0}]
    data["interlocks"] = [upper, *data["interlocks"][1:], lower]
    assert [one for one in faults(data) if ".effects[0]: is unreachable: " in one and "the same cause" in one]


def test_a_step_that_an_interlock_would_not_let_live_is_refused_before_approval() -> None:
    tool = small_furnace()
    hot = next(row for row in tool.interlocks if "temperature_c >" in row.when)
    document = {
        "name": "too hot",
        "process_mode": "LPCVD Oxide",
        "film_target": "SiO2",
        "thickness_target_nm": 10,
        "temperature_profile": {"zones": [{"zone": 1, "setpoint": 800}]},
        "pressure_setpoints": {"process_pressure_torr": 0.5},
        "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}, {"name": "N2O", "flow_sccm": 160}]},
        "recipe_steps": [{"name": "deposition", "duration_s": 60}],
        "safety_hazard_level": 3,
    }
    assert not [
        fault for fault in preflight(load_recipe(json.dumps(document)), tool).faults if hot.name in fault.reason
    ]
    low = hot.model_copy(update={"when": "heater.zone1.temperature_c > 700 °C"})
    rows = tuple(low if row is hot else row for row in tool.interlocks)
    found = preflight(load_recipe(json.dumps(document)), tool.model_copy(update={"interlocks": rows})).faults
    (told,) = [fault for fault in found if hot.name in fault.reason]
    assert told.path == "recipe_steps[0]"
    assert f"{hot.name} trips in this step" in told.reason
    assert "heater.zone1.temperature_c = 800" in told.reason


def test_a_guard_that_looks_through_the_device_of_its_own_output_is_no_guard() -> None:
    tool = load_tool(shipped_tool("lpcvd_furnace_wired"))
    layout = Layout(tool)

    def eyes(when: str) -> set[str]:
        return {(layout.declared[tag].point or "").partition(".")[0] for tag in layout.inputs_of(when)}

    blind = tuple(row for row in tool.interlocks if eyes(row.when) <= {"io"})
    assert len(blind) > 3
    told = [fault for fault in check_tool(tool.model_copy(update={"interlocks": blind}), "f") if "point" in fault.path]
    assert any("'heater.zone1.power_pct' hangs on 'io', and so does every cause" in fault.reason for fault in told)
    assert not [fault for fault in check_tool(tool, "f") if "hangs on" in fault.reason]
