"""AE Bus as a generator speaks it: ACK, then its packet, repeated when the host says NAK.

Packet: address × 8 + length, command, [length if the first says 7], data (little-endian), exclusive or of all before.
The answer to a query holds its data, to anything else a status (CSR): 0 done, 1 wrong control mode, 4 out of range,
7 fault, 9 wrong number of bytes, 99 unknown command. Source: Advanced Energy, AE Bus protocol.
"""

from collections.abc import Iterable

from config.profile import Point, ValueType
from hil.rig.instrument import Instrument
from hil.rig.raw import Reason, Refused
from hil.rig.speaker import Speaker

ACK, NAK = 0x06, 0x15
DONE, WRONG_SIZE, UNKNOWN = 0, 9, 99
FAULT = 7
CSR: dict[Reason, int] = {"unknown": UNKNOWN, "not_understood": UNKNOWN, "read_only": UNKNOWN, "range": 4, "mode": 1}
SIZES = {ValueType.U8: 1, ValueType.I8: 1, ValueType.U16: 2, ValueType.I16: 2, ValueType.U32: 4, ValueType.I32: 4}
SIGNED = {ValueType.I8, ValueType.I16, ValueType.I32}


class AeBusSpeaker(Speaker):
    """Generators on a line; each answers packets with its address only."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        super().__init__(tuple(instruments))
        self._last = b""

    def reset(self) -> None:
        """Nothing can be repeated."""
        self._last = b""

    def cut(self, buffer: bytearray) -> bytes | None:
        """A packet, or a lone ACK or NAK between packets."""
        if not buffer:
            return None
        if buffer[0] in {ACK, NAK}:
            single = bytes(buffer[:1])
            del buffer[:1]
            return single
        size = _size(buffer)
        if size is None or len(buffer) < size:
            return None
        request = bytes(buffer[:size])
        del buffer[:size]
        return request

    def whose(self, request: bytes) -> Instrument | None:
        """By address; one that is alone also hears what belongs to the host's handshake."""
        if len(request) == 1:
            return self.sole
        return self.by_address.get(request[0] >> 3)

    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """ACK and the packet; NAK where the exclusive or is wrong."""
        if len(request) == 1:
            return self._last if request[0] == NAK else b""
        if check(request) != 0:
            return bytes([NAK])
        command, data = request[1], request[3:-1] if request[0] & 7 == 7 else request[2:-1]
        self._last = packet(request[0] >> 3, command, self._carry_out(instrument, command, data))
        return bytes([ACK]) + self._last

    def refuse(self, request: bytes) -> bytes:
        """CSR 7: a fault is active."""
        return b"" if len(request) == 1 else bytes([ACK]) + packet(request[0] >> 3, request[1], bytes([FAULT]))

    def misaddress(self, reply: bytes) -> bytes:
        """The neighbour's packet."""
        if len(reply) < 4:
            return reply
        body = bytes([reply[1] ^ 0x08]) + reply[2:-1]
        return reply[:1] + body + bytes([check(body)])

    @staticmethod
    def _carry_out(instrument: Instrument, command: int, data: bytes) -> bytes:
        try:
            asked = [point for point in instrument.points.values() if point.ae_bus and point.ae_bus.read == command]
            if asked and not data:
                instrument.heard()
                return _data(instrument, asked)
            for point in instrument.points.values():
                wire = point.ae_bus
                if wire is None:
                    continue
                for state, number in wire.writes.items():
                    if number == command and not data:
                        raw = next(one.raw for one in point.states if one.name == state)
                        instrument.tell(point.name, raw)
                        instrument.heard(wrote=point.name)
                        return bytes([DONE])
                if wire.write == command:
                    if len(data) != SIZES[point.type]:
                        return bytes([WRONG_SIZE])
                    instrument.tell(point.name, float(int.from_bytes(data, "little", signed=point.type in SIGNED)))
                    instrument.heard(wrote=point.name)
                    return bytes([DONE])
        except Refused as refused:
            return bytes([CSR[refused.reason]])
        return bytes([UNKNOWN])


def check(data: bytes) -> int:
    """Exclusive or of all bytes; over a whole packet it is 0."""
    found = 0
    for byte in data:
        found ^= byte
    return found


def packet(address: int, command: int, data: bytes) -> bytes:
    """A packet with its exclusive or."""
    if len(data) < 7:
        body = bytes([address << 3 | len(data), command]) + data
    else:
        body = bytes([address << 3 | 7, command, len(data)]) + data
    return body + bytes([check(body)])


def _data(instrument: Instrument, points: list[Point]) -> bytes:
    """The answer to a query: every point that stands in it, bits of one word together."""
    length = max(point.ae_bus.length for point in points if point.ae_bus is not None)
    whole = 0
    for point in points:
        wire = point.ae_bus
        if wire is None:
            continue
        raw = instrument.ask(point.name)
        number = 0 if isinstance(raw, str) else int(raw)
        first, bits = point.bits or (0, 8 * SIZES[point.type])
        whole |= (number & ((1 << bits) - 1)) << 8 * wire.at + first
    return (whole & ((1 << 8 * length) - 1)).to_bytes(length, "little")


def _size(buffer: bytearray) -> int | None:
    length = buffer[0] & 7
    if length < 7:
        return 3 + length
    return 4 + buffer[2] if len(buffer) > 2 else None
