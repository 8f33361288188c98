"""Alarms as the scan sees them: each declaration becomes one raw condition, or one for each of its limits.

The scan knows expressions only. What a declaration means as one stands here, once, for the compiler, the checks, the
address space and the documentation alike.
"""

from dataclasses import dataclass
from enum import StrEnum

from config.tool import Alarm, AlarmKind, Priority
from config.units import Quantity, Unit, UnitError, convert, convert_difference, parse_quantity, rate_unit


class Limit(StrEnum):
    """Limits of an analogue alarm, the most urgent first."""

    HIGH_HIGH = "high_high"
    LOW_LOW = "low_low"
    HIGH = "high"
    LOW = "low"

    @property
    def above(self) -> bool:
        """Whether it is passed upwards."""
        return self in {Limit.HIGH, Limit.HIGH_HIGH}

    @property
    def outer(self) -> bool:
        """Whether it lies behind another one."""
        return self in {Limit.HIGH_HIGH, Limit.LOW_LOW}


ANALOGUE = frozenset({AlarmKind.LIMIT, AlarmKind.LEVEL, AlarmKind.DEVIATION, AlarmKind.RATE_OF_CHANGE})
"""Kinds that have limits."""
PERCENT = "%"


@dataclass(frozen=True)
class AlarmPoint:
    """One raw condition of the scan that belongs to an alarm."""

    name: str
    """Of the alarm, with its limit where it has several: `cooling_water.low_low`."""
    alarm: Alarm
    limit: Limit | None
    when: str
    priority: Priority
    description: str

    @property
    def hysteresis(self) -> str | None:
        """As declared."""
        return self.alarm.hysteresis

    @property
    def on_delay_s(self) -> float:
        """As declared."""
        return self.alarm.on_delay_s

    @property
    def off_delay_s(self) -> float:
        """As declared."""
        return self.alarm.off_delay_s

    @property
    def accept_uncertain(self) -> bool:
        """As declared."""
        return self.alarm.accept_uncertain

    @property
    def latch(self) -> bool:
        """As declared."""
        return self.alarm.latch

    @property
    def group(self) -> str | None:
        """As declared."""
        return self.alarm.group

    @property
    def consequence(self) -> str:
        """As declared."""
        return self.alarm.consequence

    @property
    def action(self) -> str:
        """As declared."""
        return self.alarm.action

    @property
    def response_time_s(self) -> float:
        """As declared."""
        return self.alarm.response_time_s


def declared_limits(alarm: Alarm) -> dict[Limit, str]:
    """The limits that an alarm declares, the most urgent first."""
    declared = {
        Limit.HIGH_HIGH: alarm.high_high,
        Limit.LOW_LOW: alarm.low_low,
        Limit.HIGH: alarm.high,
        Limit.LOW: alarm.low,
    }
    return {limit: text for limit, text in declared.items() if text is not None}


def points(alarm: Alarm) -> tuple[AlarmPoint, ...]:
    """The raw conditions of an alarm; its own name where it is one."""
    if alarm.kind not in ANALOGUE:
        return (AlarmPoint(alarm.name, alarm, None, _guarded(alarm, _cause(alarm)), alarm.priority, alarm.description),)
    declared = declared_limits(alarm)
    alone = len(declared) == 1
    return tuple(
        AlarmPoint(
            alarm.name if alone else f"{alarm.name}.{limit.value}",
            alarm,
            limit,
            _guarded(alarm, _passed(alarm, limit, text)),
            priority_of(alarm, limit),
            alarm.description if alone else f"{alarm.description}: {limit.value.replace('_', ' ')} ({text})",
        )
        for limit, text in declared.items()
    )


def priority_of(alarm: Alarm, limit: Limit | None) -> Priority:
    """Priority of an alarm while this limit is passed."""
    outer = limit is not None and limit.outer and alarm.outer_priority is not None
    return alarm.outer_priority if outer and alarm.outer_priority is not None else alarm.priority


def limit_value(text: str) -> Quantity | None:
    """Read a limit; None where it is no quantity (config.checks tells)."""
    try:
        return parse_quantity(text)
    except UnitError:
        return None


def watched_unit(alarm: Alarm, unit: Unit) -> Unit:
    """The unit of what is compared with the limits, from that of the tag: of a rate over a window, per second."""
    return rate_unit(unit) if alarm.window_s else unit


def limit_number(alarm: Alarm, quantity: Quantity, unit: Unit) -> float:
    """A limit as a number in a unit; that of a deviation is a difference."""
    change = convert_difference if alarm.kind is AlarmKind.DEVIATION else convert
    return change(quantity.value, quantity.unit, unit)


def relative(alarm: Alarm, text: str) -> bool:
    """Whether a limit is a part of the set point: a deviation in per cent."""
    return alarm.kind is AlarmKind.DEVIATION and text.strip().endswith(PERCENT)


def _guarded(alarm: Alarm, cause: str) -> str:
    return cause if alarm.only_when is None else f"({alarm.only_when}) and ({cause})"


def _cause(alarm: Alarm) -> str:
    if alarm.kind is AlarmKind.OFF_NORMAL:
        return f"{alarm.tag} != {alarm.normal}"
    if alarm.kind is AlarmKind.COMMUNICATION:
        return " or ".join(f"bad({tag})" for tag in alarm.tags)
    return alarm.when or "0"


def _passed(alarm: Alarm, limit: Limit, text: str) -> str:
    sign = ">" if limit.above else "<"
    value = text.strip()
    if alarm.window_s:
        return f"rate({alarm.tag}, {alarm.window_s:g} s) {sign} {value}"
    if alarm.kind is not AlarmKind.DEVIATION:
        return f"{alarm.tag} {sign} {value}"
    if relative(alarm, value):
        quantity = limit_value(value)
        part = 0.0 if quantity is None else float(value.rstrip(PERCENT)) / 100.0
        minus, part = ("-", -part) if part < 0 else ("", part)
        value = f"{minus}{part!r} * {alarm.setpoint}"
    return f"{alarm.tag} - {alarm.setpoint} {sign} {value}"
