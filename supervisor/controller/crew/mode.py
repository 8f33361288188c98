"""The equipment mode: what follows from the scan's state, and what people may choose."""

from config.equipment import Transition
from config.layout import Layout
from kernels.tables import ConditionClass, RunState, SystemTag
from supervisor.controller.errors import CommandRefused
from supervisor.controller.permissions import require
from supervisor.controller.scanning.judging import unmet
from supervisor.controller.scanning.scanner import END_STATES, View
from supervisor.link.messages import EquipmentMode, Principal

CHOICES = frozenset({EquipmentMode.STANDBY, EquipmentMode.READY, EquipmentMode.MAINTENANCE})
"""The others follow by themselves."""


def derive_mode(view: View, *, booted: bool, maintenance: bool) -> EquipmentMode:
    """Return the mode that a moment amounts to.

    Processing while a program of any kind runs, the safe sequence included; Maintenance while people chose it, for
    whoever repairs a tool provokes its trips; Fault while a trip is in force; else Ready when armed, Standby when not.
    """
    if not booted:
        return EquipmentMode.INIT
    if view.run_state not in END_STATES:
        return EquipmentMode.PROCESSING
    if maintenance:
        return EquipmentMode.MAINTENANCE
    if view.engaged(ConditionClass.TRIP):
        return EquipmentMode.FAULT
    return EquipmentMode.READY if view.armed else EquipmentMode.STANDBY


def permit_change(view: View, principal: Principal, present: EquipmentMode, wanted: EquipmentMode) -> Transition:
    """Find the declared transition between two modes, and hold its guards against this moment.

    Raises:
        CommandRefused: in one line, why not.
    """
    if wanted not in CHOICES:
        choices = ", ".join(sorted(CHOICES))
        raise CommandRefused("BadInvalidArgument", f"{wanted} follows by itself; one can choose {choices}")
    declared = view.layout.tool.transitions
    rows = [row for row in declared if row.to == wanted.value and present.value in row.origin]
    if not rows:
        origins = ", ".join(dict.fromkeys(mode for row in declared if row.to == wanted.value for mode in row.origin))
        raise CommandRefused(
            "BadInvalidState", f"from {present} there is no way to {wanted}; it is chosen in {origins or 'no mode'}"
        )
    row = rows[0]
    require(principal, frozenset(row.roles), f"mode {wanted} is not chosen by {principal.user or 'anonymous'}")
    if reasons := unmet(view, row.needs):
        raise CommandRefused("BadInvalidState", f"{wanted}: {'; '.join(reasons)}")
    return row


def run_state_name(view: View) -> str:
    """Name of the run state."""
    return RunState(int(view.system(SystemTag.RUN_STATE))).name


def state_name(layout: Layout, tag: str, value: float) -> str:
    """Name of a discrete tag's value, its number where it has no names."""
    declared = layout.declared.get(tag)
    if declared is None or not declared.states or not 0 <= value < len(declared.states):
        return f"{value:g}"
    return declared.states[int(value)]
