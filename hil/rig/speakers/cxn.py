"""T&C Power Conversion as a generator or match speaks: `*`, then `R`, address, length, data and the sum of all bytes.

A request is `C`, address, command word, two parameter words, sum, big-endian. Requests may carry any address; answers
carry the device's own. Source: the published driver pymeasure.instruments.tcpowerconversion.CXN (MIT), read for facts.
"""

from collections.abc import Iterable

from config.profile import ValueType
from hil.rig.instrument import Instrument
from hil.rig.raw import Refused
from hil.rig.speaker import Speaker

ACK, NAK = b"*", b"?"
LENGTH = 10
SIZES = {ValueType.U8: 1, ValueType.I8: 1, ValueType.U16: 2, ValueType.I16: 2, ValueType.U32: 4, ValueType.I32: 4}


class CxnSpeaker(Speaker):
    """One device on its line."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        super().__init__(tuple(instruments))

    def cut(self, buffer: bytearray) -> bytes | None:
        """Ten bytes from `C` on."""
        start = buffer.find(b"C")
        if start < 0:
            buffer.clear()
            return None
        del buffer[:start]
        if len(buffer) < LENGTH:
            return None
        request = bytes(buffer[:LENGTH])
        del buffer[:LENGTH]
        return request

    def whose(self, request: bytes) -> Instrument | None:
        """The one that is there."""
        _ = request
        return self.sole

    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """Acknowledged, with a reply where one is due; `?` where it is not understood."""
        if sum(request[:-2]) & 0xFFFF != int.from_bytes(request[-2:], "big"):
            return NAK
        command = int.from_bytes(request[2:4], "big")
        value = int.from_bytes(request[4:6], "big")
        try:
            asked = [point for point in instrument.points.values() if point.cxn and point.cxn.read == command]
            if asked:
                instrument.heard()
                return ACK + reply(instrument, self._data(instrument, command))
            for point in instrument.points.values():
                wire = point.cxn
                if wire is not None and wire.write == command:
                    instrument.tell(point.name, float(value))
                    instrument.heard(wrote=point.name)
                    granted = reply(instrument, int(value != 0).to_bytes(2, "big")) if wire.granted else b""
                    return ACK + granted
        except Refused:
            return NAK
        return NAK

    def refuse(self, request: bytes) -> bytes:
        """`?`."""
        _ = request
        return NAK

    def misaddress(self, reply: bytes) -> bytes:
        """Another device's reply with a sound sum."""
        if len(reply) < 6:
            return reply
        body = reply[1:2] + bytes([reply[2] ^ 1]) + reply[3:-2]
        return reply[:1] + body + (sum(body) & 0xFFFF).to_bytes(2, "big")

    @staticmethod
    def _data(instrument: Instrument, command: int) -> bytes:
        points = [point for point in instrument.points.values() if point.cxn and point.cxn.read == command]
        data = bytearray(max(point.cxn.length for point in points if point.cxn is not None))
        for point in points:
            wire = point.cxn
            if wire is None:
                continue
            size = SIZES[point.type]
            raw = instrument.ask(point.name)
            number = 0 if isinstance(raw, str) else int(raw)
            first, bits = point.bits or (0, 8 * size)
            word = int.from_bytes(data[wire.at : wire.at + size], "big")
            word |= (number & ((1 << bits) - 1)) << first
            data[wire.at : wire.at + size] = word.to_bytes(size, "big")
        return bytes(data)


def reply(instrument: Instrument, data: bytes) -> bytes:
    """`R`, address, length, data, sum."""
    body = b"R" + bytes([instrument.address or 0]) + len(data).to_bytes(2, "big") + data
    return body + (sum(body) & 0xFFFF).to_bytes(2, "big")
