"""What the controller watches over: its scan thread, its server, its launcher, its own timing."""

import os
import sys
import time
from typing import TYPE_CHECKING

import anyio
import structlog

from kernels.tables import Command as Op
from kernels.tables import RunState
from supervisor.controller.errors import CommandRefused
from supervisor.controller.scanning.scanner import END_STATES
from supervisor.link.messages import EventKind

if TYPE_CHECKING:
    from supervisor.controller.controller import Controller

log = structlog.get_logger()

WATCH_S = 0.5
"""How often it looks."""
STALL_S = 2.0
"""A scan thread that has completed no scan for so long, or for 20 periods, is stalled."""
STALLED = 75
"""Exit code of a stalled scan (EX_TEMPFAIL of sysexits.h): the launcher starts another controller."""
REPORT_S = 10.0
"""Least time between two SKIPPED events: what was skipped in between is added up (as EPICS base backs off)."""
CLOCK_STEP_S = 0.25
"""A greater change of the clock against the monotonic one between two looks is a step; slewing is 0.25 ms at most."""
wall_ns, steady_ns = time.time_ns, time.monotonic_ns
"""Where the clocks come from: a test has others."""
HOLDABLE = frozenset({RunState.RUNNING, RunState.PAUSING, RunState.PAUSED, RunState.RESUMING, RunState.RESTARTING})


class Supervision:
    """Looks every WATCH_S."""

    def __init__(self, controller: "Controller") -> None:
        self._controller = controller
        self._parent = os.getppid()
        self._lost_told = False
        self._held = False
        self._reported_s = float("-inf")
        self._late = (0, 0)
        self._overruns = 0
        self._overruns_told = False
        self._offset_ns = wall_ns() - steady_ns()

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            await anyio.sleep(WATCH_S)
            self._watch_scan()
            self._watch_launcher()
            self._watch_server()
            self._watch_timing()
            self._watch_clock()

    def _watch_scan(self) -> None:
        """A scan that stands still protects nothing: end at once, so that another controller makes the tool safe."""
        scanner = self._controller.scanner
        try:
            scanner.thread.watch(max(STALL_S, 20 * scanner.scan.period_s))
        except (TimeoutError, RuntimeError) as error:
            log.critical("the scan thread is stalled; this controller ends", reason=str(error))
            sys.stderr.flush()
            os._exit(STALLED)

    def _watch_launcher(self) -> None:
        """Without its launcher nobody would restart or stop this controller."""
        if os.getppid() != self._parent:
            self._controller.stop("the launcher is gone")

    def _watch_server(self) -> None:
        """The declared reaction to a server that has said nothing for too long while a run is active."""
        controller = self._controller
        declared = controller.tool.scan
        silent_s = time.monotonic() - controller.session.heard_s
        state = controller.scanner.view().run_state
        if silent_s < declared.server_loss_s:
            self._lost_told = self._held = False
            return
        if state in END_STATES or controller.runs.active is None:
            return
        if not self._lost_told:
            self._lost_told = True
            what = "is held" if declared.server_loss == "hold" else "goes on"
            controller.notice(
                f"no server for {declared.server_loss_s:g} s: the run {what}, as declared", "see why the server is gone"
            )
        if declared.server_loss == "hold" and not self._held and state in HOLDABLE:
            try:
                controller.scanner.fire(Op.HOLD)
            except CommandRefused:
                return  # The queue is full: at the next look.
            self._held = True

    def _watch_clock(self) -> None:
        """A clock that was set is told; only times of records depend on it: of the tool, scans are counted."""
        offset_ns = wall_ns() - steady_ns()
        step_s = (offset_ns - self._offset_ns) / 1e9
        self._offset_ns = offset_ns
        if abs(step_s) < CLOCK_STEP_S:
            return
        way = "on" if step_s > 0 else "back"
        self._controller.notice(
            f"the clock was set {way} by {abs(step_s):.3f} s: runs and interlocks are not affected; times of records "
            + ("leave a gap" if step_s > 0 else "go on at half speed until the clock has caught up"),
            "see why (chrony, a person); a tool's clock is slewed, not stepped",
        )

    def _watch_timing(self) -> None:
        """Skipped slots and overruns are told, but not each of them."""
        slots, times = self._controller.translator.skipped
        self._late = (self._late[0] + slots, self._late[1] + times)
        now_s = anyio.current_time()
        timing = self._controller.image.timing()
        if self._late[0] and now_s - self._reported_s > REPORT_S:
            slots, times = self._late
            self._late, self._reported_s = (0, 0), now_s
            log.warning("scan slots were skipped", slots=slots, times=times, overruns=timing.overruns)
            self._controller.append(EventKind.SKIPPED, {"slots": slots, "times": times})
        new = timing.overruns - self._overruns
        self._overruns = timing.overruns
        if new > 0.01 * WATCH_S / self._controller.scanner.scan.period_s and not self._overruns_told:
            self._overruns_told = True
            self._controller.notice(
                f"more than 1 % of the scans take longer than their period ({timing.duration_max_us:.0f} µs at worst); "
                "late slots are skipped and counted",
                "give the tool a longer scan.period_ms, a faster processor or one of its own (scan.cpu)",
            )
