"""Checks of a tool as a whole: what no single field can know.

A tool whose fields are valid comes in, every fault between its parts goes out, in the order of the file's sections.
The rules are listed for people in docs/reference/tools.md. It imports models, units and expressions of this
room, and of `kernels` the tables and the size of an image.
"""

from config.checks.conditions import check_conditions
from config.checks.control import check_control
from config.checks.devices import check_devices
from config.checks.equipment import check_equipment
from config.checks.gas_safety import check_gas_safety
from config.checks.operations import check_operations, check_safe_sequence
from config.checks.proof import check_proof_tests
from config.checks.reach import check_reach
from config.checks.recipe import check_gases, check_recipe_binding, check_telemetry
from config.checks.report import Report
from config.checks.settings import check_settings
from config.checks.tags import check_tags
from config.faults import Fault
from config.layout import Layout
from config.tool import Tool

__all__ = ["check_tool"]


def check_tool(tool: Tool, file: str) -> list[Fault]:
    """Find everything that is wrong between the parts of a tool."""
    report = Report(Layout(tool), file)
    check_settings(report)
    check_tags(report)
    check_devices(report)
    check_gases(report)
    check_conditions(report)
    check_proof_tests(report)
    check_reach(report)
    check_gas_safety(report)
    check_control(report)
    check_recipe_binding(report)
    check_telemetry(report)
    check_safe_sequence(report)
    check_operations(report)
    check_equipment(report)
    return list(dict.fromkeys(report.faults))
