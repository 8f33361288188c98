"""What the wire carried, as values with a status: scale, bits, states, quality rules, limits, plausibility."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config.profile import Plausible, Point, ValueType
from drivers.codecs.exchange import Raw, Store
from drivers.errors import DeviceRefused

GOOD = 0x00000000
UNCERTAIN_INACCURATE = 0x40930000  # Uncertain_SensorNotAccurate, OPC UA Part 8, 6.3
BAD_CONFIGURATION = 0x80890000
BAD_DEVICE = 0x808B0000
BAD_SENSOR = 0x808C0000
BAD_OUT_OF_RANGE = 0x803C0000
BAD_NO_COMMUNICATION = 0x80310000
_WHOLE = frozenset({ValueType.U8, ValueType.I8, ValueType.U16, ValueType.I16, ValueType.U32, ValueType.I32})
HELD_BACK = 0xFFFFFFFF
"""No status: the reading waits for a second one that agrees, and is not posted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One point's value.

    Attributes:
        value: in the point's unit; NaN for a text.
        status: OPC UA status code, or HELD_BACK.
        text: of a text.
        raw: what the wire carried, where it was a number.
    """

    value: float
    status: int
    text: str = ""
    raw: float = math.nan


Latest = Mapping[str, Reading]


class Decoder:
    """Readings of the points of one exchange.

    Args:
        points: in the order of the exchange.
        latest: newest reading of every point of the device, for status points.
    """

    def __init__(self, points: Sequence[Point], latest: Latest) -> None:
        self.points = points
        self._latest = latest
        self._numeric = not any(point.type in {"text", "hex", "number"} for point in points)
        self._particular = [n for n, point in enumerate(points) if is_particular(point)]
        self._scale = np.array([point.scale for point in points])
        self._offset = np.array([point.offset for point in points])
        self._low = np.array([point.low for point in points])
        self._high = np.array([point.high for point in points])
        self._good: dict[str, float] = {}
        self._candidate: dict[str, float] = {}

    def __call__(self, raws: Sequence[Raw]) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
        """Values and status codes."""
        values, status, _ = self.read(raws)
        return values, status

    def read(self, raws: Sequence[Raw]) -> tuple[NDArray[np.float64], NDArray[np.uint32], dict[int, Reading]]:
        """Values, status codes, and by position the readings of points with rules of their own."""
        plain = raws if self._numeric else [raw if isinstance(raw, float | int) else math.nan for raw in raws]
        values = np.array(plain, np.float64) * self._scale + self._offset
        # Comparisons with NaN are false: what is no number is out of range.
        status = np.where((values >= self._low) & (values <= self._high), GOOD, BAD_OUT_OF_RANGE).astype(np.uint32)
        special: dict[int, Reading] = {}
        for n in self._particular:
            reading = self.single(self.points[n], raws[n])
            values[n], status[n], special[n] = reading.value, reading.status, reading
        return values, status, special

    def forget(self) -> None:
        """After a break nothing is known that a new value could be compared with."""
        self._good.clear()
        self._candidate.clear()

    def single(self, point: Point, raw: Raw) -> Reading:
        """One point by all of its rules."""
        number = raw if isinstance(raw, float | int) else math.nan
        text = raw if isinstance(raw, str) else ""
        if raw in point.quality.bad:
            return Reading(math.nan, BAD_SENSOR, text, number)
        value = _value(point, raw)
        if value is None:
            status = GOOD if text and not point.states else BAD_OUT_OF_RANGE
            return Reading(math.nan, status, text, number)
        if not point.low <= value <= point.high:
            return Reading(value, BAD_OUT_OF_RANGE, text, number)
        status = UNCERTAIN_INACCURATE if raw in point.quality.uncertain else GOOD
        if point.quality.status is not None:
            said = self._latest.get(point.quality.status)
            if said is None or said.status != GOOD or said.value not in point.quality.good:
                return Reading(value, BAD_SENSOR, text, number)
        if point.plausible is not None and not self._believable(point.name, point.plausible, value):
            return Reading(value, HELD_BACK, text, number)
        return Reading(value, status, text, number)

    def _believable(self, name: str, rule: Plausible, value: float) -> bool:
        known = self._good.get(name)
        candidate = self._candidate.pop(name, None)
        if (known is None or not near(rule, known, value)) and (candidate is None or not near(rule, candidate, value)):
            self._candidate[name] = value
            return False
        self._good[name] = value
        return True


def is_particular(point: Point) -> bool:
    """Whether a point has rules beyond scale and limits."""
    rule = point.quality
    return bool(
        point.states or point.bits or point.plausible or rule.bad or rule.uncertain or rule.status
    ) or point.type in {"text", "hex"}


def near(rule: Plausible, a: float, b: float) -> bool:
    """Whether a step from one value to the other may be taken at once."""
    if rule.step is not None and abs(a - b) <= rule.step:
        return True
    if rule.factor is None:
        return False
    low, high = sorted((abs(a), abs(b)))
    return (a >= 0) == (b >= 0) and high <= low * rule.factor


def to_store(point: Point, value: float, latest: Latest) -> Store:
    """Turn a value in the point's unit into what is written.

    Raises:
        DeviceRefused: it may not be written: not finite, out of the point's limits, no such state, or the other bits of
            its register are not known.
    """
    if not point.low <= value <= point.high:  # false for NaN
        raise DeviceRefused("configuration", f"{value:g} is outside {point.low:g} … {point.high:g} of {point.name}")
    if point.states:
        if value != int(value) or not 0 <= int(value) < len(point.states):
            raise DeviceRefused("configuration", f"{point.name} has no state {value:g}")
        state = point.states[int(value)]
        return Store(point, state.raw, state.name)
    raw = (value - point.offset) / point.scale
    if point.bits is not None:
        first, count = point.bits
        known = latest.get(point.name)
        if known is None or not math.isfinite(known.raw):
            raise DeviceRefused("bad", f"the other bits of the register of {point.name} are not known yet")
        mask = (1 << count) - 1
        raw = float(int(known.raw) & ~(mask << first) | (round(raw) & mask) << first)
    return Store(point, raw)


def carried(point: Point, value: float) -> float:
    """What is left of a value in the point's unit when the wire carries whole numbers."""
    if point.type not in _WHOLE or point.states or not math.isfinite(value):
        return value
    return round((value - point.offset) / point.scale) * point.scale + point.offset


def _value(point: Point, raw: Raw) -> float | None:
    """Value of a raw reading; None for one that has none."""
    if point.bits is not None and isinstance(raw, float | int) and math.isfinite(raw):
        first, count = point.bits
        raw = float(int(raw) >> first & (1 << count) - 1)
    if point.states:
        return next((float(n) for n, state in enumerate(point.states) if state.raw == raw), None)
    if isinstance(raw, str):
        return None
    return raw * point.scale + point.offset
