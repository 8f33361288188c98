"""Model predictive control with a fixed number of operations: for the scan, and as a library."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

class Mpc:
    """One predictor with its estimate, for tests and as a library."""

    def __init__(
        self,
        states: int,
        channels: int,
        measured: int,
        points: int,
        blocks: int,
        iterations: int,
        rho: float,
        sigma: float,
        relax: float,
        numbers: ArrayLike,
    ) -> None: ...
    def begin(self, measured: ArrayLike) -> None:
        """Take what is measured for the state."""
    def correct(self, measured: ArrayLike, applied: ArrayLike, watch_gain: float = 0.0) -> None:
        """Follow the model for one sample with the outputs that were applied, and correct it by what is measured."""
    def forget(self) -> None:
        """Let the next search begin at no move."""
    def find(
        self, reference: ArrayLike, present: ArrayLike, low: ArrayLike, high: ArrayLike, rate: ArrayLike
    ) -> tuple[NDArray[np.float64], float]:
        """Search the moves, [blocks, channels]; the second result says by how much they fail their bounds."""
    @property
    def state(self) -> NDArray[np.float64]:
        """The estimated state, [states]."""
    @property
    def innovation(self) -> NDArray[np.float64]:
        """What was measured beyond what was expected, [measured]."""
