"""The fault matrix: every way of failing on every kind of wire, drivers on one side, instruments on the other.

A cell is one instrument on a wire of its own. Its readings are judged while it is well, while the fault lasts and after
it: no Good value may differ from what the instrument really read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import numpy as np

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
WITHIN_S = 20.0
LASTS_S = 1.5


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
    "CANopen": Transport("cia404_transducer", "can://can{n}", {"value": 101325.0, "output": 0.0}),
}
GONE = {Kind.SILENT, Kind.HANG, Kind.SHORT, Kind.BUS_OFF}
"""While these last no Good value may come any more."""


def kinds(transport: Transport) -> list[Kind]:
    """Rows of the matrix that this kind of wire can have."""
    can = {Kind.BUS_OFF} if not transport.link.startswith("can:") else set()
    # One byte without an address or a check sum cannot show whose it is: nobody could tell.
    lone = {Kind.WRONG_ADDRESS} if transport.profile == "kuhne_kusg245" else set()
    return [kind for kind in Kind if kind not in can | lone]


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
            slow = self.profile.heartbeat is not None and self.kind is Kind.HANG
            if late and not slow:
                self.faults.append(f"Good values came {late} s after {self.kind}")
        rig.clear(self.device)
        if not await self._good(sink, anyio.current_time()):
            self.faults.append("it did not recover")

    def judge(self, sink: Sink) -> None:
        """No wrong value may ever have been Good."""
        points = self.profile.by_name
        # Modbus TCP leaves check sums to TCP and CAN to its controller: bytes changed behind them cannot be noticed,
        # nor can a value that is one byte and nothing else, when every answer is changed and two happen to be alike.
        blind = self.transport.link.startswith(("modbus-tcp:", "can:")) or self.transport.profile == "kuhne_kusg245"
        if self.kind is Kind.GARBAGE_INSIDE and blind:
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
