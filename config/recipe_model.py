"""The shape of a recipe: the platform guide's fields, and this project's words for tolerances, cycles and holds.

Nothing here knows a tool. `config.recipe` reads documents into this model and writes them back in one canonical form.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from config.base import TITLE, Expression, Model, Seconds, Text
from config.equipment import Recency
from config.faults import suggestion
from config.gases import GasName, known_gases, species
from config.process_mode import ModeName
from config.tool import Policy

# What an omitted field means. Written into the canonical document, so that a later change of a default never changes
# a recipe that somebody approved.
DEFAULT_VERSION = 1
DEFAULT_HAZARD_LEVEL = 1  # the guide's table: DEFAULT 1
DEFAULT_UNIFORMITY_PCT = 5.0  # the guide's PECVD and MOCVD examples name none
DEFAULT_PROFILE = "isothermal"  # the only profile that the guide's examples name
DEFAULT_RAMP_C_PER_MIN = 10.0  # the guide's furnace example
DEFAULT_TIMING = "continuous"
DEFAULT_FREQUENCY_MHZ = 13.56  # the industrial band that the guide's PECVD example uses
DEFAULT_DUTY_CYCLE = 1.0
DEFAULT_MATCHING = "auto"


def _known(name: str) -> str:
    gas = species(name)
    if gas is None:
        hint = suggestion(name, known_gases()) or f"; known: {', '.join(known_gases())}"
        raise ValueError(f"unknown gas {name!r}{hint}")
    if gas.formula != name:
        raise ValueError(f"write {gas.formula!r} for {name!r} ({gas.name})")
    return name


KnownGas = Annotated[GasName, AfterValidator(_known)]
Celsius = Annotated[float, Field(ge=-273.15, le=3500)]
Torr = Annotated[float, Field(gt=0, le=10_000)]
Sccm = Annotated[float, Field(ge=0, le=1_000_000)]
Watt = Annotated[float, Field(ge=0, le=1_000_000)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=TITLE)]
Film = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ZoneTarget(Model):
    """What one heating zone is asked for."""

    zone: int = Field(ge=1, le=64)
    setpoint: Celsius
    """°C."""
    ramp_rate: float = Field(default=DEFAULT_RAMP_C_PER_MIN, gt=0, le=60_000)
    """°C/min."""


class TemperatureProfile(Model):
    """Temperatures of the zones."""

    zones: tuple[ZoneTarget, ...] = Field(min_length=1, max_length=64)
    profile_type: Literal["isothermal", "gradient"] = DEFAULT_PROFILE

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        numbers = [zone.zone for zone in self.zones]
        if len(set(numbers)) != len(numbers):
            raise ValueError("a zone is named twice")
        if self.profile_type == "isothermal" and len({zone.setpoint for zone in self.zones}) > 1:
            raise ValueError("the zones of an isothermal profile have one set point; say gradient otherwise")
        return self


class PressureSetpoints(Model):
    """Pressures of the chamber."""

    process_pressure_torr: Torr
    base_pressure_torr: Torr | None = None
    pumpdown_time_s: Seconds | None = None


class GasFlow(Model):
    """A gas of the recipe and how much of it flows while flows are active."""

    name: KnownGas
    flow_sccm: Sccm
    timing: Literal["continuous", "pulsed"] = DEFAULT_TIMING
    """Pulsed: its valve follows pulsing_scheme."""
    carrier: KnownGas | None = None


class GasFlows(Model):
    """All gases of the recipe."""

    gases: tuple[GasFlow, ...] = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [gas.name for gas in self.gases]
        if len(set(names)) != len(names):
            raise ValueError("a gas is named twice")
        return self


class PlasmaSettings(Model):
    """What a plasma needs."""

    rf_power_w: Watt
    frequency_mhz: float = Field(default=DEFAULT_FREQUENCY_MHZ, gt=0, le=10_000)
    dc_bias_v: float | None = Field(default=None, ge=-5000, le=5000)
    duty_cycle: float = Field(default=DEFAULT_DUTY_CYCLE, gt=0, le=1)
    pulse_frequency_hz: float | None = Field(default=None, gt=0)
    reflected_limit_w: Watt | None = None
    """More reflected power than this trips; none: the tool's own limit."""
    matching_network: Literal["auto", "manual"] = DEFAULT_MATCHING


class FilamentSettings(Model):
    """What a hot wire needs."""

    temperature_c: Celsius
    current_a: float | None = Field(default=None, ge=0)
    material: Text | None = None


class LaserSettings(Model):
    """What a laser needs."""

    power_w: Watt
    wavelength_nm: float | None = Field(default=None, gt=0)
    pulse_energy_mj: float | None = Field(default=None, ge=0)
    repetition_hz: float | None = Field(default=None, gt=0)
    spot_um: float | None = Field(default=None, gt=0)
    scan_speed_mm_s: float | None = Field(default=None, ge=0)


class Pulse(Model):
    """One pulse of a gas and the purge behind it."""

    gas: KnownGas
    pulse_s: float = Field(gt=0, le=86_400)
    purge_s: Seconds


class PulsingScheme(Model):
    """Pulses in their order, over and over."""

    cycles: int = Field(ge=1, le=1_000_000)
    pulses: tuple[Pulse, ...] = Field(min_length=1, max_length=16)


class Tolerance(Model):
    """How near is near enough; omitted ones are the tool's."""

    temperature_c: float | None = Field(default=None, gt=0, le=1000)
    pressure_pct: float | None = Field(default=None, gt=0, le=100)


class Behaviour(Model):
    """What a pause, a hold or a stop does to a step."""

    timers: Literal["stop", "go_on"] = "stop"
    gases: Literal["purge", "off", "keep"] = "purge"
    """purge: hazardous gases off, purge gas on where gas flowed; off: every gas off; keep: as they are."""
    rf: Literal["off", "keep"] = "off"
    heat: Literal["keep", "standby", "off"] = "keep"


class RecipeStep(Model):
    """One step: the guide's words, then ours; or a cycle (`repeat`, `steps`); or branches (`parallel`)."""

    name: Title
    duration_s: Seconds | None = None
    """Its length; the least one when it also waits for something."""
    target_pressure_torr: Torr | None = None
    target_temp_c: Celsius | None = None
    temp_c: Celsius | None = None
    """The guide's other word for target_temp_c."""
    flows_active: bool = False
    plasma_power_w: Watt | None = None
    gas_flow: dict[KnownGas, Sccm] = Field(default_factory=dict[str, float])
    """Flows of this step in sccm. In a document they are words of their own: `"TMGa_flow": 20`."""

    tolerance: Tolerance = Tolerance()
    timeout_s: Seconds | None = None
    until: Expression | None = None
    """The step ends when this is true, and not before duration_s."""
    on_timeout: Policy = Policy.HOLD
    pause: Behaviour = Behaviour()
    hold: Behaviour = Behaviour()
    stop: Behaviour | None = None
    """None: a stop runs the tool's safe sequence."""
    abort: Literal["safe_sequence"] = "safe_sequence"
    """No recipe can say otherwise: an abort isolates, purges and pumps as the tool declares."""

    repeat: int = Field(default=1, ge=1, le=1_000_000)
    steps: tuple["RecipeStep", ...] = ()
    """Body of a cycle."""
    parallel: tuple[tuple["RecipeStep", ...], ...] = Field(default=(), max_length=7)
    """Branches side by side, joined at the end."""

    @property
    def temperature_c(self) -> float | None:
        """Target temperature by either word."""
        return self.target_temp_c if self.temp_c is None else self.temp_c

    @property
    def is_group(self) -> bool:
        """Whether this is a cycle or branches, and no step by itself."""
        return bool(self.steps or self.parallel)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.target_temp_c is not None and self.temp_c is not None:
            raise ValueError("target_temp_c and temp_c are the same word; give one")
        if self.steps and self.parallel:
            raise ValueError("a step has either steps or parallel")
        own = (self.duration_s, self.target_pressure_torr, self.temperature_c, self.plasma_power_w, self.until)
        if self.is_group:
            if any(word is not None for word in own) or self.flows_active or self.gas_flow:
                raise ValueError("a cycle or branches hold steps and nothing else of their own")
            if self.parallel and self.repeat > 1:
                raise ValueError("branches do not repeat; put them into a cycle's steps")
            if any(not branch for branch in self.parallel):
                raise ValueError("a branch is empty")
            return self
        if self.repeat > 1:
            raise ValueError("repeat needs steps")
        if self.duration_s is None and self.until is None:
            raise ValueError("a step needs a duration_s, or until with timeout_s")
        if self.until is not None and self.timeout_s is None:
            raise ValueError("a step that waits for a condition (until) needs a timeout_s")
        if self.timeout_s is not None and self.timeout_s < (self.duration_s or 0.0):
            raise ValueError(f"timeout_s {self.timeout_s:g} is shorter than duration_s {self.duration_s:g}")
        return self


class Recipe(Model):
    """A whole recipe, everything omitted filled in."""

    name: Title
    version: int = Field(default=DEFAULT_VERSION, ge=1, le=1_000_000)
    process_mode: ModeName | None = None
    """By name; none: the tool's only mode for this film."""
    film_target: Film
    thickness_target_nm: float = Field(gt=0, le=1e9)
    uniformity_target_pct: float = Field(default=DEFAULT_UNIFORMITY_PCT, gt=0, le=100)
    temperature_profile: TemperatureProfile
    pressure_setpoints: PressureSetpoints
    gas_flows: GasFlows
    plasma_settings: PlasmaSettings | None = None
    filament_settings: FilamentSettings | None = None
    laser_settings: LaserSettings | None = None
    pulsing_scheme: PulsingScheme | None = None
    recipe_steps: tuple[RecipeStep, ...] = Field(min_length=1, max_length=1000)
    safety_hazard_level: int = Field(default=DEFAULT_HAZARD_LEVEL, ge=1, le=5)
    required_interlocks: tuple[str, ...] = ()
    """Names of interlocks that the tool must have."""
    requires: tuple[Recency, ...] = ()
    """Operations of the tool that must have been completed lately before it starts."""
    metadata: dict[str, Any] = Field(default_factory=dict[str, Any])

    @property
    def flows(self) -> dict[str, float]:
        """Flow of each gas in sccm as gas_flows says it."""
        return {gas.name: gas.flow_sccm for gas in self.gas_flows.gases}

    def leaves(self) -> Iterator[tuple[str, RecipeStep, int]]:
        """Every step that is no group, with its path and how often it runs, in order."""
        yield from leaves("recipe_steps", self.recipe_steps)


def leaves(path: str, steps: tuple[RecipeStep, ...], times: int = 1) -> Iterator[tuple[str, RecipeStep, int]]:
    """Yield every step that is no group, with its path and how often it runs, in order."""
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        if step.steps:
            yield from leaves(f"{here}.steps", step.steps, times * step.repeat)
        elif step.parallel:
            for number, branch in enumerate(step.parallel):
                yield from leaves(f"{here}.parallel[{number}]", branch, times)
        else:
            yield here, step, times
