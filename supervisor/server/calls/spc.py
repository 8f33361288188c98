"""The methods of `Spc`."""

import time
from collections.abc import Callable
from datetime import datetime

from config.alarm_list import series_alarm
from opcua_model.interface import Caller, Refused
from opcua_model.methods import methods_of
from supervisor.server.access.policy import Action, permit
from supervisor.server.alarms.transitions import Change, Standing, charted
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
        identity, alarm = desk.identity, series_alarm(wanted.name, wanted.parameter)
        desk.alarms.check(alarm)
        made = await desk.deed(
            caller,
            "define_spc_series",
            lambda connection: series.define(
                connection, identity.org_id, identity.instrument_id, caller, wanted, time.time_ns()
            ),
            lambda found: f"spc {found.name}",
        )
        state = desk.alarms.add(alarm)
        await self._show(made)
        if desk.space is not None:
            await desk.space.add_alarm(alarm, state)
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
            caller,
            "recalculate_spc_limits",
            name,
            lambda held: series.recalculate(held, name, points, now),
            "its limits were made anew",
            reason,
        )
        return ()

    async def retire(self, caller: Caller, _path: str, name: str, reason: str) -> tuple[()]:
        """`RetireSeries`."""
        permit(self._desk.policy, caller, Action.SPC)
        await self._change(
            caller, "retire_spc_series", name, lambda held: series.retire(held, name), "it was retired", reason
        )
        return ()

    async def _change(
        self, caller: Caller, what: str, name: str, work: Callable[[Connection], Series], words: str, reason: str
    ) -> None:
        """Change a series: what its newest point broke is of the past then, and so is the cause of its alarm."""
        desk, step = self._desk, None
        if (alarm := series_alarm(name, "").name) in desk.alarms.definitions:
            over = Standing(name, None, f"{name}: {words}")
            step = desk.alarms.working(alarm, lambda one, state, moment: charted(one, state, over, moment))

        def both(connection: Connection) -> tuple[Series, Change | None]:
            changed = work(connection)
            return changed, None if step is None else step(connection)

        changed, change = await desk.deed(caller, what, both, lambda found: f"spc {found[0].name}", reason=reason)
        await self._show(changed)
        await desk.alarms.follow(change)

    async def _show(self, changed: Series) -> None:
        await self._desk.show(await self._desk.store.read(lambda connection: series.entry(connection, changed)))
