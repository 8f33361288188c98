"""MKS gauge controllers as a device speaks: `@003PR1?;FF` in, `@003ACK7.602E+2;FF` out, `@003NAK160;FF` for no.

Source: MKS, Series 937B Operation Manual, serial communication; NAK 160 unrecognised, 169 argument, 172 out of range.
"""

import re
from collections.abc import Iterable

from hil.rig.instrument import Instrument
from hil.rig.raw import Reason, Refused
from hil.rig.speaker import Speaker
from hil.rig.speakers.lines import confirmation
from hil.rig.speakers.text import Commands

END = b";FF"
NAKS: dict[Reason, str] = {"unknown": "160", "not_understood": "160", "read_only": "160", "range": "172", "mode": "169"}
MOST = 256
_REQUEST = re.compile(rb"@(\d{3})(.*);FF", re.DOTALL)


class MksSpeaker(Speaker):
    """Several controllers may share the wire; 254 addresses whoever is there."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        super().__init__(tuple(instruments))
        self._commands = {
            id(one): Commands(one, [(point, point.mks) for point in one.points.values() if point.mks is not None])
            for one in self.instruments
        }

    def cut(self, buffer: bytearray) -> bytes | None:
        """From `@` to `;FF`."""
        start = buffer.rfind(b"@", 0, max(buffer.find(END), 0))
        if start > 0:
            del buffer[:start]
        at = buffer.find(END)
        if at < 0:
            if len(buffer) > MOST:
                buffer.clear()
            return None
        request = bytes(buffer[: at + len(END)])
        del buffer[: at + len(END)]
        return request

    def whose(self, request: bytes) -> Instrument | None:
        """By the three digits."""
        found = _REQUEST.fullmatch(request)
        if found is None:
            return None
        address = int(found[1])
        return self.sole if address == 254 else self.by_address.get(address)

    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """ACK and a value, or NAK and a number."""
        try:
            return self._reply(
                instrument, f"ACK{self._carry_out(instrument, request[4:-3].decode('ascii', 'replace'))}"
            )
        except Refused as refused:
            return self._reply(instrument, f"NAK{NAKS[refused.reason]}")

    def _carry_out(self, instrument: Instrument, command: str) -> str:
        commands = self._commands[id(instrument)]
        if command.endswith("?"):
            shared = commands.read(command[:-1])
            if not shared:
                raise Refused("not_understood")
            text = commands.say(command[:-1], shared)
            instrument.heard()
            return text
        written = commands.write(command)
        if written is None:
            raise Refused("not_understood")
        point, wire, raw = written
        instrument.tell(point.name, raw)
        instrument.heard(wrote=point.name)
        return confirmation(instrument, point, wire) if wire.written else command.partition("!")[2]

    def refuse(self, request: bytes) -> bytes:
        """NAK 160: it does not understand any more what it understood before."""
        return request[:4] + b"NAK160" + END

    def misaddress(self, reply: bytes) -> bytes:
        """The neighbour's address."""
        return f"@{int(reply[1:4]) % 253 + 1:03d}".encode() + reply[4:]

    @staticmethod
    def _reply(instrument: Instrument, text: str) -> bytes:
        return f"@{instrument.address or 0:03d}{text}".encode("ascii", "replace") + END
