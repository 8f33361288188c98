"""One run at full speed on the simulated plant: the same tables, the same scan, no clock and no daemon.

Scans run in blocks of a second of the tool's time; between them events are read and flows are counted, so nothing of
Python stands in a scan's way. A run that is held waits for a person, and here there is none: it is aborted, and the
result says what held it.
"""

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from config.exhaust import exhaust_load
from config.faults import ConfigError
from config.gases import is_hazardous
from config.plan import Plan, plan_operation
from config.preflight import Preflight, preflight
from config.recipe import Recipe, recipe_document
from config.tool import Tool
from hil.errors import ScriptError
from kernels.scan import Scan
from kernels.tables import Command, ConditionClass, ConditionState, Event, Refusal, RunState, SystemTag
from supervisor.controller.compile import CompiledPlan, CompiledTool, compile_plan, compile_tool
from supervisor.controller.errors import BindingError, ControllerError
from supervisor.controller.simulation_result import Incident, Occurrence, SimulatedStep, SimulationResult

BLOCK_S = 1.0
"""Tool time between two looks at what happened."""
READY_S = 300.0
"""The tool is given so long to become ready: instruments answer, interlocks clear."""
OVERTIME = 10.0
"""A run is ended after this many times its planned length."""
TRICKLE_SLM = 0.005
"""Less than this is the zero of flow meters (engineering default)."""
END_STATES = (RunState.STOPPED, RunState.ABORTED, RunState.COMPLETE)
BAD = 0x80000000
CAUSES = ("command", "condition", "program", "timeout", "guard", "fault")
"""Words of RUN_STATE's `b` (docs/reference/scan.md, 4)."""
SCCM = {"sccm": 1.0, "slm": 1000.0}
"""Standard cm³ a minute in one of a flow's unit."""


Watch = Callable[[float, NDArray[np.float64]], None]


class SimulatedPlant(Protocol):
    """A plant as this module uses it (`hil.plant`)."""

    @property
    def capsule(self) -> Any:
        """What `Scan.attach` wants."""
        ...

    def measure(self) -> dict[str, Any]:
        """What a measurement of the wafers gives."""
        ...

    def load_wafers(self) -> None:
        """Put fresh wafers into the boat."""
        ...

    def inject(self, fault: dict[str, Any]) -> None:
        """Let something fail."""
        ...


def simulate(
    tool: Tool,
    recipe: Recipe,
    *,
    seed: int | None = None,
    faults: Sequence[Mapping[str, Any]] = (),
    watch: Watch | None = None,
) -> SimulationResult:
    """Run a recipe on the simulated plant.

    Args:
        tool: it must have a plant.
        recipe: what runs, with the tool's own operations around it.
        seed: of the plant's noise; the tool's unless given.
        faults: what the plant shall let fail, in its words (`hil.plant.Plant.inject`). `at_s` counts from the start
            of the run, or from the first start of the step that `at_step` names.
        watch: gets the time in the run and all tags, once in a second of it.

    Raises:
        ConfigError: the recipe cannot run on the tool; every fault of the preflight.
        BindingError: the tool has no plant.
        CompileError: the tool or the recipe cannot become tables.
        ControllerError: the simulated tool does not become ready.
        ValueError: a fault that the plant does not know.
    """
    report = preflight(recipe, tool)
    if report.plan is None:
        raise ConfigError(report.faults)
    if tool.plant is None:
        raise BindingError(f"the tool {tool.name} has no [plant] section: there is nothing to simulate")
    from hil.plant import create

    compiled = compile_tool(tool)
    seed = tool.plant.seed if seed is None else seed
    plant: SimulatedPlant = create(tool, seed=seed)
    steps = {step.name for step in report.plan.steps}
    script = sorted((_Scripted.read(fault, steps) for fault in faults), key=lambda one: one.at_s)
    # A plant of its own takes the whole script first: what it cannot do is said before anything runs.
    rehearsal: SimulatedPlant = create(tool, seed=seed)
    for one in script:
        rehearsal.inject({**one.fault, "at_s": one.at_s})
    run = _Run(compiled, report.plan, compile_plan(compiled, report.plan), plant, script, watch)
    started = time.perf_counter()
    run.prepare()
    run.run()
    return run.result(recipe, report, seed, time.perf_counter() - started)


def simulate_operation(tool: Tool, name: str, *, seed: int | None = None, watch: Watch | None = None) -> str:
    """Run a service operation on the simulated plant; return how it ended: COMPLETE, or a state and its cause.

    Raises:
        ControllerError: there is no such operation, or the simulated tool does not become ready.
        BindingError: the tool has no plant.
    """
    operation = next((one for one in tool.operations if one.name == name), None)
    if operation is None:
        raise ControllerError(f"the tool {tool.name} has no operation {name!r}")
    if tool.plant is None:
        raise BindingError(f"the tool {tool.name} has no [plant] section: there is nothing to simulate")
    from hil.plant import create

    compiled, plan = compile_tool(tool), plan_operation(operation, tool)
    plant: SimulatedPlant = create(tool, seed=tool.plant.seed if seed is None else seed)
    run = _Run(compiled, plan, compile_plan(compiled, plan), plant, [], watch)
    run.prepare()
    run.run()
    return run.state.name if run.state is RunState.COMPLETE else f"{run.state.name}: {run.cause}"


@dataclass(frozen=True)
class _Scripted:
    """A fault with its moment."""

    at_s: float
    at_step: str | None
    fault: dict[str, Any]

    @classmethod
    def read(cls, fault: Mapping[str, Any], steps: Collection[str]) -> "_Scripted":
        """Split a fault from its moment."""
        rest = {name: value for name, value in fault.items() if name not in {"at_s", "at_step"}}
        at_s, at_step = fault.get("at_s", 0.0), fault.get("at_step")
        if isinstance(at_s, bool) or not isinstance(at_s, int | float) or not 0 <= at_s < math.inf:
            raise ScriptError(f"fault {rest.get('fault')}: at_s must be a number of seconds, is {at_s!r}")
        if at_step is not None and at_step not in steps:
            known = ", ".join(sorted(steps))
            raise ScriptError(f"fault {rest.get('fault')}: there is no step {at_step!r}; there are {known}")
        return cls(float(at_s), at_step, rest)


@dataclass
class _Run:
    """The scan, and what it has told."""

    compiled: CompiledTool
    plan: Plan
    program: CompiledPlan
    plant: SimulatedPlant
    script: list[_Scripted]
    watch: Watch | None = None
    scan: Scan = field(init=False)
    state: RunState = RunState.IDLE
    cause: str = ""
    step: int = -1
    first_scan: int = 0
    """Scan in which the run started."""
    last_scan: int = 0
    entered: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Step and scan."""
    alarms: list[Occurrence] = field(default_factory=list[Occurrence])
    incidents: list[Incident] = field(default_factory=list[Incident])
    holds: int = 0
    refusals: dict[int, Refusal] = field(default_factory=dict[int, Refusal])
    injected: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _active: dict[int, ConditionState] = field(default_factory=dict[int, ConditionState])
    _held_by: str = ""

    def __post_init__(self) -> None:
        layout = self.compiled.layout
        self.scan = Scan(self.compiled.tables)
        self.scan.attach(self.plant.capsule)
        self._block = max(1, round(BLOCK_S / self.scan.period_s))
        gases = self.compiled.tool.gases
        self._flow_tags = np.array([layout.index[gas.flow] for gas in gases], np.intp)
        self._per_second = np.array([SCCM.get(layout.declared[gas.flow].unit, 1.0) / 60.0 for gas in gases])
        self._used = np.zeros(len(gases))
        self._missing = np.zeros(len(gases))
        self._hazardous = np.array([is_hazardous(gas.name) for gas in gases], bool)
        self._peak_slm = self._peak_hazardous_slm = self._peak_share = 0.0

    # ---------------------------------------------------------------------------------------------------- running
    def prepare(self) -> None:
        """Let instruments answer and interlocks clear, reset what the start latched, arm."""
        self.plant.load_wafers()
        for _ in range(round(READY_S / BLOCK_S)):
            self._advance()
            conditions = self.scan.conditions()
            for index in np.flatnonzero(conditions["state"] & int(ConditionState.LATCHED)):
                self.scan.command(Command.RESET, int(index))
            self.scan.command(Command.ARM)
            self.scan.advance(1)
            self._read()
            if self.refusals.get(Command.ARM) is Refusal.NONE and not self.scan.values()[0][SystemTag.TRIPPED]:
                break
        else:
            raise ControllerError(f"the simulated tool does not become ready: {self._in_force() or 'not armed'}")
        self.alarms.clear()
        self.incidents.clear()

    def run(self) -> None:
        """Start the program and follow it to its end."""
        self.scan.load(0, self.program.program)
        self.first_scan = self.scan.index + 1
        self._command(Command.LOAD)
        self._command(Command.START)
        longest = round(OVERTIME * max(self.plan.planned_s, 60.0) / BLOCK_S)
        for _ in range(longest):
            self._inject()
            self._advance()
            if self.state in END_STATES:
                return
            if self.state is RunState.HELD:
                self._held_by = self.cause
                self._command(Command.ABORT)
        raise ControllerError(f"the run did not end within {OVERTIME:g} times its planned {self.plan.planned_s:g} s")

    def _command(self, op: Command, target: int = 0) -> None:
        self.refusals.pop(op, None)
        self.scan.command(op, target)
        self.scan.advance(1)
        self._read()
        refusal = self.refusals.get(op, Refusal.WRONG_STATE)
        if refusal is not Refusal.NONE:
            why = self._in_force() if refusal is Refusal.CONDITION_ACTIVE else refusal.name
            raise ControllerError(f"the simulated tool refuses {op.name}: {why}")

    def _advance(self) -> None:
        self.scan.advance(self._block)
        values, status, _ = self.scan.values()
        flows = values[self._flow_tags]
        unknown = (status[self._flow_tags] >= BAD) | ~np.isfinite(flows)
        seconds = self._block * self.scan.period_s
        if self.entered and self.state not in END_STATES:
            per_second = np.where(unknown, 0.0, np.maximum(flows, 0.0)) * self._per_second
            self._used += per_second * seconds
            self._note_peaks(per_second)
            self._missing += unknown * seconds
            if self.watch is not None:
                self.watch(self._seconds(self.scan.index), values)
        self._read()

    def _note_peaks(self, per_second: NDArray[np.float64]) -> None:
        """Greatest flows into the exhaust; of a trickle no share is told."""
        whole_slm = float(per_second.sum()) * 0.06  # scc/s → slm
        hazardous_slm = float(per_second[self._hazardous].sum()) * 0.06
        self._peak_slm = max(self._peak_slm, whole_slm)
        self._peak_hazardous_slm = max(self._peak_hazardous_slm, hazardous_slm)
        if whole_slm > TRICKLE_SLM:
            self._peak_share = max(self._peak_share, hazardous_slm / whole_slm)

    def _inject(self) -> None:
        """Hand the plant what is due: what counts from the start at once, with its time; the rest with its step."""
        for one in list(self.script):
            begun = self.first_scan
            if one.at_step is not None:
                scans = [scan for step, scan in self.entered if self.program.steps[step].name == one.at_step]
                if not scans:
                    continue
                begun = scans[0]
            at_s = begun * self.scan.period_s + one.at_s
            self.plant.inject({**one.fault, "at_s": at_s})
            self.injected.append({**one.fault, "at_s": round(at_s - self.first_scan * self.scan.period_s, 6)})
            self.script.remove(one)

    # ---------------------------------------------------------------------------------------------------- reading
    def _seconds(self, scan: int) -> float:
        return round((scan - self.first_scan) * self.scan.period_s, 6)

    def _step_name(self) -> str:
        return self.program.steps[self.step].name if self.step >= 0 else ""

    def _in_force(self) -> str:
        """Names of the trips and holds that stand in the way."""
        state, cls = self.scan.conditions()["state"], self.compiled.tables.conditions["cls"]
        engaged = (ConditionClass.TRIP, ConditionClass.HOLD)
        bits = int(ConditionState.ACTIVE | ConditionState.LATCHED)
        names = [one.name for one in self.compiled.layout.conditions]
        return ", ".join(names[i] for i in range(len(names)) if int(cls[i]) in engaged and int(state[i]) & bits)

    def _read(self) -> None:
        for record in self.scan.events():
            kind, index = Event(int(record["kind"])), int(record["index"])
            scan, a, b = int(record["scan"]), float(record["a"]), float(record["b"])
            match kind:
                case Event.COMMAND:
                    self.refusals[index] = Refusal(int(b))
                case Event.RUN_STATE:
                    self._become(RunState(index), CAUSES[int(b)], scan)
                case Event.STEP:
                    self.step = index
                    self.entered.append((index, scan))
                case Event.CONDITION:
                    self._condition(index, ConditionState(int(a)), scan)
                case _:
                    self._incident(kind, index, a, scan)

    def _become(self, state: RunState, cause: str, scan: int) -> None:
        self.state = state
        if state in (RunState.HOLDING, RunState.STOPPING, RunState.ABORTING):
            self.cause = self._held_by or self._because(cause)
        if state is RunState.HOLDING:
            self.holds += 1
        if state is RunState.COMPLETE:
            self.cause = cause
        if state in END_STATES:
            self.last_scan = scan

    def _because(self, cause: str) -> str:
        """The cause in words: of the last thing that was told before."""
        if cause == "condition" and self.alarms:
            engaged = [one for one in self.alarms if one.cls in {"trip", "hold"}]
            return f"{engaged[-1].cls} {engaged[-1].name}: {engaged[-1].description}" if engaged else cause
        if self.incidents:
            return f"{self.incidents[-1].kind} in {self.incidents[-1].step}: {self.incidents[-1].text}"
        return cause

    def _condition(self, index: int, state: ConditionState, scan: int) -> None:
        before = self._active.get(index, ConditionState(0))
        self._active[index] = state
        if not state & ConditionState.ACTIVE or before & ConditionState.ACTIVE:
            return
        declared = self.compiled.layout.conditions[index]
        cls = ConditionClass(int(self.compiled.tables.conditions["cls"][index])).name.lower()
        first_out = bool(state & ConditionState.FIRST_OUT)
        self.alarms.append(
            Occurrence(
                self._seconds(scan), self._step_name(), declared.name, cls, declared.priority.value,
                declared.description, first_out,
            )
        )  # fmt: skip

    def _incident(self, kind: Event, index: int, a: float, scan: int) -> None:
        words = {
            Event.TIMEOUT: lambda: f"waited {a * self.scan.period_s:g} s for its condition",
            Event.GUARD: lambda: self._left(index, int(a)),
            Event.CHECK_FAILED: lambda: self.program.reasons.get(index, "a check of the safe sequence"),
            Event.LOOP_FAULT: lambda: f"loop {self.compiled.tool.loops[index].name} lost its measurement",
            Event.PROGRAM_FAULT: lambda: f"instruction {index} cannot be executed",
            Event.LOST: lambda: f"{a:g} events were lost",
        }
        if kind in words:
            self.incidents.append(Incident(self._seconds(scan), self._step_name(), kind.name.lower(), words[kind]()))

    def _left(self, step: int, place: int) -> str:
        limit = self.program.limits.get((step, place))
        return "left its tolerance" if limit is None else f"beyond its limit: not {limit}"

    # ----------------------------------------------------------------------------------------------------- result
    def result(self, recipe: Recipe, report: Preflight, seed: int, wall_s: float) -> SimulationResult:
        """Everything that is known at the end."""
        leaves = [scan for _, scan in self.entered[1:]] + [self.last_scan]
        steps = tuple(
            SimulatedStep(info.name, info.owner, info.operation, info.planned_s, self._seconds(scan),
                          round((leave - scan) * self.scan.period_s, 6))
            for (number, scan), leave in zip(self.entered, leaves, strict=True)
            for info in (self.program.steps[number],)
        )  # fmt: skip
        names = [gas.name for gas in self.compiled.tool.gases]
        return SimulationResult(
            tool=self.compiled.tool.name,
            recipe=recipe.name,
            recipe_sha256=recipe_document(recipe).sha256,
            process_mode=report.process_mode,
            seed=seed,
            state=self.state.name,
            cause=self.cause,
            duration_s=self._seconds(self.last_scan),
            planned_s=self.plan.planned_s,
            steps=steps,
            alarms=tuple(self.alarms),
            incidents=tuple(self.incidents),
            holds=self.holds,
            gas_use_scc={name: round(float(used), 3) for name, used in zip(names, self._used, strict=True) if used > 0},
            exhaust=exhaust_load(
                {name: float(used) for name, used in zip(names, self._used, strict=True) if used > 0},
                self._peak_slm,
                self._peak_hazardous_slm,
                self._peak_share,
            ),
            gas_missing_s={name: float(lost) for name, lost in zip(names, self._missing, strict=True) if lost > 0},
            metrology=self.plant.measure(),
            warnings=tuple(f"{fault.path}: {fault.reason}" for fault in report.warnings),
            hazard_level=report.hazard_level,
            scans=self.scan.index + 1,
            wall_s=wall_s,
            digest=f"{self.scan.digest & 0xFFFFFFFFFFFFFFFF:016x}",
            faults=tuple(self.injected),
        )
