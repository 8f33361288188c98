"""A linear model of several process values, and the group of loops that is controlled by it: words of a tool file."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from config.base import Model, Name, Seconds, TagName, Text

Rows = tuple[tuple[float, ...], ...]


class Provenance(Model):
    """Where a model comes from."""

    identified: date
    tool: Text
    """Name and serial number of the tool that was tested; another tool has another model."""
    test: Text
    """What was recorded: the operation, its data, or the seed of the simulated plant."""
    samples: int = Field(ge=1)
    one_step: float = Field(ge=0)
    """Root mean square of what the next sample was mispredicted by, in the unit of the process values."""
    simulated: float = Field(ge=0)
    """The same over the whole record, from its start."""


class LinearModel(Model):
    """`y[k+1] = Σ a_i·y[k−i] + b·u[k]` around an operating point; `y` are process values, `u` outputs."""

    sample_s: float = Field(gt=0)
    measured: tuple[float, ...] = Field(min_length=1)
    """Operating point: process values of the outer loops, then those of the inner ones."""
    outputs: tuple[float, ...] = Field(min_length=1)
    """Operating point: outputs."""
    a: Rows
    """[measured, order · measured], the latest values first."""
    b: Rows
    """[measured, outputs]"""
    provenance: Provenance

    @property
    def order(self) -> int:
        """How many samples of the past it looks at."""
        return len(self.a[0]) // len(self.measured)

    @model_validator(mode="after")
    def _shaped(self) -> Self:
        q, m = len(self.measured), len(self.outputs)
        widths = {len(row) for row in self.a}
        if len(self.a) != q or len(widths) != 1 or not (width := widths.pop()) or width % q:
            raise ValueError(f"a must have {q} rows of a multiple of {q} numbers")
        if len(self.b) != q or {len(row) for row in self.b} != {m}:
            raise ValueError(f"b must have {q} rows of {m} numbers")
        return self


class Member(Model):
    """One process value of a group and the output by which it is moved."""

    outer: Name
    """Loop whose process value is held at its set point."""
    inner: Name | None = None
    """Loop whose output is moved, where the outer one works through a cascade."""
    low: float
    high: float
    """What the predictor may ask of the output."""
    rate_per_s: float = Field(gt=0)
    """How fast it may change it."""

    @property
    def driving(self) -> str:
        """The loop whose output is moved."""
        return self.inner or self.outer


class LoopGroup(Model):
    """Loops that a model predictive controller moves together, with PID to fall back to."""

    name: Name
    control: Literal["pid", "mpc"] = "pid"
    """What is chosen when the controller starts."""
    select: TagName
    """A set point with states pid, mpc: what people choose."""
    report: TagName
    """A set point that nobody moves by hand, with states pid, mpc, waiting, bad_sensor, infeasible, stale."""
    members: tuple[Member, ...] = Field(min_length=1, max_length=8)
    range: tuple[float, float]
    """Process values for which the model is meant; outside of them PID controls."""
    horizon_s: float = Field(gt=0)
    """How far ahead it looks."""
    moves: int = Field(default=7, ge=1, le=16)
    """How many moves it works out ahead."""
    move_weight: float = Field(gt=0)
    """Cost of a move of 1 of the output beside an error of 1 of the process value."""
    noise: float = Field(gt=0)
    """Of a measurement, one standard deviation."""
    drift: float = Field(gt=0)
    """Of the disturbance of a process value from sample to sample, one standard deviation."""
    stale: float = Field(gt=0)
    """A mean error of the prediction of the next sample above this: the model is not of this furnace any more."""
    settle_s: Seconds = 60.0
    """For so long the estimate follows before the predictor controls."""
    iterations: int = Field(default=60, ge=1, le=1000)
    test: Name | None = None
    """The operation whose record `cvd identify` makes the model from."""
    model: LinearModel | None = None
    """Without one there is nothing to choose: PID controls."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.range[0] < self.range[1]:
            raise ValueError(f"range {self.range[0]:g} … {self.range[1]:g} is empty")
        for member in self.members:
            if not member.low < member.high:
                raise ValueError(f"member {member.outer}: high {member.high:g} must be above low {member.low:g}")
        if self.model is None:
            if self.control == "mpc":
                raise ValueError("control mpc needs a model: cvd identify makes one from the record of a test")
            return self
        inner = sum(member.inner is not None for member in self.members)
        if len(self.model.outputs) != len(self.members):
            raise ValueError(f"the model has {len(self.model.outputs)} outputs, the group {len(self.members)} members")
        if len(self.model.measured) != len(self.members) + inner:
            wanted = len(self.members) + inner
            raise ValueError(f"the model has {len(self.model.measured)} process values, the loops have {wanted}")
        if self.horizon_s < 4 * self.model.sample_s:
            raise ValueError(f"horizon_s must be at least four samples of {self.model.sample_s:g} s")
        return self
