"""Forcing tags: asked for, confirmed, removed, and shown."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

from opcua_model.interface import Caller, Refused
from supervisor.link.messages import CommandKind
from supervisor.server.access.policy import Action, Weighty, permit
from supervisor.server.calls.desk import Desk, principal


class ForceCalls:
    """The methods `RequestForce` and its like of `State`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def request(
        self, caller: Caller, _path: str, tag: str, value: float, reason: str, duration_s: float
    ) -> tuple[str]:
        """`RequestForce`: refused at once where nobody could confirm it; without four eyes it takes effect."""
        permit(self._desk.policy, caller, Action.FORCE_TAG)
        desk, who = self._desk.forces, principal(caller)
        made = desk.request(caller, tag, value, reason, duration_s)
        args = made.arguments(asked=desk.four_eyes)
        wanted = {"command": CommandKind.FORCE.value, "args": args, "user": who.user, "roles": who.roles}
        found = await self._desk.controller.query("why", wanted)
        if not found["allowed"]:
            desk.done(made)
            raise Refused(found["status"], "; ".join(found["reasons"]))
        if desk.four_eyes:
            await self._desk.note(caller, "request_force", tag, reason=f"{value:g}: {made.reason} ({duration_s:g} s)")
            return (made.id,)
        await self._force(caller, tag, args)
        return ("",)

    async def confirm(self, caller: Caller, _path: str, request_id: str) -> tuple[()]:
        """`ConfirmForce`."""
        permit(self._desk.policy, caller, Action.FORCE_TAG)
        found = self._desk.forces.find(caller, request_id)
        await self._force(caller, found.tag, found.arguments(asked=True))
        self._desk.forces.done(found)
        return ()

    async def remove(self, caller: Caller, _path: str, tag: str) -> tuple[()]:
        """`RemoveForce`: back to what the tag is, so nobody's control stands in the way."""
        await self._desk.controller.command(principal(caller), CommandKind.UNFORCE, {"tag": tag})
        return ()

    async def get(self, _caller: Caller, _path: str) -> tuple[str]:
        """`GetForces`."""
        found = await self._desk.controller.query("status")
        rows = [
            row | {"until": datetime.fromtimestamp(row["until_ns"] / 1e9, UTC).isoformat()}
            for row in found.get("forces", ())
        ]
        waiting = [
            {name: value for name, value in asdict(one).items() if name not in {"session", "made_s"}}
            for one in self._desk.forces.waiting()
        ]
        return (json.dumps({"forces": rows, "waiting": waiting}, ensure_ascii=False),)

    async def _force(self, caller: Caller, tag: str, args: dict[str, str | float]) -> None:
        signed = self._desk.signatures.use(caller, Weighty.FORCE)
        if signed:
            await self._desk.note(caller, "sign_force", tag, reason=str(signed["signature"]))
        await self._desk.controller.command(principal(caller), CommandKind.FORCE, args)
