"""Replay: a run is executed again from its tape, and its outputs must be the same to the last bit."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.scan import Scan
from kernels.tables import TapeKind
from supervisor.controller.errors import TapeError
from supervisor.controller.tape_file import Tape, open_tape


@dataclass(frozen=True)
class ReplayReport:
    """What a replay found."""

    path: Path
    run_number: str
    tool: str
    software: str
    """Version that recorded the tape."""
    identical: bool
    scans: int
    records: int
    digests: int
    """Digests that were compared; each covers all scans before it."""
    differs: tuple[int, int] | None
    """The first difference lies in these scans, both included."""
    seconds: float


class _Difference(Exception):  # noqa: N818 - the way out of the loop, not a fault
    def __init__(self, scan: int) -> None:
        super().__init__(f"outputs differ at scan {scan}")
        self.scan = scan


def replay(path: Path) -> ReplayReport:
    """Execute a tape again.

    Raises:
        TapeError: the file is no whole tape.
        OSError: it cannot be read.
    """
    began = time.perf_counter()
    tape = open_tape(path)
    header = tape.start.header
    player = _Player(tape)
    differs = None
    try:
        for records in tape.batches():
            player.play(records)
        player.advance(tape.last_scan)
    except _Difference as difference:
        differs = (player.proved + 1, difference.scan)
    return ReplayReport(
        path=path,
        run_number=header.run_number,
        tool=header.tool,
        software=header.software,
        identical=differs is None,
        scans=player.index - header.first_scan,
        records=tape.records,
        digests=player.digests,
        differs=differs,
        seconds=time.perf_counter() - began,
    )


class _Player:
    def __init__(self, tape: Tape) -> None:
        start = tape.start
        try:
            self._scan = Scan(start.tables, None, tape=False)
            self._scan.load(start.header.slot, start.program)
            self._scan.restore(start.state)
        except ValueError as error:
            raise TapeError(f"{tape.path}: this version cannot take up the tape's state: {error}") from error
        self.index = start.header.first_scan
        if self._scan.index != self.index:
            raise TapeError(f"{tape.path}: its state is of scan {self._scan.index}, not of {self.index}")
        self.proved = self.index
        self.digests = 0

    def advance(self, to: int) -> None:
        """Run up to a scan, that one included."""
        if to > self.index:
            self._scan.advance(to - self.index)
            self.index = to

    def play(self, records: NDArray[np.void]) -> None:
        """Take records in order; those of one scan may be split between two calls.

        Most scans only have inputs: for those nothing is done but one call to post and one to advance.
        """
        if not len(records):
            return
        scans, kinds = records["scan"], records["kind"]
        begins = np.concatenate(([0], np.flatnonzero(np.diff(scans)) + 1))
        ends = np.append(begins[1:], len(records))
        plain = np.add.reduceat(kinds != TapeKind.INPUT, begins) == 0
        columns = [np.ascontiguousarray(records[name]) for name in ("index", "value", "status", "source_ns")]
        groups = zip(scans[begins].tolist(), begins.tolist(), ends.tolist(), plain.tolist(), strict=True)
        for scan, begin, end, only_inputs in groups:
            if only_inputs:
                self.advance(scan - 1)
                self._scan.post_many(*(column[begin:end] for column in columns))
            else:
                self._play_scan(scan, records[begin:end])

    def _play_scan(self, scan: int, rows: NDArray[np.void]) -> None:
        kinds = rows["kind"]
        skips = int(rows["value"][kinds == TapeKind.SKIP].sum())
        self.advance(scan - 1 - skips)
        if skips:
            self._scan.skip(skips)
            self.index += skips
        inputs = rows[kinds == TapeKind.INPUT]
        if len(inputs):
            self._scan.post_many(inputs["index"], inputs["value"], inputs["status"], inputs["source_ns"])
        for row in rows[kinds == TapeKind.COMMAND]:
            self._scan.command(
                int(row["op"]), int(row["index"]), float(row["value"]), float(row["value2"]), int(row["source_ns"])
            )
        for row in rows[kinds == TapeKind.DIGEST]:
            self._prove(scan, int(row["source_ns"]))

    def _prove(self, scan: int, expected: int) -> None:
        self.advance(scan)
        self.digests += 1
        if (self._scan.digest ^ expected) & 0xFFFFFFFFFFFFFFFF:
            raise _Difference(scan)
        self.proved = scan
