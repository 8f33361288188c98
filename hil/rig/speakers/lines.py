"""Lines of text as a device speaks them (VAT, TDK Genesys, Edwards, IPG, Kuhne, SRS and whatever else is data only)."""

import struct
from collections.abc import Iterable

from config.profile import Point, ValueType
from config.wire import LineSettings, LinesWire
from hil.rig.instrument import Instrument
from hil.rig.raw import Reason, Refused
from hil.rig.speaker import Speaker
from hil.rig.speakers.text import Commands, Template, compose, fill, sample

INPUT_BUFFER = 4096
"""A device forgets what never ends (the RGA200's buffer is of 140 bytes; its profile's commands are shorter)."""
_BINARY = {ValueType.U8: "<B", ValueType.I8: "<b", ValueType.U16: "<H", ValueType.I16: "<h", ValueType.U32: "<I",
           ValueType.I32: "<i", ValueType.F32: "<f"}  # fmt: skip
_KINDS: dict[Reason, tuple[str, ...]] = {
    "unknown": ("configuration", "bad", "busy"),
    "not_understood": ("configuration", "bad", "busy"),
    "range": ("configuration", "bad", "busy"),
    "read_only": ("configuration", "bad", "busy"),
    "mode": ("bad", "busy", "configuration"),
}


class LinesSpeaker(Speaker):
    """Commands and answers that end with a mark; several devices on a wire are selected by a command of their own."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        super().__init__(tuple(instruments))
        self._line = self.sole.profile.line or LineSettings()
        self._commands = {
            id(one): Commands(one, [(point, point.lines) for point in one.points.values() if point.lines is not None])
            for one in self.instruments
        }
        self._selects = [
            (Template(self._line.select, one.address), one) for one in self.instruments if self._line.select is not None
        ]
        self._selected: Instrument | None = None if self._selects else self.sole

    def reset(self) -> None:
        """Nobody is selected."""
        self._selected = None if self._selects else self.sole

    def cut(self, buffer: bytearray) -> bytes | None:
        """Up to the mark that ends a command."""
        end = self._line.send_end.encode("latin-1")
        at = buffer.find(end)
        if at < 0:
            if len(buffer) > INPUT_BUFFER:
                buffer.clear()
            return None
        request = bytes(buffer[: at + len(end)])
        del buffer[: at + len(end)]
        return request

    def whose(self, request: bytes) -> Instrument | None:
        """The one selected last."""
        text = self._text(request)
        for template, instrument in self._selects:
            if template.match(text) is not None:
                self._selected = instrument
        return self._selected

    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """A value, a confirmation, or words of refusal."""
        text = self._text(request)
        echo = request if self._line.echo else b""
        if any(template.match(text) is not None for template, _ in self._selects):
            return echo + (self._end(fill_or_sample(self._line.selected)) if self._line.selected else b"")
        try:
            return echo + self._carry_out(instrument, text)
        except Refused as refused:
            return echo + self._refusal(instrument, refused.reason)

    def _carry_out(self, instrument: Instrument, text: str) -> bytes:
        commands = self._commands[id(instrument)]
        shared = commands.read(text)
        if shared:
            said = self._value(instrument, text, shared)
            instrument.heard()
            instrument.character.was_asked(text)
            return said
        written = commands.write(text)
        if written is None:
            raise Refused("not_understood")
        point, wire, raw = written
        instrument.tell(point.name, raw)
        instrument.heard(wrote=point.name)
        return self._end(confirmation(instrument, point, wire)) if wire.written is not None else b""

    def refuse(self, request: bytes) -> bytes:
        """The first error message that the profile knows."""
        _ = request
        return self._refusal(self._selected or self.sole, "range")

    def misaddress(self, reply: bytes) -> bytes:
        """An answer to another question."""
        return self._end("?" * max(1, len(reply) - len(self._line.answer_end)))

    def _value(self, instrument: Instrument, command: str, shared: list[tuple[Point, LinesWire]]) -> bytes:
        if shared[0][1].length is None:
            return self._end(self._commands[id(instrument)].say(command, shared))
        tail = shared[0][1].tail.encode("latin-1")
        data = bytearray(shared[0][1].length - len(tail))
        for point, wire in shared:
            raw = instrument.ask(point.name)
            form = _BINARY[point.type]
            struct.pack_into(form, data, wire.at, float(raw) if form == "<f" else int(float(raw)))
        return bytes(data) + tail

    def _refusal(self, instrument: Instrument, reason: Reason) -> bytes:
        own = instrument.character.error_text(reason)
        if own is not None:
            return self._end(own)
        for kind in _KINDS[reason]:
            for error in self._line.errors:
                if error.kind == kind:
                    return self._end(fill_or_sample(error.matches))
        return b""

    def _text(self, request: bytes) -> str:
        return request.decode(self._line.encoding, "replace").removesuffix(self._line.send_end).lstrip("\0\n\r")

    def _end(self, text: str) -> bytes:
        return (text + self._line.answer_end).encode("latin-1", "replace")


def confirmation(instrument: Instrument, point: Point, wire: LinesWire) -> str:
    """What confirms a write: the pattern with the value in it where it names one."""
    own = instrument.character.confirms(point.name)
    if own is not None:
        return own
    pattern = wire.written or ""
    if "?P<value>" in pattern:
        return compose({pattern: str(instrument.raw[point.name])})
    return fill_or_sample(pattern)


def fill_or_sample(pattern: str) -> str:
    """A text that matches a pattern without a value."""
    return fill(pattern, sample(".*")) if pattern else ""
