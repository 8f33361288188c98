"""CANopen devices behind a serial-line CAN adapter (slcan), as both speak.

The adapter is the one of LAWICEL's protocol: `S6`, `O`, `C`, `tIIILDD…`, each ended by CR, answered by CR or BEL.
The devices: NMT, boot-up, heartbeat, an SDO server (expedited and segmented), transmit PDOs by timer and on SYNC,
receive PDOs. Source: CiA 301 V4.2 (7.2.4 SDO, 7.2.8 NMT, 7.3.1 object dictionary); LAWICEL CANUSB manual.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from config.profile import Point, ValueType
from hil.rig.instrument import Instrument
from hil.rig.raw import Raw, Reason, Refused
from hil.rig.speaker import Speaker

CR, BEL = b"\r", b"\x07"
BOOT, OPERATIONAL, STOPPED, PRE_OPERATIONAL = 0x00, 0x05, 0x04, 0x7F
NMT, SYNC, SDO_REPLY, SDO_REQUEST, HEARTBEAT = 0x000, 0x080, 0x580, 0x600, 0x700
TPDO, RPDO = (0x180, 0x280, 0x380, 0x480), (0x200, 0x300, 0x400, 0x500)
NO_OBJECT, NO_SUB, READ_ONLY, WRITE_ONLY = 0x06020000, 0x06090011, 0x06010002, 0x06010001
WRONG_SIZE, OUT_OF_RANGE, DEVICE_STATE, BAD_COMMAND, GENERAL = (
    0x06070010,
    0x06090030,
    0x08000022,
    0x05040001,
    0x08000000,
)
TOGGLE = 0x05030000
ABORTS: dict[Reason, int] = {"unknown": NO_OBJECT, "not_understood": WRITE_ONLY, "read_only": READ_ONLY,
                             "range": OUT_OF_RANGE, "mode": DEVICE_STATE}  # fmt: skip
NO_OBJECTS_FROM = 0xFFFD
"""What a profile says of NMT and heartbeats stands at indices that no device has."""
PDO_PERIOD_S = 0.1
FORMATS = {ValueType.BOOL: "<B", ValueType.U8: "<B", ValueType.I8: "<b", ValueType.U16: "<H", ValueType.I16: "<h",
           ValueType.U32: "<I", ValueType.I32: "<i", ValueType.F32: "<f"}  # fmt: skip
COMMANDS = set("SsOLCVNFZMmXtTrR")


class Abort(Exception):  # noqa: N818 - CANopen's word for it
    """An SDO transfer ends with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(hex(code))
        self.code = code


@dataclass
class Node:
    """State of one device on the bus."""

    instrument: Instrument
    state: int = PRE_OPERATIONAL
    heartbeat_s: float = 0.0
    next_heartbeat_s: float = 0.0
    next_pdo_s: float = 0.0
    announced: bool = False
    segments: bytes | None = None
    """What is left of a segmented upload."""
    toggle: int = 0
    entries: dict[tuple[int, int], Point] = field(default_factory=dict[tuple[int, int], Point])


class CanopenSpeaker(Speaker):
    """All devices of a bus, and the adapter before them."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        super().__init__(tuple(instruments))
        self.bus_off = False
        self._open = False
        self._nodes = {one.address or 1: Node(one) for one in self.instruments}
        for node in self._nodes.values():
            for point in node.instrument.points.values():
                if point.canopen is not None and point.canopen.index < NO_OBJECTS_FROM:
                    node.entries[point.canopen.index, point.canopen.sub] = point

    # --------------------------------------------------------------------------------------------------- the adapter
    def reset(self) -> None:
        """The adapter's channel is shut until it is opened."""
        self._open = False

    def restarted(self, instrument: Instrument) -> None:
        """Boot-up again."""
        node = self._nodes[instrument.address or 1]
        node.state, node.announced, node.heartbeat_s, node.segments = PRE_OPERATIONAL, False, 0.0, None

    def cut(self, buffer: bytearray) -> bytes | None:
        """Up to CR."""
        at = buffer.find(CR)
        if at < 0:
            if len(buffer) > 64:
                buffer.clear()
            return None
        request = bytes(buffer[: at + 1])
        del buffer[: at + 1]
        return request

    def whose(self, request: bytes) -> Instrument | None:
        """The device that a frame is for; what is for the adapter or for all is the first one's."""
        frame = _frame(request)
        if frame is None:
            return self.sole if request[:1].decode("latin-1") in COMMANDS else None
        identifier, _ = frame
        if identifier in {NMT, SYNC} or identifier & 0x780 == HEARTBEAT:
            return self.sole
        node = self._nodes.get(identifier & 0x7F)
        return node.instrument if node is not None and identifier & 0x780 in {SDO_REQUEST, *RPDO} else None

    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """Frames of the device, or the adapter's own answer."""
        frame = _frame(request)
        if frame is None:
            return self._adapter(request[:-1].decode("latin-1"))
        if not self._open or self.bus_off:
            return BEL
        identifier, data = frame
        if identifier == NMT:
            return b"".join(self._manage(node, data) for node in self._nodes.values())
        if identifier == SYNC:
            return b"".join(self._pdos(node) for node in self._nodes.values())
        if identifier & 0x780 == HEARTBEAT:
            for one in self._nodes.values():
                one.instrument.character.heartbeat(identifier & 0x7F)
            return b""
        node = self._nodes[instrument.address or 1]
        if identifier & 0x780 == SDO_REQUEST:
            return self._sdo(node, data) if node.state != STOPPED else b""
        if node.state == OPERATIONAL:
            self._receive_pdo(node, RPDO.index(identifier & 0x780) + 1, data)
        return b""

    def refuse(self, request: bytes) -> bytes:
        """A general abort."""
        frame = _frame(request)
        if frame is None or frame[0] & 0x780 != SDO_REQUEST or len(frame[1]) < 4:
            return b""
        return line(SDO_REPLY + (frame[0] & 0x7F), b"\x80" + frame[1][1:4] + struct.pack("<I", GENERAL))

    def misaddress(self, reply: bytes) -> bytes:
        """The neighbour's identifier."""
        if not reply.startswith(b"t"):
            return reply
        return reply[:1] + f"{int(reply[1:4], 16) ^ 1:03X}".encode() + reply[4:]

    def spontaneous(self, now_s: float) -> list[tuple[Instrument, bytes]]:
        """Boot-up, heartbeats and timed PDOs."""
        said: list[tuple[Instrument, bytes]] = []
        if not self._open or self.bus_off:
            return said
        for address, node in self._nodes.items():
            if not node.announced:
                node.announced = True
                said.append((node.instrument, line(HEARTBEAT + address, bytes([BOOT]))))
            if node.heartbeat_s > 0.0 and now_s >= node.next_heartbeat_s:
                node.next_heartbeat_s = now_s + node.heartbeat_s
                said.append((node.instrument, line(HEARTBEAT + address, bytes([node.state]))))
            if node.state == OPERATIONAL and now_s >= node.next_pdo_s:
                node.next_pdo_s = now_s + PDO_PERIOD_S
                data = self._pdos(node)
                if data:
                    said.append((node.instrument, data))
        return said

    def _adapter(self, command: str) -> bytes:
        match command[:1]:
            case "O" | "L":
                self._open = True
                return CR
            case "C":
                self._open = False
                return CR
            case "V":
                return b"V1013\r"
            case "N":
                return b"NRIG1\r"
            case "F":  # bit 7: bus error, the adapter is off the bus
                return b"F80\r" if self.bus_off else b"F00\r"
            case "S" | "s" | "Z" | "M" | "m" | "X":
                return CR
            case _:
                return BEL

    # --------------------------------------------------------------------------------------------------- the device
    def _manage(self, node: Node, data: bytes) -> bytes:
        address = node.instrument.address or 1
        if len(data) != 2 or data[1] not in {0, address}:
            return b""
        node.instrument.heard()
        match data[0]:
            case 0x01:
                node.state = OPERATIONAL
            case 0x02:
                node.state = STOPPED
            case 0x80:
                node.state = PRE_OPERATIONAL
            case 0x81 | 0x82:
                if data[0] == 0x81:
                    node.instrument.power_up()
                self.restarted(node.instrument)
                node.announced = True
                return line(HEARTBEAT + address, bytes([BOOT]))
            case _:
                pass
        return b""

    def _pdos(self, node: Node) -> bytes:
        if node.state != OPERATIONAL:
            return b""
        frames: dict[int, tuple[int, int]] = {}
        """By number of the PDO: its bits so far, and how many."""
        for point in node.entries.values():
            wire = point.canopen
            if wire is not None and wire.pdo is not None and point.readable:
                data = _bytes(point, node.instrument.ask(point.name))
                bits, length = frames.get(wire.pdo, (0, 0))
                bits |= int.from_bytes(data, "little") << wire.at
                frames[wire.pdo] = bits, max(length, wire.at + 8 * len(data))
        address = node.instrument.address or 1
        return b"".join(
            line(TPDO[number - 1] + address, bits.to_bytes((length + 7) // 8, "little"))
            for number, (bits, length) in sorted(frames.items())
        )

    @staticmethod
    def _receive_pdo(node: Node, number: int, data: bytes) -> None:
        bits = int.from_bytes(data, "little")
        for point in node.entries.values():
            wire = point.canopen
            if wire is None or wire.pdo != number or not point.writable:
                continue
            size = struct.calcsize(FORMATS[point.type])
            if wire.at + 8 * size > 8 * len(data):
                continue
            piece = (bits >> wire.at & ((1 << 8 * size) - 1)).to_bytes(size, "little")
            try:
                node.instrument.tell(point.name, float(struct.unpack(FORMATS[point.type], piece)[0]))
                node.instrument.heard(wrote=point.name)
            except Refused:
                continue  # CiA 301 has no answer to a PDO

    def _sdo(self, node: Node, data: bytes) -> bytes:
        if len(data) != 8:
            return b""
        address = node.instrument.address or 1
        try:
            return line(SDO_REPLY + address, self._transfer(node, data))
        except Abort as abort:
            code = abort.code
        except Refused as refused:
            code = ABORTS[refused.reason]
        node.segments = None
        return line(SDO_REPLY + address, b"\x80" + data[1:4] + struct.pack("<I", code))

    def _transfer(self, node: Node, data: bytes) -> bytes:
        command = data[0] >> 5
        index, sub = struct.unpack("<HB", data[1:4])
        match command:
            case 2:
                content = self._read(node, index, sub)
                node.instrument.heard()
                if len(content) <= 4:
                    return bytes([0x43 | (4 - len(content)) << 2]) + data[1:4] + content.ljust(4, b"\0")
                node.segments, node.toggle = content, 0
                return b"\x41" + data[1:4] + struct.pack("<I", len(content))
            case 3 if node.segments is not None:
                if data[0] >> 4 & 1 != node.toggle:
                    raise Abort(TOGGLE)
                piece, node.segments = node.segments[:7], node.segments[7:]
                head = node.toggle << 4 | (7 - len(piece)) << 1 | (not node.segments)
                node.toggle ^= 1
                node.segments = node.segments or None
                return bytes([head]) + piece.ljust(7, b"\0")
            case 1 if data[0] & 2:
                length = 4 - (data[0] >> 2 & 3) if data[0] & 1 else 4
                self._write(node, index, sub, data[4 : 4 + length])
                return b"\x60" + data[1:4] + bytes(4)
            case 4:
                node.segments = None
                return b"\x80" + data[1:8]
            case _:
                raise Abort(BAD_COMMAND)

    def _read(self, node: Node, index: int, sub: int) -> bytes:
        point = node.entries.get((index, sub))
        if point is not None and (index, sub) != (0x1017, 0):
            return _bytes(point, node.instrument.ask(point.name))
        own = node.instrument
        match (index, sub):
            case (0x1000, 0):
                return struct.pack("<I", 0x00020194)
            case (0x1001, 0):
                return b"\0"
            case (0x1008, 0):
                return own.profile.identity.model.encode("ascii", "replace")
            case (0x1017, 0):
                return struct.pack("<H", round(node.heartbeat_s * 1000))
            case (0x1018, 0):
                return b"\x04"
            case (0x1018, 1 | 2 | 3 | 4):
                return bytes(4)
            case _:
                known = any(other == index for other, _ in node.entries) or index in {0x1000, 0x1001, 0x1017, 0x1018}
                raise Abort(NO_SUB if known else NO_OBJECT)

    @staticmethod
    def _write(node: Node, index: int, sub: int, data: bytes) -> None:
        if (index, sub) == (0x1017, 0):
            if len(data) < 2:
                raise Abort(WRONG_SIZE)
            node.heartbeat_s, node.next_heartbeat_s = int.from_bytes(data[:2], "little") / 1000, 0.0
            node.instrument.heard(wrote="")
            return
        point = node.entries.get((index, sub))
        if point is None:
            raise Abort(READ_ONLY if 0x1000 <= index <= 0x1018 else NO_OBJECT)
        if len(data) != struct.calcsize(FORMATS[point.type]):
            raise Abort(WRONG_SIZE)
        node.instrument.tell(point.name, float(struct.unpack(FORMATS[point.type], data)[0]))
        node.instrument.heard(wrote=point.name)


def line(identifier: int, data: bytes) -> bytes:
    """A frame in the adapter's words."""
    return f"t{identifier:03X}{len(data)}{data.hex().upper()}".encode() + CR


def _frame(request: bytes) -> tuple[int, bytes] | None:
    """Identifier and data of a frame to be sent; none: no frame."""
    text = request[:-1].decode("latin-1")
    if len(text) < 5 or text[0] != "t":
        return None
    try:
        identifier, length, data = int(text[1:4], 16), int(text[4], 16), bytes.fromhex(text[5:])
    except ValueError:
        return None
    return (identifier, data) if len(data) == length <= 8 else None


def _bytes(point: Point, raw: Raw) -> bytes:
    if isinstance(raw, str):
        return raw.encode("ascii", "replace")
    return struct.pack(FORMATS[point.type], raw if point.type is ValueType.F32 else int(raw))
