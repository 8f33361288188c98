"""A compiled tool on the real scan, with instruments that simply follow what they are told."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from config.plan import Plan, plan_recipe
from config.recipe import Recipe
from config.tool import Tool
from kernels.scan import Scan
from kernels.tables import Command, Event, RunState, SystemTag
from supervisor.controller.compile import CompiledPlan, CompiledTool, compile_plan, compile_tool

GOOD, BAD = 0, 0x80000000
BASE_TORR = 0.0005


@dataclass
class Stand:
    """A scan whose inputs follow its outputs at once: zones sit at their set points, flows at theirs."""

    tool: Tool
    compiled: CompiledTool = field(init=False)
    scan: Scan = field(init=False)
    readings: dict[str, float] = field(default_factory=dict[str, float])
    """Inputs that say something else."""
    events: list[tuple[Event, int, float, float]] = field(default_factory=list[tuple[Event, int, float, float]])
    plan: CompiledPlan | None = None

    def __post_init__(self) -> None:
        self.compiled = compile_tool(self.tool)
        self.scan = Scan(self.compiled.tables)
        self.advance(2)
        self.command(Command.ARM)

    # -------------------------------------------------------------------------------------------------- reading
    def __getitem__(self, tag: str) -> float:
        return float(self.scan.values()[0][self.compiled.layout.index[tag]])

    @property
    def state(self) -> RunState:
        return RunState(int(self.scan.values()[0][SystemTag.RUN_STATE]))

    @property
    def step(self) -> str:
        """Name of the step that runs."""
        number = int(self.scan.values()[0][SystemTag.STEP])
        return self.plan.steps[number].name if self.plan and number >= 0 else ""

    # --------------------------------------------------------------------------------------------------- acting
    def load(self, plan: Plan | Recipe) -> None:
        """Compile, load and start."""
        if isinstance(plan, Recipe):
            plan = plan_recipe(plan, self.tool)
        self.plan = compile_plan(self.compiled, plan)
        self.scan.load(0, self.plan.program)
        self.scan.command(Command.LOAD, 0)
        self.command(Command.START)

    def command(self, op: Command, target: int = 0, a: float = 0.0) -> None:
        """Give a command and run the scan that latches it."""
        self.scan.command(op, target, a)
        self.advance(1)

    def advance(self, scans: int = 1) -> None:
        """Run scans with instruments that follow."""
        for _ in range(scans):
            self._post()
            self.scan.advance(1)
        for event in self.scan.events():
            self.events.append((Event(int(event["kind"])), int(event["index"]), float(event["a"]), float(event["b"])))

    def until(self, happened: Callable[[], bool], limit: int = 100_000) -> int:
        """Run until something is so; returns the number of scans."""
        for count in range(limit):
            if happened():
                return count
            self.advance(1)
        raise AssertionError(f"did not happen in {limit} scans; state {self.state.name}, step {self.step!r}")

    def reach(self, step: str) -> None:
        """Run until a step has begun."""
        self.until(lambda: self.step == step)

    def _post(self) -> None:
        readings = dict[str, float]()
        flow = 0.0
        for gas in self.tool.gases:
            readings[gas.flow] = self[gas.setpoint] if self[gas.valve] > 0.5 else 0.0
            flow += readings[gas.flow]
        for zone in self.tool.recipe.zones:
            readings[zone.process_value] = self[zone.setpoint]
        pressure = self.tool.recipe.pressure
        readings[pressure.process_value] = BASE_TORR
        if flow and self[pressure.mode] == 2:
            readings[pressure.process_value] = self[pressure.setpoint]
        readings |= self.readings
        tags = np.array([self.compiled.layout.index[tag] for tag in readings], np.int32)
        values = np.array(list(readings.values()))
        status = np.array([BAD if np.isnan(value) else GOOD for value in values], np.uint32)
        self.scan.post_many(tags, np.nan_to_num(values), status, np.full(len(values), 1, np.int64))
