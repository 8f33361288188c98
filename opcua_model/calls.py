"""Call: a request is checked against the contract's table, then handed to the daemon."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

from opcua_model.desk import Desk, require_role
from opcua_model.interface import Argument, Caller, Method, Refused
from opcua_model.methods import method_at
from opcua_model.space import variant, variant_type
from opcua_model.stack import status, ua

_INTEGERS: Final = frozenset(
    {
        ua.VariantType.SByte,
        ua.VariantType.Byte,
        ua.VariantType.Int16,
        ua.VariantType.UInt16,
        ua.VariantType.Int32,
        ua.VariantType.UInt32,
        ua.VariantType.Int64,
        ua.VariantType.UInt64,
    }
)
_UINT32_MAX: Final = 0xFFFFFFFF


async def call_method(desk: Desk, caller: Caller, request: Any) -> tuple[Any, Refused | None, str]:
    """Carry out one method: the result, the refusal when it was one, and the method's path."""
    result = ua.CallMethodResult()
    target = request.MethodId.to_string()
    try:
        path, method = _find(desk, request)
        target = f"{path}/{method.name}"
        _require_permission(desk, caller, request.MethodId, target, method)
        given = _arguments(method, request.InputArguments or [], result)
        answer = await desk.backend.call(caller, path, method.name, given)
        result.OutputArguments = _outputs(method, answer)
    except Refused as refused:
        result.StatusCode = status(refused.status)
        return result, refused, target
    return result, None, target


def _require_permission(desk: Desk, caller: Caller, node: Any, target: str, method: Method) -> None:
    if not desk.permissions.reaches(caller, node):
        raise Refused("BadSecurityModeInsufficient", f"{target} is called on a signed channel only")
    require_role(caller, desk.permissions.movers(target, method.roles), target)


def told_arguments(method: Method | None, given: Sequence[Any]) -> list[Any]:
    """Return the arguments of a call as others may know them: a secret is replaced by nothing."""
    secret = {index for index, argument in enumerate(method.inputs) if argument.secret} if method is not None else ()
    return [ua.Variant(None, ua.VariantType.Null) if index in secret else one for index, one in enumerate(given)]


def _find(desk: Desk, request: Any) -> tuple[str, Method]:
    method = desk.tree.methods.get(request.MethodId)
    path = desk.tree.owners.get(request.ObjectId)
    if path is None and request.ObjectId not in desk.aspace:
        raise Refused("BadNodeIdUnknown", f"there is no object {request.ObjectId.to_string()}")
    if method is None and request.MethodId not in desk.aspace:
        raise Refused("BadNodeIdUnknown", f"there is no method {request.MethodId.to_string()}")
    if path is None or method is None or method_at(path, method.name) is not method:
        raise Refused("BadMethodInvalid", f"{request.ObjectId.to_string()} has no such method")
    return path, method


def _arguments(method: Method, given: Sequence[Any], result: Any) -> list[Any]:
    """Check arguments; the result says of each whether it fits.

    Integers of any width are taken where they fit, since clients guess the width; everything else must be of its type.
    """
    wanted = method.inputs
    if len(given) < len(wanted):
        missing = ", ".join(argument.name for argument in wanted[len(given) :])
        raise Refused("BadArgumentsMissing", f"{method.name} also needs {missing}")
    if len(given) > len(wanted):
        raise Refused("BadTooManyArguments", f"{method.name} takes {len(wanted)} arguments, not {len(given)}")
    values: list[Any] = []
    faults: list[str] = []
    for argument, one in zip(wanted, given, strict=True):
        try:
            values.append(_value(argument, one))
            result.InputArgumentResults.append(ua.StatusCode())
        except Refused as refused:
            faults.append(refused.reason)
            result.InputArgumentResults.append(status(refused.status))
    if faults:
        raise Refused("BadInvalidArgument", f"{method.name}: {'; '.join(faults)}")
    result.InputArgumentResults = []
    return values


def _value(argument: Argument, given: Any) -> Any:
    kind: Any = given.VariantType
    value: Any = given.Value
    if argument.array:
        return _array(argument, given)
    if isinstance(value, list) or given.is_array:
        raise Refused("BadTypeMismatch", f"{argument.name} is one {argument.type}, not an array")
    if argument.type == "LocalizedText" and (value is None or kind == ua.VariantType.LocalizedText):
        return _comment(value)
    if argument.type == "UInt32" and kind in _INTEGERS and value is not None:
        if 0 <= value <= _UINT32_MAX:
            return int(value)
        raise Refused("BadOutOfRange", f"{argument.name} is a UInt32; {value} is not")
    if argument.type == "Double" and (kind in _INTEGERS or kind == ua.VariantType.Float) and value is not None:
        kind, value = ua.VariantType.Double, float(value)
    if kind != variant_type(argument.type):
        raise Refused("BadTypeMismatch", f"{argument.name} is a {argument.type}, not a {kind.name}")
    if argument.type == "String":
        return value or ""
    if value is None:
        raise Refused("BadTypeMismatch", f"{argument.name} is missing")
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("BadOutOfRange", f"{argument.name} is no finite number")
    if argument.type == "DateTime" and not isinstance(value, datetime):
        raise Refused("BadTypeMismatch", f"{argument.name} is no DateTime")
    return value


def _comment(value: Any) -> str | None:
    """Take a comment; null, or one that is empty without a language, is none (Part 9, 5.5.6)."""
    if value is None or not (value.Text or value.Locale):
        return None
    return str(value.Text or "")


def _array(argument: Argument, given: Any) -> list[Any]:
    """Check an array of one dimension, element by element; null stands for an empty one."""
    value: Any = given.Value
    if value is None:
        return []
    if not isinstance(value, list) or len(given.Dimensions or ()) > 1:
        raise Refused("BadTypeMismatch", f"{argument.name} is an array of {argument.type}")
    one = replace(argument, array=False)
    return [_value(one, ua.Variant(element, given.VariantType)) for element in cast("list[Any]", value)]


def _outputs(method: Method, answer: Sequence[Any]) -> list[Any]:
    if len(answer) != len(method.outputs):
        raise RuntimeError(f"{method.name} answered {len(answer)} outputs; the contract has {len(method.outputs)}")
    return [variant(value, argument.type) for argument, value in zip(method.outputs, answer, strict=True)]
