"""What clients send, read strictly: asyncua's classes, filled by a decoder that cannot be made to work without end.

asyncua's own trusts the numbers in a message: an array of two thousand million nulls costs its sender twelve bytes,
`Dimensions` of a million elements cost eight, lengths may be negative, and values may be nested until Python gives up.
Here every length is held against the bytes that are there, depth and number of objects have a bound (Part 6, 5.1.10
wants a hundred levels at least), and text must be text. Whatever is wrong becomes `BadDecodingError` or
`BadEncodingLimitsExceeded`.
"""

import uuid
from collections.abc import Callable
from dataclasses import fields
from enum import Enum, IntFlag
from functools import cache
from math import prod
from struct import Struct
from typing import Any, Final, get_args, get_origin

from opcua_model.stack import binary, errors, fault, ua

DEPTH: Final = 100
"""Levels of values within values (Part 6, 5.1.10: at least 100)."""
OBJECTS: Final = 50_000
"""Structures, strings and values of one message: at about 2 µs each the loop is never held for long."""
IDENTIFIER: Final = 4_096
"""Bytes of a node's string or opaque identifier (Part 3, 8.2.4: at most 4 096 characters)."""
_ENCODING: Final = "Encoding"
_ARRAY, _MATRIX, _KIND = 0x80, 0x40, 0x3F
_LAST_BUILT_IN: Final = 25
_BROKEN: Final = (
    errors.UaError, ValueError, TypeError, OverflowError, LookupError, AttributeError, RecursionError,
)  # fmt: skip

Read = Callable[["Reader"], Any]


class Reader:
    """Bytes of one message and how far they have been read."""

    __slots__ = ("at", "data", "depth", "end", "left")

    def __init__(self, data: bytes, objects: int = OBJECTS) -> None:
        self.data = data
        self.at = 0
        self.end = len(data)
        self.depth = 0
        self.left = objects

    def take(self, size: int) -> bytes:
        """Take bytes off the front.

        Raises:
            ServiceError: there are not so many.
        """
        at = self.at
        end = at + size
        if size < 0 or end > self.end:
            raise fault("BadDecodingError")
        self.at = end
        return self.data[at:end]

    def enter(self) -> None:
        """Begin an object within what is being read; `depth` is taken back by who ends it."""
        self.depth += 1
        self.left -= 1
        if self.depth > DEPTH or self.left < 0:
            raise fault("BadEncodingLimitsExceeded")

    def length(self, least: int = 1) -> int:
        """Read the length of an array whose elements take `least` bytes each; -1 is none at all."""
        count = _int32(self)
        if count <= 0:
            return -1 if count < 0 else 0
        if count * least > self.end - self.at:
            raise fault("BadDecodingError")
        return count


def decode(kind: Any, reader: Reader) -> Any:
    """Read one structure.

    Args:
        kind: a class of asyncua's.
        reader: stands at its beginning, and behind it afterwards.

    Raises:
        ServiceError: BadDecodingError or BadEncodingLimitsExceeded.
    """
    try:
        return _structure(kind)(reader)
    except _BROKEN as error:
        if getattr(error, "code", None) in _OWN:
            raise
        raise fault("BadDecodingError") from error


_OWN: Final = frozenset(
    int(getattr(ua.StatusCodes, name)) for name in ("BadDecodingError", "BadEncodingLimitsExceeded")
)


def read_node_id(reader: Reader) -> Any:
    """Read a NodeId, or an ExpandedNodeId when it names a namespace or a server."""
    reader.left -= 1
    encoding = _byte(reader)
    form = ua.NodeIdType(encoding & _KIND)
    names: Any = ua.NodeIdType
    namespace = 0
    identifier: Any
    if form == names.TwoByte:
        identifier = _byte(reader)
    elif form == names.FourByte:
        namespace, identifier = _byte(reader), _uint16(reader)
    else:
        namespace, identifier = _uint16(reader), _IDENTIFIERS[int(form)](reader)
        if identifier is None:
            identifier = "" if form == names.String else b""
        if not isinstance(identifier, int | uuid.UUID) and len(identifier) > IDENTIFIER:
            raise fault("BadEncodingLimitsExceeded")
    if not encoding & (_ARRAY | _MATRIX):
        return ua.NodeId(identifier, namespace, form)
    uri = read_string(reader) if encoding & _ARRAY else None
    server = _uint32(reader) if encoding & _MATRIX else None
    return ua.ExpandedNodeId(identifier, namespace, form, uri, server)


def read_bytes(reader: Reader) -> bytes | None:
    """Read a ByteString; a negative length is none."""
    reader.left -= 1
    size = _int32(reader)
    return None if size < 0 else reader.take(size)


def read_string(reader: Reader) -> str | None:
    """Read a String, which must be UTF-8."""
    found = read_bytes(reader)
    return None if found is None else found.decode()


# ------------------------------------------------------------------------------------------------- built-in types


def _scalar(form: str) -> Read:
    packed = Struct(f"<{form}")
    size, unpack = packed.size, packed.unpack_from

    def read(reader: Reader) -> Any:
        at = reader.at
        if at + size > reader.end:
            raise fault("BadDecodingError")
        reader.at = at + size
        return unpack(reader.data, at)[0]

    return read


_FORMS: Final = {
    "Boolean": "?", "SByte": "b", "Byte": "B", "Char": "B", "Int16": "h", "UInt16": "H", "Int32": "i", "UInt32": "I",
    "Int64": "q", "UInt64": "Q", "Float": "f", "Double": "d",
}  # fmt: skip
_byte, _uint16, _uint32, _int32 = (_scalar(form) for form in "BHIi")


def _read_guid(reader: Reader) -> uuid.UUID:
    return uuid.UUID(bytes_le=reader.take(16))


_int64 = _scalar("q")


def _read_time(reader: Reader) -> Any:
    return ua.win_epoch_to_datetime(_int64(reader))


_IDENTIFIERS: Final[dict[int, Read]] = {2: _uint32, 3: read_string, 4: _read_guid, 5: read_bytes}
"""By the form of a NodeId (Part 6, 5.2.2.9)."""


def _read_variant(reader: Reader) -> Any:
    reader.enter()
    encoding = _byte(reader)
    number = encoding & _KIND
    kind = ua.datatype_to_varianttype(number)
    dimensions = None
    value: Any
    if encoding & _ARRAY:
        value = _elements(kind)(reader)
        if encoding & _MATRIX:
            dimensions = _many("i", reader)
            value = None if value is None else _shape(value, dimensions or [])
    elif encoding & _MATRIX or number == int(ua.VariantType.Variant):
        raise fault("BadDecodingError")
    else:
        value = _built_in(kind)(reader)
    reader.depth -= 1
    return ua.Variant(value, kind, dimensions, is_array=bool(encoding & _ARRAY))


def _many(form: str, reader: Reader) -> list[Any] | None:
    packed = Struct(f"<{form}")
    count = reader.length(packed.size)
    if count < 0:
        return None
    return list(Struct(f"<{count}{form}").unpack(reader.take(count * packed.size)))


def _shape(flat: list[Any], dimensions: list[int]) -> list[Any]:
    """Fold a list into a matrix; its dimensions must be those of what is there."""
    if dimensions and not flat:
        return flat
    positive = 0 < len(dimensions) <= DEPTH and min(dimensions) > 0
    if not positive or prod(dimensions) != len(flat):
        raise fault("BadDecodingError")
    for size in reversed(dimensions[1:]):
        flat = [flat[at : at + size] for at in range(0, len(flat), size)]
    return flat


def _read_extension(reader: Reader) -> Any:
    reader.enter()
    kind = read_node_id(reader)
    encoding = _byte(reader)
    found: Any
    if encoding not in {0, 1, 2}:
        raise fault("BadDecodingError")
    body = _int32(reader) if encoding else -1
    known = _KNOWN.get(kind) if encoding == 1 and not isinstance(kind, ua.ExpandedNodeId) else None
    structure = None if known is None or body < 0 else _foreseen(known)
    if structure is None:
        found = ua.ExtensionObject(kind, None if body < 0 else reader.take(body))
        if kind.is_null():
            found = ua.ExtensionObject()
    else:
        outer, inner = reader.end, reader.at + body
        if inner > outer:
            raise fault("BadDecodingError")
        reader.end = inner
        found = structure(reader)
        reader.at, reader.end = inner, outer
    reader.depth -= 1
    return found


def _read_diagnostics(reader: Reader) -> Any:
    """Read a DiagnosticInfo; asyncua takes the one within it for an ExtensionObject."""
    reader.enter()
    mask = _byte(reader)
    found = ua.DiagnosticInfo()
    for bit, name in enumerate(("SymbolicId", "NamespaceURI", "Locale", "LocalizedText")):
        if mask & 1 << bit:
            setattr(found, name, _int32(reader))
    if mask & 0x10:
        found.AdditionalInfo = read_string(reader)
    if mask & 0x20:
        found.InnerStatusCode = ua.StatusCode(_uint32(reader))
    if mask & 0x40:
        found.InnerDiagnosticInfo = _read_diagnostics(reader)
    reader.depth -= 1
    return found


_KNOWN: Final[dict[Any, Any]] = ua.extension_objects_by_typeid


@cache
def _foreseen(kind: Any) -> Read | None:
    """Return how to read a registered structure, None when it holds something that no client sends to a server."""
    try:
        return _structure(kind)
    except _BROKEN:
        return None


_SPECIAL: Final[dict[str, Read]] = {
    "Null": lambda _: None,
    "String": read_string,
    "CharArray": read_string,
    "Bytes": read_bytes,
    "ByteString": read_bytes,
    "DateTime": _read_time,
    "Guid": _read_guid,
    "NodeId": read_node_id,
    "ExpandedNodeId": read_node_id,
    "Variant": _read_variant,
    "ExtensionObject": _read_extension,
    "DiagnosticInfo": _read_diagnostics,
    **{name: _scalar(form) for name, form in _FORMS.items()},
}


@cache
def _built_in(kind: Any) -> Read:
    """Return how to read one value of a variant's type."""
    if kind.value > _LAST_BUILT_IN:
        return read_bytes
    return _SPECIAL.get(kind.name) or _structure(getattr(ua, kind.name))


@cache
def _elements(kind: Any) -> Read:
    """Return how to read an array of a variant's type; one of nulls takes no bytes, so there is none."""
    form = _FORMS.get(kind.name)
    if form is not None:
        return lambda reader: _many(form, reader)
    if kind == ua.VariantType.Null:
        return _none
    return _list(_built_in(kind))


def _none(reader: Reader) -> list[Any] | None:
    if _int32(reader) > 0:
        raise fault("BadDecodingError")
    return []


def _list(element: Read) -> Read:
    def read(reader: Reader) -> list[Any] | None:
        count = reader.length()
        return None if count < 0 else [element(reader) for _ in range(count)]

    return read


# ----------------------------------------------------------------------------------------------------- structures


@cache
def _structure(kind: Any) -> Read:
    """Return how to read a class: its fields in order, optional ones as its encoding mask says."""
    special = _SPECIAL.get(kind.__name__)
    if special is not None:
        return special
    if issubclass(kind, Enum):
        return _enumeration(kind)
    if issubclass(kind, ua.UaUnion):
        raise TypeError(f"{kind.__name__} is a union")
    hints = binary.get_safe_type_hints(kind, {"ua": ua})
    plan: list[tuple[str, int, Read]] = []
    optional = 0
    for one in fields(kind):
        wanted, bit = hints[one.name], 0
        if type(None) in get_args(wanted):
            bit, wanted = 1 << optional, get_args(wanted)[0]
            optional += 1
        plan.append((one.name, bit, _field(wanted)))
    return _reader_of(kind, plan)


def _enumeration(kind: Any) -> Read:
    number = _int32
    if issubclass(kind, IntFlag):
        width: Any = getattr(kind, "datatype", None)
        number = _scalar(_FORMS[width() if width else "UInt32"])
    return lambda reader: kind(number(reader))


def _field(wanted: Any) -> Read:
    if get_origin(wanted) is list:
        (element,) = get_args(wanted)
        form = _FORMS.get(element.__name__)
        if form is not None:
            return lambda reader: _many(form, reader) or []
        listed = _list(_later(element))
        return lambda reader: listed(reader) or []
    if not isinstance(wanted, type):
        raise TypeError(f"{wanted} is no class")
    return _later(wanted)


def _later(kind: Any) -> Read:
    """Return how to read a class that may contain itself: looked up when it is met."""
    special = _SPECIAL.get(kind.__name__)
    if special is not None:
        return special

    def read(reader: Reader) -> Any:
        structure = _structure(kind)
        return structure(reader)

    return read


def _reader_of(kind: Any, plan: list[tuple[str, int, Read]]) -> Read:
    if not plan:
        raise TypeError(f"{kind.__name__} has no fields")
    steps = [(name, read) for name, _, read in plan]
    masked = any(bit or name == _ENCODING for name, bit, _ in plan)

    def read_plain(reader: Reader) -> Any:
        reader.enter()
        found = kind(**{name: read(reader) for name, read in steps})
        reader.depth -= 1
        return found

    def read_masked(reader: Reader) -> Any:
        reader.enter()
        given: dict[str, Any] = {}
        mask = 0
        for name, bit, read in plan:
            if name == _ENCODING:
                mask = int(read(reader))
            elif not bit or mask & bit:
                given[name] = read(reader)
        reader.depth -= 1
        return kind(**given)

    return read_masked if masked else read_plain
