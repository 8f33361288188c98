"""What clients ask of a monitored item or a read value, checked: filter, sampling interval, queue, times, encoding."""

import math
from dataclasses import dataclass
from typing import Any, Final

from opcua_model.publishing.encoding import DOUBLE, STAMPS
from opcua_model.publishing.items import ARRAY, STATUS_VALUE, STATUS_VALUE_TIMESTAMP
from opcua_model.publishing.values import Wish
from opcua_model.stack import Attr, DataChangeFilter, fault, ua

_NONE: Final = 0
_ABSOLUTE: Final = 1
_PERCENT: Final = 2
LONGEST_SAMPLING_MS: Final = 3_600_000.0


class ItemRefused(Exception):  # noqa: N818 - the answer to one item of a request, not a fault
    """One monitored item cannot be had; the text is the symbolic status code."""


@dataclass(frozen=True)
class Filter:
    """A data change filter, its deadband in the value's own unit."""

    trigger: int = STATUS_VALUE
    deadband: float = 0.0


def stamps_of(wanted: Any) -> int:
    """Read TimestampsToReturn.

    Raises:
        ServiceError: it is none.
    """
    found = STAMPS.get(int(wanted))
    if found is None:
        raise fault("BadTimestampsToReturnInvalid")
    return found


def filter_of(wanted: Any, attribute: int, kind: int, span: float | None) -> Filter:
    """Read a filter.

    Args:
        wanted: as decoded; None, or an empty extension object as some clients write it: none.
        attribute: a filter is for values only.
        kind: built-in type of the value, with `ARRAY` or without; 0 when it is no number.
        span: width of the value's EURange, None when it has none.

    Raises:
        ItemRefused: it is none, or none for this value.
    """
    if wanted is None or (isinstance(wanted, ua.ExtensionObject) and not wanted):
        return Filter()
    if not isinstance(wanted, DataChangeFilter):
        raise ItemRefused("BadMonitoredItemFilterUnsupported")
    if attribute != Attr.Value:
        raise ItemRefused("BadFilterNotAllowed")  # Part 4, 5.12.2: other attributes have no filter
    form, deadband, trigger = int(wanted.DeadbandType), float(wanted.DeadbandValue), int(wanted.Trigger)
    if not 0 <= trigger <= STATUS_VALUE_TIMESTAMP:
        raise ItemRefused("BadMonitoredItemFilterInvalid")
    if form == _NONE:
        return Filter(trigger)
    if not kind:
        raise ItemRefused("BadFilterNotAllowed")
    if form not in {_ABSOLUTE, _PERCENT} or not math.isfinite(deadband) or deadband < 0:
        raise ItemRefused("BadDeadbandFilterInvalid")
    if form == _PERCENT:  # of the EURange (Part 8, 7.2)
        if span is None:
            raise ItemRefused("BadFilterNotAllowed")
        if deadband > 100:
            raise ItemRefused("BadDeadbandFilterInvalid")
        deadband *= span / 100.0
    return Filter(trigger, deadband)


def number_kind(kind: int) -> int:
    """Type of a column as far as a distance between two of its values means anything: states have none."""
    return kind if kind & ~ARRAY == DOUBLE else 0


def queue_of(wanted: Any, most: int) -> int:
    """Revise a queue size: 0 and 1 are one value (Part 4, 7.21)."""
    return min(max(int(wanted), 1), most)


def sampling_of(wanted: Any, publishing_ms: float, period_ms: float) -> tuple[float, int]:
    """Revise a sampling interval: what is told, and scans between samples (0: one with each publishing).

    Negative and what is no number mean the publishing interval, 0 the fastest there is (Part 4, 5.12.1.2).
    """
    asked = float(wanted)
    if not asked >= 0:
        return publishing_ms, 0
    every = max(1, round(min(asked, LONGEST_SAMPLING_MS) / period_ms))
    return every * period_ms, every


def wish_of(wanted: Any, stamps: int, queue: int, chosen: Filter) -> Wish:
    """Put together what an item on a value is to do."""
    return Wish(int(wanted.ClientHandle), queue, bool(wanted.DiscardOldest), chosen.trigger, chosen.deadband, stamps)


def encoding_refusal(encoding: Any, attribute: int, structured: bool) -> str | None:
    """Judge a DataEncoding (Part 4, 5.10.2): it is for structures in values, and binary is what there is."""
    if encoding is None or not encoding.Name:
        return None
    if attribute != Attr.Value or not structured:
        return "BadDataEncodingInvalid"
    binary = encoding.Name == "Default Binary" and encoding.NamespaceIndex == 0
    return None if binary else "BadDataEncodingUnsupported"
