"""Replay: a run is executed again from its tape, and its outputs must be the same to the last bit."""

import time
from dataclasses import dataclass
from pathlib import Path

from supervisor.controller.tapes.player import DifferenceFound, Player, taken_up
from supervisor.controller.tapes.tape_file import open_tape


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


def replay(path: Path) -> ReplayReport:
    """Execute a tape again.

    Raises:
        TapeError: the file is no whole tape.
        OSError: it cannot be read.
    """
    began = time.perf_counter()
    tape = open_tape(path)
    header = tape.start.header
    player = Player(tape, taken_up(tape, tape.start.tables, tape.start.program))
    differs = None
    try:
        player.play_all()
    except DifferenceFound as difference:
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
