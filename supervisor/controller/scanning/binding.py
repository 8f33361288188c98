"""What stands behind the tags: the simulated plant, or the instruments."""

from collections.abc import Mapping
from typing import Any, Protocol

from config.tool import Tool
from kernels.scan import Scan
from supervisor.controller.errors import BindingError


class Plant(Protocol):
    """The simulated plant as this room uses it (`hil.plant`)."""

    @property
    def capsule(self) -> Any:
        """What `Scan.attach` wants."""
        ...

    def measure(self) -> dict[str, Any]:
        """What a measurement of the wafers gives."""
        ...

    def load_wafers(self) -> None:
        """Put fresh wafers into the boat."""
        ...

    def inject(self, fault: Mapping[str, Any]) -> None:
        """Let a fault strike, or clear one; raises ValueError for one that there is not."""
        ...


def bind(tool: Tool, scan: Scan, *, sim: bool) -> Plant | None:
    """Connect the scan's inputs and outputs to the simulated plant.

    A tool with instruments has nothing attached to its scan: its buses post (`instruments`).

    Raises:
        BindingError: the tool has nothing to simulate, or no instruments.
    """
    if not sim:
        if not tool.devices:
            raise BindingError(
                f"the tool {tool.name} has no instruments: its file declares no [[devices]]. "
                "Start it with --sim to put its simulated plant behind the tags"
            )
        return None
    if tool.plant is None:
        raise BindingError(f"the tool {tool.name} has no [plant] section, so that --sim has nothing to simulate")
    from hil.plant import create

    plant: Plant = create(tool, seed=tool.plant.seed)
    scan.attach(plant.capsule)
    return plant
