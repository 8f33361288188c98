"""A tool's address space as a NodeSet2 file (Part 6, annex F), for other stacks and for people who plan screens."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree import ElementTree as ET

from opcua_model.space import Space
from opcua_model.stack import Attr, Ids, ua

XML: Final = "http://opcfoundation.org/UA/2011/03/UANodeSet.xsd"
TYPES_XML: Final = "http://opcfoundation.org/UA/2008/02/Types.xsd"
_BASE_MODEL: Final = ("http://opcfoundation.org/UA/", "1.05.01", "2022-02-24T00:00:00Z")
"""The oldest edition with everything that we refer to."""
_ELEMENTS: Final = {
    ua.NodeClass.Object: "UAObject",
    ua.NodeClass.Variable: "UAVariable",
    ua.NodeClass.Method: "UAMethod",
    ua.NodeClass.ObjectType: "UAObjectType",
    ua.NodeClass.DataType: "UADataType",
}
_ALIASES: Final = {
    name: f"i={number}"
    for name, number in (
        *((kind.name, kind.value) for kind in ua.VariantType if 0 < kind.value < 24),
        *((one, getattr(Ids, one)) for one in ("HasComponent", "HasProperty", "Organizes", "HasTypeDefinition",
                                                 "HasSubtype", "HasModellingRule", "HasEncoding")),
    )
}  # fmt: skip
_NAMES: Final = {node: name for name, node in _ALIASES.items()}
_SCALARS: Final = frozenset({"Boolean", "Double", "Int32", "Int64", "UInt32", "String", "Byte", "UInt16"})


def write_nodeset(space: Space, nodes: Iterable[Any], uris: Mapping[int, str], version: str, moment: datetime) -> str:
    """Write nodes as XML.

    Args:
        space: where they are.
        nodes: their ids, all in the namespaces of `uris`.
        uris: our namespaces by index.
        version: of the model.
        moment: of publication.

    Returns:
        The document. Values of what a tool measures or does are left out; constants are in.
    """
    writer = _Writer(space, {index: number for number, index in enumerate(sorted(uris), 1)})
    root = ET.Element("UANodeSet", {"xmlns": XML, "LastModified": _when(moment)})
    names = ET.SubElement(root, "NamespaceUris")
    for index in sorted(uris):
        ET.SubElement(names, "Uri").text = uris[index]
    models = ET.SubElement(root, "Models")
    for index in sorted(uris):
        attributes = {"ModelUri": uris[index], "Version": version, "PublicationDate": _when(moment)}
        model = ET.SubElement(models, "Model", attributes)
        if len(models) > 1:
            # Our types are in the same file, and importers that look for required models want each named once.
            continue
        uri, needed, when = _BASE_MODEL
        ET.SubElement(model, "RequiredModel", {"ModelUri": uri, "Version": needed, "PublicationDate": when})
    aliases = ET.SubElement(root, "Aliases")
    for name, node in _ALIASES.items():
        ET.SubElement(aliases, "Alias", {"Alias": name}).text = node
    for node in nodes:
        writer.write(root, node)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _when(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Writer:
    def __init__(self, space: Space, indices: Mapping[int, int]) -> None:
        self._space = space
        self._indices = {0: 0, **indices}

    def _id(self, node: Any, *, alias: bool = False) -> str:
        index = self._indices[node.NamespaceIndex]
        kind = "i" if isinstance(node.Identifier, int) else "s"
        text = f"{kind}={node.Identifier}" if index == 0 else f"ns={index};{kind}={node.Identifier}"
        return _NAMES.get(text, text) if alias else text

    def _name(self, name: Any) -> str:
        index = self._indices.get(name.NamespaceIndex, 0)
        return f"{index}:{name.Name}" if index else name.Name

    def _has(self, node: Any, attribute: Any) -> Any:
        return self._space.attribute(node, attribute)

    def write(self, root: Any, node: Any) -> None:
        """Write one node; those of classes that we do not make are passed over."""
        kind = ua.NodeClass(self._has(node, Attr.NodeClass))
        tag = _ELEMENTS.get(kind)
        if tag is None:
            return
        element = ET.SubElement(
            root, tag, {"NodeId": self._id(node), "BrowseName": self._name(self._has(node, Attr.BrowseName))}
        )
        self._attributes(element, node, kind)
        ET.SubElement(element, "DisplayName").text = self._has(node, Attr.DisplayName).Text
        if description := self._has(node, Attr.Description):
            ET.SubElement(element, "Description").text = description.Text
        self._references(element, node)
        if kind == ua.NodeClass.DataType:
            self._definition(element, node)
        if kind == ua.NodeClass.Variable:
            self._value(element, node)

    def _attributes(self, element: Any, node: Any, kind: Any) -> None:
        if kind == ua.NodeClass.Object and self._has(node, Attr.EventNotifier):
            element.set("EventNotifier", str(self._has(node, Attr.EventNotifier)))
        if kind == ua.NodeClass.ObjectType and self._has(node, Attr.IsAbstract):
            element.set("IsAbstract", "true")
        if kind != ua.NodeClass.Variable:
            return
        element.set("DataType", self._id(self._has(node, Attr.DataType), alias=True))
        rank = self._has(node, Attr.ValueRank)
        if rank is not None and int(rank) != -1:
            element.set("ValueRank", str(int(rank)))
            element.set("ArrayDimensions", "0")
        if (access := self._has(node, Attr.AccessLevel)) not in {None, 1}:
            element.set("AccessLevel", str(access))
            element.set("UserAccessLevel", str(access))
        if self._has(node, Attr.Historizing):
            element.set("Historizing", "true")
        if interval := self._has(node, Attr.MinimumSamplingInterval):
            element.set("MinimumSamplingInterval", f"{interval:g}")

    def _references(self, element: Any, node: Any) -> None:
        references = ET.SubElement(element, "References")
        for reference in self._space.references(node):
            if reference.NodeId.NamespaceIndex not in self._indices:
                continue
            # What other models hold refers to ours from here; their own files cannot be changed.
            one = ET.SubElement(
                references, "Reference", {"ReferenceType": self._id(reference.ReferenceTypeId, alias=True)}
            )
            if not reference.IsForward:
                one.set("IsForward", "false")
            one.text = self._id(reference.NodeId)

    def _definition(self, element: Any, node: Any) -> None:
        found = self._has(node, Attr.DataTypeDefinition)
        if found is None:
            return
        definition = ET.SubElement(element, "Definition", {"Name": self._name(self._has(node, Attr.BrowseName))})
        for one in found.Fields:
            field = ET.SubElement(definition, "Field", {"Name": one.Name})
            if isinstance(found, ua.EnumDefinition):
                field.set("Value", str(int(one.Value)))
            else:
                field.set("DataType", self._id(one.DataType, alias=True))
                if one.Description and one.Description.Text:
                    ET.SubElement(field, "Description").text = one.Description.Text

    # ------------------------------------------------------------------------------------------------ values

    def _value(self, element: Any, node: Any) -> None:
        """Write what is constant: properties, and nothing that a run would change."""
        cell = self._space.cell(node)
        data = None if cell.value is None else cell.value
        held = None if data is None else data.Value
        constant = any(
            not one.IsForward and one.ReferenceTypeId.Identifier == Ids.HasProperty
            for one in self._space.references(node)
        )
        if not constant or held is None or held.Value is None:
            return
        name = held.VariantType.name
        many = isinstance(held.Value, list)
        values: list[Any] = held.Value if many else [held.Value]
        if name in _SCALARS or name in {"LocalizedText", "ExtensionObject"}:
            made = [self._made(name, one) for one in values]
            if any(one is None for one in made):
                return
            value = ET.SubElement(element, "Value")
            into = ET.SubElement(value, f"ListOf{name}", {"xmlns": TYPES_XML}) if many else value
            for one in made:
                if not many:
                    one.set("xmlns", TYPES_XML)
                into.append(one)

    def _made(self, name: str, value: Any) -> Any:
        if name == "LocalizedText":
            return _text(name, value.Text or "")
        if name == "ExtensionObject":
            return self._structure(value)
        return _plain(name, value)

    def _structure(self, value: Any) -> Any:
        body: Any
        if isinstance(value, ua.Argument):
            number, body = 297, ET.Element("Argument")
            body.append(_plain("Name", value.Name))
            kind = ET.SubElement(body, "DataType")
            kind.append(_plain("Identifier", self._id(value.DataType)))
            body.append(_plain("ValueRank", value.ValueRank))
            ET.SubElement(body, "ArrayDimensions")
            body.append(_text("Description", value.Description.Text or ""))
        elif isinstance(value, ua.Range):
            number, body = 885, ET.Element("Range")
            body.append(_plain("Low", value.Low))
            body.append(_plain("High", value.High))
        elif isinstance(value, ua.EUInformation):
            number, body = 888, ET.Element("EUInformation")
            body.append(_plain("NamespaceUri", value.NamespaceUri))
            body.append(_plain("UnitId", value.UnitId))
            body.append(_text("DisplayName", value.DisplayName.Text or ""))
            body.append(_text("Description", value.Description.Text or ""))
        else:
            return None
        made = ET.Element("ExtensionObject")
        kind = ET.SubElement(made, "TypeId")
        kind.append(_plain("Identifier", f"i={number}"))
        ET.SubElement(made, "Body").append(body)
        return made


def _plain(name: str, value: Any) -> Any:
    element = ET.Element(name)
    element.text = str(value).lower() if isinstance(value, bool) else str(value)
    return element


def _text(name: str, text: str) -> Any:
    element = ET.Element(name)
    ET.SubElement(element, "Text").text = text
    return element
