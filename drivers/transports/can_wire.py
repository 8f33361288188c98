"""Frames on a CAN bus without a thread: a SocketCAN interface of the kernel, or an adapter with slcan on a serial port.

slcan is the protocol of LAWICEL's CAN232 and CANUSB (their manuals): `tIIILDD…` and CR is a frame, `S6` the bit rate,
`O` and `C` open and close the channel; BEL refuses. It has no check sum: a line that is not exactly a frame is dropped.
"""

import os
import re
import socket
import struct
import time
from dataclasses import dataclass
from typing import Protocol

import anyio

from config.wire import SerialSettings
from drivers.errors import LinkError
from drivers.link import Link
from drivers.transports.serial_port import SerialStream, open_serial

EFF, RTR, ERR = 0x80000000, 0x40000000, 0x20000000
CAN_RAW_ERR_FILTER = 2  # linux/can/raw.h
BUS_OFF = 0x40
"""Of an error frame's identifier (linux/can/error.h: CAN_ERR_BUSOFF)."""
FRAME = struct.Struct("=IB3x8s")  # linux/can.h: struct can_frame
RATES = {10_000: 0, 20_000: 1, 50_000: 2, 100_000: 3, 125_000: 4, 250_000: 5, 500_000: 6, 800_000: 7, 1_000_000: 8}
"""Bit rates by the number behind `S`."""
LINE = re.compile(rb"t([0-9A-Fa-f]{3})([0-8])((?:[0-9A-Fa-f]{2})*)")
STAMP = 4
"""Digits of a time stamp behind the data, where the adapter was set to give one."""
REFUSED = b"\a"
LONGEST = 64
ADAPTER_S = 1.0
"""An adapter takes a command within this."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A data frame with an identifier of eleven bits.

    Attributes:
        identifier: 0 … 7FFh.
        data: up to eight bytes.
        at_s: when it was taken from the wire (`time.monotonic`).
    """

    identifier: int
    data: bytes
    at_s: float


class CanWire(Protocol):
    """An open bus."""

    async def send(self, identifier: int, data: bytes) -> None:
        """Send a frame; raises LinkError."""
        ...

    def pending(self) -> list[Frame]:
        """Take the frames that have come already; raises LinkError."""
        ...

    async def wait(self) -> None:
        """Wait until something has come; may be cancelled at any time."""
        ...

    @property
    def descriptor(self) -> int:
        """For somebody who talks on the bus alone for a while."""
        ...

    async def aclose(self) -> None:
        """Close; again does nothing."""
        ...


async def open_can(link: Link, bitrate: int) -> CanWire:
    """Open `can://can0` (SocketCAN) or `can:///dev/ttyACM0` (slcan).

    Raises:
        LinkError: it is not there, or does not know the bit rate.
    """
    adapter = adapter_of(link)
    bitrate = int(link.options.get("bitrate", bitrate))
    if adapter == "socketcan":
        return await anyio.to_thread.run_sync(_socket_can, link.path)
    if adapter != "slcan":
        raise LinkError(
            f"there is no CAN interface '{adapter}': use slcan, or socketcan with the kernel's driver for it"
        )
    if bitrate not in RATES:
        raise LinkError(f"slcan knows no {bitrate} bit/s, but {', '.join(map(str, RATES))}")
    stream = await open_serial(link.path, SerialSettings(baud=int(link.options.get("tty_baudrate", 115_200))))
    wire = SlcanWire(stream)
    try:
        await anyio.sleep(float(link.options.get("sleep_after_open", 0)))
        for command in (b"\r", b"C", b"S%d" % RATES[bitrate], b"O"):  # the CR ends what was left of a line
            await wire.tell(command)
    except BaseException:
        await wire.aclose()
        raise
    return wire


def adapter_of(link: Link) -> str:
    """What is between this computer and the bus."""
    return link.options.get("interface", "slcan" if link.path.startswith("/") else "socketcan")


def framed(link: Link, identifier: int, data: bytes) -> bytes:
    """A frame as it is written to the link's descriptor, and read from it but for an slcan's final CR."""
    if adapter_of(link) == "socketcan":
        return FRAME.pack(identifier, len(data), data)
    return b"t%03X%d%s\r" % (identifier, len(data), data.hex().upper().encode())


class SlcanWire:
    """An adapter on a serial port."""

    def __init__(self, stream: SerialStream) -> None:
        self._stream = stream
        self._rest = b""
        self.dropped = 0
        """Lines that were no frames."""
        self._refused = 0

    async def tell(self, command: bytes) -> None:
        """Set the adapter up; raises LinkError."""
        with anyio.move_on_after(ADAPTER_S) as waiting:
            await self._stream.send(command + b"\r")
        if waiting.cancelled_caught:
            raise LinkError("the CAN adapter takes no command")

    async def send(self, identifier: int, data: bytes) -> None:
        """Send a frame."""
        await self.tell(b"t%03X%d%s" % (identifier, len(data), data.hex().upper().encode()))

    def pending(self) -> list[Frame]:
        """Take what has come."""
        now_s = time.monotonic()
        *lines, self._rest = (self._rest + self._stream.pending()).replace(REFUSED, b"\a\r").split(b"\r")
        if len(self._rest) > LONGEST:
            self._rest = b""
        return [frame for line in lines if line and (frame := self._frame(line, now_s)) is not None]

    def _frame(self, line: bytes, now_s: float) -> Frame | None:
        if line == REFUSED:
            self._refused += 1
            if self._refused >= SENDS_REFUSED:
                raise LinkError("the CAN adapter refuses to send: its bus is off, or its channel is shut")
            return None
        found = LINE.match(line)
        size = int(found[2]) if found is not None else 0
        if found is None or len(line) - found.start(3) not in {2 * size, 2 * size + STAMP}:
            self.dropped += line[:1] not in {b"z", b"Z"}  # they confirm a frame that was sent
            return None
        self._refused = 0
        return Frame(int(found[1], 16), bytes.fromhex(found[3][: 2 * size].decode()), now_s)

    async def wait(self) -> None:
        """Wait for a byte."""
        self._rest += await self._stream.receive()

    @property
    def descriptor(self) -> int:
        """Of the serial port."""
        return self._stream.descriptor

    async def aclose(self) -> None:
        """Shut the channel and close the port."""
        with anyio.CancelScope(shield=True):
            try:
                with anyio.move_on_after(ADAPTER_S):
                    await self._stream.send(b"C\r")
            except LinkError:
                pass  # it was pulled out
            await self._stream.aclose()


SENDS_REFUSED = 8
"""Refused frames in a row: the bus is lost; fewer may be commands that an adapter does not know."""


class SocketCanWire:
    """An interface of the kernel."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    @property
    def descriptor(self) -> int:
        """Of the raw socket."""
        return self._socket.fileno()

    async def send(self, identifier: int, data: bytes) -> None:
        """Send a frame."""
        frame = FRAME.pack(identifier, len(data), data)
        while True:
            try:
                self._socket.send(frame)
            except BlockingIOError:
                await anyio.wait_writable(self._socket)
            except OSError as error:
                raise LinkError(f"the CAN bus does not send: {error.strerror}") from error
            else:
                return

    def pending(self) -> list[Frame]:
        """Take what has come."""
        frames: list[Frame] = []
        while True:
            try:
                got = self._socket.recv(FRAME.size)
            except BlockingIOError:
                return frames
            except OSError as error:
                raise LinkError(f"the CAN bus broke: {error.strerror}") from error
            identifier, size, data = FRAME.unpack(got)
            if identifier & ERR:
                if identifier & BUS_OFF:
                    raise LinkError("the CAN bus is off")
            elif not identifier & (EFF | RTR):
                frames.append(Frame(identifier, data[:size], time.monotonic()))

    async def wait(self) -> None:
        """Wait for a frame."""
        try:
            await anyio.wait_readable(self._socket)
        except (anyio.ClosedResourceError, ValueError) as error:
            raise LinkError("the CAN bus was closed") from error

    async def aclose(self) -> None:
        """Close."""
        if self._socket.fileno() >= 0:
            anyio.notify_closing(self._socket)
            self._socket.close()
        await anyio.lowlevel.checkpoint()


def _socket_can(name: str) -> SocketCanWire:
    try:
        sock = socket.socket(socket.AF_CAN, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.CAN_RAW)
    except OSError as error:
        raise LinkError(f"this kernel has no SocketCAN: {error.strerror}") from error
    try:
        sock.setsockopt(socket.SOL_CAN_RAW, CAN_RAW_ERR_FILTER, struct.pack("=I", BUS_OFF))
        sock.bind((name,))
    except OSError as error:
        sock.close()
        raise LinkError(f"the CAN interface {name} cannot be used: {os.strerror(error.errno or 0)}") from error
    return SocketCanWire(sock)
