"""The whole tool: its parts, its scan and its name plate."""

from typing import Literal

from pydantic import Field

from config.base import TOOL_NAME, Model, Name, TagName, Text
from config.equipment import DEFAULT_TRANSITIONS, Care, Transition
from config.gas_safety import GasSafety, Waiver
from config.plant import PlantSettings
from config.regulation.model import LoopGroup
from config.tool.binding import RecipeBinding
from config.tool.conditions import Alarm, Interlock
from config.tool.loops import LinearMap, Loop
from config.tool.modules import Device, Gas, Module
from config.tool.operations import Operation


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
