"""What a condition says: every field of its type by browse path, for its nodes and for its events alike."""

from datetime import UTC, datetime
from typing import Any, Final

from config.alarm_list import SEVERITY, AlarmDefinition
from config.alarms import (
    ANALOGUE,
    AlarmPoint,
    Limit,
    declared_limits,
    limit_number,
    limit_value,
    priority_of,
    relative,
)
from config.layout import Layout, symbol_of
from config.tool import Alarm, AlarmKind
from config.units import Unit, UnitError, convert_difference, parse_quantity
from opcua_model.conditions.state import AlarmState, Shelf
from opcua_model.engineering import engineering_units
from opcua_model.eventing.notice import Path, standard
from opcua_model.publishing.snapshot import moment
from opcua_model.space import Space, number_id
from opcua_model.stack import Ids, ua

_K: Final = ua.VariantType
TYPES: Final = {
    None: Ids.TripAlarmType,
    AlarmKind.LIMIT: Ids.NonExclusiveLimitAlarmType,
    AlarmKind.LEVEL: Ids.ExclusiveLevelAlarmType,
    AlarmKind.DEVIATION: Ids.ExclusiveDeviationAlarmType,
    AlarmKind.RATE_OF_CHANGE: Ids.ExclusiveRateOfChangeAlarmType,
    AlarmKind.OFF_NORMAL: Ids.OffNormalAlarmType,
    AlarmKind.DISCRETE: Ids.DiscreteAlarmType,
    AlarmKind.COMMUNICATION: Ids.InstrumentDiagnosticAlarmType,
}
"""Type of the standard by kind; None: an interlock."""
_WORDS: Final = {
    Limit.HIGH_HIGH: "HighHigh", Limit.HIGH: "High", Limit.LOW: "Low", Limit.LOW_LOW: "LowLow",
}  # fmt: skip
_SHELF: Final = {
    Shelf.NONE: ("Unshelved", Ids.ShelvedStateMachineType_Unshelved),
    Shelf.TIMED: ("Timed Shelved", Ids.ShelvedStateMachineType_TimedShelved),
    Shelf.ONE_SHOT: ("One Shot Shelved", Ids.ShelvedStateMachineType_OneShotShelved),
}
_LIMIT_STATES: Final = {limit: getattr(Ids, f"ExclusiveLimitStateMachineType_{word}") for limit, word in _WORDS.items()}
NORMAL_VALUE: Final = "NormalValue"
"""Our property that says which state is the normal one."""

Fields = dict[Path, Any]


def _text(words: str) -> Any:
    return ua.Variant(ua.LocalizedText(words), _K.LocalizedText)


def _time(time_ns: int) -> Any:
    when = moment(time_ns) if time_ns > 0 else None
    return ua.Variant(when or datetime(1601, 1, 1, tzinfo=UTC), _K.DateTime)


def _double(value: float) -> Any:
    return ua.Variant(float(value), _K.Double)


def _flag(value: bool) -> Any:
    return ua.Variant(bool(value), _K.Boolean)


def _id(node_id: Any) -> Any:
    return ua.Variant(node_id, _K.NodeId)


class ConditionFields:
    """The fields of one alarm.

    Args:
        definition: the alarm.
        space: where its nodes are.
        layout: units of the tags.
    """

    def __init__(self, definition: AlarmDefinition, space: Space, layout: Layout) -> None:
        self.definition = definition
        self.kind = number_id(TYPES[definition.kind])
        self._space = space
        self._layout = layout
        self._constant = self._constants()

    @property
    def shelvable(self) -> bool:
        """Whether it has a shelf."""
        return self.definition.max_shelve_s > 0

    @property
    def latches(self) -> bool:
        """Whether it stays until it is reset."""
        return bool(self.definition.declared.latch)

    @property
    def follows(self) -> bool:
        """Whether a limit of it is a part of its set point."""
        alarm = self.definition.alarm
        return alarm is not None and any(relative(alarm, text) for text in declared_limits(alarm).values())

    def values(self, state: AlarmState, relative_to: dict[str, float] | None = None) -> Fields:
        """All fields in a state; `relative_to` gives values of set points, for limits that are a part of one."""
        fields = dict(self._constant)
        fields |= self._condition(state)
        fields |= self._answers(state)
        fields |= self._alarm(state)
        if self.definition.alarm is not None and self.definition.kind in ANALOGUE:
            fields |= self._limit_states(state)
            fields |= self._relative_limits(self.definition.alarm, relative_to or {})
        return fields

    # ------------------------------------------------------------------------------------------------ what stays
    def _constants(self) -> Fields:
        one, space = self.definition, self._space
        kind, words = self._class()
        watched = None if one.tag is None else space.tool_id("Equipment/" + one.tag.replace(".", "/", 1))
        fields: Fields = {
            standard("ConditionClassId"): _id(number_id(kind)),
            standard("ConditionClassName"): _text(words),
            standard("ConditionName"): ua.Variant(one.name, _K.String),
            standard("BranchId"): _id(ua.NodeId()),
            standard("SupportsFilteredRetain"): _flag(False),
            standard("InputNode"): _id(watched if watched is not None and watched in space else ua.NodeId()),
            standard("OnDelay"): _double(one.declared.on_delay_s * 1000.0),
            standard("OffDelay"): _double(one.declared.off_delay_s * 1000.0),
        }
        if self.shelvable:
            fields[standard("MaxTimeShelved")] = _double(one.max_shelve_s * 1000.0)
        if one.re_alarm_s:
            fields[standard("ReAlarmTime")] = _double(one.re_alarm_s * 1000.0)
        fields |= self._rationalised()
        alarm = one.alarm
        if alarm is not None and alarm.kind in ANALOGUE:
            fields |= self._limits(alarm)
        if alarm is not None and alarm.setpoint is not None:
            target = space.tool_id("Equipment/" + alarm.setpoint.replace(".", "/", 1))
            fields[standard("SetpointNode")] = _id(target)
        if alarm is None or alarm.kind in {AlarmKind.OFF_NORMAL, AlarmKind.COMMUNICATION}:
            known = alarm is not None and alarm.normal is not None
            normal = space.tool_id(f"Alarms/{one.name}/{NORMAL_VALUE}") if known else ua.NodeId()
            fields[standard("NormalState")] = _id(normal)
            if alarm is not None and alarm.normal is not None:
                fields[self._own(NORMAL_VALUE)] = ua.Variant(alarm.normal, _K.String)
        return fields

    def _own(self, name: str) -> Path:
        return ((self._space.types, name),)

    def _class(self) -> tuple[int, str]:
        if self.definition.safety:
            return int(Ids.SafetyConditionClassType), "Safety"
        if self.definition.kind is AlarmKind.COMMUNICATION:
            return int(Ids.SystemConditionClassType), "System"
        return int(Ids.ProcessConditionClassType), "Process"

    def _rationalised(self) -> Fields:
        """What ISA-18.2 wants to be known of an alarm before it may ask anybody for anything."""
        one = self.definition.declared
        said = {
            "Priority": one.priority.value,
            "Consequence": one.consequence,
            "Action": one.action,
            "Cause": " · ".join(point.when for point in self.definition.points),
            "Module": self.definition.module,
            "FirstOutGroup": one.group or "",
        }
        fields: Fields = {self._own(name): ua.Variant(text, _K.String) for name, text in said.items()}
        fields[self._own("ResponseTimeS")] = _double(one.response_time_s)
        fields[self._own("SafetyClass")] = _flag(self.definition.safety)
        return fields

    def _limits(self, alarm: Alarm) -> Fields:
        unit = symbol_of(self._layout.declared[alarm.tag or ""]).unit
        fields: Fields = {}
        if alarm.window_s:
            unit = _rate_unit(alarm)
        if alarm.kind is AlarmKind.RATE_OF_CHANGE and unit is not None:
            # Left out it would mean the tag's unit per second (Part 9, 5.8.22), though the tag may be a rate itself.
            fields[standard("EngineeringUnits")] = engineering_units(unit)
        for limit, text in declared_limits(alarm).items():
            word, quantity = _WORDS[limit], limit_value(text)
            if unit is not None and quantity is not None and not relative(alarm, text):
                fields[standard(f"{word}Limit")] = _double(limit_number(alarm, quantity, unit))
            fields[standard(f"Severity{word}")] = ua.Variant(SEVERITY[priority_of(alarm, limit)], _K.UInt16)
            if alarm.hysteresis is not None and unit is not None:
                try:
                    width = parse_quantity(alarm.hysteresis)
                    fields[standard(f"{word}Deadband")] = _double(convert_difference(width.value, width.unit, unit))
                except UnitError:  # it is of another comparison in the same expression
                    continue
        return fields

    @staticmethod
    def _relative_limits(alarm: Alarm, values: dict[str, float]) -> Fields:
        setpoint = values.get(alarm.setpoint or "", float("nan"))
        return {
            standard(f"{_WORDS[limit]}Limit"): _double(float(text.strip().rstrip("%")) / 100.0 * setpoint)
            for limit, text in declared_limits(alarm).items()
            if relative(alarm, text)
        }

    # ---------------------------------------------------------------------------------------------- what changes
    def _two_states(self, name: str, value: bool, words: tuple[str, str], since_ns: int) -> Fields:
        """A TwoStateVariable; the words are those of true and false."""
        return {
            standard(name): _text(words[0] if value else words[1]),
            standard(name, "Id"): _flag(value),
            standard(name, "TransitionTime"): _time(since_ns),
        }

    def _condition(self, state: AlarmState) -> Fields:
        quality = ua.StatusCode()
        if state.unknown:
            quality = ua.StatusCode(ua.StatusCodes.Bad)
        elif not state.verified:
            quality = ua.StatusCode(ua.StatusCodes.UncertainLastUsableValue)
        return {
            standard("Retain"): _flag(state.retain),
            **self._two_states("EnabledState", state.enabled, ("Enabled", "Disabled"), state.enabled_ns),
            standard("EnabledState", "EffectiveDisplayName"): _text(effective(state)),
            standard("Quality"): ua.Variant(quality, _K.StatusCode),
            standard("Quality", "SourceTimestamp"): _time(state.time_ns),
            standard("LastSeverity"): ua.Variant(state.last_severity, _K.UInt16),
            standard("LastSeverity", "SourceTimestamp"): _time(state.severity_ns),
            standard("Comment"): _text(state.comment),
            standard("Comment", "SourceTimestamp"): _time(state.comment_ns),
            standard("ClientUserId"): ua.Variant(state.user, _K.String),
            self._own("Occurrences"): ua.Variant(state.occurrences, _K.Int64),
        }

    def _answers(self, state: AlarmState) -> Fields:
        fields = self._two_states("AckedState", state.acked, ("Acknowledged", "Unacknowledged"), state.acked_ns)
        if self.definition.confirm:
            words = ("Confirmed", "Unconfirmed")
            fields |= self._two_states("ConfirmedState", state.confirmed, words, state.confirmed_ns)
        return fields

    def _alarm(self, state: AlarmState) -> Fields:
        one = self.definition
        fields = self._two_states("ActiveState", state.active, ("Active", "Inactive"), state.active_ns)
        fields[standard("ActiveState", "EffectiveDisplayName")] = _text(self._active(state))
        fields[standard("SuppressedOrShelved")] = _flag(
            state.suppressed or state.out_of_service or state.shelf is not Shelf.NONE
        )
        if not one.safety:
            words = ("Suppressed", "Unsuppressed")
            fields |= self._two_states("SuppressedState", state.suppressed, words, state.suppressed_ns)
            words = ("Out of Service", "In Service")
            fields |= self._two_states("OutOfServiceState", state.out_of_service, words, state.out_of_service_ns)
        if self.latches:
            fields |= self._two_states("LatchedState", state.latched, ("Latched", "Unlatched"), state.latched_ns)
        if one.declared.group is not None:
            fields[standard("FirstInGroupFlag")] = _flag(state.first_out)
        if one.re_alarm_s:
            fields[standard("ReAlarmRepeatCount")] = ua.Variant(min(state.re_alarms, 32767), _K.Int16)
        if self.shelvable:
            word, number = _SHELF[state.shelf]
            fields |= {
                standard("ShelvingState", "CurrentState"): _text(word),
                standard("ShelvingState", "CurrentState", "Id"): _id(number_id(number)),
                standard("ShelvingState", "UnshelveTime"): _double(self.left_ms(state)),
            }
        return fields

    @staticmethod
    def left_ms(state: AlarmState, now_ns: int | None = None) -> float:
        """Time on the shelf that is left, as of the last event unless said otherwise."""
        if state.shelf is Shelf.NONE:
            return 0.0
        return max(0.0, (state.unshelve_ns - (state.time_ns if now_ns is None else now_ns)) / 1e6)

    def _active(self, state: AlarmState) -> str:
        limit = None if state.top is None else self.definition.limit(state.top)
        if not state.active:
            return "Inactive"
        return "Active" if limit is None else f"Active: {limit.value.replace('_', ' ')}"

    def _limit_states(self, state: AlarmState) -> Fields:
        passed = {
            point.limit: bool(bits & 2)
            for point, bits in zip(self.definition.points, state.bits, strict=False)
            if isinstance(point, AlarmPoint)
        }
        if self.definition.kind is AlarmKind.LIMIT:
            fields: Fields = {}
            for limit, inside in passed.items():
                word = _WORDS[limit] if limit is not None else ""
                words = (f"{word} active", f"{word} inactive")
                fields |= self._two_states(f"{word}State", inside, words, state.time_ns)
            return fields
        limit = None if state.top is None else self.definition.limit(state.top)
        return {
            standard("LimitState", "CurrentState"): _text("" if limit is None else _WORDS[limit]),
            standard("LimitState", "CurrentState", "Id"): _id(
                ua.NodeId() if limit is None else number_id(_LIMIT_STATES[limit])
            ),
        }


def _rate_unit(alarm: Alarm) -> Unit:
    """The unit that the limits of a rate are told in: that of the first one, as it was written."""
    return parse_quantity(next(iter(declared_limits(alarm).values()))).unit


def effective(state: AlarmState) -> str:
    """The state in a word for people."""
    if not state.enabled:
        return "Disabled"
    if state.out_of_service:
        return "Out of service"
    if state.shelf is not Shelf.NONE:
        return "Shelved"
    if state.suppressed:
        return "Suppressed"
    if state.active:
        return "Active" if state.acked else "Active, unacknowledged"
    if state.latched:
        return "Latched"
    if not state.acked:
        return "Gone, unacknowledged"
    return "Normal" if state.confirmed else "Gone, unconfirmed"
