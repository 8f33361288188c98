"""Recording: a thread takes the scan's tape all the time and writes that of the active run."""

import queue
import threading
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import numpy as np
import structlog
from numpy.typing import NDArray

from kernels.scan import Scan
from kernels.tables import TapeKind
from supervisor.controller.tapes.tape_file import TapeFile, TapeStart

log = structlog.get_logger()

DRAIN_S = 0.02
BATCH = 65_536
DIGEST_S = 2.0
"""How long the end of a tape waits for the next digest, so that its last scans are proved too."""


@dataclass
class Recording:
    """The tape of one run, from the thread's side and from the loop's."""

    path: Path
    lost_before: int
    start: TapeStart | None = None
    """Until it is known, records are held in memory."""
    cancelled: bool = False
    last_scan: int | None = None
    """Set when the run has ended."""
    outcome: str = ""
    error: str | None = None
    """Why there is no tape."""
    done: threading.Event = field(default_factory=threading.Event)
    file: TapeFile | None = None
    held: list[NDArray[np.void]] = field(default_factory=list[NDArray[np.void]])
    proved: bool = False
    patience: int = 0


class TapeRecorder:
    """The one consumer of a scan's tape.

    Args:
        scan: made with `tape=True`.
    """

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._begin: queue.SimpleQueue[Recording] = queue.SimpleQueue()
        self._active: Recording | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tape", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def prepare(self, path: Path) -> Recording:
        """Keep all records from now on. Then take the scan's state and give it to `begin`; never waits."""
        recording = Recording(path, self._scan.tape_lost)
        self._begin.put(recording)
        return recording

    @staticmethod
    def begin(recording: Recording, start: TapeStart) -> None:
        """The state has been taken: records of later scans than `start.header.first_scan` are the tape."""
        recording.start = start

    @staticmethod
    def cancel(recording: Recording) -> None:
        """The run did not start: there will be no tape."""
        recording.cancelled = True

    async def end(self, recording: Recording, last_scan: int, outcome: str) -> None:
        """The run has ended with this scan: finish its tape. `recording.error` says why there is none."""
        recording.outcome = outcome
        recording.last_scan = last_scan
        await anyio.to_thread.run_sync(recording.done.wait, abandon_on_cancel=True)

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the thread; a tape that is still being written is given up."""
        self._over.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._over.wait(DRAIN_S):
            self._turn()
        self._turn()
        if self._active is not None:
            self._fail(self._active, "the controller ended before the tape was finished")

    def _turn(self) -> None:
        while True:
            records = self._scan.tape(BATCH)
            if self._active is None and not self._begin.empty():
                self._active = self._begin.get()
            if self._active is not None:
                self._take(self._active, records)
            if len(records) < BATCH:
                return

    def _take(self, recording: Recording, records: NDArray[np.void]) -> None:
        if recording.cancelled:
            if recording.file is not None:
                recording.file.discard()
            recording.done.set()
            self._active = None
            return
        if len(records):
            recording.held.append(records)
        if recording.start is None:
            return
        held, recording.held = recording.held, []
        try:
            if recording.file is None:
                recording.file = TapeFile(recording.path, recording.start)
            for part in held:
                self._write(recording, recording.file, recording.start.header.first_scan, part)
            self._finish(recording, recording.file)
        except OSError as error:
            self._fail(recording, f"the tape cannot be written: {error}")

    @staticmethod
    def _write(recording: Recording, file: TapeFile, first: int, records: NDArray[np.void]) -> None:
        wanted = records[records["scan"] > first]
        if recording.proved:
            return
        if recording.last_scan is not None:
            proofs = wanted["scan"][(wanted["kind"] == TapeKind.DIGEST) & (wanted["scan"] >= recording.last_scan)]
            if len(proofs):
                wanted = wanted[wanted["scan"] <= proofs[0]]
                recording.last_scan, recording.proved = int(proofs[0]), True
        if len(wanted):
            file.write(wanted)

    def _finish(self, recording: Recording, file: TapeFile) -> None:
        if recording.last_scan is None:
            return
        recording.patience += 1
        if not recording.proved and recording.patience < DIGEST_S / DRAIN_S:
            return
        lost = self._scan.tape_lost - recording.lost_before
        if lost:
            self._fail(recording, f"{lost} records of the tape were lost: this machine is too slow for its speed")
            return
        file.close(recording.last_scan, recording.outcome)
        recording.done.set()
        self._active = None

    def _fail(self, recording: Recording, reason: str) -> None:
        log.error("no tape of this run", path=str(recording.path), reason=reason)
        recording.error = reason
        if recording.file is not None:
            recording.file.abandon()
        recording.file = None
        self._active = None
        recording.done.set()
