"""A whole rig: instruments on wires around one plant, a scenario, and what tests may ask of it."""

import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import structlog

from config.profile import Profile
from config.profiles import find_profile
from config.tool import Device, TagKind, Tool
from hil.errors import RigError
from hil.rig.coupling import Coupling
from hil.rig.faults import WireFault
from hil.rig.instrument import Instrument
from hil.rig.scenario import Director, Event, Scenario
from hil.rig.wire import Wire

log = structlog.get_logger()

TICK_S = 0.01
"""How often the plant is let go on, and watchdogs, heartbeats and faults are looked at."""
KEPT = 200_000
"""Writes that are remembered."""
MOST_BEHIND_S = 1.0
"""A rig that was stopped for longer does not make up for it at once: the plant loses that time, and it is told."""


@dataclass(frozen=True)
class Write:
    """Something written over a wire.

    Attributes:
        number: from 1, without gaps.
        received_ns: UTC time at which its last byte was received.
        kernel: the time is the kernel's own stamp; else that of the reading.
        instrument: whose point it is.
        point: its name.
        value: in the point's unit, as the instrument took it.
        tag: of the plant that moved, if one did.
        plant_s: the plant's time.
    """

    number: int
    received_ns: int
    kernel: bool
    instrument: str
    point: str
    value: float
    tag: str | None
    plant_s: float


class Rig:
    """The instruments of a tool.

    Args:
        tool: with its devices.
        folder: for the names of pseudo-terminals.
        speed: how much faster than the clock the plant goes.
        base_port: sockets take this port and those after it, in the order of the file; 0: any.
        scenario: what is to happen.
        seed: of noise in faults.

    Raises:
        RigError, PlantError: the tool has no instruments, or they cannot be made.
        ConfigError: a device profile does not exist or has faults.
    """

    def __init__(
        self,
        tool: Tool,
        folder: Path,
        *,
        speed: float = 1.0,
        base_port: int = 0,
        scenario: Scenario | None = None,
        seed: int = 1,
    ) -> None:
        if not tool.devices:
            raise RigError(f"{tool.name} has no devices: its file says nothing about instruments and their wires")
        self.tool = tool
        self.speed = speed
        self.director = Director(scenario)
        self.instruments = {device.name: _instrument(device, tool) for device in tool.devices}
        self.coupling = Coupling(tool, self.instruments)
        self.writes: deque[Write] = deque(maxlen=KEPT)
        self.happened: list[str] = []
        self.plant_s = 0.0
        self.lost_s = 0.0
        self._count = 0
        self._stamp = (0, False)
        self._debt_s = 0.0
        self.wires = self._make_wires(folder, base_port, random.Random(seed))  # noqa: S311 - repeatable noise
        for instrument in self.instruments.values():
            instrument.on_write = self._listener(instrument)
        self.coupling.step(1)

    def _make_wires(self, folder: Path, base_port: int, chance: random.Random) -> list[Wire]:
        links: dict[str, list[Device]] = {}
        for device in self.tool.devices:
            links.setdefault(device.link, []).append(device)
        wires: list[Wire] = []
        for n, (link, devices) in enumerate(links.items()):
            wires.append(
                Wire(
                    link,
                    [self.instruments[device.name] for device in devices],
                    path=folder / "wires" / devices[0].name,
                    port=base_port + n if base_port else 0,
                    seed=chance.getrandbits(32),
                    on_request=self._received,
                )
            )
        return wires

    # ------------------------------------------------------------------------------------------------------ running
    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Rig"]:
        """Serve for as long as the block lasts."""
        try:
            for wire in self.wires:
                await anyio.to_thread.run_sync(wire.open)
            async with anyio.create_task_group() as group:
                for wire in self.wires:
                    group.start_soon(wire.run)
                group.start_soon(self._go_on)
                yield self
                group.cancel_scope.cancel()
        finally:
            for wire in self.wires:
                wire.close()
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._forget)

    def _forget(self) -> None:
        for wire in self.wires:
            wire.forget()

    async def _go_on(self) -> None:
        began_s = last_s = time.monotonic()
        ticks = 0
        while True:
            ticks += 1
            due_s = began_s + ticks * TICK_S
            now_s = time.monotonic()
            if due_s > now_s:
                await anyio.sleep(due_s - now_s)
                now_s = time.monotonic()
            else:
                await anyio.lowlevel.checkpoint()
                ticks = int((now_s - began_s) / TICK_S)
            self.advance(now_s - last_s)
            last_s = now_s
            for wire in self.wires:
                wire.look(now_s)
                await wire.speak(now_s)

    def advance(self, clock_s: float) -> None:
        """Let the plant go on for so much of the clock's time, then let happen what is due."""
        if clock_s > MOST_BEHIND_S:
            self.lost_s += clock_s - MOST_BEHIND_S
            log.warning("the plant stood still", for_s=round(clock_s - MOST_BEHIND_S, 3))
            clock_s = MOST_BEHIND_S
        self._debt_s += clock_s * self.speed
        steps = int(self._debt_s / self.coupling.period_s)
        self._debt_s -= steps * self.coupling.period_s
        self.coupling.step(steps)
        self.plant_s += steps * self.coupling.period_s
        for event in self.director.due(self.plant_s, {**self.coupling.readings, **self.coupling.outputs}):
            self._happen(event)

    def _happen(self, event: Event) -> None:
        if event.wire is not None:
            self.inject(event.wire)
            what = f"{event.wire.instrument}: {event.wire.fault}"
        elif event.clear is not None:
            self.clear(event.clear)
            what = f"{event.clear}: cleared"
        else:
            self.inject_plant(event.plant or {})
            what = f"plant: {event.plant}"
        self.happened.append(f"{self.plant_s:.2f} s  {what}")
        log.info("scenario", happened=what, note=event.note, plant_s=round(self.plant_s, 3))

    # ------------------------------------------------------------------------------------------------------- asking
    def wire_of(self, instrument: str) -> Wire:
        """The wire that an instrument hangs on; raises RigError."""
        self.instrument(instrument)
        return next(wire for wire in self.wires if instrument in wire.faults)

    def instrument(self, name: str) -> Instrument:
        """An instrument by its name; raises RigError."""
        found = self.instruments.get(name)
        if found is None:
            raise RigError(f"there is no instrument {name!r}; there are {', '.join(self.instruments)}")
        return found

    def inject(self, fault: WireFault) -> None:
        """Put a fault in; raises RigError."""
        self.wire_of(fault.instrument).inject(fault)

    def inject_plant(self, fault: Mapping[str, Any]) -> None:
        """Let something of the plant fail; raises RigError or ScriptError."""
        if self.coupling.plant is None:
            raise RigError(f"{self.tool.name} has no [plant]")
        self.coupling.plant.inject(fault)

    def clear(self, instrument: str | None = None) -> None:
        """End the faults of an instrument, or of all."""
        for name in [instrument] if instrument is not None else list(self.instruments):
            self.wire_of(name).clear(name)

    def endpoints(self) -> dict[str, str]:
        """The rig's link for each of the tool file's."""
        return {wire.link: wire.endpoint for wire in self.wires}

    # ------------------------------------------------------------------------------------------------------ writing
    def _received(self, stamp_ns: int, kernel: bool) -> None:
        self._stamp = stamp_ns, kernel

    def _listener(self, instrument: Instrument) -> Any:
        def wrote(point: str, value: float) -> None:
            self._count += 1
            tag = self.coupling.wrote(instrument, point, value)
            stamp_ns, kernel = self._stamp
            self.writes.append(Write(self._count, stamp_ns, kernel, instrument.name, point, value, tag, self.plant_s))

        return wrote


def _instrument(device: Device, tool: Tool) -> Instrument:
    profile: Profile = find_profile(device.profile)
    instrument = Instrument(device.name, profile, device.address)
    full_scale = max(
        (
            tag.high
            for module in tool.modules
            for tag in module.tags
            if tag.kind is TagKind.OUTPUT and tag.point is not None and tag.point.partition(".")[0] == device.name
        ),
        default=None,
    )
    if full_scale is not None and "full_scale" in instrument.points:
        instrument.deliver({"full_scale": full_scale})
    return instrument
