"""Making events and handing them to the subscriptions that want them."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from opcua_model.eventing.items import items_at
from opcua_model.eventing.notice import Notice, Path, standard
from opcua_model.interface import Occurrence
from opcua_model.live import Live
from opcua_model.publishing.snapshot import moment
from opcua_model.space import Space, number_id, type_name, variant
from opcua_model.stack import Attr, Ids, ua
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


def make_event(space: Space, occurrence: Occurrence) -> Notice:
    """Turn an occurrence into an event; a source that is not in the tree becomes the tool itself."""
    source = space.tool_id(occurrence.source or ROOT)
    if source not in space:
        source = space.tool_id(ROOT)
    known = occurrence.type in EVENT_TYPES
    kind = space.type_id(occurrence.type) if known else number_id(Ids.BaseEventType)
    fields = base_fields(
        kind,
        source,
        space.attribute(source, Attr.BrowseName).Name,
        moment(occurrence.time_ns) or datetime.now(UTC),
        occurrence.message,
        occurrence.severity,
    )
    declared = {one.path: one.type for one in EVENT_FIELDS.get(occurrence.type, ())}
    for name, word in declared.items():
        value = occurrence.fields.get(name)
        fields[((space.types, name),)] = (
            ua.Variant(None, ua.VariantType.Null) if value is None else variant(value, word)
        )
    for name, value in occurrence.fields.items():
        if name not in declared:
            fields[((space.types, name),)] = variant(value, type_name(value))
    return Notice(kind, fields, notifiers(space, source))


def base_fields(
    kind: Any, source: Any, source_name: str, time: datetime, message: str, severity: int, event_id: bytes = b""
) -> dict[Path, Any]:
    """The fields that every event has."""
    kinds = ua.VariantType
    return {
        standard("EventId"): ua.Variant(event_id or secrets.token_bytes(16), kinds.ByteString),
        standard("EventType"): ua.Variant(kind, kinds.NodeId),
        standard("SourceNode"): ua.Variant(source, kinds.NodeId),
        standard("SourceName"): ua.Variant(source_name, kinds.String),
        standard("Time"): ua.Variant(time, kinds.DateTime),
        standard("ReceiveTime"): ua.Variant(datetime.now(UTC), kinds.DateTime),
        standard("Message"): ua.Variant(ua.LocalizedText(message), kinds.LocalizedText),
        standard("Severity"): ua.Variant(min(max(severity, 1), 1000), kinds.UInt16),
    }


def notifiers(space: Space, *sources: Any) -> tuple[Any, ...]:
    """Where an event of these nodes is heard: at them, at everything that they hang below, and at the Server object."""
    found: dict[Any, None] = {}
    for source in sources:
        node = source
        while node is not None and node.NamespaceIndex == space.tool:
            found[node] = None
            node = space.parent(node)
    found[number_id(Ids.Server)] = None
    return tuple(found)


def deliver(event: Notice, subscriptions: Iterable[Any]) -> None:
    """Hand an event to whoever monitors its source, anything above it, or the Server object."""
    for subscription in list(subscriptions):
        if not subscription.admits(event):
            continue
        for item in items_at(subscription.monitored_item_srv, event.heard_at):
            item.offer(event)
