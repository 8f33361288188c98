"""Browse and BrowseNext with a maximum of references, and the continuation points of a session."""

import secrets
from collections import OrderedDict
from typing import Any, Final

from opcua_model.stack import Ids, status, ua

_FORWARD: Final = 0
_INVERSE: Final = 1
_BOTH: Final = 2


class Continuations:
    """What is left of answers that were too long, a session's own; the oldest goes when there are too many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[bytes, Any] = OrderedDict()

    def keep(self, rest: Any) -> bytes:
        """Keep something; return the point that asks for it."""
        point = secrets.token_bytes(16)
        self._kept[point] = rest
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
        return point

    def take(self, point: bytes) -> Any:
        """Return what was kept, None when it is not (any more)."""
        return self._kept.pop(point, None)


class Browser:
    """Follows references; the hierarchy of reference types is looked up once."""

    def __init__(self, aspace: Any, limit: int) -> None:
        self._aspace = aspace
        self._limit = limit
        self._subtypes: dict[Any, frozenset[Any]] = {}

    def browse(self, wanted: Any, maximum: int, points: Continuations) -> Any:
        """Answer one BrowseDescription."""
        result = ua.BrowseResult()
        node = self._aspace.get(wanted.NodeId)
        direction, kind = int(wanted.BrowseDirection), wanted.ReferenceTypeId
        if node is None:
            result.StatusCode = status("BadNodeIdUnknown")
        elif not _FORWARD <= direction <= _BOTH:
            result.StatusCode = status("BadBrowseDirectionInvalid")
        elif not kind.is_null() and kind not in self._aspace:
            result.StatusCode = status("BadReferenceTypeIdInvalid")
        else:
            allowed = None if kind.is_null() else self._kinds(kind, bool(wanted.IncludeSubtypes))
            mask = int(wanted.NodeClassMask)
            found = [
                reference
                for reference in node.references
                if (direction == _BOTH or reference.IsForward == (direction == _FORWARD))
                and (allowed is None or reference.ReferenceTypeId in allowed)
                and (not mask or mask & int(reference.NodeClass))
            ]
            self._fill(result, found, min(maximum or self._limit, self._limit), points)
        return result

    def go_on(self, point: bytes, points: Continuations, *, release: bool) -> Any:
        """Answer one continuation point."""
        result = ua.BrowseResult()
        kept = points.take(point)
        if kept is None:
            result.StatusCode = status("BadContinuationPointInvalid")
        elif not release:
            found, maximum = kept
            self._fill(result, found, maximum, points)
        return result

    @staticmethod
    def _fill(result: Any, found: list[Any], maximum: int, points: Continuations) -> None:
        result.References = found[:maximum]
        if len(found) > maximum:
            result.ContinuationPoint = points.keep((found[maximum:], maximum))

    def _kinds(self, kind: Any, subtypes: bool) -> frozenset[Any]:
        if not subtypes:
            return frozenset({kind})
        known = self._subtypes.get(kind)
        if known is None:
            found, todo = {kind}, [kind]
            while todo:
                for reference in self._aspace[todo.pop()].references:
                    below = reference.NodeId
                    is_below = reference.IsForward and reference.ReferenceTypeId.Identifier == Ids.HasSubtype
                    if is_below and below not in found:
                        found.add(below)
                        todo.append(below)
            known = self._subtypes[kind] = frozenset(found)
        return known
