"""What a crew does with a tool, as data: modes, needs before a start, results of operations, wear, work that falls due.

These are parts of a tool file (config.tool); nothing here moves anything.
"""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from config.base import Expression, Model, Name, Seconds, TagName, Text


class Role(StrEnum):
    """What a person may do; each includes nothing of the others by itself (policy: supervisor.server.access)."""

    OBSERVER = "observer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    MAINTENANCE = "maintenance"
    ADMINISTRATOR = "administrator"


Mode = Literal["Init", "Standby", "Ready", "Processing", "Maintenance", "Fault"]
"""Modes of the equipment (interface: State)."""
ChosenMode = Literal["Standby", "Ready", "Maintenance"]
"""Those that people choose; the others follow by themselves."""


class Need(Model):
    """What must be so before something starts; judged once, when somebody asks for it."""

    that: Expression
    """Unknown, since an operand is Bad, counts as not so."""
    reason: Text
    """The refusal in one line."""


class Transition(Model):
    """A change of mode that people may ask for; one that no row permits is refused."""

    origin: tuple[Mode, ...] = Field(alias="from", min_length=1)
    to: ChosenMode
    roles: tuple[Role, ...] = Field(min_length=1)
    needs: tuple[Need, ...] = ()


_HANDS = (Role.OPERATOR, Role.ENGINEER, Role.MAINTENANCE)
DEFAULT_TRANSITIONS = (
    Transition.model_validate({"from": ("Standby", "Ready", "Maintenance"), "to": "Ready", "roles": _HANDS}),
    Transition.model_validate({"from": ("Standby", "Ready", "Maintenance"), "to": "Standby", "roles": _HANDS}),
    Transition.model_validate({
        "from": ("Standby", "Ready", "Maintenance", "Fault"),
        "to": "Maintenance",
        "roles": (Role.ENGINEER, Role.MAINTENANCE),
    }),
)  # fmt: skip
"""Of a tool file that declares none."""


class Finding(Model):
    """A number that an operation leaves behind, with what it is judged by."""

    name: Name
    tag: TagName
    below: TagName | None = None
    """Passed when less than this tag."""
    above: TagName | None = None
    """Passed when more than this tag."""


class Recency(Model):
    """An operation that must have been completed not too long ago."""

    operation: Name
    within_h: float = Field(gt=0, le=87600)


class Counter(Model):
    """Wear and use, kept over restarts in a set point that nobody moves by hand."""

    tag: TagName
    kind: Literal["hours", "cycles", "amount"]
    """Hours while `of` is not 0; how often `of` leaves 0; the integral of `of`."""
    of: TagName
    factor: float = 1.0
    """Amount: what a second of 1 of `of` adds, in the unit of `tag`; negative for what is used up."""
    only: TagName | None = None
    """Counts only while this tag is not 0."""
    renewed_by: tuple[Name, ...] = ()
    """Operations whose completion sets it to the set point's `initial`, as does the work of a task that names it."""
    stop_above: float | None = None
    """No recipe starts above this."""
    stop_below: float | None = None
    """No recipe starts below this."""
    remedy: Text
    """What is to be done, as an order."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind != "amount" and self.factor != 1.0:
            raise ValueError("only an amount has a factor")
        if self.factor == 0.0:
            raise ValueError("a factor of 0 counts nothing")
        return self


class Task(Model):
    """Work that falls due, by the calendar or by a counter."""

    name: Name
    title: Text
    action: Text
    every_days: float | None = Field(default=None, gt=0, le=36500)
    counter: TagName | None = None
    """A counter's tag."""
    at: float | None = None
    """Due when the counter has reached this (counters that run down: has fallen to it)."""
    early: float = Field(default=0.1, ge=0, lt=1)
    """Told as coming up in this last share of its interval."""

    @model_validator(mode="after")
    def _one_clock(self) -> Self:
        if (self.every_days is None) == (self.counter is None) or (self.counter is None) != (self.at is None):
            raise ValueError("give either every_days, or counter and at")
        return self


class Calibration(Model):
    """How findings of an operation correct an instrument's reading: (reading − offset) · gain."""

    operation: Name
    """Its name begins with `calibrate`: what `State.Calibrate` starts."""
    kind: Literal[
        "mfc_zero", "mfc_span", "flow_verification", "gauge_zero", "thermocouple_offset", "throttle_learn", "rf_power"
    ]
    tag: TagName
    offset: Name | None = None
    """Finding: how much too much the reading shows, in the tag's unit."""
    gain: Name | None = None
    """Finding: the true value over the shown one."""
    most_offset: float = Field(default=0.0, ge=0)
    """A greater correction, all calibrations of the tag together, is refused."""
    most_gain: float = Field(default=1.0, ge=1, le=10)
    """A greater factor, or a smaller one than its inverse, is refused."""
    every_days: float = Field(gt=0, le=3660)

    @model_validator(mode="after")
    def _corrects(self) -> Self:
        if self.offset is None and self.gain is None:
            raise ValueError("corrects nothing: give offset, gain or both")
        return self


class Care(Model):
    """Counters, tasks, and what is known of the clock."""

    counters: tuple[Counter, ...] = ()
    tasks: tuple[Task, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    clock: TagName | None = None
    """Set point with the states free, synchronised: what the system says of its clock."""
    horn_silenced: TagName | None = None
    """Set point that silences the horn; every new alarm, trip or hold takes it back."""
    warnings: TagName | None = None
    """Set point: how many alarms are active that are no interlocks, for the stack light."""
    store_s: Seconds = 10.0
    """How often counters are written to the disk."""
