"""Many values at once in OPC UA binary (Part 6, 5.2): numpy arrays in, the bytes of their DataValues out.

One structured array per run of equal shape replaces an object, a copy and an encoder call per value.
"""

from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Built-in types that tags have (Part 6, table 1).
BOOLEAN: Final = 1
UINT32: Final = 7
DOUBLE: Final = 11
_WIDTH: Final = {BOOLEAN: "u1", UINT32: "<u4", DOUBLE: "<f8"}

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
def _record(kind: int, bad: bool, stamps: int, handles: bool) -> np.dtype[np.void]:
    fields: list[tuple[str, str]] = [("handle", "<u4")] if handles else []
    fields.append(("mask", "u1"))
    if not bad:
        fields += [("type", "u1"), ("value", _WIDTH[kind])]
    fields.append(("status", "<u4"))
    if stamps & SOURCE:
        fields.append(("source", "<i8"))
    if stamps & SERVER:
        fields.append(("server", "<i8"))
    return np.dtype(fields)


def whole(values: NDArray[np.float64], kind: int) -> NDArray[Any]:
    """Bring values into the range of a discrete type: states are counted from 0."""
    if kind == DOUBLE:
        return values
    top = 1.0 if kind == BOOLEAN else 4294967295.0
    return np.clip(np.nan_to_num(values, nan=0.0), 0.0, top).astype(np.uint32)


def data_values(
    kind: int,
    stamps: int,
    values: NDArray[np.float64],
    status: NDArray[np.uint32],
    source_ns: NDArray[np.int64],
    server_ns: NDArray[np.int64],
    handles: NDArray[np.uint32] | None = None,
) -> bytes:
    """Encode DataValues in order; with `handles`, MonitoredItemNotifications.

    Args:
        kind: built-in type of the values (`BOOLEAN`, `UINT32`, `DOUBLE`).
        stamps: which times go along (`SOURCE`, `SERVER`).
        values: [n]; those with a Bad status are left out.
        status: [n], OPC UA status codes.
        source_ns: [n], ns since 1970.
        server_ns: [n], ns since 1970.
        handles: [n], client handles.
    """
    bad = (status & BAD) != 0
    edges = [0, *(np.flatnonzero(bad[1:] != bad[:-1]) + 1).tolist(), len(bad)]
    parts: list[bytes] = []
    for start, stop in pairwise(edges):
        if start == stop:
            continue
        rows, without = slice(start, stop), bool(bad[start])
        out = np.empty(stop - start, _record(kind, without, stamps, handles is not None))
        mask = _HAS_STATUS
        if handles is not None:
            out["handle"] = handles[rows]
        if not without:
            mask |= _HAS_VALUE
            out["type"] = kind
            out["value"] = whole(values[rows], kind)
        out["status"] = status[rows]
        if stamps & SOURCE:
            mask |= _HAS_SOURCE
            out["source"] = ticks(source_ns[rows])
        if stamps & SERVER:
            mask |= _HAS_SERVER
            out["server"] = ticks(server_ns[rows])
        out["mask"] = mask
        parts.append(out.tobytes())
    return b"".join(parts)


def counted(count: int, body: bytes) -> bytes:
    """Put the length in front of an encoded array."""
    return count.to_bytes(4, "little", signed=True) + body
