"""Entries of a CANopen device's object dictionary as bytes of SDOs and PDOs.

Source: CiA 301 (object dictionary, SDO abort codes, NMT, heartbeat). Beside the device's own objects there are three
that the driver answers for, so that a profile can name them: how often the node booted, an NMT command to it, and our
own heartbeat.
"""

import struct
from collections.abc import Sequence

from config.profile import Point, Profile, ValueType
from config.wire import CanopenWire
from drivers.codecs.exchange import Fetch, PlainCodec, Raw, Store, by_key
from drivers.errors import BadFrame, DeviceRefused, Refusal

BOOT_UPS, NMT, HEARTBEAT = 0xFFFF, 0xFFFE, 0xFFFD
"""Objects of the driver: boot-up messages counted (read), NMT command (write), one heartbeat of ours (write)."""
FORMS = {
    ValueType.BOOL: "<?",
    ValueType.U8: "<B",
    ValueType.I8: "<b",
    ValueType.U16: "<H",
    ValueType.I16: "<h",
    ValueType.U32: "<I",
    ValueType.I32: "<i",
    ValueType.F32: "<f",
}
ABORTS: dict[int, tuple[Refusal, str]] = {
    0x06010000: ("configuration", "unsupported access"),
    0x06010001: ("configuration", "the object can only be written"),
    0x06010002: ("configuration", "the object can only be read"),
    0x06020000: ("configuration", "there is no such object"),
    0x06070010: ("configuration", "the length does not match"),
    0x06090011: ("configuration", "there is no such sub-index"),
    0x06090030: ("configuration", "the value is out of range"),
    0x08000020: ("bad", "the data cannot be stored"),
    0x08000022: ("bad", "not in this state of the device"),
}


class CanopenCodec(PlainCodec):
    """One node; its bytes travel through drivers.transports.can_bus."""

    def __init__(self, profile: Profile, node: int) -> None:
        self.node = node
        self.heartbeat_s = (profile.can.heartbeat_ms if profile.can else 0) / 1000

    def plan(self, points: Sequence[Point]) -> tuple[Fetch, ...]:
        """Points of one PDO share it; every other object is an SDO of its own."""
        return by_key(points, lambda point: (w.pdo, 0, 0) if (w := wire_of(point)).pdo else (0, w.index, w.sub))

    def read(self, fetch: Fetch, frame: bytes) -> Sequence[Raw]:
        """Values of an SDO's or PDO's data."""
        return [_decode(point, frame) for point in fetch.points]

    def ask(self, fetch: Fetch) -> bytes:
        """Data of a request: a read has none."""
        _ = fetch
        return b""

    def tell(self, store: Store) -> bytes:
        """Data of a write."""
        value = float(store.raw)
        number = value if store.point.type is ValueType.F32 else round(value)
        return struct.pack(FORMS[store.point.type], number)

    def wrote(self, store: Store, frame: bytes) -> None:
        """The library has checked the confirmation."""

    def cut(self, buffer: bytes, request: Fetch | Store) -> int:
        """Frames come whole."""
        _ = request
        return len(buffer)


def wire_of(point: Point) -> CanopenWire:
    """Place of a point in the object dictionary."""
    wire = point.canopen
    assert wire is not None  # noqa: S101 - config.checks.profile
    return wire


def aborted(code: int) -> DeviceRefused:
    """The error of an SDO abort."""
    kind, words = ABORTS.get(code, ("bad", "refused"))
    return DeviceRefused(kind, f"SDO abort {code:08X}h: {words}")


def _decode(point: Point, data: bytes) -> Raw:
    wire = wire_of(point)
    if point.type is ValueType.TEXT:
        if not data.isascii():
            raise BadFrame(f"{data.hex(' ')} is no text")
        return data.rstrip(b"\0").decode("ascii")
    form = FORMS[point.type]
    size = struct.calcsize(form)
    if wire.pdo:
        if wire.at % 8 or wire.at // 8 + size > len(data):
            raise BadFrame(f"PDO {wire.pdo} holds {len(data)} bytes, too few for {point.name}")
        data = data[wire.at // 8 : wire.at // 8 + size]
    if len(data) != size:
        raise BadFrame(f"{size} bytes were expected for {point.name}, {len(data)} came")
    return float(struct.unpack(form, data)[0])
