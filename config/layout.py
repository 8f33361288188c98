"""The order of the process image: system tags, then every tag of every module; conditions likewise."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from config.alarms import AlarmPoint, points
from config.expression import ExpressionError, Symbol, names, parse
from config.tool import Interlock, Tag, TagKind, Tool
from config.units import UnitError, find_unit
from kernels.tables import RunState, SystemTag

SYSTEM_TAGS = tuple(f"system.{tag.name.lower()}" for tag in SystemTag)


_RUN_STATES = tuple(state.name.lower() for state in RunState)
SYSTEM_SYMBOLS = {
    name: Symbol(
        find_unit("s" if name.endswith("_s") else "1"),
        states=_RUN_STATES if name == "system.run_state" else (),
        truth=name == "system.armed",
    )
    for name in SYSTEM_TAGS
}
"""What expressions may know of the system tags."""


@dataclass(frozen=True)
class Layout:
    """Names and indices of tags and conditions; equal on both sides of the link by construction."""

    tool: Tool = field(repr=False)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Full names by index: `system.run_state` …, then `module.tag`."""
        return (*SYSTEM_TAGS, *(f"{m.name}.{t.name}" for m in self.tool.modules for t in m.tags))

    @cached_property
    def declared(self) -> dict[str, Tag]:
        """Declarations of the tool's own tags by full name."""
        return {f"{m.name}.{t.name}": t for m in self.tool.modules for t in m.tags}

    @cached_property
    def index(self) -> dict[str, int]:
        """Index by full name."""
        return {name: index for index, name in enumerate(self.tags)}

    @cached_property
    def scope(self) -> dict[str, Symbol]:
        """What expressions may know of each tag, by full name."""
        return SYSTEM_SYMBOLS | {name: symbol_of(tag) for name, tag in self.declared.items()}

    def inputs_of(self, expression: str) -> frozenset[str]:
        """Tags of instruments that an expression depends on, through computed tags; none when it has faults."""
        return frozenset(name for name in self.operands_of(expression) if self.declared[name].kind is TagKind.INPUT)

    def operands_of(self, expression: str) -> frozenset[str]:
        """Tags that an expression depends on, what stands behind computed ones in their place; none for faulty text."""
        found, left = set[str](), {expression}
        seen = set[str]()
        while left:
            text = left.pop()
            seen.add(text)
            try:
                used = {name.name for name in names(parse(text))}
            except ExpressionError:
                continue
            for name in used:
                tag = self.declared.get(name)
                if tag is not None and tag.expression is None:
                    found.add(name)
                elif tag is not None and tag.expression is not None and tag.expression not in seen:
                    left.add(tag.expression)
        return frozenset(found)

    @cached_property
    def conditions(self) -> tuple[Interlock | AlarmPoint, ...]:
        """Interlocks first, then alarms, each in the order of the file; an alarm may be several (config.alarms)."""
        return (*self.tool.interlocks, *(point for alarm in self.tool.alarms for point in points(alarm)))

    @cached_property
    def condition_index(self) -> dict[str, int]:
        """Index of a condition by its name."""
        return {condition.name: index for index, condition in enumerate(self.conditions)}

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over all names: an image with another digest belongs to another tool file."""
        names = [*self.tags, "", *self.condition_index]
        return hashlib.sha256("\n".join(names).encode()).digest()


def symbol_of(tag: Tag) -> Symbol:
    """What expressions may know of a tag; it stands for a condition when its values are 0 and 1 only."""
    try:
        unit = find_unit(tag.unit)
    except UnitError:
        unit = None  # config.checks tells
    truth = len(tag.states) == 2 if tag.states else tag.unit == "1" and (tag.low, tag.high) == (0.0, 1.0)
    return Symbol(unit, tag.states, truth)
