"""Writing nodes straight into asyncua's address space.

Its own service checks each new child against all others, which is quadratic (10,000 nodes in one folder: 82 s), and
builds several objects per attribute. Here attributes that never change are shared, references are appended.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from opcua_model.stack import Attr, AttributeValue, Ids, NodeData, ua

HISTORY_READ: Final = 0x04
READ: Final = 0x01
WRITE: Final = 0x02
SUBSCRIBE_TO_EVENTS: Final = 0x01
HISTORY_EVENTS: Final = 0x04

SCALAR: Final = -1
ARRAY: Final = 1

_TYPES: Final = {
    "Boolean": ua.VariantType.Boolean,
    "Int32": ua.VariantType.Int32,
    "UInt32": ua.VariantType.UInt32,
    "Int64": ua.VariantType.Int64,
    "Double": ua.VariantType.Double,
    "String": ua.VariantType.String,
    "DateTime": ua.VariantType.DateTime,
    "ByteString": ua.VariantType.ByteString,
    "LocalizedText": ua.VariantType.LocalizedText,
}


def variant_type(name: str) -> Any:
    """Look up a built-in type by its OPC UA name."""
    return _TYPES[name]


def type_name(value: Any) -> str:
    """Name the OPC UA type that a Python value is shown as (elements, of a list)."""
    if isinstance(value, list):
        return "String" if value and isinstance(value[0], str) else "Double"
    for kind, name in ((bool, "Boolean"), (int, "Int64"), (float, "Double"), (datetime, "DateTime")):
        if isinstance(value, kind):
            return name
    return "String"


def variant(value: Any, name: str) -> Any:
    """Make a variant of a named type; None is null."""
    if value is None:
        return ua.Variant(None, ua.VariantType.Null)
    if isinstance(value, list):
        return ua.Variant(value, _TYPES[name], is_array=True)
    if name == "LocalizedText" and isinstance(value, str):
        value = ua.LocalizedText(value)
    if name == "DateTime" and isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return ua.Variant(value, _TYPES[name])


GOOD: Final = ua.StatusCode()
"""One for all values of the address space that are good: nobody changes it."""


def stamped(value: Any, status: Any = None) -> Any:
    """Put status and times on a variant."""
    now = datetime.now(UTC)
    return ua.DataValue(value, status or GOOD, SourceTimestamp=now, ServerTimestamp=now)


@cache
def number_id(number: int) -> Any:
    """Make a NodeId of the standard namespace."""
    return ua.NodeId(number)


_NOTIFIES: Final = SUBSCRIBE_TO_EVENTS | HISTORY_EVENTS


class Space:
    """Nodes of our two namespaces in one address space."""

    def __init__(self, aspace: Any, types: int, tool: int) -> None:
        self._aspace = aspace
        self.types = types
        self.tool = tool
        self._shared: dict[tuple[str, Any], Any] = {}

    def tool_id(self, path: str) -> Any:
        """NodeId of what stands at a path below the tool object; the tool object itself is `.`."""
        return ua.NodeId(path, self.tool)

    def type_id(self, name: str) -> Any:
        """NodeId of one of our types."""
        return ua.NodeId(name, self.types)

    def __contains__(self, node_id: Any) -> bool:
        return node_id in self._aspace

    def cell(self, node_id: Any) -> Any:
        """The Value attribute of a node."""
        return self._aspace[node_id].attributes[Attr.Value]

    def attribute(self, node_id: Any, attribute: int) -> Any:
        """The plain value of an attribute, None when the node has none."""
        node = self._aspace.get(node_id)
        cell = None if node is None else node.attributes.get(attribute)
        return None if cell is None or cell.value is None else cell.value.Value.Value

    def references(self, node_id: Any) -> list[Any]:
        """What refers from a node, in both directions."""
        return list(self._aspace[node_id].references)

    def nodes(self) -> list[Any]:
        """Ids of all nodes of our two namespaces, types first, each in the order of its creation."""
        ids = list(self._aspace.keys())
        return [node for index in (self.types, self.tool) for node in ids if node.NamespaceIndex == index]

    def set_description(self, node_id: Any, text: str) -> None:
        """Replace the Description of a node."""
        attributes = self._aspace[node_id].attributes
        cell = AttributeValue(self._text(text).value)
        cell.datachange_callbacks = attributes[Attr.Description].datachange_callbacks  # of who watches it
        attributes[Attr.Description] = cell

    def set_data_type(self, node_id: Any, data_type: int, rank: int) -> None:
        """Replace the DataType of a variable whose values turned out to be of another one."""
        attributes = self._aspace[node_id].attributes
        attributes[Attr.DataType] = self._constant("NodeId", data_type, ua.VariantType.NodeId, _id(data_type))
        attributes[Attr.ValueRank] = self._constant("Int32", rank, ua.VariantType.Int32)

    def parent(self, node_id: Any) -> Any:
        """The node that an instance hangs below, None at the top."""
        node = self._aspace.get(node_id)
        inverse = () if node is None else (ref for ref in node.references if not ref.IsForward)
        return next((ref.NodeId for ref in inverse), None)

    # ------------------------------------------------------------------------------------------------- nodes

    def add_object(
        self,
        node_id: Any,
        name: str,
        parent: Any,
        *,
        description: str,
        display: str = "",
        kind: Any = None,
        reference: int = Ids.HasComponent,
        notifier: bool = False,
        namespace: int | None = None,
    ) -> Any:
        """Add an object; `kind` is its type (BaseObjectType unless said), `namespace` that of its BrowseName."""
        extra = {Attr.EventNotifier: self._constant("Byte", _NOTIFIES if notifier else 0, ua.VariantType.Byte)}
        definition = number_id(Ids.BaseObjectType) if kind is None else kind
        return self._add(
            node_id,
            name,
            parent,
            ua.NodeClass.Object,
            reference,
            description,
            display,
            extra,
            definition,
            namespace,
        )

    def add_variable(
        self,
        node_id: Any,
        name: str,
        parent: Any,
        *,
        description: str,
        data_type: Any,
        value: Any = None,
        read: Callable[[], Any] | None = None,
        display: str = "",
        kind: int = Ids.BaseDataVariableType,
        reference: int = Ids.HasComponent,
        rank: int = SCALAR,
        access: int = READ,
        sampling_ms: float = 0.0,
        namespace: int | None = None,
    ) -> Any:
        """Add a variable with a DataValue, or with a function that gives it at each read."""
        cell = AttributeValue(value)
        if read is not None:
            cell.value_callback = _reader(read)
        byte = ua.VariantType.Byte
        extra = {
            Attr.Value: cell,
            Attr.DataType: self._constant("NodeId", data_type, ua.VariantType.NodeId, _id(data_type)),
            Attr.ValueRank: self._constant("Int32", rank, ua.VariantType.Int32),
            Attr.AccessLevel: self._constant("Byte", access, byte),
            Attr.UserAccessLevel: self._constant("Byte", access, byte),
            Attr.Historizing: self._constant("Boolean", bool(access & HISTORY_READ), ua.VariantType.Boolean),
            Attr.MinimumSamplingInterval: self._constant("Double", sampling_ms, ua.VariantType.Double),
        }
        if rank == ARRAY:
            extra[Attr.ArrayDimensions] = self._constant("Dimensions", (0,), ua.VariantType.UInt32, [0])
        return self._add(
            node_id,
            name,
            parent,
            ua.NodeClass.Variable,
            reference,
            description,
            display,
            extra,
            number_id(kind),
            namespace,
        )

    def add_property(
        self, parent: Any, name: str, data_type: int, value: Any, description: str, rank: int = SCALAR
    ) -> Any:
        """Add a constant property of the standard namespace's name (`EURange`, `EnumStrings` …)."""
        return self.add_variable(
            ua.NodeId(f"{parent.Identifier}/{name}", parent.NamespaceIndex),
            name,
            parent,
            description=description,
            data_type=data_type,
            value=stamped(value),
            kind=Ids.PropertyType,
            reference=Ids.HasProperty,
            rank=rank,
        )

    def add_method(
        self, node_id: Any, name: str, parent: Any, description: str, inputs: Iterable[Any], outputs: Iterable[Any]
    ) -> Any:
        """Add a method with its arguments (`ua.Argument`)."""
        yes = self._constant("Boolean", True, ua.VariantType.Boolean)
        self._add(
            node_id,
            name,
            parent,
            ua.NodeClass.Method,
            Ids.HasComponent,
            description,
            "",
            {Attr.Executable: yes, Attr.UserExecutable: yes},
            None,
        )
        for title, arguments in (("InputArguments", list(inputs)), ("OutputArguments", list(outputs))):
            if arguments:
                value = ua.Variant(arguments, ua.VariantType.ExtensionObject, is_array=True)
                self.add_property(node_id, title, Ids.Argument, value, f"{title} of {name}.", ARRAY)
        return node_id

    def add_type(
        self, name: str, base: Any, description: str, node_class: Any = ua.NodeClass.ObjectType, abstract: bool = False
    ) -> Any:
        """Add an object or event type below another."""
        extra = {Attr.IsAbstract: self._constant("Boolean", abstract, ua.VariantType.Boolean)}
        return self._add(
            self.type_id(name), name, base, node_class, Ids.HasSubtype, description, "", extra, None, self.types
        )

    def add_attribute(self, node_id: Any, attribute: Any, value: Any) -> None:
        """Give a node an attribute that holds a structure."""
        held = ua.DataValue(ua.Variant(value, ua.VariantType.ExtensionObject))
        self._aspace[node_id].attributes[attribute] = AttributeValue(held)

    def add_reference(self, source: Any, reference: int, target: Any, *, both: bool = True) -> None:
        """Add a reference between two nodes that exist."""
        self._refer(self._aspace[source], reference, self._aspace[target], forward=True)
        if both:
            self._refer(self._aspace[target], reference, self._aspace[source], forward=False)

    def drop_reference(self, source: Any, target: Any) -> None:
        """Remove all references between two nodes."""
        for one, other in ((source, target), (target, source)):
            node = self._aspace.get(one)
            if node is not None:
                node.references[:] = [ref for ref in node.references if ref.NodeId != other]

    def remove(self, node_id: Any) -> None:
        """Remove a node and everything below it."""
        node = self._aspace.get(node_id)
        if node is None:
            return
        parent = self.parent(node_id)
        if parent is not None and parent in self._aspace:
            above = self._aspace[parent].references
            above[:] = [ref for ref in above if ref.NodeId != node_id]
        for ref in [ref for ref in node.references if ref.IsForward and ref.NodeId.NamespaceIndex == self.tool]:
            self.remove(ref.NodeId)
        for cell in node.attributes.values():
            for handle in list(cell.datachange_callbacks):
                self._aspace.delete_datachange_callback(handle)
        del self._aspace[node_id]

    # ---------------------------------------------------------------------------------------------- in detail

    def _add(
        self,
        node_id: Any,
        name: str,
        parent: Any,
        node_class: Any,
        reference: int,
        description: str,
        display: str,
        extra: Mapping[Any, Any],
        definition: Any,
        namespace: int | None = None,
    ) -> Any:
        if node_id in self._aspace:
            raise ValueError(f"two nodes have the same id {node_id.to_string()}")
        standard = reference == Ids.HasProperty and name in STANDARD_PROPERTIES
        index: int = 0 if standard else node_id.NamespaceIndex if namespace is None else namespace
        kinds = ua.VariantType
        node = NodeData(node_id)
        node.attributes = {
            Attr.NodeId: AttributeValue(ua.DataValue(ua.Variant(node_id, kinds.NodeId), GOOD)),
            Attr.NodeClass: self._constant("Class", int(node_class), kinds.Int32),
            Attr.BrowseName: self._name(name, index),
            Attr.DisplayName: self._text(display or name),
            Attr.Description: self._text(description),
            Attr.WriteMask: self._constant("Mask", 0, kinds.UInt32),
            Attr.UserWriteMask: self._constant("Mask", 0, kinds.UInt32),
            **extra,
        }
        self._aspace[node_id] = node
        above = self._aspace[parent]
        self._refer(node, reference, above, forward=False)
        if definition is not None:
            self._refer(node, Ids.HasTypeDefinition, self._aspace[definition], forward=True)
        self._refer(above, reference, node, forward=True)
        return node_id

    def _refer(self, source: Any, reference: int, target: Any, *, forward: bool) -> None:
        known = target.attributes
        entry = ua.ReferenceDescription(
            ReferenceTypeId=number_id(reference),
            IsForward=forward,
            NodeId=target.nodeid,
            BrowseName=known[Attr.BrowseName].value.Value.Value,
            DisplayName=known[Attr.DisplayName].value.Value.Value,
            NodeClass=ua.NodeClass(known[Attr.NodeClass].value.Value.Value),
            TypeDefinition=number_id(0),
        )
        for ref in target.references:
            if ref.IsForward and ref.ReferenceTypeId.Identifier == Ids.HasTypeDefinition:
                entry.TypeDefinition = ref.NodeId
                break
        source.references.append(entry)

    def _name(self, name: str, namespace: int) -> Any:
        """A BrowseName; nodes of the same one share it."""
        found = self._shared.get((name, namespace))
        return found or self._constant(name, namespace, ua.VariantType.QualifiedName, ua.QualifiedName(name, namespace))

    def _text(self, text: str) -> Any:
        """A DisplayName or Description; equal ones are shared."""
        found = self._shared.get(("Text", text))
        return found or self._constant("Text", text, ua.VariantType.LocalizedText, ua.LocalizedText(text))

    def _constant(self, name: str, key: Any, kind: Any, value: Any = None) -> Any:
        """Share an attribute that no service changes."""
        found = self._shared.get((name, key))
        if found is None:
            array = isinstance(value, list)
            held = ua.Variant(key if value is None else value, kind, is_array=array)
            found = self._shared[name, key] = AttributeValue(ua.DataValue(held, GOOD))
        return found


def _id(data_type: Any) -> Any:
    """NodeId of a DataType: of the standard's by its number, of ours as it is."""
    return number_id(data_type) if isinstance(data_type, int) else data_type


def _reader(read: Callable[[], Any]) -> Callable[[Any, Any], Any]:
    """Drop the arguments that asyncua hands to a function behind a value."""

    def answer(_node_id: Any, _attribute: Any) -> Any:
        return read()

    return answer


STANDARD_PROPERTIES: Final = frozenset(
    {
        "EURange",
        "EngineeringUnits",
        "Stepped",
        "TreatUncertainAsBad",
        "PercentDataBad",
        "PercentDataGood",
        "UseSlopedExtrapolation",
        "EnumStrings",
        "TrueState",
        "FalseState",
        "InputArguments",
        "OutputArguments",
        "NamespaceUri",
        "NodeVersion",
        "StateNumber",
        "TransitionNumber",
        "TransitionTime",
        "Id",
        "Number",
    }
)
"""Properties whose names belong to the standard namespace."""
