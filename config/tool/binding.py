"""How the words of a recipe become tags and operations of a tool."""

from typing import Literal

from pydantic import Field

from config.base import Model, Name, TagName
from config.equipment import Need, Recency


class Zone(Model):
    """A heating zone as recipes see it."""

    zone: int = Field(ge=1)
    setpoint: TagName
    process_value: TagName
    mode: TagName


class PressureControl(Model):
    """Chamber pressure as recipes see it."""

    setpoint: TagName
    process_value: TagName
    mode: TagName
    valve: TagName
    """Position of the throttle valve, %."""


class Bias(Model):
    """Self-bias of the powered electrode as recipes see it."""

    setpoint: TagName
    process_value: TagName
    mode: TagName


class Plasma(Model):
    """A plasma as recipes see it; a hot wire, a beam or a lamp is asked for in the same way."""

    settings: Literal["plasma_settings", "filament_settings", "laser_settings"] = "plasma_settings"
    """Words of a recipe that ask for it: rf_power_w; temperature_c of a wire; power_w of a laser or a lamp."""
    requested: TagName
    """A set point with states no, yes: a plasma is wanted. What watches the plasma looks at it: outputs are gated."""
    enable: TagName
    """Output that switches the high frequency on."""
    power: TagName
    """Power that the generator is asked for; of a wire the set point of its temperature."""
    load: TagName
    """Power that arrives in the plasma; of a wire its temperature."""
    mode: TagName | None = None
    """Mode of the loop that follows `power`, where there is one: auto while it is wanted."""
    scan: TagName | None = None
    """Speed of a beam over the wafer."""
    lit: TagName
    """True while it burns."""
    frequencies_mhz: tuple[float, ...] = ()
    """What the generators make; a plasma has at least one."""
    gas: dict[str, float] = Field(default_factory=dict[str, float])
    """sccm; what a plasma step without flows of its own burns in (the guide's `plasma_clean`)."""
    power_tolerance_pct: float = Field(gt=0)
    light_s: float = Field(gt=0)
    """It burns, matched, within this time."""
    reflected_limit: TagName | None = None
    """A set point: more reflected power than this trips."""
    bias: Bias | None = None
    duty: TagName | None = None
    """Share of the time that it is on, %."""
    pulse_frequency: TagName | None = None
    matching: TagName | None = None
    """Mode of the matching network, with states manual, auto."""


class RecipeBinding(Model):
    """How the words of a recipe become tags and operations of this tool."""

    process_modes: tuple[str, ...]
    """Names of the process modes that the tool is set up for."""
    zones: tuple[Zone, ...]
    pressure: PressureControl
    plasma: Plasma | None = None
    pump_down: dict[TagName, float]
    """Written by a step with a target pressure below the control range: valves and throttle open, gases shut."""
    purge_gas: str
    standby_temperature_c: float
    temperature_tolerance_c: float = Field(gt=0)
    pressure_tolerance_pct: float = Field(gt=0)
    before: tuple[Name, ...] = ()
    """Operations that run before each recipe (leak check, cycle purge)."""
    needs: tuple[Need, ...] = ()
    """What must be so before any recipe starts."""
    requires: tuple[Recency, ...] = ()
    """Operations that must have been completed lately before any recipe starts; a recipe may ask for more."""
    after: tuple[Name, ...] = ()
    timeout_factor: float = Field(default=3.0, ge=1)
    """A conditioned step may take this much longer than planned before it times out."""
