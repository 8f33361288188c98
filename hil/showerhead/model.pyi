"""The simulated showerhead reactor as one step function, and what tests and metrology may see of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.parts.wiring import Sensor
from hil.showerhead.parameters import Parameters

SLOW_S: float
"""Heat, film and thermocouples step at this period."""
SPECIES_NAMES: tuple[str, ...]

class Model:
    """A reactor, its instruments and its clock.

    Args:
        parameters: what it is made of.
        outputs: indices of the outputs that it obeys (hil.showerhead.wiring.outputs).
        sensors: its instruments.
        situations: contacts and supplies: index in the model, and value when all is well, by name.
        period_s: of the scan, at most 0.05 s.
        seed: of all that is random.
    """

    def __init__(
        self,
        parameters: Parameters,
        outputs: Mapping[str, int | Sequence[int] | Mapping[str, int]],
        sensors: Sequence[Sensor],
        situations: tuple[Mapping[str, int], Mapping[str, float]],
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
    def repeatability(self, seed: int, count: int) -> NDArray[np.float64]:
        """Return normal numbers of a generator of its own, so that measuring changes nothing."""
    def state(self) -> dict[str, Any]:
        """Return everything that a test may want to know, SI units."""
