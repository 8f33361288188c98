"""What a tool watches: interlocks, with their effects and votes, and alarms."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import Expression, Model, Name, Seconds, TagName, Text
from config.equipment import Mode
from config.proof import ProofTest


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
