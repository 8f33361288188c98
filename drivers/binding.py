"""Which point of a device is which tag, and what stands on the other side of the tags."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Bound:
    """A tag on a point: tag = point × gain + offset.

    Attributes:
        point: its name in the profile.
        tag: index in the process image.
        gain: unit conversion and the tool file's scaling together.
        offset: in the tag's unit.
        safe: output: value in the tag's unit that is written before everything else.
        hazardous: output: it energises something.
    """

    point: str
    tag: int
    gain: float = 1.0
    offset: float = 0.0
    safe: float = 0.0
    hazardous: bool = False

    def to_tag(self, value: float) -> float:
        """Value of the tag."""
        return value * self.gain + self.offset

    def to_point(self, value: float) -> float:
        """Value of the point."""
        return (value - self.offset) / self.gain


class Sink(Protocol):
    """Where readings go: the scan's input table (kernels.scan.Scan is one)."""

    def post_many(
        self,
        tags: NDArray[np.int32],
        values: NDArray[np.float64],
        status: NDArray[np.uint32],
        source_ns: NDArray[np.int64],
    ) -> None:
        """Post values for the next latch."""
        ...


Happening = Literal[
    "connected", "lost", "rebooted", "armed", "not_armed", "write_fault", "configuration", "other_device", "safe",
    "late_edge",
]  # fmt: skip
Report = Callable[[Happening, str, str], None]
"""Tells people: what happened, the device, the words."""


@dataclass(frozen=True)
class Surroundings:
    """What a bus needs of the controller.

    Attributes:
        sink: takes readings.
        healthy: whether the scan runs: watchdogs are fed only then.
        report: tells people.
        speed: of a rig's plant: what is posted again and again comes so many times as often. Times of wires and
            instruments stay.
        scan_s: period of the scan.
    """

    sink: Sink
    healthy: Callable[[], bool]
    report: Report
    speed: int = 1
    scan_s: float = 0.01
