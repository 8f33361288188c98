"""Comparison: a recorded run executed twice side by side, as it was and as another version would have it."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from config.layout import Layout
from config.loading import read_tool
from config.text import Syntax, read_text
from kernels.scan import Scan
from supervisor.controller.arguments import StartOperation, StartRun
from supervisor.controller.compile import compile_tool
from supervisor.controller.errors import CommandRefused, CompileError, TapeError
from supervisor.controller.runs.preparing import prepare_operation, prepare_recipe
from supervisor.controller.tapes.player import DifferenceFound, Player, taken_up
from supervisor.controller.tapes.tape_file import Tape, open_tape
from supervisor.link.messages import Principal

NOBODY = Principal(user="replay", roles=())


@dataclass(frozen=True)
class TagDifference:
    """A tag with two values."""

    tag: str
    recorded: float
    other: float


@dataclass(frozen=True)
class ComparisonReport:
    """What a comparison found."""

    path: Path
    run_number: str
    tool: str
    software: str
    """Version that recorded the tape."""
    scans: int
    """Scans that were compared."""
    scan: int | None
    """The first scan whose outputs differ."""
    at_s: float
    """That scan's time since the run's start."""
    differences: tuple[TagDifference, ...]
    """All tags that differ at the end of that scan, outputs first, then by the tool's order."""
    seconds: float


def compare(path: Path, *, tool: Path | None = None, recipe: Path | None = None) -> ComparisonReport:
    """Execute a tape as it was recorded and, scan by scan beside it, as other files are compiled by this version.

    Inputs are the recorded ones for both: where the other version acts differently, the tool's answer to that is not
    on the tape. So the first difference is exact, and what would have followed it is not told.

    Args:
        path: of the tape.
        tool: another version of the tool file; the tape's own unless given.
        recipe: another version of the recipe; the tape's own unless given.

    Raises:
        TapeError: the file is no whole tape, or the other version cannot be compared with it.
        ConfigError: a file has faults.
        OSError: a file cannot be read.
    """
    began = time.perf_counter()
    tape = open_tape(path)
    header = tape.start.header
    layout = Layout(read_tool(tape.start.tool_text, Syntax.TOML, f"{path}: tool.toml"))
    recorded = taken_up(tape, tape.start.tables, tape.start.program)
    other = _other(tape, layout, tool, recipe)
    player = Player(tape, recorded, other)
    scan = None
    try:
        player.play_all()
    except DifferenceFound as difference:
        scan = difference.scan
    return ComparisonReport(
        path=path,
        run_number=header.run_number,
        tool=header.tool,
        software=header.software,
        scans=player.index - header.first_scan,
        scan=scan,
        at_s=(player.index - header.first_scan) * recorded.period_s,
        differences=() if scan is None else _differences(layout, recorded, other),
        seconds=time.perf_counter() - began,
    )


def _other(tape: Tape, layout: Layout, tool: Path | None, recipe: Path | None) -> Scan:
    """Compile the other version and let it take up the tape's state."""
    header, file = tape.start.header, str(tool or f"{tape.path}: tool.toml")
    text = tape.start.tool_text if tool is None else read_text(tool)
    made = read_tool(text, Syntax.TOML, file)
    if Layout(made).digest != layout.digest:
        raise TapeError(
            f"{file} has other tags, interlocks or alarms than the tape's tool, or in another order: "
            "only versions with the same ones can be compared scan by scan"
        )
    document = tape.start.recipe_text if recipe is None else read_text(recipe)
    run_id, run_number = header.run_id, header.run_number
    try:
        compiled = compile_tool(made)
        if header.operation is not None:
            asked = StartOperation(name=header.operation, run_id=run_id, run_number=run_number)
            plan = prepare_operation(made, compiled, NOBODY, asked)
        else:
            digest = hashlib.sha256(document.encode()).hexdigest()
            asked = StartRun(
                run_id=run_id,
                run_number=run_number,
                recipe=document,
                recipe_sha256=digest,
                process_mode=header.process_mode,
            )
            plan = prepare_recipe(made, compiled, NOBODY, asked)
    except (CommandRefused, CompileError) as error:
        raise TapeError(f"{header.run_number} cannot run with {file}: {error}") from error
    return taken_up(tape, compiled.tables, plan.program)


def _differences(layout: Layout, recorded: Scan, other: Scan) -> tuple[TagDifference, ...]:
    ours, theirs = recorded.values()[0], other.values()[0]
    # As bits: two NaNs are the same, the two zeros are not.
    indices = np.flatnonzero(ours.view(np.int64) != theirs.view(np.int64)).tolist()
    outputs = {name for name, tag in layout.declared.items() if tag.kind == "output"}
    found = [TagDifference(layout.tags[index], float(ours[index]), float(theirs[index])) for index in indices]
    return tuple(sorted(found, key=lambda one: one.tag not in outputs))
