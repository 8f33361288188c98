"""The methods of `State`, `Services` and `Interlocks`."""

import json
from dataclasses import asdict
from datetime import datetime

from config.base import Model
from opcua_model.interface import Caller, Refused
from supervisor.link.messages import CommandKind, EquipmentMode
from supervisor.link.token import Owner
from supervisor.server.access.policy import Action, Weighty, permit
from supervisor.server.calls.desk import Desk, principal
from supervisor.server.calls.runs import ns_of
from supervisor.server.notify.table import Language
from supervisor.server.records import shiftlog
from supervisor.server.texts import Texts

LONGEST_NOTE = 2000


class ShiftWish(Model):
    """In which words and units a shift log is wanted."""

    language: Language | None = None
    units: dict[str, str] | None = None


class ToolCalls:
    """Carries them out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def take_control(self, caller: Caller, _path: str) -> tuple[()]:
        """`TakeControl`."""
        permit(self._desk.policy, caller, Action.CONTROL)
        before, owner = await self._control(caller, None)
        await self._desk.note(caller, "take_control", "State", reason=_instead(before, owner))
        return ()

    async def _control(self, caller: Caller, reason: str | None) -> tuple[Owner | None, Owner]:
        """Judge here, let the controller judge and keep it; return who held it and who does."""
        control = self._desk.control
        before = control.owner
        control.may_take(caller, reason)
        if self._desk.policy.ownership:
            args = {"reason": (reason or "").strip(), "timeout_s": control.timeout_s}
            await self._desk.controller.command(principal(caller), CommandKind.TAKE_CONTROL, args)
        return before, control.give(caller)

    async def take_over_control(self, caller: Caller, _path: str, reason: str) -> tuple[()]:
        """`TakeOverControl`."""
        permit(self._desk.policy, caller, Action.MODE)
        before, owner = await self._control(caller, reason)
        await self._desk.note(caller, "take_over_control", "State", reason=f"{reason}{_instead(before, owner)}")
        return ()

    async def set_mode(self, caller: Caller, _path: str, mode: str) -> tuple[()]:
        """`SetMode`: the controller knows who may choose what, from where and when."""
        permit(self._desk.policy, caller, Action.SERVICE)
        self._desk.control.require(caller)
        if mode not in set(EquipmentMode):
            raise Refused("BadInvalidArgument", f"there is no mode {mode!r}; there are {', '.join(EquipmentMode)}")
        await self._desk.controller.command(principal(caller), CommandKind.SET_MODE, {"mode": mode})
        return ()

    async def lock_out(self, caller: Caller, _path: str, module: str, reason: str) -> tuple[()]:
        """`LockOut`: towards safety, so nobody's control stands in the way."""
        permit(self._desk.policy, caller, Action.MODE)
        args = {"module": module, "reason": reason}
        await self._desk.controller.command(principal(caller), CommandKind.LOCK_OUT, args)
        return ()

    async def remove_lock_out(self, caller: Caller, _path: str, module: str, reason: str) -> tuple[()]:
        """`RemoveLockOut`."""
        permit(self._desk.policy, caller, Action.MODE)
        args = {"module": module, "reason": reason}
        await self._desk.controller.command(principal(caller), CommandKind.REMOVE_LOCK_OUT, args)
        return ()

    async def get_owners(self, _caller: Caller, _path: str) -> tuple[str]:
        """`GetOwners`."""
        found = await self._desk.controller.query("status")
        return (json.dumps(found.get("owners", {}), ensure_ascii=False),)

    async def care_report(self, _caller: Caller, _path: str) -> tuple[str]:
        """`Care/GetReport`."""
        return (json.dumps(await self._desk.controller.query("care"), ensure_ascii=False),)

    async def task_done(self, caller: Caller, _path: str, task: str, comment: str) -> tuple[()]:
        """`Care/TaskDone`."""
        permit(self._desk.policy, caller, Action.MODE)
        args = {"name": task, "comment": comment}
        await self._desk.controller.command(principal(caller), CommandKind.TASK_DONE, args)
        return ()

    async def add_note(self, caller: Caller, _path: str, text: str) -> tuple[()]:
        """`Care/AddNote`."""
        permit(self._desk.policy, caller, Action.SERVICE)
        if not 0 < len(text.strip()) <= LONGEST_NOTE:
            raise Refused("BadInvalidArgument", f"a note has 1 to {LONGEST_NOTE} characters")
        await self._desk.note(caller, "shift_note", "Care", reason=text.strip())
        return ()

    async def shift_log(self, _caller: Caller, _path: str, begin: datetime, end: datetime, wish: str) -> tuple[str]:
        """`Care/GetShiftLog`."""
        desk = self._desk
        try:
            wanted = ShiftWish.model_validate_json(wish or "{}")
        except ValueError as error:
            raise Refused("BadInvalidArgument", f"WishJson: {error}") from error
        language = wanted.language or desk.display.language
        units = desk.display.units if wanted.units is None else wanted.units
        await desk.projector.caught_up()
        conditions = {one.name: one for one in desk.layout.conditions}
        found = await desk.store.read(
            lambda connection: shiftlog.lines(
                connection, conditions, ns_of(begin), ns_of(end), Texts.of(language), units
            )
        )
        return (json.dumps([asdict(line) for line in found], ensure_ascii=False),)

    async def release_control(self, caller: Caller, _path: str) -> tuple[()]:
        """`ReleaseControl`."""
        self._desk.control.may_release(caller)
        if self._desk.policy.ownership:
            await self._desk.controller.command(principal(caller), CommandKind.RELEASE_CONTROL, {})
        self._desk.control.closed(caller.session)
        await self._desk.note(caller, "release_control", "State")
        return ()

    async def safe_shutdown(self, caller: Caller, _path: str) -> tuple[()]:
        """`SafeShutdown`: any authenticated session, in any mode, never queued."""
        if not caller.user:
            raise Refused("BadUserAccessDenied", "log in for a safe shutdown; the EMO needs no login")
        await self._desk.controller.command(principal(caller), CommandKind.SAFE_SHUTDOWN, {})
        return ()

    async def calibrate(self, caller: Caller, _path: str, kind: str) -> tuple[str]:
        """`Calibrate`: an operation of the tool whose name begins with `calibrate`."""
        permit(self._desk.policy, caller, Action.CALIBRATE)
        known = [row.name for row in self._desk.layout.tool.operations if row.name.startswith("calibrate")]
        name = kind if kind.startswith("calibrate") else f"calibrate_{kind}"
        if name not in known:
            raise Refused("BadNotFound", f"the tool has no calibration {kind!r}; it has {', '.join(known) or 'none'}")
        run_id, number = await self._operate(caller, name)
        return (json.dumps({"run_id": run_id, "run_number": number, "operation": name}),)

    async def check_interlocks(self, _caller: Caller, _path: str) -> tuple[bool, str]:
        """`CheckInterlocks`."""
        found = await self._desk.controller.query("check_interlocks")
        return bool(found.get("all_clear")), json.dumps(found, ensure_ascii=False)

    async def why_not(self, _caller: Caller, _path: str, target: str) -> tuple[bool, list[str]]:
        """`WhyNot`."""
        found = await self._desk.controller.query("why", {"target": target})
        return bool(found["held"]), [str(line) for line in found["chain"]]

    async def start_service(self, caller: Caller, _path: str, name: str) -> tuple[()]:
        """`Services/Start`."""
        permit(self._desk.policy, caller, Action.SERVICE)
        known = [row.name for row in self._desk.layout.tool.operations]
        if name not in known:
            raise Refused("BadNotFound", f"the tool has no operation {name!r}; it has {', '.join(known) or 'none'}")
        await self._operate(caller, name)
        return ()

    async def _operate(self, caller: Caller, name: str) -> tuple[str, str]:
        desk = self._desk
        desk.control.require(caller)
        run_id, number = await desk.deed(
            caller,
            "create_operation",
            lambda connection: desk.new_run(connection, caller, "operation", metadata={"operation": name}),
            lambda made: f"run {made[1]}",
            operation=name,
        )
        args = {"name": name, "run_id": run_id, "run_number": number}
        try:
            await desk.controller.command(principal(caller), CommandKind.START_OPERATION, args)
        except Refused as refusal:
            words = refusal.reason
            await desk.store.write(
                lambda connection: (
                    connection.execute(
                        "UPDATE runs SET status = 'REFUSED', error_message = ? WHERE id = ? AND start_ns IS NULL",
                        [words, run_id],
                    )
                    and None
                )
            )
            raise
        return run_id, number

    async def stop_service(self, caller: Caller, _path: str) -> tuple[()]:
        """`Services/Stop`."""
        permit(self._desk.policy, caller, Action.SERVICE)
        active = self._desk.active
        if active.ended or active.kind != "operation":
            raise Refused("BadInvalidState", "no service operation runs by itself")
        await self._desk.controller.command(principal(caller), CommandKind.STOP_OPERATION, {"run_id": active.run_id})
        return ()

    async def reset(self, caller: Caller, path: str) -> tuple[()]:
        """`Interlocks/<name>/Reset`."""
        permit(self._desk.policy, caller, Action.RESET)
        self._desk.control.require(caller)
        await self._desk.controller.command(principal(caller), CommandKind.RESET_INTERLOCK, {"name": _last(path)})
        return ()

    async def request_bypass(self, caller: Caller, path: str, reason: str, duration_s: float) -> tuple[str]:
        """`RequestBypass`."""
        permit(self._desk.policy, caller, Action.BYPASS)
        made = self._desk.bypasses.request(caller, _last(path), reason, duration_s)
        await self._desk.note(caller, "request_bypass", path, reason=f"{reason} ({duration_s:g} s)")
        return (made.id,)

    async def confirm_bypass(self, caller: Caller, path: str, request_id: str) -> tuple[()]:
        """`ConfirmBypass`."""
        permit(self._desk.policy, caller, Action.BYPASS)
        self._desk.bypasses.find(caller, _last(path), request_id)
        signed = self._desk.signatures.use(caller, Weighty.BYPASS)
        found = self._desk.bypasses.confirm(caller, _last(path), request_id)
        if signed:
            await self._desk.note(caller, "sign_bypass", path, reason=f"{signed['signature']} for {request_id}")
        await self._desk.controller.command(
            principal(caller),
            CommandKind.BYPASS,
            {
                "name": found.interlock,
                "reason": found.reason,
                "duration_s": found.duration_s,
                "requested_by": found.user,
            },
        )
        return ()

    async def remove_bypass(self, caller: Caller, path: str) -> tuple[()]:
        """`RemoveBypass`: back towards protection, so nobody's control stands in the way."""
        await self._desk.controller.command(principal(caller), CommandKind.REMOVE_BYPASS, {"name": _last(path)})
        return ()


def _instead(before: Owner | None, now: Owner) -> str:
    return "" if before is None or before.session == now.session else f" (from {before.user}, {before.place})"


def _last(path: str) -> str:
    return path.rpartition("/")[2]
