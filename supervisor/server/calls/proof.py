"""Proof tests of interlocks: one person carries them out, another one witnesses and records what they showed."""

import json
from typing import Any

from config.base import Model
from opcua_model.interface import Caller, Refused
from supervisor.link.messages import CommandKind
from supervisor.server.access.policy import Action, Weighty, other_eyes, permit
from supervisor.server.calls.desk import Desk, principal


class Read(Model):
    """What people read in a proof test."""

    trip_value: float | None = None
    response_s: float | None = None


class ProofCalls:
    """The methods `StartProofTest` and its like of `Interlocks/<name>`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def start(self, caller: Caller, path: str, method: str) -> tuple[str]:
        """`StartProofTest`."""
        permit(self._desk.policy, caller, Action.PROOF_TEST)
        self._desk.control.require(caller)
        args = {"name": _last(path), "method": method}
        reply = await self._desk.controller.command(principal(caller), CommandKind.START_PROOF_TEST, args)
        return (str(reply.result["test_id"]),)

    async def record(
        self,
        caller: Caller,
        path: str,
        test_id: str,
        passed: bool,
        as_found: str,
        as_left: str,
        measured: str,
        comment: str,
    ) -> tuple[str]:
        """`RecordProofTest`: by the witness where the policy asks for four eyes, and signed where it asks for that."""
        permit(self._desk.policy, caller, Action.PROOF_TEST)
        name = _last(path)
        try:
            read = Read.model_validate_json(measured or "{}")
        except ValueError as error:
            raise Refused("BadInvalidArgument", f"MeasuredJson: {error}") from error
        tester = await self._tester(name, test_id)
        other_eyes(self._desk.policy, caller, tester, Weighty.PROOF_TEST, f"the record of a proof test of {name}")
        signed = self._desk.signatures.use(caller, Weighty.PROOF_TEST)
        args = {
            "name": name,
            "test_id": test_id,
            "passed": bool(passed),
            "as_found": as_found,
            "as_left": as_left,
            "trip_value": read.trip_value,
            "response_s": read.response_s,
            "comment": comment,
            **signed,
        }
        reply = await self._desk.controller.command(principal(caller), CommandKind.RECORD_PROOF_TEST, args)
        return (json.dumps(reply.result),)

    async def _tester(self, name: str, test_id: str) -> str:
        """Who carries the test out that is under way."""
        test: dict[str, Any] = (await self._desk.controller.query("care")).get("proof_test_under_way") or {}
        if test.get("interlock") != name or test.get("test_id") != test_id:
            raise Refused("BadNotFound", f"no proof test of {name} with this id is under way")
        return str(test["user"])

    async def abort(self, caller: Caller, path: str, reason: str) -> tuple[()]:
        """`AbortProofTest`: back towards normal, so nobody's control stands in the way."""
        args = {"name": _last(path), "reason": reason}
        await self._desk.controller.command(principal(caller), CommandKind.ABORT_PROOF_TEST, args)
        return ()

    async def release(self, caller: Caller, path: str, reason: str) -> tuple[()]:
        """`ReleaseProofTest`."""
        permit(self._desk.policy, caller, Action.PROOF_TEST)
        args = {"name": _last(path), "reason": reason}
        await self._desk.controller.command(principal(caller), CommandKind.RELEASE_PROOF_TEST, args)
        return ()


def _last(path: str) -> str:
    return path.rpartition("/")[2]
