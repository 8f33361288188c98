"""The methods of a condition as data: those of the standard's types, so that every client knows them."""

from collections.abc import Sequence
from typing import Any, Final

from config.tool import Role
from opcua_model.interface import Argument, Method
from opcua_model.stack import Ids

_ANSWER: Final = frozenset({Role.OPERATOR.value, Role.ENGINEER.value, Role.MAINTENANCE.value})
_SERVICE: Final = frozenset({Role.ENGINEER.value, Role.MAINTENANCE.value})

_EVENT: Final = Argument("EventId", "ByteString", "The event that is answered, as it was told.")
_COMMENT: Final = Argument("Comment", "LocalizedText", "What the person has to say of it; null leaves the last one.")
_TIME: Final = Argument("ShelvingTime", "Double", "For how long, ms; at most MaxTimeShelved.")
OWNER: Final = "Alarms/*"
_AUDITED: Final = {
    "Enable": "Enable", "Disable": "Enable", "AddComment": "Comment", "Acknowledge": "Acknowledge",
    "Confirm": "Confirm", "Reset": "Reset", "RemoveFromService": "OutOfService", "PlaceInService": "OutOfService",
    "Suppress": "Suppression", "Unsuppress": "Suppression",
    "TimedShelve": "Shelving", "OneShotShelve": "Shelving", "Unshelve": "Shelving",
}  # fmt: skip
_FIELDS: Final = {"EventId": "ConditionEventId", "Comment": "Comment", "ShelvingTime": "ShelvingTime"}


def _method(
    name: str, kind: str, description: str, inputs: tuple[Argument, ...], roles: frozenset[str] = _ANSWER
) -> Method:
    return Method(OWNER, name, description, inputs, roles=roles, standard=int(getattr(Ids, f"{kind}_{name}")))


_CONDITION: Final = "ConditionType"
_ACKNOWLEDGEABLE: Final = "AcknowledgeableConditionType"
_ALARM: Final = "AlarmConditionType"
_SHELVING: Final = "ShelvedStateMachineType"

CONDITION_METHODS: Final = (
    _method("Enable", _CONDITION, "Watch the alarm again.", (), _SERVICE),
    _method("Disable", _CONDITION, "Watch the alarm no longer; none of the safety class.", (), _SERVICE),
    _method("AddComment", _CONDITION, "Say something of the alarm.", (_EVENT, _COMMENT)),
    _method("Acknowledge", _ACKNOWLEDGEABLE, "Say that the alarm has been seen.", (_EVENT, _COMMENT)),
    _method("Confirm", _ACKNOWLEDGEABLE, "Say that what it asks for has been done.", (_EVENT, _COMMENT)),
    _method("TimedShelve", _SHELVING, "Put the alarm on the shelf for a time.", (_TIME,)),
    _method("TimedShelve2", _SHELVING, "The same, with a comment.", (_TIME, _COMMENT)),
    _method("OneShotShelve", _SHELVING, "Put the alarm on the shelf until its cause has gone.", ()),
    _method("OneShotShelve2", _SHELVING, "The same, with a comment.", (_COMMENT,)),
    _method("Unshelve", _SHELVING, "Take the alarm off the shelf.", ()),
    _method("Unshelve2", _SHELVING, "The same, with a comment.", (_COMMENT,)),
    _method("RemoveFromService", _ALARM, "Take the alarm out of service, for a repair.", (), _SERVICE),
    _method("RemoveFromService2", _ALARM, "The same, with a comment.", (_COMMENT,), _SERVICE),
    _method("PlaceInService", _ALARM, "Put the alarm back into service.", (), _SERVICE),
    _method("PlaceInService2", _ALARM, "The same, with a comment.", (_COMMENT,), _SERVICE),
    _method("Suppress", _ALARM, "Suppress the alarm: logic outside of the tool knows why.", (), _SERVICE),
    _method("Suppress2", _ALARM, "The same, with a comment.", (_COMMENT,), _SERVICE),
    _method("Unsuppress", _ALARM, "Take that back.", (), _SERVICE),
    _method("Unsuppress2", _ALARM, "The same, with a comment.", (_COMMENT,), _SERVICE),
    _method("Reset", _ALARM, "Reset a latched alarm whose cause has gone.", ()),
    _method("Reset2", _ALARM, "The same, with a comment.", (_COMMENT,)),
)
BY_STANDARD: Final[dict[int, Method]] = {
    **{method.standard: method for method in CONDITION_METHODS},
    **{
        int(getattr(Ids, f"AlarmConditionType_ShelvingState_{method.name}")): method
        for method in CONDITION_METHODS
        if "shelve" in method.name.lower()
    },
}
"""Methods by the identifiers of the standard's nodes; those of the shelf also as the type of alarms has them."""
SHELF: Final = frozenset(method.name for method in CONDITION_METHODS if "shelve" in method.name.lower())


def audit_event(method_id: Any, arguments: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Type of the audit event of a call, with the fields of its own (Part 9, 5.10); that of any call for the others."""
    method = BY_STANDARD.get(method_id.Identifier) if method_id.NamespaceIndex == 0 else None
    if method is None:
        return "AuditUpdateMethodEventType", {}
    kind = f"AuditCondition{_AUDITED[method.name.removesuffix('2')]}EventType"
    return kind, {_FIELDS[one.name]: given for one, given in zip(method.inputs, arguments, strict=False)}
