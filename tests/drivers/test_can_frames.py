"""SDO transfers and the frames of CAN adapters, by bytes out of CiA 301 and of the CAN232 manual, and by noise."""

import socket
import struct
from random import Random
from typing import Any, cast

import anyio
import pytest

from drivers.codecs import sdo
from drivers.errors import BadFrame, DeviceRefused, LinkError
from drivers.transports.can_wire import BUS_OFF, ERR, FRAME, SENDS_REFUSED, SlcanWire, SocketCanWire


class Line:
    """A serial line whose other side is the test."""

    can_settle = True

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.sent = list(pieces), b""

    async def send(self, data: bytes) -> None:
        self.sent += data

    async def receive(self) -> bytes:
        return self.pieces.pop(0)

    def pending(self) -> bytes:
        data, self.pieces = b"".join(self.pieces), []
        return data

    async def aclose(self) -> None:
        self.pieces = []


def test_a_text_comes_in_segments_with_a_toggle_bit() -> None:
    """Manufacturer device name (1008h) of twelve characters: an initiate answer with the size, then two segments."""
    upload = sdo.Upload(0x1008, 0)
    assert upload.request() == bytes.fromhex("40 08 10 00 00 00 00 00")
    assert not upload.take(bytes.fromhex("41 08 10 00 0C 00 00 00"))
    assert upload.request() == bytes.fromhex("60 00 00 00 00 00 00 00")
    assert not upload.take(b"\x00Transdu")
    assert upload.request() == bytes.fromhex("70 00 00 00 00 00 00 00")
    assert upload.take(b"\x15cer 1\0\0")
    assert bytes(upload.data) == b"Transducer 1"


def test_a_segment_that_comes_twice_is_refused() -> None:
    upload = sdo.Upload(0x1008, 0)
    upload.take(bytes.fromhex("41 08 10 00 0C 00 00 00"))
    upload.take(b"\x00Transdu")
    with pytest.raises(BadFrame):
        upload.take(b"\x00Transdu")


def test_an_abort_of_this_transfer_is_a_refusal_and_of_another_one_is_not() -> None:
    with pytest.raises(DeviceRefused, match="no such object"):
        sdo.Upload(0x2000, 1).take(bytes.fromhex("80 00 20 01 00 00 02 06"))
    with pytest.raises(BadFrame):
        sdo.Upload(0x2000, 2).take(bytes.fromhex("80 00 20 01 00 00 02 06"))


def test_a_server_that_never_ends_is_refused() -> None:
    upload = sdo.Upload(0x1008, 0)
    upload.take(bytes.fromhex("41 08 10 00 00 00 00 00"))
    segments = (bytes([n % 2 << 4]) + b"endless" for n in range(10_000))
    with pytest.raises(BadFrame, match="more than"):
        any(map(upload.take, segments))


def test_any_eight_bytes_are_an_answer_a_refusal_or_a_bad_frame() -> None:
    """An expedited value is taken only from a frame that names the object and says how long it is."""
    rng, values = Random(7), 0
    for _ in range(20_000):
        upload = sdo.Upload(0x6130, 1)
        frame = bytearray(struct.pack("<BHB", 0x43, 0x6130, 1) + rng.randbytes(4))
        for _ in range(rng.randrange(3)):
            frame[rng.randrange(8)] = rng.randrange(256)
        del frame[8 - (rng.random() < 0.1) :]
        try:
            over = upload.take(bytes(frame))
        except (BadFrame, DeviceRefused):
            continue
        if over:
            values += 1
            size = 4 - (frame[0] >> 2 & 3) if frame[0] & 1 else 4
            assert frame[0] >> 5 == 2
            assert bytes(upload.data) == bytes(frame[4 : 4 + size])
    assert values > 5000


@pytest.mark.anyio
async def test_an_adapters_lines_are_frames_only_when_they_are_whole() -> None:
    line: Any = Line(b"t58", b"58430010", b"0094010200\r", b"\x9ct5855AA\r", b"t1852BEEF12AB\rz\rt7051", b"05\r")
    wire = SlcanWire(line)
    got = []
    while line.pieces:
        await wire.wait()
        got += wire.pending()
    assert [(frame.identifier, frame.data.hex()) for frame in got] == [
        (0x585, "4300100094010200"), (0x185, "beef"), (0x705, "05"),
    ]  # fmt: skip
    assert wire.dropped == 1
    await wire.send(0x605, bytes.fromhex("4000100000000000"))
    assert line.sent == b"t60584000100000000000\r"


@pytest.mark.anyio
async def test_an_adapter_that_refuses_frame_after_frame_is_off_the_bus() -> None:
    wire = SlcanWire(cast("Any", Line(b"\a" * (SENDS_REFUSED - 1))))
    assert wire.pending() == []
    wire = SlcanWire(cast("Any", Line(b"\a" * SENDS_REFUSED)))
    with pytest.raises(LinkError, match="bus is off"):
        wire.pending()


@pytest.mark.anyio
async def test_frames_of_the_kernel_and_its_word_that_the_bus_is_off() -> None:
    """A pair of datagram sockets in the place of a CAN interface: one frame is one datagram there too."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    wire = SocketCanWire(ours)
    with theirs:
        await wire.send(0x605, b"\x40\x00\x10\x00")
        assert FRAME.unpack(theirs.recv(64)) == (0x605, 4, b"\x40\x00\x10\x00\0\0\0\0")
        theirs.send(FRAME.pack(0x185, 2, b"\xbe\xef"))
        theirs.send(FRAME.pack(0x80000123, 1, b"\1"))  # an extended identifier is nobody's here
        with anyio.fail_after(5):
            await wire.wait()
        assert [(frame.identifier, frame.data) for frame in wire.pending()] == [(0x185, b"\xbe\xef")]
        theirs.send(FRAME.pack(ERR | BUS_OFF, 8, b""))
        with anyio.fail_after(5):
            await wire.wait()
        with pytest.raises(LinkError, match="bus is off"):
            wire.pending()
    await wire.aclose()
