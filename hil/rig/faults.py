"""What can go wrong on a wire, on any instrument: the fault matrix.

A fault is put into one instrument. What belongs to a connection (`rst`, `fin`, `silent`, `half_open`, `bus_off`) takes
the whole wire with it, as on a tool; the rest changes what that one instrument says.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from config.base import Model, Name


class Kind(StrEnum):
    """One row of the matrix."""

    RST = "rst"  # the connection is reset; a serial line hangs up
    FIN = "fin"  # the connection is closed in order
    SILENT = "silent"  # cable pulled: nothing is heard, nothing is said, the connection stays
    HALF_OPEN = "half_open"  # the device has forgotten the connection: a reset answers the next request
    SLOW = "slow"  # answers take `value` seconds longer
    LATE = "late"  # one answer comes after `value` seconds, when nobody waits for it any more
    SHORT = "short"  # answers end early, `value` bytes short
    GARBAGE_BEFORE = "garbage_before"  # noise before answers
    GARBAGE_INSIDE = "garbage_inside"  # one byte of each answer is changed
    WRONG_ADDRESS = "wrong_address"  # sound answers with another unit or address
    EXCEPTION = "exception"  # the device's own words for a fault
    DUPLICATE = "duplicate"  # answers come twice
    REBOOT = "reboot"  # off for `value` seconds, then on with volatile memory lost
    BUS_OFF = "bus_off"  # the CAN adapter is off the bus
    HANG = "hang"  # the firmware hangs, its link lives: no answers, no heartbeat


OF_THE_WIRE = frozenset({Kind.RST, Kind.FIN, Kind.SILENT, Kind.HALF_OPEN, Kind.BUS_OFF})
ONCE = frozenset({Kind.RST, Kind.FIN, Kind.REBOOT})
"""These happen, rather than last."""
DEFAULTS = {Kind.SLOW: 0.05, Kind.LATE: 1.0, Kind.SHORT: 1.0, Kind.REBOOT: 0.5}
"""`value` where none is given."""


class WireFault(Model):
    """A fault, as a scenario or a test orders it."""

    instrument: Name
    fault: Kind
    value: float | None = Field(default=None, ge=0, le=3600)
    """Seconds (slow, late, reboot) or bytes (short)."""
    count: int | None = Field(default=None, ge=1)
    """So many answers are hit; else all until it is cleared. A late answer is one unless this says otherwise."""
    for_s: float | None = Field(default=None, gt=0, le=1e6)
    """It is cleared after this time, in seconds of the clock."""


@dataclass
class Active:
    """A fault that lasts."""

    kind: Kind
    value: float
    left: int | None
    until_s: float | None = None

    def hit(self) -> bool:
        """One more answer is hit; whether the fault is still there afterwards."""
        if self.left is not None:
            self.left -= 1
        return self.left is None or self.left > 0


def spoil(kind: Kind, reply: bytes, value: float, noise: random.Random) -> bytes:
    """Bytes of an answer as the fault leaves them."""
    match kind:
        case Kind.SHORT:
            return reply[: max(0, len(reply) - max(1, round(value)))]
        case Kind.GARBAGE_BEFORE:
            return noise.randbytes(noise.randint(1, 12)) + reply
        case Kind.GARBAGE_INSIDE if reply:
            damaged = bytearray(reply)  # one byte: what every check sum, however weak, must notice
            damaged[noise.randrange(len(damaged))] ^= noise.randint(1, 255)
            return bytes(damaged)
        case Kind.DUPLICATE:
            return reply + reply
        case _:
            return reply
