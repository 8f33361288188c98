"""What is a subtype of what, and which fields a type of event declares, as the address space says it."""

from typing import Any, Final

from opcua_model.eventing.notice import Path
from opcua_model.stack import Attr, Ids, ua

_DEEPEST: Final = 4
"""Levels of fields below a type: ShelvingState, CurrentState, Id, and one to spare."""
_OWNING: Final = frozenset({int(Ids.HasComponent), int(Ids.HasProperty), int(Ids.HasOrderedComponent)})


class TypeTree:
    """Looks types up and remembers them: types do not change while a server runs."""

    def __init__(self, aspace: Any) -> None:
        self._aspace = aspace
        self._lines: dict[Any, tuple[Any, ...]] = {}
        self._fields: dict[Any, frozenset[Path]] = {}

    def line(self, kind: Any) -> tuple[Any, ...]:
        """A type and everything above it, itself first; empty for what is no type."""
        known = self._lines.get(kind)
        if known is None:
            known = self._climb(kind)
            if known:
                self._lines[kind] = known
        return known

    def is_a(self, kind: Any, wanted: Any) -> bool:
        """Whether a type is another one or below it."""
        return wanted in self.line(kind)

    def is_event(self, kind: Any) -> bool:
        """Whether a node is a type of event."""
        return self.is_a(kind, ua.NodeId(Ids.BaseEventType))

    def is_object_type(self, kind: Any) -> bool:
        """Whether a node is an object type at all."""
        return self._class(kind) == int(ua.NodeClass.ObjectType)

    def declares(self, kind: Any, path: Path) -> bool:
        """Whether a type of event or one above it declares a field."""
        known = self._fields.get(kind)
        if known is None:
            found: set[Path] = set()
            for above in self.line(kind):
                self._collect(above, (), found)
            known = self._fields[kind] = frozenset(found)
        return path in known

    def _class(self, node_id: Any) -> int:
        node = self._aspace.get(node_id)
        cell = None if node is None else node.attributes.get(Attr.NodeClass)
        return 0 if cell is None or cell.value is None else int(cell.value.Value.Value)

    def _climb(self, kind: Any) -> tuple[Any, ...]:
        if not self.is_object_type(kind):
            return ()
        line = [kind]
        while True:
            above = next(
                (
                    ref.NodeId
                    for ref in self._aspace[line[-1]].references
                    if not ref.IsForward and ref.ReferenceTypeId.Identifier == Ids.HasSubtype
                ),
                None,
            )
            if above is None or above in line or above not in self._aspace:
                return tuple(line)
            line.append(above)

    def _collect(self, node_id: Any, path: Path, found: set[Path]) -> None:
        node = self._aspace.get(node_id)
        if node is None or len(path) >= _DEEPEST:
            return
        for ref in node.references:
            if ref.IsForward and ref.ReferenceTypeId.Identifier in _OWNING:
                if int(ref.NodeClass) not in {int(ua.NodeClass.Variable), int(ua.NodeClass.Object)}:
                    continue
                below = (*path, (int(ref.BrowseName.NamespaceIndex), str(ref.BrowseName.Name)))
                found.add(below)
                self._collect(ref.NodeId, below, found)
