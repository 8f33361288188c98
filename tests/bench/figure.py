"""One line of the benchmark table: a measured value beside its reference, taken in the same run."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """A measured figure.

    ``reference`` is what the same run measured for ``reference_name`` (another program, another way); None
    where only the target counts. ``target`` is the sentence of the requirement.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    reference_name: str = ""
    target: str = ""
    better: Literal["lower", "higher"] = "lower"

    @property
    def ratio(self) -> float | None:
        """Value over reference; None without a reference."""
        return self.value / self.reference if self.reference else None
