"""One event: its type, its fields by browse path, and the nodes at which it is heard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opcua_model.stack import Attr, ua

Name = tuple[int, str]
"""Namespace index and name."""
Path = tuple[Name, ...]


def path_of(names: Any) -> Path:
    """Read a browse path of a client."""
    return tuple((int(name.NamespaceIndex), str(name.Name)) for name in names or ())


def standard(*names: str) -> Path:
    """A browse path of the standard namespace."""
    return tuple((0, name) for name in names)


@dataclass
class Notice:
    """An event as it is told; what it does not carry is null."""

    type: Any
    """NodeId of its type."""
    fields: Mapping[Path, Any] = field(default_factory=dict[Path, Any])
    """Variants by browse path."""
    heard_at: tuple[Any, ...] = ()
    """NodeIds of the notifiers at which it is heard."""
    condition: Any = None
    """NodeId of the condition that it is of."""

    def get(self, path: Path, attribute: int) -> Any:
        """Return a field's variant; None where the event has none."""
        if attribute == Attr.NodeId and not path and self.condition is not None:
            return ua.Variant(self.condition, ua.VariantType.NodeId)
        return self.fields.get(path) if attribute == Attr.Value else None
