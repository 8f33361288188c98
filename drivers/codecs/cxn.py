"""Protocol of T&C Power Conversion's generators and matching networks.

`C`, address, command word, two parameter words, sum of all bytes; acknowledged by `*` (or `?`); a query is then
answered by `R`, address, length, data, sum. Words are big-endian. Source: published driver
pymeasure.instruments.tcpowerconversion.CXN 0.16 (MIT), whose facts were compared with the transcripts of its tests.
"""

import struct
from collections.abc import Sequence

from config.profile import Point, ValueType
from config.wire import CxnWire
from drivers.codecs.exchange import Fetch, PlainCodec, Raw, Store, by_key
from drivers.codecs.text import shown
from drivers.errors import BadFrame, DeviceRefused

ACK, NAK, REPLY = b"*", b"?", 0x52
HEAD = 4
"""`R`, address, length."""
CODES = {ValueType.U8: ">B", ValueType.I8: ">b", ValueType.U16: ">H", ValueType.I16: ">h", ValueType.U32: ">I"}
CODES[ValueType.I32] = ">i"


class CxnCodec(PlainCodec):
    """One generator; it ignores the address and repeats its own."""

    def __init__(self, address: int) -> None:
        self._address = address

    def plan(self, points: Sequence[Point]) -> tuple[Fetch, ...]:
        """Points of one reply share it."""
        return by_key(points, lambda point: (_wire(point).read, _wire(point).length))

    def ask(self, fetch: Fetch) -> bytes:
        """A query; its parameters are 0."""
        return self._command(fetch.key[0], 0)

    def read(self, fetch: Fetch, frame: bytes) -> Sequence[Raw]:
        """Values of a reply."""
        data = self._data(frame)
        if len(data) != fetch.key[1]:
            raise BadFrame(f"{fetch.key[1]} bytes were expected, {len(data)} came")
        return [_value(point, data) for point in fetch.points]

    def tell(self, store: Store) -> bytes:
        """A command with the value as its first parameter."""
        return self._command(_wire(store.point).write or 0, round(float(store.raw)))

    def wrote(self, store: Store, frame: bytes) -> None:
        """Acknowledged, and granted where that is said."""
        if not _wire(store.point).granted:
            if frame != ACK:
                raise BadFrame(f"{shown(frame)} is no acknowledgement")
            return
        data = self._data(frame)
        if data != struct.pack(">H", int(float(store.raw) != 0)):
            raise DeviceRefused("bad", f"{store.point.name} was not granted ({data.hex(' ')})")

    def cut(self, buffer: bytes, request: Fetch | Store) -> int:
        """One character, or that and a reply whose length stands in its head."""
        if buffer[:1] == NAK:
            raise DeviceRefused("configuration", "the command was not recognised ('?')")
        if buffer and buffer[:1] != ACK:
            raise BadFrame(f"{shown(buffer)} does not begin with '*'")
        if isinstance(request, Store) and not _wire(request.point).granted:
            return len(buffer[:1])
        if len(buffer) > 1 and buffer[1] != REPLY:
            raise BadFrame(f"{shown(buffer)} holds no reply")
        if len(buffer) < 1 + HEAD:
            return 0
        total = 1 + HEAD + int.from_bytes(buffer[3:5]) + 2
        if total > 128:
            raise BadFrame(f"a reply of {total} bytes is announced")
        return total if len(buffer) >= total else 0

    def _command(self, number: int, parameter: int) -> bytes:
        body = struct.pack(">BBHHH", 0x43, self._address, number, parameter & 0xFFFF, 0)
        return body + struct.pack(">H", sum(body) & 0xFFFF)

    def _data(self, frame: bytes) -> bytes:
        if len(frame) < 1 + HEAD + 2 or frame[:2] != b"*R" or int.from_bytes(frame[3:5]) != len(frame) - 7:
            raise BadFrame(f"{shown(frame)} is no reply")
        if frame[2] != self._address:
            raise BadFrame(f"device {frame[2]} answers instead of {self._address}")
        if sum(frame[1:-2]) & 0xFFFF != int.from_bytes(frame[-2:]):
            raise BadFrame(f"the check sum of {shown(frame)} is wrong")
        return frame[5:-2]


def _value(point: Point, data: bytes) -> float:
    at, form = _wire(point).at, CODES[point.type]
    if at + struct.calcsize(form) > len(data):
        raise BadFrame(f"{shown(data)} is too short for {point.name}")
    return float(struct.unpack_from(form, data, at)[0])


def _wire(point: Point) -> CxnWire:
    wire = point.cxn
    assert wire is not None  # noqa: S101 - config.checks.profile
    return wire
