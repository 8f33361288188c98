"""Drivers as a process that can be killed: `python -m tests.drivers.driving TOOL.json` drives every output on.

It says `driving` once every device is armed and every output was written and read back, and goes on until it is killed.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import anyio

from config.layout import Layout
from config.profiles import profiles_of
from config.tool import Tool
from drivers.binding import Surroundings
from drivers.build import build
from drivers.device import Device


class Nowhere:
    """An input table that nobody reads."""

    def post_many(self, tags: object, values: object, status: object, source_ns: object) -> None:
        """Take it."""


async def drive(tool: Tool) -> None:
    """Drive until killed."""
    profiles = profiles_of(tool)
    buses = build(Layout(tool), profiles, Surroundings(Nowhere(), lambda: True, lambda *_: None))
    async with anyio.create_task_group() as group:
        for bus in buses:
            group.start_soon(bus.run)
        devices = [(bus, device) for bus in buses for device in bus.devices]

        def driven() -> bool:
            """Ask as the scan does: on while a device is armed, off while it is not, as after a restart of its own."""
            for bus, device in devices:
                for bound in device.outputs:
                    bus.want(device, bound.point, float(device.statistics.armed))
            return all(device.statistics.armed and _followed(device) for _, device in devices)

        await _until(driven)
        print("driving", flush=True)
        await anyio.sleep_forever()


def _followed(device: Device) -> bool:
    return all(device.written.get(bound.point, (0.0,))[0] for bound in device.outputs) and not device.unconfirmed


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - a state of drivers, no event
        await anyio.sleep(0.01)


if __name__ == "__main__":
    anyio.run(drive, Tool.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8")))
