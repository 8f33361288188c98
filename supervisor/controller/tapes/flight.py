"""The flight recorder: what every tag did around a trip, at the rate of the scan, is saved.

The image's flight ring holds the last `scan.flight_s`. When a trip comes into force or the safe sequence starts, a
thread copies what the ring has of the half of that time before, goes on copying until as much has passed after it, and
writes a file. Neither the scan nor the event loop waits for it; a disk that refuses costs the file and a line in the
log, a ring that went round too soon costs rows, which are counted.
"""

import math
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from config.layout import Layout
from kernels.image import Image, Rows
from kernels.scan import Scan
from kernels.tables import ConditionClass, ConditionState, RunState, Tables
from kernels.tables import Event as ScanEvent
from supervisor.controller.records.events import in_force
from supervisor.controller.runs.life import Run
from supervisor.controller.tapes.archive import PARTIAL
from supervisor.controller.tapes.flight_file import CHANGE, FlightHeader, FlightRows, TripMark, write_flight

log = structlog.get_logger()

LONGEST = 3
"""A window that further trips keep open holds at most this many times `flight_s`; then another file begins."""
KEPT = 50
"""Records outside of runs that are kept. Those of a run stay with it; its safe sequence, which is bounded, ends it."""
TURNS = 8
"""A window that is open is copied this often in the time that the ring holds, so that none of it is overwritten."""
LEAST_S, MOST_S = 0.005, 0.25
"""Bounds of the time between two copies."""
PATIENCE_S = 5.0
"""The loop is given so long to hand over the last changes of conditions; then the record says that they may lack."""
CAUSES = {RunState.ABORTING: "safe sequence", RunState.STOPPING: "stop by the safe sequence"}


@dataclass(frozen=True)
class _Trip:
    scan: int
    cause: str
    run_number: str | None


@dataclass(frozen=True)
class _Change:
    scan: int
    condition: int
    state: int


@dataclass(frozen=True)
class _Lost:
    scan: int


class _Over:
    """The thread shall end."""


@dataclass
class _Window:
    """What is being collected."""

    first: int
    """Scan of the first row."""
    last: int
    limit: int
    """No further trip moves `last` beyond this."""
    next_row: int
    trips: list[_Trip]
    parts: list[Rows] = field(default_factory=list[Rows])
    lost: int = 0


class FlightRecorder:
    """Saves the ring around trips.

    Args:
        data: the data folder.
        speed: scans per slot: at many times the clock's pace the ring goes round as many times sooner.
    """

    def __init__(self, data: Path, layout: Layout, tables: Tables, image: Image, scan: Scan, speed: int) -> None:
        self._data = data
        self._layout = layout
        self._tables = tables
        self._image = image
        self._scan = scan
        rows = max(2, math.ceil(layout.tool.scan.flight_s / tables.period_s))
        self._half = rows // 2
        self._pause_s = min(MOST_S, max(LEAST_S, rows * tables.period_s / speed / TURNS))
        self._floor = image.flight(1 << 62).next
        """Older rows are another controller's, whose scans were counted anew."""
        # The loop's side.
        self._told = [ConditionState(0)] * len(layout.conditions)
        self._through = -1
        self._saved: queue.SimpleQueue[Path] = queue.SimpleQueue()
        # The thread's side.
        self._news: queue.SimpleQueue[_Trip | _Change | _Lost | _Over] = queue.SimpleQueue()
        self._waiting: deque[_Trip] = deque()
        self._states = np.zeros(len(layout.conditions), np.uint32)
        self._changes: deque[_Change] = deque()
        self._events_lost: int | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="flight", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """The scan has stopped: save what an open window has, and end the thread."""
        self._news.put(_Over())
        self._thread.join(timeout_s)

    # ------------------------------------------------------------------------------------------------ on the loop
    def take(self, record: np.void, run: Run | None, *, safe_sequence: bool) -> None:
        """Take a record of the scan, in order; `safe_sequence` says whether that is what runs now. Never waits."""
        kind, scan, index = int(record["kind"]), int(record["scan"]), int(record["index"])
        number = run.plan.run_number if run is not None else None
        if kind == ScanEvent.CONDITION:
            state, before = ConditionState(int(record["a"])), self._told[index]
            self._told[index] = state
            self._news.put(_Change(scan, index, int(state)))
            trip = int(self._tables.conditions["cls"][index]) == ConditionClass.TRIP
            if trip and in_force(state) and not in_force(before):
                self._news.put(_Trip(scan, f"trip {self._layout.conditions[index].name}", number))
        elif kind == ScanEvent.RUN_STATE and index in CAUSES and safe_sequence:
            self._news.put(_Trip(scan, CAUSES[RunState(index)], number))
        elif kind == ScanEvent.LOST:
            self._news.put(_Lost(scan))

    def reached(self, scan: int) -> None:
        """All records of scans up to this one have been taken."""
        self._through = scan

    def saved(self) -> list[Path]:
        """Return the records that have been saved since the last call, relative to the data folder."""
        found: list[Path] = []
        while not self._saved.empty():
            found.append(self._saved.get())
        return found

    # ---------------------------------------------------------------------------------------------- in the thread
    def _run(self) -> None:
        while not self._stopping or self._waiting:
            if not self._waiting:
                self._hear(None)
                continue
            trip = self._waiting.popleft()
            try:
                self._save(self._collect(trip))
            except OSError as error:
                # A full disk is foreseen: one line, no traceback.
                log.error("no flight record of this trip", cause=trip.cause, error=str(error))  # noqa: TRY400
            except Exception:
                # A mistake of ours must not take the records of later trips with it.
                log.exception("no flight record of this trip", cause=trip.cause)

    def _hear(self, timeout_s: float | None) -> None:
        """Take what the loop says; wait for the first."""
        try:
            said = self._news.get(timeout=timeout_s)
            while True:
                match said:
                    case _Trip():
                        self._waiting.append(said)
                    case _Change():
                        self._changes.append(said)
                        self._forget(said.scan - (LONGEST + 1) * 2 * self._half)
                    case _Lost():
                        self._events_lost = said.scan
                    case _Over():
                        self._stopping = True
                said = self._news.get_nowait()
        except queue.Empty:
            return

    def _forget(self, before: int) -> None:
        while self._changes and self._changes[0].scan < before:
            gone = self._changes.popleft()
            self._states[gone.condition] = gone.state

    def _collect(self, trip: _Trip) -> _Window:
        newest = self._image.flight(1 << 62).next
        behind = max(0, self._scan.index - trip.scan) + self._half + 1
        first = trip.scan - self._half
        window = _Window(
            first=first,
            last=trip.scan + self._half,
            limit=first + LONGEST * 2 * self._half,
            next_row=max(self._floor, newest - behind),
            trips=[trip],
        )
        patience: float | None = None
        while True:
            self._join(window)
            self._copy(window)
            if self._stopping or min(self._through, self._scan.index - 1) >= window.last:
                self._hear(0)
                before = window.last
                self._join(window)
                if window.last == before or self._stopping:
                    self._copy(window)
                    return window
            elif self._scan.index > window.last:
                patience = patience or time.monotonic() + PATIENCE_S
                if time.monotonic() > patience:
                    return window
            self._hear(self._pause_s)

    def _join(self, window: _Window) -> None:
        """Trips that fall into the window belong to it, and what follows them is kept too."""
        while self._waiting and self._waiting[0].scan <= window.last:
            trip = self._waiting.popleft()
            window.trips.append(trip)
            window.last = min(window.limit, trip.scan + self._half)

    def _copy(self, window: _Window) -> None:
        rows = self._image.flight(window.next_row)
        window.next_row = rows.next
        window.lost += rows.lost
        window.parts.append(rows)

    def _save(self, window: _Window) -> None:
        rows = _joined(window)
        states, changes = self._conditions(window)
        remarks: list[str] = []
        lost = min(window.lost, max(0, window.last - max(window.first, 0) + 1 - len(rows.scan)))
        if lost:
            remarks.append(f"{lost} rows were overwritten before they were read")
        if self._scan.index < window.last:
            remarks.append("the scan stopped before the end of the window")
        if self._through < min(window.last, self._scan.index - 1):
            remarks.append("the last changes of conditions may lack")
        if self._events_lost is not None and self._events_lost >= window.first:
            remarks.append("changes of conditions were lost: there were more events than their buffer holds")
        run_number = next((trip.run_number for trip in window.trips if trip.run_number), None)
        header = FlightHeader(
            tool=self._layout.tool.name,
            run_number=run_number,
            period_s=self._tables.period_s,
            trips=tuple(TripMark(trip.scan, trip.cause) for trip in window.trips),
            tags=self._layout.tags,
            conditions=tuple(declared.name for declared in self._layout.conditions),
            rows=len(rows.scan),
            lost=lost,
            remarks=tuple(remarks),
        )
        scan = window.trips[0].scan
        if run_number is not None:
            path = self._data / "runs" / run_number / f"trip-{scan}"
        else:
            at = np.searchsorted(rows.scan, scan)
            now_ns = int(rows.time_ns[min(at, len(rows.scan) - 1)]) if len(rows.scan) else time.time_ns()
            moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ns / 1e9))
            path = self._data / "trips" / f"{moment}-{scan}"
        write_flight(path, header, rows, states, changes)
        shown = path.relative_to(self._data)
        log.info("flight record saved", path=str(shown), rows=header.rows, cause=window.trips[0].cause)
        for remark in remarks:
            log.warning("the flight record is not complete", path=str(shown), remark=remark)
        self._saved.put(shown)
        if run_number is None:
            self._tidy(path.parent)

    def _conditions(self, window: _Window) -> tuple[NDArray[np.uint32], NDArray[np.void]]:
        states = self._states.copy()
        inside: list[tuple[int, int, int]] = []
        for change in self._changes:
            if change.scan < window.first:
                states[change.condition] = change.state
            elif change.scan <= window.last:
                inside.append((change.scan, change.condition, change.state))
        return states, np.array(inside, CHANGE)

    @staticmethod
    def _tidy(folder: Path) -> None:
        """Remove the oldest; their names begin with their time."""
        for old in sorted(folder.iterdir())[:-KEPT]:
            old.unlink(missing_ok=True)
        for partial in folder.glob(f"*{PARTIAL}"):
            partial.unlink(missing_ok=True)


def _joined(window: _Window) -> FlightRows:
    """Put the parts together and cut them to the window."""
    names = ("scan", "time_ns", "values", "status", "source_ns")
    columns = {name: np.concatenate([getattr(part, name) for part in window.parts]) for name in names}
    rows = FlightRows(**columns)
    wanted = (rows.scan >= window.first) & (rows.scan <= window.last)
    return replace(rows, **{name: column[wanted] for name, column in columns.items()})
