"""Tools and recipes become tables, and the tables do on the real scan what the recipe says."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.loading import shipped_recipe
from config.plan import Plan, PlannedStep, order, plan_operation, plan_recipe
from config.recipe import Recipe, load_recipe
from config.tool import Action, Check, LinearMap, Policy, Ramp, Tool
from kernels.scan import Scan
from kernels.tables import Command, ConditionClass, ConditionFlag, Event, Instr, RunState, TagFlag
from supervisor.controller.compile import compile_plan, compile_tool
from supervisor.controller.compile.time import scans, scans_within
from supervisor.controller.errors import CompileError
from tests.config.small_furnace import small_furnace
from tests.supervisor.controller.compiled_stand import Stand

SILANE, OXIDISER, NITROGEN = "gas_panel.sih4.valve", "gas_panel.n2o.valve", "gas_panel.n2.valve"
PERIOD_S = 0.1


@pytest.fixture(scope="module")
def tool() -> Tool:
    return small_furnace()


@pytest.fixture
def stand(tool: Tool) -> Stand:
    return Stand(tool)


def short(*steps: dict[str, Any], **changes: Any) -> Recipe:
    """A recipe of seconds."""
    document = {
        "name": "short",
        "process_mode": "LPCVD Oxide",
        "film_target": "SiO2",
        "thickness_target_nm": 10,
        "temperature_profile": {"zones": [{"zone": 1, "setpoint": 800, "ramp_rate": 6000}]},
        "pressure_setpoints": {"process_pressure_torr": 0.5, "base_pressure_torr": 0.001},
        "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}, {"name": "N2O", "flow_sccm": 160}]},
        "recipe_steps": list(steps) or [
            {"name": "pumpdown", "duration_s": 1, "target_pressure_torr": 0.001},
            {"name": "heatup", "duration_s": 1, "target_temp_c": 800},
            {"name": "deposition", "duration_s": 20, "flows_active": True},
            {"name": "cooldown", "duration_s": 2},
        ],
    }  # fmt: skip
    return load_recipe(json.dumps(document | changes))


def bare(*actions: Action) -> Plan:
    """A plan of actions alone."""
    steps = tuple(PlannedStep(action.name, "tool", (action,)) for action in actions)
    return Plan("bare", "operation", steps, 0.0)


# -------------------------------------------------------------------------------------------------------- a run
def test_the_guides_recipe_runs_to_its_end_in_its_time(stand: Stand) -> None:
    """3120 s of the recipe, the tool's own steps around it, and the wait for flow and pressure before silane."""
    stand.load(load_recipe(shipped_recipe("lpcvd_sio2_100nm")))
    seen = list[str]()
    while stand.state is RunState.RUNNING:
        if stand.step and (not seen or seen[-1] != stand.step):
            seen.append(stand.step)
        stand.advance(5)
    assert stand.state is RunState.COMPLETE
    assert seen == [
        "pump", "watch", "pumpdown", "heatup", "stabilize", "deposition", "cooldown",
        *(["fill", "pump"] * 5),
    ]  # fmt: skip
    elapsed_s = stand["system.run_elapsed_s"]
    assert elapsed_s == pytest.approx(1 + 10 + 3120 + 20, abs=2)
    assert (stand[SILANE], stand[OXIDISER], stand[NITROGEN]) == (0, 0, 0)
    assert stand["heater.zone1.setpoint_c"] == 700


def test_silane_follows_nitrous_oxide_by_at_least_a_scan(stand: Stand) -> None:
    stand.load(short())
    oxidiser = stand.until(lambda: stand[OXIDISER] == 1)
    silane = stand.until(lambda: stand[SILANE] == 1)
    assert oxidiser > 0
    assert silane >= 1


def test_silane_never_opens_while_the_oxidiser_does_not_flow(stand: Stand) -> None:
    """A stuck controller: the step waits for its flow, then holds, and silane has never flowed."""
    stand.readings["gas_panel.n2o.flow_sccm"] = 0.0
    stand.load(short())
    stand.until(lambda: stand[OXIDISER] == 1)
    for _ in range(1250):
        stand.advance(1)
        assert stand[SILANE] == 0
    assert stand.state is RunState.HELD
    assert stand[OXIDISER] == 0


def test_a_hold_in_deposition_shuts_silane_in_the_same_scan_and_keeps_the_temperature(stand: Stand) -> None:
    stand.load(short())
    stand.until(lambda: stand[SILANE] == 1)
    stand.advance(20)
    stand.command(Command.HOLD)
    assert (stand[SILANE], stand["gas_panel.sih4.setpoint_sccm"], stand[OXIDISER]) == (0, 0, 0)
    assert stand[NITROGEN] == 1
    assert stand["heater.zone1.setpoint_c"] == 800
    assert stand["heater.zone1.mode"] == 2
    stand.advance(50)
    assert stand.state is RunState.HELD


def test_a_restart_brings_the_flows_back_and_the_deposition_lasts_as_long_as_declared(stand: Stand) -> None:
    stand.load(short())
    stand.until(lambda: stand[SILANE] == 1)
    stand.advance(49)  # five seconds with silane
    stand.command(Command.HOLD)
    stand.advance(200)
    stand.command(Command.RESTART)
    stand.until(lambda: stand[SILANE] == 1)
    assert stand["gas_panel.sih4.setpoint_sccm"] == 80
    assert stand["gas_panel.n2o.setpoint_sccm"] == 160
    assert stand[NITROGEN] == 0
    assert stand["chamber.mode"] == 2
    left = stand.until(lambda: stand.step == "cooldown")
    assert left * PERIOD_S == pytest.approx(15, abs=0.5)


def test_a_restart_waits_for_temperature_before_any_process_gas(stand: Stand) -> None:
    stand.load(short())
    stand.until(lambda: stand[SILANE] == 1)
    stand.command(Command.HOLD)
    stand.readings["heater.zone2.temperature_c"] = 780.0
    stand.command(Command.RESTART)
    stand.advance(100)
    assert stand.state is RunState.RESTARTING
    assert (stand[SILANE], stand[OXIDISER]) == (0, 0)
    del stand.readings["heater.zone2.temperature_c"]
    stand.until(lambda: stand[SILANE] == 1)


def test_a_hold_from_pause_restarts_to_what_was_before_the_pause(stand: Stand) -> None:
    stand.load(short())
    stand.until(lambda: stand[SILANE] == 1)
    stand.command(Command.PAUSE)
    assert stand[SILANE] == 0
    stand.advance(10)
    stand.command(Command.HOLD)
    stand.advance(10)
    stand.command(Command.RESTART)
    stand.until(lambda: stand.state is RunState.RUNNING)
    assert (stand[SILANE], stand["gas_panel.sih4.setpoint_sccm"]) == (1, 80)


def test_a_hold_in_the_ramp_stops_it_and_the_restart_goes_on(stand: Stand) -> None:
    slow = {"zones": [{"zone": 1, "setpoint": 800, "ramp_rate": 600}]}
    stand.load(short(temperature_profile=slow))
    stand.until(lambda: stand["heater.zone1.setpoint_c"] > 750)
    stand.command(Command.HOLD)
    held = stand["heater.zone1.setpoint_c"]
    stand.advance(100)
    assert stand["heater.zone1.setpoint_c"] == held
    stand.command(Command.RESTART)
    stand.until(lambda: stand["heater.zone1.setpoint_c"] == 800)


@given(at=st.lists(st.tuples(st.integers(1, 120), st.sampled_from(["hold", "pause", "both"])), max_size=4))
@settings(max_examples=25)
def test_however_often_a_run_is_interrupted_silane_flows_only_in_running_and_for_its_time(
    at: list[tuple[int, str]],
) -> None:
    stand = Stand(small_furnace())
    stand.load(short())
    open_scans = 0

    def run(count: int) -> None:
        nonlocal open_scans
        for _ in range(count):
            stand.advance(1)
            assert stand.state in (RunState.RUNNING, RunState.COMPLETE) or stand[SILANE] == 0, stand.state
            open_scans += int(stand[SILANE] == 1)

    for wait, kind in at:
        run(wait)
        if stand.state is not RunState.RUNNING:
            break
        if kind in {"pause", "both"}:
            stand.command(Command.PAUSE)
            run(3)
        if kind in {"hold", "both"}:
            stand.command(Command.HOLD)
            run(3)
        stand.scan.command(Command.RESUME if kind == "pause" else Command.RESTART)
        while stand.state is not RunState.RUNNING:
            run(1)
    while stand.state is not RunState.COMPLETE:
        run(1)
    # A restart gives silane back in the scan before the deposition's time goes on.
    assert 200 <= open_scans <= 200 + 2 * len(at)


@pytest.mark.parametrize("step", ["pumpdown", "heatup", "deposition", "cooldown"])
def test_in_no_step_does_a_hold_leave_a_hazardous_gas_open(step: str, stand: Stand) -> None:
    stand.load(short())
    stand.reach(step)
    stand.advance(5)
    stand.command(Command.HOLD)
    assert (stand[SILANE], stand[OXIDISER]) == (0, 0)


def test_a_temperature_that_leaves_its_tolerance_holds_the_deposition(stand: Stand) -> None:
    stand.load(short({"name": "deposition", "duration_s": 300, "flows_active": True}))
    stand.until(lambda: stand[SILANE] == 1)
    stand.readings["heater.zone3.temperature_c"] = 790.0
    late = stand.until(lambda: stand.state in (RunState.HOLDING, RunState.HELD))
    assert late * PERIOD_S == pytest.approx(30, abs=0.5)
    assert any(kind is Event.GUARD for kind, *_ in stand.events)


def test_a_valve_that_something_else_has_shut_holds_the_deposition(stand: Stand) -> None:
    """Nobody gets a film of which half the time is missing."""
    stand.load(short({"name": "deposition", "duration_s": 300, "flows_active": True}))
    stand.until(lambda: stand[SILANE] == 1)
    stand.command(Command.WRITE, stand.compiled.layout.index[SILANE], 0.0)
    stand.until(lambda: stand.state is RunState.HELD, limit=400)


def test_a_trip_runs_the_safe_sequence_and_an_abort_asks_no_step(stand: Stand) -> None:
    stand.load(short())
    stand.until(lambda: stand[SILANE] == 1)
    stand.readings["heater.zone1.temperature_c"] = 1200.0
    stand.advance(1)
    assert (stand[SILANE], stand["heater.zone1.power_pct"]) == (0, 0)
    assert stand.state is RunState.ABORTING
    stand.until(lambda: stand.state is RunState.ABORTED, limit=100)
    assert stand[NITROGEN] == 1


def test_a_stop_without_a_declared_behaviour_is_the_safe_sequence(stand: Stand) -> None:
    stand.load(short())
    stand.until(lambda: stand[SILANE] == 1)
    stand.command(Command.STOP)
    assert stand[SILANE] == 0
    stand.until(lambda: stand.state is RunState.STOPPED, limit=100)
    assert stand[NITROGEN] == 1


def test_pulses_last_whole_scans_exactly_and_never_overlap(stand: Stand) -> None:
    gases = {"gases": [{"name": gas, "flow_sccm": 80, "timing": "pulsed"} for gas in ("SiH4", "N2O")]}
    pulses = [{"gas": "SiH4", "pulse_s": 0.3, "purge_s": 0.5}, {"gas": "N2O", "pulse_s": 0.2, "purge_s": 0.4}]
    stand.load(
        short(
            {"name": "deposition", "duration_s": 1, "flows_active": True},
            gas_flows=gases,
            pulsing_scheme={"cycles": 7, "pulses": pulses},
        )
    )
    stand.until(lambda: stand[SILANE] == 1)
    pattern = list[tuple[float, float]]()
    while stand.step == "deposition":
        pattern.append((stand[SILANE], stand[OXIDISER]))
        stand.advance(1)
    cycle = [(1, 0)] * 3 + [(0, 0)] * 5 + [(0, 1)] * 2 + [(0, 0)] * 4
    assert pattern == cycle * 7


def test_nested_cycles_run_as_often_as_they_say(stand: Stand) -> None:
    inner = {
        "name": "inner",
        "repeat": 3,
        "steps": [{"name": "a", "duration_s": 0.2}, {"name": "b", "duration_s": 0.1}],
    }
    stand.load(short({"name": "outer", "repeat": 4, "steps": [inner, {"name": "c", "duration_s": 0.1}]}))
    stand.until(lambda: stand.state is RunState.COMPLETE)
    assert stand.plan is not None
    entered = [stand.plan.steps[index].name for kind, index, *_ in stand.events if kind is Event.STEP]
    assert [name for name in entered if name in "abc"] == (["a", "b"] * 3 + ["c"]) * 4
    assert {info.name: info.passes for info in stand.plan.steps if info.name in "abc"} == {"a": 12, "b": 12, "c": 4}


def test_branches_run_side_by_side_and_the_step_ends_with_the_longer_one(stand: Stand) -> None:
    stand.load(
        short(
            {"name": "ready", "parallel": [
                [{"name": "pump", "duration_s": 2, "target_pressure_torr": 0.001}],
                [{"name": "heat", "duration_s": 1, "target_temp_c": 720}, {"name": "soak", "duration_s": 4}],
            ]},
            {"name": "deposition", "duration_s": 1, "flows_active": True},
        )
    )  # fmt: skip
    stand.reach("ready")
    lasted = stand.until(lambda: stand.step == "deposition")
    assert lasted * PERIOD_S == pytest.approx(5, abs=0.3)


def test_an_end_condition_ends_a_step_and_its_timeout_follows_the_declared_policy(stand: Stand) -> None:
    wait = {"name": "wait", "until": "heater.zone1.temperature_c > 900 °C", "timeout_s": 3, "on_timeout": "continue"}
    stand.load(short(wait, {"name": "after", "duration_s": 1}))
    stand.reach("wait")
    assert stand.until(lambda: stand.step == "after") * PERIOD_S == pytest.approx(3, abs=0.2)
    assert any(kind is Event.TIMEOUT for kind, *_ in stand.events)


def test_an_operations_check_that_fails_aborts_with_its_reason(stand: Stand) -> None:
    leak = next(operation for operation in stand.tool.operations if operation.name == "leak_check")
    stand.load(plan_operation(leak, stand.tool))
    stand.reach("watch")
    stand.readings["chamber.pressure_torr"] = 0.02
    stand.until(lambda: stand.state is RunState.ABORTED)
    failed = next(index for kind, index, *_ in stand.events if kind is Event.CHECK_FAILED)
    assert stand.plan is not None
    assert stand.plan.reasons[failed] == "the tube leaks"


def test_an_operation_that_is_held_writes_what_it_declares_and_gives_it_back(stand: Stand) -> None:
    purge = next(operation for operation in stand.tool.operations if operation.name == "cycle_purge")
    stand.load(plan_operation(purge, stand.tool))
    stand.until(lambda: stand[NITROGEN] == 1)
    stand.command(Command.HOLD)
    assert stand[NITROGEN] == 0
    stand.advance(3)
    stand.command(Command.RESTART)
    stand.advance(1)
    assert stand[NITROGEN] == 1


# --------------------------------------------------------------------------------------------------- the tables
def test_tags_take_their_limits_and_age_in_scans(tool: Tool) -> None:
    modules = list(tool.modules)
    heater = modules[0]
    tags = list(heater.tags)
    tags[0] = tags[0].model_copy(update={"period_s": 0.25})
    tags[3] = tags[3].model_copy(update={"rate_per_s": 50.0})
    modules[0] = heater.model_copy(update={"tags": tuple(tags)})
    compiled = compile_tool(tool.model_copy(update={"modules": tuple(modules)}))
    row = compiled.tables.tags[compiled.layout.index["heater.zone1.temperature_c"]]
    assert (row["low"], row["high"], row["age_uncertain"], row["age_bad"]) == (0, 1300, 5, 13)
    power = compiled.tables.tags[compiled.layout.index["heater.zone1.power_pct"]]
    assert power["flags"] == TagFlag.HAZARDOUS
    assert power["rate"] == pytest.approx(5)
    assert power["loop"] == 0, "an effect on the power switches its loop off"


def test_an_effect_behind_a_map_switches_off_the_loop_in_front_of_it(tool: Tool) -> None:
    line = LinearMap(source="heater.zone1.power_pct", target="heater.zone2.power_pct", x=(0.0, 100.0), y=(0.0, 100.0))
    compiled = compile_tool(tool.model_copy(update={"maps": (line,)}))
    assert compiled.tables.tags[compiled.layout.index["heater.zone2.power_pct"]]["loop"] == 0
    assert len(compiled.tables.maps) == 1


def test_conditions_take_class_flags_delays_and_effects(tool: Tool) -> None:
    compiled = compile_tool(tool)
    over, pump, high = compiled.tables.conditions
    assert (over["cls"], pump["cls"], high["cls"]) == (ConditionClass.TRIP, ConditionClass.HOLD, ConditionClass.WARNING)
    assert over["flags"] == ConditionFlag.LATCH | ConditionFlag.SAFE_FROM_IDLE
    assert pump["on_delay"] == 5
    assert (over["effect_start"], over["effect_count"], pump["effect_start"]) == (0, 5, 5)
    assert compiled.tables.effects["output"][0] == compiled.layout.index["heater.zone1.power_pct"]


def test_loops_take_their_gains_per_scan(tool: Tool) -> None:
    loop = compile_tool(tool).tables.loops[0]
    assert loop["ki"] == pytest.approx(2.0 * PERIOD_S / 100.0)
    assert loop["kd"] == pytest.approx(2.0 * 1.0 / PERIOD_S)
    assert loop["alpha"] == pytest.approx(0.1 / 0.6)
    assert loop["ff"] == -1


@pytest.mark.parametrize(
    ("seconds", "period_s", "expected"),
    [(0, 0.1, 0), (0.3, 0.1, 3), (0.31, 0.1, 4), (1e-9, 0.1, 1), (3120, 0.01, 312_000)],
)
def test_durations_are_whole_scans_rounded_up(seconds: float, period_s: float, expected: int) -> None:
    assert scans(seconds, period_s) == expected


def test_a_bypass_is_never_longer_than_declared() -> None:
    assert (scans_within(0.39, 0.1), scans_within(0.3, 0.1)) == (3, 3)


def test_a_steps_number_is_its_place_in_the_plans_order(tool: Tool) -> None:
    plan = plan_recipe(load_recipe(shipped_recipe("lpcvd_sio2_100nm")), tool)
    program = compile_plan(compile_tool(tool), plan)
    assert [info.name for info in program.steps] == [step.name for step in order(plan.steps)]
    numbers = program.program.instructions[program.program.instructions["op"] == Instr.STEP]["arg"]
    assert list(numbers) == list(range(len(program.steps)))


def test_equal_expressions_share_a_row(tool: Tool) -> None:
    compiled = compile_tool(tool)
    wait = Action(name="wait", until="chamber.pressure_torr < 1 Torr", timeout_s=1.0)
    program = compile_plan(compiled, bare(wait, wait, wait)).program
    assert len(program.expressions) == 1
    Scan(compiled.tables).load(0, program)


def test_a_cycle_cannot_spin(tool: Tool) -> None:
    """Conditions that are true at once, or no wait at all, would run the whole cycle in one scan."""
    compiled = compile_tool(tool)
    waiting = Action(name="wait", until="chamber.pressure_torr >= 0 Torr", timeout_s=1.0)
    for body in (waiting, Action(name="shut", set={SILANE: 0.0})):
        program = compile_plan(compiled, bare(Action(name="cycle", repeat=1000, steps=(body,)))).program
        waits = program.instructions[program.instructions["op"] == Instr.WAIT]
        assert list(waits["n"]) == [1]
        Scan(compiled.tables).load(0, program)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Action(name="a", set={"no.such": 1.0}), "a: unknown tag 'no.such'"),
        (Action(name="a", set={"chamber.pressure_torr": 1.0}), "chamber.pressure_torr is input"),
        (Action(name="a", set={"system.armed": 1.0}), "system.armed is a system tag"),
        (Action(name="a", set={SILANE: 2.0}), f"{SILANE} cannot become 2: it is limited to 0 … 1"),
        (Action(name="a", ramp={"heater.zone1.setpoint_c": Ramp(to=2000.0, over_s=5.0)}), "cannot become 2000"),
        (Action(name="a", until="chamber.pressure_torr > 5 °C", timeout_s=1.0), "a: "),
        (
            Action(name="a", parallel=tuple((Action(name=f"b{n}", min_s=1.0),) for n in range(9))),
            "a program has at most 7 branches",
        ),
        (Action(name="a", store={"vacuum.leak_torr": "heater.zone1.temperature_c"}), "a: "),
        (Action(name="a", check=(Check(that="nonsense(", reason="x"),)), "a: "),
    ],
)
def test_what_the_tables_cannot_express_is_refused_by_name(action: Action, reason: str, tool: Tool) -> None:
    with pytest.raises(CompileError) as caught:
        compile_plan(compile_tool(tool), bare(action))
    assert reason in str(caught.value)


def test_a_safe_sequence_that_could_outlast_its_bound_is_refused(tool: Tool) -> None:
    """The service's stop timeout is computed from the bound."""
    sequence = tool.safe_sequence.model_copy(update={"bound_s": 5.0})
    with pytest.raises(CompileError, match=r"takes up to 6 s, more than its bound_s of 5 s"):
        compile_tool(tool.model_copy(update={"safe_sequence": sequence}))


def test_a_safe_sequence_has_no_branches(tool: Tool) -> None:
    branches = Action(name="both", parallel=((Action(name="a", min_s=1.0),), (Action(name="b", min_s=1.0),)))
    sequence = tool.safe_sequence.model_copy(update={"steps": (branches,)})
    with pytest.raises(CompileError, match="branches are not possible here"):
        compile_tool(tool.model_copy(update={"safe_sequence": sequence}))


def test_a_ramp_over_a_time_takes_that_time(stand: Stand) -> None:
    ramp = Action(name="ramp", ramp={"heater.zone1.setpoint_c": Ramp(to=800.0, over_s=10.0)}, min_s=11.0)
    stand.load(bare(ramp))
    took = stand.until(lambda: stand["heater.zone1.setpoint_c"] == 800)
    assert took * PERIOD_S == pytest.approx(10, abs=0.3)


def test_policies_reach_the_scan(tool: Tool) -> None:
    compiled = compile_tool(tool)
    waits = [
        Action(name=policy, until="chamber.pressure_torr > 5 Torr", timeout_s=1.0, on_timeout=policy)
        for policy in Policy
    ]
    instructions = compile_plan(compiled, bare(*waits)).program.instructions
    assert list(instructions["policy"][instructions["op"] == Instr.WAIT]) == [0, 1, 2, 3]
    assert np.all(instructions["timeout"][instructions["op"] == Instr.WAIT] == 10)
