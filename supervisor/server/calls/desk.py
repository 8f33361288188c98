"""What every call works with: the halves' link, the store, the policy, and ways to show what has changed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from anyio.abc import TaskGroup

from config.layout import Layout
from opcua_model.interface import AddressSpace, Caller, Entry
from supervisor.link.messages import Principal
from supervisor.server.access.policy import DEFAULT, Policy
from supervisor.server.access.signatures import Signatures
from supervisor.server.alarms.book import AlarmBook
from supervisor.server.calls.bypass import BypassDesk
from supervisor.server.calls.control import Control, place
from supervisor.server.calls.force import ForceDesk
from supervisor.server.configuration import DisplayTable
from supervisor.server.controller import Controller
from supervisor.server.historian.ingest import Historian
from supervisor.server.projection.projector import Projector
from supervisor.server.records import audit, runs
from supervisor.server.records.active import ActiveRun
from supervisor.server.records.equipment_time import EquipmentTime
from supervisor.server.records.place import Identity
from supervisor.server.store.connection import Store
from supervisor.server.store.rows import Connection

T = TypeVar("T")
DIVISION = "\u2215"
"""Stands for a slash in the names of the address space."""


@dataclass
class Desk:
    """Everything of one server."""

    layout: Layout
    tool_file: Path
    data: Path
    identity: Identity
    store: Store
    controller: Controller
    projector: Projector
    historian: Historian
    alarms: AlarmBook
    control: Control
    bypasses: BypassDesk
    forces: ForceDesk
    times: EquipmentTime
    tasks: TaskGroup
    """For work that outlives the call that began it (simulations)."""
    active: ActiveRun = field(default_factory=ActiveRun)
    policy: Policy = DEFAULT
    display: DisplayTable = field(default_factory=DisplayTable)
    signatures: Signatures = field(default_factory=lambda: Signatures(DEFAULT))
    space: AddressSpace | None = None
    """None until the address space stands, and while it is being taken down."""
    simulating: int = 0

    async def deed(
        self, caller: Caller, action: str, work: Callable[[Connection], T], target: Callable[[T], str], **detail: Any
    ) -> T:
        """Carry out `work` and enter it in the audit trail, in one transaction."""

        def both(connection: Connection) -> T:
            result = work(connection)
            audit.append(connection, self._row(caller, action, target(result), detail, "Good", ""))
            return result

        return await self.store.write(both)

    def new_run(
        self, connection: Connection, caller: Caller, kind: str, *, values: Mapping[str, Any] | None = None, **of: Any
    ) -> tuple[str, str]:
        """Make the record of a run of this tool by `caller` (records.runs.create); return its id and number.

        Args:
            connection: of the transaction that it belongs to.
            caller: whose run it is.
            kind: recipe, operation or simulation.
            values: of the recipe's parameters; the run then keeps the recipe as they make it.
            of: what else its record tells.
        """
        made = runs.create(connection, self.identity, caller.user, kind, **of)
        if values:
            runs.keep_document(connection, made[0], of["recipe"].document, values)
        return made

    async def note(self, caller: Caller, action: str, target: str, status: str = "Good", reason: str = "") -> None:
        """Enter something in the audit trail that changed nothing in the database."""
        row = self._row(caller, action, target, {}, status, reason)
        await self.store.write(lambda connection: audit.append(connection, row))

    @staticmethod
    def _row(caller: Caller, action: str, target: str, detail: dict[str, Any], status: str, reason: str) -> audit.Deed:
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str)
        return audit.Deed(caller.user, tuple(caller.roles), caller.session, action, target, text, status, reason)

    async def show(self, entry: Entry) -> None:
        """Show an object that came or changed."""
        if self.space is not None:
            # A slash separates the words of a path; people may well have one in a recipe's name.
            name = entry.name.replace("/", DIVISION)
            await self.space.show(entry if name == entry.name else replace(entry, name=name))


def principal(caller: Caller) -> Principal:
    """Name a caller for the controller."""
    return Principal(user=caller.user, roles=tuple(sorted(caller.roles)), session=caller.session, place=place(caller))
