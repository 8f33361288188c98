"""The cause-and-effect matrix of a tool: its interlocks as rows, the outputs that they move as columns.

One view of it for every reader: the terminal, the reference pages, the record of which version was in force.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from config.tool import Alarm, Interlock, Tool


@dataclass(frozen=True)
class Row:
    """A cause and what it does."""

    name: str
    cls: str
    """Class: trip, hold, permissive or warning."""
    values: tuple[float | None, ...]
    """What each output of the matrix is set to; None leaves it alone."""
    cause: str
    manner: str
    """Delay, hysteresis, latch and bypass in words."""
    description: str


@dataclass(frozen=True)
class Matrix:
    """All interlocks of a tool."""

    tool: str
    outputs: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def sha256(self) -> str:
        """Digest of everything that decides what a cause does; texts for people are left out."""
        deciding = [[row.name, row.cls, row.values, row.cause, row.manner] for row in self.rows]
        text = json.dumps([self.tool, self.outputs, deciding], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        """Return the matrix for a JSON file."""
        return asdict(self) | {"sha256": self.sha256}


def matrix(tool: Tool) -> Matrix:
    """Lay the interlocks of a tool out; columns in the order in which rows first name them."""
    outputs = tuple(dict.fromkeys(effect.output for row in tool.interlocks for effect in row.effects))
    return Matrix(tool.name, outputs, tuple(_row(row, outputs) for row in tool.interlocks))


def _row(interlock: Interlock, outputs: tuple[str, ...]) -> Row:
    values = {effect.output: effect.value for effect in interlock.effects}
    return Row(
        name=interlock.name,
        cls=interlock.cls.value,
        values=tuple(values.get(output) for output in outputs),
        cause=interlock.when,
        manner=manner(interlock),
        description=interlock.description,
    )


def manner(condition: Interlock | Alarm) -> str:
    """Say how a condition comes and goes, in words."""
    said = list[str]()
    if isinstance(condition, Interlock) and condition.vote is not None:
        said.append(f"votes {condition.vote}")
    if condition.on_delay_s:
        said.append(f"after {condition.on_delay_s:g} s")
    if condition.off_delay_s:
        said.append(f"goes after {condition.off_delay_s:g} s")
    if condition.hysteresis:
        said.append(f"hysteresis {condition.hysteresis}")
    if condition.accept_uncertain:
        said.append("an uncertain value counts")
    if condition.latch:
        said.append("latches")
    if isinstance(condition, Interlock):
        if condition.reset_when is not None:
            said.append(f"reset only while {condition.reset_when}")
        if condition.safe_from_idle:
            said.append("safe sequence also from idle")
        if condition.bypassable:
            said.append(f"bypass up to {condition.max_bypass_s:g} s")
    return ", ".join(said)
