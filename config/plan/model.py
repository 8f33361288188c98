"""What a plan is made of."""

from dataclasses import dataclass
from typing import Literal

from config.tool import Action, Guard


@dataclass(frozen=True)
class Restore:
    """Give tags back what a pause or hold found them at, ramps included."""

    tags: tuple[str, ...]


Block = tuple[Action | Restore, ...]
"""What a change of run state does, in order."""


@dataclass(frozen=True)
class PlannedStep:
    """A step; or a cycle of steps (`steps`, `repeat`); or branches that run side by side (`parallel`)."""

    name: str
    owner: Literal["tool", "recipe"]
    actions: tuple[Action, ...] = ()
    planned_s: float = 0.0
    """Expected length of one pass; of a group: 0, see `total_s`."""
    operation: str | None = None
    """Operation of the tool that the step belongs to."""
    path: str | None = None
    """Where it stands in the recipe: `recipe_steps[3]`."""
    guard: Guard | None = None
    pause: Block = ()
    resume: Block = ()
    hold: Block = ()
    restart: Block = ()
    stop: Block | None = None
    """None: a stop runs the tool's safe sequence."""
    timers_while_paused: bool = False
    timers_while_held: bool = False
    repeat: int = 1
    steps: tuple["PlannedStep", ...] = ()
    parallel: tuple[tuple["PlannedStep", ...], ...] = ()


@dataclass(frozen=True)
class Plan:
    """Everything that one run does."""

    name: str
    kind: Literal["recipe", "operation"]
    steps: tuple[PlannedStep, ...]
    planned_s: float
    """Expected length, repetitions included."""
    bound_s: float | None = None
    """An operation has ended after this time."""
