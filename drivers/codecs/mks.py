"""MKS serial protocol of gauge controllers: `@003PR1?;FF`, answered `@003ACK7.602E+2;FF` or `@003NAK160;FF`.

There is no check sum: what matches is taken, and a step is read twice where the profile says so (drivers.values).
Source: MKS, Series 937B Operation Manual, chapter on serial communication.
"""

from collections.abc import Sequence

from config.profile import Point, Profile
from config.wire import MksWire
from drivers.codecs.exchange import Fetch, PlainCodec, Raw, Store, by_key
from drivers.codecs.text import command, compiled, decode, matched, shown
from drivers.errors import BadFrame, DeviceRefused, Refusal

END = b";FF"
MOST = 128
NAKS: dict[str, tuple[Refusal, str]] = {
    "150": ("bad", "wrong gauge type"),
    "152": ("configuration", "no ion gauge on this channel"),
    "160": ("configuration", "unrecognised message"),
    "169": ("configuration", "invalid argument"),
    "172": ("configuration", "value out of range"),
}


class MksCodec(PlainCodec):
    """One controller on the line."""

    def __init__(self, profile: Profile, address: int | None) -> None:
        _ = profile
        self._address = f"@{address or 253:03d}".encode()

    def plan(self, points: Sequence[Point]) -> tuple[Fetch, ...]:
        """One command, one answer."""
        return by_key(points, lambda point: _wire(point).read)

    def ask(self, fetch: Fetch) -> bytes:
        """A query."""
        return self._address + f"{fetch.key}?".encode("ascii") + END

    def read(self, fetch: Fetch, frame: bytes) -> Sequence[Raw]:
        """Values of an answer."""
        text = self._acknowledged(frame)
        return [matched(point, _wire(point), text) for point in fetch.points]

    def tell(self, store: Store) -> bytes:
        """A setting: command and value with `!` between."""
        return self._address + command(_wire(store.point), store, None).encode("ascii") + END

    def wrote(self, store: Store, frame: bytes) -> None:
        """The answer repeats the value, or is what the profile expects."""
        text = self._acknowledged(frame)
        expected = _wire(store.point).written
        if expected is not None and compiled(expected).fullmatch(text) is None:
            raise BadFrame(f"{shown(frame)} does not confirm the write of {store.point.name}")

    def cut(self, buffer: bytes, request: Fetch | Store) -> int:
        """Up to `;FF`."""
        _ = request
        if not self._address.startswith(buffer[: len(self._address)]):
            raise BadFrame(f"{shown(buffer)} does not begin with {shown(self._address)}")
        end = buffer.find(END)
        if end < 0 and len(buffer) > MOST:
            raise BadFrame(f"{len(buffer)} bytes came without an end")
        return 0 if end < 0 else end + len(END)

    def _acknowledged(self, frame: bytes) -> str:
        if not (frame.startswith(self._address) and frame.endswith(END)):
            raise BadFrame(f"{shown(frame)} is no answer of this controller")
        text = decode(frame[len(self._address) : -len(END)])
        if text.startswith("NAK"):
            kind, words = NAKS.get(text[3:], ("bad", "refused"))
            raise DeviceRefused(kind, f"{text}: {words}")
        if not text.startswith("ACK"):
            raise BadFrame(f"{shown(frame)} is neither ACK nor NAK")
        return text[3:]


def _wire(point: Point) -> MksWire:
    wire = point.mks
    assert wire is not None  # noqa: S101 - config.checks.profile
    return wire
