"""What a tool can do by itself: service operations and the safe sequence, step by step."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from config.base import Expression, Model, Name, Seconds, TagName, Text
from config.equipment import Finding, Need, Recency


class Policy(StrEnum):
    """What follows when a wait times out or a check fails (kernels.tables.Policy)."""

    HOLD = "hold"
    ABORT = "abort"
    CONTINUE = "continue"
    STOP = "stop"


class Ramp(Model):
    """A straight line to a value."""

    to: float
    per_min: float | None = Field(default=None, gt=0)
    over_s: float | None = Field(default=None, gt=0)
    start: TagName | None = None
    """Tag whose value the ramp starts from (the process value), else the present set point."""

    @model_validator(mode="after")
    def _one_speed(self) -> Self:
        if (self.per_min is None) == (self.over_s is None):
            raise ValueError("give either per_min or over_s")
        return self


class Check(Model):
    """Something that must hold at this moment."""

    that: Expression
    otherwise: Policy = Policy.ABORT
    reason: Text


class Guard(Model):
    """Something that must hold while the step lasts."""

    that: Expression
    otherwise: Policy = Policy.HOLD
    delay_s: Seconds = 0.0


class Action(Model):
    """One step of an operation. In this order: set, ramp, then wait; then store and check; or a cycle, or branches."""

    name: Text
    set: dict[TagName, float] = Field(default_factory=dict[str, float])
    ramp: dict[TagName, Ramp] = Field(default_factory=dict[str, Ramp])
    min_s: Seconds = 0.0
    until: Expression | None = None
    timeout_s: Seconds | None = None
    on_timeout: Policy = Policy.ABORT
    store: dict[TagName, Expression] = Field(default_factory=dict[str, str])
    check: tuple[Check, ...] = ()
    guard: Guard | None = None
    repeat: int = Field(default=1, ge=1, le=1_000_000)
    steps: tuple["Action", ...] = ()
    """Body of a cycle (`repeat` times)."""
    parallel: tuple[tuple["Action", ...], ...] = ()
    """Branches that run side by side and are joined."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.until is not None and self.timeout_s is None:
            raise ValueError("a step that waits for a condition (until) needs a timeout_s")
        return self


class Operation(Model):
    """A service operation of the tool: the same kind of program as a recipe."""

    name: Name
    title: Text
    description: Text
    steps: tuple[Action, ...]
    bound_s: Seconds
    """It has ended after this time, whatever happens."""
    hold: dict[TagName, float] = Field(default_factory=dict[str, float])
    """What is written when it is held."""
    needs: tuple[Need, ...] = ()
    """What must be so before it starts."""
    requires: tuple[Recency, ...] = ()
    """Operations that must have been completed lately before it starts."""
    answers: tuple[TagName, ...] = ()
    """Set points by which a person answers it while it runs; nothing else is moved by hand then."""
    findings: tuple[Finding, ...] = ()
    """Numbers that its record keeps."""
    voids: tuple[Name, ...] = ()
    """Operations that no longer count as done once this one has started (a vent voids a leak check)."""
