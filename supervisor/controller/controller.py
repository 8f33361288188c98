"""The controller: its parts put together, its pulse, and what it watches over."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import anyio
import numpy as np
import structlog
from anyio.abc import TaskGroup
from numpy.typing import NDArray

from config.layout import Layout
from config.profile import Profile
from config.tool import Tool
from kernels.image import Image, Snapshot
from kernels.realtime import ScanThread
from kernels.scan import Scan
from kernels.tables import Command as Op
from kernels.tables import ConditionFlag, RunState
from supervisor.controller.commands.dispatch import Choices, Commands
from supervisor.controller.commands.finishing import Finisher
from supervisor.controller.commands.queries import About, Queries
from supervisor.controller.commands.session import Session
from supervisor.controller.commands.starting import Starter
from supervisor.controller.compile import CompiledTool
from supervisor.controller.crew.crew import Crew
from supervisor.controller.crew.memory import Memory
from supervisor.controller.crew.mode import derive_mode
from supervisor.controller.crew.proof import ProofTests
from supervisor.controller.errors import CommandRefused
from supervisor.controller.records.checkpoints import Checkpoints
from supervisor.controller.records.events import Translator
from supervisor.controller.records.recorder import Draft, Recorder
from supervisor.controller.runs.interrupted import told
from supervisor.controller.runs.life import Runs
from supervisor.controller.runs.recovery import Recovered, recover, refine
from supervisor.controller.scanning.binding import bind
from supervisor.controller.scanning.drill import Drill
from supervisor.controller.scanning.forces import Forces
from supervisor.controller.scanning.instruments import Instruments
from supervisor.controller.scanning.scanner import END_STATES, Scanner
from supervisor.controller.supervision import Supervision
from supervisor.controller.tapes.flight import FlightRecorder
from supervisor.controller.tapes.tape import TapeRecorder
from supervisor.link.channel import Channel
from supervisor.link.journal import Journal
from supervisor.link.messages import EquipmentMode, EventKind

log = structlog.get_logger()

SOFTWARE = version("cvd-supervisor")
PULSE_S = 0.02
"""How often the scan's events are taken."""
HURRY_S = 0.002
"""The same while somebody waits for the scan's answer."""
SAFE_MARGIN_S = 5.0
"""Added to the bound of the tool's safe sequence before a shutdown goes on without its end."""
LAST_WORDS_S = 0.3
"""A server that listens has the last records within this; one that does not reads them from the journal later."""
CARE_S = 1.0
"""Counters and the clock are looked at so often."""
SETTLE_S = 2.0
"""An idle tool is given so long to make its outputs safe and to write its records."""


@dataclass(frozen=True)
class Settings:
    """What the controller was started with."""

    tool_text: str
    tool_sha256: str
    data: Path
    sim: bool = False
    speed: int = 1
    profiles: Mapping[str, Profile] = field(default_factory=dict[str, Profile])
    """Of the tool's instruments, by their names."""


@dataclass
class Past:
    """What the journal said of the time before, once it could be opened."""

    row: Snapshot
    """The last row of the image before this controller's own."""
    recovered: Recovered | None = None
    told: bool = False


@dataclass
class Controller:
    """All parts of the controller; `run` is its life.

    Raises:
        BindingError: the tool's inputs and outputs cannot be reached.
    """

    settings: Settings
    tool: Tool
    compiled: CompiledTool
    image: Image
    channel: Channel
    notices: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        settings, tool = self.settings, self.tool
        tables = self.compiled.tables
        layout = Layout(tool)
        # The row that a killed controller has left; after a power cut there is none.
        self._past = Past(self.image.snapshot())
        self.recorder = Recorder(settings.data / "journal", self._opened)
        self.scan = Scan(tables, self.image, log_every=tool.scan.log_every, tape=True)
        plant = bind(tool, self.scan, sim=settings.sim)
        self.instruments = (
            None
            if settings.sim
            else Instruments(layout, settings.profiles, self.scan, self.image, self._tell, settings.speed)
        )
        thread = ScanThread(
            self.scan,
            period_ns=round(tables.period_s * 1e9),
            priority=tool.scan.priority,
            cpu=-1 if tool.scan.cpu is None else tool.scan.cpu,
            scans_per_slot=settings.speed,
        )
        self.scanner = Scanner(layout, tables, self.scan, self.image, thread)
        self.runs = Runs()
        self.forces = Forces()
        self.choices = Choices()
        self.drill = None if plant is None else Drill(settings.data, plant.inject, self._tell)
        self.tapes = TapeRecorder(self.scan)
        self.flights = FlightRecorder(settings.data, layout, tables, self.image, self.scan, settings.speed)
        modules = tuple(module.name for module in tool.modules)
        memory = Memory(settings.data, modules)
        proofs = ProofTests(layout, memory, self.scanner, self.forces, self.append)
        self.crew = Crew(tool, memory, self.image, self.scanner, proofs)
        folder = settings.data / "runs"
        self.starter = Starter(
            tool, self.compiled, settings.tool_text, folder, SOFTWARE, self.scanner, self.recorder, self.runs,
            self.tapes, plant, self.crew,
        )  # fmt: skip
        self.finisher = Finisher(
            settings.data, self.scanner, self.recorder, self.runs, self.starter, self.tapes, plant, self.crew
        )
        self.commands = Commands(
            self.scanner, self.recorder, self.runs, self.starter, self.choices, self.forces, self.crew,
            lambda: self.mode,
        )  # fmt: skip
        self.queries = Queries(
            tool, self._about, self.scanner, self.recorder, self.runs, self.forces, self.commands, self.crew,
            lambda: self.mode,
        )  # fmt: skip
        self.commands.interrupted.identify(settings.tool_sha256, SOFTWARE)
        self.checkpoints = Checkpoints(
            self.scanner, self.recorder, self.runs, self.forces, SOFTWARE, settings.tool_sha256, settings.speed
        )
        self.translator = Translator(layout, tables, self.compiled.safe_reasons, self.runs)
        self.mode = EquipmentMode.INIT
        self.ready = anyio.Event()
        self.ended = anyio.Event()
        self._stop = anyio.Event()
        self._reason = ""
        self._group: TaskGroup | None = None
        self._beat = anyio.Event()
        self.session = Session(self.channel, self.recorder, self.commands.carry_out, self.queries.answer)
        self.supervision = Supervision(self)

    # ------------------------------------------------------------------------------------------------- its life
    def stop(self, reason: str) -> None:
        """End in order: the safe sequence first where a run is active. Calling it again changes nothing."""
        if not self._stop.is_set():
            log.info("stopping", reason=reason)
            self._reason = reason
            self.choices.stopping = True
            self._stop.set()

    async def run(self) -> None:
        """Run until `stop`; when it returns, the tool is safe and the journal is closed."""
        await anyio.to_thread.run_sync(self.recorder.open)
        self._take_over()
        self.notices += await anyio.to_thread.run_sync(self.crew.memory.recall, time.time_ns())
        self.crew.calibrations.take_up()
        self.notices += self.crew.tunings.take_up()
        self.crew.control.take_up()
        if self.instruments is not None:
            fast = partial(self.instruments.attach, self.scanner.thread, self.tool.scan.priority)
            self.notices += await anyio.to_thread.run_sync(fast)
        self.notices += await anyio.to_thread.run_sync(self.scanner.thread.start)
        self.tapes.start()
        self.flights.start()
        try:
            async with anyio.create_task_group() as outer:
                outer.start_soon(self.recorder.run)
                outer.start_soon(self.session.run)
                await self._live()
                await self._end()
                outer.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self._halt()
                with anyio.move_on_after(SETTLE_S):
                    await self.recorder.close()
            self.ended.set()

    async def _live(self) -> None:
        async with anyio.create_task_group() as group:
            self._group = group
            group.start_soon(self._pulse)
            group.start_soon(self.supervision.run)
            group.start_soon(self._care)
            group.start_soon(self.crew.proofs.run)
            if self.drill is not None:
                group.start_soon(self.drill.run)
            if self.instruments is not None:
                group.start_soon(self.instruments.run)
            await self._boot()
            self.ready.set()
            await self._stop.wait()
            await self._make_safe()
            if self.instruments is not None:
                await self.instruments.finish(SETTLE_S)
            group.cancel_scope.cancel()

    async def _halt(self) -> None:
        """Stop the scan and what records it; again does nothing."""
        await anyio.to_thread.run_sync(self.scanner.thread.stop)
        await anyio.to_thread.run_sync(self.tapes.stop)
        await anyio.to_thread.run_sync(self.flights.stop)

    async def _end(self) -> None:
        """The tool is safe: stop the scan, write the last record, and let the server have it if it listens."""
        await anyio.to_thread.run_sync(self.scanner.thread.stop)
        self._take_events()  # of the very last scan: tapes and flight records end with it
        await self._halt()
        self._take_events()
        self.append(EventKind.SHUTDOWN, {"reason": self._reason, "clean": True})
        with anyio.move_on_after(SETTLE_S):
            await self.recorder.flush()
            await self.session.delivered(self.recorder.synced_seq, LAST_WORDS_S)

    async def _boot(self) -> None:
        """The first scans have run: tell who we are, and make the tool safe unless the last time ended in order."""
        await self._until(lambda: self.scan.index >= 0)
        recovered = self._past.recovered
        self._tell_past()
        self.crew.proofs.recalled()
        for notice in self.notices:
            log.warning("notice", text=notice)
            self.append(EventKind.NOTICE, {"text": notice, "remedy": ""})
        if recovered is None or not recovered.clean:
            log.warning("the last controller did not end in order: the safe sequence runs first")
            await self.commands.make_safe()
        self.crew.wear.begin()
        self.choices.booted = True
        self._follow_mode()

    def _opened(self, journal: Journal) -> None:
        """Worker thread: the journal is open, at start or later, when its disk has come back."""
        recovered = recover(journal)
        for event in recovered.commands:
            self.commands.replies.recover(event)
        if recovered.run is not None:
            refine(recovered.run, self._past.row)
        self._past.recovered = recovered

    def _take_over(self) -> None:
        """Before the first scan: what was latched still is. Bypasses and forces end with who knew their time."""
        if self._past.recovered is None:
            return
        for name, state in self._past.recovered.standing.conditions.items():
            index = self.scanner.layout.condition_index.get(name)
            if index is None:
                continue
            latches = bool(int(self.compiled.tables.conditions["flags"][index]) & ConditionFlag.LATCH)
            latched = latches and bool(state.get("latched"))
            self.scan.recall(index, latched, bool(state.get("first_out")), int(state.get("trips") or 0))

    def _tell_ended(self, recovered: Recovered) -> None:
        """Bypasses and forces that a crash has ended: each has its record, as if its time had come."""
        for name in recovered.standing.bypassed:
            self.append(EventKind.BYPASS_EXPIRED, {"name": name, "cause": "controller restarted"})
        for tag in recovered.standing.forces:
            self.append(EventKind.FORCE_EXPIRED, {"tag": tag, "cause": "controller restarted"})

    def _tell_past(self) -> None:
        """Journal what was found: the end of a run that was left open, then this start."""
        recovered = self._past.recovered
        if recovered is None or self._past.told:
            return
        self._past.told = True
        self.notices += recovered.notices
        if (run := recovered.run) is not None:
            data = run.started.data
            ended = run.state in {"COMPLETE", "STOPPED", "ABORTED"}
            self.append(
                EventKind.RUN_ENDED,
                {
                    "run_id": data.get("run_id"),
                    "run_number": data.get("run_number"),
                    "state": run.state if ended else "ABORTED",
                    "cause": "controller restarted",
                    "summary": {
                        "planned_s": data.get("planned_s"),
                        "engineering": data.get("engineering", False),
                        "interrupted": run.where(),
                    },
                    "tape": None,
                    "tape_error": "the controller ended before the tape was finished",
                },
            )
        if not recovered.clean:
            self._tell_ended(recovered)
        if (waits := told(recovered)) is not None:
            self.append(EventKind.RUN_INTERRUPTED, waits)
        self.commands.interrupted.pending = waits
        settings = self.settings
        self.append(
            EventKind.BOOT,
            {
                "version": SOFTWARE,
                "tool": self.tool.name,
                "tool_sha256": settings.tool_sha256,
                "pid": os.getpid(),
                "clean": recovered.clean,
                "sim": settings.sim,
                "speed": settings.speed,
            },
        )

    async def _make_safe(self) -> None:
        """A run is aborted and its safe sequence completed; an idle tool is disarmed."""
        deadline_s = (self.tool.safe_sequence.bound_s + SAFE_MARGIN_S) / self.settings.speed + SAFE_MARGIN_S
        view = self.scanner.view()
        if view.run_state not in END_STATES or self.runs.active is not None:
            with anyio.move_on_after(deadline_s) as bound:
                if self.scanner.view().run_state not in END_STATES | {RunState.ABORTING}:
                    await self.commands.make_safe()
                await self._until(lambda: self.scanner.view().run_state in END_STATES)
                await self.runs.settled()
            if bound.cancelled_caught:
                log.error("the safe sequence did not end within its bound", bound_s=deadline_s)
        with anyio.move_on_after(SETTLE_S):
            await self.commands.release_forces()
            await self.scanner.command(Op.DISARM)
            self._take_events()
            self.crew.wear.update()
            await self.crew.memory.keep()

    # ------------------------------------------------------------------------------------------------ its pulse
    async def _pulse(self) -> None:
        scanner = self.scanner
        while True:
            with anyio.move_on_after(PULSE_S):
                await scanner.hurry.wait()
            if scanner.answers_awaited:
                await anyio.sleep(HURRY_S)
            else:
                scanner.hurry = anyio.Event()
            self._take_events()
            await self._expire_forces()
            if self.runs.active is not None:
                self.runs.active.count_gas()
            if self.choices.booted:
                self._tell_past()
                if (data := self.checkpoints.due()) is not None:
                    self.append(EventKind.CHECKPOINT, data)
            self._follow_mode()
            self._beat.set()
            self._beat = anyio.Event()

    async def _care(self) -> None:
        """Count wear while the ring still holds it, show it, and keep it."""
        scan = self.tool.scan
        every_s = min(CARE_S, scan.log_s / 4 / self.settings.speed)
        await self._until(lambda: self.choices.booted)
        shown_s = kept_s = float("-inf")
        while True:
            self.crew.wear.update()
            now_s = anyio.current_time()
            if now_s - shown_s >= CARE_S:
                shown_s = now_s
                self.crew.look()
            if self.crew.tightness.changed:
                self.crew.tightness.changed = False
                await self.crew.memory.keep()
            if self.crew.wear.changed and now_s - kept_s >= self.tool.care.store_s:
                kept_s, self.crew.wear.changed = now_s, False
                await self.crew.memory.keep()
            await anyio.sleep(every_s)

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Wait for something that the scan brings about; looked at after each pulse."""
        while not reached():
            await self._beat.wait()

    def _take_events(self) -> None:
        # The scan that is under way may still have more to say; the one before has said all.
        through = self.scan.index - 1
        self._translate(self.scanner.drain())
        self.flights.reached(through)
        for path in self.flights.saved():
            self._tell(f"flight record saved: {path}")

    def _translate(self, records: NDArray[np.void]) -> None:
        if not len(records):
            return
        clock = self.scanner.clock()
        for record in records:
            draft = self.translator.translate(record, clock)
            run = self.runs.active
            self.flights.take(record, run, safe_sequence=self.translator.in_safe_sequence(run))
            if draft is None:
                continue
            self.recorder.append(draft)
            self.crew.proofs.take(draft)
            if draft.kind is EventKind.CONDITION and draft.data.get("active"):
                self.crew.alarmed()
            ended = draft.kind is EventKind.RUN_STATE and run is not None and run.ended_scan is not None
            if ended and run is not None and self._group is not None:
                self._group.start_soon(self.finisher.finish, run)

    async def _expire_forces(self) -> None:
        for force in self.forces.expired(self.scan.index):
            try:
                self.scanner.fire(Op.UNFORCE, self.scanner.layout.index[force.tag])
            except CommandRefused:
                return  # The queue is full: in the next pulse.
            del self.forces.present[force.tag]
            log.warning("force expired", tag=force.tag, user=force.user)
            self.append(EventKind.FORCE_EXPIRED, {"tag": force.tag})

    def _follow_mode(self) -> None:
        view = self.scanner.view()
        mode = derive_mode(view, booted=self.choices.booted, maintenance=self.choices.maintenance)
        if mode is not self.mode:
            self.append(EventKind.MODE, {"mode": mode.value, "previous": self.mode.value})
            log.info("mode", mode=mode.value, previous=self.mode.value)
            self.mode = mode

    # ------------------------------------------------------------------------------------------------- its voice
    def append(self, kind: EventKind, data: dict[str, object]) -> int:
        """Journal something that happened now."""
        snapshot = self.image.snapshot()
        return self.recorder.append(Draft(kind, data, snapshot.scan, snapshot.time_ns or time.time_ns()))

    def notice(self, text: str, remedy: str = "") -> None:
        """Tell people something once."""
        log.warning("notice", text=text, remedy=remedy)
        self.notices.append(text)
        self.append(EventKind.NOTICE, {"text": text, "remedy": remedy})

    def _tell(self, text: str) -> None:
        """Journal what an instrument or a recorder did; the list of notices is for what stays so."""
        self.append(EventKind.NOTICE, {"text": text, "remedy": ""})

    def _about(self) -> About:
        return About(SOFTWARE, self.settings.sim, self.settings.speed, tuple(self.notices[-20:]))
