"""Pfeiffer Vacuum's telegram: address, action, parameter, length, data, sum modulo 256, all as digits, then CR.

Source: Pfeiffer Vacuum, Electronic drive unit TC 400 operating instructions, Pfeiffer Vacuum protocol for RS-485, with
the printed query `1230030902=?112`.
"""

import re
from collections.abc import Sequence

from config.profile import Point
from config.wire import PfeifferWire
from drivers.codecs.exchange import Fetch, PlainCodec, Raw, Store, by_key
from drivers.codecs.text import decode, shown
from drivers.errors import BadFrame, DeviceRefused, Refusal

END = b"\r"
MOST = 128
ERRORS: dict[str, tuple[Refusal, str]] = {
    "NO_DEF": ("configuration", "the parameter does not exist"),
    "_RANGE": ("configuration", "the value is out of range"),
    "_LOGIC": ("bad", "the parameter cannot be used now"),
}
LENGTHS = {0: 6, 1: 6, 2: 6, 4: 6, 6: 1, 7: 3, 10: 6, 11: 16}
"""Characters of each data type."""
TRUE, FALSE = {0: "111111", 6: "1"}, {0: "000000", 6: "0"}


class PfeifferCodec(PlainCodec):
    """One device on the line."""

    def __init__(self, address: int) -> None:
        self._address = f"{address:03d}"

    def plan(self, points: Sequence[Point]) -> tuple[Fetch, ...]:
        """One parameter, one telegram."""
        return by_key(points, lambda point: _wire(point).parameter)

    def ask(self, fetch: Fetch) -> bytes:
        """A query."""
        return _telegram(f"{self._address}00{fetch.key:03d}02=?")

    def read(self, fetch: Fetch, frame: bytes) -> Sequence[Raw]:
        """Value of an answer."""
        data = self._data(frame, int(fetch.key))
        return [_value(point, data) for point in fetch.points]

    def tell(self, store: Store) -> bytes:
        """A command."""
        data = _data(_wire(store.point).data_type, float(store.raw))
        return _telegram(f"{self._address}10{_wire(store.point).parameter:03d}{len(data):02d}{data}")

    def wrote(self, store: Store, frame: bytes) -> None:
        """The answer repeats the command."""
        wire = _wire(store.point)
        if self._data(frame, wire.parameter) != _data(wire.data_type, float(store.raw)):
            raise BadFrame(f"{shown(frame)} does not repeat the command")

    def cut(self, buffer: bytes, request: Fetch | Store) -> int:
        """Up to CR."""
        _ = request
        end = buffer.find(END)
        if end < 0 and len(buffer) > MOST:
            raise BadFrame(f"{len(buffer)} bytes came without an end")
        return end + 1

    def _data(self, frame: bytes, parameter: int) -> str:
        text = decode(frame)
        head = f"{self._address}10{parameter:03d}"
        if not re.fullmatch(r"\d{10}.*\d{3}\r", text, re.ASCII | re.DOTALL):
            raise BadFrame(f"{shown(frame)} is no telegram")
        if sum(frame[:-4]) % 256 != int(text[-4:-1]):
            raise BadFrame(f"the check sum of {shown(frame)} is wrong")
        data = text[10:-4]
        if not text.startswith(head) or len(data) != int(text[8:10]):
            raise BadFrame(f"{shown(frame)} is no answer for parameter {parameter} of device {self._address}")
        if data in ERRORS:
            kind, words = ERRORS[data]
            raise DeviceRefused(kind, f"{data}: {words}")
        return data


def _telegram(text: str) -> bytes:
    body = text.encode("ascii")
    return body + f"{sum(body) % 256:03d}".encode("ascii") + END


def _value(point: Point, data: str) -> Raw:
    kind = _wire(point).data_type
    if len(data) != LENGTHS[kind]:
        raise BadFrame(f"{shown(data.encode())} is not {LENGTHS[kind]} characters long")
    if kind in TRUE:
        if data not in {TRUE[kind], FALSE[kind]}:
            raise BadFrame(f"{shown(data.encode())} is neither true nor false")
        return float(data == TRUE[kind])
    if kind in {4, 11}:
        return data.strip()
    if not (data.isascii() and data.isdigit()):
        raise BadFrame(f"{shown(data.encode())} is no number")
    if kind == 10:  # 4 digits of mantissa in thousandths, 2 of the exponent + 20
        return int(data[:4]) / 1000 * 10.0 ** (int(data[4:]) - 20)
    return int(data) / 100 if kind == 2 else float(data)


def _data(kind: int, value: float) -> str:
    if kind in TRUE:
        return TRUE[kind] if value else FALSE[kind]
    if kind == 10:
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{round(float(mantissa) * 1000):04d}{int(exponent) + 20:02d}"
    return f"{round(value * 100 if kind == 2 else value):0{LENGTHS[kind]}d}"


def _wire(point: Point) -> PfeifferWire:
    wire = point.pfeiffer
    assert wire is not None  # noqa: S101 - config.checks.profile
    return wire
