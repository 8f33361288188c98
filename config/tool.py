"""The tool model: everything that is one CVD tool, as read from its TOML file.

From this one model come the process image, OPC UA nodes, historian columns, the simulated plant's wiring, interlock
tables, preflight checks and documentation tables. Nothing is listed twice.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import POINT_NAME, TOOL_NAME, Expression, Model, Name, Seconds, TagName, Text
from config.equipment import DEFAULT_TRANSITIONS, Care, Finding, Mode, Need, Recency, Role, Transition
from config.gas_safety import GasSafety, Waiver
from config.plant import PlantSettings
from config.proof import ProofTest
from config.regulation.model import LoopGroup


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


class Effect(Model):
    """An output and the value that it takes while the interlock is in force."""

    output: TagName
    value: float


class Priority(StrEnum):
    """ISA-18.2 priorities; OPC UA severity 900, 700, 500, 200."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Condition(Model):
    """What interlocks and alarms share (ISA-18.2 rationalisation included)."""

    name: Name
    description: Text
    hysteresis: str | None = Field(default=None, examples=["2 Torr"])
    """A quantity (`2 Torr`) by which every comparison of that dimension must be left again."""
    on_delay_s: Seconds = 0.0
    off_delay_s: Seconds = 0.0
    accept_uncertain: bool = False
    group: Name | None = None
    """First-out group."""
    priority: Priority
    consequence: Text
    action: Text
    """What the operator does about it."""
    response_time_s: Seconds = 600.0


class InterlockClass(StrEnum):
    """What an active interlock does besides its effects (kernels.tables.ConditionClass)."""

    TRIP = "trip"
    HOLD = "hold"
    PERMISSIVE = "permissive"
    WARNING = "warning"


class Vote(StrEnum):
    """How many of how many causes make the cause of an interlock (IEC 61511's MooN)."""

    ONE_OUT_OF_TWO = "1oo2"
    TWO_OUT_OF_TWO = "2oo2"
    TWO_OUT_OF_THREE = "2oo3"

    @property
    def needed(self) -> int:
        """Votes that make the cause."""
        return int(self.value[0])

    @property
    def voters(self) -> int:
        """Those who vote."""
        return int(self.value[-1])

    def degraded(self, unknown: int) -> str:
        """Say what is left of the vote while some causes are unknown: each of them has voted to trip already."""
        if unknown >= self.needed:
            return "trips: an unknown cause is a vote to trip"
        return f"{self.needed - unknown}oo{self.voters - unknown}"


class Interlock(Condition):
    """A row of the cause-and-effect matrix."""

    cls: InterlockClass = Field(alias="class")
    when: Expression = ""
    """True or unknown: the cause is present. Unknown (an operand is Bad) is a vote to trip. Made of `causes` if any."""
    vote: Vote | None = None
    """How many of `causes` it takes, in the place of `when`."""
    causes: tuple[Expression, ...] = ()
    """Redundant ways to see one danger, each with its instrument of its own; one that is unknown votes to trip."""
    latch: bool = True
    reset_when: Expression | None = None
    """A latched interlock is reset only while this is known and true (`chamber.pressure_torr < 1 Torr`)."""
    bypassable: bool = False
    max_bypass_s: Seconds = 0.0
    safe_from_idle: bool = False
    """Trip: starts the safe sequence even when nothing runs."""
    effects: tuple[Effect, ...] = ()
    proof_test: ProofTest | None = None
    """How it is shown from time to time that it still works."""

    @model_validator(mode="after")
    def _one_cause(self) -> Self:
        if (self.vote is None) != (not self.causes):
            raise ValueError("vote and causes go together: how many of which causes")
        if self.vote is not None and len(self.causes) != self.vote.voters:
            raise ValueError(f"{self.vote} is a vote of {self.vote.voters} causes, not of {len(self.causes)}")
        if self.vote is not None:
            made = f"vote({self.vote.needed}, {', '.join(f'({cause})' for cause in self.causes)})"
            if self.when not in {"", made}:
                raise ValueError("has two causes: give when, or vote and causes")
            object.__setattr__(self, "when", made)  # one cause for whoever reads an interlock; frozen from here on
        if not self.when:
            raise ValueError("has no cause: give when, or vote and causes")
        return self


class AlarmKind(StrEnum):
    """What an alarm watches (the alarm types of OPC UA Part 9)."""

    LIMIT = "limit"  # a tag beyond limits that stand each by itself
    LEVEL = "level"  # a tag beyond limits of which one at a time is shown
    DEVIATION = "deviation"  # a tag too far from its set point
    RATE_OF_CHANGE = "rate_of_change"  # a tag that changes too fast, or is itself a rate, beyond limits
    OFF_NORMAL = "off_normal"  # a discrete tag that is not as it should be
    DISCRETE = "discrete"  # any expression
    COMMUNICATION = "communication"  # tags without a value


LimitText = Annotated[str, StringConstraints(min_length=1, max_length=60), Field(examples=["8 L/min"])]


class Suppression(Model):
    """When an alarm is suppressed by design: it is followed, but does not ask for an answer."""

    modes: tuple[Mode, ...] = ()
    """While the equipment is in one of these modes."""
    steps: tuple[Text, ...] = ()
    """While a step of one of these names runs, of a recipe or an operation."""
    idle: bool = False
    """While no recipe and no operation runs."""


class Alarm(Condition):
    """A condition that asks a person for an answer; it moves nothing."""

    kind: AlarmKind = AlarmKind.DISCRETE
    tag: TagName | None = None
    """Limit, level, deviation, rate of change, off-normal: what is watched."""
    setpoint: TagName | None = None
    """Deviation: the tag that says where it should be."""
    window_s: Seconds = 0.0
    """Rate of change: time over which the rate is taken; 0: the tag is a rate itself."""
    high_high: LimitText | None = None
    """A quantity of the tag's dimension. Deviation: above the set point, also in per cent of it; below is negative."""
    high: LimitText | None = None
    low: LimitText | None = None
    low_low: LimitText | None = None
    normal: str | None = Field(default=None, max_length=60)
    """Off-normal: name of the state in which all is well."""
    tags: tuple[TagName, ...] = ()
    """Communication: what must have a value."""
    when: Expression | None = None
    """Discrete: true or unknown, the cause is present."""
    only_when: Expression | None = None
    """The cause counts only while this is true too (`heater.zone1.mode == auto`)."""
    outer_priority: Priority | None = None
    """Priority beyond high_high and low_low; without it that of the alarm."""
    latch: bool = False
    """It stays until somebody resets it after its cause has gone."""
    safety: bool = False
    """Of the safety class: never shelved, suppressed, disabled or out of service."""
    confirm: bool = False
    """After the acknowledgement somebody confirms that the action has been taken."""
    max_shelve_s: Seconds = 28800.0
    """Longest time on the shelf; 0: cannot be shelved."""
    re_alarm_s: Seconds = 0.0
    """Still present after so long, it asks for another acknowledgement; 0: never."""
    suppress: Suppression = Suppression()


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


class Telemetry(Model):
    """Where the guide's telemetry signals come from; a signal that the tool has not is absent."""

    chamber_pressure_torr: TagName
    temperature_zones_c: dict[str, TagName] = Field(default_factory=dict[str, str])
    gas_flows_sccm: dict[str, TagName] = Field(default_factory=dict[str, str])
    signals: dict[Name, TagName] = Field(default_factory=dict[str, str])
    """The single-valued ones by their names in the guide (`reflectometer_thickness_nm` …)."""


class ScanSettings(Model):
    """The scan and its memory."""

    period_ms: float = Field(gt=0, le=1000)
    log_every: int = Field(ge=1)
    """Scans per row of the logging ring."""
    flight_s: float = Field(default=10.0, gt=0)
    log_s: float = Field(default=60.0, ge=60)
    image_budget_mb: float = Field(default=256.0, gt=0)
    priority: int = Field(default=80, ge=0, le=99)
    cpu: int | None = Field(default=None, ge=0)
    server_loss_s: float = Field(default=300.0, gt=0)
    """After so long without a server in a run: `server_loss`."""
    server_loss: Literal["hold", "continue"] = "continue"


class Identification(Model):
    """The name plate."""

    manufacturer: Text
    model: Text
    serial_number: Text


class RigSettings(Model):
    """What a rig writes into the tool file that it makes (`cvd hil --speed`): never for instruments of a tool."""

    speed: int = Field(default=1, ge=1, le=50)
    """The plant behind the links goes so many times as fast as the clock, and the scan with it."""
    patience: int = Field(default=1, ge=1, le=20)
    """Readings may be so many times as old as on the tool: a machine that does other work too answers late."""


class Tool(Model):
    """A whole tool."""

    schema_version: Literal[1]
    name: str = Field(pattern=TOOL_NAME)
    title: Text
    identification: Identification
    scan: ScanSettings
    modules: tuple[Module, ...] = Field(min_length=1)
    devices: tuple[Device, ...] = ()
    """Instruments; `--sim` puts the plant in the place of all of them."""
    gases: tuple[Gas, ...] = ()
    gas_safety: GasSafety | Waiver | None = None
    """Volumes, exhaust and proofs, of which rules follow (config.gas_rules)."""
    interlocks: tuple[Interlock, ...] = ()
    most_bypasses: int = Field(default=1, ge=1)
    """So many interlocks may be bypassed at the same time."""
    alarms: tuple[Alarm, ...] = ()
    loops: tuple[Loop, ...] = ()
    """Outer loops of a cascade first."""
    maps: tuple[LinearMap, ...] = ()
    groups: tuple[LoopGroup, ...] = ()
    """Loops that a model predictive controller may move together."""
    recipe: RecipeBinding
    telemetry: Telemetry
    safe_sequence: Operation
    operations: tuple[Operation, ...] = ()
    transitions: tuple[Transition, ...] = DEFAULT_TRANSITIONS
    """Changes of mode that people may ask for."""
    care: Care = Care()
    plant: PlantSettings | None = None
    rig: RigSettings | None = None
