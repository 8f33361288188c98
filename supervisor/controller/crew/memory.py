"""What the equipment remembers over restarts: lock-outs, completed operations, counters, work done.

One small JSON document in the data folder, written whole beside and then renamed, with its digest inside; the one
before is kept. It belongs to the controller alone. What cannot be read is never taken for empty: `recalled` says so,
and whoever depends on it takes the safe side.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anyio
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

log = structlog.get_logger()

FILE_NAME = "equipment.json"
PREVIOUS = "equipment.previous.json"
UNREADABLE = "the list of lock-outs could not be read: see that nothing is locked out, then remove this one"


class Part(BaseModel):
    """Base: nothing unknown; changed in place."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class LockOut(Part):
    """A module that nobody energises."""

    user: str
    reason: str
    time_ns: int


class Done(Part):
    """An operation that was completed."""

    run_number: str
    time_ns: int
    findings: dict[str, float] = Field(default_factory=dict[str, float])


class Work(Part):
    """A task of the crew that was carried out."""

    user: str
    comment: str
    time_ns: int


class Calibrated(Part):
    """The correction of a tag: (reading − offset) · gain."""

    version: int
    kind: str
    offset: float
    gain: float
    found_offset: float
    """What the newest calibration found, of readings that were corrected already."""
    found_gain: float
    operation: str
    run_number: str
    user: str
    time_ns: int
    done_ns: dict[str, int] = Field(default_factory=dict[str, int])
    """When each operation that corrects this tag last did: zero and span fall due by themselves."""


class Proven(Part):
    """How the last proof test of an interlock ended."""

    passed: bool
    failure: str = ""
    """Why it failed: nothing is armed until it is repeated or an engineer releases it."""
    test_id: str
    time_ns: int
    passed_ns: int = 0
    """When one was passed last; 0: never."""
    user: str
    witness: str = ""


class Tuned(Part):
    """Gains of a loop that a test has told and a person has approved."""

    version: int
    kp: float
    ti_s: float
    at: float | None = None
    """Where the tag of the loop's schedule stood in the test."""
    proposal_id: str
    run_number: str
    user: str
    time_ns: int


class Testing(Part):
    """A proof test that is under way."""

    test_id: str
    interlock: str
    method: str
    user: str
    begun_ns: int


class Holder(Part):
    """Who holds the control."""

    user: str
    session: str
    place: Literal["local", "remote"]
    since_ns: int
    timeout_s: float


class Remembered(Part):
    """The document."""

    first_ns: int = 0
    """When this tool was first seen: the calendar of tasks that were never done begins here."""
    locks: dict[str, LockOut] = Field(default_factory=dict[str, LockOut])
    control: Holder | None = None
    leak_ns: int = 0
    """When the leak check passed on which what burns in air depends (crew.tightness); 0: it does not count."""
    operations: dict[str, Done] = Field(default_factory=dict[str, Done])
    counters: dict[str, float] = Field(default_factory=dict[str, float])
    used: dict[str, dict[str, float]] = Field(default_factory=dict[str, dict[str, float]])
    """What each counter has gained on each day (ISO date), the last 60."""
    work: dict[str, Work] = Field(default_factory=dict[str, Work])
    calibrations: dict[str, Calibrated] = Field(default_factory=dict[str, Calibrated])
    """By tag, the newest of each."""
    proven: dict[str, Proven] = Field(default_factory=dict[str, Proven])
    """By interlock, the newest of each."""
    testing: Testing | None = None
    tuned: dict[str, Tuned] = Field(default_factory=dict[str, Tuned])
    """By loop: gains in the place of the tool file's."""
    tunings: dict[str, int] = Field(default_factory=dict[str, int])
    """By loop, the version of its last tuning, restored ones too."""


@dataclass
class Memory:
    """The document and its file.

    Args:
        folder: the data folder.
        modules: names of the tool's modules, all locked out when nobody knows which were.
    """

    folder: Path
    modules: tuple[str, ...]
    known: Remembered = field(default_factory=Remembered)
    trouble: str = ""
    """Why the last writing failed; empty when it did not."""
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    def recall(self, now_ns: int) -> list[str]:
        """Read the file, else the one before it (blocking); return what people should know."""
        notices = list[str]()
        for name in (FILE_NAME, PREVIOUS):
            path = self.folder / name
            if not path.exists():
                continue
            try:
                self.known = read(path)
            except (OSError, ValueError) as error:
                notices.append(f"{path} cannot be read: {error}")
                continue
            break
        else:
            self.known = Remembered(first_ns=now_ns)
            if notices:
                self.known.locks = {name: LockOut(user="", reason=UNREADABLE, time_ns=now_ns) for name in self.modules}
                notices.append("every module is locked out, since nobody knows which were")
        return notices

    async def keep(self) -> None:
        """Write the document as it is now; a disk that refuses is told by `trouble`, and nothing is lost in memory."""
        async with self._lock:
            text = self.known.model_dump_json()
            try:
                await anyio.to_thread.run_sync(write, self.folder, text)
            except OSError as error:
                if not self.trouble:
                    log.error("the equipment's memory cannot be written", reason=str(error))  # noqa: TRY400
                self.trouble = str(error)
            else:
                self.trouble = ""


def read(path: Path) -> Remembered:
    """Read a document; raises OSError or ValueError when it is not as it was written."""
    try:
        outer: Any = json.loads(path.read_text(encoding="utf-8"))
        text = outer["document"]
        if hashlib.sha256(text.encode()).hexdigest() != outer["sha256"]:
            raise ValueError("its digest is another")
        return Remembered.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(f"it does not read as it should: {error.errors()[0]['msg']}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no such document: {error!r}") from error


def write(folder: Path, text: str) -> None:
    """Write a document beside and put it in its place, the one before kept (blocking)."""
    path, partial = folder / FILE_NAME, folder / f"{FILE_NAME}.partial"
    with partial.open("w", encoding="utf-8") as file:
        json.dump({"sha256": hashlib.sha256(text.encode()).hexdigest(), "document": text}, file)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        path.replace(folder / PREVIOUS)
    partial.replace(path)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
