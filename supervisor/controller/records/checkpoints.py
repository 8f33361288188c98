"""Checkpoints: everything that a successor must know, journalled at bounded intervals.

A power cut then costs at most EVERY_S of what is known of a run, and a start reads no more of the journal than the
records behind the last checkpoint.
"""

import time
from typing import Any

import anyio

from kernels.tables import SystemTag
from supervisor.controller.records.events import state_words
from supervisor.controller.records.recorder import Recorder
from supervisor.controller.runs.life import Run, Runs
from supervisor.controller.runs.recovery import kept
from supervisor.controller.scanning.forces import Forces
from supervisor.controller.scanning.scanner import Scanner

EVERY_S = 5.0
"""In a run, whose steps each begin with one: seconds of the tool's time."""
LEAST_S = 0.25
"""By the clock: a simulated tool that runs far faster does not fill the journal."""
RECORDS = 2000
"""Outside of one: after so many records."""


class Checkpoints:
    """Says when a checkpoint is due and what is in it."""

    def __init__(
        self,
        scanner: Scanner,
        recorder: Recorder,
        runs: Runs,
        forces: Forces,
        software: str,
        tool_sha256: str,
        speed: float = 1.0,
    ) -> None:
        self._scanner = scanner
        self._recorder = recorder
        self._runs = runs
        self._forces = forces
        self._identity = {"version": software, "tool_sha256": tool_sha256}
        self._every_s = max(EVERY_S / speed, LEAST_S)
        self._next_s = float("-inf")
        self._place: tuple[str, int] | None = None
        self._seq = -RECORDS

    def due(self) -> dict[str, Any] | None:
        """Return the data of a checkpoint when it is time for one; None while the disk refuses."""
        run, seq = self._runs.active, self._recorder.synced_seq
        now_s = anyio.current_time()
        if self._recorder.trouble is not None:
            return None
        place = None if run is None else (run.plan.run_id, run.step)
        moved = place is not None and place != self._place
        if not moved and seq - self._seq < RECORDS and (run is None or now_s < self._next_s):
            return None
        self._next_s, self._seq, self._place = now_s + self._every_s, seq, place
        return {**self._identity, "wall_ns": time.time_ns(), **self._of_run(run), **self._standing()}

    def _of_run(self, run: Run | None) -> dict[str, Any]:
        if run is None:
            return {"run_id": None, "step": -1, "elapsed_s": 0.0, "step_elapsed_s": 0.0}
        view = self._scanner.view()
        return {
            "run_id": run.plan.run_id,
            "state": run.state.name,
            "step": run.step,
            "step_name": run.step_name,
            "elapsed_s": round(view.system(SystemTag.RUN_ELAPSED_S), 3),
            "step_elapsed_s": round(view.system(SystemTag.STEP_ELAPSED_S), 3),
            "step_gas_scc": {gas: round(used, 3) for gas, used in run.step_gas_scc().items() if used > 0},
            "entries": dict(run.entries),  # as they stand now: the run goes on counting
        }

    def _standing(self) -> dict[str, Any]:
        view = self._scanner.view()
        conditions: dict[str, Any] = {}
        for index, declared in enumerate(view.layout.conditions):
            state = kept(state_words(view.state(index)), int(view.snapshot.conditions["trips"][index]))
            if any(state.values()):
                conditions[declared.name] = state
        forces = {
            force.tag: {"value": force.value, "user": force.user, "reason": force.reason}
            for force in self._forces.present.values()
        }
        return {"conditions": conditions, "forces": forces, "armed": view.armed}
