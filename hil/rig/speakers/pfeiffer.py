"""Pfeiffer Vacuum's telegram as a drive unit speaks it: `1230030902=?112` in, `1231030906000000…` out.

Address 3, action 2 (00 query, 10 command and answer), parameter 3, length 2, data, sum modulo 256 in 3 digits, CR.
Source: Pfeiffer Vacuum, TC 400 operating instructions, Pfeiffer Vacuum protocol.
"""

import math
from collections.abc import Iterable

from config.profile import Point
from hil.rig.instrument import Instrument
from hil.rig.raw import Raw, Reason, Refused
from hil.rig.speaker import Speaker

CR = b"\r"
MOST = 64
WORDS: dict[Reason, str] = {"unknown": "NO_DEF", "not_understood": "NO_DEF", "read_only": "_LOGIC", "range": "_RANGE",
                            "mode": "_LOGIC"}  # fmt: skip


class PfeifferSpeaker(Speaker):
    """Drive units on an RS-485 line."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        super().__init__(tuple(instruments))
        self._points = {
            id(one): {point.pfeiffer.parameter: point for point in one.points.values() if point.pfeiffer is not None}
            for one in self.instruments
        }

    def cut(self, buffer: bytearray) -> bytes | None:
        """Up to CR."""
        at = buffer.find(CR)
        if at < 0:
            if len(buffer) > MOST:
                buffer.clear()
            return None
        request = bytes(buffer[: at + 1])
        del buffer[: at + 1]
        return request

    def whose(self, request: bytes) -> Instrument | None:
        """A telegram with a sound sum, by its address."""
        body, check = request[:-4], request[-4:-1]
        if len(body) < 10 or not request[:10].isdigit() or check != f"{sum(body) % 256:03d}".encode():
            return None
        if int(request[8:10]) != len(body) - 10:
            return None
        return self.by_address.get(int(request[:3]))

    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """The value, or the command repeated, or a word of refusal."""
        parameter = int(request[5:8])
        data = request[10:-4].decode("ascii", "replace")
        try:
            said = self._carry_out(instrument, self._points[id(instrument)].get(parameter), request[3:5], data)
        except Refused as refused:
            said = WORDS[refused.reason]
        return telegram(int(request[:3]), parameter, said) if said else b""

    @staticmethod
    def _carry_out(instrument: Instrument, point: Point | None, action: bytes, data: str) -> str:
        if point is None:
            raise Refused("unknown")
        if action == b"00" and data == "=?":
            said = written(point, instrument.ask(point.name))
            instrument.heard()
            return said
        if action == b"10":
            instrument.tell(point.name, understood(point, data))
            instrument.heard(wrote=point.name)
            return data
        return ""

    def refuse(self, request: bytes) -> bytes:
        """_LOGIC: not now."""
        return telegram(int(request[:3]), int(request[5:8]), "_LOGIC")

    def misaddress(self, reply: bytes) -> bytes:
        """The neighbour's address with a sound sum."""
        return telegram(int(reply[:3]) % 255 + 1, int(reply[5:8]), reply[10:-4].decode("ascii", "replace"))


def telegram(address: int, parameter: int, data: str) -> bytes:
    """An answer: action 10."""
    body = f"{address:03d}10{parameter:03d}{len(data):02d}{data}".encode("ascii", "replace")
    return body + f"{sum(body) % 256:03d}".encode() + CR


def written(point: Point, raw: Raw) -> str:
    """A value as its data type is written."""
    kind = point.pfeiffer.data_type if point.pfeiffer is not None else 1
    if isinstance(raw, str):
        return raw[:6].ljust(6) if kind == 4 else raw[:16].ljust(16)
    match kind:
        case 0:
            return "111111" if raw else "000000"
        case 2:
            return f"{min(max(round(raw * 100), 0), 999999):06d}"
        case 6:
            return "1" if raw else "0"
        case 7:
            return f"{min(max(round(raw), 0), 999):03d}"
        case 10:
            exponent = math.floor(math.log10(raw)) if raw > 0 else 0
            return f"{min(round(raw / 10.0**exponent * 1000), 9999):04d}{exponent + 20:02d}"
        case _:
            return f"{min(max(round(raw), 0), 999999):06d}"


def understood(point: Point, data: str) -> Raw:
    """Data of a command as a value; raises Refused for what is none."""
    kind = point.pfeiffer.data_type if point.pfeiffer is not None else 1
    if kind in {4, 11}:
        return data.strip()
    size = {6: 1, 7: 3}.get(kind, 6)
    if len(data) != size or not data.isdigit():
        raise Refused("range")
    match kind:
        case 0:
            return {"111111": 1.0, "000000": 0.0}.get(data, math.nan)
        case 2:
            return int(data) / 100
        case 10:
            return int(data[:4]) / 1000 * 10.0 ** (int(data[4:]) - 20)
        case _:
            return float(int(data))
