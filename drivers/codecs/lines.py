"""Lines of text: a command, an end mark, an answer, an end mark; or an answer of so many bytes.

Most instruments with a serial port speak like this. Everything particular stands in the profile, so that a new device
is data only.
"""

import struct
from collections.abc import Sequence

from config.profile import Access, Point, Profile, ValueType
from config.wire import LineSettings, LinesWire
from drivers.codecs.exchange import Fetch, PlainCodec, Raw, Store, by_key
from drivers.codecs.text import command, compiled, decode, matched, shown
from drivers.errors import BadFrame, DeviceRefused

BINARY = {
    ValueType.U8: "<B",
    ValueType.I8: "<b",
    ValueType.U16: "<H",
    ValueType.I16: "<h",
    ValueType.U32: "<I",
    ValueType.I32: "<i",
    ValueType.F32: "<f",
}


class LinesCodec(PlainCodec):
    """A device that speaks in lines."""

    def __init__(self, profile: Profile, address: int | None) -> None:
        self._line = profile.line or LineSettings()
        self._address = address
        self._end = self._line.answer_end.encode("latin-1")

    def plan(self, points: Sequence[Point]) -> tuple[Fetch, ...]:
        """Points of the same command share its answer."""
        return by_key(points, lambda point: _wire(point).read)

    def ask(self, fetch: Fetch) -> bytes:
        """The command and the end mark."""
        return self._sent(str(fetch.key).format(address=self._address or 0))

    def _sent(self, text: str) -> bytes:
        return (text + self._line.send_end).encode("latin-1")

    def read(self, fetch: Fetch, frame: bytes) -> Sequence[Raw]:
        """Values of an answer."""
        wire = _wire(fetch.points[0])
        if wire.length is not None:
            return [_binary(point, frame) for point in fetch.points]
        text = self._text(frame, self.ask(fetch))
        return [matched(point, _wire(point), text) for point in fetch.points]

    def _text(self, frame: bytes, sent: bytes) -> str:
        """An answer without its end mark and echo; raises BadFrame or DeviceRefused."""
        if not frame.endswith(self._end):
            raise BadFrame(f"{shown(frame)} has no end")
        if self._line.echo:
            if not frame.startswith(sent):
                raise BadFrame(f"{shown(frame)} does not repeat the command")
            frame = frame[len(sent) :]
        text = decode(frame[: len(frame) - len(self._end)], self._line.encoding)
        for error in self._line.errors:
            if compiled(error.matches).fullmatch(text):
                raise DeviceRefused(error.kind, f"{error.text} ({shown(text.encode())})")
        return text

    def tell(self, store: Store) -> bytes:
        """The command for a value or a state."""
        return self._sent(command(_wire(store.point), store, self._address))

    def wrote(self, store: Store, frame: bytes) -> None:
        """The answer must be the one that the profile expects."""
        expected = _wire(store.point).written
        text = self._text(frame, self.tell(store))
        if expected is None or compiled(expected).fullmatch(text) is None:
            raise BadFrame(f"{shown(frame)} does not confirm the write of {store.point.name}")

    def answered(self, request: Fetch | Store) -> bool:
        """A write is answered where the profile says what with."""
        return isinstance(request, Fetch) or _wire(request.point).written is not None or self._line.echo

    def cut(self, buffer: bytes, request: Fetch | Store) -> int:
        """Up to the end mark, or so many bytes."""
        if isinstance(request, Fetch) and (length := _wire(request.points[0]).length) is not None:
            return length if len(buffer) >= length else 0
        begin = 0
        if self._line.echo:
            sent = self.ask(request) if isinstance(request, Fetch) else self.tell(request)
            begin = len(sent)
            if not sent.startswith(buffer[:begin]):
                raise BadFrame(f"{shown(buffer)} does not repeat the command")
        end = buffer.find(self._end, begin)
        if end < 0 and len(buffer) > self._line.most:
            raise BadFrame(f"{len(buffer)} bytes came without an end")
        return 0 if end < 0 else end + len(self._end)

    def select(self) -> tuple[bytes, Fetch] | None:
        """Some devices listen only after their address was called."""
        if self._line.select is None:
            return None
        text = self._line.select.format(address=self._address or 0)
        wire = LinesWire(read=text, answer=f"(?P<value>{self._line.selected or '.*'})")
        point = Point(
            name="address",
            description="Its address",
            access=Access.READ,
            type=ValueType.TEXT,
            lines=wire,
            source="codec",
        )
        return self._sent(text), Fetch((point,), text)


def _binary(point: Point, frame: bytes) -> float:
    wire, form = _wire(point), BINARY[point.type]
    tail = wire.tail.encode("latin-1")
    if len(frame) != wire.length or not frame.endswith(tail):
        raise BadFrame(f"{shown(frame)} is not {wire.length} bytes that end with {shown(tail)}")
    if wire.at + struct.calcsize(form) > len(frame) - len(tail):
        raise BadFrame(f"{shown(frame)} is too short for {point.name}")
    return float(struct.unpack_from(form, frame, wire.at)[0])


def _wire(point: Point) -> LinesWire:
    wire = point.lines
    assert wire is not None  # noqa: S101 - config.checks.profile
    return wire
