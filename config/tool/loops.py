"""What a tool controls: loops, gains that follow a tag, and maps between tags."""

from typing import Literal

from pydantic import Field

from config.base import Model, Name, Seconds, TagName


class ScheduledGains(Model):
    """Gains of a loop where the tag of its schedule has a value."""

    at: float
    kp: float = Field(gt=0)
    ti_s: float = Field(gt=0)
    td_s: Seconds = 0.0


class Schedule(Model):
    """Gains that follow a tag: on straight lines between the rows (of kp, kp/ti and kp·td), held outside of them."""

    tag: TagName
    rows: tuple[ScheduledGains, ...] = Field(min_length=2, max_length=32)


class Loop(Model):
    """A PID loop; gains are those of the standard form."""

    name: Name
    pv: TagName
    sp: TagName
    out: TagName
    mode: TagName
    """A set point with states off, manual, auto."""
    direction: Literal[1, -1] = 1
    """1: more output raises the process value."""
    kp: float = Field(gt=0)
    """Output unit per unit of the process value."""
    ti_s: float = Field(gt=0)
    td_s: Seconds = 0.0
    filter_s: Seconds = 0.0
    """Time constant of the filter of the derivative's measurement."""
    feed_forward: TagName | None = None
    feed_forward_gain: float = 0.0
    bias: float = 0.0
    low: float
    high: float
    rate_per_s: float = Field(default=0.0, ge=0)
    off: float
    schedule: Schedule | None = None
    """Gains that follow a tag; kp, ti_s and td_s are then what counts until the tag has a value."""


class LinearMap(Model):
    """Target follows source on a straight line between (x0, y0) and (x1, y1), held outside: split range and scaling."""

    source: TagName
    target: TagName
    x: tuple[float, float]
    y: tuple[float, float]
