"""Why each interlock and alarm stands as it does: asked of the controller, which alone knows, and kept for screens."""

from collections.abc import Callable
from typing import Any

import anyio

from config.layout import Layout
from config.tool import Interlock
from kernels.image import Snapshot
from opcua_model.interface import Refused
from supervisor.server.controller import Controller

LOOK_S = 0.5


class Reasons:
    """The words below `Interlocks/<name>/Why` and `Alarms/<name>/Why`.

    Args:
        controller: who is asked.
        layout: the conditions of the tool.
        values: their states; nobody is asked while none has anything to say.
        words: says it in the language of the installation.
    """

    def __init__(
        self, controller: Controller, layout: Layout, values: Callable[[], Snapshot], words: Callable[[str], str]
    ) -> None:
        self._controller = controller
        self._words = words
        self._values = values
        self._paths = {
            row.name: f"Interlocks/{row.name}/Why" if isinstance(row, Interlock) else f"Alarms/{row.alarm.name}/Why"
            for row in layout.conditions
        }
        self.shown: dict[str, str] = dict.fromkeys(self._paths.values(), "")

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await anyio.sleep(LOOK_S)

    async def look(self) -> None:
        """Ask once; when the controller is gone nothing is known."""
        words = dict.fromkeys(self._paths.values(), "")
        if self._values().conditions["state"].any():
            try:
                found: dict[str, Any] = await self._controller.query("check_interlocks")
            except Refused:
                found = {}
            for row in found.get("conditions", ()):
                if (path := self._paths.get(str(row.get("name")))) and (why := str(row.get("why", ""))):
                    words[path] = f"{words[path]} {self._words(why)}".strip()  # an alarm may have several limits
        self.shown = words
