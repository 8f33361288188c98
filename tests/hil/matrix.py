"""The fault matrix: every way of failing on every kind of wire, drivers on one side, instruments on the other.

A cell is one instrument on a wire of its own. Its readings are judged while it is well, while the fault lasts and after
it: no Good value may differ from what the instrument really read.
"""

import gc
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import numpy as np
import pyvisa.resources  # noqa: F401 - what it brings with it is there before anything is counted

from config.instruments import conversion
from config.layout import Layout
from config.profile import Profile
from config.profiles import find_profile
from config.tool import Device, LinkLoss, Module, ModuleKind, Tag, TagKind, Tool
from drivers.binding import Surroundings
from drivers.build import build
from hil.rig.faults import Kind, WireFault
from hil.rig.rig import Rig
from tests.config.minimal_tool import minimal_tool

GOOD_MASK = 0xC0000000
WITHIN_S = 60.0
LASTS_S = 1.5
LATE_BY_S = 5.0
"""Beyond its own time a driver's notice of a heartbeat that stands still may be late by so much on a busy machine."""


@dataclass(frozen=True)
class Transport:
    """A kind of wire, with an instrument that hangs on it.

    Attributes:
        profile: of the instrument.
        link: as a tool file writes it; `{n}` is the cell's number.
        readings: what two of its points say, in their unit.
        checked: the protocol has a check sum, so that a Good value is exactly right.
    """

    profile: str
    link: str
    readings: dict[str, float]
    checked: bool = True
    address: int | None = 7


TRANSPORTS = {
    "Modbus TCP": Transport(
        "honeywell_midas", "modbus-tcp://10.0.0.{n}:502", {"concentration": 3.25, "fault_code": 12}
    ),
    "Modbus RTU, serial": Transport(
        "watlow_ez_zone_pm", "modbus-rtu:///dev/w{n}", {"temperature": 712.5, "heat_power": 31.5}
    ),
    "Modbus RTU over TCP": Transport(
        "bronkhorst_el_flow", "modbus-rtu://10.0.1.{n}:4001", {"flow": 123.5, "temperature": 24.5}
    ),
    "MKS, serial": Transport("mks_937b", "serial:///dev/m{n}", {"pressure_1": 0.76, "pressure_2": 54.0}, checked=False),
    "lines, TCP": Transport("vat_65", "tcp://10.0.2.{n}:4002", {"position": 42.0, "pressure": 33.0}, checked=False),
    "lines, serial": Transport("tdk_genesys", "serial:///dev/t{n}", {"voltage": 12.5, "current": 6.25}, checked=False),
    "bytes in lines, serial": Transport(
        "kuhne_kusg245", "serial:///dev/k{n}", {"reflected_power": 17, "temperature": 31}, checked=False, address=None
    ),
    "AE Bus": Transport("ae_rf", "serial:///dev/a{n}", {"reflected_power": 14, "rf_on": 0}),
    "Pfeiffer": Transport("pfeiffer_tc400", "serial:///dev/p{n}", {"current": 1.23, "electronics_temperature": 41}),
    "SQM-160": Transport(
        "inficon_sqm160", "serial:///dev/s{n}", {"rate": 0.025, "frequency_1": 5875830.0}, address=None
    ),
    "T&C": Transport("tnc_match", "serial:///dev/c{n}", {"temperature": 33.5, "tune_capacitor": 61.5}),
    "VISA, socket": Transport(
        "vat_65", "visa://TCPIP::10.0.3.{n}::4002::SOCKET", {"position": 42.0, "pressure": 33.0}, checked=False
    ),
    "VISA, GPIB as serial": Transport(
        "tdk_genesys", "visa://GPIB0::{n}::INSTR", {"voltage": 12.5, "current": 6.25}, checked=False
    ),
    "CANopen": Transport("cia404_transducer", "can://can{n}", {"value": 101325.0, "output": 0.0}),
}
GONE = {Kind.SILENT, Kind.HANG, Kind.SHORT, Kind.BUS_OFF}
"""While these last no Good value may come any more."""


def impossible(transport: Transport, kind: Kind) -> str:
    """Why this kind of wire cannot have a row of the matrix; empty: it can."""
    if kind is Kind.BUS_OFF and not transport.link.startswith("can:"):
        return "only a CAN controller leaves its bus"
    if kind is Kind.WRONG_ADDRESS and transport.profile == "kuhne_kusg245":
        return "one byte without an address or a check sum cannot show whose it is"
    return ""


def unseen(transport: Transport, kind: Kind) -> str:
    """Why a wrong value could not be noticed by anybody, so that values are not judged; empty: they are."""
    if kind is not Kind.GARBAGE_INSIDE:
        return ""
    if transport.link.startswith("modbus-tcp:"):
        return "Modbus TCP leaves check sums to TCP: bytes changed behind them are sound"
    if transport.link.startswith("can:"):
        return "CAN leaves check sums to its controller: bytes changed behind it are sound"
    if transport.profile == "kuhne_kusg245":
        return "a value that is one byte and nothing else, when two changed answers happen to be alike"
    return ""


def kinds(transport: Transport) -> list[Kind]:
    """Rows of the matrix that this kind of wire can have."""
    return [kind for kind in Kind if not impossible(transport, kind)]


def left_behind() -> Counter[str]:
    """What a cell may not leave: open descriptors, threads, and objects of the drivers that are still referred to."""
    gc.collect()
    # A type may have a descriptor where others have the name of their module.
    found = Counter(
        type(one).__qualname__
        for one in gc.get_objects()
        if str(type(one).__module__).startswith(("drivers.", "pyvisa.resources"))
    )
    found["descriptors"] = len(list(Path("/proc/self/fd").iterdir()))
    # Threads of the loop's two pools (anyio's, asyncio's for names of hosts) wait for more work until the loop ends.
    pooled = ("AnyIO worker", "asyncio_")
    found["threads"] = sum(not one.name.startswith(pooled) for one in threading.enumerate())
    return found


@dataclass
class Sink:
    """What the drivers posted, by tag."""

    posts: dict[int, list[tuple[float, float, int]]] = field(default_factory=dict)
    """(clock, value, status)."""
    posted: anyio.Event = field(default_factory=anyio.Event)

    async def next_post(self) -> None:
        """Wait until something more is posted."""
        await self.posted.wait()

    def post_many(self, tags, values, status, source_ns) -> None:
        now_s = anyio.current_time()
        for tag, value, code in zip(
            tags.tolist(), np.asarray(values).tolist(), np.asarray(status).tolist(), strict=True
        ):
            self.posts.setdefault(tag, []).append((now_s, value, code))
        self.posted.set()
        self.posted = anyio.Event()

    def is_bad(self, tag: int) -> bool:
        """Whether the newest post says Bad."""
        posts = self.posts.get(tag)
        return bool(posts and posts[-1][2] >> 31)

    def good_since(self, tag: int, since_s: float) -> list[tuple[float, float]]:
        """Good values posted after a time."""
        return [(at, value) for at, value, code in self.posts.get(tag, []) if at > since_s and not code & GOOD_MASK]


@dataclass
class Cell:
    """One row on one kind of wire."""

    name: str
    transport: Transport
    kind: Kind
    device: str
    profile: Profile
    tags: dict[int, float] = field(default_factory=dict)
    """True value by the tag's index."""
    faults: list[str] = field(default_factory=list)

    async def run(self, rig: Rig, sink: Sink) -> None:
        """Well, failing, well again."""
        began_s = anyio.current_time()
        if not await self._good(sink, began_s):
            self.faults.append("it never came up")
            return
        rig.inject(WireFault(instrument=self.device, fault=self.kind, value=self._value()))
        struck_s = anyio.current_time()
        await anyio.sleep(LASTS_S)
        # A frame of slcan without its end is whole when the next one, a heartbeat, begins: its value is true.
        completed = self.kind is Kind.SHORT and self.transport.link.startswith("can:")
        if self.kind in GONE and not completed:
            settled_s = struck_s + LASTS_S * 0.6
            late = [at - struck_s for tag in self.tags for at, _ in sink.good_since(tag, settled_s)]
            # One with a heartbeat in its registers goes on answering until its driver notices that nothing changes.
            heartbeat = self.profile.heartbeat
            if heartbeat is not None and self.kind is Kind.HANG:
                await self._bad(sink, struck_s, heartbeat.within_s + LATE_BY_S)
            elif late:
                self.faults.append(f"Good values came {late} s after {self.kind}")
        rig.clear(self.device)
        if not await self._good(sink, anyio.current_time()):
            self.faults.append("it did not recover")

    def judge(self, sink: Sink) -> None:
        """No wrong value may ever have been Good."""
        points = self.profile.by_name
        if unseen(self.transport, self.kind):
            return
        for (tag, truth), name in zip(self.tags.items(), self.transport.readings, strict=True):
            plausible = points[name].plausible
            for at, value in sink.good_since(tag, 0.0):
                allowed = 1e-5 * abs(truth) + 1e-6
                if not self.transport.checked and plausible is not None:
                    allowed = max(plausible.step or 0.0, abs(truth) * ((plausible.factor or 1.0) - 1.0), allowed)
                if abs(value - truth) > allowed:
                    self.faults.append(f"{name} was Good at {value:g}, but read {truth:g} (at {at:.2f})")

    def _value(self) -> float | None:
        return {Kind.SLOW: 0.03, Kind.LATE: 0.8, Kind.REBOOT: 0.3}.get(self.kind)

    async def _bad(self, sink: Sink, struck_s: float, within_s: float) -> None:
        """Its driver has to notice that nothing changes any more, and say so of every tag."""
        with anyio.move_on_at(struck_s + within_s) as waited:
            while not all(sink.is_bad(tag) for tag in self.tags):
                await sink.next_post()
        if waited.cancelled_caught:
            self.faults.append(f"its tags are not Bad {within_s:g} s after {self.kind}")

    async def _good(self, sink: Sink, since_s: float) -> bool:
        with anyio.move_on_after(WITHIN_S):
            while not all(sink.good_since(tag, since_s) for tag in self.tags):
                await sink.next_post()
            return True
        return False


def cells(names: list[str]) -> list[Cell]:
    """Every row of these kinds of wires."""
    made: list[Cell] = []
    for name in names:
        for kind in kinds(TRANSPORTS[name]):
            profile = find_profile(TRANSPORTS[name].profile)
            made.append(Cell(f"{name} × {kind}", TRANSPORTS[name], kind, f"d{len(made)}", profile))
    return made


def tool_of(made: list[Cell]) -> Tool:
    """A tool that is nothing but these instruments."""
    devices = tuple(
        Device(
            name=cell.device,
            profile=cell.transport.profile,
            link=cell.transport.link.format(n=n),
            address=cell.transport.address if cell.profile.address is not None else None,
            on_link_loss=LinkLoss.NONE,
        )
        for n, cell in enumerate(made)
    )
    tags = tuple(tag for cell in made for tag in _tags(cell))
    module = Module(name="cells", kind=ModuleKind.METROLOGY, description="Cells of the matrix", tags=tags)
    return minimal_tool().model_copy(update={"modules": (module,), "devices": devices, "plant": None})


def _tags(cell: Cell) -> Iterator[Tag]:
    points = cell.profile.by_name
    for name in cell.transport.readings:
        yield Tag(
            name=f"{cell.device}.{name}", kind=TagKind.INPUT, unit=points[name].unit, description=name, period_s=0.5,
            point=f"{cell.device}.{name}",
        )  # fmt: skip


class Matrix:
    """All cells of some kinds of wires; made before the loop runs, as files are read."""

    def __init__(self, names: list[str], folder: Path, seed: int) -> None:
        self.cells = cells(names)
        self.tool = tool_of(self.cells)
        self.rig = Rig(self.tool, folder, seed=seed)
        layout = Layout(self.tool)
        for cell in self.cells:
            for name, value in cell.transport.readings.items():
                self.rig.instrument(cell.device).show(name, value)
                tag = f"cells.{cell.device}.{name}"
                gain, offset = conversion(layout.declared[tag], cell.profile.by_name[name].unit)
                cell.tags[layout.index[tag]] = value * gain + offset

    async def run(self) -> list[str]:
        """Run the cells side by side; what is wrong, by cell."""
        sink = Sink()
        async with self.rig.running():
            ends = self.rig.endpoints()
            wired = self.tool.model_copy(
                update={"devices": tuple(one.model_copy(update={"link": ends[one.link]}) for one in self.tool.devices)}
            )
            profiles = {cell.device: cell.profile for cell in self.cells}
            buses = build(Layout(wired), profiles, Surroundings(sink, lambda: True, lambda *_: None))
            async with anyio.create_task_group() as drivers:
                for bus in buses:
                    drivers.start_soon(bus.run)
                async with anyio.create_task_group() as judges:
                    for cell in self.cells:
                        judges.start_soon(cell.run, self.rig, sink)
                drivers.cancel_scope.cancel()
        for cell in self.cells:
            cell.judge(sink)
        return [f"{cell.name}: {fault}" for cell in self.cells for fault in cell.faults]
