"""Our object and event types, in the namespace `urn:cvd-supervisor:types`."""

from dataclasses import replace
from typing import Any, Final

from opcua_model.data_types import (
    CODES,
    ENUMERATIONS,
    RECORD,
    RECORDS,
    SAME,
    STRUCTURES,
    build_data_types,
    data_type_id,
)
from opcua_model.methods import METHODS
from opcua_model.space import ARRAY, SCALAR, Space, number_id, variant_type
from opcua_model.stack import Ids, ua
from opcua_model.variables import ACTIVE_RUN, ALARMS, CARE, CODE, CONDITION, DIAGNOSTICS, SERVICES, STATE, Variable

NAMESPACE: Final = "urn:cvd-supervisor:types"
TOOL_NAMESPACE: Final = "urn:cvd-supervisor:tool:"

OBJECT_TYPES: Final = {
    "ToolType": "A chemical vapour deposition tool.",
    "IdentificationType": "The name plate of a tool.",
    "StateType": "State and control of a tool.",
    "EquipmentType": "The modules of a tool.",
    "ModuleType": "A module of a tool with its tags.",
    "TelemetryType": "The signals of a tool under their common names.",
    "ProcessModesType": "The process modes that are known.",
    "ProcessModeType": "A process mode: pressure regime, activation, reactor, chemistry and variant.",
    "RecipesType": "The recipes of a tool.",
    "RecipeType": "A version of a recipe.",
    "RunsType": "The runs of a tool.",
    "RunType": "A run.",
    "ActiveRunType": "The run that is active, with its ISA-88 state.",
    "ServicesType": "The service operations of a tool.",
    "CareType": "Wear, use and work that falls due.",
    "LoopsType": "The control loops of a tool and their gains.",
    "InterlocksType": "The interlocks of a tool.",
    "InterlockType": "A row of the cause-and-effect matrix.",
    "AlarmsType": "The alarms of a tool.",
    "ResultsType": "The results of runs.",
    "ResultType": "The result of a run.",
    "SpcType": "The series of statistical process control.",
    "SpcSeriesType": "A series of statistical process control.",
    "DiagnosticsType": "How the supervisor itself is doing.",
    "LinksType": "The instruments of a tool and their links.",
    "LinkType": "An instrument and the wire that it hangs on.",
}

EVENT_TYPES: Final = {
    "RunEventType": "A run changed its state or its step.",
    "InterlockEventType": "An interlock tripped, cleared, was reset or bypassed.",
    "SpcEventType": "A run's point broke a rule of its control chart.",
    "RefusalEventType": "A call or a write was refused. Only the session that asked is told.",
}
EVENT_FIELDS: Final = {
    "RunEventType": (
        Variable("RunId", "String", "UUID of the run."),
        Variable("RunNumber", "String", "Its number."),
        Variable("State", "String", "Its ISA-88 state."),
        Variable("Previous", "String", "The state before."),
        Variable("StepIndex", "Int64", "Index of its step, -1 outside of one."),
        Variable("StepName", "String", "Name of its step."),
        Variable("Cause", "String", "Why."),
    ),
    "InterlockEventType": (
        Variable("Interlock", "String", "Name of the interlock."),
        Variable("State", "String", "Its state."),
        Variable("FirstOut", "Boolean", "True when it was the first of its group."),
        Variable("TripCount", "Int64", "How often it tripped."),
        Variable("Why", "String", "The cause in words."),
    ),
    "SpcEventType": (
        Variable("Series", "String", "Name of the series."),
        Variable("Parameter", "String", "The figure that it follows."),
        Variable("Value", "Double", "The point's value."),
        Variable("Ucl", "Double", "Upper control limit that it was held against."),
        Variable("Lcl", "Double", "Lower control limit."),
        Variable("Rules", "String", "The rules that it broke, by name."),
        Variable("RunId", "String", "UUID of the run."),
        Variable("RunNumber", "String", "Its number."),
    ),
    "RefusalEventType": (
        Variable("Status", "String", "Symbolic status code of the refusal."),
        Variable("Target", "String", "Path of the method or set point."),
    ),
}

_MEMBERS: Final = {
    "StateType": STATE,
    "ActiveRunType": ACTIVE_RUN,
    "ServicesType": SERVICES,
    "CareType": CARE,
    "DiagnosticsType": DIAGNOSTICS,
    "InterlockType": CONDITION,
    "AlarmsType": ALARMS,
}
_DATA: Final = Ids.BaseDataVariableType
_COME_AND_GO: Final = frozenset({"ProcessModeType", "RecipeType", "RunType", "ResultType", "SpcSeriesType"})
_OWNERS: Final = {
    "State": "StateType",
    "ProcessModes": "ProcessModesType",
    "Recipes": "RecipesType",
    "Runs": "RunsType",
    "Services": "ServicesType",
    "Care": "CareType",
    "Loops": "LoopsType",
    "Interlocks/*": "InterlockType",
    "Spc": "SpcType",
}
"""Which type declares the methods of an owner in the contract."""


def arguments(items: Any) -> list[Any]:
    """Make the arguments of a method node from those of the contract."""
    made: list[Any] = []
    for item in items:
        argument = ua.Argument()
        argument.Name = item.name
        argument.DataType = number_id(int(variant_type(item.type)))
        argument.ValueRank = ARRAY if item.array else SCALAR
        argument.ArrayDimensions = [0] if item.array else []
        argument.Description = ua.LocalizedText(item.description)
        made.append(argument)
    return made


def build_types(space: Space, methods: dict[Any, Any]) -> None:
    """Create all types; their methods are entered in `methods` beside those of the instances."""
    build_data_types(space)
    for name, description in OBJECT_TYPES.items():
        space.add_type(name, number_id(Ids.BaseObjectType), description)
    for name, structure in RECORDS.items():
        owner = space.type_id(name)
        _declare(space, owner, Variable(RECORD, structure, STRUCTURES[structure][0]), Ids.HasComponent, _DATA)
        if name in _COME_AND_GO:
            for one in STRUCTURES[structure][1]:
                shown = replace(one, type="String") if one.type in ENUMERATIONS else one
                _declare(space, owner, shown, Ids.HasComponent, _DATA, Ids.ModellingRule_Optional)
            for field, enumeration in CODES.get(name, {}).items():
                twin = Variable(f"{field}{CODE}", enumeration, SAME)
                _declare(space, owner, twin, Ids.HasComponent, _DATA, Ids.ModellingRule_Optional)
    for name, description in EVENT_TYPES.items():
        event = space.add_type(name, number_id(Ids.BaseEventType), description)
        for one in EVENT_FIELDS[name]:
            _declare(space, event, one, Ids.HasProperty, Ids.PropertyType)
    for name, members in _MEMBERS.items():
        for one in members:
            _declare(space, space.type_id(name), one, Ids.HasComponent, Ids.BaseDataVariableType)
    for method in METHODS:
        if method.standard:  # the standard's own types have it
            methods[number_id(method.standard)] = method
            continue
        owner = space.type_id(_OWNERS[method.owner])
        node = ua.NodeId(f"{owner.Identifier}/{method.name}", space.types)
        space.add_method(
            node, method.name, owner, method.description, arguments(method.inputs), arguments(method.outputs)
        )
        space.add_reference(node, Ids.HasModellingRule, number_id(Ids.ModellingRule_Mandatory), both=False)
        methods[node] = method


def _declare(
    space: Space, owner: Any, one: Variable, reference: int, kind: int, rule: int = Ids.ModellingRule_Mandatory
) -> None:
    name = one.path.rpartition("/")[2]
    node = space.add_variable(
        ua.NodeId(f"{owner.Identifier}/{name}", space.types),
        name,
        owner,
        description=one.description,
        data_type=data_type_id(space, one.type),
        value=ua.DataValue(ua.Variant(None, ua.VariantType.Null)),
        reference=reference,
        kind=kind,
    )
    space.add_reference(node, Ids.HasModellingRule, number_id(rule), both=False)
