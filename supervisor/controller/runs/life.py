"""The life of a run: what is running, in which step, for how long, what went wrong, and its summary at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio

from config.equipment import Recency
from kernels.tables import Program, RunState
from supervisor.controller.runs.gas_use import GasMeter
from supervisor.controller.scanning.scanner import END_STATES
from supervisor.controller.scanning.timing import TimingMark, timing_since
from supervisor.link.messages import Principal

RunKind = Literal["recipe", "operation"]


@dataclass(frozen=True)
class StepPlan:
    """A step as the plan has it."""

    name: str
    pass_s: float
    """Planned length of one pass."""
    owner: str
    """`recipe`, or the operation that it belongs to."""
    passes: int = 1
    """How often it runs."""
    path: str | None = None
    """Where it stands in the recipe: `recipe_steps[3]`."""

    @property
    def planned_s(self) -> float:
        """Planned length of all its passes."""
        return self.pass_s * self.passes


@dataclass(frozen=True)
class RunPlan:
    """Everything that is known of a run before it starts."""

    run_id: str
    run_number: str
    kind: RunKind
    name: str
    steps: tuple[StepPlan, ...]
    """By the number that a STEP event gives; a cycle's members once, whatever their repetitions."""
    planned_s: float
    """Expected length, repetitions included."""
    program: Program
    reasons: Mapping[int, str]
    """Why a check is made, by its instruction."""
    principal: Principal
    engineering: bool = False
    operation: str | None = None
    """Name of the service operation, when it is one."""
    recipe: str = ""
    recipe_sha256: str | None = None
    process_mode: str | None = None
    limits: Mapping[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])
    """What further guards of a step watch, by its number and their place."""
    requires: tuple[Recency, ...] = ()
    """Operations that the recipe asks to have been completed lately."""
    recovery: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What its recipe wants after a crash: `policy`, `within_s`, and how its steps may be resumed, by their paths."""
    continues: str | None = None
    """Number of the run whose rest this is."""

    def started(self) -> dict[str, Any]:
        """Data of RUN_STARTED."""
        return {
            "run_id": self.run_id,
            "run_number": self.run_number,
            "kind": self.kind,
            "name": self.name,
            "steps": [
                {"name": s.name, "planned_s": s.planned_s, "owner": s.owner, "passes": s.passes, "path": s.path}
                for s in self.steps
            ],
            "planned_s": self.planned_s,
            "engineering": self.engineering,
            "recipe_sha256": self.recipe_sha256,
            "process_mode": self.process_mode,
            "recovery": dict(self.recovery),
            "continues": self.continues,
            "user": self.principal.user,
            "principal": self.principal.model_dump(mode="json"),
        }


@dataclass
class Run:
    """A run from its start to its record."""

    plan: RunPlan
    period_s: float
    started_scan: int
    timing: TimingMark
    gas: GasMeter
    state: RunState = RunState.IDLE
    step: int = -1
    ended_scan: int | None = None
    cause: str = ""
    entered_scan: int = -1
    """Scan in which the present step was entered."""
    scans_in: dict[int, int] = field(default_factory=dict[int, int])
    """Scans that each step has taken, all its passes together, the present one left out."""
    entries: dict[int, int] = field(default_factory=dict[int, int])
    """How often each step was entered."""
    entered_scc: dict[str, float] = field(default_factory=dict[str, float])
    """Gas that had been used when the present step was entered."""
    done_s: float = 0.0
    """Planned time of all that is behind."""
    trips: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    holds: int = 0

    @property
    def step_name(self) -> str:
        """Name of the present step; empty outside of one."""
        return self.name_of(self.step)

    def name_of(self, step: int) -> str:
        """Name of a step; empty where there is none."""
        return self.plan.steps[step].name if 0 <= step < len(self.plan.steps) else ""

    def enter(self, step: int, scan: int) -> None:
        """A step begins."""
        self.leave(scan)
        self.step, self.entered_scan = step, scan
        self.entries[step] = self.entries.get(step, 0) + 1
        self.entered_scc = dict(self.gas.use_scc)

    def leave(self, scan: int) -> None:
        """The present step is over."""
        if 0 <= self.step < len(self.plan.steps) and self.entered_scan >= 0:
            self.scans_in[self.step] = self.scans_in.get(self.step, 0) + scan - self.entered_scan
            self.done_s += self.plan.steps[self.step].pass_s
        self.entered_scan = -1

    def become(self, state: RunState, scan: int, cause: str) -> None:
        """The run state changes."""
        if self.state is RunState.IDLE:
            self.started_scan = scan
        self.state = state
        if state is RunState.HOLDING:
            self.holds += 1
        if state in {RunState.STOPPING, RunState.ABORTING} or (state is RunState.COMPLETE and not self.cause):
            self.cause = cause
        if state in END_STATES:
            self.leave(scan)
            self.ended_scan = scan

    def tripped(self, trip: dict[str, Any]) -> None:
        """A trip or hold came into force during the run."""
        if len(self.trips) < 100:
            self.trips.append(trip)

    def durations(self) -> list[dict[str, Any]]:
        """What each step took, in the order of the plan; one that never began has no duration."""
        return [
            {
                "index": index,
                "name": step.name,
                "owner": step.owner,
                "planned_s": step.planned_s,
                "actual_s": self.scans_in[index] * self.period_s if index in self.scans_in else None,
            }
            for index, step in enumerate(self.plan.steps)
        ]

    def count_gas(self) -> None:
        """Take the flows since the last call."""
        if self.state is not RunState.IDLE:
            self.gas.update(self.started_scan, self.ended_scan)

    def summary(self, timing: Any) -> dict[str, Any]:
        """Data of the run's record; `timing` is the image's at the end."""
        self.count_gas()
        end = self.started_scan if self.ended_scan is None else self.ended_scan
        return {
            "duration_s": (end - self.started_scan) * self.period_s,
            "planned_s": self.plan.planned_s,
            "steps": self.durations(),
            "trips": self.trips,
            "holds": self.holds,
            "timing": timing_since(self.timing, timing),
            "gas_use_scc": dict(self.gas.use_scc),
            "gas_missing_s": dict(self.gas.missing_s),
            "engineering": self.plan.engineering,
        }

    def step_gas_scc(self) -> dict[str, float]:
        """Gas that the present step has used, in standard cm³."""
        return {gas: used - self.entered_scc.get(gas, 0.0) for gas, used in self.gas.use_scc.items()}

    def progress(self, now: int, step_elapsed_s: float) -> dict[str, Any]:
        """Where the run is, for screens."""
        elapsed = ((now if self.ended_scan is None else self.ended_scan) - self.started_scan) * self.period_s
        left = self.plan.planned_s - self.done_s
        if 0 <= self.step < len(self.plan.steps):
            left -= min(step_elapsed_s, self.plan.steps[self.step].pass_s)
        return {
            "run_id": self.plan.run_id,
            "run_number": self.plan.run_number,
            "kind": self.plan.kind,
            "name": self.plan.name,
            "state": self.state.name,
            "step": self.step,
            "step_name": self.step_name,
            "steps": len(self.plan.steps),
            "planned_s": self.plan.planned_s,
            "elapsed_s": elapsed,
            "remaining_s": 0.0 if self.ended_scan is not None else max(0.0, left),
            "engineering": self.plan.engineering,
        }


class Runs:
    """The one run that may be active."""

    def __init__(self) -> None:
        self.active: Run | None = None
        """From its start to its record; its program may already have ended."""
        self.last: Run | None = None
        self._settled = anyio.Event()
        self._settled.set()

    def begin(self, run: Run) -> None:
        """A run starts."""
        self.active = run
        self._settled = anyio.Event()

    def close(self) -> None:
        """The run's record has been written."""
        self.last, self.active = self.active, None
        self._settled.set()

    async def settled(self) -> None:
        """Wait until no run is left without its record."""
        await self._settled.wait()
