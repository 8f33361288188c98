"""Values in text, and text for values: what the codecs of spoken protocols share."""

import re
from functools import cache

from config.profile import Point, ValueType
from config.wire import LinesWire
from drivers.codecs.exchange import Raw, Store
from drivers.errors import BadFrame

_NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*", re.ASCII)
_HEX = re.compile(r"\s*(?:0[xX])?([0-9A-Fa-f]{1,8})\s*", re.ASCII)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile once."""
    return re.compile(pattern, re.ASCII | re.DOTALL)


def decode(frame: bytes, encoding: str = "ascii") -> str:
    """Bytes as text; raises BadFrame."""
    try:
        return frame.decode(encoding)
    except UnicodeDecodeError:
        raise BadFrame(f"no text: {shown(frame)}") from None


def shown(frame: bytes) -> str:
    """Bytes for a message: printable ones as they are, not too many."""
    return repr(bytes(frame[:60]))[1:] + ("…" if len(frame) > 60 else "")


def matched(point: Point, wire: LinesWire, text: str) -> Raw:
    """Value of a point in an answer that must match as a whole; raises BadFrame."""
    found = compiled(wire.answer or "").fullmatch(text)
    if found is None:
        raise BadFrame(f"{shown(text.encode())} is no answer for {point.name}")
    value = found["value"]
    if value is None:
        raise BadFrame(f"{shown(text.encode())} holds no value for {point.name}")
    return spoken(point, value)


def spoken(point: Point, value: str) -> Raw:
    """Text as the point's type says; a word that the profile calls a bad value stays a word.

    Raises:
        BadFrame: it is neither.
    """
    if point.type is ValueType.TEXT or value.strip() in point.quality.bad + point.quality.uncertain:
        return value.strip()
    found = (_HEX if point.type is ValueType.HEX else _NUMBER).fullmatch(value)
    if found is None:
        raise BadFrame(f"{shown(value.encode())} is no number for {point.name}")
    return float(int(found[1], 16)) if point.type is ValueType.HEX else float(found[1])


def command(wire: LinesWire, store: Store, address: int | None) -> str:
    """Text that writes a point."""
    template = wire.writes.get(store.state or "", wire.write or "")
    number = float(store.raw) if not isinstance(store.raw, str) else 0.0
    return template.format(value=number, raw=round(number), text=store.raw, address=address or 0)
