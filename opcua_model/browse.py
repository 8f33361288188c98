"""Browse and BrowseNext with a maximum of references, and the continuation points of a session."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from opcua_model.stack import Ids, status, ua

_FORWARD: Final = 0
_INVERSE: Final = 1
_BOTH: Final = 2


Sees = Callable[[Any], bool]


class Continuations:
    """What is left of answers that were too long, a session's own.

    Those of earlier requests make room for new ones, the oldest first; those of one request do not for each other
    (Part 4, 7.9).
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[bytes, Any] = OrderedDict()
        self._new: int | None = None

    def begin(self) -> None:
        """A request begins whose points do not push each other out."""
        self._new = 0

    def keep(self, rest: Any) -> bytes | None:
        """Keep something; return the point that asks for it, None when this request has used up all places."""
        if self._new is not None:
            if self._new >= self._limit:
                return None
            self._new += 1
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

    def __init__(self, aspace: Any, limit: int, altogether: int) -> None:
        self._aspace = aspace
        self._limit = limit
        self.altogether = altogether
        """References in an answer at most."""
        self._subtypes: dict[Any, frozenset[Any]] = {}

    def browse(self, wanted: Any, maximum: int, points: Continuations, sees: Sees, left: int) -> Any:
        """Answer one BrowseDescription.

        Args:
            wanted: the description.
            maximum: references for each node that the client wants; 0: as many as there are.
            points: of the session.
            sees: tells which nodes the session may see.
            left: references that the answer still has room for.
        """
        result = ua.BrowseResult()
        node = self._aspace.get(wanted.NodeId)
        direction, kind = int(wanted.BrowseDirection), wanted.ReferenceTypeId
        if node is None:
            result.StatusCode = status("BadNodeIdUnknown")
        elif not sees(wanted.NodeId):
            result.StatusCode = status("BadUserAccessDenied")
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
                and sees(reference.NodeId)
            ]
            self._fill(result, found, min(maximum or self._limit, self._limit), points, left)
        return result

    def go_on(self, point: bytes, points: Continuations, left: int, *, release: bool) -> Any:
        """Answer one continuation point."""
        result = ua.BrowseResult()
        kept = points.take(point)
        if kept is None:
            result.StatusCode = status("BadContinuationPointInvalid")
        elif not release:
            found, maximum = kept
            self._fill(result, found, maximum, points, left)
        return result

    @staticmethod
    def _fill(result: Any, found: list[Any], maximum: int, points: Continuations, left: int) -> None:
        room = min(maximum, left)
        result.References = found[:room]
        if len(found) > room:
            result.ContinuationPoint = points.keep((found[room:], maximum))
            if result.ContinuationPoint is None:
                result.References, result.StatusCode = [], status("BadNoContinuationPoints")

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
