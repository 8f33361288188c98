"""Checks of a tool as a whole (first ones)."""

from config.faults import Fault
from config.tool import Tool


def check_tool(tool: Tool, file: str) -> list[Fault]:
    """Find everything that is wrong between the parts of a tool."""
    del tool, file
    return []
