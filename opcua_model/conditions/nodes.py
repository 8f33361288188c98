"""Alarms in the address space: an object of its standard type for each, kept as its state is, and its events."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from config.alarm_list import AlarmDefinition, alarm_list
from opcua_model.conditions.fields import ConditionFields, Fields
from opcua_model.conditions.methods import BY_STANDARD, CONDITION_METHODS, SHELF
from opcua_model.conditions.state import AlarmState, Shelf
from opcua_model.eventing.notice import Notice, Path, standard
from opcua_model.eventing.telling import base_fields, notifiers
from opcua_model.live import tell
from opcua_model.publishing.snapshot import moment
from opcua_model.space import number_id, stamped
from opcua_model.stack import Ids, ua
from opcua_model.tree import Tree, add_live
from opcua_model.variables import Variable, same

_K: Final = ua.VariantType
_HAS_TRUE_SUB_STATE: Final = Ids.HasTrueSubState
_HAS_CONDITION: Final = Ids.HasCondition
_COMPONENTS: Final = {
    "Quality": Ids.ConditionVariableType, "LastSeverity": Ids.ConditionVariableType,
    "Comment": Ids.ConditionVariableType, "CurrentState": Ids.FiniteStateVariableType,
    "FirstInGroupFlag": Ids.BaseDataVariableType, "ReAlarmRepeatCount": Ids.BaseDataVariableType,
}  # fmt: skip
"""Fields that are components, not properties; so are those whose names end with `State`."""
_MACHINES: Final = {
    "ShelvingState": (Ids.ShelvedStateMachineType, "Whether it is shelved, and until when."),
    "LimitState": (Ids.ExclusiveLimitStateMachineType, "Which limit is passed."),
}
_SUB_STATES: Final = {
    "EnabledState": ("AckedState", "ConfirmedState", "ActiveState", "SuppressedState", "OutOfServiceState",
                     "LatchedState", "ShelvingState"),
    "ActiveState": ("LimitState", "HighHighState", "HighState", "LowState", "LowLowState"),
}  # fmt: skip
_RECEIVED: Final = standard("ReceiveTime")
_WHY: Final = "The cause in words with the values that made it, while there is one."
_TEXTS: Final = {
    "Id": "True or false, or the state's node.",
    "TransitionTime": "Since when.",
    "SourceTimestamp": "When it was set.",
    "EffectiveDisplayName": "The state in a word.",
}


class Conditions:
    """All alarms of a tool.

    Args:
        tree: the tool's nodes; those of modules and of the folder `Alarms` are there.
        words: says a message in the language of the installation.
    """

    def __init__(self, tree: Tree, words: Callable[[str], str] = str) -> None:
        self._tree = tree
        self._words = words
        self._space = tree.space
        self._fields: dict[str, ConditionFields] = {}
        self._shown: dict[str, Fields] = {}
        self._heard: dict[str, tuple[Any, ...]] = {}
        self.states: dict[str, AlarmState] = {}
        """As they are shown."""

    def build(self, states: Mapping[str, AlarmState]) -> None:
        """Create the nodes of all alarms."""
        for number, method in BY_STANDARD.items():
            self._tree.methods[number_id(number)] = method
        for definition in alarm_list(self._tree.layout).values():
            self._create(definition, states[definition.name])

    def add(self, definition: AlarmDefinition, state: AlarmState) -> Any:
        """Create the nodes of an alarm that came while the server runs; return its type, None if it is there."""
        if definition.name in self.states:
            return None
        self._create(definition, state)
        return self._fields[definition.name].kind

    def _create(self, definition: AlarmDefinition, state: AlarmState) -> None:
        space = self._space
        fields = self._fields[definition.name] = ConditionFields(definition, space, self._tree.layout)
        node = space.add_object(
            space.tool_id(f"Alarms/{definition.name}"),
            definition.name,
            space.tool_id("Alarms"),
            description=definition.declared.description,
            kind=fields.kind,
            notifier=True,
        )
        self._tree.owners[node] = f"Alarms/{definition.name}"
        self.states[definition.name] = state
        source = self._source(definition)
        space.add_reference(source, _HAS_CONDITION, node)
        self._heard[definition.name] = notifiers(space, node, source)
        shown = self._shown[definition.name] = self._values(definition.name)
        for path, value in shown.items():
            self._add(node, path, value)
        add_live(self._tree, Variable(f"Alarms/{definition.name}/Why", "String", _WHY))
        self._relate(node)
        for method in CONDITION_METHODS:
            self._add_method(node, fields, method.name, method.standard)

    def _source(self, definition: AlarmDefinition) -> Any:
        node = self._space.tool_id(definition.source)
        return node if node in self._space else self._space.tool_id("Alarms")

    def _add_method(self, node: Any, fields: ConditionFields, name: str, standard_id: int) -> None:
        """Refer to a method of the type, where this alarm has it."""
        one, space = fields.definition, self._space
        if name == "Confirm" and not one.confirm:
            return
        if one.safety and name in {"Disable", "Enable"}:
            pass  # mandatory in the type; refused
        elif one.safety and ("Service" in name or "uppress" in name):
            return
        if name.startswith("Reset") and not fields.latches:
            return
        owner = node
        if name in SHELF:
            if not fields.shelvable:
                return
            owner = space.tool_id(f"Alarms/{one.name}/ShelvingState")
            self._tree.owners[owner] = f"Alarms/{one.name}"
        space.add_reference(owner, Ids.HasComponent, number_id(standard_id), both=False)

    def _add(self, node: Any, path: Path, value: Any) -> None:
        """Add the variable of a field, and the objects that it hangs below."""
        space = self._space
        parent = node
        for namespace, name in path[:-1]:
            parent = ua.NodeId(f"{parent.Identifier}/{name}", space.tool)
            if parent not in space:
                kind, text = _MACHINES[name]
                space.add_object(parent, name, node, description=text, kind=number_id(kind), namespace=namespace)
        namespace, name = path[-1]
        component = name in _COMPONENTS or (name.endswith("State") and name != "NormalState")
        kind = _COMPONENTS.get(name, Ids.TwoStateVariableType if component else Ids.PropertyType)
        space.add_variable(
            ua.NodeId(f"{parent.Identifier}/{name}", space.tool),
            name,
            parent,
            description=_TEXTS.get(name, f"{name} of the alarm."),
            data_type=_data_type(name, value),
            value=stamped(value),
            kind=kind,
            reference=Ids.HasComponent if component else Ids.HasProperty,
            namespace=namespace,
        )

    def _relate(self, node: Any) -> None:
        for above, below in _SUB_STATES.items():
            source = ua.NodeId(f"{node.Identifier}/{above}", self._space.tool)
            for name in below:
                target = ua.NodeId(f"{node.Identifier}/{name}", self._space.tool)
                if target in self._space:
                    self._space.add_reference(source, _HAS_TRUE_SUB_STATE, target)

    # ------------------------------------------------------------------------------------------------------ showing
    def _values(self, name: str) -> Fields:
        alarm = self._fields[name].definition.alarm
        relative_to: dict[str, float] = {}
        if alarm is not None and alarm.setpoint is not None:
            index = self._tree.layout.index[alarm.setpoint]
            relative_to[alarm.setpoint] = float(self._tree.snapshot.now().values[index])
        return self._all(self.states[name], relative_to)

    def _all(self, state: AlarmState, relative_to: dict[str, float]) -> Fields:
        fields = self._fields[state.name]
        values = fields.values(state, relative_to)
        source = self._source(fields.definition)
        when = moment(state.time_ns) if state.time_ns else datetime.now(UTC)
        base = base_fields(
            fields.kind,
            source,
            fields.definition.module,
            when or datetime.now(UTC),
            self._words(state.message),
            state.severity,
            state.event_id or b"\0",
        )
        return {**base, **values}

    async def show(self, state: AlarmState) -> None:
        """Show the state of an alarm."""
        if state.name not in self._fields or state.revision < self.states[state.name].revision:
            return
        self.states[state.name] = state
        await self._put(state.name, self._values(state.name))

    async def _put(self, name: str, now: Fields) -> None:
        before, self._shown[name] = self._shown[name], now
        node = f"Alarms/{name}"
        for path, value in now.items():
            if _same(before.get(path), value) or path == _RECEIVED:
                continue
            cell = self._space.cell(self._space.tool_id("/".join((node, *(name for _, name in path)))))
            await tell(cell, stamped(value))

    async def look(self, now_ns: int) -> None:
        """Bring up to date what moves without an event: time on the shelf, limits that follow a set point."""
        for name in self._moving():
            fields, state = self._fields[name], self.states[name]
            now = self._values(name)
            if fields.shelvable:
                left = ua.Variant(fields.left_ms(state, now_ns), _K.Double)
                now[standard("ShelvingState", "UnshelveTime")] = left
            await self._put(name, now)

    def _moving(self) -> list[str]:
        return [
            name for name, fields in self._fields.items() if fields.follows or self.states[name].shelf is not Shelf.NONE
        ]

    def notice(self, name: str) -> Notice:
        """The event of an alarm's present state."""
        fields = dict(self._shown[name])
        fields[standard("ReceiveTime")] = ua.Variant(datetime.now(UTC), _K.DateTime)
        node = self._space.tool_id(f"Alarms/{name}")
        return Notice(self._fields[name].kind, fields, self._heard[name], node)

    def past(self, state: AlarmState) -> Notice:
        """The event of a state that an alarm once had; limits that follow a set point are not known of then."""
        fields = self._all(state, {})
        fields[_RECEIVED] = fields[standard("Time")]
        node = self._space.tool_id(f"Alarms/{state.name}")
        return Notice(self._fields[state.name].kind, fields, self._heard[state.name], node)

    def refresh(self, items: Iterable[Any]) -> None:
        """Tell monitored items every condition that is of interest, between a beginning and an end (Part 9, 5.5.7)."""
        listening = list(items)
        for item in listening:
            item.offer(self._frame(Ids.RefreshStartEventType, "the conditions follow"), always=True)
        for name, state in self.states.items():
            if not state.retain or not state.event_id:
                continue
            notice = self.notice(name)
            for item in listening:
                if item.node in notice.heard_at:
                    item.offer(notice)
        for item in listening:
            item.offer(self._frame(Ids.RefreshEndEventType, "these were all conditions"), always=True)

    @staticmethod
    def _frame(kind: int, words: str) -> Notice:
        server = number_id(Ids.Server)
        fields = base_fields(number_id(kind), server, "Server", datetime.now(UTC), words, 1)
        return Notice(number_id(kind), fields, (server,))


def _same(before: Any, after: Any) -> bool:
    """Whether a value stayed; NaN stays NaN."""
    return before is not None and same(before.Value, after.Value)


def _data_type(name: str, value: Any) -> int:
    if name in {"UnshelveTime", "MaxTimeShelved", "OnDelay", "OffDelay", "ReAlarmTime"}:
        return int(Ids.Duration)
    if name in {"Time", "ReceiveTime", "TransitionTime", "SourceTimestamp"}:
        return int(Ids.UtcTime)
    if name == "EngineeringUnits":
        return int(Ids.EUInformation)
    return int(getattr(Ids, value.VariantType.name))
