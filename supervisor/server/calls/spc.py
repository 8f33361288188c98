"""The methods of `Spc`."""

import time
from collections.abc import Callable
from datetime import datetime

from opcua_model.interface import Caller, Refused
from opcua_model.methods import methods_of
from supervisor.server.access.policy import Action, permit
from supervisor.server.calls.desk import Desk
from supervisor.server.calls.runs import as_json, ns_of
from supervisor.server.spc import series
from supervisor.server.spc.declaration import read_declaration
from supervisor.server.spc.series import Series
from supervisor.server.store.rows import Connection


class SpcCalls:
    """Carries them out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def define(self, caller: Caller, _path: str, text: str) -> tuple[str]:
        """`DefineSeries`."""
        desk = self._desk
        permit(desk.policy, caller, Action.SPC)
        wanted = read_declaration(text)
        if wanted.name in {"Pages", *(method.name for method in methods_of("Spc"))}:
            raise Refused("BadInvalidArgument", f"name: {wanted.name!r} is a node of the folder Spc; choose another")
        identity = desk.identity
        made = await desk.deed(
            caller,
            "define_spc_series",
            lambda connection: series.define(
                connection, identity.org_id, identity.instrument_id, caller, wanted, time.time_ns()
            ),
            lambda found: f"spc {found.name}",
        )
        await self._show(made)
        return (made.id,)

    async def list(self, _caller: Caller, _path: str, skip: int, limit: int) -> tuple[str]:
        """`ListSeries`."""
        found = await self._desk.store.read(lambda connection: series.list_series(connection, skip, limit))
        return (as_json([one.document() for one in found]),)

    async def points(
        self, _caller: Caller, _path: str, name: str, start: datetime, end: datetime, limit: int
    ) -> tuple[str]:
        """`GetPoints`."""
        first, last = ns_of(start), ns_of(end) or None
        found = await self._desk.store.read(lambda connection: series.list_points(connection, name, first, last, limit))
        return (as_json(found),)

    async def recalculate(self, caller: Caller, _path: str, name: str, points: int, reason: str) -> tuple[()]:
        """`RecalculateLimits`."""
        permit(self._desk.policy, caller, Action.SPC)
        now = time.time_ns()
        await self._change(
            caller, "recalculate_spc_limits", lambda held: series.recalculate(held, name, points, now), reason
        )
        return ()

    async def retire(self, caller: Caller, _path: str, name: str, reason: str) -> tuple[()]:
        """`RetireSeries`."""
        permit(self._desk.policy, caller, Action.SPC)
        await self._change(caller, "retire_spc_series", lambda held: series.retire(held, name), reason)
        return ()

    async def _change(self, caller: Caller, what: str, work: Callable[[Connection], Series], reason: str) -> None:
        changed = await self._desk.deed(caller, what, work, lambda found: f"spc {found.name}", reason=reason)
        await self._show(changed)

    async def _show(self, changed: Series) -> None:
        await self._desk.show(await self._desk.store.read(lambda connection: series.entry(connection, changed)))
