"""Faults between what a crew's part of a tool file says and the rest of it, each told with its path."""

from pathlib import Path

from config.checks import check_tool
from config.loading import load_model
from config.text import Syntax
from config.tool import Tool

MINIMAL = Path(__file__).with_name("minimal.toml")
WRONG = """
[[transitions]]
from = ["Standby"]
to = "Ready"
roles = ["operator"]
needs = [{ that = "chamber.pressure_torr", reason = "is no condition" }]

[[operations]]
name = "probe"
title = "Probe"
description = "Asks for what there is not"
bound_s = 10
requires = [{ operation = "prob", within_h = 2 }]
voids = ["leak"]
findings = [{ name = "pressure", tag = "chamber.pressure_torr", below = "chamber.temperature_c" }]
steps = [{ name = "look", min_s = 1 }]

[care]
clock = "chamber.pressure_setpoint_torr"
counters = [{ tag = "chamber.pressure_setpoint_torr", kind = "hours", of = "chamber.nothing", remedy = "none" }]
tasks = [{ name = "oil", title = "Oil", action = "Oil it", counter = "chamber.wall_c", at = 5 }]
"""


def test_every_fault_of_the_crews_part_is_told_at_once() -> None:
    tool = load_model(MINIMAL.read_text(encoding="utf-8") + WRONG, Tool, syntax=Syntax.TOML)
    last = len(tool.operations) - 1
    told = {fault.path: fault.reason for fault in check_tool(tool, "minimal.toml")}
    assert "must be a condition" in told["transitions[0].needs[0].that"]
    assert "there is no operation 'prob'; did you mean 'probe'?" in told[f"operations[{last}].requires[0]"]
    assert "there is no operation 'leak'" in told[f"operations[{last}].voids[0]"]
    assert told[f"operations[{last}].findings[0].below"] == "is in °C, the result in Torr"
    assert told["transitions"] == "no row leads to Maintenance"
    assert "kept by the controller" in told["care.clock"]
    assert "counts hours, but" in told["care.counters[0].tag"]
    assert "unknown tag 'chamber.nothing'" in told["care.counters[0].of"]
    assert "is no counter" in told["care.tasks[0].counter"]


def test_a_tool_file_without_a_crews_part_has_the_usual_modes() -> None:
    tool = load_model(MINIMAL.read_text(encoding="utf-8"), Tool, syntax=Syntax.TOML)
    assert {row.to for row in tool.transitions} == {"Ready", "Standby", "Maintenance"}
    assert check_tool(tool, "minimal.toml") == []
