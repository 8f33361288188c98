"""Making events and handing them to the subscriptions that want them."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from opcua_model.interface import Occurrence
from opcua_model.live import Live
from opcua_model.publishing.snapshot import moment
from opcua_model.space import Space, number_id, type_name, variant_type
from opcua_model.stack import Attr, Event, Ids, ua
from opcua_model.tree import ROOT
from opcua_model.types import EVENT_FIELDS, EVENT_TYPES


def typed(occurrence: Occurrence, live: Mapping[str, Live]) -> Occurrence:
    """Give an occurrence of a run or an interlock its own type, with the fields that the daemon left out."""
    if occurrence.type != "BaseEventType":
        return occurrence
    folder, _, name = occurrence.source.partition("/")
    if folder == "Runs":
        kind, path, fields = "RunEventType", "Runs/ActiveRun", dict[str, Any]()
    elif folder == "Interlocks" and name:
        kind, path, fields = "InterlockEventType", occurrence.source, {"Interlock": name}
    else:
        return occurrence
    for one in EVENT_FIELDS[kind]:
        shown = live.get(f"{path}/{one.path}")
        if shown is not None:
            fields[one.path] = shown.value
    return replace(occurrence, type=kind, fields={**fields, **occurrence.fields})


def make_event(space: Space, occurrence: Occurrence) -> Any:
    """Turn an occurrence into an event; a source that is not in the tree becomes the tool itself."""
    source = space.tool_id(occurrence.source or ROOT)
    if source not in space:
        source = space.tool_id(ROOT)
    known = occurrence.type in EVENT_TYPES
    kinds = ua.VariantType
    event = Event(source)
    name = space.attribute(source, Attr.BrowseName)
    for field, value, kind in (
        ("EventId", secrets.token_bytes(16), kinds.ByteString),
        ("EventType", space.type_id(occurrence.type) if known else number_id(Ids.BaseEventType), kinds.NodeId),
        ("SourceNode", source, kinds.NodeId),
        ("SourceName", name.Name, kinds.String),
        ("Time", moment(occurrence.time_ns) or datetime.now(UTC), kinds.DateTime),
        ("ReceiveTime", datetime.now(UTC), kinds.DateTime),
        ("Message", ua.LocalizedText(occurrence.message), kinds.LocalizedText),
        ("Severity", min(max(occurrence.severity, 1), 1000), kinds.UInt16),
    ):
        event.add_property(field, value, kind)
    declared = {one.path: one.type for one in EVENT_FIELDS.get(occurrence.type, ())}
    _add_fields(event, occurrence.fields, declared)
    return event


def _add_fields(event: Any, fields: Mapping[str, Any], declared: Mapping[str, str]) -> None:
    for name, kind in declared.items():
        event.add_property(name, fields.get(name), variant_type(kind))
    for name, value in fields.items():
        if name not in declared:
            event.add_property(name, value, variant_type(type_name(value)))


async def deliver(space: Space, event: Any, subscriptions: Iterable[Any]) -> None:
    """Hand an event to whoever monitors its source, anything above it, or the Server object."""
    watched = [number_id(Ids.Server)]
    node = event.SourceNode
    while node is not None and node.NamespaceIndex == space.tool:
        watched.append(node)
        node = space.parent(node)
    for subscription in list(subscriptions):
        for node in watched:
            event.emitting_node = node
            await subscription.monitored_item_srv.trigger_event(event)
