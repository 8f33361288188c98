"""The order of the process image: system tags, then every tag of every module; conditions likewise."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from config.tool import Alarm, Interlock, Tag, Tool
from kernels.tables import SystemTag

SYSTEM_TAGS = tuple(f"system.{tag.name.lower()}" for tag in SystemTag)


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
    def conditions(self) -> tuple[Interlock | Alarm, ...]:
        """Interlocks first, then alarms, each in the order of the file."""
        return (*self.tool.interlocks, *self.tool.alarms)

    @cached_property
    def condition_index(self) -> dict[str, int]:
        """Index of a condition by its name."""
        return {condition.name: index for index, condition in enumerate(self.conditions)}

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over all names: an image with another digest belongs to another tool file."""
        names = [*self.tags, "", *self.condition_index]
        return hashlib.sha256("\n".join(names).encode()).digest()
