"""One scenario in one process at full speed: the real scan, compiled from the shipped tool, with its plant behind it.

A kill takes the scan away: outputs stay for the watchdog's time and fall to their safe values, and a successor begins
as the controller does, with what was latched and with the safe sequence. A stall lets the plant go on with the last
outputs and the scan skip its slots.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from config.gases import is_hazardous
from config.loading import load_tool, shipped_recipe, shipped_tool
from config.plan import plan_recipe
from config.recipe import load_recipe
from config.tool import TagKind
from hil.plant import Plant, create
from kernels.scan import Scan
from kernels.tables import Command, ConditionClass, ConditionFlag, ConditionState, Event, RunState, SystemTag
from supervisor.controller.compile import CompiledPlan, CompiledTool, compile_plan, compile_tool
from tests.system.scenario import Happening, Scenario, Stage, draw
from tests.system.scenario_monitor import GAS_LIMIT_S, HEAT_LIMIT_S, Monitor

RECIPES = {"lpcvd_furnace": "lpcvd_sio2_100nm", "pecvd_showerhead": "pecvd_si3n4_50nm", "mocvd_rdr": "mocvd_gan_2um"}
BEGIN_S = {"lpcvd_furnace": 1152.0, "pecvd_showerhead": 213.0, "mocvd_rdr": 1065.0}
"""When the first hazardous gas flows in an undisturbed run of these."""
LOOK_S = 0.2
WATCHDOG_S = 1.0
"""Instruments let their outputs fall when nobody has spoken for so long."""
END = frozenset({RunState.IDLE, RunState.STOPPED, RunState.ABORTED, RunState.COMPLETE})
SAFE_MARGIN_S = 30.0
DEEDS = {
    "pause": Command.PAUSE, "resume": Command.RESUME, "hold": Command.HOLD, "restart": Command.RESTART,
    "stop": Command.STOP, "abort": Command.ABORT, "arm": Command.ARM, "disarm": Command.DISARM,
}  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """A compiled tool with its recipe: made once."""

    compiled: CompiledTool
    program: CompiledPlan
    hazardous: frozenset[str]
    outputs: dict[str, float]
    """Safe value of each output."""
    dangerous: tuple[int, ...]
    """Tags of hazardous outputs."""
    stage: Stage
    running: tuple[str, ...]
    """Inputs that say that a utility runs."""


@cache
def bench(tool_name: str) -> Bench:
    """Compile a shipped tool and its recipe."""
    tool = load_tool(shipped_tool(tool_name))
    compiled = compile_tool(tool)
    layout = compiled.layout
    plan = plan_recipe(load_recipe(shipped_recipe(RECIPES[tool_name])), tool)
    names = layout.declared
    outputs = {name: float(tag.safe) for name, tag in names.items() if tag.kind is TagKind.OUTPUT}
    plant = create(tool)
    return Bench(
        compiled,
        compile_plan(compiled, plan),
        frozenset(gas.name for gas in tool.gases if is_hazardous(gas.name)),
        outputs,
        tuple(layout.index[name] for name, tag in names.items() if tag.kind is TagKind.OUTPUT and tag.hazardous),
        Stage(
            tuple(sorted(plant._model.sensor_index)),  # type: ignore[attr-defined]
            tuple((n, t.low, t.high) for n, t in names.items() if t.kind in {TagKind.OUTPUT, TagKind.SETPOINT}),
            tuple(gas.name for gas in tool.gases),
            BEGIN_S[tool_name],
        ),
        tuple(n for n, t in names.items() if t.kind is TagKind.INPUT and n.endswith("dry_pump.running")),
    )


def drawn(seed: int) -> Scenario:
    """Draw the scenario of a seed."""
    tool = sorted(RECIPES)[seed % len(RECIPES)]
    return draw(seed, tool, RECIPES[tool], bench(tool).stage)


@dataclass
class Outcome:
    """What became of a scenario."""

    violations: list[str] = field(default_factory=list[str])
    state: str = ""
    trips: list[str] = field(default_factory=list[str])
    kills: int = 0
    simulated_s: float = 0.0


class Trial:
    """Runs a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.of = scenario, bench(scenario.tool)
        tool = self.of.compiled.tool
        self.layout = self.of.compiled.layout
        self.plant: Plant = create(tool, seed=scenario.seed)
        self.scan = self._scan()
        self.monitor = Monitor(self.of.hazardous, vacuum=scenario.tool != "mocvd_rdr")
        self.outcome = Outcome(violations=self.monitor.violations)
        self._touched = self._processed = False
        self.now_s = 0.0
        """The plant's time: it goes on while no scan does."""

    def _scan(self) -> Scan:
        scan = Scan(self.of.compiled.tables)
        scan.attach(self.plant.capsule)
        return scan

    # ---------------------------------------------------------------------------------------------------- its life
    def run(self) -> Outcome:
        """Run it to its end."""
        self._ready()
        waiting = list(self.scenario.happenings)
        begun_s = self.now_s
        while self.now_s - begun_s < self.scenario.length_s:
            while waiting and waiting[0].at_s <= self.now_s - begun_s:
                self._happen(waiting.pop(0))
            self._advance(LOOK_S)
        self._end()
        self.outcome.simulated_s = round(self.now_s, 1)
        self.outcome.state = self.state.name
        return self.outcome

    def _ready(self) -> None:
        self.plant.load_wafers()
        for _ in range(150):
            self._advance(2.0)
            self._reset()
            self.scan.command(int(Command.ARM))
            self._advance(LOOK_S)
            if self._value(SystemTag.ARMED) and not self._value(SystemTag.TRIPPED):
                break
        self.scan.load(0, self.of.program.program)
        self.scan.command(int(Command.LOAD), 0)
        self.scan.command(int(Command.START))
        self._advance(LOOK_S)
        if self.state is not RunState.RUNNING:
            self.outcome.violations.append(f"the run did not start: {self.state.name}")
        self.outcome.trips.clear()

    def _end(self) -> None:
        """End with the safe sequence, within its bound."""
        if self.state not in END | {RunState.ABORTING}:
            self.scan.command(int(Command.ABORT))
        bound_s = self.of.compiled.tool.safe_sequence.bound_s + SAFE_MARGIN_S
        ended_s = self.now_s + bound_s
        self._advance(LOOK_S)
        while self.state not in END and self.now_s < ended_s:
            self._advance(1.0)
        if self.state not in END:
            self.outcome.violations.append(f"the safe sequence has not ended after {bound_s:g} s")
        self.scan.command(int(Command.DISARM))
        self._advance(2.0)
        before = self.plant.state()
        self._advance(2.0)
        self.monitor.at_rest(self.now_s, before, self.plant.state())

    # --------------------------------------------------------------------------------------------------- what happens
    def _happen(self, one: Happening) -> None:
        match one.what:
            case "plant":
                self._touched = True
                args = dict(one.args)
                lasts_s = float(args.get("for_s", float("inf")))
                self.plant.inject({**args, "at_s": self.plant.state()["time_s"]})
                name = str(args["fault"])
                if name in GAS_LIMIT_S or name in HEAT_LIMIT_S:
                    self.monitor.broken(name, self.now_s, self.now_s + lasts_s)
            case "hand":
                self._hand(one.args)
            case "stall":
                self._processed = True
                self._stall(float(one.args["for_s"]))
            case _:
                self._processed = True
                self._kill(float(one.args["dead_s"]))

    def _hand(self, args: dict[str, Any]) -> None:
        self._touched = True
        deed = args["deed"]
        if deed == "reset_all":
            self._reset()
        elif deed == "write":
            self.scan.command(int(Command.WRITE), self.layout.index[args["tag"]], float(args["value"]))
        else:
            self.scan.command(int(DEEDS[deed]))

    def _reset(self) -> None:
        for index in np.flatnonzero(self.scan.conditions()["state"] & int(ConditionState.LATCHED)):
            self.scan.command(int(Command.RESET), int(index))

    def _stall(self, for_s: float) -> None:
        """The plant goes on with what it was given last; the scan misses its slots."""
        slots = max(1, round(for_s / self.scan.period_s))
        self._alone(self._outputs(), slots)
        self.scan.skip(slots)

    def _kill(self, dead_s: float) -> None:
        """The process dies, the instruments' watchdogs act, a successor begins with the safe sequence."""
        self.outcome.kills += 1
        slots = round(1.0 / self.scan.period_s)
        self._alone(self._outputs(), round(WATCHDOG_S * slots))
        self._alone(self.of.outputs, round(dead_s * slots))
        stood = self.scan.conditions()
        flags = self.of.compiled.tables.conditions["flags"]
        self.scan = self._scan()
        for index, row in enumerate(stood):
            latched = bool(int(row["state"]) & ConditionState.LATCHED) and bool(int(flags[index]) & ConditionFlag.LATCH)
            self.scan.recall(index, latched, bool(int(row["state"]) & ConditionState.FIRST_OUT), int(row["trips"]))
        self.scan.advance(1)
        self.now_s += self.scan.period_s
        values = self.scan.values()[0]
        if on := [self.layout.tags[tag] for tag in self.of.dangerous if values[tag] != 0.0]:
            self.outcome.violations.append(f"{self.now_s:.2f} s: on after a restart: {', '.join(on)}")
        state = self.scan.conditions()["state"]
        for index, row in enumerate(stood):
            if int(row["state"]) & ConditionState.LATCHED and not int(state[index]) & ConditionState.LATCHED:
                name = self.layout.conditions[index].name
                self.outcome.violations.append(f"{self.now_s:.2f} s: the latch of {name} is forgotten")
        self.scan.command(int(Command.ABORT))
        self._advance(LOOK_S)

    def _alone(self, outputs: dict[str, float], steps: int) -> None:
        while steps > 0:
            some = min(steps, round(LOOK_S / self.scan.period_s))
            self.plant.advance(outputs, some)
            self.now_s += some * self.scan.period_s
            self.monitor.look(self.now_s, self.plant.state())
            steps -= some

    def _outputs(self) -> dict[str, float]:
        values = self.scan.values()[0]
        return {name: float(values[self.layout.index[name]]) for name in self.of.outputs}

    # --------------------------------------------------------------------------------------------------- what is seen
    def _advance(self, seconds: float) -> None:
        self.scan.advance(round(seconds / self.scan.period_s))
        self.now_s += seconds
        self.monitor.look(self.now_s, self.plant.state())
        self._explain()
        self._utilities()

    def _explain(self) -> None:
        """Every end that a condition has brought about names the condition that came into force in that scan."""
        fresh: dict[int, list[str]] = {}
        classes = self.of.compiled.tables.conditions["cls"]
        for record in self.scan.events():
            kind, index, scan = Event(int(record["kind"])), int(record["index"]), int(record["scan"])
            if kind is Event.CONDITION and int(record["a"]) & int(ConditionState.ACTIVE | ConditionState.LATCHED):
                if int(classes[index]) in {ConditionClass.TRIP, ConditionClass.HOLD}:
                    fresh.setdefault(scan, []).append(self.layout.conditions[index].name)
            elif kind is Event.RUN_STATE and int(record["b"]) == 1:
                self.outcome.trips += fresh.get(scan, [])
                if not fresh.get(scan):
                    self.outcome.violations.append(
                        f"scan {scan}: {RunState(index).name} by a condition that is not told"
                    )
                elif not self._touched and not self._processed and self.outcome.kills == 0 and self.now_s > 320:
                    names = ", ".join(fresh[scan])
                    self.outcome.violations.append(f"scan {scan}: nothing was broken, and {names} tripped")

    def _utilities(self) -> None:
        """What the process does never stops a pump."""
        if self._touched or self.now_s < 10.0:
            return
        values = self.scan.values()[0]
        for name in self.of.running:
            if values[self.layout.index[name]] == 0.0:
                self.outcome.violations.append(f"{self.now_s:.2f} s: {name} has stopped without a fault of the plant")

    def _value(self, tag: SystemTag) -> float:
        return float(self.scan.values()[0][tag])

    @property
    def state(self) -> RunState:
        """State of the run."""
        return RunState(int(self._value(SystemTag.RUN_STATE)))


def judge(scenario: Scenario) -> Outcome:
    """Run a scenario and return what was wrong with it; nothing should be."""
    return Trial(scenario).run()


def shrink(scenario: Scenario) -> Scenario:
    """Leave out happenings as long as something is still wrong."""
    kept = list(scenario.happenings)
    for one in list(kept):
        fewer = tuple(other for other in kept if other is not one)
        if judge(Scenario(scenario.tool, scenario.recipe, scenario.seed, fewer, scenario.length_s)).violations:
            kept.remove(one)
    last_s = max((one.at_s for one in kept), default=0.0)
    shorter = Scenario(scenario.tool, scenario.recipe, scenario.seed, tuple(kept), min(scenario.length_s, last_s + 60))
    return shorter if judge(shorter).violations else replace(shorter, length_s=scenario.length_s)
