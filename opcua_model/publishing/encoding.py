"""Many values at once in OPC UA binary (Part 6, 5.2): numpy arrays in, the bytes of their DataValues out.

One structured array per shape of DataValue replaces an object, a copy and an encoder call per value. Where shapes
alternate, every row still goes to its own place: the order of the rows is the order of the answer.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Built-in types of numbers (Part 6, table 1).
BOOLEAN: Final = 1
SBYTE: Final = 2
BYTE: Final = 3
INT16: Final = 4
UINT16: Final = 5
INT32: Final = 6
UINT32: Final = 7
INT64: Final = 8
UINT64: Final = 9
FLOAT: Final = 10
DOUBLE: Final = 11
_WIDTH: Final = {
    BOOLEAN: "u1",
    SBYTE: "i1",
    BYTE: "u1",
    INT16: "<i2",
    UINT16: "<u2",
    INT32: "<i4",
    UINT32: "<u4",
    INT64: "<i8",
    UINT64: "<u8",
    FLOAT: "<f4",
    DOUBLE: "<f8",
}
SCALARS: Final = tuple(_WIDTH)
"""Types that a value can be encoded as."""
_ARRAY: Final = 0x80
"""Bit of a variant's encoding byte: its value is an array (Part 6, 5.2.2.16)."""
_EXACT: Final = float(2**53)
"""Integers beyond it are not told apart by a double: 64-bit types are cut off there."""

# Which times a client wants with each value (Part 4, 7.40).
SOURCE: Final = 1
SERVER: Final = 2
STAMPS: Final = {0: SOURCE, 1: SERVER, 2: SOURCE | SERVER, 3: 0}
"""By TimestampsToReturn: Source, Server, Both, Neither."""

_HAS_VALUE: Final = 0x01
_HAS_STATUS: Final = 0x02
_HAS_SOURCE: Final = 0x04
_HAS_SERVER: Final = 0x08

BAD: Final = np.uint32(0x80000000)
"""Top severity bit of a status: the value is worth nothing and is not sent (Part 4, 7.7.1)."""

_EPOCH_TICKS: Final = 116_444_736_000_000_000
"""1970-01-01 in units of 100 ns since 1601-01-01 (Part 6, 5.2.2.5)."""


def ticks(times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn ns since 1970 into OPC UA time; 0 (never) stays 0, the least DateTime."""
    return np.where(times_ns > 0, times_ns // 100 + _EPOCH_TICKS, 0)


def nanoseconds(moment_ticks: int) -> int:
    """Turn OPC UA time into ns since 1970."""
    return (moment_ticks - _EPOCH_TICKS) * 100


@cache
def _bounds(kind: int) -> tuple[float, float]:
    if kind == BOOLEAN:
        return 0.0, 1.0
    info = np.iinfo(_WIDTH[kind])
    return max(float(info.min), -_EXACT), min(float(info.max), _EXACT)


def whole(values: NDArray[np.float64], kind: int) -> NDArray[Any]:
    """Bring values into the range of a type; whole numbers are cut off towards zero, not-a-number counts as 0."""
    if kind == DOUBLE:
        return values
    if kind == FLOAT:
        with np.errstate(over="ignore"):  # beyond a float is infinite, as IEEE 754 has it
            return values.astype(np.float32)
    low, high = _bounds(kind)
    return np.clip(np.nan_to_num(values, nan=0.0, posinf=high, neginf=low), low, high).astype(_WIDTH[kind])


@cache
def _record(kind: int, shape: int, stamps: int, handles: bool, elements: int | None) -> np.dtype[np.void]:
    fields: list[tuple[Any, ...]] = [("handle", "<u4")] if handles else []
    fields.append(("mask", "u1"))
    if shape != _WITHOUT_VALUE and elements is None:
        fields += [("type", "u1"), ("value", _WIDTH[kind])]
    elif shape != _WITHOUT_VALUE:
        fields += [("type", "u1"), ("length", "<i4"), ("value", _WIDTH[kind], (elements,))]
    if shape != _GOOD:
        fields.append(("status", "<u4"))
    if stamps & SOURCE:
        fields.append(("source", "<i8"))
    if stamps & SERVER:
        fields.append(("server", "<i8"))
    return np.dtype(fields)


# Shapes of a DataValue: a status that is Good is left out (Part 6, 5.2.2.17), a Bad one stands alone.
_GOOD: Final = 0
_WITH_STATUS: Final = 1
_WITHOUT_VALUE: Final = 2


class Columns:
    """What is to be encoded, a row each.

    Args:
        values: [n], or [n, elements] for arrays; those with a Bad status are left out.
        status: [n], OPC UA status codes.
        source_ns: [n], ns since 1970.
        server_ns: [n], ns since 1970; or one for all.
        kinds: [n], built-in types; or one for all.
        stamps: [n], which times go along (`SOURCE`, `SERVER`); or one for all.
        handles: [n], client handles: MonitoredItemNotifications come out instead of DataValues.
    """

    __slots__ = ("handles", "kinds", "server_ns", "source_ns", "stamps", "status", "values")

    def __init__(
        self,
        values: NDArray[np.float64],
        status: NDArray[np.uint32],
        source_ns: NDArray[np.int64],
        server_ns: NDArray[np.int64] | int,
        kinds: NDArray[np.uint8] | int,
        stamps: NDArray[np.uint8] | int,
        handles: NDArray[np.uint32] | None = None,
    ) -> None:
        self.values = values
        self.status = status
        self.source_ns = source_ns
        self.server_ns = server_ns
        self.kinds = kinds
        self.stamps = stamps
        self.handles = handles


def data_values(rows: Columns) -> bytes:
    """Encode DataValues in order; with handles, MonitoredItemNotifications."""
    count = len(rows.values)
    if not count:
        return b""
    shapes = np.where(rows.status & BAD, _WITHOUT_VALUE, np.where(rows.status, _WITH_STATUS, _GOOD))
    forms = shapes + np.asarray(rows.kinds, np.int64) * 4 + np.asarray(rows.stamps, np.int64) * 64
    first = int(forms[0])
    if (forms == first).all():
        return _encode(rows, slice(None), first).tobytes()
    found, which = np.unique(forms, return_inverse=True)
    parts = [_encode(rows, np.flatnonzero(which == number), int(form)) for number, form in enumerate(found)]
    sizes = np.array([part.dtype.itemsize for part in parts], np.int64)[which]
    offsets = np.cumsum(sizes) - sizes
    out = np.empty(int(sizes.sum()), np.uint8)
    for number, part in enumerate(parts):
        size = part.dtype.itemsize
        places = offsets[which == number, None] + np.arange(size)
        out[places] = part.view(np.uint8).reshape(-1, size)
    return out.tobytes()


def _encode(rows: Columns, chosen: Any, form: int) -> NDArray[np.void]:
    """Encode the rows of one form."""
    shape, kind, stamps = form & 3, form >> 2 & 15, form >> 6
    status = rows.status[chosen]
    elements = rows.values.shape[1] if rows.values.ndim > 1 else None
    out = np.empty(len(status), _record(kind, shape, stamps, rows.handles is not None, elements))
    mask = 0
    if rows.handles is not None:
        out["handle"] = rows.handles[chosen]
    if shape != _WITHOUT_VALUE:
        mask |= _HAS_VALUE
        out["type"] = kind if elements is None else kind | _ARRAY
        if elements is not None:
            out["length"] = elements
        out["value"] = whole(rows.values[chosen], kind)
    if shape != _GOOD:
        mask |= _HAS_STATUS
        out["status"] = status
    if stamps & SOURCE:
        mask |= _HAS_SOURCE
        out["source"] = ticks(rows.source_ns[chosen])
    if stamps & SERVER:
        mask |= _HAS_SERVER
        out["server"] = ticks(np.asarray(rows.server_ns if isinstance(rows.server_ns, int) else rows.server_ns[chosen]))
    out["mask"] = mask
    return out


def array_variant(values: NDArray[np.float64], kind: int) -> bytes:
    """Encode a variant that holds an array of one dimension."""
    return bytes((kind | _ARRAY,)) + counted(len(values), whole(values, kind).astype(_WIDTH[kind]).tobytes())


def one_data_value(
    variant: bytes, status: int, source_ns: int, server_ns: int, stamps: int, handle: int | None = None
) -> bytes:
    """Encode one DataValue around a variant that is encoded already; a Bad status stands alone."""
    shape = _WITHOUT_VALUE if status & int(BAD) else _WITH_STATUS if status else _GOOD
    parts = [b"" if handle is None else handle.to_bytes(4, "little"), b""]
    mask = 0
    if shape != _WITHOUT_VALUE:
        mask |= _HAS_VALUE
        parts.append(variant)
    if shape != _GOOD:
        mask |= _HAS_STATUS
        parts.append(status.to_bytes(4, "little"))
    for bit, has, time_ns in ((SOURCE, _HAS_SOURCE, source_ns), (SERVER, _HAS_SERVER, server_ns)):
        if stamps & bit:
            mask |= has
            parts.append((time_ns // 100 + _EPOCH_TICKS if time_ns > 0 else 0).to_bytes(8, "little", signed=True))
    parts[1] = bytes((mask,))
    return b"".join(parts)


def counted(count: int, body: bytes) -> bytes:
    """Put the length in front of an encoded array."""
    return count.to_bytes(4, "little", signed=True) + body
