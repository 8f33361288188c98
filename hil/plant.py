"""The simulated plant of a tool: what `--sim`, `cvd simulate` and the rigs put behind its tags.

A tool with its `[plant]` table comes in; a Plant goes out, whose capsule the scan steps (kernels/plant.pxd). Everything
is seeded: the same tool, seed and outputs give the same readings to the last bit.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from config.instruments import simulated
from config.layout import Layout
from config.tool import Tool
from hil.chamber.plant import chamber_plant
from hil.errors import PlantError, ScriptError
from hil.furnace.plant import furnace_plant
from hil.showerhead.plant import showerhead_plant

__all__ = ["Plant", "PlantError", "ScriptError", "create"]


class Plant(Protocol):
    """A simulated tool."""

    @property
    def capsule(self) -> object:
        """PyCapsule "cvd.plant" for Scan.attach; keep the plant for as long as the scan has it."""
        ...

    def load_wafers(self) -> None:
        """Put bare wafers into the tool before the coming step."""
        ...

    def measure(self) -> dict[str, Any]:
        """Measure the wafers: film, thickness_map and the figures of a result row that apply. Changes nothing."""
        ...

    def advance(
        self, outputs: Mapping[str, float], steps: int
    ) -> tuple[dict[str, float], dict[str, int], dict[str, int]]:
        """Step without a scan, with these outputs from now on.

        Returns:
            The last posting of each input that posted, its status, and how often it posted, by the tag's name.
        """
        ...

    def inject(self, fault: Mapping[str, Any]) -> None:
        """Order a fault, now or at a time, or clear one; raises ScriptError."""
        ...

    def state(self) -> dict[str, Any]:
        """Say what only a simulation knows, in SI units."""
        ...


MODELS: dict[str, Callable[[Layout, Mapping[str, float], int], Plant]] = {
    "chamber": chamber_plant,
    "hot_wall_furnace": furnace_plant,
    "showerhead": showerhead_plant,
}
"""Simulated tools by the `model` of a tool's `[plant]` table."""


def create(tool: Tool, *, seed: int | None = None) -> Plant:
    """Make the simulated plant of a tool.

    Args:
        tool: its tags are what the plant reads and posts.
        seed: of everything random; the tool's own unless given.

    Raises:
        PlantError: the tool has no `[plant]` table, one that cannot be simulated, or lacks a tag that it needs.
    """
    tool = simulated(tool)
    if tool.plant is None:
        raise PlantError(f"{tool.name} cannot be simulated: its file has no [plant] table")
    model = MODELS.get(tool.plant.model)
    if model is None:
        known = ", ".join(sorted(MODELS))
        raise PlantError(f"plant.model: there is no {tool.plant.model!r}; there are {known}")
    return model(Layout(tool), tool.plant.parameters, tool.plant.seed if seed is None else seed)
