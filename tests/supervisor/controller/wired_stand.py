"""The small tool on real wires: a rig on loopback and pseudo-terminals, and a controller that drives it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from config.layout import Layout
from config.profiles import profiles_of
from config.tool import Tool
from hil.rig.faults import WireFault
from hil.rig.rig import Rig
from supervisor.controller.compile import compile_tool
from supervisor.controller.controller import Controller, Settings
from supervisor.link.channel import Channel, socket_pair
from supervisor.link.image import create_image
from tests.config.minimal_tool import minimal_data, tool_of
from tests.supervisor.controller.stand import Desk, alive

DEVICES: list[dict[str, Any]] = [
    {"name": "io", "profile": "beckhoff_bk9050", "link": "modbus-tcp://io:502", "on_link_loss": "zero"},
    {"name": "mfc", "profile": "bronkhorst_el_flow", "link": "modbus-rtu:///dev/mfc", "address": 3,
     "on_link_loss": "none"},
    {"name": "gauge", "profile": "mks_937b", "link": "serial:///dev/gauge", "address": 3, "on_link_loss": "none"},
    {"name": "tc", "profile": "watlow_ez_zone_pm", "link": "modbus-tcp://tc:502", "address": 1,
     "on_link_loss": "none"},
    {"name": "valve", "profile": "vat_65", "link": "tcp://valve:4001", "on_link_loss": "none"},
]  # fmt: skip
POINTS: dict[str, dict[str, Any]] = {
    "panel.sih4.flow_sccm": {"point": "mfc.flow"},
    "panel.sih4.setpoint_sccm": {"point": "mfc.setpoint"},
    "panel.sih4.valve": {"point": "io.do_0"},
    "chamber.pressure_torr": {"point": "gauge.pressure_1", "period_s": 0.25},
    "chamber.throttle_pct": {"point": "valve.position_setpoint"},
    "chamber.temperature_c": {"point": "tc.temperature"},
    "chamber.wall_c": {"point": "io.ai_0", "scaling": {"point": [0, 32767], "tag": [0, 1300]}},
    "chamber.heater_pct": {"point": "io.ao_0", "scaling": {"point": [0, 32767], "tag": [0, 100]}},
    "vacuum.pump.running": {"point": "io.di_0"},
}


Change = Callable[[dict[str, Any]], None]


def wired_data() -> dict[str, Any]:
    """The smallest tool with an instrument behind every input and output."""
    data = minimal_data()
    for module in data["modules"]:
        for tag in module["tags"]:
            tag.update(POINTS.get(f"{module['name']}.{tag['name']}", {}))
    data["devices"] = [dict(device) for device in DEVICES]
    return data


@dataclass
class Wired(Desk):
    """A controller and the instruments that it drives."""

    controller: Controller
    rig: Rig

    def value(self, name: str) -> float:
        return self.controller.scanner.view().value(name)

    def status(self, name: str) -> int:
        view = self.controller.scanner.view()
        return int(view.snapshot.status[view.layout.index[name]])

    def shows(self, instrument: str, point: str) -> float:
        """What an instrument has at a point, in the point's unit."""
        return self.rig.instrument(instrument).value(point)


@asynccontextmanager
async def wired(folder: Path, *faults: WireFault, change: Change | None = None) -> AsyncIterator[Wired]:
    """Run a rig and a controller on it; the faults are there before the controller. `change` is made to the tool."""

    def make() -> tuple[Rig, dict[str, Any]]:
        data = wired_data()
        if change is not None:
            change(data)
        return Rig(tool_of(data), folder), data

    rig, data = await anyio.to_thread.run_sync(make)
    async with rig.running():
        for fault in faults:
            rig.inject(fault)
        for device in data["devices"]:
            device["link"] = rig.endpoints()[device["link"]]

        def load() -> tuple[Tool, dict[str, Any]]:
            tool = tool_of(data)
            return tool, profiles_of(tool)

        tool, profiles = await anyio.to_thread.run_sync(load)
        mine, theirs = socket_pair()
        settings = Settings("", "0" * 64, folder, sim=False, profiles=profiles)
        with create_image(Layout(tool)) as image:
            async with Channel(mine, "controller") as channel, Channel(theirs, "server") as server:
                controller = Controller(settings, tool, compile_tool(tool), image, channel)
                stand = Wired(server, folder, controller, rig)
                async with alive(controller, stand):
                    yield stand
