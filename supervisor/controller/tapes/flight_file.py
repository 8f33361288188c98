"""A flight record as a file: every tag at every scan around a trip, and each change of a condition.

By tag, so that a few tags of a wide tool are read without the rest. Conditions change seldom: their states at the first
row are kept, and each change with its scan.
"""

import io
import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kernels.tables import ConditionState
from supervisor.controller.errors import FlightError
from supervisor.controller.tapes.archive import DAMAGES, ArchiveWriter, array, member

FORMAT = 1
_HEADER = "header.json"
CHANGE = np.dtype([("scan", "i8"), ("condition", "i4"), ("state", "u4")])
"""A condition took another state in a scan."""


@dataclass(frozen=True)
class TripMark:
    """Why a window was saved; a window may have several."""

    scan: int
    cause: str


@dataclass(frozen=True)
class FlightHeader:
    """What a flight record is of."""

    tool: str
    run_number: str | None
    """Of the run that was active; None outside of runs."""
    period_s: float
    trips: tuple[TripMark, ...]
    tags: tuple[str, ...]
    conditions: tuple[str, ...]
    rows: int
    lost: int = 0
    """Rows that the ring had overwritten before they were read."""
    remarks: tuple[str, ...] = field(default=())
    """What else this record does not hold."""
    format: int = FORMAT


@dataclass(frozen=True)
class FlightRows:
    """What was copied from the ring."""

    scan: NDArray[np.int64]  # [rows]
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]  # [rows, tags]
    status: NDArray[np.uint32]
    source_ns: NDArray[np.int64]


def write_flight(
    path: Path, header: FlightHeader, rows: FlightRows, states: NDArray[np.uint32], changes: NDArray[np.void]
) -> None:
    """Write a record; `states` are those of the conditions before the first row, `changes` rows of `CHANGE`.

    Raises:
        OSError: the disk refuses; nothing is left behind that the disk lets be removed.
    """
    file = ArchiveWriter(path)
    try:
        file.add(_HEADER, json.dumps(asdict(header)).encode())
        file.add_array("scan.npy", rows.scan)
        file.add_array("time_ns.npy", rows.time_ns)
        file.add_array("states.npy", states)
        file.add_array("changes.npy", changes)
        for tag in range(len(header.tags)):
            file.add_array(_column("values", tag), np.ascontiguousarray(rows.values[:, tag]))
            file.add_array(_column("status", tag), np.ascontiguousarray(rows.status[:, tag]))
            # Steps from one row to the next compress to nothing.
            file.add_array(_column("source_ns", tag), np.diff(rows.source_ns[:, tag], prepend=0))
        file.close()
    except BaseException:
        file.discard()
        raise


@dataclass(frozen=True)
class Flight:
    """A whole flight record; its tags are read when they are asked for."""

    path: Path
    header: FlightHeader
    scan: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    states: NDArray[np.uint32]
    """Of each condition before the first row."""
    changes: NDArray[np.void]
    """Rows of `CHANGE`, oldest first."""
    archive: zipfile.ZipFile = field(repr=False)
    """The whole file, in memory."""

    def values(self, tag: str) -> NDArray[np.float64]:
        """Values of a tag by row; raises FlightError when the file has no such tag or is damaged."""
        return self._read("values", tag)

    def status(self, tag: str) -> NDArray[np.uint32]:
        """OPC UA status codes of a tag by row."""
        return self._read("status", tag)

    def source_ns(self, tag: str) -> NDArray[np.int64]:
        """Source times of a tag by row, in ns since 1970."""
        return np.cumsum(self._read("source_ns", tag))

    def condition(self, name: str) -> NDArray[np.uint32]:
        """State bits (kernels.tables.ConditionState) of a condition after each row's scan."""
        if name not in self.header.conditions:
            raise FlightError(f"{self.path} has no condition {name}")
        index = self.header.conditions.index(name)
        mine = self.changes[self.changes["condition"] == index]
        known = np.concatenate((self.states[index : index + 1], mine["state"]))
        return known[np.searchsorted(mine["scan"], self.scan, side="right")]

    def verify(self) -> None:
        """Read everything once; raises FlightError when a member is damaged."""
        for tag in self.header.tags:
            for kind in ("values", "status", "source_ns"):
                self._read(kind, tag)

    def _read(self, kind: str, tag: str) -> NDArray[Any]:
        if tag not in self.header.tags:
            raise FlightError(f"{self.path} has no tag {tag}")
        try:
            column = array(self.archive, _column(kind, self.header.tags.index(tag)))
            if column.shape != self.scan.shape:
                raise ValueError(f"{tag} has {column.shape} rows, not {self.scan.shape}")
        except DAMAGES as error:
            raise FlightError(f"{self.path} is damaged: {error}") from error
        return column


def open_flight(path: Path) -> Flight:
    """Open a record.

    Raises:
        FlightError: it is none, only a part of one, damaged, or of another format.
        OSError: it cannot be read.
    """
    content = io.BytesIO(path.read_bytes())
    try:
        archive = zipfile.ZipFile(content)
        header = _header(path, archive)
        flight = Flight(
            path,
            header,
            scan=array(archive, "scan.npy"),
            time_ns=array(archive, "time_ns.npy"),
            states=array(archive, "states.npy"),
            changes=array(archive, "changes.npy"),
            archive=archive,
        )
        whole = (
            flight.scan.shape == flight.time_ns.shape == (header.rows,)
            and flight.states.shape == (len(header.conditions),)
            and flight.changes.dtype == CHANGE
        )
        if not whole:
            raise ValueError("its parts do not fit one another")
    except zipfile.BadZipFile as error:
        raise FlightError(f"{path} is no flight record, or only a part of one") from error
    except FlightError:
        raise
    except DAMAGES as error:
        raise FlightError(f"{path} is damaged: {error}") from error
    return flight


def _header(path: Path, archive: zipfile.ZipFile) -> FlightHeader:
    if _HEADER not in archive.namelist():
        raise FlightError(f"{path} is an archive, but no flight record")
    found: Any = json.loads(member(archive, _HEADER))
    said = cast("dict[str, Any]", found if isinstance(found, dict) else {})
    if said.get("format") != FORMAT or "trips" not in said:
        raise FlightError(f"{path} is no flight record of format {FORMAT}, which this version reads")
    number = said["run_number"]
    return FlightHeader(
        tool=str(said["tool"]),
        run_number=None if number is None else str(number),
        period_s=float(said["period_s"]),
        trips=tuple(TripMark(int(trip["scan"]), str(trip["cause"])) for trip in said["trips"]),
        tags=tuple(map(str, said["tags"])),
        conditions=tuple(map(str, said["conditions"])),
        rows=int(said["rows"]),
        lost=int(said["lost"]),
        remarks=tuple(map(str, said["remarks"])),
    )


def words(state: int) -> str:
    """State bits in words."""
    return " ".join(bit.name.lower() for bit in ConditionState if bit.name and bit & state) or "calm"


def _column(kind: str, tag: int) -> str:
    return f"{kind}/{tag:06d}.npy"
