"""Starting a run: prepare, load, arm, take the tape's state, record, start; each may still refuse."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import structlog

from config.equipment import Recency
from config.tool import Tool
from kernels.scan import state_index
from kernels.tables import Command as Op
from kernels.tables import Refusal
from supervisor.controller.arguments import StartOperation, StartRun
from supervisor.controller.compile import CompiledTool
from supervisor.controller.crew.crew import Crew, operations_of
from supervisor.controller.errors import CommandRefused
from supervisor.controller.records.recorder import Draft, Recorder
from supervisor.controller.runs.gas_use import GasMeter
from supervisor.controller.runs.life import Run, RunPlan, Runs
from supervisor.controller.runs.preparing import Continued, prepare_operation, prepare_recipe
from supervisor.controller.scanning.binding import Plant
from supervisor.controller.scanning.explain import Explainer
from supervisor.controller.scanning.judging import unmet
from supervisor.controller.scanning.scanner import Scanner
from supervisor.controller.scanning.timing import TimingMark
from supervisor.controller.tapes.tape import Recording, TapeRecorder
from supervisor.controller.tapes.tape_file import TapeHeader, TapeStart
from supervisor.link.messages import EventKind, Principal

log = structlog.get_logger()

DISK_S = 5.0
"""The record of a start must be on the disk within this, or there is no start."""
TAPE = "tape"


@dataclass
class Preparing:
    """A run that does not run yet; whoever aborts it meanwhile sets `cancelled`."""

    run_id: str
    cancelled: bool = False
    launched: bool = False
    """The scan has been told to start it: an abort must reach the scan."""


class Starter:
    """Starts runs; the caller has judged state and permission.

    Args:
        tool: the tool.
        compiled: its tables.
        tool_text: the tool file as it was read, for the tape.
        folder: of the runs.
        software: version of this software.
    """

    def __init__(
        self,
        tool: Tool,
        compiled: CompiledTool,
        tool_text: str,
        folder: Path,
        software: str,
        scanner: Scanner,
        recorder: Recorder,
        runs: Runs,
        tapes: TapeRecorder,
        plant: Plant | None,
        crew: Crew,
    ) -> None:
        self._crew = crew
        self._tool = tool
        self._compiled = compiled
        self._tool_text = tool_text
        self._folder = folder
        self._software = software
        self._scanner = scanner
        self._recorder = recorder
        self._runs = runs
        self._tapes = tapes
        self._plant = plant
        self._preparing: Preparing | None = None
        self.recordings: dict[str, Recording] = {}
        """Tapes that are being recorded, by run."""

    async def start_recipe(self, principal: Principal, args: StartRun) -> dict[str, Any]:
        """Start a recipe.

        Raises:
            CommandRefused: it cannot run on this tool, or not now.
        """
        return await self._start(args.run_id, partial(prepare_recipe, self._tool, self._compiled, principal, args))

    async def continue_recipe(self, principal: Principal, args: StartRun, continued: Continued) -> dict[str, Any]:
        """Start the rest of a recipe that a crash has interrupted.

        Raises:
            CommandRefused: the recipe does not allow it there, or the tool not now.
        """
        prepare = partial(prepare_recipe, self._tool, self._compiled, principal, args, continued)
        return await self._start(args.run_id, prepare)

    async def start_operation(self, principal: Principal, args: StartOperation) -> dict[str, Any]:
        """Start a service operation of the tool.

        Raises:
            CommandRefused: there is none of this name, or it cannot run now.
        """
        return await self._start(args.run_id, partial(prepare_operation, self._tool, self._compiled, principal, args))

    def cancel(self, run_id: str | None) -> Preparing | None:
        """A run that is being prepared shall not start (None: whichever it is); return what is known of it."""
        preparing = self._preparing
        if preparing is None or run_id not in {None, preparing.run_id}:
            return None
        preparing.cancelled = True
        return preparing

    async def arm(self) -> None:
        """Let hazardous outputs be energised.

        Raises:
            CommandRefused: a trip is in force, or a proof test stands in the way; says which and why.
        """
        self._crew.proofs.refuse(self._crew.proofs.against_arming(), "the tool cannot be armed")
        refusal = await self._scanner.command(Op.ARM)
        if refusal is not Refusal.NONE:
            causes = "; ".join(Explainer(self._scanner.view()).in_force())
            raise CommandRefused("BadInvalidState", f"the tool cannot be armed: {causes}")

    async def _start(self, run_id: str, prepare: Callable[[], RunPlan]) -> dict[str, Any]:
        preparing = self._preparing = Preparing(run_id)
        try:
            await self._runs.settled()
            plan = await anyio.to_thread.run_sync(prepare)
            self._judge(plan)
            await self._load(plan, preparing)
        finally:
            self._preparing = None
        return {"run_id": plan.run_id, "run_number": plan.run_number, "planned_s": plan.planned_s}

    def _judge(self, plan: RunPlan) -> None:
        """Refuse what the tool file, the recipe or a lock-out does not let start at this moment."""
        view, tool = self._scanner.view(), self._tool
        asks: Any = tool.recipe
        if plan.operation is not None:
            asks = next(one for one in tool.operations if one.name == plan.operation)
        if reasons := unmet(view, asks.needs):
            raise CommandRefused("BadInvalidState", f"{plan.name} does not start: {'; '.join(reasons)}")
        requires: tuple[Recency, ...] = (*asks.requires, *plan.requires)
        self._crew.refuse(view, requires, recipe=plan.kind == "recipe")
        self._crew.locks.check_program(view, plan.program, plan.name)

    async def _load(self, plan: RunPlan, preparing: Preparing) -> None:
        slot = self._scanner.free_slot()
        try:
            self._scanner.scan.load(slot, plan.program)
        except (ValueError, RuntimeError) as error:
            raise CommandRefused("BadConfigurationError", f"{plan.run_number} cannot be loaded: {error}") from error
        if self._plant is not None and plan.kind == "recipe" and plan.continues is None:
            self._plant.load_wafers()
        recording = self._tapes.prepare(self._folder / plan.run_number / TAPE)
        armed_before = self._scanner.view().armed
        try:
            await self._require(await self._scanner.load(slot), plan)
            await self._take_state(recording, plan, slot)
            if not armed_before:
                await self.arm()
            await self._record(plan)
            await self._go(plan, preparing, recording)
        except BaseException:
            self._tapes.cancel(recording)
            if not armed_before:
                self._scanner.fire(Op.DISARM)
            raise

    async def _take_state(self, recording: Recording, plan: RunPlan, slot: int) -> None:
        """Take the scan's whole state: with it and the records behind it the run can be executed again."""
        state = await anyio.to_thread.run_sync(self._scanner.scan.state)
        first = state_index(state)
        header = TapeHeader(
            run_id=plan.run_id,
            run_number=plan.run_number,
            tool=self._tool.name,
            software=self._software,
            started_ns=self._scanner.clock()(first),
            first_scan=first,
            slot=slot,
            operation=plan.operation,
            process_mode=plan.process_mode,
        )
        self._tapes.begin(
            recording,
            TapeStart(header, self._scanner.tables, plan.program, state, self._tool_text, plan.recipe),
        )

    async def _record(self, plan: RunPlan) -> None:
        """What starts has a record: one that is not on the disk never happened."""
        snapshot = self._scanner.image.snapshot()
        ticket = self._recorder.append(Draft(EventKind.RUN_STARTED, plan.started(), snapshot.scan, snapshot.time_ns))
        run = Run(
            plan,
            self._scanner.scan.period_s,
            snapshot.scan,
            TimingMark.of(self._scanner.image.timing()),
            GasMeter(self._scanner.layout, self._scanner.image, self._scanner.scan.period_s),
        )
        self._runs.begin(run)
        self._crew.started(operations_of(run))
        try:
            await self._recorder.durable(ticket, DISK_S)
        except OSError as error:
            self._never_started(plan, f"not recorded: {error}")
            raise CommandRefused("BadResourceUnavailable", f"the run was not started: {error}") from error

    async def _go(self, plan: RunPlan, preparing: Preparing, recording: Recording) -> None:
        if preparing.cancelled:
            self._never_started(plan, "aborted before it started")
            raise CommandRefused("BadRequestCancelledByClient", f"{plan.run_number} was aborted before it started")
        self.recordings[plan.run_id] = recording
        preparing.launched = True
        refusal = await self._scanner.command(Op.START)
        if refusal is not Refusal.NONE:
            del self.recordings[plan.run_id]
            causes = "; ".join(Explainer(self._scanner.view()).in_force()) or refusal.name.lower().replace("_", " ")
            self._never_started(plan, f"refused by the scan: {causes}")
            raise CommandRefused("BadInvalidState", f"{plan.run_number} was not started: {causes}")
        await self._crew.memory.keep()
        log.info("run started", run_number=plan.run_number, name=plan.name, planned_s=round(plan.planned_s))

    def _never_started(self, plan: RunPlan, cause: str) -> None:
        """Close the record of a run that was announced and did not start."""
        snapshot = self._scanner.image.snapshot()
        data: dict[str, Any] = {
            "run_id": plan.run_id,
            "run_number": plan.run_number,
            "state": "ABORTED",
            "cause": cause,
            "summary": {"duration_s": 0.0, "planned_s": plan.planned_s, "steps": [], "trips": []},
            "tape": None,
            "tape_error": "the run did not start",
        }
        self._recorder.append(Draft(EventKind.RUN_ENDED, data, snapshot.scan, snapshot.time_ns))
        self._runs.close()

    async def _require(self, refusal: Refusal, plan: RunPlan) -> None:
        if refusal is not Refusal.NONE:
            state = self._scanner.view().run_state.name
            raise CommandRefused("BadInvalidState", f"{plan.run_number} cannot be loaded: the scan is {state}")
