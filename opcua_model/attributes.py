"""Read and Write: asyncua's attributes with the checks that it leaves out."""

import math
from dataclasses import replace
from typing import Any, Final

from opcua_model.desk import Desk, require_role
from opcua_model.interface import Caller, Refused
from opcua_model.permissions import CALL
from opcua_model.permissions import WRITE as MOVE
from opcua_model.publishing.encoding import BOOLEAN, DOUBLE
from opcua_model.publishing.ranges import RangeInvalid, cut, parse_range
from opcua_model.publishing.wishes import encoding_refusal
from opcua_model.space import READ, WRITE
from opcua_model.stack import Attr, status, ua

_SOURCE: Final = 0
_SERVER: Final = 1
_NEITHER: Final = 3


def read_attribute(desk: Desk, caller: Caller, wanted: Any, stamps: int) -> Any:
    """Read one attribute of one node."""
    node, attribute = wanted.NodeId, wanted.AttributeId
    if not desk.permissions.sees(caller, node):
        return ua.DataValue(StatusCode=status("BadUserAccessDenied"))
    if attribute != Attr.AccessRestrictions and not desk.permissions.reaches(caller, node):
        return ua.DataValue(StatusCode=status("BadSecurityModeInsufficient"))
    if attribute == Attr.UserAccessLevel and node in desk.tree.tags:
        return _own(user_access(desk, caller, node), ua.VariantType.Byte)
    if attribute == Attr.UserExecutable and node in desk.tree.methods:
        return _own(bool(desk.permissions.granted(caller, node) & CALL), ua.VariantType.Boolean)
    rights = desk.permissions.attribute(caller, node, attribute) if node in desk.aspace else None
    if rights is not None:
        return rights
    data = desk.aspace.read_attribute_value(node, attribute)
    structured = data.Value is not None and data.Value.VariantType == ua.VariantType.ExtensionObject
    refusal = encoding_refusal(wanted.DataEncoding, attribute, structured)
    if refusal is not None:
        return ua.DataValue(StatusCode=status(refusal))
    if attribute != Attr.Value:
        return data
    if not readable(desk, node):
        return ua.DataValue(StatusCode=status("BadNotReadable"))
    try:
        part = parse_range(wanted.IndexRange)
    except RangeInvalid:
        return ua.DataValue(StatusCode=status("BadIndexRangeInvalid"))
    return _stamp(cut(data, part), stamps)


def readable(desk: Desk, node: Any) -> bool:
    """Tell whether the node's own AccessLevel lets anybody read its value."""
    access = _byte(desk, node, Attr.AccessLevel)
    return access is None or bool(access & READ)


def _own(value: Any, kind: Any) -> Any:
    return ua.DataValue(ua.Variant(value, kind))


def _byte(desk: Desk, node: Any, attribute: Any) -> int | None:
    found = desk.tree.space.attribute(node, attribute)
    return None if found is None else int(found)


def _stamp(data: Any, stamps: int) -> Any:
    """Leave only the times that the client wants; the DataValue itself belongs to the node."""
    if stamps == _SOURCE:
        return replace(data, ServerTimestamp=None, ServerPicoseconds=None)
    if stamps == _SERVER:
        return replace(data, SourceTimestamp=None, SourcePicoseconds=None)
    if stamps == _NEITHER:
        return replace(data, SourceTimestamp=None, SourcePicoseconds=None, ServerTimestamp=None, ServerPicoseconds=None)
    return data


def user_access(desk: Desk, caller: Caller, node: Any) -> int:
    """AccessLevel of a tag for this caller."""
    access = _byte(desk, node, Attr.AccessLevel) or 0
    return access if desk.permissions.granted(caller, node) & MOVE else access & ~WRITE


async def write_attribute(desk: Desk, caller: Caller, wanted: Any) -> tuple[Any, Refused | None, str]:
    """Write one attribute: only set points by hand, through the daemon."""
    target = wanted.NodeId.to_string()
    try:
        name, value = _set_point(desk, caller, wanted)
        target = name
        await desk.backend.write(caller, name, value)
    except Refused as refused:
        return status(refused.status), refused, target
    return ua.StatusCode(), None, target


def _set_point(desk: Desk, caller: Caller, wanted: Any) -> tuple[str, float]:
    node = wanted.NodeId
    if node not in desk.aspace:
        raise Refused("BadNodeIdUnknown", f"there is no node {node.to_string()}")
    index = desk.tree.tags.get(node)
    name = node.to_string() if index is None else desk.tree.layout.tags[index]
    tag = desk.tree.layout.declared.get(name)
    if wanted.AttributeId != Attr.Value or index is None or tag is None or tag.role is None:
        raise Refused("BadNotWritable", f"{name} is not a value that anybody moves by hand")
    movers = desk.permissions.movers(str(node.Identifier), frozenset({tag.role.value}))
    require_role(caller, movers, f"writing {name}")
    if wanted.IndexRange:
        raise Refused("BadWriteNotSupported", f"{name} is a single value; it takes no IndexRange")
    data = wanted.Value
    if data.StatusCode is not None and not data.StatusCode.is_good():
        raise Refused("BadWriteNotSupported", f"{name} takes a value, not a status")
    value = _number(name, int(desk.tree.snapshot.kinds[index]), data.Value)
    if not tag.low <= value <= tag.high:
        raise Refused("BadOutOfRange", f"{name} = {value:g} {tag.unit} is outside {tag.low:g} … {tag.high:g}")
    return name, value


def _number(name: str, kind: int, given: Any) -> float:
    """Read a number of the node's own type."""
    expected = ua.VariantType(kind)
    if given is None or given.VariantType != expected or given.is_array or isinstance(given.Value, list):
        what = "nothing" if given is None else given.VariantType.name
        what = f"an array of {what}" if given is not None and given.is_array else what
        raise Refused("BadTypeMismatch", f"{name} takes one {expected.name}, not {what}")
    value = float(given.Value)
    if kind == DOUBLE and not math.isfinite(value):
        raise Refused("BadOutOfRange", f"{name} takes a finite number")
    return value if kind != BOOLEAN else float(bool(value))
