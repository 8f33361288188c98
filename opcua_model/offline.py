"""The address space of a tool without a server: what `cvd nodeset` writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from config.alarm_list import alarm_list
from config.layout import Layout
from config.process_mode import supported_variants
from kernels.image import Snapshot
from kernels.tables import CONDITION_STATE
from opcua_model.conditions.nodes import Conditions
from opcua_model.conditions.state import AlarmState
from opcua_model.entries import Entries
from opcua_model.interface import Entry
from opcua_model.model_changes import ModelChanges
from opcua_model.nodeset import write_nodeset
from opcua_model.publishing.snapshot import Turn
from opcua_model.run_machine import RunMachine, build_machine_type
from opcua_model.space import Space
from opcua_model.stack import Server
from opcua_model.tree import Tree, build_tree
from opcua_model.types import NAMESPACE, TOOL_NAMESPACE, build_types


class _Still:
    """A tool at which nothing moves."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def values(self) -> Snapshot:
        """All tags at zero."""
        tags = len(self.layout.tags)
        rows = np.zeros(len(self.layout.conditions), CONDITION_STATE)
        return Snapshot(0, 0, np.zeros(tags), np.zeros(tags, np.uint32), np.zeros(tags, np.int64), rows)

    def alarms(self) -> Mapping[str, AlarmState]:
        """All alarms at rest."""
        return {
            one.name: AlarmState(one.name, (0,) * len(one.points), (0,) * len(one.points), severity=one.severity(0))
            for one in alarm_list(self.layout).values()
        }


async def _no_entries(_folder: str, _first: int, _count: int) -> tuple[int, Sequence[Entry]]:
    return 0, []


async def nodeset_of(layout: Layout, *, revision: str, moment: datetime) -> str:
    """Write the NodeSet2 document of a tool's address space, types included."""
    server: Any = Server()
    await server.init()
    types = await server.register_namespace(NAMESPACE)
    uri = TOOL_NAMESPACE + layout.tool.name
    space = Space(server.iserver.aspace, types, await server.register_namespace(uri))
    still: Any = _Still(layout)
    tree = Tree(space, Turn(still), layout)
    build_types(space, tree.methods)
    build_machine_type(space)
    build_tree(tree, revision=revision, variants=supported_variants(layout.tool), told={})
    RunMachine(space, lambda _: None)
    Entries(space, ModelChanges(space, lambda _: None), _no_entries)
    Conditions(tree).build(still.alarms())
    uris = {space.types: NAMESPACE, space.tool: uri}
    text = write_nodeset(space, space.nodes(), uris, revision, moment)
    await server.stop()
    return text
