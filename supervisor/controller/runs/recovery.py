"""What the journal says of the controller before this one: its replies, the run that it left open, what stood.

A checkpoint says all at once; the records behind it say what has changed since. So only the tail is read, however long
the journal is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kernels.image import Snapshot
from kernels.tables import RunState, SystemTag
from supervisor.link.journal import Journal
from supervisor.link.messages import Event, EventKind

WINDOW = 20_000
"""Records that are read at start; doubled until the last beginning or end of a run and a checkpoint are among them."""
KEPT = ("latched", "bypassed", "first_out")
"""State bits of a condition that matter after a crash; whether it is active its inputs say anew."""

_BARRIERS = frozenset({EventKind.BOOT, EventKind.RUN_STARTED, EventKind.RUN_ENDED})
"""A boot is one too: it stands behind the record that closes what the controller before it left open."""


@dataclass
class Standing:
    """What stood when the last controller died: it is told, and what protects is taken over."""

    conditions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """`latched`, `bypassed`, `first_out`, `trips` by name, of those that have anything to say."""
    forces: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """`value`, `user`, `reason` by tag."""

    def take(self, event: Event) -> None:
        """Follow an event."""
        data = event.data
        if event.kind is EventKind.CHECKPOINT:
            self.conditions = dict(data.get("conditions") or {})
            self.forces = dict(data.get("forces") or {})
        elif event.kind is EventKind.CONDITION:
            self.conditions[str(data.get("name"))] = kept(data, int(data.get("trips") or 0))
        elif event.kind is EventKind.FORCE_EXPIRED:
            self.forces.pop(str(data.get("tag")), None)
        elif event.kind is EventKind.BYPASS_EXPIRED:
            self.conditions.get(str(data.get("name")), {})["bypassed"] = False
        elif event.kind is EventKind.COMMAND and data.get("status") == "Good":
            self._command(data)
        elif event.kind in {EventKind.SHUTDOWN, EventKind.BOOT}:
            self.forces.clear()

    def _command(self, data: Mapping[str, Any]) -> None:
        args: dict[str, Any] = data.get("args") or {}
        match data.get("kind"):
            case "force":
                principal: dict[str, Any] = data.get("principal") or {}
                said = {"value": args.get("value"), "user": principal.get("user"), "reason": args.get("reason")}
                self.forces[str(args.get("tag"))] = said
            case "unforce":
                self.forces.pop(str(args.get("tag")), None)
            case "set_mode" if args.get("mode") != "Maintenance":
                self.forces.clear()
            case _:
                pass

    @property
    def latched(self) -> list[str]:
        """Conditions that were latched."""
        return [name for name, state in self.conditions.items() if state.get("latched")]

    @property
    def bypassed(self) -> list[str]:
        """Interlocks that were bypassed."""
        return [name for name, state in self.conditions.items() if state.get("bypassed")]


@dataclass
class OpenRun:
    """A run without a record, as far as the journal knows it."""

    started: Event
    state: str = ""
    """The last state that was told of it."""
    step: int = -1
    entries: dict[int, int] = field(default_factory=dict[int, int])
    """How often each step was entered."""
    elapsed_s: float = 0.0
    step_elapsed_s: float = 0.0
    step_gas_scc: dict[str, float] = field(default_factory=dict[str, float])
    time_ns: int = 0
    """When the last of this was said, in the tool's time: a simulation's is ahead of the clock."""
    wall_ns: int = 0
    """The same by the clock, to the last checkpoint; 0: not known."""

    def take(self, event: Event) -> None:
        """Follow an event of the run."""
        data = event.data
        self.time_ns = event.time_ns
        if event.kind is EventKind.RUN_STATE:
            self.state = str(data.get("state", ""))
        elif event.kind is EventKind.STEP:
            self.step = int(data.get("index", -1))
            self.entries[self.step] = self.entries.get(self.step, 0) + 1
            self.step_elapsed_s, self.step_gas_scc = 0.0, {}
        elif event.kind is EventKind.CHECKPOINT:
            self.step, self.elapsed_s = int(data["step"]), float(data["elapsed_s"])
            self.step_elapsed_s = float(data["step_elapsed_s"])
            self.wall_ns = int(data.get("wall_ns") or 0)
            self.step_gas_scc = dict(data.get("step_gas_scc") or {})
            entries: dict[str, int] = data.get("entries") or {}
            self.entries = {int(step): int(count) for step, count in entries.items()}

    def where(self) -> dict[str, Any]:
        """Where the run was, for its record and for people."""
        steps: list[dict[str, Any]] = self.started.data.get("steps") or []
        here = steps[self.step] if 0 <= self.step < len(steps) else {}
        return {
            "step": self.step,
            "step_name": str(here.get("name", "")),
            "path": here.get("path"),
            "elapsed_s": round(self.elapsed_s, 3),
            "step_elapsed_s": round(self.step_elapsed_s, 3),
            "step_gas_scc": self.step_gas_scc,
            "entries": self.entries.get(self.step, 0),
            "begun": any(step.get("path") for step in steps[: self.step + 1]),
            "state": self.state,
            "time_ns": self.time_ns,
            "wall_ns": self.wall_ns,
        }


@dataclass
class Recovered:
    """What is known of the past."""

    first: bool = True
    """Nothing has ever been written."""
    clean: bool = True
    """The last controller closed the journal, or there was none."""
    commands: list[Event] = field(default_factory=list[Event])
    run: OpenRun | None = None
    """A run that has no record."""
    interrupted: dict[str, Any] | None = None
    """Data of RUN_INTERRUPTED about which nobody has decided."""
    standing: Standing = field(default_factory=Standing)
    tool_sha256: str = ""
    """Of the tool file that the last controller ran with."""
    version: str = ""
    notices: list[str] = field(default_factory=list[str])


def recover(journal: Journal) -> Recovered:
    """Read the journal's tail."""
    window = WINDOW
    while True:
        after = max(0, journal.last_seq - window)
        recovered, sure = _read(journal, after)
        if sure or after == 0:
            break
        window *= 2
    recovered.notices = list(journal.recovered)
    return recovered


def refine(run: OpenRun, row: Snapshot) -> None:
    """Take the last row of the image, when it is of this run: a killed process leaves it, a power cut does not."""
    if row.scan < 0 or row.time_ns < run.time_ns:
        return
    state = RunState(int(row.values[SystemTag.RUN_STATE]))
    step = int(row.values[SystemTag.STEP])
    if state in {RunState.IDLE, RunState.STOPPED, RunState.ABORTED, RunState.COMPLETE} or step < 0:
        return
    if step != run.step:  # The record of this step was still under way.
        run.step, run.step_gas_scc = step, {}
        run.entries[step] = run.entries.get(step, 0) + 1
    run.elapsed_s = float(row.values[SystemTag.RUN_ELAPSED_S])
    run.step_elapsed_s = float(row.values[SystemTag.STEP_ELAPSED_S])
    run.time_ns = row.time_ns


def kept(state: Mapping[str, Any], trips: int) -> dict[str, Any]:
    """Return what a checkpoint keeps of a condition."""
    return {**{bit: bool(state.get(bit)) for bit in KEPT}, "trips": trips}


def _read(journal: Journal, after: int) -> tuple[Recovered, bool]:
    found = Recovered()
    barrier = checkpoint = False
    for event in journal.read(after):
        found.first = False
        found.clean = event.kind is EventKind.SHUTDOWN
        barrier = barrier or event.kind in _BARRIERS
        checkpoint = checkpoint or event.kind is EventKind.CHECKPOINT
        found.standing.take(event)
        _follow(found, event)
    return found, barrier and checkpoint


def _follow(found: Recovered, event: Event) -> None:
    data = event.data
    if "tool_sha256" in data:
        found.tool_sha256, found.version = str(data["tool_sha256"]), str(data.get("version", ""))
    match event.kind:
        case EventKind.COMMAND:
            found.commands.append(event)
            if data.get("kind") == "recover" and data.get("status") == "Good":
                found.interrupted = None
        case EventKind.RUN_STARTED:
            found.run = OpenRun(event, time_ns=event.time_ns)
            if data.get("kind") == "recipe":
                found.interrupted = None
        case EventKind.RUN_INTERRUPTED:
            found.interrupted = data
        case EventKind.BOOT | EventKind.RUN_ENDED:
            found.run = None
        case EventKind.RUN_STATE | EventKind.STEP | EventKind.CHECKPOINT if found.run is not None:
            if data.get("run_id") == found.run.started.data.get("run_id"):
                found.run.take(event)
        case _:
            pass
