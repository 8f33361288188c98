"""Gains of loops from tests: one engineer proposes what the record of a test tells, another one lets it act."""

import json
from typing import Any

from config.regulation.tuning import RULES
from opcua_model.interface import Caller, Refused
from supervisor.link.messages import CommandKind
from supervisor.server.access.policy import Action, Weighty, other_eyes, permit
from supervisor.server.calls.desk import Desk, principal
from supervisor.server.records import tunings


class TuningCalls:
    """The methods of `Loops`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def propose(
        self, caller: Caller, _path: str, run_id: str, loop: str, method: str, closed_loop_s: float
    ) -> tuple[str, str]:
        """`ProposeGains`: what a relay or step test tells; nothing is changed by it."""
        desk = self._desk
        permit(desk.policy, caller, Action.TUNE)
        declared = {one.name: one for one in desk.layout.tool.loops}
        if loop not in declared:
            raise Refused("BadNotFound", f"there is no loop {loop}; there are: {', '.join(declared) or 'none'}")
        if method not in RULES:
            raise Refused("BadInvalidArgument", f"there is no method {method!r}; there are {', '.join(RULES)}")
        if not 0.0 <= closed_loop_s < float("inf"):
            raise Refused("BadInvalidArgument", "ClosedLoopS is a time in s, or 0 for the tight rule")
        await desk.projector.caught_up()
        run_number, proposal = await desk.store.read(
            lambda connection: tunings.tell(
                connection, desk.data, declared[loop], run_id, method, closed_loop_s or None
            )
        )
        number = await desk.deed(
            caller, "propose_gains", lambda connection: tunings.add(connection, proposal, run_number, caller.user), str,
            loop=loop, run_number=run_number, **{name: getattr(proposal, name) for name in ("method", "kp", "ti_s")},
        )  # fmt: skip
        return number, json.dumps(proposal.to_json(), ensure_ascii=False)

    async def approve(self, caller: Caller, _path: str, number: str, comment: str) -> tuple[str]:
        """`ApproveGains`: by another person where the policy asks for four eyes; the controller puts them in force."""
        desk = self._desk
        permit(desk.policy, caller, Action.TUNE)
        found = await desk.store.read(lambda connection: tunings.open_proposal(connection, number))
        other_eyes(desk.policy, caller, found["proposed_by"], Weighty.TUNING, f"the tuning of loop {found['loop']}")
        signed = desk.signatures.use(caller, Weighty.TUNING)
        args: dict[str, Any] = {name: value for name, value in found.items() if name != "status"}
        args |= {"proposal_id": number, "comment": comment, **signed}
        reply = await desk.controller.command(principal(caller), CommandKind.TUNE_LOOP, args)
        return (json.dumps(reply.result),)

    async def reject(self, caller: Caller, _path: str, number: str, comment: str) -> tuple[()]:
        """`RejectGains`."""
        permit(self._desk.policy, caller, Action.TUNE)
        await self._desk.deed(
            caller,
            "reject_gains",
            lambda connection: tunings.reject(connection, number, caller.user, comment),
            lambda _nothing: number,
            comment=comment,
        )
        return ()

    async def restore(self, caller: Caller, _path: str, loop: str, reason: str) -> tuple[()]:
        """`RestoreGains`: back to what the tool file says, so one person suffices."""
        permit(self._desk.policy, caller, Action.CALIBRATE)
        args = {"name": loop, "reason": reason}
        await self._desk.controller.command(principal(caller), CommandKind.RESTORE_LOOP, args)
        return ()

    async def list(self, _caller: Caller, _path: str, loop: str, skip: int, limit: int) -> tuple[str]:
        """`ListGains`."""
        await self._desk.projector.caught_up()
        found = await self._desk.store.read(lambda connection: tunings.listing(connection, loop, skip, limit))
        return (json.dumps(found, ensure_ascii=False, default=str),)

    async def get(self, _caller: Caller, _path: str) -> tuple[str]:
        """`GetGains`."""
        report = await self._desk.controller.query("care")
        return (json.dumps(report.get("loops", {}), ensure_ascii=False),)
