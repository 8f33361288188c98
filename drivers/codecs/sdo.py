"""Service data objects: one entry of a CANopen device's object dictionary, asked for or told in frames of eight bytes.

Source: CiA 301 V4.2, 7.2.4.3: a transfer begins with an initiate request that names its object; up to four bytes travel
in it (expedited), more in segments with a toggle bit.
"""

import struct
from dataclasses import dataclass, field

from drivers.codecs.canopen import aborted
from drivers.errors import BadFrame

REQUEST, REPLY = 0x600, 0x580
"""Identifiers of a node's server, to be added to its number."""
ABORT = 0x80
TIMED_OUT = 0x05040000
LONGEST = 4096
"""No text of an instrument is longer; a server that does not end is refused here."""
FRAME = 8


@dataclass
class Upload:
    """A read that is under way.

    Attributes:
        index: of the object.
        sub: its sub-index.
        data: what has come so far.
    """

    index: int
    sub: int
    data: bytearray = field(default_factory=bytearray)
    _toggle: int = -1
    """Of the segment that comes next; -1: nothing has been answered yet."""

    @property
    def object(self) -> bytes:
        """How the object is named in a frame."""
        return struct.pack("<HB", self.index, self.sub)

    def request(self) -> bytes:
        """The frame to send next."""
        if self._toggle < 0:
            return b"\x40" + self.object + bytes(4)
        return bytes([0x60 | self._toggle << 4]) + bytes(7)

    def take(self, frame: bytes) -> bool:
        """Take an answer; whether the transfer is over.

        Raises:
            DeviceRefused: the device aborted.
            BadFrame: it is no answer to what was asked.
        """
        check(frame, self.object)
        command = frame[0]
        if self._toggle < 0:
            if command >> 5 != 2:
                raise BadFrame(f"{frame.hex(' ')} is no answer to a read")
            if command & 2:
                self.data += frame[4 : FRAME - (command >> 2 & 3) if command & 1 else FRAME]
                return True
            self._toggle = 0
            return False
        if command >> 5 or command >> 4 & 1 != self._toggle:
            raise BadFrame(f"{frame.hex(' ')} is not the segment that was asked for")
        self.data += frame[1 : FRAME - (command >> 1 & 7)]
        if len(self.data) > LONGEST:
            raise BadFrame(f"object {self.index:04X}h has more than {LONGEST} bytes")
        self._toggle ^= 1
        return bool(command & 1)


def download(index: int, sub: int, data: bytes) -> bytes:
    """The frame that writes up to four bytes."""
    return bytes([0x23 | (4 - len(data)) << 2]) + struct.pack("<HB", index, sub) + data.ljust(4, b"\0")


def abort(index: int, sub: int) -> bytes:
    """Tell the device that nobody waits any more."""
    return struct.pack("<BHBI", ABORT, index, sub, TIMED_OUT)


def written(frame: bytes, name: bytes) -> None:
    """Check the confirmation of a download; raises DeviceRefused or BadFrame."""
    check(frame, name)
    if frame[0] >> 5 != 3:
        raise BadFrame(f"{frame.hex(' ')} is no answer to a write")


def names(frame: bytes, name: bytes) -> bool:
    """Whether an initiate answer or an abort is about an object."""
    return frame[1:4] == name


def check(frame: bytes, name: bytes) -> None:
    """What every answer must be; raises DeviceRefused when it is an abort of this transfer, or BadFrame."""
    if len(frame) != FRAME:
        raise BadFrame(f"an SDO has {FRAME} bytes, {len(frame)} came")
    if frame[0] == ABORT:
        if not names(frame, name):
            raise BadFrame(f"{frame.hex(' ')} ends another transfer")
        raise aborted(struct.unpack_from("<I", frame, 4)[0])
