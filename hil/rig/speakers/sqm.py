"""SQM-160 as the monitor speaks: `!`, length + 35, status and text, 14 bits of CRC in two characters from 34 up.

A request's length character is its length + 34. Source: INFICON, SQM-160 Operating Manual, chapter 7.
"""

from collections.abc import Iterable

from hil.rig.instrument import Instrument
from hil.rig.raw import Reason, Refused
from hil.rig.speaker import Speaker
from hil.rig.speakers.lines import confirmation
from hil.rig.speakers.text import Commands

SYNC = ord("!")
ASKED, ANSWERED = 34, 35
STATUS: dict[Reason, str] = {"unknown": "C", "not_understood": "C", "read_only": "C", "range": "D", "mode": "E"}


class SqmSpeaker(Speaker):
    """The monitor, alone on its wire."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        super().__init__(tuple(instruments))
        own = self.sole
        self._commands = Commands(own, [(point, point.sqm) for point in own.points.values() if point.sqm is not None])

    def cut(self, buffer: bytearray) -> bytes | None:
        """From `!` on; the length stands behind it."""
        start = buffer.find(SYNC)
        if start < 0:
            buffer.clear()
            return None
        del buffer[:start]
        if len(buffer) < 2:
            return None
        size = buffer[1] - ASKED + 4
        if size < 5:
            del buffer[:1]
            return None
        if len(buffer) < size:
            return None
        request = bytes(buffer[:size])
        del buffer[:size]
        return request

    def whose(self, request: bytes) -> Instrument | None:
        """Whatever has a sound check sum."""
        return self.sole if check(request[1:-2]) == request[-2:] else None

    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """Status A and text, or the letter that says no."""
        try:
            return framed("A" + self._carry_out(instrument, request[2:-2].decode("ascii", "replace")))
        except Refused as refused:
            return framed(STATUS[refused.reason])

    def _carry_out(self, instrument: Instrument, command: str) -> str:
        shared = self._commands.read(command)
        if shared:
            text = self._commands.say(command, shared)
            instrument.heard()
            instrument.character.was_asked(command)
            return text
        written = self._commands.write(command)
        if written is None:
            raise Refused("not_understood")
        point, wire, raw = written
        instrument.tell(point.name, raw)
        instrument.heard(wrote=point.name)
        return confirmation(instrument, point, wire) if wire.written else ""

    def refuse(self, request: bytes) -> bytes:
        """E: wrong mode."""
        _ = request
        return framed("E")

    def misaddress(self, reply: bytes) -> bytes:
        """A sound answer to a question that nobody asked."""
        return framed("A" + "?" * max(1, len(reply) - 5))


def framed(text: str) -> bytes:
    """An answer with its check sum."""
    body = bytes([len(text) + ANSWERED]) + text.encode("ascii", "replace")
    return bytes([SYNC]) + body + check(body)


def check(data: bytes) -> bytes:
    """The manual's CRC over everything behind the sync character."""
    register = 0x3FFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            low = register & 1
            register >>= 1
            if low:
                register ^= 0x2001
    return bytes([(register & 0x7F) + 34, (register >> 7 & 0x7F) + 34])
