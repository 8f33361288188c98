"""The scan: one function for real time, simulation and replay (docs/reference/scan.md)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.image import Image
from kernels.tables import Program, Tables

def state_index(state: bytes) -> int:
    """Return the index of the last scan before a state was taken (Scan.state)."""

class Scan:
    """The tables of one tool with their state.

    Raises ValueError, naming table, row and column, when a row refers to something that does not exist, a program can
    spin without waiting, or an expression is malformed.
    """

    def __init__(
        self, tables: Tables, image: Image | None = ..., *, log_every: int = ..., tape: bool = ...
    ) -> None: ...
    @property
    def index(self) -> int:
        """Index of the last scan, -1 before the first."""
    @property
    def period_s(self) -> float: ...
    def post(self, tag: int, value: float, status: int, source_ns: int) -> None:
        """Post an instrument's value for the next latch (thread-safe; the newest posting wins)."""
    def post_many(
        self,
        tags: NDArray[np.int32],
        values: NDArray[np.float64],
        status: NDArray[np.uint32],
        source_ns: NDArray[np.int64],
    ) -> None: ...
    def correct(self, tag: int, offset: float, gain: float) -> None:
        """Correct what is posted for an input from now on: (reading − offset) · gain.

        It is applied before the tape, so that a replay, which has none, posts what was latched. Raises ValueError for a
        tag that is no input, and for numbers that are not finite or a gain that is not positive.
        """
    def command(self, op: int, target: int = ..., a: float = ..., b: float = ..., id: int = ...) -> None:  # noqa: A002
        """Queue a command; raises BufferError when the queue (1024) is full."""
    def load(self, slot: int, program: Program) -> None:
        """Put a program into slot 0 or 1 (checked here); it becomes the loaded one with Command.LOAD.

        Raises ValueError for a bad program, RuntimeError when the slot's program is loaded and not in an end state.
        """
    def advance(self, scans: int, start_ns: int = ..., period_ns: int = ...) -> None:
        """Run scans at full speed without the GIL.

        The attached plant steps before each; row time = start_ns + k·period_ns.
        """
    def skip(self, slots: int) -> None:
        """Account for missed slots before the next scan."""
    def attach(self, plant: Any) -> None:
        """Attach a plant: a PyCapsule named "cvd.plant" holding a `PlantStep` (kernels/plant.pxd), or None."""
    def recall(self, condition: int, latched: bool, first_out: bool, trips: int) -> None:
        """Before the first scan: a condition is as a scan of another process left it, latch and number of trips.

        What was active then is found again by its inputs. Raises IndexError for a condition that is not there,
        ValueError for one that does not latch, RuntimeError once a scan has run: nobody but a scan sets a latch then.
        """
    def state(self) -> bytes:
        """Copy the whole state as the last scan left it: with it and the tape behind it a run is executed again.

        May be called while a thread runs the scan, which then makes the copy at the end of a scan. Programs are not
        part of it, nor are commands and postings that have not been latched yet: the tape tells those.
        """
    def restore(self, state: bytes) -> None:
        """Go on from a state that a scan of the same tables gave; what it had loaded must have been loaded here.

        Raises ValueError when it is of other tables or another version, RuntimeError while a thread runs this scan.
        """
    def values(self) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.int64]]:
        """Copy value, status and source of every tag as of the last scan."""
    def conditions(self) -> NDArray[np.void]:
        """Copy the condition states as of the last scan."""
    def events(self, limit: int = ...) -> NDArray[np.void]:
        """Take events, oldest first (tables.EVENT). Lost ones are told by Event.LOST with their number in `a`."""
    def tape(self, limit: int = ...) -> NDArray[np.void]:
        """Take tape records (tables.TAPE), oldest first."""
    @property
    def tape_lost(self) -> int:
        """Tape records that found their buffer full; the tape is then useless and says so."""
    @property
    def digest(self) -> int:
        """FNV-1a 64 over the outputs of all scans so far (scan.md, 8)."""
