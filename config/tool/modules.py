"""What a tool consists of: modules with their tags, instruments on their wires, gases."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from config.base import POINT_NAME, Expression, Model, Name, Seconds, TagName, Text
from config.equipment import Role


class TagKind(StrEnum):
    """Who writes a tag (kernels.tables.TagKind)."""

    INPUT = "input"
    COMPUTED = "computed"
    SETPOINT = "setpoint"
    OUTPUT = "output"


class Scaling(Model):
    """A straight line through two points: what a point of an instrument means where only the tool knows it."""

    point: tuple[float, float]
    """Two values of the instrument's point, in its unit."""
    tag: tuple[float, float]
    """What the tag is at them, in the tag's unit; swapped for an inverted contact."""

    @model_validator(mode="after")
    def _sloped(self) -> Self:
        if self.point[0] == self.point[1] or self.tag[0] == self.tag[1]:
            raise ValueError("the two points of a scaling must differ")
        return self


class Tag(Model):
    """One value of the tool."""

    name: str = Field(pattern=POINT_NAME, max_length=80)
    """Name inside its module; the full name is `module.name`."""
    kind: TagKind
    unit: str = Field(default="1", examples=["Torr", "°C", "sccm"])
    """As people write it (config.units): `°C`, `Torr`, `sccm`, `%`, `1` for none."""
    description: Text
    low: float = -1e30
    """Input: plausible; set point and output: permitted. Also the node's EURange."""
    high: float = 1e30
    resolution: float = Field(default=0.0, ge=0)
    """Least difference that means something (an ADC code); history is rounded to it. 0: keep every bit."""
    states: tuple[str, ...] = ()
    """Names of the values 0, 1, 2 … of a discrete tag."""
    initial: float = 0.0
    """Set point: value at start."""
    safe: float = 0.0
    """Output: value at start and while it is not permitted."""
    hazardous: bool = False
    """Output: energises something that needs a permission (process gas, heat, RF …)."""
    rate_per_s: float = Field(default=0.0, ge=0)
    """Output: greatest change in a second; 0 for none."""
    period_s: Seconds = 0.0
    """Input: how often its source posts. Uncertain after 2 periods of silence, Bad after 5; 0 never ages."""
    expression: Expression | None = None
    """Computed: what it is."""
    otherwise: float | None = None
    """Computed: its value at start and wherever its expression is unknown, so that it is never Bad. Such a tag may name
    itself, or one that is computed after it: that is read as the scan before left it."""
    role: Role | None = None
    """Set point, output: who may move it by hand; none: nobody."""
    point: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", examples=["mfc_sih4.flow"])
    """Input, output: `device.point`, the point of an instrument (its profile names them) that the tag is bound to."""
    scaling: Scaling | None = None
    """Where the unit of the point says nothing (an analogue terminal's digits); else units are converted."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        if self.scaling is not None and self.point is None:
            raise ValueError("only a tag that is bound to a point has a scaling")
        if (self.kind is TagKind.COMPUTED) != (self.expression is not None):
            raise ValueError("a computed tag, and only that, has an expression")
        if self.otherwise is not None and self.kind is not TagKind.COMPUTED:
            raise ValueError("only a computed tag has an otherwise")
        if self.hazardous and self.kind is not TagKind.OUTPUT:
            raise ValueError("only an output can be hazardous")
        if self.kind is TagKind.SETPOINT and not self.low <= self.initial <= self.high:
            raise ValueError(f"initial {self.initial:g} is outside {self.low:g} … {self.high:g}")
        if self.kind is TagKind.OUTPUT and not self.low <= self.safe <= self.high:
            raise ValueError(f"safe {self.safe:g} is outside {self.low:g} … {self.high:g}")
        if self.states and (self.low, self.high) != (0.0, float(len(self.states) - 1)):
            raise ValueError(f"a tag with {len(self.states)} states has low 0 and high {len(self.states) - 1}")
        return self


class ModuleKind(StrEnum):
    """What a module is; capabilities follow from the kinds a tool has."""

    GAS_PANEL = "gas_panel"
    CHAMBER = "chamber"
    VACUUM = "vacuum"
    RESISTIVE_HEATER = "resistive_heater"
    SUSCEPTOR = "susceptor"
    SHOWERHEAD = "showerhead"
    RF = "rf"
    MATCHING_NETWORK = "matching_network"
    WAFER_HANDLING = "wafer_handling"
    FACILITIES = "facilities"
    EXHAUST = "exhaust"
    METROLOGY = "metrology"
    CONTROL = "control"
    BUBBLERS = "bubblers"
    RUN_VENT = "run_vent"
    PULSE_VALVES = "pulse_valves"
    AEROSOL = "aerosol"
    ROTATION = "rotation"
    LAMP_HEATER = "lamp"
    INDUCTION_HEATER = "induction_heater"
    RF_BIAS = "rf_bias"
    MICROWAVE = "microwave"
    REMOTE_PLASMA = "remote_plasma"
    FILAMENT = "filament"
    LASER = "laser"
    UV_LAMP = "uv_lamp"
    BURNER = "burner"
    LOAD_LOCK = "load_lock"
    COLD_FINGER = "cold_finger"


class Module(Model):
    """A part of the tool with its tags."""

    name: Name
    kind: ModuleKind
    description: Text
    tags: tuple[Tag, ...]


class LinkLoss(StrEnum):
    """What the outputs of an instrument do when it no longer hears from the controller."""

    ZERO = "zero"  # its watchdog takes every output to 0
    HOLD = "hold"  # its watchdog keeps the last values
    NONE = "none"  # it has no watchdog and goes on


class Device(Model):
    """An instrument and the wire that it hangs on."""

    name: Name
    profile: Name
    """Its description in config/devices/: points, codec, limits."""
    link: str = Field(pattern=r"^(modbus-tcp|modbus-rtu|tcp|serial|visa|can)://\S+$", max_length=200)
    """The wire: `modbus-tcp://10.0.0.7:502`, `serial:///dev/ttyS0?baud=19200`, `can://can0`."""
    address: int | None = Field(default=None, ge=0, le=65535)
    """Unit, node or drop number on the wire, where it has one."""
    on_link_loss: LinkLoss
    fast: bool = False
    """Its outputs are valves that pulse: the link belongs to one real-time thread, which writes each change at once."""


class Gas(Model):
    """A gas that the tool can feed, and the tags that feed it."""

    name: str
    """Species as in config.gases (`SiH4`)."""
    kind: Literal["gas", "bubbler", "mist", "generator"] = "gas"
    """What its flow is: the gas itself, or the carrier that takes vapour out of a bubbler, or droplets along, or what a
    generator makes it of."""
    flow: TagName
    setpoint: TagName
    valve: TagName
    vent: Name | None = None
    """Vent line that its flow goes to while the valve is shut (run/vent manifold, pulse valve); none: it stops."""
