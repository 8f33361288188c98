"""What the address space needs from the daemon, stated as protocols, and what it hands to them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from config.alarm_list import AlarmDefinition
from config.layout import Layout
from kernels.image import Rows, Snapshot
from opcua_model.conditions.state import AlarmState


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """A call is refused: `status` is a symbolic OPC UA status code, the text a reason a person can act on."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Caller:
    """The person behind a session."""

    user: str
    """Empty for an anonymous session."""
    roles: frozenset[str]
    session: str
    peer: str = ""
    """Address that the session comes from."""
    signed: bool = True
    """Whether its channel is signed at least; one that is not reaches nothing that moves the tool."""


@dataclass(frozen=True)
class Argument:
    """An argument of a method: name, OPC UA type name (`String`, `Double`, `UInt32`, `DateTime`, `Boolean`), text."""

    name: str
    type: str
    description: str
    array: bool = False
    """One-dimensional array of the type."""
    secret: bool = False
    """Its value is told to nobody: not in audit events, not in logs."""


@dataclass(frozen=True)
class Method:
    """A method of the contract: where it stands, what goes in and out, and which roles may call it."""

    owner: str
    """Path below the tool object: `Recipes`, `Interlocks/*` for each interlock."""
    name: str
    description: str
    inputs: tuple[Argument, ...] = ()
    outputs: tuple[Argument, ...] = ()
    roles: frozenset[str] = frozenset()
    """Any of them may call; empty: every authenticated session."""
    standard: int = 0
    """Identifier of the method of a type of the standard that it is; 0: it is our own."""


@dataclass(frozen=True)
class Entry:
    """An object that comes and goes: a recipe version, a run, a result, a process mode, an SPC series."""

    folder: str
    """`Recipes`, `Runs`, `Results`, `ProcessModes`, `Spc`."""
    name: str
    """Its BrowseName."""
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    """Its properties by BrowseName: str, float, int, bool, datetime or list of float."""
    description: str = ""


@dataclass(frozen=True)
class AuditEntry:
    """Something that belongs into the audit trail: who did what from where, and what came of it."""

    caller: Caller
    action: str
    """An event type of Part 5 without its ending: `AuditOpenSecureChannel`."""
    peer: str
    status: str
    """Symbolic status code."""
    detail: dict[str, str]


WINDOW = 60
"""Entries that a folder itself shows; with its methods it stays below a hundred children."""


class Backend(Protocol):
    """The daemon as the address space sees it."""

    @property
    def layout(self) -> Layout:
        """Tags and conditions of the tool."""
        ...

    def values(self) -> Snapshot:
        """Copy all tags; when the controller is gone every status is Bad."""
        ...

    def rows(self, after: int) -> Rows:
        """Copy rows of the scan from row number `after` on, oldest first; a number beyond all: where the next stands.

        The ring holds some seconds; what was overwritten before it was asked for counts as lost.
        """
        ...

    def alarms(self) -> Mapping[str, AlarmState]:
        """Return the states of all alarms by name (config.alarm_list)."""
        ...

    def variables(self) -> dict[str, Any]:
        """Return everything below `State`, `Runs/ActiveRun`, `Services` and `Diagnostics` by path.

        Values are str, float, int, bool or datetime, or a list of float; the set of paths never changes after start.
        Those of `opcua_model.variables.VARIABLES` are expected, more are welcome; `Interlocks/<name>/Why` and
        `Alarms/<name>/Why` may be among them: everything else of a condition follows from the image. Cheap enough to
        be asked ten times a second.
        """
        ...

    async def authenticate(self, user: str, password: str, peer: str) -> frozenset[str] | None:
        """Return the roles of a user, None when user or password is wrong (both take the same time).

        Guessing is made slow here, by name and by peer.
        """
        ...

    async def authenticate_certificate(self, thumbprint: str, peer: str) -> tuple[str, frozenset[str]] | None:
        """Return name and roles of who logs in with a certificate (SHA-256, hexadecimal), None when nobody does."""
        ...

    async def call(self, caller: Caller, path: str, method: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Carry out a method; raises Refused."""
        ...

    async def write(self, caller: Caller, tag: str, value: float) -> None:
        """Move a set point by hand; raises Refused."""
        ...

    async def history(
        self, tag: str, start_ns: int, end_ns: int, limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint32]]:
        """Return times, values and statuses of a tag in time order (newest first when start is after end).

        Both ends belong to the range; `limit` rows at most. Raises Refused.
        """
        ...

    def words(self, english: str) -> str:
        """Say the reason of a refusal, or the message of an alarm, in the language of this installation."""
        ...

    async def audit(self, entry: AuditEntry) -> None:
        """Keep an entry in the audit trail; logins, calls and writes are there already."""
        ...

    async def summary(self, tag: str, start_ns: int, end_ns: int) -> "Summary | None":
        """Return what was counted of a tag in a stretch of time, None when not all of it was; raises Refused."""
        ...

    async def past_events(
        self, start_ns: int, end_ns: int, limit: int, source: str, behind: tuple[int, int] | None
    ) -> "Sequence[PastEvent]":
        """Return events of a source and of what is below it (empty: all) in time order; raises Refused.

        They come newest first when start is after end; both ends belong to the range. `behind`: go on after the event
        of this time and number.
        """
        ...

    async def entries(self, folder: str, first: int, count: int) -> "tuple[int, Sequence[Entry]]":
        """Return how many entries a folder has, and `count` of them from number `first` on, oldest first."""
        ...

    def opened(self, caller: Caller) -> None:
        """A session was activated."""
        ...

    def closed(self, session: str) -> None:
        """A session ended, by request or timeout."""
        ...


@dataclass(frozen=True)
class Occurrence:
    """An event to emit: source path below the tool object, severity 1…1000, text, and named fields."""

    source: str
    severity: int
    message: str
    time_ns: int
    type: str = "BaseEventType"
    """One of `opcua_model.types.EVENT_TYPES`; left alone, what comes from a run or an interlock gets its own."""
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    """Fields of its type by name; a run's or interlock's that are left out are taken from what the tree shows."""


@dataclass(frozen=True)
class Summary:
    """What was counted of a tag's values in buckets of equal width, in order of time and without a gap."""

    start_ns: int
    end_ns: int
    width_ns: int
    good: NDArray[np.float64]
    """[n], values with a Good status."""
    bad: NDArray[np.float64]
    """[n], all others."""
    sum: NDArray[np.float64]
    """[n], of the good values."""
    squares: NDArray[np.float64]
    """[n], of their distances from the mean of their bucket."""
    low: NDArray[np.float64]
    """[n], least good value; NaN where there is none."""
    high: NDArray[np.float64]
    """[n], greatest good value; NaN where there is none."""


@dataclass(frozen=True)
class PastEvent:
    """An event of the past with the number that orders events of one moment."""

    number: int
    id: bytes
    occurrence: Occurrence
    alarm: AlarmState | None = None
    """What the alarm was, where it is the event of one."""


class AddressSpace(Protocol):
    """What the daemon gets back: ways to show things that come and go. All are called on the event loop."""

    async def show(self, entry: Entry) -> None:
        """Create or refresh an entry."""
        ...

    async def hide(self, folder: str, name: str) -> None:
        """Remove an entry."""
        ...

    async def emit(self, occurrence: Occurrence) -> None:
        """Emit an event."""
        ...

    async def add_alarm(self, definition: AlarmDefinition, state: AlarmState) -> None:
        """Show an alarm that the tool file does not declare; one that is there already is no fault."""
        ...

    async def alarm(self, state: AlarmState, *, told: bool) -> None:
        """Show the state of an alarm, and emit its event when there is one."""
        ...


Clock = Callable[[], int]
Stop = Callable[[], Awaitable[None]]
