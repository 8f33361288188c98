"""The shape of a recipe: the platform guide's fields, and this project's words for tolerances, cycles and holds.

Nothing here knows a tool. `config.recipe` reads documents into this model and writes them back in one canonical form.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from config.base import TITLE, Expression, Model, Name, Seconds, Text
from config.equipment import Recency
from config.faults import suggestion
from config.gases import GasName, known_gases, species
from config.process_mode import ModeName
from config.recipe_parameters import Parameter
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
    late_pulse: Literal["continue", "hold", "abort"] = "hold"
    """What follows when an edge of a fast valve was late: go on, hold the run after the pulse, or abort it."""


class Tolerance(Model):
    """How near is near enough, and what follows when it no longer is; omitted ones are the tool's."""

    temperature_c: float | None = Field(default=None, gt=0, le=1000)
    pressure_pct: float | None = Field(default=None, gt=0, le=100)
    flow_pct: float | None = Field(default=None, gt=0, le=100)
    otherwise: Literal["hold", "abort", "stop"] = "hold"
    after_s: float | None = Field(default=None, ge=0, le=86_400)
    """Out of tolerance for longer than this while gas flows; none: 30 s, with a plasma 10 s."""


class Limit(Model):
    """Something that must hold all through a step, beside the tool's own interlocks: it tightens, it never loosens."""

    that: Expression
    """A condition over tags: `chamber.pressure_torr < 2 Torr`. Unknown counts as violated."""
    otherwise: Literal["hold", "abort", "stop"] = "hold"
    after_s: Seconds = 0.0
    reason: Text | None = None


class EndPoint(Model):
    """A step ends when the film is as thick as this, as an instrument sees it grow."""

    thickness_nm: float = Field(gt=0, le=1e9)
    """Of the whole film, what steps before have grown included."""
    signal: Name | None = None
    """Telemetry signal of the tool (`reflectometer_thickness_nm`); none: its only one of a thickness."""


class Call(Model):
    """Another recipe, run here with its own settings."""

    recipe: Title
    """Name, or id in a store."""
    version: int = Field(ge=1, le=1_000_000)
    values: dict[Name, float | bool] = Field(default_factory=dict[str, float | bool])
    """Of its parameters."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Digest of the document that was called; filled in."""


class Behaviour(Model):
    """What a pause, a hold or a stop does to a step."""

    timers: Literal["stop", "go_on"] = "stop"
    gases: Literal["purge", "off", "keep"] = "purge"
    """purge: hazardous gases off, purge gas on where gas flowed; off: every gas off; keep: as they are."""
    rf: Literal["off", "keep"] = "off"
    heat: Literal["keep", "standby", "off"] = "keep"


class Recovery(Model):
    """What is done with a run whose controller died or lost its power, once the tool has been made safe."""

    policy: Literal["close", "ask"] = "close"
    """close: its record is closed and nothing follows; ask: a person decides to resume it, to run the safe sequence
    once more, or to close it, before another recipe runs."""
    within_s: Seconds = 3600.0
    """It may be resumed for so long after the controller's last word; later it can only be aborted or closed."""


class RecipeStep(Model):
    """One step: the guide's words, then ours; or a group of steps.

    Groups are a cycle (`steps` with `repeat`, or with `repeat_until` and `at_most`), a choice (`when`, `then`,
    `otherwise`), branches side by side (`parallel`), and a recipe that is called (`call`).
    """

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
    end_point: EndPoint | None = None
    """The step ends at this thickness, and not before duration_s."""
    limits: tuple[Limit, ...] = Field(default=(), max_length=6)
    on_timeout: Policy = Policy.HOLD
    pause: Behaviour = Behaviour()
    hold: Behaviour = Behaviour()
    stop: Behaviour | None = None
    """None: a stop runs the tool's safe sequence."""
    abort: Literal["safe_sequence"] = "safe_sequence"
    """No recipe can say otherwise: an abort isolates, purges and pumps as the tool declares."""
    resume: Literal["no", "repeat", "continue"] = "no"
    """How a run that was interrupted in this step may be resumed: not at all; with the whole step again (of a cycle:
    with the pass again); with what is left of it."""

    repeat: int = Field(default=1, ge=1, le=1_000_000)
    steps: tuple["RecipeStep", ...] = ()
    """Body of a cycle."""
    parallel: tuple[tuple["RecipeStep", ...], ...] = Field(default=(), max_length=7)
    """Branches side by side, joined at the end."""
    repeat_until: Expression | None = None
    """A cycle ends after the pass at whose end this is true, at the latest after `at_most` passes."""
    at_most: int | None = Field(default=None, ge=1, le=1_000_000)
    on_exhausted: Policy = Policy.HOLD
    """What follows when it is still not true then."""
    when: Expression | None = None
    """A choice: where this is true when the step begins, `then` runs, else (also where it is unknown) `otherwise`."""
    then: tuple["RecipeStep", ...] = ()
    otherwise: tuple["RecipeStep", ...] = ()
    call: Call | None = None
    called: "Recipe | None" = None
    """The recipe that is called; filled in."""

    @property
    def temperature_c(self) -> float | None:
        """Target temperature by either word."""
        return self.target_temp_c if self.temp_c is None else self.temp_c

    @property
    def is_group(self) -> bool:
        """Whether this holds steps, and is no step by itself."""
        return bool(self.steps or self.parallel or self.when is not None or self.call)

    @property
    def passes(self) -> int:
        """How often a cycle runs at most."""
        return self.repeat if self.at_most is None else self.at_most

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.target_temp_c is not None and self.temp_c is not None:
            raise ValueError("target_temp_c and temp_c are the same word; give one")
        self._well_grouped()
        own = (self.duration_s, self.target_pressure_torr, self.temperature_c, self.plasma_power_w, self.until)
        if self.is_group:
            if self.resume == "continue":
                raise ValueError("of a cycle or of branches nothing is left over: resume is repeat or no")
            if any(word is not None for word in own) or self.flows_active or self.gas_flow:
                raise ValueError("a cycle or branches hold steps and nothing else of their own")
            if self.limits or self.end_point is not None:
                raise ValueError("limits and end points belong to the steps inside")
            return self
        if self.repeat > 1:
            raise ValueError("repeat needs steps")
        waits = self.until is not None or self.end_point is not None
        if self.duration_s is None and not waits:
            raise ValueError("a step needs a duration_s, or until with timeout_s")
        if waits and self.timeout_s is None:
            raise ValueError("a step that waits for a condition (until, end_point) needs a timeout_s")
        if self.timeout_s is not None and self.timeout_s < (self.duration_s or 0.0):
            raise ValueError(f"timeout_s {self.timeout_s:g} is shorter than duration_s {self.duration_s:g}")
        return self

    def _well_grouped(self) -> None:
        kinds = {
            "steps": bool(self.steps), "parallel": bool(self.parallel), "when": self.when is not None,
            "call": self.call is not None,
        }  # fmt: skip
        if sum(kinds.values()) > 1:
            first, second = [name for name, there in kinds.items() if there][:2]
            raise ValueError(f"a step has either {first} or {second}")
        if (self.then or self.otherwise) and self.when is None:
            raise ValueError("then and otherwise need when: a condition that chooses")
        if self.when is not None and not (self.then or self.otherwise):
            raise ValueError("when needs then, or otherwise")
        if (self.repeat_until is not None or self.at_most is not None) and not self.steps:
            raise ValueError("repeat_until and at_most belong to a cycle: they need steps")
        if self.repeat_until is not None and self.at_most is None:
            raise ValueError("a cycle until a condition needs at_most: without it it might never end")
        if self.at_most is not None and (self.repeat_until is None or self.repeat > 1):
            raise ValueError("at_most needs repeat_until, and stands in the place of repeat")
        if (self.parallel or self.call or self.when is not None) and self.repeat > 1:
            raise ValueError("branches do not repeat; put them into a cycle's steps")
        if any(not branch for branch in self.parallel):
            raise ValueError("a branch is empty")
        if (self.call is None) != (self.called is None):
            raise ValueError("a recipe that is called is filled in from a library: call and called go together")


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
    parameters: dict[Name, Parameter] = Field(default_factory=dict[str, Parameter])
    """What a run may choose, with the values that this one has chosen."""
    safety_hazard_level: int = Field(default=DEFAULT_HAZARD_LEVEL, ge=1, le=5)
    required_interlocks: tuple[str, ...] = ()
    """Names of interlocks that the tool must have."""
    recovery: Recovery = Recovery()
    requires: tuple[Recency, ...] = ()
    """Operations of the tool that must have been completed lately before it starts."""
    metadata: dict[str, Any] = Field(default_factory=dict[str, Any])

    @property
    def flows(self) -> dict[str, float]:
        """Flow of each gas in sccm as gas_flows says it."""
        return {gas.name: gas.flow_sccm for gas in self.gas_flows.gases}

    def leaves(self) -> Iterator[tuple[str, RecipeStep, int]]:
        """Every step of its own that is no group, with its path and how often it runs at most, in order."""
        return leaves("recipe_steps", self.recipe_steps)

    def walk(self) -> Iterator["Leaf"]:
        """Every step that is no group, those of called recipes included, in order."""
        yield from walk("recipe_steps", self.recipe_steps, self)

    def called(self, path: str = "") -> Iterator[tuple[str, "Recipe"]]:
        """Path and recipe of this one and of every one that is called, in order."""
        yield path, self
        for prefix, inner in _called(f"{path}recipe_steps", self.recipe_steps):
            yield from inner.called(prefix)


@dataclass(frozen=True)
class Leaf:
    """A step that is no group."""

    path: str
    step: RecipeStep
    times: int
    """How often it runs at most."""
    recipe: Recipe
    """Whose settings are in force."""


def parts(step: RecipeStep, path: str) -> Iterator[tuple[str, tuple[RecipeStep, ...]]]:
    """Path and steps of each sequence of steps in a group of the same recipe."""
    yield f"{path}.steps", step.steps
    for number, branch in enumerate(step.parallel):
        yield f"{path}.parallel[{number}]", branch
    yield f"{path}.then", step.then
    yield f"{path}.otherwise", step.otherwise


def walk(path: str, steps: tuple[RecipeStep, ...], recipe: Recipe, times: int = 1) -> Iterator[Leaf]:
    """Yield every step that is no group, in order."""
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        if step.called is not None:
            yield from walk(f"{here}.called.recipe_steps", step.called.recipe_steps, step.called, times)
        elif step.is_group:
            for inside, inner in parts(step, here):
                yield from walk(inside, inner, recipe, times * step.passes)
        else:
            yield Leaf(here, step, times, recipe)


def leaves(path: str, steps: tuple[RecipeStep, ...], times: int = 1) -> Iterator[tuple[str, RecipeStep, int]]:
    """Yield every step of one recipe that is no group, with its path and how often it runs at most, in order."""
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        if not step.is_group:
            yield here, step, times
        for inside, inner in parts(step, here):
            yield from leaves(inside, inner, times * step.passes)


def _called(path: str, steps: tuple[RecipeStep, ...]) -> Iterator[tuple[str, Recipe]]:
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        if step.called is not None:
            yield f"{here}.called.", step.called
        for inside, inner in parts(step, here):
            yield from _called(inside, inner)
