"""A small Modbus TCP device on loopback, whose registers, answers and moods a test decides."""

import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import numpy as np
from anyio.abc import SocketAttribute, SocketStream
from numpy.typing import NDArray

from config.profile import Profile
from config.profiles import load_profile
from drivers.binding import Bound, Surroundings
from drivers.bus import Bus
from drivers.codecs import make_codec
from drivers.conversation import StreamConversation
from drivers.device import Device
from drivers.transports.tcp import open_tcp
from tests.config.device_profiles import point, write_profile


@dataclass
class FakeModbus:
    """Registers behind a socket."""

    registers: dict[int, int] = field(default_factory=dict[int, int])
    log: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    """Function, address and count or value of each request."""
    exceptions: dict[int, int] = field(default_factory=dict[int, int])
    """By address: the exception that a request for it gets."""
    silent: bool = False
    dumb_units: set[int] = field(default_factory=set[int])
    """Units behind this gateway that do not answer."""
    connections: int = 0
    before: Callable[[int, int], None] | None = None
    """Called with function and address before a request is answered."""
    answers: Callable[[bytes], list[bytes]] = lambda frame: [frame]
    """What really goes out for an answer."""
    port: int = 0
    streams: list[SocketStream] = field(default_factory=list[SocketStream])

    def set_float(self, address: int, value: float) -> None:
        """A float, high word first."""
        self.registers[address], self.registers[address + 1] = struct.unpack(">HH", struct.pack(">f", value))

    def get_float(self, address: int) -> float:
        """The same back."""
        return struct.unpack(">f", struct.pack(">HH", self.registers[address], self.registers[address + 1]))[0]

    def written(self) -> list[int]:
        """Addresses in the order in which they were written."""
        return [address for function, address, _ in self.log if function in {6, 16}]

    async def serve(self, stream: SocketStream) -> None:
        """One connection."""
        self.connections += 1
        self.streams.append(stream)
        async with stream:
            buffer = b""
            while True:
                try:
                    buffer += await stream.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                    return
                while len(buffer) >= 12 and len(buffer) >= 6 + int.from_bytes(buffer[4:6]):
                    length = 6 + int.from_bytes(buffer[4:6])
                    frame, buffer = buffer[:length], buffer[length:]
                    answer = self._answer(frame)
                    if not self.silent and frame[6] not in self.dumb_units:
                        for part in self.answers(answer):
                            await stream.send(part)

    def _answer(self, frame: bytes) -> bytes:
        transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", frame[:12])
        self.log.append((function, address, count))
        if self.before is not None:
            self.before(function, address)
        code = self.exceptions.get(address)
        if code is not None:
            pdu = bytes([function | 0x80, code])
        elif function == 6:
            self.registers[address] = count
            pdu = frame[7:12]
        elif function == 16:
            for n in range(count):
                self.registers[address + n] = struct.unpack_from(">H", frame, 13 + 2 * n)[0]
            pdu = frame[7:12]
        else:
            values = [self.registers.get(address + n, 0) for n in range(count)]
            pdu = bytes([function, 2 * count]) + struct.pack(f">{count}H", *values)
        return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


@dataclass
class Posted:
    """What arrived in the input table."""

    newest: dict[int, tuple[float, int]] = field(default_factory=dict[int, tuple[float, int]])
    all: list[tuple[int, float, int]] = field(default_factory=list[tuple[int, float, int]])

    def post_many(
        self,
        tags: NDArray[np.int32],
        values: NDArray[np.float64],
        status: NDArray[np.uint32],
        source_ns: NDArray[np.int64],
    ) -> None:
        """Take postings as a scan does."""
        assert len(tags) == len(values) == len(status) == len(source_ns)
        for tag, value, code, source in zip(tags, values, status, source_ns, strict=True):
            assert source > 0
            self.newest[int(tag)] = (float(value), int(code))
            self.all.append((int(tag), float(value), int(code)))

    def good(self, tag: int, value: float) -> bool:
        """Whether the newest posting is this value, Good."""
        return self.newest.get(tag) == (value, 0)

    def bad(self, tag: int) -> bool:
        """Whether the newest posting is Bad."""
        return tag in self.newest and self.newest[tag][1] >= 0x80000000


@dataclass
class Stand:
    """A device, its driver and what came of it."""

    fake: FakeModbus
    device: Device
    bus: Bus
    posted: Posted
    told: list[tuple[str, str, str]]
    mood: dict[str, bool]

    def heard(self, what: str) -> list[str]:
        """What people were told of one kind."""
        return [text for kind, _, text in self.told if kind == what]


async def until(reached: Callable[[], object], within_s: float = 8.0) -> None:
    """Wait for something that the driver brings about."""
    with anyio.fail_after(within_s):
        while not reached():  # noqa: ASYNC110 - what is awaited has no event of its own
            await anyio.sleep(0.002)


PV, SP, STATUS, MS = 0, 10, 200, 9000
TAG_PV, TAG_STATUS, TAG_ARMED, TAG_CONNECTED = 1, 2, 3, 4
OUT_SP = 5


def furnace_profile(folder: Path, *, action: str | None = "zero", more: str = "", sp_extra: str = "") -> Profile:
    """A controller with a temperature, a set point and a status word; armed by register 9000."""
    points = [
        point("pv", PV, unit="°C", low=-50, high=1500, access="r"),
        point(
            "sp",
            SP,
            unit="°C",
            low=0,
            high=1200,
            extra='poll = "fast"\nread_back = { tolerance = 0.1, within_s = 0.3 }\n' + sp_extra,
        ),
        point("status", STATUS, type="u16", low=0, high=65535, access="r"),
        more,
    ]
    return load_profile(write_profile(folder, "controller", points, action=action))


@asynccontextmanager
async def running(make: Callable[[], Profile], **mood: object) -> AsyncIterator[Stand]:
    """Run a bus against a fake device until the block ends; the profile is made in a thread, as files are read."""
    profile = await anyio.to_thread.run_sync(make)
    fake, posted, told = FakeModbus(), Posted(), list[tuple[str, str, str]]()
    fake.set_float(PV, 700.0)
    fake.set_float(SP, 20.0)
    for name, value in mood.items():
        setattr(fake, name, value)
    health = {"healthy": True}
    around = Surroundings(posted, lambda: health["healthy"], lambda *what: told.append(what))
    device = Device(
        "tc",
        profile,
        make_codec(profile, "modbus-tcp", 1),
        [Bound("pv", TAG_PV), Bound("status", TAG_STATUS)],
        [Bound("sp", OUT_SP, safe=0.0, hazardous=True)],
        [Bound("armed", TAG_ARMED), Bound("connected", TAG_CONNECTED)],
        around,
    )
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    fake.port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio, no Django
    bus = Bus("test", StreamConversation(lambda: open_tcp("127.0.0.1", fake.port)), [device])
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, fake.serve)
        group.start_soon(bus.run)
        yield Stand(fake, device, bus, posted, told, health)
        group.cancel_scope.cancel()
