"""Tag values as every reader of one moment sees them: one copy of the image for each turn of the event loop."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from config.layout import Layout
from kernels.image import Snapshot
from opcua_model.interface import Backend
from opcua_model.publishing.encoding import BAD, BOOLEAN, DOUBLE, UINT32, whole
from opcua_model.stack import ua

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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

    def read_many(self, indices: NDArray[np.int64]) -> Any:
        """Several tags as one array of Double; its status is the worst of theirs, its source time the oldest."""
        held = self.now()
        codes = held.status[indices]
        worst = int(codes[np.argmax(codes >> np.uint32(30))]) if len(codes) else 0
        values = [float(value) for value in held.values[indices]]
        if worst & int(BAD):
            # An array has one status only: a Bad element shows as NaN beside its good neighbours.
            values = [
                float("nan") if int(code) & int(BAD) else value for value, code in zip(values, codes, strict=True)
            ]
            if not all(int(code) & int(BAD) for code in codes):
                worst = 0x40950000  # UncertainSubNormal: fewer good sources than required
        all_bad = bool(worst & int(BAD))
        oldest = int(held.source_ns[indices].min()) if len(codes) else 0
        value = (
            ua.Variant(None, ua.VariantType.Null)
            if all_bad
            else ua.Variant(values, ua.VariantType.Double, is_array=True)
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
