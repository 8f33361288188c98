"""A tape as a file: a ZIP archive of NumPy arrays and texts, each with its checksum; any archiver opens it.

Records are kept by column, some ten thousand to a member, as kernels.tables.TAPE has them: no NaN and no sign of zero
is changed. The compiled tables travel with the records: a later version of this software may compile the same tool file
differently, and the tape must still say what ran. Its end is written last: without it a tape is only a part of one.
"""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.tables import CONDITION, TAPE, Program, Tables
from supervisor.controller.errors import TapeError
from supervisor.controller.tapes.archive import DAMAGES, PARTIAL, ArchiveWriter, array, member

FORMAT = 2
ROWS = 65_536
"""Records of a block: some 100 KB compressed."""
_HEADER, _END, _STATE, _TOOL, _RECIPE = "header.json", "end.json", "state", "tool.toml", "recipe.json"
_STEPS = ("scan", "source_ns")
"""Columns that mostly grow: kept as steps from one record to the next, which compress to nothing."""


@dataclass(frozen=True)
class TapeHeader:
    """What a tape is of."""

    run_id: str
    run_number: str
    tool: str
    software: str
    started_ns: int
    first_scan: int
    """The state is that at the end of this scan; records of later ones follow."""
    slot: int
    """Where the program is loaded."""
    operation: str | None = None
    """The service operation that ran; None for a recipe."""
    process_mode: str | None = None
    """That the recipe ran in, where it does not name one itself."""
    format: int = FORMAT


@dataclass(frozen=True)
class TapeStart:
    """Everything that is known when a tape begins."""

    header: TapeHeader
    tables: Tables
    program: Program
    state: bytes
    tool_text: str
    recipe_text: str


class TapeFile:
    """A tape being written; it has its name only when it is whole.

    Raises:
        OSError: the disk refuses; also by `write` and `close`.
    """

    def __init__(self, path: Path, start: TapeStart) -> None:
        self.path = path
        self._archive = ArchiveWriter(path)
        self._waiting: list[NDArray[np.void]] = []
        self._rows = 0
        self._blocks = 0
        self.records = 0
        self._archive.add(_HEADER, json.dumps(asdict(start.header)).encode())
        self._archive.add(_TOOL, start.tool_text.encode())
        self._archive.add(_RECIPE, start.recipe_text.encode())
        self._archive.add(_STATE, start.state)
        for name, table in _arrays(start.tables, start.program).items():
            self._archive.add_array(f"tables/{name}.npy", table)

    def write(self, records: NDArray[np.void]) -> None:
        """Take records."""
        self._waiting.append(records)
        self._rows += len(records)
        if self._rows >= ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        rows = np.concatenate(self._waiting)
        self._waiting, self._rows = [], 0
        for name in TAPE.names or ():
            column = np.ascontiguousarray(rows[name])
            self._archive.add_array(
                _column(self._blocks, name), np.diff(column, prepend=0) if name in _STEPS else column
            )
        self._blocks += 1
        self.records += len(rows)

    def close(self, last_scan: int, state: str) -> None:
        """Finish the tape: from here on it has its name and is whole."""
        self._flush()
        end = {"records": self.records, "last_scan": last_scan, "state": state}
        self._archive.add(_END, json.dumps(end).encode())
        self._archive.close()

    def abandon(self) -> None:
        """Give it up; what was written stays beside as a partial file, without an end."""
        self._archive.abandon()

    def discard(self) -> None:
        """Give it up and remove what was written."""
        self._archive.discard()


@dataclass(frozen=True)
class Tape:
    """A whole tape."""

    path: Path
    start: TapeStart
    records: int
    last_scan: int
    state: str
    """How the run ended."""

    def batches(self) -> Iterator[NDArray[np.void]]:
        """Yield the records in order, some ten thousand at a time.

        Raises:
            TapeError: a block does not fit its checksum, or has not as many records as the others say.
        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                block, missing = 0, self.records
                while missing:
                    columns = {name: array(archive, _column(block, name)) for name in TAPE.names or ()}
                    rows = np.zeros(len(columns["scan"]), TAPE)
                    if not 0 < len(rows) <= missing or {column.shape for column in columns.values()} != {rows.shape}:
                        raise ValueError(f"block {block} has not as many records as the tape's end says")
                    for name, column in columns.items():
                        rows[name] = np.cumsum(column) if name in _STEPS else column
                    yield rows
                    block, missing = block + 1, missing - len(rows)
        except (*DAMAGES, OSError) as error:
            raise TapeError(f"{self.path} is damaged: {error}") from error


def open_tape(path: Path) -> Tape:
    """Open a tape.

    Raises:
        TapeError: it is none, only a part of one, or of another format.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if _HEADER not in names:
                raise TapeError(f"{path} is an archive, but no tape")
            header = json.loads(member(archive, _HEADER))
            if header.get("format") != FORMAT:
                raise TapeError(
                    f"{path} is a tape of format {header.get('format')}; this version reads format {FORMAT}"
                )
            if _END not in names:
                raise TapeError(f"{path} is only a part of a tape: its end was never written")
            end = json.loads(member(archive, _END))
            tables, program = _tables(archive)
            start = TapeStart(
                header=TapeHeader(**header),
                tables=tables,
                program=program,
                state=member(archive, _STATE),
                tool_text=member(archive, _TOOL).decode(),
                recipe_text=member(archive, _RECIPE).decode(),
            )
            return Tape(path, start, int(end["records"]), int(end["last_scan"]), str(end["state"]))
    except zipfile.BadZipFile as error:
        partial = ": it was being written when the controller ended" if path.name.endswith(PARTIAL) else ""
        raise TapeError(f"{path} is no tape, or only a part of one{partial}") from error
    except DAMAGES as error:
        raise TapeError(f"{path}: the head of the tape is damaged ({error})") from error


def _column(block: int, name: str) -> str:
    return f"records/{block:06d}.{name}.npy"


_TABLES = tuple(field.name for field in fields(Tables) if field.name not in {"period_s", "safe"})
_PROGRAM = tuple(field.name for field in fields(Program) if field.name != "channels")


def _arrays(tables: Tables, program: Program) -> dict[str, NDArray[Any]]:
    """All tables by name; what is no array becomes one."""
    arrays = {name: getattr(tables, name) for name in _TABLES} | {"period_s": np.array(tables.period_s)}
    for prefix, part in (("safe", tables.safe), ("program", program)):
        arrays |= {f"{prefix}.{name}": getattr(part, name) for name in _PROGRAM}
        arrays[f"{prefix}.channels"] = np.array(part.channels, np.int64)
    return arrays


def with_reset(conditions: NDArray[Any]) -> NDArray[Any]:
    """Conditions of a tape from before conditions of their reset existed: theirs have none."""
    names = conditions.dtype.names or ()
    if "reset" in names:
        return conditions
    new = np.zeros(len(conditions), CONDITION)
    for name in names:
        new[name] = conditions[name]
    new["reset"] = -1
    return new


def _tables(archive: zipfile.ZipFile) -> tuple[Tables, Program]:
    def table(name: str) -> NDArray[Any]:
        return array(archive, f"tables/{name}.npy")

    def program(prefix: str) -> Program:
        parts = {name: table(f"{prefix}.{name}") for name in _PROGRAM}
        return Program(**parts, channels=tuple(table(f"{prefix}.channels").tolist()))

    arrays = {name: table(name) for name in _TABLES}
    arrays["conditions"] = with_reset(arrays["conditions"])
    return Tables(period_s=float(table("period_s")), safe=program("safe"), **arrays), program("program")
