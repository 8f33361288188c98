"""The equipment mode: what follows from the scan's state, and what people may choose."""

from config.layout import Layout
from kernels.tables import ConditionClass, RunState, SystemTag
from supervisor.controller.scanner import END_STATES, View
from supervisor.link.messages import EquipmentMode

CHOICES = frozenset({EquipmentMode.STANDBY, EquipmentMode.READY, EquipmentMode.MAINTENANCE})
"""The others follow by themselves."""


def derive_mode(view: View, *, booted: bool, maintenance: bool) -> EquipmentMode:
    """Return the mode that a moment amounts to.

    Processing while a program of any kind runs, the safe sequence included; Fault while a trip is in force; otherwise
    what people chose: Maintenance, else Ready when armed and Standby when not.
    """
    if not booted:
        return EquipmentMode.INIT
    if view.run_state not in END_STATES:
        return EquipmentMode.PROCESSING
    if view.engaged(ConditionClass.TRIP):
        return EquipmentMode.FAULT
    if maintenance:
        return EquipmentMode.MAINTENANCE
    return EquipmentMode.READY if view.armed else EquipmentMode.STANDBY


def run_state_name(view: View) -> str:
    """Name of the run state."""
    return RunState(int(view.system(SystemTag.RUN_STATE))).name


def state_name(layout: Layout, tag: str, value: float) -> str:
    """Name of a discrete tag's value, its number where it has no names."""
    declared = layout.declared.get(tag)
    if declared is None or not declared.states or not 0 <= value < len(declared.states):
        return f"{value:g}"
    return declared.states[int(value)]
