"""A daemon as small as the address space allows: a furnace's tags, four users, recipes and runs in dictionaries."""

import json
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import numpy as np
from numpy.typing import NDArray

import config
from config.alarm_list import alarm_list
from config.layout import Layout
from config.tool import Module, ModuleKind, Tag, TagKind, Tool
from kernels.image import Rows, Snapshot
from kernels.tables import CONDITION_STATE, ConditionState
from opcua_model.conditions.state import AlarmState
from opcua_model.interface import AuditEntry, Caller, Entry, PastEvent, Refused, Summary
from opcua_model.server import UaServer
from opcua_model.settings import Settings

PASSWORDS = {"olga": "valve-17", "erika": "quartz-92", "amir": "boat-33", "max": "pump-08", "otto": "look-01"}
ROLES = {
    "olga": frozenset({"operator"}),
    "erika": frozenset({"engineer"}),
    "amir": frozenset({"engineer"}),
    "max": frozenset({"maintenance"}),
    "otto": frozenset({"observer"}),
}
START_NS = 1_700_000_000_000_000_000
BAD_NO_COMMUNICATION = 0x80310000


FURNACE = config.load_tool(config.shipped_tool("lpcvd_furnace"))


def furnace() -> Tool:
    """The shipped furnace; read once, before any loop runs."""
    return FURNACE


def furnace_with(tags: int) -> Tool:
    """The shipped furnace with a module of many more tags."""
    tool = furnace()
    more = tuple(
        Tag(
            name=f"signal{number:04d}",
            kind=TagKind.INPUT,
            unit="°C",
            description="A signal.",
            low=0.0,
            high=1000.0,
        )
        for number in range(tags)
    )
    module = Module(name="extra", kind=ModuleKind.METROLOGY, description="Many signals.", tags=more)
    return tool.model_copy(update={"modules": (*tool.modules, module)})


@dataclass
class FakeDaemon:
    """What a test needs to play the daemon: set values, look at calls."""

    tool: Tool
    calls: list[tuple[Caller, str, str, list[Any]]] = field(default_factory=list)
    writes: list[tuple[Caller, str, float]] = field(default_factory=list)
    sessions: dict[str, Caller] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    recipes: dict[str, dict[str, Any]] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)
    audited: list[AuditEntry] = field(default_factory=list)
    language: dict[str, str] = field(default_factory=dict)
    """What reasons of refusals are called in the language of the installation."""
    refusal: Refused | None = None
    copies: int = 0

    def __post_init__(self) -> None:
        self._layout = Layout(self.tool)
        self.reset()

    def reset(self) -> None:
        """Begin again as on the first day."""
        for kept in (self.calls, self.writes, self.told, self.recipes, self.audited, self.language):
            kept.clear()
        self.refusal, self.copies = None, 0
        self.alarm_states = {
            one.name: AlarmState(one.name, (0,) * len(one.points), (0,) * len(one.points), severity=one.severity(0))
            for one in alarm_list(self._layout).values()
        }
        tags, conditions = len(self._layout.tags), len(self._layout.conditions)
        rows = np.zeros(conditions, CONDITION_STATE)
        rows["last_trip"] = -1
        self._values = Snapshot(
            scan=1000,
            time_ns=START_NS,
            values=np.zeros(tags),
            status=np.zeros(tags, np.uint32),
            source_ns=np.full(tags, START_NS, np.int64),
            conditions=rows,
        )
        self.recorded: dict[str, tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint32]]] = {}
        self.ring: list[Snapshot] = []
        self.summaries: dict[str, Summary] = {}
        self.past: list[PastEvent] = []
        self.kept: dict[str, list[Entry]] = {}
        self.told.update(
            {
                "State/Mode": "Ready",
                "State/E10State": "StandBy",
                "State/ControlOwner": "",
                "State/ControlLocation": "",
                "Runs/ActiveRun/RunId": "",
                "Runs/ActiveRun/RunNumber": "",
                "Runs/ActiveRun/State": "IDLE",
                "Runs/ActiveRun/StepIndex": -1,
                "Runs/ActiveRun/StepName": "",
                "Runs/ActiveRun/Progress": 0.0,
                "Services/Active": "",
                "Diagnostics/ControllerAlive": True,
                "Diagnostics/ScanPeriodUs": 10_000.0,
                "Diagnostics/Overruns": 0,
                "Diagnostics/TapeRows": 12,
            }
        )

    # ---------------------------------------------------------------------------- what the address space calls

    @property
    def layout(self) -> Layout:
        return self._layout

    def values(self) -> Snapshot:
        self.copies += 1
        now = self._values
        return replace(now, values=now.values.copy(), status=now.status.copy(), source_ns=now.source_ns.copy())

    def rows(self, after: int) -> Rows:
        last, size = len(self.ring), len(self._layout.tags)
        chosen = self.ring[after:]
        return Rows(
            np.array([row.scan for row in chosen], np.int64),
            np.array([row.time_ns for row in chosen], np.int64),
            np.array([row.values for row in chosen], np.float64).reshape(-1, size),
            np.array([row.status for row in chosen], np.uint32).reshape(-1, size),
            np.array([row.source_ns for row in chosen], np.int64).reshape(-1, size),
            next=last,
            lost=0,
        )

    def alarms(self) -> Mapping[str, AlarmState]:
        return self.alarm_states

    def variables(self) -> dict[str, Any]:
        return dict(self.told)

    async def authenticate(self, user: str, password: str, peer: str) -> frozenset[str] | None:
        await anyio.lowlevel.checkpoint()
        return ROLES[user] if PASSWORDS.get(user) == password else None

    async def authenticate_certificate(self, thumbprint: str, peer: str) -> tuple[str, frozenset[str]] | None:
        await anyio.lowlevel.checkpoint()
        user = self.certificates.get(thumbprint)
        return None if user is None else (user, ROLES[user])

    async def call(self, caller: Caller, path: str, method: str, arguments: Sequence[Any]) -> Sequence[Any]:
        self.calls.append((caller, path, method, list(arguments)))
        await anyio.lowlevel.checkpoint()
        if self.refusal is not None:
            raise self.refusal
        answer = getattr(self, f"_{method}", None)
        return () if answer is None else answer(caller, *arguments)

    async def write(self, caller: Caller, tag: str, value: float) -> None:
        self.writes.append((caller, tag, value))
        await anyio.lowlevel.checkpoint()
        if self.refusal is not None:
            raise self.refusal
        self.set(tag, value)

    async def history(
        self, tag: str, start_ns: int, end_ns: int, limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint32]]:
        await anyio.lowlevel.checkpoint()
        none = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint32))
        times, values, codes = self.recorded.get(tag, none)
        low, high = min(start_ns, end_ns), max(start_ns, end_ns)
        inside = np.flatnonzero((times >= low) & (times <= high))
        if start_ns > end_ns:
            inside = inside[::-1]
        inside = inside[:limit]
        return times[inside], values[inside], codes[inside]

    async def summary(self, tag: str, start_ns: int, end_ns: int) -> Summary | None:
        await anyio.lowlevel.checkpoint()
        return self.summaries.get(tag)

    async def past_events(
        self, start_ns: int, end_ns: int, limit: int, source: str, behind: tuple[int, int] | None
    ) -> Sequence[PastEvent]:
        await anyio.lowlevel.checkpoint()
        low, high = min(start_ns, end_ns), max(start_ns, end_ns)
        found = [one for one in self.past if low <= one.occurrence.time_ns <= high]
        if source:
            found = [one for one in found if f"{one.occurrence.source}/".startswith(f"{source}/")]
        found.sort(key=lambda one: (one.occurrence.time_ns, one.number), reverse=start_ns > end_ns)
        if behind is not None:
            keys = [(one.occurrence.time_ns, one.number) for one in found]
            found = found[keys.index(behind) + 1 :]
        return found[:limit]

    def words(self, english: str) -> str:
        return self.language.get(english, english)

    async def audit(self, entry: AuditEntry) -> None:
        await anyio.lowlevel.checkpoint()
        self.audited.append(entry)

    async def entries(self, folder: str, first: int, count: int) -> tuple[int, Sequence[Entry]]:
        await anyio.lowlevel.checkpoint()
        kept = self.kept.get(folder, [])
        return len(kept), kept[first : first + count]

    def opened(self, caller: Caller) -> None:
        self.sessions[caller.session] = caller

    def closed(self, session: str) -> None:
        del self.sessions[session]

    # ------------------------------------------------------------------------------------- what a test does to it

    def scan(self, tag: str, values: Sequence[float]) -> None:
        """Let the controller scan once for each value of a tag, 10 ms apart; nobody looks in between."""
        index, now = self._layout.index[tag], self._values
        for value in values:
            now = replace(now, scan=now.scan + 1, time_ns=now.time_ns + 10_000_000, values=now.values.copy())
            now = replace(now, source_ns=now.source_ns.copy(), status=now.status.copy())
            now.values[index], now.source_ns[index] = value, now.time_ns
            self.ring.append(now)
        self._values = replace(now, values=now.values.copy())

    def set(self, tag: str, value: float, status: int = 0) -> None:
        """Give a tag a value, one second later than everything before."""
        index = self._layout.index[tag]
        now = self._values
        now.values[index], now.status[index] = value, status
        now.source_ns[index] = now.time_ns + 1_000_000_000
        self._values = replace(now, time_ns=now.time_ns + 1_000_000_000, scan=now.scan + 100)

    def set_all(self, values: NDArray[np.float64]) -> None:
        """Give every tag a new value."""
        self._values.values[:] = values
        self._values.source_ns[:] += 1_000_000_000
        self._values = replace(self._values, time_ns=self._values.time_ns + 1_000_000_000)

    def lose_controller(self) -> None:
        """Do what the daemon does when its real-time half is gone."""
        self._values.status[:] = BAD_NO_COMMUNICATION
        self.told["Diagnostics/ControllerAlive"] = False

    def trip(self, name: str) -> None:
        """Trip an interlock as the first of its group."""
        row = self._values.conditions[self._layout.condition_index[name]]
        row["state"] = ConditionState.RAW | ConditionState.ACTIVE | ConditionState.LATCHED | ConditionState.FIRST_OUT
        row["trips"] += 1
        row["last_trip"] = self._values.scan

    # ---------------------------------------------------------------------------------------- methods that answer

    def _AddRecipe(self, caller: Caller, document: str) -> Sequence[Any]:  # noqa: N802 - the method's name
        try:
            name = json.loads(document)["name"]
        except (ValueError, KeyError) as error:
            raise Refused("BadInvalidArgument", f"Json: $.name: {error}") from error
        recipe = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        self.recipes[recipe] = {"name": name, "author": caller.user, "status": "draft"}
        return recipe, 1

    def _ApproveRecipe(self, caller: Caller, recipe: str, version: int, comment: str) -> Sequence[Any]:  # noqa: N802
        found = self.recipes.get(recipe)
        if found is None:
            raise Refused("BadNotFound", f"there is no recipe {recipe}, version {version}")
        if found["author"] == caller.user:
            raise Refused("BadUserAccessDenied", f"{caller.user} wrote this recipe; another engineer approves it")
        found["status"] = "approved"
        return ()

    def _GetRecipe(self, caller: Caller, recipe: str, version: int) -> Sequence[Any]:  # noqa: N802
        return (json.dumps(self.recipes.get(recipe, {})),)

    def _CreateRun(self, caller: Caller, recipe: str, version: int, *rest: str) -> Sequence[Any]:  # noqa: N802
        if self.recipes.get(recipe, {}).get("status") != "approved":
            raise Refused("BadInvalidState", "the recipe is not approved")
        self.told["Runs/ActiveRun/RunId"] = run = str(uuid.uuid4())
        self.told["Runs/ActiveRun/RunNumber"] = "CVD-20260101-120000"
        return run, "CVD-20260101-120000"

    def _StartRun(self, caller: Caller, run: str) -> Sequence[Any]:  # noqa: N802
        self.told["Runs/ActiveRun/State"] = "RUNNING"
        return ()

    def _GetRun(self, caller: Caller, run: str) -> Sequence[Any]:  # noqa: N802
        return (json.dumps({"run_id": run, "status": self.told["Runs/ActiveRun/State"]}),)

    def _GetResults(self, caller: Caller, run: str) -> Sequence[Any]:  # noqa: N802
        return (json.dumps({"run_id": run, "thickness_mean_nm": 100.2}),)

    def _GetTelemetry(self, caller: Caller, run: str, start: datetime, end: datetime, limit: int) -> Sequence[Any]:  # noqa: N802
        return (json.dumps({"start": start.isoformat(), "rows": limit}),)

    def _CheckInterlocks(self, caller: Caller) -> Sequence[Any]:  # noqa: N802
        return True, "[]"

    def _WhyNot(self, caller: Caller, target: str) -> Sequence[Any]:  # noqa: N802
        return True, [f"{target} = closed", "  ← held at 0", "    ← trip over_pressure"]

    def _RequestBypass(self, caller: Caller, reason: str, duration_s: float) -> Sequence[Any]:  # noqa: N802
        return (str(uuid.uuid4()),)


@asynccontextmanager
async def serving(daemon: FakeDaemon, folder: Path, **changes: Any) -> AsyncGenerator[UaServer]:
    """Serve a daemon's tool on a free port of the loopback address."""
    settings = replace(
        Settings(folder=folder / "pki", endpoint="opc.tcp://127.0.0.1:0/cvd", software_revision="1.2.3"), **changes
    )
    async with UaServer(daemon, settings) as server:
        yield server


async def until(condition: Any, within_s: float = 20.0) -> None:
    """Wait for something that another task brings about."""
    with anyio.fail_after(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for comes over a socket
            await anyio.sleep(0.01)


def now_utc() -> datetime:
    """The present."""
    return datetime.now(UTC)
