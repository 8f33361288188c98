"""A tool on its plant under its own loops, moved as an operator does: the stories and the benchmark of control."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.loading import load_tool, shipped_tool
from config.plan import plan_operation
from config.tool import Operation, Tool
from hil import plant
from hil.parts.wiring import PA_PER_TORR
from kernels.scan import Scan
from kernels.tables import Command, ConditionState, Event, GroupState, Refusal
from supervisor.controller.compile import compile_plan, compile_tool

READY_S = 300


class Regulated:
    """The simulated tool, armed, with its loops as the tool file has them."""

    def __init__(self, tool: Tool | str, *, seed: int = 1) -> None:
        if isinstance(tool, str):
            tool = load_tool(shipped_tool(tool))
        self.compiled = compile_tool(tool)
        self.plant: Any = plant.create(tool, seed=seed)
        self.scan = Scan(self.compiled.tables, tape=False)
        self.scan.attach(self.plant.capsule)
        self.per_s = round(1.0 / self.scan.period_s)
        self.index = self.compiled.layout.index
        self.log: list[Any] = []
        for _ in range(READY_S):
            self.run(1)
            for condition in np.flatnonzero(self.scan.conditions()["state"] & int(ConditionState.LATCHED)):
                self.scan.command(Command.RESET, int(condition))
            self.scan.command(Command.ARM)
            self.scan.advance(1)
            events = self.scan.events()
            if any(e["kind"] == Event.COMMAND and e["index"] == Command.ARM and e["b"] == Refusal.NONE for e in events):
                break
        else:
            raise AssertionError("the simulated tool does not become ready")

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.scan.advance(round(seconds * self.per_s))
        self.log.extend(self.scan.events())

    def write(self, **values: float) -> None:
        """Write tags, `__` for a point; in force with the next scan."""
        self.set({name.replace("__", "."): value for name, value in values.items()})

    def set(self, values: dict[str, float]) -> None:
        """Write tags; in force with the next scan, and never refused."""
        for number, (name, value) in enumerate(values.items()):
            self.scan.command(Command.WRITE, self.index[name], value, 0.0, number)
        self.scan.advance(1)
        events = self.scan.events()
        refused = [e for e in events if e["kind"] == Event.COMMAND and e["b"] != Refusal.NONE]
        assert not refused, f"refused: {refused}"
        self.log.extend(events)

    def start(self, steps: list[dict[str, Any]]) -> None:
        """Start a program of these steps, as an operation of the tool."""
        words = {"name": "story", "title": "Story", "description": "Of a test", "bound_s": 1e6, "steps": steps}
        operation = Operation.model_validate_json(json.dumps(words))
        plan = compile_plan(self.compiled, plan_operation(operation, self.compiled.tool))
        self.scan.load(0, plan.program)
        self.scan.command(Command.LOAD, 0)
        self.scan.command(Command.START)
        self.scan.advance(1)
        events = self.scan.events()
        assert all(e["b"] == Refusal.NONE for e in events if e["kind"] == Event.COMMAND)
        self.log.extend(events)

    def value(self, *names: str) -> Any:
        """Return tags' values."""
        values = self.scan.values()[0]
        row = [float(values[self.index[name]]) for name in names]
        return row[0] if len(row) == 1 else np.array(row)

    @property
    def controls(self) -> list[GroupState]:
        """Who controlled, in order of the changes."""
        return [GroupState(int(event["a"])) for event in self.log if event["kind"] == Event.CONTROL]


@dataclass
class Course:
    """What was seen of a story: one row of every column a look."""

    time_s: list[float] = field(default_factory=list)
    rows: list[NDArray[np.float64]] = field(default_factory=list)

    def look(self, time_s: float, row: NDArray[np.float64]) -> None:
        """Add a row."""
        self.time_s.append(time_s)
        self.rows.append(row)

    def between(self, start_s: float, stop_s: float) -> NDArray[np.float64]:
        """Return the rows after a time, up to another."""
        time = np.array(self.time_s)
        return np.array(self.rows)[(time > start_s) & (time <= stop_s)]

    def settled_s(self, start_s: float, stop_s: float, target: float, within: float) -> float:
        """Return how long after `start_s` the last value was further than `within` from the target."""
        time = np.array(self.time_s)
        away = (np.abs(np.array(self.rows) - target) > within).any(axis=1) & (time > start_s) & (time <= stop_s)
        return float(time[away].max() - start_s) if away.any() else 0.0


ZONES = (1, 2, 3)
TARGET_C, PER_MIN = 800.0, 10.0
REST_S, RAMP_S, HOLD_S, AFTER_S = 1800.0, 600.0, 2400.0, 1500.0
LEFT_OF_ELEMENT = 0.85
"""The disturbance: the centre zone loses 15 % of its power."""


@dataclass(frozen=True)
class Ramp:
    """What came of the ramp to 800 °C and the disturbance after it, K and s."""

    overshoot: float
    settling_s: float
    """From the end of the ramp until every zone stays within 1 K."""
    spread: float
    """Between the zones, in the last ten minutes before the disturbance."""
    disturbed: float
    """Greatest error after the disturbance."""
    recovered_s: float
    """From the disturbance until every zone stays within 0.5 K."""
    power_noise: float
    """Standard deviation of the power at rest, %."""
    control: list[GroupState]


def ramp(control: str, *, seed: int = 1) -> Ramp:
    """Ramp the shipped furnace from 700 to 800 °C at 10 K/min under PID or MPC, then weaken an element."""
    furnace = Regulated("lpcvd_furnace", seed=seed)
    powers = [f"heater.zone{zone}.power_pct" for zone in ZONES]
    furnace.set({f"heater.zone{zone}.mode": 2.0 for zone in ZONES})
    furnace.set({"heater.control": float(control == "mpc")})
    course, power = Course(), list[NDArray[np.float64]]()
    now = 0.0
    while now < REST_S + RAMP_S + HOLD_S + AFTER_S:
        if now == REST_S:
            way = {f"heater.zone{zone}.setpoint_c": {"to": TARGET_C, "per_min": PER_MIN} for zone in ZONES}
            furnace.start([{"name": "ramp", "ramp": way, "min_s": RAMP_S + HOLD_S + AFTER_S + 60.0}])
        if now == REST_S + RAMP_S + HOLD_S:
            furnace.plant.inject({"fault": "element_broken", "zone": 2, "value": LEFT_OF_ELEMENT})
        furnace.run(1.0)
        now += 1.0
        course.look(now, np.array(furnace.plant.state()["profile_k"]) - 273.15)
        power.append(furnace.value(*powers))
    top, end, last = REST_S + RAMP_S, REST_S + RAMP_S + HOLD_S, now
    rest = course.between(end - 600.0, end)
    return Ramp(
        overshoot=float(course.between(top, end).max() - TARGET_C),
        settling_s=course.settled_s(top, end, TARGET_C, 1.0),
        spread=float((rest.max(axis=1) - rest.min(axis=1)).max()),
        disturbed=float(np.abs(course.between(end, last) - TARGET_C).max()),
        recovered_s=course.settled_s(end, last, TARGET_C, 0.5),
        power_noise=float(np.array(power[int(end) - 600 : int(end)]).std(axis=0).max()),
        control=furnace.controls,
    )


LOOK_S, WITHIN, WATCHED_S = 0.1, 0.01, 15.0
FLOW_SCCM, FALLEN = 1000.0, 0.8
DECADES = ((0.005, 25.0), (0.05, 50.0), (0.5, 500.0), (5.0, 1000.0), (50.0, 2000.0), (500.0, 5000.0))
"""Pressures in Torr over five decades, and the flow in sccm of each."""


@dataclass(frozen=True)
class Pressure:
    """How a pressure loop took steps and a disturbance: s until within 1 %, and the error at rest."""

    up_s: float
    down_s: float
    disturbed_s: float
    recovered_s: float
    error: float
    """Greatest relative error of the last three seconds of each."""
    true_error: float
    """The same of the pressure that the plant has, whatever its gauges say."""

    @property
    def slowest_s(self) -> float:
        """The slowest of the four."""
        return max(self.up_s, self.down_s, self.disturbed_s, self.recovered_s)


def throttling(tool: str, *, seed: int = 1) -> Regulated:
    """Return a tool whose throttle valve is in auto, in nitrogen alone."""
    chamber = Regulated(tool, seed=seed)
    chamber.set({"vacuum.isolation_valve.shut": 0.0, "gas_panel.purge.shut": 1.0, "gas_panel.n2.valve": 1.0,
                 "gas_panel.n2.setpoint_sccm": FLOW_SCCM})  # fmt: skip
    chamber.set({"vacuum.throttle_valve.mode": 2.0})
    return chamber


def pressure(chamber: Regulated, start_torr: float, step_torr: float, flow_sccm: float) -> Pressure:
    """Step the set point up and down; let the flow fall by a fifth in between."""
    chamber.set({"gas_panel.n2.setpoint_sccm": flow_sccm, "chamber.pressure_setpoint_torr": start_torr})
    chamber.run(60)
    errors = list[NDArray[np.float64]]()

    def settled(target: float, flow_sccm: float) -> float:
        chamber.set({"chamber.pressure_setpoint_torr": target, "gas_panel.n2.setpoint_sccm": flow_sccm})
        course = Course()
        for look in range(round(WATCHED_S / LOOK_S)):
            chamber.run(LOOK_S)
            shown, has = chamber.value("chamber.pressure_torr"), chamber.plant.state()["pressure_pa"] / PA_PER_TORR
            course.look((look + 1) * LOOK_S, np.array([shown, has]))
        errors.append(np.abs(course.between(WATCHED_S - 3.0, WATCHED_S) / target - 1.0).max(axis=0))
        return course.settled_s(0.0, WATCHED_S, target, WITHIN * target)

    high = start_torr + step_torr
    up = settled(high, flow_sccm)
    less = settled(high, flow_sccm * FALLEN)
    more = settled(high, flow_sccm)
    down = settled(start_torr, flow_sccm)
    shown, has = np.array(errors).max(axis=0)
    return Pressure(up, down, less, more, float(shown), float(has))
