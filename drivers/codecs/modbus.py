"""Modbus over TCP and serial lines.

Source: Modbus Application Protocol V1.1b3 (functions, exceptions), Modbus over Serial Line V1.02 (RTU frame, CRC),
Modbus Messaging on TCP/IP Implementation Guide V1.0b (MBAP header). Why frames are made here and not by a library:
docs/decisions/0010-modbus-frames.md.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from config.profile import Point, Profile, ValueType
from config.wire import ModbusSettings, ModbusWire
from drivers.codecs.exchange import Fetch, PlainCodec, Raw, Store
from drivers.errors import BadFrame, DeviceRefused, Refusal

READ = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
EXCEPTIONS: dict[int, tuple[Refusal, str]] = {
    1: ("configuration", "illegal function"),
    2: ("configuration", "illegal data address"),
    3: ("configuration", "illegal data value"),
    4: ("bad", "server device failure"),
    5: ("busy", "acknowledged, still working"),
    6: ("busy", "server device busy"),
    8: ("bad", "memory parity error"),
    10: ("configuration", "gateway path unavailable"),
    11: ("bad", "the device behind the gateway does not answer"),
}
MBAP = 7
"""Bytes before the function code on TCP."""
_CODES = {ValueType.U16: "H", ValueType.I16: "h", ValueType.U32: "I", ValueType.I32: "i", ValueType.F32: "f"}
_WIDTH = {ValueType.U16: 1, ValueType.I16: 1, ValueType.U32: 2, ValueType.I32: 2, ValueType.F32: 2}


def _crc_table() -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC = _crc_table()


def crc16(data: bytes) -> bytes:
    """CRC of the serial line, low byte first (Serial Line V1.02, 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


@dataclass(frozen=True)
class Span:
    """Neighbouring registers or bits that one request reads.

    Attributes:
        function: 1 … 4.
        address: first of them.
        count: registers, or bits.
        unpack: how the data bytes become numbers, where there are registers without text.
        order: the data bytes in the order that `unpack` wants; none when they come so.
    """

    function: int
    address: int
    count: int
    unpack: struct.Struct | None = None
    order: tuple[int, ...] | None = None


class ModbusCodec(PlainCodec):
    """One device, as its unit on a serial line or behind a socket."""

    def __init__(self, profile: Profile, unit: int, *, tcp: bool) -> None:
        self._settings = profile.modbus or ModbusSettings()
        self._unit = unit
        self._tcp = tcp
        self._transaction = 0

    # --------------------------------------------------------------------------------------------------- reading
    def plan(self, points: Sequence[Point]) -> tuple[Fetch, ...]:
        """Read neighbours in one request where the profile allows it."""
        ordered = sorted(points, key=lambda point: (_wire(point).table, _wire(point).address))
        fetches: list[Fetch] = []
        together: list[Point] = []
        for point in ordered:
            if together and not self._fits(together, point):
                fetches.append(self._span(together))
                together = []
            together.append(point)
        if together:
            fetches.append(self._span(together))
        return tuple(fetches)

    def _fits(self, together: Sequence[Point], point: Point) -> bool:
        gap = self._settings.merge_gap
        first, last, wire = _wire(together[0]), together[-1], _wire(point)
        if gap is None or first.table != wire.table or ValueType.TEXT in {point.type, last.type}:
            return False
        end = max(_wire(member).address + _length(member) for member in together)
        most = self._settings.most * (16 if wire.table in {"coil", "discrete"} else 1)
        return wire.address <= end + gap and wire.address + _length(point) - first.address <= most

    def _span(self, points: Sequence[Point]) -> Fetch:
        wire = _wire(points[0])
        end = max(_wire(point).address + _length(point) for point in points)
        function, count = READ[wire.table], end - wire.address
        if function <= 2 or points[0].type is ValueType.TEXT:
            return Fetch(tuple(points), Span(function, wire.address, count))
        codes, order = ">", list[int]()
        for point in points:
            own = _wire(point)
            at = (own.address - wire.address) * 2
            words = list(range(_WIDTH[point.type]))
            if (own.word_order or self._settings.word_order) == "low":
                words.reverse()
            codes += _CODES[point.type]
            order += [at + 2 * word + byte for word in words for byte in (0, 1)]
        straight = order == list(range(count * 2))
        return Fetch(
            tuple(points),
            Span(function, wire.address, count, struct.Struct(codes), None if straight else tuple(order)),
        )

    def ask(self, fetch: Fetch) -> bytes:
        """A read request."""
        span: Span = fetch.key
        return self._frame(struct.pack(">BHH", span.function, span.address, span.count))

    def read(self, fetch: Fetch, frame: bytes) -> Sequence[Raw]:
        """Values of a read answer, whose length must be exactly the one asked for."""
        span: Span = fetch.key
        pdu = self._pdu(frame, span.function)
        expected = (span.count + 7) // 8 if span.function <= 2 else span.count * 2
        if len(pdu) != 2 + expected or pdu[1] != expected:
            raise BadFrame(f"{expected} bytes were asked for, {len(pdu) - 2} came")
        data = pdu[2:]
        if span.function <= 2:
            offsets = [_wire(point).address - span.address for point in fetch.points]
            return [float(data[offset >> 3] >> (offset & 7) & 1) for offset in offsets]
        if span.unpack is None:
            return [_text(data)]
        if span.order is not None:
            data = bytes([data[index] for index in span.order])
        return span.unpack.unpack(data)

    # --------------------------------------------------------------------------------------------------- writing
    def tell(self, store: Store) -> bytes:
        """A write request."""
        return self._frame(self._write(store))

    def _write(self, store: Store) -> bytes:
        point, wire = store.point, _wire(store.point)
        value = float(store.raw)
        if point.type is ValueType.BOOL:
            if wire.write_function == 15:
                return struct.pack(">BHHBB", 15, wire.address, 1, 1, int(value != 0))
            return struct.pack(">BHH", 5, wire.address, 0xFF00 if value else 0)
        number = value if point.type is ValueType.F32 else round(value)
        data = struct.pack(">" + _CODES[point.type], number)
        if len(data) == 4 and (wire.word_order or self._settings.word_order) == "low":
            data = data[2:] + data[:2]
        if len(data) == 2 and wire.write_function in {None, 6}:
            return struct.pack(">BH", 6, wire.address) + data
        return struct.pack(">BHHB", 16, wire.address, len(data) // 2, len(data)) + data

    def wrote(self, store: Store, frame: bytes) -> None:
        """The answer to a write repeats its first five bytes."""
        sent = self._write(store)
        pdu = self._pdu(frame, sent[0])
        if pdu != sent[:5]:
            raise BadFrame(f"the answer {pdu.hex(' ')} does not repeat the request {sent[:5].hex(' ')}")

    # --------------------------------------------------------------------------------------------------- framing
    def _frame(self, pdu: bytes) -> bytes:
        if not self._tcp:
            frame = bytes([self._unit]) + pdu
            return frame + crc16(frame)
        self._transaction = self._transaction % 0xFFFF + 1
        return struct.pack(">HHHB", self._transaction, 0, len(pdu) + 1, self._unit) + pdu

    def cut(self, buffer: bytes, request: Fetch | Store) -> int:
        """Length from the header on TCP, from function and byte count on a serial line."""
        if self._tcp:
            return self._cut_tcp(buffer)
        if len(buffer) < 2:
            return 0
        function = request.key.function if isinstance(request, Fetch) else self._write(request)[0]
        if buffer[0] != self._unit:
            raise BadFrame(f"unit {buffer[0]} answers instead of {self._unit}")
        if buffer[1] == function | 0x80:
            length = 5
        elif buffer[1] != function:
            raise BadFrame(f"function {buffer[1]} is answered instead of {function}")
        elif function > 4:
            length = 8
        elif len(buffer) < 3:
            return 0
        else:
            length = 5 + buffer[2]
        return length if len(buffer) >= length else 0

    def _cut_tcp(self, buffer: bytes) -> int:
        if len(buffer) < MBAP:
            return 0
        transaction, protocol, length = struct.unpack_from(">HHH", buffer)
        if protocol or not 3 <= length <= 254:
            raise BadFrame(f"no Modbus header: {buffer[:MBAP].hex(' ')}")
        if transaction != self._transaction:
            raise BadFrame(f"answer to request {transaction}, {self._transaction} was asked")
        return 6 + length if len(buffer) >= 6 + length else 0

    def _pdu(self, frame: bytes, function: int) -> bytes:
        """Take the frame off, and exceptions with it."""
        if self._tcp:
            if len(frame) < MBAP + 2 or int.from_bytes(frame[4:6]) != len(frame) - 6:
                raise BadFrame(f"no Modbus frame: {frame.hex(' ')}")
            transaction, protocol = struct.unpack_from(">HH", frame)
            if protocol or transaction != self._transaction:
                raise BadFrame(f"answer to request {transaction}, {self._transaction} was asked")
            unit, pdu = frame[6], frame[7:]
        else:
            if len(frame) < 5 or crc16(frame[:-2]) != frame[-2:]:
                raise BadFrame(f"the check sum of {frame.hex(' ')} is wrong")
            unit, pdu = frame[0], frame[1:-2]
        if unit != self._unit:
            raise BadFrame(f"unit {unit} answers instead of {self._unit}")
        if pdu[0] == function | 0x80 and len(pdu) == 2:
            kind, text = EXCEPTIONS.get(pdu[1], ("bad", "unknown exception"))
            raise DeviceRefused(kind, f"Modbus exception {pdu[1]}: {text}")
        if pdu[0] != function:
            raise BadFrame(f"function {pdu[0]} is answered instead of {function}")
        return pdu


def _wire(point: Point) -> ModbusWire:
    assert point.modbus is not None  # noqa: S101 - config.checks.profile
    return point.modbus


def _length(point: Point) -> int:
    return _wire(point).registers or _WIDTH.get(point.type, 1)


def _text(data: bytes) -> str:
    """Text ends at the first NUL; what is not printable is no text."""
    text = data.split(b"\0", 1)[0]
    if any(not 0x20 <= byte < 0x7F for byte in text):
        raise BadFrame(f"no text: {data.hex(' ')}")
    return text.decode("ascii").strip()
