"""Values as a wire carries them, and the words with which an instrument says no."""

import math
from typing import Literal

from config.profile import Point, ValueType

Raw = float | str
Reason = Literal["unknown", "range", "read_only", "mode", "not_understood"]

_LIMITS = {
    ValueType.U8: (0, 0xFF),
    ValueType.I8: (-0x80, 0x7F),
    ValueType.U16: (0, 0xFFFF),
    ValueType.I16: (-0x8000, 0x7FFF),
    ValueType.U32: (0, 0xFFFFFFFF),
    ValueType.I32: (-0x80000000, 0x7FFFFFFF),
}
INTEGERS = frozenset(_LIMITS)


class Refused(Exception):  # noqa: N818 - the instrument's answer, no error of ours
    """What the instrument says no to; each speaker has its own words for the reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def to_raw(point: Point, value: float) -> Raw:
    """A value in the point's unit as the wire carries it, clipped to what fits."""
    if point.states:
        at = min(max(round(value), 0), len(point.states) - 1)
        raw: Raw = point.states[at].raw
        return raw
    if point.type is ValueType.TEXT:
        return f"{value:g}"
    raw = (value - point.offset) / point.scale
    if point.type is ValueType.BOOL:
        return float(raw >= 0.5)
    if point.type is ValueType.HEX or point.bits is not None:
        return float(round(raw))
    if point.type in INTEGERS and not math.isnan(raw):
        low, high = _LIMITS[point.type]
        return float(min(max(round(raw), low), high))
    return raw


def to_value(point: Point, raw: Raw) -> float:
    """What the wire carries, in the point's unit."""
    if point.states:
        places = [n for n, state in enumerate(point.states) if state.raw == raw]
        return float(places[0]) if places else math.nan
    return math.nan if isinstance(raw, str) else raw * point.scale + point.offset


def initial(point: Point) -> Raw:
    """What a point is before anything was measured or written."""
    if point.type is ValueType.TEXT and not point.states:
        return ""
    return to_raw(point, min(max(0.0, point.low), point.high))
