"""Tag values as every reader of one moment sees them: one copy of the image for each turn of the event loop."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from config.layout import Layout
from kernels.image import Rows, Snapshot
from opcua_model.interface import Backend
from opcua_model.publishing.encoding import BAD, BOOLEAN, DOUBLE, UINT32, whole
from opcua_model.stack import ua

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


HEAD: Final = 2**62
"""A row number beyond every ring: asking for it tells where the next row will stand."""
_FEWER_GOOD: Final = np.uint32(0x40950000)
"""UncertainSubNormal: fewer good sources than required (Part 8, 5.7)."""


class Row(Protocol):
    """All tags at one scan: a `kernels.image.Snapshot`, or one row of a ring."""

    @property
    def scan(self) -> int:
        """Index of the scan."""
        ...

    @property
    def time_ns(self) -> int:
        """When it was, ns since 1970."""
        ...

    @property
    def values(self) -> NDArray[np.float64]:
        """[tags]."""
        ...

    @property
    def status(self) -> NDArray[np.uint32]:
        """[tags], OPC UA status codes."""
        ...

    @property
    def source_ns(self) -> NDArray[np.int64]:
        """[tags], ns since 1970."""
        ...


@dataclass(frozen=True)
class RingRow:
    """One row of a ring."""

    scan: int
    time_ns: int
    values: NDArray[np.float64]
    status: NDArray[np.uint32]
    source_ns: NDArray[np.int64]


def each(rows: Rows) -> Iterator[RingRow]:
    """Go through rows, oldest first."""
    times = zip(rows.scan.tolist(), rows.time_ns.tolist(), strict=True)
    for number, (scan, time_ns) in enumerate(times):
        yield RingRow(scan, time_ns, rows.values[number], rows.status[number], rows.source_ns[number])


def combined(now: Row, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], int, int]:
    """Return several tags as one array: values, its status (the worst of theirs), its source time (the oldest).

    An array has one status only: a Bad element shows as NaN beside its good neighbours.
    """
    if not len(indices):
        return now.values[indices], 0, 0
    values, codes = side_by_side(now.values[None, indices], now.status[None, indices])
    return values[0], int(codes[0]), int(now.source_ns[indices].min())


def side_by_side(
    values: NDArray[np.float64], codes: NDArray[np.uint32]
) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Make one value of each row of elements, [rows, elements]: the values, and the statuses [rows]."""
    worst = codes[np.arange(len(codes)), np.argmax(codes >> np.uint32(30), axis=1)]
    bad = (codes & BAD) != 0
    if not bad.any():
        return values, worst
    partly = bad.any(axis=1) & ~bad.all(axis=1)
    return np.where(bad, np.float64(np.nan), values), np.where(partly, _FEWER_GOOD, worst)


def moment(time_ns: int) -> datetime | None:
    """Turn ns since 1970 into a moment; None for never."""
    return EPOCH + timedelta(microseconds=time_ns // 1000) if time_ns > 0 else None


def kind_of(layout: Layout, index: int) -> int:
    """Built-in type of a tag: Boolean for two states, UInt32 for more, Double for everything else."""
    tag = layout.declared.get(layout.tags[index])
    if tag is None or not tag.states:
        return DOUBLE
    return BOOLEAN if len(tag.states) == 2 else UINT32


class Turn:
    """Hands out the snapshot of the present turn of the event loop."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._held: Snapshot | None = None
        layout = backend.layout
        self.kinds: NDArray[np.uint8] = np.array(
            [kind_of(layout, index) for index in range(len(layout.tags))], np.uint8
        )

    def now(self) -> Snapshot:
        """All tags at this turn of the loop; whoever asks in the same turn gets the same copy."""
        if self._held is None:
            self._held = self._backend.values()
            asyncio.get_running_loop().call_soon(self._drop)
        return self._held

    def _drop(self) -> None:
        self._held = None

    def read(self, index: int) -> Any:
        """One tag as a DataValue."""
        held = self.now()
        code = int(held.status[index])
        variant = ua.Variant(None, ua.VariantType.Null)
        if not code & int(BAD):
            variant = scalar(float(held.values[index]), int(self.kinds[index]))
        return ua.DataValue(
            variant,
            ua.StatusCode(code),
            SourceTimestamp=moment(int(held.source_ns[index])),
            ServerTimestamp=moment(held.time_ns),
        )

    def rows(self, after: int) -> Rows:
        """Copy the rows of the scan from row number `after` on; `HEAD`: none, but where they will stand."""
        return self._backend.rows(after)

    def read_many(self, indices: NDArray[np.int64]) -> Any:
        """Several tags as one array of Double; its status is the worst of theirs, its source time the oldest."""
        held = self.now()
        values, worst, oldest = combined(held, indices)
        value = (
            ua.Variant(None, ua.VariantType.Null)
            if worst & int(BAD)
            else ua.Variant(values.tolist(), ua.VariantType.Double, is_array=True)
        )
        return ua.DataValue(
            value,
            ua.StatusCode(worst),
            SourceTimestamp=moment(oldest),
            ServerTimestamp=moment(held.time_ns),
        )


def scalar(value: float, kind: int) -> Any:
    """Make the variant of one tag value."""
    if kind == DOUBLE:
        return ua.Variant(value, ua.VariantType.Double)
    number = int(whole(np.array([value]), kind)[0])
    if kind == BOOLEAN:
        return ua.Variant(bool(number), ua.VariantType.Boolean)
    return ua.Variant(number, ua.VariantType.UInt32)
