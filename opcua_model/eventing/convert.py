"""Values of different types side by side: what a filter converts by itself, and what it is told to (Part 4, 7.7.3)."""

import math
import uuid
from datetime import UTC, datetime
from typing import Any, Final, cast

from opcua_model.stack import ua

_T: Final = ua.VariantType
_INTEGERS: Final = {
    int(_T.SByte): (-(2**7), 2**7 - 1),
    int(_T.Byte): (0, 2**8 - 1),
    int(_T.Int16): (-(2**15), 2**15 - 1),
    int(_T.UInt16): (0, 2**16 - 1),
    int(_T.Int32): (-(2**31), 2**31 - 1),
    int(_T.UInt32): (0, 2**32 - 1),
    int(_T.Int64): (-(2**63), 2**63 - 1),
    int(_T.UInt64): (0, 2**64 - 1),
}
_PRECEDENCE: Final = tuple(
    int(kind)
    for kind in (
        _T.Double, _T.Float, _T.Int64, _T.UInt64, _T.Int32, _T.UInt32, _T.StatusCode, _T.Int16, _T.UInt16, _T.SByte,
        _T.Byte, _T.Boolean, _T.Guid, _T.String, _T.ExpandedNodeId, _T.NodeId, _T.LocalizedText, _T.QualifiedName,
    )
)  # fmt: skip
"""The type that comes first is what the other operand becomes (Part 4, table of data precedence rules)."""
_LONGEST: Final = 4096
"""Characters of a text that is read as something else."""


class Held:
    """A value with the number of its type; arrays are kept as they are and compare as a whole."""

    __slots__ = ("kind", "value")

    def __init__(self, value: Any, kind: int) -> None:
        self.value = value
        self.kind = kind


def held(variant: Any) -> Held | None:
    """Take a variant; None when it is null."""
    if variant is None or variant.Value is None:
        return None
    value = variant.Value
    kind = int(variant.VariantType)
    if kind == int(_T.DateTime) and isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return Held(value, kind)


def alike(left: Held, right: Held) -> tuple[Any, Any] | None:
    """Two values as Python compares them; None when they cannot be compared."""
    pair = common(left, right)
    return None if pair is None else (plain(pair[0]), plain(pair[1]))


def common(left: Held, right: Held) -> tuple[Held, Held] | None:
    """Bring two values to one type; None when there is none."""
    if left.kind == right.kind:
        return left, right
    if isinstance(left.value, list) or isinstance(right.value, list):
        return None
    order = [_PRECEDENCE.index(one.kind) if one.kind in _PRECEDENCE else len(_PRECEDENCE) for one in (left, right)]
    if len(_PRECEDENCE) in order:
        return None
    target = left.kind if order[0] < order[1] else right.kind
    made = [one if one.kind == target else cast_to(one, target) for one in (left, right)]
    return None if made[0] is None or made[1] is None else (made[0], made[1])


def plain(one: Held) -> Any:
    """A value as Python compares it."""
    value: Any = one.value
    if one.kind == int(_T.LocalizedText) and hasattr(value, "Text"):  # an array stays one
        return value.Text or ""
    if one.kind == int(_T.StatusCode) and hasattr(value, "value"):
        return int(value.value)
    if one.kind == int(_T.QualifiedName) and hasattr(value, "Name"):
        return (int(value.NamespaceIndex), str(value.Name))
    return value


def cast_to(one: Held, target: int) -> Held | None:
    """Convert a value; None where there is no such conversion or this value has no counterpart."""
    if one.kind == target:
        return one
    if isinstance(one.value, list):
        return None
    try:
        value = _converted(one, target)
    except (ValueError, TypeError, OverflowError, AttributeError):
        return None
    return None if value is None else Held(value, target)


def _converted(one: Held, target: int) -> Any:
    if target == int(_T.String):
        return _text(one)
    if target in _INTEGERS:
        return _integer(one, target)
    if target in {int(_T.Double), int(_T.Float)}:
        return _float(one, target)
    if target == int(_T.Boolean):
        return _boolean(one)
    source = one.kind
    text = one.value if source == int(_T.String) and len(one.value) <= _LONGEST else None
    if target == int(_T.StatusCode):
        number = _integer(one, int(_T.UInt32))
        return None if number is None else ua.StatusCode(number)
    if target == int(_T.LocalizedText):
        return ua.LocalizedText(text) if text is not None else _named(one, ua.LocalizedText)
    if target == int(_T.QualifiedName):
        return None if text is None else ua.QualifiedName(text, 0)
    if target == int(_T.ExpandedNodeId) and source == int(_T.NodeId):
        return one.value
    if text is None:
        return None
    if target == int(_T.Guid):
        return uuid.UUID(text)
    if target in {int(_T.NodeId), int(_T.ExpandedNodeId)}:
        return ua.NodeId.from_string(text)
    if target == int(_T.DateTime):
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _named(one: Held, kind: Any) -> Any:
    return kind(str(one.value.Name)) if one.kind == int(_T.QualifiedName) else None


def _text(one: Held) -> str | None:
    kind, value = one.kind, one.value
    if kind == int(_T.Boolean):
        return "true" if value else "false"
    if kind in _INTEGERS or kind in {int(_T.Double), int(_T.Float), int(_T.Guid)}:
        return str(value)
    if kind == int(_T.LocalizedText):
        return str(value.Text or "")
    if kind == int(_T.QualifiedName):
        return str(value.Name)
    if kind in {int(_T.NodeId), int(_T.ExpandedNodeId)}:
        return str(value.to_string())
    if kind == int(_T.DateTime):
        return str(value.isoformat())
    if kind == int(_T.StatusCode):
        return str(int(value.value))
    return None


def _number(one: Held) -> float | int | None:
    if one.kind == int(_T.StatusCode):
        return int(one.value.value)
    if one.kind == int(_T.String):
        if len(one.value) > 64:
            return None
        return int(one.value) if one.value.strip().lstrip("+-").isdigit() else float(one.value)
    if one.kind == int(_T.Boolean):
        return int(one.value)
    if one.kind in _INTEGERS or one.kind in {int(_T.Double), int(_T.Float)}:
        return cast("float", one.value)
    return None


def _integer(one: Held, target: int) -> int | None:
    number = _number(one)
    if number is None or not math.isfinite(number):
        return None
    low, high = _INTEGERS[target]
    rounded = number if isinstance(number, int) else math.floor(number + 0.5)
    return rounded if low <= rounded <= high else None


def _float(one: Held, target: int) -> float | None:
    number = _number(one)
    if number is None:
        return None
    made = float(number)
    if target == int(_T.Float) and math.isfinite(made) and abs(made) > 3.4028234663852886e38:
        return None
    return made


def _boolean(one: Held) -> bool | None:
    if one.kind == int(_T.String):
        return {"true": True, "1": True, "false": False, "0": False}.get(one.value.strip().lower())
    number = _number(one)
    return None if number is None else number != 0
