"""Protocol of Inficon's SQM-160: `!`, length, message, check sum of 14 bits in two characters.

A request's length character is the length of the message + 34, an answer's + 35, so that `!` stands at the beginning
only. Source: INFICON, SQM-160 Operating Manual, chapter 7 (communications), with the printed examples `!#@O7` and
`!$C?g/`.
"""

from collections.abc import Sequence

from config.profile import Point, Profile
from config.wire import SqmWire
from drivers.codecs.exchange import Fetch, PlainCodec, Raw, Store, by_key
from drivers.codecs.text import command, compiled, decode, matched, shown
from drivers.errors import BadFrame, DeviceRefused, Refusal

SYNC = 0x21
ASKED, ANSWERED = 34, 35
STATUS: dict[str, tuple[Refusal, str]] = {
    "B": ("configuration", "illegal command"),
    "C": ("configuration", "invalid command"),
    "D": ("configuration", "problem with the data of the command"),
    "E": ("bad", "wrong mode"),
}


def check_sum(data: bytes) -> bytes:
    """Check sum of everything behind the sync character."""
    crc = 0x3FFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x2001 if crc & 1 else crc >> 1
    return bytes(((crc & 0x7F) + 34, (crc >> 7 & 0x7F) + 34))


class SqmCodec(PlainCodec):
    """The monitor; it has no address."""

    def __init__(self, profile: Profile) -> None:
        _ = profile

    def plan(self, points: Sequence[Point]) -> tuple[Fetch, ...]:
        """One command, one answer."""
        return by_key(points, lambda point: _wire(point).read)

    def ask(self, fetch: Fetch) -> bytes:
        """A request."""
        return _framed(str(fetch.key).encode("ascii"))

    def read(self, fetch: Fetch, frame: bytes) -> Sequence[Raw]:
        """Values of an answer."""
        text = self._message(frame)
        return [matched(point, _wire(point), text) for point in fetch.points]

    def tell(self, store: Store) -> bytes:
        """A command."""
        return _framed(command(_wire(store.point), store, None).encode("ascii"))

    def wrote(self, store: Store, frame: bytes) -> None:
        """Status A, and what the profile expects."""
        text, expected = self._message(frame), _wire(store.point).written
        if expected is not None and compiled(expected).fullmatch(text) is None:
            raise BadFrame(f"{shown(frame)} does not confirm the write of {store.point.name}")

    def cut(self, buffer: bytes, request: Fetch | Store) -> int:
        """The length stands in the second byte."""
        _ = request
        if buffer and buffer[0] != SYNC:
            raise BadFrame(f"{shown(buffer)} does not begin with '!'")
        if len(buffer) < 2:
            return 0
        length = buffer[1] - ANSWERED
        if length < 1:
            raise BadFrame(f"{shown(buffer)} says that it is {length} bytes long")
        return 4 + length if len(buffer) >= 4 + length else 0

    def _message(self, frame: bytes) -> str:
        if len(frame) < 5 or frame[0] != SYNC or frame[1] - ANSWERED != len(frame) - 4:
            raise BadFrame(f"{shown(frame)} is no answer")
        if check_sum(frame[1:-2]) != frame[-2:]:
            raise BadFrame(f"the check sum of {shown(frame)} is wrong")
        status, text = chr(frame[2]), decode(frame[3:-2])
        if status != "A":
            kind, words = STATUS.get(status, ("bad", "refused"))
            raise DeviceRefused(kind, f"status {status}: {words}")
        return text


def _framed(message: bytes) -> bytes:
    body = bytes([len(message) + ASKED]) + message
    return bytes([SYNC]) + body + check_sum(body)


def _wire(point: Point) -> SqmWire:
    wire = point.sqm
    assert wire is not None  # noqa: S101 - config.checks.profile
    return wire
