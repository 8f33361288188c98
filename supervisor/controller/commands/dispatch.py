"""Carrying out commands: permission, arguments, what the tool allows now, the scan's own answer; then the journal.

Every command ends as one COMMAND record and one reply. The record is on the disk before the reply is given, except
where waiting could do harm: what leads towards safety is carried out and answered whatever the disk does.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anyio
import structlog

from kernels.tables import Command as Op
from kernels.tables import ConditionClass, ConditionState, Refusal, RunState, TagKind
from supervisor.controller import arguments as arg
from supervisor.controller.commands.replies import Replies
from supervisor.controller.commands.starting import Starter
from supervisor.controller.crew.crew import Crew
from supervisor.controller.crew.mode import permit_change
from supervisor.controller.errors import CommandRefused, ControllerError, JournalUnavailableError
from supervisor.controller.permissions import ENGINEERING_RUN, IMMEDIATE, PROTECTIVE, TAKE_OVER, permit, require
from supervisor.controller.records.recorder import Draft, Recorder
from supervisor.controller.runs.interrupted import Interrupted
from supervisor.controller.runs.life import Runs
from supervisor.controller.scanning.explain import Explainer
from supervisor.controller.scanning.forces import Forced, Forces, check_force
from supervisor.controller.scanning.scanner import END_STATES, Scanner, View
from supervisor.link.messages import Command, CommandKind, EquipmentMode, EventKind, Principal, Reply

log = structlog.get_logger()

DISK_S = 5.0
"""An ordinary command waits so long for its record."""
DISK_PROTECTIVE_S = 0.5
"""One that leads towards safety waits so long at most, and is answered in any case."""

REFUSALS: dict[Refusal, tuple[str, str]] = {
    Refusal.BAD_TARGET: ("BadInvalidArgument", "the scan does not know its target"),
    Refusal.WRONG_STATE: ("BadInvalidState", "the run is not in a state that permits it"),
    Refusal.OUT_OF_LIMITS: ("BadOutOfRange", "the value is outside of its limits"),
    Refusal.CONDITION_ACTIVE: ("BadInvalidState", "an interlock is in force"),
    Refusal.NOT_BYPASSABLE: ("BadNotSupported", "it may never be bypassed"),
    Refusal.NOT_WRITABLE: ("BadNotWritable", "it cannot be written"),
    Refusal.NO_PROGRAM: ("BadInvalidState", "no program is loaded"),
    Refusal.GATED: ("BadInvalidState", "the tool is not armed"),
}
FROM_STATES: dict[CommandKind, frozenset[RunState]] = {
    CommandKind.PAUSE: frozenset({RunState.RUNNING}),
    CommandKind.RESUME: frozenset({RunState.PAUSED}),
    CommandKind.HOLD: frozenset(
        {RunState.RUNNING, RunState.PAUSING, RunState.PAUSED, RunState.RESUMING, RunState.RESTARTING}
    ),
    CommandKind.RESTART: frozenset({RunState.HELD}),
    CommandKind.STOP: frozenset(RunState) - END_STATES - {RunState.STOPPING, RunState.ABORTING},
    CommandKind.ABORT: frozenset(RunState) - END_STATES - {RunState.ABORTING},
}
RUN_OPS: dict[CommandKind, Op] = {
    CommandKind.PAUSE: Op.PAUSE,
    CommandKind.RESUME: Op.RESUME,
    CommandKind.HOLD: Op.HOLD,
    CommandKind.RESTART: Op.RESTART,
    CommandKind.STOP: Op.STOP,
    CommandKind.ABORT: Op.ABORT,
}


@dataclass
class Choices:
    """What people chose and the scan does not know."""

    maintenance: bool = False
    booted: bool = False
    stopping: bool = False
    """The controller ends: nothing new starts."""


class Commands:
    """Carries out commands, one at a time; what is immediate passes all others."""

    def __init__(
        self,
        scanner: Scanner,
        recorder: Recorder,
        runs: Runs,
        starter: Starter,
        choices: Choices,
        forces: Forces,
        crew: Crew,
        mode: Callable[[], EquipmentMode],
    ) -> None:
        self._scanner = scanner
        self._recorder = recorder
        self._runs = runs
        self._starter = starter
        self._choices = choices
        self._forces = forces
        self._crew = crew
        self._mode = mode
        self.interrupted = Interrupted()
        self.replies = Replies()
        self._turn = anyio.Lock()
        self._do: dict[CommandKind, Callable[[Command], Awaitable[dict[str, Any] | None]]] = {
            CommandKind.WRITE: self._write,
            CommandKind.START_RUN: self._start_run,
            CommandKind.START_OPERATION: self._start_operation,
            CommandKind.STOP_OPERATION: self._stop_operation,
            CommandKind.SAFE_SHUTDOWN: self._safe_shutdown,
            CommandKind.RESET_INTERLOCK: self._reset,
            CommandKind.BYPASS: self._bypass,
            CommandKind.REMOVE_BYPASS: self._remove_bypass,
            CommandKind.FORCE: self._force,
            CommandKind.UNFORCE: self._unforce,
            CommandKind.ARM: self._arm,
            CommandKind.DISARM: self._disarm,
            CommandKind.SET_MODE: self._set_mode,
            CommandKind.RECOVER: self._recover,
            CommandKind.LOCK_OUT: self._lock_out,
            CommandKind.REMOVE_LOCK_OUT: self._remove_lock_out,
            CommandKind.TASK_DONE: self._task_done,
            CommandKind.TAKE_CONTROL: self._take_control,
            CommandKind.RELEASE_CONTROL: self._release_control,
            CommandKind.START_PROOF_TEST: self._start_proof_test,
            CommandKind.RECORD_PROOF_TEST: self._record_proof_test,
            CommandKind.ABORT_PROOF_TEST: self._abort_proof_test,
            CommandKind.RELEASE_PROOF_TEST: self._release_proof_test,
            CommandKind.TUNE_LOOP: self._tune_loop,
            CommandKind.RESTORE_LOOP: self._restore_loop,
            **dict.fromkeys(RUN_OPS, self._run_command),
        }

    async def carry_out(self, command: Command) -> Reply:
        """Carry out a command, or return the reply that it was given before. Never raises a refusal."""
        known = await self.replies.known(command.id)
        if known is not None:
            return known
        self.replies.begin(command.id)
        try:
            if command.kind in IMMEDIATE:
                return await self._answer(command)
            async with self._turn:
                return await self._answer(command)
        finally:
            self.replies.end(command.id)

    async def _answer(self, command: Command) -> Reply:
        reply = await self._outcome(command)
        ticket = self._journal(command, reply)
        if command.kind not in IMMEDIATE:
            try:
                await self._recorder.durable(ticket, DISK_PROTECTIVE_S if command.kind in PROTECTIVE else DISK_S)
            except JournalUnavailableError as error:
                reply = self._unrecorded(command, reply, error)
        self.replies.give(reply)
        return reply

    async def _outcome(self, command: Command) -> Reply:
        try:
            permit(command.principal, command.kind)
            self._crew.control.require(command.kind, command.principal)
            self._require_disk(command.kind)
            result = await self._do[command.kind](command)
        except CommandRefused as refusal:
            return Reply(id=command.id, status=refusal.status, reason=str(refusal))
        except ControllerError as error:
            return Reply(id=command.id, status="BadInvalidState", reason=str(error))
        return Reply(id=command.id, result=result or {})

    def _require_disk(self, kind: CommandKind) -> None:
        if self._recorder.trouble is not None and kind not in PROTECTIVE:
            raise CommandRefused("BadResourceUnavailable", self._recorder.trouble)

    @staticmethod
    def _unrecorded(command: Command, reply: Reply, error: JournalUnavailableError) -> Reply:
        if reply.status != "Good":
            return reply
        words = f"it was carried out, but not recorded yet: {error}"
        status = "Good" if command.kind in PROTECTIVE else "BadResourceUnavailable"
        return reply.model_copy(update={"status": status, "reason": words})

    def _journal(self, command: Command, reply: Reply) -> int:
        snapshot = self._scanner.image.snapshot()
        log.info(
            "command", kind=command.kind.value, user=command.principal.user, status=reply.status, reason=reply.reason
        )
        data = {
            "id": str(command.id),
            "principal": command.principal.model_dump(mode="json"),
            "kind": command.kind.value,
            "args": {name: value for name, value in command.args.items() if name not in arg.NOT_JOURNALLED},
            "status": reply.status,
            "reason": reply.reason,
            "result": reply.result,
        }
        return self._recorder.append(Draft(EventKind.COMMAND, data, snapshot.scan, snapshot.time_ns))

    def judge(self, kind: CommandKind, principal: Principal, args: dict[str, Any]) -> None:
        """Refuse what would be refused now, without doing anything; of a start only whether anything may start.

        Raises:
            CommandRefused: with the reason.
        """
        if kind in {CommandKind.START_RUN, CommandKind.START_OPERATION}:
            self._check_start(maintenance=kind is CommandKind.START_OPERATION)
            if kind is CommandKind.START_RUN:
                self.interrupted.require_none()
            return
        read = arg.read_arguments(arg.ARGUMENTS[kind], kind.value, args)
        view = self._scanner.view()
        match read:
            case arg.Write():
                self.check_write(view, principal, read)
            case arg.RunCommand():
                self.check_run_command(view, CommandKind.STOP if kind not in FROM_STATES else kind, read)
            case arg.Bypass():
                self.check_bypass(view, principal, read)
            case arg.Force():
                self.check_force(view, read)
            case arg.Named() if kind is CommandKind.RESET_INTERLOCK:
                index = self._condition(read.name)
                explainer = Explainer(view)
                if view.state(index) & (ConditionState.RAW | ConditionState.ACTIVE) or explainer.reset_waits(index):
                    raise CommandRefused("BadInvalidState", explainer.condition(index))
            case _ if kind is CommandKind.ARM and (
                causes := Explainer(view).in_force(ConditionClass.TRIP) + self._crew.proofs.against_arming()
            ):
                raise CommandRefused("BadInvalidState", f"the tool cannot be armed: {'; '.join(causes)}")
            case _:
                pass

    # ------------------------------------------------------------------------------------------------ the scan
    async def _scan(self, op: Op, target: int = 0, a: float = 0.0, what: str = "") -> None:
        """Give a command to the scan; a refusal is explained."""
        refusal = await self._scanner.command(op, target, a)
        if refusal is not Refusal.NONE:
            raise self.explain(refusal, what or op.name.lower())

    def explain(self, refusal: Refusal, what: str) -> CommandRefused:
        """Turn the scan's refusal into words with causes."""
        status, words = REFUSALS[refusal]
        causes: list[str] = []
        if refusal is Refusal.CONDITION_ACTIVE:
            causes = Explainer(self._scanner.view()).in_force()
        if refusal is Refusal.WRONG_STATE:
            causes = [f"it is {self._scanner.view().run_state.name}"]
        return CommandRefused(status, f"{what}: {words}" + (f": {'; '.join(causes)}" if causes else ""))

    # -------------------------------------------------------------------------------------------------- by hand
    async def _write(self, command: Command) -> None:
        args = arg.read_arguments(arg.Write, "write", command.args)
        view = self._scanner.view()
        self.check_write(view, command.principal, args)
        await self._scan(Op.WRITE, view.layout.index[args.tag], args.value, f"writing {args.tag}")

    def check_write(self, view: View, principal: Principal, args: arg.Write) -> None:
        """Refuse a manual move that is not allowed now."""
        declared = view.tag(args.tag)
        if declared is None:
            raise CommandRefused("BadNotFound", f"there is no tag {args.tag}")
        if declared.role is None or int(view.tables.tags["kind"][view.layout.index[args.tag]]) not in {
            TagKind.SETPOINT,
            TagKind.OUTPUT,
        }:
            raise CommandRefused("BadNotWritable", f"{args.tag} is not moved by hand")
        require(principal, frozenset({declared.role}), f"{args.tag} is not moved by {principal.user or 'anonymous'}")
        if not declared.low <= args.value <= declared.high:
            limits = f"{declared.low:g} … {declared.high:g} {declared.unit}"
            raise CommandRefused("BadOutOfRange", f"{args.tag}: {args.value:g} is outside of its limits {limits}")
        if view.run_state not in END_STATES | {RunState.PAUSED, RunState.HELD} and not self._answers(args.tag):
            raise CommandRefused(
                "BadInvalidState", f"{args.tag} belongs to the run while it is {view.run_state.name}; pause or hold it"
            )
        self._crew.locks.check_write(view, args.tag, args.value)
        explainer = Explainer(view)
        reasons = explainer.output(args.tag) if args.tag in _outputs(view) else []
        if reasons and args.value != declared.safe:
            raise CommandRefused("BadInvalidState", f"{args.tag} cannot be moved: {'; '.join(reasons)}")

    def _answers(self, tag: str) -> bool:
        """Whether the operation that runs waits for people at this set point; a lamp or a horn never belongs to it."""
        tool, active = self._scanner.layout.tool, self._runs.active
        running = active.plan.operation if active is not None else None
        answers = next((one.answers for one in tool.operations if one.name == running), ())
        return tag in answers or tag == tool.care.horn_silenced

    async def _force(self, command: Command) -> None:
        args = arg.read_arguments(arg.Force, "force", command.args)
        if args.requested_by == command.principal.user:
            raise CommandRefused(
                "BadUserAccessDenied", f"{args.requested_by} asked for this force: another person must confirm it"
            )
        view = self._scanner.view()
        self.check_force(view, args)
        await self._scan(Op.FORCE, view.layout.index[args.tag], args.value, f"forcing {args.tag}")
        until = self._scanner.scan.index + self._scanner.scans(args.duration_s)
        until_ns = view.snapshot.time_ns + round(args.duration_s * 1e9)
        self._forces.present[args.tag] = Forced(
            args.tag, args.value, args.reason, command.principal.user, until, args.requested_by, until_ns,
            tuple(command.principal.roles),
        )  # fmt: skip

    def check_force(self, view: View, args: arg.Force) -> None:
        """Refuse a force outside of Maintenance, or one that would reduce protection."""
        if self._mode() is not EquipmentMode.MAINTENANCE:
            raise CommandRefused("BadInvalidState", f"tags are forced in mode Maintenance only; it is {self._mode()}")
        self._crew.proofs.refuse(self._crew.proofs.busy(), f"{args.tag} is not forced")
        check_force(view, args)

    async def _unforce(self, command: Command) -> None:
        args = arg.read_arguments(arg.Tagged, "unforce", command.args)
        index = self._scanner.layout.index.get(args.tag)
        if index is None:
            raise CommandRefused("BadNotFound", f"there is no tag {args.tag}")
        await self._scan(Op.UNFORCE, index, what=f"releasing {args.tag}")
        self._forces.present.pop(args.tag, None)

    # ------------------------------------------------------------------------------------------------------ runs
    async def _start_run(self, command: Command) -> dict[str, Any]:
        args = arg.read_arguments(arg.StartRun, "start run", command.args)
        if args.engineering:
            needed = frozenset({ENGINEERING_RUN})
            require(command.principal, needed, "an engineering run is not allowed to " + command.principal.user)
        self._check_start(maintenance=False)
        self.interrupted.require_none()
        return await self._starter.start_recipe(command.principal, args)

    async def _start_operation(self, command: Command) -> dict[str, Any]:
        args = arg.read_arguments(arg.StartOperation, "start operation", command.args)
        self._check_start(maintenance=True)
        return await self._starter.start_operation(command.principal, args)

    async def _recover(self, command: Command) -> dict[str, Any]:
        """Decide about a run that a crash has interrupted."""
        args = arg.read_arguments(arg.Recover, "recover", command.args)
        self.interrupted.require(args.run_id)
        result: dict[str, Any] = {}
        if args.choice == "resume":
            start, continued = self.interrupted.resumption(args)
            if start.engineering:
                whom = f"an engineering run is not resumed by {command.principal.user}"
                require(command.principal, frozenset({ENGINEERING_RUN}), whom)
            self._check_start(maintenance=False)
            result = await self._starter.continue_recipe(command.principal, start, continued)
        elif args.choice == "abort":
            result = await self.make_safe()
        self.interrupted.pending = None
        return result

    def _check_start(self, *, maintenance: bool) -> None:
        """Refuse a start that cannot work, before anything is prepared."""
        view, mode = self._scanner.view(), self._mode()
        if self._choices.stopping:
            raise CommandRefused("BadInvalidState", "the controller is being shut down: nothing new starts")
        if view.run_state not in END_STATES:
            active = self._runs.active
            name = active.plan.run_number if active else "the safe sequence"
            raise CommandRefused("BadInvalidState", f"{name} is {view.run_state.name}: one run at a time")
        reasons = Explainer(view).in_force(ConditionClass.TRIP, ConditionClass.HOLD)
        if reasons:
            raise CommandRefused(
                "BadInvalidState", f"nothing starts while interlocks are in force: {'; '.join(reasons)}"
            )
        if mode is EquipmentMode.INIT or (mode is EquipmentMode.MAINTENANCE and not maintenance):
            raise CommandRefused("BadInvalidState", f"recipes do not run in mode {mode}")
        if self._forces.present and not maintenance:
            names = ", ".join(self._forces.present)
            raise CommandRefused("BadInvalidState", f"recipes do not run with forced tags: {names}")

    async def _run_command(self, command: Command) -> None:
        args = arg.read_arguments(arg.RunCommand, command.kind.value, command.args)
        if command.kind is CommandKind.ABORT:
            # A run that is being prepared does not start any more, and nobody waits to find out whether it was one.
            preparing = self._starter.cancel(args.run_id)
            if preparing is not None:
                if preparing.launched:
                    await self._scan(Op.ABORT, what="abort")
                return
        self.check_run_command(self._scanner.view(), command.kind, args)
        await self._scan(RUN_OPS[command.kind], what=command.kind.value)

    def check_run_command(self, view: View, kind: CommandKind, args: arg.RunCommand) -> None:
        """Refuse what is not for the active run, or not for its state."""
        active = self._runs.active
        if args.run_id is not None and (active is None or active.plan.run_id != args.run_id):
            raise CommandRefused("BadNotFound", f"the run {args.run_id} is not the active one")
        if kind is CommandKind.ABORT and active is None:
            return
        if view.run_state not in FROM_STATES[kind]:
            wanted = ", ".join(sorted(state.name for state in FROM_STATES[kind]))
            raise CommandRefused(
                "BadInvalidState", f"{kind.value}: the run is {view.run_state.name}; it must be one of {wanted}"
            )
        if kind is CommandKind.RESTART and (reasons := Explainer(view).in_force()):
            raise CommandRefused("BadInvalidState", f"restart: interlocks are in force: {'; '.join(reasons)}")

    async def _stop_operation(self, command: Command) -> None:
        args = arg.read_arguments(arg.RunCommand, "stop operation", command.args)
        active = self._runs.active
        if active is None or active.plan.kind != "operation":
            raise CommandRefused("BadInvalidState", "no service operation is running")
        self.check_run_command(self._scanner.view(), CommandKind.STOP, args)
        await self._scan(Op.STOP, what="stop operation")

    async def _safe_shutdown(self, _command: Command) -> dict[str, Any]:
        return await self.make_safe()

    async def make_safe(self) -> dict[str, Any]:
        """Start the safe sequence from whatever state, unless it runs already. Never refused, waits for no disk."""
        self._starter.cancel(None)
        self._crew.proofs.drop("the tool is made safe")
        state = self._scanner.view().run_state
        if state is RunState.ABORTING:
            return {"state": state.name}
        if state is RunState.ABORTED:
            self._scanner.fire(Op.CLEAR)
        refusal = await self._scanner.command(Op.ABORT)
        if refusal is Refusal.WRONG_STATE:  # A trip was faster.
            return {"state": self._scanner.view().run_state.name}
        return {"state": RunState.ABORTING.name}

    # ------------------------------------------------------------------------------------------------ interlocks
    def _condition(self, name: str) -> int:
        index = self._scanner.layout.condition_index.get(name)
        if index is None:
            raise CommandRefused("BadNotFound", f"there is no interlock or alarm {name}")
        return index

    async def _reset(self, command: Command) -> None:
        args = arg.read_arguments(arg.Named, "reset", command.args)
        index = self._condition(args.name)
        refusal = await self._scanner.command(Op.RESET, index)
        if refusal is not Refusal.NONE:
            reason = Explainer(self._scanner.view()).condition(index)
            raise CommandRefused(REFUSALS[refusal][0], f"{args.name} cannot be reset yet: {reason}")

    async def _bypass(self, command: Command) -> None:
        args = arg.read_arguments(arg.Bypass, "bypass", command.args)
        index = self._condition(args.name)
        self.check_bypass(self._scanner.view(), command.principal, args)
        await self._scan(Op.BYPASS, index, self._scanner.scans(args.duration_s), f"bypassing {args.name}")

    def check_bypass(self, view: View, principal: Principal, args: arg.Bypass) -> None:
        """Refuse a bypass that may not be, is too long, or that one person alone wants."""
        index = self._condition(args.name)
        self._crew.proofs.refuse(self._crew.proofs.busy(), f"{args.name} is not bypassed")
        if not view.bypassable(index):
            raise CommandRefused("BadNotSupported", f"{args.name} may never be bypassed")
        if args.requested_by == principal.user:
            raise CommandRefused(
                "BadUserAccessDenied", f"{args.requested_by} asked for this bypass: another person must confirm it"
            )
        longest_s = int(view.tables.conditions["max_bypass"][index]) * view.tables.period_s
        if args.duration_s > longest_s:
            raise CommandRefused(
                "BadOutOfRange", f"{args.name} may be bypassed for {longest_s:g} s at most, not {args.duration_s:g} s"
            )
        conditions, most = view.layout.conditions, view.layout.tool.most_bypasses
        others = [row.name for one, row in enumerate(conditions) if one != index and view.bypass_left(one) > 0]
        if len(others) >= most:
            raise CommandRefused(
                "BadInvalidState", f"{', '.join(others)} is bypassed: no more than {most} at the same time"
            )

    async def _remove_bypass(self, command: Command) -> None:
        args = arg.read_arguments(arg.Named, "remove bypass", command.args)
        await self._scan(Op.UNBYPASS, self._condition(args.name), what=f"removing the bypass of {args.name}")

    # ------------------------------------------------------------------------------------------------------ mode
    async def _arm(self, command: Command) -> None:
        arg.read_arguments(arg.Nothing, "arm", command.args)
        await self._starter.arm()

    async def _disarm(self, command: Command) -> None:
        arg.read_arguments(arg.Nothing, "disarm", command.args)
        await self._scan(Op.DISARM)

    async def _set_mode(self, command: Command) -> None:
        args = arg.read_arguments(arg.SetMode, "set mode", command.args)
        view = self._scanner.view()
        if view.run_state not in END_STATES:
            raise CommandRefused("BadInvalidState", f"the mode is not changed while a run is {view.run_state.name}")
        self._crew.proofs.refuse(self._crew.proofs.busy(), "the mode is not changed")
        permit_change(view, command.principal, self._mode(), args.mode)
        if args.mode is EquipmentMode.READY:
            self._crew.locks.refuse_any("Ready is not chosen while a module is locked out")
            await self._starter.arm()
        else:
            await self._scan(Op.DISARM)
        if args.mode is not EquipmentMode.MAINTENANCE:
            await self.release_forces()
        self._choices.maintenance = args.mode is EquipmentMode.MAINTENANCE

    # ------------------------------------------------------------------------------------------------------ crew
    async def _lock_out(self, command: Command) -> None:
        args = arg.read_arguments(arg.LockOut, "lock out", command.args)
        view = self._scanner.view()
        if view.run_state not in END_STATES:
            raise CommandRefused("BadInvalidState", f"nothing is locked out while a run is {view.run_state.name}")
        self._crew.locks.put_on(command.principal, args.module, args.reason, view.snapshot.time_ns)
        for tag, value in self._crew.locks.rest(args.module):
            await self._scan(Op.WRITE, view.layout.index[tag], value, f"bringing {tag} to rest")
        await self._crew.memory.keep()

    async def _remove_lock_out(self, command: Command) -> None:
        args = arg.read_arguments(arg.RemoveLockOut, "remove lock-out", command.args)
        self._crew.locks.take_off(command.principal, args.module, args.reason)
        await self._crew.memory.keep()

    async def _task_done(self, command: Command) -> None:
        args = arg.read_arguments(arg.TaskDone, "task done", command.args)
        self._crew.did(command.principal, args.name, args.comment, self._scanner.view().snapshot.time_ns)
        await self._crew.memory.keep()

    # ------------------------------------------------------------------------------------------------ proof tests
    async def _start_proof_test(self, command: Command) -> dict[str, Any]:
        args = arg.read_arguments(arg.StartProofTest, "start proof test", command.args)
        return await self._crew.proofs.start(self._scanner.view(), self._mode(), command.principal, args)

    async def _record_proof_test(self, command: Command) -> dict[str, Any]:
        args = arg.read_arguments(arg.RecordProofTest, "record proof test", command.args)
        return await self._crew.proofs.record(self._scanner.view(), command.principal, args)

    async def _abort_proof_test(self, command: Command) -> None:
        args = arg.read_arguments(arg.Reasoned, "abort proof test", command.args)
        await self._crew.proofs.abort(command.principal, args)

    async def _release_proof_test(self, command: Command) -> None:
        args = arg.read_arguments(arg.Reasoned, "release proof test", command.args)
        await self._crew.proofs.release(command.principal, args)

    # ------------------------------------------------------------------------------------------------------ loops
    async def _tune_loop(self, command: Command) -> dict[str, Any]:
        args = arg.read_arguments(arg.TuneLoop, "tune loop", command.args)
        return await self._tuned(await self._crew.tunings.approve(self._scanner.view(), command.principal, args))

    async def _restore_loop(self, command: Command) -> dict[str, Any]:
        args = arg.read_arguments(arg.Reasoned, "restore loop", command.args)
        return await self._tuned(await self._crew.tunings.restore(self._scanner.view(), command.principal, args))

    async def _tuned(self, told: dict[str, Any]) -> dict[str, Any]:
        await self._crew.memory.keep()
        snapshot = self._scanner.image.snapshot()
        self._recorder.append(Draft(EventKind.TUNED, told, snapshot.scan, snapshot.time_ns))
        return {"version": told["version"], "kp": told["kp"], "ti_s": told["ti_s"]}

    async def _take_control(self, command: Command) -> dict[str, Any]:
        args = arg.read_arguments(arg.TakeControl, "take control", command.args)
        if args.reason:
            whom = f"the control is not taken over by {command.principal.user}"
            require(command.principal, TAKE_OVER, whom)
        now_ns = self._scanner.view().snapshot.time_ns
        self._crew.control.take(command.principal, args.reason, args.timeout_s, now_ns)
        await self._crew.memory.keep()
        return {"control": self._crew.control.words()}

    async def _release_control(self, command: Command) -> None:
        arg.read_arguments(arg.Nothing, "release control", command.args)
        self._crew.control.release(command.principal)
        await self._crew.memory.keep()

    async def release_forces(self) -> None:
        """Take all forces away: they belong to Maintenance."""
        for tag in list(self._forces.present):
            await self._scan(Op.UNFORCE, self._scanner.layout.index[tag])
            del self._forces.present[tag]


def _outputs(view: View) -> frozenset[str]:
    kinds = view.tables.tags["kind"]
    return frozenset(name for name in view.layout.declared if int(kinds[view.layout.index[name]]) == TagKind.OUTPUT)
