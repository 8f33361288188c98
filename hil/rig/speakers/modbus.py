"""Modbus as a device speaks it: PDU, then MBAP (TCP) or address and CRC (RTU) around it.

Source: Modbus Application Protocol Specification V1.1b3; Modbus over Serial Line V1.02; Modbus Messaging on TCP/IP
V1.0b.
"""

import struct
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import ClassVar

from config.profile import Point, ValueType
from config.wire import ModbusWire
from hil.rig.instrument import Instrument
from hil.rig.raw import Raw, Reason, Refused
from hil.rig.speaker import Speaker

READ_BITS = {1: "coil", 2: "discrete"}
READ_WORDS = {3: "holding", 4: "input"}
DEVICE_FAILURE = 4
EXCEPTIONS: dict[Reason, int] = {"unknown": 2, "not_understood": 2, "read_only": 2, "range": 3, "mode": 4}
WIDTH = {ValueType.U32: 2, ValueType.I32: 2, ValueType.F32: 2}
_FORMAT = {ValueType.F32: ">f", ValueType.U32: ">I", ValueType.I32: ">i", ValueType.U16: ">H", ValueType.I16: ">h"}
_MOST_BITS, _MOST_WORDS, _MOST_WRITTEN_BITS, _MOST_WRITTEN_WORDS = 2000, 125, 1968, 123


class Exception_(Exception):  # noqa: N801, N818 - Modbus' word for it
    """An exception answer."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Registers:
    """The registers and bits of one instrument, laid out as its profile says."""

    def __init__(self, instrument: Instrument) -> None:
        self._own = instrument
        self._words: dict[tuple[str, int], list[tuple[Point, int]]] = {}
        """(point, which of its words) by table and address; several points may share a word by their bits."""
        settings = instrument.profile.modbus
        self._order = settings.word_order if settings is not None else "high"
        for point in instrument.points.values():
            wire = point.modbus
            if wire is not None:
                for word in range(width(point)):
                    self._words.setdefault((wire.table, wire.address + word), []).append((point, word))

        self._gaps = frozenset(_gaps(self._words, (settings.merge_gap if settings is not None else None) or 0))

    def execute(self, pdu: bytes) -> bytes:
        """Carry out a request; the answer's PDU, an exception where it must be one."""
        try:
            return self._execute(pdu)
        except Exception_ as error:
            return bytes([pdu[0] | 0x80, error.code])
        except Refused as refused:
            return bytes([pdu[0] | 0x80, EXCEPTIONS[refused.reason]])

    def _execute(self, pdu: bytes) -> bytes:
        function = pdu[0]
        if function in READ_BITS | READ_WORDS:
            first, count = _pair(pdu, 5)
            return self._read(function, first, count)
        if function in {5, 6}:
            first, value = _pair(pdu, 5)
            self._write_one(function, first, value)
            return pdu
        if function in {15, 16}:
            return self._write_many(pdu)
        raise Exception_(1)

    def _read(self, function: int, first: int, count: int) -> bytes:
        if function in READ_BITS:
            _require(1 <= count <= _MOST_BITS)
            bits = [self._bit(READ_BITS[function], first + n) for n in range(count)]
            body = _packed(bits)
        else:
            _require(1 <= count <= _MOST_WORDS)
            body = b"".join(self._word(READ_WORDS[function], first + n) for n in range(count))
        return bytes([function, len(body)]) + body

    def _at(self, table: str, address: int) -> list[tuple[Point, int]]:
        found = self._words.get((table, address))
        # A simple device shows its holding registers to function 4 as well; couplers their inputs to function 3.
        if found is None and table in {"input", "holding"}:
            found = self._words.get(("holding" if table == "input" else "input", address))
        if found is None:
            raise Exception_(2)
        return found

    def _bit(self, table: str, address: int) -> bool:
        return bool(self._own.ask(self._at(table, address)[0][0].name))

    def _word(self, table: str, address: int) -> bytes:
        if (table, address) in self._gaps:
            return bytes(2)
        shared = self._at(table, address)
        if shared[0][0].bits is None:
            point, word = shared[0]
            raw = self._own.ask(point.name) if point.readable else 0.0
            return words(point, raw, _order(point, self._order))[word * 2 : word * 2 + 2]
        value = 0
        for point, _ in shared:
            first, length = point.bits or (0, 16)
            value |= (int(float(self._own.ask(point.name))) & ((1 << length) - 1)) << first
        return (value & 0xFFFF).to_bytes(2, "big")

    def _write_one(self, function: int, address: int, value: int) -> None:
        table = "coil" if function == 5 else "holding"
        if function == 5:
            _require(value in {0, 0xFF00})
            self._own.tell(self._writable(table, address)[0][0].name, float(value == 0xFF00))
        else:
            self._write_words(address, value.to_bytes(2, "big"))

    def _write_many(self, pdu: bytes) -> bytes:
        if len(pdu) < 6 or len(pdu) != 6 + pdu[5]:
            raise Exception_(3)
        first, count = struct.unpack(">HH", pdu[1:5])
        data = pdu[6:]
        if pdu[0] == 15:
            _require(1 <= count <= _MOST_WRITTEN_BITS and len(data) == (count + 7) // 8)
            names = [self._writable("coil", first + n)[0][0].name for n in range(count)]
            for n, name in enumerate(names):
                self._own.tell(name, float(data[n // 8] >> n % 8 & 1))
        else:
            _require(1 <= count <= _MOST_WRITTEN_WORDS and len(data) == 2 * count)
            self._write_words(first, data)
        return pdu[:5]

    def _writable(self, table: str, address: int) -> list[tuple[Point, int]]:
        found = self._words.get((table, address))
        if found is None:
            raise Exception_(2)
        return found

    def _write_words(self, first: int, data: bytes) -> None:
        """Write words; half a 32-bit value is refused, as its other half would be another value's."""
        changes: list[tuple[str, Raw]] = []
        at = 0
        while at * 2 < len(data):
            shared = self._writable("holding", first + at)
            point, word = shared[0]
            size = width(point)
            piece = data[at * 2 : (at + size) * 2]
            if word != 0 or len(piece) != 2 * size:
                raise Exception_(2)
            if point.bits is None:
                changes.append((point.name, unpacked(point, piece, _order(point, self._order))))
            else:
                number = int.from_bytes(piece, "big")
                for other, _ in shared:
                    low, length = other.bits or (0, 16)
                    if other.writable:
                        changes.append((other.name, float(number >> low & ((1 << length) - 1))))
            at += size
        for name, raw in changes:
            self._own.tell(name, raw)


def _gaps(known: Iterable[tuple[str, int]], largest: int) -> Iterator[tuple[str, int]]:
    """Registers that nobody knows, between known ones: a device that lets them be read answers 0."""
    for (table, low), (other, high) in pairwise(sorted(known)):
        if table == other and high - low - 1 <= largest:
            yield from ((table, address) for address in range(low + 1, high))


class ModbusTcpSpeaker(Speaker):
    """MBAP header; several requests may come in one segment. A device that is alone answers any unit."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        super().__init__(tuple(instruments))
        self._registers = {id(one): Registers(one) for one in self.instruments}

    def cut(self, buffer: bytearray) -> bytes | None:
        """Header of 7 bytes; a header that is none empties the buffer, as a device would close."""
        if len(buffer) < 8:
            return None
        _, protocol, length = struct.unpack(">HHH", buffer[:6])
        if protocol != 0 or not 2 <= length <= 254:
            buffer.clear()
            return None
        if len(buffer) < 6 + length:
            return None
        request = bytes(buffer[: 6 + length])
        del buffer[: 6 + length]
        return request

    def whose(self, request: bytes) -> Instrument | None:
        """By unit where the wire has several."""
        return self.sole if len(self.instruments) == 1 else self.by_address.get(request[6])

    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """Header, unit, PDU."""
        return self._framed(request, _executed(self._registers[id(instrument)], instrument, request[7:]))

    def refuse(self, request: bytes) -> bytes:
        """Exception 4."""
        return self._framed(request, bytes([request[7] | 0x80, DEVICE_FAILURE]))

    def misaddress(self, reply: bytes) -> bytes:
        """Another unit and another transaction."""
        number = (int.from_bytes(reply[:2], "big") + 1) & 0xFFFF
        return number.to_bytes(2, "big") + reply[2:6] + bytes([reply[6] ^ 0x01]) + reply[7:]

    @staticmethod
    def _framed(request: bytes, pdu: bytes) -> bytes:
        return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu


class ModbusRtuSpeaker(Speaker):
    """Address and CRC; a frame that is damaged is not answered."""

    silence_s: ClassVar[float] = 0.05  # far above 3.5 characters at any rate, far below any driver's time-out

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        super().__init__(tuple(instruments))
        self._registers = {id(one): Registers(one) for one in self.instruments}

    def cut(self, buffer: bytearray) -> bytes | None:
        """Length by function; what is no frame is skipped byte by byte until one fits."""
        while len(buffer) >= 4:
            size = _rtu_length(buffer)
            if size is not None and len(buffer) < size:
                return None
            if size is not None and crc16(buffer[:size]) == 0:
                request = bytes(buffer[:size])
                del buffer[:size]
                return request
            del buffer[0]
        return None

    def whose(self, request: bytes) -> Instrument | None:
        """By address; 0 is everybody, whom nobody answers."""
        return self.by_address.get(request[0])

    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """Address, PDU, CRC."""
        return _sealed(request[:1] + _executed(self._registers[id(instrument)], instrument, request[1:-2]))

    def refuse(self, request: bytes) -> bytes:
        """Exception 4."""
        return _sealed(bytes([request[0], request[1] | 0x80, DEVICE_FAILURE]))

    def misaddress(self, reply: bytes) -> bytes:
        """The neighbour's address."""
        return _sealed(bytes([reply[0] % 247 + 1]) + reply[1:-2])


def crc16(data: bytes | bytearray) -> int:
    """CRC of Modbus over Serial Line, 6.2.2; over a frame with its CRC it is 0."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def width(point: Point) -> int:
    """Words of a point."""
    wire = point.modbus
    return wire.registers if wire is not None and wire.registers else WIDTH.get(point.type, 1)


def words(point: Point, raw: Raw, order: str) -> bytes:
    """A value as its registers stand in an answer."""
    size = 2 * width(point)
    if isinstance(raw, str):
        return raw.encode("ascii", "replace")[:size].ljust(size, b"\0")
    data = struct.pack(_FORMAT[point.type], raw if point.type is ValueType.F32 else int(raw))
    return data[2:] + data[:2] if order == "low" and size == 4 else data


def unpacked(point: Point, data: bytes, order: str) -> Raw:
    """Registers of a request as a value."""
    if point.type is ValueType.TEXT:
        return data.rstrip(b"\0 ").decode("ascii", "replace")
    if order == "low" and len(data) == 4:
        data = data[2:] + data[:2]
    return float(struct.unpack(_FORMAT[point.type], data)[0])


def _executed(registers: Registers, instrument: Instrument, pdu: bytes) -> bytes:
    reply = registers.execute(pdu)
    sound = reply[0] < 0x80
    instrument.heard(wrote="" if sound and pdu[0] in {5, 6, 15, 16} else None, understood=sound)
    return reply


def _sealed(body: bytes) -> bytes:
    return body + crc16(body).to_bytes(2, "little")


def _rtu_length(buffer: bytearray) -> int | None:
    """Length of a request with its CRC; none: no function of ours."""
    function = buffer[1]
    if 1 <= function <= 6:
        return 8
    if function in {15, 16}:
        return 9 + buffer[6] if len(buffer) > 6 else 10
    return 4 if function in {7, 11, 12, 17} else 8 if function == 8 else None


def _pair(pdu: bytes, length: int) -> tuple[int, int]:
    if len(pdu) != length:
        raise Exception_(3)
    first, second = struct.unpack(">HH", pdu[1:5])
    return first, second


def _require(sound: bool) -> None:
    if not sound:
        raise Exception_(3)


def _packed(bits: list[bool]) -> bytes:
    return bytes(sum(bit << n for n, bit in enumerate(bits[start : start + 8])) for start in range(0, len(bits), 8))


def _order(point: Point, default: str) -> str:
    wire: ModbusWire | None = point.modbus
    return (wire.word_order if wire is not None else None) or default
