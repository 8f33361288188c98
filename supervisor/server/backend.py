"""The daemon as the address space sees it: values, variables, calls, history, logins."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import anyio
import numpy as np
import structlog
from numpy.typing import NDArray

from config.layout import Layout
from kernels.image import Image, Rows, Snapshot
from kernels.tables import CONDITION_STATE, RunState, SystemTag
from opcua_model.conditions.state import AlarmState
from opcua_model.interface import AuditEntry, Caller, Entry, PastEvent, Refused, Summary
from supervisor.link.messages import CommandKind, EquipmentMode
from supervisor.server.access.attempts import Attempts
from supervisor.server.access.policy import Action, permit
from supervisor.server.access.users import UserStore
from supervisor.server.alarms.surroundings import Surroundings
from supervisor.server.calls import shown
from supervisor.server.calls.alarms import AlarmCalls
from supervisor.server.calls.desk import Desk, principal
from supervisor.server.calls.forcing import ForceCalls
from supervisor.server.calls.proof import ProofCalls
from supervisor.server.calls.queue import QueueCalls
from supervisor.server.calls.reasons import Reasons
from supervisor.server.calls.recipes import RecipeCalls
from supervisor.server.calls.recovery import RecoveryCalls
from supervisor.server.calls.recovery import shown as recovery_variables
from supervisor.server.calls.runs import RunCalls
from supervisor.server.calls.spc import SpcCalls
from supervisor.server.calls.tool import ToolCalls
from supervisor.server.calls.tuning import TuningCalls
from supervisor.server.controller import RefusedByController
from supervisor.server.errors import StoreError, UsersError
from supervisor.server.historian import query, summary
from supervisor.server.projection.crew import crew_variables
from supervisor.server.projection.diagnostics import time_sync, timing_variables
from supervisor.server.projection.links import link_variables, owner_variables
from supervisor.server.projection.liveness import Liveness
from supervisor.server.records.past_events import past_events
from supervisor.server.store.rows import Connection
from supervisor.server.texts import Texts

log = structlog.get_logger()

Call = Callable[..., Awaitable[Sequence[Any]]]
T = TypeVar("T")
E10 = {
    EquipmentMode.PROCESSING: "Productive",
    EquipmentMode.READY: "Standby",
    EquipmentMode.STANDBY: "Standby",
    EquipmentMode.MAINTENANCE: "Scheduled Downtime",
    EquipmentMode.FAULT: "Unscheduled Downtime",
    EquipmentMode.INIT: "Unscheduled Downtime",
}
"""SEMI E10's states by mode; an engineering run is its Engineering."""
READ_ONLY = frozenset({
    "GetRecipe", "ListRecipes", "ValidateRecipe", "DiffRecipes", "ListProcessModes", "GetRun", "ListRuns",
    "GetTelemetry", "GetTelemetryPart", "GetResults", "ListQueue", "GetMaterial", "CheckInterlocks", "GetOwners",
    "GetForces", "WhyNot", "GetReport", "GetShiftLog", "GetSlotMap", "ListSeries", "GetPoints",
})  # fmt: skip
"""Refusals of these are not worth an entry in the audit trail."""
LOGINS = 2
"""Passwords judged at once: each costs 32 MB and a core."""


class DaemonBackend:
    """Implements `opcua_model.interface.Backend`."""

    def __init__(self, desk: Desk, image: Image, liveness: Liveness, users: UserStore) -> None:
        self._desk = desk
        self._image = image
        self._liveness = liveness
        self._users = users
        self._attempts = Attempts()
        self._logins = anyio.CapacityLimiter(LOGINS)
        self._sessions: dict[str, str] = {}
        self.runs = RunCalls(desk)
        self._texts = Texts.of(desk.display.language)
        self.reasons = Reasons(desk.controller, desk.layout, self.values, self.words)
        self.free_bytes = 0
        self._calls = {**_table(desk, self.runs), ("State", "Sign"): self._sign}

    @property
    def layout(self) -> Layout:
        """Tags and conditions of the tool."""
        return self._desk.layout

    def values(self) -> Snapshot:
        """Copy all tags; when the controller is gone every status is Bad."""
        return self._liveness.values(len(self.layout.tags), CONDITION_STATE, len(self.layout.conditions))

    def rows(self, after: int) -> Rows:
        """Copy rows of the scan from row number `after` on; a number beyond all: where the next stands."""
        return self._image.flight(after)

    def variables(self) -> dict[str, Any]:
        """Return everything below State, Runs/ActiveRun, Services and Diagnostics by path, and why conditions stand."""
        desk, owner = self._desk, self._desk.control.owner
        row, alive = self._liveness.snapshot(), self._liveness.alive
        # Before the first scan of all there is nothing but NaN.
        system = np.nan_to_num(row.values[: len(SystemTag)]) if row is not None else np.zeros(len(SystemTag))
        scan = self.layout.tool.scan
        mode = self.mode()
        figures = desk.historian.figures
        elapsed = float(system[SystemTag.RUN_ELAPSED_S])
        return {
            "State/Mode": mode.value,
            "State/E10State": self.equipment_state()[0],
            **desk.times.variables(),
            "State/ControlOwner": owner.user if owner else "",
            "State/ControlLocation": owner.place.capitalize() if owner else "",
            "State/ControlTimeLeftS": round(desk.control.left_s(), 1),
            "State/DisplayLanguage": desk.display.language,
            "State/DisplayUnits": json.dumps(desk.display.units, ensure_ascii=False),
            **crew_variables(desk.controller.status),
            **owner_variables(self.layout, desk.controller.status),
            **link_variables(self.layout, row if alive else None),
            "State/Armed": bool(system[SystemTag.ARMED]),
            **desk.active.variables(
                float(system[SystemTag.STEP_ELAPSED_S]), elapsed, RunState(int(system[SystemTag.RUN_STATE]))
            ),
            **recovery_variables(desk.controller.status),
            **self.reasons.shown,
            **timing_variables(self._image.timing() if alive else None, scan.period_ms / 1000),
            "Diagnostics/ControllerAlive": alive,
            "Diagnostics/InterlocksTripped": int(system[SystemTag.TRIPPED]),
            "Diagnostics/InterlocksLatched": int(system[SystemTag.LATCHED]),
            "Diagnostics/InterlocksBypassed": int(system[SystemTag.BYPASSED]),
            **desk.alarms.variables(),
            "Diagnostics/HistorianLagS": figures.lag_s,
            "Diagnostics/HistorianRows": figures.rows,
            "Diagnostics/HistorianLostRows": figures.lost,
            "Diagnostics/HistorianFailure": figures.failure or desk.projector.failure,
            "Diagnostics/FreeSpaceMb": self.free_bytes // 1_000_000,
            "Diagnostics/TimeSync": time_sync(),
            "Diagnostics/Sessions": len(self._sessions),
        }

    def alarms(self) -> Mapping[str, AlarmState]:
        """Return the states of all alarms by name."""
        return self._desk.alarms.states

    def surroundings(self) -> Surroundings:
        """Return what the tool is doing, as far as it matters to its alarms."""
        active = self._desk.active
        return Surroundings(
            layout=self.layout,
            mode=self.mode().value,
            step=active.step_name if not active.ended else "",
            running=not active.ended,
            snapshot=self._liveness.snapshot() if self._liveness.alive else None,
            settled=self._desk.projector.settled,
        )

    def equipment_state(self) -> tuple[str, str]:
        """State of SEMI E10 and mode at this moment."""
        mode, active = self.mode(), self._desk.active
        engineering = mode is EquipmentMode.PROCESSING and active.engineering and not active.ended
        return ("Engineering" if engineering else E10[mode]), mode.value

    def mode(self) -> EquipmentMode:
        """Mode of the equipment as the controller says it."""
        if not self._liveness.alive:
            return EquipmentMode.FAULT
        try:
            return EquipmentMode(str(self._desk.controller.status.get("mode", "Init")))
        except ValueError:
            return EquipmentMode.INIT

    async def authenticate(self, user: str, password: str, peer: str) -> frozenset[str] | None:
        """Return the roles of a user, None when user or password is wrong (both take the same time)."""
        async with self._attempts.turn(user, peer) as patient:
            if not patient:
                return await self._wrong(user, peer)
            try:
                async with self._logins:
                    roles = await anyio.to_thread.run_sync(self._users.verify, user, password)
            except UsersError as error:
                log.error("nobody can log in", reason=str(error))  # noqa: TRY400 (a sentence for people)
                return None
            if roles is None:
                return await self._wrong(user, peer)
            self._attempts.right(user, peer)
        return frozenset(role.value for role in roles)

    async def _wrong(self, user: str, peer: str) -> None:
        count = self._attempts.wrong(user, peer)
        log.warning("wrong password", user=user, peer=peer, times=count)
        await self._note(Caller(user, frozenset(), ""), "login", peer, "BadUserAccessDenied", f"attempt {count}")

    async def _sign(self, caller: Caller, _path: str, password: str, meaning: str) -> Sequence[Any]:
        """`State/Sign`: the person at this session is the one who logged in, and says so with the password."""
        if not caller.user:
            raise Refused("BadUserAccessDenied", "log in to sign: this session is anonymous")
        if await self.authenticate(caller.user, password, caller.peer) is None:
            raise Refused("BadUserAccessDenied", "that is not your password; nothing is signed")
        made = self._desk.signatures.sign(caller, meaning)
        await self._desk.note(caller, "sign", "State", reason=f"{made.meaning.value}, {made.signed_at}")
        return (made.signed_at,)

    async def authenticate_certificate(self, thumbprint: str, peer: str) -> tuple[str, frozenset[str]] | None:
        """Return name and roles of who logs in with a certificate, None when nobody does."""
        try:
            user = await anyio.to_thread.run_sync(self._users.owner, thumbprint)
        except UsersError as error:
            log.error("nobody can log in", reason=str(error))  # noqa: TRY400 (a sentence for people)
            return None
        if user is None:
            who = f"certificate {thumbprint[:16]}"
            await self._note(Caller(who, frozenset(), ""), "login", peer, "BadUserAccessDenied", "nobody's certificate")
            return None
        return user.name, frozenset(role.value for role in user.roles)

    async def call(self, caller: Caller, path: str, method: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Carry out a method; raises Refused."""
        owner, _, rest = path.partition("/")
        handler = self._calls.get((f"{owner}/*" if rest else owner, method))
        if handler is None:
            raise Refused("BadMethodInvalid", f"there is no method {path}/{method}")
        try:
            return await handler(caller, path, *arguments)
        except RefusedByController:
            raise
        except Refused as refusal:
            if method not in READ_ONLY:
                await self._note(caller, method, path, refusal.status, refusal.reason)
            raise
        except StoreError as error:
            raise Refused("BadResourceUnavailable", str(error)) from error

    async def write(self, caller: Caller, tag: str, value: float) -> None:
        """Move a set point by hand; raises Refused."""
        declared = self.layout.declared.get(tag)
        if declared is None or declared.role is None:
            raise Refused("BadNotWritable", f"{tag} cannot be moved by hand")
        permit(self._desk.policy, caller, Action.WRITE)
        if declared.role.value not in caller.roles:
            raise Refused("BadUserAccessDenied", f"{tag} is moved by the role {declared.role.value}")
        self._desk.control.require(caller)
        await self._desk.controller.command(principal(caller), CommandKind.WRITE, {"tag": tag, "value": float(value)})

    async def history(
        self, tag: str, start_ns: int, end_ns: int, limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint32]]:
        """Return times, values and statuses of a tag in time order (newest first when start is after end)."""
        if tag not in self.layout.index:
            raise Refused("BadNotFound", f"there is no tag {tag}")
        data = self._desk.data
        try:
            found = await self._desk.store.read(
                lambda connection: query.trend(connection, data, tag, start_ns, end_ns, limit)
            )
        except StoreError as error:
            raise Refused("BadResourceUnavailable", str(error)) from error
        return found.ts_ns, found.values, found.status

    async def summary(self, tag: str, start_ns: int, end_ns: int) -> Summary | None:
        """Return what was counted of a tag in a stretch of time, None when not all of it was."""
        return await self._read(lambda connection: summary.find(connection, tag, start_ns, end_ns))

    async def past_events(
        self, start_ns: int, end_ns: int, limit: int, source: str, behind: tuple[int, int] | None
    ) -> Sequence[PastEvent]:
        """Return events of a source and of what is below it, in time order (newest first when start is after end)."""
        alarms = self._desk.alarms.definitions
        return await self._read(
            lambda connection: past_events(connection, start_ns, end_ns, limit, source, behind, alarms)
        )

    async def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._desk.store.read(work)
        except StoreError as error:
            raise Refused("BadResourceUnavailable", str(error)) from error

    def words(self, english: str) -> str:
        """Say the reason of a refusal in the language of this installation."""
        return self._texts.sentence(english)

    async def audit(self, entry: AuditEntry) -> None:
        """Keep an entry in the audit trail."""
        try:
            await self._desk.note(
                entry.caller, entry.action, entry.peer, entry.status, json.dumps(entry.detail, sort_keys=True)
            )
        except StoreError as error:
            log.warning("not in the audit trail", action=entry.action, status=entry.status, why=str(error))

    async def entries(self, folder: str, first: int, count: int) -> tuple[int, Sequence[Entry]]:
        """Return how many entries a folder has, and some of them, oldest first."""
        return await self._desk.store.read(lambda connection: shown.part(connection, folder, first, count))

    def opened(self, caller: Caller) -> None:
        """A session was activated."""
        self._sessions[caller.session] = caller.user
        if caller.user:
            self._desk.tasks.start_soon(self._note, caller, "login", "")

    def closed(self, session: str) -> None:
        """A session ended, by request or timeout."""
        user = self._sessions.pop(session, "")
        if self._desk.control.closed(session):
            log.info("control released: its session has ended", user=user)
            self._desk.tasks.start_soon(self._released, Caller(user, frozenset(), session))
        if user:
            self._desk.tasks.start_soon(self._note, Caller(user, frozenset(), session), "logout", "")

    async def _released(self, caller: Caller) -> None:
        try:
            await self._desk.controller.command(principal(caller), CommandKind.RELEASE_CONTROL, {})
        except Refused as refusal:
            log.info("the controller keeps the control until its time is over", user=caller.user, why=refusal.reason)

    async def _note(self, caller: Caller, action: str, target: str, status: str = "Good", reason: str = "") -> None:
        try:
            await self._desk.note(caller, action, target, status, reason)
        except StoreError as error:
            log.warning("not in the audit trail", user=caller.user, action=action, status=status, why=str(error))


def _table(desk: Desk, runs: RunCalls) -> dict[tuple[str, str], Call]:
    """Every method of the contract with what carries it out."""
    recipes, tool, waiting, spc = RecipeCalls(desk), ToolCalls(desk), QueueCalls(desk, runs), SpcCalls(desk)
    proof, tuning = ProofCalls(desk), TuningCalls(desk)
    force = ForceCalls(desk)

    def move(kind: CommandKind) -> Call:
        return partial(_move, runs, kind)

    return {
        ("State", "TakeControl"): tool.take_control,
        ("State", "ReleaseControl"): tool.release_control,
        ("State", "SafeShutdown"): tool.safe_shutdown,
        ("State", "Calibrate"): tool.calibrate,
        ("State", "CheckInterlocks"): tool.check_interlocks,
        ("State", "WhyNot"): tool.why_not,
        ("ProcessModes", "CreateProcessMode"): recipes.create_mode,
        ("ProcessModes", "ListProcessModes"): recipes.list_modes,
        ("Recipes", "AddRecipe"): recipes.add,
        ("Recipes", "GetRecipe"): recipes.get,
        ("Recipes", "ListRecipes"): recipes.list,
        ("Recipes", "ValidateRecipe"): recipes.validate,
        ("Recipes", "ApproveRecipe"): recipes.approve,
        ("Recipes", "RetireRecipe"): recipes.retire,
        ("Recipes", "DiffRecipes"): recipes.diff,
        ("Recipes", "Simulate"): runs.simulate_with,
        ("Runs", "CreateRun"): runs.create,
        ("Runs", "StartRun"): runs.start,
        ("Runs", "QueueRun"): waiting.queue_run,
        ("Runs", "QueueRuns"): waiting.queue_runs,
        ("Runs", "ListQueue"): waiting.list_queue,
        ("Runs", "MoveRun"): waiting.move_run,
        ("Runs", "RemoveRun"): waiting.remove_run,
        ("Runs", "StartNextRun"): waiting.start_next,
        ("Runs", "TrackMaterial"): waiting.track,
        ("Runs", "GetMaterial"): waiting.material,
        ("Runs", "SetSlotMap"): waiting.set_slots,
        ("Runs", "GetSlotMap"): waiting.get_slots,
        ("Runs", "GetTelemetryPart"): waiting.telemetry_part,
        ("Runs", "PauseRun"): move(CommandKind.PAUSE),
        ("Runs", "ResumeRun"): move(CommandKind.RESUME),
        ("Runs", "HoldRun"): move(CommandKind.HOLD),
        ("Runs", "RestartRun"): move(CommandKind.RESTART),
        ("Runs", "StopRun"): move(CommandKind.STOP),
        ("Runs", "AbortRun"): move(CommandKind.ABORT),
        ("Runs", "RecoverRun"): RecoveryCalls(desk, runs).recover,
        ("Runs", "GetRun"): runs.get,
        ("Runs", "ListRuns"): runs.list,
        ("Runs", "GetTelemetry"): runs.telemetry,
        ("Runs", "GetResults"): runs.results,
        ("Runs", "Simulate"): runs.simulate,
        ("Services", "Start"): tool.start_service,
        ("Services", "Stop"): tool.stop_service,
        ("State", "TakeOverControl"): tool.take_over_control,
        ("State", "SetMode"): tool.set_mode,
        ("State", "LockOut"): tool.lock_out,
        ("State", "RemoveLockOut"): tool.remove_lock_out,
        ("State", "GetOwners"): tool.get_owners,
        ("State", "RequestForce"): force.request,
        ("State", "ConfirmForce"): force.confirm,
        ("State", "RemoveForce"): force.remove,
        ("State", "GetForces"): force.get,
        ("Care", "GetReport"): tool.care_report,
        ("Care", "TaskDone"): tool.task_done,
        ("Care", "AddNote"): tool.add_note,
        ("Care", "GetShiftLog"): tool.shift_log,
        ("Loops", "ProposeGains"): tuning.propose,
        ("Loops", "ApproveGains"): tuning.approve,
        ("Loops", "RejectGains"): tuning.reject,
        ("Loops", "RestoreGains"): tuning.restore,
        ("Loops", "ListGains"): tuning.list,
        ("Loops", "GetGains"): tuning.get,
        ("Spc", "DefineSeries"): spc.define,
        ("Spc", "ListSeries"): spc.list,
        ("Spc", "GetPoints"): spc.points,
        ("Spc", "RecalculateLimits"): spc.recalculate,
        ("Spc", "RetireSeries"): spc.retire,
        ("Interlocks/*", "Reset"): tool.reset,
        ("Interlocks/*", "RequestBypass"): tool.request_bypass,
        ("Interlocks/*", "ConfirmBypass"): tool.confirm_bypass,
        ("Interlocks/*", "RemoveBypass"): tool.remove_bypass,
        ("Interlocks/*", "StartProofTest"): proof.start,
        ("Interlocks/*", "RecordProofTest"): proof.record,
        ("Interlocks/*", "AbortProofTest"): proof.abort,
        ("Interlocks/*", "ReleaseProofTest"): proof.release,
        **{("Alarms/*", name): call for name, call in _alarm_table(AlarmCalls(desk)).items()},
    }


def _alarm_table(alarms: AlarmCalls) -> dict[str, Call]:
    """The methods of conditions; those that end with 2 take a comment too."""
    return {
        "Enable": alarms.enable,
        "Disable": alarms.disable,
        "AddComment": alarms.add_comment,
        "Acknowledge": alarms.acknowledge,
        "Confirm": alarms.confirm,
        **dict.fromkeys(("TimedShelve", "TimedShelve2"), alarms.timed_shelve),
        **dict.fromkeys(("OneShotShelve", "OneShotShelve2"), alarms.one_shot_shelve),
        **dict.fromkeys(("Unshelve", "Unshelve2"), alarms.unshelve),
        **dict.fromkeys(("Suppress", "Suppress2"), alarms.suppress),
        **dict.fromkeys(("Unsuppress", "Unsuppress2"), alarms.unsuppress),
        **dict.fromkeys(("RemoveFromService", "RemoveFromService2"), alarms.remove_from_service),
        **dict.fromkeys(("PlaceInService", "PlaceInService2"), alarms.place_in_service),
        **dict.fromkeys(("Reset", "Reset2"), alarms.reset),
    }


async def _move(runs: RunCalls, kind: CommandKind, caller: Caller, _path: str, run_id: str) -> Sequence[Any]:
    return await runs.move(caller, kind, run_id)
