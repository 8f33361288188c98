"""The tool model: everything that is one CVD tool, as read from its TOML file.

From this one model come the process image, OPC UA nodes, historian columns, the simulated plant's wiring, interlock
tables, preflight checks and documentation tables. Nothing is listed twice. A table of the file comes in (config.loading
reads it); a frozen `Tool` goes out, whose parts are right by themselves: what must be right between them is
`config.checks`' to say. It may import the models of single concerns beside it (equipment, gas safety, proof tests,
plant, regulation), and nothing that reads a tool.
"""

from config.equipment import Role
from config.tool.binding import Plasma, Zone
from config.tool.conditions import Alarm, AlarmKind, Effect, Interlock, InterlockClass, Priority, Suppression, Vote
from config.tool.loops import LinearMap, Loop, Schedule
from config.tool.model import Telemetry, Tool
from config.tool.modules import Device, Gas, LinkLoss, Module, ModuleKind, Tag, TagKind
from config.tool.operations import Action, Check, Guard, Operation, Policy, Ramp

__all__ = [
    "Action",
    "Alarm",
    "AlarmKind",
    "Check",
    "Device",
    "Effect",
    "Gas",
    "Guard",
    "Interlock",
    "InterlockClass",
    "LinearMap",
    "LinkLoss",
    "Loop",
    "Module",
    "ModuleKind",
    "Operation",
    "Plasma",
    "Policy",
    "Priority",
    "Ramp",
    "Role",
    "Schedule",
    "Suppression",
    "Tag",
    "TagKind",
    "Telemetry",
    "Tool",
    "Vote",
    "Zone",
]
