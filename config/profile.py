"""Device profiles: what one kind of instrument is, as data; how its bytes are framed is code (drivers/codecs).

A profile is a TOML file: points with their place on the wire, unit, limits and provenance; the watchdog; how the
device is identified, commissioned and made safe. Drivers and simulated instruments read the same profile and share no
framing code.
"""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import Model, Name, Seconds, Text
from config.tool import LinkLoss
from config.units import UnitError, find_unit
from config.wire import (
    AeBusWire,
    CanopenWire,
    CanSettings,
    CxnWire,
    LineSettings,
    LinesWire,
    MksWire,
    ModbusSettings,
    ModbusWire,
    PfeifferWire,
    SerialSettings,
    SqmWire,
    Wire,
)

RESERVED = (
    "armed",
    "connected",
    "round_trip_ms",
    "requests",
    "faults",
    "reconnects",
    "missed_slots",
    "reboots",
    "write_faults",
    "edges",
    "late_edges",
    "edge_late",
)
"""Points that every device has: what its driver knows of it (drivers.statistics)."""
FAST = frozenset({"edges", "late_edges", "edge_late"})
"""Those that only a device with fast outputs has."""


PointName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\{n\}[a-z0-9_]*)?$", max_length=48)]
"""With `repeat`, `{n}` in it is the number."""


class CodecName(StrEnum):
    """How requests and answers are framed."""

    MODBUS = "modbus"
    LINES = "lines"
    MKS = "mks"
    PFEIFFER = "pfeiffer"
    AE_BUS = "ae_bus"
    SQM = "sqm"
    CANOPEN = "canopen"
    CXN = "cxn"


class Access(StrEnum):
    """What may be done with a point."""

    READ = "r"
    WRITE = "w"
    BOTH = "rw"


class ValueType(StrEnum):
    """What the wire carries for a point."""

    BOOL = "bool"
    U8 = "u8"
    I8 = "i8"
    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    F32 = "f32"
    NUMBER = "number"
    """Decimal text."""
    HEX = "hex"
    """Hexadecimal text."""
    TEXT = "text"


class WritePolicy(StrEnum):
    """How often a point may be written."""

    CONTINUOUS = "continuous"
    """As often as its value changes, and again every `refresh_s`: a volatile set point."""
    ON_CHANGE = "on_change"
    """Only when its value changes: kept in a memory that wears, or a command that must not be repeated."""
    NEVER = "never"
    """Not while the tool runs: a setting in EEPROM, written at commissioning only."""


class State(Model):
    """One named value of a discrete point; the point's value is the state's position in the list, from 0."""

    name: Name
    raw: float | str
    """What the wire carries for it."""


class Quality(Model):
    """When a value that was decoded properly is not Good."""

    bad: tuple[float | str, ...] = ()
    """Raw values that mean "no value" (an open sensor's code, `OFF`)."""
    uncertain: tuple[float | str, ...] = ()
    """Raw values that are only a hint (`LO<E-03`)."""
    status: PointName | None = None
    """Another point of the device that says whether this one can be believed."""
    good: tuple[float, ...] = ()
    """Values of `status` with which this point is Good; with any other, or an unknown status, it is Bad."""


class Plausible(Model):
    """Which step from the last Good value needs a second reading that agrees: for wires without a checksum."""

    step: float | None = Field(default=None, gt=0)
    """Greatest difference that is taken at once, in the point's unit."""
    factor: float | None = Field(default=None, gt=1)
    """Greatest ratio that is taken at once, for values over decades."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.step is None and self.factor is None:
            raise ValueError("give step, factor or both")
        return self


class ReadBack(Model):
    """How a write is verified."""

    point: Name | None = None
    """Where the device says what it took; the written point itself unless given."""
    tolerance: float = Field(default=0.0, ge=0)
    """In the point's unit."""
    within_s: Seconds = 1.0


class Point(Model):
    """One value or command of a device."""

    name: PointName
    description: Text
    access: Access
    type: ValueType
    unit: str = "1"
    scale: float = 1.0
    """value = raw × scale + offset, in the unit."""
    offset: float = 0.0
    low: float = -1e30
    """Read: plausible, else Bad. Write: permitted."""
    high: float = 1e30
    rate_per_s: float = Field(default=0.0, ge=0)
    """Write: greatest change in a second; 0 for none."""
    bits: tuple[int, int] | None = None
    """First bit and number of bits of an integer that are the value; a write keeps the others."""
    states: tuple[State, ...] = ()
    quality: Quality = Quality()
    plausible: Plausible | None = None
    poll: Name | None = None
    """Poll group; a point of none is read when something asks for it."""
    write: WritePolicy = WritePolicy.ON_CHANGE
    refresh_s: Seconds = 0.0
    """Continuous: written again after this time without a change; 0: only changes."""
    idempotent: bool = True
    """Writing the same value again changes nothing; else a write whose answer was lost is never repeated."""
    read_back: ReadBack | None = None
    repeat: int | None = Field(default=None, ge=1, le=512)
    """A row of equal points, numbered in the place of `{n}`."""
    first: int = Field(default=0, ge=0)
    """Number of the first of them."""
    stride: int = Field(default=1, ge=1)
    """Distance of their addresses; in commands of text `{n}` is replaced."""
    verified: bool = True
    """False: commonly quoted, not seen in a manual; a commissioning probe must prove it."""
    source: Text
    """Document and page or section."""
    modbus: ModbusWire | None = None
    lines: LinesWire | None = None
    mks: MksWire | None = None
    pfeiffer: PfeifferWire | None = None
    ae_bus: AeBusWire | None = None
    sqm: SqmWire | None = None
    canopen: CanopenWire | None = None
    cxn: CxnWire | None = None

    @property
    def wire(self) -> Wire:
        """Its place on the wire."""
        return next(wire for name in CodecName if (wire := getattr(self, name.value)) is not None)

    @property
    def readable(self) -> bool:
        """Whether it can be read."""
        return self.access is not Access.WRITE

    @property
    def writable(self) -> bool:
        """Whether it can be written."""
        return self.access is not Access.READ

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            find_unit(self.unit)
        except UnitError as error:
            raise ValueError(str(error)) from None
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        if self.scale == 0:
            raise ValueError("scale is 0")
        if ("{n}" in self.name) != (self.repeat is not None):
            raise ValueError("a name with {n}, and only that, needs repeat")
        if self.name in RESERVED:
            raise ValueError(f"'{self.name}' is a point that every device has already")
        if len([name for name in CodecName if getattr(self, name.value) is not None]) != 1:
            raise ValueError(f"give its place on the wire, as one of {', '.join(CodecName)}")
        return self


class Setting(Model):
    """One write of a sequence."""

    point: Name
    value: float


class Probe(Model):
    """A reading that must turn out as expected."""

    point: Name
    equals: float | None = None
    low: float | None = None
    high: float | None = None
    matches: str | None = None
    """Text: a regular expression."""
    what: Text
    """What it proves, and what to do when it does not."""

    @model_validator(mode="after")
    def _expects(self) -> Self:
        if self.matches is not None:
            try:
                re.compile(self.matches)
            except re.error as error:
                raise ValueError(f"matches is not a regular expression: {error}") from None
        elif self.equals is None and self.low is None and self.high is None:
            raise ValueError("say what it expects: equals, low, high or matches")
        return self


class Feed(StrEnum):
    """What keeps a watchdog from acting."""

    ANY = "any"
    """Every request that the device understands."""
    WRITE = "write"
    """A write of any output."""
    POINT = "point"
    """A write of the point `feed_point`."""


class Watchdog(Model):
    """What the device does by itself when it no longer hears from the controller."""

    timeout_s: float = Field(gt=0, le=3600)
    set: tuple[Setting, ...] = ()
    """Arms it; nothing for one that is always on."""
    prove: tuple[Probe, ...] = ()
    """Readings that show that it is armed; a device that offers none confirms each setting by itself."""
    volatile: bool
    """Forgotten when the device restarts."""
    feed: Feed
    feed_point: Name | None = None
    feed_value: float = 0.0
    action: Text
    takes_outputs_to: LinkLoss
    source: Text
    verified: bool = True

    @model_validator(mode="after")
    def _feeds(self) -> Self:
        if (self.feed is Feed.POINT) != (self.feed_point is not None):
            raise ValueError("feed 'point', and only that, needs a feed_point")
        if not self.set and not self.prove:
            raise ValueError("say how it is armed (set), or how it can be seen that it is (prove)")
        return self


class RebootSign(Model):
    """How a restart of the device is noticed."""

    point: Name
    kind: Literal["counter", "flag", "uptime"]
    """counter: it changed. flag: it is not 0 (reading may clear it). uptime: it went backwards."""


class Heartbeat(Model):
    """A point that changes as long as the device's own program runs, though its interface might go on without it."""

    point: Name
    within_s: float = Field(gt=0, le=60)


class PollGroup(Model):
    """Points that are read together."""

    period_s: float = Field(gt=0, le=3600)
    priority: Literal["fast", "slow"] = "fast"


class Timing(Model):
    """What the device's firmware can do."""

    answer_s: float = Field(gt=0, le=60)
    """Longest time until an answer is complete; after it the request has failed."""
    gap_s: Seconds = 0.0
    """Silence between the end of an answer and the next request."""
    quiet_s: float = Field(gt=0, le=60)
    """Worst latency of a late answer: a link that missed one is drained until it was quiet for so long."""


class Identity(Model):
    """Who made the instrument, and what it is called."""

    manufacturer: Text
    model: Text
    function: Text
    documents: tuple[Text, ...] = Field(min_length=1)
    """Manuals by title, number and revision, or the published source that the facts were read from."""


class Profile(Model):
    """One kind of instrument."""

    schema_version: Literal[1]
    name: Name
    identity: Identity
    codec: CodecName
    links: tuple[Literal["modbus-tcp", "modbus-rtu", "tcp", "serial", "visa", "can"], ...] = Field(min_length=1)
    """Wires that it comes with (schemes of Device.link)."""
    verified: bool
    """Every fact was seen in a manual or in a published driver; with false some are only commonly quoted."""
    address: tuple[int, int] | None = None
    """Least and greatest address; none: it has no address on the wire."""
    serial: SerialSettings | None = None
    line: LineSettings | None = None
    modbus: ModbusSettings | None = None
    can: CanSettings | None = None
    timing: Timing
    poll: dict[Name, PollGroup]
    points: tuple[Point, ...] = Field(min_length=1)
    watchdog: Watchdog | Literal["none"]
    identify: tuple[Probe, ...] = ()
    """After every connect; when one fails the device is another one and is not used."""
    reboot: RebootSign | None = None
    heartbeat: Heartbeat | None = None
    """A device whose heartbeat stops is taken for lost."""
    on_connect: tuple[Setting, ...] = ()
    """After every connect, before anything else: units, remote mode."""
    safe: tuple[Setting, ...] = ()
    """Written first of all when the controller ends or the tool is made safe and no output table says otherwise."""
    commissioning: tuple[Probe, ...] = ()
    """What `cvd check` cannot prove and a person must see once on the real device."""
    notes: Annotated[str, StringConstraints(max_length=4000)] = ""

    def point(self, name: str) -> Point | None:
        """Look up a point, repeated ones included."""
        return self.by_name.get(name)

    @property
    def by_name(self) -> dict[str, Point]:
        """Every point by its name, rows of equal points written out."""
        return {point.name: point for point in self.expanded}

    @property
    def expanded(self) -> tuple[Point, ...]:
        """Every point, rows of equal points written out."""
        return tuple(single for point in self.points for single in expand(point))


def expand(point: Point) -> tuple[Point, ...]:
    """Write out a row of equal points."""
    if point.repeat is None:
        return (point,)
    return tuple(_numbered(point, point.first + n, n * point.stride) for n in range(point.repeat))


def _numbered(point: Point, number: int, shift: int) -> Point:
    status = point.quality.status
    update = {
        "name": point.name.replace("{n}", str(number)),
        "description": point.description.replace("{n}", str(number)),
        "repeat": None,
        "quality": point.quality.model_copy(update={"status": status and status.replace("{n}", str(number))}),
    }
    for codec in CodecName:
        wire = getattr(point, codec)
        if wire is not None:
            update[codec.value] = wire.numbered(number, shift)
    return point.model_copy(update=update)
