"""A simulated tool, the furnace unless given, with its real scan.

A recipe or an operation runs, faults strike, and the image is read by name.
"""

import numpy as np

from config.gas_rules import LEAK_PASSED
from config.gases import is_hazardous
from config.layout import Layout
from config.loading import shipped_recipe
from config.plan import plan_operation, plan_recipe
from config.recipe import load_recipe
from config.tool import Tool
from hil import plant
from kernels.scan import Scan
from kernels.tables import Command, ConditionState, RunState, SystemTag
from supervisor.controller.compile import CompiledTool, compile_plan, compile_tool
from tests.hil.furnace import SCANS_PER_S, furnace_tool

AT_REST = {"door_lock", "door_drive", "boat_drive", "transfer", "line_purge_permissive"}
"""Permissives that are withheld while a tool stands evacuated: nothing of the door, the boat, the robot moves."""
UNPROVEN = {"leak_check_due", "gas_behind_door", "air_before_purge"}
"""Those that are withheld after its start: nothing is known yet of what is left in the chamber, or whether it leaks."""


class ToolRun:
    """A scan with a simulated tool, else the furnace, behind it, armed and at rest."""

    def __init__(self, seed: int = 1, *, tool: Tool | None = None, **parameters: float) -> None:
        self.compiled: CompiledTool = compile_tool(tool or furnace_tool(**parameters))
        self.layout: Layout = self.compiled.layout
        self.plant = plant.create(self.compiled.tool, seed=seed)
        self.scan = Scan(self.compiled.tables)
        self.scan.attach(self.plant.capsule)
        self.wait(2)
        self.scan.command(int(Command.ARM))
        self.wait(3)  # the abatement answers

    def clear(self) -> None:
        """As after a leak check and a purge: any gas may come in."""
        tags = self.layout.declared
        if LEAK_PASSED in tags:
            self.write(LEAK_PASSED, 0.0)
            self.write(LEAK_PASSED, 1.0)
        inert = next(gas for gas in self.compiled.tool.gases if not is_hazardous(gas.name))
        self.write(inert.setpoint, min(max(2000.0, 0.5 * tags[inert.setpoint].high), tags[inert.setpoint].high))
        self.write(inert.valve, 1.0)
        for _ in range(4000):
            self.wait(0.5)
            if self["gas_safety.chamber.purged"]:
                break
        else:
            raise AssertionError("the chamber is not purged within 2000 s")
        self.write(inert.valve, 0.0)
        self.write(inert.setpoint, 0.0)
        self.wait(5)

    def start(self, recipe: str = "", operation: str = "") -> None:
        """Load and start a shipped recipe or an operation of the tool."""
        tool = self.compiled.tool
        if recipe:
            plan = plan_recipe(load_recipe(shipped_recipe(recipe)), tool)
        else:
            plan = plan_operation(next(o for o in tool.operations if o.name == operation), tool)
        program = compile_plan(self.compiled, plan)
        self.steps = [step.name for step in program.steps]
        self.scan.load(0, program.program)
        self.scan.command(int(Command.LOAD), 0)
        self.scan.command(int(Command.START))
        self.wait(0.01)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.scan.advance(round(seconds * SCANS_PER_S))

    def until_step(self, name: str, limit_s: float = 4000.0) -> None:
        """Let time pass until a step begins."""
        wanted = self.steps.index(name)
        for _ in range(round(limit_s)):
            if self["system.step"] >= wanted:
                return
            self.wait(1)
        raise AssertionError(f"step {name} did not begin within {limit_s:g} s; state {self.state.name}")

    def until_end(self, limit_s: float = 5000.0) -> RunState:
        """Let time pass until the run has ended or is held."""
        for _ in range(round(limit_s)):
            if self.state in {RunState.STOPPED, RunState.ABORTED, RunState.COMPLETE, RunState.HELD}:
                return self.state
            self.wait(1)
        raise AssertionError(f"no end within {limit_s:g} s; state {self.state.name}")

    def write(self, tag: str, value: float) -> None:
        """A person's write."""
        self.scan.command(int(Command.WRITE), self.layout.index[tag], value)
        self.wait(0.01)

    def __getitem__(self, tag: str) -> float:
        """Value of a tag."""
        return float(self.scan.values()[0][self.layout.index[tag]])

    @property
    def state(self) -> RunState:
        """Where the run is."""
        return RunState(int(self.scan.values()[0][SystemTag.RUN_STATE]))

    def in_force(self) -> set[str]:
        """Names of the conditions that are active or latched."""
        states = self.scan.conditions()["state"]
        names = list(self.layout.condition_index)
        mask = int(ConditionState.ACTIVE | ConditionState.LATCHED)
        return {names[i] for i in np.flatnonzero(states & mask)}

    def first_out(self) -> set[str]:
        """Names of the conditions that were the first of their group."""
        states = self.scan.conditions()["state"]
        names = list(self.layout.condition_index)
        return {names[i] for i in np.flatnonzero(states & int(ConditionState.FIRST_OUT))}

    def trip_delay(self, condition: str, limit_s: float = 10.0) -> float:
        """Scan by scan until a condition is in force; how long it took, s."""
        for scans in range(round(limit_s * SCANS_PER_S)):
            if condition in self.in_force():
                return scans / SCANS_PER_S
            self.scan.advance(1)
        raise AssertionError(f"{condition} did not come within {limit_s:g} s; in force: {sorted(self.in_force())}")
