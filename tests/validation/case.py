"""One line of the validation table: a published or independently computed number beside what a kernel says."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A case with its tolerance, relative to what is expected."""

    name: str
    expected: float
    got: Callable[[], float]
    tolerance: float

    def deviation(self) -> float:
        """Relative deviation."""
        return abs(self.got() / self.expected - 1.0)
