"""Relay and step tests of any loop, as the words of an operation of its tool: the output moves, the loop is in manual.

Each starts where the loop has come to rest, moves the output around that place, holds itself with the loop back in auto
when the process value leaves its bounds, and ends in auto. What else a tool must be for it (pumped, in nitrogen, warm)
is known to whoever puts it into the tool file.
"""

from dataclasses import dataclass
from typing import Any

from config.layout import Layout
from config.tool import Tool
from kernels.tables import LoopMode

SWINGS = 6
"""Of a relay test; the last three count."""
DIFFERENCES = {"°C": "K", "°F": "K"}
"""Unit of a difference where a value's own unit has a zero of its own."""


@dataclass(frozen=True)
class Excitation:
    """How far and how long a test goes."""

    move: float
    """Of the output, to either side."""
    leave: float
    """How far the process value may go from its set point."""
    rest_s: float
    """Before the test, in auto."""
    wait_s: float
    """Relay: longest half swing. Step: how long the answer is watched."""
    band: float = 0.0
    """Relay: hysteresis, in the unit of the process value."""


def operation(tool: Tool, loop_name: str, method: str, how: Excitation) -> dict[str, Any]:
    """Write a test.

    Raises:
        KeyError: the tool has no such loop.
        ValueError: a size that is not above 0.
    """
    if min(how.move, how.leave, how.wait_s) <= 0.0 or how.rest_s < 0.0 or not 0.0 <= how.band < how.leave:
        raise ValueError("move, leave and wait are above 0, rest is 0 or more, band below leave")
    loop = {one.name: one for one in tool.loops}[loop_name]
    declared = Layout(tool).declared
    unit = declared[loop.pv].unit
    unit, moved = DIFFERENCES.get(unit, unit), declared[loop.out].unit
    error, scan_s = f"{loop.pv} - {loop.sp}", tool.scan.period_ms / 1000.0
    guard = {"that": f"abs({error}) < {how.leave:g} {unit}", "otherwise": "hold"}
    chosen = {group.select: 0 for group in tool.groups if loop.name in {m.driving for m in group.members}}
    rest = {"name": "come to rest", "min_s": how.rest_s, "set": chosen | {loop.mode: int(LoopMode.AUTO)}}
    steps = [rest, {"name": "by hand", "min_s": 1, "set": {loop.mode: int(LoopMode.MANUAL)}}]

    def move(name: str, by: float) -> dict[str, Any]:
        sign = "+" if by > 0 else "-"
        return {"name": name, "store": {loop.out: f"{loop.out} {sign} {abs(by):g} {moved}"}}

    def wait(name: str, above: bool) -> dict[str, Any]:
        beyond = f"{error} > {how.band:g} {unit}" if above else f"{error} < {0.0 - how.band:g} {unit}"
        return {
            "name": name,
            "min_s": scan_s,
            "until": beyond,
            "timeout_s": how.wait_s,
            "on_timeout": "hold",
            "guard": guard,
        }

    up = loop.direction > 0
    if method == "relay":
        swing = [wait("answer up", up), move("less", -2 * how.move), wait("answer down", not up),
                 move("more", 2 * how.move)]  # fmt: skip
        steps += [move("first", how.move), {"name": "swing", "repeat": SWINGS, "steps": swing}]
        bound_s = how.rest_s + 2 * SWINGS * how.wait_s
    else:
        steps += [{"name": "still", "min_s": 0.1 * how.wait_s, "guard": guard}, move("step", how.move),
                  {"name": "watch", "min_s": how.wait_s, "guard": guard}]  # fmt: skip
        bound_s = how.rest_s + 1.1 * how.wait_s
    steps.append({"name": "back to auto", "min_s": 1, "set": {loop.mode: int(LoopMode.AUTO)}})
    return {
        "name": f"{method}_test_{loop.name}", "title": f"{method.capitalize()} test of loop {loop.name}",
        "description": f"The output moves by {how.move:g} {moved} while the loop is in manual; its record tells gains",
        "bound_s": bound_s + 60.0, "hold": {loop.mode: int(LoopMode.AUTO)}, "steps": steps,
    }  # fmt: skip
