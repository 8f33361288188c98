"""A tape's records played into a scan: what was latched, commanded and skipped, in its order and at its scan."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.scan import Scan
from kernels.tables import Program, Tables, TapeKind
from supervisor.controller.errors import TapeError
from supervisor.controller.tapes.tape_file import Tape


class DifferenceFound(Exception):  # noqa: N818 - the way out of the loop, not a fault
    """Outputs are not the same.

    Args:
        scan: by the end of which they differ.
    """

    def __init__(self, scan: int) -> None:
        super().__init__(f"outputs differ at scan {scan}")
        self.scan = scan


def taken_up(tape: Tape, tables: Tables, program: Program) -> Scan:
    """Make a scan that goes on from the state in which the tape begins.

    Raises:
        TapeError: these tables have no place for that state, or this version reads it differently.
    """
    header = tape.start.header
    try:
        scan = Scan(tables, None, tape=False)
        scan.load(header.slot, program)
        scan.restore(tape.start.state)
    except ValueError as error:
        raise TapeError(f"{tape.path}: this version cannot take up the tape's state: {error}") from error
    if scan.index != header.first_scan:
        raise TapeError(f"{tape.path}: its state is of scan {scan.index}, not of {header.first_scan}")
    return scan


class Player:
    """Plays a tape.

    Args:
        tape: what to play.
        scan: has taken up the tape's state; it must meet the tape's digests.
        beside: another one that gets the same, and must have the same outputs after each scan. Then the tape's own
            digests, which others may have given, do not count.
    """

    def __init__(self, tape: Tape, scan: Scan, beside: Scan | None = None) -> None:
        self._tape = tape
        self._scan = scan
        self._beside = beside
        self.index = tape.start.header.first_scan
        self.proved = self.index
        self.digests = 0

    def play_all(self) -> None:
        """Play all records, and what scans are left behind the last one.

        Raises:
            DifferenceFound: outputs are not the same.
            TapeError: the records are damaged.
        """
        for records in self._tape.batches():
            self._play(records)
        self._advance(self._tape.last_scan)

    def _advance(self, to: int) -> None:
        """Run up to a scan, that one included."""
        if to <= self.index:
            return
        if self._beside is None:
            self._scan.advance(to - self.index)
            self.index = to
            return
        while self.index < to:
            self._scan.advance(1)
            self._beside.advance(1)
            self.index += 1
            if self._scan.digest != self._beside.digest:
                raise DifferenceFound(self.index)

    def _play(self, records: NDArray[np.void]) -> None:
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
                self._advance(scan - 1)
                self._post([column[begin:end] for column in columns])
            else:
                self._play_scan(scan, records[begin:end])

    def _post(self, columns: list[NDArray[Any]]) -> None:
        self._scan.post_many(*columns)
        if self._beside is not None:
            self._beside.post_many(*columns)

    def _play_scan(self, scan: int, rows: NDArray[np.void]) -> None:
        kinds = rows["kind"]
        skips = int(rows["value"][kinds == TapeKind.SKIP].sum())
        self._advance(scan - 1 - skips)
        both = [self._scan] if self._beside is None else [self._scan, self._beside]
        if skips:
            for one in both:
                one.skip(skips)
            self.index += skips
        inputs = rows[kinds == TapeKind.INPUT]
        if len(inputs):
            self._post([inputs[name] for name in ("index", "value", "status", "source_ns")])
        for row in rows[kinds == TapeKind.COMMAND]:
            for one in both:
                one.command(
                    int(row["op"]), int(row["index"]), float(row["value"]), float(row["value2"]), int(row["source_ns"])
                )
        for row in rows[kinds == TapeKind.DIGEST]:
            self._prove(scan, int(row["source_ns"]))

    def _prove(self, scan: int, expected: int) -> None:
        self._advance(scan)
        if self._beside is not None:
            return
        self.digests += 1
        if (self._scan.digest ^ expected) & 0xFFFFFFFFFFFFFFFF:
            raise DifferenceFound(scan)
        self.proved = scan
