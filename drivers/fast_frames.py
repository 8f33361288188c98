"""Frames of fast outputs, made before they are needed: one for each output, and which of its bytes the output moves.

The device's own codec makes the frame twice, with the output off and on; what differs is the output. So a fast output
is framed by the same code as any other, and nothing is framed while a pulse waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.binding import Bound
from drivers.codecs.exchange import Codec
from drivers.device import Device
from drivers.values import to_store

TRANSACTION = slice(0, 2)
"""Where Modbus TCP numbers its requests (Messaging Implementation Guide V1.0b, 3.1.3)."""


@dataclass(frozen=True)
class FastOutput:
    """An output and its frame.

    Attributes:
        bound: the tag and its point.
        frame: with the output off, transaction number 0.
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


def fast_outputs(device: Device, outputs: Sequence[Bound]) -> tuple[FastOutput, ...]:
    """Make the frames of a device's outputs.

    Raises:
        ValueError: an output moves more than one byte (config.checks lets only bits of Modbus through).
    """
    return tuple(_output(device, device.codec, bound) for bound in outputs)


def _output(device: Device, codec: Codec, bound: Bound) -> FastOutput:
    point = device.points[bound.point]
    off, on = (_unnumbered(codec.tell(to_store(point, bound.to_point(value), {}))) for value in (0.0, 1.0))
    moved = [at for at, (a, b) in enumerate(zip(off, on, strict=True)) if a != b]
    if len(moved) != 1:
        raise ValueError(f"{device.name}.{bound.point} moves {len(moved)} bytes of its frame: it is no fast output")
    return FastOutput(bound, off, moved[0], on[moved[0]])


def _unnumbered(frame: bytes) -> bytes:
    return b"\0\0" + frame[TRANSACTION.stop :]
