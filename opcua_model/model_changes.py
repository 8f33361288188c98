"""Changes of the address space, told as Part 3 says: NodeVersion of a folder, and a GeneralModelChangeEvent."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from opcua_model.eventing.notice import Notice, standard
from opcua_model.eventing.telling import base_fields
from opcua_model.live import tell
from opcua_model.space import Space, number_id, stamped
from opcua_model.stack import Ids, ua

ADDED, DELETED, REFERENCE_ADDED, REFERENCE_DELETED = 1, 2, 4, 8
"""Bits of a change's verb (Part 5, 12.16)."""
_SEVERITY: Final = 1


class ModelChanges:
    """Tells of nodes that came and went below folders.

    Args:
        space: of the tool.
        emit: hands an event to the subscriptions.
    """

    def __init__(self, space: Space, emit: Callable[[Notice], None]) -> None:
        self._space = space
        self._emit = emit
        self._version = 0

    def watch(self, folder: Any, name: str) -> None:
        """Give a folder a NodeVersion."""
        self._space.add_property(folder, "NodeVersion", Ids.String, self._next(), f"Changes with what {name} holds.")

    def _next(self) -> Any:
        # Versions of two lives of the server differ, so that a client which kept one sees that it must look again.
        self._version = max(self._version + 1, time.time_ns() // 1000)
        return ua.Variant(str(self._version), ua.VariantType.String)

    async def told(self, folder: Any, kind: Any, changes: list[tuple[Any, Any, int]]) -> None:
        """Tell of changes in a folder: node, type and verb of each, the folder's own change is added."""
        space = self._space
        await tell(space.cell(ua.NodeId(f"{folder.Identifier}/NodeVersion", space.tool)), stamped(self._next()))
        verbs = {ADDED: REFERENCE_ADDED, DELETED: REFERENCE_DELETED}
        above = 0
        for _, _, verb in changes:
            above |= verbs[verb]
        rows = [
            ua.ModelChangeStructureDataType(Affected=node, AffectedType=definition, Verb=verb)
            for node, definition, verb in [*changes, (folder, kind, above)]
        ]
        general, server = number_id(Ids.GeneralModelChangeEventType), number_id(Ids.Server)
        words = f"{folder.Identifier} has changed."
        fields = base_fields(general, server, "Server", datetime.now(UTC), words, _SEVERITY)
        fields[standard("Changes")] = ua.Variant(rows, ua.VariantType.ExtensionObject, is_array=True)
        self._emit(Notice(general, fields, (server,)))
