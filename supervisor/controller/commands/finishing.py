"""The end of a run: its tape is finished, the wafers are measured, its record is written."""

from pathlib import Path
from typing import Any, cast

import anyio
import structlog

from kernels.tables import RunState
from supervisor.controller.commands.starting import Starter
from supervisor.controller.crew.crew import Crew, operations_of
from supervisor.controller.records.recorder import Draft, Recorder
from supervisor.controller.runs.life import Run, Runs
from supervisor.controller.scanning.binding import Plant
from supervisor.controller.scanning.scanner import Scanner
from supervisor.controller.tapes.tape import TapeRecorder
from supervisor.link.messages import EventKind

log = structlog.get_logger()

TAPE_S = 30.0
"""A tape that is not finished after so long is given up; the run's record is not kept waiting for it."""


class Finisher:
    """Writes the records of runs that have ended.

    Args:
        data: the data folder: paths in records are relative to it.
    """

    def __init__(
        self,
        data: Path,
        scanner: Scanner,
        recorder: Recorder,
        runs: Runs,
        starter: Starter,
        tapes: TapeRecorder,
        plant: Plant | None,
        crew: Crew,
    ) -> None:
        self._crew = crew
        self._data = data
        self._scanner = scanner
        self._recorder = recorder
        self._runs = runs
        self._starter = starter
        self._tapes = tapes
        self._plant = plant

    async def finish(self, run: Run) -> None:
        """Write the run's record; called once, when its program has ended."""
        tape, error = await self._tape(run)
        if run.state is RunState.COMPLETE and run.plan.kind == "recipe" and self._plant is not None:
            measured = await anyio.to_thread.run_sync(self._plant.measure)
            self._append(EventKind.METROLOGY, {"run_id": run.plan.run_id, **plain(measured)})
        summary = run.summary(self._scanner.image.timing())
        if run.state is RunState.COMPLETE:
            summary["findings"] = self._crew.completed(self._scanner.view(), run)
            told = self._crew.calibrations.completed(self._scanner.view(), run, operations_of(run))
            await self._crew.memory.keep()
            for kind, calibrated in told:
                self._append(kind, calibrated)
        data = {
            "run_id": run.plan.run_id,
            "run_number": run.plan.run_number,
            "state": run.state.name,
            "cause": run.cause,
            "summary": summary,
            "tape": tape,
            "tape_error": error,
        }
        self._append(EventKind.RUN_ENDED, data)
        self._runs.close()
        log.info("run ended", run_number=run.plan.run_number, state=run.state.name, cause=run.cause)

    async def _tape(self, run: Run) -> tuple[str | None, str | None]:
        recording = self._starter.recordings.pop(run.plan.run_id, None)
        if recording is None:
            return None, "none was recorded"
        last = self._scanner.scan.index if run.ended_scan is None else run.ended_scan
        with anyio.move_on_after(TAPE_S):
            await self._tapes.end(recording, last, run.state.name)
        if not recording.done.is_set():
            return None, f"it was not finished within {TAPE_S:g} s"
        if recording.error is not None:
            return None, recording.error
        return str(recording.path.relative_to(self._data)), None

    def _append(self, kind: EventKind, data: dict[str, Any]) -> None:
        snapshot = self._scanner.image.snapshot()
        self._recorder.append(Draft(kind, data, snapshot.scan, snapshot.time_ns))


def plain(value: Any) -> Any:
    """Turn numpy's numbers and arrays into what JSON has."""
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in cast("list[Any]", value)]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value
