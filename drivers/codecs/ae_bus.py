"""AE Bus of Advanced Energy's generators: header, command, data, exclusive or; ACK around each packet.

Header: address × 8 + length, where 7 means that a byte of length follows the command. The device sends ACK, then its
packet; the host answers with ACK. Numbers are little-endian. A command that is not a query is answered by a status byte
(CSR). Source: Advanced Energy, AE Bus protocol, with the printed packet 82 28 B0 01 1B.
"""

from collections.abc import Sequence

from config.profile import Point, ValueType
from config.wire import AeBusWire
from drivers.codecs.exchange import Fetch, PlainCodec, Raw, Store, by_key
from drivers.codecs.text import shown
from drivers.errors import BadFrame, DeviceRefused, Refusal

ACK, NAK = 0x06, 0x15
LONG = 7
"""Length in the header that means that the length follows."""
CSR: dict[int, tuple[Refusal, str]] = {
    1: ("bad", "not in this control mode"),
    2: ("bad", "RF is on"),
    4: ("configuration", "value out of range"),
    7: ("bad", "a fault is active"),
    9: ("configuration", "wrong number of data bytes"),
    99: ("configuration", "unknown command"),
}
SIZES = {ValueType.U8: 1, ValueType.I8: 1, ValueType.U16: 2, ValueType.I16: 2, ValueType.U32: 4, ValueType.I32: 4}
SIGNED = {ValueType.I8, ValueType.I16, ValueType.I32}


def packet(address: int, number: int, data: bytes) -> bytes:
    """Frame a command."""
    short = len(data) < LONG
    head = bytes([address << 3 | (len(data) if short else LONG), number])
    body = head + (b"" if short else bytes([len(data)])) + data
    return body + bytes([_parity(body)])


class AeBusCodec(PlainCodec):
    """One generator on the line."""

    def __init__(self, address: int) -> None:
        self._address = address

    def plan(self, points: Sequence[Point]) -> tuple[Fetch, ...]:
        """Points of one report share it."""
        return by_key(points, lambda point: (_wire(point).read, _wire(point).length))

    def ask(self, fetch: Fetch) -> bytes:
        """A query."""
        return packet(self._address, fetch.key[0], b"")

    def read(self, fetch: Fetch, frame: bytes) -> Sequence[Raw]:
        """Values of a report."""
        number, length = fetch.key
        data = self._data(frame, number)
        if len(data) == 1 and length != 1:
            raise _refused(data[0])
        if len(data) != length:
            raise BadFrame(f"{length} bytes were expected, {len(data)} came")
        return [_value(point, data) for point in fetch.points]

    def tell(self, store: Store) -> bytes:
        """A command, with its data where it has any."""
        wire, point = _wire(store.point), store.point
        if store.state is not None and store.state in wire.writes:
            return packet(self._address, wire.writes[store.state], b"")
        number = round(float(store.raw))
        data = number.to_bytes(SIZES[point.type], "little", signed=point.type in SIGNED)
        return packet(self._address, wire.write or 0, data)

    def wrote(self, store: Store, frame: bytes) -> None:
        """The status byte must be 0."""
        data = self._data(frame, self.tell(store)[1])
        if len(data) != 1:
            raise BadFrame(f"{shown(data)} is no status byte")
        if data[0]:
            raise _refused(data[0])

    def cut(self, buffer: bytes, request: Fetch | Store) -> int:
        """ACK, then a packet whose length stands in its header."""
        _ = request
        if buffer[:1] == bytes([NAK]):
            raise BadFrame("the generator did not understand the packet (NAK)")
        if buffer and buffer[0] != ACK:
            raise BadFrame(f"{shown(buffer)} does not begin with ACK")
        if len(buffer) < 3:
            return 0
        if buffer[1] >> 3 != self._address:
            raise BadFrame(f"generator {buffer[1] >> 3} answers instead of {self._address}")
        length = buffer[1] & 7
        total = 1 + 2 + length + 1
        if length == LONG:
            if len(buffer) < 4:
                return 0
            total = 1 + 3 + buffer[3] + 1
        return total if len(buffer) >= total else 0

    def close(self, request: Fetch | Store) -> bytes:
        """The host acknowledges."""
        _ = request
        return bytes([ACK])

    def _data(self, frame: bytes, number: int) -> bytes:
        if len(frame) < 4 or frame[0] != ACK or self.cut(frame, Fetch(())) != len(frame):
            raise BadFrame(f"{shown(frame)} is no packet")
        if _parity(frame[1:]) != 0:
            raise BadFrame(f"the check sum of {shown(frame)} is wrong")
        if frame[2] != number:
            raise BadFrame(f"command {frame[2]} is answered instead of {number}")
        return frame[4:-1] if frame[1] & 7 == LONG else frame[3:-1]


def _parity(data: bytes) -> int:
    result = 0
    for byte in data:
        result ^= byte
    return result


def _refused(code: int) -> DeviceRefused:
    kind, words = CSR.get(code, ("bad", "refused"))
    return DeviceRefused(kind, f"CSR {code}: {words}")


def _value(point: Point, data: bytes) -> float:
    at, size = _wire(point).at, SIZES[point.type]
    if at + size > len(data):
        raise BadFrame(f"{shown(data)} is too short for {point.name}")
    return float(int.from_bytes(data[at : at + size], "little", signed=point.type in SIGNED))


def _wire(point: Point) -> AeBusWire:
    wire = point.ae_bus
    assert wire is not None  # noqa: S101 - config.checks.profile
    return wire
