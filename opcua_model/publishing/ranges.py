"""IndexRange (Part 4, 7.27): parts of arrays, strings and bytes, of one dimension or several."""

from dataclasses import dataclass, replace
from typing import Any, cast

from opcua_model.stack import status, ua


class RangeInvalid(Exception):  # noqa: N818 - the answer to one item of a request, not a fault
    """A text that is no IndexRange."""


@dataclass(frozen=True)
class IndexRange:
    """Bounds of each dimension, the last element included."""

    bounds: tuple[tuple[int, int], ...]

    def places(self, count: int) -> range | None:
        """Indices of one dimension that are there; None when the range begins behind the end."""
        if len(self.bounds) != 1:
            return None
        low, high = self.bounds[0]
        return range(low, min(high + 1, count)) if low < count else None


def parse_range(text: str | None) -> IndexRange | None:
    """Read an IndexRange; None when there is none.

    Raises:
        RangeInvalid: the text is none.
    """
    if not text:
        return None
    bounds: list[tuple[int, int]] = []
    for part in text.split(","):
        low, colon, high = part.partition(":")
        if not _digits(low) or (colon and not _digits(high)):
            raise RangeInvalid(text)
        first = int(low)
        last = int(high) if colon else first
        if colon and last <= first:
            raise RangeInvalid(text)
        bounds.append((first, last))
    return IndexRange(tuple(bounds))


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def cut(data: Any, wanted: IndexRange | None) -> Any:
    """Cut a range out of a DataValue; where nothing of it is there, the DataValue says so (BadIndexRangeNoData)."""
    if wanted is None:
        return data
    variant = data.Value if data.Value is not None else ua.Variant(None)
    part = _part(variant.Value, wanted.bounds)
    if part is None:
        if not data.StatusCode.is_good() and variant.Value is None:
            return data
        return replace(data, Value=ua.Variant(None, ua.VariantType.Null), StatusCode=status("BadIndexRangeNoData"))
    return replace(data, Value=ua.Variant(part, variant.VariantType, is_array=variant.is_array))


def _part(value: Any, bounds: tuple[tuple[int, int], ...]) -> Any:
    """Cut bounds out of nested lists; the innermost dimension may be a string's or that of bytes."""
    (low, high), deeper = bounds[0], bounds[1:]
    if not isinstance(value, list | str | bytes):
        return None
    held = cast("list[Any] | str | bytes", value)
    if low >= len(held):
        return None
    if not deeper:
        return held[low : high + 1]
    if not isinstance(held, list):
        return None
    parts = [_part(one, deeper) for one in held[low : high + 1]]
    return None if any(part is None for part in parts) else parts
