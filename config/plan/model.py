"""What a plan is made of."""

from dataclasses import dataclass
from typing import Literal

from config.tool import Action, Guard, Policy


@dataclass(frozen=True)
class Restore:
    """Give tags back what a pause or hold found them at, ramps included."""

    tags: tuple[str, ...]


Block = tuple[Action | Restore, ...]
"""What a change of run state does, in order."""


@dataclass(frozen=True)
class PlannedStep:
    """A step; or a cycle of steps (`steps`, `repeat`), branches side by side (`parallel`), a choice (`when`)."""

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
    limits: tuple[Guard, ...] = ()
    """What must hold besides, each with its own answer."""
    pause: Block = ()
    resume: Block = ()
    hold: Block = ()
    restart: Block = ()
    stop: Block | None = None
    """None: a stop runs the tool's safe sequence."""
    timers_while_paused: bool = False
    timers_while_held: bool = False
    repeat: int = 1
    until: str | None = None
    """A cycle ends after the pass at whose end this is true."""
    on_exhausted: Policy = Policy.HOLD
    """What follows when it is still not true after the last."""
    steps: tuple["PlannedStep", ...] = ()
    parallel: tuple[tuple["PlannedStep", ...], ...] = ()
    when: str | None = None
    """A choice, made when the step begins: `then` where this is true, else `otherwise`."""
    then: tuple["PlannedStep", ...] = ()
    otherwise: tuple["PlannedStep", ...] = ()


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
