"""The simulated furnace as one step function, and what tests and metrology may see of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.furnace.parameters import Parameters
from hil.parts.wiring import Sensor

SLOW_S: float
"""Heat, film and thermocouples step at this period."""
SNAP_K: float
"""Spike temperature at which the independent over-temperature controller opens the contactor."""
SPECIES_NAMES: tuple[str, ...]
SITUATIONS_BY_NAME: dict[str, int]
"""Contacts and supplies that a fault script may change, with their index in the model."""
NORMAL: dict[str, float]
"""Their values when all is well."""

class Model:
    """A furnace, its instruments and its clock.

    Args:
        parameters: what it is made of.
        outputs: indices of the outputs that it obeys (hil.furnace.wiring.outputs).
        sensors: its instruments.
        period_s: of the scan, at most 0.1 s.
        seed: of all that is random.
    """

    def __init__(
        self,
        parameters: Parameters,
        outputs: Mapping[str, int | Sequence[int] | Mapping[str, int]],
        sensors: Sequence[Sensor],
        period_s: float,
        seed: int,
    ) -> None: ...
    @property
    def capsule(self) -> Any:
        """PyCapsule "cvd.plant"; the model must outlive its use."""
    @property
    def sensor_index(self) -> dict[str, int]:
        """Index of each instrument by the name of its tag."""
    def order(self, at_s: float, kind: int, index: int, value: float) -> None:
        """Hand an order over; `at_s` in the plant's own time, negative for the next step.

        Raises:
            BufferError: too many wait for the plant to step.
        """
    def advance(
        self, values: NDArray[np.float64], steps: int
    ) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.int64]]:
        """Step without a scan; return each tag's last posting, its status and how often it posted."""
    def thickness(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the film on every wafer by ring, m: (oxide, silicon), each [wafers, rings]."""
    def tilts(self) -> NDArray[np.float64]:
        """Return the seeded tilt of the film on every wafer, [wafers, 2], relative at the edge."""
    def repeatability(self, seed: int, count: int) -> NDArray[np.float64]:
        """Return normal numbers of a generator of its own, so that measuring changes nothing."""
    def state(self) -> dict[str, Any]:
        """Return everything that a test may want to know, SI units."""
