"""The oracle's process image: value, status and source of every tag, what outputs are asked for, ramps and forces.

One part of the plain-Python reference of docs/reference/scan.md; `oracle.py` says how the parts belong together.
"""

import math
import struct
from collections import namedtuple
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.tables import Status, SystemTag, TagFlag, TagKind

NAN = math.nan
WRITABLE = (TagKind.SETPOINT, TagKind.OUTPUT)


def rows(table: NDArray[np.void]) -> list[Any]:
    """Turn a structured array into named tuples of Python numbers."""
    row_type = namedtuple("Row", table.dtype.names or ())  # noqa: PYI024 (the columns are known only here)
    return [row_type(*row) for row in table.tolist()]


def quality(status: int) -> int:
    """Return 0 for Good, 1 for Uncertain, 2 for Bad."""
    if status & 0x80000000:
        return 2
    return 1 if status & 0x40000000 else 0


def clamp(x: float, low: float, high: float) -> float:
    """Limit a value; a NaN passes through."""
    return low if x < low else high if x > high else x  # noqa: FURB136 (the words of the specification)


class Ramp(NamedTuple):
    """A value on its way; `auxiliary` ramps were started by a pause, hold, stop … block or the safe sequence."""

    target: float
    increment: float
    auxiliary: bool


class Posting(NamedTuple):
    """What an instrument said last."""

    value: float
    status: int
    source_ns: int
    arrival: int


class OracleImage:
    """Tags with their present state. The scan's section "Reading and writing"."""

    def __init__(self, tags: NDArray[np.void]) -> None:
        self.tags = rows(tags)
        count = len(self.tags)
        self.value = [0.0] * count
        self.status = [int(Status.GOOD)] * count
        self.source = [0] * count
        self.demand = [0.0] * count
        self.ramp: list[Ramp | None] = [None] * count
        self.rate: Callable[[int, float], tuple[float, int]] = lambda _tag, _window: (NAN, 2)  # see oracle_rate
        self.forced: dict[int, float] = {}
        self.latched: dict[int, Posting] = {}  # of inputs that have spoken
        for index, tag in enumerate(self.tags):
            self._start(index, tag)
        self.row_before = [(struct.pack("<d", v), s) for v, s in zip(self.value, self.status, strict=True)]

    def _start(self, index: int, tag: Any) -> None:
        if tag.kind == TagKind.COMPUTED and tag.flags & TagFlag.OTHERWISE:
            self.value[index] = tag.initial
        elif tag.kind in (TagKind.INPUT, TagKind.COMPUTED):
            self.value[index], self.status[index] = NAN, int(Status.BAD_WAITING_FOR_INITIAL_DATA)
        elif tag.kind == TagKind.SETPOINT:
            self.value[index] = tag.initial
        elif tag.kind == TagKind.OUTPUT:
            self.value[index] = self.demand[index] = tag.safe
        elif index == SystemTag.STEP:
            self.value[index] = -1.0

    def of_kind(self, kind: TagKind) -> list[int]:
        """Return the indices of all tags of a kind."""
        return [index for index, tag in enumerate(self.tags) if tag.kind == kind]

    def q(self, index: int) -> int:
        """Return the quality of a tag."""
        return quality(self.status[index])

    def present(self, index: int) -> float:
        """Return what a loop or ramp starts from: the demand of an output, else the value."""
        return self.demand[index] if self.tags[index].kind == TagKind.OUTPUT else self.value[index]

    def write(self, index: int, x: float, *, by_ramp: bool = False) -> None:
        """Write to a set point or an output's demand; drops a NaN, cancels the ramp."""
        if math.isnan(x):
            return
        tag = self.tags[index]
        x = clamp(x, tag.low, tag.high)
        if tag.kind == TagKind.SETPOINT:
            self.value[index], self.status[index] = x, int(Status.GOOD)
        else:
            self.demand[index] = x
        if not by_ramp:
            self.ramp[index] = None

    def make_bad(self, index: int) -> None:
        """Leave a set point without a value, because what it should have stored is unknown."""
        self.value[index], self.status[index], self.ramp[index] = NAN, int(Status.BAD), None

    def cancel_ramps(self) -> None:
        """Stop every ramp where it is."""
        self.ramp = [None] * len(self.tags)
