"""From the scan's gated outputs to the buses: what changed since the last look."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drivers.bus import Bus
from drivers.device import Device


class Outputs:
    """Every output tag that an instrument has to follow.

    Args:
        buses: whose devices write.
    """

    def __init__(self, buses: Sequence[Bus]) -> None:
        self._targets: list[tuple[Bus, Device, str]] = []
        tags: list[int] = []
        for bus in buses:
            for device in bus.devices:
                for bound in device.outputs:
                    tags.append(bound.tag)
                    self._targets.append((bus, device, bound.point))
        self._tags = np.array(tags, np.intp)
        self._last = np.full(len(tags), np.nan)

    def follow(self, values: NDArray[np.float64]) -> None:
        """Hand on what changed in the process image (`values` by tag)."""
        now = values[self._tags]
        for index in np.flatnonzero(now != self._last):
            if np.isfinite(now[index]):
                bus, device, point = self._targets[index]
                bus.want(device, point, float(now[index]))
        self._last = now
