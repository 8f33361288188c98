"""Frames of fast outputs, made before they are needed: which byte an output moves, and what proves the device.

The device's own codec says what an output is, off and on; what differs is the output. So a fast output is framed by the
same code as any other, and nothing is framed while a pulse waits. Modbus has a frame for each output, and the device
repeats it; a PDO of CANopen carries several, and the device's heartbeat shows that it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from config.profile import Profile
from config.wire import CanopenWire
from drivers.binding import Bound
from drivers.codecs.canopen import HEARTBEAT, CanopenCodec, wire_of
from drivers.device import Device
from drivers.link import Link
from drivers.transports.can_bus import BEAT, OPERATIONAL, OUR_NODE, RPDO, SILENT_HEARTBEATS
from drivers.transports.can_wire import framed
from drivers.values import to_store

TRANSACTION = slice(0, 2)
"""Where Modbus TCP numbers its requests (Messaging Implementation Guide V1.0b, 3.1.3)."""


@dataclass(frozen=True)
class FastOutput:
    """An output and its frame.

    Attributes:
        bound: the tag and its point.
        frame: with all its outputs off, transaction number 0; outputs of the same frame share it.
        at: byte that the output moves.
        on: that byte with the output on.
    """

    bound: Bound
    frame: bytes
    at: int
    on: int

    @property
    def off(self) -> int:
        """The byte with the output off."""
        return self.frame[self.at]


@dataclass(frozen=True)
class FastWire:
    """What the thread is to do on a link.

    Attributes:
        outputs: with their frames.
        stamp: where two bytes of a transaction number stand in each frame; -1: nowhere.
        shows: that the device is there: True, it repeats every write; else its heartbeat, as it comes.
        shows_s: within this time.
        kept: frames that no output moves, written as often as the others: our own heartbeat.
    """

    outputs: tuple[FastOutput, ...]
    stamp: int
    shows: bool | bytes
    shows_s: float
    kept: tuple[bytes, ...] = ()


def fast_wire(device: Device, outputs: Sequence[Bound], link: Link) -> FastWire:
    """Make the frames of a device's outputs.

    Raises:
        ValueError: an output moves more than one byte, or two the same (config.checks lets neither through).
    """
    if isinstance(device.codec, CanopenCodec):
        return _pdos(device, device.codec, outputs, link)
    made = tuple(_coil(device, bound) for bound in outputs)
    return FastWire(made, TRANSACTION.start, True, device.profile.timing.answer_s)


def _coil(device: Device, bound: Bound) -> FastOutput:
    off, on = (b"\0\0" + _told(device, bound, value)[TRANSACTION.stop :] for value in (0.0, 1.0))
    return _output(device, bound, off, on)


def _pdos(device: Device, codec: CanopenCodec, outputs: Sequence[Bound], link: Link) -> FastWire:
    wires = [wire_of(device.points[bound.point]) for bound in outputs]
    rest = {pdo: bytearray(_size(device.profile, pdo)) for pdo in sorted({_number(wire) for wire in wires})}
    for bound, wire in zip(outputs, wires, strict=True):
        rest[_number(wire)][wire.at // 8] = _told(device, bound, 0.0)[0]
    made: list[FastOutput] = []
    for bound, wire in zip(outputs, wires, strict=True):
        on = bytearray(rest[_number(wire)])
        on[wire.at // 8] = _told(device, bound, 1.0)[0]
        off, lit = (framed(link, RPDO[_number(wire)] + codec.node, bytes(data)) for data in (rest[_number(wire)], on))
        made.append(_output(device, bound, off, lit))
    if len({(output.frame, output.at) for output in made}) < len(made):
        raise ValueError(f"{device.name}: two fast outputs share a byte of their PDO")
    beat = framed(link, BEAT + codec.node, bytes([OPERATIONAL])).rstrip(b"\r\0")
    watchdog = device.profile.watchdog
    fed = None if watchdog == "none" else device.points.get(watchdog.feed_point or "")
    ours = fed is not None and fed.canopen is not None and fed.canopen.index == HEARTBEAT
    kept = (framed(link, BEAT + OUR_NODE, bytes([OPERATIONAL])),) if ours else ()
    return FastWire(tuple(made), -1, beat, SILENT_HEARTBEATS * codec.heartbeat_s, kept)


def _output(device: Device, bound: Bound, off: bytes, on: bytes) -> FastOutput:
    moved = [at for at, (a, b) in enumerate(zip(off, on, strict=True)) if a != b]
    if len(moved) != 1:
        raise ValueError(f"{device.name}.{bound.point} moves {len(moved)} bytes of its frame: it is no fast output")
    return FastOutput(bound, off, moved[0], on[moved[0]])


def _told(device: Device, bound: Bound, value: float) -> bytes:
    return device.codec.tell(to_store(device.points[bound.point], bound.to_point(value), {}))


def _size(profile: Profile, pdo: int) -> int:
    """Bytes of a receive PDO: a device ignores one that is shorter than its mapping (CiA 301, 7.2.2)."""
    mapped = (one.canopen for one in profile.by_name.values() if one.canopen is not None and one.canopen.pdo == pdo)
    return max(wire.at for wire in mapped) // 8 + 1


def _number(wire: CanopenWire) -> int:
    assert wire.pdo is not None  # noqa: S101 - config.checks.devices
    return wire.pdo
