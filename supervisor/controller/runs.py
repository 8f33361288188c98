"""The life of a run: what is running, in which step, for how long, what went wrong, and its summary at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio

from kernels.tables import Program, RunState
from supervisor.controller.gas_use import GasMeter
from supervisor.controller.scanner import END_STATES
from supervisor.controller.timing import TimingMark, timing_since
from supervisor.link.messages import Principal

RunKind = Literal["recipe", "operation"]


@dataclass(frozen=True)
class StepPlan:
    """A step as the plan has it."""

    name: str
    planned_s: float
    owner: str
    """`recipe`, or the operation that it belongs to."""


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
    recipe: str = ""
    recipe_sha256: str | None = None
    process_mode: str | None = None

    def started(self) -> dict[str, Any]:
        """Data of RUN_STARTED."""
        return {
            "run_id": self.run_id,
            "run_number": self.run_number,
            "kind": self.kind,
            "name": self.name,
            "steps": [{"name": s.name, "planned_s": s.planned_s, "owner": s.owner} for s in self.steps],
            "planned_s": self.planned_s,
            "engineering": self.engineering,
            "recipe_sha256": self.recipe_sha256,
            "process_mode": self.process_mode,
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
    entered: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Steps in the order in which they were entered, with the scan."""
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
        self.step = step
        self.entered.append((step, scan))

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
            self.ended_scan = scan

    def tripped(self, trip: dict[str, Any]) -> None:
        """A trip or hold came into force during the run."""
        if len(self.trips) < 100:
            self.trips.append(trip)

    def durations(self, now: int) -> list[dict[str, Any]]:
        """What each step took so far, in the order of the plan; a step entered more than once is added up."""
        end = now if self.ended_scan is None else self.ended_scan
        actual = [0.0] * len(self.plan.steps)
        seen = [False] * len(self.plan.steps)
        leaves = [scan for _, scan in self.entered[1:]] + [end]
        for (step, scan), leave in zip(self.entered, leaves, strict=True):
            if 0 <= step < len(actual):
                actual[step] += (leave - scan) * self.period_s
                seen[step] = True
        return [
            {
                "index": index,
                "name": step.name,
                "owner": step.owner,
                "planned_s": step.planned_s,
                "actual_s": actual[index] if seen[index] else None,
            }
            for index, step in enumerate(self.plan.steps)
        ]

    def summary(self, timing: Any) -> dict[str, Any]:
        """Data of the run's record; `timing` is the image's at the end."""
        self.gas.update()
        end = self.started_scan if self.ended_scan is None else self.ended_scan
        return {
            "duration_s": (end - self.started_scan) * self.period_s,
            "planned_s": self.plan.planned_s,
            "steps": self.durations(end),
            "trips": self.trips,
            "holds": self.holds,
            "timing": timing_since(self.timing, timing),
            "gas_use_scc": dict(self.gas.use_scc),
            "gas_missing_s": dict(self.gas.missing_s),
            "engineering": self.plan.engineering,
        }

    def progress(self, now: int, step_elapsed_s: float) -> dict[str, Any]:
        """Where the run is, for screens."""
        elapsed = ((now if self.ended_scan is None else self.ended_scan) - self.started_scan) * self.period_s
        left = sum(step.planned_s for step in self.plan.steps[self.step + 1 :])
        if 0 <= self.step < len(self.plan.steps):
            left += max(0.0, self.plan.steps[self.step].planned_s - step_elapsed_s)
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
            "remaining_s": 0.0 if self.ended_scan is not None else left,
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
