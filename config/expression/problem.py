"""What is wrong with an expression, and where in its text."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One fault of an expression."""

    column: int
    """Of the text, from 1."""
    reason: str

    def __str__(self) -> str:
        return f"column {self.column}: {self.reason}"


class ExpressionError(ValueError):
    """An expression cannot be used; `problems` holds every reason, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("; ".join(str(problem) for problem in self.problems))
