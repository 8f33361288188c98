"""A tape as a file: Parquet, with everything that a replay needs in its metadata. The only place that knows pyarrow.

Columns are those of kernels.tables.TAPE; values are kept as their bits, so that no NaN and no sign of zero is changed.
The compiled tables travel with the records: a later version of this software may compile the same tool file
differently, and the tape must still say what ran.
"""

import base64
import binascii
import io
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kernels.tables import TAPE, Program, Tables
from supervisor.controller.errors import TapeError

FORMAT = 1
PARTIAL = ".partial"
ROWS = 65_536
"""Records of a row group: some 100 KB compressed."""
_COLUMNS = ("scan", "kind", "index", "status", "op", "value", "value2", "source_ns")
_BITS = {"value": "i8", "value2": "i8"}
_HEADER, _END, _TABLES, _STATE, _TOOL, _RECIPE = (
    b"cvd.header",
    b"cvd.end",
    b"cvd.tables",
    b"cvd.state",
    b"cvd.tool",
    b"cvd.recipe",
)


def _arrow() -> Any:
    """Pyarrow has no types; a controller that records no run does not load it."""
    return import_module("pyarrow")


def _parquet() -> Any:
    return import_module("pyarrow.parquet")


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
        pa, pq = _arrow(), _parquet()

        self.path = path
        self._partial = path.with_name(path.name + PARTIAL)
        self._pa: Any = pa
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {
            _HEADER: json.dumps(asdict(start.header)).encode(),
            _TOOL: base64.b64encode(start.tool_text.encode()),
            _RECIPE: base64.b64encode(start.recipe_text.encode()),
            _TABLES: base64.b64encode(_pack(start.tables, start.program)),
            _STATE: base64.b64encode(start.state),
        }
        i32, i64 = pa.int32(), pa.int64()
        types: list[Any] = [i64, pa.int8(), i32, pa.uint32(), i32, i64, i64, i64]
        schema = pa.schema(list(zip(_COLUMNS, types, strict=True)), metadata=metadata)
        self._schema: Any = schema
        self._sink = self._partial.open("wb")
        self._writer: Any = pq.ParquetWriter(
            self._sink,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=["kind", "index", "status", "op", "value", "value2"],
            column_encoding={"scan": "DELTA_BINARY_PACKED", "source_ns": "DELTA_BINARY_PACKED"},
            write_page_checksum=True,
        )
        self._waiting: list[NDArray[np.void]] = []
        self._rows = 0
        self.records = 0

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
        arrays = [
            self._pa.array(np.ascontiguousarray(rows[name]).view(_BITS.get(name, rows[name].dtype)), type=column.type)
            for name, column in zip(_COLUMNS, self._schema, strict=True)
        ]
        self._writer.write_batch(self._pa.record_batch(arrays, schema=self._schema))
        self.records += len(rows)

    def close(self, last_scan: int, state: str) -> None:
        """Finish the tape: from here on it has its name and is whole."""
        self._flush()
        end = {"records": self.records, "last_scan": last_scan, "state": state}
        self._writer.add_key_value_metadata({_END: json.dumps(end).encode()})
        self._writer.close()
        self._sink.flush()
        os.fsync(self._sink.fileno())
        self._sink.close()
        self._partial.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abandon(self) -> None:
        """Give it up; what was written stays beside as a partial file, without an end."""
        # The writer wants to be closed before its sink, and may meet the full disk again.
        with suppress(OSError):
            self._writer.close()
        with suppress(OSError):
            self._sink.close()

    def discard(self) -> None:
        """Give it up and remove what was written."""
        self.abandon()
        self._partial.unlink(missing_ok=True)


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
            TapeError: a page does not fit its checksum.
        """
        pa, pq = _arrow(), _parquet()

        try:
            with self.path.open("rb") as file:
                source: Any = pq.ParquetFile(file, page_checksum_verification=True)
                for batch in source.iter_batches(ROWS):
                    rows = np.zeros(batch.num_rows, TAPE)
                    for name in _COLUMNS:
                        column = cast("NDArray[Any]", batch.column(name).to_numpy(zero_copy_only=False))
                        rows[name] = column.view("f8") if name in _BITS else column
                    yield rows
        except (pa.ArrowException, OSError) as error:
            raise TapeError(f"{self.path} is damaged: {error}") from error


def open_tape(path: Path) -> Tape:
    """Open a tape.

    Raises:
        TapeError: it is none, only a part of one, or of another format.
        OSError: it cannot be read.
    """
    pa, pq = _arrow(), _parquet()

    try:
        with path.open("rb") as file:
            source: Any = pq.ParquetFile(file)
            metadata = cast("dict[bytes, bytes]", dict(source.metadata.metadata or {}))
            rows = int(source.metadata.num_rows)
    except pa.ArrowException as error:
        partial = ": it was being written when the controller ended" if path.name.endswith(PARTIAL) else ""
        raise TapeError(f"{path} is no tape, or only a part of one{partial}") from error
    if _HEADER not in metadata:
        raise TapeError(f"{path} is a Parquet file, but no tape")
    try:
        return _read_start(path, metadata, rows)
    except (KeyError, TypeError, ValueError, binascii.Error, zipfile.BadZipFile) as error:
        raise TapeError(f"{path}: the tape's metadata is damaged ({error})") from error


def _read_start(path: Path, metadata: dict[bytes, bytes], rows: int) -> Tape:
    header = json.loads(metadata[_HEADER])
    if header.get("format") != FORMAT:
        raise TapeError(f"{path} is a tape of format {header.get('format')}; this version reads format {FORMAT}")
    if _END not in metadata:
        raise TapeError(f"{path} is only a part of a tape: its end was never written")
    end = json.loads(metadata[_END])
    if end["records"] != rows:
        raise TapeError(f"{path} holds {rows} records where its end says {end['records']}")
    tables, program = _unpack(base64.b64decode(metadata[_TABLES]))
    start = TapeStart(
        header=TapeHeader(**header),
        tables=tables,
        program=program,
        state=base64.b64decode(metadata[_STATE]),
        tool_text=base64.b64decode(metadata[_TOOL]).decode(),
        recipe_text=base64.b64decode(metadata[_RECIPE]).decode(),
    )
    return Tape(path, start, rows, int(end["last_scan"]), str(end["state"]))


def _program_arrays(prefix: str, program: Program) -> dict[str, NDArray[Any]]:
    arrays = {
        f"{prefix}.{field.name}": getattr(program, field.name) for field in fields(Program) if field.name != "channels"
    }
    return {**arrays, f"{prefix}.channels": np.array(program.channels, np.int64)}


def _pack(tables: Tables, program: Program) -> bytes:
    names = [field.name for field in fields(Tables) if field.name not in {"period_s", "safe"}]
    arrays = {name: getattr(tables, name) for name in names}
    arrays |= {"period_s": np.array(tables.period_s)}
    arrays |= _program_arrays("safe", tables.safe) | _program_arrays("program", program)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _unpack(data: bytes) -> tuple[Tables, Program]:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:

        def program(prefix: str) -> Program:
            parts = {f.name: arrays[f"{prefix}.{f.name}"] for f in fields(Program) if f.name != "channels"}
            return Program(**parts, channels=tuple(int(c) for c in arrays[f"{prefix}.channels"]))

        names = [field.name for field in fields(Tables) if field.name not in {"period_s", "safe"}]
        return (
            Tables(period_s=float(arrays["period_s"]), safe=program("safe"), **{name: arrays[name] for name in names}),
            program("program"),
        )
