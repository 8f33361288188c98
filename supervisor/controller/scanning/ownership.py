"""Who has the say over each set point and output at this moment; the stronger hides the weaker.

In this order: an interlock's effect, a missing permission, a force, the safe sequence, a loop, a map, the program, and
last whoever wrote by hand.
"""

from collections.abc import Mapping

from config.tool import TagKind
from kernels.tables import LoopMode, RunState
from supervisor.controller.scanning.forces import Forced
from supervisor.controller.scanning.scanner import END_STATES, View

_SAFE = frozenset({RunState.STOPPING, RunState.ABORTING})


def owners(view: View, forces: Mapping[str, Forced]) -> dict[str, str]:
    """Say the owner of every set point and output, by name."""
    tool = view.layout.tool
    loops = {loop.out: loop.name for loop in tool.loops if view.value(loop.mode) == LoopMode.AUTO}
    maps = {one.target: one.source for one in tool.maps}
    effects = _effects(view)
    state = view.run_state
    found: dict[str, str] = {}
    for name, tag in view.layout.declared.items():
        if tag.kind not in {TagKind.SETPOINT, TagKind.OUTPUT}:
            continue
        if name in effects:
            found[name] = f"interlock {effects[name]}"
        elif tag.hazardous and not view.armed:
            found[name] = "not armed"
        elif name in forces:
            found[name] = f"force by {forces[name].user}: {forces[name].reason}"
        elif state in _SAFE:
            found[name] = "safe sequence"
        elif name in loops:
            found[name] = f"loop {loops[name]}"
        elif name in maps:
            found[name] = f"map of {maps[name]}"
        else:
            found[name] = "program" if state not in END_STATES else "hand"
    return found


def _effects(view: View) -> dict[str, str]:
    """Outputs that an interlock holds, with the first that does."""
    found: dict[str, str] = {}
    for index, condition in enumerate(view.layout.conditions):
        effects = getattr(condition, "effects", ())
        if effects and view.in_force(index):
            for effect in effects:
                found.setdefault(effect.output, condition.name)
    return found
